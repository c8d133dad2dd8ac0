package fakeads

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// Ends of a session that are nobody's failure.
var (
	errUnbound = errors.New("the client has unbound")
	errReset   = errors.New("reset by Intercept")
)

// conn is one LDAP session. To the library below it is a connection from which
// it reads stand-ins; see library. It frames, decodes and limits requests, takes
// security layers off and puts them on, and collects answers.
//
// One goroutine of the library calls Read. Requests that change the session
// (binds, StartTLS, other extended operations) are carried out in that goroutine when no
// other request of the session is running, so what they change needs no lock. So are those that
// take no time, see Config.Prompt. The others become stand-ins, which the library dispatches.
type conn struct {
	s      *Server
	door   door
	ctx    context.Context
	cancel context.CancelFunc

	// unwatch ends the watch over the context that the connection was given. Nil: the connection was not let in.
	unwatch func()
	raw     net.Conn   // the transport
	wire    net.Conn   // raw, or the TLS on it
	server  netip.Addr // our address on it

	// Of the reading goroutine.
	begun   bool
	plain   inbox // received, layers taken off, not yet used
	sealed  inbox // received, under a SASL layer
	hurried bool  // the deadline is that of a message that has begun
	spoken  bool  // the first message has come
	reading *gss.Framing
	readBy  deadline
	swift   *swift // nil: no request has been carried out here
	stand   []byte // rest of the stand-in that the library is reading
	number  int    // of the last request

	// slots bounds the requests that run at once; running counts them.
	slots   chan struct{}
	running sync.WaitGroup

	mu      sync.Mutex
	waiting map[int]*pending // by number, handed out as stand-ins
	active  map[int]*pending // by message ID
	cause   error            // why the session ended, the first reason
	ending  bool             // the deadlines are those of Close

	wmu     sync.Mutex
	out     *[]byte // answers to be written, nil: none
	writing *gss.Framing
	writeBy deadline
	broken  error // of the first write that failed

	// Changed only while nothing else runs.
	secure   bool      // TLS
	bindings *[16]byte // its channel bindings, nil: not known
	layer    gss.Layer // of SASL
	fast     bool      // fast bind mode
	identity identity
	caller   directory.Caller
	sasl     *saslExchange // a bind that is not finished

	closing sync.Once
}

// pending is a request that is to be answered.
type pending struct {
	*request
	ctx       context.Context
	cancel    context.CancelFunc // nil: it is carried out by the goroutine that reads, and nobody can abandon it
	abandoned bool               // guarded by conn.mu
}

// swift is the room in which one request after another is decoded and carried out by the goroutine that reads.
type swift struct {
	request request
	pending pending
	op      Operation
	memo    memo
}

// identity is who the client is.
type identity struct {
	account string          // CONTOSO\alice, "" for anonymous
	token   *security.Token // nil for anonymous
}

// become gives the session an identity, or takes a change of its protection into account.
func (c *conn) become(who identity) {
	c.identity = who
	c.caller = directory.Caller{
		Token: who.token, Account: who.account, Anonymous: who.account == "",
		Encrypted: c.secure || c.layer == gss.LayerConfidentiality,
	}
}

// layerName is what protects the session, for Operation.Layer.
func (c *conn) layerName() string {
	switch {
	case c.secure:
		return "tls"
	case c.layer == gss.LayerConfidentiality:
		return "seal"
	case c.layer == gss.LayerIntegrity:
		return "sign"
	}
	return "plain"
}

// LocalAddr, RemoteAddr, Write and the deadlines are for the library, which
// neither writes anything of use nor knows when a client is slow.

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr {
	if a := c.raw.RemoteAddr(); a != nil {
		return a
	}
	return &net.TCPAddr{} // the library wants one for its log
}

// Write implements net.Conn: it discards.
func (c *conn) Write(p []byte) (int, error) { return len(p), nil }

// SetDeadline implements net.Conn: it does nothing.
func (c *conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn: it does nothing.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn: it does nothing.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// Close implements net.Conn. The library calls it when every request is done.
func (c *conn) Close() error {
	c.closing.Do(func() {
		_ = c.wire.Close() // a peer that is gone already is no failure
		c.cancel()
		if c.unwatch != nil {
			c.unwatch()
		}
		c.s.forget(c)
	})
	return nil
}

// end remembers why the session ends and makes Read and everything that waits
// for the peer return.
func (c *conn) end(cause error) {
	c.because(cause)
	c.cancel()
	_ = c.raw.Close() // it may be closed already
}

func (c *conn) because(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.cause = cause
	}
}

func (c *conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Read implements net.Conn for the library: it gives it the stand-in for the next
// request. A client that only stops sending still gets its answers.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.stand) == 0 {
		err := c.guardedNext()
		if err != nil {
			c.discharge()
		}
		if errors.Is(err, io.EOF) {
			c.because(err)
			return 0, io.EOF
		}
		if err != nil {
			c.end(err)
			return 0, io.EOF
		}
	}
	n := copy(p, c.stand)
	c.stand = c.stand[n:]
	return n, nil
}

// guardedNext is next; a panic costs the session, not the process.
func (c *conn) guardedNext() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return c.next()
}

// next waits for a request that is to run beside others and prepares its
// stand-in. All else is dealt with here.
func (c *conn) next() error {
	if !c.begun {
		c.begun = true
		if err := c.begin(); err != nil {
			return err
		}
	}
	for {
		msg, err := c.message()
		if err != nil {
			return c.disconnect(err)
		}
		if c.s.prompt && operationTag(msg) == opSearchRequest {
			done, err := c.swiftSearch(msg)
			if err != nil {
				return err
			}
			if done {
				c.plain.drop(len(msg))
				if len(msg) > keep {
					c.swift = nil // it holds on to the message
				}
				continue
			}
		}
		// What outlives its message needs a copy.
		size := len(msg)
		msg = slices.Clone(msg)
		c.plain.drop(size)
		req, err := decodeRequest(msg)
		if refused, err := c.check(req, err); err != nil {
			return err
		} else if refused {
			continue
		}
		switch req.kind {
		case KindAbandon:
			c.abandon(req.abandon)
			continue
		case KindUnbind:
			c.trace(&Operation{Kind: KindUnbind, Account: c.identity.account, Layer: c.layerName()})
			return errUnbound
		case KindBind, KindExtended:
			c.running.Wait() // RFC 4511 4.2.1
			c.carryOutHere(req)
			continue
		case KindAdd, KindModify, KindModifyDN, KindCompare:
			if c.s.prompt {
				c.carryOutHere(req)
				continue
			}
		}
		return c.hand(req)
	}
}

// swiftSearch carries out a search that finds little, without a copy of its message. done is
// false when it is another one.
func (c *conn) swiftSearch(msg []byte) (done bool, err error) {
	if c.swift == nil {
		c.swift = &swift{}
	}
	req, d := &c.swift.request, decoder{memo: &c.swift.memo}
	err = d.request(req, msg)
	if err != nil || req.search.scope != directory.BaseObject && !directory.Narrow(req.search.filter) {
		return false, nil // a fault is found again
	}
	if _, err := c.check(req, nil); err != nil {
		return false, err
	}
	c.carryOutHere(req)
	return true, nil
}

// check answers a request that could not be understood, which came with cause. Its error ends the session.
func (c *conn) check(req *request, cause error) (refused bool, err error) {
	switch {
	case req == nil:
		return false, c.disconnect(cause)
	case cause != nil:
		c.refuse(req, cause)
		return true, nil
	case c.isActive(req.id):
		return false, c.disconnect(fmt.Errorf("%w: message ID %d is in use", errBER, req.id))
	}
	return false, nil
}

// carryOutHere carries out a request on the goroutine that reads.
func (c *conn) carryOutHere(req *request) {
	if c.swift == nil {
		c.swift = &swift{}
	}
	sw := c.swift
	sw.pending = pending{request: req, ctx: c.ctx}
	c.carryOut(&sw.pending, &sw.op)
	sw.pending, sw.op, sw.memo.search = pending{}, Operation{}, searchRequest{} // they hold the message
}

// hand puts a request where dispatch finds it.
func (c *conn) hand(req *request) error {
	select {
	case c.slots <- struct{}{}:
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
	c.running.Add(1)
	c.number = c.number%maxMessageID + 1
	p := &pending{request: req}
	p.ctx, p.cancel = context.WithCancel(c.ctx)
	c.mu.Lock()
	c.waiting[c.number] = p
	c.active[req.id] = p
	c.mu.Unlock()
	c.stand = standIn(c.stand[:0], c.number)
	return nil
}

// dispatch carries out the request behind a stand-in.
func (c *conn) dispatch(number int) {
	c.mu.Lock()
	p := c.waiting[number]
	delete(c.waiting, number)
	c.mu.Unlock()
	if p == nil {
		return
	}
	defer func() {
		p.cancel()
		c.settle(p)
		<-c.slots
		c.running.Done()
	}()
	c.carryOut(p, new(Operation))
}

// settle forgets a request and tells whether it was abandoned.
func (c *conn) settle(p *pending) (abandoned bool) {
	if p.cancel == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.active[p.id] == p {
		delete(c.active, p.id)
	}
	return p.abandoned
}

func (c *conn) isActive(id int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.active[id]
	return ok
}

// abandon stops a request; it gets no answer, RFC 4511 4.11. A request that is
// not there is no error.
func (c *conn) abandon(id int) {
	c.mu.Lock()
	p := c.active[id]
	if p != nil {
		p.abandoned = true
		p.cancel()
	}
	c.mu.Unlock()
}
