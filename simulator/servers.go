package simulator

import (
	"context"
	"errors"
	"net"
)

// kdcServer is the part of fakekdc.KDC that in-process exchanges use.
type kdcServer interface {
	Exchange(ctx context.Context, req []byte) []byte
}

// ldapServer is the part of fakeads.Server that in-process connections use.
type ldapServer interface {
	ServeConn(ctx context.Context, conn net.Conn) error
	Close() error
}

func (dc *DC) newKDC() kdcServer { return nil }

func (dc *DC) newLDAPServer() (ldapServer, error) { return nil, errors.New("no LDAP server yet") }

func (d *Domain) openFaces() error { return errors.New("no servers yet") }

func (st *station) lookupSRV(ctx context.Context, name string) ([]string, error) {
	return nil, errors.New("no DNS yet")
}

func (st *station) firstDC() *DC { return st.d.firstDCOf(st.dom) }
