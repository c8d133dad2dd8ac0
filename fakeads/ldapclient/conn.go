package ldapclient

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// Conn is a connection to a server. It is safe for concurrent use; requests wait for each other.
type Conn struct {
	conn net.Conn

	mu      sync.Mutex
	lastID  int
	framing *gss.Framing // of a SASL layer; nil: none
	raw     []byte       // read and not yet opened; without a layer, always empty
	plain   []byte       // opened and not yet decoded
	out     []byte
	broken  error // after which nothing goes
}

// New makes a connection of conn, which it then owns.
func New(conn net.Conn) *Conn { return &Conn{conn: conn} }

// Close says good-bye and closes the connection. It may be called while a request is under way, which then fails.
func (c *Conn) Close() error {
	if c.mu.TryLock() {
		if c.broken == nil {
			_ = c.send(element(opUnbindRequest), nil) // the server may be gone already, which comes to the same
			c.broken = net.ErrClosed
		}
		c.mu.Unlock()
	}
	return c.conn.Close()
}

// Sealed tells that a SASL layer with confidentiality protects the connection.
func (c *Conn) Sealed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.framing != nil && c.framing.Layer == gss.LayerConfidentiality
}

// send writes a request under the next message ID.
func (c *Conn) send(op []byte, controls []Control) error {
	if c.broken != nil {
		return c.broken
	}
	c.lastID++
	msg := element(tagSequence, number(tagInteger, c.lastID), op, encodeControls(controls))
	if c.framing != nil {
		sealed, err := c.framing.Seal(c.out[:0], msg)
		if err != nil {
			return err
		}
		c.out, msg = sealed, sealed
	}
	if _, err := c.conn.Write(msg); err != nil {
		return c.breaks(fmt.Errorf("send: %w", err))
	}
	return nil
}

// breaks remembers an error after which the connection is of no use.
func (c *Conn) breaks(err error) error {
	if c.broken == nil {
		c.broken = err
	}
	return err
}

// leastRead is the least room that a read gets. Most answers fit, and the buffer grows with those that do not.
const leastRead = 1 << 11

// receive reads the next message that answers the last request.
func (c *Conn) receive() (*message, error) {
	b, err := c.receiveOctets()
	if err != nil {
		return nil, c.breaks(err)
	}
	m, err := decodeMessage(b)
	switch {
	case err != nil:
		return nil, c.breaks(err)
	case m.id == 0 && m.op == opExtended:
		return nil, c.breaks(errors.Join(ErrDisconnected, m.result.err()))
	case m.id != c.lastID:
		return nil, c.breaks(fmt.Errorf("%w: message %d, want %d", ErrProtocol, m.id, c.lastID))
	}
	return m, nil
}

// receiveOctets gives the octets of one message, which nobody else uses.
func (c *Conn) receiveOctets() ([]byte, error) {
	for {
		_, size, err := header(c.plain, MaxMessage)
		if err != nil {
			return nil, err
		}
		if len(c.plain) > 0 && c.plain[0] != tagSequence {
			return nil, fmt.Errorf("%w: it begins with %#02x", ErrProtocol, c.plain[0])
		}
		if size > 0 && size <= len(c.plain) {
			b := append(make([]byte, 0, size), c.plain[:size]...)
			c.plain = c.plain[:copy(c.plain, c.plain[size:])]
			return b, nil
		}
		if c.framing != nil {
			plain, used, err := c.framing.Open(c.plain, c.raw)
			if err != nil {
				return nil, err
			}
			if used > 0 {
				c.plain = plain
				c.raw = c.raw[:copy(c.raw, c.raw[used:])]
				continue
			}
		}
		into := &c.plain
		if c.framing != nil {
			into = &c.raw
		}
		*into = slices.Grow(*into, leastRead)
		n, err := c.conn.Read((*into)[len(*into):cap(*into)])
		*into = (*into)[:len(*into)+n]
		switch {
		case n > 0:
		case err == nil:
		case len(c.plain)+len(c.raw) > 0 && err == io.EOF:
			return nil, fmt.Errorf("receive: %w", io.ErrUnexpectedEOF)
		default:
			return nil, fmt.Errorf("receive: %w", err)
		}
	}
}

// ask sends a request and reads its one answer, which must be of the kind.
func (c *Conn) ask(op []byte, kind byte, controls ...Control) (*result, error) {
	if err := c.send(op, controls); err != nil {
		return nil, err
	}
	for {
		m, err := c.receive()
		switch {
		case err != nil:
			return nil, err
		case m.op == opIntermediate: // RFC 4511 4.13: may come before any answer
		case m.op != kind:
			return nil, c.breaks(fmt.Errorf("%w: operation %#02x, want %#02x", ErrProtocol, m.op, kind))
		default:
			return m.result, nil
		}
	}
}
