package directory

// Windows codes that the mechanics of updates and the rules of accounts share (winerror.h).
const (
	errGenFailure       = 0x1F  // ERROR_GEN_FAILURE: what a domain controller answers without encryption
	errMemberNotInGroup = 0x561 // ERROR_MEMBER_NOT_IN_GROUP
	errMemberInGroup    = 0x562 // ERROR_MEMBER_IN_GROUP
)
