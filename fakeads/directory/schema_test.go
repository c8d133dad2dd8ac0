package directory

import (
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

func TestSchemaIsInStep(t *testing.T) {
	s := theSchema()
	for i := range s.attrs {
		a := &s.attrs[i]
		if a.id != attrID(i) || s.attr(a.name) != a || s.attr(a.oid) != a || s.attr(strings.ToUpper(a.name)) != a {
			t.Errorf("%s: lookup by name, OID or another case fails", a.name)
		}
		if i > 0 && attrType(a.oid) < attrType(s.attrs[i-1].oid) {
			t.Errorf("%s comes after %s, against the order of ATTRTYPs", a.name, s.attrs[i-1].name)
		}
		if a.forwardLink && a.partner != 0 && s.def(a.partner).partner != a.id {
			t.Errorf("%s and %s are no pair", a.name, s.def(a.partner).name)
		}
	}
	// A sample of the names that attrids.go gives to the positions.
	for id, name := range map[attrID]string{
		aObjectClass: "objectClass", aCn: "cn", aSAMAccountName: "sAMAccountName", aMsDSManagedPasswordId: "msDS-ManagedPasswordId", aMember: "member",
		aMsDSGroupMSAMembership: "msDS-GroupMSAMembership", aMsKdsRootKeyData: "msKds-RootKeyData", numAttributes - 1: s.attrs[numAttributes-1].name,
	} {
		if got := s.def(id).name; got != name {
			t.Errorf("attribute %d: got %s, want %s", id, got, name)
		}
	}
}

func TestSchemaFacts(t *testing.T) {
	s := theSchema()
	for name, want := range map[string]uint32{"servicePrincipalName": 0x90303, "userPrincipalName": 0x90290, "cn": 3, "nTSecurityDescriptor": 0x20119} {
		if got := s.attr(name).prefixed(); got != want {
			t.Errorf("ATTRTYP of %s: got %x, want %x", name, got, want)
		}
	}
	gmsa := s.class("msds-groupmanagedserviceaccount")
	var chain []string
	for _, c := range gmsa.chain {
		chain = append(chain, c.name)
	}
	if want := []string{"top", "person", "organizationalPerson", "user", "computer", "msDS-GroupManagedServiceAccount"}; !slices.Equal(chain, want) {
		t.Errorf("classes of a gMSA: got %v, want %v", chain, want)
	}
	if gmsa.guid != security.MustGUID("7b8b558a-93a5-4af7-adca-c017e67f1057") || gmsa.defaultCategory != gmsa {
		t.Errorf("gMSA: got GUID %v and category %s", gmsa.guid, gmsa.defaultCategory.name)
	}
	for _, parent := range []string{"container", "organizationalUnit", "domainDNS", "computer"} {
		if !gmsa.mayBeUnder(s.class(parent)) {
			t.Errorf("a gMSA may not be under %s", parent)
		}
	}
	if !slices.Contains(gmsa.must, aMsDSManagedPasswordInterval) || !slices.Contains(gmsa.must, aSAMAccountName) {
		t.Errorf("gMSA must have %v", gmsa.must)
	}
	if c := s.class("user"); c.defaultCategory.name != "person" || !slices.Contains(c.structurals, gmsa) {
		t.Errorf("user: category %s", c.defaultCategory.name)
	}
	key := s.attr("msKds-RootKeyData")
	if !key.confidential || !key.single || key.rangeUpper != 128 {
		t.Errorf("msKds-RootKeyData: got %+v", key)
	}
	for _, c := range s.classes {
		if c.sddl != "" && c.defaultSD() == nil {
			t.Errorf("%s: no default descriptor", c.name)
		}
	}
}

func TestAggregate(t *testing.T) {
	f := newForest(t, contosoConfig())
	e := mustGet(t, f.DC("DC01"), "CN=Aggregate,CN=Schema,CN=Configuration,"+contosoDN, "attributeTypes", "objectClasses", "dITContentRules", "extendedAttributeInfo", "extendedClassInfo")
	if len(e.Attributes) != 5 || len(e.Values("attributeTypes;range=0-1499")) == 0 && len(e.Values("attributeTypes")) != int(numAttributes) {
		t.Fatalf("subschema: got %d attributes", len(e.Attributes))
	}
	want := "( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' SINGLE-VALUE )"
	if !slices.ContainsFunc(e.Values("attributeTypes"), func(v []byte) bool { return string(v) == want }) {
		t.Errorf("attributeTypes lacks %s", want)
	}
}

func TestCanonicalValues(t *testing.T) {
	s := theSchema()
	for _, c := range []struct {
		attr, in, want string
		ok             bool
	}{
		{"countryCode", "007", "7", true}, {"userAccountControl", "4294967295", "-1", true}, {"userAccountControl", "4294967296", "", false}, {"countryCode", "x", "", false},
		{"accountExpires", "+5", "5", true}, {"accountExpires", "99999999999999999999", "", false},
		{"isDeleted", "true", "TRUE", true}, {"isDeleted", "yes", "", false},
		{"lastKnownParent", "cn=x , dc=Contoso,dc=com", "CN=x,DC=Contoso,DC=com", true}, {"lastKnownParent", "x", "", false},
		{"wellKnownObjects", "B:4:00fF:cn=x,dc=com", "B:4:00FF:CN=x,DC=com", true}, {"wellKnownObjects", "B:4:00f:cn=x", "", false},
		{"objectClass", "USER", "user", true}, {"objectClass", "1.2.840.113556.1.5.9", "user", true}, {"objectClass", "no class", "", false},
		{"whenCreated", "20190503100000Z", "20190503100000.0Z", true}, {"whenCreated", "190503100000Z", "20190503100000.0Z", true}, {"whenCreated", "soon", "", false},
		{"objectSid", "S-1-5-32-544", "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00", true}, {"objectSid", "S-1", "", false},
		{"cn", "\xff", "", false}, {"loginShell", "ü", "", false}, {"msDS-GroupMSAMembership", "abc", "", false},
	} {
		got, ok := s.attr(c.attr).canonical(s, []byte(c.in))
		if ok != c.ok || ok && string(got) != c.want {
			t.Errorf("%s %q: got %q, %v, want %q, %v", c.attr, c.in, got, ok, c.want, c.ok)
		}
	}
}
