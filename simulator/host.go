package simulator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
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

// Protection is how an LDAP connection is protected.
type Protection string

// The protections of a connection after a bind with Kerberos.
const (
	Sealed Protection = "sealed" // signed and encrypted; what Windows uses to read a managed password
	Signed Protection = "signed"
	Plain  Protection = "plain"
)

// ManagedPassword is what a host gets with msDS-ManagedPassword.
type ManagedPassword struct {
	// Account is the sAMAccountName.
	Account  string `json:"account"`
	Current  []byte `json:"-"` // 256 bytes, UTF-16LE
	Previous []byte `json:"-"` // nil when there is none
	// QueryInterval is after which time a host should ask again; UnchangedInterval is how long the password surely stays.
	QueryInterval     time.Duration `json:"queryInterval"`
	UnchangedInterval time.Duration `json:"unchangedInterval"`
	// Read is the host's time of reading and DC the controller that answered.
	Read time.Time `json:"read"`
	DC   string    `json:"dc"`
	// KVNO is msDS-KeyVersionNumber at the time of reading.
	KVNO int `json:"kvno"`

	compound bool // the account is marked for compound identity
}

// inUse is the password to sign in with at a time: in the last five minutes before a change the DC gives the next password as the
// current one already, while only the previous one works everywhere ([MS-ADTS] msDS-ManagedPassword; Samba's clients do the same).
func (p *ManagedPassword) inUse(now time.Time) []byte {
	left := p.QueryInterval - now.Sub(p.Read)
	if p.Previous != nil && p.QueryInterval <= kds.MaxClockSkew && left > 0 {
		return p.Previous
	}
	return p.Current
}

// secret turns a managed password into keys.
func (d *Domain) managedSecret(password []byte) secret {
	return func(etype int32, salt string) (*krbcrypt.Key, error) {
		if etype == etypeRC4 {
			return krbcrypt.NTKey(password), nil
		}
		return d.keys.StringToKey(etype, kds.PasswordUTF8(password), salt)
	}
}

// ReadPassword reads the managed password of an account from a DC, with the host's own ticket.
func (h *Host) ReadPassword(account string, p Protection) (*ManagedPassword, error) {
	pw, err := h.fetch(h.d.ctx, account, p)
	return pw, h.d.explain(err)
}

// ReadPasswordAs is ReadPassword by a user who is signed in on the host, with the password that was configured or set for that user.
func (h *Host) ReadPasswordAs(user, account string, p Protection) (*ManagedPassword, error) {
	h.d.mu.Lock()
	password, ok := h.d.knownPasswordLocked(user)
	h.d.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("no password of a user %q is known", user)
	}
	pw, err := h.fetchAs(h.d.ctx, h.session(user, h.d.passwordSecret(password)).logon, account, p)
	return pw, h.d.explain(err)
}

// fetch reads the managed password over LDAP from the first DC that answers.
func (h *Host) fetch(ctx context.Context, account string, p Protection) (*ManagedPassword, error) {
	return h.fetchAs(ctx, h.machine, account, p)
}

func (h *Host) fetchAs(ctx context.Context, l *logon, account string, p Protection) (*ManagedPassword, error) {
	if err := h.pending(); err != nil {
		return nil, err
	}
	var pw *ManagedPassword
	err := h.onDC(ctx, l, p, func(c *ldapConn) error {
		var err error
		pw, err = readFrom(c, account)
		return err
	})
	if err != nil {
		return nil, err
	}
	return pw, nil
}

// onDC runs work on an LDAP connection to the first DC of the station's domain that answers. A DC that says it is busy or
// unavailable is passed over, as one that does not answer.
func (st *station) onDC(ctx context.Context, l *logon, p Protection, work func(*ldapConn) error) error {
	return st.onDCOf(ctx, st.dom.DNSName, l, p, work)
}

// onDCOf is onDC for the DCs of a domain that is named as somebody wrote it.
func (st *station) onDCOf(ctx context.Context, domain string, l *logon, p Protection, work func(*ldapConn) error) error {
	if l.nobody != nil {
		return &stepError{step: stepSignIn, logon: l, err: l.nobody}
	}
	return st.each(ctx, domain, "LDAP", portLDAP, func(dc *DC) (string, error) {
		err := st.withConn(ctx, dc, l, p, work)
		if why := passOver(err); why != "" {
			return why, nil
		}
		return "", err
	})
}

// readFrom finds an account in the domain of a DC and reads its password.
func readFrom(c *ldapConn, account string) (*ManagedPassword, error) {
	name := strings.TrimSuffix(account, "$")
	entry, err := c.findAccount(c.dc.dom.DN, name+"$", "distinguishedName", "objectClass", "sAMAccountName", "msDS-SupportedEncryptionTypes", "msDS-KeyVersionNumber")
	if err != nil {
		return nil, &stepError{step: stepFind, logon: c.logon, dc: c.dc, account: name, err: err}
	}
	blob, err := c.read(entry.DN, "msDS-ManagedPassword")
	if err != nil {
		return nil, &stepError{step: stepRead, logon: c.logon, dc: c.dc, account: name, err: err}
	}
	parsed, err := kds.ParseBlob(blob)
	if err != nil {
		return nil, &stepError{step: stepRead, logon: c.logon, dc: c.dc, account: name, err: err}
	}
	if bits := entry.number("msDS-SupportedEncryptionTypes"); bits != 0 && !slices.ContainsFunc(c.logon.etypes, func(e int32) bool { return bits&int(etypeBits([]string{etypeName(e)})) != 0 }) {
		return nil, &stepError{step: stepRead, logon: c.logon, dc: c.dc, account: name, err: errNoCommonEType}
	}
	return &ManagedPassword{Account: entry.value("sAMAccountName"), Current: parsed.Current, Previous: parsed.Previous, QueryInterval: parsed.Query,
		UnchangedInterval: parsed.Unchanged, Read: c.logon.st.now(), DC: c.dc.name, KVNO: entry.number("msDS-KeyVersionNumber"),
		compound: entry.number("msDS-SupportedEncryptionTypes")&compoundIdentity != 0}, nil
}

func (h *Host) keep(pw *ManagedPassword) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.managed == nil {
		h.managed = map[string]*ManagedPassword{}
	}
	h.managed[strings.ToLower(pw.Account)] = pw
}

// password gives the managed password as the host uses it: the one it keeps until it should ask again, and the kept one also when
// no DC answers (credential fetch of Windows: cache first, and the cached value when a DC cannot be asked).
func (h *Host) password(ctx context.Context, account string, fresh bool) (*ManagedPassword, error) {
	h.mu.Lock()
	kept := h.managed[strings.ToLower(strings.TrimSuffix(account, "$"))+"$"]
	h.mu.Unlock()
	if kept != nil && !fresh && h.now().Before(kept.Read.Add(kept.QueryInterval)) {
		return kept, nil
	}
	pw, err := h.fetch(ctx, account, Sealed)
	if err != nil {
		if kept != nil && !fresh && unreachable(err) {
			return kept, nil
		}
		return nil, err
	}
	h.keep(pw)
	return pw, nil
}

// KerberosTo gets a ticket for a service with the host's own identity.
func (h *Host) KerberosTo(spn string) (*Ticket, error) { return h.d.ticketTo(h.d.ctx, h.machine, spn) }

// SignIn signs a user in on this host.
func (h *Host) SignIn(user, password string) (*Session, error) {
	s := h.session(user, h.d.passwordSecret(password))
	s.logon.unknown = map[string]time.Time{}
	if err := s.logon.signIn(h.d.ctx); err != nil {
		return nil, h.d.explain(err)
	}
	h.mu.Lock()
	h.sessions = append(h.sessions, s)
	h.mu.Unlock()
	return s, nil
}

// PurgeSessions is klist purge in all sessions of a user on the host.
func (h *Host) PurgeSessions(user string) {
	h.mu.Lock()
	sessions := slices.Clone(h.sessions)
	h.mu.Unlock()
	for _, s := range sessions {
		if strings.EqualFold(s.logon.account, user) {
			s.PurgeTickets()
		}
	}
}

func (h *Host) session(account string, secret secret) *Session {
	return &Session{d: h.d, logon: &logon{st: &h.station, account: account, realm: h.dom.Realm, etypes: h.machine.etypes, secret: secret}}
}

// SignInAsServiceAccount signs in as a managed service account, with the password that the host reads or has kept. When the DC
// refuses a kept password, the host reads it again and tries once more.
func (h *Host) SignInAsServiceAccount(account string) (*Session, error) {
	s, err := h.signInAs(h.d.ctx, account, false)
	if e := asKRBError(err); e != nil && e.code == krbErrPreauthFailed {
		s, err = h.signInAs(h.d.ctx, account, true)
	}
	return s, h.d.explain(err)
}

func (h *Host) signInAs(ctx context.Context, account string, fresh bool) (*Session, error) {
	pw, err := h.password(ctx, account, fresh)
	if err != nil {
		return nil, err
	}
	s := h.session(pw.Account, h.d.managedSecret(pw.inUse(h.now())))
	if err := s.logon.signIn(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Session is a signed-in account on a host, with its tickets.
type Session struct {
	d     *Domain
	logon *logon
}

// Account is the account's name with its realm.
func (s *Session) Account() string { return s.logon.account + "@" + s.logon.realm }

// Tickets lists the tickets (klist), the ticket-granting ticket first.
func (s *Session) Tickets() []Ticket { return s.logon.list() }

// PurgeTickets removes the tickets (klist purge). For the next ticket the session signs in again.
func (s *Session) PurgeTickets() { s.logon.purge() }

// KerberosTo gets a ticket for a service.
func (s *Session) KerberosTo(spn string) (*Ticket, error) { return s.d.ticketTo(s.d.ctx, s.logon, spn) }

func (d *Domain) ticketTo(ctx context.Context, l *logon, spn string) (*Ticket, error) {
	cred, err := l.ticketFor(ctx, spn)
	if err != nil {
		return nil, d.explain(err)
	}
	t := cred.ticket()
	return &t, nil
}

// Ticket is a ticket as klist shows it.
type Ticket struct {
	Client    string    `json:"client"` // name@REALM
	Server    string    `json:"server"` // name@REALM
	EType     string    `json:"etype"`  // AES256, AES128, RC4
	KVNO      int       `json:"kvno"`
	Flags     uint32    `json:"flags"` // RFC 4120 5.3, the first flag in the highest bit
	AuthTime  time.Time `json:"authTime"`
	StartTime time.Time `json:"startTime"`
	EndTime   time.Time `json:"endTime"`
	RenewTill time.Time `json:"renewTill,omitzero"`
	DC        string    `json:"dc"` // that issued it

	cred *credential
}

// Service is a service that runs as a managed service account. It holds the keys of the password that its host had when it last
// looked, and of the one before.
type Service struct {
	h       *Host
	account string

	mu   sync.Mutex
	keys []*krbcrypt.Key
	read *ManagedPassword
}

// Service starts a service on this host that runs as a managed service account and accepts its tickets.
func (h *Host) Service(account string) (*Service, error) {
	s := &Service{h: h, account: strings.TrimSuffix(account, "$")}
	if err := s.load(false); err != nil {
		return nil, h.d.explain(err)
	}
	h.mu.Lock()
	h.services = append(h.services, s)
	h.mu.Unlock()
	return s, nil
}

// RefreshServiceAccount reads a managed password again and hands it to the services of the host that run as the account.
func (h *Host) RefreshServiceAccount(account string) error {
	pw, err := h.fetch(h.d.ctx, account, Sealed)
	if err != nil {
		return h.d.explain(err)
	}
	h.keep(pw)
	h.mu.Lock()
	services := slices.Clone(h.services)
	h.mu.Unlock()
	for _, s := range services {
		if sameAccount(s.account, account) {
			s.take(pw)
		}
	}
	return nil
}

// Accept takes a client's ticket for a service of the computer itself, which has the keys of the computer account.
func (h *Host) Accept(t *Ticket) error {
	keys := func(etype int32) ([]*krbcrypt.Key, error) {
		k, err := h.machine.secret(etype, salt(h.dom, h.Name()))
		return []*krbcrypt.Key{k}, err
	}
	return h.d.explain(h.d.accept(&h.station, h.machine.account, keys, t))
}

// InboundKerberos lets a host, user or service account sign in to a service of the computer itself, its shares for instance.
func (h *Host) InboundKerberos(from, spn string) error {
	t, err := h.d.KerberosTo(withService(h.d.ctx, h.machine.account), from, spn)
	if err != nil {
		return err
	}
	return h.Accept(t)
}

// Refresh lets the host read the password again.
func (s *Service) Refresh() error { return s.h.d.explain(s.load(true)) }

func (s *Service) load(fresh bool) error {
	pw, err := s.h.password(s.h.d.ctx, s.account, fresh)
	if err != nil {
		return err
	}
	s.take(pw)
	return nil
}

func (s *Service) take(pw *ManagedPassword) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read, s.keys = pw, nil
}

// passwords are the ones whose keys the service holds: the current one and, where there is one, the previous one.
func (s *Service) passwords() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read.both()
}

// both are the current password and, where there is one, the previous one.
func (p *ManagedPassword) both() [][]byte {
	list := [][]byte{p.Current}
	if p.Previous != nil {
		list = append(list, p.Previous)
	}
	return list
}

// Accept takes a client's ticket for the service, as an AP-REQ with a fresh authenticator; nil means that the client is signed in.
// The error wraps diag.TicketUnderOldKey when no key of the service opens the ticket.
func (s *Service) Accept(t *Ticket) error {
	d := s.h.d
	return d.explain(d.accept(&s.h.station, s.account+"$", d.managedKeys(s.h.dom, s.account, s.passwords()), t))
}

// keysFor gives the keys that a service holds for an encryption type.
type keysFor func(etype int32) ([]*krbcrypt.Key, error)

// managedKeys are the keys of managed passwords.
func (d *Domain) managedKeys(dom *directory.Domain, account string, passwords [][]byte) keysFor {
	salt := salt(dom, account)
	return func(etype int32) ([]*krbcrypt.Key, error) {
		var keys []*krbcrypt.Key
		for _, pw := range passwords {
			k, err := d.managedSecret(pw)(etype, salt)
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
		return keys, nil
	}
}

// accept is the AP exchange of a client with a service on a station that holds keys of an account, a sAMAccountName.
func (d *Domain) accept(st *station, account string, keys keysFor, t *Ticket) error {
	acceptor := gss.NewAcceptor(gss.AcceptorConfig{Now: st.now, Rand: d.rand,
		Keys: func(_ gss.Principal, etype int32, _ int) ([]*krbcrypt.Key, error) { return keys(etype) }})
	l := &logon{st: st, account: strings.TrimSuffix(account, "$")}
	token, err := d.initiator(t.cred, gss.FlagMutual|gss.FlagInteg, d.clientTime(t.Client), nil).first()
	if err == nil {
		_, _, err = acceptor.Step(token)
	}
	result, code := "ok", 0
	if err != nil {
		result, code = gssResult(err)
		err = &stepError{step: stepAccept, logon: l, server: t.Server, account: account, err: err}
	}
	d.event(Event{Op: opHost, From: st.name, Text: fmt.Sprintf("%s accepts %s for %s", account, t.Client, t.Server), Result: result, Code: code})
	return err
}

// salt is the salt of the AES keys of computers and service accounts ([MS-KILE] 3.1.1.2).
func salt(dom *directory.Domain, name string) string {
	return dom.Realm + "host" + strings.ToLower(name) + "." + strings.ToLower(dom.DNSName)
}

// KerberosTo signs an account in and gets a ticket for a service: from is a host ("ContainerHost01"), a user with the password that
// was configured or set, or a managed service account, which the first host of its domain signs in.
func (d *Domain) KerberosTo(ctx context.Context, from, spn string) (*Ticket, error) {
	if h, ok := d.FindHost(from); ok {
		return d.ticketTo(ctx, h.machine, spn)
	}
	d.mu.Lock()
	password, isUser := d.knownPasswordLocked(from)
	d.mu.Unlock()
	if isUser {
		return d.ticketTo(ctx, d.userLogon(from, password), spn)
	}
	for _, h := range d.Hosts() {
		if !d.isServiceAccount(strings.TrimSuffix(from, "$")+"$", h.firstDC()) {
			continue
		}
		s, err := h.SignInAsServiceAccount(from)
		if err != nil {
			return nil, err
		}
		return d.ticketTo(ctx, s.logon, spn)
	}
	return nil, fmt.Errorf("no host, user or service account %q to sign in with, or no host in the account's domain", from)
}

// userLogon is a session of a user at a workstation of its own.
func (d *Domain) userLogon(user, password string) *logon {
	st := &station{d: d, name: user, dom: d.root(), offset: d.userClock(user)}
	return &logon{st: st, account: user, realm: st.dom.Realm, etypes: clientETypes(nil), secret: d.passwordSecret(password)}
}
