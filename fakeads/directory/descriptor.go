package directory

import (
	"slices"
	"sync"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// descriptor is a security descriptor, parsed and as bytes. Objects with the same descriptor share it. One that follows from the
// class and the parent is made when somebody first looks: many objects of a fresh forest are never asked for theirs.
type descriptor struct {
	once   sync.Once
	make   func() *security.Descriptor // nil once it was made
	sd     *security.Descriptor
	self   bool
	encode sync.Once
	bytes  [][]byte
}

func newDescriptor(sd *security.Descriptor) *descriptor {
	return &descriptor{make: func() *security.Descriptor { return sd }}
}

// get is the descriptor; it must not be changed.
func (d *descriptor) get() *security.Descriptor {
	d.once.Do(func() {
		d.sd = d.make()
		d.make = nil
		d.self = d.sd.DACL != nil && slices.ContainsFunc(d.sd.DACL.ACEs, func(a security.ACE) bool { return a.SID == security.Self })
	})
	return d.sd
}

// aboutSelf tells whether some entry is about PRINCIPAL_SELF.
func (d *descriptor) aboutSelf() bool {
	d.get()
	return d.self
}

// values is the value of nTSecurityDescriptor.
func (d *descriptor) values() [][]byte {
	d.encode.Do(func() { d.bytes = [][]byte{d.get().Marshal()} })
	return d.bytes
}

// heirKey is what the descriptor of a new object follows from when its creator gives none.
type heirKey struct {
	parent       *descriptor
	class        *classDef
	owner, group security.SID
}

// heirs remembers what objects of a class below a parent get, so that ten thousand users share one descriptor. It is used under
// the forest's lock.
type heirs map[heirKey]*descriptor

// maxHeirs bounds the memory; a forest has a few dozen pairs of container and class.
const maxHeirs = 1024

// descriptorFor makes the descriptor of a new object: given by the creator, or the class's default, and what the parent hands
// down ([MS-ADTS] 6.1.3, 7.1.3).
func (t *tx) descriptorFor(parent *descriptor, class *classDef, given *security.Descriptor, owner, group security.SID) *descriptor {
	f := t.f
	if given != nil {
		return &descriptor{make: f.heir(t.r.domain, parent, class, given, owner, group)}
	}
	key := heirKey{parent, class, owner, group}
	if d := f.heirs[key]; d != nil {
		return d
	}
	d := &descriptor{make: f.heir(t.r.domain, parent, class, nil, owner, group)}
	if len(f.heirs) >= maxHeirs {
		clear(f.heirs)
	}
	f.heirs[key] = d
	return d
}

// heir makes a descriptor from what is given, or the class's default, and what the parent hands down.
func (f *Forest) heir(domain *Domain, parent *descriptor, class *classDef, given *security.Descriptor, owner, group security.SID) func() *security.Descriptor {
	return func() *security.Descriptor {
		var above *security.Descriptor
		if parent != nil {
			above = parent.get()
		}
		own := given
		if own == nil {
			own = f.defaultDescriptor(class, domain)
		}
		return security.Inherit(above, own, &security.Token{User: owner, PrimaryGroup: group}, class.guid)
	}
}

// Domains that stand for the real ones in parsed defaults of the schema.
var (
	placeholderDomain = security.MustSID("S-1-5-21-0-0-1")
	placeholderRoot   = security.MustSID("S-1-5-21-0-0-2")
)

// defaultDescriptor is defaultSecurityDescriptor of a class, the nearest superclass's where it has none, for a domain.
func (f *Forest) defaultDescriptor(class *classDef, d *Domain) *security.Descriptor {
	for c := class; c != nil; c = c.super {
		if c.sddl != "" {
			return settleDescriptor(c.defaultSD(), d.SID, f.domains[0].SID)
		}
	}
	return nil
}

// settleDescriptor puts the domain's and the root domain's SID in place of the placeholders.
func settleDescriptor(sd *security.Descriptor, domain, root security.SID) *security.Descriptor {
	settle := func(sid security.SID) security.SID {
		switch sid.Domain() {
		case placeholderDomain:
			return domain.Append(sid.RID())
		case placeholderRoot:
			return root.Append(sid.RID())
		}
		return sid
	}
	c := *sd
	c.Owner, c.Group = settle(sd.Owner), settle(sd.Group)
	for _, acl := range []**security.ACL{&c.DACL, &c.SACL} {
		if *acl == nil {
			continue
		}
		copied := **acl
		copied.ACEs = slices.Clone(copied.ACEs)
		for i := range copied.ACEs {
			copied.ACEs[i].SID = settle(copied.ACEs[i].SID)
		}
		*acl = &copied
	}
	return &c
}

// ownerOf is whom a new object belongs to: the Domain Admins or Enterprise Admins group when the creator is in it, the creator
// otherwise ([MS-ADTS] 6.1.3.6, DefaultOwner of the token).
func (t *tx) ownerOf(k ncKind) (owner, group security.SID) {
	domain, root := t.r.domain.SID, t.f.domains[0].SID
	admins := domain.Append(security.RIDDomainAdmins)
	if k == ncConfiguration {
		admins = root.Append(security.RIDEnterpriseAdmins)
	}
	if t.c.System || t.c.Token == nil {
		return admins, admins
	}
	tok := t.c.Token
	group = tok.PrimaryGroup
	if group.IsZero() {
		group = domain.Append(security.RIDDomainUsers)
	}
	for _, g := range []security.SID{admins, domain.Append(security.RIDDomainAdmins), root.Append(security.RIDEnterpriseAdmins)} {
		if tok.Has(g) {
			return g, group
		}
	}
	return tok.User, group
}
