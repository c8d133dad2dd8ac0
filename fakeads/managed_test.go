package fakeads

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// withServiceAccount adds WebApp01, whose password alice may retrieve by name and the group with RID 1999 by membership.
func (w *world) withServiceAccount() {
	w.t.Helper()
	ctx := context.Background()
	if _, err := w.dc.AddRootKey(ctx, directory.System(), domainTime.Add(-24*time.Hour)); err != nil {
		w.t.Fatal(err)
	}
	domain := w.dc.Domain().SID
	sd, err := security.ParseSDDL("O:BAD:(A;;0xf01ff;;;"+domain.Append(1999).String()+")", domain, domain)
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.dc.Add(ctx, directory.System(), "CN=WebApp01,CN=Managed Service Accounts,"+contoso, []directory.Attribute{
		directory.Text("objectClass", "msDS-GroupManagedServiceAccount"), directory.Text("sAMAccountName", "WebApp01$"),
		directory.Text("msDS-ManagedPasswordInterval", "30"), {Name: "msDS-GroupMSAMembership", Values: [][]byte{sd.Marshal()}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestManagedPassword: who gets it over which connection. The identity is that of the ticket's PAC: the directory knows no group 1999.
func TestManagedPassword(t *testing.T) {
	w := newTLSWorld(t, nil)
	w.withServiceAccount()
	plain, secureAddr, catalog := w.listen((*Server).Serve), w.listen((*Server).ServeTLS), w.listen((*Server).ServeGC)
	gssapi := func(addr string, layer gss.Layer, groups ...uint32) func() *peer {
		return func() *peer {
			cfg := w.ticket(ticketOptions{groups: groups})
			cfg.Flags = secure
			p := w.dial(addr)
			if addr == secureAddr {
				p = w.overTLS(addr)
			}
			if rep := p.bindGSSAPI(gss.NewInitiator(cfg), layer, ""); rep.code != 0 {
				t.Fatalf("bind: got %d %q", rep.code, rep.text)
			}
			return p
		}
	}
	simple := func(addr string, startTLS bool) func() *peer {
		return func() *peer {
			p := w.dial(addr)
			if startTLS {
				p.ask(extendedOp(oidStartTLS, nil))
				p.conn = tls.Client(p.conn, w.clientTLS())
			}
			p.ask(bindOp(administrator, adminPassword))
			return p
		}
	}
	for _, tt := range []struct {
		name     string
		connect  func() *peer
		code     int
		value    bool
		withheld bool
	}{
		{"member, sealed", gssapi(plain, gss.LayerConfidentiality, 1999), 0, true, false},
		{"member, signed", gssapi(plain, gss.LayerIntegrity, 1999), resultOperationsError, false, false},
		{"member, no layer", gssapi(plain, gss.LayerNone, 1999), resultOperationsError, false, false},
		{"member, LDAPS", gssapi(secureAddr, gss.LayerNone, 1999), 0, true, false},
		{"member, global catalog", gssapi(catalog, gss.LayerConfidentiality, 1999), 0, false, false},
		{"no member, sealed", gssapi(plain, gss.LayerConfidentiality), 0, false, true},
		{"no member, signed", gssapi(plain, gss.LayerIntegrity), resultOperationsError, false, false},
		{"Administrator in clear", simple(plain, false), resultOperationsError, false, false},
		{"Administrator with StartTLS", simple(plain, true), 0, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.connect()
			rep, entries := p.collect(searchOp(contoso, directory.Subtree, equal("sAMAccountName", "WebApp01$"), "cn", "msDS-ManagedPassword"), control{oid: oidDomainScope})
			if rep.code != tt.code || tt.code != 0 && !strings.Contains(rep.text, "0000202D") {
				t.Fatalf("got %d %q, want %d", rep.code, rep.text, tt.code)
			}
			if tt.code == 0 && len(entries) != 1 || tt.code != 0 && len(entries) != 0 {
				t.Fatalf("got %d entries with result %d", len(entries), rep.code)
			}
			got := false
			for _, e := range entries {
				for _, a := range e.attrs {
					got = got || a.Name == "msDS-ManagedPassword" && len(a.Values[0]) > 256
				}
			}
			if got != tt.value {
				t.Errorf("got a password: %v, want %v", got, tt.value)
			}
			ops := w.traced(KindSearch)
			if withheld := len(ops[len(ops)-1].Withheld) == 1; withheld != tt.withheld {
				t.Errorf("got withheld %v, want %v", ops[len(ops)-1].Withheld, tt.withheld)
			}
		})
	}
}

// TestWrites go through to the directory and its errors come back.
func TestWrites(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	p.ask(bindOp(administrator, adminPassword))
	attribute := func(name string, values ...string) []byte {
		var list []byte
		for _, v := range values {
			list = append(list, octets(v)...)
		}
		return element(tagSequence, octets(name), element(tagSet, list))
	}
	change := func(op int, name string, values ...string) []byte {
		return element(tagSequence, number(tagEnumerated, op), attribute(name, values...))
	}
	const box = "OU=box," + contoso
	const group = "CN=g1," + box
	steps := []struct {
		name string
		op   []byte
		code int
		ctl  []control
	}{
		{"add an OU", element(opAddRequest, octets(box), element(tagSequence, attribute("objectClass", "organizationalUnit"))), 0, nil},
		{"add it again", element(opAddRequest, octets(box), element(tagSequence, attribute("objectClass", "organizationalUnit"))), 68, nil},
		{"add a group", element(opAddRequest, octets(group), element(tagSequence, attribute("objectClass", "group"), attribute("sAMAccountName", "g1"))), 0, nil},
		{"add a member", element(opModifyRequest, octets(group), element(tagSequence, change(0, "member", administrator))), 0, nil},
		{"add it again, permissive", element(opModifyRequest, octets(group), element(tagSequence, change(0, "member", administrator))), 0, []control{{oid: oidPermissive, critical: true}}},
		{"compare", element(opCompareRequest, octets(group), element(tagSequence, octets("sAMAccountName"), octets("G1"))), resultCompareTrue, nil},
		{"compare another", element(opCompareRequest, octets(group), element(tagSequence, octets("sAMAccountName"), octets("g2"))), resultCompareFalse, nil},
		{"rename", element(opModifyDNRequest, octets(group), octets("CN=g2"), []byte{tagBoolean, 1, 1}), 0, nil},
		{"the old name", element(opDeleteRequest, []byte(group)), resultNoSuchObject, nil},
		{"delete the parent", element(opDeleteRequest, []byte(box)), 66, nil},
		{"delete the tree", element(opDeleteRequest, []byte(box)), 0, []control{{oid: oidTreeDelete, critical: true}}},
		{"it is gone", searchOp(box, directory.BaseObject, present("objectClass")), resultNoSuchObject, nil},
	}
	for _, tt := range steps {
		rep := p.ask(tt.op, tt.ctl...)
		if rep.code != tt.code {
			t.Errorf("%s: got %d %q, want %d", tt.name, rep.code, rep.text, tt.code)
		}
	}
	rep := p.ask(searchOp("CN=x,"+box, directory.BaseObject, present("objectClass")))
	if rep.matched != contoso || !strings.HasPrefix(rep.text, "0000208D: NameErr: ") {
		t.Errorf("got matchedDN %q and %q, want the nearest ancestor", rep.matched, rep.text)
	}
	rep = p.ask(searchOp("DC=fabrikam,DC=com", directory.BaseObject, present("objectClass")))
	if rep.code != resultReferral && rep.code != resultNoSuchObject {
		t.Errorf("got %d %q for another forest", rep.code, rep.text)
	}
}
