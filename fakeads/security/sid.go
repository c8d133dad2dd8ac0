package security

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxSubAuthorities is the most sub-authorities a SID may have
// ([MS-DTYP] 2.4.2.2).
const maxSubAuthorities = 15

// ErrSID is wrapped by every error about a malformed SID.
var ErrSID = errors.New("malformed SID")

// SID is a security identifier, [MS-DTYP] 2.4.2. The zero value is no SID at
// all. SIDs are comparable and usable as map keys.
type SID struct {
	raw string // binary form, 8 + 4n bytes
}

// NewSID makes a SID of an identifier authority (48 bits) and up to 15
// sub-authorities. More of either panic: the arguments are the program's own.
func NewSID(authority uint64, sub ...uint32) SID {
	if len(sub) > maxSubAuthorities || authority >= 1<<48 {
		panic(fmt.Sprintf("security: SID of authority %d with %d sub-authorities", authority, len(sub)))
	}
	var b [8 + 4*maxSubAuthorities]byte
	binary.BigEndian.PutUint64(b[:], authority)
	b[0], b[1] = 1, byte(len(sub))
	for i, s := range sub {
		binary.LittleEndian.PutUint32(b[8+4*i:], s)
	}
	return SID{raw: string(b[:8+4*len(sub)])}
}

// ParseSID reads the string form "S-1-5-21-…" ([MS-DTYP] 2.4.2.1). The
// authority may be decimal or, from 2^32 on, hexadecimal with 0x.
func ParseSID(s string) (SID, error) {
	if len(s) < 4 || (s[0] != 'S' && s[0] != 's') || s[1:4] != "-1-" {
		return SID{}, fmt.Errorf("%w %q: it must start with S-1-", ErrSID, clip(s))
	}
	parts := strings.Split(s[4:], "-")
	if len(parts)-1 > maxSubAuthorities {
		return SID{}, fmt.Errorf("%w %q: more than %d sub-authorities", ErrSID, clip(s), maxSubAuthorities)
	}
	base, digits := 10, parts[0]
	if strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X") {
		base, digits = 16, digits[2:]
	}
	authority, err := strconv.ParseUint(digits, base, 48)
	if err != nil {
		return SID{}, fmt.Errorf("%w %q: authority: %w", ErrSID, clip(s), err)
	}
	sub := make([]uint32, 0, maxSubAuthorities)
	for _, p := range parts[1:] {
		v, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return SID{}, fmt.Errorf("%w %q: sub-authority: %w", ErrSID, clip(s), err)
		}
		sub = append(sub, uint32(v))
	}
	return NewSID(authority, sub...), nil
}

// MustSID is ParseSID for constants; it panics on error.
func MustSID(s string) SID {
	sid, err := ParseSID(s)
	if err != nil {
		panic(err)
	}
	return sid
}

// SIDFromBytes reads the binary form, which must fill b.
func SIDFromBytes(b []byte) (SID, error) {
	sid, n, err := sidPrefix(b)
	if err != nil {
		return SID{}, err
	}
	if n != len(b) {
		return SID{}, fmt.Errorf("%w: %d bytes after a SID of %d", ErrSID, len(b)-n, n)
	}
	return sid, nil
}

// sidPrefix reads a SID from the start of b and tells its length.
func sidPrefix(b []byte) (SID, int, error) {
	if len(b) < 8 {
		return SID{}, 0, fmt.Errorf("%w: %d bytes, at least 8 are needed", ErrSID, len(b))
	}
	if b[0] != 1 {
		return SID{}, 0, fmt.Errorf("%w: revision %d, only 1 exists", ErrSID, b[0])
	}
	n := 8 + 4*int(b[1])
	if b[1] > maxSubAuthorities || n > len(b) {
		return SID{}, 0, fmt.Errorf("%w: %d sub-authorities in %d bytes", ErrSID, b[1], len(b))
	}
	return SID{raw: string(b[:n])}, n, nil
}

// String is the form "S-1-5-…"; empty for the zero SID.
func (s SID) String() string {
	if s.raw == "" {
		return ""
	}
	var buf [190]byte
	out := append(buf[:0], "S-1-"...)
	if a := s.Authority(); a < 1<<32 {
		out = strconv.AppendUint(out, a, 10)
	} else {
		out = fmt.Appendf(out, "0x%012x", a)
	}
	for i := range s.Len() {
		out = append(out, '-')
		out = strconv.AppendUint(out, uint64(s.Sub(i)), 10)
	}
	return string(out)
}

// Bytes is the binary form, a fresh slice; nil for the zero SID.
func (s SID) Bytes() []byte {
	if s.raw == "" {
		return nil
	}
	return []byte(s.raw)
}

// AppendTo appends the binary form.
func (s SID) AppendTo(b []byte) []byte { return append(b, s.raw...) }

// Size is the length of the binary form in bytes.
func (s SID) Size() int { return len(s.raw) }

// IsZero tells whether s is no SID.
func (s SID) IsZero() bool { return s.raw == "" }

// Authority is the 48-bit identifier authority: 5 for NT.
func (s SID) Authority() uint64 {
	if s.raw == "" {
		return 0
	}
	var b [8]byte
	copy(b[2:], s.raw[2:8])
	return binary.BigEndian.Uint64(b[:])
}

// Len is the number of sub-authorities.
func (s SID) Len() int {
	if s.raw == "" {
		return 0
	}
	return int(s.raw[1])
}

// Sub is the i-th sub-authority, counted from 0.
func (s SID) Sub(i int) uint32 {
	o := 8 + 4*i
	r := s.raw[o : o+4]
	return uint32(r[0]) | uint32(r[1])<<8 | uint32(r[2])<<16 | uint32(r[3])<<24
}

// RID is the last sub-authority: within a domain, the relative identifier.
// It is 0 when there is none.
func (s SID) RID() uint32 {
	if s.Len() == 0 {
		return 0
	}
	return s.Sub(s.Len() - 1)
}

// Domain is s without its last sub-authority: the domain of an account's SID.
// It is the zero SID when there is none.
func (s SID) Domain() SID {
	n := s.Len()
	if n == 0 {
		return SID{}
	}
	return SID{raw: s.raw[:1] + string(rune(n-1)) + s.raw[2:len(s.raw)-4]}
}

// Append is s with one more sub-authority: the SID of a domain's account. It is
// the zero SID when s is zero or full.
func (s SID) Append(rid uint32) SID {
	n := s.Len()
	if s.raw == "" || n == maxSubAuthorities {
		return SID{}
	}
	var b [8 + 4*maxSubAuthorities]byte
	copy(b[:], s.raw)
	b[1] = byte(n + 1)
	binary.LittleEndian.PutUint32(b[len(s.raw):], rid)
	return SID{raw: string(b[:len(s.raw)+4])}
}

// clip keeps outside text in an error message short.
func clip(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}

// Well-known SIDs, [MS-DTYP] 2.4.2.4.
var (
	Everyone                      = MustSID("S-1-1-0")
	CreatorOwner                  = MustSID("S-1-3-0")
	CreatorGroup                  = MustSID("S-1-3-1")
	OwnerRights                   = MustSID("S-1-3-4")
	Network                       = MustSID("S-1-5-2")
	Interactive                   = MustSID("S-1-5-4")
	Service                       = MustSID("S-1-5-6")
	Anonymous                     = MustSID("S-1-5-7")
	EnterpriseDCs                 = MustSID("S-1-5-9")
	Self                          = MustSID("S-1-5-10") // PRINCIPAL_SELF
	AuthenticatedUsers            = MustSID("S-1-5-11")
	ThisOrganization              = MustSID("S-1-5-15")
	System                        = MustSID("S-1-5-18")
	LocalService                  = MustSID("S-1-5-19")
	NetworkService                = MustSID("S-1-5-20")
	NTLMAuthentication            = MustSID("S-1-5-64-10")
	BuiltinDomain                 = MustSID("S-1-5-32")
	BuiltinAdministrators         = MustSID("S-1-5-32-544")
	BuiltinUsers                  = MustSID("S-1-5-32-545")
	BuiltinGuests                 = MustSID("S-1-5-32-546")
	AccountOperators              = MustSID("S-1-5-32-548")
	ServerOperators               = MustSID("S-1-5-32-549")
	PrintOperators                = MustSID("S-1-5-32-550")
	BackupOperators               = MustSID("S-1-5-32-551")
	PreWindows2000Access          = MustSID("S-1-5-32-554")
	IncomingForestTrustBuilders   = MustSID("S-1-5-32-557")
	WindowsAuthorizationAccess    = MustSID("S-1-5-32-560")
	TerminalServerLicenseServers  = MustSID("S-1-5-32-561")
	AuthenticationAuthorityAssert = MustSID("S-1-18-1") // the KDC proved the identity
	ServiceAsserted               = MustSID("S-1-18-2") // S4U2Self did
)

// Relative identifiers of a domain's own accounts, [MS-DTYP] 2.4.2.4.
const (
	RIDAdministrator             = 500
	RIDGuest                     = 501
	RIDKrbtgt                    = 502
	RIDDomainAdmins              = 512
	RIDDomainUsers               = 513
	RIDDomainGuests              = 514
	RIDDomainComputers           = 515
	RIDDomainControllers         = 516
	RIDCertPublishers            = 517
	RIDSchemaAdmins              = 518
	RIDEnterpriseAdmins          = 519
	RIDGroupPolicyCreators       = 520
	RIDReadOnlyDomainControllers = 521
	RIDCloneableControllers      = 522
	RIDProtectedUsers            = 525
	RIDKeyAdmins                 = 526
	RIDEnterpriseKeyAdmins       = 527
	RIDRASServers                = 553
)
