package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// etypeMask are the bits of msDS-SupportedEncryptionTypes that name types of which accounts have keys: RC4, AES128, AES256.
const etypeMask = 0x1c

// findNoCommonEType tells whose encryption types do not fit: those of the account whose key is needed, and those of the host or of the DCs.
func (d *Domain) findNoCommonEType(s *stepError) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.NoCommonEType,
		SeenAs:  []string{seenTestFalse, "0xc00002fd: The encryption type requested is not supported by the KDC."},
		Because: "both sides of a ticket need a key of the same type, and the account's msDS-SupportedEncryptionTypes leaves none that the client has",
	}
	name := s.account
	if s.logon != nil {
		var ours []string
		for _, e := range s.logon.etypes {
			ours = append(ours, etypeName(e))
		}
		f.Facts = append(f.Facts, diag.Fact{Name: s.logon.account, Value: strings.Join(ours, ", ")})
		if name == "" {
			name = s.logon.account
		}
	}
	dc := d.dcOf(s, nil)
	if len(d.cfg.KDCETypes) > 0 {
		f.Facts = append(f.Facts, diag.Fact{Name: "domain controllers", Value: strings.Join(d.cfg.KDCETypes, ", ")})
	}
	a, err := dc.replica.AccountByName(directory.Principal, name)
	if s.server != "" && s.step == stepTicket {
		a, err = dc.replica.AccountBySPN(s.server)
	}
	if err != nil {
		return f
	}
	types := strings.Join(etypeNames(a.SupportedETypes), ", ")
	if types == "" {
		types = "none declared"
	}
	f.Facts = append(f.Facts, diag.Fact{Name: a.SAMAccountName, Value: types})
	f.Mode = etypeMode(s, a)
	switch f.Mode {
	case "host-enctypes-unsupported":
		f.SeenAs = append(f.SeenAs, "Event 9001, Microsoft-Windows-Security-Netlogon/Operational", "Install-ADServiceAccount : The provided context did not match the target.")
	case "etype-des-or-none":
		f.Because = "an account that declares no type of which it has keys gets the default of the domain controllers, which may be another than that of its clients; DES has no keys any more"
		f.Facts = append(f.Facts, diag.Fact{Name: "default of the domain controllers", Value: defaultETypesText(d.cfg.DefaultETypes, dc.update())})
	case "etype-target-rc4-only":
		f.Because = "a service ticket is under a key of the service's account, and that account allows none that the client or the domain controller takes; the tickets for other services work"
	}
	f.Help = []diag.Help{helpAES(a)}
	dc.byUpdate(f, s, a)
	return f
}

// byUpdate names the update of the DC when it is what took a type away that the account had.
func (dc *DC) byUpdate(f *diag.Finding, s *stepError, a *directory.Account) {
	u, own := dc.update(), a.SupportedETypes&etypeMask
	signsIn := s.server == "" || s.step != stepTicket
	declare := func(types ...string) diag.Help {
		name := strings.TrimSuffix(a.SAMAccountName, "$")
		h := diag.Help{Text: "let the account declare RC4 beside AES until everything has AES", Command: fmt.Sprintf("Set-ADServiceAccount %s -KerberosEncryptionType %s", name, strings.Join(types, ",")),
			Do: []string{flowStep("setServiceAccount", arg{"account", name}, arg{"encryptionTypes", types})}}
		if !a.ServiceAccount {
			h.Command = strings.Replace(h.Command, "Set-ADServiceAccount", "Set-ADUser", 1)
			h.Do = []string{flowStep("setEncryptionTypes", arg{"account", a.SAMAccountName}, arg{"encryptionTypes", types})}
		}
		return h
	}
	const rc4 = 0x4
	switch {
	case u == UpdateNovember2022 && signsIn && own != 0 && own&rc4 == 0:
		f.Mode = "os-nov2022-etypes"
		f.SeenAs = append(f.SeenAs, "System event 14, Kerberos-Key-Distribution-Center: … did not have a suitable key … (the missing key has an ID of 1)")
		f.Because = "the first build of the update of November 2022 refuses accounts that declare AES and not RC4; the correction came on 17 November"
		f.Help = []diag.Help{{Text: "install the correction on the domain controllers", Do: []string{flowStep("updateDC", arg{"dc", dc.name}, arg{"update", string(UpdateNovember2022Fixed)})}},
			declare("RC4", "AES128", "AES256")}
	case len(dc.d.cfg.KDCETypes) > 0 || len(dc.d.cfg.DefaultETypes) > 0:
		return // the administrator's setting decides
	case u == UpdateJuly2026 && own == rc4:
		f.Mode = "os-rc4-2026"
		f.Because = "with the updates of 2026 a domain controller uses RC4 no more (CVE-2026-20833), and the account declares nothing else"
	case (u == UpdateApril2026 || u == UpdateJuly2026) && own == 0:
		f.Mode = "os-rc4-2026"
		f.Because = "since the update of April 2026 an account that declares no types gets AES only, and the client has RC4 only (CVE-2026-20833)"
		if u == UpdateApril2026 {
			f.Help = append([]diag.Help{declare("RC4", "AES128", "AES256")}, f.Help...)
		}
	default:
		return
	}
	if f.Mode == "os-rc4-2026" {
		f.SeenAs = append(f.SeenAs, "System events 201 to 209, Kdcsvc, since the update of January 2026")
	}
	f.Facts = append(f.Facts, diag.Fact{Name: "update of " + dc.name, Value: string(u)})
}

// etypeMode tells the modes of a missing common type apart by the account whose key is needed.
func etypeMode(s *stepError, a *directory.Account) string {
	switch {
	case a.SupportedETypes&etypeMask == 0:
		return "etype-des-or-none"
	case s.step == stepRead:
		return "host-enctypes-unsupported"
	case a.ServiceAccount:
		return "etype-rc4-only-account"
	case s.step == stepTicket:
		return "etype-target-rc4-only"
	}
	return ""
}

func defaultETypesText(names []string, u DCUpdate) string {
	if len(names) == 0 {
		if u == UpdateApril2026 || u == UpdateJuly2026 {
			return "AES128, AES256" // CVE-2026-20833
		}
		return "RC4 with AES sessions" // since November 2022 (CVE-2022-37966)
	}
	return strings.Join(names, ", ")
}

// helpAES lets an account support AES.
func helpAES(a *directory.Account) diag.Help {
	aes := arg{"encryptionTypes", []string{"AES128", "AES256"}}
	name := strings.TrimSuffix(a.SAMAccountName, "$")
	h := diag.Help{Text: "let the account support a type that its hosts have, and read the password again",
		Command: fmt.Sprintf("Set-ADServiceAccount %s -KerberosEncryptionType AES128,AES256", name),
		Do:      []string{flowStep("setServiceAccount", arg{"account", name}, aes)}}
	if !a.ServiceAccount {
		h = diag.Help{Text: "let the service's account support AES; when its password is older than its AES keys, reset the password",
			Command: fmt.Sprintf("Set-ADUser %s -KerberosEncryptionType AES128,AES256", name),
			Do:      []string{flowStep("setEncryptionTypes", arg{"account", a.SAMAccountName}, aes)}}
	}
	return h
}
