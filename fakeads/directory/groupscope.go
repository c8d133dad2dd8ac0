package directory

import (
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Windows codes about groups.
const (
	errPrimaryGroup      = 0x55E  // ERROR_MEMBERS_PRIMARY_GROUP
	errInvalidMember     = 0x56C  // ERROR_INVALID_MEMBER
	errInvalidGroupType  = 0x2141 // ERROR_DS_INVALID_GROUP_TYPE
	errGlobalLocal       = 0x2144 // ERROR_DS_GLOBAL_CANT_HAVE_LOCAL_MEMBER
	errGlobalUniversal   = 0x2145 // ERROR_DS_GLOBAL_CANT_HAVE_UNIVERSAL_MEMBER
	errUniversalLocal    = 0x2146 // ERROR_DS_UNIVERSAL_CANT_HAVE_LOCAL_MEMBER
	errGlobalCrossDomain = 0x2147 // ERROR_DS_GLOBAL_CANT_HAVE_CROSSDOMAIN_MEMBER
	errLocalCrossDomain  = 0x2148 // ERROR_DS_LOCAL_CANT_HAVE_CROSSDOMAIN_LOCAL_MEMBER
)

// prepareGroup makes a new group ([MS-SAMR] 3.1.1.8.3). Without a groupType it is a global security group.
func (t *tx) prepareGroup(d *draft) error {
	t.principal(d)
	if err := t.checkSAM(d); err != nil {
		return err
	}
	if !d.e.has(aGroupType) {
		d.setInt(aGroupType, int64(-1<<31|int32(groupGlobal)))
	}
	typ := uint32(d.e.int(aGroupType))
	if err := t.groupTypeAllowed(typ); err != nil {
		return err
	}
	d.setInt(aSAMAccountType, int64(int32(groupAccountType(typ))))
	for _, l := range d.e.linksOf(aMember) {
		if err := t.memberAllowed(d, l.target); err != nil {
			return err
		}
	}
	return nil
}

// groupTypeAllowed: a group has one scope, and only the system makes builtin ones.
func (t *tx) groupTypeAllowed(typ uint32) error {
	scope := typ & groupScopes
	if scope == 0 || scope&(scope-1) != 0 || typ&groupBuiltin != 0 && !t.c.System {
		return unwilling(errInvalidGroupType)
	}
	return nil
}

// reviseGroup checks a change to a group.
func (t *tx) reviseGroup(d *draft) error {
	if d.wrote(aSAMAccountName) {
		if err := t.checkSAM(d); err != nil {
			return err
		}
	}
	if d.wrote(aGroupType) {
		if err := t.reviseGroupType(d); err != nil {
			return err
		}
	}
	for _, l := range d.links {
		if l.attr != aMember {
			continue
		}
		if !l.add {
			if m := t.anywhere(l.target); m != nil && t.isPrimaryOf(d, m) {
				return unwilling(errPrimaryGroup)
			}
			continue
		}
		if err := t.memberAllowed(d, l.target); err != nil {
			return err
		}
	}
	return nil
}

// isPrimaryOf tells whether the group is an account's primary group.
func (t *tx) isPrimaryOf(d *draft, m *entry) bool {
	return m.is("user") && m.sid.Domain() == d.e.sid.Domain() && uint32(m.int(aPrimaryGroupID)) == d.e.sid.RID()
}

// memberAllowed holds a new member against the scope of its group ([MS-ADTS] 3.1.1.5.3.1.2, Microsoft's table of group scopes):
// global groups take accounts and global groups of their own domain, universal ones anything but domain-local groups, domain-local
// ones everything but domain-local groups of other domains.
func (t *tx) memberAllowed(d *draft, target uint32) error {
	m := t.anywhere(target)
	if m == nil {
		return nil
	}
	if m.id == d.e.id {
		return unwilling(errInvalidMember)
	}
	if t.isPrimaryOf(d, m) {
		return updErr(resultAlreadyExists, errMemberInGroup, 6005, "ENTRY_EXISTS")
	}
	if m.sid.IsZero() { // a contact may be a member; it gets no token
		return nil
	}
	own, scope := m.groupTypeOf(), uint32(d.e.int(aGroupType))&groupScopes
	sameDomain := m.sid.Domain() == t.r.domain.SID
	if d.e.sid.Domain() == security.BuiltinDomain && own&groupDomainLocal != 0 && m.sid.Domain() == security.BuiltinDomain {
		return unwilling(errInvalidMember)
	}
	switch scope {
	case groupGlobal:
		switch {
		case own&groupDomainLocal != 0:
			return unwilling(errGlobalLocal)
		case own&groupUniversal != 0:
			return unwilling(errGlobalUniversal)
		case !sameDomain:
			return unwilling(errGlobalCrossDomain)
		}
	case groupUniversal:
		if own&groupDomainLocal != 0 {
			return unwilling(errUniversalLocal)
		}
	case groupDomainLocal:
		if own&groupDomainLocal != 0 && !sameDomain {
			return unwilling(errLocalCrossDomain)
		}
	}
	return nil
}

// reviseGroupType checks a new groupType: global and domain-local groups become universal and back, but not each other, and
// neither the members nor the groups it is in may come to break a rule ([MS-ADTS] 3.1.1.5.3.2).
func (t *tx) reviseGroupType(d *draft) error {
	old, typ := uint32(d.old.int(aGroupType)), uint32(d.e.int(aGroupType))
	if err := t.groupTypeAllowed(typ); err != nil {
		return err
	}
	if (old|typ)&groupBuiltin != 0 && old != typ && !t.c.System {
		return unwilling(errInvalidGroupType)
	}
	was, is := old&groupScopes, typ&groupScopes
	if was|is == groupGlobal|groupDomainLocal {
		return unwilling(errInvalidGroupType)
	}
	if was != is {
		for _, l := range d.e.linksOf(aMember) {
			if err := t.memberAllowed(d, l.target); err != nil {
				return err
			}
		}
		for g := range t.sourcesOf(d.e.id, aMember) {
			if holder := uint32(g.int(aGroupType)) & groupScopes; holder == groupGlobal && is != groupGlobal || holder == groupUniversal && is == groupDomainLocal {
				return unwilling(errInvalidGroupType)
			}
		}
	}
	d.setInt(aSAMAccountType, int64(int32(groupAccountType(typ))))
	return nil
}

// revisePrimaryGroup checks a new primaryGroupID: the account is a member of that security-enabled global or universal group. The
// new group loses it as an explicit member, the old one gains it ([MS-SAMR] 3.1.1.8.2).
func (t *tx) revisePrimaryGroup(d *draft) error {
	rid := uint32(d.e.int(aPrimaryGroupID))
	was := uint32(d.old.int(aPrimaryGroupID))
	if rid == was {
		return nil
	}
	g := t.bySID(t.r.domain.SID.Append(rid))
	typ := uint32(0)
	if g != nil {
		typ = g.groupTypeOf()
	}
	if typ&groupSecurity == 0 || typ&(groupGlobal|groupUniversal) == 0 {
		return unwilling(errInvalidParameter)
	}
	natural := rid == primaryGroupOf(uint32(d.e.int(aUserAccountControl)))
	if !g.hasLink(aMember, d.e.id) && !natural {
		return unwilling(errMemberNotInGroup)
	}
	gd := t.edit(g)
	gd.removeLink(aMember, d.old)
	gd.save()
	if o := t.bySID(t.r.domain.SID.Append(was)); o != nil {
		od := t.edit(o)
		od.addLink(aMember, d.old)
		od.save()
	}
	return nil
}

// selfMembership is the validated write of member: the caller adds or removes itself and nobody else ([MS-ADTS]
// 3.1.1.5.3.1.1.1).
func (t *tx) selfMembership(d *draft) error {
	for _, l := range d.links {
		m := t.anywhere(l.target)
		if l.attr == aMember && (t.c.Token == nil || m == nil || m.sid != t.c.Token.User) {
			return secErr()
		}
	}
	return nil
}
