package scenarios

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/fetcher"
)

// fetcherVerbs are about the daemon of Linux hosts.
var fetcherVerbs = []verb{
	{"fetcher", false, "systemctl restart credentials-fetcher on a Linux host, with the settings given", func() action { return &startFetcher{} }},
	{"stopFetcher", false, "systemctl stop credentials-fetcher", func() action { return &stopFetcher{} }},
	{"lease", false, "let the daemon of a host make a ticket for a service account", func() action { return &lease{} }},
	{"renewLease", false, "let the daemon make it anew", func() action { return &renewLease{} }},
	{"leaseTicket", false, "get a ticket for a service with the daemon's ticket, as a container does", func() action { return &leaseTicket{} }},
}

// fetcherKey is where a session keeps the daemon of a host; no step can have it as its id.
func fetcherKey(host string) string { return "credentials-fetcher on " + strings.ToLower(bare(host)) }

// fetcherOn is the daemon of a host.
func (r *attempt) fetcherOn(host string) (*fetcher.Daemon, error) {
	f, ok := r.s.results[fetcherKey(host)].(*fetcher.Daemon)
	if !ok {
		return nil, fmt.Errorf("%s has no credentials-fetcher", bare(host))
	}
	return f, nil
}

type startFetcher struct {
	Host       string               `yaml:"host,scalar"`
	OU         string               `yaml:"ou,omitempty"`
	Reverse    bool                 `yaml:"reverse,omitempty"`
	Protection simulator.Protection `yaml:"protection,omitempty"`
}

func (a *startFetcher) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *startFetcher) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	o := fetcher.Options{OU: a.OU, Reverse: a.Reverse, Protection: a.Protection}
	f, err := r.fetcherOn(a.Host)
	if err != nil {
		r.s.results[fetcherKey(a.Host)] = fetcher.New(r.d, h, o)
		return nil
	}
	f.Set(o)
	f.Start()
	return nil
}

type stopFetcher struct {
	Host string `yaml:"host,scalar"`
}

func (a *stopFetcher) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *stopFetcher) do(r *attempt) error {
	f, err := r.fetcherOn(a.Host)
	if err == nil {
		f.Stop()
	}
	return err
}

type lease struct {
	Host    string `yaml:"host"`
	Account string `yaml:"account"`
	// Secret is the user to sign in as, outside the domain: a secret in JSON with username, password, domainName.
	Secret string `yaml:"secret,omitempty"`
}

func (a *lease) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	s.account(argument(n, "account"), a.Account, true)
}

func (a *lease) do(r *attempt) error {
	f, err := r.fetcherOn(a.Host)
	if err != nil {
		return err
	}
	var user *fetcher.User
	if a.Secret != "" {
		h, err := r.host(a.Host)
		if err != nil {
			return err
		}
		text, err := h.ReadSecret(a.Secret)
		if err != nil {
			return err
		}
		user = &fetcher.User{Secret: a.Secret}
		if err := json.Unmarshal([]byte(text), user); err != nil {
			return fmt.Errorf("secret %s: %w", a.Secret, err)
		}
	}
	l, err := f.Lease(r.d.CredentialSpec(a.Account), user)
	if err != nil {
		return err
	}
	r.keep(l)
	r.lease(l)
	return nil
}

// lease states a ticket of the daemon.
func (r *attempt) lease(l *fetcher.Lease) {
	r.fact("lease", l.ID)
	for _, t := range l.Tickets()[:1] {
		r.fact("client", t.Client)
		r.fact("end", t.EndTime)
	}
}

type renewLease struct {
	Lease string `yaml:"lease,scalar"`
}

func (a *renewLease) check(s *scope, n *node) {
	s.result(argument(n, "lease"), a.Lease, "lease", "runTask")
}

func (a *renewLease) do(r *attempt) error {
	l, err := resultOf[*fetcher.Lease](r, a.Lease, "lease")
	if err == nil {
		err = l.Renew()
	}
	return err
}

type leaseTicket struct {
	Lease string `yaml:"lease"`
	SPN   string `yaml:"spn"`
}

func (a *leaseTicket) check(s *scope, n *node) {
	s.result(argument(n, "lease"), a.Lease, "lease", "runTask")
}

func (a *leaseTicket) do(r *attempt) error {
	l, err := resultOf[*fetcher.Lease](r, a.Lease, "lease")
	if err != nil {
		return err
	}
	t, err := l.KerberosTo(a.SPN)
	if err != nil {
		return err
	}
	r.fact("client", t.Client)
	r.fact("server", t.Server)
	return nil
}
