package directory

import (
	"bytes"
	"slices"

	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// accountAttribute is the value of a constructed attribute of accounts and groups ([MS-ADTS] 3.1.1.4.5); ok is false for an
// attribute that is not one of them. An error fails the whole search. Whether the caller may read the attribute at all, and that
// tokenGroups is for base searches, is seen to by the search.
func (v *view) accountAttribute(c *Caller, e *entry, a attrID) (values [][]byte, ok bool, err error) {
	switch a {
	case aMsDSManagedPassword:
		values, err = v.managedPassword(c, e)
	case aTokenGroups:
		values = v.tokenGroups(e, true, true)
	case aTokenGroupsNoGCAcceptable:
		values = v.tokenGroups(e, true, false)
	case aTokenGroupsGlobalAndUniversal:
		values = v.tokenGroups(e, false, true)
	case aPrimaryGroupToken:
		if e.is("group") && !e.sid.IsZero() {
			values = [][]byte{intValue(int64(e.sid.RID()))}
		}
	case aMsDSKeyVersionNumber:
		// guess: msDS-KeyVersionNumber counts the passwords that an account has had, and is 1 for a fresh gMSA, as Samba has it.
		if e.isAccount() && e.cred != nil && e.cred.current != nil {
			values = [][]byte{intValue(int64(e.cred.current.version))}
		}
	case aMsDSUserAccountControlComputed:
		if e.isAccount() {
			values = [][]byte{intValue(int64(v.computedUAC(e)))}
		}
	case aMsDSUserPasswordExpiryTimeComputed:
		if e.isAccount() {
			values = [][]byte{intValue(v.passwordExpiry(e))}
		}
	case aMsDSPrincipalName:
		if name := e.text(aSAMAccountName); name != "" && !e.sid.IsZero() {
			values = [][]byte{[]byte(v.r.domain.NetBIOSName + `\` + name)}
		}
	case aMsDSResultantPSO: // fine-grained policies are not modelled: no account has one
	default:
		return nil, false, nil
	}
	return values, true, err
}

// computedUAC are the bits of userAccountControl that follow from the time ([MS-ADTS] 3.1.1.4.5.17).
func (v *view) computedUAC(e *entry) uint32 {
	a := v.account(e)
	var bits uint32
	if a.Locked {
		bits |= uacLockout
	}
	if a.PasswordExpired || a.MustChangePassword {
		bits |= uacPasswordExpired
	}
	return bits
}

// passwordExpiry is [MS-ADTS] 3.1.1.4.5.31: never for passwords that do not expire, 0 for one that must be changed.
func (v *view) passwordExpiry(e *entry) int64 {
	a := v.account(e)
	switch {
	case a.MustChangePassword:
		return 0
	case a.PwdMustChange.IsZero():
		return neverExpires
	}
	return int64(kds.FromTime(a.PwdMustChange))
}

// tokenGroups are the SIDs of the groups that a logon of the account would have, in the order of their bytes: the groups of the
// token only, neither Everyone nor the like ([MS-ADTS] 3.1.1.4.5.19). catalog false leaves out what a global catalog would have to
// be asked for: universal groups of other domains.
func (v *view) tokenGroups(e *entry, local, catalog bool) [][]byte {
	if e.sid.IsZero() || e.deleted {
		return nil
	}
	sids := []security.SID{}
	for _, g := range v.globalGroups(e) {
		if catalog || g.sid.Domain() == v.r.domain.SID {
			sids = append(sids, g.sid)
		}
	}
	if local {
		all := append([]security.SID{e.sid}, sids...)
		for _, g := range v.localGroups(all, false) {
			sids = append(sids, g.sid)
			all = append(all, g.sid)
		}
		for _, g := range v.localGroups(all, true) {
			sids = append(sids, g.sid)
		}
	}
	values := make([][]byte, len(sids))
	for i, s := range sids {
		values[i] = s.Bytes()
	}
	slices.SortFunc(values, bytes.Compare)
	return values
}
