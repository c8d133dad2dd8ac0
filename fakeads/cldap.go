package fakeads

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

const (
	// maxDatagram is the largest request over UDP; a ping has about 150 octets.
	maxDatagram = 8192
	// maxDatagramAnswer is what one UDP datagram over IPv4 carries.
	maxDatagramAnswer = 65507
	// datagramFailures is how many reads in a row may fail before ServePacket gives up.
	datagramFailures = 16
)

// ServePacket answers LDAP over UDP, the connectionless LDAP by which clients find and ping domain controllers ([MS-ADTS] 6.3.3), until
// the server or c is closed or ctx ends, and closes c. Over UDP there is nobody to bind: only the root DSE is there to be read.
// After [Server.Close] the result is nil.
func (s *Server) ServePacket(ctx context.Context, c net.PacketConn) error {
	release, err := s.own(c)
	if err != nil {
		return err
	}
	defer release()
	defer closeAtEnd(ctx, c)()
	server := addrOf(c.LocalAddr())
	b := make([]byte, maxDatagram+1)
	for failures := 0; ; {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			// An answer to a port that is closed comes back as an error of a later read on some systems.
			if failures++; failures < datagramFailures && !errors.Is(err, net.ErrClosed) && s.ctx.Err() == nil && ctx.Err() == nil {
				continue
			}
			switch {
			case s.ctx.Err() != nil:
				return nil
			case ctx.Err() != nil:
				return ctx.Err()
			}
			return fmt.Errorf("LDAP over UDP: %w", err)
		}
		failures = 0
		if rep := s.datagram(ctx, b[:n], server); rep != nil {
			_, _ = c.WriteTo(rep, from) // a client that has gone asks again or not
		}
	}
}

// addrOf is the IP address of a socket address; zero when it has none.
func addrOf(a net.Addr) netip.Addr {
	if a == nil {
		return netip.Addr{}
	}
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap()
}

// datagram answers one request over UDP: nil when there is nothing to answer. The answer is the entry, if there is one, and the
// SearchResultDone in one datagram.
func (s *Server) datagram(ctx context.Context, msg []byte, server netip.Addr) []byte {
	if len(msg) > maxDatagram {
		return nil
	}
	req, err := decodeRequest(msg)
	if req == nil || req.kind == KindUnbind || req.kind == KindAbandon {
		return nil
	}
	op := Operation{Kind: req.kind, Layer: "plain"}
	if err == nil && (s.cfg.Trace != nil || s.cfg.Intercept != nil) {
		op.Text = req.text()
	}
	_, answer, _ := operationOf(req.op)
	res := result{}
	var entry *directory.Entry
	var do Intercepted
	if s.cfg.Intercept != nil && err == nil {
		do = s.cfg.Intercept(ctx, &op)
	}
	switch {
	case do.Drop || do.Reset:
		return nil
	case do.Result != 0:
		res.code, res.diagnostic = do.Result, do.Diagnostic
	case errors.Is(err, filter.ErrLimit), errors.Is(err, errTooMany):
		res = s.malformed(resultAdminLimitExceeded)
	case err != nil:
		res = s.malformed(resultProtocolError)
	case req.search == nil:
		op.NotModelled = string(req.kind) + " over UDP"
		res = s.unwilling("Only the root DSE can be read without a connection")
	case req.search.base != "" || req.search.scope != directory.BaseObject:
		res = s.anonymousError()
	default:
		entry = s.rootDatagram(ctx, req.search, server)
	}
	var b []byte
	if entry != nil {
		op.Entries = 1
		b = appendEntry(b, req.id, entry)
	}
	b = appendResult(b, req.id, answer, &res)
	if len(b) > maxDatagramAnswer {
		res, op.Entries = result{code: resultAdminLimitExceeded}, 0
		b = appendResult(nil, req.id, answer, &res)
	}
	op.Result, op.ResultName, op.Diagnostic = res.code, resultName(res.code), res.diagnostic
	if s.cfg.Trace != nil {
		s.cfg.Trace(ctx, op)
	}
	return b
}

// rootDatagram is the root DSE as it is answered over UDP; nil: no entry.
func (s *Server) rootDatagram(ctx context.Context, q *searchRequest, server netip.Addr) *directory.Entry {
	e := &directory.Entry{}
	var others []string
	for _, attr := range q.attrs {
		if !strings.EqualFold(attr, netlogonAttribute) {
			others = append(others, attr)
			continue
		}
		value, ok := s.netlogon(q.filter, server)
		if !ok {
			return nil
		}
		e.Attributes = append(e.Attributes, directory.Attribute{Name: netlogonAttribute, Values: [][]byte{value}})
	}
	if len(others) > 0 || len(q.attrs) == 0 {
		if root := s.cfg.Replica.RootDSE(&directory.Caller{Anonymous: true}, others, s.now(ctx)); root != nil {
			e.Attributes = append(e.Attributes, root.Attributes...)
		}
	}
	return e
}
