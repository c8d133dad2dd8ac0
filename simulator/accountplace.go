package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// ReadPasswordByDN reads the managed password as tools do that do not search: they build the DN of the account below CN=Managed Service
// Accounts (credentials-fetcher).
func (h *Host) ReadPasswordByDN(account string) (*ManagedPassword, error) {
	name := strings.TrimSuffix(account, "$")
	var pw *ManagedPassword
	err := h.onDC(h.d.ctx, h.machine, Sealed, func(c *ldapConn) error {
		dn := "CN=" + escapeRDN(name) + "," + defaultServiceAccountPath(h.dom)
		if _, err := c.read(dn, "distinguishedName"); err != nil {
			return &stepError{step: stepFind, logon: h.machine, dc: c.dc, account: name, err: &builtDNError{dn, err}}
		}
		var err error
		pw, err = readFrom(c, account)
		return err
	})
	return pw, h.d.explain(err)
}

// builtDNError: there is no object under the DN that a tool has made up.
type builtDNError struct {
	dn  string
	err error
}

func (e *builtDNError) Error() string { return e.dn + ": " + e.err.Error() }

// Unwrap gives the directory's answer.
func (e *builtDNError) Unwrap() error { return e.err }

func (e *builtDNError) finding(d *Domain, s *stepError) *diag.Finding {
	entry, err := d.lookup(s.dc, s.account+"$")
	if err != nil {
		return d.findNoSuchName(s.account, s.dc)
	}
	home := defaultServiceAccountPath(s.dc.dom)
	return &diag.Finding{
		Code: diag.WrongContainer, Mode: "acct-wrong-container",
		Facts:   []diag.Fact{{Name: "account", Value: s.account}, {Name: "looked for", Value: e.dn}, {Name: "is", Value: entry.DN}},
		SeenAs:  []string{"LDAP noSuchObject (32)", "credentials-fetcher: ERROR: Password not found"},
		Because: "a tool that builds the DN of the account finds it in the default container only; Windows searches by name",
		Help: []diag.Help{{Text: "move the account to the default container", Command: fmt.Sprintf("Move-ADObject %q -TargetPath %q", entry.DN, home),
			Do: []string{flowStep("moveServiceAccount", arg{"account", s.account}, arg{"path", home})}},
			{Text: "or let the tool search by name", Do: []string{flowStep("with", arg{"byDN", false})}}},
	}
}

// MoveServiceAccount is Move-ADObject: path is the DN of the container or organizational unit.
func (a *Admin) MoveServiceAccount(account, path string) error {
	return a.do(fmt.Sprintf("Move-ADObject %s -TargetPath %q", account, path), func(c *ldapConn) error {
		e, err := c.principal(strings.TrimSuffix(account, "$")+"$", "cn")
		if err != nil {
			return c.change(account, err)
		}
		return c.change(account, c.failure(c.conn.ModifyDN(e.DN, "CN="+escapeRDN(e.value("cn")), true, path)))
	})
}
