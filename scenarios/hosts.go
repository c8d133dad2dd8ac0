package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
)

// hostVerbs are what happens on hosts and with sign-ins.
var hostVerbs = []verb{
	{"joinHost", true, "Add-Computer", func() action { return &joinHost{} }},
	{"restartHost", false, "Restart-Computer", func() action { return &restartHost{} }},
	{"purgeTickets", false, "klist purge, of a host or a session", func() action { return &purgeTickets{} }},
	{"listTickets", false, "klist, of a host or a session", func() action { return &listTickets{} }},
	{"testServiceAccount", false, "Test-ADServiceAccount on a host", func() action { return &testServiceAccount{} }},
	{"installServiceAccount", false, "Install-ADServiceAccount on a host", func() action { return &installServiceAccount{} }},
	{"readPassword", false, "read msDS-ManagedPassword from a host", func() action { return &readPassword{} }},
	{"signIn", false, "sign a user in on a host", func() action { return &signIn{} }},
	{"signInAsServiceAccount", false, "sign in as a service account on a host", func() action { return &signInAsServiceAccount{} }},
	{"kerberosTo", false, "get a ticket for a service", func() action { return &kerberosTo{} }},
	{"service", false, "start a service that runs as a service account", func() action { return &service{} }},
	{"refresh", false, "let a service's host read the password again", func() action { return &refresh{} }},
	{"accept", false, "let a service accept a ticket", func() action { return &accept{} }},
}

// digest tells passwords apart without showing them.
func digest(password []byte) string {
	if password == nil {
		return "none"
	}
	sum := sha256.Sum256(password)
	return hex.EncodeToString(sum[:6])
}

type joinHost simulator.HostConfig

func (a *joinHost) check(s *scope, n *node) {
	cfg := simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, Start: s.earlier, DCs: s.cfg.DCs, Domains: s.cfg.Domains,
		Hosts: []simulator.HostConfig{simulator.HostConfig(*a)}}
	if s.live || a.LastRestart.After(s.earlier) {
		cfg.Start = a.LastRestart
	}
	s.d.validate(n, "hosts[0]", cfg)
	workgroup := slices.ContainsFunc(s.cfg.Hosts, func(h simulator.HostConfig) bool { return h.Workgroup && strings.EqualFold(bare(h.Name), bare(a.Name)) })
	if has(s.hosts, bare(a.Name)) && !workgroup {
		s.d.fail(argument(n, "name").errorAt("there is a host %q already", bare(a.Name)))
	}
	if !s.current.expect.fails() && !has(s.hosts, bare(a.Name)) {
		s.hosts = append(s.hosts, bare(a.Name))
	}
	s.enter(a.Name)
}

func (a *joinHost) do(r *attempt) error {
	_, err := r.admin().JoinHost(simulator.HostConfig(*a))
	return err
}

type restartHost struct {
	Host string `yaml:"host,scalar"`
}

func (a *restartHost) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *restartHost) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	h.Restart()
	return nil
}

// owner is a holder of tickets: a host, or the session that a step signed in.
type owner struct {
	Host    string `yaml:"host,omitempty,scalar"`
	Session string `yaml:"session,omitempty"`
	// User stands for all sessions of a user on the host.
	User string `yaml:"user,omitempty"`
}

func (a *owner) check(s *scope, n *node) {
	switch {
	case (a.Host == "") == (a.Session == ""):
		s.d.fail(n.errorAt("either host or session"))
	case a.Host != "":
		s.host(argument(n, "host"), a.Host)
	default:
		s.result(argument(n, "session"), a.Session, "signIn", "signInAsServiceAccount")
	}
}

type purgeTickets owner

func (a *purgeTickets) check(s *scope, n *node) { (*owner)(a).check(s, n) }

func (a *purgeTickets) do(r *attempt) error {
	if a.Session != "" {
		session, err := resultOf[*simulator.Session](r, a.Session, "session")
		if err == nil {
			session.PurgeTickets()
		}
		return err
	}
	h, err := r.host(a.Host)
	switch {
	case err != nil:
		return err
	case a.User != "":
		h.PurgeSessions(a.User)
	default:
		h.PurgeTickets()
	}
	return nil
}

type listTickets owner

func (a *listTickets) check(s *scope, n *node) { (*owner)(a).check(s, n) }

func (a *listTickets) do(r *attempt) error {
	var tickets []simulator.Ticket
	if a.Session != "" {
		session, err := resultOf[*simulator.Session](r, a.Session, "session")
		if err != nil {
			return err
		}
		tickets = session.Tickets()
	} else {
		h, err := r.host(a.Host)
		if err != nil {
			return err
		}
		tickets = h.Tickets()
	}
	r.fact("tickets", len(tickets))
	for _, t := range tickets {
		r.fact(t.Server, fmt.Sprintf("%s, until %s", t.EType, t.EndTime.UTC().Format(time.RFC3339)))
	}
	return nil
}

// onHost is an account on a host.
type onHost struct {
	Host    string `yaml:"host"`
	Account string `yaml:"account"`
}

func (a *onHost) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	s.account(argument(n, "account"), a.Account, true)
}

type testServiceAccount onHost

func (a *testServiceAccount) check(s *scope, n *node) { (*onHost)(a).check(s, n) }

func (a *testServiceAccount) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	return h.TestServiceAccount(a.Account)
}

type installServiceAccount struct {
	Host    string `yaml:"host"`
	Account string `yaml:"account"`
	// Elevated tells whether the shell runs as administrator. Default true.
	Elevated *bool `yaml:"elevated,omitempty"`
}

func (a *installServiceAccount) check(s *scope, n *node) { (&onHost{a.Host, a.Account}).check(s, n) }

func (a *installServiceAccount) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	if a.Elevated != nil && !*a.Elevated {
		return h.Unelevated().InstallServiceAccount(a.Account)
	}
	return h.InstallServiceAccount(a.Account)
}

type readPassword struct {
	Host       string               `yaml:"host"`
	Account    string               `yaml:"account"`
	Protection simulator.Protection `yaml:"protection,omitempty"`
	// User is who reads on the host. Default: the host itself, which is SYSTEM.
	User string `yaml:"user,omitempty"`
	// ByDN lets the reader build the account's DN instead of searching by name.
	ByDN bool `yaml:"byDN,omitempty"`
}

func (a *readPassword) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	s.account(argument(n, "account"), a.Account, true)
}

func (a *readPassword) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	p := a.Protection
	if p == "" {
		p = simulator.Sealed
	}
	read := h.ReadPassword
	switch {
	case a.ByDN:
		read = func(account string, _ simulator.Protection) (*simulator.ManagedPassword, error) {
			return h.ReadPasswordByDN(account)
		}
	case a.User != "" && !strings.EqualFold(a.User, "SYSTEM"):
		read = func(account string, p simulator.Protection) (*simulator.ManagedPassword, error) {
			return h.ReadPasswordAs(a.User, account, p)
		}
	}
	pw, err := read(a.Account, p)
	if err != nil {
		return err
	}
	r.keep(pw)
	r.fact("account", pw.Account)
	r.fact("DC", pw.DC)
	r.fact("kvno", pw.KVNO)
	r.fact("current", digest(pw.Current))
	r.fact("previous", digest(pw.Previous))
	r.fact("ask again in", pw.QueryInterval)
	r.fact("unchanged for", pw.UnchangedInterval)
	return nil
}
