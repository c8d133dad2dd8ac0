package fakeads

import (
	"errors"
	"fmt"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// Diagnostic texts of a domain controller. The DSID names a place in Microsoft's
// source and differs from build to build; these are of Server 2019 where a
// capture was at hand.
const (
	dsidBind      = 0x0C09044E
	dsidAnonymous = 0x0C090C78
	dsidSigning   = 0x0C090259
	dsidTLSLayer  = 0x0C090709
	dsidExtended  = 0x0C090C7D

	// guess: the places in Microsoft's source (DSID) that refuse a control, a message that cannot be decoded, StartTLS and a connection
	// too many are made up; a client that compares diagnostics should not look at them.
	dsidControl    = 0x0C090A7D
	dsidDecode     = 0x0C090E5F
	dsidTLS        = 0x0C090F78
	dsidConnection = 0x0C060427
)

// SSPI and Win32 codes in diagnostics.
const (
	secInvalidToken   = 0x80090308 // SEC_E_INVALID_TOKEN
	secLogonDenied    = 0x8009030C // SEC_E_LOGON_DENIED
	secNoPackage      = 0x80090305 // SEC_E_SECPKG_NOT_FOUND
	secMessageAltered = 0x8009030F // SEC_E_MESSAGE_ALTERED
	secContextExpired = 0x80090317 // SEC_E_CONTEXT_EXPIRED
	secTimeSkew       = 0x80090324 // SEC_E_TIME_SKEW
	secBadBindings    = 0x80090346 // SEC_E_BAD_BINDINGS

	errorInvalidParameter  = 0x57
	errorDirectoryInternal = 0x20EF // ERROR_DS_INTERNAL_FAILURE, guess
	errorNotBound          = 0x4DC  // ERROR_NOT_AUTHENTICATED
	errorStrongAuth        = 0x2028 // ERROR_DS_STRONG_AUTH_REQUIRED
	errorInappropriateAuth = 0x2029 // ERROR_DS_INAPPROPRIATE_AUTH
	errorTimeLimit         = 0x2022 // ERROR_DS_TIMELIMIT_EXCEEDED
	errorAdminLimit        = 0x2024 // ERROR_DS_ADMIN_LIMIT_EXCEEDED
	errorUnwilling         = 0x2035 // ERROR_DS_UNWILLING_TO_PERFORM
	errorAuthMethod        = 0x2027 // ERROR_DS_AUTH_METHOD_NOT_SUPPORTED
	errorDecoding          = 0x203D // ERROR_DS_DECODING_ERROR
	errorBusy              = 0x200E // ERROR_DS_BUSY
)

// Data codes of a failed logon, Win32 error codes of the same meaning.
const (
	dataWrongPassword   = 0x52e
	dataHours           = 0x530
	dataPasswordExpired = 0x532
	dataDisabled        = 0x533
	dataAccountExpired  = 0x701
	dataMustChange      = 0x773
	dataLockedOut       = 0x775
)

// ldapErr is the text that the LDAP head of a domain controller makes.
func (s *Server) ldapErr(code uint32, dsid uint32, comment string, data uint32) string {
	return fmt.Sprintf("%08X: LdapErr: DSID-%08X, comment: %s, data %x, v%x", code, dsid, comment, data, s.cfg.Build)
}

// acceptError is the answer to a bind whose credentials are not accepted.
func (s *Server) acceptError(code, data uint32) result {
	return result{code: resultInvalidCredentials, diagnostic: s.ldapErr(code, dsidBind, "AcceptSecurityContext error", data)}
}

// anonymousError is the answer to whatever an anonymous client may not do.
func (s *Server) anonymousError() result {
	return result{code: resultOperationsError, diagnostic: s.ldapErr(errorNotBound, dsidAnonymous,
		"In order to perform this operation a successful bind must be completed on the connection.", 0)}
}

// unwilling is a refusal for a reason that has no code of its own.
func (s *Server) unwilling(comment string) result {
	return result{code: resultUnwillingToPerform, diagnostic: s.ldapErr(errorUnwilling, dsidConnection, comment, 0)}
}

// malformed is the answer to a request that could not be decoded.
func (s *Server) malformed(code int) result {
	if code == resultAdminLimitExceeded {
		return result{code: code, diagnostic: s.ldapErr(errorAdminLimit, dsidDecode, "The request is too complex", 0)}
	}
	return result{code: code, diagnostic: s.ldapErr(errorDecoding, dsidDecode, "Error decoding ldap message", 0)}
}

// internalError is the answer to a request whose handling failed through a
// defect of ours.
func (s *Server) internalError() result {
	return result{code: resultOther, diagnostic: s.ldapErr(errorDirectoryInternal, dsidConnection, "The directory service encountered an internal failure", 0)}
}

// refusal turns an error of the directory into an answer.
func (s *Server) refusal(err error) result {
	var e *directory.Error
	if errors.As(err, &e) {
		return result{code: e.Result, diagnostic: e.Text, matchedDN: e.MatchedDN, referrals: e.Referrals}
	}
	return s.internalError()
}
