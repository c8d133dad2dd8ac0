package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

const (
	secGlobal    = groupSecurity | groupGlobal
	secLocal     = groupSecurity | groupDomainLocal
	secUniversal = groupSecurity | groupUniversal
)

func sidsOf(list []GroupMembership) []security.SID {
	var sids []security.SID
	for _, m := range list {
		sids = append(sids, m.SID)
	}
	return sids
}

func TestMemberships(t *testing.T) {
	w := newWorld(t, childDomain)
	host := w.computer("Host01")
	child := w.f.Domains()[1].DCs()[0]
	w.group("Direct", secGlobal, host)
	w.group("Outer", secGlobal)
	w.member("Outer", "CN=Direct,CN=Users,"+base)
	w.group("Universal", secUniversal)
	w.member("Universal", "CN=Outer,CN=Users,"+base)
	w.group("Local", secLocal, host)
	w.group("LocalOfOuter", secLocal)
	w.member("LocalOfOuter", "CN=Outer,CN=Users,"+base)
	w.group("LocalOfLocal", secLocal)
	w.member("LocalOfLocal", "CN=Local,CN=Users,"+base)
	w.group("Mail", groupGlobal, host) // distribution
	w.group("BehindMail", secGlobal)
	w.member("BehindMail", "CN=Mail,CN=Users,"+base)
	w.member("Outer", "CN=BehindMail,CN=Users,"+base)
	w.must(w.modify(System(), "CN=Administrators,CN=Builtin,"+base, ModAdd, Text("member", "CN=Outer,CN=Users,"+base)))
	w.must(child.Add(context.Background(), System(), "CN=FarUniversal,CN=Users,DC=child,DC=contoso,DC=com",
		[]Attribute{Text("objectClass", "group"), Text("sAMAccountName", "FarUniversal"), Text("groupType", "-2147483640"), Text("member", host.DN)}))
	w.must(child.Add(context.Background(), System(), "CN=FarLocal,CN=Users,DC=child,DC=contoso,DC=com",
		[]Attribute{Text("objectClass", "group"), Text("sAMAccountName", "FarLocal"), Text("groupType", "-2147483644"), Text("member", host.DN)}))

	global := w.dc.GlobalGroups(host)
	if got, want := w.names(sidsOf(global)), "Domain Computers, Direct, FarUniversal, Outer, Universal"; got != want {
		t.Errorf("groups of a TGT: got %s, want %s", got, want)
	}
	for _, g := range global {
		if g.Attributes != 7 {
			t.Errorf("%v: attributes %#x, want 0x7", g.SID, g.Attributes)
		}
	}
	sids := append([]security.SID{host.SID}, sidsOf(global)...)
	resource := w.dc.ResourceGroups(sids)
	if got, want := w.names(sidsOf(resource)), "Local, LocalOfLocal, LocalOfOuter"; got != want {
		t.Errorf("groups of a service ticket: got %s, want %s", got, want)
	}
	if resource[0].Attributes != 0x20000007 {
		t.Errorf("attributes of a resource group: got %#x, want 0x20000007", resource[0].Attributes)
	}
	if got, want := w.names(sidsOf(child.ResourceGroups(sids))), "FarLocal"; got != want {
		t.Errorf("in the other domain: got %s, want %s", got, want)
	}
	// An old TGT does not have a group that the host has left or joined since: the SIDs decide, not the directory.
	if got := w.names(sidsOf(w.dc.ResourceGroups([]security.SID{host.SID}))); got != "Local, LocalOfLocal" {
		t.Errorf("of the account's SID alone: got %s, want Local, LocalOfLocal", got)
	}
	token := w.dc.Token(host.SID, append(sids[1:], sidsOf(resource)...))
	for _, sid := range append(sids, security.Everyone, security.Network, security.AuthenticatedUsers, security.BuiltinAdministrators, security.BuiltinUsers) {
		if !token.Has(sid) {
			t.Errorf("token: %v is missing", sid)
		}
	}
	if want := w.f.Domains()[0].SID.Append(515); token.PrimaryGroup != want {
		t.Errorf("primary group: got %v, want %v", token.PrimaryGroup, want)
	}
	fresh := *w.dc.TokenFor(host)
	fresh.Groups = slices.Clone(fresh.Groups)
	slices.SortFunc(fresh.Groups, func(a, b security.SID) int { return strings.Compare(a.String(), b.String()) })
	slices.SortFunc(token.Groups, func(a, b security.SID) int { return strings.Compare(a.String(), b.String()) })
	if !slices.Equal(fresh.Groups, token.Groups) {
		t.Errorf("token of a fresh logon: got %s, want %s", w.names(fresh.Groups), w.names(token.Groups))
	}
	e, err := w.read(w.dc, System(), host.DN, "tokenGroups", "tokenGroupsGlobalAndUniversal", "tokenGroupsNoGCAcceptable", "memberOf", "msDS-PrincipalName")
	w.must(err)
	for name, want := range map[string]int{"tokenGroups": 9, "tokenGroupsGlobalAndUniversal": 5, "tokenGroupsNoGCAcceptable": 8} {
		if got := len(e.Values(name)); got != want {
			var sids []security.SID
			for _, b := range e.Values(name) {
				s, _ := security.SIDFromBytes(b)
				sids = append(sids, s)
			}
			t.Errorf("%s: got %d: %s, want %d", name, got, w.names(sids), want)
		}
	}
	if got := e.Value("msDS-PrincipalName"); got != `CONTOSO\Host01$` {
		t.Errorf("msDS-PrincipalName: got %s", got)
	}
	if got := w.value("CN=Direct,CN=Users,"+base, "primaryGroupToken"); got == "" || got == "0" {
		t.Errorf("primaryGroupToken: got %q, want the RID", got)
	}
}

func TestNestingInCircles(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice")
	w.group("A", secGlobal, alice)
	w.group("B", secGlobal)
	w.member("B", "CN=A,CN=Users,"+base)
	w.member("A", "CN=B,CN=Users,"+base)
	if got, want := w.names(sidsOf(w.dc.GlobalGroups(alice))), "Domain Users, A, B"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGroupScopes(t *testing.T) {
	w := newWorld(t, childDomain)
	w.user("alice")
	child := w.f.Domains()[1].DCs()[0]
	scopes := map[string]uint32{"global": secGlobal, "local": secLocal, "universal": secUniversal}
	far := "CN=Users,DC=child,DC=contoso,DC=com"
	w.must(child.Add(context.Background(), System(), "CN=dora,"+far, userAttributes("dora")))
	for name, typ := range scopes {
		w.group("in-"+name, typ)
		w.group("of-"+name, typ)
		w.must(child.Add(context.Background(), System(), "CN=far-"+name+","+far, []Attribute{Text("objectClass", "group"), Text("sAMAccountName", "far-"+name),
			{Name: "groupType", Values: [][]byte{intValue(int64(int32(typ)))}}}))
	}
	admin := w.as("Administrator")
	for _, c := range []struct {
		group, member string
		code          uint32
	}{
		{"of-global", "alice", 0}, {"of-global", "in-global", 0}, {"of-global", "in-local", 0x2144}, {"of-global", "in-universal", 0x2145},
		{"of-global", "dora", 0x2147}, {"of-global", "far-global", 0x2147},
		{"of-universal", "alice", 0}, {"of-universal", "in-global", 0}, {"of-universal", "in-universal", 0}, {"of-universal", "in-local", 0x2146},
		{"of-universal", "dora", 0}, {"of-universal", "far-global", 0}, {"of-universal", "far-universal", 0}, {"of-universal", "far-local", 0x2146},
		{"of-local", "alice", 0}, {"of-local", "in-global", 0}, {"of-local", "in-local", 0}, {"of-local", "in-universal", 0},
		{"of-local", "dora", 0}, {"of-local", "far-universal", 0}, {"of-local", "far-local", 0x2148},
		{"of-global", "of-global", 0x56C}, {"of-local", "of-local", 0x56C},
	} {
		dn := "CN=" + c.member + ",CN=Users," + base
		if strings.HasPrefix(c.member, "far") || c.member == "dora" {
			dn = "CN=" + c.member + "," + far
		}
		result := 0
		if c.code != 0 {
			result = 53
		}
		wantCode(t, c.member+" into "+c.group, w.modify(admin, "CN="+c.group+",CN=Users,"+base, ModAdd, Text("member", dn)), result, c.code)
	}
	alice := "CN=alice,CN=Users," + base
	wantCode(t, "into its primary group", w.modify(admin, "CN=Domain Users,CN=Users,"+base, ModAdd, Text("member", alice)), 68, 0x562)
	wantCode(t, "twice", w.modify(admin, "CN=of-global,CN=Users,"+base, ModAdd, Text("member", alice)), 68, 0x562)
	wantCode(t, "removed", w.modify(admin, "CN=of-global,CN=Users,"+base, ModDelete, Text("member", alice)), 0, 0)
	wantCode(t, "removed twice", w.modify(admin, "CN=of-global,CN=Users,"+base, ModDelete, Text("member", alice)), 53, 0x561)
}

func TestGroupTypeChanges(t *testing.T) {
	w := newWorld(t)
	w.group("inner", secGlobal)
	w.group("outer", secGlobal)
	w.member("outer", "CN=inner,CN=Users,"+base)
	w.group("local", secLocal)
	admin := w.as("Administrator")
	typ := func(t uint32) Attribute {
		return Attribute{Name: "groupType", Values: [][]byte{intValue(int64(int32(t)))}}
	}
	for _, c := range []struct {
		group string
		to    uint32
		code  uint32
	}{
		{"inner", secUniversal, 0x2141}, // a global group has it as a member
		{"outer", secLocal, 0x2141},     // never directly
		{"outer", secUniversal, 0},
		{"inner", secUniversal, 0},
		{"outer", secGlobal, 0x2145}, // a universal member
		{"outer", secLocal, 0},
		{"local", groupDomainLocal, 0},
		{"local", secLocal | groupGlobal, 0x2141},
		{"local", groupSecurity, 0x2141},
		{"local", secLocal | groupBuiltin, 0x2141},
	} {
		result := 0
		if c.code != 0 {
			result = 53
		}
		wantCode(t, c.group, w.modify(admin, "CN="+c.group+",CN=Users,"+base, ModReplace, typ(c.to)), result, c.code)
	}
	if got := w.value("CN=local,CN=Users,"+base, "sAMAccountType"); got != "536870913" {
		t.Errorf("sAMAccountType of a distribution group: got %s, want 536870913", got)
	}
}

func TestPrimaryGroup(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice")
	w.group("Staff", secGlobal, alice)
	w.group("Local", secLocal, alice)
	admin, dn := w.as("Administrator"), "CN=alice,CN=Users,"+base
	rid := func(name string) Attribute {
		v := w.dc.view()
		return Attribute{Name: "primaryGroupID", Values: [][]byte{intValue(int64(v.bySAM(name).sid.RID()))}}
	}
	wantCode(t, "domain-local", w.modify(admin, dn, ModReplace, rid("Local")), 53, 0x57)
	wantCode(t, "not a member", w.modify(admin, dn, ModReplace, rid("Domain Guests")), 53, 0x561)
	wantCode(t, "a member", w.modify(admin, dn, ModReplace, rid("Staff")), 0, 0)
	if got, want := w.names(sidsOf(w.dc.GlobalGroups(w.account("alice")))), "Staff, Domain Users"; got != want {
		t.Errorf("groups: got %s, want %s", got, want)
	}
	e, err := w.read(w.dc, System(), "CN=Staff,CN=Users,"+base, "member")
	w.must(err)
	if n := len(e.Values("member")); n != 0 {
		t.Errorf("members of the primary group: got %d, want none", n)
	}
	wantCode(t, "leaves its primary group", w.modify(admin, "CN=Staff,CN=Users,"+base, ModDelete, Text("member", dn)), 53, 0x561)
}

func TestSelfMembership(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice")
	w.user("bob")
	w.group("Open", secGlobal)
	dn := "CN=Open,CN=Users," + base
	v := w.dc.view()
	sd := *v.byName(dn).sd.get()
	acl := *sd.DACL
	acl.ACEs = append([]security.ACE{{Type: security.AccessAllowedObject, Mask: security.RightSelf, SID: security.AuthenticatedUsers,
		HasObjectType: true, ObjectType: security.MustGUID("bf9679c0-0de6-11d0-a285-00aa003049e2")}}, acl.ACEs...)
	acl.Revision = security.ACLRevisionDS
	sd.DACL = &acl
	w.must(w.modify(System(), dn, ModReplace, Attribute{Name: "nTSecurityDescriptor", Values: [][]byte{sd.Marshal()}}))
	c := w.as("alice")
	wantCode(t, "somebody else", w.modify(c, dn, ModAdd, Text("member", "CN=bob,CN=Users,"+base)), 50, 0x2098)
	wantCode(t, "oneself", w.modify(c, dn, ModAdd, Text("member", alice.DN)), 0, 0)
	wantCode(t, "oneself out again", w.modify(c, dn, ModDelete, Text("member", alice.DN)), 0, 0)
}

// TestTokenInAnotherDomain signs a child's account in at the root: its own domain's groups and the root's local ones.
func TestTokenInAnotherDomain(t *testing.T) {
	w := newWorld(t, childDomain)
	ctx := context.Background()
	child := w.f.Domains()[1].DCs()[0]
	far := "CN=Users,DC=child,DC=contoso,DC=com"
	w.must(child.Add(ctx, System(), "CN=dora,"+far, userAttributes("dora")))
	w.must(child.Add(ctx, System(), "CN=Staff,"+far, []Attribute{Text("objectClass", "group"), Text("sAMAccountName", "Staff"), Text("groupType", "-2147483646"), Text("member", "CN=dora,"+far)}))
	w.must(child.Add(ctx, System(), "CN=FarLocal,"+far, []Attribute{Text("objectClass", "group"), Text("sAMAccountName", "FarLocal"), Text("groupType", "-2147483644"), Text("member", "CN=dora,"+far)}))
	w.group("Local", secLocal)
	w.member("Local", "CN=Staff,"+far)
	dora, err := w.dc.AccountByBindName(`CHILD\dora`)
	w.must(err)
	if got, want := w.names(w.dc.TokenFor(dora).Groups), "Domain Users, Staff, Local, S-1-1-0, S-1-5-2, S-1-5-11, Users, Pre-Windows 2000 Compatible Access"; got != want {
		t.Errorf("at the root: got %s, want %s", got, want)
	}
	if got, want := w.names(sidsOf(w.dc.GlobalGroups(dora))), "Domain Users, Staff"; got != want {
		t.Errorf("global groups: got %s, want %s", got, want)
	}
	if got := w.names(child.TokenFor(dora).Groups); !strings.Contains(got, "FarLocal") || strings.Contains(got, ", Local") {
		t.Errorf("in its own domain: got %s, want FarLocal and not Local", got)
	}
	dc, err := w.dc.AccountByName(Principal, "DC01$")
	w.must(err)
	if token := w.dc.TokenFor(dc); !token.Has(security.EnterpriseDCs) || !token.Has(w.f.Domains()[0].SID.Append(516)) {
		t.Errorf("of a domain controller: got %s, want Enterprise and Domain Controllers", w.names(token.Groups))
	}
}

// TestTokensAreShared: logons have one token as long as nothing changes, and another one after every change, Restore included.
func TestTokensAreShared(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	alice := w.user("alice")
	w.group("A", secGlobal)
	before := w.f.Snapshot()
	alice.LogonSucceeded(ctx) // sets lastLogonTimestamp, which is replicated
	first := w.dc.TokenFor(alice)
	alice.LogonSucceeded(ctx)
	if w.dc.TokenFor(alice) != first {
		t.Error("a second logon got another token")
	}
	w.member("A", alice.DN)
	if got := w.names(w.dc.TokenFor(alice).Groups); !strings.HasPrefix(got, "Domain Users, A, ") {
		t.Errorf("as a member: got %s", got)
	}
	w.f.Restore(before)
	w.group("B", secGlobal)
	if got := w.names(w.dc.TokenFor(alice).Groups); strings.Contains(got, "A,") || len(w.dc.TokenFor(alice).Groups) != len(first.Groups) {
		t.Errorf("restored: got %s, want no A", got)
	}
	for i := range maxTokens + 1 {
		a := w.user(fmt.Sprintf("u%d", i))
		if w.dc.TokenFor(a).User != a.SID {
			t.Errorf("%s has somebody else's token", a.SAMAccountName)
		}
	}
}
