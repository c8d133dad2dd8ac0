package directory

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAccountBySPN(t *testing.T) {
	w := newWorld(t)
	w.rootKey(11 * time.Hour)
	w.gmsa("WebApp01", Text("servicePrincipalName", "host/WebApp01", "host/webapp01.contoso.com", "http/app.contoso.com", "http/three/contoso.com", "http/three/other.com"))
	w.gmsa("WebApp02", Text("servicePrincipalName", "cifs/webapp01", "MSSQLSvc/db.contoso.com:1433", "http/only.contoso.com"))
	for _, c := range []struct{ spn, want string }{
		{"http/app.contoso.com", "WebApp01$"},
		{"HTTP/App.Contoso.COM", "WebApp01$"},
		{"http/webapp01", "WebApp01$"}, // alias of host
		{"rpcss/WEBAPP01.contoso.com", "WebApp01$"},
		{"cifs/webapp01", "WebApp02$"}, // the exact name wins over the alias
		{"https/webapp01", ""},
		{"ldap/webapp01", ""},
		{"RestrictedKrbHost/webapp01", ""},
		{"host/only.contoso.com", ""}, // never the other way round
		{"http/app.contoso.com:80", ""},
		{"MSSQLSvc/db.contoso.com:1433", "WebApp02$"},
		{"MSSQLSvc/db.contoso.com", ""},
		{"http/app", ""},
		{"http/three/contoso.com", ""}, // our own domain as the third part is for domain controllers
		{"http/three/other.com", "WebApp01$"},
		{"ldap/dc01.contoso.com/contoso.com", "DC01$"},
		{"kadmin/changepw", "krbtgt"},
		{"http/", ""},
		{"", ""},
	} {
		a, err := w.dc.AccountBySPN(c.spn)
		switch {
		case c.want == "" && !errors.Is(err, ErrNoAccount):
			t.Errorf("%q: got %v, %v, want %v", c.spn, a, err, ErrNoAccount)
		case c.want != "" && (err != nil || a.SAMAccountName != c.want):
			t.Errorf("%q: got %+v, %v, want %s", c.spn, a, err, c.want)
		}
	}
}

// Replication brings two accounts together that either domain controller had accepted.
func TestDuplicateSPN(t *testing.T) {
	w := newWorld(t, twoDCs(time.Hour))
	w.rootKey(11 * time.Hour)
	w.must(w.f.Populate("contoso.com", []AddRequest{{"CN=one,CN=Users," + base, userAttributes("one")}, {"CN=two,CN=Users," + base, userAttributes("two")}}))
	dc2 := w.f.DC("DC02")
	admin := w.as("Administrator")
	spn := Text("servicePrincipalName", "http/both.contoso.com")
	w.must(w.modify(admin, "CN=one,CN=Users,"+base, ModAdd, spn))
	w.must(dc2.Modify(context.Background(), admin, "CN=two,CN=Users,"+base, []Modification{{ModAdd, spn}}, false))
	if a, err := w.dc.AccountBySPN("http/both.contoso.com"); err != nil || a.SAMAccountName != "one" {
		t.Errorf("before replication: got %+v, %v, want one", a, err)
	}
	w.dc.Sync()
	w.events = nil
	if _, err := w.dc.AccountBySPN("HTTP/both.contoso.com"); !errors.Is(err, ErrDuplicateSPN) {
		t.Errorf("after replication: got %v, want %v", err, ErrDuplicateSPN)
	}
	if len(w.events) != 1 || w.events[0].ID != 11 || w.events[0].Log != "System" || w.events[0].DC != "DC01" || !strings.Contains(w.events[0].Text, "both.contoso.com") {
		t.Errorf("events: got %+v, want event 11 of the System log", w.events)
	}
	if a, err := dc2.AccountBySPN("http/both.contoso.com"); err != nil || a.SAMAccountName != "two" {
		t.Errorf("on the other domain controller: got %+v, %v, want two", a, err)
	}
}

func TestUniqueNames(t *testing.T) {
	w := newWorld(t, childDomain)
	w.rootKey(11 * time.Hour)
	w.user("alice", Text("userPrincipalName", "alice@contoso.com"), Text("servicePrincipalName", "http/app.contoso.com"))
	w.user("bob")
	child := w.f.Domains()[1].DCs()[0]
	w.must(child.Add(context.Background(), System(), "CN=dora,CN=Users,DC=child,DC=contoso,DC=com",
		userAttributes("dora", Text("userPrincipalName", "dora@mail.example"), Text("servicePrincipalName", "http/child.contoso.com"))))
	admin, bob := w.as("Administrator"), "CN=bob,CN=Users,"+base
	for _, c := range []struct {
		what   string
		attr   Attribute
		result int
		code   uint32
		events int
	}{
		{"SPN of another account", Text("servicePrincipalName", "HTTP/APP.contoso.com"), 19, 0x21C7, 1},
		{"SPN of another domain", Text("servicePrincipalName", "http/child.contoso.com"), 19, 0x21C7, 1},
		{"alias of another's SPN", Text("servicePrincipalName", "host/app.contoso.com"), 0, 0, 0},
		{"no SPN", Text("servicePrincipalName", "garbage"), 19, 0x200B, 0},
		{"UPN of another account", Text("userPrincipalName", "ALICE@contoso.com"), 19, 0x21C8, 1},
		{"UPN of another domain", Text("userPrincipalName", "dora@mail.example"), 19, 0x21C8, 1},
		{"UPN of its own", Text("userPrincipalName", "bob@contoso.com"), 0, 0, 0},
	} {
		w.events = nil
		wantCode(t, c.what, w.modify(admin, bob, ModReplace, c.attr), c.result, c.code)
		if got := w.logged(2974); got != c.events {
			t.Errorf("%s: got %d events 2974, want %d", c.what, got, c.events)
		}
	}
	err := w.dc.Add(context.Background(), admin, gmsaDN("New"), gmsaAttributes("New", Text("servicePrincipalName", "http/app.contoso.com")))
	wantCode(t, "gMSA with the SPN of another account", err, 19, 0x21C7)
	if !strings.Contains(err.Error(), "Att 90303 (servicePrincipalName)") {
		t.Errorf("text: got %q, want the attribute's number and name in it", err)
	}
	if d := w.dc.DomainOfSPN("http/child.contoso.com"); d != w.f.Domains()[1] {
		t.Errorf("domain of a child's SPN: got %v, want the child", d)
	}
	if d := w.dc.DomainOfSPN("http/app.contoso.com"); d != nil {
		t.Errorf("domain of our own SPN: got %v, want none", d)
	}
	service := directoryService + "CN=Configuration," + base
	for _, c := range []struct {
		heuristics       string
		spnCode, upnCode uint32
	}{{"000000000100000000022", 0, 0x21C8}, {"000000000100000000021", 0x21C7, 0}, {"000000000100000000023", 0, 0}} {
		w.must(w.modify(System(), service, ModReplace, Text("dSHeuristics", c.heuristics)))
		result := func(code uint32) int {
			if code == 0 {
				return 0
			}
			return 19
		}
		wantCode(t, c.heuristics+", SPN", w.modify(admin, bob, ModReplace, Text("servicePrincipalName", "http/app.contoso.com")), result(c.spnCode), c.spnCode)
		wantCode(t, c.heuristics+", UPN", w.modify(admin, bob, ModReplace, Text("userPrincipalName", "alice@contoso.com")), result(c.upnCode), c.upnCode)
		w.must(w.modify(admin, bob, ModReplace, Attribute{Name: "servicePrincipalName"}))
		w.must(w.modify(admin, bob, ModReplace, Attribute{Name: "userPrincipalName"}))
	}
}
