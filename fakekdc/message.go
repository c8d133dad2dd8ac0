package fakekdc

import (
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Message types, which are also the application tags, RFC 4120 5.10.
const (
	msgTicket   = 1
	msgEncPart  = 3 // EncTicketPart
	msgASReq    = 10
	msgASRep    = 11
	msgTGSReq   = 12
	msgTGSRep   = 13
	msgAPReq    = 14
	msgAPRep    = 15
	msgPriv     = 21
	msgEncAS    = 25
	msgEncTGS   = 26
	msgEncAPRep = 27
	msgEncPriv  = 28
	msgError    = 30
)

// Pre-authentication data types, RFC 4120 7.5.2, RFC 6113, [MS-KILE] 2.2 and [MS-SFU] 2.2.
const (
	paTGSReq          = 1
	paEncTimestamp    = 2
	paETypeInfo       = 11
	paPKASRepOld      = 15
	paPKASReq         = 16
	paETypeInfo2      = 19
	paPACRequest      = 128
	paForUser         = 129
	paFXFast          = 136
	paReqEncPARep     = 149
	paSupportedETypes = 165
	paPACOptions      = 167
)

// Key usages, RFC 4120 7.5.1, RFC 6806 11 and [MS-SFU] 2.2.1.
const (
	usageTimestamp      = 1
	usageTicket         = 2
	usageASRep          = 3
	usageTGSAuthSession = 4
	usageTGSAuthSubkey  = 5
	usageTGSChecksum    = 6
	usageTGSAuth        = 7
	usageTGSRepSession  = 8
	usageTGSRepSubkey   = 9
	usageAPAuth         = 11
	usageAPRep          = 12
	usagePriv           = 13
	usageForUser        = 17
	usageReqEncPARep    = 56
)

// Options of a request (KDCOptions, RFC 4120 5.4.1, [MS-SFU] 2.2.3); ticket flags of the same name have the same bit.
const (
	optForwardable   = 1 << 30
	optForwarded     = 1 << 29
	optProxiable     = 1 << 28
	optProxy         = 1 << 27
	optRenewable     = 1 << 23
	optCNameInTicket = 1 << 17
	optCanonicalize  = 1 << 16
	optEncTktInSkey  = 1 << 3
	optRenew         = 1 << 1
	optValidate      = 1 << 0
)

// Ticket flags, RFC 4120 5.3 and RFC 6806 11.
const (
	flagForwardable  = 1 << 30
	flagForwarded    = 1 << 29
	flagProxiable    = 1 << 28
	flagProxy        = 1 << 27
	flagInvalid      = 1 << 24
	flagRenewable    = 1 << 23
	flagInitial      = 1 << 22
	flagPreAuthent   = 1 << 21
	flagOKAsDelegate = 1 << 18
	flagEncPARep     = 1 << 16
)

// Limits on requests.
const (
	// MaxRequest is the longest request that is looked at, in octets. Tickets with a PAC of a user in very many groups reach
	// 64 KiB; Windows limits a token to 48,000 octets.
	MaxRequest  = 1 << 17
	maxPAData   = 64
	maxETypes   = 64
	maxTickets  = 4
	maxAuthData = 64
)

// paData is a PA-DATA.
type paData struct {
	kind  int32
	value []byte
}

// encrypted is an EncryptedData, RFC 4120 5.2.9.
type encrypted struct {
	etype   int32
	kvno    int64
	hasKvno bool
	cipher  []byte
}

// ticket is a Ticket, RFC 4120 5.3.
type ticket struct {
	realm string
	sname Name
	enc   encrypted
}

// request is a KDC-REQ, RFC 4120 5.4.1. Its slices point into the received octets.
type request struct {
	kind    int // msgASReq or msgTGSReq
	padata  []paData
	body    []byte // the encoded KDC-REQ-BODY, over which checksums go
	whole   []byte
	options uint32
	cname   Name
	realm   string
	sname   Name
	till    time.Time
	rtime   time.Time
	nonce   int64
	etypes  []int32
	tickets []ticket
}

func (q *request) pa(kind int32) ([]byte, bool) {
	for _, p := range q.padata {
		if p.kind == kind {
			return p.value, true
		}
	}
	return nil, false
}

// exchange is the kind of exchange that the request begins.
func (q *request) exchange() Kind {
	if q.kind == msgASReq {
		return KindAS
	}
	return KindTGS
}

func (q *request) option(o uint32) bool { return q.options&o != 0 }

// parseRequest reads an AS-REQ or TGS-REQ.
func parseRequest(b []byte) (*request, error) {
	if len(b) > MaxRequest {
		return nil, errTooLong
	}
	q := &request{whole: b}
	switch {
	case len(b) == 0:
	case b[0] == tagApplication+msgASReq:
		q.kind = msgASReq
	case b[0] == tagApplication+msgTGSReq:
		q.kind = msgTGSReq
	}
	if q.kind == 0 {
		return nil, errNotRequest
	}
	r := sequence(b, b[0])
	if v := r.integer(1); r.err == nil && v != 5 {
		return q, errVersion
	}
	if v := r.integer(2); r.err == nil && v != int64(q.kind) {
		r.fail("message type")
	}
	if r.next(tagContext + 3) {
		list := r.inner(3)
		q.padata = list.paList()
		r.adopt(list)
	}
	content := r.want(tagContext + 4)
	if r.err == nil && len(r.b) > 0 {
		r.fail("octets after the request body")
	}
	if r.err == nil {
		q.body = content
		q.parseBody(r)
	}
	return q, r.err
}

func (r *reader) paList() []paData {
	var list []paData
	for r.err == nil && len(r.b) > 0 {
		if len(list) == maxPAData {
			r.fail("too much pre-authentication data")
			break
		}
		s := &reader{b: r.want(tagSequence), err: r.err}
		p := paData{kind: int32(s.integer(1))}
		p.value = s.octets(2)
		r.adopt(s)
		list = append(list, p)
	}
	return list
}

func (q *request) parseBody(outer *reader) {
	r := sequence(q.body)
	q.options = r.flags(0)
	if r.next(tagContext + 1) {
		q.cname = r.name(1)
	}
	q.realm = r.text(2)
	if r.err == nil && len(q.realm) > maxNameText {
		r.fail("realm is too long")
	}
	if r.next(tagContext + 3) {
		q.sname = r.name(3)
	}
	if r.next(tagContext + 4) {
		r.time(4) // from: postdated tickets are not modelled, and AD does not issue them
	}
	q.till = r.time(5)
	if r.next(tagContext + 6) {
		q.rtime = r.time(6)
	}
	q.nonce = r.integer(7)
	list := r.inner(8)
	for list.err == nil && len(list.b) > 0 {
		if len(q.etypes) == maxETypes {
			list.fail("too many encryption types")
			break
		}
		v := list.want(tagInteger)
		if len(v) == 0 || len(v) > 4 {
			list.fail("encryption type")
			break
		}
		q.etypes = append(q.etypes, int32(intOf(v)))
	}
	r.adopt(list)
	for _, skipped := range []byte{9, 10} { // addresses, enc-authorization-data
		if r.next(tagContext + skipped) {
			r.want(tagContext + skipped)
		}
	}
	if r.next(tagContext + 11) {
		list := r.inner(11)
		for list.err == nil && len(list.b) > 0 {
			if len(q.tickets) == maxTickets {
				list.fail("too many additional tickets")
				break
			}
			q.tickets = append(q.tickets, list.ticket())
		}
		r.adopt(list)
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("octets after the end of the request body")
	}
	outer.adopt(r)
}

// ticket reads a Ticket that stands next.
func (r *reader) ticket() ticket {
	s := &reader{b: r.want(tagApplication + msgTicket), err: r.err}
	s.b = s.want(tagSequence)
	var t ticket
	if v := s.integer(0); s.err == nil && v != 5 {
		s.fail("ticket version")
	}
	t.realm = s.text(1)
	t.sname = s.name(2)
	t.enc = s.encrypted(3)
	r.adopt(s)
	return t
}

func (r *reader) encrypted(n byte) encrypted {
	s := r.inner(n)
	e := s.encryptedFields()
	r.adopt(s)
	return e
}

func (s *reader) encryptedFields() encrypted {
	e := encrypted{etype: int32(s.integer(0))}
	if s.next(tagContext + 1) {
		e.kvno, e.hasKvno = s.integer(1), true
	}
	e.cipher = s.octets(2)
	return e
}

func (w *writer) encrypted(n byte, e encrypted) {
	m := w.mark()
	w.octets(2, e.cipher)
	if e.hasKvno {
		w.integer(1, e.kvno)
	}
	w.integer(0, int64(e.etype))
	w.wrap2(n, tagSequence, m)
}

func (w *writer) ticket(n byte, t ticket) {
	m := w.mark()
	w.encrypted(3, t.enc)
	w.name(2, t.sname)
	w.text(1, t.realm)
	w.integer(0, 5)
	w.wrap(tagSequence, m)
	w.wrap(tagApplication+msgTicket, m)
	w.wrap(tagContext+n, m)
}

func (w *writer) key(n byte, k *krbcrypt.Key) {
	m := w.mark()
	w.octets(1, k.Value)
	w.integer(0, int64(k.EType))
	w.wrap2(n, tagSequence, m)
}

func (r *reader) key(n byte) (etype int32, value []byte) {
	s := r.inner(n)
	etype = int32(s.integer(0))
	value = s.octets(1)
	r.adopt(s)
	return etype, value
}

func (w *writer) paList(list []paData) {
	for i := len(list) - 1; i >= 0; i-- {
		m := w.mark()
		w.octets(2, list[i].value)
		w.integer(1, int64(list[i].kind))
		w.wrap(tagSequence, m)
	}
}

// apReq is an AP-REQ, RFC 4120 5.5.1.
type apReq struct {
	ticket        ticket
	authenticator encrypted
}

func parseAPReq(b []byte) (apReq, error) {
	r := sequence(b, tagApplication+msgAPReq)
	if v := r.integer(0); r.err == nil && v != 5 {
		r.fail("AP-REQ version")
	}
	if v := r.integer(1); r.err == nil && v != msgAPReq {
		r.fail("AP-REQ message type")
	}
	r.flags(2)
	var a apReq
	c := &reader{b: r.want(tagContext + 3), err: r.err}
	a.ticket = c.ticket()
	r.adopt(c)
	a.authenticator = r.encrypted(4)
	return a, r.err
}

// authenticator is an Authenticator, RFC 4120 5.5.1.
type authenticator struct {
	crealm   string
	cname    Name
	cksum    []byte
	ctype    int32
	hasCksum bool
	cusec    int64
	ctime    time.Time
	subkey   *krbcrypt.Key
	seq      int64
	hasSeq   bool
}

func parseAuthenticator(b []byte) (*authenticator, error) {
	r := sequence(b, tagApplication+2)
	if v := r.integer(0); r.err == nil && v != 5 {
		r.fail("authenticator version")
	}
	a := &authenticator{crealm: r.text(1), cname: r.name(2)}
	if r.next(tagContext + 3) {
		s := r.inner(3)
		a.ctype, a.cksum, a.hasCksum = int32(s.integer(0)), s.octets(1), true
		r.adopt(s)
	}
	a.cusec = r.integer(4)
	a.ctime = r.time(5)
	if r.next(tagContext + 6) {
		etype, value := r.key(6)
		if r.err == nil {
			k, err := krbcrypt.NewKey(etype, value)
			if err != nil {
				return nil, err
			}
			a.subkey = k
		}
	}
	if r.next(tagContext + 7) {
		a.seq, a.hasSeq = r.integer(7), true
	}
	return a, r.err
}
