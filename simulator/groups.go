package simulator

import (
	"errors"
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

// NewGroup is New-ADGroup, and Add-ADGroupMember when there are members.
func (a *Admin) NewGroup(g Group) error {
	command := fmt.Sprintf("New-ADGroup -Name %q -GroupScope %s", g.Name, g.scope())
	if g.Category != "" {
		command += " -GroupCategory " + string(g.Category)
	}
	return a.do(command, func(c *ldapConn) error {
		o := groupObject(c.dc.dom, g, nil)
		if err := c.create(g.Name, c.add(o.DN, o.Attributes)); err != nil || len(g.Members) == 0 {
			return err
		}
		return c.changeMembers(directory.ModAdd, g.Name, g.Members)
	})
}

// AddGroupMember is Add-ADGroupMember. A host's name works with and without the final $.
func (a *Admin) AddGroupMember(group string, members ...string) error {
	return a.do(fmt.Sprintf("Add-ADGroupMember %s -Members %s", group, strings.Join(members, ",")), func(c *ldapConn) error {
		return c.changeMembers(directory.ModAdd, group, members)
	})
}

// RemoveGroupMember is Remove-ADGroupMember.
func (a *Admin) RemoveGroupMember(group string, members ...string) error {
	return a.do(fmt.Sprintf("Remove-ADGroupMember %s -Members %s", group, strings.Join(members, ",")), func(c *ldapConn) error {
		return c.changeMembers(directory.ModDelete, group, members)
	})
}

// RemoveGroup is Remove-ADGroup.
func (a *Admin) RemoveGroup(name string) error {
	return a.do("Remove-ADGroup "+name, func(c *ldapConn) error { return c.remove(name) })
}

func (c *ldapConn) changeMembers(op int, group string, members []string) error {
	return c.changeMembersBy(c.principal, op, group, members)
}

func (c *ldapConn) changeMembersBy(find func(name string, attrs ...string) (*ldapEntry, error), op int, group string, members []string) error {
	g, err := c.principal(group, "distinguishedName")
	if err != nil {
		return c.change(group, err)
	}
	var dns []string
	for _, m := range members {
		e, err := find(m, "distinguishedName")
		if unknown, ok := errors.AsType[*unknownNameError](err); ok {
			err = &unknownMemberError{*unknown, group}
		}
		if err != nil {
			return c.change(group, err)
		}
		dns = append(dns, e.DN)
	}
	return c.change(group, c.modify(g.DN, []directory.Modification{{Op: op, Attribute: directory.Text("member", dns...)}}))
}
