package intake

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/ldif"
)

// kind is what an object is to the world.
type kind string

const (
	domainHead     kind = "domain"
	crossRef       kind = "cross-reference"
	rootKey        kind = "KDS root key"
	computer       kind = "computer"
	controller     kind = "domain controller"
	group          kind = "group"
	user           kind = "user"
	serviceAccount kind = "service account"
)

// classes are the kinds of structural classes, the special ones first: a gMSA is a computer and a user too.
var classes = []struct {
	class string
	kind  kind
}{
	{"msDS-GroupManagedServiceAccount", serviceAccount}, {"msKds-ProvRootKey", rootKey}, {"crossRef", crossRef}, {"domainDNS", domainHead},
	{"computer", computer}, {"group", group}, {"user", user},
}

// wanted are the attributes that the world is made of, by lower-case name.
var wanted = func() map[string]bool {
	m := map[string]bool{}
	for _, a := range strings.Fields(`objectClass objectSid objectGUID cn name sAMAccountName userAccountControl servicePrincipalName
		msDS-SupportedEncryptionTypes dNSHostName operatingSystem operatingSystemVersion pwdLastSet whenChanged whenCreated primaryGroupID accountExpires
		lockoutTime userPrincipalName member memberOf groupType msDS-GroupMSAMembership msDS-ManagedPasswordInterval msDS-ManagedPasswordId
		msDS-AllowedToDelegateTo msKds-UseStartTime msKds-CreateTime msKds-DomainID nCName nETBIOSName dnsRoot lastLogonTimestamp distinguishedName`) {
		m[strings.ToLower(a)] = true
	}
	return m
}()

// value is one value of an object.
type value struct {
	data []byte
	line int
}

// object is an entry of the export with what the world needs of it.
type object struct {
	kind kind
	name dn.DN
	line int
	attr map[string][]value // by lower-case name
	// more tells that the server has given the beginning of member only.
	more bool
}

func (o *object) text(name string) string {
	if v := o.attr[strings.ToLower(name)]; len(v) > 0 {
		return string(v[0].data)
	}
	return ""
}

func (o *object) texts(name string) (list []string) {
	for _, v := range o.attr[strings.ToLower(name)] {
		list = append(list, string(v.data))
	}
	return list
}

// at is the line of an attribute, that of the object when it is not there.
func (o *object) at(name string) int {
	if v := o.attr[strings.ToLower(name)]; len(v) > 0 {
		return v[0].line
	}
	return o.line
}

func (o *object) has(name string) bool { return len(o.attr[strings.ToLower(name)]) > 0 }

// number reads an integer, which directories write with a sign; ok is false without one.
func (o *object) number(name string) (n int64, ok bool) {
	n, err := strconv.ParseInt(o.text(name), 10, 64)
	return n, err == nil
}

func (o *object) bits(name string) uint32 {
	n, _ := o.number(name)
	return uint32(n)
}

// fileTime reads a time in units of 100 ns since 1601.
func (o *object) fileTime(name string) time.Time { return fileTime(o.text(name)) }

func fileTime(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n >= 1<<62 {
		return time.Time{}
	}
	const to1970 = 11644473600
	return time.Unix(n/1e7-to1970, n%1e7*100).UTC()
}

// generalized reads a time as LDAP writes it, 20190503100000.0Z.
func (o *object) generalized(name string) time.Time {
	t, err := time.Parse("20060102150405.0Z", o.text(name))
	if err != nil {
		t, _ = time.Parse("20060102150405Z", o.text(name))
	}
	return t
}

func (o *object) sid() (security.SID, bool) {
	v := o.attr["objectsid"]
	if len(v) == 0 {
		return security.SID{}, false
	}
	sid, err := security.SIDFromBytes(v[0].data)
	if err != nil { // some tools write it as text
		sid, err = security.ParseSID(string(v[0].data))
	}
	return sid, err == nil
}

// account is sAMAccountName without the final $.
func (o *object) account() string { return strings.TrimSuffix(o.sam(), "$") }

// shown is the name as people write it: cn has its case, sAMAccountName of a computer has not.
func (o *object) shown() string {
	if cn := o.text("cn"); strings.EqualFold(cn, o.account()) {
		return cn
	}
	return o.account()
}

// sam is sAMAccountName, or what it most likely is.
func (o *object) sam() string {
	if s := o.text("sAMAccountName"); s != "" {
		return s
	}
	_, v := o.name.RDN()
	return v
}

// A export is the objects of a file.
type export struct {
	objects []*object
	byDN    map[string]*object // by [dn.DN.Key]
	bySID   map[string]*object
	// says has the attributes that some object of a kind has: where one has none, the directory has none.
	says map[kind]map[string]bool
	// newest is the latest time that an entry names, and newestAt its line.
	newest   time.Time
	newestAt int
	domains  map[string]int // entries by the domain part of their names
}

// readExport reads the objects of a file.
func readExport(r io.Reader, limits ldif.Limits, report *Report) (*export, error) {
	x := &export{byDN: map[string]*object{}, bySID: map[string]*object{}, says: map[kind]map[string]bool{}, domains: map[string]int{}}
	attributes, kinds := map[string]int{}, map[string]int{}
	in := ldif.NewReader(r, limits)
	for {
		e, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		report.Entries++
		if err := x.add(e, attributes, kinds, report); err != nil {
			return nil, err
		}
	}
	report.Lines = in.Line()
	for _, n := range in.Notes() {
		report.warn(n.Line, "%s", term(n.Text))
	}
	report.IgnoredAttributes, report.IgnoredClasses = tally(attributes), tally(kinds)
	if report.Entries == 0 {
		return nil, errors.New("there is no entry in the file")
	}
	return x, nil
}

func (x *export) add(e *ldif.Entry, attributes, kinds map[string]int, report *Report) error {
	if e.DN == "" {
		return nil // the root DSE
	}
	name, err := dn.Parse(e.DN)
	if err != nil {
		return &ldif.Error{Line: e.Line, Kind: ldif.ErrSyntax, Problem: fmt.Sprintf("%q is no distinguished name: %v", e.DN, err)}
	}
	x.domains[name.DNSName()]++
	o := &object{name: name, line: e.Line, attr: map[string][]value{}}
	var class string
	for i := range e.Values {
		v := &e.Values[i]
		key := strings.ToLower(v.Attribute)
		if !wanted[key] {
			continue
		}
		if key == "objectclass" {
			class = string(v.Data)
		}
		if key == "member" && strings.HasPrefix(strings.ToLower(v.Options), "range=") {
			o.more = !strings.HasSuffix(v.Options, "*")
		}
		o.attr[key] = append(o.attr[key], value{append([]byte(nil), v.Data...), v.Line})
	}
	x.clock(o)
	o.kind = kindOf(o)
	if o.kind == "" {
		if class == "" {
			class = "without objectClass"
		}
		kinds[class]++
		return nil
	}
	for _, v := range e.Values {
		if !wanted[strings.ToLower(v.Attribute)] {
			attributes[v.Attribute]++
		}
	}
	if other := x.byDN[name.Key()]; other != nil {
		return &ldif.Error{Line: e.Line, Kind: ldif.ErrSyntax, Problem: fmt.Sprintf("%s is there a second time; line %d has it too", e.DN, other.line)}
	}
	x.byDN[name.Key()] = o
	if sid, ok := o.sid(); ok {
		x.bySID[sid.String()] = o
	} else if o.has("objectSid") {
		report.ignore(o.at("objectSid"), "objectSid that is none")
	}
	said := x.says[o.kind]
	if said == nil {
		said = map[string]bool{}
		x.says[o.kind] = said
	}
	for a := range o.attr {
		said[a] = true
	}
	delete(o.attr, "objectclass")
	if o.kind == user { // there are many, and most of them are nobody's concern
		delete(o.attr, "memberof")
		delete(o.attr, "distinguishedname")
	}
	x.objects = append(x.objects, o)
	return nil
}

// clock looks for the newest time. whenChanged has whole seconds, cut off.
func (x *export) clock(o *object) {
	see := func(t time.Time, attribute string) {
		if t.After(x.newest) {
			x.newest, x.newestAt = t, o.at(attribute)
		}
	}
	for _, a := range []string{"whenChanged", "whenCreated"} {
		if t := o.generalized(a); !t.IsZero() {
			see(t.Add(time.Second), a)
		}
	}
	for _, a := range []string{"pwdLastSet", "msKds-CreateTime", "lastLogonTimestamp"} {
		see(o.fileTime(a), a)
	}
}

// kindOf tells the kind by objectClass, and when the export does not have it by attributes that only one class has.
func kindOf(o *object) kind {
	has := map[string]bool{}
	for _, c := range o.texts("objectClass") {
		has[strings.ToLower(c)] = true
	}
	k := kind("")
	for _, c := range classes {
		if has[strings.ToLower(c.class)] {
			k = c.kind
			break
		}
	}
	if len(has) == 0 {
		attr, _ := o.name.RDN()
		switch {
		case o.has("msDS-ManagedPasswordInterval"), o.has("msDS-GroupMSAMembership"), o.has("msDS-ManagedPasswordId"):
			k = serviceAccount
		case o.has("groupType"), o.has("member"):
			k = group
		case o.has("msKds-UseStartTime"), o.has("msKds-CreateTime"):
			k = rootKey
		case o.has("nETBIOSName"):
			k = crossRef
		case strings.EqualFold(attr, "DC"):
			k = domainHead
		case o.has("operatingSystem"), strings.HasSuffix(o.text("sAMAccountName"), "$"):
			k = computer
		case o.has("sAMAccountName"):
			k = user
		}
	}
	if k == computer && isController(o) {
		k = controller
	}
	return k
}

// isController tells domain controllers by SERVER_TRUST_ACCOUNT ([MS-ADTS] 2.2.16), by their primary group, or by where they are.
func isController(o *object) bool {
	const serverTrust, partialSecrets = 0x2000, 0x4000000
	rid, _ := o.number("primaryGroupID")
	_, ou := o.name.Parent().RDN()
	return o.bits("userAccountControl")&(serverTrust|partialSecrets) != 0 || rid == security.RIDDomainControllers || rid == security.RIDReadOnlyDomainControllers ||
		strings.EqualFold(ou, "Domain Controllers") && !o.has("userAccountControl")
}
