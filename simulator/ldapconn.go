package simulator

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/ldapclient"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// lostError: the DC closed the connection or never answered.
type lostError struct{ why string }

func (e *lostError) Error() string { return e.why }

// ldapConn is an LDAP connection of a logon session to one DC.
type ldapConn struct {
	dc    *DC
	logon *logon
	conn  *ldapclient.Conn
	line  *line
}

// ldapEntry is an entry as a client got it.
type ldapEntry struct{ *ldapclient.Entry }

func (e *ldapEntry) texts(name string) []string { return e.Texts(name) }

func (e *ldapEntry) value(name string) string { return e.Value(name) }

// number reads an integer attribute; 0 when it is absent.
func (e *ldapEntry) number(name string) int {
	n, err := strconv.ParseInt(e.value(name), 10, 64)
	if err != nil {
		return 0
	}
	return int(n)
}

// withConn runs work on a connection to a DC, bound with Kerberos as the session's account.
func (st *station) withConn(ctx context.Context, dc *DC, l *logon, p Protection, work func(*ldapConn) error) error {
	return st.withConnAs(ctx, dc, "ldap/"+dc.DNSName(), l, p, work)
}

// withConnAs is withConn with a ticket for a service that the client names.
func (st *station) withConnAs(ctx context.Context, dc *DC, server string, l *logon, p Protection, work func(*ldapConn) error) error {
	cred, err := l.ticketFor(ctx, server)
	if err != nil {
		return err
	}
	line, err := st.connect(ctx, dc)
	if err != nil {
		return err
	}
	defer line.end()
	c := &ldapConn{dc: dc, logon: l, conn: line.conn, line: line}
	init := st.d.initiator(cred, p.flags(), st.now, nil)
	if err := c.conn.BindSPNEGO(init.Initiator); err != nil {
		l.drop(server) // whatever was wrong with it, the next attempt begins with a new one
		return &stepError{step: stepBind, logon: l, dc: dc, server: server, err: c.failure(err)}
	}
	return work(c)
}

// flags are what the context of a bind has: the layer of GSS-SPNEGO follows from them ([MS-ADTS] 5.1.1.1.2).
func (p Protection) flags() gss.Flags {
	f := gss.FlagMutual | gss.FlagReplay | gss.FlagSequence
	switch p {
	case Plain:
		return gss.FlagMutual
	case Signed:
		return f | gss.FlagInteg
	default:
		return f | gss.FlagInteg | gss.FlagConf
	}
}

// failure tells a refusal from a lost connection.
func (c *ldapConn) failure(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*ldapclient.Error](err); ok {
		return &ldapError{e.Result, e.Diagnostic, e.Err}
	}
	if errors.Is(err, ldapclient.ErrProtocol) {
		return err
	}
	return &lostError{c.line.why()}
}

// pageSize is what the cmdlets ask for at once (ResultPageSize of the ActiveDirectory module).
const pageSize = 256

// search looks below a base.
func (c *ldapConn) search(base string, f *filter.Filter, attrs ...string) ([]*ldapEntry, error) {
	found, err := c.conn.Search(&ldapclient.SearchRequest{Base: base, Scope: ldapclient.Subtree, Filter: f, Attributes: attrs, PageSize: pageSize})
	if err != nil {
		return nil, c.failure(err)
	}
	entries := make([]*ldapEntry, len(found))
	for i, e := range found {
		entries[i] = &ldapEntry{e}
	}
	return entries, nil
}

// read reads one attribute of an object.
func (c *ldapConn) read(dn, attr string) ([]byte, error) {
	values, err := c.conn.Read(dn, attr)
	switch {
	case errors.Is(err, ldapclient.ErrNoAttribute):
		return nil, errNoAttribute
	case err != nil:
		return nil, c.failure(err)
	}
	return values[0], nil
}

func attributeOf(a directory.Attribute) ldapclient.Attribute {
	return ldapclient.Attribute{Name: a.Name, Values: a.Values}
}

func (c *ldapConn) add(dn string, attrs []directory.Attribute) error {
	list := make([]ldapclient.Attribute, len(attrs))
	for i, a := range attrs {
		list[i] = attributeOf(a)
	}
	return c.failure(c.conn.Add(dn, list))
}

func (c *ldapConn) modify(dn string, mods []directory.Modification) error {
	list := make([]ldapclient.Modification, len(mods))
	for i, m := range mods {
		list[i] = ldapclient.Modification{Op: m.Op, Attribute: attributeOf(m.Attribute)}
	}
	return c.failure(c.conn.Modify(dn, list))
}

func (c *ldapConn) delete(dn string) error { return c.failure(c.conn.Delete(dn)) }

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
		Flags: flags, SPNEGO: true, Now: now, Rand: d.rand, Bindings: bindings,
	})}
}

// first is the first token to the acceptor.
func (i initiator) first() ([]byte, error) {
	token, _, err := i.Step(nil)
	return token, err
}
