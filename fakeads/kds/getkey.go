package kds

import (
	"encoding/binary"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// GetKeyRequest is the stub data of the one operation of the ISDKey interface,
// opnum 0, in NDR64 ([MS-GKDI] 3.1.4.1).
type GetKeyRequest struct {
	TargetSD  []byte         // self-relative
	RootKeyID *security.GUID // nil: the service chooses
	Interval  Interval       // (-1,-1,-1): the latest
}

// maxTargetSD is the longest descriptor a GetKeyRequest may carry, in bytes.
const maxTargetSD = 1 << 16

// ParseGetKeyRequest reads stub data, which must fill b. The error is a
// *Malformed.
func ParseGetKeyRequest(b []byte) (*GetKeyRequest, error) {
	r := reader{what: "GetKey request", b: b}
	n := r.uint32("descriptor length")
	r.constant(0, "padding")
	r.constant(n, "descriptor count")
	r.constant(0, "descriptor count, upper half")
	if n > maxTargetSD {
		r.fail("descriptor of %d bytes, at most %d", n, maxTargetSD)
	}
	q := &GetKeyRequest{TargetSD: clone(r.bytes(n, "descriptor"))}
	r.padding(-n % 8)
	if referent := r.bytes(8, "root key pointer"); referent != nil && binary.LittleEndian.Uint64(referent) != 0 {
		id := r.guid("root key id")
		q.RootKeyID = &id
	}
	q.Interval = r.interval()
	if err := r.end(); err != nil {
		return nil, err
	}
	return q, nil
}

// padding takes n bytes of any value.
func (r *reader) padding(n uint32) { r.bytes(n, "padding") }

// referent is what a pointer that is not null is written as; any value but 0
// would do.
const referent = 0x20000

// Marshal is the stub data.
func (q *GetKeyRequest) Marshal() []byte {
	b := appendUint32s(nil, len(q.TargetSD), 0, len(q.TargetSD), 0)
	b = append(b, q.TargetSD...)
	b = append(b, make([]byte, -len(q.TargetSD)&7)...)
	if q.RootKeyID == nil {
		b = binary.LittleEndian.AppendUint64(b, 0)
	} else {
		b = binary.LittleEndian.AppendUint64(b, referent)
		b = append(b, q.RootKeyID[:]...)
	}
	return appendInterval(b, q.Interval)
}

// GetKeyResponse is the answer's stub data in NDR64: a Group Key Envelope, or
// none and the HRESULT of an Error.
type GetKeyResponse struct {
	Envelope []byte // nil: a null pointer
	HRESULT  uint32
}

// Marshal is the stub data.
func (a *GetKeyResponse) Marshal() []byte {
	b := appendUint32s(nil, len(a.Envelope), 0)
	if a.Envelope == nil {
		b = binary.LittleEndian.AppendUint64(b, 0)
	} else {
		b = binary.LittleEndian.AppendUint64(b, referent)
		b = binary.LittleEndian.AppendUint64(b, uint64(len(a.Envelope)))
		b = append(b, a.Envelope...)
		b = append(b, make([]byte, -len(a.Envelope)&3)...)
	}
	return binary.LittleEndian.AppendUint32(b, a.HRESULT)
}

// ParseGetKeyResponse reads stub data, which must fill b. The error is a
// *Malformed.
func ParseGetKeyResponse(b []byte) (*GetKeyResponse, error) {
	r := reader{what: "GetKey response", b: b}
	n := r.uint32("envelope length")
	r.padding(4)
	a := &GetKeyResponse{}
	if p := r.bytes(8, "envelope pointer"); p != nil && binary.LittleEndian.Uint64(p) != 0 {
		r.constant(n, "envelope count")
		r.constant(0, "envelope count, upper half")
		a.Envelope = append([]byte{}, r.bytes(n, "envelope")...)
		r.padding(-n % 4)
	} else if n != 0 {
		r.fail("null pointer to %d bytes", n)
	}
	a.HRESULT = r.uint32("HRESULT")
	if err := r.end(); err != nil {
		return nil, err
	}
	return a, nil
}
