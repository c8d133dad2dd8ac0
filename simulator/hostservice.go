package simulator

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/fakekdc/gss"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

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

// Accept takes a client's ticket for the service, as an AP-REQ with a fresh authenticator; nil means that the client is signed in.
// The error wraps diag.TicketUnderOldKey when no key of the service opens the ticket.
func (s *Service) Accept(t *Ticket) error {
	d := s.h.d
	return d.explain(d.accept(&s.h.station, s.account+"$", d.managedKeys(s.h.dom, s.account, s.passwords()), t))
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
