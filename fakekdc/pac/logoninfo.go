package pac

import (
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// UserFlags of a logon, [MS-PAC] 2.5.
const (
	UserFlagExtraSIDs      uint32 = 0x20
	UserFlagResourceGroups uint32 = 0x200
)

// Account control bits of LogonInfo: those of SAM ([MS-SAMR] 2.2.1.12), not of
// the userAccountControl attribute.
const (
	UserAccountDisabled            uint32 = 0x1
	UserNormalAccount              uint32 = 0x10
	UserWorkstationTrust           uint32 = 0x80
	UserServerTrust                uint32 = 0x100
	UserDontExpirePassword         uint32 = 0x200
	UserTrustedForDelegation       uint32 = 0x2000
	UserNotDelegated               uint32 = 0x4000
	UserDontRequirePreauth         uint32 = 0x10000
	UserTrustedToAuthForDelegation uint32 = 0x40000
)

// Group attributes, [MS-PAC] 2.2.1.
const (
	// GroupDefault is mandatory, enabled by default and enabled.
	GroupDefault uint32 = 7
	// GroupResource is GroupDefault for a domain-local group.
	GroupResource uint32 = 0x20000007
)

// GroupMembership is a group of the account's own domain, [MS-PAC] 2.2.2.
type GroupMembership struct {
	RID, Attributes uint32
}

// SIDAndAttributes is KERB_SID_AND_ATTRIBUTES, [MS-PAC] 2.2.1.
type SIDAndAttributes struct {
	SID        security.SID
	Attributes uint32
}

// LogonInfo is KERB_VALIDATION_INFO, [MS-PAC] 2.5. A zero time is FILETIME 0,
// [Never] is 0x7FFFFFFFFFFFFFFF.
type LogonInfo struct {
	LogonTime, LogoffTime, KickOffTime                     time.Time
	PasswordLastSet, PasswordCanChange, PasswordMustChange time.Time
	EffectiveName, FullName, LogonScript                   string
	ProfilePath, HomeDirectory, HomeDirectoryDrive         string
	LogonCount, BadPasswordCount                           uint16
	UserID, PrimaryGroupID                                 uint32
	Groups                                                 []GroupMembership
	UserFlags                                              uint32
	UserSessionKey                                         [16]byte
	LogonServer, LogonDomainName                           string
	LogonDomainID                                          security.SID
	// UserAccountControl has SAM's bits: UserNormalAccount and the like.
	UserAccountControl                     uint32
	SubAuthStatus                          uint32
	LastSuccessfulILogon, LastFailedILogon time.Time
	FailedILogonCount                      uint32
	ExtraSIDs                              []SIDAndAttributes
	ResourceGroupDomain                    security.SID
	ResourceGroups                         []GroupMembership
}

// Never is the time that does not come: FILETIME 0x7FFFFFFFFFFFFFFF.
func Never() time.Time { return timeOf(filetimeNever) }

// appendLogonInfo appends the NDR of l. Pointers, padding and the spare
// characters of the last two names are as Windows writes them.
func appendLogonInfo(b []byte, l *LogonInfo) ([]byte, error) {
	w := newNDRWriter(b)
	for _, t := range [...]time.Time{l.LogonTime, l.LogoffTime, l.KickOffTime, l.PasswordLastSet, l.PasswordCanChange, l.PasswordMustChange} {
		w.time(t)
	}
	names := [...]string{l.EffectiveName, l.FullName, l.LogonScript, l.ProfilePath, l.HomeDirectory, l.HomeDirectoryDrive}
	for _, s := range names {
		w.str(s, 0)
	}
	w.u16(l.LogonCount)
	w.u16(l.BadPasswordCount)
	w.u32(l.UserID)
	w.u32(l.PrimaryGroupID)
	w.u32(uint32(len(l.Groups)))
	w.pointer(len(l.Groups) > 0)
	w.u32(l.UserFlags)
	w.b = append(w.b, l.UserSessionKey[:]...)
	w.str(l.LogonServer, 1)
	w.str(l.LogonDomainName, 1)
	w.pointer(!l.LogonDomainID.IsZero())
	w.u32(0) // Reserved1
	w.u32(0)
	w.u32(l.UserAccountControl)
	w.u32(l.SubAuthStatus)
	w.time(l.LastSuccessfulILogon)
	w.time(l.LastFailedILogon)
	w.u32(l.FailedILogonCount)
	w.u32(0) // Reserved3
	w.u32(uint32(len(l.ExtraSIDs)))
	w.pointer(len(l.ExtraSIDs) > 0)
	// Windows numbers the pointers inside the array before the next one outside.
	extraReferent := w.referent
	w.referent += nextReferent * uint32(len(l.ExtraSIDs))
	w.pointer(!l.ResourceGroupDomain.IsZero())
	w.u32(uint32(len(l.ResourceGroups)))
	w.pointer(len(l.ResourceGroups) > 0)

	// What the pointers refer to, in their order.
	for _, s := range names {
		w.text(s, 0)
	}
	if len(l.Groups) > 0 {
		w.groups(l.Groups)
	}
	w.text(l.LogonServer, 1)
	w.text(l.LogonDomainName, 1)
	if !l.LogonDomainID.IsZero() {
		w.sid(l.LogonDomainID)
	}
	if len(l.ExtraSIDs) > 0 {
		w.align(4)
		w.u32(uint32(len(l.ExtraSIDs)))
		for i, s := range l.ExtraSIDs {
			w.u32(extraReferent + nextReferent*uint32(i))
			w.u32(s.Attributes)
		}
		for _, s := range l.ExtraSIDs {
			w.sid(s.SID)
		}
	}
	if !l.ResourceGroupDomain.IsZero() {
		w.sid(l.ResourceGroupDomain)
	}
	if len(l.ResourceGroups) > 0 {
		w.groups(l.ResourceGroups)
	}
	return w.finish()
}

func parseLogonInfo(b []byte) (*LogonInfo, error) {
	r, err := newNDRReader(b)
	if err != nil {
		return nil, err
	}
	l := new(LogonInfo)
	for _, t := range [...]*time.Time{&l.LogonTime, &l.LogoffTime, &l.KickOffTime, &l.PasswordLastSet, &l.PasswordCanChange, &l.PasswordMustChange} {
		*t = r.time()
	}
	names := [...]*string{&l.EffectiveName, &l.FullName, &l.LogonScript, &l.ProfilePath, &l.HomeDirectory, &l.HomeDirectoryDrive}
	var heads [len(names)]stringHead
	for i := range heads {
		heads[i] = r.str()
	}
	l.LogonCount = r.u16()
	l.BadPasswordCount = r.u16()
	l.UserID = r.u32()
	l.PrimaryGroupID = r.u32()
	groups := r.u32()
	hasGroups := r.u32() != 0
	l.UserFlags = r.u32()
	copy(l.UserSessionKey[:], r.take(len(l.UserSessionKey)))
	server, domain := r.str(), r.str()
	hasDomainID := r.u32() != 0
	r.take(8) // Reserved1
	l.UserAccountControl = r.u32()
	l.SubAuthStatus = r.u32()
	l.LastSuccessfulILogon = r.time()
	l.LastFailedILogon = r.time()
	l.FailedILogonCount = r.u32()
	r.take(4) // Reserved3
	extra := r.u32()
	hasExtra := r.u32() != 0
	hasResourceDomain := r.u32() != 0
	resource := r.u32()
	hasResource := r.u32() != 0

	for i, s := range names {
		*s = r.text(heads[i])
	}
	if hasGroups {
		l.Groups = r.groups(groups)
	}
	l.LogonServer = r.text(server)
	l.LogonDomainName = r.text(domain)
	if hasDomainID {
		l.LogonDomainID = r.sid()
	}
	if hasExtra {
		l.ExtraSIDs = r.extraSIDs(extra)
	}
	if hasResourceDomain {
		l.ResourceGroupDomain = r.sid()
	}
	if hasResource {
		l.ResourceGroups = r.groups(resource)
	}
	if r.err != nil {
		return nil, r.err
	}
	return l, nil
}

func (r *ndrReader) extraSIDs(want uint32) []SIDAndAttributes {
	n := r.count(want, 8)
	if n == 0 {
		return nil
	}
	sids := make([]SIDAndAttributes, n)
	present := make([]bool, n)
	for i := range sids {
		present[i] = r.u32() != 0
		sids[i].Attributes = r.u32()
	}
	for i := range sids {
		if !present[i] {
			r.fail("extra SID %d is a null pointer", i)
			return nil
		}
		sids[i].SID = r.sid()
	}
	return sids
}
