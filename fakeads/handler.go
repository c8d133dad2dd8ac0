package fakeads

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// begin lets a connection in, on the goroutine that reads.
func (c *conn) begin() error {
	if c.door.tls() {
		if err := c.handshake(); err != nil {
			return err
		}
	}
	op := Operation{Kind: KindConnect, Layer: c.layerName()}
	if c.s.cfg.Intercept != nil {
		switch in := c.s.cfg.Intercept(c.ctx, &op); {
		case in.Reset, in.Drop:
			c.reset()
			return errReset
		case in.Result != 0:
			op.Result, op.Diagnostic = in.Result, in.Diagnostic
			c.trace(&op)
			c.notify(in.Result, in.Diagnostic)
			return errReset
		}
	}
	c.trace(&op)
	return nil
}

// reset closes the connection so that the client sees a reset, where the
// transport has such a thing.
func (c *conn) reset() {
	if t, ok := c.raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // without it the client sees the end of the stream
	}
	c.end(errReset)
}

func (c *conn) trace(op *Operation) {
	if c.s.cfg.Trace == nil {
		return
	}
	op.ResultName = resultName(op.Result)
	c.s.cfg.Trace(c.ctx, *op)
}

// refuse answers a request whose contents could not be decoded.
func (c *conn) refuse(req *request, err error) {
	_, tag, _ := operationOf(req.op)
	if tag == 0 {
		return
	}
	code := resultProtocolError
	if errors.Is(err, filter.ErrLimit) || errors.Is(err, errTooMany) {
		// guess: a filter or a list that is beyond the server's limits is refused with adminLimitExceeded.
		code = resultAdminLimitExceeded
	}
	r := c.s.malformed(code)
	c.trace(&Operation{Kind: req.kind, Account: c.identity.account, Layer: c.layerName(), Text: "malformed request", Result: code, Diagnostic: r.diagnostic})
	c.answer(req.id, tag, &r)
}

// carryOut carries out a request and answers it.
func (c *conn) carryOut(p *pending, op *Operation) {
	_, tag, _ := operationOf(p.op)
	*op = Operation{Kind: p.kind, Account: c.identity.account, Layer: c.layerName()}
	defer c.recovered(p, tag, op)
	if c.s.cfg.Trace != nil || c.s.cfg.Intercept != nil {
		op.Text = p.text()
	}
	if c.s.cfg.Intercept != nil && !c.continues(p.request) {
		switch in := c.s.cfg.Intercept(p.ctx, op); {
		case in.Reset:
			c.reset()
			return
		case in.Drop:
			return
		case in.Result != 0:
			c.finish(p, tag, op, &result{code: in.Result, diagnostic: in.Diagnostic})
			return
		}
	}
	var r result
	var then func()
	switch p.kind {
	case KindBind:
		r, then = c.bind(p, op)
	case KindExtended:
		r, then = c.extended(p, op)
	case KindSearch:
		r = c.search(p, op)
	default:
		r = c.update(p, op)
	}
	c.finish(p, tag, op, &r)
	if then != nil {
		then()
	}
}

// finish traces an operation and answers it, unless the client has abandoned it. From
// then on the client may use the message ID again.
func (c *conn) finish(p *pending, tag byte, op *Operation, r *result) {
	if c.settle(p) {
		c.trace(&Operation{Kind: KindAbandon, Account: op.Account, Layer: op.Layer, Text: string(op.Kind) + " " + op.Text})
		return
	}
	op.Result, op.Diagnostic = r.code, r.diagnostic
	if r.code != resultSASLBindInProgress {
		c.trace(op)
	}
	c.answer(p.id, tag, r)
}

// recovered answers a request whose handling panicked. Should that fail in the
// same way, the session ends.
func (c *conn) recovered(p *pending, tag byte, op *Operation) {
	v := recover()
	if v == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			c.end(fmt.Errorf("panic: %v", v))
		}
	}()
	op.Fault = fmt.Errorf("panic: %v", v)
	r := c.s.internalError()
	c.finish(p, tag, op, &r)
}

// failed turns the error of the directory into an answer.
func (c *conn) failed(ctx context.Context, op *Operation, err error) result {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return result{code: resultTimeLimitExceeded, diagnostic: c.s.ldapErr(errorTimeLimit, dsidConnection, "Time limit exceeded", 0)}
	}
	r := c.s.refusal(err)
	if r.code == resultOther {
		op.Fault = err
	}
	return r
}

// maxText bounds Operation.Text, octets.
const maxText = 2048

// text is the request in one line.
func (p *request) text() string {
	var room [512]byte
	t := p.appendText(room[:0])
	cut := len(t) > maxText
	if cut {
		t = t[:maxText]
	}
	if !slices.ContainsFunc(t, func(c byte) bool { return c < ' ' || c >= 0x7f }) {
		if cut {
			t = append(t, "…"...)
		}
		return string(t)
	}
	s := string(t)
	if cut {
		s += "…"
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		s = strconv.Quote(s)
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

var scopeNames = [...]string{"base", "one", "sub"}

func (p *request) appendText(b []byte) []byte {
	switch p.kind {
	case KindBind:
		b = append(b, p.bind.text()...)
	case KindSearch:
		b = append(append(b, "base="...), p.search.base...)
		b = append(append(b, " scope="...), scopeNames[p.search.scope]...)
		b = p.search.filter.AppendText(append(b, " filter="...))
		for i, a := range p.search.attrs {
			if i == 0 {
				b = append(b, " attrs="...)
			} else {
				b = append(b, ',')
			}
			b = append(b, a...)
		}
	case KindAdd:
		b = append(b, p.add.DN...)
	case KindModify:
		b = append(b, p.modify.dn...)
	case KindDelete:
		b = append(b, p.dn...)
	case KindCompare:
		b = append(append(append(b, p.compare.dn...), ' '), p.compare.attr...)
	case KindModifyDN:
		b = append(append(append(b, p.modifyDN.dn...), " newrdn="...), p.modifyDN.newRDN...)
		if p.modifyDN.newSuperior != "" {
			b = append(append(b, " newsuperior="...), p.modifyDN.newSuperior...)
		}
	case KindExtended:
		b = append(b, extendedName(p.extended.oid)...)
	}
	return b
}

func (b *bindRequest) text() string {
	switch {
	case b.method == bindSASL:
		return b.mechanism
	case b.method != bindSimple:
		return "Sicily"
	case b.name == "" || b.password == "":
		return "anonymous"
	}
	return "simple " + b.name
}
