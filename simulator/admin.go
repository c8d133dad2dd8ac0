package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// Admin is an administrator at work: the cmdlets of the guide as methods. Each goes over LDAP to one DC, as the account that the
// administrator is, so the directory's own rules and rights decide. An error wraps a [diag.Finding] when the cause is known.
type Admin struct {
	d      *Domain
	as, dc string
}

// As is the same administrator under another account (-Credential), with the password that was configured or set for it.
func (a *Admin) As(account string) *Admin { return &Admin{a.d, account, a.dc} }

// Server is the same administrator on another DC (-Server).
func (a *Admin) Server(dc string) *Admin { return &Admin{a.d, a.as, dc} }

// target is the DC that a.dc names; nil means the first one that answers.
func (a *Admin) target() (*DC, error) {
	if a.dc == "" {
		return nil, nil
	}
	dc, ok := a.d.FindDC(a.dc)
	if !ok {
		return nil, fmt.Errorf("no DC %q", a.dc)
	}
	return dc, nil
}

// logon is the administrator's session in a domain. It is kept, so that a row of commands costs one sign-in.
func (a *Admin) logon(dom *directory.Domain) (*logon, error) {
	key := strings.ToLower(dom.DNSName + `\` + a.as)
	a.d.mu.Lock()
	defer a.d.mu.Unlock()
	if l := a.d.admins[key]; l != nil {
		return l, nil
	}
	password, ok := a.d.knownPasswordLocked(a.as)
	if !ok {
		return nil, fmt.Errorf("no password of an account %q is known", a.as)
	}
	st := &station{d: a.d, name: a.as, dom: dom}
	l := &logon{st: st, account: a.as, realm: dom.Realm, etypes: clientETypes(nil), secret: a.d.passwordSecret(password)}
	a.d.admins[key] = l
	return l, nil
}

// do runs a command of the administrator over a sealed LDAP connection.
func (a *Admin) do(command string, work func(*ldapConn) error) error {
	dc, err := a.target()
	if err != nil {
		return err
	}
	a.d.settle()
	a.d.event(Event{Op: opAdmin, From: a.as, To: a.dc, Text: command})
	dom := a.d.root()
	if dc != nil {
		dom = dc.dom
	}
	l, err := a.logon(dom)
	if err != nil {
		return err
	}
	if dc == nil {
		return a.d.explain(l.st.onDC(a.d.ctx, l, Sealed, work))
	}
	if why := l.st.reach(dc, portLDAP); why != "" {
		return a.d.explain(&unreachableError{nil, "LDAP", portLDAP, []attempt{{dc.name, why}}})
	}
	return a.d.explain(l.st.withConn(a.d.ctx, dc, l, Sealed, work))
}

func (c *ldapConn) remove(name string) error {
	e, err := c.principal(name, "distinguishedName")
	if err != nil {
		return c.change(name, err)
	}
	return c.change(name, c.delete(e.DN))
}

// create and change put the step on an error.
func (c *ldapConn) create(name string, err error) error { return c.stepped(stepCreate, name, err) }
func (c *ldapConn) change(name string, err error) error { return c.stepped(stepChange, name, err) }

func (c *ldapConn) stepped(s step, name string, err error, spns ...string) error {
	if err == nil {
		return nil
	}
	return &stepError{step: s, logon: c.logon, dc: c.dc, account: name, spns: spns, err: err}
}

// Replicate brings all changes to all DCs at once (repadmin /syncall /AdeP).
func (a *Admin) Replicate() {
	a.d.settle()
	for _, dc := range a.d.dcs {
		dc.replica.Sync()
	}
	a.d.event(Event{Op: opAdmin, From: a.as, Text: "repadmin /syncall /AdeP"})
}
