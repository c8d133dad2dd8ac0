package simulator

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

func etypeBits(names []string) uint32 {
	var bits uint32
	for _, n := range names {
		switch n {
		case "DES":
			bits |= 0x3
		case "RC4":
			bits |= 0x4
		case "AES128":
			bits |= 0x8
		case "AES256":
			bits |= 0x10
		case "AES256-SK":
			bits |= 0x20
		}
	}
	return bits
}

func etypeNames(bits uint32) []string {
	var names []string
	for _, n := range []string{"RC4", "AES128", "AES256"} {
		if bits&etypeBits([]string{n}) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// compoundIdentity is the bit of msDS-SupportedEncryptionTypes that is no encryption type: Compound-identity-supported ([MS-KILE] 2.2.7).
const compoundIdentity = 0x20000

// supported is msDS-SupportedEncryptionTypes of the account.
func (s ServiceAccount) supported() uint32 {
	bits := etypesOrAll(s.EncryptionTypes)
	if s.CompoundIdentitySupported {
		bits |= compoundIdentity
	}
	return bits
}

// etypesOrAll is the value of msDS-SupportedEncryptionTypes for names, all three types when there are none.
func etypesOrAll(names []string) uint32 {
	if len(names) == 0 {
		names = []string{"RC4", "AES128", "AES256"}
	}
	return etypeBits(names)
}

// unicodePwd is the value by which a password is set ([MS-ADTS] 3.1.1.3.1.5).
func unicodePwd(password string) directory.Attribute {
	return directory.Attribute{Name: "unicodePwd", Values: [][]byte{krbcrypt.UTF16LE(`"` + password + `"`)}}
}

func integer(name string, v uint32) directory.Attribute {
	return directory.Text(name, strconv.FormatInt(int64(int32(v)), 10))
}

// hostObject is a computer account as a domain join leaves it.
func hostObject(dom *directory.Domain, h HostConfig, password string) directory.AddRequest {
	sam := strings.ToUpper(h.Name)
	fqdn := h.Name + "." + dom.DNSName
	attrs := []directory.Attribute{
		directory.Text("objectClass", "computer"),
		directory.Text("sAMAccountName", sam+"$"),
		directory.Text("dNSHostName", fqdn),
		directory.Text("servicePrincipalName", "HOST/"+sam, "HOST/"+fqdn, "RestrictedKrbHost/"+sam, "RestrictedKrbHost/"+fqdn),
		integer("userAccountControl", uacWorkstationTrust),
		integer("msDS-SupportedEncryptionTypes", etypesOrAll(h.EncryptionTypes)),
		unicodePwd(password),
	}
	if h.OS != "" {
		attrs = append(attrs, directory.Text("operatingSystem", h.OS))
	}
	attrs = withRID(attrs, dom, h.RID)
	return directory.AddRequest{DN: "CN=" + h.Name + ",CN=Computers," + dom.DN, Attributes: attrs}
}

func userObject(dom *directory.Domain, u User) directory.AddRequest {
	return new(userMemory).object(dom, &u)
}

// userMemory is where the object of a user is made; the next one takes its place.
type userMemory struct {
	attrs  []directory.Attribute
	values [][]byte
	bytes  []byte
}

// attribute begins an attribute without values.
func (m *userMemory) attribute(name string) {
	m.attrs = append(m.attrs, directory.Attribute{Name: name, Values: m.values[len(m.values):]})
}

// value gives the last attribute what was appended to the bytes since start.
func (m *userMemory) value(start int) {
	m.values = append(m.values, m.bytes[start:len(m.bytes):len(m.bytes)])
	last := &m.attrs[len(m.attrs)-1]
	last.Values = m.values[len(m.values)-len(last.Values)-1:]
}

func (m *userMemory) text(name string, values ...string) {
	m.attribute(name)
	for _, v := range values {
		start := len(m.bytes)
		m.bytes = append(m.bytes, v...)
		m.value(start)
	}
}

func (m *userMemory) integer(name string, v uint32) {
	start := len(m.bytes)
	m.attribute(name)
	m.bytes = strconv.AppendInt(m.bytes, int64(int32(v)), 10)
	m.value(start)
}

// password is unicodePwd.
func (m *userMemory) password(text string) {
	start := len(m.bytes)
	m.attribute("unicodePwd")
	m.bytes = append(m.bytes, '"', 0)
	for _, r := range text {
		if r < utf8.RuneSelf {
			m.bytes = append(m.bytes, byte(r), 0)
		} else {
			m.bytes = append(m.bytes, krbcrypt.UTF16LE(string(r))...)
		}
	}
	m.bytes = append(m.bytes, '"', 0)
	m.value(start)
}

func (m *userMemory) object(dom *directory.Domain, u *User) directory.AddRequest {
	m.attrs, m.values, m.bytes = m.attrs[:0], m.values[:0], m.bytes[:0]
	uac := uint32(uacNormal)
	if u.Disabled {
		uac |= uacDisabled
	}
	if u.AccountNotDelegated {
		uac |= uacNotDelegated
	}
	m.text("objectClass", "user")
	m.text("sAMAccountName", u.Name)
	m.integer("userAccountControl", uac)
	m.password(u.Password)
	if u.UserPrincipalName != "" {
		m.text("userPrincipalName", u.UserPrincipalName)
	}
	if len(u.SPNs) > 0 {
		m.text("servicePrincipalName", u.SPNs...)
	}
	if len(u.EncryptionTypes) > 0 {
		m.integer("msDS-SupportedEncryptionTypes", etypeBits(u.EncryptionTypes))
	}
	m.attrs = withRID(m.attrs, dom, u.RID)
	return directory.AddRequest{DN: "CN=" + escapeRDN(u.Name) + ",CN=Users," + dom.DN, Attributes: m.attrs}
}

// groupType is the attribute of this name.
func (g Group) groupType() uint32 {
	bits := uint32(groupSecurity)
	if g.Category == Distribution {
		bits = 0
	}
	switch g.Scope {
	case Global:
		return bits | groupGlobal
	case Universal:
		return bits | groupUniversal
	default:
		return bits | groupDomainLocal
	}
}

func groupObject(dom *directory.Domain, g Group, members []string) directory.AddRequest {
	attrs := []directory.Attribute{
		directory.Text("objectClass", "group"),
		directory.Text("sAMAccountName", g.Name),
		integer("groupType", g.groupType()),
	}
	if len(members) > 0 {
		attrs = append(attrs, directory.Text("member", members...))
	}
	attrs = withRID(attrs, dom, g.RID)
	return directory.AddRequest{DN: "CN=" + escapeRDN(g.Name) + ",CN=Users," + dom.DN, Attributes: attrs}
}

// serviceAccountObject is what New-ADServiceAccount adds. sd is msDS-GroupMSAMembership, nil for nobody.
func serviceAccountObject(dom *directory.Domain, s ServiceAccount, sd []byte) directory.AddRequest {
	days := s.IntervalDays
	if days == 0 {
		days = defaultInterval
	}
	class := "msDS-GroupManagedServiceAccount"
	if s.RestrictToSingleComputer {
		class = classStandalone
	}
	attrs := []directory.Attribute{
		directory.Text("objectClass", class),
		directory.Text("sAMAccountName", s.Name+"$"),
		integer("userAccountControl", s.userAccountControl(uacWorkstationTrust)),
		integer("msDS-SupportedEncryptionTypes", s.supported()),
	}
	if !s.RestrictToSingleComputer {
		attrs = append(attrs, integer("msDS-ManagedPasswordInterval", uint32(days)))
	}
	if !s.RestrictToOutboundAuthenticationOnly {
		attrs = append(attrs, directory.Text("dNSHostName", s.dnsHostName(dom)))
		if len(s.SPNs) > 0 {
			attrs = append(attrs, directory.Text("servicePrincipalName", s.SPNs...))
		}
	}
	if !s.AccountExpirationDate.IsZero() {
		attrs = append(attrs, directory.Text("accountExpires", accountExpires(s.AccountExpirationDate)))
	}
	if len(s.AllowedToDelegateTo) > 0 {
		attrs = append(attrs, directory.Text("msDS-AllowedToDelegateTo", s.AllowedToDelegateTo...))
	}
	if sd != nil && !s.RestrictToSingleComputer {
		attrs = append(attrs, directory.Attribute{Name: "msDS-GroupMSAMembership", Values: [][]byte{sd}})
	}
	attrs = withRID(attrs, dom, s.RID)
	path := s.Path
	if path == "" {
		path = defaultServiceAccountPath(dom)
	}
	return directory.AddRequest{DN: "CN=" + escapeRDN(s.Name) + "," + path, Attributes: attrs}
}

// classStandalone is the class of standalone managed service accounts.
const classStandalone = "msDS-ManagedServiceAccount"

// defaultServiceAccountPath is where New-ADServiceAccount puts accounts.
func defaultServiceAccountPath(dom *directory.Domain) string {
	return "CN=Managed Service Accounts," + dom.DN
}

// accountExpires is the attribute of that name; the zero time is never ([MS-ADA1] 2.1).
func accountExpires(t time.Time) string {
	if t.IsZero() {
		return "9223372036854775807"
	}
	return strconv.FormatUint(uint64(kds.FromTime(t)), 10)
}

func (s ServiceAccount) dnsHostName(dom *directory.Domain) string {
	if s.DNSHostName != "" {
		return s.DNSHostName
	}
	return s.Name + "." + dom.DNSName
}

// userAccountControl puts the account's switches into uac.
func (s ServiceAccount) userAccountControl(uac uint32) uint32 {
	uac &^= uacDisabled | uacTrustedForDelegation | uacTrustedToAuth
	if s.Enabled != nil && !*s.Enabled {
		uac |= uacDisabled
	}
	if s.TrustedForDelegation {
		uac |= uacTrustedForDelegation
	}
	if s.TrustedToAuthForDelegation {
		uac |= uacTrustedToAuth
	}
	return uac
}

// retrieveDescriptor is msDS-GroupMSAMembership as the AD cmdlets write it: owner Administrators, no group, one allow ACE each.
func retrieveDescriptor(allowed []security.SID) []byte {
	acl := &security.ACL{Revision: 4}
	for _, sid := range allowed {
		acl.ACEs = append(acl.ACEs, security.ACE{Mask: retrieveMask, SID: sid})
	}
	sd := &security.Descriptor{Control: 0x8004, Owner: security.BuiltinAdministrators, DACL: acl}
	return sd.Marshal()
}

// escapeRDN escapes a value for use in a DN (RFC 4514 2.4).
func escapeRDN(value string) string {
	if !strings.ContainsAny(value, ",+\"\\<>;=# ") {
		return value
	}
	var b strings.Builder
	for i, r := range value {
		if strings.ContainsRune(`,+"\<>;=`, r) || i == 0 && (r == '#' || r == ' ') || i == len(value)-1 && r == ' ' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Bits of userAccountControl and groupType ([MS-ADTS] 2.2.16, 2.2.12).
const (
	uacDisabled             = 0x2
	uacNormal               = 0x200
	uacWorkstationTrust     = 0x1000
	uacTrustedForDelegation = 0x80000

	groupGlobal      = 0x2
	groupDomainLocal = 0x4
	groupUniversal   = 0x8
	groupSecurity    = 0x80000000
)

// retrieveMask is what the AD cmdlets put into msDS-GroupMSAMembership for each principal: full control (seen in directories).
const retrieveMask = 0x000f01ff
