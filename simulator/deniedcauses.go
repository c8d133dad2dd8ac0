package simulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// firstOwnRID is where the RIDs of a domain's own accounts and groups begin; those below are there from the start ([MS-SAMR] 2.2.1.14).
const firstOwnRID = 1000

// cause tells which state keeps a reader off the list, the most telling one first, with the repair that belongs to it.
func (c *denial) cause(f *diag.Finding) {
	switch {
	case c.sd == nil || c.sd.DACL == nil || len(c.sd.DACL.ACEs) == 0:
		f.Mode = "acl-no-principals"
		f.Help = []diag.Help{c.list("allow a group of the computers that need the account, or the computer itself")}
	case c.host == nil && c.someHost() == nil:
		c.userNotAllowed(f)
	case c.host == nil:
		c.wrongReader(f, "the list names computers, or their groups; what a user may do in the directory is another matter")
	case c.host.isWorkstation(c.account) && c.someHost() != nil:
		c.wrongReader(f, "Test-ADServiceAccount is about the computer on which it runs, whoever runs it")
	case c.otherRights(f), c.unusableGroup(f), c.namesake(f), c.rejoined(f), c.orphan(f), c.lost(f):
	default:
		f.Mode = "acl-host-not-member"
		f.Help = []diag.Help{c.join()}
	}
}

// group is a group on the list that computers may be put into; "" when there is none.
func (c *denial) group() string {
	for _, l := range c.listed {
		if l.dc == nil || l.dc.dom != c.dc.dom || l.sid.RID() < firstOwnRID {
			continue
		}
		if _, err := c.dc.replica.AccountByName(directory.Principal, l.name); err != nil { // accounts apart
			return l.name
		}
	}
	return ""
}

// join is the help that puts the host into the group that is allowed, or onto the list when there is no such group.
func (c *denial) join() diag.Help {
	group := c.group()
	if group == "" {
		return c.list("put the computer on the list")
	}
	return diag.Help{Text: "add the computer to the group that is allowed, then restart it",
		Command: fmt.Sprintf("Add-ADGroupMember -Identity %q -Members %q; Restart-Computer", group, c.reader.SAMAccountName),
		Do: []string{flowStep("addGroupMember", arg{"group", group}, arg{"members", []string{c.reader.SAMAccountName}}),
			c.restart()}}
}

// list is the help that writes the list with the reader on it and without what is nobody's.
func (c *denial) list(text string) diag.Help {
	var names []string
	for _, l := range c.listed {
		if l.dc != nil {
			names = append(names, l.name)
		}
	}
	names = append(names, c.reader.SAMAccountName)
	typed := make([]string, len(names))
	for i, n := range names {
		typed[i] = `"` + n + `"`
	}
	return diag.Help{Text: text,
		Command: fmt.Sprintf("Set-ADServiceAccount %s -PrincipalsAllowedToRetrieveManagedPassword %s", c.account, strings.Join(typed, ",")),
		Do:      []string{flowStep("setServiceAccount", arg{"account", c.account}, arg{"allowedToRetrieve", names})}}
}

// someHost is a host that may read the password.
func (c *denial) someHost() *Host {
	for _, h := range c.d.Hosts() {
		a, err := c.dc.replica.AccountByName(directory.Principal, h.machine.account)
		if err == nil && h.dom == c.dc.dom && c.sd.Allows(c.dc.replica.TokenFor(a), security.RightReadProperty, security.ObjectTypes{}, c.self) {
			return h
		}
	}
	return nil
}

// userNotAllowed: the password is read by a user, as outside the domain it has to be; no computer is to read it.
func (c *denial) userNotAllowed(f *diag.Finding) {
	f.Mode = "acl-portable-user-not-member"
	f.Because = "the password is read by the user that signs in, so that user has to be allowed, not the computer"
	f.Help = []diag.Help{c.d.allowUser(c.account, c.reader.SAMAccountName)}
}

// wrongReader: it is no computer that the account is for, so False says nothing.
func (c *denial) wrongReader(f *diag.Finding, because string) {
	f.Mode = "acl-admin-cannot-read"
	f.Because = because
	h := c.someHost()
	if h == nil {
		f.Help = []diag.Help{{Text: "test on a host that runs the containers"}}
		return
	}
	with := flowStep("with", arg{"host", h.Name()})
	if c.host == nil {
		with = flowStep("with", arg{"host", h.Name()}, arg{"user", "SYSTEM"})
	}
	f.Help = []diag.Help{{Text: "test on a host that runs the containers",
		Command: fmt.Sprintf("Invoke-Command -ComputerName %s { Test-ADServiceAccount %s }", h.Name(), c.account), Do: []string{with}}}
}

// otherRights: the list has entries for the reader, and they give something else or deny the reading.
func (c *denial) otherRights(f *diag.Finding) bool {
	token := c.dc.replica.TokenFor(c.reader)
	var about []string
	for _, ace := range c.sd.DACL.ACEs {
		if ace.SID == c.reader.SID || token.Has(ace.SID) {
			one := security.Descriptor{Control: c.sd.Control, DACL: &security.ACL{Revision: c.sd.DACL.Revision, ACEs: []security.ACE{ace}}}
			about = append(about, strings.TrimPrefix(one.SDDL(c.dc.dom.SID), "D:"))
		}
	}
	if about == nil {
		return false
	}
	f.Mode = "acl-sd-without-readprop"
	f.Facts = append(f.Facts, diag.Fact{Name: "entries for the reader", Value: strings.Join(about, " ")})
	f.Because = "the DC checks for the right to read properties, entry by entry in their order; another right does not count, and a denial that comes first ends the check"
	f.Help = []diag.Help{c.list("let the cmdlet write the list")}
	return true
}

// unusableGroup: the reader is a member of a group on the list that its token does not carry.
func (c *denial) unusableGroup(f *diag.Finding) bool {
	for _, l := range c.listed {
		for _, g := range c.d.wayInto(l, c.readerDN()) {
			switch typ := g.groupType; {
			case typ&groupSecurity == 0:
				f.Mode = "acl-distribution-group"
				f.Because = "only security groups come into tickets; a distribution group is a list of addresses"
				f.Help = []diag.Help{{Text: "make it a security group, then restart the computer",
					Command: fmt.Sprintf("Set-ADGroup %q -GroupCategory Security; Restart-Computer", g.name),
					Do:      []string{flowStep("setGroup", arg{"group", g.name}, arg{"category", string(Security)}), c.restart()}}}
			case typ&groupDomainLocal != 0 && g.dc.dom != c.dc.dom:
				f.Mode = "acl-groupscope-cross-domain"
				f.Because = "a domain-local group counts in its own domain only; DCs of other domains do not put it into tickets"
				f.Help = []diag.Help{{Text: "make it a universal group, then restart the computer; or take a domain-local group of the account's domain",
					Command: fmt.Sprintf("Set-ADGroup %q -GroupScope Universal -Server %s; Restart-Computer", g.name, g.dc.name),
					Do:      []string{flowStep("setGroup", arg{"group", g.name}, arg{"domain", g.dc.dom.DNSName}, arg{"scope", string(Universal)}), c.restart()}}}
			default:
				continue
			}
			f.Facts = append(f.Facts, diag.Fact{Name: "member, and not in the ticket", Value: g.name})
			return true
		}
	}
	return false
}

// groupOnWay is a group by which an object is a member of another.
type groupOnWay struct {
	name, dn  string
	groupType uint32
	dc        *DC
}

// wayInto are the groups by which dn is a member of l, the listed one first; nil when it is not. What kind the groups are does not matter.
func (d *Domain) wayInto(l listed, dn string) []groupOnWay {
	if l.dc == nil {
		return nil
	}
	seen := map[string]bool{}
	for level := [][]groupOnWay{nil}; len(level) > 0; {
		var next [][]groupOnWay
		for _, way := range level {
			member := dn
			if len(way) > 0 {
				member = way[0].dn
			}
			for _, g := range d.groupsWith(member) {
				longer := append([]groupOnWay{g}, way...)
				if strings.EqualFold(g.dn, l.dn) {
					return longer
				}
				if !seen[g.dn] {
					seen[g.dn] = true
					next = append(next, longer)
				}
			}
		}
		level = next
	}
	return nil
}

// groupsWith are the groups of the forest, of whatever kind, that have an object as a direct member.
func (d *Domain) groupsWith(dn string) []groupOnWay {
	var list []groupOnWay
	for _, dom := range d.forest.Domains() {
		dc := d.firstDCOf(dom)
		// What cannot be read is no group to this question.
		_ = dc.search(dom.DN, &filter.Filter{Op: filter.Equal, Attr: "member", Value: []byte(dn)}, []string{"sAMAccountName", "groupType"}, func(e *directory.Entry) {
			list = append(list, groupOnWay{name: e.Value("sAMAccountName"), dn: e.DN, groupType: groupTypeOf(e.Value("groupType")), dc: dc})
		})
	}
	return list
}

// namesake: a user has the host's name without the final $ and is in a group on the list in its place.
func (c *denial) namesake(f *diag.Finding) bool {
	user, err := c.dc.replica.AccountByName(directory.Principal, strings.TrimSuffix(c.reader.SAMAccountName, "$"))
	if err != nil || user.Computer {
		return false
	}
	userDN := c.d.whoIs(c.dc, user.SID).dn
	for _, l := range c.listed {
		if l.sid != user.SID && c.d.wayInto(l, userDN) == nil {
			continue
		}
		f.Mode = "acl-member-without-dollar"
		f.Facts = append(f.Facts, diag.Fact{Name: "in its place", Value: userDN})
		f.Because = "a computer's sAMAccountName ends in $; without it the name is that of a user"
		f.Help = []diag.Help{c.join()}
		return true
	}
	return false
}

// rejoined: an earlier computer of this name is gone, and its memberships with it.
func (c *denial) rejoined(f *diag.Finding) bool {
	old := c.dc.deleted("sAMAccountName", []byte(c.reader.SAMAccountName))
	if old == nil {
		return false
	}
	sid, _ := security.SIDFromBytes([]byte(old.Value("objectSid"))) // a tombstone keeps it; without, the fact is empty
	f.Mode = "host-reimaged-new-sid"
	f.Facts = append(f.Facts, diag.Fact{Name: "SID of today", Value: c.reader.SID.String()}, diag.Fact{Name: "SID of the deleted " + c.reader.SAMAccountName, Value: sid.String()})
	f.Because = "lists and groups hold SIDs and objects, not names; a computer that is deleted and joined again is another one"
	f.Help = []diag.Help{c.join()}
	return true
}

// orphan: an entry on the list is a deleted group's or account's.
func (c *denial) orphan(f *diag.Finding) bool {
	for _, l := range c.listed {
		if l.dc != nil {
			continue
		}
		f.Mode = "acl-orphaned-sid"
		who := "unknown"
		if e := c.dc.deleted("objectSid", l.sid.Bytes()); e != nil {
			who = e.Value("sAMAccountName")
		}
		f.Facts = append(f.Facts, diag.Fact{Name: l.sid.String(), Value: who + ", deleted"})
		f.Because = "the list holds the SID of a group that was deleted; a new group of the same name has another one"
		f.Help = []diag.Help{c.list("write the list anew")}
		return true
	}
	return false
}

// lost: the host has read the password before, so it was allowed then.
func (c *denial) lost(f *diag.Finding) bool {
	c.host.mu.Lock()
	kept := c.host.managed[strings.ToLower(c.account+"$")]
	c.host.mu.Unlock()
	if kept == nil {
		return false
	}
	f.Facts = append(f.Facts, diag.Fact{Name: "read by the host", Value: kept.Read.UTC().Format(timeForm)},
		diag.Fact{Name: "kept until", Value: kept.Read.Add(kept.QueryInterval).UTC().Format(timeForm)})
	version, changed := c.dc.replica.Written(c.dn, "msDS-GroupMSAMembership")
	switch {
	case version > 1 && !changed.Before(kept.Read.Truncate(time.Second)):
		f.Mode = "acl-overwritten"
		f.Facts = append(f.Facts, diag.Fact{Name: "list written", Value: changed.Format(timeForm)})
		f.Because = "Set-ADServiceAccount writes the whole list, so whoever is not in the new one has lost access; the host notices when it has to read the password again"
		f.Help = []diag.Help{c.list("write the full list; better, allow one group and change its members")}
	case c.host.now().Before(kept.Read.Add(kept.QueryInterval)):
		f.Mode = "host-cached-password"
		f.Because = "the host may not read the password any more and goes on with the one that it keeps until it is due"
		f.Help = []diag.Help{c.join()}
	default:
		f.Mode = "rot-host-lost-access"
		f.Because = "the password that the host kept has become due, and the host may not read the next one"
		f.Help = []diag.Help{c.join()}
	}
	return true
}

func (c *denial) readerDN() string { return c.d.whoIs(c.dc, c.reader.SID).dn }

// groupTypeOf reads a groupType, which LDAP writes as a signed number.
func groupTypeOf(text string) uint32 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(int32(n))
}
