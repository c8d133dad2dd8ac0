package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Arrival is how a user came to a service.
type Arrival string

// The ways to arrive. Only with Kerberos does the user bring a ticket that the service can show.
const (
	ByKerberos Arrival = "kerberos"
	ByNTLM     Arrival = "ntlm"
	ByForms    Arrival = "forms"
)

// A ForUser says for whom a service acts.
type ForUser struct {
	User    string
	Arrived Arrival
	// At is the service principal name by which the user came.
	At string
}

// delegationError: the KDC gives no ticket to another service in the name of a user.
type delegationError struct {
	p       *Process
	account string // sAMAccountName of the service
	u       ForUser
	to      string
	cause   error
}

func (e *delegationError) Error() string {
	return fmt.Sprintf("act as %s towards %s: %v", e.u.User, e.to, e.cause)
}

// ActFor gets a ticket for another service in the name of a user who came to the container's service: S4U2Proxy with the ticket that the user
// brought, or with one that the service makes for itself (S4U2Self).
func (p *Process) ActFor(u ForUser, to string) (*Ticket, error) {
	cred, err := p.ticketAs(u, to)
	if err != nil {
		return nil, p.explain(err, to)
	}
	t := cred.ticket()
	return &t, nil
}

func (p *Process) ticketAs(u ForUser, to string) (*credential, error) {
	d := p.c.h.d
	account, err := p.identity()
	if err != nil {
		return nil, err
	}
	l, err := p.c.logon(d.ctx, account)
	if err != nil {
		return nil, err
	}
	var evidence []byte
	if u.Arrived == ByKerberos {
		t, err := d.KerberosTo(withService(d.ctx, account+"$"), u.User, u.At)
		if err == nil {
			err = p.c.Accept(t)
		}
		if err != nil {
			return nil, err
		}
		evidence = t.cred.raw
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fail := func(err error) (*credential, error) {
		return nil, &stepError{step: stepProcess, logon: l, server: to, err: &delegationError{p, l.account, u, to, err}}
	}
	if evidence == nil {
		self, err := l.client().s4uSelf(l.context(d.ctx), l.tgt, l.account, u.User)
		if err != nil {
			return fail(err)
		}
		evidence = self.raw
	}
	cred, err := l.client().s4uProxy(l.context(d.ctx), l.tgt, evidence, to)
	if err != nil {
		return fail(err)
	}
	return cred, nil
}

// finding compares the account's list, its flags and the user with what the KDC asks for ([MS-SFU] 3.2.5.2).
func (e *delegationError) finding(d *Domain, s *stepError) *diag.Finding {
	dc := e.p.c.st.firstDC()
	service, err := dc.replica.AccountByName(directory.Principal, e.account)
	if err != nil {
		return nil
	}
	krb := asKRBError(e.cause)
	if krb == nil {
		return nil
	}
	f := &diag.Finding{
		Code:   diag.DelegationRefused,
		Facts:  []diag.Fact{{Name: "service", Value: service.SAMAccountName}, {Name: "user", Value: e.u.User + ", by " + string(e.u.Arrived)}, {Name: "to", Value: e.to}, {Name: "allowed", Value: "{" + strings.Join(service.AllowedToDelegateTo, ", ") + "}"}},
		SeenAs: []string{fmt.Sprintf("%s (%#x)", krbErrName(krb.code), krb.code), `NT AUTHORITY\ANONYMOUS LOGON at the other service`},
	}
	name := strings.TrimSuffix(service.SAMAccountName, "$")
	user, err := dc.replica.AccountByName(directory.Principal, e.u.User)
	listed := slices.ContainsFunc(service.AllowedToDelegateTo, func(o string) bool { return strings.EqualFold(o, e.to) })
	switch {
	case krb.code == krbErrSPrincipalUnknown:
		f.Mode = "deleg-spn-target-missing"
		f.Because = "a ticket to the other service needs an account that has the name; the list of allowed names does not make one"
		if inner := d.findSPN(&stepError{step: stepTicket, logon: s.logon, server: e.to, err: e.cause}, dc); inner != nil {
			f.Help, f.Nearest = inner.Help, inner.Nearest
		}
	case err == nil && user.UserAccountControl&uacNotDelegated != 0:
		f.Mode = "deleg-protected-user"
		f.Because = "the user is marked as sensitive, and no service may act as such a user"
		f.Help = []diag.Help{{Text: "take another user, or lift the mark from this one", Command: fmt.Sprintf("Set-ADUser %s -AccountNotDelegated $false", user.SAMAccountName),
			Do: []string{flowStep("setAccountControl", arg{"account", user.SAMAccountName}, arg{"value", user.UserAccountControl &^ uacNotDelegated})}}}
	case err == nil && (principals{dc}).protected(user):
		f.Mode = "deleg-protected-user"
		f.Because = "members of Protected Users get no tickets that can be forwarded, and no service may act as them"
		f.Help = []diag.Help{{Text: "take another user, or take this one out of the group", Command: fmt.Sprintf(`Remove-ADGroupMember "Protected Users" -Members %s`, user.SAMAccountName),
			Do: []string{flowStep("removeGroupMember", arg{"group", "Protected Users"}, arg{"members", []string{user.SAMAccountName}})}}}
	case !listed:
		f.Mode = "deleg-none"
		f.Because = "a service acts as a user only towards services that its account lists (msDS-AllowedToDelegateTo), or that name it themselves"
		list := append(slices.Clone(service.AllowedToDelegateTo), e.to)
		f.Help = []diag.Help{{Text: "allow it on the service account", Command: fmt.Sprintf("Set-ADServiceAccount %s -Add @{'msDS-AllowedToDelegateTo'='%s'}", name, e.to),
			Do: []string{flowStep("setServiceAccount", arg{"account", name}, arg{"allowedToDelegateTo", list})}}}
	case e.u.Arrived != ByKerberos && service.UserAccountControl&uacTrustedToAuth == 0:
		f.Mode = "deleg-protocol-transition-missing"
		f.Because = "the user brought no ticket, and one that the service makes itself can be shown only when the account is trusted to authenticate"
		f.Help = []diag.Help{{Text: "let the service change protocols", Command: fmt.Sprintf("Set-ADAccountControl %s$ -TrustedToAuthForDelegation $true", name),
			Do: []string{flowStep("setServiceAccount", arg{"account", name}, arg{"trustedToAuthForDelegation", true})}},
			{Text: "or let users come with Kerberos"}}
	default:
		return nil
	}
	return f
}

// ConnectFor connects to a server in the name of a user who came to the container's service.
func (p *Process) ConnectFor(s *SQLServer, spn string, u ForUser) error {
	cred, err := p.ticketAs(u, spn)
	if err == nil {
		return p.present(s, spn, cred)
	}
	err = p.explain(err, spn)
	if f, ok := diag.Of(err); ok && f.Mode == "deleg-none" {
		f.Mode = "app-sql-anonymous" // the same at a database, whose error is the one that is seen
		f.SeenAs = append([]string{seenAnonymous}, f.SeenAs...)
	}
	return err
}

// RolesOf gives the names of a user's groups as role providers of applications do: a ticket for the user to the service itself tells the groups, and
// the secure channel their names.
func (p *Process) RolesOf(user string) ([]string, error) {
	d := p.c.h.d
	account, err := p.identity()
	if err != nil {
		return nil, p.explain(err, "")
	}
	l, err := p.c.logon(d.ctx, account)
	if err != nil {
		return nil, p.explain(err, "")
	}
	l.mu.Lock()
	_, err = l.client().s4uSelf(l.context(d.ctx), l.tgt, l.account, user)
	l.mu.Unlock()
	if err != nil {
		return nil, p.explain(err, "")
	}
	dc := p.c.st.firstDC()
	a, err := dc.replica.AccountByName(directory.Principal, user)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", user, err)
	}
	var names []string
	for _, g := range dc.replica.GlobalGroups(a) {
		name, err := p.c.TranslateSID(g.SID.String())
		if f, ok := errors.AsType[*diag.Finding](err); ok && f.Code == diag.HostnameDiffers {
			f.Mode = "app-s4u-groups" // what an application sees of it
		}
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}
