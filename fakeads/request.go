package fakeads

import (
	"errors"
	"fmt"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// Tags of protocol operations, RFC 4511 4.2 to 4.12.
const (
	opBindRequest      = tagApplication | constructed
	opBindResponse     = tagApplication | constructed | 1
	opUnbindRequest    = tagApplication | 2
	opSearchRequest    = tagApplication | constructed | 3
	opSearchEntry      = tagApplication | constructed | 4
	opSearchDone       = tagApplication | constructed | 5
	opModifyRequest    = tagApplication | constructed | 6
	opModifyResponse   = tagApplication | constructed | 7
	opAddRequest       = tagApplication | constructed | 8
	opAddResponse      = tagApplication | constructed | 9
	opDeleteRequest    = tagApplication | 10
	opDeleteResponse   = tagApplication | constructed | 11
	opModifyDNRequest  = tagApplication | constructed | 12
	opModifyDNResponse = tagApplication | constructed | 13
	opCompareRequest   = tagApplication | constructed | 14
	opCompareResponse  = tagApplication | constructed | 15
	opAbandonRequest   = tagApplication | 16
	opSearchReference  = tagApplication | constructed | 19
	opExtendedRequest  = tagApplication | constructed | 23
	opExtendedResponse = tagApplication | constructed | 24
)

const (
	// maxMessageID is maxInt of RFC 4511 4.1.1.
	maxMessageID = 1<<31 - 1
	// maxParts is how many values, attributes and changes one request may have:
	// an empty value of two octets becomes a slice of 24.
	maxParts = 200_000
	// maxControls is far above what any client sends.
	maxControls = 64
)

// errTooMany is a request with more parts than are taken.
var errTooMany = errors.New("the request has too many parts")

// request is a decoded LDAPMessage. Of the pointers the one that fits the kind
// is set. Values are slices of the message.
type request struct {
	id       int
	op       byte // tag of the operation
	kind     OperationKind
	controls []control

	bind     *bindRequest
	search   *searchRequest
	modify   *modifyRequest
	add      *directory.AddRequest
	modifyDN *modifyDNRequest
	compare  *compareRequest
	extended *extendedRequest
	dn       string // of delete
	abandon  int
}

type control struct {
	oid      string
	critical bool
	value    []byte // nil: none
}

// bindMethod is the choice of a bind's credentials.
type bindMethod int

// Choices of RFC 4511 4.2 and [MS-ADTS] 5.1.1.1.3. The numbers are the tags'.
const (
	bindSimple          bindMethod = 0
	bindSASL            bindMethod = 3
	bindSicilyDiscovery bindMethod = 9
	bindSicilyNegotiate bindMethod = 10
	bindSicilyResponse  bindMethod = 11
)

type bindRequest struct {
	version     int
	name        string
	method      bindMethod
	password    string // simple
	mechanism   string // SASL
	credentials []byte // SASL; nil: none
}

type searchRequest struct {
	base      string
	scope     int
	sizeLimit int
	timeLimit int // seconds
	typesOnly bool
	filter    *filter.Filter
	attrs     []string
}

type modifyRequest struct {
	dn      string
	changes []directory.Modification
}

type modifyDNRequest struct {
	dn, newRDN, newSuperior string
	deleteOld               bool
}

type compareRequest struct {
	dn, attr string
	value    []byte
}

type extendedRequest struct {
	oid   string
	value []byte
}

// operationOf tells the kind of a request from its tag, and the tag of the
// answer, 0 if there is none.
func operationOf(op byte) (kind OperationKind, answer byte, ok bool) {
	switch op {
	case opBindRequest:
		return KindBind, opBindResponse, true
	case opUnbindRequest:
		return KindUnbind, 0, true
	case opSearchRequest:
		return KindSearch, opSearchDone, true
	case opModifyRequest:
		return KindModify, opModifyResponse, true
	case opAddRequest:
		return KindAdd, opAddResponse, true
	case opDeleteRequest:
		return KindDelete, opDeleteResponse, true
	case opModifyDNRequest:
		return KindModifyDN, opModifyDNResponse, true
	case opCompareRequest:
		return KindCompare, opCompareResponse, true
	case opAbandonRequest:
		return KindAbandon, 0, true
	case opExtendedRequest:
		return KindExtended, opExtendedResponse, true
	}
	return "", 0, false
}

// decodeRequest reads one LDAPMessage, RFC 4511 4.1.1, which must fill msg. A
// request comes along with an error when id and operation could be read: it
// can be answered. Otherwise the session cannot go on (RFC 4511 5.3). Errors
// wrap errBER, errTooMany or what the filter package has.
func decodeRequest(msg []byte) (*request, error) {
	req := &request{}
	d := decoder{}
	err := d.request(req, msg)
	if req.id == 0 {
		return nil, err
	}
	return req, err
}

// operationTag is the tag of the operation in an LDAPMessage, 0 when there is none.
func operationTag(msg []byte) byte {
	outer := reader{b: msg}
	m := outer.in(tagSequence, "LDAPMessage")
	m.element(tagInteger, "message ID")
	return m.peek()
}

// decoder counts the parts of a request.
type decoder struct {
	parts int
	memo  *memo // nil: everything is made anew
}

// memo is what the next search of the same session may have in common with the last one: what is
// the same again is not made again.
type memo struct {
	base   string
	attrs  []string
	filter filter.Decoder
	search searchRequest
}

// Limits of what is remembered for a session, in octets and attributes.
const (
	maxMemoBase  = 512
	maxMemoAttrs = 32
)

// request reads a message as decodeRequest does. The ID is 0 when the session cannot go on. With
// a memo, what the request holds is valid until the next one is read.
func (d *decoder) request(req *request, msg []byte) error {
	*req = request{controls: req.controls[:0]}
	d.parts = 0
	outer := reader{b: msg}
	m := outer.in(tagSequence, "LDAPMessage")
	if outer.more() {
		outer.fail("octets after the LDAPMessage")
	}
	id := m.number(tagInteger, maxMessageID, "message ID")
	req.op = m.peek()
	_, content, _ := m.any()
	if outer.err != nil {
		return outer.err
	}
	if m.err != nil {
		return m.err
	}
	var known bool
	if req.kind, _, known = operationOf(req.op); !known {
		return fmt.Errorf("%w: no request has tag 0x%02x", errBER, req.op)
	}
	if id == 0 {
		return fmt.Errorf("%w: message ID 0", errBER)
	}
	req.id = id
	err := d.operation(req, content)
	if err == nil && m.more() {
		err = d.controls(req, &m)
	}
	return err
}

func (d *decoder) count(r *reader) bool {
	if d.parts++; d.parts > maxParts && r.err == nil {
		r.err, r.b = fmt.Errorf("%w: more than %d", errTooMany, maxParts), nil
	}
	return r.err == nil
}

func (d *decoder) operation(req *request, content []byte) error {
	r := reader{b: content}
	switch req.kind {
	case KindBind:
		req.bind = decodeBind(&r)
	case KindSearch:
		return d.searchRequest(req, &r)
	case KindModify:
		req.modify = d.modify(&r)
	case KindAdd:
		req.add = &directory.AddRequest{DN: r.text("entry")}
		req.add.Attributes = d.attributes(&r)
	case KindModifyDN:
		req.modifyDN = &modifyDNRequest{dn: r.text("entry"), newRDN: r.text("newrdn"), deleteOld: r.boolean("deleteoldrdn")}
		if r.more() {
			req.modifyDN.newSuperior = string(r.element(tagContext, "newSuperior"))
		}
	case KindCompare:
		req.compare = &compareRequest{dn: r.text("entry")}
		a := r.in(tagSequence, "assertion")
		req.compare.attr, req.compare.value = a.text("attributeDesc"), a.octets("assertionValue")
		r.close(&a, "assertion")
	case KindExtended:
		req.extended = &extendedRequest{oid: string(r.element(tagContext, "requestName"))}
		if r.more() {
			req.extended.value = r.element(tagContext|1, "requestValue")
		}
	case KindDelete:
		req.dn = string(content)
		return nil
	case KindAbandon:
		req.abandon = r.value(content, maxMessageID, "message ID")
		return r.err
	case KindUnbind:
		return nil // whatever it holds, the session is over
	}
	if r.more() {
		r.fail("octets after the end of the %s request", req.kind)
	}
	return r.err
}

func decodeBind(r *reader) *bindRequest {
	b := &bindRequest{version: r.number(tagInteger, 127, "version"), name: r.text("name")}
	tag, content, _ := r.any()
	b.method = bindMethod(tag & 0x1f)
	if r.err == nil && tag&0xc0 != tagContext {
		r.fail("authentication choice with tag 0x%02x", tag)
	}
	switch b.method {
	case bindSimple:
		b.password = string(content)
	case bindSASL:
		s := reader{b: content}
		b.mechanism = s.text("mechanism")
		if s.more() {
			b.credentials = s.octets("credentials")
		}
		r.close(&s, "SASL credentials")
	case bindSicilyDiscovery, bindSicilyNegotiate, bindSicilyResponse:
		b.credentials = content
	default:
		r.fail("authentication choice with tag 0x%02x", tag)
	}
	return b
}

func (d *decoder) searchRequest(req *request, r *reader) error {
	var s *searchRequest
	var last memo // what may be the same
	if d.memo != nil {
		s, last.base, last.attrs = &d.memo.search, d.memo.base, d.memo.attrs
		*s = searchRequest{}
	} else {
		s = &searchRequest{}
	}
	if base := r.octets("baseObject"); string(base) == last.base {
		s.base = last.base
	} else {
		s.base = string(base)
	}
	s.scope = r.number(tagEnumerated, directory.Subtree, "scope")
	r.number(tagEnumerated, 3, "derefAliases") // Active Directory has no aliases
	s.sizeLimit = r.number(tagInteger, maxMessageID, "sizeLimit")
	s.timeLimit = r.number(tagInteger, maxMessageID, "timeLimit")
	s.typesOnly = r.boolean("typesOnly")
	_, _, whole := r.any()
	list := r.in(tagSequence, "attributes")
	for list.more() && d.count(&list) {
		name, n := list.octets("attribute selector"), len(s.attrs)
		if n < len(last.attrs) && last.attrs[n] == string(name) {
			s.attrs = last.attrs[: n+1 : n+1]
		} else {
			s.attrs, last.attrs = append(s.attrs, string(name)), nil
		}
	}
	r.close(&list, "attributes")
	if r.err != nil {
		return r.err
	}
	if d.memo != nil && len(s.base) <= maxMemoBase && len(s.attrs) <= maxMemoAttrs {
		d.memo.base, d.memo.attrs = s.base, s.attrs
	}
	if r.more() {
		r.fail("octets after the end of the search request")
		return r.err
	}
	req.search = s
	var err error
	if d.memo != nil {
		s.filter, err = d.memo.filter.FromBER(whole)
	} else {
		s.filter, err = filter.FromBER(whole)
	}
	return err
}

func (d *decoder) modify(r *reader) *modifyRequest {
	m := &modifyRequest{dn: r.text("object")}
	list := r.in(tagSequence, "changes")
	for list.more() && d.count(&list) {
		c := list.in(tagSequence, "change")
		change := directory.Modification{Op: c.number(tagEnumerated, directory.ModReplace, "operation")}
		a := c.in(tagSequence, "modification")
		change.Attribute = d.attribute(&a)
		c.close(&a, "modification")
		list.close(&c, "change")
		m.changes = append(m.changes, change)
	}
	r.close(&list, "changes")
	return m
}

func (d *decoder) attributes(r *reader) []directory.Attribute {
	var attrs []directory.Attribute
	list := r.in(tagSequence, "attributes")
	for list.more() && d.count(&list) {
		a := list.in(tagSequence, "attribute")
		attrs = append(attrs, d.attribute(&a))
		list.close(&a, "attribute")
	}
	r.close(&list, "attributes")
	return attrs
}

func (d *decoder) attribute(r *reader) directory.Attribute {
	a := directory.Attribute{Name: r.text("type")}
	vals := r.in(tagSet, "vals")
	for vals.more() && d.count(&vals) {
		a.Values = append(a.Values, vals.octets("value"))
	}
	r.close(&vals, "vals")
	return a
}

func (d *decoder) controls(req *request, m *reader) error {
	list := m.in(tagContext|constructed, "controls")
	for list.more() {
		if len(req.controls) == maxControls {
			return fmt.Errorf("%w: more than %d controls", errTooMany, maxControls)
		}
		c := list.in(tagSequence, "control")
		ctl := control{oid: c.text("controlType")}
		if c.peek() == tagBoolean {
			ctl.critical = c.boolean("criticality")
		}
		if c.more() {
			ctl.value = c.octets("controlValue")
		}
		list.close(&c, "control")
		req.controls = append(req.controls, ctl)
	}
	m.close(&list, "controls")
	if m.err == nil && m.more() {
		m.fail("octets after the controls")
	}
	return m.err
}
