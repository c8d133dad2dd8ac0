package directory

import (
	"sync"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// rights answers access questions of one caller and remembers the answers by descriptor: most objects share theirs with many
// others. One operation at a time uses it.
type rights struct {
	v      *view
	token  *security.Token // nil: everything is allowed
	cached map[rightsKey]*objectRights
	last   *objectRights
	lastOf rightsKey

	parent     uint32 // whose children were last asked about
	parentSeen bool
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
	listed, lists   bool // whether the children may be seen was asked, and the answer
}

// maxRemembered bounds the descriptors that one caller's rights remember.
const maxRemembered = 4096

// rights are the caller's rights in a view.
func (v *view) rights(c *Caller) *rights {
	if c.System {
		return &rights{v: v}
	}
	t := c.Token
	if t == nil {
		t = security.NewToken(security.Anonymous)
	}
	if t.System {
		t = nil
	}
	return &rights{v: v, token: t}
}

// remembered is rights with what an earlier operation of the same token found out; remember hands it back. Descriptors and
// tokens do not change, so what was found out stays true.
func (v *view) remembered(c *Caller) *rights {
	if !c.System && c.Token != nil && !c.Token.System {
		if r := v.f.remembered.take(c.Token); r != nil {
			r.v, r.parent = v, 0
			return r
		}
	}
	return v.rights(c)
}

// remember keeps rights for the next operation. They must not be used any more.
func (r *rights) remember() {
	if r.token == nil || len(r.cached) > maxRemembered {
		return
	}
	f := r.v.f
	r.v = nil
	f.remembered.put(r)
}

// rightsMemory keeps the rights of a few tokens.
type rightsMemory struct {
	mu    sync.Mutex
	slots [32]*rights
	next  int
}

func (m *rightsMemory) take(t *security.Token) *rights {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, r := range m.slots {
		if r != nil && r.token == t {
			m.slots[i] = nil
			return r
		}
	}
	return nil
}

func (m *rightsMemory) put(r *rights) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.slots {
		if m.slots[i] == nil {
			m.slots[i] = r
			return
		}
	}
	m.slots[m.next] = r
	m.next = (m.next + 1) % len(m.slots)
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
	if r.parent == e.parent {
		return r.parentSeen
	}
	r.parent, r.parentSeen = e.parent, true
	if p := r.v.byID(e.parent); p != nil {
		o := r.of(p)
		if !o.listed {
			o.listed, o.lists = true, o.Allows(security.RightListChildren, security.ObjectTypes{Class: o.class})
		}
		r.parentSeen = o.lists
	}
	return r.parentSeen
}
