package simulator

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Host is a computer that is joined to the domain, or one of a workgroup. It works as Windows does: its ticket is from the last restart and so are the
// group memberships in it; tickets and managed passwords are kept until they expire.
type Host struct {
	station
	cfg     HostConfig
	machine *logon

	mu          sync.Mutex
	sys         system
	care        hostCare
	lastRestart time.Time
	managed     map[string]*ManagedPassword // by lower-case sAMAccountName
	files       specFiles
	registry    map[string][]byte // credential specs by lower-case name of a value
	containers  []*Running        // that run, in the order of their start
	services    []*Service        // that run as service accounts
	started     int               // containers so far, from which their ids are made
	sessions    []*Session        // of users who have signed in
	plugins     []Plugin
	identities  []string // by which secret stores know it
}

// addHost makes the computer for an account that exists.
func (d *Domain) addHost(cfg HostConfig) *Host {
	dom := d.root()
	if cfg.Domain != "" {
		dom = d.forest.Domain(cfg.Domain)
	}
	h := &Host{cfg: cfg, sys: systemOf(cfg), care: careOf(cfg), lastRestart: cfg.LastRestart}
	if h.lastRestart.IsZero() {
		h.lastRestart = d.Clock.Now()
	}
	h.station.d, h.station.name, h.station.dom = d, cfg.Name, dom
	h.station.order, h.station.closed, h.station.offset = cfg.DCs, slices.Clone(cfg.ClosedPorts), cfg.ClockOffset
	h.station.dns, h.plugins, h.identities = slices.Clone(cfg.DNS), slices.Clone(cfg.Plugins), slices.Clone(cfg.Identities)
	h.setUpFiles()
	h.registry = h.existingRegistrySpecs()
	h.machine = &logon{st: &h.station, account: strings.ToUpper(cfg.Name) + "$", realm: dom.Realm, etypes: clientETypes(cfg.EncryptionTypes),
		secret: d.passwordSecret(cfg.Password), since: h.lastRestart}
	if cfg.Workgroup {
		h.machine.account, h.machine.nobody = "", &notJoinedError{host: h}
	}
	d.mu.Lock()
	d.hosts = append(d.hosts, h)
	d.byName[hostKey(cfg.Name)] = h
	d.unsettled = append(d.unsettled, h.machine)
	d.mu.Unlock()
	d.zoneChanged()
	return h
}

// clientETypes are the encryption types that a client offers, in the order of Windows.
func clientETypes(names []string) []int32 {
	if len(names) == 0 {
		return []int32{etypeAES256, etypeAES128, etypeRC4}
	}
	var list []int32
	for _, e := range []int32{etypeAES256, etypeAES128, etypeRC4} {
		if slices.Contains(names, etypeName(e)) {
			list = append(list, e)
		}
	}
	return list
}

// Name is the host's name without $.
func (h *Host) Name() string { return h.station.name }

// LastRestart is the domain time of the last restart.
func (h *Host) LastRestart() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lastRestart
}

// Restart restarts the host: its containers end, all tickets and remembered passwords go, and a new ticket brings new memberships.
func (h *Host) Restart() {
	for _, c := range h.Containers() {
		c.Stop()
	}
	now := h.d.Clock.Now()
	h.mu.Lock()
	h.lastRestart, h.managed, h.sys.ccgStopped, h.care.restartPending = now, nil, false, false
	h.mu.Unlock()
	h.machine.purge()
	h.machine.mu.Lock()
	h.machine.since = now
	h.machine.mu.Unlock()
	h.forget()
	h.d.mu.Lock()
	h.d.unsettled = append(h.d.unsettled, h.machine)
	h.d.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "restart"})
}

// PurgeTickets is klist -li 0x3e7 purge: the tickets of the host go, remembered passwords stay.
func (h *Host) PurgeTickets() {
	h.machine.purge()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "klist -li 0x3e7 purge"})
}

// SetClockOffset sets what the host's clock is ahead of domain time.
func (h *Host) SetClockOffset(offset time.Duration) {
	h.station.mu.Lock()
	h.offset = offset
	h.station.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: fmt.Sprintf("the clock is %v ahead of domain time", offset)})
}

// ClosePort lets a firewall keep a port from this host: "389", "DC01:88" or "DC01".
func (h *Host) ClosePort(port string) {
	h.station.mu.Lock()
	h.closed = append(h.closed, port)
	h.station.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "a firewall closes " + port})
}

// OpenPort takes back ClosePort.
func (h *Host) OpenPort(port string) {
	h.station.mu.Lock()
	h.closed = slices.DeleteFunc(h.closed, func(s string) bool { return s == port })
	h.station.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "a firewall opens " + port})
}

// Time is the host's own clock.
func (h *Host) Time() time.Time { return h.now() }

// Tickets lists the host's tickets (klist -li 0x3e7).
func (h *Host) Tickets() []Ticket { return h.machine.list() }

// TestServiceAccount is Test-ADServiceAccount: the host can read the account's password now, and both support an encryption type
// in common. nil is True.
func (h *Host) TestServiceAccount(account string) error {
	err := h.cmdlet("Test-ADServiceAccount")
	if err == nil {
		_, err = h.fetch(h.d.ctx, account, Sealed)
		h.logCannotUse(account, err)
	}
	return h.d.explain(err)
}

// InstallServiceAccount is Install-ADServiceAccount: it reads the password and keeps it.
func (h *Host) InstallServiceAccount(account string) error {
	if err := h.cmdlet("Install-ADServiceAccount"); err != nil {
		return h.d.explain(err)
	}
	pw, err := h.fetch(h.d.ctx, account, Sealed)
	h.logCannotUse(account, err)
	if err == nil && pw.compound {
		// guess: the mark for compound identity stops the installation and nothing else (one thread)
		err = &stepError{step: stepCmdlet, logon: h.machine, account: account,
			err: &cmdletError{h: h, cmdlet: "Install-ADServiceAccount", cause: errContext, about: strings.TrimSuffix(account, "$")}}
	}
	if err == nil {
		h.keep(pw)
	}
	return h.d.explain(err)
}
