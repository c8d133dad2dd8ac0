package pac

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Type serialization version 1, [MS-RPCE] 2.2.6: a common header, a private
// header with the length of what follows, then the referent of the one pointer.
const (
	ndrHeader      = 16
	firstReferent  = 0x20000 // Windows numbers its pointers from here in steps of 4
	nextReferent   = 4
	maxStringUnits = math.MaxUint16 / 2 // of an RPC_UNICODE_STRING, less a terminator
)

var ndrCommonHeader = [8]byte{1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc} // little-endian, filler

// ndrWriter appends NDR to b. Offsets count from start, which is 8-byte aligned
// in the message.
type ndrWriter struct {
	b        []byte
	start    int
	referent uint32
	err      error
}

func newNDRWriter(b []byte) ndrWriter {
	w := ndrWriter{b: b, start: len(b), referent: firstReferent}
	w.b = append(w.b, ndrCommonHeader[:]...)
	w.b = append(w.b, 0, 0, 0, 0, 0, 0, 0, 0)
	w.pointer(true)
	return w
}

// finish pads to 8 bytes and fills in the length.
func (w *ndrWriter) finish() ([]byte, error) {
	w.align(8)
	binary.LittleEndian.PutUint32(w.b[w.start+8:], uint32(len(w.b)-w.start-ndrHeader))
	return w.b, w.err
}

func (w *ndrWriter) align(n int) {
	for (len(w.b)-w.start)%n != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *ndrWriter) u16(v uint16)     { w.b = binary.LittleEndian.AppendUint16(w.b, v) }
func (w *ndrWriter) u32(v uint32)     { w.b = binary.LittleEndian.AppendUint32(w.b, v) }
func (w *ndrWriter) time(t time.Time) { w.b = binary.LittleEndian.AppendUint64(w.b, filetime(t)) }

// pointer writes the next referent, or the null pointer.
func (w *ndrWriter) pointer(present bool) {
	if !present {
		w.u32(0)
		return
	}
	w.u32(w.referent)
	w.referent += nextReferent
}

// str writes an RPC_UNICODE_STRING ([MS-DTYP] 2.3.10); its text follows with
// text. The string's MaximumLength leaves room for spare more characters.
func (w *ndrWriter) str(s string, spare int) {
	n := utf16Len(s)
	if n+spare > maxStringUnits {
		w.err = fmt.Errorf("string of %d characters is longer than an RPC_UNICODE_STRING", n)
		n = 0
	}
	w.u16(uint16(2 * n))
	w.u16(uint16(2 * (n + spare)))
	w.pointer(true) // Windows gives empty strings a referent too
}

func (w *ndrWriter) text(s string, spare int) {
	w.align(4)
	n := utf16Len(s)
	w.u32(uint32(n + spare))
	w.u32(0)
	w.u32(uint32(n))
	w.b = appendUTF16(w.b, s)
}

func (w *ndrWriter) sid(s security.SID) {
	w.align(4)
	w.u32(uint32(s.Len()))
	w.b = s.AppendTo(w.b)
}

func (w *ndrWriter) groups(groups []GroupMembership) {
	w.align(4)
	w.u32(uint32(len(groups)))
	for _, g := range groups {
		w.u32(g.RID)
		w.u32(g.Attributes)
	}
}

// ndrReader reads NDR. After a failure every method gives zero values and err
// keeps the first error.
type ndrReader struct {
	b   []byte // behind the headers
	off int
	err error
}

func newNDRReader(b []byte) (ndrReader, error) {
	if len(b) < ndrHeader+4 {
		return ndrReader{}, fmt.Errorf("%d bytes are too short for NDR", len(b))
	}
	if [4]byte(b[:4]) != [4]byte(ndrCommonHeader[:4]) {
		return ndrReader{}, fmt.Errorf("NDR header % x, only little-endian version 1 is known", b[:4])
	}
	n := binary.LittleEndian.Uint32(b[8:])
	if uint64(n) > uint64(len(b)-ndrHeader) {
		return ndrReader{}, fmt.Errorf("NDR length %d in %d bytes", n, len(b)-ndrHeader)
	}
	r := ndrReader{b: b[ndrHeader : ndrHeader+int(n)]}
	if r.u32() == 0 {
		r.fail("null pointer instead of the structure")
	}
	return r, r.err
}

func (r *ndrReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("offset %d: "+format, append([]any{r.off}, args...)...)
	}
}

func (r *ndrReader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.b)-r.off {
		r.fail("%d bytes wanted, %d left", n, len(r.b)-r.off)
		return nil
	}
	b := r.b[r.off : r.off+n]
	r.off += n
	return b
}

func (r *ndrReader) align(n int) {
	r.take((n - r.off%n) % n)
}

func (r *ndrReader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *ndrReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *ndrReader) time() time.Time {
	if b := r.take(8); b != nil {
		return timeOf(binary.LittleEndian.Uint64(b))
	}
	return time.Time{}
}

// stringHead is the part of an RPC_UNICODE_STRING that is in the structure.
type stringHead struct {
	length  uint16
	present bool
}

func (r *ndrReader) str() stringHead {
	h := stringHead{length: r.u16()}
	maximum := r.u16()
	h.present = r.u32() != 0
	switch {
	case h.length > maximum || h.length%2 != 0:
		r.fail("string of %d bytes in %d", h.length, maximum)
	case h.length != 0 && !h.present:
		r.fail("string of %d bytes without text", h.length)
	}
	return h
}

func (r *ndrReader) text(h stringHead) string {
	if !h.present {
		return ""
	}
	r.align(4)
	maximum, offset, actual := r.u32(), r.u32(), r.u32()
	if offset != 0 || actual > maximum || actual != uint32(h.length)/2 {
		r.fail("array of %d characters at %d of %d for a string of %d bytes", actual, offset, maximum, h.length)
	}
	return stringUTF16(r.take(int(h.length)))
}

func (r *ndrReader) sid() security.SID {
	r.align(4)
	n := r.u32()
	head := r.take(8)
	if head == nil {
		return security.SID{}
	}
	if uint32(head[1]) != n {
		r.fail("SID of %d sub-authorities in an array of %d", head[1], n)
		return security.SID{}
	}
	r.off -= 8
	sid, err := security.SIDFromBytes(r.take(8 + 4*int(n)))
	if err != nil && r.err == nil {
		r.fail("%w", err)
	}
	return sid
}

// count reads the length of a conformant array, which the structure has told
// before, and checks that so many elements of size bytes can follow.
func (r *ndrReader) count(want uint32, size int) int {
	r.align(4)
	n := r.u32()
	if n != want {
		r.fail("array of %d elements, %d were announced", n, want)
	}
	if r.err == nil && uint64(n) > uint64((len(r.b)-r.off)/size) {
		r.fail("array of %d elements in %d bytes", n, len(r.b)-r.off)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *ndrReader) groups(want uint32) []GroupMembership {
	n := r.count(want, 8)
	if n == 0 {
		return nil
	}
	groups := make([]GroupMembership, n)
	for i := range groups {
		groups[i] = GroupMembership{RID: r.u32(), Attributes: r.u32()}
	}
	return groups
}

// utf16Len is the length of s in UTF-16 code units.
func utf16Len(s string) int {
	n := 0
	for _, c := range s {
		n += utf16.RuneLen(c)
	}
	return n
}

func appendUTF16(b []byte, s string) []byte {
	for _, c := range s {
		if c < utf8.RuneSelf {
			b = append(b, byte(c), 0)
			continue
		}
		var units [2]uint16
		for _, u := range utf16.AppendRune(units[:0], c) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
	}
	return b
}

// stringUTF16 decodes UTF-16LE; an unpaired surrogate becomes U+FFFD.
func stringUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

const (
	filetimeNever  = math.MaxInt64
	filetimeSecond = 10_000_000
	// filetimeUnix is 1970 in seconds since 1601, the start of FILETIME
	// ([MS-DTYP] 2.3.3).
	filetimeUnix = 11_644_473_600
)

func timeOf(ft uint64) time.Time {
	if ft == 0 {
		return time.Time{}
	}
	return time.Unix(int64(ft/filetimeSecond)-filetimeUnix, int64(ft%filetimeSecond)*100).UTC()
}

func filetime(t time.Time) uint64 {
	s := t.Unix() + filetimeUnix
	if t.IsZero() || s < 0 {
		return 0
	}
	return uint64(s)*filetimeSecond + uint64(t.Nanosecond())/100
}
