package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// unknownMemberError: Add-ADGroupMember does not find a member by the name that was typed.
type unknownMemberError struct {
	unknownNameError
	group string
}

func (e *unknownMemberError) finding(d *Domain, s *stepError) *diag.Finding {
	f := d.findNoSuchName(e.name, e.dc)
	if a, err := e.dc.replica.AccountByName(directory.Principal, e.name+"$"); err == nil && strings.EqualFold(a.SAMAccountName, e.name+"$") {
		f.Mode = "acl-member-without-dollar"
		f.Nearest = []diag.Near{{Wanted: e.name, Closest: a.SAMAccountName, WhyNot: "the final $ is part of a computer's sAMAccountName"}}
		f.Help = []diag.Help{{Text: "give the name with its final $", Command: fmt.Sprintf("Add-ADGroupMember %q -Members %q", e.group, a.SAMAccountName),
			Do: []string{flowStep("with", arg{"members", []string{a.SAMAccountName}})}}}
	}
	return f
}

// unknownPrincipalError: a principal that is to be allowed does not exist.
type unknownPrincipalError struct{ unknownNameError }

func (e *unknownPrincipalError) finding(d *Domain, s *stepError) *diag.Finding {
	f := d.findNoSuchName(e.name, e.dc)
	if f.Code != diag.NoSuchAccount {
		return f // it is on another DC
	}
	f.Mode = "acl-principal-missing"
	f.Because = "the cmdlet turns each name into a SID before it writes anything, so one that does not exist ends it and nothing is created"
	f.Help = append(f.Help, diag.Help{Text: "make the group first", Command: fmt.Sprintf("New-ADGroup -Name %q -SamAccountName %q -GroupScope DomainLocal", e.name, e.name),
		Do: []string{flowStep("newGroup", arg{"name", e.name}, arg{"scope", string(DomainLocal)})}})
	return f
}
