package ldapclient

import (
	"bytes"
	"fmt"
)

// Limits on what a server may send.
const (
	// MaxMessage is the longest message, in octets: above anything that MaxReceiveBuffer of Active Directory lets in.
	MaxMessage = 16 << 20
	// MaxEntries is how many entries a search gathers, over all pages.
	MaxEntries = 1 << 20
	// maxValues is how many values, attributes or URLs one list in a message has.
	maxValues = 1 << 17
)

// Attribute is a named list of values.
type Attribute struct {
	Name   string
	Values [][]byte
}

// Entry is an object as a search returns it.
type Entry struct {
	DN         string
	Attributes []Attribute
}

// A Control changes an operation or says more about its answer (RFC 4511 4.1.11).
type Control struct {
	OID      string
	Critical bool
	Value    []byte // nil: none
}

// result is an LDAPResult with what some answers add to it.
type result struct {
	code       int
	matchedDN  string
	diagnostic string
	referrals  []string
	creds      []byte // serverSaslCreds, nil: none
	name       string // responseName
	data       []byte // responseValue, nil: none
}

// err is nil for success.
func (r *result) err() error {
	if r.code == ResultSuccess {
		return nil
	}
	return &Error{Result: r.code, Diagnostic: r.diagnostic, MatchedDN: r.matchedDN, Referrals: r.referrals}
}

// message is a decoded LDAPMessage of a server. Its slices are parts of the message's octets.
type message struct {
	id       int
	op       byte
	result   *result // of every answer but entry, reference and intermediate
	entry    *Entry
	controls []Control
}

// decodeMessage reads one LDAPMessage, which must fill b. Elements that later versions may add are passed over (RFC 4511 4).
func decodeMessage(b []byte) (*message, error) {
	outer := reader{b: b}
	seq := outer.in(tagSequence)
	if outer.more() {
		return nil, fmt.Errorf("%w: octets after the message", ErrProtocol)
	}
	m := &message{id: seq.number(tagInteger)}
	op, content := seq.next()
	m.op = op
	body := &reader{b: content, err: seq.err}
	switch op {
	case opSearchEntry:
		m.entry = body.entry()
	case opSearchReference, opIntermediate:
		// A reference has URLs of other servers, which this client does not ask.
	case opBindResponse, opSearchDone, opModifyResponse, opAddResponse, opDeleteResponse, opModDNResponse, opCompareResponse, opExtended:
		m.result = body.result(op)
	default:
		body.fail("operation %#02x is none of a server's", op)
	}
	seq.adopt(body)
	if seq.peek() == tagControls {
		list := seq.in(tagControls)
		for list.more() && len(m.controls) < maxValues {
			m.controls = append(m.controls, list.control())
		}
		seq.adopt(list)
	}
	if seq.err != nil {
		return nil, seq.err
	}
	return m, nil
}

func (r *reader) entry() *Entry {
	e := &Entry{DN: r.text()}
	list := r.in(tagSequence)
	for list.more() {
		if len(e.Attributes) == maxValues {
			list.fail("more than %d attributes", maxValues)
			break
		}
		a := list.in(tagSequence)
		attribute := Attribute{Name: a.text()}
		values := a.in(tagSet)
		for values.more() {
			if len(attribute.Values) == maxValues {
				values.fail("more than %d values", maxValues)
				break
			}
			attribute.Values = append(attribute.Values, values.want(tagOctetString))
		}
		a.adopt(values)
		list.adopt(a)
		e.Attributes = append(e.Attributes, attribute)
	}
	r.adopt(list)
	return e
}

func (r *reader) result(op byte) *result {
	res := &result{code: r.number(tagEnumerated), matchedDN: r.text(), diagnostic: r.text()}
	for r.more() {
		switch tag, content := r.next(); {
		case tag == tagReferral:
			list := reader{b: content}
			for list.more() && len(res.referrals) < maxValues {
				res.referrals = append(res.referrals, list.text())
			}
			r.adopt(&list)
		case tag == tagSASLCreds && op == opBindResponse:
			res.creds = bytes.Clone(content)
			if res.creds == nil {
				res.creds = []byte{} // there, and empty
			}
		case tag == tagAnswerName && op == opExtended:
			res.name = string(content)
		case tag == tagAnswerData && op == opExtended:
			res.data = content
		}
	}
	return res
}

func (r *reader) control() Control {
	seq := r.in(tagSequence)
	c := Control{OID: seq.text()}
	if seq.peek() == tagBoolean {
		v := seq.want(tagBoolean)
		c.Critical = len(v) == 1 && v[0] != 0
	}
	if seq.peek() == tagOctetString {
		c.Value = seq.want(tagOctetString)
	}
	r.adopt(seq)
	return c
}

// encodeControls is the controls field of a message; nil for none.
func encodeControls(controls []Control) []byte {
	if len(controls) == 0 {
		return nil
	}
	var list [][]byte
	for _, c := range controls {
		parts := [][]byte{text(c.OID)}
		if c.Critical {
			parts = append(parts, boolean(true))
		}
		if c.Value != nil {
			parts = append(parts, element(tagOctetString, c.Value))
		}
		list = append(list, element(tagSequence, parts...))
	}
	return element(tagControls, list...)
}
