package simulator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// NewCredentialSpec are the parameters of New-CredentialSpec (CredentialSpec module 1.1.0).
type NewCredentialSpec struct {
	// Account is -AccountName; a final $ is taken off.
	Account string
	// Additional is -AdditionalAccounts.
	Additional []AdditionalAccount
	// Domain is -Domain, a DNS name. Default: the host's domain.
	Domain string
	// FileName is -FileName, in the folder of the engine. Default: NETBIOS_account.json in lower case.
	FileName string
	// Path is -Path, a whole path elsewhere.
	Path string
	// NoClobber is -NoClobber: an existing file stays.
	NoClobber bool
	// StopAtWarning is -WarningAction Stop: where the cmdlet warns, it ends with an error and writes nothing.
	StopAtWarning bool
}

// AdditionalAccount is one of -AdditionalAccounts: a name, or a hashtable with AccountName and Domain.
type AdditionalAccount struct {
	Account string
	// Domain is the DNS name of the account's domain. Default: that of the spec.
	Domain string
	// Invalid is what stands there when it is neither of both forms, as PowerShell prints it. Account is then what was meant, if that is known.
	Invalid string
}

// flow is the account as a scenario has it.
func (a AdditionalAccount) flow() string {
	if a.Domain == "" {
		return flowText(a.Account)
	}
	return flowMap(arg{"account", a.Account}, arg{"domain", a.Domain})
}

// typed is the account as it is typed for New-CredentialSpec.
func (a AdditionalAccount) typed() string {
	if a.Domain == "" {
		return a.Account
	}
	return fmt.Sprintf("@{AccountName=%q; Domain=%q}", a.Account, a.Domain)
}

// specFile is the name of the file that the module chooses for an account.
func specFile(netbios, account string) string {
	return trimmedFile(strings.ToLower(netbios + "_" + strings.TrimSuffix(account, "$")))
}

// trimmedFile is how the module makes sure of the extension: TrimEnd(".json") takes off every one of these characters, whatever their order,
// so the name loses letters of its own (Virtualization-Documentation issue 1222).
func trimmedFile(name string) string { return strings.TrimRight(name, ".json") + ".json" }

// moduleError: the host does not have the module.
type moduleError struct{ host *Host }

func (e *moduleError) Error() string {
	return "The term 'New-CredentialSpec' is not recognized as the name of a cmdlet, function, script file, or operable program"
}

// specFolderError: there is no folder that the module could write into.
type specFolderError struct {
	host   *Host
	folder string
}

func (e *specFolderError) Error() string {
	return "Credential spec directory does not exist: " + e.folder
}

// specAccountError: the module does not find an account in a domain.
type specAccountError struct {
	account, domain string
	err             error
}

func (e *specAccountError) Error() string {
	return fmt.Sprintf("The group managed service account %q could not be found in the %s domain", e.account, e.domain)
}
func (e *specAccountError) Unwrap() error { return e.err }

// specExistsError: -NoClobber, and the file is there.
type specExistsError struct{ name, path, account string }

func (e *specExistsError) Error() string {
	return fmt.Sprintf("A credential spec already exists with the name %q", e.name)
}

// additionalError: an additional account is given in a form that the module does not take.
type additionalError struct {
	value   string
	all     []AdditionalAccount
	account string // whose credential spec it is
}

func (e *additionalError) Error() string {
	return fmt.Sprintf("Invalid additional account specified: %s. Expected a samAccountName or a hashtable containing AccountName and Domain keys.", e.value)
}

// unauthorisedError is the module's warning, which does not keep it from writing the file.
type unauthorisedError struct {
	account string
	err     error
}

func (e *unauthorisedError) Error() string {
	return fmt.Sprintf("This computer is not authorized to use the group managed service account %q: %v", e.account, e.err)
}
func (e *unauthorisedError) Unwrap() error { return e.err }

// NewCredentialSpec is New-CredentialSpec: it finds the accounts in the directory and writes a file into the folder of the engine, whose
// name it returns. Whether the host may read the password does not matter to it: what is wrong with that is the warning, which wraps a
// [diag.Finding] as the error of [Host.TestServiceAccount] does. An additional account in a form that it does not know is an error and is left
// out; the file is written all the same.
func (h *Host) NewCredentialSpec(o NewCredentialSpec) (file string, warning, err error) {
	file, warning, err = h.newCredentialSpec(o)
	result := "ok"
	if err != nil {
		result = err.Error()
	}
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "New-CredentialSpec -AccountName " + o.Account, Result: result, Detail: file})
	about := func(err error) error {
		if _, has := err.(*stepError); err != nil && !has {
			err = &stepError{step: stepSpec, logon: h.machine, account: o.Account, err: err}
		}
		return h.d.explain(err)
	}
	return file, about(warning), about(err)
}

// stepSpec is the step of the module.
const stepSpec step = "New-CredentialSpec"

func (h *Host) newCredentialSpec(o NewCredentialSpec) (file string, warning, err error) {
	h.mu.Lock()
	module, folder := h.files.module, h.files.modules()
	has := h.files.folders[strings.ToLower(folder)]
	h.mu.Unlock()
	if !module {
		return "", nil, &moduleError{h}
	}
	if h.cfg.Workgroup {
		return "", nil, &stepError{step: stepFind, logon: h.machine, account: o.Account, err: h.machine.nobody}
	}
	if err := h.cmdlet("Get-ADServiceAccount"); err != nil {
		return "", nil, err
	}
	dom := specDomain{Domain: h.dom, forest: h.d.DNSName()}
	if o.Domain != "" {
		if dom.Domain = h.d.forest.Domain(o.Domain); dom.Domain == nil {
			return "", nil, &specNameError{field: "-Domain", value: o.Domain, asked: o.Domain, text: fmt.Sprintf("The specified Active Directory domain (%s) could not be found", o.Domain)}
		}
	}
	var invalid error
	var additional []AdditionalAccount
	for _, a := range o.Additional {
		if a.Invalid != "" {
			invalid = &additionalError{a.Invalid, o.Additional, o.Account}
			continue
		}
		additional = append(additional, a)
	}
	if err := h.lookUp(&dom, o.Account, additional); err != nil {
		return "", nil, err
	}
	for _, a := range append([]AdditionalAccount{{Account: o.Account}}, additional...) {
		if _, err := h.fetch(h.d.ctx, a.Account, Sealed); err != nil && warning == nil {
			warning = &unauthorisedError{a.Account, err}
		}
	}
	if warning != nil && o.StopAtWarning {
		return "", nil, warning
	}
	file = specFile(dom.NetBIOSName, o.Account)
	path := pathBelow(folder, file)
	switch {
	case o.Path != "":
		path, has = strings.ToLower(strings.TrimSuffix(o.Path, ".json")+".json"), true
		file = o.Path
	case o.FileName != "":
		file = trimmedFile(o.FileName)
		path = pathBelow(folder, file)
	}
	if !has {
		return "", warning, &specFolderError{h, folder}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, exists := h.files.files[path]; exists && o.NoClobber {
		return "", warning, &specExistsError{file, path, o.Account}
	}
	h.files.files[path] = specOf(dom, o.Account, additional)
	return file, warning, invalid
}

// lookUp finds the accounts, each in its domain, and what the spec says about the domain.
func (h *Host) lookUp(dom *specDomain, account string, additional []AdditionalAccount) error {
	err := h.onDCOf(h.d.ctx, dom.DNSName, h.machine, Sealed, func(c *ldapConn) error {
		if err := c.findServiceAccount(dom.Domain, account); err != nil {
			return err
		}
		b, err := c.read(dom.DN, "objectSid")
		if err == nil {
			dom.sid, err = security.SIDFromBytes(b)
		}
		if err == nil {
			b, err = c.read(dom.DN, "objectGUID")
		}
		if err == nil {
			dom.guid, err = security.GUIDFromBytes(b)
		}
		return err
	})
	for _, a := range additional {
		if err != nil {
			return err
		}
		in := dom.Domain
		if a.Domain != "" {
			if in = h.d.forest.Domain(a.Domain); in == nil {
				return &specNameError{field: "Domain", value: a.Domain, asked: a.Domain, text: fmt.Sprintf("The specified Active Directory domain (%s) could not be found", a.Domain)}
			}
		}
		err = h.onDCOf(h.d.ctx, in.DNSName, h.machine, Sealed, func(c *ldapConn) error { return c.findServiceAccount(in, a.Account) })
	}
	return err
}

// findServiceAccount is Get-ADServiceAccount, which takes a sAMAccountName with or without the $.
func (c *ldapConn) findServiceAccount(dom *directory.Domain, account string) error {
	name := strings.TrimSuffix(account, "$")
	_, err := c.findAccount(dom.DN, name+"$", "distinguishedName")
	if errors.Is(err, errAbsent) {
		err = &specAccountError{name, dom.DNSName, err}
	}
	if err != nil {
		return &stepError{step: stepFind, logon: c.logon, dc: c.dc, account: name, err: err}
	}
	return nil
}

func (e *moduleError) finding(d *Domain, _ *stepError) *diag.Finding {
	help := diag.Help{Text: "save the module on a computer that reaches the gallery, and copy its folder", Command: `Save-Module CredentialSpec -Path X; copy X\CredentialSpec "C:\Program Files\WindowsPowerShell\Modules" -Recurse`}
	for _, o := range d.Hosts() {
		o.mu.Lock()
		has := o.files.module
		o.mu.Unlock()
		if has {
			help.Do = []string{flowStep("copyModule", arg{"from", o.Name()}, arg{"to", e.host.Name()})}
			break
		}
	}
	return &diag.Finding{
		Code: diag.SpecCmdlet, Mode: "cs-module-offline",
		Facts: []diag.Fact{{Name: "host", Value: e.host.Name()}},
		SeenAs: []string{"New-CredentialSpec : " + e.Error(),
			"Install-Module : No match was found for the specified search criteria and module name 'CredentialSpec'"},
		Because: "the module comes from the PowerShell Gallery, which this host does not have and cannot reach",
		Help:    []diag.Help{help},
	}
}

func (e *specFolderError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{
		Code: diag.SpecCmdlet, Mode: "cs-dir-missing",
		Facts:   []diag.Fact{{Name: "host", Value: e.host.Name()}, {Name: "folder", Value: e.folder}},
		SeenAs:  []string{"New-CredentialSpec : " + e.Error()},
		Because: "the engine makes the folder when it starts for the first time; the module does not make it",
		Help: []diag.Help{{Text: "start the engine once, or write the file elsewhere with -Path", Command: "Start-Service docker",
			Do: []string{flowStep("startEngine", arg{"", e.host.Name()})}}},
	}
}

func (e *specAccountError) finding(d *Domain, s *stepError) *diag.Finding {
	if f := d.findOtherDomain(s); f != nil {
		return f
	}
	f := d.findNoSuchName(e.account, s.dc)
	f.Mode = "cs-account-not-found"
	f.SeenAs = append([]string{"New-CredentialSpec : " + e.Error()}, f.SeenAs...)
	if f.Code != diag.NoSuchAccount {
		if len(f.Help) > 0 && f.Help[0].Do == nil {
			f.Help[0].Do = []string{"replicate: {}"}
		}
		return f
	}
	name := d.likelyAccount(e.account, s.dc)
	if name == "" {
		return f
	}
	if len(f.Nearest) == 0 {
		f.Nearest = []diag.Near{{Wanted: e.account, Closest: name}}
	}
	f.Help = append(f.Help, diag.Help{Text: "give the sAMAccountName alone", Command: "New-CredentialSpec -AccountName " + name, Do: []string{"with: " + flowMap(arg{"account", name})}})
	return f
}

func (e *specExistsError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{
		Code: diag.SpecExists, Mode: "cs-noclobber-collision",
		Facts:   []diag.Fact{{Name: "file", Value: e.path}},
		SeenAs:  []string{"New-CredentialSpec : " + e.Error()},
		Because: "with -NoClobber the module leaves a file of this name alone; without it, it writes over the file and says nothing",
		Help: []diag.Help{{Text: "write over the file when it is the same account's, or choose another name with -FileName", Command: "New-CredentialSpec -AccountName " + e.account,
			Do: []string{"with: " + flowMap(arg{"noClobber", false})}}},
	}
}

func (e *additionalError) finding(*Domain, *stepError) *diag.Finding {
	var list, typed []string
	for _, a := range e.all {
		if a.Account != "" {
			list = append(list, a.flow())
			typed = append(typed, a.typed())
		}
	}
	return &diag.Finding{
		Code: diag.SpecAdditional, Mode: "cs-additional-invalid",
		Facts:   []diag.Fact{{Name: "value", Value: e.value}},
		SeenAs:  []string{"New-CredentialSpec : " + e.Error()},
		Because: "the module takes a name, or a hashtable with AccountName and Domain; it leaves out what is neither and writes the file without it",
		Help: []diag.Help{{Text: "write the account again in one of both forms", Command: "New-CredentialSpec -AccountName " + e.account + " -AdditionalAccounts " + strings.Join(typed, ", "),
			Do: []string{"with: {additional: [" + strings.Join(list, ", ") + "]}"}}},
	}
}

func (e *unauthorisedError) finding(d *Domain, s *stepError) *diag.Finding {
	f := d.diagnose(e.err)
	if f == nil {
		return nil
	}
	f.Mode = "cs-module-unauthorised-warning"
	f.SeenAs = append([]string{fmt.Sprintf("WARNING: This computer is not authorized to use the group managed service account %q", e.account)}, f.SeenAs...)
	return f
}
