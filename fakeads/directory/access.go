package directory

import "github.com/gmsasim/gmsasim/fakeads/security"

// rights answers access questions of one caller and remembers the answers by descriptor: most objects share theirs with many
// others. It belongs to one operation.
type rights struct {
	v      *view
	token  *security.Token // nil: everything is allowed
	cached map[rightsKey]*objectRights
	lists  map[uint32]bool // parent -> its children may be seen
	last   *objectRights
	lastOf rightsKey
}

type rightsKey struct {
	sd   *descriptor
	self bool // the caller is, or is in, the object
}

// objectRights are what a caller may do with objects of one descriptor.
type objectRights struct {
	*security.Access
	class           security.GUID
	known, readable attrSet
}

func (v *view) rights(c *Caller) *rights {
	r := &rights{v: v}
	if !c.System {
		r.token = c.Token
		if r.token == nil {
			r.token = security.NewToken(security.Anonymous)
		}
		if r.token.System {
			r.token = nil
		}
	}
	return r
}

// of are the caller's rights on an object.
func (r *rights) of(e *entry) *objectRights {
	key := rightsKey{sd: e.sd}
	if e.sd.aboutSelf() && !e.sid.IsZero() {
		key.self = r.token.Has(e.sid)
	}
	if r.last != nil && r.lastOf == key {
		return r.last
	}
	o := r.cached[key]
	if o == nil {
		var self security.SID
		if key.self {
			self = e.sid
		}
		o = &objectRights{Access: e.sd.get().For(r.token, self), class: e.class.guid}
		if r.cached == nil {
			r.cached = map[rightsKey]*objectRights{}
		}
		r.cached[key] = o
	}
	r.last, r.lastOf = o, key
	return o
}

// read tells whether the caller may read the attribute: READ_PROPERTY on it or its property set, CONTROL_ACCESS besides where it is
// confidential ([MS-ADTS] 3.1.1.4.4), READ_CONTROL for the descriptor.
func (r *rights) read(e *entry, a *attrDef) bool {
	if a.secret {
		return false
	}
	if r.token == nil {
		return true
	}
	o := r.of(e)
	if o.known.has(a.id) {
		return o.readable.has(a.id)
	}
	o.known.add(a.id)
	types := security.ObjectTypes{Class: o.class, Attribute: a.guid, PropertySet: a.propertySet}
	ok := false
	if a.id == aNTSecurityDescriptor {
		ok = o.Allows(security.RightReadControl, security.ObjectTypes{Class: o.class})
	} else {
		ok = o.Allows(security.RightReadProperty, types) && (!a.confidential || o.Allows(security.RightControlAccess, types))
	}
	if ok {
		o.readable.add(a.id)
	}
	return ok
}

// has tells whether the caller has a right on the object itself; types may narrow it to an attribute or an extended right.
func (r *rights) has(e *entry, mask security.AccessMask, types security.ObjectTypes) bool {
	if r.token == nil {
		return true
	}
	if types.Class.IsZero() {
		types.Class = e.class.guid
	}
	return r.of(e).Allows(mask, types)
}

// write tells whether the caller may write the attribute, whatever the value.
func (r *rights) write(e *entry, a *attrDef) bool {
	return r.has(e, security.RightWriteProperty, security.ObjectTypes{Attribute: a.guid, PropertySet: a.propertySet})
}

// see tells whether the caller may know that the object is there: LIST_CONTENTS on its parent ([MS-ADTS] 5.1.3.3.6; the list
// object mode of dSHeuristics is off). Heads of naming contexts are for everybody.
func (r *rights) see(e *entry) bool {
	if r.token == nil || e.parent == 0 {
		return true
	}
	ok, known := r.lists[e.parent]
	if !known {
		parent := r.v.byID(e.parent)
		ok = parent == nil || r.has(parent, security.RightListChildren, security.ObjectTypes{})
		if r.lists == nil {
			r.lists = map[uint32]bool{}
		}
		r.lists[e.parent] = ok
	}
	return ok
}
