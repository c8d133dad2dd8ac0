package gss

import (
	"bytes"
	"fmt"
)

// States of a negotiation, RFC 4178 4.2.2.
const (
	acceptCompleted  = 0
	acceptIncomplete = 1
	rejected         = 2
	requestMIC       = 3
	noState          = -1 // the field is optional
)

// maxMechanisms is far above what any client offers.
const maxMechanisms = 32

// negHint is what Windows puts into the hints of its first token ([MS-SPNG] 2.2.1).
const negHint = "not_defined_in_RFC4178@please_ignore"

// negTokenInit is the initiator's first token, RFC 4178 4.2.1.
type negTokenInit struct {
	mechanisms [][]byte // contents of OIDs
	list       []byte   // the DER of MechTypeList, which a MIC protects
	token      []byte
	hints      bool // only encoded
}

func encodeMechanisms(mechanisms [][]byte) []byte {
	var list []byte
	for _, oid := range mechanisms {
		list = append(list, tlv(tagOID, oid)...)
	}
	return sequence(list)
}

func (n *negTokenInit) encode() []byte {
	n.list = encodeMechanisms(n.mechanisms)
	parts := [][]byte{explicit(0, n.list)}
	if n.token != nil {
		parts = append(parts, octetString(2, n.token))
	}
	if n.hints {
		parts = append(parts, explicit(3, sequence(explicit(0, tlv(tagGeneralString, []byte(negHint))))))
	}
	return tlv(application, tlv(tagOID, oidSPNEGO), nest([]byte{contextTag, tagSequence}, parts...))
}

// negTokenResp is every later token, RFC 4178 4.2.2.
type negTokenResp struct {
	state     int
	mechanism []byte
	token     []byte
	mic       []byte
}

func (n *negTokenResp) encode() []byte {
	var parts [][]byte
	if n.state != noState {
		parts = append(parts, explicit(0, tlv(tagEnumerated, []byte{byte(n.state)})))
	}
	if n.mechanism != nil {
		parts = append(parts, explicit(1, tlv(tagOID, n.mechanism)))
	}
	if n.token != nil {
		parts = append(parts, octetString(2, n.token))
	}
	if n.mic != nil {
		parts = append(parts, octetString(3, n.mic))
	}
	return nest([]byte{contextTag + 1, tagSequence}, parts...)
}

// decodeNegToken reads either kind of token; the first may have the header of
// RFC 2743.
func decodeNegToken(b []byte) (*negTokenInit, *negTokenResp, error) {
	if len(b) > 0 && b[0] == application {
		oid, inner, err := unframe(b)
		if err != nil {
			return nil, nil, err
		}
		if !bytes.Equal(oid, oidSPNEGO) {
			return nil, nil, fmt.Errorf("%w: mechanism % x is not SPNEGO", ErrMechanism, oid)
		}
		b = inner
	}
	d := der{b: b}
	if d.peek() == contextTag+1 {
		resp, err := decodeNegTokenResp(&d)
		return nil, resp, err
	}
	init, err := decodeNegTokenInit(&d)
	return init, nil, err
}

func decodeNegTokenInit(d *der) (*negTokenInit, error) {
	var n negTokenInit
	c := d.in(contextTag + 0)
	s := c.in(tagSequence)
	f := s.in(contextTag + 0)
	n.list = f.raw(tagSequence)
	s.close(f)
	list := der{b: n.list}
	oids := list.in(tagSequence)
	for len(oids.b) > 0 {
		if len(n.mechanisms) == maxMechanisms {
			oids.fail("more than %d mechanisms", maxMechanisms)
			break
		}
		n.mechanisms = append(n.mechanisms, oids.element(tagOID))
	}
	s.close(oids)
	s.optional(contextTag + 1) // reqFlags: not protected, to be ignored
	if f, ok := s.optional(contextTag + 2); ok {
		n.token = f.element(tagOctetString)
		s.close(f)
	}
	c.close(s)
	d.close(c)
	if d.err != nil {
		return nil, fmt.Errorf("NegTokenInit: %w", d.err)
	}
	return &n, nil
}

func decodeNegTokenResp(d *der) (*negTokenResp, error) {
	n := negTokenResp{state: noState}
	c := d.in(contextTag + 1)
	s := c.in(tagSequence)
	if f, ok := s.optional(contextTag + 0); ok {
		v := f.number(tagEnumerated)
		if f.err == nil && (v < acceptCompleted || v > requestMIC) {
			f.fail("state %d", v)
		}
		n.state = int(v)
		s.close(f)
	}
	if f, ok := s.optional(contextTag + 1); ok {
		n.mechanism = f.element(tagOID)
		s.close(f)
	}
	if f, ok := s.optional(contextTag + 2); ok {
		n.token = f.element(tagOctetString)
		s.close(f)
	}
	if f, ok := s.optional(contextTag + 3); ok {
		n.mic = f.element(tagOctetString)
		s.close(f)
	}
	c.close(s)
	d.close(c)
	if d.err != nil {
		return nil, fmt.Errorf("NegTokenResp: %w", d.err)
	}
	return &n, nil
}
