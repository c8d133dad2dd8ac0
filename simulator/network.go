package simulator

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/ldapclient"
)

// Standard ports of a DC (RFC 1035, 4120, 4511, 3244).
const (
	portDNS     = 53
	portKDC     = 88
	portLDAP    = 389
	portKpasswd = 464
	portLDAPS   = 636
	portGC      = 3268
)

// door is what an in-process exchange carries in its context: where it comes from, and that its clock is domain time.
type door struct {
	from string
	// at is the time of an exchange that is made up for later, such as the sign-in of a host at its restart; zero: now.
	at time.Time
	// groups, when set, are the memberships of the client as they were at that time.
	groups *[]directory.GroupMembership
	// line is the LDAP connection of the exchange, so that a fault can end it.
	line *line
}

type doorKey struct{}

func withDoor(ctx context.Context, d *door) context.Context {
	return context.WithValue(ctx, doorKey{}, d)
}

// doorOf gives the door of an exchange; nil means a socket.
func doorOf(ctx context.Context) *door {
	d, _ := ctx.Value(doorKey{}).(*door)
	return d
}

// inside is a context for the domain's own questions.
func (d *Domain) inside(from string) context.Context { return withDoor(d.ctx, &door{from: from}) }

func fromOf(ctx context.Context) string {
	if d := doorOf(ctx); d != nil {
		return d.from
	}
	return outside
}

// timeAt is the clock of the door that ctx came in by.
func (d *Domain) timeAt(ctx context.Context) time.Time {
	if door := doorOf(ctx); door != nil {
		if !door.at.IsZero() {
			return door.at
		}
		return d.Clock.Now()
	}
	if d.cfg.WireTime == wireDomain {
		return d.Clock.Now()
	}
	return time.Now()
}

// timeAt is the DC's own clock at the door that ctx came in by.
func (dc *DC) timeAt(ctx context.Context) time.Time {
	if door := doorOf(ctx); door != nil && !door.at.IsZero() {
		return door.at // a sign-in that is made up for succeeded at its time
	}
	return dc.d.timeAt(ctx).Add(dc.replica.ClockOffset())
}

// station is a place in the simulated network: what it sees of DNS and of the DCs.
type station struct {
	d    *Domain
	name string
	dom  *directory.Domain

	mu      sync.Mutex
	order   []string         // preferred DCs
	closed  []string         // "389", "DC01:88", "DC01"
	offset  time.Duration    // own clock minus domain time
	located map[string][]*DC // by lower-case DNS name of a domain: what the locator found
	dns     []string         // DNS servers in the order in which they are asked, DCs or addresses; none: the domain's
	clock   *station         // that the clock is of, when it is not the station's own

	container *Running // whose place it is; nil: a host's or a client's
}

func (st *station) now() time.Time {
	if st.clock != nil {
		return st.clock.now()
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.d.Clock.Now().Add(st.offset)
}

// noDCError: the locator found no domain controller.
type noDCError struct {
	st     *station // that looked
	domain string
	cause  string
}

func (e *noDCError) Error() string {
	return fmt.Sprintf("no domain controller of %s: %s (1355 ERROR_NO_SUCH_DOMAIN)", e.domain, e.cause)
}

// unreachableError: domain controllers are known and none answers.
type unreachableError struct {
	st      *station // that asked; nil: an administrator
	service string
	port    int
	tried   []attempt
}

// attempt is one domain controller that was asked in vain.
type attempt struct {
	dc, why string
}

func (e *unreachableError) Error() string {
	var tried []string
	for _, a := range e.tried {
		tried = append(tried, a.dc+" "+a.why)
	}
	return fmt.Sprintf("no answer on port %d (%s): %s", e.port, e.service, strings.Join(tried, ", "))
}

// reach tells why a DC cannot be reached on a port; "" when it can.
func (st *station) reach(dc *DC, port int) string {
	if !dc.Running() {
		return "does not answer"
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.overlaps() {
		return "has an address of the container's own network"
	}
	if slices.ContainsFunc(st.closed, func(c string) bool { return shuts(c, dc, port) }) {
		return "is behind a closed port"
	}
	return ""
}

// locate finds the DCs of a domain as the DC locator does: by the SRV records of _ldap._tcp.dc._msdcs, those of the station's own
// site first ([MS-ADTS] 6.3.2, 6.3.6). What it found is kept until no DC of it answers.
func (st *station) locate(ctx context.Context, dnsName string) ([]*DC, error) {
	key := strings.ToLower(dnsName)
	st.mu.Lock()
	dcs := st.located[key]
	order := st.order
	st.mu.Unlock()
	if dcs != nil {
		return dcs, nil
	}
	name := "_ldap._tcp.dc._msdcs." + key
	targets, err := st.lookupSRV(ctx, name)
	if err != nil {
		return nil, &noDCError{st, key, err.Error()}
	}
	for _, t := range targets {
		if dc, ok := st.d.FindDC(t); ok {
			dcs = append(dcs, dc)
		}
	}
	if len(dcs) == 0 {
		return nil, &noDCError{st, key, "DNS has no record " + name}
	}
	slices.SortStableFunc(dcs, func(a, b *DC) int { return rank(order, a.name) - rank(order, b.name) })
	st.mu.Lock()
	if st.located == nil {
		st.located = map[string][]*DC{}
	}
	st.located[key] = dcs
	st.mu.Unlock()
	return dcs, nil
}

func rank(order []string, name string) int {
	if i := slices.IndexFunc(order, func(s string) bool { return strings.EqualFold(s, name) }); i >= 0 {
		return i
	}
	return len(order)
}

// forget makes the locator look again.
func (st *station) forget() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.located = nil
}

// each tries the DCs of a domain in order until try has an answer. try returns why there was none, or ends the search by returning
// "" with or without an error.
func (st *station) each(ctx context.Context, dnsName, service string, port int, try func(*DC) (why string, err error)) error {
	if st.d.ctx.Err() != nil {
		return errClosed
	}
	dcs, err := st.locate(ctx, dnsName)
	if err != nil {
		return err
	}
	var tried []attempt
	for _, dc := range dcs {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		why := st.reach(dc, port)
		if why != "" {
			st.d.event(Event{Op: opHost, From: st.name, To: dc.name, Text: fmt.Sprintf("%s, port %d", service, port), Result: why})
		} else {
			why, err = try(dc)
			if why == "" {
				return err
			}
		}
		tried = append(tried, attempt{dc.name, why})
	}
	st.forget()
	return &unreachableError{st, service, port, tried}
}

// sendKDC carries a Kerberos request to a KDC of a realm.
func (st *station) sendKDC(ctx context.Context, realm string, req []byte) (rep []byte, dcName string, err error) {
	err = st.each(ctx, strings.ToLower(realm), "Kerberos", portKDC, func(dc *DC) (string, error) {
		rep = dc.kdc.Exchange(ctx, req)
		dcName = dc.name
		if rep == nil {
			return "does not answer", nil
		}
		if e := readKRBError(rep); e != nil && e.code == krbErrSvcUnavailable {
			return "answers " + e.Error(), nil
		}
		return "", nil
	})
	return rep, dcName, err
}

// line is the network's side of an LDAP connection in process.
type line struct {
	dc   *DC
	near net.Conn
	conn *ldapclient.Conn
	done chan struct{} // closed when the server's side has ended
	stop func()        // detaches from the context of the exchange

	mu   sync.Mutex
	lost string
}

// lose ends the connection for a reason that the client then sees. A nil line is a connection on a socket.
func (l *line) lose(why string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.lost = why
	l.mu.Unlock()
	_ = l.near.Close() // the client sees the end, which is the purpose
}

// why tells what ended the connection.
func (l *line) why() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == "" {
		return "closes the connection"
	}
	return l.lost
}

// end closes the connection and waits for the server's side, so that all its events have happened.
func (l *line) end() {
	l.stop()
	l.dc.connected(l, false)
	_ = l.conn.Close() // it may be closed already
	<-l.done
}

// connect opens an LDAP connection to one DC, served in process.
func (st *station) connect(ctx context.Context, dc *DC) (*line, error) {
	server, err := dc.ldapServer()
	if err != nil {
		return nil, err
	}
	near, far := newWire()
	l := &line{dc: dc, near: near, conn: ldapclient.New(near), done: make(chan struct{})}
	ctx = withDoor(ctx, &door{from: st.name, line: l})
	if err := st.d.serve(func() {
		defer close(l.done)
		_ = server.ServeConn(ctx, far) // how a connection ends is in the server's trace
	}); err != nil {
		return nil, err
	}
	given := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(given)
		l.lose("is not waited for any longer")
	})
	l.stop = func() {
		if !stop() {
			<-given // it has begun, and Close is to leave nothing behind
		}
	}
	dc.connected(l, true)
	return l, nil
}

// serve runs f on a goroutine that Close waits for.
func (d *Domain) serve(f func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return errClosed
	}
	d.serving.Go(f)
	return nil
}
