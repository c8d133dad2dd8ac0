package directory

import (
	"slices"
	"strconv"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// attribute is one attribute of an object with its stored values. The list is behind a pointer because most lists of a population
// are the same for many objects.
type attribute struct {
	list *[][]byte
	id   attrID
}

func (a *attribute) values() [][]byte { return *a.list }

// link is one value of a forward link attribute. Values name objects, not DNs, so that they follow a renamed target.
type link struct {
	attr   attrID
	target uint32
}

// stamp is what replication knows of one attribute, [MS-DRSR] 5.166 PROPERTY_META_DATA. Attributes without one have version 1
// from the creation of the object.
type stamp struct {
	attr    attrID
	dsa     uint16 // number of the replica of the originating write
	version uint32
	time    int64  // seconds since 1970
	usn     uint64 // at the originating replica
}

func (s stamp) newer(t stamp) bool {
	switch {
	case s.version != t.version:
		return s.version > t.version
	case s.time != t.time:
		return s.time > t.time
	}
	return s.dsa > t.dsa // in place of the comparison of DSA GUIDs
}

// entry is an object. It never changes once it is in a store: replicas, snapshots and searches share it. A draft makes the next
// version.
type entry struct {
	id, parent uint32 // parent 0: the head of a naming context
	nc         ncKind
	deleted    bool
	origin     uint16 // number of the replica where it was made
	guid       security.GUID
	sid        security.SID // zero: no security principal
	name       dn.DN
	rdn        [][]byte // the value of the RDN: name, and cn, ou or dc
	class      *classDef
	sd         *descriptor
	created    int64  // whenCreated, seconds since 1970
	createdUSN uint64 // at the origin
	attrs      []attribute
	links      []link // by attribute, then in the order they were added
	stamps     []stamp
	cred       *credentials // of an account; no search ever sees it
}

// lookup is the position of an attribute among the stored ones.
func (e *entry) lookup(a attrID) (int, bool) {
	lo, hi := 0, len(e.attrs)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if e.attrs[m].id < a {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo, lo < len(e.attrs) && e.attrs[lo].id == a
}

// values are the stored values of an attribute, the RDN, objectClass and objectGUID included; not links, not constructed ones,
// nor what each replica keeps for itself. They must not be changed.
func (e *entry) values(a attrID) [][]byte {
	if i, ok := e.lookup(a); ok {
		return e.attrs[i].values()
	}
	switch a {
	case aName, e.class.rdn:
		return e.rdn
	case aObjectClass:
		return e.class.chainValues
	case aObjectGUID:
		return [][]byte{e.guid[:]}
	}
	return nil
}

func (e *entry) has(a attrID) bool { return len(e.values(a)) > 0 }

// value is the first value, nil when there is none.
func (e *entry) value(a attrID) []byte {
	if v := e.values(a); len(v) > 0 {
		return v[0]
	}
	return nil
}

// text is the first value as a string.
func (e *entry) text(a attrID) string { return string(e.value(a)) }

// texts are all values as strings.
func (e *entry) texts(a attrID) []string {
	v := e.values(a)
	if len(v) == 0 {
		return nil
	}
	out := make([]string, len(v))
	for i := range v {
		out[i] = string(v[i])
	}
	return out
}

// int is the first value of an integer attribute, 0 when there is none.
func (e *entry) int(a attrID) int64 {
	v := e.value(a)
	if v == nil {
		return 0 // ParseInt would make an error
	}
	n, _ := strconv.ParseInt(string(v), 10, 64)
	return n
}

// bool is the first value of a Boolean attribute.
func (e *entry) bool(a attrID) bool { return string(e.value(a)) == "TRUE" }

// linksOf are the values of one forward link attribute.
func (e *entry) linksOf(a attrID) []link {
	lo, _ := slices.BinarySearchFunc(e.links, a, func(l link, a attrID) int { return int(l.attr) - int(a) })
	hi, _ := slices.BinarySearchFunc(e.links, a+1, func(l link, a attrID) int { return int(l.attr) - int(a) })
	return e.links[lo:hi]
}

func (e *entry) hasLink(a attrID, target uint32) bool {
	for _, l := range e.linksOf(a) {
		if l.target == target {
			return true
		}
	}
	return false
}

// is tells whether the object is an instance of the class named, subclasses included.
func (e *entry) is(class string) bool { return e.class.isNamed(class) }

// hidden tells whether the object is shown only to who asks for deleted ones: a tombstone, or their container.
func (e *entry) hidden() bool {
	return e.deleted || e.class.folded == "container" && e.bool(aIsDeleted)
}

// stampOf is the replication metadata of an attribute.
func (e *entry) stampOf(a attrID) stamp {
	for _, s := range e.stamps {
		if s.attr == a {
			return s
		}
	}
	return stamp{attr: a, dsa: e.origin, version: 1, time: e.created, usn: e.createdUSN}
}
