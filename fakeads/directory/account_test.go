package directory

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

func TestAccountByName(t *testing.T) {
	w := newWorld(t, childDomain)
	w.user("alice", Text("userPrincipalName", "alice.a@contoso.com"))
	w.user("bob", Text("userPrincipalName", "host/service@contoso.com"))
	w.user("carol", Text("userPrincipalName", "carol@mail.example"))
	w.user("webapp01")
	w.computer("WebApp01", Text("userPrincipalName", "bob@contoso.com"))
	w.computer("Host02")
	for _, c := range []struct {
		kind NameKind
		name string
		want string
	}{
		{Principal, "ALICE", "alice"},
		{Principal, "alice.a", "alice"},
		{Principal, "bob", "bob"}, // sAMAccountName before userPrincipalName
		{Principal, "host/service", "bob"},
		{Principal, "host/other", ""},
		{Principal, "webapp01", "webapp01"}, // the user before the computer
		{Principal, "WEBAPP01$", "WebApp01$"},
		{Principal, "host02", "Host02$"},
		{Principal, "carol@mail.example", ""},
		{Principal, "Domain Admins", ""}, // no account
		{Principal, "", ""},
		{Principal, "nobody", ""},
		{Enterprise, "carol@mail.example", "carol"},
		{Enterprise, "alice@contoso.com", "alice"}, // by the suffix
		{Enterprise, "alice@CONTOSO", "alice"},
		{Enterprise, "host02@contoso.com", "Host02$"},
		{Enterprise, "bob@contoso.com", "WebApp01$"}, // userPrincipalName first
		{Enterprise, "alice@child.contoso.com", ""},
		{Enterprise, "alice", "alice"}, {Enterprise, "host02", "Host02$"}, {Enterprise, "nobody", ""},
	} {
		a, err := w.dc.AccountByName(c.kind, c.name)
		switch {
		case c.want == "" && !errors.Is(err, ErrNoAccount):
			t.Errorf("%d %q: got %v, %v, want %v", c.kind, c.name, a, err, ErrNoAccount)
		case c.want != "" && (err != nil || a.SAMAccountName != c.want):
			t.Errorf("%d %q: got %+v, %v, want %s", c.kind, c.name, a, err, c.want)
		}
	}
	if d := w.dc.DomainOfUPN("alice@child.contoso.com"); d != w.f.Domains()[1] {
		t.Errorf("domain of a name with another domain's suffix: got %v, want %v", d, w.f.Domains()[1])
	}
	if d := w.dc.DomainOfUPN("alice@contoso.com"); d != nil {
		t.Errorf("domain of a name of this domain: got %v, want none", d)
	}
}

func TestAccountByBindName(t *testing.T) {
	w := newWorld(t, childDomain)
	alice := w.user("alice", Text("userPrincipalName", "alice.a@contoso.com"))
	w.computer("Host02")
	child := w.f.Domains()[1].DCs()[0]
	w.must(child.Add(context.Background(), System(), "CN=dora,CN=Users,DC=child,DC=contoso,DC=com", userAttributes("dora")))
	for _, c := range []struct{ name, want string }{
		{"CN=alice,CN=Users,DC=contoso,DC=com", "alice"},
		{"cn=ALICE, cn=users,dc=contoso,dc=com", "alice"},
		{"alice@contoso.com", "alice"},
		{"alice.a@contoso.com", "alice"},
		{"alice@CONTOSO", "alice"},
		{`CONTOSO\alice`, "alice"},
		{`contoso.com\alice`, "alice"},
		{"contoso.com/Users/alice", "alice"},
		{"contoso.com/Users/nobody", ""},
		{alice.SID.String(), "alice"},
		{alice.GUID.String(), "alice"},
		{"{" + alice.GUID.String() + "}", "alice"},
		{`CONTOSO\Host02$`, "Host02$"},
		{`CONTOSO\Host02`, ""},
		{"Host02@contoso.com", ""},
		{"alice", ""},
		{"CN=Users,DC=contoso,DC=com", ""},
		{`OTHER\alice`, ""},
		{`CHILD\dora`, "dora"},
		{"dora@child.contoso.com", "dora"},
	} {
		a, err := w.dc.AccountByBindName(c.name)
		switch {
		case c.want == "" && !errors.Is(err, ErrNoAccount):
			t.Errorf("%q: got %v, %v, want %v", c.name, a, err, ErrNoAccount)
		case c.want != "" && (err != nil || a.SAMAccountName != c.want):
			t.Errorf("%q: got %+v, %v, want %s", c.name, a, err, c.want)
		}
	}
}

func TestRestrictions(t *testing.T) {
	w := newWorld(t)
	expires := start.Add(time.Hour)
	w.user("alice", Text("accountExpires", kdsText(expires)))
	w.must(w.modify(System(), "CN=alice,CN=Users,"+base, ModReplace, Text("accountExpires", kdsText(expires))))
	w.computer("Host01")
	const maxAge = 42 * 24 * time.Hour
	for _, c := range []struct {
		what    string
		at      time.Time
		expired bool
		old     bool
	}{
		{"before the account expires", expires.Add(-100 * time.Nanosecond), false, false},
		{"when it expires", expires, true, false},
		{"before the password expires", start.Add(maxAge - 100*time.Nanosecond), true, false},
		{"when the password expires", start.Add(maxAge), true, true},
	} {
		w.now = c.at
		a := w.account("alice")
		if a.Expired != c.expired || a.PasswordExpired != c.old {
			t.Errorf("%s: got expired %t, password expired %t, want %t, %t", c.what, a.Expired, a.PasswordExpired, c.expired, c.old)
		}
		if a := w.account("host01"); a.PasswordExpired || !a.PwdMustChange.IsZero() {
			t.Errorf("%s: got a computer's password expired %t at %v, want never", c.what, a.PasswordExpired, a.PwdMustChange)
		}
	}
	w.now = start
	expiry := func(name, want string) {
		t.Helper()
		if got := w.value(w.account(name).DN, "msDS-UserPasswordExpiryTimeComputed"); got != want {
			t.Errorf("password expiry of %s: got %s, want %s", name, got, want)
		}
	}
	expiry("alice", kdsText(start.Add(maxAge)))
	expiry("Host01$", "9223372036854775807")
	expiry("Administrator", "9223372036854775807")
	a := w.account("alice")
	if want := start.Add(24 * time.Hour); !a.PwdCanChange.Equal(want) {
		t.Errorf("password can change: got %v, want %v", a.PwdCanChange, want)
	}
	w.must(w.modify(System(), "CN=alice,CN=Users,"+base, ModReplace, Text("pwdLastSet", "0")))
	if a := w.account("alice"); !a.MustChangePassword || !a.PwdLastSet.IsZero() {
		t.Errorf("pwdLastSet 0: got must change %t, set %v, want true and never", a.MustChangePassword, a.PwdLastSet)
	}
	expiry("alice", "0")
	if got := w.value("CN=alice,CN=Users,"+base, "msDS-User-Account-Control-Computed"); got != "8388608" {
		t.Errorf("computed account control: got %s, want 8388608 (PASSWORD_EXPIRED)", got)
	}
	w.must(w.modify(System(), "CN=alice,CN=Users,"+base, ModReplace, Text("userAccountControl", "514")))
	if a := w.account("alice"); !a.Disabled {
		t.Error("userAccountControl 514: got an enabled account")
	}
}

func kdsText(t time.Time) string { return string(intValue(int64(kds.FromTime(t)))) }

func TestLockout(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	domain := func(a Attribute) { w.must(w.modify(System(), base, ModReplace, a)) }
	domain(Text("lockoutThreshold", "3"))
	domain(Text("lockoutDuration", "-18000000000")) // 30 minutes
	domain(Text("lockOutObservationWindow", "-18000000000"))
	w.rootKey(11 * time.Hour)
	w.user("alice")
	w.gmsa("WebApp01")
	fail := func(name string) *Account {
		t.Helper()
		if err := w.account(name).CheckPassword(ctx, "wrong"); !errors.Is(err, ErrWrongPassword) {
			t.Fatalf("%s: got %v, want %v", name, err, ErrWrongPassword)
		}
		return w.account(name)
	}
	fail("alice")
	if a := fail("alice"); a.Locked || a.BadPasswordCount != 2 {
		t.Errorf("two wrong passwords of three: got locked %t, count %d, want false, 2", a.Locked, a.BadPasswordCount)
	}
	if a := fail("alice"); !a.Locked || a.BadPasswordCount != 3 {
		t.Errorf("three: got locked %t, count %d, want true, 3", a.Locked, a.BadPasswordCount)
	}
	if got := w.value("CN=alice,CN=Users,"+base, "msDS-User-Account-Control-Computed"); got != "16" {
		t.Errorf("computed account control: got %s, want 16 (LOCKOUT)", got)
	}
	w.now = w.now.Add(30*time.Minute - 1)
	if !w.account("alice").Locked {
		t.Error("just before the end of the lockout: got free")
	}
	w.now = w.now.Add(1)
	if w.account("alice").Locked {
		t.Error("at the end of the lockout: got locked")
	}
	if a := fail("alice"); a.Locked || a.BadPasswordCount != 1 {
		t.Errorf("wrong after the observation window: got locked %t, count %d, want false, 1", a.Locked, a.BadPasswordCount)
	}
	if err := w.account("alice").CheckPassword(ctx, "Pass!word1"); err != nil {
		t.Errorf("right password: got %v", err)
	}
	if a := w.account("alice"); a.BadPasswordCount != 0 || a.LogonCount != 1 || !a.LastLogon.Equal(w.now) {
		t.Errorf("after it: got count %d, logons %d, last %v, want 0, 1, %v", a.BadPasswordCount, a.LogonCount, a.LastLogon, w.now)
	}
	for range 5 {
		fail("WebApp01$")
	}
	if a := w.account("WebApp01$"); a.Locked || a.BadPasswordCount != 5 {
		t.Errorf("gMSA after five wrong passwords: got locked %t, count %d, want false, 5", a.Locked, a.BadPasswordCount)
	}
	if got := w.value(gmsaDN("WebApp01"), "badPwdCount"); got != "5" {
		t.Errorf("badPwdCount: got %q, want 5", got)
	}
	for range 3 {
		fail("alice")
	}
	w.must(w.modify(w.as("Administrator"), "CN=alice,CN=Users,"+base, ModReplace, Text("lockoutTime", "0")))
	if a := w.account("alice"); a.Locked || a.BadPasswordCount != 0 {
		t.Errorf("unlocked by an administrator: got locked %t, count %d", a.Locked, a.BadPasswordCount)
	}
}

func TestCountersStayOnTheirDC(t *testing.T) {
	w := newWorld(t, twoDCs(0))
	w.user("alice")
	w.account("alice").LogonSucceeded(context.Background())
	a, err := w.f.DC("DC02").AccountByName(Principal, "alice")
	w.must(err)
	if a.LogonCount != 0 || !a.LastLogon.IsZero() {
		t.Errorf("the other domain controller: got %d logons, last %v, want none", a.LogonCount, a.LastLogon)
	}
	// Writes of the same store still arrive.
	w.must(w.modify(System(), "CN=alice,CN=Users,"+base, ModReplace, Text("displayName", "Alice")))
	if a, err = w.f.DC("DC02").AccountByName(Principal, "alice"); err != nil || a.DisplayName != "Alice" || a.LogonCount != 0 {
		t.Errorf("after a change: got %q, %d logons, %v, want Alice, 0", a.DisplayName, a.LogonCount, err)
	}
}

func TestUserAccountControl(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.user("bob")
	w.computer("Host01")
	admin := w.as("Administrator")
	dn := "CN=Host01,CN=Computers," + base
	for _, c := range []struct {
		value   string
		result  int
		code    uint32
		kept    string
		typ     string
		primary string
	}{
		{"4098", 0, 0, "4098", "805306369", "515"},
		{"4112", 0, 0, "4096", "805306369", "515"}, // LOCKOUT is not stored
		{"528384", 0, 0, "528384", "805306369", "515"},
		{"532480", 0, 0, "532480", "805306369", "516"},
		{"4096", 0, 0, "4096", "805306369", "515"},
		{"4608", 53, 0x57, "4096", "805306369", "515"}, // two account types
	} {
		wantCode(t, c.value, w.modify(admin, dn, ModReplace, Text("userAccountControl", c.value)), c.result, c.code)
		for name, want := range map[string]string{"userAccountControl": c.kept, "sAMAccountType": c.typ, "primaryGroupID": c.primary} {
			if got := w.value(dn, name); got != want {
				t.Errorf("%s: %s is %s, want %s", c.value, name, got, want)
			}
		}
	}
	w.must(w.modify(admin, dn, ModAdd, Text("description", "x")))
	user := "CN=new,CN=Users," + base
	attrs := []Attribute{Text("objectClass", "user"), Text("sAMAccountName", "new"), Text("userAccountControl", "512")}
	wantCode(t, "enabled without a password", w.dc.Add(context.Background(), admin, user, attrs), 53, 0x52D)
	wantCode(t, "without account control", w.dc.Add(context.Background(), admin, user, attrs[:2]), 0, 0)
	if got := w.value(user, "userAccountControl"); got != "546" {
		t.Errorf("default: got %s, want 546", got)
	}
	wantCode(t, "enabled without a password afterwards", w.modify(admin, user, ModReplace, Text("userAccountControl", "512")), 53, 0x52D)
	wantCode(t, "pwdLastSet 5", w.modify(admin, user, ModReplace, Text("pwdLastSet", "5")), 80, 0x57)
	wantCode(t, "pwdLastSet -1", w.modify(admin, user, ModReplace, Text("pwdLastSet", "-1")), 0, 0)
	if got, want := w.value(user, "pwdLastSet"), kdsText(start); got != want {
		t.Errorf("pwdLastSet after -1: got %s, want %s", got, want)
	}
	wantCode(t, "lockoutTime 5", w.modify(admin, user, ModReplace, Text("lockoutTime", "5")), 80, 0x57)
}

func TestSAMAccountName(t *testing.T) {
	w := newWorld(t)
	w.rootKey(11 * time.Hour)
	w.user("alice")
	w.computer("Host01")
	admin := w.as("Administrator")
	for _, c := range []struct {
		what   string
		attrs  []Attribute
		result int
		code   uint32
	}{
		{"taken, other case", userAttributes("ALICE"), 68, 0x524},
		{"20 characters", userAttributes("a2345678901234567890"), 0, 0},
		{"21 characters", userAttributes("a23456789012345678901"), 80, 0x523},
		{"a character that is not allowed", userAttributes("a/b"), 80, 0x523},
		{"only dots", userAttributes("..."), 80, 0x523},
		{"gMSA of 20", gmsaAttributes("a234567890123456789"), 0, 0},
		{"gMSA of 21", gmsaAttributes("a2345678901234567890"), 80, 0x523},
		{"gMSA without $", append([]Attribute{Text("sAMAccountName", "nodollar")}, without(gmsaAttributes("x"), "sAMAccountName")...), 80, 0x523},
		{"gMSA like a computer", gmsaAttributes("host01"), 68, 0x524},
	} {
		dn := "CN=new,CN=Managed Service Accounts," + base
		err := w.dc.Add(context.Background(), admin, dn, c.attrs)
		wantCode(t, c.what, err, c.result, c.code)
		if err == nil {
			w.must(w.dc.Delete(context.Background(), admin, dn, false))
		}
	}
	w.add("CN=noname,CN=Users,"+base, Text("objectClass", "group"))
	if got := w.value("CN=noname,CN=Users,"+base, "sAMAccountName"); len(got) != 20 || got[0] != '$' || got[7] != '-' {
		t.Errorf("generated name: got %q, want the form $KJK000-HDJFH7T35VQI", got)
	}
}

func without(attrs []Attribute, name string) []Attribute {
	var list []Attribute
	for _, a := range attrs {
		if a.Name != name {
			list = append(list, a)
		}
	}
	return list
}

func TestComputerRename(t *testing.T) {
	w := newWorld(t)
	w.computer("Host01", Text("servicePrincipalName", "HOST/Host01", "HOST/Host01.contoso.com", "http/other.contoso.com"))
	dn := "CN=Host01,CN=Computers," + base
	w.must(w.dc.Modify(context.Background(), w.as("Administrator"), dn, []Modification{
		{ModReplace, Text("sAMAccountName", "Host09$")}, {ModReplace, Text("dNSHostName", "Host09.contoso.com")}}, false))
	a := w.account("Host09$")
	want := []string{"HOST/Host09", "HOST/Host09.contoso.com", "http/other.contoso.com"}
	if len(a.SPNs) != 3 || a.SPNs[0] != want[0] || a.SPNs[1] != want[1] || a.SPNs[2] != want[2] {
		t.Errorf("service principal names: got %q, want %q", a.SPNs, want)
	}
	set, err := a.Keys(context.Background())
	if err != nil || set.Salt != "CONTOSO.COMhosthost01.contoso.com" {
		t.Errorf("salt after the rename: got %v, %v, want that of the password", set, err)
	}
}

func TestAccountBySIDAndDN(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice")
	if a, err := w.dc.AccountBySID(alice.SID); err != nil || a.GUID != alice.GUID {
		t.Errorf("by SID: got %+v, %v", a, err)
	}
	if a, err := w.dc.AccountByDN("cn=Alice,cn=users,dc=contoso,dc=com"); err != nil || a.GUID != alice.GUID {
		t.Errorf("by DN: got %+v, %v", a, err)
	}
	w.must(w.dc.Delete(context.Background(), System(), alice.DN, false))
	if _, err := w.dc.AccountBySID(alice.SID); !errors.Is(err, ErrNoAccount) {
		t.Errorf("deleted: got %v, want %v", err, ErrNoAccount)
	}
	if _, err := w.dc.AccountBySID(security.Everyone); !errors.Is(err, ErrNoAccount) {
		t.Errorf("Everyone: got %v, want %v", err, ErrNoAccount)
	}
}

// FuzzBindName looks up names that clients send before they have proved anything; whoever is found has that name.
func FuzzBindName(f *testing.F) {
	w := newWorld(f)
	w.user("alice", Text("userPrincipalName", "alice.a@contoso.com"))
	for _, name := range []string{"alice@contoso.com", `CONTOSO\alice`, "contoso.com/Users/alice"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, find := range []func() (*Account, error){
			func() (*Account, error) { return w.dc.AccountByBindName(name) },
			func() (*Account, error) { return w.dc.AccountByName(Principal, name) },
			func() (*Account, error) { return w.dc.AccountByName(Enterprise, name) },
			func() (*Account, error) { return w.dc.AccountBySPN(name) },
		} {
			if a, err := find(); (err == nil) == (a == nil) || err != nil && !errors.Is(err, ErrNoAccount) {
				t.Errorf("%q: got %v, %v", name, a, err)
			}
		}
	})
}

func TestDelegationIsForAdministrators(t *testing.T) {
	w := newWorld(t)
	w.user("alice")
	w.computer("Host01")
	dn := "CN=Host01,CN=Computers," + base
	// Full control of the object is not enough: delegation takes a privilege.
	v := w.dc.view()
	sd := *v.byName(dn).sd.get()
	acl := *sd.DACL
	acl.ACEs = append([]security.ACE{{Mask: security.FullControl, SID: w.account("alice").SID}}, acl.ACEs...)
	sd.DACL = &acl
	w.must(w.modify(System(), dn, ModReplace, Attribute{Name: "nTSecurityDescriptor", Values: [][]byte{sd.Marshal()}}))
	alice, admin := w.as("alice"), w.as("Administrator")
	for _, c := range []struct {
		attr   Attribute
		result int
	}{
		{Text("description", "x"), 0},
		{Text("userAccountControl", "4098"), 0},
		{Text("userAccountControl", "528384"), 50},
		{Text("userAccountControl", "16781312"), 50},
		{Text("msDS-AllowedToDelegateTo", "http/x"), 50},
	} {
		code := uint32(0)
		if c.result != 0 {
			code = 0x2098
		}
		what := c.attr.Name + " " + string(c.attr.Values[0])
		wantCode(t, what, w.modify(alice, dn, ModReplace, c.attr), c.result, code)
		wantCode(t, what+" by an administrator", w.modify(admin, dn, ModReplace, c.attr), 0, 0)
	}
	if got := w.account("Host01$").AllowedToDelegateTo; len(got) != 1 || got[0] != "http/x" {
		t.Errorf("delegation: got %q, want http/x", got)
	}
	// What is set already does not hinder other changes.
	wantCode(t, "disabling it with the bit kept", w.modify(alice, dn, ModReplace, Text("userAccountControl", "16781314")), 0, 0)
}
