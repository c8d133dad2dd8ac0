package directory

// Bits of userAccountControl ([MS-ADTS] 2.2.16).
const (
	uacAccountDisabled       uint32 = 0x2
	uacLockout               uint32 = 0x10
	uacPasswordNotRequired   uint32 = 0x20
	uacNormalAccount         uint32 = 0x200
	uacInterdomainTrust      uint32 = 0x800
	uacWorkstationTrust      uint32 = 0x1000
	uacServerTrust           uint32 = 0x2000
	uacDontExpirePassword    uint32 = 0x10000
	uacSmartcardRequired     uint32 = 0x40000
	uacTrustedForDelegation  uint32 = 0x80000
	uacPasswordExpired       uint32 = 0x800000
	uacTrustedToAuthenticate uint32 = 0x1000000
	uacPartialSecrets        uint32 = 0x4000000

	uacAccountTypes = uacNormalAccount | uacInterdomainTrust | uacWorkstationTrust | uacServerTrust
)

// Values of sAMAccountType ([MS-SAMR] 2.2.1.9).
const (
	samUser             uint32 = 0x30000000
	samMachine          uint32 = 0x30000001
	samTrust            uint32 = 0x30000002
	samGroup            uint32 = 0x10000000
	samNonSecurityGroup uint32 = 0x10000001
	samAlias            uint32 = 0x20000000
	samNonSecurityAlias uint32 = 0x20000001
	neverExpires               = 0x7FFFFFFFFFFFFFFF // accountExpires; 0 means the same
)

// accountTypeOf is the sAMAccountType that belongs to a userAccountControl.
func accountTypeOf(uac uint32) uint32 {
	switch {
	case uac&(uacWorkstationTrust|uacServerTrust) != 0:
		return samMachine
	case uac&uacInterdomainTrust != 0:
		return samTrust
	}
	return samUser
}
