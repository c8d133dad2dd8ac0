package intake

import (
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator"
)

// mostUsers is how many users of a group the world has. Containers do not run on users.
const mostUsers = 50

// wellKnown are the names of the domain's own groups and accounts that configurations know, whatever they are called in the directory's
// language ([MS-DTYP] 2.4.2.4).
var wellKnown = map[uint32]string{
	security.RIDAdministrator: "Administrator", security.RIDGuest: "Guest", security.RIDDomainAdmins: "Domain Admins", security.RIDDomainUsers: "Domain Users",
	security.RIDDomainGuests: "Domain Guests", security.RIDDomainComputers: "Domain Computers", security.RIDDomainControllers: "Domain Controllers",
}

// lists find what service accounts lead to.
type lists struct {
	b       *builder
	in      map[*object]struct{}
	nested  []*object // groups, in the order in which they were met
	members map[*object][]*object
	// former are members whose own objects name a group that does not have them.
	former map[*object][]*object
}

func newLists(b *builder) *lists {
	l := &lists{b: b, in: map[*object]struct{}{}, members: map[*object][]*object{}, former: map[*object][]*object{}}
	l.links()
	return l
}

// links reads the members of groups. memberOf is computed by the directory from member, so it counts where member was not exported only.
func (l *lists) links() {
	b := l.b
	known := b.exported(group, "member")
	for _, g := range b.all(group) {
		for _, m := range g.attr["member"] {
			name, err := dn.Parse(string(m.data))
			if err != nil {
				b.report.ignore(m.line, "a member that is no distinguished name")
				continue
			}
			if o := b.byDN[name.Key()]; o != nil && !slices.Contains(l.members[g], o) {
				l.members[g] = append(l.members[g], o)
			}
		}
	}
	for _, k := range []kind{computer, serviceAccount, group} {
		for _, o := range b.all(k) {
			for _, m := range o.attr["memberof"] {
				name, err := dn.Parse(string(m.data))
				if err != nil {
					continue
				}
				g := b.byDN[name.Key()]
				switch {
				case g == nil || g.kind != group || slices.Contains(l.members[g], o) || g.more:
				case known:
					l.former[g] = append(l.former[g], o)
				default:
					l.members[g] = append(l.members[g], o)
				}
			}
		}
	}
}

// descriptor is msDS-GroupMSAMembership of an account; nil when it has none that can be read.
func (l *lists) descriptor(o *object) *security.Descriptor {
	v := o.attr[strings.ToLower("msDS-GroupMSAMembership")]
	if len(v) == 0 {
		return nil
	}
	d, err := security.ParseDescriptor(v[0].data)
	if err != nil { // Get-ADServiceAccount and some tools write SDDL
		d, err = security.ParseSDDL(string(v[0].data), l.b.sid, l.b.sid)
	}
	if err != nil {
		l.b.report.warn(v[0].line, "msDS-GroupMSAMembership of %s is no security descriptor: nobody may read the password", o.account())
		delete(o.attr, strings.ToLower("msDS-GroupMSAMembership"))
		return nil
	}
	return d
}

// readers takes in everybody in the descriptor of an account, and everybody in those groups.
func (l *lists) readers(o *object) {
	d := l.descriptor(o)
	if d == nil || d.DACL == nil {
		return
	}
	for _, a := range d.DACL.ACEs {
		if p := l.b.bySID[a.SID.String()]; p != nil {
			l.enter(p)
		}
	}
}

func (l *lists) enter(o *object) {
	if _, in := l.in[o]; in {
		return
	}
	if sid, ok := o.sid(); o.kind == group && ok && (sid.RID() < 1000 || sid.Len() != 5) {
		return // one of the domain's own groups, whose members are not configured
	}
	l.in[o] = struct{}{}
	if o.kind != group {
		return
	}
	l.nested = append(l.nested, o)
	users := 0
	for _, m := range l.members[o] {
		if m.kind == user {
			if users++; users > mostUsers {
				l.b.report.ignore(o.line, "users in groups that may read passwords, beyond the first %d", mostUsers)
				continue
			}
		}
		l.enter(m)
	}
	for _, m := range l.former[o] {
		l.b.report.warn(m.at("memberOf"), "%s says that it is in %s, which does not have it as a member", m.shown(), o.sam())
		l.enter(m)
	}
}

// named takes in who was asked for, and who has service principal names for other names than its own.
func (l *lists) named() {
	b := l.b
	for _, o := range b.objects {
		if o.kind != computer && o.kind != user && o.kind != group || o.name.DNSName() != b.cfg.DNSName {
			continue
		}
		if b.keep[strings.ToLower(o.account())] {
			l.enter(o)
			continue
		}
		for _, spn := range o.texts("servicePrincipalName") {
			_, host, _ := strings.Cut(spn, "/")
			host, _, _ = strings.Cut(host, "/")
			host, _, _ = strings.Cut(host, ":")
			if o.kind == user || b.keep[strings.ToLower(spn)] || !strings.EqualFold(host, o.account()) && !strings.EqualFold(host, o.text("dNSHostName")) &&
				!strings.EqualFold(host, o.account()+"."+b.cfg.DNSName) && !isGUID(host) {
				l.enter(o)
				break
			}
		}
	}
}

func isGUID(s string) bool { _, err := security.ParseGUID(s); return err == nil }

// nameOf is what a configuration calls the owner of a SID; "" when it cannot.
func (l *lists) nameOf(sid security.SID) string {
	if sid.Domain() == l.b.sid {
		if n := wellKnown[sid.RID()]; n != "" {
			return n
		}
	}
	if o := l.b.bySID[sid.String()]; o != nil {
		return l.b.hosts[o]
	}
	return ""
}

// groups enters the groups, with the members that the world has.
func (l *lists) groups() {
	b := l.b
	var list []*object
	for _, o := range l.nested {
		name := o.sam()
		if !isAccountName(name, 64) || name == "DnsAdmins" || name == "DnsUpdateProxy" {
			b.report.ignore(o.line, "the group %s: that is no name, or a group that every domain has", name)
			continue
		}
		b.hosts[o] = name
		list = append(list, o)
	}
	for _, o := range list {
		g := simulator.Group{Name: b.hosts[o], Scope: scopeOf(o), Category: simulator.Security, RID: b.rid(o)}
		if !o.has("groupType") {
			g.Scope = simulator.Global
			b.report.assume(o.line, "groups whose groupType is not in the export are global security groups")
		} else if o.bits("groupType")&0x80000000 == 0 {
			g.Category = simulator.Distribution
		}
		if o.more {
			b.report.warn(o.at("member"), "%s has more members than the server gave: it gives %d at a time", o.sam(), len(o.attr["member"]))
		}
		if !o.has("member") && !b.exported(group, "member") && len(l.members[o]) == 0 {
			b.report.assume(o.line, "groups have no members: neither member nor memberOf is in the export")
		}
		for _, m := range o.attr["member"] {
			l.dangling(o, m)
		}
		for _, m := range l.members[o] {
			if n := b.hosts[m]; n != "" && n != g.Name {
				g.Members = append(g.Members, n)
			}
		}
		b.cfg.Groups = append(b.cfg.Groups, g)
	}
	l.shouldRead()
}

// dangling says which members are nobody in the export.
func (l *lists) dangling(g *object, m value) {
	name, err := dn.Parse(string(m.data))
	if err != nil || l.b.byDN[name.Key()] != nil {
		return
	}
	_, rdn := name.RDN()
	switch {
	case strings.HasPrefix(rdn, "S-1-"):
		l.b.report.ignore(m.line, "members of %s from other domains", g.sam())
	default:
		l.b.report.warn(m.line, "%s has members that are nobody in the export, as %s", g.sam(), rdn)
	}
}

// shouldRead lists which computers should read which passwords.
func (l *lists) shouldRead() {
	b := l.b
	for _, s := range b.all(serviceAccount) {
		d := l.descriptor(s)
		if d == nil || d.DACL == nil || b.hosts[s] == "" {
			continue
		}
		seen := map[*object]bool{}
		var walk func(o *object)
		walk = func(o *object) {
			if o == nil || seen[o] {
				return
			}
			seen[o] = true
			if n := b.hosts[o]; o.kind == computer && n != "" {
				b.readers = append(b.readers, doctor.Reader{Host: strings.TrimSuffix(n, "$"), Account: s.account()})
			}
			for _, m := range slices.Concat(l.members[o], l.former[o]) {
				walk(m)
			}
		}
		for _, a := range d.DACL.ACEs {
			if a.Type == security.AccessAllowed || a.Type == security.AccessAllowedObject {
				walk(b.bySID[a.SID.String()])
			}
		}
		found := slices.ContainsFunc(b.readers, func(r doctor.Reader) bool { return r.Account == s.account() })
		if !found {
			b.report.warn(s.at("msDS-GroupMSAMembership"), "no computer of the export may read the password of %s", s.account())
		}
	}
}

// scopeOf is the scope in groupType ([MS-ADTS] 2.2.12).
func scopeOf(o *object) simulator.GroupScope {
	switch bits := o.bits("groupType"); {
	case bits&2 != 0:
		return simulator.Global
	case bits&8 != 0:
		return simulator.Universal
	}
	return simulator.DomainLocal
}

// leftOut counts the accounts that no service account leads to.
func (l *lists) leftOut() {
	b := l.b
	count := map[kind]int{}
	for _, o := range b.objects {
		if _, in := l.in[o]; !in && o.name.DNSName() == b.cfg.DNSName {
			count[o.kind]++
		}
	}
	for _, k := range []kind{computer, group, user} {
		if n := count[k]; n > 0 {
			b.report.ignore(0, "%d objects of kind %s that no service account leads to", n, term(k))
		}
	}
}
