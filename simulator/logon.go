package simulator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// renewBefore is how long before its end a ticket-granting ticket is renewed in the background.
// guess: a machine renews its TGT fifteen minutes before it ends; that Windows renews some minutes before is known, how many is not.
const renewBefore = 15 * time.Minute

// logon is a logon session: an account on a station with its tickets, like one entry of klist sessions.
type logon struct {
	st      *station
	account string // sAMAccountName
	realm   string
	etypes  []int32
	secret  secret
	cache   bool  // a credential cache: nobody signs in again or renews
	nobody  error // why the station has no account to sign in with; nil: it has

	mu      sync.Mutex
	since   time.Time                    // when the session signs in: the restart of a host, zero for at first use
	groups  *[]directory.GroupMembership // memberships at that time, when they were noted
	tgt     *credential
	tickets []*credential // service tickets in the order of arrival
	// unknown are the names that nobody had, with the time until which they are not asked for again; nil for a session that asks each time.
	unknown map[string]time.Time
	asOf    time.Time // clock of the exchange under way; zero: now
}

func (l *logon) client() *krbClient {
	return &krbClient{rand: l.st.d.rand, etypes: l.etypes, send: l.st.sendKDC, now: func() time.Time {
		if l.asOf.IsZero() {
			return l.st.now()
		}
		return l.asOf
	}}
}

func (l *logon) context(ctx context.Context) context.Context {
	return withDoor(ctx, &door{from: l.st.name, at: l.asOf, groups: l.groups})
}

// signInLocked makes sure of a ticket-granting ticket that is good now. It makes up for what happened since the last use: the
// sign-in at the restart, and renewals in the background until the ticket can be renewed no more, when a new sign-in brings a new
// view of the memberships.
func (l *logon) signInLocked(ctx context.Context) error {
	if l.nobody != nil {
		return &stepError{step: stepSignIn, logon: l, err: l.nobody}
	}
	if l.tgt == nil {
		l.asOf = l.since
		err := l.newTGTLocked(ctx)
		l.asOf, l.groups = time.Time{}, nil
		if err != nil {
			return err
		}
	}
	now := l.st.now()
	if l.cache {
		l.tickets = slices.DeleteFunc(l.tickets, func(c *credential) bool { return !now.Before(c.end) })
		return nil
	}
	past := now // what is made up for has happened by the clock of the host and by that of the domain
	if domain := l.st.d.Clock.Now(); domain.Before(past) {
		past = domain
	}
	for {
		due := l.tgt.end.Add(-renewBefore)
		if due.After(past) || !due.Before(l.tgt.renewTill.Add(-renewBefore)) {
			break
		}
		l.asOf = due
		renewed, err := l.client().renew(l.context(ctx), l.tgt)
		l.asOf = time.Time{}
		if err != nil {
			return &stepError{step: stepSignIn, logon: l, server: l.tgt.server, err: err}
		}
		if !renewed.end.After(l.tgt.end) {
			break
		}
		l.tgt = renewed
	}
	l.tickets = slices.DeleteFunc(l.tickets, func(c *credential) bool { return !now.Before(c.end) })
	if now.Before(l.tgt.end) {
		return nil
	}
	return l.newTGTLocked(ctx)
}

func (l *logon) newTGTLocked(ctx context.Context) error {
	tgt, err := l.client().signIn(l.context(ctx), l.realm, l.account, l.secret)
	if err != nil {
		return &stepError{step: stepSignIn, logon: l, err: err}
	}
	l.tgt, l.tickets = tgt, nil
	return nil
}

// signIn makes sure of a ticket-granting ticket.
func (l *logon) signIn(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.signInLocked(ctx)
}

// ticketFor gives a ticket for a service: one that the session holds, or a new one.
func (l *logon) ticketFor(ctx context.Context, server string) (*credential, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.signInLocked(ctx); err != nil {
		return nil, err
	}
	for _, c := range l.tickets {
		if strings.EqualFold(c.server, server) {
			return c, nil
		}
	}
	if until := l.unknown[strings.ToLower(server)]; l.st.now().Before(until) {
		return nil, &stepError{step: stepTicket, logon: l, server: server, account: serviceOf(ctx), err: &negativeError{until}}
	}
	cred, err := l.client().ticketFor(l.context(ctx), l.tgt, server)
	if e := asKRBError(err); e != nil && e.code == krbErrSPrincipalUnknown && l.unknown != nil {
		l.unknown[strings.ToLower(server)] = l.st.now().Add(spnCacheTimeout)
	}
	if err != nil {
		return nil, &stepError{step: stepTicket, logon: l, server: server, account: serviceOf(ctx), err: err}
	}
	l.tickets = append(l.tickets, cred)
	return cred, nil
}

type serviceKey struct{}

// withService tells the diagnosis which account runs the service that a ticket is for; "" when nobody knows.
func withService(ctx context.Context, account string) context.Context {
	return context.WithValue(ctx, serviceKey{}, account)
}

func serviceOf(ctx context.Context) string {
	account, _ := ctx.Value(serviceKey{}).(string)
	return account
}

// drop forgets the ticket for one service.
func (l *logon) drop(server string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tickets = slices.DeleteFunc(l.tickets, func(c *credential) bool { return strings.EqualFold(c.server, server) })
}

// purge removes all tickets. The next sign-in is at its own time and sees the memberships of that time.
func (l *logon) purge() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tgt, l.tickets, l.since, l.groups = nil, nil, time.Time{}, nil
	clear(l.unknown)
}

// list gives the tickets, the ticket-granting ticket first.
func (l *logon) list() []Ticket {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Ticket
	if l.tgt != nil {
		list = append(list, l.tgt.ticket())
	}
	for _, c := range l.tickets {
		list = append(list, c.ticket())
	}
	return list
}

// passwordSecret turns a typed password into keys.
func (d *Domain) passwordSecret(password string) secret {
	return func(etype int32, salt string) (*krbcrypt.Key, error) {
		return d.keys.StringToKey(etype, password, salt)
	}
}

// step is the part of a client's work in which an error came up.
type step string

const (
	stepSignIn  step = "sign in"
	stepTicket  step = "get a ticket"
	stepBind    step = "bind"
	stepFind    step = "find the account"
	stepRead    step = "read the password"
	stepReview  step = "review the credential spec"
	stepPlugin  step = "read the password by a plug-in"
	stepCmdlet  step = "begin a cmdlet"
	stepCreate  step = "create"
	stepChange  step = "change"
	stepAccept  step = "accept a ticket"
	stepRun     step = "run a container"
	stepChannel step = "set up the secure channel"
	stepLookup  step = "use the secure channel"
	stepProcess step = "act on the network"
)

// stepError is a failure with the step in which it happened; the diagnosis starts from it.
type stepError struct {
	step    step
	logon   *logon
	dc      *DC      // that answered, when known
	server  string   // SPN
	account string   // service account or object that it is about
	spns    []string // service principal names that a change brings
	err     error
}

func (e *stepError) Error() string {
	s := string(e.step)
	switch {
	case e.step == stepSignIn && e.logon != nil:
		s += " as " + e.logon.account
	case e.server != "":
		s += " for " + e.server
	case e.account != "":
		s += " of " + e.account
	}
	if e.dc != nil {
		s += " on " + e.dc.name
	}
	return fmt.Sprintf("%s: %v", s, e.err)
}

func (e *stepError) Unwrap() error { return e.err }
