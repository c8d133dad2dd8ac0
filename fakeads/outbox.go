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
	c.out = appendResult(c.out, id, op, r)
	c.flush()
}

// entry collects an entry. Its error is that of an earlier write: nobody reads
// any more.
func (c *conn) entry(id int, e *directory.Entry) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.out = appendEntry(c.out, id, e)
	if len(c.out) >= batch {
		c.flush()
	}
	return c.broken
}

// reference collects a continuation reference.
func (c *conn) reference(id int, url string) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.out = appendReference(c.out, id, url)
}

// flush writes what is collected. A client that does not take it in time loses
// the connection. wmu is held.
func (c *conn) flush() {
	if c.broken != nil {
		c.out = nil
		return
	}
	b := c.out
	if c.writing != nil {
		var err error
		if b, err = c.writing.Seal(c.covered[:0], c.out); err != nil {
			c.fail(err)
			return
		}
		c.covered = b[:0]
		if cap(b) > keep && len(c.out) < batch {
			c.covered = nil
		}
	}
	c.limit(c.raw.SetWriteDeadline, c.s.cfg.WriteTimeout)
	if _, err := c.wire.Write(b); err != nil {
		c.fail(err)
		return
	}
	if c.out = c.out[:0]; cap(c.out) > 2*batch {
		c.out = nil
	}
}

// fail gives up a connection that cannot be written to.
func (c *conn) fail(err error) {
	c.broken, c.out = err, nil
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
	c.out = appendNotice(c.out, code, diagnostic)
	c.flush()
}

func (c *conn) linger() {
	half, ok := c.wire.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.limit(c.raw.SetReadDeadline, lingerTime)
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
			c.out = appendNotice(c.out, resultUnavailable, c.s.ldapErr(0, dsidConnection, "The server is shutting down", 0))
			c.flush()
		}
		c.wmu.Unlock()
	}
	c.end(net.ErrClosed)
}

// limit sets a deadline, unless the one of depart is set. It fails only on a
// closed connection, and then so does what the deadline is for.
func (c *conn) limit(set func(time.Time) error, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		_ = set(time.Now().Add(d))
	}
}
