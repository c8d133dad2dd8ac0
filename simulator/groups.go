package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// SetGroup is Set-ADGroup: it changes the scope or the category of a group; "" leaves it. domain is that of the group, "" the root domain.
// A group cannot go from domain-local to global, or back, in one step ([MS-ADTS] 3.1.1.5.3.2).
func (a *Admin) SetGroup(name, domain string, scope GroupScope, category GroupCategory) error {
	command := "Set-ADGroup " + name
	if scope != "" {
		command += " -GroupScope " + string(scope)
	}
	if category != "" {
		command += " -GroupCategory " + string(category)
	}
	at := a
	if domain != "" && a.dc == "" {
		dom := a.d.forest.Domain(domain)
		if dom == nil {
			return fmt.Errorf("no domain %q", domain)
		}
		at = a.Server(a.d.firstDCOf(dom).name)
	}
	return at.do(command, func(c *ldapConn) error {
		e, err := c.principal(name, "distinguishedName", "groupType")
		if err != nil {
			return c.change(name, err)
		}
		typ := uint32(e.number("groupType"))
		if scope != "" {
			typ = typ&^(groupDomainLocal|groupGlobal|groupUniversal) | Group{Scope: scope}.groupType()&^groupSecurity
		}
		switch category {
		case Security:
			typ |= groupSecurity
		case Distribution:
			typ &^= groupSecurity
		}
		return c.change(name, c.modify(e.DN, []directory.Modification{{Op: directory.ModReplace, Attribute: integer("groupType", typ)}}))
	})
}

// AddGroupMemberExactly is Add-ADGroupMember as the cmdlet looks names up: a member is its sAMAccountName, a DN or a SID. A computer without
// its final $ is somebody else, or nobody.
func (a *Admin) AddGroupMemberExactly(group string, members ...string) error {
	return a.do(fmt.Sprintf("Add-ADGroupMember %s -Members %s", group, strings.Join(members, ",")), func(c *ldapConn) error {
		return c.changeMembersBy(c.exactly, directory.ModAdd, group, members)
	})
}
