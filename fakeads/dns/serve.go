package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Limits on connections.
const (
	maxConns     = 256              // TCP connections of a server at one time; further ones are closed
	maxQueries   = 10000            // on one connection
	idleTimeout  = 30 * time.Second // for the next query on a connection, and for the peer to take an answer
	maxDatagram  = 4096             // longer requests are cut short and then malformed
	failedAccept = 16               // failures of Accept in a row before Serve gives up
)

// serving keeps track of what Close has to end.
type serving struct {
	mu      sync.Mutex
	closed  bool
	closers map[io.Closer]struct{}
	conns   int
	wg      sync.WaitGroup
}

// begin registers something to close; false: the server is closed.
func (s *serving) begin(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.closers == nil {
		s.closers = map[io.Closer]struct{}{}
	}
	s.closers[c] = struct{}{}
	s.wg.Add(1)
	return true
}

func (s *serving) end(c io.Closer) {
	_ = c.Close() // its peer or Close may have closed it before
	s.mu.Lock()
	delete(s.closers, c)
	s.mu.Unlock()
	s.wg.Done()
}

func (s *serving) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// take counts a connection; false: there are too many.
func (s *serving) take(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > 0 && s.conns >= maxConns {
		return false
	}
	s.conns += n
	return true
}

// Close closes the listeners and connections of all Serve methods and waits until these have returned.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	var open []io.Closer
	for c := range s.closers {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // what matters is that the goroutine that uses it ends
	}
	s.wg.Wait()
	return nil
}

// ended is the error of a Serve method whose listener has failed with err: nil after Close, the context's after its end.
func (s *Server) ended(ctx context.Context, err error) error {
	if s.isClosed() {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Serve answers over TCP (RFC 7766) until the server or the listener is closed or ctx ends, and closes the listener. ctx is given to
// [Server.Exchange]. After [Server.Close] the result is nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if !s.begin(l) {
		_ = l.Close()
		return net.ErrClosed
	}
	defer s.end(l)
	defer closeAtEnd(ctx, l)()
	for failures := 0; ; {
		c, err := l.Accept()
		if err != nil {
			if failures++; failures == failedAccept || errors.Is(err, net.ErrClosed) || s.isClosed() || ctx.Err() != nil {
				return s.ended(ctx, err)
			}
			continue
		}
		failures = 0
		if !s.take(1) {
			_ = c.Close()
			continue
		}
		if !s.begin(c) {
			_ = c.Close()
			s.take(-1)
			continue
		}
		go func() {
			defer s.end(c)
			defer s.take(-1)
			defer closeAtEnd(ctx, c)()
			s.serveConn(ctx, c)
		}()
	}
}

// serveConn answers the queries of one connection, each after a length of two octets (RFC 1035 4.2.2).
func (s *Server) serveConn(ctx context.Context, c net.Conn) {
	var head [2]byte
	for range maxQueries {
		if c.SetDeadline(time.Now().Add(idleTimeout)) != nil {
			return
		}
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		req := make([]byte, binary.BigEndian.Uint16(head[:]))
		if _, err := io.ReadFull(c, req); err != nil {
			return
		}
		rep := s.Exchange(ctx, req, false)
		if rep == nil {
			continue
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(make([]byte, 0, len(rep)+2), uint16(len(rep))), rep...)); err != nil {
			return
		}
	}
}

// ServePacket answers over UDP until the server or c is closed or ctx ends, and closes c. ctx is given to [Server.Exchange]. After
// [Server.Close] the result is nil.
func (s *Server) ServePacket(ctx context.Context, c net.PacketConn) error {
	if !s.begin(c) {
		_ = c.Close()
		return net.ErrClosed
	}
	defer s.end(c)
	defer closeAtEnd(ctx, c)()
	b := make([]byte, maxDatagram)
	for failures := 0; ; {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			// An answer to a port that is closed comes back as an error of a later read on some systems.
			if failures++; failures == failedAccept || errors.Is(err, net.ErrClosed) || s.isClosed() || ctx.Err() != nil {
				return s.ended(ctx, err)
			}
			continue
		}
		failures = 0
		if rep := s.Exchange(ctx, b[:n], true); rep != nil {
			_, _ = c.WriteTo(rep, from) // a client that has gone asks again or not
		}
	}
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
