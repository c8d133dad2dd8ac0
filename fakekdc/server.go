package fakekdc

import (
	"cmp"
	"container/list"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Server puts a [KDC] on the network: Kerberos on UDP and TCP (RFC 4120 7.2) and kpasswd on both (RFC 3244). Its fields must not be
// changed after the first Serve.
//
// A TCP connection may carry one request after the other, but only one at a time. A client has IdleTimeout to send a whole request
// and as long again to take the answer; the clock does not start anew with each octet. When there are more than MaxConns
// connections, the one that has been waiting longest for a request is closed, so that clients that say nothing keep nobody out.
type Server struct {
	// IdleTimeout of a TCP connection; zero: 30 seconds.
	IdleTimeout time.Duration
	// MaxConns is the limit on TCP connections of all listeners together; zero: 4096.
	MaxConns int

	kdc *KDC

	mu      sync.Mutex
	closed  bool
	sockets map[io.Closer]struct{} // listeners and packet connections
	conns   list.List              // of *serverConn, the longest idle in front
	running sync.WaitGroup
}

// NewServer makes a server of a KDC. It has no socket until Serve and its like are called.
func NewServer(k *KDC) *Server { return &Server{kdc: k, sockets: map[io.Closer]struct{}{}} }

// handler answers one message; nil: no answer.
type handler func(ctx context.Context, req []byte, local netip.Addr) []byte

func (s *Server) kerberosTCP(ctx context.Context, req []byte, _ netip.Addr) []byte {
	return s.kdc.Exchange(ctx, req)
}

func (s *Server) kerberosUDP(ctx context.Context, req []byte, _ netip.Addr) []byte {
	return s.kdc.ExchangeUDP(ctx, req)
}

func (s *Server) passwordTCP(ctx context.Context, req []byte, local netip.Addr) []byte {
	return s.kdc.exchangePassword(ctx, req, local, false)
}

func (s *Server) passwordUDP(ctx context.Context, req []byte, local netip.Addr) []byte {
	return s.kdc.exchangePassword(ctx, req, local, true)
}

// Serve answers Kerberos requests on the connections that l accepts. It returns nil after Close, even one before it, after the end
// of ctx and when l is closed, and closes l. ctx is what the KDC's [Principals], Now, Trace and Intercept get.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return s.accept(ctx, l, s.kerberosTCP)
}

// ServePassword is [Server.Serve] for kpasswd.
func (s *Server) ServePassword(ctx context.Context, l net.Listener) error {
	return s.accept(ctx, l, s.passwordTCP)
}

// ServePacket answers Kerberos requests that come by UDP. It returns like [Server.Serve], and closes c.
func (s *Server) ServePacket(ctx context.Context, c net.PacketConn) error {
	return s.receive(ctx, c, s.kerberosUDP)
}

// ServePasswordPacket is [Server.ServePacket] for kpasswd.
func (s *Server) ServePasswordPacket(ctx context.Context, c net.PacketConn) error {
	return s.receive(ctx, c, s.passwordUDP)
}

// Close closes all listeners and connections and waits until nothing of the server runs any more. Requests that are being answered are
// answered first, but their connections may be gone.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	var errs []error
	for c := range s.sockets {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for e := s.conns.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*serverConn).Close() // the peer may have closed it before
	}
	s.mu.Unlock()
	s.running.Wait()
	return errors.Join(errs...)
}

// start registers a socket, which is closed with the server or at the end of ctx; end undoes that. It is nil when the server has
// been closed already.
func (s *Server) start(ctx context.Context, socket io.Closer) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = socket.Close() // the caller gave it away
		return nil
	}
	s.sockets[socket] = struct{}{}
	s.running.Add(1)
	release := closeAtEnd(ctx, socket)
	return func() {
		release()
		_ = socket.Close() // closed by now in most cases
		s.mu.Lock()
		delete(s.sockets, socket)
		s.mu.Unlock()
		s.running.Done()
	}
}

// stopped tells whether the end is wanted. Listeners that are not the net package's say in words of their own that they are closed.
func (s *Server) stopped(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || ctx.Err() != nil
}

// serverConn is a TCP connection of a client.
type serverConn struct {
	net.Conn
	place *list.Element
}

func (s *Server) accept(ctx context.Context, l net.Listener, h handler) error {
	end := s.start(ctx, l)
	if end == nil {
		return nil
	}
	defer end()
	for {
		c, err := l.Accept()
		if err != nil && (errors.Is(err, net.ErrClosed) || s.stopped(ctx)) {
			return nil
		}
		if err != nil {
			// Out of file descriptors, most likely. Whoever waits longest pays for it.
			if s.closeLongestIdle() {
				continue
			}
			return err
		}
		s.admit(ctx, c, h)
	}
}

// admit begins to serve a connection.
func (s *Server) admit(ctx context.Context, c net.Conn, h handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return
	}
	sc := &serverConn{Conn: c}
	sc.place = s.conns.PushBack(sc)
	if s.conns.Len() > cmp.Or(s.MaxConns, 4096) {
		s.dropLocked(s.conns.Front())
	}
	s.running.Add(1)
	release := closeAtEnd(ctx, c)
	go func() {
		defer s.running.Done()
		defer release()
		s.serve(ctx, sc, h)
		s.mu.Lock()
		s.dropLocked(sc.place)
		s.mu.Unlock()
	}()
}

// dropLocked closes a connection and forgets it.
func (s *Server) dropLocked(place *list.Element) {
	sc := place.Value.(*serverConn)
	_ = sc.Close()
	s.conns.Remove(place) // nothing when it is out already
}

func (s *Server) closeLongestIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.conns.Len() == 0 {
		return false
	}
	s.dropLocked(s.conns.Front())
	return true
}

// serve answers the requests of one connection. It ends at the first that gets no answer.
func (s *Server) serve(ctx context.Context, c *serverConn, h handler) {
	local := addressOf(c.LocalAddr())
	timeout := cmp.Or(s.IdleTimeout, 30*time.Second)
	var buf []byte
	for {
		if c.SetDeadline(time.Now().Add(timeout)) != nil {
			return
		}
		req, err := readMessage(c, buf)
		if errors.Is(err, errTooLong) {
			// RFC 5021 says which error tells a client that its request is too long.
			_ = writeMessage(c, s.kdc.tooLong(ctx))
			return
		}
		if err != nil {
			return
		}
		buf = req[:0]
		reply := h(ctx, req, local)
		if reply == nil || c.SetDeadline(time.Now().Add(timeout)) != nil || writeMessage(c, reply) != nil {
			return
		}
		s.mu.Lock()
		s.conns.MoveToBack(c.place)
		s.mu.Unlock()
	}
}

// tooLong is the answer to a message whose length is beyond what is read.
func (k *KDC) tooLong(ctx context.Context) []byte {
	return k.krbError(k.now(ctx), KindUnknown, "", Name{}, asRefusal(errTooLong))
}

// firstRead is how much room a request gets before it has come: peers do not make us reserve what they only announce.
const firstRead = 4096

// readMessage reads a message with the length before it, RFC 4120 7.2.2. The highest bit of the length is reserved.
func readMessage(r io.Reader, buf []byte) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > MaxRequest {
		return nil, errTooLong
	}
	for len(buf) < int(n) {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(int(n), max(firstRead, 2*cap(buf))))
			copy(grown, buf)
			buf = grown
		}
		got := len(buf)
		buf = buf[:min(int(n), cap(buf))]
		if _, err := io.ReadFull(r, buf[got:]); err != nil {
			return nil, err
		}
	}
	return buf, nil
}

func writeMessage(w io.Writer, b []byte) error {
	framed := make([]byte, 0, 4+len(b))
	framed = binary.BigEndian.AppendUint32(framed, uint32(len(b)))
	_, err := w.Write(append(framed, b...))
	return err
}

// maxDatagram is the longest datagram there is.
const maxDatagram = 1 << 16

// receive answers datagrams, several at a time: the derivation of one client's key does not keep the others waiting.
func (s *Server) receive(ctx context.Context, c net.PacketConn, h handler) error {
	end := s.start(ctx, c)
	if end == nil {
		return nil
	}
	defer end()
	var wg sync.WaitGroup
	errs := make([]error, max(2, 2*runtime.GOMAXPROCS(0)))
	for i := range errs {
		wg.Go(func() {
			if errs[i] = s.datagrams(ctx, c, h); errs[i] != nil {
				_ = c.Close() // the others end too
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *Server) datagrams(ctx context.Context, c net.PacketConn, h handler) error {
	buf := make([]byte, maxDatagram)
	local := addressOf(c.LocalAddr())
	for {
		n, peer, err := readFrom(c, buf)
		if err != nil && (errors.Is(err, net.ErrClosed) || s.stopped(ctx)) {
			return nil
		}
		if err != nil {
			if isTransient(err) {
				continue
			}
			return err
		}
		if reply := h(ctx, buf[:n], towards(local, peer)); reply != nil {
			_ = writeTo(c, reply, peer) // lost like any other datagram; the client asks again
		}
	}
}

// peer is where a datagram came from, without an allocation when the socket is a UDP socket.
type peer struct {
	udp   netip.AddrPort
	other net.Addr
}

func readFrom(c net.PacketConn, b []byte) (int, peer, error) {
	if u, ok := c.(*net.UDPConn); ok {
		n, addr, err := u.ReadFromUDPAddrPort(b)
		return n, peer{udp: addr}, err
	}
	n, addr, err := c.ReadFrom(b)
	return n, peer{other: addr}, err
}

func writeTo(c net.PacketConn, b []byte, p peer) error {
	if p.other == nil {
		_, err := c.(*net.UDPConn).WriteToUDPAddrPort(b, p.udp)
		return err
	}
	_, err := c.WriteTo(b, p.other)
	return err
}

// isTransient tells whether an error of a read says something about one peer only: on some systems an answer that could not be
// delivered shows up here.
func isTransient(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)
}

// addressOf is the address of one end of a connection, the zero address when it has none.
func addressOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap()
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap()
	}
	return loopback
}

// towards is our address as a peer sees it. A socket that is bound to no address has the one from which the peer is reached; what
// tells is the routing table, nothing is sent.
func towards(local netip.Addr, p peer) netip.Addr {
	if !local.IsUnspecified() || p.other != nil {
		return local
	}
	if p.udp.Addr().IsLoopback() {
		return p.udp.Addr().Unmap()
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.udp))
	if err != nil {
		return local
	}
	defer c.Close()
	return addressOf(c.LocalAddr())
}

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
