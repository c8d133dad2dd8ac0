package simulator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/ldapclient"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// TestBindsOfTheClient: the LDAP client of the hosts against the LDAP server of the DCs, by each mechanism and layer.
func TestBindsOfTheClient(t *testing.T) {
	d := StartT(t, Contoso())
	dc := d.DC("DC01")
	l := d.userLogon("alice", "Passw0rd!")
	cred, err := l.ticketFor(d.ctx, "ldap/"+dc.DNSName())
	check(t, err)
	initiate := func(flags gss.Flags, spnego bool) *gss.Initiator {
		return gss.NewInitiator(gss.InitiatorConfig{
			Ticket: cred.raw, SessionKey: cred.key, Client: gss.Principal{NameType: nameTypePrincipal, Components: []string{cred.client}, Realm: cred.crealm},
			Flags: flags, SPNEGO: spnego, Now: d.Clock.Now, Rand: d.rand,
		})
	}
	full := gss.FlagMutual | gss.FlagReplay | gss.FlagSequence | gss.FlagInteg | gss.FlagConf
	for name, bind := range map[string]func(*ldapclient.Conn) error{
		"GSSAPI none": func(c *ldapclient.Conn) error { return c.BindGSSAPI(initiate(full, false), gss.LayerNone, "") },
		"GSSAPI sign": func(c *ldapclient.Conn) error { return c.BindGSSAPI(initiate(full, false), gss.LayerIntegrity, "") },
		"GSSAPI seal": func(c *ldapclient.Conn) error {
			return c.BindGSSAPI(initiate(full, false), gss.LayerConfidentiality, "")
		},
		"GSSAPI seal, as itself": func(c *ldapclient.Conn) error {
			return c.BindGSSAPI(initiate(full, false), gss.LayerConfidentiality, "u:alice")
		},
		"GSSAPI seal, not mutual": func(c *ldapclient.Conn) error {
			return c.BindGSSAPI(initiate(full&^gss.FlagMutual, false), gss.LayerConfidentiality, "")
		},
		"GSS-SPNEGO none":            func(c *ldapclient.Conn) error { return c.BindSPNEGO(initiate(gss.FlagMutual, true)) },
		"GSS-SPNEGO sign":            func(c *ldapclient.Conn) error { return c.BindSPNEGO(initiate(full&^gss.FlagConf, true)) },
		"GSS-SPNEGO seal":            func(c *ldapclient.Conn) error { return c.BindSPNEGO(initiate(full, true)) },
		"GSS-SPNEGO seal, raw token": func(c *ldapclient.Conn) error { return c.BindSPNEGO(initiate(full, false)) },
		"simple":                     func(c *ldapclient.Conn) error { return c.BindSimple("alice@contoso.com", "Passw0rd!") },
	} {
		t.Run(name, func(t *testing.T) {
			line, err := l.st.connect(d.ctx, dc)
			check(t, err)
			defer line.end()
			c := line.conn
			check(t, bind(c))
			if want := strings.Contains(name, "seal"); c.Sealed() != want {
				t.Errorf("sealed: got %v, want %v", c.Sealed(), want)
			}
			if who, err := c.WhoAmI(); who != `u:CONTOSO\alice` || err != nil {
				t.Errorf("got %q, %v", who, err)
			}
			entries, err := c.Search(&ldapclient.SearchRequest{Base: d.BaseDN(), Scope: ldapclient.Subtree, Filter: filter.MustParse("(objectClass=group)"),
				Attributes: []string{"cn"}, PageSize: 7})
			if err != nil || len(entries) < 30 {
				t.Errorf("got %d groups in pages of 7, %v", len(entries), err)
			}
			if is, err := c.Compare(entries[0].DN, "cn", []byte(entries[0].Value("cn"))); !is || err != nil {
				t.Errorf("comparison: got %v, %v", is, err)
			}
		})
	}
	t.Run("as somebody else", func(t *testing.T) {
		line, err := l.st.connect(d.ctx, dc)
		check(t, err)
		defer line.end()
		err = line.conn.BindGSSAPI(initiate(full, false), gss.LayerConfidentiality, "u:Administrator")
		if e, ok := errors.AsType[*ldapclient.Error](err); !ok || e.Result != ldapInvalidCreds {
			t.Errorf("got %v, want result 49", err)
		}
	})
	t.Run("clock ahead", func(t *testing.T) {
		line, err := l.st.connect(d.ctx, dc)
		check(t, err)
		defer line.end()
		i := gss.NewInitiator(gss.InitiatorConfig{
			Ticket: cred.raw, SessionKey: cred.key, Client: gss.Principal{NameType: nameTypePrincipal, Components: []string{cred.client}, Realm: cred.crealm},
			Flags: full, SPNEGO: true, Now: func() time.Time { return d.Clock.Now().Add(time.Hour) }, Rand: d.rand,
		})
		err = line.conn.BindSPNEGO(i)
		if e, ok := errors.AsType[*gss.Error](err); !ok || e.Code != krbErrSkew {
			t.Errorf("got %v, want the skew that the acceptor's token tells of", err)
		}
	})
}

// TestChangesOfTheClient: renames and deletions over LDAP, which no verb makes.
func TestChangesOfTheClient(t *testing.T) {
	d := StartT(t, Contoso())
	check(t, d.do("test", func(c *ldapConn) error {
		dn := "CN=alice,CN=Users," + d.BaseDN()
		if err := c.conn.ModifyDN(dn, "CN=Alice Smith", true, "CN=Computers,"+d.BaseDN()); err != nil {
			return err
		}
		values, err := c.conn.Read("CN=Alice Smith,CN=Computers,"+d.BaseDN(), "name")
		if err != nil || string(values[0]) != "Alice Smith" {
			t.Errorf("after the move: got %q, %v", values, err)
		}
		if _, err := c.read(dn, "cn"); err == nil {
			t.Error("the old name leads to an object")
		}
		return nil
	}))
	if _, err := d.Host("ContainerHost01").SignIn("alice", "Passw0rd!"); err != nil {
		t.Errorf("after the move: %v", err)
	}
}

// TestDoorsOfTime: outside clients see the machine's clock, or domain time when the configuration says so.
func TestDoorsOfTime(t *testing.T) {
	for wire, want := range map[string]func() time.Time{"": time.Now, wireDomain: func() time.Time { return defaultStart }} {
		cfg := Contoso()
		cfg.WireTime = wire
		d := StartT(t, cfg)
		c, err := ldap.DialURL(d.LDAPURL())
		check(t, err)
		defer c.Close()
		res, err := c.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"currentTime"}, nil))
		check(t, err)
		got, err := time.Parse("20060102150405.0Z", res.Entries[0].GetAttributeValue("currentTime"))
		check(t, err)
		if diff := want().Sub(got).Abs(); diff > time.Minute {
			t.Errorf("wire time %q: got %v, want %v", wire, got, want())
		}
		if strings.Contains(string(d.Krb5Conf()), "kdc_timesync") != (wire == wireDomain) {
			t.Errorf("wire time %q: krb5.conf is\n%s", wire, d.Krb5Conf())
		}
	}
}
