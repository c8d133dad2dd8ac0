package simulator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

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
