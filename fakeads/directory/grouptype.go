package directory

// Bits of groupType ([MS-ADTS] 2.2.12).
const (
	groupBuiltin     uint32 = 0x1
	groupGlobal      uint32 = 0x2
	groupDomainLocal uint32 = 0x4
	groupUniversal   uint32 = 0x8
	groupSecurity    uint32 = 0x80000000

	groupScopes = groupGlobal | groupDomainLocal | groupUniversal
)

// SE_GROUP attributes of memberships in a PAC ([MS-PAC] 2.2.1): mandatory, enabled by default and enabled; and resource.
const (
	membershipAttributes         uint32 = 0x7
	resourceMembershipAttributes uint32 = 0x20000007
)

// groupAccountType is the sAMAccountType of a group.
func groupAccountType(groupType uint32) uint32 {
	switch {
	case groupType&groupDomainLocal != 0 && groupType&groupSecurity != 0:
		return samAlias
	case groupType&groupDomainLocal != 0:
		return samNonSecurityAlias
	case groupType&groupSecurity != 0:
		return samGroup
	}
	return samNonSecurityGroup
}
