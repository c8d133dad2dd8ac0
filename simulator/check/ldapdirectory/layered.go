package ldapdirectory

import (
	"fmt"
	"net"
	"sync"

	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// layered is a connection under go-ldap onto which a SASL security layer can be put (RFC 4422 3.7). go-ldap has one reader and writes one message
// at a time.
type layered struct {
	net.Conn

	mu      sync.Mutex
	framing *gss.Framing

	got        int    // since the last request
	plain, raw []byte // of the reader: opened and not yet taken; read and not yet opened
	write      sync.Mutex
	out        []byte
}

// protect puts the layer over everything that is written from now on, and over what the peer answers to it. A Read that waits already is met by
// it, because nothing can come before the next request.
func (l *layered) protect(f *gss.Framing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.framing = f
}

func (l *layered) layer() *gss.Framing {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.framing
}

// maxAnswer is how much may come between two requests: a page of objects has a few megabytes.
const maxAnswer = 1 << 28

// received counts octets, and gives the layer that they came under.
func (l *layered) received(n int) (*gss.Framing, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got += n
	return l.framing, l.got
}

// Read implements net.Conn.
func (l *layered) Read(p []byte) (int, error) {
	for {
		if len(l.plain) > 0 {
			n := copy(p, l.plain)
			l.plain = l.plain[n:]
			return n, nil
		}
		f := l.layer()
		if f != nil {
			plain, used, err := f.Open(l.plain[:0], l.raw)
			if err != nil {
				return 0, err
			}
			if used > 0 {
				l.plain, l.raw = plain, l.raw[used:]
				continue
			}
		}
		n, err := l.Conn.Read(p)
		if n == 0 {
			return 0, err
		}
		f, got := l.received(n)
		if got > maxAnswer {
			return 0, fmt.Errorf("an answer of more than %d octets", maxAnswer)
		}
		if f == nil { // it may have come while Read waited
			return n, err
		}
		l.raw = append(l.raw, p[:n]...)
	}
}

// Write implements net.Conn.
func (l *layered) Write(p []byte) (int, error) {
	l.mu.Lock()
	f := l.framing
	l.got = 0
	l.mu.Unlock()
	if f == nil {
		return l.Conn.Write(p)
	}
	l.write.Lock()
	defer l.write.Unlock()
	sealed, err := f.Seal(l.out[:0], p)
	if err != nil {
		return 0, err
	}
	l.out = sealed
	if _, err := l.Conn.Write(sealed); err != nil {
		return 0, err
	}
	return len(p), nil
}
