package fakeads

import "fmt"

// LDAP result codes, RFC 4511 4.1.9.
const (
	resultSuccess                = 0
	resultOperationsError        = 1
	resultProtocolError          = 2
	resultTimeLimitExceeded      = 3
	resultSizeLimitExceeded      = 4
	resultCompareFalse           = 5
	resultCompareTrue            = 6
	resultAuthMethodNotSupported = 7
	resultStrongerAuthRequired   = 8
	resultReferral               = 10
	resultAdminLimitExceeded     = 11
	resultUnavailableCritical    = 12
	resultSASLBindInProgress     = 14
	resultNoSuchObject           = 32
	resultInappropriateAuth      = 48
	resultInvalidCredentials     = 49
	resultBusy                   = 51
	resultUnavailable            = 52
	resultUnwillingToPerform     = 53
	resultOther                  = 80
)

// resultName is the name of a result code in RFC 4511 4.1.9.
func resultName(code int) string {
	switch code {
	case resultSuccess:
		return "success"
	case resultOperationsError:
		return "operationsError"
	case resultProtocolError:
		return "protocolError"
	case resultTimeLimitExceeded:
		return "timeLimitExceeded"
	case resultSizeLimitExceeded:
		return "sizeLimitExceeded"
	case resultCompareFalse:
		return "compareFalse"
	case resultCompareTrue:
		return "compareTrue"
	case resultAuthMethodNotSupported:
		return "authMethodNotSupported"
	case resultStrongerAuthRequired:
		return "strongerAuthRequired"
	case resultReferral:
		return "referral"
	case resultAdminLimitExceeded:
		return "adminLimitExceeded"
	case resultUnavailableCritical:
		return "unavailableCriticalExtension"
	case 13:
		return "confidentialityRequired"
	case resultSASLBindInProgress:
		return "saslBindInProgress"
	case 16:
		return "noSuchAttribute"
	case 17:
		return "undefinedAttributeType"
	case 18:
		return "inappropriateMatching"
	case 19:
		return "constraintViolation"
	case 20:
		return "attributeOrValueExists"
	case 21:
		return "invalidAttributeSyntax"
	case resultNoSuchObject:
		return "noSuchObject"
	case 33:
		return "aliasProblem"
	case 34:
		return "invalidDNSyntax"
	case 36:
		return "aliasDereferencingProblem"
	case resultInappropriateAuth:
		return "inappropriateAuthentication"
	case resultInvalidCredentials:
		return "invalidCredentials"
	case 50:
		return "insufficientAccessRights"
	case resultBusy:
		return "busy"
	case resultUnavailable:
		return "unavailable"
	case resultUnwillingToPerform:
		return "unwillingToPerform"
	case 54:
		return "loopDetect"
	case 64:
		return "namingViolation"
	case 65:
		return "objectClassViolation"
	case 66:
		return "notAllowedOnNonLeaf"
	case 67:
		return "notAllowedOnRDN"
	case 68:
		return "entryAlreadyExists"
	case 69:
		return "objectClassModsProhibited"
	case 71:
		return "affectsMultipleDSAs"
	case resultOther:
		return "other"
	}
	return fmt.Sprintf("result %d", code)
}
