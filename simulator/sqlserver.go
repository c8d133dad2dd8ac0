package simulator

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// SQLServer stands for a server outside of containers that asks who comes and lets in whom it knows: SQL Server with Windows
// authentication. It runs as a user, who has its service principal names.
type SQLServer struct {
	d       *Domain
	st      station
	account string
	secret  secret

	mu     sync.Mutex
	logins []string // DOMAIN\name
}

// NewSQLServer starts a server that runs as a user with a known password.
func (d *Domain) NewSQLServer(account string, logins ...string) (*SQLServer, error) {
	d.mu.Lock()
	password, ok := d.knownPasswordLocked(account)
	d.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("no password of a user %q is known", account)
	}
	s := &SQLServer{d: d, account: account, secret: d.passwordSecret(password), logins: slices.Clone(logins)}
	s.st.d, s.st.name, s.st.dom = d, account, d.root()
	return s, nil
}

// CreateLogin is CREATE LOGIN … FROM WINDOWS for DOMAIN\name; that of a service account ends with $.
func (s *SQLServer) CreateLogin(login string) {
	s.mu.Lock()
	s.logins = append(s.logins, login)
	s.mu.Unlock()
	s.d.event(Event{Op: opHost, From: s.st.name, Text: "CREATE LOGIN [" + login + "] FROM WINDOWS"})
}

// loginError: the server knows who comes, and has no login for it (SQL Server, error 18456).
type loginError struct {
	login string
	known []string
}

func (e *loginError) Error() string { return "18456: Login failed for user '" + e.login + "'." }

// keys are those of the server's user ([MS-KILE] 3.1.1.2: the salt of a user is the realm and the name).
func (s *SQLServer) keys(etype int32) ([]*krbcrypt.Key, error) {
	k, err := s.secret(etype, s.st.dom.Realm+s.account)
	return []*krbcrypt.Key{k}, err
}

// ConnectTo connects to a server by one of its service principal names, with Integrated Security, as the process.
func (p *Process) ConnectTo(s *SQLServer, spn string) error {
	cred, err := p.ticketFor(p.c.h.d.ctx, spn)
	if err != nil {
		return p.explain(err, spn)
	}
	t := cred.ticket()
	if err := s.d.accept(&s.st, s.account, s.keys, &t); err != nil {
		return s.d.explain(err)
	}
	login := s.st.dom.NetBIOSName + `\` + cred.client
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.logins, func(l string) bool { return strings.EqualFold(l, login) }) {
		return nil
	}
	return p.explain(&loginError{login, slices.Clone(s.logins)}, spn)
}
