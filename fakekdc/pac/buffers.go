package pac

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// PAC_CLIENT_INFO, [MS-PAC] 2.7: FILETIME, length in bytes, name.

func appendClientInfo(b []byte, c *ClientInfo) ([]byte, error) {
	n := utf16Len(c.Name)
	if n > math.MaxUint16/2 {
		return nil, fmt.Errorf("name of %d characters", n)
	}
	b = binary.LittleEndian.AppendUint64(b, filetime(c.AuthTime))
	b = binary.LittleEndian.AppendUint16(b, uint16(2*n))
	return appendUTF16(b, c.Name), nil
}

func parseClientInfo(b []byte) (*ClientInfo, error) {
	if len(b) < 10 {
		return nil, fmt.Errorf("%d bytes, at least 10 are needed", len(b))
	}
	n := int(binary.LittleEndian.Uint16(b[8:]))
	if n%2 != 0 || n != len(b)-10 {
		return nil, fmt.Errorf("name of %d bytes in %d", n, len(b)-10)
	}
	return &ClientInfo{AuthTime: timeOf(binary.LittleEndian.Uint64(b)), Name: stringUTF16(b[10:])}, nil
}

// UPN_DNS_INFO, [MS-PAC] 2.10: lengths and offsets, then what they point at,
// each at a multiple of 8. Windows counts the padding at the end.

const (
	upnHeader         = 12
	upnHeaderExtended = 20
)

func appendUPNDNSInfo(b []byte, u *UPNDNSInfo) ([]byte, error) {
	start := len(b)
	header := upnHeader
	if u.Flags&UPNExtended != 0 {
		header = upnHeaderExtended
	}
	b = append(b, make([]byte, header)...)
	put := func(field int, data func([]byte) []byte) error {
		b = pad(b, start)
		from := len(b) - start
		b = data(b)
		size := len(b) - start - from
		if from > math.MaxUint16 || size > math.MaxUint16 {
			return fmt.Errorf("%d bytes at offset %d do not fit", size, from)
		}
		binary.LittleEndian.PutUint16(b[start+field:], uint16(size))
		binary.LittleEndian.PutUint16(b[start+field+2:], uint16(from))
		return nil
	}
	if err := put(0, func(b []byte) []byte { return appendUTF16(b, u.UPN) }); err != nil {
		return nil, err
	}
	if err := put(4, func(b []byte) []byte { return appendUTF16(b, u.DNSDomain) }); err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(b[start+8:], u.Flags)
	if header == upnHeaderExtended {
		if err := put(12, func(b []byte) []byte { return appendUTF16(b, u.SAMAccountName) }); err != nil {
			return nil, err
		}
		if err := put(16, u.SID.AppendTo); err != nil {
			return nil, err
		}
	}
	return pad(b, start), nil
}

func parseUPNDNSInfo(b []byte) (*UPNDNSInfo, error) {
	if len(b) < upnHeader {
		return nil, fmt.Errorf("%d bytes, at least %d are needed", len(b), upnHeader)
	}
	u := &UPNDNSInfo{Flags: binary.LittleEndian.Uint32(b[8:])}
	header := upnHeader
	if u.Flags&UPNExtended != 0 {
		header = upnHeaderExtended
	}
	if len(b) < header {
		return nil, fmt.Errorf("%d bytes, at least %d are needed", len(b), header)
	}
	part := func(field int) ([]byte, error) {
		size, from := int(binary.LittleEndian.Uint16(b[field:])), int(binary.LittleEndian.Uint16(b[field+2:]))
		if size == 0 {
			return nil, nil
		}
		if from < header || from+size > len(b) {
			return nil, fmt.Errorf("%d bytes at offset %d of %d", size, from, len(b))
		}
		return b[from : from+size], nil
	}
	text := func(field int) (string, error) {
		data, err := part(field)
		if err == nil && len(data)%2 != 0 {
			err = fmt.Errorf("string of %d bytes", len(data))
		}
		return stringUTF16(data), err
	}
	var err error
	if u.UPN, err = text(0); err != nil {
		return nil, fmt.Errorf("UPN: %w", err)
	}
	if u.DNSDomain, err = text(4); err != nil {
		return nil, fmt.Errorf("DNS domain: %w", err)
	}
	if header == upnHeader {
		return u, nil
	}
	if u.SAMAccountName, err = text(12); err != nil {
		return nil, fmt.Errorf("SAM account name: %w", err)
	}
	sid, err := part(16)
	if err == nil {
		u.SID, err = security.SIDFromBytes(sid)
	}
	if err != nil {
		return nil, fmt.Errorf("SID: %w", err)
	}
	return u, nil
}

// S4U_DELEGATION_INFO, [MS-PAC] 2.9, in NDR.

func appendDelegationInfo(b []byte, d *DelegationInfo) ([]byte, error) {
	w := newNDRWriter(b)
	w.str(d.Target, 0)
	w.u32(uint32(len(d.Transited)))
	w.pointer(len(d.Transited) > 0)
	w.text(d.Target, 0)
	if len(d.Transited) > 0 {
		w.align(4)
		w.u32(uint32(len(d.Transited)))
		for _, s := range d.Transited {
			w.str(s, 0)
		}
		for _, s := range d.Transited {
			w.text(s, 0)
		}
	}
	return w.finish()
}

func parseDelegationInfo(b []byte) (*DelegationInfo, error) {
	r, err := newNDRReader(b)
	if err != nil {
		return nil, err
	}
	d := new(DelegationInfo)
	target := r.str()
	transited := r.u32()
	hasTransited := r.u32() != 0
	d.Target = r.text(target)
	if hasTransited {
		heads := make([]stringHead, r.count(transited, 8))
		for i := range heads {
			heads[i] = r.str()
		}
		for _, h := range heads {
			d.Transited = append(d.Transited, r.text(h))
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return d, nil
}

// PAC_ATTRIBUTES_INFO, [MS-PAC] 2.14: the number of flag bits, then the flags.

const attributeBits = 2

func appendAttributes(b []byte, flags uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, attributeBits)
	return binary.LittleEndian.AppendUint32(b, flags)
}

func parseAttributes(b []byte) (*uint32, error) {
	if len(b) < 8 {
		return nil, fmt.Errorf("%d bytes, at least 8 are needed", len(b))
	}
	if n := binary.LittleEndian.Uint32(b); n == 0 || n > 8*uint32(len(b)-4) {
		return nil, fmt.Errorf("%d flag bits in %d bytes", n, len(b)-4)
	}
	flags := binary.LittleEndian.Uint32(b[4:])
	return &flags, nil
}

// pad aligns the end of b to 8 bytes, counted from start.
func pad(b []byte, start int) []byte {
	for (len(b)-start)%8 != 0 {
		b = append(b, 0)
	}
	return b
}
