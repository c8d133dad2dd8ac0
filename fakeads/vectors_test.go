package fakeads

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// readVectors reads testdata/vectors/name.json.
func readVectors(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "vectors", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

type adConstants struct {
	SPNMappings struct {
		DN          string
		HostAliases []string `json:"host_aliases"`
	} `json:"spn_mappings"`
	SupportedControl []struct{ OID string } `json:"supported_control"`
	Capabilities     map[string]string      `json:"supported_capabilities"`
	SASL             []string               `json:"supported_sasl"`
	LDAPVersion      []string               `json:"supported_ldap_version"`
	LDAPPolicies     []string               `json:"supported_ldap_policies"`
	Extended         map[string]string      `json:"extended_operations"`
	RootDSEOrder     []string               `json:"rootdse_order"`
	WellKnown        map[string]string      `json:"well_known_guids"`
	SIDs             map[string]string      `json:"sid_bytes"`
	GUIDs            map[string]string      `json:"guid_bytes_le"`
	FILETIMEs        map[string]uint64      `json:"filetime"`
	UAC              map[string]uint32
	DSFlags          map[string]uint32 `json:"ds_server_flags"`
}

func texts(values [][]byte) []string {
	list := []string{}
	for _, v := range values {
		list = append(list, string(v))
	}
	return list
}

func keysOf[V any](m map[string]V) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// TestRootDSEVectors compares the root DSE with that of a Windows Server 2019 domain controller, in its order.
func TestRootDSEVectors(t *testing.T) {
	var v adConstants
	readVectors(t, "ad_constants", &v)
	w := newWorld(t, nil)
	p := w.pipe()
	read := func(attrs ...string) *directory.Entry {
		_, entries := p.collect(searchOp("", directory.BaseObject, present("objectClass"), attrs...))
		if len(entries) != 1 {
			t.Fatalf("got %d entries, want the root DSE", len(entries))
		}
		return &directory.Entry{Attributes: entries[0].attrs}
	}
	root := read()
	var names []string
	for _, a := range root.Attributes {
		names = append(names, a.Name)
	}
	var want []string
	for _, line := range v.RootDSEOrder {
		name, value, single := strings.Cut(line, ": ")
		if !single {
			var count string
			name, count, _ = strings.Cut(line, " (")
			n, err := strconv.Atoi(strings.TrimSuffix(count, ")"))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(root.Values(name)); got != n && name != "namingContexts" { // DNS partitions of the forest are not modelled
				t.Errorf("%s: got %d values, want %d", name, got, n)
			}
		} else if prefix, cut := strings.CutSuffix(value, "..."); cut {
			if got := root.Value(name); !strings.HasPrefix(got, prefix) {
				t.Errorf("%s: got %q, want %q and more", name, got, prefix)
			}
		} else if got := root.Value(name); !strings.EqualFold(got, value) && name != "highestCommittedUSN" && name != "currentTime" {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
		want = append(want, name)
	}
	if !slices.Equal(names, want) {
		t.Errorf("order: got %v, want %v", names, want)
	}
	var controls []string
	for _, c := range v.SupportedControl {
		controls = append(controls, c.OID)
	}
	for attr, want := range map[string][]string{"supportedControl": controls, "supportedSASLMechanisms": v.SASL, "supportedLDAPVersion": v.LDAPVersion,
		"supportedLDAPPolicies": v.LDAPPolicies} {
		if got := texts(root.Values(attr)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", attr, got, want)
		}
	}
	if got := texts(root.Values("supportedCapabilities")); !slices.Equal(slices.Sorted(slices.Values(got)), keysOf(v.Capabilities)) {
		t.Errorf("supportedCapabilities: got %v, want %v", got, keysOf(v.Capabilities))
	}
	// Only on request.
	if got := texts(read("supportedExtension").Values("supportedExtension")); !slices.Equal(slices.Sorted(slices.Values(got)), keysOf(v.Extended)) {
		t.Errorf("supportedExtension: got %v, want %v", got, keysOf(v.Extended))
	}
}

func TestDirectoryConstants(t *testing.T) {
	var v adConstants
	readVectors(t, "ad_constants", &v)
	w := newWorld(t, nil)
	get := func(dn string, attrs ...string) *directory.Entry {
		e, err := w.dc.Get(t.Context(), directory.System(), dn, attrs...)
		if err != nil {
			t.Fatalf("%s: %v", dn, err)
		}
		return e
	}
	ds := get(strings.Replace(v.SPNMappings.DN, "<configuration NC>", "CN=Configuration,"+contoso, 1), "sPNMappings")
	if got, want := texts(ds.Values("sPNMappings")), "host="+strings.Join(v.SPNMappings.HostAliases, ","); len(got) != 1 || got[0] != want {
		t.Errorf("sPNMappings: got %q, want %q", got, want)
	}
	head := get(contoso, "wellKnownObjects", "otherWellKnownObjects")
	known := map[string]bool{}
	for _, value := range append(texts(head.Values("wellKnownObjects")), texts(head.Values("otherWellKnownObjects"))...) {
		guid, dn, ok := strings.Cut(strings.TrimPrefix(value, "B:32:"), ":")
		if !ok || !strings.HasPrefix(value, "B:32:") {
			t.Errorf("well-known object: got %q, want B:32:GUID:DN", value)
		}
		known[strings.ToUpper(guid)] = true
		if guid != v.WellKnown["deleted_objects"] { // that one is hidden
			get(dn, "objectClass")
		}
	}
	for name, guid := range v.WellKnown {
		if !known[guid] {
			t.Errorf("well-known object %s: none has %s", name, guid)
		}
	}
	for sid, want := range v.SIDs {
		s, err := security.ParseSID(sid)
		if err != nil || hex.EncodeToString(s.Bytes()) != want {
			t.Errorf("%s: got %x, %v, want %s", sid, s.Bytes(), err, want)
		}
	}
	for guid, want := range v.GUIDs {
		g, err := security.ParseGUID(guid)
		if err != nil || hex.EncodeToString(g[:]) != want {
			t.Errorf("%s: got %x, %v, want %s", guid, g[:], err, want)
		}
	}
	for text, n := range v.FILETIMEs {
		want, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := kds.FILETIME(n).Time(); !got.Truncate(time.Second).Equal(want) {
			t.Errorf("FILETIME %d: got %v, want %v", n, got, want)
		}
	}
	for name, got := range map[string]uint32{"ACCOUNTDISABLE": uacDisabled, "TEMP_DUPLICATE_ACCOUNT": uacTempDup, "NORMAL_ACCOUNT": uacNormal,
		"INTERDOMAIN_TRUST_ACCOUNT": uacInterdomain, "WORKSTATION_TRUST_ACCOUNT": uacWorkstation, "SERVER_TRUST_ACCOUNT": uacServer} {
		if got != v.UAC[name] {
			t.Errorf("%s: got %#x, want %#x", name, got, v.UAC[name])
		}
	}
	for name, got := range map[string]uint32{"PDC": dsPDC, "GC": dsGC, "LDAP": dsLDAP, "DS": dsDS, "KDC": dsKDC, "TIMESERV": dsTimeServer, "CLOSEST": dsClosest,
		"WRITABLE": dsWritable, "GOOD_TIMESERV": dsGoodTime, "FULL_SECRET_DOMAIN_6": dsFullSecret, "ADS_WEB_SERVICE": dsWebService, "DS_8": ds2012, "DS_9": ds2012R2, "DS_10": ds2016} {
		if got != v.DSFlags[name] {
			t.Errorf("%s: got %#x, want %#x", name, got, v.DSFlags[name])
		}
	}
}

// TestSchemaVectors compares each class and attribute with the schema objects that a client would read.
func TestSchemaVectors(t *testing.T) {
	var v struct {
		Classes map[string]struct {
			OID, SubClassOf, GUID, CN string
			Category                  int
			DefaultObjectCategory     string
			Aux, Must, PossSuperiors  []string
			DefaultSD                 string
		}
		Attributes map[string]struct {
			OID, Syntax, GUID, PropertySet                     string
			OMSyntax, SearchFlags, SystemFlags                 int
			Single, Constructed, NotReplicated, GC, SystemOnly bool
			RangeLower, RangeUpper, LinkID                     *int
		}
	}
	readVectors(t, "schema_subset", &v)
	w := newWorld(t, nil)
	const schema = "CN=Schema,CN=Configuration," + contoso
	found := map[string]*directory.Entry{}
	page := &directory.Page{Size: 500}
	for {
		res, err := w.dc.Search(context.Background(), directory.System(), &directory.SearchRequest{Base: schema, Scope: directory.SingleLevel, Filter: filter.MustParse("(lDAPDisplayName=*)"),
			ExtendedDN: -1, Page: page}, func(e *directory.Entry) error {
			c := &directory.Entry{DN: e.DN}
			for _, a := range e.Attributes {
				c.Attributes = append(c.Attributes, directory.Attribute{Name: a.Name, Values: slices.Clone(a.Values)})
			}
			found[e.Value("lDAPDisplayName")] = c
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if page.Cookie = res.Cookie; len(page.Cookie) == 0 {
			break
		}
	}
	same := func(name, attr, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s: got %q, want %q", name, attr, got, want)
		}
	}
	guid := func(b string) string {
		g, err := security.GUIDFromBytes([]byte(b))
		if b == "" || err != nil {
			return b
		}
		return g.String()
	}
	number := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	// absent is the value of an attribute that schema objects leave out when it is the default.
	absent := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	boolean := func(b bool) string { return strings.ToUpper(strconv.FormatBool(b)) }
	lists := func(e *directory.Entry, attrs ...string) string {
		var list []string
		for _, a := range attrs {
			list = append(list, texts(e.Values(a))...)
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	// Empty descriptors are left out, and the source has a SID of one domain where the schema means that RID of any.
	defaultSD := func(sd string) string {
		if sd == "D:S:" {
			return ""
		}
		return strings.Replace(strings.ToLower(sd), "s-1-5-21-3516728528-1120570704-3572002616-498", "ro", 1)
	}
	sorted := func(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), " ") }
	for _, name := range keysOf(v.Classes) {
		c, e := v.Classes[name], found[name]
		if e == nil {
			t.Errorf("class %s: none", name)
			continue
		}
		same(name, "cn", e.Value("cn"), c.CN)
		same(name, "governsID", e.Value("governsID"), c.OID)
		same(name, "subClassOf", e.Value("subClassOf"), c.SubClassOf)
		same(name, "objectClassCategory", e.Value("objectClassCategory"), strconv.Itoa(c.Category))
		same(name, "schemaIDGUID", guid(e.Value("schemaIDGUID")), c.GUID)
		same(name, "defaultObjectCategory", e.Value("defaultObjectCategory"), strings.Replace(c.DefaultObjectCategory, "<forest root>", contoso, 1))
		same(name, "auxiliary classes", lists(e, "auxiliaryClass", "systemAuxiliaryClass"), sorted(c.Aux))
		same(name, "mandatory attributes", lists(e, "mustContain", "systemMustContain"), sorted(c.Must))
		superiors := slices.DeleteFunc(c.PossSuperiors, func(s string) bool { return found[s] == nil }) // classes that are not modelled
		same(name, "possible superiors", lists(e, "possSuperiors", "systemPossSuperiors"), sorted(superiors))
		same(name, "defaultSecurityDescriptor", strings.ToLower(e.Value("defaultSecurityDescriptor")), defaultSD(c.DefaultSD))
	}
	for _, name := range keysOf(v.Attributes) {
		a, e := v.Attributes[name], found[name]
		if e == nil {
			t.Errorf("attribute %s: none", name)
			continue
		}
		same(name, "attributeID", e.Value("attributeID"), a.OID)
		same(name, "attributeSyntax", e.Value("attributeSyntax"), a.Syntax)
		same(name, "oMSyntax", e.Value("oMSyntax"), strconv.Itoa(a.OMSyntax))
		same(name, "isSingleValued", e.Value("isSingleValued"), boolean(a.Single))
		same(name, "searchFlags", absent(e.Value("searchFlags"), "0"), strconv.Itoa(a.SearchFlags))
		same(name, "systemFlags", absent(e.Value("systemFlags"), "0"), strconv.Itoa(a.SystemFlags))
		same(name, "systemOnly", absent(e.Value("systemOnly"), "FALSE"), boolean(a.SystemOnly))
		same(name, "isMemberOfPartialAttributeSet", absent(e.Value("isMemberOfPartialAttributeSet"), "FALSE"), boolean(a.GC))
		same(name, "schemaIDGUID", guid(e.Value("schemaIDGUID")), a.GUID)
		same(name, "attributeSecurityGUID", guid(e.Value("attributeSecurityGUID")), a.PropertySet)
		same(name, "rangeLower", e.Value("rangeLower"), number(a.RangeLower))
		same(name, "rangeUpper", e.Value("rangeUpper"), number(a.RangeUpper))
		same(name, "linkID", e.Value("linkID"), number(a.LinkID))
		if flags, _ := strconv.Atoi(e.Value("systemFlags")); (flags&4 != 0) != a.Constructed || (flags&1 != 0) != a.NotReplicated {
			t.Errorf("%s: systemFlags %d, want constructed %t, not replicated %t", name, flags, a.Constructed, a.NotReplicated)
		}
	}
}
