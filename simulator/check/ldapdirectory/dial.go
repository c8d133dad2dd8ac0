package ldapdirectory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Wire is a connection to a domain controller before anybody signs in.
type Wire struct {
	net.Conn
	// Host is the controller's name, for tickets and certificates; "": its root DSE says it.
	Host string
	// StartTLS is how TLS is to begin; nil: it is not.
	StartTLS *tls.Config
}

// secure tells whether the connection is TLS already.
func (w *Wire) secure() bool {
	_, ok := w.Conn.(*tls.Conn)
	return ok
}

// state is that of TLS, whenever it began.
func (w *Wire) state(c *ldap.Conn) (tls.ConnectionState, bool) {
	if t, ok := w.Conn.(*tls.Conn); ok {
		return t.ConnectionState(), true
	}
	return c.TLSConnectionState()
}

// private tells whether nobody can listen.
func (w *Wire) private() bool { return w.secure() || w.StartTLS != nil }

// A Dialer connects to a domain controller of a domain, "" for the domain that is asked first. ctx bounds the attempt, and life is that of the
// connection.
type Dialer func(ctx, life context.Context, domain string) (*Wire, error)

// Server is a domain controller by its URL, with how others of its forest are found.
type Server struct {
	// URL is ldap://host:port or ldaps://host:port. The ports have the usual defaults.
	URL string
	// Roots are the authorities to trust for TLS. Nil: the system's.
	Roots *x509.CertPool
	// StartTLS protects a connection to an ldap URL.
	StartTLS bool
	// DNS is host:port of the server that knows the forest's records. "": the system's.
	DNS string
}

// Dial makes a Dialer of a server. Controllers of other domains are found as the locator does, by _ldap._tcp.dc._msdcs ([MS-ADTS] 6.3.6), and asked
// over a connection that is protected alike.
func (s Server) Dial() (Dialer, error) {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "ldap" && u.Scheme != "ldaps":
		return nil, fmt.Errorf("%q is no LDAP address: it begins with ldap:// or ldaps://", s.URL)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q names no server", s.URL)
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.User != nil:
		return nil, fmt.Errorf("%q has more than a server and a port", s.URL)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme]
	}
	return func(ctx, _ context.Context, domain string) (*Wire, error) {
		if domain == "" {
			return s.open(ctx, u.Hostname(), port, u.Scheme == "ldaps", s.StartTLS)
		}
		targets, err := s.locate(ctx, domain)
		if err != nil {
			return nil, err
		}
		var failed error
		for _, t := range targets {
			w, err := s.open(ctx, strings.TrimSuffix(t.Target, "."), strconv.Itoa(int(t.Port)), false, s.StartTLS || u.Scheme == "ldaps")
			if err == nil {
				return w, nil
			}
			failed = errors.Join(failed, err)
		}
		return nil, failed
	}, nil
}

// maxControllers is how many controllers of a domain are tried.
const maxControllers = 5

// locate finds the controllers of a domain.
func (s Server) locate(ctx context.Context, domain string) ([]*net.SRV, error) {
	_, targets, err := s.resolver().LookupSRV(ctx, "ldap", "tcp", "dc._msdcs."+domain)
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("DNS has no record _ldap._tcp.dc._msdcs.%s", domain)
	}
	return targets[:min(len(targets), maxControllers)], nil
}

func (s Server) resolver() *net.Resolver {
	if s.DNS == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.DNS)
	}}
}

// dialTimeout is for one controller.
const dialTimeout = 5 * time.Second

func (s Server) open(ctx context.Context, host, port string, secure, startTLS bool) (*Wire, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	w := &Wire{}
	config := &tls.Config{RootCAs: s.Roots, ServerName: host, MinVersion: tls.VersionTLS12}
	if _, err := netip.ParseAddr(host); err != nil {
		w.Host = host
	}
	conn, err := (&net.Dialer{Resolver: s.resolver()}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	switch {
	case secure:
		t := tls.Client(conn, config)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		w.Conn = t
	case startTLS:
		w.Conn, w.StartTLS = conn, config
	default:
		w.Conn = conn
	}
	return w, nil
}
