package dns

import (
	"context"
	"encoding/binary"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"
)

// Limits on what a peer can ask for.
const (
	maxAliases    = 8    // CNAME records followed for one question
	maxUDPAnswer  = 4096 // however much the client announces
	plainUDP      = 512  // RFC 1035 2.3.4
	headerSize    = 12
	maxAdditional = 4 // records of a request's additional section: OPT, TSIG
)

// Response codes by name, for [Outcome].
const (
	FormErr  = dns.RcodeFormatError
	ServFail = dns.RcodeServerFailure
	NXDomain = dns.RcodeNameError
	NotImp   = dns.RcodeNotImplemented
	Refused  = dns.RcodeRefused
)

// Query is a question and how it was answered.
type Query struct {
	Name    string // as asked, with the final dot
	Type    string // SRV, A, …
	RCode   string // NOERROR, NXDOMAIN, …; empty before it is answered and when it is not answered
	Answers int    // records in the answer section
}

// Outcome is what an [Server.Intercept] function wants to happen to a query. The zero value lets it through.
type Outcome struct {
	RCode int  // answer with this code and no record
	Drop  bool // do not answer
}

// Server answers DNS queries for a forest. Its fields are set before it is used; its methods may be called from any number of
// goroutines.
type Server struct {
	// Trace is called after each query, before the answer is sent, with the context of the exchange.
	Trace func(ctx context.Context, q Query)
	// Intercept is asked before a query is answered.
	Intercept func(ctx context.Context, q *Query) Outcome

	zone  func() *Zone
	ready atomic.Pointer[index]
	serving
}

// NewServer makes a server for the zone that the function gives. It is asked for each query; as long as it gives the same pointer,
// nothing is computed anew.
func NewServer(zone func() *Zone) *Server { return &Server{zone: zone} }

func (s *Server) index() *index {
	z := s.zone()
	if z == nil {
		z = &Zone{}
	}
	if ix := s.ready.Load(); ix != nil && (ix.zone == z || len(z.Domains)+len(z.Hosts)+len(z.Aliases) == 0 && len(ix.records) == 0) {
		return ix
	}
	ix := newIndex(z)
	s.ready.Store(ix)
	return ix
}

// Exchange answers one DNS message (RFC 1035 4). udp limits the answer to what the client takes in a datagram; a longer one is
// truncated with the TC bit set. The result is nil when there is nothing to answer: req is no request, or the query is dropped.
func (s *Server) Exchange(ctx context.Context, req []byte, udp bool) []byte {
	if len(req) < headerSize || req[2]&0x80 != 0 {
		return nil
	}
	opcode := int(req[2]>>3) & 0xf
	count := func(section int) int { return int(binary.BigEndian.Uint16(req[4+2*section:])) }
	switch {
	case opcode == dns.OpcodeUpdate:
		// A zone that takes secure updates only refuses the others (RFC 3007 4.1); secure ones need GSS-TSIG, which is not here.
		return refusal(req, dns.RcodeRefused)
	case opcode != dns.OpcodeQuery:
		return refusal(req, dns.RcodeNotImplemented)
	case count(0) != 1 || count(1) != 0 || count(3) > maxAdditional:
		return refusal(req, dns.RcodeFormatError)
	}
	var m dns.Msg
	if err := m.Unpack(req); err != nil || len(m.Question) != 1 {
		return refusal(req, dns.RcodeFormatError)
	}
	q := Query{Name: m.Question[0].Name, Type: dns.Type(m.Question[0].Qtype).String()}
	var out Outcome
	if s.Intercept != nil {
		out = s.Intercept(ctx, &q)
	}
	if out.Drop {
		if s.Trace != nil {
			s.Trace(ctx, q)
		}
		return nil
	}
	a := new(dns.Msg).SetReply(&m)
	opt := m.IsEdns0()
	switch {
	case opt != nil && opt.Version() != 0:
		a.Rcode = dns.RcodeBadVers
	case out.RCode != 0:
		a.Rcode = out.RCode
		if o := s.index().originOf(dns.CanonicalName(q.Name)); o != nil && a.Rcode == dns.RcodeNameError {
			a.Authoritative, a.Ns = true, []dns.RR{o.negative()}
		}
	default:
		s.index().answer(a)
	}
	b := pack(a, opt, udp)
	if b == nil {
		return refusal(req, dns.RcodeServerFailure)
	}
	if s.Trace != nil {
		q.RCode, q.Answers = dns.RcodeToString[a.Rcode], len(a.Answer)
		s.Trace(ctx, q)
	}
	return b
}

// pack encodes an answer and fits it into a datagram. Additional records are left out before the TC bit is set (RFC 2181 9).
func pack(a *dns.Msg, asked *dns.OPT, udp bool) []byte {
	limit := dns.MaxMsgSize
	if udp {
		limit = plainUDP
	}
	var opt *dns.OPT
	if asked != nil {
		opt = &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
		opt.SetUDPSize(maxUDPAnswer)
		opt.SetExtendedRcode(uint16(a.Rcode))
		if udp {
			limit = min(max(int(asked.UDPSize()), plainUDP), maxUDPAnswer)
		}
		a.Extra = append(a.Extra, opt)
	} else if a.Rcode > 0xf {
		return nil
	}
	a.Compress = true
	b, err := a.Pack()
	if err == nil && len(b) <= limit {
		return b
	}
	a.Extra = a.Extra[:0]
	if opt != nil {
		a.Extra = append(a.Extra, opt)
	}
	a.Truncate(limit)
	a.Compress = true
	if b, err = a.Pack(); err != nil || len(b) > limit {
		return nil
	}
	return b
}

// refusal answers a message that was not understood: its header with a response code.
func refusal(req []byte, code int) []byte {
	b := make([]byte, headerSize)
	copy(b, req[:4])
	b[2] = b[2]&0x79 | 0x80 // QR; opcode and RD as they came
	b[3] = byte(code)
	return b
}

// negative is the SOA record of an answer without records; its time to live is that of the absence (RFC 2308 3).
func (o *origin) negative() dns.RR {
	soa := *o.soa
	soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
	return &soa
}

// answer fills in an answer to its question (RFC 1034 4.3.2).
func (ix *index) answer(a *dns.Msg) {
	q := &a.Question[0]
	if q.Qclass != dns.ClassINET && q.Qclass != dns.ClassANY || q.Qtype == dns.TypeAXFR || q.Qtype == dns.TypeIXFR {
		a.Rcode = dns.RcodeRefused
		return
	}
	asked, name := q.Name, dns.CanonicalName(q.Name)
	for hop := 0; ; hop++ {
		o := ix.originOf(name)
		rrs, there := ix.records[name]
		if !there {
			switch {
			case o != nil:
				a.Authoritative, a.Rcode, a.Ns = true, dns.RcodeNameError, []dns.RR{o.negative()}
			case hop == 0:
				a.Rcode = dns.RcodeRefused
			}
			return
		}
		a.Authoritative = true
		var alias *dns.CNAME
		found := false
		for _, rr := range rrs {
			t := rr.Header().Rrtype
			if t == q.Qtype || q.Qtype == dns.TypeANY {
				a.Answer = append(a.Answer, owned(rr, asked))
				found = true
			} else if c, ok := rr.(*dns.CNAME); ok {
				alias = c
			}
		}
		if alias == nil {
			if found {
				ix.additional(a)
			} else if o != nil {
				a.Ns = []dns.RR{o.negative()}
			}
			return
		}
		a.Answer = append(a.Answer, owned(alias, asked))
		next := dns.CanonicalName(alias.Target)
		if hop == maxAliases || visited(a.Answer, next) {
			a.Rcode = dns.RcodeServerFailure
			return
		}
		asked, name = alias.Target, next
	}
}

// visited tells whether a chain of aliases has been at a name.
func visited(chain []dns.RR, name string) bool {
	for _, rr := range chain {
		if strings.EqualFold(rr.Header().Name, name) {
			return true
		}
	}
	return false
}

// owned is a record under the name as it was asked for: clients that vary the case of their questions expect it back.
func owned(rr dns.RR, name string) dns.RR {
	if rr.Header().Name == name {
		return rr
	}
	c := dns.Copy(rr)
	c.Header().Name = name
	return c
}

// additional adds the addresses of the targets of SRV and NS records (RFC 2782, RFC 1035 3.3.11).
func (ix *index) additional(a *dns.Msg) {
	var seen []string
next:
	for _, rr := range a.Answer {
		var target string
		switch rr := rr.(type) {
		case *dns.SRV:
			target = rr.Target
		case *dns.NS:
			target = rr.Ns
		default:
			continue
		}
		k := dns.CanonicalName(target)
		for _, s := range seen {
			if s == k {
				continue next
			}
		}
		seen = append(seen, k)
		for _, rr := range ix.records[k] {
			if t := rr.Header().Rrtype; t == dns.TypeA || t == dns.TypeAAAA {
				a.Extra = append(a.Extra, rr)
			}
		}
	}
}
