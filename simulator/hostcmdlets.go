package simulator

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// hostCare is what a host needs for its cmdlets and for its part in the domain, beside the network.
type hostCare struct {
	noADModule     bool // the Active Directory module for Windows PowerShell is not installed
	restartPending bool // it has joined and was not restarted since
}

func careOf(cfg HostConfig) hostCare {
	return hostCare{noADModule: cfg.NoADModule, restartPending: cfg.RestartPending}
}

func (h *Host) state() hostCare {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.care
}

// InstallADModule is Install-WindowsFeature RSAT-AD-PowerShell; on clients Add-WindowsCapability does the same.
func (h *Host) InstallADModule() {
	h.mu.Lock()
	h.care.noADModule = false
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "Install-WindowsFeature RSAT-AD-PowerShell"})
}

// portADWS is where Active Directory Web Services listen, which the cmdlets of the module talk to ([MS-ADDM]; AKS documentation: port 9389).
const portADWS = 9389

// errNoRights: the cmdlet needs an elevated shell.
var errNoRights = errors.New("unknown error (0xc0000022)")

// cmdletError: a cmdlet of the Active Directory module does not get to ask anything.
type cmdletError struct {
	h      *Host
	cmdlet string
	cause  error
	about  string // the account, where that matters
}

func (e *cmdletError) Error() string { return e.cmdlet + ": " + e.cause.Error() }
func (e *cmdletError) Unwrap() error { return e.cause }

var (
	errNoModule = errors.New("the term is not recognized as the name of a cmdlet")
	errNoADWS   = errors.New("unable to find a default server with Active Directory Web Services running")
	errContext  = errors.New("the provided context did not match the target")
	errPending  = errors.New("the computer was not restarted since it joined the domain")
)

// cmdlet tells why a cmdlet of the Active Directory module cannot begin. Windows itself reads passwords over LDAP, so what is wrong here
// does not concern containers.
func (h *Host) cmdlet(name string) error {
	fail := func(cause error) error {
		return &stepError{step: stepCmdlet, logon: h.machine, err: &cmdletError{h: h, cmdlet: name, cause: cause}}
	}
	if h.state().noADModule {
		return fail(errNoModule)
	}
	dcs, err := h.locate(h.d.ctx, h.dom.DNSName)
	if err != nil {
		return nil // the question itself will say so
	}
	answer := false
	for _, dc := range dcs {
		if h.reach(dc, portADWS) == "" {
			return nil
		}
		answer = answer || h.reach(dc, portLDAP) == ""
	}
	if answer {
		return fail(errNoADWS)
	}
	return nil // as above
}

// pending tells that the host does not know of its domain yet.
func (h *Host) pending() error {
	if h.state().restartPending {
		return &stepError{step: stepSignIn, logon: h.machine, err: &cmdletError{h: h, cmdlet: "sign in", cause: errPending}}
	}
	return nil
}

func (e *cmdletError) finding(d *Domain, _ *stepError) *diag.Finding {
	f := &diag.Finding{Facts: []diag.Fact{{Name: "host", Value: e.h.Name()}}}
	host := arg{"host", e.h.Name()}
	switch e.cause {
	case errNoModule:
		f.Code, f.Mode = diag.ModuleMissing, "host-rsat-missing"
		f.SeenAs = []string{fmt.Sprintf("%s : The term '%s' is not recognized as the name of a cmdlet, function, script file, or operable program.", e.cmdlet, e.cmdlet)}
		f.Because = "the cmdlets are part of the remote server administration tools, which a host does not need for its containers and does not have by itself"
		f.Help = []diag.Help{{Text: "install the module; on clients from 1809 on, Add-WindowsCapability -Online -Name Rsat.ActiveDirectory.DS-LDS.Tools~~~~0.0.1.0",
			Command: "Install-WindowsFeature RSAT-AD-PowerShell", Sure: true, Do: []string{flowStep("installADModule", arg{"", e.h.Name()})}}}
	case errNoADWS:
		f.Code, f.Mode = diag.ADWSUnreachable, "host-adws-blocked"
		f.Facts = append(f.Facts, diag.Fact{Name: "service", Value: fmt.Sprintf("Active Directory Web Services, port %d", portADWS)})
		f.SeenAs = []string{e.cmdlet + " : Unable to find a default server with Active Directory Web Services running.", "WARNING: Error initializing default drive"}
		f.Because = "the cmdlets talk to Active Directory Web Services on the DC, and Windows reads the password over LDAP: containers do not notice"
		var do []string
		for _, port := range e.h.shut(portADWS) {
			do = append(do, flowStep("openPort", host, arg{"port", port}))
		}
		f.Help = []diag.Help{{Text: "open port 9389 to a DC, or start the service there", Command: allowRules(e.h.shut(portADWS)), Do: do}}
	case errPending:
		f.Code, f.Mode = diag.RestartPending, "host-not-rebooted-after-join"
		f.SeenAs = []string{"WARNING: The changes will take effect after you restart the computer " + e.h.Name() + ".", seenTestFalse}
		f.Because = "Netlogon and the computer's sign-in begin with the restart after the join; until then nobody is there to read a password"
		f.Help = []diag.Help{{Text: "restart the computer", Command: "Restart-Computer", Do: []string{flowStep("restartHost", arg{"", e.h.Name()})}}}
	case errNoRights:
		f.Code, f.Mode = diag.ShellNotElevated, "host-not-elevated"
		f.SeenAs = []string{"Install-ADServiceAccount : Cannot install service account. Error Message: 'Unknown error (0xc0000022)'."}
		f.Because = "the cmdlet writes a secret of the computer, which takes an elevated shell; the directory was not asked"
		f.Help = []diag.Help{{Text: "run it as administrator", Command: "Start-Process powershell -Verb RunAs", Do: []string{flowStep("with", arg{"elevated", true})}}}
	case errContext:
		f.Code, f.Mode = diag.CompoundIdentity, "host-compound-identity"
		f.SeenAs = []string{"Install-ADServiceAccount : Cannot install service account. Error Message: 'The provided context did not match the target.'"}
		f.Because = "the account is marked for compound identity, which the host does not support"
		f.Facts = append(f.Facts, diag.Fact{Name: "account", Value: e.about})
		f.Help = []diag.Help{{Text: "take the mark from the account", Command: fmt.Sprintf("Set-ADServiceAccount %s -CompoundIdentitySupported:$false", e.about),
			Do: []string{flowStep("setServiceAccount", arg{"account", e.about}, arg{"compoundIdentitySupported", false})}}}
	}
	return f
}

// shut are the entries of the firewall that keep a port of some DC from the host.
func (h *Host) shut(port int) []string {
	h.station.mu.Lock()
	defer h.station.mu.Unlock()
	number := strconv.Itoa(port)
	var list []string
	for _, c := range h.closed {
		if c == number || strings.HasSuffix(c, ":"+number) {
			list = append(list, c)
		}
	}
	return list
}

// Unelevated is a shell on the host that does not run as administrator.
type Unelevated struct{ h *Host }

// Unelevated opens a shell that does not run as administrator.
func (h *Host) Unelevated() Unelevated { return Unelevated{h} }

// InstallServiceAccount is Install-ADServiceAccount, which needs to be elevated.
//
// guess: Test-ADServiceAccount needs no elevation; reports have both answers, and for Install-ADServiceAccount this one
func (u Unelevated) InstallServiceAccount(account string) error {
	if err := u.h.cmdlet("Install-ADServiceAccount"); err != nil {
		return u.h.d.explain(err)
	}
	return u.h.d.explain(&stepError{step: stepCmdlet, logon: u.h.machine, account: account, err: &cmdletError{h: u.h, cmdlet: "Install-ADServiceAccount", cause: errNoRights}})
}
