package simulator

import (
	"fmt"
	"time"
)

// Principal name types (RFC 4120 6.2) and message numbers (RFC 4120 5.10, 7.5.7) that the client uses.
const (
	nameTypePrincipal = 1
	nameTypeSrvInst   = 2

	msgASReq    = 10
	msgASRep    = 11
	msgTGSReq   = 12
	msgTGSRep   = 13
	msgAPReq    = 14
	msgKRBError = 30

	tagEncASRepPart  = 25
	tagEncTGSRepPart = 26

	padataTGSReq       = 1
	padataEncTimestamp = 2
	padataETypeInfo2   = 19
	padataPACRequest   = 128
)

// Key usages (RFC 4120 7.5.1).
const (
	usagePATimestamp     = 1
	usageTicket          = 2
	usageASRep           = 3
	usageTGSReqChecksum  = 6
	usageTGSReqAuth      = 7
	usageTGSRepSession   = 8
	maxReferrals         = 8
	padataETypeInfoLimit = 16
)

// KDC options (RFC 4120 5.4.1).
const (
	optForwardable  = 1 << 30
	optRenewable    = 1 << 23
	optCanonicalize = 1 << 16
	optRenewableOK  = 1 << 4
	optRenew        = 1 << 1
)

// Encryption types (RFC 3961, 4757) by the names that administrators use.
const (
	etypeAES128 = 17
	etypeAES256 = 18
	etypeRC4    = 23
)

func etypeName(etype int32) string {
	switch etype {
	case etypeAES128:
		return "AES128"
	case etypeAES256:
		return "AES256"
	case etypeRC4:
		return "RC4"
	}
	return fmt.Sprintf("etype %d", etype)
}

// Kerberos error codes (RFC 4120 7.5.9) that the diagnosis and the client tell apart.
const (
	krbErrCPrincipalUnknown = 6
	krbErrSPrincipalUnknown = 7
	krbErrPolicy            = 12
	krbErrBadOption         = 13
	krbErrETypeNoSupp       = 14
	krbErrClientRevoked     = 18
	krbErrKeyExpired        = 23
	krbErrPreauthFailed     = 24
	krbErrPreauthRequired   = 25
	krbErrSvcUnavailable    = 29
	krbErrTicketExpired     = 32
	krbErrNotYetValid       = 33
	krbErrSkew              = 37
	krbErrModified          = 41
	krbErrGeneric           = 60
	krbErrWrongRealm        = 68
)

var krbErrNames = map[int]string{
	krbErrCPrincipalUnknown: "KDC_ERR_C_PRINCIPAL_UNKNOWN",
	krbErrSPrincipalUnknown: "KDC_ERR_S_PRINCIPAL_UNKNOWN",
	krbErrPolicy:            "KDC_ERR_POLICY",
	krbErrBadOption:         "KDC_ERR_BADOPTION",
	krbErrETypeNoSupp:       "KDC_ERR_ETYPE_NOSUPP",
	krbErrClientRevoked:     "KDC_ERR_CLIENT_REVOKED",
	krbErrKeyExpired:        "KDC_ERR_KEY_EXPIRED",
	krbErrPreauthFailed:     "KDC_ERR_PREAUTH_FAILED",
	krbErrPreauthRequired:   "KDC_ERR_PREAUTH_REQUIRED",
	krbErrSvcUnavailable:    "KDC_ERR_SVC_UNAVAILABLE",
	krbErrTicketExpired:     "KRB_AP_ERR_TKT_EXPIRED",
	krbErrNotYetValid:       "KRB_AP_ERR_TKT_NYV",
	35:                      "KRB_AP_ERR_NOT_US",
	36:                      "KRB_AP_ERR_BADMATCH",
	krbErrSkew:              "KRB_AP_ERR_SKEW",
	krbErrModified:          "KRB_AP_ERR_MODIFIED",
	44:                      "KRB_AP_ERR_BADKEYVER",
	52:                      "KRB_ERR_RESPONSE_TOO_BIG",
	krbErrGeneric:           "KRB_ERR_GENERIC",
	krbErrWrongRealm:        "KDC_ERR_WRONG_REALM",
}

func krbErrName(code int) string {
	if n, ok := krbErrNames[code]; ok {
		return n
	}
	return fmt.Sprintf("KRB-ERROR %d", code)
}

// krbError is a KRB-ERROR as a client gets it.
type krbError struct {
	code int
	data []byte // e-data
	// stime is the KDC's clock.
	stime time.Time
	// crealm is the client realm that a KDC_ERR_WRONG_REALM names.
	crealm string
	dc     string // that sent it
}

func (e *krbError) Error() string { return fmt.Sprintf("%s (%d)", krbErrName(e.code), e.code) }
