package simulator

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// population collects objects by domain and remembers where the configured principals are.
type population struct {
	d       *Domain
	objects map[*directory.Domain][]directory.AddRequest
	users   []User            // to be added after the objects
	dns     map[string]string // DN by lower-case NETBIOS\sAMAccountName, users apart
	later   []Group           // with members that have to wait
}

func newPopulation(d *Domain, size int) *population {
	b := &population{d: d, objects: map[*directory.Domain][]directory.AddRequest{}, dns: make(map[string]string, size)}
	b.objects[d.root()] = make([]directory.AddRequest, 0, size)
	return b
}

func (b *population) domain(name string) *directory.Domain {
	if name == "" {
		return b.d.root()
	}
	return b.d.forest.Domain(name)
}

// principalKey is the name of an account or group of a domain without regard to case.
func principalKey(netBIOSName, sam string) string {
	return strings.ToLower(netBIOSName + `\` + sam)
}

func (b *population) add(dom *directory.Domain, sam string, o directory.AddRequest) {
	b.objects[dom] = append(b.objects[dom], o)
	b.dns[principalKey(dom.NetBIOSName, sam)] = o.DN
}

func (b *population) host(h *HostConfig) {
	if h.Workgroup {
		return
	}
	dom := b.domain(h.Domain)
	b.add(dom, h.Name+"$", hostObject(dom, *h, h.Password))
}

func (b *population) serviceAccount(s *ServiceAccount) error {
	dom := b.domain(s.Domain)
	var allowed []security.SID
	for _, name := range s.AllowedToRetrieve {
		sid, err := b.d.sidOf(b.d.firstDCOf(dom), name)
		if err != nil {
			return err
		}
		allowed = append(allowed, sid)
	}
	sd, err := b.d.mayRetrieve(dom, *s, allowed)
	if err != nil {
		return err
	}
	b.add(dom, s.Name+"$", serviceAccountObject(dom, *s, sd))
	return nil
}

func (b *population) flush() error {
	for _, dom := range b.d.forest.Domains() {
		if len(b.objects[dom]) == 0 && len(b.users) == 0 {
			continue
		}
		if err := b.d.forest.PopulateFrom(dom.DNSName, b.all(dom)); err != nil {
			return fmt.Errorf("populate %s: %w", dom.DNSName, err)
		}
	}
	clear(b.objects)
	b.users = nil
	return nil
}

// all gives what is to be added to a domain. Users are many, so their objects are made one at a time.
func (b *population) all(dom *directory.Domain) iter.Seq[directory.AddRequest] {
	return func(yield func(directory.AddRequest) bool) {
		for _, o := range b.objects[dom] {
			if !yield(o) {
				return
			}
		}
		var m userMemory
		for i := range b.users {
			if u := &b.users[i]; b.domain(u.Domain) == dom && !yield(m.object(dom, u)) {
				return
			}
		}
	}
}

// groups adds groups, each after the groups that are its members. What has to wait for a service account, for a time or because
// groups contain each other comes with members.
func (b *population) groups(groups []Group) error {
	for rest := groups; len(rest) > 0; {
		var blocked []Group
		for _, g := range rest {
			dom := b.domain(g.Domain)
			members, complete := b.memberDNs(dom, g.Members)
			if complete && g.MembersSince.IsZero() {
				b.add(dom, g.Name, groupObject(dom, g, members))
			} else {
				blocked = append(blocked, g)
			}
		}
		if len(blocked) == len(rest) {
			for _, g := range blocked {
				dom := b.domain(g.Domain)
				b.add(dom, g.Name, groupObject(dom, g, nil))
			}
			b.later = blocked
			break
		}
		if err := b.flush(); err != nil {
			return err
		}
		rest = blocked
	}
	return b.flush()
}

// memberDNs resolves the members of a group; complete tells that all of them exist already.
func (b *population) memberDNs(dom *directory.Domain, members []string) (dns []string, complete bool) {
	for _, m := range members {
		nb, sam, qualified := strings.Cut(m, `\`)
		if !qualified {
			nb, sam = dom.NetBIOSName, m
		}
		key := principalKey(nb, sam)
		dn, ok := b.dns[key]
		if !ok {
			dn, ok = b.dns[key+"$"]
		}
		if !ok {
			var err error
			if dn, err = b.d.dnOf(b.d.firstDCOf(dom), m); err != nil {
				return nil, false
			}
		}
		dns = append(dns, dn)
	}
	return dns, true
}

// members gives the groups that had to wait their members, the oldest first. Hosts that were restarted before the members came
// have signed in without them.
func (b *population) members() error {
	slices.SortStableFunc(b.later, func(a, c Group) int { return a.MembersSince.Compare(c.MembersSince) })
	for _, g := range b.later {
		dom := b.domain(g.Domain)
		dns, complete := b.memberDNs(dom, g.Members)
		if !complete {
			return fmt.Errorf("group %s: a member does not exist", g.Name)
		}
		for _, h := range b.d.hosts {
			if h.lastRestart.Before(g.MembersSince) {
				h.machine.note()
			}
		}
		if len(dns) == 0 {
			continue
		}
		dc := b.d.firstDCOf(dom)
		mod := directory.Modification{Op: directory.ModAdd, Attribute: directory.Text("member", dns...)}
		if err := dc.replica.Modify(context.Background(), directory.System(), b.dns[principalKey(dom.NetBIOSName, g.Name)], []directory.Modification{mod}, false); err != nil {
			return fmt.Errorf("group %s: %w", g.Name, err)
		}
		for _, dc := range b.d.dcs {
			dc.replica.Sync()
		}
	}
	return nil
}
