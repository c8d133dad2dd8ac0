package gss

import (
	"fmt"
	"time"
)

// Kerberos messages of the AP exchange, RFC 4120 5.3, 5.5 and 5.9.

// Message types, RFC 4120 7.5.7; they are the APPLICATION tags as well.
const (
	typeTicket        = 1
	typeAuthenticator = 2
	typeEncTicketPart = 3
	typeAPReq         = 14
	typeAPRep         = 15
	typeEncAPRepPart  = 27
	typeKRBError      = 30
)

const protocolVersion = 5

// Key usages, RFC 4120 7.5.1.
const (
	usageTicket        = 2
	usageAuthenticator = 11
	usageEncAPRepPart  = 12
)

// Bits of the ap-options, RFC 4120 5.5.1, and of the ticket flags, 5.3.
const (
	optionUseSessionKey  uint32 = 1 << (31 - 1)
	optionMutualRequired uint32 = 1 << (31 - 2)
	ticketInvalid        uint32 = 1 << (31 - 7)
)

// Authorization data types, RFC 4120 7.5.4 and [MS-KILE] 3.1.1.4.
const (
	adIfRelevant = 1
	adWin2kPAC   = 128
	adAPOptions  = 143
)

// apOptionsCBT is KERB_AP_OPTIONS_CBT, [MS-KILE] 3.2.5.8: the client knows
// channel bindings.
const apOptionsCBT uint32 = 0x4000

// Error codes, RFC 4120 7.5.9.
const (
	errTicketExpired    int32 = 32
	errTicketNotYet     int32 = 33
	errRepeat           int32 = 34
	errBadMatch         int32 = 36
	errSkew             int32 = 37
	errBadVersion       int32 = 39
	errMessageType      int32 = 40
	errModified         int32 = 41
	errNoKey            int32 = 45
	errMutualFailed     int32 = 46
	errInappropriateSum int32 = 50
	errNoTGT            int32 = 67
)

func kerberosError(code int32, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// apReq is a KRB_AP_REQ with its ticket.
type apReq struct {
	options       uint32
	server        Principal
	ticket        encrypted
	authenticator encrypted
}

func decodeAPReq(b []byte) (*apReq, error) {
	d := der{b: b}
	a := d.in(application | typeAPReq)
	s := a.in(tagSequence)
	var r apReq
	if err := versionAndType(&s, 0, typeAPReq); err != nil {
		return nil, err
	}
	f := s.in(contextTag + 2)
	r.options = f.flags()
	s.close(f)
	f = s.in(contextTag + 3)
	r.server, r.ticket = f.ticket()
	s.close(f)
	f = s.in(contextTag + 4)
	r.authenticator = f.encrypted()
	s.close(f)
	a.close(s)
	d.close(a)
	if d.err != nil {
		return nil, fmt.Errorf("AP-REQ: %w", d.err)
	}
	return &r, nil
}

// ticket takes a Ticket, RFC 4120 5.3.
func (d *der) ticket() (server Principal, e encrypted) {
	a := d.in(application | typeTicket)
	s := a.in(tagSequence)
	f := s.in(contextTag + 0)
	if v := f.integer(); f.err == nil && v != protocolVersion {
		f.fail("ticket version %d", v)
	}
	s.close(f)
	f = s.in(contextTag + 1)
	realm := f.text()
	s.close(f)
	f = s.in(contextTag + 2)
	server = f.principal()
	server.Realm = realm
	s.close(f)
	f = s.in(contextTag + 3)
	e = f.encrypted()
	s.close(f)
	a.close(s)
	d.close(a)
	return server, e
}

// versionAndType checks the pvno and msg-type fields that start a message at
// the context tag first.
func versionAndType(s *der, first byte, want int64) error {
	f := s.in(contextTag + first)
	version := f.integer()
	s.close(f)
	f = s.in(contextTag + first + 1)
	kind := f.integer()
	s.close(f)
	switch {
	case s.err != nil:
		return s.err
	case version != protocolVersion:
		return kerberosError(errBadVersion, "%w: protocol version %d", ErrToken, version)
	case kind != want:
		return kerberosError(errMessageType, "%w: message type %d, want %d", ErrToken, kind, want)
	}
	return nil
}

// encTicketPart is what a service needs of the encrypted part of a ticket.
type encTicketPart struct {
	flags                               uint32
	keyType                             int32
	key                                 []byte
	client                              Principal
	authTime, startTime, end, renewTill time.Time
	pac                                 []byte
}

func decodeEncTicketPart(b []byte) (*encTicketPart, error) {
	d := der{b: b}
	a := d.in(application | typeEncTicketPart)
	s := a.in(tagSequence)
	var p encTicketPart
	f := s.in(contextTag + 0)
	p.flags = f.flags()
	s.close(f)
	f = s.in(contextTag + 1)
	p.keyType, p.key = f.typed()
	s.close(f)
	f = s.in(contextTag + 2)
	realm := f.text()
	s.close(f)
	f = s.in(contextTag + 3)
	p.client = f.principal()
	p.client.Realm = realm
	s.close(f)
	s.element(contextTag + 4) // transited
	f = s.in(contextTag + 5)
	p.authTime = f.time()
	s.close(f)
	p.startTime = p.authTime
	if f, ok := s.optional(contextTag + 6); ok {
		p.startTime = f.time()
		s.close(f)
	}
	f = s.in(contextTag + 7)
	p.end = f.time()
	s.close(f)
	if f, ok := s.optional(contextTag + 8); ok {
		p.renewTill = f.time()
		s.close(f)
	}
	s.optional(contextTag + 9) // caddr: Active Directory does not check addresses
	if f, ok := s.optional(contextTag + 10); ok {
		f.authorizationData(func(kind int32, data []byte) {
			if kind == adWin2kPAC && p.pac == nil {
				p.pac = data
			}
		})
		s.close(f)
	}
	a.close(s)
	d.close(a)
	if d.err != nil {
		return nil, fmt.Errorf("ticket: %w", d.err)
	}
	return &p, nil
}

// authorizationData calls found for each element inside AD-IF-RELEVANT.
func (d *der) authorizationData(found func(kind int32, data []byte)) {
	list := d.in(tagSequence)
	for len(list.b) > 0 {
		kind, data := list.typed()
		if kind != adIfRelevant || list.err != nil {
			continue
		}
		relevant := der{b: data}
		inner := relevant.in(tagSequence)
		for len(inner.b) > 0 {
			kind, data := inner.typed()
			if inner.err == nil {
				found(kind, data)
			}
		}
		list.close(inner)
	}
	d.close(list)
}

// authenticator is RFC 4120 5.5.1.
type authenticator struct {
	client        Principal
	checksumType  int32
	checksum      []byte
	ctime         []byte // as it came, for the AP-REP
	cusec         int64
	time          time.Time
	subkeyType    int32
	subkey        []byte
	sequence      uint64
	knowsBindings bool
}

func decodeAuthenticator(b []byte) (*authenticator, error) {
	d := der{b: b}
	a := d.in(application | typeAuthenticator)
	s := a.in(tagSequence)
	var r authenticator
	f := s.in(contextTag + 0)
	version := f.integer()
	s.close(f)
	f = s.in(contextTag + 1)
	realm := f.text()
	s.close(f)
	f = s.in(contextTag + 2)
	r.client = f.principal()
	r.client.Realm = realm
	s.close(f)
	if f, ok := s.optional(contextTag + 3); ok {
		r.checksumType, r.checksum = f.typed()
		s.close(f)
	}
	f = s.in(contextTag + 4)
	r.cusec = f.integer()
	s.close(f)
	f = s.in(contextTag + 5)
	r.ctime = f.b
	r.time = f.time()
	s.close(f)
	if f, ok := s.optional(contextTag + 6); ok {
		r.subkeyType, r.subkey = f.typed()
		s.close(f)
	}
	if f, ok := s.optional(contextTag + 7); ok {
		// Some clients encode numbers from 2^31 on as negative ones.
		r.sequence = uint64(uint32(f.integer()))
		s.close(f)
	}
	if f, ok := s.optional(contextTag + 8); ok {
		f.authorizationData(func(kind int32, data []byte) {
			if kind == adAPOptions && len(data) >= 4 {
				options := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
				r.knowsBindings = r.knowsBindings || options&apOptionsCBT != 0
			}
		})
		s.close(f)
	}
	a.close(s)
	d.close(a)
	switch {
	case d.err != nil:
		return nil, fmt.Errorf("authenticator: %w", d.err)
	case version != protocolVersion:
		return nil, kerberosError(errBadVersion, "%w: authenticator version %d", ErrToken, version)
	case r.cusec < 0 || r.cusec > 999_999:
		return nil, fmt.Errorf("%w: authenticator: %d microseconds", ErrToken, r.cusec)
	}
	r.time = r.time.Add(time.Duration(r.cusec) * time.Microsecond)
	return &r, nil
}

// encAPRepPart is RFC 4120 5.5.2.
type encAPRepPart struct {
	ctime      []byte
	cusec      int64
	subkeyType int32
	subkey     []byte
	sequence   uint64
}

func (p *encAPRepPart) encode() []byte {
	parts := [][]byte{explicit(0, p.ctime), explicit(1, integer(p.cusec))}
	if p.subkey != nil {
		parts = append(parts, explicit(2, sequence(explicit(0, integer(int64(p.subkeyType))), octetString(1, p.subkey))))
	}
	parts = append(parts, explicit(3, integer(int64(p.sequence))))
	return message(typeEncAPRepPart, parts...)
}

func decodeEncAPRepPart(b []byte) (*encAPRepPart, error) {
	d := der{b: b}
	a := d.in(application | typeEncAPRepPart)
	s := a.in(tagSequence)
	var p encAPRepPart
	f := s.in(contextTag + 0)
	p.ctime = f.b
	f.time()
	s.close(f)
	f = s.in(contextTag + 1)
	p.cusec = f.integer()
	s.close(f)
	if f, ok := s.optional(contextTag + 2); ok {
		p.subkeyType, p.subkey = f.typed()
		s.close(f)
	}
	if f, ok := s.optional(contextTag + 3); ok {
		p.sequence = uint64(uint32(f.integer()))
		s.close(f)
	}
	a.close(s)
	d.close(a)
	if d.err != nil {
		return nil, fmt.Errorf("AP-REP: %w", d.err)
	}
	return &p, nil
}

func encodeAPRep(etype int32, cipher []byte) []byte {
	return message(typeAPRep,
		explicit(0, integer(protocolVersion)),
		explicit(1, integer(typeAPRep)),
		explicit(2, encodeEncrypted(etype, cipher)),
	)
}

func decodeAPRep(b []byte) (encrypted, error) {
	d := der{b: b}
	a := d.in(application | typeAPRep)
	s := a.in(tagSequence)
	if err := versionAndType(&s, 0, typeAPRep); err != nil {
		return encrypted{}, err
	}
	f := s.in(contextTag + 2)
	e := f.encrypted()
	s.close(f)
	a.close(s)
	d.close(a)
	if d.err != nil {
		return encrypted{}, fmt.Errorf("AP-REP: %w", d.err)
	}
	return e, nil
}

// encodeKRBError is a KRB-ERROR as Active Directory shapes it: without client
// and text.
func encodeKRBError(code int32, now time.Time, server Principal) []byte {
	return message(typeKRBError,
		explicit(0, integer(protocolVersion)),
		explicit(1, integer(typeKRBError)),
		explicit(4, generalizedTime(now)),
		explicit(5, integer(int64(now.Nanosecond()/1000))),
		explicit(6, integer(int64(code))),
		explicit(9, tlv(tagGeneralString, []byte(server.Realm))),
		explicit(10, server.encode()),
	)
}

// decodeKRBError gives the error that a KRB-ERROR tells of.
func decodeKRBError(b []byte) error {
	d := der{b: b}
	a := d.in(application | typeKRBError)
	s := a.in(tagSequence)
	if err := versionAndType(&s, 0, typeKRBError); err != nil {
		return err
	}
	for s.err == nil && s.peek() != contextTag+6 {
		if s.peek() != contextTag+2 && s.peek() != contextTag+3 && s.peek() != contextTag+4 && s.peek() != contextTag+5 {
			s.fail("no error code in KRB-ERROR")
			break
		}
		s.element(s.peek())
	}
	f := s.in(contextTag + 6)
	code := f.int32()
	s.close(f)
	if s.err != nil {
		return fmt.Errorf("KRB-ERROR: %w", s.err)
	}
	return kerberosError(code, "the peer refused the context")
}
