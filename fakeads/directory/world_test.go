package directory

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// start is when the stories of these tests begin: two hours into a key cycle.
var start = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

var (
	sharedKeys      = krbcrypt.NewCache(0)
	sharedPasswords = kds.NewCache(0)
)

// world is a forest with a clock, for tests of rules. Failures of preparations end the test.
type world struct {
	testing.TB
	f      *Forest
	dc     *Replica
	now    time.Time
	events []Event
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{TB: t, now: start}
	cfg := Config{
		Seed: 1, Now: func() time.Time { return w.now }, Keys: sharedKeys, Passwords: sharedPasswords,
		Domains: []DomainConfig{{DNSName: "contoso.com"}}, Events: func(e Event) { w.events = append(w.events, e) },
	}
	for _, c := range change {
		c(&cfg)
	}
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.f, w.dc = f, f.DCs()[0]
	return w
}

func twoDCs(delay time.Duration) func(*Config) {
	return func(c *Config) { c.Domains[0].DCs, c.ReplicationDelay = []string{"DC01", "DC02"}, delay }
}

func childDomain(c *Config) {
	c.Domains = append(c.Domains, DomainConfig{DNSName: "child.contoso.com"})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

const base = "DC=contoso,DC=com"

// add makes an object as the system.
func (w *world) add(dn string, attrs ...Attribute) {
	w.Helper()
	w.must(w.dc.Add(context.Background(), System(), dn, attrs))
}

func userAttributes(name string, more ...Attribute) []Attribute {
	return append([]Attribute{Text("objectClass", "user"), Text("sAMAccountName", name), Text("userAccountControl", "512"),
		{Name: "unicodePwd", Values: [][]byte{EncodePassword("Pass!word1")}}}, more...)
}

func (w *world) user(name string, more ...Attribute) *Account {
	w.Helper()
	w.add("CN="+name+",CN=Users,"+base, userAttributes(name, more...)...)
	return w.account(name)
}

func (w *world) computer(name string, more ...Attribute) *Account {
	w.Helper()
	w.add("CN="+name+",CN=Computers,"+base, append([]Attribute{Text("objectClass", "computer"), Text("sAMAccountName", name+"$"),
		Text("userAccountControl", "4096"), Text("dNSHostName", name+".contoso.com"), {Name: "unicodePwd", Values: [][]byte{EncodePassword("HostPass!01")}}}, more...)...)
	return w.account(name + "$")
}

func (w *world) group(name string, typ uint32, members ...*Account) *entry {
	w.Helper()
	attrs := []Attribute{Text("objectClass", "group"), Text("sAMAccountName", name), Text("groupType", strconv.FormatInt(int64(int32(typ)), 10))}
	w.add("CN="+name+",CN=Users,"+base, attrs...)
	for _, m := range members {
		w.member(name, m.DN)
	}
	v := w.dc.view()
	return v.bySAM(name)
}

func (w *world) member(group, dn string) {
	w.Helper()
	w.must(w.modify(System(), "CN="+group+",CN=Users,"+base, ModAdd, Text("member", dn)))
}

func (w *world) modify(c *Caller, dn string, op int, a Attribute) error {
	return w.dc.Modify(context.Background(), c, dn, []Modification{{op, a}}, false)
}

func (w *world) account(name string) *Account {
	w.Helper()
	a, err := w.dc.AccountByName(Principal, name)
	if err != nil {
		w.Fatalf("account %s: %v", name, err)
	}
	return a
}

// as is a caller with a fresh token over a connection that keeps secrets.
func (w *world) as(name string) *Caller {
	w.Helper()
	return &Caller{Token: w.dc.TokenFor(w.account(name)), Encrypted: true, Account: `CONTOSO\` + name}
}

// rootKey adds a root key of an age as the system.
func (w *world) rootKey(age time.Duration) security.GUID {
	w.Helper()
	id, err := w.dc.AddRootKey(context.Background(), System(), w.now.Add(-age))
	w.must(err)
	return id
}

// readers is msDS-GroupMSAMembership for some SIDs.
func readers(sids ...security.SID) Attribute {
	acl := &security.ACL{Revision: security.ACLRevisionDS}
	for _, s := range sids {
		acl.ACEs = append(acl.ACEs, security.ACE{Mask: security.FullControl, SID: s})
	}
	sd := &security.Descriptor{Control: security.SelfRelative | security.DACLPresent, Owner: security.BuiltinAdministrators, DACL: acl}
	return Attribute{Name: "msDS-GroupMSAMembership", Values: [][]byte{sd.Marshal()}}
}

func gmsaAttributes(name string, more ...Attribute) []Attribute {
	return append([]Attribute{Text("objectClass", "msDS-GroupManagedServiceAccount"), Text("sAMAccountName", name+"$"), Text("userAccountControl", "4096"),
		Text("dNSHostName", name+".contoso.com"), Text("msDS-ManagedPasswordInterval", "30"), Text("msDS-SupportedEncryptionTypes", "28")}, more...)
}

func gmsaDN(name string) string { return "CN=" + name + ",CN=Managed Service Accounts," + base }

func (w *world) gmsa(name string, more ...Attribute) *Account {
	w.Helper()
	w.add(gmsaDN(name), gmsaAttributes(name, more...)...)
	return w.account(name + "$")
}

// read asks for attributes of one object.
func (w *world) read(r *Replica, c *Caller, dn string, names ...string) (*Entry, error) {
	return r.Get(context.Background(), c, dn, names...)
}

// value reads one attribute as the system.
func (w *world) value(dn, name string) string {
	w.Helper()
	e, err := w.read(w.dc, System(), dn, name)
	w.must(err)
	return e.Value(name)
}

// wantCode compares a refusal: its LDAP result and the first number of its text. Result 0 means success.
func wantCode(t testing.TB, what string, err error, result int, code uint32) {
	t.Helper()
	if result == 0 {
		if err != nil {
			t.Errorf("%s: got %v, want success", what, err)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Errorf("%s: got %v, want result %d with %08X", what, err, result, code)
		return
	}
	if e.Result != result || e.Code != code {
		t.Errorf("%s: got result %d with %08X (%q), want %d with %08X", what, e.Result, e.Code, e.Text, result, code)
	}
}

// logged tells how many events of an id there were, and forgets all.
func (w *world) logged(id int) (n int) {
	for _, e := range w.events {
		if e.ID == id {
			n++
		}
	}
	w.events = nil
	return n
}

// readVectors reads a file of known answers that package kds keeps, with their sources.
func readVectors(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "kds", "testdata", "vectors", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// names of the groups of a list of SIDs, for failure texts.
func (w *world) names(sids []security.SID) string {
	var list []string
	v := w.dc.view()
	for _, s := range sids {
		name := s.String()
		for _, d := range w.f.Domains() {
			if e := v.inDomain(d).bySID(s); e != nil && e.text(aSAMAccountName) != "" {
				name = e.text(aSAMAccountName)
			}
		}
		list = append(list, name)
	}
	return strings.Join(list, ", ")
}

func (w *world) search(c *Caller, text string, attrs ...string) ([]*Entry, error) {
	var list []*Entry
	_, err := w.dc.Search(context.Background(), c, &SearchRequest{Base: base, Scope: Subtree, Filter: filter.MustParse(text), Attributes: attrs, ExtendedDN: -1, DomainScope: true},
		func(e *Entry) error {
			list = append(list, &Entry{DN: e.DN, Attributes: append([]Attribute(nil), e.Attributes...)})
			return nil
		})
	return list, err
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(t []byte) error {
	b, err := hex.DecodeString(string(t))
	*h = b
	return err
}
