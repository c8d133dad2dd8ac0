package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

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
			return c.create(s.Name, a.d.nameTooLong(c.dc, s))
		}
		if s.WithoutDNSHostName && !s.RestrictToSingleComputer && !s.RestrictToOutboundAuthenticationOnly {
			return c.create(s.Name, missingDNSHostName(c.dc.dom, s))
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

// command is the line that makes the account under a name.
func (s ServiceAccount) command(name, dnsName string) string {
	line := "New-ADServiceAccount -Name " + name + " -DNSHostName " + dnsName
	list := func(parameter string, values []string) {
		if len(values) > 0 {
			line += " -" + parameter + ` "` + strings.Join(values, `","`) + `"`
		}
	}
	list("ServicePrincipalNames", s.SPNs)
	list("PrincipalsAllowedToRetrieveManagedPassword", s.AllowedToRetrieve)
	if s.IntervalDays != 0 && s.IntervalDays != defaultInterval {
		line += fmt.Sprintf(" -ManagedPasswordIntervalInDays %d", s.IntervalDays)
	}
	return line
}

// missingDNSHostName refuses a group account without -DNSHostName, which the cmdlet's default parameter set demands: it asks for the value at
// a prompt, and fails in a script.
func missingDNSHostName(dom *directory.Domain, s ServiceAccount) error {
	full := s.Name + "." + dom.DNSName
	return &propertyError{property: "DNSHostName", problem: "Cannot process command because of one or more missing mandatory parameters: DNSHostName.",
		mode: "acct-dnshostname-missing", help: diag.Help{Text: "give the account the name by which it is reached", Command: s.command(s.Name, full),
			Do: []string{flowStep("with", arg{"withoutDNSHostName", false}, arg{"dnsHostName", full})}}}
}

// nameTooLong refuses a name that is no computer's (PowerShell reference of New-ADServiceAccount).
func (d *Domain) nameTooLong(dc *DC, s ServiceAccount) error {
	name := s.Name
	short := name[:maxComputerName]
	if _, err := d.lookup(dc, short); err == nil {
		short = d.freeName(dc, name)
	}
	return &propertyError{property: "name", problem: fmt.Sprintf("%q has %d characters, at most %d are allowed", name, len(name), maxComputerName),
		mode: "acct-name-too-long", help: diag.Help{Text: "take a name of at most 15 characters", Command: s.command(short, short+"."+dc.dom.DNSName),
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

// RemoveServiceAccount is Remove-ADServiceAccount.
func (a *Admin) RemoveServiceAccount(name string) error {
	return a.do("Remove-ADServiceAccount "+name, func(c *ldapConn) error { return c.remove(strings.TrimSuffix(name, "$") + "$") })
}
