package pac

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// keyUsage is KERB_NON_KERB_CKSUM_SALT, the key usage of all PAC signatures
// ([MS-PAC] 2.8).
const keyUsage = 17

const (
	headerSize     = 8  // PACTYPE, [MS-PAC] 2.3
	infoSize       = 16 // PAC_INFO_BUFFER, [MS-PAC] 2.4
	signatureStart = 4  // of the signature in PAC_SIGNATURE_DATA
	maxBuffers     = 64
	maxSize        = 1 << 20
	usualSize      = 1024
)

// Sign encodes the PAC and signs it. The signatures in p are not looked at and
// not changed, so one PAC may be signed by several goroutines.
//
// Buffers are in ascending order of their types, as in service tickets of Windows
// Server 2022. guess: the PAC of a TGT has its buffers in ascending order of
// their types, as that of a service ticket has; readers go by type.
func (p *PAC) Sign(o SignOptions) ([]byte, error) {
	if o.ServerKey == nil || o.KDCKey == nil {
		return nil, errors.New("sign PAC: a key is missing")
	}
	e := encoder{p: p}
	if err := e.plan(o); err != nil {
		return nil, fmt.Errorf("sign PAC: %w", err)
	}
	if err := e.encode(o); err != nil {
		return nil, fmt.Errorf("sign PAC: %w", err)
	}
	b := e.b
	if o.TicketPart != nil {
		e.fill(TypeTicketChecksum, o.KDCKey.Checksum(e.sum[:0], o.TicketPart, keyUsage))
	}
	if o.Full {
		e.fill(TypeFullPACChecksum, o.KDCKey.Checksum(e.sum[:0], b, keyUsage))
	}
	server := e.fill(TypeServerChecksum, o.ServerKey.Checksum(e.sum[:0], b, keyUsage))
	e.fill(TypeKDCChecksum, o.KDCKey.Checksum(e.sum[:0], server, keyUsage))
	return b, nil
}

// encoder lays out a PAC whose signatures are zero.
type encoder struct {
	p       *PAC
	buffers [maxBuffers]planned
	n       int
	b       []byte
	sum     [32]byte
}

type planned struct {
	kind uint32
	raw  []byte // of a buffer that is carried as it is
	// offset is where the data is in the encoded PAC.
	offset int
}

func (e *encoder) add(kind uint32, raw []byte) error {
	if e.n == len(e.buffers) {
		return fmt.Errorf("more than %d buffers", maxBuffers)
	}
	e.buffers[e.n] = planned{kind: kind, raw: raw}
	e.n++
	return nil
}

func (e *encoder) plan(o SignOptions) error {
	p := e.p
	for _, c := range [...]struct {
		kind    uint32
		present bool
	}{
		{TypeLogonInfo, p.LogonInfo != nil},
		{TypeServerChecksum, true},
		{TypeKDCChecksum, true},
		{TypeClientInfo, p.ClientInfo != nil},
		{TypeDelegationInfo, p.Delegation != nil},
		{TypeUPNDNSInfo, p.UPNDNSInfo != nil},
		{TypeTicketChecksum, o.TicketPart != nil},
		{TypeAttributes, p.Attributes != nil},
		{TypeRequestor, !p.Requestor.IsZero()},
		{TypeFullPACChecksum, o.Full},
	} {
		if c.present {
			if err := e.add(c.kind, nil); err != nil {
				return err
			}
		}
	}
	if len(p.Raw) == 0 {
		return nil
	}
	for _, r := range p.Raw {
		if isDecoded(r.Type) {
			return fmt.Errorf("buffer of type %d is not carried as it is", r.Type)
		}
		if err := e.add(r.Type, r.Data); err != nil {
			return err
		}
	}
	slices.SortStableFunc(e.buffers[:e.n], func(a, b planned) int { return cmp.Compare(a.kind, b.kind) })
	return nil
}

func (e *encoder) encode(o SignOptions) error {
	e.b = make([]byte, headerSize+infoSize*e.n, usualSize)
	binary.LittleEndian.PutUint32(e.b, uint32(e.n))
	for i := range e.buffers[:e.n] {
		f := &e.buffers[i]
		e.b = pad(e.b, 0)
		f.offset = len(e.b)
		if err := e.append(f, o); err != nil {
			return fmt.Errorf("buffer of type %d: %w", f.kind, err)
		}
		info := e.b[headerSize+infoSize*i:]
		binary.LittleEndian.PutUint32(info, f.kind)
		binary.LittleEndian.PutUint32(info[4:], uint32(len(e.b)-f.offset))
		binary.LittleEndian.PutUint64(info[8:], uint64(f.offset))
	}
	e.b = pad(e.b, 0)
	if len(e.b) > maxSize {
		return fmt.Errorf("%d bytes, the limit is %d", len(e.b), maxSize)
	}
	return nil
}

func (e *encoder) append(f *planned, o SignOptions) (err error) {
	p := e.p
	switch f.kind {
	case TypeLogonInfo:
		e.b, err = appendLogonInfo(e.b, p.LogonInfo)
	case TypeClientInfo:
		e.b, err = appendClientInfo(e.b, p.ClientInfo)
	case TypeUPNDNSInfo:
		e.b, err = appendUPNDNSInfo(e.b, p.UPNDNSInfo)
	case TypeDelegationInfo:
		e.b, err = appendDelegationInfo(e.b, p.Delegation)
	case TypeAttributes:
		e.b = appendAttributes(e.b, *p.Attributes)
	case TypeRequestor:
		e.b = p.Requestor.AppendTo(e.b)
	case TypeServerChecksum:
		e.appendSignature(o.ServerKey)
	case TypeKDCChecksum, TypeTicketChecksum, TypeFullPACChecksum:
		e.appendSignature(o.KDCKey)
	default:
		e.b = append(e.b, f.raw...)
	}
	return err
}

// appendSignature appends a signature that is still zero.
func (e *encoder) appendSignature(k *krbcrypt.Key) {
	var zero [32]byte
	e.b = binary.LittleEndian.AppendUint32(e.b, uint32(k.ChecksumType()))
	e.b = append(e.b, zero[:k.ChecksumSize()]...)
}

// fill puts a signature in its place.
func (e *encoder) fill(kind uint32, sum []byte) []byte {
	for _, f := range e.buffers[:e.n] {
		if f.kind == kind {
			at := e.b[f.offset+signatureStart:][:len(sum)]
			copy(at, sum)
			return at
		}
	}
	return nil
}

// isDecoded tells whether PAC has a field for buffers of this type.
func isDecoded(kind uint32) bool {
	switch kind {
	case TypeLogonInfo, TypeServerChecksum, TypeKDCChecksum, TypeClientInfo, TypeDelegationInfo, TypeUPNDNSInfo,
		TypeTicketChecksum, TypeAttributes, TypeRequestor, TypeFullPACChecksum:
		return true
	}
	return false
}

// Parse decodes a PAC. The result keeps nothing of b. At most 64 buffers and 1
// MiB are taken; no type may be there twice and no two buffers may overlap.
func Parse(b []byte) (*PAC, error) {
	if len(b) > maxSize {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrFormat, len(b), maxSize)
	}
	if len(b) < headerSize {
		return nil, fmt.Errorf("%w: %d bytes are no header", ErrFormat, len(b))
	}
	n, version := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if version != 0 {
		return nil, fmt.Errorf("%w: version %d, only 0 is known", ErrFormat, version)
	}
	if n > maxBuffers {
		return nil, fmt.Errorf("%w: %d buffers, the limit is %d", ErrFormat, n, maxBuffers)
	}
	header := headerSize + infoSize*int(n)
	if header > len(b) {
		return nil, fmt.Errorf("%w: %d buffers in %d bytes", ErrFormat, n, len(b))
	}
	p := &PAC{encoded: slices.Clone(b)}
	seen := make([]uint32, 0, maxBuffers)
	room := len(b) - header // what buffers may fill together: no byte is read twice
	for i := range int(n) {
		info := p.encoded[headerSize+infoSize*i:]
		kind, size, offset := binary.LittleEndian.Uint32(info), binary.LittleEndian.Uint32(info[4:]), binary.LittleEndian.Uint64(info[8:])
		if offset < uint64(header) || offset%8 != 0 || offset > uint64(len(b)) || uint64(size) > uint64(len(b))-offset {
			return nil, fmt.Errorf("%w: buffer of type %d: %d bytes at offset %d of %d", ErrFormat, kind, size, offset, len(b))
		}
		if slices.Contains(seen, kind) {
			return nil, fmt.Errorf("%w: buffer of type %d is there twice", ErrFormat, kind)
		}
		seen = append(seen, kind)
		if room -= int(size); room < 0 {
			return nil, fmt.Errorf("%w: buffer of type %d overlaps another", ErrFormat, kind)
		}
		if err := p.decode(kind, int(offset), int(size)); err != nil {
			return nil, fmt.Errorf("%w: buffer of type %d: %w", ErrFormat, kind, err)
		}
	}
	return p, nil
}

func (p *PAC) decode(kind uint32, offset, size int) (err error) {
	data := p.encoded[offset : offset+size : offset+size]
	switch kind {
	case TypeLogonInfo:
		p.LogonInfo, err = parseLogonInfo(data)
	case TypeClientInfo:
		p.ClientInfo, err = parseClientInfo(data)
	case TypeUPNDNSInfo:
		p.UPNDNSInfo, err = parseUPNDNSInfo(data)
	case TypeDelegationInfo:
		p.Delegation, err = parseDelegationInfo(data)
	case TypeAttributes:
		p.Attributes, err = parseAttributes(data)
	case TypeRequestor:
		p.Requestor, err = security.SIDFromBytes(data)
	case TypeServerChecksum:
		p.Server, err = parseSignature(data, offset)
	case TypeKDCChecksum:
		p.KDC, err = parseSignature(data, offset)
	case TypeTicketChecksum:
		p.Ticket, err = parseSignature(data, offset)
	case TypeFullPACChecksum:
		p.Full, err = parseSignature(data, offset)
	default:
		p.Raw = append(p.Raw, Buffer{Type: kind, Data: slices.Clone(data)})
	}
	return err
}

// parseSignature reads a PAC_SIGNATURE_DATA. The type tells where the signature
// ends and the identifier of a read-only DC begins.
func parseSignature(b []byte, offset int) (*Signature, error) {
	if len(b) < signatureStart {
		return nil, fmt.Errorf("%d bytes are no signature", len(b))
	}
	s := &Signature{Type: int32(binary.LittleEndian.Uint32(b)), offset: offset + signatureStart}
	rest := b[signatureStart:]
	n := signatureSize(s.Type)
	switch {
	case n == 0: // a type that cannot be verified
		n = len(rest)
	case len(rest) == n+2:
		s.RODC = binary.LittleEndian.Uint16(rest[n:])
	case len(rest) != n:
		return nil, fmt.Errorf("signature of type %d has %d bytes, want %d", s.Type, len(rest), n)
	}
	s.Sum = slices.Clone(rest[:n])
	return s, nil
}

// signatureSize is the length of a signature, 0 if its type is not known.
func signatureSize(ctype int32) int {
	switch ctype {
	case krbcrypt.ChecksumAES128SHA1, krbcrypt.ChecksumAES256SHA1:
		return 12
	case krbcrypt.ChecksumHMACMD5, krbcrypt.ChecksumAES128SHA256:
		return 16
	case krbcrypt.ChecksumAES256SHA384:
		return 24
	}
	return 0
}

// Verify checks the signatures of a parsed PAC ([MS-PAC] 2.8): the server
// signature with serverKey, KDC and full signatures with kdcKey, the ticket
// signature with kdcKey over ticketPart, which is SignOptions.TicketPart of the
// ticket at hand. What is nil is not checked. A signature that is asked for and
// missing is an error, except the full signature, which KDCs before November
// 2022 did not make. Errors wrap ErrSignature.
func (p *PAC) Verify(serverKey, kdcKey *krbcrypt.Key, ticketPart []byte) error {
	if serverKey != nil {
		if err := p.Server.verify("server", serverKey, p.zeroed(p.Server, p.KDC)); err != nil {
			return err
		}
	}
	if kdcKey == nil {
		return nil
	}
	if p.Server == nil {
		return fmt.Errorf("%w: there is no server signature", ErrSignature)
	}
	if err := p.KDC.verify("KDC", kdcKey, p.Server.Sum); err != nil {
		return err
	}
	if p.Full != nil {
		if err := p.Full.verify("full PAC", kdcKey, p.zeroed(p.Server, p.KDC, p.Full)); err != nil {
			return err
		}
	}
	if ticketPart != nil {
		return p.Ticket.verify("ticket", kdcKey, ticketPart)
	}
	return nil
}

// zeroed is the encoded PAC with the octets of some signatures zero.
func (p *PAC) zeroed(signatures ...*Signature) []byte {
	b := slices.Clone(p.encoded)
	for _, s := range signatures {
		if s != nil {
			clear(b[s.offset:][:len(s.Sum)])
		}
	}
	return b
}

func (s *Signature) verify(name string, k *krbcrypt.Key, data []byte) error {
	if s == nil {
		return fmt.Errorf("%w: there is no %s signature", ErrSignature, name)
	}
	if s.Type != k.ChecksumType() {
		return fmt.Errorf("%w: %s signature is of type %d, the key makes type %d", ErrSignature, name, s.Type, k.ChecksumType())
	}
	if err := k.VerifyChecksum(s.Type, s.Sum, data, keyUsage); err != nil {
		return fmt.Errorf("%w: %s signature: %w", ErrSignature, name, err)
	}
	return nil
}
