package directory

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

func TestPasswordPolicy(t *testing.T) {
	p := &passwordPolicy{minLength: 7, complex: true}
	for _, c := range []struct {
		password, display string
		want              bool
	}{
		{"Abcde1!", "", true},
		{"Abcd1!", "", false}, // six characters
		{"abcdefg", "", false},
		{"abcdef1", "", false}, // two kinds
		{"Abcdef1", "", true},
		{"abcde1!", "", true},
		{"ABCDE1!", "", true},
		{"Alice12!", "", false}, // the account's name
		{"Xalice1!", "", false},
		{"Smith-12", "Bob Smith", false},
		{"Smi-1234", "Bob Smi", false},
		{"Sm-12345", "Bob Sm", true}, // parts of two characters do not count
		{"日本語日本語1!", "", true},
	} {
		if got := p.accepts(c.password, "alice", c.display); got != c.want {
			t.Errorf("%q for %q: got %t, want %t", c.password, c.display, got, c.want)
		}
	}
	if p = new(passwordPolicy); !p.accepts("", "alice", "") {
		t.Error("without a policy: got an empty password refused")
	}
}

func TestSalts(t *testing.T) {
	for _, c := range []struct {
		sam, upn string
		uac      uint32
		want     string
	}{
		{"WebApp01$", "other@contoso.com", uacWorkstationTrust, "CONTOSO.COMhostwebapp01.contoso.com"},
		{"DC01$", "", uacServerTrust, "CONTOSO.COMhostdc01.contoso.com"},
		{"Alice", "", uacNormalAccount, "CONTOSO.COMAlice"},
		{"Alice", "a.b@mail.example", uacNormalAccount, "CONTOSO.COMa.b"},
		{"svc", "http/web@contoso.com", uacNormalAccount, "CONTOSO.COMhttpweb"},
		{"CHILD$", "", uacInterdomainTrust, "CONTOSO.COMkrbtgtCHILD"},
	} {
		if got := saltOf("contoso.com", "CONTOSO.COM", c.sam, c.upn, c.uac); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.sam, c.upn, got, c.want)
		}
	}
}

func TestKeysOfPasswords(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a := w.user("alice")
	set, err := a.Keys(ctx)
	w.must(err)
	if set.Version != 1 || set.Salt != "CONTOSO.COMalice" || len(set.Keys) != 3 {
		t.Errorf("got version %d, salt %q, %d keys, want 1, CONTOSO.COMalice, 3", set.Version, set.Salt, len(set.Keys))
	}
	for i, etype := range []int32{krbcrypt.AES256SHA1, krbcrypt.AES128SHA1, krbcrypt.RC4HMAC} {
		want, err := krbcrypt.StringToKey(etype, "Pass!word1", "CONTOSO.COMalice")
		w.must(err)
		if k := set.Keys[i]; k.EType != etype || string(k.Value) != string(want.Value) {
			t.Errorf("key %d: got type %d, %x, want %d, %x", i, k.EType, k.Value, etype, want.Value)
		}
	}
	if again, _ := w.account("alice").Keys(ctx); again != set {
		t.Error("keys were derived twice")
	}
	w.must(w.dc.SetPassword(ctx, System(), a.SID, "Other!word2"))
	next, err := w.account("alice").Keys(ctx)
	w.must(err)
	if next.Version != 2 || string(next.Keys[2].Value) == string(set.Keys[2].Value) {
		t.Errorf("after a reset: got version %d, same key %t", next.Version, string(next.Keys[2].Value) == string(set.Keys[2].Value))
	}
	if w.account("alice").PreviousKeys(ctx) != nil {
		t.Error("previous keys of a user: got some, want none")
	}
	krbtgt := w.account("krbtgt")
	old, err := krbtgt.Keys(ctx)
	w.must(err)
	w.must(w.dc.SetPassword(ctx, System(), krbtgt.SID, "new secret"))
	krbtgt = w.account("krbtgt")
	if now, err := krbtgt.Keys(ctx); err != nil || now.Version != 2 {
		t.Errorf("krbtgt: got %v, %v, want version 2", now, err)
	}
	if got := krbtgt.PreviousKeys(ctx); got != old {
		t.Errorf("previous keys of krbtgt: got %v, want %v", got, old)
	}
	w.add("CN=empty,CN=Computers,"+base, Text("objectClass", "computer"), Text("sAMAccountName", "empty$"), Text("userAccountControl", "4096"))
	if _, err := w.account("empty$").Keys(ctx); !errors.Is(err, errNoPassword) {
		t.Errorf("computer without a password: got %v, want %v", err, errNoPassword)
	}
}

func TestTrustKeys(t *testing.T) {
	w := newWorld(t, childDomain, func(c *Config) {
		c.Domains = append(c.Domains, DomainConfig{DNSName: "fabrikam.com"}, DomainConfig{DNSName: "sales.child.contoso.com"})
	})
	d := w.f.Domains()
	same := func(i, j int, trusted bool) {
		t.Helper()
		a, kvno := d[i].DCs()[0].TrustKeys(d[j])
		b, _ := d[j].DCs()[0].TrustKeys(d[i])
		if (a != nil) != trusted || (b != nil) != trusted {
			t.Errorf("%s and %s: got %d and %d keys, want trust %t", d[i].DNSName, d[j].DNSName, len(a), len(b), trusted)
			return
		}
		if trusted && (len(a) != 3 || kvno != 1 || a[0].EType != krbcrypt.AES256SHA1 || string(a[0].Value) != string(b[0].Value)) {
			t.Errorf("%s and %s: got %d keys of version %d, the same: %t", d[i].DNSName, d[j].DNSName, len(a), kvno, string(a[0].Value) == string(b[0].Value))
		}
	}
	same(0, 1, true)
	same(0, 2, true) // the root of another tree
	same(1, 3, true)
	same(0, 3, false)
	same(1, 2, false)
	if keys, _ := w.dc.TrustKeys(d[0]); keys != nil {
		t.Errorf("with itself: got %d keys, want none", len(keys))
	}
	a, _ := w.dc.TrustKeys(d[1])
	b, _ := w.dc.TrustKeys(d[2])
	if string(a[0].Value) == string(b[0].Value) {
		t.Error("two trusts have the same key")
	}
}

func TestUnicodePwd(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.rootKey(11 * time.Hour)
	w.user("alice")
	w.user("bob")
	w.gmsa("WebApp01")
	admin := w.as("Administrator")
	plain := &Caller{Token: admin.Token, Account: admin.Account}
	dn := "CN=alice,CN=Users," + base
	pwd := func(p string) Attribute { return Attribute{Name: "unicodePwd", Values: [][]byte{EncodePassword(p)}} }
	change := func(c *Caller, was, next string) error {
		return w.dc.Modify(ctx, c, dn, []Modification{{ModDelete, pwd(was)}, {ModAdd, pwd(next)}}, false)
	}
	wantCode(t, "without encryption", w.modify(plain, dn, ModReplace, pwd("Pass!word2")), 53, 0x1F)
	wantCode(t, "reset by a user", w.modify(w.as("bob"), dn, ModReplace, pwd("Pass!word2")), 50, 0x2098)
	wantCode(t, "too simple", w.modify(admin, dn, ModReplace, pwd("abc")), 19, 0x52D)
	wantCode(t, "without quotation marks", w.modify(admin, dn, ModReplace, Attribute{Name: "unicodePwd", Values: [][]byte{krbcrypt.UTF16LE("Pass!word2")}}), 53, 0x1F)
	wantCode(t, "of a gMSA", w.modify(admin, gmsaDN("WebApp01"), ModReplace, pwd("Pass!word2")), 50, 0x2098)
	wantCode(t, "of a gMSA by the system", w.modify(System(), gmsaDN("WebApp01"), ModReplace, pwd("Pass!word2")), 53, 0x1F)
	wantCode(t, "reset", w.modify(admin, dn, ModReplace, pwd("Pass!word2")), 0, 0)
	if err := w.account("alice").CheckPassword(ctx, "Pass!word2"); err != nil {
		t.Errorf("after the reset: %v", err)
	}
	alice := w.as("alice")
	wantCode(t, "change before the minimum age", change(alice, "Pass!word2", "Pass!word3"), 19, 0x52D)
	w.now = w.now.Add(24*time.Hour - 100)
	wantCode(t, "just before", change(alice, "Pass!word2", "Pass!word3"), 19, 0x52D)
	w.now = w.now.Add(100)
	wantCode(t, "wrong old password", change(alice, "wrong", "Pass!word3"), 19, 0x56)
	wantCode(t, "the same again", change(alice, "Pass!word2", "Pass!word2"), 19, 0x52D)
	wantCode(t, "the one before", change(alice, "Pass!word2", "Pass!word1"), 19, 0x52D)
	wantCode(t, "change", change(alice, "Pass!word2", "Pass!word3"), 0, 0)
	if e, err := w.read(w.dc, System(), dn, "unicodePwd", "supplementalCredentials", "ntPwdHistory"); err != nil || len(e.Attributes) != 0 {
		t.Errorf("reading secrets: got %v, %v, want nothing", e, err)
	}
	wantCode(t, "set by kpasswd without the right", w.dc.SetPassword(ctx, w.as("bob"), w.account("alice").SID, "Pass!word4"), 50, 0x2098)
	wantCode(t, "set by kpasswd", w.dc.SetPassword(ctx, admin, w.account("alice").SID, "Pass!word4"), 0, 0)
	wantCode(t, "set by kpasswd, too simple", w.dc.SetPassword(ctx, admin, w.account("alice").SID, "abc"), 19, 0x52D)
	wantCode(t, "changed by kpasswd too early", w.dc.ChangePassword(ctx, w.account("alice").SID, "Pass!word5"), 19, 0x52D)
	w.now = w.now.Add(24 * time.Hour)
	wantCode(t, "changed by kpasswd", w.dc.ChangePassword(ctx, w.account("alice").SID, "Pass!word5"), 0, 0)
	wantCode(t, "changed for a gMSA", w.dc.ChangePassword(ctx, w.account("WebApp01$").SID, "Pass!word5"), 53, 0x1F)
	if a := w.account("alice"); !a.PwdLastSet.Equal(w.now) {
		t.Errorf("pwdLastSet: got %v, want %v", a.PwdLastSet, w.now)
	}
	err := w.dc.Modify(ctx, admin, dn, []Modification{{ModReplace, pwd("Pass!word6")}, {ModReplace, Text("pwdLastSet", "0")}}, false)
	wantCode(t, "reset with must change", err, 0, 0)
	if a := w.account("alice"); !a.MustChangePassword {
		t.Error("reset with must change: got none")
	}
	user := "CN=new,CN=Users," + base
	wantCode(t, "add without encryption", w.dc.Add(ctx, plain, user, userAttributes("new")), 53, 0x1F)
	wantCode(t, "add", w.dc.Add(ctx, admin, user, userAttributes("new")), 0, 0)
	if got, want := w.value(user, "pwdLastSet"), string(intValue(int64(kds.FromTime(w.now)))); got != want {
		t.Errorf("pwdLastSet of a new account: got %s, want %s", got, want)
	}
}

func TestPasswordHistory(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	alice := w.user("alice")
	w.must(w.modify(System(), base, ModReplace, Text("pwdHistoryLength", "3")))
	w.must(w.modify(System(), base, ModReplace, Text("minPwdAge", "0")))
	for _, c := range []struct {
		password string
		code     uint32
	}{
		{"Pass!word1", 0x52D}, // the present one
		{"Pass!word2", 0}, {"Pass!word1", 0x52D}, {"Pass!word3", 0}, {"Pass!word1", 0x52D}, {"Pass!word2", 0x52D},
		{"Pass!word4", 0}, {"Pass!word1", 0}, // the fourth last
		{"Pass!word3", 0x52D},
	} {
		result := 0
		if c.code != 0 {
			result = 19
		}
		wantCode(t, c.password, w.dc.ChangePassword(ctx, alice.SID, c.password), result, c.code)
	}
	// A stale copy of one of the last two passwords is not counted as an attack, an older one is.
	count := func(password string, want int) {
		t.Helper()
		if err := w.account("alice").CheckPassword(ctx, password); !errors.Is(err, ErrWrongPassword) {
			t.Errorf("%s: got %v, want %v", password, err, ErrWrongPassword)
		}
		if got := w.account("alice").BadPasswordCount; got != want {
			t.Errorf("%s: got %d wrong passwords, want %d", password, got, want)
		}
	}
	count("Pass!word4", 0)
	count("Pass!word3", 0)
	count("Pass!word2", 1)
}

func FuzzDecodePassword(f *testing.F) {
	f.Add(EncodePassword("Pass!word1"))
	f.Add([]byte(`"x"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		password, ok := decodePassword(b)
		if !ok {
			return
		}
		again, ok := decodePassword(EncodePassword(password))
		if !ok || again != password {
			t.Errorf("%x: got %q, %t after encoding %q", b, again, ok, password)
		}
	})
}
