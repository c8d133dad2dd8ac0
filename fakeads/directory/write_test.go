package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// refused checks that err is an *Error with result and code, and that the text begins with the code.
func refused(t *testing.T, what string, err error, result int, code uint32) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Result != result || e.Code != code {
		t.Errorf("%s: got %#v, want result %d with %08X", what, err, result, code)
		return
	}
	if want := fmt.Sprintf("%08X: ", code); !strings.HasPrefix(e.Text, want) {
		t.Errorf("%s: text got %q, want it to begin with %q", what, e.Text, want)
	}
}

func mustAdd(t testing.TB, r *Replica, dn string, attrs ...Attribute) {
	t.Helper()
	if err := r.Add(context.Background(), System(), dn, attrs); err != nil {
		t.Fatalf("Add %s: %v", dn, err)
	}
}

func mustGet(t testing.TB, r *Replica, dn string, attrs ...string) *Entry {
	t.Helper()
	e, err := r.Get(context.Background(), System(), dn, attrs...)
	if err != nil {
		t.Fatalf("Get %s: %v", dn, err)
	}
	return e
}

func TestAddRefusals(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	mustAdd(t, r, "OU=Staff,"+contosoDN, Text("objectClass", "organizationalUnit"))
	for _, c := range []struct {
		what   string
		c      *Caller
		dn     string
		attrs  []Attribute
		result int
		code   uint32
	}{
		{"malformed name", nil, "nonsense", nil, resultInvalidDN, 0x208F},
		{"parent missing", nil, "CN=x,OU=Nowhere," + contosoDN, []Attribute{Text("objectClass", "container")}, resultNoSuchObject, 0x208D},
		{"another forest", nil, "CN=x,DC=fabrikam,DC=com", []Attribute{Text("objectClass", "container")}, resultReferral, 0x202B},
		{"name taken", nil, "ou=STAFF," + contosoDN, []Attribute{Text("objectClass", "organizationalUnit")}, resultAlreadyExists, 0x2071},
		{"no class", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("description", "x")}, resultObjectClassViolation, 0x207B},
		{"abstract class", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "leaf")}, resultObjectClassViolation, 0x207B},
		{"unknown class", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "unicorn")}, resultNoSuchAttribute, 0x57},
		{"unknown attribute", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "container"), Text("horn", "1")}, resultNoSuchAttribute, 0x57},
		{"attribute of another class", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "container"), Text("sAMAccountName", "x")}, resultObjectClassViolation, 0x207D},
		{"mandatory attribute missing", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "msDS-OptionalFeature")}, resultNamingViolation, 0x2099},
		{"root key without data", nil, "CN=x,CN=Program Data," + contosoDN, []Attribute{Text("objectClass", "msKds-ProvRootKey")}, resultObjectClassViolation, 0x207C},
		{"wrong superior", nil, "CN=x,CN=Guest,CN=Users," + contosoDN, []Attribute{Text("objectClass", "user")}, resultNamingViolation, 0x2099},
		{"wrong RDN attribute", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "organizationalUnit")}, resultNamingViolation, 0x2073},
		{"RDN too long", nil, "CN=" + strings.Repeat("x", 65) + ",OU=Staff," + contosoDN, []Attribute{Text("objectClass", "container")}, resultConstraintViolation, 0x2082},
		{"other RDN value", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "container"), Text("cn", "y")}, resultNamingViolation, 0x2073},
		{"bad integer", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user"), Text("countryCode", "many")}, resultInvalidSyntax, 0x57},
		{"range", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user"), Text("countryCode", "65536")}, resultConstraintViolation, 0x2082},
		{"two values", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user"), Text("givenName", "a", "b")}, resultConstraintViolation, 0x2081},
		{"value twice", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user"), Text("description", "A", "a")}, resultAttributeOrValueExists, 0x2083},
		{"system only", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user"), Text("whenCreated", "20200101000000.0Z")}, resultConstraintViolation, 0x20B1},
		{"constructed", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user"), Text("canonicalName", "x")}, resultConstraintViolation, 0x20B1},
		{"back link", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user"), Text("memberOf", "CN=Guests,CN=Builtin,"+contosoDN)}, resultUnwilling, 0x209A},
		{"own SID", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user"), Text("objectSid", "S-1-5-21-1-2-3-4")}, resultUnwilling, 0x209A},
		{"link to nobody", nil, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "group"), Text("groupType", "-2147483646"), Text("member", "CN=nobody,"+contosoDN)}, resultNoSuchObject, 0x525},
		{"no rights", caller(f, 1500), "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user")}, resultInsufficientRights, 0x2098},
		{"schema", nil, "CN=x,CN=Schema,CN=Configuration," + contosoDN, []Attribute{Text("objectClass", "classSchema")}, resultUnwilling, 0x2035},
		{"anonymous", &Caller{Anonymous: true}, "CN=x,OU=Staff," + contosoDN, []Attribute{Text("objectClass", "user")}, resultOperationsError, 0x4DC},
	} {
		by := c.c
		if by == nil {
			by = admin(f)
		}
		refused(t, c.what, r.Add(context.Background(), by, c.dn, c.attrs), c.result, c.code)
	}
}

func TestAddStores(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	err := r.Add(context.Background(), admin(f), "OU=Größe\\, Nord,"+contosoDN, []Attribute{Text("objectClass", "top", "organizationalUnit"), Text("description", "one", "two")})
	if err != nil {
		t.Fatal(err)
	}
	e := mustGet(t, r, "ou=GRÖßE\\2c nord,"+contosoDN, "ou", "objectClass", "description", "instanceType")
	if e.DN != "OU=Größe\\, Nord,"+contosoDN || e.Value("ou") != "Größe, Nord" || len(e.Values("objectClass")) != 2 || len(e.Values("description")) != 2 || e.Value("instanceType") != "4" {
		t.Errorf("stored: got %+v", e)
	}
}

func TestModify(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	ctx := context.Background()
	c := admin(f)
	const alice, crew = "CN=alice,CN=Users," + contosoDN, "CN=crew,CN=Users," + contosoDN
	mustAdd(t, r, alice, Text("objectClass", "user"), Text("sAMAccountName", "alice"))
	mustAdd(t, r, crew, Text("objectClass", "group"), Text("sAMAccountName", "crew"), Text("groupType", "-2147483646"))
	mod := func(op int, name string, values ...string) []Modification {
		return []Modification{{Op: op, Attribute: Text(name, values...)}}
	}
	for _, s := range []struct {
		what       string
		c          *Caller
		dn         string
		mods       []Modification
		permissive bool
		result     int
		code       uint32
	}{
		{"set", nil, alice, mod(ModReplace, "description", "one"), false, 0, 0},
		{"add", nil, alice, mod(ModAdd, "description", "two"), false, 0, 0},
		{"add again", nil, alice, mod(ModAdd, "description", "TWO"), false, resultAttributeOrValueExists, 0x2083},
		{"add again, permissive", nil, alice, mod(ModAdd, "description", "TWO"), true, 0, 0},
		{"delete what is not there", nil, alice, mod(ModDelete, "description", "three"), false, resultNoSuchAttribute, 0x2085},
		{"the same, permissive", nil, alice, mod(ModDelete, "description", "three"), true, 0, 0},
		{"delete one", nil, alice, mod(ModDelete, "description", "ONE"), false, 0, 0},
		{"delete the rest", nil, alice, mod(ModDelete, "description"), false, 0, 0},
		{"delete again", nil, alice, mod(ModDelete, "description"), false, resultNoSuchAttribute, 0x2084},
		{"replace with nothing", nil, alice, mod(ModReplace, "description"), false, 0, 0},
		{"second value", nil, alice, mod(ModReplace, "givenName", "a", "b"), false, resultConstraintViolation, 0x2081},
		{"unknown attribute", nil, alice, mod(ModReplace, "horn", "1"), false, resultNoSuchAttribute, 0x57},
		{"other class's attribute", nil, alice, mod(ModReplace, "groupType", "2"), false, resultObjectClassViolation, 0x207D},
		{"RDN", nil, alice, mod(ModReplace, "cn", "bob"), false, resultNotOnRDN, 0x2016},
		{"name", nil, alice, mod(ModReplace, "name", "bob"), false, resultNotOnRDN, 0x2016},
		{"system only", nil, alice, mod(ModReplace, "whenCreated", "20200101000000.0Z"), false, resultConstraintViolation, 0x20B1},
		{"constructed", nil, alice, mod(ModReplace, "tokenGroups", "x"), false, resultConstraintViolation, 0x20B1},
		{"back link", nil, alice, mod(ModAdd, "memberOf", crew), false, resultUnwilling, 0x209A},
		{"SID", nil, alice, mod(ModReplace, "objectSid", "S-1-5-21-1-2-3-4"), false, resultUnwilling, 0x209A},
		{"missing object", nil, "CN=bob,CN=Users," + contosoDN, mod(ModReplace, "description", "x"), false, resultNoSuchObject, 0x208D},
		{"no rights", caller(f, 1500), alice, mod(ModReplace, "description", "x"), false, resultInsufficientRights, 0x2098},
		{"class", nil, alice, mod(ModDelete, "objectClass", "user"), false, resultObjectClassMods, 0x2017},
		{"mandatory", nil, "CN=CONTOSO,CN=Partitions,CN=Configuration," + contosoDN, mod(ModDelete, "dnsRoot"), false, resultObjectClassViolation, 0x207C},
		{"member", nil, crew, mod(ModAdd, "member", alice), false, 0, 0},
		{"member again", nil, crew, mod(ModAdd, "member", strings.ToUpper(alice)), false, resultAlreadyExists, 0x562},
		{"member again, permissive", nil, crew, mod(ModAdd, "member", alice), true, 0, 0},
		{"no member", nil, crew, mod(ModDelete, "member", "CN=Guest,CN=Users,"+contosoDN), false, resultUnwilling, 0x561},
		{"member unknown", nil, crew, mod(ModAdd, "member", "CN=bob,CN=Users,"+contosoDN), false, resultNoSuchObject, 0x525},
	} {
		by := s.c
		if by == nil {
			by = c
		}
		err := r.Modify(ctx, by, s.dn, s.mods, s.permissive)
		if s.result == 0 {
			if err != nil {
				t.Errorf("%s: %v", s.what, err)
			}
			continue
		}
		refused(t, s.what, err, s.result, s.code)
	}
	if got := mustGet(t, r, alice, "memberOf").Value("memberOf"); got != crew {
		t.Errorf("memberOf: got %q, want %q", got, crew)
	}
	// A modify is one transaction: the second change fails, so the first has not happened.
	mods := append(mod(ModReplace, "description", "x"), mod(ModReplace, "horn", "1")...)
	if err := r.Modify(ctx, c, alice, mods, false); err == nil || mustGet(t, r, alice, "description").Value("description") != "" {
		t.Errorf("half a modify was kept, error %v", err)
	}
}

func TestWriteAccessByDescriptor(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	ctx := context.Background()
	const ou, bob = "OU=Staff," + contosoDN, "CN=bob,OU=Staff," + contosoDN
	mustAdd(t, r, ou, Text("objectClass", "organizationalUnit"))
	mustAdd(t, r, bob, Text("objectClass", "user"), Text("sAMAccountName", "bob"))
	helper := caller(f, 1600)
	change := []Modification{{Op: ModReplace, Attribute: Text("description", "x")}}
	refused(t, "before", r.Modify(ctx, helper, bob, change, false), resultInsufficientRights, 0x2098)
	v := r.view()
	sd := *v.byName(ou).sd.get()
	acl := *sd.DACL
	acl.ACEs = append(slices.Clone(acl.ACEs), security.ACE{Type: security.AccessAllowed, Flags: security.ContainerInherit, Mask: security.RightWriteProperty | security.RightReadProperty | security.RightDelete, SID: helper.Token.User})
	sd.DACL = &acl
	if err := r.Modify(ctx, admin(f), ou, []Modification{{Op: ModReplace, Attribute: Attribute{Name: "nTSecurityDescriptor", Values: [][]byte{sd.Marshal()}}}}, false); err != nil {
		t.Fatal(err)
	}
	if err := r.Modify(ctx, helper, bob, change, false); err != nil {
		t.Errorf("after the entry was inherited: %v", err)
	}
	if err := r.Delete(ctx, helper, bob, false); err != nil {
		t.Errorf("delete by the inherited right: %v", err)
	}
	refused(t, "descriptor without the right", r.Modify(ctx, helper, "CN=Guest,CN=Users,"+contosoDN, []Modification{{Op: ModReplace, Attribute: Attribute{Name: "nTSecurityDescriptor", Values: [][]byte{sd.Marshal()}}}}, false), resultInsufficientRights, 0x2098)
}

func TestModifyDN(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	ctx := context.Background()
	c := admin(f)
	const a, b = "OU=A," + contosoDN, "OU=B," + contosoDN
	mustAdd(t, r, a, Text("objectClass", "organizationalUnit"))
	mustAdd(t, r, b, Text("objectClass", "organizationalUnit"))
	mustAdd(t, r, "OU=Inner,"+a, Text("objectClass", "organizationalUnit"))
	mustAdd(t, r, "CN=alice,OU=Inner,"+a, Text("objectClass", "user"), Text("sAMAccountName", "alice"))
	mustAdd(t, r, "CN=crew,"+a, Text("objectClass", "group"), Text("sAMAccountName", "crew"), Text("groupType", "-2147483646"), Text("member", "CN=alice,OU=Inner,"+a))
	if err := r.ModifyDN(ctx, c, "OU=Inner,"+a, "OU=Outer", true, b); err != nil {
		t.Fatal(err)
	}
	const moved = "CN=alice,OU=Outer," + b
	if e := mustGet(t, r, moved, "distinguishedName", "canonicalName"); e.Value("distinguishedName") != moved || e.Value("canonicalName") != "contoso.com/B/Outer/alice" {
		t.Errorf("below the moved container: got %+v", e)
	}
	if got := mustGet(t, r, "CN=crew,"+a, "member").Value("member"); got != moved {
		t.Errorf("link after the move: got %q, want %q", got, moved)
	}
	if got := names(t, r, c, SearchRequest{Base: a, Scope: Subtree}); !slices.Equal(got, []string{"A", "crew"}) {
		t.Errorf("below the old place: got %v", got)
	}
	refused(t, "old name", r.ModifyDN(ctx, c, "OU=Inner,"+a, "OU=x", true, ""), resultNoSuchObject, 0x208D)
	refused(t, "below itself", r.ModifyDN(ctx, c, b, "OU=B", true, "OU=Outer,"+b), resultUnwilling, 0x2077)
	refused(t, "taken", r.ModifyDN(ctx, c, a, "OU=B", true, ""), resultAlreadyExists, 0x2071)
	refused(t, "wrong attribute", r.ModifyDN(ctx, c, a, "CN=B", true, ""), resultNamingViolation, 0x2073)
	refused(t, "fixed", r.ModifyDN(ctx, c, "CN=Users,"+contosoDN, "CN=People", true, ""), resultUnwilling, 0x2077)
	refused(t, "rights", r.ModifyDN(ctx, caller(f, 1500), a, "OU=C", true, ""), resultInsufficientRights, 0x2098)
	if err := r.ModifyDN(ctx, c, a, "OU=a", true, ""); err != nil || mustGet(t, r, a, "name").Value("name") != "a" {
		t.Errorf("change of case alone: %v", err)
	}
}

// TestMembersOfALargeGroup renames and deletes some of many members: their ids are as large as it takes to meet every hash of the index.
func TestMembersOfALargeGroup(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	ctx := context.Background()
	c := admin(f)
	const ou, many = "OU=Bulk," + contosoDN, 3200
	mustAdd(t, r, ou, Text("objectClass", "organizationalUnit"))
	var members []string
	for i := range many {
		members = append(members, fmt.Sprintf("CN=m%04d,%s", i, ou))
		mustAdd(t, r, members[i], Text("objectClass", "contact"))
	}
	mustAdd(t, r, "CN=big,"+ou, Text("objectClass", "group"), Text("sAMAccountName", "big"), Text("member", members...))
	for i := 0; i < many; i += 8 {
		if err := r.ModifyDN(ctx, c, members[i], fmt.Sprintf("CN=x%04d", i), true, ""); err != nil {
			t.Fatalf("rename %s: %v", members[i], err)
		}
		if err := r.Delete(ctx, c, members[i+1], false); err != nil {
			t.Fatalf("delete %s: %v", members[i+1], err)
		}
	}
	if got, want := len(names(t, r, c, SearchRequest{Base: ou, Scope: SingleLevel, Filter: &filter.Filter{Op: filter.Substrings, Attr: "cn", Substr: filter.Substr{Initial: []byte("m1")}}})), 1000*3/4; got != want {
		t.Errorf("members that kept their name: got %d, want %d", got, want)
	}
}

func TestDelete(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	ctx := context.Background()
	c := admin(f)
	const ou, bob = "OU=Staff," + contosoDN, "CN=bob,OU=Staff," + contosoDN
	mustAdd(t, r, ou, Text("objectClass", "organizationalUnit"))
	mustAdd(t, r, bob, Text("objectClass", "user"), Text("sAMAccountName", "bob"), Text("description", "gone soon"))
	mustAdd(t, r, "CN=crew,CN=Users,"+contosoDN, Text("objectClass", "group"), Text("sAMAccountName", "crew"), Text("groupType", "-2147483646"), Text("member", bob))
	guid := mustGet(t, r, bob, "objectGUID").Values("objectGUID")[0]
	refused(t, "children", r.Delete(ctx, c, ou, false), resultNotOnNonLeaf, 0x2015)
	refused(t, "critical", r.Delete(ctx, c, "CN=Administrator,CN=Users,"+contosoDN, false), resultUnwilling, 0x20CE)
	refused(t, "rights", r.Delete(ctx, caller(f, 1500), bob, false), resultInsufficientRights, 0x2098)
	if err := r.Delete(ctx, c, ou, true); err != nil {
		t.Fatal(err)
	}
	if e := mustGet(t, r, "CN=crew,CN=Users,"+contosoDN, "member"); e.Value("member") != "" {
		t.Errorf("member after the deletion: got %q", e.Value("member"))
	}
	if got := names(t, r, c, SearchRequest{Base: contosoDN, Scope: Subtree, Filter: filter.MustParse("(sAMAccountName=bob)")}); len(got) != 0 {
		t.Errorf("deleted object without the control: got %v", got)
	}
	var dead *Entry
	req := &SearchRequest{Base: contosoDN, Scope: Subtree, Filter: filter.MustParse("(&(isDeleted=TRUE)(sAMAccountName=bob))"), ShowDeleted: true, ExtendedDN: -1}
	if _, err := r.Search(ctx, c, req, func(e *Entry) error { dead = e.clone(); return nil }); err != nil || dead == nil {
		t.Fatalf("tombstone: got %v, %v", dead, err)
	}
	if want := "CN=bob\\0ADEL:" + security.GUID(guid).String() + ",CN=Deleted Objects," + contosoDN; dead.DN != want {
		t.Errorf("tombstone: got %q, want %q", dead.DN, want)
	}
	if dead.Value("description") != "" || dead.Value("lastKnownParent") == "" || len(dead.Values("objectSid")) != 1 {
		t.Errorf("tombstone keeps %+v", dead)
	}
	mustAdd(t, r, ou, Text("objectClass", "organizationalUnit"))
	mustAdd(t, r, bob, Text("objectClass", "user"), Text("sAMAccountName", "bob"))
}

func TestCompare(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	const guest = "CN=Guest,CN=Users," + contosoDN
	for _, c := range []struct {
		attr, value string
		want        bool
	}{{"sAMAccountName", "GUEST", true}, {"sAMAccountName", "host", false}, {"objectClass", "person", true}, {"memberOf", "cn=guests,cn=builtin," + contosoDN, true}} {
		got, err := r.Compare(context.Background(), caller(f, 1500), guest, c.attr, []byte(c.value))
		if err != nil || got != c.want {
			t.Errorf("%s=%s: got %v, %v, want %v", c.attr, c.value, got, err, c.want)
		}
	}
	_, err := r.Compare(context.Background(), caller(f, 1500), guest, "mail", []byte("x"))
	refused(t, "absent attribute", err, resultNoSuchAttribute, 0x2084)
}

func TestRangeRetrieval(t *testing.T) {
	cfg := contosoConfig()
	cfg.MaxValRange = 10
	f := newForest(t, cfg)
	r := f.DC("DC01")
	var members []string
	for i := range 25 {
		dn := fmt.Sprintf("CN=user%02d,CN=Users,%s", i, contosoDN)
		mustAdd(t, r, dn, Text("objectClass", "user"), Text("sAMAccountName", fmt.Sprintf("user%02d", i)))
		members = append(members, dn)
	}
	const crew = "CN=crew,CN=Users," + contosoDN
	mustAdd(t, r, crew, Text("objectClass", "group"), Text("sAMAccountName", "crew"), Text("groupType", "-2147483646"), Text("member", members...))
	for _, c := range []struct {
		ask, name   string
		first, last int
	}{
		{"member", "member;range=0-9", 0, 9}, {"member;range=10-*", "member;range=10-19", 10, 19}, {"member;range=20-*", "member;range=20-*", 20, 24},
		{"member;Range=3-4", "member;range=3-4", 3, 4}, {"member;range=24-24", "member;range=24-*", 24, 24},
	} {
		got := mustGet(t, r, crew, c.ask).Values(c.name)
		if len(got) != c.last-c.first+1 || string(got[0]) != members[c.first] || string(got[len(got)-1]) != members[c.last] {
			t.Errorf("%s: got %d values of %s, want %d to %d", c.ask, len(got), c.name, c.first, c.last)
		}
	}
	if e := mustGet(t, r, crew, "member;range=25-*"); len(e.Attributes) != 0 {
		t.Errorf("range past the end: got %+v", e.Attributes)
	}
}

func TestSizeLimit(t *testing.T) {
	cfg := contosoConfig()
	cfg.MaxPageSize = 5
	f := newForest(t, cfg)
	for _, limit := range []int{0, 3, 100} {
		n := 0
		_, err := f.DC("DC01").Search(context.Background(), admin(f), &SearchRequest{Base: contosoDN, Scope: Subtree, ExtendedDN: -1, SizeLimit: limit}, func(*Entry) error { n++; return nil })
		want := 5
		if limit == 3 {
			want = 3
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Result != resultSizeLimit || n != want {
			t.Errorf("limit %d: got %d entries and %v, want %d and result 4", limit, n, err, want)
		}
	}
}
