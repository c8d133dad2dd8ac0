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

const contosoDN = "DC=contoso,DC=com"

// caller is somebody of the domain, with what a logon adds.
func caller(f *Forest, rid uint32, groups ...security.SID) *Caller {
	user := f.Domains()[0].SID.Append(rid)
	groups = append(groups, security.BuiltinUsers, security.PreWindows2000Access, security.Everyone, security.Network, security.AuthenticatedUsers)
	t := security.NewToken(user, groups...)
	t.PrimaryGroup = f.Domains()[0].SID.Append(security.RIDDomainUsers)
	return &Caller{Token: t, Encrypted: true}
}

func admin(f *Forest) *Caller {
	sid := f.Domains()[0].SID
	return caller(f, security.RIDAdministrator, sid.Append(security.RIDDomainAdmins), sid.Append(security.RIDEnterpriseAdmins), sid.Append(security.RIDSchemaAdmins),
		sid.Append(security.RIDDomainUsers), security.BuiltinAdministrators, security.BuiltinUsers)
}

// names runs a search and gives the values of the RDNs found.
func names(t *testing.T, r *Replica, c *Caller, req SearchRequest) []string {
	t.Helper()
	req.ExtendedDN = -1
	var list []string
	_, err := r.Search(context.Background(), c, &req, func(e *Entry) error {
		rdn, _, _ := strings.Cut(e.DN, ",")
		_, value, _ := strings.Cut(rdn, "=")
		list = append(list, value)
		return nil
	})
	if err != nil {
		t.Fatalf("Search %q: %v", req.Base, err)
	}
	return list
}

func TestSearchFilters(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	user := caller(f, 1500)
	for _, c := range []struct {
		filter, want string
	}{
		{"(sAMAccountName=administrator)", "Administrator"},
		{"(SAMACCOUNTNAME=ADMINISTRATOR)", "Administrator"},
		{"(objectClass=computer)", "DC01"},
		{"(objectCategory=computer)", "DC01"},
		{"(objectCategory=person)", "Administrator Guest krbtgt"},
		{"(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", "Administrator"},
		{"(userAccountControl:1.2.840.113556.1.4.804:=8194)", "Guest krbtgt DC01"},
		{"(servicePrincipalName=HOST/dc01.CONTOSO.com)", "DC01"},
		{"(servicePrincipalName=kadmin/*)", "krbtgt"},
		{"(cn=dom*ad*ins)", "Domain Admins"},
		{"(anr=domain adm)", "Domain Admins"},
		{"(anr==Domain Admins)", "Domain Admins"},
		{"(memberOf=CN=Domain Admins,CN=Users,DC=contoso,DC=com)", "Administrator"},
		{"(member=CN=Guest,CN=Users,DC=contoso,DC=com)", "Guests"},
		{"(member:1.2.840.113556.1.4.1941:=CN=Guest,CN=Users,DC=contoso,DC=com)", "Guests"},
		{"(&(objectClass=group)(member:1.2.840.113556.1.4.1941:=CN=Administrator,CN=Users,DC=contoso,DC=com)(cn=Adm*))", "Administrators"},
		{"(distinguishedName=cn=guest,cn=users,dc=CONTOSO,dc=com)", "Guest"},
		{"(nosuchattribute=x)", ""},
		{"(!(nosuchattribute=x))", ""},
		{"(cn:1.2.3.4:=x)", ""},
		{"(|(cn=Guest)(nosuch=1))", "Guest"},
		{"(&(cn=Guest)(nosuch=1))", ""},
		{"(primaryGroupID=516)", "DC01"},
		{"(primaryGroupID>=516)", "DC01"},
		{"(name=krbtgt)", "krbtgt"},
		{"(unicodePwd=*)", ""},
		{"(msDS-ManagedPassword=*)", ""},
		{"(objectSid=" + f.Domains()[0].SID.Append(512).String() + ")", "Domain Admins"},
		{`(objectClass=msDS-GroupManagedServiceAccount)`, ""},
		{"(ou=Domain Controllers)", "Domain Controllers"},
	} {
		got := strings.Join(names(t, r, user, SearchRequest{Base: contosoDN, Scope: Subtree, Filter: filter.MustParse(c.filter)}), " ")
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.filter, got, c.want)
		}
	}
}

func TestSearchScopesAndBases(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	user := caller(f, 1500)
	dom := f.Domains()[0]
	guest := r.view()
	g := guest.bySAM("Guest")
	for _, c := range []struct {
		base  string
		scope int
		want  int
	}{
		{contosoDN, BaseObject, 1},
		{"dc=CONTOSO, dc=com", BaseObject, 1},
		{contosoDN, SingleLevel, 11},
		{"OU=Domain Controllers," + contosoDN, Subtree, 3},
		{"<SID=" + dom.SID.Append(501).String() + ">", BaseObject, 1},
		{"<GUID=" + g.guid.String() + ">", BaseObject, 1},
		{"<WKGUID=" + wkServiceAccounts + "," + contosoDN + ">", BaseObject, 1},
		{"CN=Configuration," + contosoDN, SingleLevel, 8},
		{"CN=Schema,CN=Configuration," + contosoDN, BaseObject, 1},
	} {
		if got := names(t, r, user, SearchRequest{Base: c.base, Scope: c.scope}); len(got) != c.want {
			t.Errorf("%s scope %d: got %d %v, want %d", c.base, c.scope, len(got), got, c.want)
		}
	}
	for _, c := range []struct {
		base   string
		result int
		code   uint32
		match  string
	}{
		{"CN=nobody,CN=Users," + contosoDN, resultNoSuchObject, 0x208D, "CN=Users," + contosoDN},
		{"garbage=", resultInvalidDN, 0x208F, ""},
		{"DC=other,DC=com", resultReferral, 0x202B, ""},
		{"O=Contoso", resultNoSuchObject, 0x208D, ""},
		{"CN=Deleted Objects," + contosoDN, resultNoSuchObject, 0x208D, contosoDN},
		{"", resultNoSuchObject, 0x208D, ""},
	} {
		_, err := r.Search(context.Background(), user, &SearchRequest{Base: c.base, Scope: Subtree, ExtendedDN: -1}, func(*Entry) error { return nil })
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Result != c.result || e.Code != c.code || e.MatchedDN != c.match || !strings.HasPrefix(e.Text, fmt.Sprintf("%08X:", c.code)) {
			t.Errorf("%q: got %+v, want result %d, code %X, matched %q", c.base, err, c.result, c.code, c.match)
		}
	}
}

func TestSearchAnonymous(t *testing.T) {
	f := newForest(t, contosoConfig())
	_, err := f.DC("DC01").Search(context.Background(), &Caller{Anonymous: true}, &SearchRequest{Base: contosoDN, Scope: Subtree}, func(*Entry) error { return nil })
	if e, ok := errors.AsType[*Error](err); !ok || e.Result != resultOperationsError || e.Code != 0x4DC {
		t.Errorf("anonymous search: got %v, want result 1, code 4DC", err)
	}
}

func TestSelection(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	get := func(c *Caller, dn string, attrs ...string) *Entry {
		t.Helper()
		e, err := r.Get(context.Background(), c, dn, attrs...)
		if err != nil {
			t.Fatalf("Get %s: %v", dn, err)
		}
		return e
	}
	user := caller(f, 1500)
	guest := "CN=Guest,CN=Users," + contosoDN
	all := get(user, guest, "*")
	var got []string
	for _, a := range all.Attributes {
		got = append(got, a.Name)
	}
	for _, want := range []string{"objectClass", "cn", "distinguishedName", "instanceType", "whenCreated", "whenChanged", "uSNCreated", "memberOf", "uSNChanged", "name", "objectGUID", "objectSid", "sAMAccountName"} {
		if !slices.Contains(got, want) {
			t.Errorf("*: got %v, want %s among them", got, want)
		}
	}
	for _, not := range []string{"nTSecurityDescriptor", "canonicalName", "unicodePwd", "tokenGroups"} {
		if slices.Contains(got, not) {
			t.Errorf("*: got %s", not)
		}
	}
	if e := get(user, guest, "1.1"); len(e.Attributes) != 0 || e.DN != guest {
		t.Errorf("1.1: got %+v", e)
	}
	e := get(user, guest, "OBJECTSID", "canonicalname", "samaccountname;binary", "nTSecurityDescriptor", "unicodePwd", "nosuch")
	if n := len(e.Attributes); n != 3 || e.Attributes[0].Name != "objectSid" || e.Value("canonicalName") != "contoso.com/Users/Guest" || e.Value("sAMAccountName;binary") != "Guest" {
		t.Errorf("by name: got %+v", e)
	}
	if v := get(user, guest, "structuralObjectClass").Values("structuralObjectClass"); len(v) != 4 || string(v[3]) != "user" {
		t.Errorf("structuralObjectClass: got %q, want the chain from top to user", v)
	}
	_, err := r.Search(context.Background(), user, &SearchRequest{Base: contosoDN, Scope: Subtree, Attributes: []string{"tokenGroups"}}, func(*Entry) error { return nil })
	if e, ok := errors.AsType[*Error](err); !ok || e.Result != resultOperationsError {
		t.Errorf("tokenGroups in a subtree search: got %v, want operationsError", err)
	}
	if v := get(admin(f), guest, "nTSecurityDescriptor").Values("nTSecurityDescriptor"); len(v) != 1 {
		t.Errorf("descriptor for an administrator: got %d values, want 1", len(v))
	}
	req := &SearchRequest{Base: guest, Attributes: []string{"*"}, ExtendedDN: 1, SDFlags: new(uint32)}
	*req.SDFlags = 7
	_, err = r.Search(context.Background(), user, req, func(e *Entry) error {
		if !strings.HasPrefix(e.DN, "<GUID=") || !strings.Contains(e.DN, ";<SID=S-1-5-21-") || !strings.HasPrefix(e.Value("memberOf"), "<GUID=") {
			t.Errorf("extended names: got %q, memberOf %q", e.DN, e.Value("memberOf"))
		}
		if len(e.Values("nTSecurityDescriptor")) != 1 {
			t.Errorf("SD flags 7 with *: got no descriptor")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestConfidentialKeysAreHidden(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	base := "CN=Configuration," + contosoDN
	e, err := r.Get(context.Background(), caller(f, 1500), "CN=Group Key Distribution Service Server Configuration,CN=Server Configuration,CN=Group Key Distribution Service,CN=Services,"+base, "msKds-Version")
	if err == nil && len(e.Attributes) > 0 {
		t.Errorf("msKds-Version for a user: got %+v, want nothing", e)
	}
	e, err = r.Get(context.Background(), admin(f), "CN=Group Key Distribution Service Server Configuration,CN=Server Configuration,CN=Group Key Distribution Service,CN=Services,"+base, "msKds-Version")
	if err != nil || e.Value("msKds-Version") != "1" {
		t.Errorf("msKds-Version for an administrator: got %+v, %v", e, err)
	}
}

func TestReferences(t *testing.T) {
	f := newForest(t, Config{Seed: 1, Domains: []DomainConfig{{DNSName: "contoso.com"}, {DNSName: "child.contoso.com"}}})
	res, err := f.DC("DC01").Search(context.Background(), System(), &SearchRequest{Base: contosoDN, Scope: Subtree, Filter: filter.MustParse("(cn=x)"), ExtendedDN: -1}, func(*Entry) error { return nil })
	want := []string{"ldap://ForestDnsZones.contoso.com/DC=ForestDnsZones,DC=contoso,DC=com", "ldap://DomainDnsZones.contoso.com/DC=DomainDnsZones,DC=contoso,DC=com",
		"ldap://contoso.com/CN=Configuration,DC=contoso,DC=com", "ldap://child.contoso.com/DC=child,DC=contoso,DC=com"}
	if err != nil || !slices.Equal(res.Referrals, want) {
		t.Errorf("references: got %v, %v, want %v", res.Referrals, err, want)
	}
}

// TestSortsThatCannotBe: RFC 2891 2. What must be sorted and cannot be has no entries, everything else has them in their own order.
func TestSortsThatCannotBe(t *testing.T) {
	f := newForest(t, contosoConfig())
	for _, tt := range []struct {
		sort []SortKey
		want int
	}{
		{[]SortKey{{Attribute: "nonsense"}}, sortNoSuchAttribute},
		{[]SortKey{{Attribute: "member"}}, sortInappropriateMatching},
		{[]SortKey{{Attribute: "cn"}, {Attribute: "name"}}, sortInappropriateMatching},
	} {
		for _, must := range []bool{false, true} {
			entries := 0
			req := &SearchRequest{Base: contosoDN, Scope: SingleLevel, ExtendedDN: -1, Sort: tt.sort, MustSort: must}
			res, err := f.DC("DC01").Search(context.Background(), admin(f), req, func(*Entry) error { entries++; return nil })
			if res.SortResult != tt.want {
				t.Errorf("%v, critical %v: sort result got %d, want %d", tt.sort, must, res.SortResult, tt.want)
			}
			if must {
				refused(t, "critical sort", err, resultUnavailableCritical, 0x57)
			} else if err != nil {
				t.Errorf("%v: %v", tt.sort, err)
			}
			if (entries == 0) != must {
				t.Errorf("%v, critical %v: got %d entries", tt.sort, must, entries)
			}
		}
	}
}

func TestPagesAndSort(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	c := caller(f, 1500)
	for _, sort := range [][]SortKey{nil, {{Attribute: "cn"}}} {
		req := &SearchRequest{Base: contosoDN, Scope: Subtree, Filter: filter.MustParse("(objectClass=group)"), Attributes: []string{"cn"}, ExtendedDN: -1, Page: &Page{Size: 7}, Sort: sort}
		var got []string
		pages := 0
		for {
			n := 0
			res, err := r.Search(context.Background(), c, req, func(e *Entry) error {
				got = append(got, e.Value("cn"))
				n++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if n > 7 {
				t.Errorf("a page has %d entries, want at most 7", n)
			}
			pages++
			if len(res.Cookie) == 0 {
				break
			}
			req.Page.Cookie = res.Cookie
		}
		want := names(t, r, c, SearchRequest{Base: contosoDN, Scope: Subtree, Filter: filter.MustParse("(objectClass=group)"), Sort: sort})
		if !slices.Equal(got, want) || pages < 2 {
			t.Errorf("sort %v: got %d in %d pages, want %d", sort, len(got), pages, len(want))
		}
		if sort != nil && !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
			t.Errorf("not sorted: %v", got)
		}
	}
	req := &SearchRequest{Base: contosoDN, Scope: Subtree, ExtendedDN: -1, Page: &Page{Size: 7, Cookie: []byte("garbage")}}
	if _, err := r.Search(context.Background(), c, req, func(*Entry) error { return nil }); err == nil {
		t.Error("a foreign cookie was taken")
	}
}
