package security

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrSDDL is wrapped by every error about a malformed SDDL string.
var ErrSDDL = errors.New("malformed SDDL")

// maxACL is the largest ACL its 16-bit size field can tell, in bytes.
const maxACL = 0xffff

// sidAliases are the two-letter names of fixed SIDs, [MS-DTYP] 2.5.1.1.
var sidAliases = map[string]SID{
	"AA": BuiltinDomain.Append(579),
	"AC": MustSID("S-1-15-2-1"),
	"AN": Anonymous,
	"AO": AccountOperators,
	"AS": AuthenticationAuthorityAssert,
	"AU": AuthenticatedUsers,
	"BA": BuiltinAdministrators,
	"BG": BuiltinGuests,
	"BO": BackupOperators,
	"BU": BuiltinUsers,
	"CD": BuiltinDomain.Append(574),
	"CG": CreatorGroup,
	"CO": CreatorOwner,
	"CY": BuiltinDomain.Append(569),
	"ED": EnterpriseDCs,
	"ER": BuiltinDomain.Append(573),
	"ES": BuiltinDomain.Append(576),
	"HA": BuiltinDomain.Append(578),
	"HI": MustSID("S-1-16-12288"),
	"IS": BuiltinDomain.Append(568),
	"IU": Interactive,
	"LS": LocalService,
	"LU": BuiltinDomain.Append(559),
	"LW": MustSID("S-1-16-4096"),
	"ME": MustSID("S-1-16-8192"),
	"MP": MustSID("S-1-16-8448"),
	"MS": BuiltinDomain.Append(577),
	"MU": BuiltinDomain.Append(558),
	"NO": BuiltinDomain.Append(556),
	"NS": NetworkService,
	"NU": Network,
	"OW": OwnerRights,
	"PO": PrintOperators,
	"PS": Self,
	"PU": BuiltinDomain.Append(547),
	"RA": BuiltinDomain.Append(575),
	"RC": MustSID("S-1-5-12"),
	"RD": BuiltinDomain.Append(555),
	"RE": BuiltinDomain.Append(552),
	"RM": BuiltinDomain.Append(580),
	"RU": PreWindows2000Access,
	"SI": MustSID("S-1-16-16384"),
	"SO": ServerOperators,
	"SS": ServiceAsserted,
	"SU": Service,
	"SY": System,
	"UD": MustSID("S-1-5-84-0-0-0-0-0"),
	"WD": Everyone,
	"WR": MustSID("S-1-5-33"),
}

// domainAliases are the names of accounts of the domain, rootAliases of those
// of the forest's root domain, by RID.
var (
	domainAliases = map[string]uint32{
		"AP": RIDProtectedUsers,
		"CA": RIDCertPublishers,
		"CN": RIDCloneableControllers,
		"DA": RIDDomainAdmins,
		"DC": RIDDomainComputers,
		"DD": RIDDomainControllers,
		"DG": RIDDomainGuests,
		"DU": RIDDomainUsers,
		"KA": RIDKeyAdmins,
		"LA": RIDAdministrator,
		"LG": RIDGuest,
		"PA": RIDGroupPolicyCreators,
		"RS": RIDRASServers,
	}
	rootAliases = map[string]uint32{
		"EA": RIDEnterpriseAdmins,
		"EK": RIDEnterpriseKeyAdmins,
		"RO": 498, // Enterprise Read-only Domain Controllers
		"SA": RIDSchemaAdmins,
	}
	aliasOfSID = invert(sidAliases)
	aliasOfRID = invert(domainAliases)
)

func invert[V comparable](m map[string]V) map[V]string {
	out := make(map[V]string, len(m))
	for k, v := range m {
		out[v] = k
	}
	return out
}

var aceTypes = map[string]byte{
	"A": AccessAllowed, "D": AccessDenied, "AU": SystemAudit,
	"OA": AccessAllowedObject, "OD": AccessDeniedObject, "OU": SystemAuditObject,
	"ML": systemMandatoryLabel,
}

var aceTypeNames = invert(aceTypes)

type named[T any] struct {
	name  string
	value T
}

// aceFlags and rights are in the order in which Windows writes them.
var aceFlags = []named[byte]{
	{"OI", ObjectInherit}, {"CI", ContainerInherit}, {"NP", NoPropagateInherit}, {"IO", InheritOnly},
	{"ID", Inherited}, {"SA", SuccessfulAccess}, {"FA", FailedAccess},
}

var rights = []named[AccessMask]{
	{"CC", RightCreateChild}, {"DC", RightDeleteChild}, {"LC", RightListChildren}, {"SW", RightSelf},
	{"RP", RightReadProperty}, {"WP", RightWriteProperty}, {"DT", RightDeleteTree}, {"LO", RightListObject},
	{"CR", RightControlAccess}, {"SD", RightDelete}, {"RC", RightReadControl}, {"WD", RightWriteDAC},
	{"WO", RightWriteOwner}, {"GA", GenericAll}, {"GR", GenericRead}, {"GW", GenericWrite}, {"GX", GenericExecute},
}

// rightSets are names for several bits, of files and registry keys. They are
// read and never written.
var rightSets = []named[AccessMask]{
	{"FA", 0x1F01FF}, {"FR", 0x120089}, {"FW", 0x120116}, {"FX", 0x1200A0},
	{"KA", 0xF003F}, {"KR", 0x20019}, {"KW", 0x20006}, {"KX", 0x20019},
	{"NW", 0x1}, {"NR", 0x2}, {"NX", 0x4},
}

// ParseSDDL reads the security descriptor definition language ([MS-DTYP]
// 2.5.1). Two-letter names of a domain's accounts (DA, DU…) are taken relative
// to domain, those of the forest root's (EA, SA…) relative to forestRoot; where
// the SID needed is zero, the name is an error. Conditional and
// resource-attribute entries are refused: they are not modelled.
func ParseSDDL(s string, domain, forestRoot SID) (*Descriptor, error) {
	if len(s) > maxDescriptor {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrSDDL, len(s), maxDescriptor)
	}
	p := sddlParser{s: s, domain: domain, root: forestRoot}
	d, err := p.descriptor()
	if err != nil {
		return nil, fmt.Errorf("%w: offset %d: %w", ErrSDDL, p.at, err)
	}
	return d, nil
}

// MustSDDL is ParseSDDL for constants without names of domain accounts; it
// panics on error.
func MustSDDL(s string) *Descriptor {
	d, err := ParseSDDL(s, SID{}, SID{})
	if err != nil {
		panic(err)
	}
	return d
}

type sddlParser struct {
	s            string
	at           int
	domain, root SID
}

func (p *sddlParser) spaces() {
	for p.at < len(p.s) && (p.s[p.at] == ' ' || p.s[p.at] == '\n' || p.s[p.at] == '\r' || p.s[p.at] == '\t') {
		p.at++
	}
}

func (p *sddlParser) descriptor() (*Descriptor, error) {
	d := &Descriptor{Control: SelfRelative}
	seen := ""
	for p.spaces(); p.at < len(p.s); p.spaces() {
		if p.at+1 >= len(p.s) || p.s[p.at+1] != ':' || strings.IndexByte("OGDS", p.s[p.at]) < 0 {
			return nil, errors.New("a part must start with O:, G:, D: or S: here")
		}
		part := p.s[p.at]
		if strings.IndexByte(seen, part) >= 0 {
			return nil, fmt.Errorf("%c: is there twice", part)
		}
		seen += string(part)
		p.at += 2
		var err error
		switch part {
		case 'O':
			d.Owner, err = p.partSID()
		case 'G':
			d.Group, err = p.partSID()
		case 'D':
			d.Control |= DACLPresent
			d.DACL, err = p.acl(&d.Control, DACLProtected, DACLAutoInheritReq, DACLAutoInherited)
		case 'S':
			d.Control |= SACLPresent
			d.SACL, err = p.acl(&d.Control, SACLProtected, SACLAutoInheritReq, SACLAutoInherited)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// partSID reads the SID of O: or G:, which ends before the next part.
func (p *sddlParser) partSID() (SID, error) {
	start, end := p.at, p.at
	for end < len(p.s) && p.s[end] != ' ' && (end+1 >= len(p.s) || p.s[end+1] != ':') {
		end++
	}
	sid, err := p.sid(p.s[start:end])
	if err == nil {
		p.at = end
	}
	return sid, err
}

func (p *sddlParser) sid(s string) (SID, error) {
	if len(s) != 2 {
		return ParseSID(s)
	}
	name := strings.ToUpper(s)
	if sid, ok := sidAliases[name]; ok {
		return sid, nil
	}
	base, rid := p.domain, domainAliases[name]
	if rid == 0 {
		base, rid = p.root, rootAliases[name]
	}
	switch {
	case rid == 0:
		return SID{}, fmt.Errorf("%q is no SID", s)
	case base.IsZero():
		return SID{}, fmt.Errorf("%q names an account of a domain, and none is given", s)
	}
	return base.Append(rid), nil
}

// acl reads flags and entries. The result is nil for NO_ACCESS_CONTROL.
func (p *sddlParser) acl(control *uint16, protected, autoInheritReq, autoInherited uint16) (*ACL, error) {
	const null = "NO_ACCESS_CONTROL"
	isNull := false
flags:
	for {
		p.spaces()
		rest := p.s[p.at:]
		switch {
		case strings.HasPrefix(rest, null):
			isNull = true
			p.at += len(null)
		case strings.HasPrefix(rest, "AR"):
			*control |= autoInheritReq
			p.at += 2
		case strings.HasPrefix(rest, "AI"):
			*control |= autoInherited
			p.at += 2
		case strings.HasPrefix(rest, "P"):
			*control |= protected
			p.at++
		default:
			break flags
		}
	}
	acl := &ACL{Revision: ACLRevision}
	for ; p.at < len(p.s) && p.s[p.at] == '('; p.spaces() {
		end := strings.IndexByte(p.s[p.at:], ')')
		if end < 0 {
			return nil, errors.New("( without )")
		}
		ace, err := p.ace(p.s[p.at+1 : p.at+end])
		if err != nil {
			return nil, err
		}
		p.at += end + 1
		if isObject(ace.Type) {
			acl.Revision = ACLRevisionDS
		}
		acl.ACEs = append(acl.ACEs, ace)
	}
	if isNull {
		if len(acl.ACEs) > 0 {
			return nil, errors.New(null + " with entries")
		}
		return nil, nil
	}
	if acl.size() > maxACL {
		return nil, fmt.Errorf("ACL of %d bytes, at most %d", acl.size(), maxACL)
	}
	return acl, nil
}

func (p *sddlParser) ace(s string) (ACE, error) {
	f := strings.Split(s, ";")
	if len(f) != 6 {
		return ACE{}, fmt.Errorf("entry (%s) has %d fields, 6 are needed", clip(s), len(f))
	}
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	var a ACE
	var ok bool
	if a.Type, ok = aceTypes[strings.ToUpper(f[0])]; !ok {
		return ACE{}, fmt.Errorf("entry (%s) is of type %q, not one of A, D, AU, OA, OD, OU, ML", clip(s), f[0])
	}
	var err error
	if a.Flags, err = bitsOf(f[1], aceFlags); err != nil {
		return ACE{}, fmt.Errorf("entry (%s): flags: %w", clip(s), err)
	}
	if a.Mask, err = parseRights(f[2]); err != nil {
		return ACE{}, fmt.Errorf("entry (%s): rights: %w", clip(s), err)
	}
	for _, g := range []struct {
		text string
		has  *bool
		guid *GUID
	}{{f[3], &a.HasObjectType, &a.ObjectType}, {f[4], &a.HasInheritedObjectType, &a.InheritedObjectType}} {
		if g.text == "" {
			continue
		}
		if !isObject(a.Type) {
			return ACE{}, fmt.Errorf("entry (%s): type %s takes no object type", clip(s), f[0])
		}
		if *g.guid, err = ParseGUID(g.text); err != nil {
			return ACE{}, fmt.Errorf("entry (%s): %w", clip(s), err)
		}
		*g.has = true
	}
	if a.SID, err = p.sid(f[5]); err != nil {
		return ACE{}, fmt.Errorf("entry (%s): %w", clip(s), err)
	}
	return a, nil
}

// bitsOf reads names of two letters each, without anything between them.
func bitsOf[T byte | AccessMask](s string, tables ...[]named[T]) (T, error) {
	var bits T
next:
	for i := 0; i < len(s); i += 2 {
		name := strings.ToUpper(s[i:min(i+2, len(s))])
		for _, table := range tables {
			for _, n := range table {
				if n.name == name {
					bits |= n.value
					continue next
				}
			}
		}
		return 0, fmt.Errorf("%q in %q is unknown", name, clip(s))
	}
	return bits, nil
}

func parseRights(s string) (AccessMask, error) {
	if s != "" && s[0] >= '0' && s[0] <= '9' {
		v, err := strconv.ParseUint(s, 0, 32)
		return AccessMask(v), err
	}
	return bitsOf(s, rights, rightSets)
}

// SDDL is the string form. Accounts of domain that have two-letter names get
// them; those of the forest's root domain (EA, SA) are spelled out. Entries of
// types that ParseSDDL does not know have the type as a hexadecimal number.
func (d *Descriptor) SDDL(domain SID) string {
	var b []byte
	if !d.Owner.IsZero() {
		b = appendSID(append(b, "O:"...), d.Owner, domain)
	}
	if !d.Group.IsZero() {
		b = appendSID(append(b, "G:"...), d.Group, domain)
	}
	if d.Control&DACLPresent != 0 {
		b = d.appendACL(append(b, "D:"...), d.DACL, domain, DACLProtected, DACLAutoInheritReq, DACLAutoInherited)
	}
	if d.Control&SACLPresent != 0 {
		b = d.appendACL(append(b, "S:"...), d.SACL, domain, SACLProtected, SACLAutoInheritReq, SACLAutoInherited)
	}
	return string(b)
}

func appendSID(b []byte, sid, domain SID) []byte {
	if name, ok := aliasOfSID[sid]; ok {
		return append(b, name...)
	}
	if name, ok := aliasOfRID[sid.RID()]; ok && !domain.IsZero() && sid.Domain() == domain {
		return append(b, name...)
	}
	return append(b, sid.String()...)
}

func (d *Descriptor) appendACL(b []byte, acl *ACL, domain SID, protected, autoInheritReq, autoInherited uint16) []byte {
	if d.Control&protected != 0 {
		b = append(b, 'P')
	}
	if d.Control&autoInheritReq != 0 {
		b = append(b, "AR"...)
	}
	if d.Control&autoInherited != 0 {
		b = append(b, "AI"...)
	}
	if acl == nil {
		return append(b, "NO_ACCESS_CONTROL"...)
	}
	for i := range acl.ACEs {
		b = acl.ACEs[i].appendSDDL(b, domain)
	}
	return b
}

func (a *ACE) appendSDDL(b []byte, domain SID) []byte {
	b = append(b, '(')
	if name, ok := aceTypeNames[a.Type]; ok {
		b = append(b, name...)
	} else {
		b = fmt.Appendf(b, "0x%02x", a.Type)
	}
	b = append(b, ';')
	for _, f := range aceFlags {
		if a.Flags&f.value != 0 {
			b = append(b, f.name...)
		}
	}
	b = append(b, ';')
	b = a.Mask.appendSDDL(b)
	b = append(b, ';')
	if a.HasObjectType {
		b = append(b, a.ObjectType.String()...)
	}
	b = append(b, ';')
	if a.HasInheritedObjectType {
		b = append(b, a.InheritedObjectType.String()...)
	}
	b = append(b, ';')
	return append(appendSID(b, a.SID, domain), ')')
}

// appendSDDL writes letters where every bit has some, else a number.
func (m AccessMask) appendSDDL(b []byte) []byte {
	start, rest := len(b), m
	for _, r := range rights {
		if m&r.value != 0 {
			b = append(b, r.name...)
			rest &^= r.value
		}
	}
	if rest != 0 {
		return fmt.Appendf(b[:start], "0x%x", uint32(m))
	}
	return b
}

// String is the mask as SDDL writes it.
func (m AccessMask) String() string { return string(m.appendSDDL(nil)) }
