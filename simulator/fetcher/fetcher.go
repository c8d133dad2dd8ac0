// Package fetcher is a daemon of a Linux host that turns credential specs into Kerberos tickets for containers, in the way of
// credentials-fetcher 1.x (aws/credentials-fetcher, auth/kerberos/src/krb.cpp and docs): kinit as the computer or as a user, a search for the
// account under a DN that it puts together, kinit with the password that it found, and a renewal from time to time.
//
// Every step goes over the simulator's own protocols, so the daemon fails where the real one fails.
package fetcher

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
)

// Options are the daemon's settings. The zero value is what it does when nobody sets anything.
type Options struct {
	// OU is CF_GMSA_OU, the container below the domain that the account is in. Default: CN=Managed Service Accounts.
	OU string `json:"ou,omitempty" yaml:"ou,omitempty"`
	// Reverse lets ldapsearch take the DC's name from a reverse look-up: neither -N nor rdns = false is set.
	Reverse bool `json:"reverse,omitempty" yaml:"reverse,omitempty"`
	// Protection of the LDAP connection. Default: sealed.
	Protection simulator.Protection `json:"protection,omitempty" yaml:"protection,omitempty"`
	// Version is the daemon's major version, 1 or 2: it decides how the credential spec is read. Version 2 wants the ARN of a secret for hosts
	// in the domain too. Default: 1.
	Version int `json:"version,omitempty" yaml:"version,omitempty"`
}

const defaultOU = "CN=Managed Service Accounts"

// Daemon is the daemon on one host. Its methods may be called from any goroutine.
type Daemon struct {
	d    *simulator.Domain
	host string

	mu      sync.Mutex
	o       Options
	stopped bool
	made    int
}

// New starts the daemon on a host of a domain.
func New(d *simulator.Domain, h *simulator.Host, o Options) *Daemon {
	return &Daemon{d: d, host: h.Name(), o: o}
}

// h is the host, by name: it may have joined the domain since.
func (f *Daemon) h() *simulator.Host { return f.d.Host(f.host) }

// Set changes the settings of the daemon.
func (f *Daemon) Set(o Options) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.o = o
}

// Stop stops the daemon: nobody renews its tickets from now on.
func (f *Daemon) Stop() { f.run(false) }

// Start starts the daemon again (systemctl start credentials-fetcher).
func (f *Daemon) Start() { f.run(true) }

func (f *Daemon) run(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = !on
}

func (f *Daemon) state() (o Options, stopped bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o = f.o
	if o.OU == "" {
		o.OU = defaultOU
	}
	if o.Protection == "" {
		o.Protection = simulator.Sealed
	}
	return o, f.stopped
}

// User is a user of the domain for hosts outside it, as the secret has it.
type User struct {
	Name     string `json:"username"`
	Password string `json:"password"`
	Domain   string `json:"domainName"`
	// Secret is the name of the secret that it is from, "" for none.
	Secret string `json:"-"`
}

// Lease is a ticket that the daemon keeps for a container.
type Lease struct {
	// ID names it, as in the path of its credential cache.
	ID string
	// Account is the service account, without the $.
	Account string

	f    *Daemon
	spec spec
	user *User // nil: the computer's account

	mu    sync.Mutex
	cache *simulator.Session
	made  time.Time
}

// spec is what the daemon reads of a credential spec: the domain and the first account that has a name.
type spec struct {
	account, domain string
}

func parse(text []byte, version int) (spec, error) {
	read := func(text []byte) (consumer.Outcome, error) { return consumer.Fetcher1(text, false) }
	if version == 2 {
		read = consumer.Fetcher2
	}
	o, err := read(text)
	return spec{account: o.Account, domain: o.Domain}, err
}

// errDown: the daemon does not run.
var errDown = errors.New("the daemon does not run: dial unix /var/credentials-fetcher/socket/credentials_fetcher.sock: connect: no such file or directory")

// Lease is AddKerberosLease, or with a user AddNonDomainJoinedKerberosLease: a ticket for the account of a credential spec.
func (f *Daemon) Lease(text []byte, user *User) (*Lease, error) {
	o, stopped := f.state()
	if stopped {
		return nil, errDown
	}
	s, err := parse(text, o.Version)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.made++
	id := fmt.Sprintf("lease%04d", f.made)
	f.mu.Unlock()
	l := &Lease{ID: id, Account: s.account, f: f, spec: s, user: user}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.fetchLocked(); err != nil {
		return nil, err
	}
	return l, nil
}

// fetchLocked goes the whole way once: kinit, ldapsearch, kinit.
func (l *Lease) fetchLocked() error {
	o, _ := l.f.state()
	var reader *simulator.Session
	var err error
	if l.user == nil {
		reader, err = l.f.h().KeytabSession()
	} else {
		reader, err = l.f.h().SignIn(l.user.Name, l.user.Password)
	}
	if err != nil {
		return l.explain(stepReader, o, "", err)
	}
	dn := fmt.Sprintf("CN=%s,%s,%s", l.spec.account, o.OU, baseDN(l.spec.domain))
	pw, err := reader.SearchPassword(simulator.PasswordSearch{Domain: l.spec.domain, DN: dn, Protection: o.Protection, Reverse: o.Reverse})
	if err != nil {
		return l.explain(stepSearch, o, dn, err)
	}
	// The password goes through a pipe, and kinit reads one line of it.
	line, _, _ := strings.Cut(pw.UTF8(), "\n")
	session, err := l.f.h().SignIn(pw.Account, line)
	if err != nil {
		if line != pw.UTF8() {
			err = &cutError{len(line), err}
		}
		return l.explain(stepTicket, o, dn, err)
	}
	l.cache, l.made = session.Cache(), l.f.h().Time()
	return nil
}

// cutError: kinit got the beginning of the password only.
type cutError struct {
	length int
	err    error
}

func (e *cutError) Error() string { return e.err.Error() }
func (e *cutError) Unwrap() error { return e.err }

// baseDN is the DN of a domain.
func baseDN(domain string) string {
	labels := strings.Split(domain, ".")
	for i := range labels {
		labels[i] = "DC=" + labels[i]
	}
	return strings.Join(labels, ",")
}

// renewEvery is after what time the daemon makes a ticket anew.
// guess: credentials-fetcher renews on a timer of its own before the ten hours of a ticket are over; here, after five.
const renewEvery = 5 * time.Hour

// KerberosTo gets a ticket for a service with the credential cache, as the application in the container does. While the daemon runs, the cache
// is as fresh as the daemon keeps it.
func (l *Lease) KerberosTo(spn string) (*simulator.Ticket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, stopped := l.f.state()
	if !stopped && l.f.h().Time().Sub(l.made) >= renewEvery {
		if err := l.fetchLocked(); err != nil && l.cache == nil {
			return nil, err
		}
	}
	t, err := l.cache.KerberosTo(spn)
	if err != nil {
		return nil, l.explain(stepUse, o, "", err)
	}
	return t, nil
}

// Tickets are the tickets in the cache (klist -c).
func (l *Lease) Tickets() []simulator.Ticket {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.cache.Tickets())
}

// Renew lets the daemon make the ticket anew at once.
func (l *Lease) Renew() error {
	if _, stopped := l.f.state(); stopped {
		return errDown
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fetchLocked()
}
