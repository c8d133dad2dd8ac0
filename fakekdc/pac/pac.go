package pac

import (
	"errors"
	"slices"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Buffer types, [MS-PAC] 2.4.
const (
	TypeLogonInfo       uint32 = 1
	TypeCredentials     uint32 = 2
	TypeServerChecksum  uint32 = 6
	TypeKDCChecksum     uint32 = 7
	TypeClientInfo      uint32 = 10
	TypeDelegationInfo  uint32 = 11
	TypeUPNDNSInfo      uint32 = 12
	TypeClientClaims    uint32 = 13
	TypeDeviceInfo      uint32 = 14
	TypeDeviceClaims    uint32 = 15
	TypeTicketChecksum  uint32 = 16
	TypeAttributes      uint32 = 17
	TypeRequestor       uint32 = 18
	TypeFullPACChecksum uint32 = 19
)

// PAC attribute flags, [MS-PAC] 2.14: how the client came to a PAC.
const (
	AttributeRequested       uint32 = 1
	AttributeGivenImplicitly uint32 = 2
)

// UPNDNSInfo flags, [MS-PAC] 2.10.
const (
	UPNConstructed uint32 = 1 // the account has no userPrincipalName
	UPNExtended    uint32 = 2 // name and SID follow
)

// Errors of this package.
var (
	// ErrFormat is wrapped by every error about a malformed PAC.
	ErrFormat = errors.New("malformed PAC")
	// ErrSignature is wrapped by every error about a missing or wrong signature.
	ErrSignature = errors.New("PAC signature does not verify")
)

// PAC is a decoded PAC. Buffers that are absent are nil or zero.
type PAC struct {
	LogonInfo  *LogonInfo
	ClientInfo *ClientInfo
	UPNDNSInfo *UPNDNSInfo
	// Attributes is the flags of PAC_ATTRIBUTES_INFO, in TGTs only.
	Attributes *uint32
	// Requestor is the SID of PAC_REQUESTOR, in TGTs only.
	Requestor  security.SID
	Delegation *DelegationInfo
	// Raw holds the buffers that are carried as they are: credentials,
	// claims, device information and unknown types.
	Raw []Buffer
	// Server, KDC, Ticket and Full are the signatures of a parsed PAC.
	Server, KDC, Ticket, Full *Signature

	encoded []byte // of a parsed PAC
}

// Buffer is an undecoded PAC_INFO_BUFFER.
type Buffer struct {
	Type uint32
	Data []byte
}

// Signature is a PAC_SIGNATURE_DATA, [MS-PAC] 2.8.
type Signature struct {
	// Type is the checksum type, krbcrypt.ChecksumAES256SHA1 and the like.
	Type int32
	Sum  []byte
	// RODC is the identifier of the read-only DC that signed, 0 if none did.
	RODC uint16

	offset int // of Sum in the encoded PAC
}

// ClientInfo is PAC_CLIENT_INFO, [MS-PAC] 2.7.
type ClientInfo struct {
	// AuthTime is the authtime of the ticket, in whole seconds.
	AuthTime time.Time
	// Name is the client's name as in the ticket's cname, without the realm.
	Name string
}

// UPNDNSInfo is UPN_DNS_INFO, [MS-PAC] 2.10.
type UPNDNSInfo struct {
	UPN string
	// DNSDomain is in upper case.
	DNSDomain string
	Flags     uint32
	// SAMAccountName and SID are there when Flags has UPNExtended.
	SAMAccountName string
	SID            security.SID
}

// DelegationInfo is S4U_DELEGATION_INFO, [MS-PAC] 2.9.
type DelegationInfo struct {
	// Target is the service the last proxy asked for, "http/web.contoso.com".
	Target string
	// Transited is every service that delegated, "svc$@CONTOSO.COM".
	Transited []string
}

// SignOptions says what a PAC is signed with.
type SignOptions struct {
	// ServerKey is the key the ticket is encrypted in, KDCKey the krbtgt's.
	ServerKey, KDCKey *krbcrypt.Key
	// TicketPart is the DER of the EncTicketPart whose PAC is one zero octet
	// ([MS-PAC] 2.8.3). Nil for a TGT and for kadmin/changepw: no ticket signature.
	TicketPart []byte
	// Full adds the extended KDC signature over the PAC ([MS-PAC] 2.8.4), in
	// service tickets since the updates of November 2022.
	Full bool
}

// SIDs is what a server's token is built from: the user first, then primary
// group, groups, extra SIDs and resource groups, each once ([MS-KILE] 3.4.5.3).
// A user of another domain has UserID 0 and is the first of the extra SIDs.
func (p *PAC) SIDs() []security.SID {
	l := p.LogonInfo
	if l == nil {
		return nil
	}
	sids := make([]security.SID, 0, 2+len(l.Groups)+len(l.ExtraSIDs)+len(l.ResourceGroups))
	add := func(s security.SID) {
		if !s.IsZero() && !slices.Contains(sids, s) {
			sids = append(sids, s)
		}
	}
	if l.UserID != 0 {
		add(l.LogonDomainID.Append(l.UserID))
		add(l.LogonDomainID.Append(l.PrimaryGroupID))
	} else if len(l.ExtraSIDs) > 0 {
		add(l.ExtraSIDs[0].SID)
	}
	for _, g := range l.Groups {
		add(l.LogonDomainID.Append(g.RID))
	}
	for _, s := range l.ExtraSIDs {
		add(s.SID)
	}
	for _, g := range l.ResourceGroups {
		add(l.ResourceGroupDomain.Append(g.RID))
	}
	return sids
}
