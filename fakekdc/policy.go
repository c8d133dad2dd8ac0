package fakekdc

import (
	"cmp"
	"time"
)

// Bits of msDS-SupportedEncryptionTypes, [MS-KILE] 2.2.7.
const (
	ETypeBitDESCRC uint32 = 0x1
	ETypeBitDESMD5 uint32 = 0x2
	ETypeBitRC4    uint32 = 0x4
	ETypeBitAES128 uint32 = 0x8
	ETypeBitAES256 uint32 = 0x10
	// ETypeBitAESSessions: session keys are AES, though the ticket may be encrypted in RC4 (AES256-CTS-HMAC-SHA1-96-SK).
	ETypeBitAESSessions uint32 = 0x20
	// ETypeBitAES128SHA2 and ETypeBitAES256SHA2 are RFC 8009's types.
	// guess: the bits 0x40 and 0x80 of msDS-SupportedEncryptionTypes are the RFC 8009 encryption types, as Windows Server 2025 is said to have them.
	ETypeBitAES128SHA2 uint32 = 0x40
	ETypeBitAES256SHA2 uint32 = 0x80
	// ETypeBitNoSIDCompression: domain-local groups go into the PAC as whole SIDs ([MS-KILE] 3.3.5.7.4).
	ETypeBitNoSIDCompression uint32 = 0x80000
)

// etypeBits are the bits that name encryption types; the others are properties of an account.
const etypeBits uint32 = 0xFF

// Values of [Policy.DefaultETypes], which is DefaultDomainSupportedEncTypes, by the updates that made them the default.
const (
	// DefaultETypesBefore2022: an account that says nothing gets RC4.
	DefaultETypesBefore2022 = ETypeBitDESCRC | ETypeBitDESMD5 | ETypeBitRC4
	// DefaultETypes2022: RC4 tickets with AES session keys, since November 2022 (CVE-2022-37966).
	DefaultETypes2022 = DefaultETypesBefore2022 | ETypeBitAESSessions
	// DefaultETypes2026: AES only, since April 2026 (CVE-2026-20833, KB5073381).
	DefaultETypes2026 = ETypeBitAES128 | ETypeBitAES256
)

// Policy is what a domain's administrator may set. Its zero value is Active Directory's defaults.
type Policy struct {
	// DefaultETypes is DefaultDomainSupportedEncTypes: what an account supports whose msDS-SupportedEncryptionTypes is absent or
	// 0. Zero: [DefaultETypes2022].
	DefaultETypes uint32
	// AllowedETypes are the encryption types that the domain controllers use at all, by "Network security: Configure encryption types
	// allowed for Kerberos": the bits of msDS-SupportedEncryptionTypes. Zero: all.
	AllowedETypes uint32
	// MaxTicketAge is the life of a TGT ("Maximum lifetime for user ticket"); zero: 10 hours.
	MaxTicketAge time.Duration
	// MaxServiceAge is the life of a service ticket, which never outlives the TGT; zero: 10 hours.
	MaxServiceAge time.Duration
	// MaxRenewAge is how long a ticket may be renewed; zero: 7 days.
	MaxRenewAge time.Duration
	// MaxClockSkew is how far a client's clock may be off; zero: 5 minutes.
	MaxClockSkew time.Duration
}

// Level is what an update makes of a domain controller, whatever its policy is.
type Level struct {
	// DefaultETypes are [Policy.DefaultETypes] of the update, where the policy says nothing. Zero: [DefaultETypes2022].
	DefaultETypes uint32
	// AllowedETypes are the types that are used at all. Zero: all.
	AllowedETypes uint32
	// RefusesWithoutRC4 is the defect of the first build of November 2022: an account that declares AES and not RC4 cannot sign in (event 14,
	// the missing key has an ID of 1).
	//
	// guess: which accounts the defect strikes is taken from reports; the KB pages say only that accounts broke
	RefusesWithoutRC4 bool
}

func (k *KDC) level() Level {
	if k.Level == nil {
		return Level{}
	}
	return k.Level()
}

// Lives that no policy changes.
const (
	// passwordTicketAge is the life of a kadmin/changepw ticket, as Samba's tests saw it on Windows.
	passwordTicketAge = 2 * time.Minute
	// protectedAge is the life of a TGT of a member of Protected Users, [MS-KILE] 3.3.5.6.
	protectedAge = 4 * time.Hour
	// standingAge is the age of a TGT from which the account is checked again for each service ticket, [MS-KILE] 3.3.5.7.1.
	standingAge = 20 * time.Minute
)

func (p *Policy) allowedETypes() uint32         { return cmp.Or(p.AllowedETypes, ^uint32(0)) }
func (p *Policy) ticketAge() time.Duration      { return cmp.Or(p.MaxTicketAge, 10*time.Hour) }
func (p *Policy) serviceAge() time.Duration     { return cmp.Or(p.MaxServiceAge, 10*time.Hour) }
func (p *Policy) renewAge() time.Duration       { return cmp.Or(p.MaxRenewAge, 7*24*time.Hour) }
func (p *Policy) skew() time.Duration           { return cmp.Or(p.MaxClockSkew, 5*time.Minute) }
func (p *Policy) isSkewed(d time.Duration) bool { return d > p.skew() || d < -p.skew() }
