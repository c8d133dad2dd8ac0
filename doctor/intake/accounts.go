package intake

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Bits of userAccountControl ([MS-ADTS] 2.2.16) that configurations have words for.
const (
	uacDisabled    = 0x2
	uacUser        = 0x200
	uacWorkstation = 0x1000
	uacTrusted     = 0x80000
)

var computerName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,13}[A-Za-z0-9])?$`)

func isComputerName(s string) bool { return computerName.MatchString(s) }

var (
	principalName = regexp.MustCompile(`^[^/\s]+/[^\s]*[^/\s]$`)
	badInSAM      = "\"/\\[]:;|=,+*?<>"
)

// isAccountName tells whether a configuration takes a name of that length.
func isAccountName(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsAny(s, badInSAM) && strings.TrimSpace(s) == s && !strings.HasSuffix(s, ".") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// accounts enters what service accounts lead to: who may read their passwords, and who else has service principal names that stand in
// their way. The rest of a directory is left out, and counted.
func (b *builder) accounts() {
	gmsas := b.all(serviceAccount)
	if len(gmsas) == 0 {
		b.report.warn(0, "the export has no group managed service account (objectClass msDS-GroupManagedServiceAccount)")
	}
	l := newLists(b)
	for _, o := range gmsas {
		l.readers(o)
	}
	l.named()
	for _, o := range b.all(computer) {
		if _, in := l.in[o]; in {
			b.host(o)
		}
	}
	for _, o := range b.all(user) {
		if _, in := l.in[o]; in {
			b.user(o)
		}
	}
	for _, o := range gmsas {
		if !isAccountName(o.account(), 15) {
			b.report.ignore(o.line, "the service account %s: its name has more than 15 characters, or characters that no name has", o.account())
			continue
		}
		b.hosts[o] = o.account() + "$"
	}
	l.groups()
	for _, o := range gmsas {
		if b.hosts[o] != "" {
			b.serviceAccount(o, l)
		}
	}
	l.leftOut()
	b.report.assume(0, "passwords are not in an export: each account has one of its own, and computers have signed in since they came into their groups")
}

// rid is the relative identifier of an object of the domain; 0 when it is not exported or cannot be kept.
func (b *builder) rid(o *object) int {
	sid, ok := o.sid()
	if !ok {
		b.report.assume(o.line, "relative identifiers of accounts whose objectSid is not in the export")
		return 0
	}
	if sid.Domain() != b.sid {
		b.report.ignore(o.at("objectSid"), "objectSid of another domain")
		return 0
	}
	if r := sid.RID(); r > 1000 && r != 1101 && r != 1102 && r < 1<<30 {
		return int(r)
	}
	return 0
}

// edit lets an attribute have what the file says.
func (b *builder) edit(object, attribute string, values ...string) {
	b.edits = append(b.edits, simulator.Edit{Object: object, Attribute: attribute, Values: values})
}

// host enters a computer.
func (b *builder) host(o *object) {
	name := o.account()
	if !isComputerName(name) {
		b.report.ignore(o.line, "the computer %s: that is no name of at most 15 letters, digits and hyphens", name)
		return
	}
	name = o.shown()
	b.hosts[o] = name + "$"
	h := simulator.HostConfig{Name: name, RID: b.rid(o)}
	h.OS = b.system(o, name)
	fqdn := name + "." + b.cfg.DNSName
	sam := strings.ToUpper(name)
	b.control(o, name+"$", uacWorkstation)
	b.encryption(o, name+"$", &h.EncryptionTypes, 0x1c, []string{"RC4", "AES128", "AES256"}, 0)
	if !o.has("dNSHostName") && b.exported(computer, "dNSHostName") {
		b.edit(name+"$", "dNSHostName")
	} else if v := o.text("dNSHostName"); v != "" && !strings.EqualFold(v, fqdn) {
		b.edit(name+"$", "dNSHostName", v)
	}
	if b.exported(computer, "servicePrincipalName") {
		usual := []string{"HOST/" + sam, "HOST/" + fqdn, "RestrictedKrbHost/" + sam, "RestrictedKrbHost/" + fqdn}
		if spns := o.texts("servicePrincipalName"); !sameNames(spns, usual) {
			b.edit(name+"$", "servicePrincipalName", spns...)
		}
	}
	b.lifted(o, name+"$")
	b.cfg.Hosts = append(b.cfg.Hosts, h)
}

var build = regexp.MustCompile(`\((\d+)\)`)

// system is the release of a computer, by name and build.
func (b *builder) system(o *object, name string) string {
	system, version := o.text("operatingSystem"), build.FindStringSubmatch(o.text("operatingSystemVersion"))
	if system == "" {
		b.report.assume(o.line, "computers without operatingSystem run Windows Server 2019; a world file says what they run")
		return ""
	}
	if !strings.HasPrefix(strings.ToLower(system), "windows") {
		return system
	}
	var tries []string
	if version != nil {
		tries = append(tries, system+" (10.0."+version[1]+")", system+" "+version[1])
	}
	for _, t := range append(tries, system) {
		if _, err := windows.ParseOS(t); err == nil {
			return t
		}
	}
	if version != nil {
		edition := windows.Client
		if strings.Contains(strings.ToLower(system), "server") {
			edition = windows.Server
		}
		if v, err := windows.ParseVersion("10.0." + version[1]); err == nil {
			if r, err := windows.ReleaseOf(v.Build, edition); err == nil {
				return r.Name
			}
		}
	}
	b.report.warn(o.at("operatingSystem"), "%s runs %s, which runs no Windows containers; it is taken for a Windows Server 2019", name, term(system))
	b.edit(name+"$", "operatingSystem", system)
	return ""
}

// sameNames compares service principal names without order and case.
func sameNames(a, b []string) bool {
	fold := func(list []string) []string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = strings.ToLower(s)
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(fold(a), fold(b))
}

// control keeps bits of userAccountControl other than those that the configuration gives the account anyway.
func (b *builder) control(o *object, object string, given uint32) {
	if !o.has("userAccountControl") {
		b.report.assume(o.line, "accounts whose userAccountControl is not in the export are enabled")
		return
	}
	if uac := o.bits("userAccountControl"); uac != given {
		b.edit(object, "userAccountControl", fmt.Sprint(int32(uac)))
	}
}

// encryption enters msDS-SupportedEncryptionTypes: by names where there are names for all of it, and as it is where not. usual is what the
// account gets when the configuration says nothing, and apart what it says elsewhere.
func (b *builder) encryption(o *object, object string, names *[]string, usual uint32, allowed []string, apart uint32) {
	const attribute = "msDS-SupportedEncryptionTypes"
	if !o.has(attribute) {
		switch {
		case b.exported(o.kind, attribute) && usual != 0:
			b.edit(object, attribute)
		case usual != 0:
			b.report.assume(0, "encryption types: %s is not in the export, so each account has what Windows sets", term(attribute))
		}
		return
	}
	bits := o.bits(attribute) &^ apart
	if bits == usual {
		return
	}
	var list []string
	rest := bits
	for _, e := range []struct {
		name string
		bits uint32
	}{{"DES", 3}, {"RC4", 4}, {"AES128", 8}, {"AES256", 16}} {
		if slices.Contains(allowed, e.name) && rest&e.bits == e.bits {
			list, rest = append(list, e.name), rest&^e.bits
		}
	}
	if bits == 0 && slices.Contains(allowed, "None") {
		list = []string{"None"}
	}
	if rest == 0 && len(list) > 0 {
		*names = list
		return
	}
	b.edit(object, attribute, fmt.Sprint(int32(o.bits(attribute))))
}

// lifted keeps what expires or locks an account.
func (b *builder) lifted(o *object, object string) {
	if t := o.fileTime("accountExpires"); !t.IsZero() {
		b.edit(object, "accountExpires", o.text("accountExpires"))
	}
	if t := o.fileTime("lockoutTime"); !t.IsZero() {
		b.edit(object, "lockoutTime", o.text("lockoutTime"))
	}
}

// principalNames are those that a configuration takes; with others the list is an edit.
func (b *builder) principalNames(o *object, object string) []string {
	spns := o.texts("servicePrincipalName")
	for i, s := range spns {
		if !principalName.MatchString(s) {
			b.report.warn(o.attr["serviceprincipalname"][i].line, "%q is no service principal name", s)
			b.edit(object, "servicePrincipalName", spns...)
			return nil
		}
	}
	return spns
}

// user enters a user.
func (b *builder) user(o *object) {
	name := o.sam()
	if sid, ok := o.sid(); ok && sid.RID() < 1000 {
		if sid.RID() == security.RIDAdministrator {
			b.hosts[o] = "Administrator"
			if spns := o.texts("servicePrincipalName"); len(spns) > 0 {
				b.edit("Administrator", "servicePrincipalName", spns...)
			}
		}
		return // every domain has it
	}
	if !isAccountName(name, 20) {
		b.report.ignore(o.line, "the user %s: that is no sAMAccountName of at most 20 characters", name)
		return
	}
	b.hosts[o] = name
	u := simulator.User{Name: name, UserPrincipalName: o.text("userPrincipalName"), RID: b.rid(o)}
	u.SPNs = b.principalNames(o, name)
	given := uint32(uacUser)
	if u.Disabled = o.bits("userAccountControl")&uacDisabled != 0; u.Disabled {
		given |= uacDisabled
	}
	b.control(o, name, given)
	b.encryption(o, name, &u.EncryptionTypes, 0, []string{"RC4", "AES128", "AES256", "DES", "None"}, 0)
	b.lifted(o, name)
	b.cfg.Users = append(b.cfg.Users, u)
}

// serviceAccount enters a gMSA.
func (b *builder) serviceAccount(o *object, l *lists) {
	const compound = 0x20000
	name := o.shown()
	object := name + "$"
	s := simulator.ServiceAccount{Name: name, DNSHostName: o.text("dNSHostName"), SPNs: b.principalNames(o, object), RID: b.rid(o), AllowedToDelegateTo: o.texts("msDS-AllowedToDelegateTo")}
	if s.DNSHostName == "" && b.exported(serviceAccount, "dNSHostName") {
		b.edit(object, "dNSHostName")
	}
	if n, ok := o.number("msDS-ManagedPasswordInterval"); ok && n > 0 && n <= 36500 {
		s.IntervalDays = int(n)
	} else {
		b.report.assume(o.at("msDS-ManagedPasswordInterval"), "passwords are changed every 30 days: msDS-ManagedPasswordInterval is not in the export")
	}
	given := uint32(uacWorkstation)
	if uac := o.bits("userAccountControl"); o.has("userAccountControl") {
		if uac&uacDisabled != 0 {
			given |= uacDisabled
			disabled := false
			s.Enabled = &disabled
		}
		if s.TrustedForDelegation = uac&uacTrusted != 0; s.TrustedForDelegation {
			given |= uacTrusted
		}
	}
	b.control(o, object, given)
	s.CompoundIdentitySupported = o.bits("msDS-SupportedEncryptionTypes")&compound != 0
	b.encryption(o, object, &s.EncryptionTypes, 0x1c, []string{"RC4", "AES128", "AES256", "DES", "None"}, compound)
	b.lifted(o, object)
	b.membership(o, &s, l)
	b.cfg.ServiceAccounts = append(b.cfg.ServiceAccounts, s)
}

// membership enters who may read the password: by names when the descriptor is as the cmdlets write it and everybody in it is known.
func (b *builder) membership(o *object, s *simulator.ServiceAccount, l *lists) {
	const attribute = "msDS-GroupMSAMembership"
	d := l.descriptor(o)
	if d == nil {
		if !b.exported(serviceAccount, attribute) {
			b.report.warn(o.line, "who may read passwords is not in the export (%s): nobody may; export it with an account that may read it", term(attribute))
		}
		return
	}
	plain := d.Owner == security.BuiltinAdministrators && d.Group.IsZero() && d.DACL != nil
	var names []string
	if d.DACL != nil {
		for _, a := range d.DACL.ACEs {
			n := l.nameOf(a.SID)
			plain = plain && n != "" && a.Type == security.AccessAllowed && a.Flags == 0 && a.Mask == 0xf01ff && !slices.Contains(names, n)
			names = append(names, n)
			if n == "" && a.SID.Domain() == b.sid {
				b.report.warn(o.at(attribute), "%s lets %s read its password, which is nobody in the export: deleted, or not exported", s.Name, a.SID)
			}
		}
	}
	if plain && len(names) > 0 {
		s.AllowedToRetrieve = names
		return
	}
	s.RetrieveSDDL = cmp.Or(d.SDDL(b.sid), "D:")
}
