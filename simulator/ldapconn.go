package simulator

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// lostError: the DC closed the connection or never answered.
type lostError struct{ why string }

func (e *lostError) Error() string { return e.why }

// ldapConn is an LDAP connection of a logon session to one DC.
type ldapConn struct {
	dc    *DC
	logon *logon
}

// ldapEntry is an entry as a client got it.
type ldapEntry struct {
	DN         string
	attributes []directory.Attribute
}

func (e *ldapEntry) texts(name string) []string {
	var list []string
	for _, v := range (&directory.Entry{Attributes: e.attributes}).Values(name) {
		list = append(list, string(v))
	}
	return list
}

func (e *ldapEntry) value(name string) string {
	return (&directory.Entry{Attributes: e.attributes}).Value(name)
}

// number reads an integer attribute; 0 when it is absent.
func (e *ldapEntry) number(name string) int {
	n, err := strconv.ParseInt(e.value(name), 10, 64)
	if err != nil {
		return 0
	}
	return int(n)
}

// withConn runs work on a connection to a DC, bound as the session's account.
func (st *station) withConn(ctx context.Context, dc *DC, l *logon, p Protection, work func(*ldapConn) error) error {
	return errors.New("not yet")
}

// search looks below a base.
func (c *ldapConn) search(base string, f *filter.Filter, attrs ...string) ([]*ldapEntry, error) {
	return nil, errors.New("not yet")
}

// read reads one attribute of an object.
func (c *ldapConn) read(dn, attr string) ([]byte, error) { return nil, errors.New("not yet") }

func (c *ldapConn) add(dn string, attrs []directory.Attribute) error { return errors.New("not yet") }

func (c *ldapConn) modify(dn string, mods []directory.Modification) error {
	return errors.New("not yet")
}

func (c *ldapConn) delete(dn string) error { return errors.New("not yet") }

// findAccount finds the one account or group with a sAMAccountName.
func (c *ldapConn) findAccount(base, sam string, attrs ...string) (*ldapEntry, error) {
	entries, err := c.search(base, &filter.Filter{Op: filter.Equal, Attr: "sAMAccountName", Value: []byte(sam)}, attrs...)
	switch {
	case err != nil:
		return nil, err
	case len(entries) == 0:
		return nil, errAbsent
	case len(entries) > 1:
		return nil, fmt.Errorf("%d objects have the sAMAccountName %s", len(entries), sam)
	}
	return entries[0], nil
}

// initiator is the client's side of a GSS context with a ticket.
type initiator struct{ *gss.Initiator }

func (d *Domain) initiator(cred *credential, flags gss.Flags, now func() time.Time, bindings *[16]byte) initiator {
	return initiator{gss.NewInitiator(gss.InitiatorConfig{
		Ticket: cred.raw, SessionKey: cred.key, Client: gss.Principal{NameType: nameTypePrincipal, Components: []string{cred.client}, Realm: cred.crealm},
		Flags: flags, Now: now, Rand: d.rand, Bindings: bindings,
	})}
}

// first is the first token to the acceptor.
func (i initiator) first() ([]byte, error) {
	token, _, err := i.Step(nil)
	return token, err
}
