// Package simulated gives check the directory of a domain that is started for it in this process: asked over LDAP as any other, and able to show the
// tickets of its computers.
package simulated

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/ldapdirectory"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// clientName is who asks, in the events of a domain.
const clientName = "check"

// Directory is the directory of a simulated domain.
type Directory struct {
	*ldapdirectory.Directory
	domain *simulator.Domain
}

var _ check.TicketDirectory = (*Directory)(nil)

// Open starts a domain and signs in as its administrator. The domain ends with the directory.
func Open(ctx context.Context, cfg simulator.Config) (*Directory, error) {
	d, err := simulator.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	dir, err := ldapdirectory.Open(ctx, Of(d))
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &Directory{dir, d}, nil
}

// Of is how a domain that runs already in this process is asked.
func Of(d *simulator.Domain) ldapdirectory.Config {
	return ldapdirectory.Config{
		Dial: func(_, life context.Context, domain string) (*ldapdirectory.Wire, error) {
			conn, dc, err := d.DialLDAP(life, clientName, domain)
			if err != nil {
				return nil, err
			}
			return &ldapdirectory.Wire{Conn: conn, Host: dc.DNSName(), StartTLS: &tls.Config{RootCAs: d.RootCAs(), ServerName: dc.DNSName(), MinVersion: tls.VersionTLS12}}, nil
		},
		Login: ldapdirectory.Password{Name: "Administrator@" + d.DNSName(), Password: d.Config().AdminPassword},
	}
}

// Close closes the connections and the domain.
func (s *Directory) Close() error { return errors.Join(s.Directory.Close(), s.domain.Close()) }

// Stale implements [check.TicketDirectory]: the computer itself tries, with the ticket that it has.
func (s *Directory) Stale(account, computer check.Object) (time.Time, bool, error) {
	h, ok := s.domain.FindHost(strings.TrimSuffix(computer.SAM, "$"))
	if !ok {
		return time.Time{}, false, fmt.Errorf("%s is no host of the simulated domain", computer.SAM)
	}
	err := h.TestServiceAccount(strings.TrimSuffix(account.SAM, "$"))
	return h.LastRestart(), errors.Is(err, diag.StaleTicket), nil
}
