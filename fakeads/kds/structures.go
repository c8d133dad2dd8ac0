package kds

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf16"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// reader takes little-endian fields off a buffer and remembers the first fault.
type reader struct {
	what string
	b    []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &Malformed{r.what, fmt.Sprintf(format, args...)}
	}
	r.b = nil
}

func (r *reader) bytes(n uint32, name string) []byte {
	if uint64(n) > uint64(len(r.b)) {
		r.fail("%s of %d bytes where %d are left", name, n, len(r.b))
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uint32(name string) uint32 {
	if b := r.bytes(4, name); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) guid(name string) security.GUID {
	if b := r.bytes(16, name); b != nil {
		return security.GUID(b)
	}
	return security.GUID{}
}

// constant takes a field that has one value only.
func (r *reader) constant(want uint32, name string) {
	if got := r.uint32(name); r.err == nil && got != want {
		r.fail("%s is 0x%x, must be 0x%x", name, got, want)
	}
}

func (r *reader) interval() Interval {
	return Interval{int32(r.uint32("L0")), int32(r.uint32("L1")), int32(r.uint32("L2"))}
}

// text takes n bytes of UTF-16LE with a terminating NUL. Only what text written
// by this package can be is accepted, so that everything encodes back as it was.
func (r *reader) text(n uint32, name string) string {
	b := r.bytes(n, name)
	if r.err != nil {
		return ""
	}
	if len(b) < 2 || len(b)%2 != 0 || b[len(b)-1] != 0 || b[len(b)-2] != 0 {
		r.fail("%s is not UTF-16 with a NUL at the end", name)
		return ""
	}
	units := make([]uint16, len(b)/2-1)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
		if units[i] == 0 {
			r.fail("%s has a NUL within", name)
			return ""
		}
	}
	runes := utf16.Decode(units)
	for _, c := range runes {
		if c == 0xFFFD {
			r.fail("%s has an unpaired surrogate", name)
			return ""
		}
	}
	return string(runes)
}

func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes too many", len(r.b))
	}
	return r.err
}

func appendInterval(b []byte, iv Interval) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(iv.L0))
	b = binary.LittleEndian.AppendUint32(b, uint32(iv.L1))
	return binary.LittleEndian.AppendUint32(b, uint32(iv.L2))
}

func appendUint32s(b []byte, vs ...int) []byte {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

const (
	envelopeVersion = 1
	envelopeMagic   = 0x4B53444B // "KDSK"
)

// Flags of key envelopes.
const (
	// EnvelopePublicKey: the key is the public one.
	EnvelopePublicKey uint32 = 1
	// EnvelopeEncrypts: new data may be encrypted with the key. Stored ids of
	// managed passwords carry it.
	EnvelopeEncrypts uint32 = 2
)

// ManagedPasswordID names a password: the value of msDS-ManagedPasswordId and
// msDS-ManagedPasswordPreviousId, the Key Envelope of [MS-GKDI].
type ManagedPasswordID struct {
	Flags          uint32
	Interval       Interval
	RootKeyID      security.GUID
	Additional     []byte // empty for managed passwords
	Domain, Forest string // DNS names
}

// ParseManagedPasswordID reads a Key Envelope, which must fill b. The error is a
// *Malformed.
func ParseManagedPasswordID(b []byte) (*ManagedPasswordID, error) {
	r := reader{what: "key envelope", b: b}
	r.constant(envelopeVersion, "version")
	r.constant(envelopeMagic, "magic")
	m := &ManagedPasswordID{Flags: r.uint32("flags"), Interval: r.interval(), RootKeyID: r.guid("root key id")}
	additional, domain, forest := r.uint32("length"), r.uint32("length"), r.uint32("length")
	if a := r.bytes(additional, "additional information"); len(a) > 0 {
		m.Additional = append([]byte(nil), a...)
	}
	m.Domain = r.text(domain, "domain name")
	m.Forest = r.text(forest, "forest name")
	if err := r.end(); err != nil {
		return nil, err
	}
	return m, nil
}

// Marshal is the Key Envelope.
func (m *ManagedPasswordID) Marshal() []byte {
	domain, forest := utf16z(m.Domain), utf16z(m.Forest)
	b := make([]byte, 0, 52+len(m.Additional)+len(domain)+len(forest))
	b = appendUint32s(b, envelopeVersion, envelopeMagic, int(m.Flags))
	b = appendInterval(b, m.Interval)
	b = append(b, m.RootKeyID[:]...)
	b = appendUint32s(b, len(m.Additional), len(domain), len(forest))
	b = append(b, m.Additional...)
	b = append(b, domain...)
	return append(b, forest...)
}

// GroupKeyEnvelope is what GetKey answers: seed keys and how to derive from them
// (the Group Key Envelope of [MS-GKDI]).
type GroupKeyEnvelope struct {
	Flags                             uint32
	Interval                          Interval
	RootKeyID                         security.GUID
	KDFAlgorithm                      string
	KDFParameters                     []byte // see KDFParameters
	SecretAgreementAlgorithm          string
	SecretAgreementParameters         []byte // see FFCDHParameters
	PrivateKeyLength, PublicKeyLength uint32 // in bits
	L1Key, L2Key                      []byte // empty: not in the envelope
	Domain, Forest                    string
}

// ParseGroupKeyEnvelope reads a Group Key Envelope, which must fill b. The error
// is a *Malformed.
func ParseGroupKeyEnvelope(b []byte) (*GroupKeyEnvelope, error) {
	r := reader{what: "group key envelope", b: b}
	r.constant(envelopeVersion, "version")
	r.constant(envelopeMagic, "magic")
	e := &GroupKeyEnvelope{Flags: r.uint32("flags"), Interval: r.interval(), RootKeyID: r.guid("root key id")}
	algorithm, parameters := r.uint32("length"), r.uint32("length")
	agreement, agreementParameters := r.uint32("length"), r.uint32("length")
	e.PrivateKeyLength, e.PublicKeyLength = r.uint32("private key length"), r.uint32("public key length")
	l1, l2 := r.uint32("length"), r.uint32("length")
	domain, forest := r.uint32("length"), r.uint32("length")
	e.KDFAlgorithm = r.text(algorithm, "KDF algorithm")
	e.KDFParameters = clone(r.bytes(parameters, "KDF parameters"))
	e.SecretAgreementAlgorithm = r.text(agreement, "secret agreement algorithm")
	e.SecretAgreementParameters = clone(r.bytes(agreementParameters, "secret agreement parameters"))
	e.Domain = r.text(domain, "domain name")
	e.Forest = r.text(forest, "forest name")
	e.L1Key = clone(r.bytes(l1, "L1 key"))
	e.L2Key = clone(r.bytes(l2, "L2 key"))
	if err := r.end(); err != nil {
		return nil, err
	}
	return e, nil
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }

// Marshal is the Group Key Envelope.
func (e *GroupKeyEnvelope) Marshal() []byte {
	algorithm, agreement := utf16z(e.KDFAlgorithm), utf16z(e.SecretAgreementAlgorithm)
	domain, forest := utf16z(e.Domain), utf16z(e.Forest)
	b := appendUint32s(make([]byte, 0, 1024), envelopeVersion, envelopeMagic, int(e.Flags))
	b = appendInterval(b, e.Interval)
	b = append(b, e.RootKeyID[:]...)
	b = appendUint32s(b, len(algorithm), len(e.KDFParameters), len(agreement), len(e.SecretAgreementParameters),
		int(e.PrivateKeyLength), int(e.PublicKeyLength), len(e.L1Key), len(e.L2Key), len(domain), len(forest))
	for _, part := range [][]byte{algorithm, e.KDFParameters, agreement, e.SecretAgreementParameters, domain, forest, e.L1Key, e.L2Key} {
		b = append(b, part...)
	}
	return b
}

// KDFParameters is the value of msKds-KDFParam: the name of a hash.
type KDFParameters struct{ Hash string }

// ParseKDFParameters reads it; the error is a *Malformed. Whether the hash is
// one that RootKey.Check accepts is not looked at.
func ParseKDFParameters(b []byte) (KDFParameters, error) {
	r := reader{what: "KDF parameters", b: b}
	r.constant(0, "version")
	r.constant(1, "count")
	n := r.uint32("length")
	r.constant(0, "parameter id")
	p := KDFParameters{r.text(n, "hash name")}
	return p, r.end()
}

// Marshal is the value of msKds-KDFParam.
func (p KDFParameters) Marshal() []byte {
	name := utf16z(p.Hash)
	return append(appendUint32s(nil, 0, 1, len(name), 0), name...)
}

// FFCDHParameters is the value of msKds-SecretAgreementParam for DH: a prime
// and a generator, big-endian and of the same length.
type FFCDHParameters struct{ P, G []byte }

const (
	dhMagic  = 0x4D504844 // "DHPM"
	dhHeader = 12
)

// ParseFFCDHParameters reads it; the error is a *Malformed.
func ParseFFCDHParameters(b []byte) (*FFCDHParameters, error) {
	r := reader{what: "FFC DH parameters", b: b}
	r.constant(uint32(len(b)), "length")
	r.constant(dhMagic, "magic")
	n := r.uint32("key length")
	p := &FFCDHParameters{P: clone(r.bytes(n, "prime")), G: clone(r.bytes(n, "generator"))}
	if err := r.end(); err != nil {
		return nil, err
	}
	return p, nil
}

// Marshal is the value of msKds-SecretAgreementParam.
func (p *FFCDHParameters) Marshal() []byte {
	b := appendUint32s(nil, dhHeader+len(p.P)+len(p.G), dhMagic, len(p.P))
	return append(append(b, p.P...), p.G...)
}

// DefaultFFCDHParameters is the group of new root keys: 2048 bits with a 256-bit
// subgroup, RFC 5114 2.3.
func DefaultFFCDHParameters() *FFCDHParameters {
	const (
		p = "" +
			"87a8e61db4b6663cffbbd19c651959998ceef608660dd0f25d2ceed4435e3b00" +
			"e00df8f1d61957d4faf7df4561b2aa3016c3d91134096faa3bf4296d830e9a7c" +
			"209e0c6497517abd5a8a9d306bcf67ed91f9e6725b4758c022e0b1ef4275bf7b" +
			"6c5bfc11d45f9088b941f54eb1e59bb8bc39a0bf12307f5c4fdb70c581b23f76" +
			"b63acae1caa6b7902d52526735488a0ef13c6d9a51bfa4ab3ad8347796524d8e" +
			"f6a167b5a41825d967e144e5140564251ccacb83e6b486f6b3ca3f7971506026" +
			"c0b857f689962856ded4010abd0be621c3a3960a54e710c375f26375d7014103" +
			"a4b54330c198af126116d2276e11715f693877fad7ef09cadb094ae91e1a1597"
		g = "" +
			"3fb32c9b73134d0b2e77506660edbd484ca7b18f21ef205407f4793a1a0ba125" +
			"10dbc15077be463fff4fed4aac0bb555be3a6c1b0c6b47b1bc3773bf7e8c6f62" +
			"901228f8c28cbb18a55ae31341000a650196f931c77a57f2ddf463e5e9ec144b" +
			"777de62aaab8a8628ac376d282d6ed3864e67982428ebc831d14348f6f2f9193" +
			"b5045af2767164e1dfc967c1fb3f2e55a4bd1bffe83b9c80d052b985d182ea0a" +
			"db2a3b7313d3fe14c8484b1e052588b9b7d2bbd2df016199ecd06e1557cd0915" +
			"b3353bbb64e0ec377fd028370df92b52c7891428cdc67eb6184b523d1db246c3" +
			"2f63078490f00ef8d647d148d47954515e2327cfef98c582664b4c0f6cc41659"
	)
	return &FFCDHParameters{P: mustHex(p), G: mustHex(g)}
}

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// Blob is MSDS-MANAGEDPASSWORD_BLOB, the value of msDS-ManagedPassword
// ([MS-ADTS] 2.2.19).
type Blob struct {
	Current  []byte // UTF-16LE without terminator, 256 bytes
	Previous []byte // the same, or nil
	// Query is how long Current is good for; Unchanged how long an answer will
	// be the same as this one. Both are whole multiples of 100 ns.
	Query, Unchanged time.Duration
}

const (
	blobVersion = 1
	blobHeader  = 16
	// maxBlob is as far as the 16-bit offsets reach.
	maxBlob = 1 << 16
)

// ParseBlob reads it. It accepts the layout that domain controllers write, with
// passwords of any length: nothing is aligned, each part follows the one before.
// The error is a *Malformed.
func ParseBlob(b []byte) (*Blob, error) {
	r := reader{what: "managed password blob", b: b}
	if len(b) < blobHeader || len(b) > maxBlob {
		r.fail("%d bytes, must be %d to %d", len(b), blobHeader, maxBlob)
		return nil, r.err
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	version, reserved, length := u16(0), u16(2), binary.LittleEndian.Uint32(b[4:])
	current, previous, query, unchanged := u16(8), u16(10), u16(12), u16(14)
	end := query
	if previous != 0 {
		end = previous
	}
	switch {
	case version != blobVersion:
		r.fail("version %d, must be %d", version, blobVersion)
	case reserved != 0:
		r.fail("reserved field is %d", reserved)
	case length != uint32(len(b)):
		r.fail("length %d of %d bytes", length, len(b))
	case current != blobHeader || end < current || query < end || unchanged != query+8 || len(b) != unchanged+8:
		r.fail("offsets %d, %d, %d, %d in %d bytes", current, previous, query, unchanged, len(b))
	}
	if r.err != nil {
		return nil, r.err
	}
	out := &Blob{Current: blobPassword(&r, b[current:end], "current password")}
	if previous != 0 {
		out.Previous = blobPassword(&r, b[previous:query], "previous password")
	}
	out.Query = blobInterval(&r, b[query:], "query interval")
	out.Unchanged = blobInterval(&r, b[unchanged:], "unchanged interval")
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

func blobPassword(r *reader, b []byte, name string) []byte {
	n := len(b) - 2
	if n < 2 || n%2 != 0 || b[n] != 0 || b[n+1] != 0 {
		r.fail("%s of %d bytes is empty, odd or without a NUL at the end", name, len(b))
		return nil
	}
	return clone(b[:n])
}

func blobInterval(r *reader, b []byte, name string) time.Duration {
	ticks := binary.LittleEndian.Uint64(b)
	if ticks > uint64(maxInterval/tick) {
		r.fail("%s of %d ticks is longer than 292 years", name, ticks)
		return 0
	}
	return time.Duration(ticks) * tick
}

// maxInterval is the longest duration there is, in whole ticks.
const maxInterval = (1<<63 - 1) / tick * tick

// Marshal is MSDS-MANAGEDPASSWORD_BLOB. Negative intervals are written as 0. The
// passwords must leave the offsets within 16 bits, as those of 256 bytes do.
func (b *Blob) Marshal() []byte {
	previous, query := 0, blobHeader+len(b.Current)+2
	if b.Previous != nil {
		previous = query
		query += len(b.Previous) + 2
	}
	out := make([]byte, blobHeader, query+16)
	binary.LittleEndian.PutUint16(out, blobVersion)
	binary.LittleEndian.PutUint32(out[4:], uint32(query+16))
	binary.LittleEndian.PutUint16(out[8:], blobHeader)
	binary.LittleEndian.PutUint16(out[10:], uint16(previous))
	binary.LittleEndian.PutUint16(out[12:], uint16(query))
	binary.LittleEndian.PutUint16(out[14:], uint16(query+8))
	out = append(append(out, b.Current...), 0, 0)
	if b.Previous != nil {
		out = append(append(out, b.Previous...), 0, 0)
	}
	out = binary.LittleEndian.AppendUint64(out, uint64(max(b.Query, 0)/tick))
	return binary.LittleEndian.AppendUint64(out, uint64(max(b.Unchanged, 0)/tick))
}
