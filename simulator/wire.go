package simulator

import (
	"io"
	"net"
	"sync"
	"time"
)

// wire is one end of a connection in process. Unlike that of [net.Pipe], a write does not wait for its reader, and there are no deadlines: both
// ends are the domain's own, whose time the machine's clock does not measure, and the timer of a deadline would keep a connection, and with it
// the domain, for minutes after its end.
type wire struct {
	in, out *stream
}

// newWire gives the ends of a new connection.
func newWire() (near, far *wire) {
	a, b := newStream(), newStream()
	return &wire{in: a, out: b}, &wire{in: b, out: a}
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) { return w.in.read(p) }

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) { return w.out.write(p) }

// Close implements net.Conn: the other end reads what is on the way, and then the end.
func (w *wire) Close() error {
	w.in.close(true)
	w.out.close(false)
	return nil
}

// LocalAddr implements net.Conn.
func (w *wire) LocalAddr() net.Addr { return wireAddr{} }

// RemoteAddr implements net.Conn.
func (w *wire) RemoteAddr() net.Addr { return wireAddr{} }

// SetDeadline implements net.Conn: it does nothing.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn: it does nothing.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn: it does nothing.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// wireAddr is the address of both ends.
type wireAddr struct{}

func (wireAddr) Network() string { return "wire" }
func (wireAddr) String() string  { return "wire" }

// maxOnTheWay is how many octets a writer may be ahead of its reader.
const maxOnTheWay = 1 << 17

// stream is one direction of a wire.
type stream struct {
	mu      sync.Mutex
	changed sync.Cond
	b       []byte // on the way, from at on
	at      int
	closed  bool // by the writer: what is on the way is the last
	refused bool // by the reader: nothing is read any more
}

func newStream() *stream {
	s := &stream{}
	s.changed.L = &s.mu
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.at == len(s.b) && !s.closed && !s.refused {
		s.changed.Wait()
	}
	switch {
	case s.refused:
		return 0, io.ErrClosedPipe
	case s.at == len(s.b):
		return 0, io.EOF
	}
	n := copy(p, s.b[s.at:])
	if s.at += n; s.at == len(s.b) {
		s.b, s.at = s.b[:0], 0
	}
	s.changed.Broadcast()
	return n, nil
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.b)-s.at >= maxOnTheWay && !s.closed && !s.refused {
			s.changed.Wait()
		}
		if s.closed || s.refused {
			return n, io.ErrClosedPipe
		}
		part := p[:min(len(p), maxOnTheWay-(len(s.b)-s.at))]
		s.b = append(s.b, part...)
		p, n = p[len(part):], n+len(part)
		s.changed.Broadcast()
		if len(p) == 0 {
			return n, nil
		}
	}
}

func (s *stream) close(byReader bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if byReader {
		s.refused, s.b, s.at = true, nil, 0
	} else {
		s.closed = true
	}
	s.changed.Broadcast()
}
