package directory

import (
	"slices"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// groupTypeOf is the groupType, 0 for what is no group.
func (e *entry) groupTypeOf() uint32 {
	if !e.is("group") {
		return 0
	}
	return uint32(e.int(aGroupType))
}

// closure collects groups over any depth of nesting, each once, the nearest first.
type closure struct {
	seen   map[uint32]bool
	groups []*entry
}

// add follows the memberships of one object. Groups that step does not return are not followed further: distribution groups make
// no token, and nobody is in what contains them through them.
func (c *closure) add(id uint32, step func(id uint32, yield func(*entry) bool)) {
	if c.seen == nil {
		c.seen = map[uint32]bool{}
	}
	queue := []uint32{id}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		step(next, func(g *entry) bool {
			if !c.seen[g.id] {
				c.seen[g.id] = true
				c.groups = append(c.groups, g)
				queue = append(queue, g.id)
			}
			return true
		})
	}
}

// globalStep yields the security-enabled global and universal groups that an object is a direct member of: global ones of this
// domain, universal ones of the whole forest.
func (v *view) globalStep(id uint32, yield func(*entry) bool) {
	v.memberships(id, groupGlobal|groupUniversal, yield)
	if len(v.f.domains) == 1 {
		return
	}
	for _, d := range v.f.domains {
		if d != v.r.domain {
			v.inDomain(d).memberships(id, groupUniversal, yield)
		}
	}
}

// memberships yields the security-enabled groups of this replica's domain and of these scopes that have an object as a member.
func (v *view) memberships(id uint32, scopes uint32, yield func(*entry) bool) {
	for g := range v.sourcesOf(id, aMember) {
		if t := g.groupTypeOf(); t&groupSecurity != 0 && t&scopes != 0 && !yield(g) {
			return
		}
	}
}

// globalGroups are the groups of an account that a TGT carries, the primary group first.
func (v *view) globalGroups(e *entry) []*entry {
	var c closure
	if g := v.primaryGroup(e); g != nil {
		c.seen = map[uint32]bool{g.id: true}
		c.groups = append(c.groups, g)
		c.add(g.id, v.globalStep)
	}
	c.add(e.id, v.globalStep)
	return c.groups
}

func (v *view) primaryGroup(e *entry) *entry {
	rid := uint32(e.int(aPrimaryGroupID))
	if rid == 0 {
		return nil
	}
	return v.bySID(v.r.domain.SID.Append(rid))
}

// GlobalGroups are the security-enabled global and universal groups of the account, nested ones included, primary group first:
// what a TGT carries ([MS-KILE] 3.3.5.6.3).
func (r *Replica) GlobalGroups(a *Account) []GroupMembership {
	v := r.view()
	if a.replica.domain != r.domain {
		v = *v.inDomain(a.replica.domain)
	}
	e := v.byID(a.entry.id)
	if e == nil {
		e = a.entry // not on this domain controller yet
	}
	return membershipsOf(v.globalGroups(e), membershipAttributes)
}

func membershipsOf(groups []*entry, attributes uint32) []GroupMembership {
	if len(groups) == 0 {
		return nil
	}
	list := make([]GroupMembership, len(groups))
	for i, g := range groups {
		list[i] = GroupMembership{g.sid, attributes}
	}
	return list
}

// localGroups are the security-enabled domain-local groups of this domain that contain one of the SIDs at any depth; of the
// builtin ones or of the others.
func (v *view) localGroups(sids []security.SID, builtin bool) []*entry {
	var c closure
	for _, sid := range sids {
		holder := v.bySID(sid) // an account, a group, or the foreignSecurityPrincipal that stands for a SID
		id := uint32(0)
		switch {
		case holder != nil:
			id = holder.id
		case len(v.f.domains) > 1:
			for _, d := range v.f.domains {
				if d != v.r.domain && d.SID == sid.Domain() {
					if e := v.inDomain(d).bySID(sid); e != nil {
						id = e.id
					}
				}
			}
		}
		if id == 0 {
			continue
		}
		c.add(id, func(id uint32, yield func(*entry) bool) {
			v.memberships(id, groupDomainLocal, func(g *entry) bool {
				return (g.sid.Domain() == security.BuiltinDomain) != builtin || yield(g)
			})
		})
	}
	return c.groups
}

// ResourceGroups are the domain-local groups of this domain that contain one of the SIDs, at any depth: what a service ticket
// adds ([MS-KILE] 3.3.5.7.3). Builtin groups are not among them.
func (r *Replica) ResourceGroups(sids []security.SID) []GroupMembership {
	v := r.view()
	return membershipsOf(v.localGroups(sids, false), resourceMembershipAttributes)
}

// Token is the access token this domain controller's LSA makes of the SIDs of a PAC: it adds Everyone, Network, Authenticated
// Users and builtin groups ([MS-KILE] 3.4.5.3). The first of the SIDs that is of the user's domain is the primary group, as
// [Replica.GlobalGroups] has it.
func (r *Replica) Token(user security.SID, sids []security.SID) *security.Token {
	v := r.view()
	return v.token(user, sids)
}

func (v *view) token(user security.SID, sids []security.SID) *security.Token {
	groups := make([]security.SID, 0, len(sids)+8)
	var primary security.SID
	add := func(sid security.SID) {
		if sid != user && !slices.Contains(groups, sid) {
			groups = append(groups, sid)
		}
	}
	for _, sid := range sids {
		if primary.IsZero() && sid != user && sid.Domain() == user.Domain() {
			primary = sid
		}
		add(sid)
	}
	add(security.Everyone)
	add(security.Network)
	add(security.AuthenticatedUsers)
	for _, g := range v.localGroups(append([]security.SID{user}, groups...), true) {
		add(g.sid)
	}
	t := security.NewToken(user, groups...)
	t.PrimaryGroup = primary
	return t
}

// TokenFor is the token of a fresh logon at this domain controller, as for a simple bind: all memberships are those of the moment.
// It must not be changed: logons share it while the directory stays as it is.
func (r *Replica) TokenFor(a *Account) *security.Token {
	v := r.view()
	home := &v
	if a.replica.domain != r.domain {
		home = v.inDomain(a.replica.domain)
	}
	e := home.byID(a.entry.id)
	if e == nil {
		return v.tokenFor(home, a.entry) // it is gone
	}
	var room [4 * int(ncStored)]*recordNode
	made := v.contents(room[:0])
	for _, d := range r.forest.domains {
		if d != r.domain {
			made = v.inDomain(d).contents(made)
		}
	}
	return r.forest.tokens.token(tokenKey{r.index, e.id}, made, func() *security.Token { return v.tokenFor(home, e) })
}

// tokenFor makes the token of an account whose domain's view is home.
func (v *view) tokenFor(home *view, e *entry) *security.Token {
	var sids []security.SID
	for _, g := range home.globalGroups(e) {
		sids = append(sids, g.sid)
	}
	if uint32(e.int(aUserAccountControl))&uacServerTrust != 0 {
		sids = append(sids, security.EnterpriseDCs)
	}
	for _, g := range v.localGroups(append([]security.SID{e.sid}, sids...), false) {
		sids = append(sids, g.sid)
	}
	return v.token(e.sid, sids)
}
