package simulator

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

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

// populate builds forest and hosts from the configuration: the state before the story begins.
func (d *Domain) populate() error {
	if err := d.newForest(); err != nil {
		return err
	}
	if err := d.populateRootKeys(); err != nil {
		return err
	}
	b := newPopulation(d, len(d.cfg.Hosts)+len(d.cfg.Groups)+len(d.cfg.ServiceAccounts))
	for i := range d.cfg.Hosts {
		b.host(&d.cfg.Hosts[i])
	}
	for i := range d.cfg.Users {
		b.user(&d.cfg.Users[i])
	}
	b.users = d.cfg.Users
	if err := b.flush(); err != nil {
		return err
	}
	if err := b.groups(d.cfg.Groups); err != nil {
		return err
	}
	for i := range d.cfg.ServiceAccounts {
		if err := b.serviceAccount(&d.cfg.ServiceAccounts[i]); err != nil {
			return fmt.Errorf("serviceAccounts[%d]: %w", i, err)
		}
	}
	if err := b.flush(); err != nil {
		return err
	}
	for _, h := range d.cfg.Hosts {
		d.addHost(h)
	}
	if err := b.members(); err != nil {
		return err
	}
	if err := b.edits(); err != nil {
		return err
	}
	d.applyDCSettings()
	return nil
}

func (d *Domain) newForest() error {
	domains := []directory.DomainConfig{{DNSName: d.cfg.DNSName, NetBIOSName: d.cfg.NetBIOSName, DCs: d.cfg.DCs, AdministratorPassword: d.cfg.AdminPassword}}
	if err := d.cfg.identify(&domains[0]); err != nil {
		return err
	}
	for _, c := range d.cfg.Domains {
		domains = append(domains, directory.DomainConfig{DNSName: c.DNSName, NetBIOSName: c.NetBIOSName, DCs: c.DCs, AdministratorPassword: d.cfg.AdminPassword})
	}
	forest, err := directory.New(directory.Config{
		Seed: d.cfg.Seed, Now: d.Clock.Now, Domains: domains, ReplicationDelay: d.cfg.ReplicationDelay, RootKeyPolicy: d.policy,
		Keys: d.cfg.Keys.strings, Passwords: d.cfg.Keys.passwords, DefaultETypes: etypeBits(d.cfg.DefaultETypes), Events: d.directoryEvent, SchemaVersion: d.cfg.SchemaVersion,
	})
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	d.forest = forest
	for _, r := range forest.DCs() {
		dc := &DC{d: d, name: r.Name(), replica: r, dom: r.Domain()}
		dc.kdc = dc.newKDC()
		d.dcs = append(d.dcs, dc)
	}
	return nil
}

// directoryEvent enters what a DC writes to its event logs.
func (d *Domain) directoryEvent(e directory.Event) {
	d.event(Event{Op: opEventLog, To: e.DC, Text: fmt.Sprintf("%s, %s %d", e.Log, e.Source, e.ID), Result: e.Level, Detail: e.Text})
}

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

// kdfParamSHA512 is the msKds-KDFParam of keys that Windows makes: SP 800-108 with SHA512 ([MS-GKDI] 2.2.1).
var kdfParamSHA512, _ = hex.DecodeString("00000000010000000e000000000000005300480041003500310032000000")

func (d *Domain) populateRootKeys() error {
	for i, k := range d.cfg.KDSRootKeys {
		dc := d.dcs[0]
		if k.DC != "" {
			dc = d.DC(k.DC)
		}
		created := k.Created
		if created.IsZero() {
			created = d.cfg.Start
		}
		data := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(fmt.Sprintf("gmsasim root key %d ", d.cfg.Seed)), uint32(i)))
		more := sha256.Sum256(data[:])
		id := k.ID
		if id == "" {
			var g security.GUID
			copy(g[:], more[16:])
			g[7], g[8] = g[7]&0x0f|0x40, g[8]&0x3f|0x80 // version 4, in the wire form's byte order
			id = g.String()
		}
		id = strings.ToLower(strings.Trim(id, "{}"))
		number := func(n int) []byte { return strconv.AppendInt(nil, int64(n), 10) }
		stamp := func(t time.Time) []byte { return strconv.AppendUint(nil, uint64(kds.FromTime(t)), 10) }
		attrs := []directory.Attribute{
			directory.Text("objectClass", "msKds-ProvRootKey"),
			{Name: "msKds-Version", Values: [][]byte{number(1)}},
			{Name: "msKds-RootKeyData", Values: [][]byte{append(data[:], more[:]...)}},
			{Name: "msKds-CreateTime", Values: [][]byte{stamp(created)}},
			{Name: "msKds-UseStartTime", Values: [][]byte{stamp(k.Effective.Time(created))}},
			directory.Text("msKds-DomainID", "CN="+dc.name+",OU=Domain Controllers,"+dc.dom.DN),
			directory.Text("msKds-KDFAlgorithmID", "SP800_108_CTR_HMAC"),
			{Name: "msKds-KDFParam", Values: [][]byte{kdfParamSHA512}},
			directory.Text("msKds-SecretAgreementAlgorithmID", "DH"),
			{Name: "msKds-PublicKeyLength", Values: [][]byte{number(2048)}},
			{Name: "msKds-PrivateKeyLength", Values: [][]byte{number(512)}},
		}
		for j := range attrs {
			if strings.EqualFold(attrs[j].Name, k.Damaged) {
				attrs[j].Values = [][]byte{damagedValue(attrs[j].Name)}
			}
		}
		err := d.forest.Populate(d.cfg.DNSName, []directory.AddRequest{{
			DN:         rootKeyDN(d.root(), id),
			Attributes: attrs,
		}})
		if err != nil {
			return fmt.Errorf("kdsRootKeys[%d]: %w", i, err)
		}
	}
	return nil
}

// damageable are the attributes of a root key whose value decides whether it can be used, with one that it must not have.
var damageable = map[string]string{"msKds-Version": "9", "msKds-RootKeyData": "too short", "msKds-UseStartTime": "0", "msKds-KDFAlgorithmID": "NONE",
	"msKds-KDFParam": "no parameters"}

func damagedValue(attribute string) []byte { return []byte(damageable[attribute]) }

// hostPassword is the machine password that a host makes for itself, from the seed.
func (d *Domain) hostPassword(name string) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("gmsasim machine password %d %s", d.cfg.Seed, strings.ToUpper(name))))
	return base64.RawStdEncoding.EncodeToString(sum[:])
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

// population collects objects by domain and remembers where the configured principals are.
type population struct {
	d       *Domain
	objects map[*directory.Domain][]directory.AddRequest
	users   []User            // to be added after the objects
	dns     map[string]string // DN by lower-case NETBIOS\sAMAccountName, users apart
	later   []Group           // with members that have to wait
}

func newPopulation(d *Domain, size int) *population {
	b := &population{d: d, objects: map[*directory.Domain][]directory.AddRequest{}, dns: make(map[string]string, size)}
	b.objects[d.root()] = make([]directory.AddRequest, 0, size)
	return b
}

func (b *population) domain(name string) *directory.Domain {
	if name == "" {
		return b.d.root()
	}
	return b.d.forest.Domain(name)
}

// principalKey is the name of an account or group of a domain without regard to case.
func principalKey(netBIOSName, sam string) string {
	return strings.ToLower(netBIOSName + `\` + sam)
}

func (b *population) add(dom *directory.Domain, sam string, o directory.AddRequest) {
	b.objects[dom] = append(b.objects[dom], o)
	b.dns[principalKey(dom.NetBIOSName, sam)] = o.DN
}

func (b *population) host(h *HostConfig) {
	h.Name = strings.TrimSuffix(h.Name, "$")
	if h.Password == "" {
		h.Password = b.d.hostPassword(h.Name)
	}
	if h.Workgroup {
		return
	}
	dom := b.domain(h.Domain)
	b.add(dom, h.Name+"$", hostObject(dom, *h, h.Password))
}

func (b *population) user(u *User) {
	if u.Password == "" {
		u.Password = defaultPassword
	}
}

func (b *population) serviceAccount(s *ServiceAccount) error {
	dom := b.domain(s.Domain)
	var allowed []security.SID
	for _, name := range s.AllowedToRetrieve {
		sid, err := b.d.sidOf(b.d.firstDCOf(dom), name)
		if err != nil {
			return err
		}
		allowed = append(allowed, sid)
	}
	sd, err := b.d.mayRetrieve(dom, *s, allowed)
	if err != nil {
		return err
	}
	b.add(dom, s.Name+"$", serviceAccountObject(dom, *s, sd))
	return nil
}

func (b *population) flush() error {
	for _, dom := range b.d.forest.Domains() {
		if len(b.objects[dom]) == 0 && len(b.users) == 0 {
			continue
		}
		if err := b.d.forest.PopulateFrom(dom.DNSName, b.all(dom)); err != nil {
			return fmt.Errorf("populate %s: %w", dom.DNSName, err)
		}
	}
	clear(b.objects)
	b.users = nil
	return nil
}

// all gives what is to be added to a domain. Users are many, so their objects are made one at a time.
func (b *population) all(dom *directory.Domain) iter.Seq[directory.AddRequest] {
	return func(yield func(directory.AddRequest) bool) {
		for _, o := range b.objects[dom] {
			if !yield(o) {
				return
			}
		}
		var m userMemory
		for i := range b.users {
			if u := &b.users[i]; b.domain(u.Domain) == dom && !yield(m.object(dom, u)) {
				return
			}
		}
	}
}

// groups adds groups, each after the groups that are its members. What has to wait for a service account, for a time or because
// groups contain each other comes with members.
func (b *population) groups(groups []Group) error {
	for rest := groups; len(rest) > 0; {
		var blocked []Group
		for _, g := range rest {
			dom := b.domain(g.Domain)
			members, complete := b.memberDNs(dom, g.Members)
			if complete && g.MembersSince.IsZero() {
				b.add(dom, g.Name, groupObject(dom, g, members))
			} else {
				blocked = append(blocked, g)
			}
		}
		if len(blocked) == len(rest) {
			for _, g := range blocked {
				dom := b.domain(g.Domain)
				b.add(dom, g.Name, groupObject(dom, g, nil))
			}
			b.later = blocked
			break
		}
		if err := b.flush(); err != nil {
			return err
		}
		rest = blocked
	}
	return b.flush()
}

// memberDNs resolves the members of a group; complete tells that all of them exist already.
func (b *population) memberDNs(dom *directory.Domain, members []string) (dns []string, complete bool) {
	for _, m := range members {
		nb, sam, qualified := strings.Cut(m, `\`)
		if !qualified {
			nb, sam = dom.NetBIOSName, m
		}
		key := principalKey(nb, sam)
		dn, ok := b.dns[key]
		if !ok {
			dn, ok = b.dns[key+"$"]
		}
		if !ok {
			var err error
			if dn, err = b.d.dnOf(b.d.firstDCOf(dom), m); err != nil {
				return nil, false
			}
		}
		dns = append(dns, dn)
	}
	return dns, true
}

// members gives the groups that had to wait their members, the oldest first. Hosts that were restarted before the members came
// have signed in without them.
func (b *population) members() error {
	slices.SortStableFunc(b.later, func(a, c Group) int { return a.MembersSince.Compare(c.MembersSince) })
	for _, g := range b.later {
		dom := b.domain(g.Domain)
		dns, complete := b.memberDNs(dom, g.Members)
		if !complete {
			return fmt.Errorf("group %s: a member does not exist", g.Name)
		}
		for _, h := range b.d.hosts {
			if h.lastRestart.Before(g.MembersSince) {
				h.machine.note()
			}
		}
		if len(dns) == 0 {
			continue
		}
		dc := b.d.firstDCOf(dom)
		mod := directory.Modification{Op: directory.ModAdd, Attribute: directory.Text("member", dns...)}
		if err := dc.replica.Modify(context.Background(), directory.System(), b.dns[principalKey(dom.NetBIOSName, g.Name)], []directory.Modification{mod}, false); err != nil {
			return fmt.Errorf("group %s: %w", g.Name, err)
		}
		for _, dc := range b.d.dcs {
			dc.replica.Sync()
		}
	}
	return nil
}

func (d *Domain) firstDCOf(dom *directory.Domain) *DC {
	for _, dc := range d.dcs {
		if dc.dom == dom {
			return dc
		}
	}
	return d.dcs[0]
}

// lookup finds an account or group on a DC by NAME or DOMAIN\NAME, a computer or service account with and without the final $.
func (d *Domain) lookup(dc *DC, name string, attrs ...string) (*directory.Entry, error) {
	base := dc.dom.DN
	nb, sam, qualified := strings.Cut(name, `\`)
	if !qualified {
		sam = name
	} else if dom := d.forest.Domain(nb); dom != nil {
		base = dom.DN
		if dom != dc.dom {
			dc = d.firstDCOf(dom)
		}
	} else {
		return nil, fmt.Errorf("no domain %q", nb)
	}
	for _, s := range []string{sam, sam + "$"} {
		var found *directory.Entry
		f := &filter.Filter{Op: filter.Equal, Attr: "sAMAccountName", Value: []byte(s)}
		err := dc.search(base, f, append([]string{"distinguishedName"}, attrs...), func(e *directory.Entry) {
			if found == nil {
				found = cloneEntry(e)
			}
		})
		if err != nil {
			return nil, err
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, &unknownNameError{name: name, dc: dc}
}

// unknownNameError: a name that an administrator gave is no account's or group's.
type unknownNameError struct {
	name string
	dc   *DC
}

func (e *unknownNameError) Error() string {
	return fmt.Sprintf("cannot find an object with identity: '%s' under: '%s'", e.name, e.dc.dom.DN)
}

func cloneEntry(e *directory.Entry) *directory.Entry {
	c := &directory.Entry{DN: e.DN, Attributes: slices.Clone(e.Attributes)}
	for i := range c.Attributes {
		c.Attributes[i].Values = slices.Clone(c.Attributes[i].Values)
	}
	return c
}

func (d *Domain) dnOf(dc *DC, name string) (string, error) {
	e, err := d.lookup(dc, name)
	if err != nil {
		return "", err
	}
	return e.DN, nil
}

func (d *Domain) sidOf(dc *DC, name string) (security.SID, error) {
	e, err := d.lookup(dc, name, "objectSid")
	if err != nil {
		return security.SID{}, err
	}
	return security.SIDFromBytes([]byte(e.Value("objectSid")))
}
