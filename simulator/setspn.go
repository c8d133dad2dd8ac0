package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// duplicateSPNError: setspn -S found the name on another account.
type duplicateSPNError struct{ spn, owner string }

func (e *duplicateSPNError) Error() string {
	return fmt.Sprintf("duplicate SPN %s found on %s, aborting operation", e.spn, e.owner)
}

func (e *duplicateSPNError) finding(d *Domain, s *stepError) *diag.Finding {
	return d.findSPNTaken(s, e.spn, e.owner)
}

// noSPNAccountError: setspn finds no account of a name.
type noSPNAccountError struct{ account, with string }

func (e *noSPNAccountError) Error() string { return "Could not find account " + e.account }

// finding offers the account with the final $, which setspn does not look for.
func (e *noSPNAccountError) finding(d *Domain, s *stepError) *diag.Finding {
	if e.with == "" {
		return d.findNoSuchName(e.account, s.dc)
	}
	name := "<service principal name>"
	if len(s.spns) == 1 {
		name = s.spns[0]
	}
	return &diag.Finding{Code: diag.NoSuchAccount, Mode: "spn-setspn-without-dollar",
		Facts:   []diag.Fact{{Name: "name", Value: e.account}, {Name: "account", Value: e.with}},
		SeenAs:  []string{"FindDomainForAccount: Call to DsGetDcNameWithAccountW failed with return value 0x00000525", "Could not find account " + e.account},
		Nearest: []diag.Near{{Wanted: e.account, Closest: e.with, WhyNot: "the $ is part of the name"}},
		Because: "setspn takes a name as that of a computer or of a user; a managed service account is found by its whole name, which ends in $",
		Help:    []diag.Help{{Text: "give the name with its $", Command: "setspn -S " + name + " " + e.with, Do: []string{flowStep("with", arg{"account", e.with})}}}}
}

// spnAccount finds the account that setspn means by NAME or DOMAIN\NAME: exactly the sAMAccountName, or that of a computer without its $.
//
// guess: setspn looks for a computer and then for a user when a name has no $, and does not find a managed service account by it
func (c *ldapConn) spnAccount(account string) (*ldapEntry, error) {
	name := account
	if _, short, qualified := strings.Cut(account, `\`); qualified {
		name = short
	}
	attrs := []string{"distinguishedName", "objectClass", "servicePrincipalName", "sAMAccountName"}
	withDollar, err := c.findAccount(c.dc.dom.DN, name+"$", attrs...)
	if err != nil && !errors.Is(err, errAbsent) {
		return nil, err
	}
	found := err == nil
	if found && !slices.Contains(withDollar.texts("objectClass"), "msDS-GroupManagedServiceAccount") {
		return withDollar, nil
	}
	e, err := c.findAccount(c.dc.dom.DN, name, attrs...)
	switch {
	case !errors.Is(err, errAbsent):
		return e, err
	case found:
		return nil, &noSPNAccountError{account, withDollar.value("sAMAccountName")}
	}
	return nil, &noSPNAccountError{account: account}
}

// AddSPN is setspn -S, or with unchecked setspn -A of old releases, which does not look for a duplicate itself. A DC looks in its
// own replica either way.
func (a *Admin) AddSPN(account, spn string, unchecked bool) error {
	flag := "-S"
	if unchecked {
		flag = "-A"
	}
	return a.do(fmt.Sprintf("setspn %s %s %s", flag, spn, account), func(c *ldapConn) error { return c.addSPN(account, spn, unchecked) })
}

func (c *ldapConn) addSPN(account, spn string, unchecked bool) error {
	e, err := c.spnAccount(account)
	if err != nil {
		return c.stepped(stepChange, account, err, spn)
	}
	if !unchecked {
		owners, err := c.withSPN(spn)
		if err != nil {
			return c.change(account, err)
		}
		for _, o := range owners {
			if !strings.EqualFold(o.DN, e.DN) {
				return c.stepped(stepChange, account, &duplicateSPNError{spn, o.DN}, spn)
			}
		}
	}
	return c.stepped(stepChange, account, c.modify(e.DN, []directory.Modification{{Op: directory.ModAdd, Attribute: directory.Text("servicePrincipalName", spn)}}), spn)
}

// withSPN are the objects that have a name.
func (c *ldapConn) withSPN(spn string) ([]*ldapEntry, error) {
	return c.search(c.dc.dom.DN, &filter.Filter{Op: filter.Equal, Attr: "servicePrincipalName", Value: []byte(spn)}, "distinguishedName", "servicePrincipalName")
}

// RemoveSPN is setspn -D.
func (a *Admin) RemoveSPN(account, spn string) error {
	return a.do(fmt.Sprintf("setspn -D %s %s", spn, account), func(c *ldapConn) error { return c.removeSPN(account, spn) })
}

func (c *ldapConn) removeSPN(account, spn string) error {
	e, err := c.spnAccount(account)
	if err != nil {
		return c.stepped(stepChange, account, err, spn)
	}
	return c.stepped(stepChange, account, c.modify(e.DN, []directory.Modification{{Op: directory.ModDelete, Attribute: directory.Text("servicePrincipalName", spn)}}), spn)
}

// GrantSPNRight lets another account write the service principal names of an account: dsacls DN /G WHO:WPRP;servicePrincipalName.
func (a *Admin) GrantSPNRight(account, to string) error {
	return a.do(fmt.Sprintf("dsacls %s /G %s:WPRP;servicePrincipalName", account, to), func(c *ldapConn) error {
		e, err := c.spnAccount(account)
		if err != nil {
			return c.change(account, err)
		}
		sids, err := c.sids([]string{to})
		if err != nil {
			return c.change(account, err)
		}
		raw, err := c.read(e.DN, "nTSecurityDescriptor")
		if err != nil {
			return c.change(account, err)
		}
		sd, err := security.ParseDescriptor(raw)
		if err != nil {
			return c.change(account, fmt.Errorf("nTSecurityDescriptor: %w", err))
		}
		if sd.DACL == nil {
			sd.DACL = &security.ACL{}
		}
		sd.DACL.Revision = 4
		ace := security.ACE{Type: aceAllowObject, Mask: security.RightReadProperty | security.RightWriteProperty, HasObjectType: true, ObjectType: guidServicePrincipalName, SID: sids[0]}
		sd.DACL.ACEs = append([]security.ACE{ace}, sd.DACL.ACEs...)
		return c.change(account, c.modify(e.DN, []directory.Modification{{Op: directory.ModReplace, Attribute: directory.Attribute{Name: "nTSecurityDescriptor", Values: [][]byte{sd.Marshal()}}}}))
	})
}

// aceAllowObject is ACCESS_ALLOWED_OBJECT_ACE ([MS-DTYP] 2.4.4.3).
const aceAllowObject = 5

// guidServicePrincipalName is the schemaIDGUID of servicePrincipalName ([MS-ADA3] 2.253); the validated write has the same GUID.
var guidServicePrincipalName = security.MustGUID("f3a64788-5306-11d1-a9c5-0000f80367c1")

// Setspn is what setspn printed, and the exit code that scripts look at.
type Setspn struct {
	Text string
	Exit int
}

// Setspn runs setspn with one of -L ACCOUNT, -Q NAME, -X, -S NAME ACCOUNT, -A NAME ACCOUNT and -D NAME ACCOUNT. The text is what it prints,
// also when there is an error.
func (a *Admin) Setspn(options ...string) (Setspn, error) {
	if len(options) == 0 {
		return Setspn{Exit: 1}, errors.New("setspn: want an option")
	}
	flag, rest := strings.ToUpper(options[0]), options[1:]
	want, known := map[string]int{"-L": 1, "-Q": 1, "-X": 0, "-S": 2, "-A": 2, "-D": 2}[flag]
	if !known || len(rest) != want {
		return Setspn{Exit: 1}, fmt.Errorf("setspn %s: want -L ACCOUNT, -Q NAME, -X, -S NAME ACCOUNT, -A NAME ACCOUNT or -D NAME ACCOUNT", strings.Join(options, " "))
	}
	var out Setspn
	err := a.do("setspn "+strings.Join(options, " "), func(c *ldapConn) (err error) {
		switch flag {
		case "-L":
			out, err = c.setspnList(rest[0])
		case "-Q":
			out, err = c.setspnQuery(rest[0])
		case "-X":
			out, err = c.setspnDuplicates()
		default:
			out, err = c.setspnChange(flag, rest[0], rest[1])
		}
		return err
	})
	if err != nil && out.Exit == 0 {
		out.Exit = 1
	}
	return out, err
}

func checking(c *ldapConn) string { return "Checking domain " + c.dc.dom.DN + "\n" }

func (c *ldapConn) setspnList(account string) (Setspn, error) {
	e, err := c.spnAccount(account)
	if err != nil {
		return Setspn{Text: noAccountText(account)}, c.change(account, err)
	}
	return Setspn{Text: fmt.Sprintf("Registered ServicePrincipalNames for %s:\n%s", e.DN, tabbed(e.texts("servicePrincipalName")))}, nil
}

func noAccountText(account string) string {
	return "FindDomainForAccount: Call to DsGetDcNameWithAccountW failed with return value 0x00000525\nCould not find account " + account + "\n"
}

func tabbed(list []string) string {
	var b strings.Builder
	for _, l := range list {
		b.WriteString("\t" + l + "\n")
	}
	return b.String()
}

// setspnQuery ends with exit code 0 when the name is there and with 1 when it is not, as scripts that look for it know.
func (c *ldapConn) setspnQuery(spn string) (Setspn, error) {
	owners, err := c.withSPN(spn)
	if err != nil {
		return Setspn{}, err
	}
	if len(owners) == 0 {
		return Setspn{Text: checking(c) + "\nNo such SPN found.\n", Exit: 1}, nil
	}
	text := checking(c)
	for _, o := range owners {
		text += o.DN + "\n" + tabbed(o.texts("servicePrincipalName"))
	}
	return Setspn{Text: text + "\nExisting SPN found!\n"}, nil
}

// setspnDuplicates ends with exit code 1 also when there are none (a report from Windows Server 2022): the last line is what counts.
func (c *ldapConn) setspnDuplicates() (Setspn, error) {
	entries, err := c.search(c.dc.dom.DN, filter.MustParse("(servicePrincipalName=*)"), "distinguishedName", "servicePrincipalName")
	if err != nil {
		return Setspn{}, err
	}
	owners := map[string][]string{} // by name in lower case
	var names []string              // in the order of the directory
	for _, e := range entries {
		for _, n := range e.texts("servicePrincipalName") {
			key := strings.ToLower(n)
			if len(owners[key]) == 1 {
				names = append(names, n)
			}
			owners[key] = append(owners[key], e.DN)
		}
	}
	text := checking(c) + "Processing entry 0\n"
	for _, n := range names {
		text += n + " is registered on these accounts:\n" + tabbed(owners[strings.ToLower(n)]) + "\n"
	}
	return Setspn{Text: text + fmt.Sprintf("found %d group of duplicate SPNs.\n", len(names)), Exit: 1}, nil
}

func (c *ldapConn) setspnChange(flag, spn, account string) (Setspn, error) {
	e, err := c.spnAccount(account)
	if err != nil {
		return Setspn{Text: noAccountText(account)}, c.change(account, err)
	}
	verb := "Registering"
	if flag == "-D" {
		verb, err = "Unregistering", c.removeSPN(account, spn)
	} else {
		err = c.addSPN(account, spn, flag == "-A")
	}
	text := fmt.Sprintf("%s ServicePrincipalNames for %s\n\t%s\n", verb, e.DN, spn)
	if flag == "-S" {
		text = checking(c) + "\n" + text
	}
	if err == nil {
		return Setspn{Text: text + "Updated object\n"}, nil
	}
	if dup, ok := errors.AsType[*duplicateSPNError](err); ok {
		return Setspn{Text: checking(c) + dup.owner + "\n\t" + spn + "\n\nDuplicate SPN found, aborting operation!\n"}, err
	}
	if ldap, ok := errors.AsType[*ldapError](err); ok {
		reason := ldap.Error()
		switch {
		case ldap.result == ldapAccessRights:
			reason = "error 0x2098/8344 -> Insufficient access rights to perform the operation."
		case ldap.says("000021C7"):
			reason = "error 0x21c7/8647 -> The operation failed because SPN value provided for addition/modification is not unique forest-wide."
		}
		text += fmt.Sprintf("Failed to assign SPN on account '%s', %s\n", e.DN, reason)
	}
	return Setspn{Text: text}, err
}
