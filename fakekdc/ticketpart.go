package fakekdc

import (
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// Authorization data types, RFC 4120 5.2.6 and [MS-KILE] 2.2.9.
const (
	adIfRelevant = 1
	adWin2kPAC   = 128
)

// transitedX500 is DOMAIN-X500-COMPRESS, RFC 4120 3.3.3.2; Active Directory writes it with empty contents inside a realm.
const transitedX500 = 1

// ticketPart is an EncTicketPart, RFC 4120 5.3. It is not changed once made, and may be shared.
type ticketPart struct {
	flags     uint32
	session   *krbcrypt.Key
	crealm    string
	cname     Name
	transited string
	auth      time.Time
	start     time.Time // authtime when the ticket has none
	end       time.Time
	renew     time.Time // zero: not renewable
	pac       *pac.PAC  // nil: none

	// fields are the encoded fields before the authorization data.
	fields []byte
}

func (t *ticketPart) has(flag uint32) bool { return t.flags&flag != 0 }

// parseTicketPart reads what was in a ticket. The result keeps b.
func parseTicketPart(b []byte) (*ticketPart, error) {
	r := sequence(b, tagApplication+msgEncPart)
	all := r.b
	t := &ticketPart{flags: r.flags(0)}
	etype, value := r.key(1)
	t.crealm = r.text(2)
	t.cname = r.name(3)
	transited := r.inner(4)
	transited.integer(0)
	t.transited = string(transited.octets(1))
	r.adopt(transited)
	t.auth = r.time(5)
	t.start = t.auth
	if r.next(tagContext + 6) {
		t.start = r.time(6)
	}
	t.end = r.time(7)
	if r.next(tagContext + 8) {
		t.renew = r.time(8)
	}
	if r.next(tagContext + 9) {
		r.want(tagContext + 9) // addresses are not modelled
	}
	if r.err != nil {
		return nil, r.err
	}
	t.fields = all[:len(all)-len(r.b)]
	if r.next(tagContext + 10) {
		list := r.inner(10)
		encoded := list.findPAC(true)
		r.adopt(list)
		if r.err == nil && encoded != nil {
			p, err := pac.Parse(encoded)
			if err != nil {
				return nil, err
			}
			t.pac = p
		}
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("octets after the end of a ticket")
	}
	if r.err != nil {
		return nil, r.err
	}
	session, err := krbcrypt.NewKey(etype, value)
	if err != nil {
		return nil, fmt.Errorf("session key: %w", err)
	}
	t.session = session
	return t, nil
}

// findPAC looks for the PAC among AuthorizationData, in AD-IF-RELEVANT.
func (r *reader) findPAC(outer bool) []byte {
	var found []byte
	for n := 0; r.err == nil && len(r.b) > 0; n++ {
		if n == maxAuthData {
			r.fail("too much authorization data")
			break
		}
		s := &reader{b: r.want(tagSequence), err: r.err}
		kind, value := s.integer(0), s.octets(1)
		r.adopt(s)
		switch {
		case r.err != nil || found != nil:
		case outer && kind == adIfRelevant:
			inner := sequence(value)
			found = inner.findPAC(false)
			r.adopt(inner)
		case !outer && kind == adWin2kPAC:
			found = value
		}
	}
	return found
}

// encodeFields is the part of an EncTicketPart before its authorization data.
func (t *ticketPart) encodeFields() []byte {
	w := newWriter(256)
	if !t.renew.IsZero() {
		w.time(8, t.renew)
	}
	w.time(7, t.end)
	w.time(6, t.start)
	w.time(5, t.auth)
	m := w.mark()
	w.octets(1, []byte(t.transited))
	w.integer(0, transitedX500)
	w.wrap2(4, tagSequence, m)
	w.name(3, t.cname)
	w.text(2, t.crealm)
	w.key(1, t.session)
	w.flags(0, t.flags)
	return w.bytes()
}

// whole is the EncTicketPart of encoded fields with a PAC; nil: without authorization data.
func wholeTicketPart(fields, pac []byte) []byte {
	w := newWriter(len(fields) + len(pac) + 64)
	if pac != nil {
		w.octets(1, pac)
		w.integer(0, adWin2kPAC)
		w.wrap(tagSequence, 0)
		w.wrap(tagSequence, 0)
		w.wrap2(1, tagOctets, 0)
		w.integer(0, adIfRelevant)
		w.wrap(tagSequence, 0)
		w.wrap2(10, tagSequence, 0)
	}
	w.raw(fields)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+msgEncPart, 0)
	return w.bytes()
}

// placeholder stands for the PAC in what the ticket signature is over, [MS-PAC] 2.8.3.
var placeholder = []byte{0}
