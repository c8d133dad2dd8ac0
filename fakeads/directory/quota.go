package directory

import (
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// errQuotaExceeded is ERROR_DS_MACHINE_ACCOUNT_QUOTA_EXCEEDED.
const errQuotaExceeded = 0x216D

// computersContainer is the well-known container of computers that are joined ([MS-ADTS] 6.1.1.4).
const computersContainer = "AA312825768811D1ADED00C04FD8D5CD"

// joinAttributes are what a user may give a computer that is added within the quota ([MS-ADTS] 3.1.1.5.2.1.1).
var joinAttributes = map[string]bool{
	"objectclass": true, "samaccountname": true, "useraccountcontrol": true, "dnshostname": true, "serviceprincipalname": true, "unicodepwd": true,
	"cn": true, "name": true,
}

// permitQuotaAdd decides where the parent's descriptor does not grant the creation of a computer: every user may join as many
// computers as ms-DS-MachineAccountQuota says, in the container for computers, by the privilege to add workstations that the
// Default Domain Controllers Policy gives to Authenticated Users.
func (t *tx) permitQuotaAdd(parent *entry, class *classDef, attrs []Attribute) error {
	token := t.c.Token
	if class.folded != "computer" || token == nil || !token.Has(security.AuthenticatedUsers) {
		return secErr()
	}
	if c := t.wellKnown(computersContainer); c == nil || c.id != parent.id {
		return secErr()
	}
	for _, a := range attrs {
		if !joinAttributes[strings.ToLower(a.Name)] {
			return secErr()
		}
	}
	var buf [68]byte
	made := len(t.find(ncDomain, aMSDSCreatorSID, string(token.User.AppendTo(buf[:0]))))
	if int64(made) >= t.head(ncDomain).int(aMsDSMachineAccountQuota) {
		return unwilling(errQuotaExceeded)
	}
	t.byQuota = true
	return nil
}

// joinedByUser checks and completes a computer that was added within the quota: it is a workstation with names of its own, it
// remembers who made it, and Domain Admins own it.
func (t *tx) joinedByUser(d *draft) error {
	if uint32(d.e.int(aUserAccountControl))&uacWorkstationTrust == 0 {
		return secErr()
	}
	for _, spn := range d.e.texts(aServicePrincipalName) {
		if !t.ownSPN(&d.e, spn) {
			return attrErr(resultConstraintViolation, errInvalidAttribute, 1005, t.s.def(aServicePrincipalName))
		}
	}
	if d.e.has(aDNSHostName) && !t.ownDNSName(&d.e, d.e.text(aDNSHostName)) {
		return attrErr(resultConstraintViolation, errInvalidAttribute, 1005, t.s.def(aDNSHostName))
	}
	d.set(aMSDSCreatorSID, t.c.Token.User.Bytes())
	if d.e.sd != nil {
		sd := *d.e.sd.get()
		sd.Owner = t.r.domain.SID.Append(security.RIDDomainAdmins)
		d.setDescriptor(newDescriptor(&sd))
	}
	return nil
}
