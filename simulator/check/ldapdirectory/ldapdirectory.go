// Package ldapdirectory answers the questions of package check over LDAP, from a domain controller of Active Directory or one that is
// simulated, over a socket or in process.
package ldapdirectory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/gmsasim/gmsasim/simulator/check"
)

// Defaults and limits.
const (
	defaultTimeout = 20 * time.Second
	pageSize       = 500
	// maxEntries is how many objects one question may have as its answer.
	maxEntries = 100_000
	maxDomains = 1000
)

// Config says where the directory is and who asks.
type Config struct {
	// Dial connects to a domain controller of a domain; "" is the domain that is asked first.
	Dial Dialer
	// Login signs in.
	Login Login
	// Timeout is for each request. Default 20 s.
	Timeout time.Duration
}

// Directory is a forest behind LDAP. It is safe for concurrent use, and remembers what it was told: it is for one look at the forest.
type Directory struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	links   map[string]*answer[*link] // by lower-case DNS name of the domain; "" is the first
	domains *answer[[]check.Domain]
	found   map[string]*answer[[]check.Object]
	tokens  map[string]*answer[[]string]
	// accounts are the names of service accounts by domain.
	accounts map[string]*answer[[]string]
}

// answer is what became of a question, so that nobody asks it twice, or waits twice for nobody.
type answer[T any] struct {
	value T
	err   error
}

// Open connects to the first domain controller and signs in. The directory is to be closed; it ends with ctx.
func Open(ctx context.Context, cfg Config) (*Directory, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	d := &Directory{cfg: cfg, links: map[string]*answer[*link]{}, found: map[string]*answer[[]check.Object]{}, tokens: map[string]*answer[[]string]{},
		accounts: map[string]*answer[[]string]{}}
	d.ctx, d.cancel = context.WithCancel(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.link(""); err != nil {
		d.cancel()
		return nil, err
	}
	return d, nil
}

var errClosed = errors.New("the directory is closed")

// Close closes the connections.
func (d *Directory) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cancel()
	for _, a := range d.links {
		if a.value != nil {
			_ = a.value.conn.Close() // a second time is harmless, and nothing is under way that could be lost
			a.value = nil
		}
		a.err = errClosed
	}
	return nil
}

// link is a signed-in connection to a domain controller.
type link struct {
	conn *ldap.Conn
	// of the root DSE
	dc, base, config, root string
	// sids are the connection's own, with its groups.
	sids []string
	who  string
	// since is the controller's time when the connection began.
	since time.Time
}

// domain is the DNS name of the controller's domain.
func (l *link) domain() string { return domainOf(l.base) }

// link is the connection to a domain controller of a domain.
func (d *Directory) link(domain string) (*link, error) {
	key := strings.ToLower(domain)
	a := d.links[key]
	if a == nil {
		a = &answer[*link]{}
		if a.value, a.err = d.connect(domain); a.err != nil {
			a.err = &ConnectError{Domain: domain, Err: a.err}
		} else {
			d.links[strings.ToLower(a.value.domain())] = a
		}
		d.links[key] = a
	}
	return a.value, a.err
}

// ConnectError means that no domain controller of a domain can be asked.
type ConnectError struct {
	Domain string // "": the one that was to be asked first
	Err    error
}

func (e *ConnectError) Error() string {
	if e.Domain == "" {
		return fmt.Sprintf("cannot reach a domain controller: %v", e.Err)
	}
	return fmt.Sprintf("cannot reach a domain controller of %s: %v", e.Domain, e.Err)
}

// Unwrap gives the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// connect opens a connection, signs in and reads the root DSE.
func (d *Directory) connect(domain string) (l *link, err error) {
	ctx, cancel := context.WithTimeout(d.ctx, d.cfg.Timeout)
	defer cancel()
	w, err := d.cfg.Dial(ctx, d.ctx, domain)
	if err != nil {
		return nil, err
	}
	// go-ldap waits without an end for a TLS handshake.
	if err := w.SetDeadline(time.Now().Add(d.cfg.Timeout)); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	layer := &layered{Conn: w.Conn}
	conn := ldap.NewConn(layer, w.secure())
	conn.SetTimeout(d.cfg.Timeout)
	conn.Start()
	defer func() {
		if err != nil {
			_ = conn.Close() // what went wrong before counts
		}
	}()
	l = &link{conn: conn}
	context.AfterFunc(d.ctx, func() { _ = w.Close() }) // what is under way ends too
	if w.StartTLS != nil {
		if err := l.conn.StartTLS(w.StartTLS); err != nil {
			return nil, fmt.Errorf("StartTLS: %w", err)
		}
	}
	host := w.Host
	if host == "" {
		// Reading the root DSE needs no sign-in.
		e, err := l.read("", "dnsHostName")
		if err != nil {
			return nil, fmt.Errorf("root DSE: %w", err)
		}
		host = e.GetAttributeValue("dnsHostName")
	}
	if err := d.cfg.Login.bind(ctx, l.conn, layer, w, host); err != nil {
		return nil, fmt.Errorf("sign in at %s: %w", host, err)
	}
	e, err := l.read("", "dnsHostName", "defaultNamingContext", "configurationNamingContext", "rootDomainNamingContext", "tokenGroups")
	if err != nil {
		return nil, fmt.Errorf("root DSE: %w", err)
	}
	l.dc, l.base, l.config, l.root = strings.ToLower(e.GetAttributeValue("dnsHostName")), e.GetAttributeValue("defaultNamingContext"), e.GetAttributeValue("configurationNamingContext"), e.GetAttributeValue("rootDomainNamingContext")
	if l.base == "" || l.config == "" || l.root == "" {
		return nil, fmt.Errorf("%s is no domain controller of Active Directory: its root DSE names no domain", host)
	}
	if err := w.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	l.sids = sidTexts(e.GetRawAttributeValues("tokenGroups"))
	if l.since, err = d.now(l); err != nil {
		return nil, fmt.Errorf("root DSE: %w", err)
	}
	if who, err := l.conn.WhoAmI(nil); err == nil {
		l.who = strings.TrimPrefix(who.AuthzID, "u:")
	}
	return l, nil
}

// read reads attributes of one object.
func (l *link) read(dn string, attrs ...string) (*ldap.Entry, error) {
	res, err := l.conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", attrs, nil))
	if err != nil {
		return nil, err
	}
	if len(res.Entries) != 1 {
		return nil, fmt.Errorf("%d entries for %q", len(res.Entries), dn)
	}
	return res.Entries[0], nil
}

// search looks below a base, page after page.
func (l *link) search(base, filter string, controls []ldap.Control, attrs ...string) ([]*ldap.Entry, error) {
	paging := ldap.NewControlPaging(pageSize)
	var list []*ldap.Entry
	for {
		req := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attrs, append([]ldap.Control{paging}, controls...))
		res, err := l.conn.Search(req)
		if err != nil {
			return nil, err
		}
		if list = append(list, res.Entries...); len(list) > maxEntries {
			return nil, fmt.Errorf("more than %d objects match %s", maxEntries, filter)
		}
		next, ok := ldap.FindControl(res.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return list, nil
		}
		paging.SetCookie(next.Cookie)
	}
}

// domainOf is the DNS name of a naming context.
func domainOf(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return ""
	}
	var labels []string
	for _, rdn := range parsed.RDNs {
		if len(rdn.Attributes) == 1 && strings.EqualFold(rdn.Attributes[0].Type, "DC") {
			labels = append(labels, rdn.Attributes[0].Value)
		}
	}
	return strings.ToLower(strings.Join(labels, "."))
}
