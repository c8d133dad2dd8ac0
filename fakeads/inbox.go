package fakeads

import (
	"errors"
	"fmt"
	"io"
	"runtime"
)

const (
	// smallRead is the room of an inbox when it is made. Most requests fit, and thousands of idle
	// connections have such a room each.
	smallRead = 1 << 10
	// keep is the largest buffer that an idle connection holds on to.
	keep = 16 << 10
)

// Reasons for which a session ends by our decision.
var (
	errGarbage  = errors.New("not an LDAP message")
	errTooLarge = errors.New("message too large")
)

// inbox is what has arrived and is not used yet.
type inbox struct {
	b       []byte
	at      int
	charged int // octets of the buffer that the server counts, see charge
}

func (i *inbox) bytes() []byte { return i.b[i.at:] }

func (i *inbox) empty() bool { return i.at == len(i.b) }

// drop uses n octets up.
func (i *inbox) drop(n int) {
	i.at += n
	if i.at < len(i.b) {
		return
	}
	i.at, i.b = 0, i.b[:0]
	if cap(i.b) > keep {
		i.b = nil
	}
}

// room makes space behind the octets that are there. The buffer grows with what
// has arrived, not with what a header announces.
func (i *inbox) room() []byte {
	if cap(i.b)-len(i.b) < smallRead/4 {
		b := i.b
		if rest := i.bytes(); cap(b) < 4*len(rest)+smallRead {
			b = make([]byte, 0, 4*len(rest)+smallRead)
		}
		i.b, i.at = append(b[:0], i.bytes()...), 0
	}
	return i.b[len(i.b):cap(i.b)]
}

// message waits for the next LDAPMessage, which is good until it is dropped from plain.
func (c *conn) message() ([]byte, error) {
	for {
		b := c.plain.bytes()
		if len(b) > 0 && b[0] != tagSequence {
			return nil, fmt.Errorf("%w: first octet 0x%02x", errGarbage, b[0])
		}
		_, head, size, err := header(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errGarbage, err)
		}
		if head > 0 {
			if size > c.s.cfg.MaxMessageSize-head {
				return nil, fmt.Errorf("%w: %d octets, the limit is %d", errTooLarge, size, c.s.cfg.MaxMessageSize)
			}
			if len(b) >= head+size {
				c.hurried, c.spoken = false, true
				return b[: head+size : head+size], nil
			}
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// fill receives more octets into plain.
func (c *conn) fill() error {
	if c.reading == nil {
		return c.receive(&c.plain)
	}
	for {
		if err := c.charge(&c.plain); err != nil {
			return err
		}
		before := len(c.plain.b)
		b, n, err := c.reading.Open(c.plain.b, c.sealed.bytes())
		if err != nil {
			return err
		}
		if n > 0 {
			c.plain.b = b
			c.sealed.drop(n)
			if len(b) > before {
				return nil
			}
			continue // an empty buffer
		}
		if err := c.receive(&c.sealed); err != nil {
			return err
		}
	}
}

// receive reads once. Between messages the client may be idle; the first message, and
// one that has begun, must arrive in time.
func (c *conn) receive(into *inbox) error {
	idle := c.plain.empty() && c.sealed.empty() && c.spoken
	if idle {
		c.limit(&c.readBy, c.s.cfg.IdleTimeout)
	} else if !c.hurried {
		c.limit(&c.readBy, c.s.cfg.ReceiveTimeout)
	}
	c.hurried = !idle
	if idle && c.s.prompt {
		// The other connections first. By then the next request has often come, and is read without asking the system twice
		// and waiting in between.
		runtime.Gosched()
	}
	room := into.room()
	if err := c.charge(into); err != nil {
		return err
	}
	n, err := c.wire.Read(room)
	into.b = into.b[:len(into.b)+n]
	switch {
	case n > 0:
		return nil // an error will come again
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}
