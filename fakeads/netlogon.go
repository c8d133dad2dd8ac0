package fakeads

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf16"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Operation codes of netlogon responses, [MS-ADTS] 6.3.1.3. The first three begin the forms of before Windows 2000 and of Windows
// 2000, the others NETLOGON_SAM_LOGON_RESPONSE_EX.
const (
	netlogonResponse      = 19
	netlogonPaused        = 20
	netlogonUserUnknown   = 21
	netlogonResponseEx    = 23
	netlogonPausedEx      = 24
	netlogonUserUnknownEx = 25
)

// Bits of NtVer, [MS-ADTS] 6.3.1.1: which forms of an answer a client understands, and which one it gets.
const (
	ntVersion1             = 0x01
	ntVersion5             = 0x02
	ntVersion5Ex           = 0x04
	ntVersion5ExWithIP     = 0x08
	ntVersionClosestSite   = 0x10
	defaultNtVer           = ntVersion5 // of a filter that names none, [MS-ADTS] 6.3.3.2
	netlogonToken          = 0xffff     // LmNtToken and Lm20Token
	netlogonTail           = 8          // NtVersion and the two tokens
	netlogonPreamble       = 24         // opcode, zero, flags and GUID before the first name
	maxNetlogon            = 4096       // of a response that is parsed; names take at most 255 octets each
	maxNetlogonName        = 255        // octets of a name, RFC 1035 2.3.4
	maxNetlogonLabel       = 63
	sockaddrIn             = 16 // size of a sockaddr_in
	addressFamilyInet      = 2
	compressionPointer     = 0xc0
	maxCompressionDistance = 1 << 14
)

// Flags of a domain controller, DS_FLAG options of [MS-ADTS] 6.3.1.2.
const (
	dsPDC        = 0x00001
	dsGC         = 0x00004
	dsLDAP       = 0x00008
	dsDS         = 0x00010
	dsKDC        = 0x00020
	dsTimeServer = 0x00040
	dsClosest    = 0x00080
	dsWritable   = 0x00100
	dsGoodTime   = 0x00200
	dsFullSecret = 0x01000
	dsWebService = 0x02000
	ds2012       = 0x04000
	ds2012R2     = 0x08000
	ds2016       = 0x10000
	dsEvery      = dsGC | dsLDAP | dsDS | dsKDC | dsTimeServer | dsClosest | dsWritable | dsFullSecret | dsWebService | ds2012 | ds2012R2 | ds2016
	dsOnPDC      = dsPDC | dsGoodTime
)

// netlogonUNC begins the name of the logon server in the older forms.
const netlogonUNC = `\\`

// ErrNetlogon is wrapped by every error about a malformed netlogon response or one whose names cannot be encoded.
var ErrNetlogon = errors.New("malformed netlogon response")

// NetlogonResponse is what a domain controller answers to an LDAP ping in the attribute netlogon of the root DSE, [MS-ADTS] 6.3.1.
// Its form is decided by Opcode: 23 to 25 NETLOGON_SAM_LOGON_RESPONSE_EX (6.3.1.9), 19 to 21 the older ones (6.3.1.8, and 6.3.1.7
// when NtVersion lacks the bit 2), which do not have all of the fields.
type NetlogonResponse struct {
	Opcode                         uint16
	Flags                          uint32
	DomainGUID                     security.GUID
	Forest, Domain, Host           string // DNS names
	NetBIOSDomain, NetBIOSComputer string
	User                           string // as asked
	DCSite, ClientSite             string
	Addr                           netip.Addr // IPv4 address of the DC: in the extended form when NtVersion has the bit 8
	NextClosestSite                string     // when NtVersion has the bit 0x10
	NtVersion                      uint32
}

func (n *NetlogonResponse) extended() bool { return n.Opcode >= netlogonResponseEx }

// Marshal encodes the response with names compressed as Windows does. It fails when a name has an empty label, or a label or name is
// too long for RFC 1035.
func (n *NetlogonResponse) Marshal() ([]byte, error) {
	w := netlogonWriter{at: map[string]int{}}
	le := binary.LittleEndian
	w.b = le.AppendUint16(make([]byte, 0, 192), n.Opcode)
	if n.extended() {
		w.b = le.AppendUint16(w.b, 0)
		w.b = le.AppendUint32(w.b, n.Flags)
		w.b = append(w.b, n.DomainGUID[:]...)
		for _, name := range []string{n.Forest, n.Domain, n.Host, n.NetBIOSDomain, n.NetBIOSComputer, n.User, n.DCSite, n.ClientSite} {
			w.name(name)
		}
		if n.NtVersion&ntVersion5ExWithIP != 0 {
			w.b = append(w.b, sockaddrIn)
			w.b = le.AppendUint16(w.b, addressFamilyInet)
			w.b = append(w.b, 0, 0)
			w.b = append(w.b, n.address()...)
			w.b = append(w.b, make([]byte, 8)...)
		}
		if n.NtVersion&ntVersionClosestSite != 0 {
			w.name(n.NextClosestSite)
		}
	} else {
		w.utf16(netlogonUNC + n.NetBIOSComputer)
		w.utf16(n.User)
		w.utf16(n.NetBIOSDomain)
		if n.NtVersion&ntVersion5 != 0 {
			w.b = append(w.b, n.DomainGUID[:]...)
			w.b = append(w.b, make([]byte, 16)...)
			for _, name := range []string{n.Forest, n.Domain, n.Host} {
				w.name(name)
			}
			a := n.address()
			w.b = append(w.b, a[3], a[2], a[1], a[0])
			w.b = le.AppendUint32(w.b, n.Flags)
		}
	}
	w.b = le.AppendUint32(w.b, n.NtVersion)
	w.b = le.AppendUint16(w.b, netlogonToken)
	w.b = le.AppendUint16(w.b, netlogonToken)
	return w.b, w.err
}

// address is the IPv4 address in network order, zeros when there is none.
func (n *NetlogonResponse) address() []byte {
	if a := n.Addr.Unmap(); a.Is4() {
		return a.AsSlice()
	}
	return make([]byte, 4)
}

// netlogonWriter compresses names: at holds where each suffix that has been written begins.
type netlogonWriter struct {
	b   []byte
	at  map[string]int
	err error
}

// cutLabel splits a name after its first label. A dot at the very end belongs to the last label: so does Windows with what a client
// sent as user name.
func cutLabel(name string) (label, rest string) {
	if i := strings.IndexByte(name, '.'); i >= 0 && i < len(name)-1 {
		return name[:i], name[i+1:]
	}
	return name, ""
}

// name appends a name in the form of RFC 1035 4.1.4, with pointers relative to the first octet of the response.
func (w *netlogonWriter) name(name string) {
	if len(name) > maxNetlogonName-2 && w.err == nil {
		w.err = fmt.Errorf("%w: a name has %d octets, at most %d", ErrNetlogon, len(name), maxNetlogonName-2)
	}
	for w.err == nil && name != "" {
		if at, ok := w.at[name]; ok {
			w.b = append(w.b, compressionPointer|byte(at>>8), byte(at))
			return
		}
		if len(w.b) < maxCompressionDistance {
			w.at[name] = len(w.b)
		}
		label, rest := cutLabel(name)
		if label == "" || label == "." || len(label) > maxNetlogonLabel {
			w.err = fmt.Errorf("%w: the name %q has a label of %d octets", ErrNetlogon, name, len(label))
			return
		}
		w.b = append(append(w.b, byte(len(label))), label...)
		name = rest
	}
	w.b = append(w.b, 0)
}

// utf16 appends text in UTF-16LE with a terminating zero.
func (w *netlogonWriter) utf16(s string) {
	if strings.IndexByte(s, 0) >= 0 && w.err == nil {
		w.err = fmt.Errorf("%w: %q contains a zero", ErrNetlogon, s)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		w.b = binary.LittleEndian.AppendUint16(w.b, u)
	}
	w.b = append(w.b, 0, 0)
}

// ParseNetlogon reads a response in any of its forms. Errors wrap [ErrNetlogon].
func ParseNetlogon(b []byte) (*NetlogonResponse, error) {
	if len(b) < 2+netlogonTail || len(b) > maxNetlogon {
		return nil, fmt.Errorf("%w: %d octets", ErrNetlogon, len(b))
	}
	le := binary.LittleEndian
	end := len(b) - netlogonTail
	n := &NetlogonResponse{Opcode: le.Uint16(b), NtVersion: le.Uint32(b[end:])}
	if tokens := le.Uint32(b[end+4:]); tokens != netlogonToken<<16|netlogonToken {
		return nil, fmt.Errorf("%w: tokens %08x", ErrNetlogon, tokens)
	}
	r := netlogonReader{b: b[:end], at: 2}
	switch n.Opcode {
	case netlogonResponseEx, netlogonPausedEx, netlogonUserUnknownEx:
		r.take(2)
		n.Flags = le.Uint32(r.take(4))
		copy(n.DomainGUID[:], r.take(16))
		for _, s := range []*string{&n.Forest, &n.Domain, &n.Host, &n.NetBIOSDomain, &n.NetBIOSComputer, &n.User, &n.DCSite, &n.ClientSite} {
			*s = r.name()
		}
		if n.NtVersion&ntVersion5ExWithIP != 0 {
			if size := r.take(1)[0]; size != sockaddrIn {
				r.fail("socket address of %d octets", size)
			}
			addr := r.take(sockaddrIn)
			if family := le.Uint16(addr); family != addressFamilyInet {
				r.fail("address family %d", family)
			}
			n.Addr = netip.AddrFrom4([4]byte(addr[4:8]))
		}
		if n.NtVersion&ntVersionClosestSite != 0 {
			n.NextClosestSite = r.name()
		}
	case netlogonResponse, netlogonPaused, netlogonUserUnknown:
		server := r.utf16()
		name, ok := strings.CutPrefix(server, netlogonUNC)
		if !ok {
			r.fail("logon server %q", server)
		}
		n.NetBIOSComputer, n.User, n.NetBIOSDomain = name, r.utf16(), r.utf16()
		if n.NtVersion&ntVersion5 != 0 {
			copy(n.DomainGUID[:], r.take(16))
			r.take(16)
			n.Forest, n.Domain, n.Host = r.name(), r.name(), r.name()
			a := r.take(4)
			n.Addr = netip.AddrFrom4([4]byte{a[3], a[2], a[1], a[0]})
			n.Flags = le.Uint32(r.take(4))
		}
	default:
		r.fail("operation code %d", n.Opcode)
	}
	if r.err == nil && r.at != len(r.b) {
		r.fail("%d octets left over", len(r.b)-r.at)
	}
	if r.err != nil {
		return nil, r.err
	}
	return n, nil
}

// netlogonReader takes the parts off a response. The first error stays; after it, parts read as zeros.
type netlogonReader struct {
	b   []byte
	at  int
	err error
}

func (r *netlogonReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s, at octet %d", ErrNetlogon, fmt.Sprintf(format, args...), r.at)
	}
}

func (r *netlogonReader) take(n int) []byte {
	if r.err == nil && n > len(r.b)-r.at {
		r.fail("cut short")
	}
	if r.err != nil {
		return make([]byte, n)
	}
	r.at += n
	return r.b[r.at-n : r.at]
}

// name reads a name of RFC 1035 4.1.4. Pointers lead backwards only, so that every name ends.
func (r *netlogonReader) name() string {
	var name []byte
	at, limit, jumped := r.at, len(r.b), false
	for r.err == nil {
		if at >= limit {
			r.fail("name cut short")
			break
		}
		n := int(r.b[at])
		switch {
		case n == 0:
			if !jumped {
				r.at = at + 1
			}
			return string(name)
		case n&compressionPointer == compressionPointer:
			if at+1 >= limit {
				r.fail("name cut short")
				break
			}
			to := n&^compressionPointer<<8 | int(r.b[at+1])
			if !jumped {
				r.at, jumped = at+2, true
			}
			if to >= at {
				r.fail("pointer to octet %d", to)
				break
			}
			// What the pointer leads to has been there before: it ends before the pointer.
			at, limit = to, at
		case n > maxNetlogonLabel:
			r.fail("label type 0x%02x", n)
		case n >= limit-at:
			r.fail("label cut short")
		default:
			label := r.b[at+1 : at+1+n]
			if dot := strings.IndexByte(string(label), '.'); dot >= 0 && (dot < n-1 || n == 1) || len(name) > 0 && name[len(name)-1] == '.' {
				r.fail("dot in a label")
				break
			}
			if len(name) > 0 {
				name = append(name, '.')
			}
			name = append(name, label...)
			if len(name) > maxNetlogonName-2 {
				r.fail("name of more than %d octets", maxNetlogonName-2)
			}
			at += 1 + n
		}
	}
	return ""
}

// utf16 reads UTF-16LE up to a zero.
func (r *netlogonReader) utf16() string {
	var units []uint16
	for r.err == nil {
		u := binary.LittleEndian.Uint16(r.take(2))
		if u == 0 {
			return string(utf16.Decode(units))
		}
		units = append(units, u)
	}
	return ""
}
