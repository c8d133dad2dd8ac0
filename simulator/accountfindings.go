package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

func (d *Domain) findUnusable(account string, dc *DC, code int) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.AccountUnusable,
		Facts:   []diag.Fact{{Name: "account", Value: account}, {Name: "DC", Value: dc.name}},
		SeenAs:  []string{fmt.Sprintf("%s (%#x)", krbErrName(code), code)},
		Because: "a KDC gives no ticket to an account that is disabled, locked or expired, whatever the password",
		Help:    []diag.Help{{Text: "enable or unlock the account", Command: fmt.Sprintf("Set-ADServiceAccount %s -Enabled $true", strings.TrimSuffix(account, "$"))}},
	}
	if a, err := dc.replica.AccountByName(directory.Principal, account); err == nil {
		switch {
		case a.Disabled:
			f.Facts = append(f.Facts, diag.Fact{Name: "state", Value: "disabled"})
			if a.ServiceAccount {
				f.Mode = "acct-disabled"
				f.Help[0].Do = []string{flowStep("setServiceAccount", arg{"account", strings.TrimSuffix(a.SAMAccountName, "$")}, arg{"enabled", true})}
			}
		case a.Locked:
			f.Facts = append(f.Facts, diag.Fact{Name: "state", Value: "locked out"})
		case a.Expired:
			f.Facts = append(f.Facts, diag.Fact{Name: "state", Value: "the account has expired"})
			if a.ServiceAccount {
				name := strings.TrimSuffix(a.SAMAccountName, "$")
				f.Mode = "acct-expired"
				f.Help = []diag.Help{{Text: "take the expiration date away, or set a later one", Command: fmt.Sprintf("Clear-ADAccountExpiration %q", a.SAMAccountName),
					Do: []string{flowStep("setServiceAccount", arg{"account", name}, arg{"neverExpires", true})}}}
			}
		case a.MustChangePassword:
			f.Facts = append(f.Facts, diag.Fact{Name: "state", Value: "the password must be changed"})
		case a.PasswordExpired:
			f.Facts = append(f.Facts, diag.Fact{Name: "state", Value: "the password has expired"})
		}
	}
	return f
}

func (d *Domain) findNameTaken(s *stepError, dc *DC) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.NameTaken,
		Mode:    "acct-already-exists",
		Facts:   []diag.Fact{{Name: "name", Value: s.account}, {Name: "DC", Value: dc.name}},
		SeenAs:  []string{"New-ADServiceAccount : The specified account already exists", "An attempt was made to add an object to the directory with a name that is already in use"},
		Because: "sAMAccountName is unique in the domain, and a computer of the same name has the same name$",
		Help: []diag.Help{{Text: fmt.Sprintf("choose another name, for instance %s; Get-ADObject -Filter 'sAMAccountName -like %q' finds who has this one", d.freeName(dc, s.account), s.account+"*"),
			Do: []string{flowStep("with", arg{"name", d.freeName(dc, s.account)})}}},
	}
	if e, err := d.lookup(dc, s.account); err == nil {
		f.Facts = append(f.Facts, diag.Fact{Name: "taken by", Value: e.DN})
	}
	return f
}

// freeName is a name near another one that nobody has on a DC: the next number at its end, in the 15 characters of a computer name.
func (d *Domain) freeName(dc *DC, name string) string {
	base := strings.TrimRight(name, "0123456789")
	if len(base) > maxComputerName-2 {
		base = base[:maxComputerName-2]
	}
	for n := 2; n < 100; n++ {
		free := fmt.Sprintf("%s%02d", base, n)
		if _, err := d.lookup(dc, free); err != nil {
			return free
		}
	}
	return base
}

// findProperty is about a parameter that a cmdlet refuses.
func (d *Domain) findProperty(s *stepError, e *propertyError) *diag.Finding {
	f := &diag.Finding{Code: diag.ChangeRefused, Mode: e.mode, Facts: []diag.Fact{{Name: "property", Value: e.property}, {Name: "problem", Value: e.problem}},
		Because: "the cmdlet checks its parameters before it asks a DC"}
	if e.help.Text != "" {
		f.Help = []diag.Help{e.help}
	}
	return f
}

// findAdminDenied is about a right that an administrator's account lacks. What it was for tells the mode; rights on names and groups have
// modes of their own.
func findAdminDenied(s *stepError, as string, dc *DC) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.AdminDenied,
		Facts:   []diag.Fact{{Name: "account", Value: as}, {Name: "object", Value: s.account}, {Name: "DC", Value: dc.name}},
		SeenAs:  []string{"New-ADServiceAccount : Access is denied", "error 0x2098/8344 -> Insufficient access rights to perform the operation."},
		Because: "the object's security descriptor does not give this account the right; Domain Admins have it, others need a delegation",
		Help:    []diag.Help{{Text: "do it as a member of Domain Admins, or have the right delegated"}},
	}
	if s.step == stepCreate {
		f.Mode = "acct-create-denied"
	}
	if s.account == rootKeyObject {
		f.Mode = "kds-insufficient-rights"
		f.SeenAs = []string{"Add-KdsRootKey : Access is denied", "Get-KdsRootKey prints nothing"}
	}
	if as != "" {
		f.Help = append(f.Help, diag.Help{Text: "make the account a member, and sign in anew: a ticket holds the memberships of its time",
			Command: fmt.Sprintf("Add-ADGroupMember -Identity \"Domain Admins\" -Members %q; logoff", as),
			Do:      []string{flowStep("addGroupMember", arg{"group", "Domain Admins"}, arg{"members", []string{as}}), flowStep("logoff", arg{"", as})}})
	}
	return f
}

// rootKeyObject is what a step about a new root key is about.
const rootKeyObject = "a KDS root key"

// asMachine is userAccountControl with the account type of a machine alone: the mask of the guide's article on troubleshooting, (uac -band
// 0x7FFFC5FF) -bor 0x1000.
func asMachine(uac uint32) uint32 { return uac&0x7FFFC5FF | uacWorkstationTrust }
