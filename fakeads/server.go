package fakeads

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// ErrClosed is returned by a Server that has been closed.
var ErrClosed = errors.New("the LDAP server is closed")

// Limits of a domain controller, [MS-ADTS] 3.1.1.3.4.6.
const (
	defaultIdleTimeout    = 900 * time.Second // MaxConnIdleTime
	defaultReceiveTimeout = 120 * time.Second // InitRecvTimeout
	// guess: a client that does not read is given up after two minutes; no policy of Active Directory names a limit.
	defaultWriteTimeout = 120 * time.Second
	defaultConnections  = 5000     // MaxConnections
	defaultActive       = 20       // MaxActiveQueries, which is of the whole server there
	defaultMessageSize  = 10485760 // MaxReceiveBuffer
	defaultBuild        = 0x4f7c   // Server 2022
)

// departing is how long Close tries to tell clients that it is the end.
const departing = 100 * time.Millisecond

// Config describes the LDAP face of one domain controller. Only Replica must be
// given.
type Config struct {
	// Replica is the directory behind it.
	Replica *directory.Replica
	// TLS holds the certificate. Nil: neither StartTLS nor LDAPS. Session
	// tickets are switched off: Samba's client waits for ever when it gets one.
	TLS *tls.Config
	// Now is the clock of the door through which clients come: currentTime and
	// the tolerance for authenticators. It gets the context given to Serve or
	// ServeConn. Nil: time.Now. Questions of the directory have the directory's clock.
	Now func(ctx context.Context) time.Time
	// Rand makes subkeys, sequence numbers and confounders. Nil: crypto/rand. It
	// is read under a lock.
	Rand io.Reader
	// RequireSigning is LDAPServerIntegrity = 2: a bind without TLS, signing or
	// sealing is refused.
	RequireSigning bool
	// Build is the Windows build number in diagnostics. 0: 0x4f7c, Server 2022.
	Build uint32
	// Trace is called after each operation and before its final answer is
	// written. No lock is held; several connections may call it at once.
	Trace func(ctx context.Context, op Operation)
	// Intercept is called before an operation is carried out and may prevent it.
	// A bind of several messages is one operation: the first message counts.
	Intercept func(ctx context.Context, op *Operation) Intercepted
	// Prompt promises that Trace and Intercept never wait for anything. Then, as without them, requests that take no time
	// are carried out one after the other by the goroutine that reads a connection, which costs much less. Such a request
	// cannot be abandoned.
	Prompt bool

	// IdleTimeout is for how long a connection may be silent between requests,
	// 15 minutes if 0.
	IdleTimeout time.Duration
	// ReceiveTimeout is for how long a connection may take to its first request,
	// and a request from its first octet to its last, 2 minutes if 0.
	ReceiveTimeout time.Duration
	// WriteTimeout is for how long a client may not read, 2 minutes if 0.
	WriteTimeout time.Duration
	// MaxConnections at the same time, 5000 if 0.
	MaxConnections int
	// MaxActive is how many requests of one connection run at once, 20 if 0.
	MaxActive int
	// MaxMessageSize is the largest request in octets, 10,485,760 if 0.
	MaxMessageSize int
	// MaxBuffered is how many octets large requests may take, on all connections together, while they arrive: 268,435,456 if 0.
	// The session whose request is one too many ends.
	MaxBuffered int
}

// Server is the LDAP face of one domain controller. Its methods may be called at
// the same time.
type Server struct {
	cfg      Config
	tls      *tls.Config
	bindings *[16]byte // of the TLS certificate, nil: not known
	replay   *gss.ReplayCache
	prompt   bool       // requests that take no time are carried out where they are read
	buffers  *sync.Pool // of *[]byte, for answers; not part of the server, since the runtime keeps every pool for a while
	buffered atomic.Int64

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	conns   map[*conn]struct{}
	owned   map[*owned]struct{}
	running sync.WaitGroup // Serve, ServeConn and their like
}

// NewServer makes a server that listens nowhere yet.
func NewServer(cfg Config) (*Server, error) {
	if cfg.Replica == nil {
		return nil, errors.New("LDAP server without a directory replica")
	}
	if cfg.Now == nil {
		cfg.Now = func(context.Context) time.Time { return time.Now() }
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	} else {
		cfg.Rand = &lockedReader{r: cfg.Rand}
	}
	cfg.Build = orDefault(cfg.Build, defaultBuild)
	cfg.IdleTimeout = orDefault(cfg.IdleTimeout, defaultIdleTimeout)
	cfg.ReceiveTimeout = orDefault(cfg.ReceiveTimeout, defaultReceiveTimeout)
	cfg.WriteTimeout = orDefault(cfg.WriteTimeout, defaultWriteTimeout)
	cfg.MaxConnections = orDefault(cfg.MaxConnections, defaultConnections)
	cfg.MaxActive = orDefault(cfg.MaxActive, defaultActive)
	cfg.MaxMessageSize = orDefault(cfg.MaxMessageSize, defaultMessageSize)
	cfg.MaxBuffered = orDefault(cfg.MaxBuffered, defaultBuffered)
	s := &Server{cfg: cfg, buffers: &sync.Pool{}, replay: gss.NewReplayCache(0), conns: make(map[*conn]struct{}), owned: make(map[*owned]struct{})}
	s.prompt = cfg.Prompt || cfg.Trace == nil && cfg.Intercept == nil
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if cfg.TLS != nil {
		s.tls = cfg.TLS.Clone()
		s.tls.SessionTicketsDisabled = true
		if len(s.tls.Certificates) == 1 && s.tls.GetCertificate == nil && s.tls.GetConfigForClient == nil {
			s.bindings = endPointBindings(&s.tls.Certificates[0])
		}
	}
	return s, nil
}

func orDefault[T int | uint32 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// lockedReader is a reader for several goroutines.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.r, p)
}

// door is the way by which a connection comes in.
type door int

const (
	doorDirect door = iota // ServeConn
	doorLDAP
	doorTLS
	doorGC
	doorGCTLS
)

func (d door) tls() bool           { return d == doorTLS || d == doorGCTLS }
func (d door) globalCatalog() bool { return d == doorGC || d == doorGCTLS }

// Serve serves LDAP, port 389, and closes l in the end. It returns nil after
// Close, and ctx's error when ctx ends first; connections that are open then end with ctx
// too. ctx reaches the directory, Trace and Intercept.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return s.serve(ctx, l, doorLDAP)
}

// ServeTLS serves LDAPS, port 636, like Serve.
func (s *Server) ServeTLS(ctx context.Context, l net.Listener) error {
	return s.serve(ctx, l, doorTLS)
}

// ServeGC serves the global catalog, port 3268, like Serve. A global catalog
// never has msDS-ManagedPassword.
func (s *Server) ServeGC(ctx context.Context, l net.Listener) error { return s.serve(ctx, l, doorGC) }

// ServeGCTLS serves the global catalog over TLS, port 3269, like Serve.
func (s *Server) ServeGCTLS(ctx context.Context, l net.Listener) error {
	return s.serve(ctx, l, doorGCTLS)
}

func (s *Server) serve(ctx context.Context, l net.Listener, d door) error {
	if d.tls() && s.tls == nil {
		l.Close()
		return errors.New("LDAP over TLS without a certificate")
	}
	release, err := s.own(l)
	if err != nil {
		l.Close()
		return err
	}
	defer release()
	defer closeAtEnd(ctx, l)()
	var t transport = newLibrary()
	err = t.serve(&listener{Listener: l, s: s, ctx: ctx, door: d})
	l.Close()
	switch {
	case s.ctx.Err() != nil:
		err = nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, net.ErrClosed):
		err = nil
	}
	// The connections outlive the listener. Whoever closes the server waits for them.
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		t.stop()
	}()
	return err
}

// ServeConn serves one connection, whatever it is, and closes it in the end. It
// returns when the session is over: nil when the client has ended it, Close was called or
// ctx is done, otherwise the reason.
func (s *Server) ServeConn(ctx context.Context, raw net.Conn) error {
	release, err := s.own(raw)
	if err != nil {
		raw.Close()
		return err
	}
	defer release()
	c, err := s.admit(ctx, raw, doorDirect)
	if err != nil {
		return err
	}
	var t transport = newLibrary()
	_ = t.serve(&single{c: c}) // ends with the connection
	t.stop()
	switch cause := c.reason(); {
	case cause == nil, errors.Is(cause, io.EOF), errors.Is(cause, errUnbound), errors.Is(cause, net.ErrClosed),
		errors.Is(cause, io.ErrClosedPipe), errors.Is(cause, context.Canceled), s.ctx.Err() != nil, ctx.Err() != nil:
		return nil
	default:
		return fmt.Errorf("LDAP session: %w", cause)
	}
}

// Close closes listeners and connections and waits for everything that the server has
// begun. Clients of listeners get a notice of disconnection where they take it at once.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	closers := make([]io.Closer, 0, len(s.owned))
	for o := range s.owned {
		closers = append(closers, o.Closer)
	}
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	s.cancel()
	until := time.Now().Add(departing)
	for _, c := range conns {
		c.depart(until)
	}
	for _, c := range closers {
		_ = c.Close() // it may be closed already
	}
	s.running.Wait()
	return nil
}

// owned is a socket that Close closes. Not every socket can be a key itself.
type owned struct{ io.Closer }

// own registers a socket that Close closes; Close waits until release is called.
func (s *Server) own(c io.Closer) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	o := &owned{c}
	s.owned[o] = struct{}{}
	s.running.Add(1)
	return func() {
		s.mu.Lock()
		delete(s.owned, o)
		s.mu.Unlock()
		s.running.Done()
	}, nil
}

// errFull is why a connection is not taken.
var errFull = errors.New("too many connections")

// admit makes a session of a connection, or closes it.
func (s *Server) admit(ctx context.Context, raw net.Conn, d door) (*conn, error) {
	c := &conn{
		s: s, door: d, raw: raw, wire: raw, server: addrOf(raw.LocalAddr()),
		slots: make(chan struct{}, s.cfg.MaxActive), waiting: make(map[int]*pending), active: make(map[int]*pending),
		layer: gss.LayerNone,
	}
	c.ctx, c.cancel = context.WithCancel(ctx)
	s.mu.Lock()
	closed, full := s.closed, len(s.conns) >= s.cfg.MaxConnections
	if !closed && !full {
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	switch {
	case closed:
		c.end(ErrClosed)
		return nil, ErrClosed
	case full:
		if d == doorLDAP || d == doorGC {
			_ = raw.SetWriteDeadline(time.Now().Add(departing))
			c.notify(resultBusy, s.ldapErr(errorBusy, dsidConnection, "Too many connections", 0))
		}
		c.end(errFull)
		return nil, errFull
	}
	c.become(identity{})
	// A context that ends closes the connection, which ends whatever waits for it.
	c.unwatch = closeAtEnd(ctx, raw)
	return c, nil
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

func (s *Server) now(ctx context.Context) time.Time { return s.cfg.Now(ctx) }

// listener makes sessions of the connections that a listener accepts.
type listener struct {
	net.Listener
	s    *Server
	ctx  context.Context
	door door
}

// maxBackoff is the longest pause after a failure to accept, such as too many open files.
const maxBackoff = time.Second

// passing tells whether a listener may accept again after this error: the system
// is short of something, or the client went before it was taken.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.ECONNRESET} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	pause := 5 * time.Millisecond
	for {
		raw, err := l.Listener.Accept()
		if err == nil {
			if c, err := l.s.admit(l.ctx, raw, l.door); err == nil {
				return c, nil
			}
			continue
		}
		if !passing(err) {
			return nil, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-l.ctx.Done():
		case <-l.s.ctx.Done():
		}
		timer.Stop()
		pause = min(2*pause, maxBackoff)
	}
}

// single is a listener of one connection.
type single struct {
	c     *conn
	given bool
}

// Accept implements net.Listener.
func (l *single) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return l.c, nil
	}
	<-l.c.ctx.Done()
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (l *single) Close() error { return nil }

// Addr implements net.Listener.
func (l *single) Addr() net.Addr { return l.c.LocalAddr() }

// closeAtEnd closes c when ctx ends. The function that it returns takes that back, or waits for it when it has begun, so that
// nothing of it is left behind.
func closeAtEnd(ctx context.Context, c io.Closer) (release func()) {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = c.Close() // it may be closed already
	})
	return func() {
		if !stop() {
			<-closed
		}
	}
}
