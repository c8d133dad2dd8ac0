package pacoracle

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/keytab"
	krbtypes "github.com/jcmturner/gokrb5/v8/types"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
	"github.com/gmsasim/gmsasim/simulator"
)

// facts are what the directory says of an account, read by go-ldap.
type facts struct {
	sid        security.SID
	name, upn  string
	pwdLastSet time.Time
	logons     uint16
}

func factsOf(t *testing.T, l *ldap.Conn, base, sam string) facts {
	t.Helper()
	res, err := l.Search(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(sAMAccountName="+ldap.EscapeFilter(sam)+")",
		[]string{"objectSid", "sAMAccountName", "userPrincipalName", "pwdLastSet", "logonCount"}, nil))
	if err != nil || len(res.Entries) != 1 {
		t.Fatalf("%s: got %v, %v, want one entry", sam, res, err)
	}
	e := res.Entries[0]
	sid, err := security.SIDFromBytes(e.GetRawAttributeValue("objectSid"))
	if err != nil {
		t.Fatal(err)
	}
	number := func(attr string) int64 {
		n, err := strconv.ParseInt(cmpOr(e.GetAttributeValue(attr), "0"), 10, 64)
		if err != nil {
			t.Fatalf("%s: %s: %v", sam, attr, err)
		}
		return n
	}
	set := time.Unix(number("pwdLastSet")/10_000_000-11644473600, number("pwdLastSet")%10_000_000*100)
	return facts{sid: sid, name: e.GetAttributeValue("sAMAccountName"), upn: e.GetAttributeValue("userPrincipalName"), pwdLastSet: set, logons: uint16(number("logonCount"))}
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// keytabOf reads a keytab of the domain.
func keytabOf(t *testing.T, d *simulator.Domain, account string) *keytab.Keytab {
	t.Helper()
	b, err := d.Keytab(account)
	if err != nil {
		t.Fatal(err)
	}
	k := keytab.New()
	if err := k.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	return k
}

func aesKey(t *testing.T, k *keytab.Keytab, name ...string) *krbcrypt.Key {
	t.Helper()
	key, _, err := k.GetEncryptionKey(krbtypes.PrincipalName{NameType: 1, NameString: name}, realm, 0, krbcrypt.AES256SHA1)
	if err != nil {
		t.Fatal(err)
	}
	own, err := krbcrypt.NewKey(key.KeyType, key.KeyValue)
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// TestDomain takes the tickets of a whole domain: what go-msrpc reads from them is what go-ldap reads from the directory.
func TestDomain(t *testing.T) {
	cfg := simulator.Contoso()
	cfg.Groups = append(cfg.Groups,
		simulator.Group{Name: "Inner", Scope: simulator.Global, Members: []string{"alice", "WebApp01"}},
		simulator.Group{Name: "Outer", Scope: simulator.Universal, Members: []string{"Inner"}},
		simulator.Group{Name: "Local", Scope: simulator.DomainLocal, Members: []string{"Outer"}})
	cfg.Users = append(cfg.Users, simulator.User{Name: "bob", Password: "Bob!2026", UserPrincipalName: "robert@contoso.com"})
	d := simulator.StartT(t, cfg)
	l, err := ldap.DialURL(d.LDAPURL())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Bind("Administrator@contoso.com", "Passw0rd!"); err != nil {
		t.Fatal(err)
	}
	rid := func(sam string) uint32 { return factsOf(t, l, d.BaseDN(), sam).sid.RID() }
	conf := clientConfig(t, d.Realm(), d.KDCAddr())
	krbtgt := aesKey(t, keytabOf(t, d, "krbtgt"), "krbtgt")
	service := aesKey(t, keytabOf(t, d, "WebApp01"), "WebApp01$")
	day := 24 * time.Hour
	for _, tt := range []struct {
		sam, password   string // no password: from the keytab
		groups, local   []string
		primary         uint32
		control         uint32
		canChange, must time.Duration // after pwdLastSet; must 0: never
		extra           []string
	}{
		{sam: "alice", password: "Passw0rd!", groups: []string{"Inner", "Outer"}, local: []string{"Local"}, primary: 513, control: pac.UserNormalAccount, canChange: day, must: 42 * day},
		{sam: "bob", password: "Bob!2026", primary: 513, control: pac.UserNormalAccount, canChange: day, must: 42 * day},
		{sam: "ContainerHost01$", local: []string{"WebApp01Hosts"}, primary: 515, control: pac.UserWorkstationTrust},
		{sam: "WebApp01$", groups: []string{"Inner", "Outer"}, local: []string{"Local"}, primary: 515, control: pac.UserWorkstationTrust},
		// Domain Controllers are in the group whose passwords no read-only DC keeps.
		{sam: "DC01$", local: []string{"Denied RODC Password Replication Group"}, primary: 516, control: pac.UserServerTrust | pac.UserTrustedForDelegation, extra: []string{"S-1-5-9"}},
	} {
		t.Run(tt.sam, func(t *testing.T) {
			f := factsOf(t, l, d.BaseDN(), tt.sam)
			var cl *client.Client
			if tt.password != "" {
				cl = client.NewWithPassword(f.name, d.Realm(), tt.password, conf, client.DisablePAFXFAST(true))
			} else {
				cl = client.NewWithKeytab(f.name, d.Realm(), keytabOf(t, d, tt.sam), conf, client.DisablePAFXFAST(true))
			}
			tgt, ticket := tickets(t, cl, conf, "host/WebApp01.contoso.com")

			part, b, _ := open(t, tgt, krbtgt)
			k := keys{server: krbtgt, kdc: krbtgt}
			got, err := judge(b, k)
			if err != nil {
				t.Fatalf("TGT: %v", err)
			}
			info := got.LogonInformation
			// Order and times of logons are the directory's own; what is fixed is compared below.
			want := &pac.LogonInfo{LogoffTime: pac.Never(), KickOffTime: pac.Never(), PasswordLastSet: f.pwdLastSet, PasswordCanChange: f.pwdLastSet.Add(tt.canChange),
				PasswordMustChange: pac.Never(), EffectiveName: f.name, LogonCount: f.logons, UserID: f.sid.RID(), PrimaryGroupID: tt.primary,
				Groups: []pac.GroupMembership{{RID: tt.primary, Attributes: pac.GroupDefault}}, UserFlags: pac.UserFlagExtraSIDs, LogonServer: "DC01",
				LogonDomainName: "CONTOSO", LogonDomainID: f.sid.Domain(), UserAccountControl: tt.control,
				ExtraSIDs: []pac.SIDAndAttributes{{SID: security.MustSID("S-1-18-1"), Attributes: 7}}}
			if tt.must != 0 {
				want.PasswordMustChange = f.pwdLastSet.Add(tt.must)
			}
			for _, g := range tt.groups {
				want.Groups = append(want.Groups, pac.GroupMembership{RID: rid(g), Attributes: pac.GroupDefault})
			}
			for _, s := range tt.extra {
				want.ExtraSIDs = append(want.ExtraSIDs, pac.SIDAndAttributes{SID: security.MustSID(s), Attributes: 7})
			}
			want.LogonTime = info.LogonTime.AsTime()
			if ticks(info.LogonTime) == 0 {
				want.LogonTime = time.Time{}
			}
			want.LogonCount = info.LogonCount
			upn := &pac.UPNDNSInfo{UPN: cmpOr(f.upn, f.name+"@contoso.com"), DNSDomain: "CONTOSO.COM", Flags: pac.UPNExtended, SAMAccountName: f.name, SID: f.sid}
			if f.upn == "" {
				upn.Flags |= pac.UPNConstructed
			}
			implicit := pac.AttributeGivenImplicitly
			compare(t, got, &pac.PAC{LogonInfo: want, UPNDNSInfo: upn, Attributes: &implicit, Requestor: f.sid, ClientInfo: &pac.ClientInfo{AuthTime: part.AuthTime, Name: f.name}})

			part, b, without := open(t, ticket, service)
			k = keys{server: service, kdc: krbtgt, ticket: without, full: true}
			if got, err = judge(b, k); err != nil {
				t.Fatalf("service ticket: %v", err)
			}
			if types := types(got); !slices.Equal(types, []uint32{1, 6, 7, 10, 12, 16, 19}) {
				t.Errorf("buffers of the service ticket: got %v", types)
			}
			for _, g := range tt.local {
				want.UserFlags |= pac.UserFlagResourceGroups
				want.ResourceGroupDomain = f.sid.Domain()
				want.ResourceGroups = append(want.ResourceGroups, pac.GroupMembership{RID: rid(g), Attributes: pac.GroupResource})
			}
			compare(t, got, &pac.PAC{LogonInfo: want, UPNDNSInfo: upn, ClientInfo: &pac.ClientInfo{AuthTime: part.AuthTime, Name: f.name}})
		})
	}
}
