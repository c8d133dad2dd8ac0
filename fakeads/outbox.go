package fakeads

import (
	"errors"
	"net"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// batch is how many octets of answers are collected before they are written.
const batch = 64 << 10

// answer writes the final answer to a request, with everything before it.
func (c *conn) answer(id int, op byte, r *result) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	b := c.collected()
	*b = appendResult(*b, id, op, r)
	c.flush()
}

// entry collects an entry. Its error is that of an earlier write: nobody reads
// any more.
func (c *conn) entry(id int, e *directory.Entry) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	b := c.collected()
	*b = appendEntry(*b, id, e)
	if len(*b) >= batch {
		c.flush()
	}
	return c.broken
}

// reference collects a continuation reference.
func (c *conn) reference(id int, url string) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	b := c.collected()
	*b = appendReference(*b, id, url)
}

// collected is what is to be written; idle connections have no room for it. wmu is held.
func (c *conn) collected() *[]byte {
	if c.out == nil {
		c.out = c.s.buffer()
	}
	return c.out
}

// buffer gives an empty buffer.
func (s *Server) buffer() *[]byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, smallRead)
	return &b
}

// putBack takes a buffer back.
func (s *Server) putBack(b *[]byte) {
	if cap(*b) <= 2*batch {
		*b = (*b)[:0]
		s.buffers.Put(b)
	}
}

// flush writes what is collected. A client that does not take it in time loses
// the connection. wmu is held.
func (c *conn) flush() {
	out := c.out
	if out == nil {
		return
	}
	c.out = nil
	defer c.s.putBack(out)
	if c.broken != nil {
		return
	}
	if c.writing == nil {
		c.write(*out)
		return
	}
	covered := c.s.buffer()
	defer c.s.putBack(covered)
	var err error
	if *covered, err = c.writing.Seal(*covered, *out); err != nil {
		c.fail(err)
		return
	}
	c.write(*covered)
}

func (c *conn) write(b []byte) {
	c.limit(&c.writeBy, c.s.cfg.WriteTimeout)
	if _, err := c.wire.Write(b); err != nil {
		c.fail(err)
	}
}

// fail gives up a connection that cannot be written to.
func (c *conn) fail(err error) {
	c.broken = err
	c.end(err)
}

// lingerOctets and lingerTime bound what is read of a client whose session we
// end, so that its system does not discard our notice because of octets that were not read.
const (
	lingerOctets = 256 << 10
	lingerTime   = 500 * time.Millisecond
)

// disconnect ends the session because of err. Where the client has broken the
// protocol it gets a notice of disconnection, RFC 4511 4.4.1. It returns err.
func (c *conn) disconnect(err error) error {
	if errors.Is(err, errCrowded) {
		c.notify(resultBusy, c.s.ldapErr(errorBusy, dsidConnection, "The server is busy", 0))
		return err
	}
	code, ok := noticeFor(err)
	if !ok {
		return err
	}
	r := c.s.malformed(code)
	c.notify(code, r.diagnostic)
	c.linger()
	return err
}

// noticeFor is the result code of the notice for an end of the session. An
// end that is not the client's breach of LDAP has none; a message that was tampered with
// under a security layer is none either.
func noticeFor(err error) (code int, ok bool) {
	if errors.Is(err, errGarbage) || errors.Is(err, errTooLarge) || errors.Is(err, errBER) {
		return resultProtocolError, true
	}
	return 0, false
}

func (c *conn) notify(code int, diagnostic string) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	b := c.collected()
	*b = appendNotice(*b, code, diagnostic)
	c.flush()
}

func (c *conn) linger() {
	half, ok := c.wire.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.limit(&c.readBy, lingerTime)
	var b [smallRead]byte
	for left := lingerOctets; left > 0; {
		n, err := c.raw.Read(b[:])
		if err != nil {
			return
		}
		left -= n
	}
}

// depart tells a client of a listener that the server is going. until is the
// deadline for it, the same for all clients; what is stuck fails by then.
func (c *conn) depart(until time.Time) {
	if c.door != doorDirect {
		c.mu.Lock()
		c.ending = true
		_ = c.raw.SetDeadline(until) // fails as the write will
		c.mu.Unlock()
		c.wmu.Lock()
		if c.secure || !c.door.tls() {
			b := c.collected()
			*b = appendNotice(*b, resultUnavailable, c.s.ldapErr(0, dsidConnection, "The server is shutting down", 0))
			c.flush()
		}
		c.wmu.Unlock()
	}
	c.end(net.ErrClosed)
}

// deadline is one of the two deadlines of a connection. The reading one belongs to the
// goroutine that reads, the writing one to who holds wmu.
type deadline struct {
	after time.Duration // 0: not set
	since time.Time
}

// imprecision is the part of a deadline by which it may be late.
const imprecision = 64

// limit moves a deadline to d from now, unless it is that of depart. One that was moved just now stays:
// to move it with every message costs more than to decode one. Setting it fails only on a
// closed connection, and then so does what the deadline is for.
func (c *conn) limit(l *deadline, d time.Duration) {
	now := time.Now()
	if l.after == d && now.Sub(l.since) < d/imprecision {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return
	}
	l.after, l.since = d, now
	at := now.Add(d + d/imprecision)
	if l == &c.readBy {
		_ = c.raw.SetReadDeadline(at)
	} else {
		_ = c.raw.SetWriteDeadline(at)
	}
}
