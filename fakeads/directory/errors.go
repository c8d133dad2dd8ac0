package directory

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/dn"
)

// LDAP result codes (RFC 4511 4.1.9) that the directory answers with.
const (
	resultOperationsError        = 1
	resultTimeLimit              = 3
	resultSizeLimit              = 4
	resultReferral               = 10
	resultUnavailableCritical    = 12
	resultNoSuchAttribute        = 16
	resultUndefinedAttributeType = 17
	resultInappropriateMatching  = 18
	resultConstraintViolation    = 19
	resultAttributeOrValueExists = 20
	resultInvalidSyntax          = 21
	resultNoSuchObject           = 32
	resultInvalidDN              = 34
	resultInsufficientRights     = 50
	resultUnwilling              = 53
	resultNamingViolation        = 64
	resultObjectClassViolation   = 65
	resultNotOnNonLeaf           = 66
	resultNotOnRDN               = 67
	resultAlreadyExists          = 68
	resultObjectClassMods        = 69
	resultAffectsMultipleDSAs    = 71
	resultOther                  = 80
)

// Error is a refusal with LDAP result, Windows code and diagnostic text.
type Error struct {
	Result    int      // LDAP result code
	Code      uint32   // first hexadecimal number of Text: Win32 code or HRESULT
	Text      string   // diagnosticMessage
	MatchedDN string   // nearest existing ancestor, for noSuchObject
	Referrals []string // LDAP URLs, for result 10
}

func (e *Error) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("LDAP result %d", e.Result)
	}
	return e.Text
}

// The diagnostic texts are those of Windows Server: the code, the kind of error, the place in the server (DSID), the problem.
// Clients go by the result and the code; the DSIDs are the published ones of each situation where there is one.

// svcErr refuses a service: "WILL_NOT_PERFORM" is problem 5003.
func svcErr(result int, code uint32, problem int, name string) *Error {
	return &Error{Result: result, Code: code, Text: fmt.Sprintf("%08X: SvcErr: DSID-031A12D2, problem %d (%s), data 0\n", code, problem, name)}
}

// unwilling is unwillingToPerform with a Windows code.
func unwilling(code uint32) *Error { return svcErr(resultUnwilling, code, 5003, "WILL_NOT_PERFORM") }

// updErr refuses an update.
func updErr(result int, code uint32, problem int, name string) *Error {
	return &Error{Result: result, Code: code, Text: fmt.Sprintf("%08X: UpdErr: DSID-031A11E2, problem %d (%s), data 0\n", code, problem, name)}
}

// attrProblems are the problems of attribute errors, [MS-DRSR] 4.1.4.2.
var attrProblems = map[int]string{
	1001: "NO_ATTRIBUTE_OR_VAL",
	1002: "INVALID_ATT_SYNTAX",
	1003: "UNDEFINED_ATT_TYPE",
	1004: "WRONG_MATCH_OPER",
	1005: "CONSTRAINT_ATT_TYPE",
	1006: "ATT_OR_VALUE_EXISTS",
}

// attrErr refuses the values of one attribute.
func attrErr(result int, code uint32, problem int, a *attrDef) *Error {
	return &Error{Result: result, Code: code, Text: fmt.Sprintf("%08X: AtrErr: DSID-03200DF3, #1:\n\t0: %08X: DSID-03200DF3, problem %d (%s), data 0, Att %x (%s)\n",
		code, code, problem, attrProblems[problem], a.prefixed(), a.name)}
}

// secErr refuses for want of rights.
func secErr() *Error { return secErrCode(0x2098) }

func secErrCode(code uint32) *Error {
	return &Error{Result: resultInsufficientRights, Code: code, Text: fmt.Sprintf("%08X: SecErr: DSID-031514A0, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n", code)}
}

// ldapErr is an error of the LDAP head.
func (f *Forest) ldapErr(result int, code uint32, dsid, comment string) *Error {
	return &Error{Result: result, Code: code, Text: fmt.Sprintf("%08X: LdapErr: DSID-%s, comment: %s, data 0, v%x", code, dsid, comment, f.build())}
}

func (f *Forest) build() uint32 {
	if f.cfg.Build == 0 {
		return 0x4f7c
	}
	return f.cfg.Build
}

// noObject is noSuchObject with the nearest ancestor that exists and that the caller may see.
func noObject(best dn.DN) *Error { return noObjectCode(0x208D, best) }

func noObjectCode(code uint32, best dn.DN) *Error {
	return &Error{Result: resultNoSuchObject, Code: code, MatchedDN: best.String(),
		Text: fmt.Sprintf("%08X: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'%s'\n", code, best)}
}

// badName refuses what is no distinguished name (ERROR_DS_BAD_NAME_SYNTAX).
func badName(name string) *Error {
	return &Error{Result: resultInvalidDN, Code: 0x208F,
		Text: fmt.Sprintf("0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350, best match of:\n\t'%s'\n", name)}
}

// elsewhere refers to a naming context that this domain controller does not hold.
func elsewhere(host string, name dn.DN) *Error {
	return &Error{Result: resultReferral, Code: 0x202B, Text: fmt.Sprintf("0000202B: RefErr: DSID-0310084B, data 0, 1 access points\n\tref 1: '%s'\n", host),
		Referrals: []string{"ldap://" + host + "/" + escapeURL(name.String())}}
}

// escapeURL writes a name into an LDAP URL (RFC 4516).
func escapeURL(s string) string {
	const plain = "-._~!$&'()*+,;=:@/"
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(plain, c) >= 0 {
			b = append(b, c)
			continue
		}
		b = fmt.Appendf(b, "%%%02X", c)
	}
	return string(b)
}

// prefixed is the attribute's number in diagnostics: ATTRTYP by the default prefix table, [MS-DRSR] 5.16.4; Att 90303 is
// servicePrincipalName.
func (a *attrDef) prefixed() uint32 { return attrType(a.oid) }
