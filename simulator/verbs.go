package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Admin is an administrator at work: the cmdlets of the guide as methods. Each goes over LDAP to one DC, as the account that the
// administrator is, so the directory's own rules and rights decide. An error wraps a [diag.Finding] when the cause is known.
type Admin struct {
	d      *Domain
	as, dc string
}

// As is the same administrator under another account (-Credential), with the password that was configured or set for it.
func (a *Admin) As(account string) *Admin { return &Admin{a.d, account, a.dc} }

// Server is the same administrator on another DC (-Server).
func (a *Admin) Server(dc string) *Admin { return &Admin{a.d, a.as, dc} }

// target is the DC that a.dc names; nil means the first one that answers.
func (a *Admin) target() (*DC, error) {
	if a.dc == "" {
		return nil, nil
	}
	dc, ok := a.d.FindDC(a.dc)
	if !ok {
		return nil, fmt.Errorf("no DC %q", a.dc)
	}
	return dc, nil
}

// logon is the administrator's session in a domain. It is kept, so that a row of commands costs one sign-in.
func (a *Admin) logon(dom *directory.Domain) (*logon, error) {
	key := strings.ToLower(dom.DNSName + `\` + a.as)
	a.d.mu.Lock()
	defer a.d.mu.Unlock()
	if l := a.d.admins[key]; l != nil {
		return l, nil
	}
	password, ok := a.d.knownPasswordLocked(a.as)
	if !ok {
		return nil, fmt.Errorf("no password of an account %q is known", a.as)
	}
	st := &station{d: a.d, name: a.as, dom: dom}
	l := &logon{st: st, account: a.as, realm: dom.Realm, etypes: clientETypes(nil), secret: a.d.passwordSecret(password)}
	a.d.admins[key] = l
	return l, nil
}

// do runs a command of the administrator over a sealed LDAP connection.
func (a *Admin) do(command string, work func(*ldapConn) error) error {
	dc, err := a.target()
	if err != nil {
		return err
	}
	a.d.settle()
	a.d.event(Event{Op: opAdmin, From: a.as, To: a.dc, Text: command})
	dom := a.d.root()
	if dc != nil {
		dom = dc.dom
	}
	l, err := a.logon(dom)
	if err != nil {
		return err
	}
	if dc == nil {
		return a.d.explain(l.st.onDC(a.d.ctx, l, Sealed, work))
	}
	if why := l.st.reach(dc, portLDAP); why != "" {
		return a.d.explain(&unreachableError{nil, "LDAP", portLDAP, []attempt{{dc.name, why}}})
	}
	return a.d.explain(l.st.withConn(a.d.ctx, dc, l, Sealed, work))
}

// AddKDSRootKey is Add-KdsRootKey. It runs on the administrator's DC.
func (a *Admin) AddKDSRootKey(e Effective) (KDSRootKey, error) {
	dc, err := a.target()
	if err != nil {
		return KDSRootKey{}, err
	}
	if dc == nil {
		dc = a.d.dcs[0]
	}
	a.d.settle()
	now := a.d.Clock.Now().Add(a.d.userClock(a.as)) // Get-Date where the administrator sits; the DC has the time of creation from its own clock
	command := "Add-KdsRootKey"
	switch {
	case e == Immediately:
		command += " -EffectiveImmediately"
	case !e.IsZero():
		command += " -EffectiveTime " + e.Time(now).UTC().Format("2006-01-02T15:04:05Z")
	}
	a.d.event(Event{Op: opAdmin, From: a.as, To: dc.name, Text: command})
	if !dc.Running() {
		return KDSRootKey{}, a.d.explain(&unreachableError{nil, "LDAP", portLDAP, []attempt{{dc.name, "does not answer"}}})
	}
	account, err := dc.replica.AccountByName(directory.Principal, a.as)
	if err != nil {
		return KDSRootKey{}, fmt.Errorf("%s: %w", a.as, err)
	}
	caller := &directory.Caller{Token: dc.replica.TokenFor(account), Encrypted: true, Account: dc.dom.NetBIOSName + `\` + a.as}
	id, err := dc.replica.AddRootKey(withDoor(a.d.ctx, &door{from: a.as}), caller, e.Time(now))
	if err != nil {
		return KDSRootKey{}, a.d.explain(&stepError{step: stepCreate, dc: dc, logon: &logon{st: &station{d: a.d, name: a.as, dom: dc.dom}, account: a.as}, account: rootKeyObject, err: err})
	}
	return KDSRootKey{ID: id.String(), Effective: At(e.Time(now)), Created: now, DC: dc.name}, nil
}

// KDSRootKeys is Get-KdsRootKey: the root keys in the replica of the administrator's DC that the account may see. Who may not see them gets
// none, and no error.
func (a *Admin) KDSRootKeys() ([]RootKeyState, error) {
	var keys []RootKeyState
	err := a.do("Get-KdsRootKey", func(c *ldapConn) error {
		keys = nil
		base := "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,CN=Configuration," + a.d.root().DN
		found, err := c.search(base, rootKeyFilter, "cn")
		if e, ok := errors.AsType[*ldapError](err); ok && e.result == ldapNoSuchObject {
			return nil
		}
		if err != nil {
			return err
		}
		for _, k := range c.dc.rootKeyStates() {
			if slices.ContainsFunc(found, func(e *ldapEntry) bool { return strings.EqualFold(e.value("cn"), k.ID) }) {
				keys = append(keys, k)
			}
		}
		return nil
	})
	return keys, err
}

var rootKeyFilter = filter.MustParse("(objectClass=msKds-ProvRootKey)")

// TestKDSRootKey is Add-KdsRootKey -LocalTestOnly: it tells whether the DC could make a key, and makes none.
func (a *Admin) TestKDSRootKey() (bool, error) {
	dc, err := a.target()
	if err != nil {
		return false, err
	}
	if dc == nil {
		dc = a.d.dcs[0]
	}
	a.d.settle()
	a.d.event(Event{Op: opAdmin, From: a.as, To: dc.name, Text: "Add-KdsRootKey -LocalTestOnly"})
	if !dc.Running() {
		return false, a.d.explain(&unreachableError{nil, "LDAP", portLDAP, []attempt{{dc.name, "does not answer"}}})
	}
	dc.mu.Lock()
	dc.tested = a.d.Clock.Now()
	dc.mu.Unlock()
	return !dc.replica.KDSStopped(), nil
}

// DeleteKDSRootKey deletes a root key by its GUID. A DC that has used the key keeps it until its key distribution service restarts.
func (a *Admin) DeleteKDSRootKey(id string) error {
	return a.do("Remove-ADObject "+id, func(c *ldapConn) error {
		return c.change(id, c.delete(rootKeyDN(a.d.root(), strings.ToLower(id))))
	})
}

// NewGroup is New-ADGroup, and Add-ADGroupMember when there are members.
func (a *Admin) NewGroup(g Group) error {
	command := fmt.Sprintf("New-ADGroup -Name %q -GroupScope %s", g.Name, g.scope())
	if g.Category != "" {
		command += " -GroupCategory " + string(g.Category)
	}
	return a.do(command, func(c *ldapConn) error {
		o := groupObject(c.dc.dom, g, nil)
		if err := c.create(g.Name, c.add(o.DN, o.Attributes)); err != nil || len(g.Members) == 0 {
			return err
		}
		return c.changeMembers(directory.ModAdd, g.Name, g.Members)
	})
}

// AddGroupMember is Add-ADGroupMember. A host's name works with and without the final $.
func (a *Admin) AddGroupMember(group string, members ...string) error {
	return a.do(fmt.Sprintf("Add-ADGroupMember %s -Members %s", group, strings.Join(members, ",")), func(c *ldapConn) error {
		return c.changeMembers(directory.ModAdd, group, members)
	})
}

// RemoveGroupMember is Remove-ADGroupMember.
func (a *Admin) RemoveGroupMember(group string, members ...string) error {
	return a.do(fmt.Sprintf("Remove-ADGroupMember %s -Members %s", group, strings.Join(members, ",")), func(c *ldapConn) error {
		return c.changeMembers(directory.ModDelete, group, members)
	})
}

// RemoveGroup is Remove-ADGroup.
func (a *Admin) RemoveGroup(name string) error {
	return a.do("Remove-ADGroup "+name, func(c *ldapConn) error { return c.remove(name) })
}

// NewServiceAccount is New-ADServiceAccount. The cmdlet's own rule about the name holds: at most 15 characters.
func (a *Admin) NewServiceAccount(s ServiceAccount) error {
	command := fmt.Sprintf("New-ADServiceAccount -Name %s", s.Name)
	if s.DNSHostName != "" {
		command += " -DNSHostName " + s.DNSHostName
	}
	if len(s.SPNs) > 0 {
		command += " -ServicePrincipalNames " + strings.Join(s.SPNs, ",")
	}
	if len(s.AllowedToRetrieve) > 0 {
		command += " -PrincipalsAllowedToRetrieveManagedPassword " + strings.Join(s.AllowedToRetrieve, ",")
	}
	return a.do(command, func(c *ldapConn) error {
		if len(s.Name) > maxComputerName {
			return c.create(s.Name, a.d.nameTooLong(c.dc, s.Name))
		}
		if s.WithoutDNSHostName && !s.RestrictToSingleComputer && !s.RestrictToOutboundAuthenticationOnly {
			return c.create(s.Name, missingDNSHostName(c.dc.dom, s.Name))
		}
		allowed, err := c.sids(s.AllowedToRetrieve)
		if err != nil {
			return c.create(s.Name, err)
		}
		sd, err := a.d.mayRetrieve(c.dc.dom, s, allowed)
		if err != nil {
			return c.create(s.Name, err)
		}
		o := serviceAccountObject(c.dc.dom, s, sd)
		return c.stepped(stepCreate, s.Name, c.add(o.DN, o.Attributes), s.SPNs...)
	})
}

// propertyError: a cmdlet refuses a parameter before it asks a DC.
type propertyError struct {
	property, problem string
	mode              string    // "" when it is none of the known failure modes
	help              diag.Help // Text "": none
}

// missingDNSHostName refuses a group account without -DNSHostName, which the cmdlet's default parameter set demands: it asks for the value at
// a prompt, and fails in a script.
func missingDNSHostName(dom *directory.Domain, name string) error {
	full := name + "." + dom.DNSName
	return &propertyError{property: "DNSHostName", problem: "Cannot process command because of one or more missing mandatory parameters: DNSHostName.",
		mode: "acct-dnshostname-missing", help: diag.Help{Text: "give the account the name by which it is reached", Command: "New-ADServiceAccount -Name " + name + " -DNSHostName " + full + " …",
			Do: []string{flowStep("with", arg{"withoutDNSHostName", false}, arg{"dnsHostName", full})}}}
}

// nameTooLong refuses a name that is no computer's (PowerShell reference of New-ADServiceAccount).
func (d *Domain) nameTooLong(dc *DC, name string) error {
	short := name[:maxComputerName]
	if _, err := d.lookup(dc, short); err == nil {
		short = d.freeName(dc, name)
	}
	return &propertyError{property: "name", problem: fmt.Sprintf("%q has %d characters, at most %d are allowed", name, len(name), maxComputerName),
		mode: "acct-name-too-long", help: diag.Help{Text: "take a name of at most 15 characters", Command: "New-ADServiceAccount -Name " + short + " …",
			Do: []string{flowStep("with", arg{"name", short})}}}
}

func (e *propertyError) Error() string { return e.property + ": " + e.problem }

// ServiceAccount is Get-ADServiceAccount.
func (a *Admin) ServiceAccount(name string) (ServiceAccount, error) {
	var s ServiceAccount
	err := a.do("Get-ADServiceAccount "+name, func(c *ldapConn) error {
		var err error
		s, _, err = c.serviceAccount(name)
		return err
	})
	return s, err
}

// SetServiceAccount is Set-ADServiceAccount: change gets the account as it is and changes what shall differ. The name cannot be
// changed so; the interval can be written but the directory refuses it.
func (a *Admin) SetServiceAccount(name string, change func(*ServiceAccount)) error {
	return a.do("Set-ADServiceAccount "+name, func(c *ldapConn) error {
		before, dn, err := c.serviceAccount(name)
		if err != nil {
			return err
		}
		after := before
		after.SPNs, after.AllowedToRetrieve = slices.Clone(before.SPNs), slices.Clone(before.AllowedToRetrieve)
		after.EncryptionTypes, after.AllowedToDelegateTo = slices.Clone(before.EncryptionTypes), slices.Clone(before.AllowedToDelegateTo)
		change(&after)
		if after.Name != before.Name || after.Domain != before.Domain {
			return c.change(name, &propertyError{property: "name", problem: "Set-ADServiceAccount does not rename or move an account"})
		}
		if after.RestrictToSingleComputer != before.RestrictToSingleComputer || after.RestrictToOutboundAuthenticationOnly || after.Path != "" || after.WithoutDNSHostName {
			return c.change(name, &propertyError{property: "parameter", problem: "Set-ADServiceAccount has no such parameter; it is New-ADServiceAccount's"})
		}
		mods, err := c.differences(before, after)
		if err != nil {
			return c.change(name, err)
		}
		if len(mods) == 0 {
			return nil
		}
		var spns []string
		if !slices.Equal(before.SPNs, after.SPNs) {
			spns = after.SPNs
		}
		err = c.modify(dn, mods)
		if err != nil && after.IntervalDays != before.IntervalDays {
			err = &intervalError{before: before.IntervalDays, after: after.IntervalDays, err: err}
		}
		return c.stepped(stepChange, name, err, spns...)
	})
}

// differences are the modifications that lead from one state of an account to another.
func (c *ldapConn) differences(before, after ServiceAccount) ([]directory.Modification, error) {
	var mods []directory.Modification
	replace := func(a directory.Attribute) {
		mods = append(mods, directory.Modification{Op: directory.ModReplace, Attribute: a})
	}
	if after.DNSHostName != before.DNSHostName {
		replace(directory.Text("dNSHostName", after.DNSHostName))
	}
	if !slices.Equal(before.SPNs, after.SPNs) {
		replace(directory.Text("servicePrincipalName", after.SPNs...))
	}
	if !slices.Equal(before.AllowedToDelegateTo, after.AllowedToDelegateTo) {
		replace(directory.Text("msDS-AllowedToDelegateTo", after.AllowedToDelegateTo...))
	}
	if !slices.Equal(before.EncryptionTypes, after.EncryptionTypes) || before.CompoundIdentitySupported != after.CompoundIdentitySupported {
		replace(integer("msDS-SupportedEncryptionTypes", after.supported()))
	}
	if after.IntervalDays != before.IntervalDays {
		replace(directory.Text("msDS-ManagedPasswordInterval", strconv.Itoa(after.IntervalDays)))
	}
	if !after.AccountExpirationDate.Equal(before.AccountExpirationDate) {
		replace(directory.Text("accountExpires", accountExpires(after.AccountExpirationDate)))
	}
	if uac := after.userAccountControl(uacWorkstationTrust); uac != before.userAccountControl(uacWorkstationTrust) {
		replace(integer("userAccountControl", uac))
	}
	if !slices.Equal(before.AllowedToRetrieve, after.AllowedToRetrieve) || before.RetrieveSDDL != after.RetrieveSDDL {
		allowed, err := c.sids(after.AllowedToRetrieve)
		if err != nil {
			return nil, err
		}
		sd, err := c.dc.d.mayRetrieve(c.dc.dom, after, allowed)
		if err != nil {
			return nil, err
		}
		a := directory.Attribute{Name: "msDS-GroupMSAMembership"}
		if sd != nil {
			a.Values = [][]byte{sd}
		}
		replace(a)
	}
	return mods, nil
}

// serviceAccount reads an account with the properties of [ServiceAccount].
func (c *ldapConn) serviceAccount(name string) (s ServiceAccount, dn string, err error) {
	e, err := c.findAccount(c.dc.dom.DN, strings.TrimSuffix(name, "$")+"$", "cn", "objectClass", "dNSHostName", "servicePrincipalName", "userAccountControl",
		"msDS-ManagedPasswordInterval", "msDS-SupportedEncryptionTypes", "msDS-AllowedToDelegateTo", "msDS-GroupMSAMembership", "accountExpires")
	if err != nil {
		return s, "", &stepError{step: stepFind, logon: c.logon, dc: c.dc, account: name, err: err}
	}
	uac := e.number("userAccountControl")
	enabled := uac&uacDisabled == 0
	s = ServiceAccount{
		Name: e.value("cn"), DNSHostName: e.value("dNSHostName"), SPNs: e.texts("servicePrincipalName"), IntervalDays: e.number("msDS-ManagedPasswordInterval"),
		EncryptionTypes: etypeNames(uint32(e.number("msDS-SupportedEncryptionTypes"))), Enabled: &enabled,
		CompoundIdentitySupported: e.number("msDS-SupportedEncryptionTypes")&compoundIdentity != 0,
		AllowedToDelegateTo:       e.texts("msDS-AllowedToDelegateTo"), TrustedForDelegation: uac&uacTrustedForDelegation != 0,
		TrustedToAuthForDelegation: uac&uacTrustedToAuth != 0,
	}
	s.RestrictToSingleComputer = slices.ContainsFunc(e.texts("objectClass"), func(c string) bool { return strings.EqualFold(c, classStandalone) })
	if t := e.value("accountExpires"); t != accountExpires(time.Time{}) {
		s.AccountExpirationDate = fileTime(t)
	}
	if c.dc.dom != c.dc.d.root() {
		s.Domain = c.dc.dom.DNSName
	}
	if sd := e.value("msDS-GroupMSAMembership"); sd != "" {
		parsed, err := security.ParseDescriptor([]byte(sd))
		if err != nil {
			return s, "", fmt.Errorf("msDS-GroupMSAMembership of %s: %w", name, err)
		}
		var allowed []security.SID
		for _, ace := range retrieveACEs(parsed) {
			allowed = append(allowed, ace.SID)
			s.AllowedToRetrieve = append(s.AllowedToRetrieve, c.nameOf(ace.SID))
		}
		if sd != string(retrieveDescriptor(allowed)) {
			s.RetrieveSDDL = parsed.SDDL(c.dc.dom.SID)
		}
	}
	return s, e.DN, nil
}

// retrieveACEs are the plain allow entries, the ones that the cmdlets show.
func retrieveACEs(sd *security.Descriptor) []security.ACE {
	if sd.DACL == nil {
		return nil
	}
	var list []security.ACE
	for _, ace := range sd.DACL.ACEs {
		if ace.Type == 0 {
			list = append(list, ace)
		}
	}
	return list
}

// retrieveACEsOf are those of msDS-GroupMSAMembership; none when it is absent or damaged.
func retrieveACEsOf(descriptor []byte) []security.ACE {
	sd, err := security.ParseDescriptor(descriptor)
	if err != nil {
		return nil
	}
	return retrieveACEs(sd)
}

// nameOf is the name of a SID as the cmdlets print it; the SID itself when it is nobody's.
func (c *ldapConn) nameOf(sid security.SID) string {
	f := &filter.Filter{Op: filter.Equal, Attr: "objectSid", Value: sid.Bytes()}
	entries, err := c.search(c.dc.dom.DN, f, "sAMAccountName")
	if err != nil || len(entries) == 0 {
		return sid.String()
	}
	return entries[0].value("sAMAccountName")
}

// sids resolves the names of principals to their SIDs, over LDAP as the cmdlets do.
func (c *ldapConn) sids(names []string) ([]security.SID, error) {
	var list []security.SID
	for _, n := range names {
		e, err := c.principal(n, "objectSid")
		if unknown, ok := errors.AsType[*unknownNameError](err); ok {
			return nil, &unknownPrincipalError{*unknown}
		}
		if err != nil {
			return nil, err
		}
		sid, err := security.SIDFromBytes([]byte(e.value("objectSid")))
		if err != nil {
			return nil, fmt.Errorf("objectSid of %s: %w", n, err)
		}
		list = append(list, sid)
	}
	return list, nil
}

// principal finds an account or group by NAME, NAME$, a SID or a DN.
func (c *ldapConn) principal(name string, attrs ...string) (*ldapEntry, error) {
	if sid, err := security.ParseSID(name); err == nil {
		f := &filter.Filter{Op: filter.Equal, Attr: "objectSid", Value: sid.Bytes()}
		entries, err := c.search(c.dc.dom.DN, f, attrs...)
		if err != nil {
			return nil, err
		}
		if len(entries) == 1 {
			return entries[0], nil
		}
		return nil, &unknownNameError{name: name, dc: c.dc}
	}
	for _, sam := range []string{name, name + "$"} {
		e, err := c.findAccount(c.dc.dom.DN, sam, attrs...)
		if !errors.Is(err, errAbsent) {
			return e, err
		}
	}
	return nil, &unknownNameError{name: name, dc: c.dc}
}

// exactly finds an account or group by its sAMAccountName, SID or DN, and by nothing near it.
func (c *ldapConn) exactly(name string, attrs ...string) (*ldapEntry, error) {
	if strings.HasPrefix(name, "S-1-") || strings.Contains(name, "=") {
		return c.principal(name, attrs...)
	}
	e, err := c.findAccount(c.dc.dom.DN, name, attrs...)
	if errors.Is(err, errAbsent) {
		err = &unknownNameError{name: name, dc: c.dc}
	}
	return e, err
}

func (c *ldapConn) changeMembers(op int, group string, members []string) error {
	return c.changeMembersBy(c.principal, op, group, members)
}

func (c *ldapConn) changeMembersBy(find func(name string, attrs ...string) (*ldapEntry, error), op int, group string, members []string) error {
	g, err := c.principal(group, "distinguishedName")
	if err != nil {
		return c.change(group, err)
	}
	var dns []string
	for _, m := range members {
		e, err := find(m, "distinguishedName")
		if unknown, ok := errors.AsType[*unknownNameError](err); ok {
			err = &unknownMemberError{*unknown, group}
		}
		if err != nil {
			return c.change(group, err)
		}
		dns = append(dns, e.DN)
	}
	return c.change(group, c.modify(g.DN, []directory.Modification{{Op: op, Attribute: directory.Text("member", dns...)}}))
}

func (c *ldapConn) remove(name string) error {
	e, err := c.principal(name, "distinguishedName")
	if err != nil {
		return c.change(name, err)
	}
	return c.change(name, c.delete(e.DN))
}

// create and change put the step on an error.
func (c *ldapConn) create(name string, err error) error { return c.stepped(stepCreate, name, err) }
func (c *ldapConn) change(name string, err error) error { return c.stepped(stepChange, name, err) }

func (c *ldapConn) stepped(s step, name string, err error, spns ...string) error {
	if err == nil {
		return nil
	}
	return &stepError{step: s, logon: c.logon, dc: c.dc, account: name, spns: spns, err: err}
}

// SetAccountControl writes userAccountControl of an account (Set-ADObject -Replace @{userAccountControl=…}).
func (a *Admin) SetAccountControl(account string, value uint32) error {
	return a.do(fmt.Sprintf("Set-ADObject %s -Replace @{userAccountControl=%d}", account, value), func(c *ldapConn) error {
		e, err := c.principal(account, "distinguishedName")
		if err != nil {
			return c.change(account, err)
		}
		return c.change(account, c.modify(e.DN, []directory.Modification{{Op: directory.ModReplace, Attribute: integer("userAccountControl", value)}}))
	})
}

// Logoff ends the sessions of an administrator's account: the next command signs in anew, with the memberships of that time.
func (d *Domain) Logoff(account string) {
	d.mu.Lock()
	for key := range d.admins {
		if strings.HasSuffix(key, `\`+strings.ToLower(account)) {
			delete(d.admins, key)
		}
	}
	d.mu.Unlock()
	d.event(Event{Op: opAdmin, From: account, Text: "logoff"})
}

// RemoveServiceAccount is Remove-ADServiceAccount.
func (a *Admin) RemoveServiceAccount(name string) error {
	return a.do("Remove-ADServiceAccount "+name, func(c *ldapConn) error { return c.remove(strings.TrimSuffix(name, "$") + "$") })
}

// NewUser is New-ADUser.
func (a *Admin) NewUser(u User) error {
	if u.Password == "" {
		u.Password = defaultPassword
	}
	err := a.do("New-ADUser -Name "+u.Name, func(c *ldapConn) error {
		o := userObject(c.dc.dom, u)
		return c.create(u.Name, c.add(o.DN, o.Attributes))
	})
	if err == nil {
		a.d.setKnownPassword(u.Name, u.Password)
	}
	return err
}

// knownPasswordLocked is the password that was set for a user, or else configured.
func (d *Domain) knownPasswordLocked(user string) (password string, ok bool) {
	if password, ok = d.passwords[strings.ToLower(user)]; ok {
		return password, true
	}
	if strings.EqualFold(user, "Administrator") {
		return d.cfg.AdminPassword, true
	}
	if i := slices.IndexFunc(d.cfg.Users, func(u User) bool { return strings.EqualFold(u.Name, user) }); i >= 0 {
		return cmp.Or(d.cfg.Users[i].Password, defaultPassword), true
	}
	return "", false
}

func (d *Domain) setKnownPassword(user, password string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passwords[strings.ToLower(user)] = password
	for key := range d.admins {
		if strings.HasSuffix(key, `\`+strings.ToLower(user)) {
			delete(d.admins, key)
		}
	}
}

// JoinHost makes the computer account of a host and starts the host (Add-Computer).
func (a *Admin) JoinHost(h HostConfig) (*Host, error) {
	cfg := a.d.cfg
	cfg.Hosts, cfg.KDSRootKeys, cfg.Groups, cfg.Users, cfg.ServiceAccounts, cfg.Faults, cfg.Aliases, cfg.Secrets = []HostConfig{h}, nil, nil, nil, nil, nil, nil, nil
	cfg.Start = a.d.Clock.Now()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	h.Name = strings.TrimSuffix(h.Name, "$")
	was, taken := a.d.FindHost(h.Name)
	switch {
	case h.Workgroup:
		return nil, fmt.Errorf("a host of a workgroup does not join: %q", h.Name)
	case taken && !was.cfg.Workgroup:
		return nil, fmt.Errorf("there is a host %q already", h.Name)
	}
	if h.Password == "" {
		h.Password = a.d.hostPassword(h.Name)
	}
	err := a.do("Add-Computer -NewName "+h.Name, func(c *ldapConn) error {
		o := hostObject(c.dc.dom, h, h.Password)
		return c.create(h.Name, c.add(o.DN, o.Attributes))
	})
	if err != nil {
		return nil, err
	}
	if taken {
		return was.join(h), nil
	}
	return a.d.addHost(h), nil
}

// SetPasswordOffline writes the password of an account into the DCs' databases past the directory's rules, as tools do that work on a database
// of a stopped DC.
func (d *Domain) SetPasswordOffline(account, password string) error {
	d.settle()
	dc := d.dcs[0]
	a, err := dc.replica.AccountByName(directory.Principal, account)
	if err != nil {
		return fmt.Errorf("%s: %w", account, err)
	}
	if err := dc.replica.SetPassword(d.ctx, directory.System(), a.SID, password); err != nil {
		return fmt.Errorf("%s: %w", account, err)
	}
	d.event(Event{Op: opDC, To: dc.name, Text: "the password of " + a.SAMAccountName + " is written into the database"})
	return nil
}

// SetPassword resets the password of a user or computer (Set-ADAccountPassword -Reset). A host whose account it is does not learn
// of it.
func (a *Admin) SetPassword(account, password string) error {
	if h, ok := a.d.FindHost(account); ok {
		// The host has signed in at its restart, under the password of that time. When it cannot, it cannot later either.
		_ = h.machine.signIn(a.d.ctx)
	}
	err := a.do("Set-ADAccountPassword "+account+" -Reset", func(c *ldapConn) error {
		e, err := c.principal(account, "distinguishedName")
		if err != nil {
			return c.change(account, err)
		}
		return c.change(account, c.modify(e.DN, []directory.Modification{{Op: directory.ModReplace, Attribute: unicodePwd(password)}}))
	})
	if _, isHost := a.d.FindHost(account); err == nil && !isHost {
		a.d.setKnownPassword(account, password)
	}
	return err
}

// Replicate brings all changes to all DCs at once (repadmin /syncall /AdeP).
func (a *Admin) Replicate() {
	a.d.settle()
	for _, dc := range a.d.dcs {
		dc.replica.Sync()
	}
	a.d.event(Event{Op: opAdmin, From: a.as, Text: "repadmin /syncall /AdeP"})
}

// sameAccount compares account names without regard to case and a final $.
func sameAccount(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "$"), strings.TrimSuffix(b, "$"))
}
