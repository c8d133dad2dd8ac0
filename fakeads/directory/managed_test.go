package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// TestCreateManagedAccount adds gMSAs with several faults at once: the first in Active Directory's order is answered.
func TestCreateManagedAccount(t *testing.T) {
	w := newWorld(t)
	w.user("alice", Text("servicePrincipalName", "http/app.contoso.com"))
	w.computer("Host01")
	admin := w.as("Administrator")
	no := []string{"msDS-ManagedPasswordInterval"}
	spn := Text("servicePrincipalName", "http/app.contoso.com")
	long := "a2345678901234567890"
	add := func(c *Caller, dn, name string, drop []string, more ...Attribute) error {
		attrs := gmsaAttributes(name)
		for _, n := range drop {
			attrs = without(attrs, n)
		}
		return w.dc.Add(context.Background(), c, dn, append(attrs, more...))
	}
	wantCode(t, "no rights, name taken, SPN not unique, no key, no interval", add(w.as("alice"), gmsaDN("x"), "Host01", no, spn), 50, 0x2098)
	wantCode(t, "name taken, SPN not unique, no key, no interval", add(admin, gmsaDN("x"), "HOST01", no, spn), 68, 0x524)
	wantCode(t, "name too long, SPN not unique, no key, no interval", add(admin, gmsaDN("x"), long, no, spn), 80, 0x523)
	wantCode(t, "SPN not unique, no key, no interval", add(admin, gmsaDN("x"), "x", no, spn), 19, 0x21C7)
	err := add(admin, gmsaDN("x"), "x", no)
	wantCode(t, "no key, no interval", err, 53, 0x8009000D)
	if !strings.HasPrefix(err.Error(), "8009000D: SvcErr: ") {
		t.Errorf("text: got %q, want 8009000D first", err)
	}
	w.rootKey(11 * time.Hour)
	err = add(admin, gmsaDN("x"), "x", no)
	if e, ok := errors.AsType[*Error](err); !ok || e.Result != 65 {
		t.Errorf("no interval: got %v, want objectClassViolation", err)
	}
	wantCode(t, "interval 0", add(admin, gmsaDN("x"), "x", no, Text("msDS-ManagedPasswordInterval", "0")), 53, 0x80070057)
	wantCode(t, "everything right", add(admin, gmsaDN("x"), "x", nil), 0, 0)
	wantCode(t, "DN exists", add(admin, gmsaDN("x"), "y", nil), 68, 0x2071)
	wantCode(t, "no readers' descriptor", add(admin, gmsaDN("y"), "y", nil, Attribute{Name: "msDS-GroupMSAMembership", Values: [][]byte{{1, 2, 3}}}), 21, 0x57)
}

// TestManagedDefaults holds a new account against the values that the cmdlet leaves in real directories.
func TestManagedDefaults(t *testing.T) {
	w := newWorld(t)
	key := w.rootKey(11 * time.Hour)
	w.must(w.dc.Add(context.Background(), w.as("Administrator"), gmsaDN("WebApp01"), []Attribute{
		Text("objectClass", "msDS-GroupManagedServiceAccount"), Text("sAMAccountName", "WebApp01$"), Text("msDS-ManagedPasswordInterval", "30"),
		{Name: "msDS-ManagedPasswordId", Values: [][]byte{{1, 2, 3}}}, {Name: "unicodePwd", Values: [][]byte{EncodePassword("Own!Password1")}}}))
	for name, want := range map[string]string{
		"userAccountControl": "4096", "sAMAccountType": "805306369", "primaryGroupID": "515", "msDS-ManagedPasswordInterval": "30",
		"pwdLastSet": kdsText(start), "accountExpires": "9223372036854775807", "codePage": "0", "countryCode": "0", "badPwdCount": "0", "logonCount": "0",
		"localPolicyFlags": "0", "isCriticalSystemObject": "FALSE", "msDS-KeyVersionNumber": "1", "msDS-ManagedPasswordPreviousId": "", "msDS-GroupMSAMembership": "",
		"servicePrincipalName": "", "msDS-SupportedEncryptionTypes": "",
	} {
		if got := w.value(gmsaDN("WebApp01"), name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	id, err := kds.ParseManagedPasswordID([]byte(w.value(gmsaDN("WebApp01"), "msDS-ManagedPasswordId")))
	w.must(err)
	if id.Interval != kds.IntervalAt(start) || id.RootKeyID != key || id.Domain != "contoso.com" || id.Forest != "contoso.com" || id.Flags != 2 {
		t.Errorf("id: got %+v, want interval %v, root key %v, contoso.com twice, flags 2", id, kds.IntervalAt(start), key)
	}
	if err := w.account("WebApp01$").CheckPassword(context.Background(), "Own!Password1"); !errors.Is(err, ErrWrongPassword) {
		t.Errorf("password of the client: got %v, want %v", err, ErrWrongPassword)
	}
	wantCode(t, "interval later", w.modify(w.as("Administrator"), gmsaDN("WebApp01"), ModReplace, Text("msDS-ManagedPasswordInterval", "10")), 19, 0x20B1)
}

// TestKeyAvailability adds the root keys of the known answers and creates accounts at the moment each becomes usable, and one
// tick before.
func TestKeyAvailability(t *testing.T) {
	var v struct {
		Cases []struct {
			Case     string
			Created  time.Time
			UseStart time.Time `json:"use_start"`
			Interval time.Time `json:"usable_interval_rule"`
			Strict   time.Time `json:"usable_strict10h_rule"`
			Samba    time.Time `json:"usable_strict10h5m_rule"`
		}
	}
	readVectors(t, "kds_availability", &v)
	for _, c := range v.Cases {
		for policy, usable := range map[kds.Policy]time.Time{kds.Strict10h: c.Strict, kds.IntervalRule: c.Interval, kds.Samba10h5m: c.Samba} {
			w := newWorld(t, func(cfg *Config) { cfg.RootKeyPolicy = policy })
			w.now = c.Created
			_, err := w.dc.AddRootKey(context.Background(), System(), c.UseStart)
			w.must(err)
			what := fmt.Sprintf("%s, %v", c.Case, policy)
			if usable.After(c.Created) {
				w.now = usable.Add(-100 * time.Nanosecond)
				wantCode(t, what+", a tick before", w.dc.Add(context.Background(), System(), gmsaDN("a"), gmsaAttributes("a")), 53, 0x8009000D)
			}
			w.now = usable
			wantCode(t, what, w.dc.Add(context.Background(), System(), gmsaDN("b"), gmsaAttributes("b")), 0, 0)
		}
	}
}

func TestReadManagedPassword(t *testing.T) {
	w := newWorld(t)
	w.rootKey(11 * time.Hour)
	host := w.computer("Host01")
	other := w.computer("Host02")
	w.user("alice")
	g := w.group("WebApp01Hosts", secLocal, host)
	dn := gmsaDN("WebApp01")
	w.gmsa("WebApp01", readers(g.sid))
	w.gmsa("Nobody", Attribute{Name: "msDS-GroupMSAMembership", Values: [][]byte{(&security.Descriptor{
		Control: security.SelfRelative | security.DACLPresent, Owner: security.BuiltinAdministrators, DACL: &security.ACL{Revision: 4}}).Marshal()}})
	w.gmsa("NoList")
	w.gmsa("Everyone", Attribute{Name: "msDS-GroupMSAMembership", Values: [][]byte{(&security.Descriptor{
		Control: security.SelfRelative | security.DACLPresent, Owner: security.BuiltinAdministrators}).Marshal()}})
	deny := &security.ACL{Revision: 4, ACEs: []security.ACE{
		{Type: security.AccessDenied, Mask: security.FullControl, SID: host.SID}, {Mask: security.FullControl, SID: security.AuthenticatedUsers}}}
	w.gmsa("Denied", Attribute{Name: "msDS-GroupMSAMembership", Values: [][]byte{(&security.Descriptor{
		Control: security.SelfRelative | security.DACLPresent, Owner: security.BuiltinAdministrators, DACL: deny}).Marshal()}})
	plain := func(c *Caller) *Caller { return &Caller{Token: c.Token, Account: c.Account} }
	for _, c := range []struct {
		what  string
		as    *Caller
		dn    string
		attrs []string
		value bool
		fails bool
		event int
	}{
		{"member", w.as("Host01$"), dn, []string{"msDS-ManagedPassword"}, true, false, 2946},
		{"member, not encrypted", plain(w.as("Host01$")), dn, []string{"msDS-ManagedPassword"}, false, true, 0},
		{"no member", w.as("Host02$"), dn, []string{"msDS-ManagedPassword"}, false, false, 2947},
		{"no member, not encrypted", plain(w.as("Host02$")), dn, []string{"cn", "msDS-ManagedPassword"}, false, true, 0},
		{"administrator", w.as("Administrator"), dn, []string{"msDS-ManagedPassword"}, false, false, 2947},
		{"user", w.as("alice"), dn, []string{"msDS-ManagedPassword"}, false, false, 2947},
		{"the system", System(), dn, []string{"msDS-ManagedPassword"}, true, false, 2946},
		{"all attributes", w.as("Host01$"), dn, []string{"*"}, false, false, 0},
		{"all attributes, not encrypted", plain(w.as("Host01$")), dn, nil, false, false, 0},
		{"all and by name", w.as("Host01$"), dn, []string{"*", "msds-managedpassword"}, true, false, 2946},
		{"of a computer", w.as("Host01$"), host.DN, []string{"msDS-ManagedPassword"}, false, false, 0},
		{"nobody listed", w.as("Host01$"), gmsaDN("Nobody"), []string{"msDS-ManagedPassword"}, false, false, 2947},
		{"no list", w.as("Host01$"), gmsaDN("NoList"), []string{"msDS-ManagedPassword"}, false, false, 2947},
		{"null DACL", w.as("alice"), gmsaDN("Everyone"), []string{"msDS-ManagedPassword"}, true, false, 2946},
		{"denied before allowed", w.as("Host01$"), gmsaDN("Denied"), []string{"msDS-ManagedPassword"}, false, false, 2947},
		{"allowed after another was denied", w.as("Host02$"), gmsaDN("Denied"), []string{"msDS-ManagedPassword"}, true, false, 2946},
		{"SIDs of a ticket that is older than the group", &Caller{Token: w.dc.Token(host.SID, nil), Encrypted: true}, dn, []string{"msDS-ManagedPassword"}, false, false, 2947},
		{"SIDs of a ticket that has the group still", &Caller{Token: w.dc.Token(other.SID, []security.SID{g.sid}), Encrypted: true}, dn, []string{"msDS-ManagedPassword"}, true, false, 2946},
	} {
		w.events = nil
		e, err := w.read(w.dc, c.as, c.dn, c.attrs...)
		if c.fails {
			wantCode(t, c.what, err, 1, 0x202D)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := e.Value("msDS-ManagedPassword") != ""; got != c.value {
			t.Errorf("%s: got a value %t, want %t", c.what, got, c.value)
		}
		for _, ev := range w.events {
			if ev.ID != c.event || ev.Object != c.dn && !strings.EqualFold(ev.Object, c.dn) {
				t.Errorf("%s: got event %d about %s, want %d", c.what, ev.ID, ev.Object, c.event)
			}
		}
		if len(w.events) == 0 != (c.event == 0) {
			t.Errorf("%s: got %d events, want event %d", c.what, len(w.events), c.event)
		}
	}
	if list, err := w.search(w.as("Host01$"), "(msDS-ManagedPassword=*)", "cn"); err != nil || len(list) != 0 {
		t.Errorf("in a filter: got %d entries, %v, want none", len(list), err)
	}
	list, err := w.search(w.as("Host01$"), "(objectClass=msDS-GroupManagedServiceAccount)", "msDS-ManagedPassword")
	if err != nil || len(list) != 5 {
		t.Fatalf("several accounts: got %d entries, %v, want 5", len(list), err)
	}
}

// blob reads the managed password as the system.
func (w *world) blob(r *Replica, name string) *kds.Blob {
	w.Helper()
	e, err := w.read(r, System(), gmsaDN(name), "msDS-ManagedPassword")
	w.must(err)
	b, err := kds.ParseBlob([]byte(e.Value("msDS-ManagedPassword")))
	w.must(err)
	return b
}

func (w *world) keys(r *Replica, name string) *KeySet {
	w.Helper()
	a, err := r.AccountByName(Principal, name)
	w.must(err)
	set, err := a.Keys(context.Background())
	w.must(err)
	return set
}

// keysOf derives the keys of a password as a host does.
func keysOf(t testing.TB, pw []byte, salt string) []string {
	t.Helper()
	var list []string
	for _, etype := range []int32{krbcrypt.AES256SHA1, krbcrypt.AES128SHA1} {
		k, err := sharedKeys.StringToKey(etype, kds.PasswordUTF8(pw), salt)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(k.Value))
	}
	return append(list, string(krbcrypt.NTKey(pw).Value))
}

func wantKeys(t testing.TB, what string, set *KeySet, pw []byte) {
	t.Helper()
	if set == nil {
		t.Errorf("%s: got no keys", what)
		return
	}
	for i, want := range keysOf(t, pw, set.Salt) {
		if string(set.Keys[i].Value) != want {
			t.Errorf("%s: key %d is not that of the blob's password", what, i)
		}
	}
}

// TestTimeline is the worked timeline of the reference, on the wire values.
func TestTimeline(t *testing.T) {
	w := newWorld(t)
	w.rootKey(11 * time.Hour)
	a := w.gmsa("WebApp01")
	ctx := context.Background()
	day0 := kds.Interval{L0: 363, L1: 30, L2: 20}
	if got := kds.IntervalAt(start); got != day0 {
		t.Fatalf("interval of the creation: got %v, want %v", got, day0)
	}
	day30 := day0.Start().Add(720 * time.Hour)
	b := w.blob(w.dc, "WebApp01")
	if b.Previous != nil || b.Query != 716*time.Hour || b.Unchanged != 716*time.Hour-5*time.Minute {
		t.Errorf("day 0: got previous %t, query %v, unchanged %v, want false, 716h, 715h55m", b.Previous != nil, b.Query, b.Unchanged)
	}
	first := w.keys(w.dc, "WebApp01$")
	wantKeys(t, "day 0", first, b.Current)
	if first.Version != 1 || first.Salt != "CONTOSO.COMhostwebapp01.contoso.com" || a.PreviousKeys(ctx) != nil {
		t.Errorf("day 0: got version %d, salt %q, previous keys %t", first.Version, first.Salt, a.PreviousKeys(ctx) != nil)
	}

	w.now = day30.Add(-5 * time.Minute)
	next := w.blob(w.dc, "WebApp01")
	if !bytes.Equal(next.Previous, b.Current) || bytes.Equal(next.Current, b.Current) || next.Query != 5*time.Minute || next.Unchanged != 720*time.Hour {
		t.Errorf("five minutes before: got previous right %t, query %v, unchanged %v", bytes.Equal(next.Previous, b.Current), next.Query, next.Unchanged)
	}
	if got := w.keys(w.dc, "WebApp01$"); got != first {
		t.Error("five minutes before: the keys have changed")
	}

	w.now = day30
	second := w.keys(w.dc, "WebApp01$")
	wantKeys(t, "day 30", second, next.Current)
	if second.Version != 2 || w.value(gmsaDN("WebApp01"), "msDS-KeyVersionNumber") != "2" {
		t.Errorf("day 30: got version %d, want 2", second.Version)
	}
	id, err := kds.ParseManagedPasswordID([]byte(w.value(gmsaDN("WebApp01"), "msDS-ManagedPasswordId")))
	w.must(err)
	previous, err := kds.ParseManagedPasswordID([]byte(w.value(gmsaDN("WebApp01"), "msDS-ManagedPasswordPreviousId")))
	w.must(err)
	if want := (kds.Interval{L0: 364, L1: 0, L2: 28}); id.Interval != want || previous.Interval != day0 {
		t.Errorf("day 30: got ids %v and %v, want %v and %v", id.Interval, previous.Interval, want, day0)
	}
	wantKeys(t, "previous keys", w.account("WebApp01$").PreviousKeys(ctx), b.Current)
	if a := w.account("WebApp01$"); !a.PwdLastSet.Equal(day30) {
		t.Errorf("pwdLastSet: got %v, want %v", a.PwdLastSet, day30)
	}
	if err := w.account("WebApp01$").CheckPassword(ctx, kds.PasswordUTF8(b.Current)); err != nil {
		t.Errorf("previous password at the roll: got %v", err)
	}

	w.now = day30.Add(5*time.Minute - 1)
	if w.account("WebApp01$").PreviousKeys(ctx) == nil {
		t.Error("just before five minutes: previous keys are gone")
	}
	w.now = day30.Add(5 * time.Minute)
	if w.account("WebApp01$").PreviousKeys(ctx) != nil {
		t.Error("at five minutes: previous keys are accepted")
	}
	if err := w.account("WebApp01$").CheckPassword(ctx, kds.PasswordUTF8(b.Current)); !errors.Is(err, ErrWrongPassword) {
		t.Errorf("previous password at five minutes: got %v, want %v", err, ErrWrongPassword)
	}
	if err := w.account("WebApp01$").CheckPassword(ctx, kds.PasswordUTF8(next.Current)); err != nil {
		t.Errorf("present password: got %v", err)
	}

	// Nobody asked until day 95.
	w.now = day0.Start().Add(95 * 24 * time.Hour)
	late := w.blob(w.dc, "WebApp01")
	id, err = kds.ParseManagedPasswordID([]byte(w.value(gmsaDN("WebApp01"), "msDS-ManagedPasswordId")))
	w.must(err)
	if want := day0.Start().Add(90 * 24 * time.Hour); !id.Interval.Start().Equal(want) || late.Query != 25*24*time.Hour {
		t.Errorf("day 95: got the password of %v for another %v, want of %v for 600h", id.Interval.Start(), late.Query, want)
	}
	if got := w.keys(w.dc, "WebApp01$").Version; got != 4 {
		t.Errorf("day 95: got version %d, want 4: the missed password was set too", got)
	}
	wantKeys(t, "previous keys of a missed interval", w.account("WebApp01$").PreviousKeys(ctx), late.Previous)
}

// TestRotation asks at random times: readers of any moment have a password that the KDC takes, and each password is the one that
// the reader before was promised.
func TestRotation(t *testing.T) {
	keys := krbcrypt.NewCache(0)
	rapid.Check(t, func(rt *rapid.T) {
		days := rapid.IntRange(1, 30).Draw(rt, "days")
		w := newWorld(t, twoDCs(0), func(c *Config) { c.Keys = keys })
		w.rootKey(11 * time.Hour)
		w.gmsa("a", Text("displayName", "x"))
		w.must(w.dc.Delete(context.Background(), System(), gmsaDN("a"), false))
		w.add(gmsaDN("b"), append(without(gmsaAttributes("b"), "msDS-ManagedPasswordInterval"), Text("msDS-ManagedPasswordInterval", fmt.Sprint(days)))...)
		cycles, err := kds.Rollover(days)
		w.must(err)
		life := time.Duration(cycles) * kds.KeyCycle
		seen := map[int64]*kds.Blob{}
		begin := kds.IntervalAt(start).Start()
		for range 4 {
			w.now = w.now.Add(time.Duration(rapid.Int64Range(0, int64(2*life)).Draw(rt, "wait")))
			dc := w.f.DCs()[rapid.IntRange(0, 1).Draw(rt, "dc")]
			b := w.blob(dc, "b")
			n := int64(w.now.Sub(begin) / life)
			end := begin.Add(time.Duration(n+1) * life)
			if b.Query != end.Sub(w.now)/100*100 {
				rt.Fatalf("%v: got query %v, want %v", w.now, b.Query, end.Sub(w.now))
			}
			inWindow := end.Sub(w.now) <= kds.MaxClockSkew
			current, previous := b.Current, b.Previous
			if inWindow {
				current, previous = b.Previous, nil
			}
			if o := seen[n]; o != nil && !bytes.Equal(o.Current, current) {
				rt.Fatalf("%v: another password in the same interval", w.now)
			}
			if o := seen[n-1]; o != nil && previous != nil && !bytes.Equal(o.Current, previous) {
				rt.Fatalf("%v: the previous password is not that of the interval before", w.now)
			}
			seen[n] = &kds.Blob{Current: current}
			if inWindow {
				seen[n+1] = &kds.Blob{Current: b.Current}
			}
			nt := krbcrypt.NTKey(current)
			if set := w.keys(w.f.DCs()[1], "b$"); string(set.Keys[2].Value) != string(nt.Value) {
				rt.Fatalf("%v: the KDC has another key", w.now)
			}
			id, err := kds.ParseManagedPasswordID([]byte(w.value(gmsaDN("b"), "msDS-ManagedPasswordId")))
			w.must(err)
			if want := begin.Add(time.Duration(n) * life); !id.Interval.Start().Equal(want) {
				rt.Fatalf("%v: interval begins %v, want %v", w.now, id.Interval.Start(), want)
			}
		}
	})
}

// TestRollsAgree lets both domain controllers roll on their own: they arrive at the same password before either hears of the other.
func TestRollsAgree(t *testing.T) {
	w := newWorld(t, twoDCs(time.Hour))
	w.must(w.f.Populate("contoso.com", nil))
	w.rootKey(11 * time.Hour)
	w.gmsa("WebApp01")
	w.f.DC("DC02").Sync()
	w.now = start.Add(31 * 24 * time.Hour)
	one := w.blob(w.dc, "WebApp01")
	w.now = w.now.Add(time.Minute)
	two := w.blob(w.f.DC("DC02"), "WebApp01")
	if !bytes.Equal(one.Current, two.Current) || !bytes.Equal(one.Previous, two.Previous) {
		t.Error("the domain controllers have different passwords")
	}
	w.now = w.now.Add(2 * time.Hour)
	if a, b := w.keys(w.dc, "WebApp01$"), w.keys(w.f.DC("DC02"), "WebApp01$"); a.Version != 2 || b.Version != 2 || string(a.Keys[0].Value) != string(b.Keys[0].Value) {
		t.Errorf("after replication: got versions %d and %d, want 2 and the same keys", a.Version, b.Version)
	}
}

func TestNotReplicatedYet(t *testing.T) {
	w := newWorld(t, twoDCs(time.Hour))
	dc2 := w.f.DC("DC02")
	w.rootKey(11 * time.Hour)
	w.gmsa("WebApp01")
	if _, err := dc2.AccountByName(Principal, "WebApp01$"); !errors.Is(err, ErrNoAccount) {
		t.Errorf("account on the other domain controller: got %v, want %v", err, ErrNoAccount)
	}
	wantCode(t, "creation without the key", dc2.Add(context.Background(), System(), gmsaDN("Other"), gmsaAttributes("Other")), 53, 0x8009000D)
	w.now = w.now.Add(time.Hour)
	if got := w.blob(dc2, "WebApp01"); !bytes.Equal(got.Current, w.blob(w.dc, "WebApp01").Current) {
		t.Error("after replication the domain controllers have different passwords")
	}
	// A newer key that has not arrived: the domain controller without it rolls with the old one, and they disagree.
	w.now = start.Add(29 * 24 * time.Hour)
	old := w.blob(w.dc, "WebApp01")
	w.now = kds.IntervalAt(start).Start().Add(30 * 24 * time.Hour)
	_, err := w.dc.AddRootKey(context.Background(), System(), w.now.Add(-11*time.Hour))
	w.must(err)
	one, two := w.blob(w.dc, "WebApp01"), w.blob(dc2, "WebApp01")
	if bytes.Equal(one.Current, two.Current) || !bytes.Equal(one.Previous, old.Current) || !bytes.Equal(two.Previous, old.Current) {
		t.Error("with different keys: got the same password, or not the old one as the previous")
	}
}

func TestRootKeyCache(t *testing.T) {
	w := newWorld(t)
	key := w.rootKey(11 * time.Hour)
	w.gmsa("WebApp01")
	dn := rootKeyName(w.dc, key).String()
	before := w.blob(w.dc, "WebApp01")
	w.must(w.dc.Delete(context.Background(), System(), dn, false))
	if got := w.blob(w.dc, "WebApp01"); !bytes.Equal(got.Current, before.Current) {
		t.Error("deleted key in the cache: got another password")
	}
	w.events = nil
	w.dc.RestartKDS()
	if w.logged(4002) != 1 {
		t.Error("restart: event 4002 is missing")
	}
	_, err := w.read(w.dc, System(), gmsaDN("WebApp01"), "msDS-ManagedPassword")
	wantCode(t, "deleted key after a restart", err, 1, 0x8009000D)
	wantCode(t, "creation after it", w.dc.Add(context.Background(), System(), gmsaDN("x"), gmsaAttributes("x")), 53, 0x8009000D)
	// The domain controller holds the keys of the account still.
	wantKeys(t, "keys", w.keys(w.dc, "WebApp01$"), before.Current)
	w.rootKey(11 * time.Hour)
	_, err = w.read(w.dc, System(), gmsaDN("WebApp01"), "msDS-ManagedPassword")
	wantCode(t, "a new key does not help: the id names the old one", err, 1, 0x8009000D)
	w.now = w.now.Add(31 * 24 * time.Hour)
	if b := w.blobOrNone("WebApp01"); b != nil {
		t.Error("after the roll: got a blob although the previous password's key is gone")
	}
	w.now = w.now.Add(60 * 24 * time.Hour)
	if b := w.blobOrNone("WebApp01"); b == nil {
		t.Error("when both passwords are the new key's: got none")
	}
}

func (w *world) blobOrNone(name string) *kds.Blob {
	e, err := w.read(w.dc, System(), gmsaDN(name), "msDS-ManagedPassword")
	if err != nil {
		return nil
	}
	b, err := kds.ParseBlob([]byte(e.Value("msDS-ManagedPassword")))
	w.must(err)
	return b
}

func TestAddRootKey(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.user("alice")
	w.events = nil
	_, err := w.dc.AddRootKey(ctx, w.as("alice"), start)
	wantCode(t, "a user", err, 50, 0x2098)
	if w.logged(4005) != 1 {
		t.Error("refused: event 4005 is missing")
	}
	id, err := w.dc.AddRootKey(ctx, w.as("Administrator"), time.Time{})
	wantCode(t, "an administrator", err, 0, 0)
	if w.logged(4004) != 1 {
		t.Error("made: event 4004 is missing")
	}
	dn := rootKeyName(w.dc, id).String()
	for name, want := range map[string]string{
		"cn": id.String(), "msKds-Version": "1", "msKds-CreateTime": kdsText(start), "msKds-UseStartTime": kdsText(start.Add(240 * time.Hour)),
		"msKds-DomainID": "CN=DC01,OU=Domain Controllers,DC=contoso,DC=com", "msKds-KDFAlgorithmID": "SP800_108_CTR_HMAC", "msKds-PublicKeyLength": "2048",
		"msKds-PrivateKeyLength": "512", "msKds-SecretAgreementAlgorithmID": "DH",
	} {
		if got := w.value(dn, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := len(w.value(dn, "msKds-RootKeyData")); got != 64 {
		t.Errorf("key data: got %d bytes, want 64", got)
	}
	if e, err := w.read(w.dc, w.as("alice"), dn, "msKds-RootKeyData"); err == nil {
		t.Errorf("a user reads the key: got %+v, want no object", e)
	}
}

// TestInvalidRootKeys adds keys with one fault each beside a good one, which is used then.
func TestInvalidRootKeys(t *testing.T) {
	good := []Attribute{Text("objectClass", "msKds-ProvRootKey"), Text("msKds-Version", "1"), Text("msKds-RootKeyData", strings.Repeat("k", 64)),
		Text("msKds-CreateTime", kdsText(start)), Text("msKds-UseStartTime", kdsText(start.Add(-11*time.Hour))), Text("msKds-DomainID", "CN=DC01,OU=Domain Controllers,"+base),
		Text("msKds-KDFAlgorithmID", "SP800_108_CTR_HMAC"), Text("msKds-SecretAgreementAlgorithmID", "DH"), Text("msKds-PublicKeyLength", "2048"), Text("msKds-PrivateKeyLength", "512")}
	keys := ",CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,CN=Configuration," + base
	for _, c := range []struct {
		what   string
		change Attribute
		name   string
		event  string
		usable bool
	}{
		{"without a hash: SHA256", Text("msKds-Version", "1"), "11111111-1111-4111-8111-111111111111", "", true},
		{"hash SHA1", Attribute{Name: "msKds-KDFParam", Values: [][]byte{kds.KDFParameters{Hash: "SHA1"}.Marshal()}}, "11111111-1111-4111-8111-111111111111", "", true},
		{"hash MD5", Attribute{Name: "msKds-KDFParam", Values: [][]byte{kds.KDFParameters{Hash: "MD5"}.Marshal()}}, "11111111-1111-4111-8111-111111111111", "msKds-KDFParam", false},
		{"hash parameters damaged", Text("msKds-KDFParam", "x"), "11111111-1111-4111-8111-111111111111", "msKds-KDFParam", false},
		{"version 2", Text("msKds-Version", "2"), "11111111-1111-4111-8111-111111111111", "msKds-Version", false},
		{"short data", Text("msKds-RootKeyData", "short"), "11111111-1111-4111-8111-111111111111", "msKds-RootKeyData", false},
		{"no start", Text("msKds-UseStartTime", "0"), "11111111-1111-4111-8111-111111111111", "msKds-UseStartTime", false},
		{"another algorithm", Text("msKds-KDFAlgorithmID", "sp800_108_ctr_hmac"), "11111111-1111-4111-8111-111111111111", "msKds-KDFAlgorithmID", false},
		{"a name that is no GUID", Text("msKds-Version", "1"), "key", "", false},
		{"a name in braces", Text("msKds-Version", "1"), "{11111111-1111-4111-8111-111111111111}", "", false},
	} {
		w := newWorld(t)
		w.add("CN="+c.name+keys, append(without(good, c.change.Name), c.change)...)
		w.events = nil
		err := w.dc.Add(context.Background(), System(), gmsaDN("x"), gmsaAttributes("x"))
		if c.usable {
			wantCode(t, c.what, err, 0, 0)
		} else {
			wantCode(t, c.what, err, 53, 0x8009000D)
		}
		var got string
		for _, e := range w.events {
			if e.ID == 4006 {
				got += e.Text
			}
		}
		if c.event == "" && got != "" || !strings.Contains(got, c.event) {
			t.Errorf("%s: got event %q, want one about %q", c.what, got, c.event)
		}
		w.now = w.now.Add(time.Minute)
		w.rootKey(11 * time.Hour)
		wantCode(t, c.what+", beside a good one", w.dc.Add(context.Background(), System(), gmsaDN("y"), gmsaAttributes("y")), 0, 0)
	}
}

// TestRealMembershipDescriptors holds the access check against descriptors that the cmdlets left in real directories.
func TestRealMembershipDescriptors(t *testing.T) {
	var v struct {
		Descriptors map[string]struct {
			ACEs []struct{ SID string }
			Hex  hexBytes
		} `json:"group_msa_membership"`
	}
	readVectors(t, "directory_values", &v)
	if len(v.Descriptors) != 3 {
		t.Fatalf("got %d descriptors, want 3", len(v.Descriptors))
	}
	w := newWorld(t)
	w.rootKey(11 * time.Hour)
	w.gmsa("WebApp01")
	for name, d := range v.Descriptors {
		w.must(w.modify(System(), gmsaDN("WebApp01"), ModReplace, Attribute{Name: "msDS-GroupMSAMembership", Values: [][]byte{d.Hex}}))
		if got := w.value(gmsaDN("WebApp01"), "msDS-GroupMSAMembership"); got != string(d.Hex) {
			t.Errorf("%s: got %x, want the bytes as they were written", name, got)
		}
		allowed := func(sid security.SID) bool {
			e, err := w.read(w.dc, &Caller{Token: w.dc.Token(sid, nil), Encrypted: true}, gmsaDN("WebApp01"), "msDS-ManagedPassword")
			w.must(err)
			return e.Value("msDS-ManagedPassword") != ""
		}
		for _, a := range d.ACEs {
			sid := security.MustSID(a.SID)
			if !allowed(sid) {
				t.Errorf("%s: %s is listed and gets nothing", name, a.SID)
			}
			if neighbour := sid.Domain().Append(sid.RID() + 1); allowed(neighbour) {
				t.Errorf("%s: %v is not listed and gets the password", name, neighbour)
			}
		}
	}
}

// TestClockInTheFuture stores the id of a domain controller whose clock ran ahead: nobody derives a key of the future, and the account has no password
// until time catches up.
func TestClockInTheFuture(t *testing.T) {
	w := newWorld(t)
	key := w.rootKey(11 * time.Hour)
	w.gmsa("WebApp01")
	ahead := kds.IntervalAt(start.Add(100 * 24 * time.Hour))
	id := &kds.ManagedPasswordID{Flags: kds.EnvelopeEncrypts, Interval: ahead, RootKeyID: key, Domain: "contoso.com", Forest: "contoso.com"}
	w.must(w.modify(System(), gmsaDN("WebApp01"), ModReplace, Attribute{Name: "msDS-ManagedPasswordId", Values: [][]byte{id.Marshal()}}))
	for _, early := range []time.Duration{100 * 24 * time.Hour, 24 * time.Hour, 6 * time.Minute} {
		if w.now = ahead.Start().Add(-early); w.blobOrNone("WebApp01") != nil {
			t.Errorf("%v before the interval begins: got a password", early)
		}
	}
	w.now = ahead.Start().Add(-4 * time.Minute) // clocks may differ by five minutes
	soon := w.blob(w.dc, "WebApp01")
	w.now = ahead.Start()
	b := w.blob(w.dc, "WebApp01")
	if !bytes.Equal(soon.Current, b.Current) {
		t.Error("four minutes before the interval begins: got another password")
	}
	if b.Query != ahead.Add(72).Start().Sub(w.now) {
		t.Errorf("query interval: got %v, want %v", b.Query, ahead.Add(72).Start().Sub(w.now))
	}
	wantKeys(t, "keys", w.keys(w.dc, "WebApp01$"), b.Current)
	w.now = ahead.Add(72).Start()
	if got := w.blob(w.dc, "WebApp01"); !bytes.Equal(got.Previous, b.Current) || bytes.Equal(got.Current, b.Current) {
		t.Error("when its time is over: got no roll")
	}
}

func TestRecreatedAccountHasAnotherPassword(t *testing.T) {
	w := newWorld(t)
	w.rootKey(11 * time.Hour)
	a := w.gmsa("WebApp01")
	before := w.blob(w.dc, "WebApp01")
	w.must(w.dc.Delete(context.Background(), w.as("Administrator"), gmsaDN("WebApp01"), false))
	if _, err := a.Keys(context.Background()); !errors.Is(err, ErrNoAccount) {
		t.Errorf("keys of the deleted account: got %v, want %v", err, ErrNoAccount)
	}
	b := w.gmsa("WebApp01")
	if b.SID == a.SID {
		t.Error("the SID is the old one")
	}
	if after := w.blob(w.dc, "WebApp01"); bytes.Equal(after.Current, before.Current) {
		t.Error("the password is the old one")
	}
}

func TestSnapshotOfAccounts(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.rootKey(11 * time.Hour)
	w.gmsa("WebApp01")
	w.user("alice")
	s := w.f.Snapshot()
	first := w.keys(w.dc, "WebApp01$")
	w.now = start.Add(31 * 24 * time.Hour)
	if got := w.keys(w.dc, "WebApp01$"); got.Version != 2 {
		t.Fatalf("after the roll: got version %d, want 2", got.Version)
	}
	w.must(w.dc.SetPassword(ctx, System(), w.account("alice").SID, "Pass!word2"))
	w.account("alice").LogonSucceeded(ctx)
	w.f.Restore(s)
	w.now = start
	if got := w.keys(w.dc, "WebApp01$"); got.Version != 1 || string(got.Keys[0].Value) != string(first.Keys[0].Value) {
		t.Errorf("restored: got version %d, want 1 and the first keys", got.Version)
	}
	if a := w.account("alice"); a.LogonCount != 0 {
		t.Errorf("restored: got %d logons, want 0", a.LogonCount)
	}
	if err := w.account("alice").CheckPassword(ctx, "Pass!word1"); err != nil {
		t.Errorf("restored password: got %v", err)
	}
}

// TestConcurrentRoll asks from many sides at the moment of a roll: everybody gets the keys of one password, and it is set once.
func TestConcurrentRoll(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Events = nil })
	w.rootKey(11 * time.Hour)
	w.gmsa("WebApp01")
	w.now = start.Add(31 * 24 * time.Hour)
	results := make(chan *KeySet)
	for range 8 {
		go func() {
			a, err := w.dc.AccountByName(Principal, "WebApp01$")
			if err != nil {
				results <- nil
				return
			}
			a.LogonSucceeded(context.Background())
			set, _ := a.Keys(context.Background())
			a.PreviousKeys(context.Background())
			results <- set
		}()
	}
	for range 8 {
		if set := <-results; set == nil || set.Version != 2 {
			t.Errorf("got %+v, want version 2", set)
		}
	}
}
