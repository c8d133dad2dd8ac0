package security

// inheritFlags say how an entry goes on to children.
const inheritFlags = ObjectInherit | ContainerInherit | NoPropagateInherit | InheritOnly

// Inherit makes the descriptor of an object: the entries that are its own, from
// given, then those that its parent hands down ([MS-DTYP] 2.5.3.4, [MS-ADTS]
// 6.1.3). given is what the creator sent, or else the class's
// defaultSecurityDescriptor; entries of given that were inherited are dropped,
// so it can be the object's old descriptor when the parent's has changed. parent
// and given may be nil. class is the schemaIDGUID of the object's structural
// class.
//
// Owner and group are given's, or else the creator's user and primary group. A
// given descriptor with DACLProtected inherits no access rights, one with
// SACLProtected no audit.
func Inherit(parent, given *Descriptor, creator *Token, class GUID) *Descriptor {
	if given == nil {
		given = &Descriptor{}
	}
	if parent == nil {
		parent = &Descriptor{}
	}
	d := &Descriptor{
		Control: SelfRelative | given.Control&(DACLProtected|SACLProtected|DACLPresent|SACLPresent),
		Owner:   given.Owner,
		Group:   given.Group,
	}
	if creator != nil {
		if d.Owner.IsZero() {
			d.Owner = creator.User
		}
		if d.Group.IsZero() {
			d.Group = creator.PrimaryGroup
		}
	}
	h := heir{owner: d.Owner, group: d.Group, class: class}
	if d.Control&DACLPresent == 0 || given.DACL != nil { // a null DACL stays one
		d.DACL = h.acl(given.DACL, parent.DACL, d.Control&DACLProtected != 0)
		d.Control |= DACLPresent
		if d.Control&DACLProtected == 0 {
			d.Control |= DACLAutoInherited
		}
	}
	if sacl := h.acl(given.SACL, parent.SACL, d.Control&SACLProtected != 0); len(sacl.ACEs) > 0 {
		d.SACL = sacl
		d.Control |= SACLPresent
		if d.Control&SACLProtected == 0 {
			d.Control |= SACLAutoInherited
		}
	} else {
		d.Control &^= SACLPresent
	}
	return d
}

// heir is the object that comes to be.
type heir struct {
	owner, group SID
	class        GUID
}

func (h *heir) acl(own, parent *ACL, protected bool) *ACL {
	out := &ACL{Revision: ACLRevision}
	if own != nil {
		out.Revision = max(out.Revision, own.Revision)
		for i := range own.ACEs {
			if a := own.ACEs[i]; a.Flags&Inherited == 0 {
				out.ACEs = h.settle(out.ACEs, a, a.Flags&InheritOnly == 0)
			}
		}
	}
	if parent != nil && !protected {
		out.Revision = max(out.Revision, parent.Revision)
		for i := range parent.ACEs {
			out.ACEs = h.hand(out.ACEs, parent.ACEs[i])
		}
	}
	return out
}

// hand appends what an entry of the parent becomes. Every directory object is a
// container.
func (h *heir) hand(out []ACE, a ACE) []ACE {
	inForce := a.Flags&ContainerInherit != 0
	if a.HasInheritedObjectType && a.InheritedObjectType != h.class {
		inForce = false
	}
	goesOn := a.Flags&NoPropagateInherit == 0 && a.Flags&(ContainerInherit|ObjectInherit) != 0
	if !inForce && !goesOn {
		return out
	}
	a.Flags &^= InheritOnly
	a.Flags |= Inherited
	if !goesOn {
		a.Flags &^= inheritFlags
	}
	if !inForce {
		a.Flags |= InheritOnly
	}
	return h.settle(out, a, inForce)
}

// settle appends an entry with CREATOR OWNER, CREATOR GROUP and generic rights
// put in concrete terms where it is in force on the object; the original goes on
// to children beside it, as inherit-only.
func (h *heir) settle(out []ACE, a ACE, inForce bool) []ACE {
	if !inForce {
		return append(out, a)
	}
	concrete := a
	concrete.Mask = a.Mask.specific()
	switch {
	case a.SID == CreatorOwner && !h.owner.IsZero():
		concrete.SID = h.owner
	case a.SID == CreatorGroup && !h.group.IsZero():
		concrete.SID = h.group
	}
	if concrete.Mask == a.Mask && concrete.SID == a.SID || a.Flags&(ContainerInherit|ObjectInherit) == 0 {
		return append(out, concrete)
	}
	concrete.Flags &^= inheritFlags
	a.Flags |= InheritOnly
	return append(out, concrete, a)
}
