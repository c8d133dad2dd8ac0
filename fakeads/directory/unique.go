package directory

import (
	"bytes"
	"fmt"
	"strings"
)

// Windows codes about names that are taken.
const (
	errUserExists         = 0x524  // ERROR_USER_EXISTS: sAMAccountName
	errInvalidAccountName = 0x523  // ERROR_INVALID_ACCOUNT_NAME
	errSPNNotUnique       = 0x21C7 // ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST
	errUPNNotUnique       = 0x21C8 // ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST
	errInvalidAttribute   = 0x200B // ERROR_DS_INVALID_ATTRIBUTE_SYNTAX
)

// Limits of sAMAccountName in characters ([MS-SAMR] 3.1.1.8.4): users, the $ of computers and managed accounts included, and groups.
const (
	maxAccountName = 20
	maxGroupName   = 256
)

// sysErr is an argument that the security accounts manager refuses.
func sysErr(code uint32) *Error {
	return &Error{Result: resultOther, Code: code, Text: fmt.Sprintf("%08X: SysErr: DSID-031A120C, problem 22 (Invalid argument), data 0\n", code)}
}

// checkSAM refuses a sAMAccountName that another object of the domain has or that is none ([MS-SAMR] 3.1.1.8.4).
func (t *tx) checkSAM(d *draft) error {
	name := d.e.text(aSAMAccountName)
	if o := t.bySAM(name); o != nil && o.id != d.e.id {
		return updErr(resultAlreadyExists, errUserExists, 6005, "ENTRY_EXISTS")
	}
	limit := maxAccountName
	if d.e.is("group") {
		limit = maxGroupName
	}
	if n := len([]rune(name)); n == 0 || n > limit || strings.ContainsAny(name, "\"/\\[]:;|=,+*?<>") || strings.Trim(name, ". ") == "" {
		return sysErr(errInvalidAccountName)
	}
	if !strings.HasSuffix(name, "$") && t.mustHaveDollar(d) {
		return sysErr(errInvalidAccountName)
	}
	return nil
}

// mustHaveDollar: names of managed accounts end in $, as the cmdlet makes them, and so do those of computers that somebody who is
// no administrator adds or renames (CVE-2021-42278).
//
// guess: an LDAP add of a gMSA whose sAMAccountName has no final $ is refused, whoever adds it.
func (t *tx) mustHaveDollar(d *draft) bool {
	if t.c.System {
		return false
	}
	return d.e.is(classGMSA) || d.e.is("computer") && !t.administrator()
}

// checkSPNs refuses a new servicePrincipalName that another account of the forest has: the literal value in any case, as domain
// controllers do from 2012 R2 on ([MS-ADTS] 3.1.1.5.1.3). The others are looked up in the global catalog, so what has not been
// replicated does not count.
func (t *tx) checkSPNs(d *draft) error {
	def := t.s.def(aServicePrincipalName)
	for _, v := range d.e.values(aServicePrincipalName) {
		if d.old != nil && has(d.old.values(aServicePrincipalName), string(v)) {
			continue
		}
		if !bytes.Contains(bytes.Trim(v, "/"), []byte("/")) {
			// guess: a service principal name without a slash is refused with constraintViolation, as Samba does.
			return attrErr(resultConstraintViolation, errInvalidAttribute, 1005, def)
		}
		if t.atOnce || t.notVerified(verifySPN) {
			continue
		}
		spn := string(v)
		for _, dom := range t.f.domains {
			for _, o := range t.inDomain(dom).bySPN(spn) {
				if o.id != d.e.id {
					t.notUnique("servicePrincipalName", spn, o, d)
					return attrErr(resultConstraintViolation, errSPNNotUnique, 1005, def)
				}
			}
		}
	}
	return nil
}

func has(values [][]byte, v string) bool {
	norm := []byte(foldKey(v))
	for _, o := range values {
		if equalFolded(o, norm) {
			return true
		}
	}
	return false
}

// checkUPN does the same for userPrincipalName.
func (t *tx) checkUPN(d *draft) error {
	upn := d.e.text(aUserPrincipalName)
	if upn == "" || t.atOnce || t.notVerified(verifyUPN) {
		return nil
	}
	for _, dom := range t.f.domains {
		for _, o := range t.inDomain(dom).byUPN(upn) {
			if o.id != d.e.id {
				t.notUnique("userPrincipalName", upn, o, d)
				return attrErr(resultConstraintViolation, errUPNNotUnique, 1005, t.s.def(aUserPrincipalName))
			}
		}
	}
	return nil
}

func (t *tx) notUnique(attribute, value string, owner *entry, d *draft) {
	t.event(Event{Log: "Directory Service", Source: "ActiveDirectory_DomainService", ID: 2974, Level: "Error", Object: d.e.name.String(),
		Text: fmt.Sprintf("The value %s of %s is not unique in the forest: %s has it.", value, attribute, owner.name)})
}

// Values of the 21st character of dSHeuristics, DoNotVerifyUPNAndOrSPNUniqueness ([MS-ADTS] 6.1.1.2.4.1.2).
const (
	verifyUPN = '1'
	verifySPN = '2'
	verifyAll = '3'
)

func (t *tx) notVerified(what byte) bool {
	e := t.directoryService()
	if e == nil {
		return false
	}
	h := e.text(aDSHeuristics)
	return len(h) >= 21 && (h[20] == what || h[20] == verifyAll)
}
