package fakekdc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrorCode is the error-code of a KRB-ERROR, RFC 4120 7.5.9.
type ErrorCode int32

// Error codes that this KDC answers. When is told by the table of [MS-KILE] 2.2.1, 3.3.5 and [MS-SFU] 3.2.5.
const (
	ErrCodeClientUnknown      ErrorCode = 6
	ErrCodeServerUnknown      ErrorCode = 7
	ErrCodeNullKey            ErrorCode = 9
	ErrCodeNeverValid         ErrorCode = 11
	ErrCodePolicy             ErrorCode = 12
	ErrCodeBadOption          ErrorCode = 13
	ErrCodeETypeNoSupport     ErrorCode = 14
	ErrCodePADataNoSupport    ErrorCode = 16
	ErrCodeClientRevoked      ErrorCode = 18
	ErrCodeTGTRevoked         ErrorCode = 20
	ErrCodeKeyExpired         ErrorCode = 23
	ErrCodePreauthFailed      ErrorCode = 24
	ErrCodePreauthRequired    ErrorCode = 25
	ErrCodeServiceUnavailable ErrorCode = 29
	ErrCodeTicketExpired      ErrorCode = 32
	ErrCodeTicketNotYetValid  ErrorCode = 33
	ErrCodeNotUs              ErrorCode = 35
	ErrCodeBadMatch           ErrorCode = 36
	ErrCodeSkew               ErrorCode = 37
	ErrCodeBadVersion         ErrorCode = 39
	ErrCodeMessageType        ErrorCode = 40
	ErrCodeModified           ErrorCode = 41
	ErrCodeBadKeyVersion      ErrorCode = 44
	ErrCodeInappropriateCksum ErrorCode = 50
	ErrCodeResponseTooBig     ErrorCode = 52
	ErrCodeGeneric            ErrorCode = 60
	ErrCodeFieldTooLong       ErrorCode = 61
	ErrCodeWrongRealm         ErrorCode = 68
)

var errorNames = [...]string{
	ErrCodeClientUnknown:      "KDC_ERR_C_PRINCIPAL_UNKNOWN",
	ErrCodeServerUnknown:      "KDC_ERR_S_PRINCIPAL_UNKNOWN",
	ErrCodeNullKey:            "KDC_ERR_NULL_KEY",
	ErrCodeNeverValid:         "KDC_ERR_NEVER_VALID",
	ErrCodePolicy:             "KDC_ERR_POLICY",
	ErrCodeBadOption:          "KDC_ERR_BADOPTION",
	ErrCodeETypeNoSupport:     "KDC_ERR_ETYPE_NOSUPP",
	ErrCodePADataNoSupport:    "KDC_ERR_PADATA_TYPE_NOSUPP",
	ErrCodeClientRevoked:      "KDC_ERR_CLIENT_REVOKED",
	ErrCodeTGTRevoked:         "KDC_ERR_TGT_REVOKED",
	ErrCodeKeyExpired:         "KDC_ERR_KEY_EXPIRED",
	ErrCodePreauthFailed:      "KDC_ERR_PREAUTH_FAILED",
	ErrCodePreauthRequired:    "KDC_ERR_PREAUTH_REQUIRED",
	ErrCodeServiceUnavailable: "KDC_ERR_SVC_UNAVAILABLE",
	ErrCodeTicketExpired:      "KRB_AP_ERR_TKT_EXPIRED",
	ErrCodeTicketNotYetValid:  "KRB_AP_ERR_TKT_NYV",
	ErrCodeNotUs:              "KRB_AP_ERR_NOT_US",
	ErrCodeBadMatch:           "KRB_AP_ERR_BADMATCH",
	ErrCodeSkew:               "KRB_AP_ERR_SKEW",
	ErrCodeBadVersion:         "KRB_AP_ERR_BADVERSION",
	ErrCodeMessageType:        "KRB_AP_ERR_MSG_TYPE",
	ErrCodeModified:           "KRB_AP_ERR_MODIFIED",
	ErrCodeBadKeyVersion:      "KRB_AP_ERR_BADKEYVER",
	ErrCodeInappropriateCksum: "KRB_AP_ERR_INAPP_CKSUM",
	ErrCodeResponseTooBig:     "KRB_ERR_RESPONSE_TOO_BIG",
	ErrCodeGeneric:            "KRB_ERR_GENERIC",
	ErrCodeFieldTooLong:       "KRB_ERR_FIELD_TOOLONG",
	ErrCodeWrongRealm:         "KDC_ERR_WRONG_REALM",
}

// String is the name in the RFC: "KDC_ERR_PREAUTH_FAILED".
func (c ErrorCode) String() string {
	if c == 0 {
		return "KDC_ERR_NONE"
	}
	if c > 0 && int(c) < len(errorNames) && errorNames[c] != "" {
		return errorNames[c]
	}
	return fmt.Sprintf("KRB-ERROR %d", int32(c))
}

// Status is an NTSTATUS, [MS-ERREF] 2.3.1, as KERB-ERROR-DATA carries it.
type Status uint32

// Values of Status that the KDC's errors carry.
const (
	StatusAccountRestriction    Status = 0xC000006E
	StatusInvalidLogonHours     Status = 0xC000006F
	StatusPasswordExpired       Status = 0xC0000071
	StatusAccountDisabled       Status = 0xC0000072
	StatusInsufficientResources Status = 0xC000009A
	StatusNotSupported          Status = 0xC00000BB
	StatusAccountExpired        Status = 0xC0000193
	StatusNotFound              Status = 0xC0000225
	StatusPasswordMustChange    Status = 0xC0000224
	StatusAccountLockedOut      Status = 0xC0000234
)

// Errors about a message as a whole.
var (
	errNotRequest = errors.New("not a request to a KDC")
	errTooLong    = fmt.Errorf("request is longer than %d octets", MaxRequest)
	errVersion    = errors.New("protocol version is not 5")
	errDropped    = errors.New("dropped")
)

// refusal is an error that a client is told.
type refusal struct {
	code   ErrorCode
	status Status
	// data is e-data; without it, status decides.
	data []byte
	// crealm is the realm that KDC_ERR_WRONG_REALM names.
	crealm string
	why    error
}

func (e *refusal) Error() string {
	if e.why == nil {
		return e.code.String()
	}
	return fmt.Sprintf("%v: %v", e.code, e.why)
}

func (e *refusal) Unwrap() error { return e.why }

func refuse(code ErrorCode, format string, args ...any) *refusal {
	return &refusal{code: code, why: fmt.Errorf(format, args...)}
}

func (e *refusal) with(s Status) *refusal {
	e.status = s
	return e
}

// asRefusal makes the answer to any error.
func asRefusal(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	code := ErrCodeGeneric
	switch {
	case errors.Is(err, errVersion):
		code = ErrCodeBadVersion
	case errors.Is(err, errTooLong):
		code = ErrCodeFieldTooLong
	case errors.Is(err, errNotRequest):
		code = ErrCodeMessageType
	}
	return &refusal{code: code, why: err}
}

// Type and flags of KERB-ERROR-DATA, [MS-KILE] 2.2.2: an extended error, seen in AS with flags 1 and in TGS with 3.
const (
	kerbErrTypeExtended = 3
	extendedAS          = 1
	extendedTGS         = 3
)

// errorData is the e-data of an error with an NTSTATUS.
func errorData(kind Kind, s Status) []byte {
	var v [12]byte
	binary.LittleEndian.PutUint32(v[:], uint32(s))
	flags := uint32(extendedAS)
	if kind == KindTGS {
		flags = extendedTGS
	}
	binary.LittleEndian.PutUint32(v[8:], flags)
	w := newWriter(32)
	w.octets(2, v[:])
	w.integer(1, kerbErrTypeExtended)
	w.wrap(tagSequence, 0)
	return w.bytes()
}

// krbError is a KRB-ERROR in Active Directory's shape: no cname, ctime, cusec or e-text, and crealm only for WRONG_REALM.
func (k *KDC) krbError(now time.Time, kind Kind, realm string, sname Name, e *refusal) []byte {
	data := e.data
	if data == nil && e.status != 0 {
		data = errorData(kind, e.status)
	}
	if realm == "" {
		realm = k.Realm
	}
	if len(sname.Parts) == 0 {
		sname = k.ownName()
	}
	w := newWriter(160 + len(data))
	if data != nil {
		w.octets(12, data)
	}
	w.name(10, sname)
	w.text(9, realm)
	if e.crealm != "" {
		w.text(7, e.crealm)
	}
	w.integer(6, int64(e.code))
	w.integer(5, int64(now.Nanosecond()/1000))
	w.time(4, now)
	w.integer(1, msgError)
	w.integer(0, 5)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+msgError, 0)
	return w.bytes()
}
