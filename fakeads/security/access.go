package security

// Token is an identity as access checks see it, [MS-DTYP] 2.5.2. It does not
// change after it is made and is safe for concurrent use.
type Token struct {
	User   SID
	Groups []SID
	// PrimaryGroup becomes the group of objects that the token creates; it may
	// be zero.
	PrimaryGroup SID
	// System is the domain controller itself: every check succeeds.
	System bool

	set map[SID]struct{} // of user and groups, when there are many
}

// manySIDs is from how many on a map beats looking at each.
const manySIDs = 8

// NewToken makes a token of a user and all groups it is in, at any depth.
// Nothing is added: Everyone and Authenticated Users are the caller's to give.
func NewToken(user SID, groups ...SID) *Token {
	t := &Token{User: user, Groups: groups}
	if len(groups) >= manySIDs {
		t.set = make(map[SID]struct{}, len(groups)+1)
		t.set[user] = struct{}{}
		for _, g := range groups {
			t.set[g] = struct{}{}
		}
	}
	return t
}

// Has tells whether sid is the user or one of the groups.
func (t *Token) Has(sid SID) bool {
	if t.set != nil {
		_, ok := t.set[sid]
		return ok
	}
	if sid == t.User {
		return true
	}
	for _, g := range t.Groups {
		if g == sid {
			return true
		}
	}
	return false
}

// SecurityPrivilege tells whether the token has SeSecurityPrivilege, which
// reading and writing a SACL needs: the Default Domain Controllers Policy gives
// it to Administrators.
func (t *Token) SecurityPrivilege() bool { return t.System || t.Has(BuiltinAdministrators) }

// takeOwnershipPrivilege is the same for SeTakeOwnershipPrivilege.
func (t *Token) takeOwnershipPrivilege() bool { return t.SecurityPrivilege() }

// ObjectTypes says what of an object is asked for. A zero GUID: not limited in
// this way.
type ObjectTypes struct {
	// Class is the object's structural class; for RightCreateChild and
	// RightDeleteChild the child's.
	Class GUID
	// Attribute and the PropertySet it belongs to, for reading and writing.
	Attribute, PropertySet GUID
	// ExtendedRight is a control access right or validated write.
	ExtendedRight GUID
}

// covers tells whether an object ACE for g is about what is asked for.
func (o *ObjectTypes) covers(g GUID) bool {
	return g == o.Attribute || g == o.PropertySet || g == o.ExtendedRight || g == o.Class
}

// specific is the generic rights' meaning on directory objects, [MS-ADTS]
// 5.1.3.2.
func (m AccessMask) specific() AccessMask {
	if m&(GenericAll|GenericExecute|GenericWrite|GenericRead) == 0 {
		return m
	}
	out := m &^ (GenericAll | GenericExecute | GenericWrite | GenericRead)
	if m&GenericAll != 0 {
		out |= FullControl
	}
	if m&GenericRead != 0 {
		out |= RightReadControl | RightListChildren | RightReadProperty | RightListObject
	}
	if m&GenericWrite != 0 {
		out |= RightReadControl | RightWriteProperty | RightSelf
	}
	if m&GenericExecute != 0 {
		out |= RightReadControl | RightListChildren
	}
	return out
}

// Allows runs the access check of [MS-ADTS] 5.1.3.3: each right of want must be
// granted by an entry that comes before the first that denies it. principalSelf
// is what PRINCIPAL_SELF stands for, the objectSid of the object; it may be
// zero. A missing or null DACL grants everything, an empty one nothing but what
// an owner has.
func (d *Descriptor) Allows(t *Token, want AccessMask, obj ObjectTypes, principalSelf SID) bool {
	a := d.start(t)
	if a.all {
		return true
	}
	s := a.check(want)
	for i := range d.DACL.ACEs {
		if s.left == 0 {
			return true
		}
		if ace := &d.DACL.ACEs[i]; d.concerns(ace, t, principalSelf) && !s.apply(ace, &obj) {
			return false
		}
	}
	return s.left == 0
}

// Access is what one descriptor has to say to one token. It answers questions
// about one object after another, or about one attribute after another, without
// looking again at the entries for other people. It is safe for concurrent use.
type Access struct {
	all   bool       // no DACL, or the system asks
	owner AccessMask // granted whatever the DACL says
	aces  []*ACE
}

// For prepares access checks of t against d; see Allows for principalSelf.
func (d *Descriptor) For(t *Token, principalSelf SID) *Access {
	a := d.start(t)
	if a.all {
		return &a
	}
	for i := range d.DACL.ACEs {
		if ace := &d.DACL.ACEs[i]; d.concerns(ace, t, principalSelf) {
			a.aces = append(a.aces, ace)
		}
	}
	return &a
}

// Allows is [Descriptor.Allows].
func (a *Access) Allows(want AccessMask, obj ObjectTypes) bool {
	if a.all {
		return true
	}
	s := a.check(want)
	for _, ace := range a.aces {
		if s.left == 0 {
			return true
		}
		if !s.apply(ace, &obj) {
			return false
		}
	}
	return s.left == 0
}

// start is what holds before the first entry.
func (d *Descriptor) start(t *Token) Access {
	var a Access
	if t.System || d.DACL == nil || d.Control&DACLPresent == 0 {
		a.all = true
		return a
	}
	// An owner may read and change the DACL, [MS-DTYP] 2.5.3.2, unless entries
	// for OWNER RIGHTS say what the owner may.
	if !d.Owner.IsZero() && t.Has(d.Owner) && !d.limitsOwner() {
		a.owner = RightReadControl | RightWriteDAC
	}
	if t.takeOwnershipPrivilege() {
		a.owner |= RightWriteOwner
	}
	if t.SecurityPrivilege() {
		a.owner |= RightSystem
	}
	return a
}

func (d *Descriptor) limitsOwner() bool {
	for i := range d.DACL.ACEs {
		if a := &d.DACL.ACEs[i]; a.SID == OwnerRights && a.Flags&InheritOnly == 0 {
			return true
		}
	}
	return false
}

// concerns tells whether ace is in force on the object itself and about t.
func (d *Descriptor) concerns(ace *ACE, t *Token, principalSelf SID) bool {
	if ace.Flags&InheritOnly != 0 {
		return false
	}
	switch ace.Type {
	case AccessAllowed, AccessDenied, AccessAllowedObject, AccessDeniedObject:
	default:
		return false
	}
	switch ace.SID {
	case Self:
		return !principalSelf.IsZero() && t.Has(principalSelf)
	case OwnerRights:
		return !d.Owner.IsZero() && t.Has(d.Owner)
	}
	return t.Has(ace.SID)
}

type state struct{ left AccessMask }

func (a *Access) check(want AccessMask) state { return state{want.specific() &^ a.owner} }

// apply takes one entry into account; false means denied.
func (s *state) apply(ace *ACE, obj *ObjectTypes) bool {
	if ace.HasObjectType && !obj.covers(ace.ObjectType) {
		return true
	}
	mask := ace.Mask.specific()
	if ace.Type == AccessDenied || ace.Type == AccessDeniedObject {
		return s.left&mask == 0
	}
	s.left &^= mask
	return true
}
