package directory

import (
	"encoding/base32"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// prepareAdd completes and checks a new object after the caller's rights and the syntax of the values were checked, before the
// class's mandatory attributes are.
func (t *tx) prepareAdd(d *draft) error {
	switch {
	case d.e.is("group"):
		return t.prepareGroup(d)
	case d.e.is("user"):
		return t.prepareAccount(d)
	}
	return nil
}

// prepareModify does the same for a change.
func (t *tx) prepareModify(d *draft) error {
	switch {
	case d.e.is("group"):
		return t.reviseGroup(d)
	case d.e.is("user"):
		return t.reviseAccount(d)
	}
	return nil
}

// prepareAccount makes a new user, computer or gMSA ([MS-SAMR] 3.1.1.8, [MS-ADTS] 3.1.1.5.2.4). The checks are in Active
// Directory's order: name taken, name not allowed, SPN not unique, no root key.
func (t *tx) prepareAccount(d *draft) error {
	t.principal(d)
	if err := t.checkSAM(d); err != nil {
		return err
	}
	if err := t.userAccountControlOnAdd(d); err != nil {
		return err
	}
	if d.e.has(aMsDSAllowedToDelegateTo) && !t.administrator() {
		return secErr() // as userAccountControlAllowed
	}
	if err := t.checkSPNs(d); err != nil {
		return err
	}
	if err := t.checkUPN(d); err != nil {
		return err
	}
	if t.byQuota {
		if err := t.joinedByUser(d); err != nil {
			return err
		}
	}
	d.defaultInt(aAccountExpires, neverExpires)
	d.defaultInt(aCodePage, 0)
	d.defaultInt(aCountryCode, 0)
	if d.e.is("computer") {
		d.defaultInt(aLocalPolicyFlags, 0)
		if !d.e.has(aIsCriticalSystemObject) {
			d.setBool(aIsCriticalSystemObject, false)
		}
	}
	if d.e.is(classGMSA) {
		return t.prepareManaged(d)
	}
	if err := t.pwdLastSetWritten(d); err != nil {
		return err
	}
	stamped, mustChange := d.e.has(aPwdLastSet), d.e.has(aPwdLastSet) && d.e.int(aPwdLastSet) == 0
	keep := d.e.int(aPwdLastSet)
	if err := t.passwordOnAdd(d); err != nil {
		return err
	}
	switch {
	case mustChange || stamped && t.c.System:
		d.setInt(aPwdLastSet, keep)
	case d.e.cred == nil:
		d.defaultInt(aPwdLastSet, 0)
	}
	return t.enabledWithPassword(d)
}

// principal gives a new object a SID and, when it came without, a sAMAccountName.
func (t *tx) principal(d *draft) {
	if b := d.e.value(aObjectSid); b != nil && d.e.sid.IsZero() {
		if sid, err := security.SIDFromBytes(b); err == nil { // checked by the syntax
			d.e.sid = sid
		}
	}
	if d.e.sid.IsZero() {
		d.setSID(t.newRID())
	}
	if !d.e.has(aSAMAccountName) {
		d.setText(aSAMAccountName, t.generatedName())
	}
}

// generatedName is of the form that domain controllers generate: $ and 6 characters, and 12 after a dash.
func (t *tx) generatedName() string {
	text := base32.StdEncoding.EncodeToString(t.random(12))
	return "$" + text[:6] + "-" + text[6:18]
}

// Defaults of userAccountControl for objects that come without: accounts are disabled, but not a gMSA, as New-ADServiceAccount
// makes it.
const (
	defaultUser     = uacNormalAccount | uacPasswordNotRequired | uacAccountDisabled
	defaultComputer = uacWorkstationTrust | uacPasswordNotRequired | uacAccountDisabled
)

func (t *tx) userAccountControlOnAdd(d *draft) error {
	uac := uint32(d.e.int(aUserAccountControl))
	switch {
	case d.e.has(aUserAccountControl):
	case d.e.is(classGMSA):
		uac = uacWorkstationTrust
	case d.e.is("computer"):
		uac = defaultComputer
	default:
		uac = defaultUser
	}
	if err := t.userAccountControlAllowed(0, uac); err != nil {
		return err
	}
	uac = storedUAC(uac)
	d.setInt(aUserAccountControl, int64(int32(uac)))
	d.setInt(aSAMAccountType, int64(int32(accountTypeOf(uac))))
	if !t.c.System || !d.e.has(aPrimaryGroupID) {
		d.setInt(aPrimaryGroupID, int64(primaryGroupOf(uac)))
	}
	return nil
}

// storedUAC is what is kept of a value: one account type, NORMAL_ACCOUNT when there is none, and no bits that are computed
// ([MS-SAMR] 3.1.1.8.10).
func storedUAC(uac uint32) uint32 {
	uac &^= uacLockout | uacPasswordExpired
	if uac&uacAccountTypes == 0 {
		uac |= uacNormalAccount
	}
	return uac
}

// primaryGroupOf is the primary group that an account of a type is born with.
func primaryGroupOf(uac uint32) uint32 {
	switch {
	case uac&uacServerTrust != 0:
		return security.RIDDomainControllers
	case uac&uacWorkstationTrust != 0:
		return security.RIDDomainComputers
	}
	return security.RIDDomainUsers
}

// userAccountControlAllowed refuses more than one account type, and bits that take a privilege: delegation is the administrators'
// to allow, a domain controller theirs to make ([MS-SAMR] 3.1.1.8.10, [MS-ADTS] 3.1.1.5.3.1.1).
func (t *tx) userAccountControlAllowed(old, uac uint32) error {
	if kinds := uac & uacAccountTypes; kinds&(kinds-1) != 0 {
		return unwilling(errInvalidParameter)
	}
	const privileged = uacTrustedForDelegation | uacTrustedToAuthenticate | uacServerTrust | uacInterdomainTrust | uacPartialSecrets
	if uac&privileged&^old != 0 && !t.administrator() {
		return secErr()
	}
	return nil
}

// administrator tells whether the caller has the privileges that domain controllers give to Administrators.
func (t *tx) administrator() bool {
	return t.c.System || t.c.Token != nil && (t.c.Token.System || t.c.Token.Has(security.BuiltinAdministrators))
}

// enabledWithPassword refuses a user that could sign in with nothing.
func (t *tx) enabledWithPassword(d *draft) error {
	uac := uint32(d.e.int(aUserAccountControl))
	if t.c.System || uac&uacNormalAccount == 0 || uac&(uacAccountDisabled|uacPasswordNotRequired) != 0 || d.e.cred != nil {
		return nil
	}
	if t.passwordPolicy().minLength == 0 {
		return nil
	}
	return unwilling(errPasswordRestriction)
}

// pwdLastSetWritten turns what a client may write to pwdLastSet into what is stored: 0 means that the password must be changed, -1
// that it was set now ([MS-SAMR] 3.1.1.8.8). The system may write any time.
func (t *tx) pwdLastSetWritten(d *draft) error {
	if !d.wrote(aPwdLastSet) || !d.e.has(aPwdLastSet) {
		return nil
	}
	now := int64(kds.FromTime(t.now))
	switch n := d.e.int(aPwdLastSet); {
	case n == -1:
		d.setInt(aPwdLastSet, now)
	case n != 0 && n != now && !t.c.System:
		return sysErr(errInvalidParameter)
	}
	return nil
}

// reviseAccount checks a change to an account.
func (t *tx) reviseAccount(d *draft) error {
	otherPrimary := d.wrote(aPrimaryGroupID)
	if d.wrote(aSAMAccountName) {
		if err := t.checkSAM(d); err != nil {
			return err
		}
	}
	if d.wrote(aUserAccountControl) {
		if err := t.reviseUserAccountControl(d); err != nil {
			return err
		}
	}
	if d.wrote(aMsDSAllowedToDelegateTo) && !t.administrator() {
		return secErr() // SeEnableDelegationPrivilege
	}
	if err := t.pwdLastSetWritten(d); err != nil {
		return err
	}
	if d.wrote(aLockoutTime) && d.e.int(aLockoutTime) != 0 && !t.c.System {
		return sysErr(errInvalidParameter) // only 0 may be written: it unlocks ([MS-SAMR] 3.1.1.8.9)
	}
	if d.wrote(aLockoutTime) && d.e.int(aLockoutTime) == 0 {
		l := *t.rs.logons.get(d.e.id)
		l.badPwdCount = 0
		t.rs.logons.set(d.e.id, &l, t.st.version)
	}
	if otherPrimary {
		if err := t.revisePrimaryGroup(d); err != nil {
			return err
		}
	}
	if d.e.is("computer") && (d.wrote(aDNSHostName) || d.wrote(aSAMAccountName)) {
		t.renameSPNs(d)
	}
	if d.wrote(aServicePrincipalName) {
		if err := t.checkSPNs(d); err != nil {
			return err
		}
	}
	if d.wrote(aUserPrincipalName) {
		if err := t.checkUPN(d); err != nil {
			return err
		}
	}
	if d.e.is(classGMSA) && !d.e.deleted {
		return t.reviseManaged(d)
	}
	return nil
}

func (t *tx) reviseUserAccountControl(d *draft) error {
	old, uac := uint32(d.old.int(aUserAccountControl)), uint32(d.e.int(aUserAccountControl))
	if err := t.userAccountControlAllowed(old, uac); err != nil {
		return err
	}
	uac = storedUAC(uac)
	d.setInt(aUserAccountControl, int64(int32(uac)))
	if (old^uac)&uacAccountTypes != 0 {
		d.setInt(aSAMAccountType, int64(int32(accountTypeOf(uac))))
		if uint32(d.e.int(aPrimaryGroupID)) == primaryGroupOf(old) && !d.wrote(aPrimaryGroupID) {
			d.setInt(aPrimaryGroupID, int64(primaryGroupOf(uac)))
		}
	}
	if old&uacAccountDisabled != 0 {
		return t.enabledWithPassword(d)
	}
	return nil
}

// renameSPNs puts the new dNSHostName or sAMAccountName of a computer into the service principal names that hold the old one
// ([MS-ADTS] 3.1.1.5.3.2).
func (t *tx) renameSPNs(d *draft) {
	type change struct{ from, to string }
	changes := []change{
		{d.old.text(aDNSHostName), d.e.text(aDNSHostName)},
		{strings.TrimSuffix(d.old.text(aSAMAccountName), "$"), strings.TrimSuffix(d.e.text(aSAMAccountName), "$")},
	}
	values := d.e.values(aServicePrincipalName)
	var next [][]byte
	changed := false
	for _, v := range values {
		spn := string(v)
		parts := strings.SplitN(spn, "/", 3)
		for _, c := range changes {
			if len(parts) > 1 && c.from != "" && c.to != "" && c.from != c.to && strings.EqualFold(parts[1], c.from) {
				parts[1] = c.to
				changed = true
				break
			}
		}
		if s := strings.Join(parts, "/"); !has(next, s) {
			next = append(next, []byte(s))
		}
	}
	if changed {
		d.setShared(aServicePrincipalName, next)
	}
}

// validated checks a validated write: the caller may not write the property, but has the right to write it checked ([MS-ADTS]
// 3.1.1.5.3.1.1).
func (t *tx) validated(old *entry, d *draft, a attrID) error {
	switch a {
	case aServicePrincipalName:
		for _, v := range d.e.values(a) {
			if !has(old.values(a), string(v)) && !t.ownSPN(&d.e, string(v)) {
				return attrErr(resultConstraintViolation, errInvalidAttribute, 1005, t.s.def(a))
			}
		}
		return nil
	case aDNSHostName:
		if d.e.has(a) && !t.ownDNSName(&d.e, d.e.text(a)) {
			return attrErr(resultConstraintViolation, errInvalidAttribute, 1005, t.s.def(a))
		}
		return nil
	case aMember:
		return t.selfMembership(d)
	}
	return secErr()
}

// ownSPN tells whether a name is about the computer itself: class/its name or class/its full name; three parts are for domain
// controllers ([MS-ADTS] 3.1.1.5.3.1.1.4).
func (t *tx) ownSPN(e *entry, spn string) bool {
	parts := strings.Split(spn, "/")
	if !e.is("computer") || len(parts) < 2 || len(parts) > 3 || parts[0] == "" ||
		len(parts) == 3 && uint32(e.int(aUserAccountControl))&uacServerTrust == 0 {
		return false
	}
	name := parts[1]
	if host, port, ok := strings.Cut(name, ":"); ok && port != "" {
		name = host
	}
	if strings.EqualFold(name, strings.TrimSuffix(e.text(aSAMAccountName), "$")) || strings.EqualFold(name, e.text(aDNSHostName)) {
		return name != ""
	}
	return has(e.values(aMsDSAdditionalDnsHostName), name)
}

// ownDNSName tells whether a full name is the computer's name in its domain or in one of msDS-AllowedDNSSuffixes ([MS-ADTS]
// 3.1.1.5.3.1.1.2).
func (t *tx) ownDNSName(e *entry, name string) bool {
	host, suffix, ok := strings.Cut(name, ".")
	if !ok || !strings.EqualFold(host, strings.TrimSuffix(e.text(aSAMAccountName), "$")) {
		return false
	}
	return strings.EqualFold(suffix, t.r.domain.DNSName) || has(t.head(ncDomain).values(aMsDSAllowedDNSSuffixes), suffix)
}
