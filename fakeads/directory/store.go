package directory

import (
	"math/bits"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// ncKind tells the naming contexts that a domain controller holds apart.
type ncKind uint8

const (
	ncDomain ncKind = iota
	ncConfiguration
	ncDomainDNS
	ncForestDNS
	ncSchema // read only, not replicated: made when somebody first looks
	ncKinds
	ncStored = ncSchema // number of kinds that replicas store
)

// store is one naming context on one replica. Copying it shares everything; the owner of a transaction changes its copy.
type store struct {
	records records
	index   index
	version uint64  // equal versions have equal contents
	linked  attrSet // forward link attributes that some object has or had
}

// Indexes that belong to no attribute of their own.
const (
	xDN     = numAttributes + iota // normalised DN
	xGUID                          // objectGUID
	xParent                        // id of the parent
	xClass                         // structural class
	xRDN                           // folded value of the RDN
)

// mix is the finisher of a 64-bit hash.
func mix(h, x uint64) uint64 {
	hi, lo := bits.Mul64(h^x, 0x9E3779B97F4A7C15)
	return hi ^ lo
}

// hashOf is the index hash of a normalised value. It is the same in every process: order in the index shows in answers.
func hashOf[T string | []byte](a attrID, norm T) uint64 {
	h := mix(0xA0761D6478BD642F, uint64(a)<<32|uint64(len(norm)))
	for len(norm) >= 8 {
		x := uint64(norm[0]) | uint64(norm[1])<<8 | uint64(norm[2])<<16 | uint64(norm[3])<<24 |
			uint64(norm[4])<<32 | uint64(norm[5])<<40 | uint64(norm[6])<<48 | uint64(norm[7])<<56
		h = mix(h, x)
		norm = norm[8:]
	}
	var x uint64
	for i := range len(norm) {
		x |= uint64(norm[i]) << (8 * i)
	}
	return mix(mix(h, x), 0xE7037ED1A0B428DB)
}

// hashID is the index hash of a reference to an object. Attribute and id have bits of their own: both are small numbers, and where
// they overlapped, every object would be found among the references of another attribute.
func hashID(a attrID, id uint32) uint64 {
	return mix(mix(0xA0761D6478BD642F, uint64(a)<<32|uint64(id)), 0x8EBC6AF09C88C6E3)
}

// appendPostings appends the hashes under which e is found, links apart.
func (e *entry) appendPostings(to []uint64, s *schema) []uint64 {
	to = append(to, hashOf(xDN, e.name.Key()), hashOf(xGUID, e.guid[:]), hashID(xParent, e.parent), hashID(xClass, uint32(e.class.index)))
	var buf [128]byte
	to = append(to, hashOf(xRDN, appendFolded(buf[:0], e.rdn[0])))
	for i := range e.attrs {
		a := &e.attrs[i]
		if a.id == aObjectClass { // dynamic auxiliary classes
			for _, v := range a.values() {
				if c := s.class(string(v)); c != nil && !e.class.is(c) {
					to = append(to, hashID(xClass, uint32(c.index)))
				}
			}
			continue
		}
		if d := s.def(a.id); d.indexed {
			for _, v := range a.values() {
				to = append(to, hashOf(a.id, d.normalise(buf[:0], v)))
			}
		}
	}
	return to
}

// put stores a version of an object and keeps the indexes in step. old is the version that was there, nil for none.
func (s *store) put(sch *schema, old *entry, rec record, owner uint64) {
	e := rec.entry
	s.records.set(e.id, rec, owner)
	var a, b [32]uint64
	after := e.appendPostings(a[:0], sch)
	if old == nil {
		for _, h := range after {
			s.index.insert(posting{h, e.id}, owner)
		}
		s.addLinks(e.id, e.links, owner)
		return
	}
	before := old.appendPostings(b[:0], sch)
	for _, h := range before {
		if !contains(after, h) {
			s.index.remove(posting{h, e.id}, owner)
		}
	}
	for _, h := range after {
		if !contains(before, h) {
			s.index.insert(posting{h, e.id}, owner)
		}
	}
	was, is := old.links, e.links
	for len(was) > 0 && len(is) > 0 && was[0] == is[0] {
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && was[len(was)-1] == is[len(is)-1] {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	for _, l := range was {
		s.index.remove(posting{hashID(l.attr, l.target), e.id}, owner)
	}
	s.addLinks(e.id, is, owner)
}

func (s *store) addLinks(id uint32, links []link, owner uint64) {
	for _, l := range links {
		s.index.insert(posting{hashID(l.attr, l.target), id}, owner)
		s.linked.add(l.attr)
	}
}

// attrSet is a set of attributes.
type attrSet [(int(numAttributes) + 63) / 64]uint64

func (s *attrSet) add(a attrID)      { s[a/64] |= 1 << (a % 64) }
func (s *attrSet) has(a attrID) bool { return s[a/64]&(1<<(a%64)) != 0 }

func contains(list []uint64, h uint64) bool {
	for _, x := range list {
		if x == h {
			return true
		}
	}
	return false
}

// view is the state of the forest at one moment, as one domain controller sees it. It never changes, so no lock is held while it
// is used.
type view struct {
	f   *Forest
	r   *Replica
	st  *forestState
	rs  *replicaState
	now time.Time // domain time
}

// store is the naming context of a kind on this replica.
func (v *view) store(k ncKind) *store {
	if k == ncSchema {
		return v.f.schemaStore(v.st.schema)
	}
	return &v.rs.stores[k]
}

// of is the same moment seen by another replica.
func (v *view) of(r *Replica) *view {
	w := *v
	w.r, w.rs = r, v.st.replicas[r.index]
	return &w
}

// inDomain is the same moment seen by the first domain controller of another domain, or by this one of its own: the global
// catalog's answer about objects this replica does not hold.
func (v *view) inDomain(d *Domain) *view {
	if d == v.r.domain {
		return v
	}
	return v.of(d.replicas[0])
}

// record is what this replica knows of an object, nil when it does not hold it.
func (v *view) record(id uint32) *record {
	if id >= firstSchemaID {
		return v.store(ncSchema).records.get(id)
	}
	for k := range ncStored {
		if r := v.rs.stores[k].records.get(id); r != nil {
			return r
		}
	}
	return nil
}

// byID is an object of this replica, deleted or not; nil when it does not hold it.
func (v *view) byID(id uint32) *entry {
	if r := v.record(id); r != nil {
		return r.entry
	}
	return nil
}

// anywhere is byID that asks the other domains too.
func (v *view) anywhere(id uint32) *entry {
	if e := v.byID(id); e != nil {
		return e
	}
	for _, d := range v.f.domains {
		if d != v.r.domain {
			if e := v.inDomain(d).byID(id); e != nil {
				return e
			}
		}
	}
	// It may not have reached this replica yet while links to it have.
	for _, r := range v.r.domain.replicas {
		if e := v.of(r).byID(id); e != nil {
			return e
		}
	}
	return nil
}

// kindOf is the naming context that a name is in, by the longest match; ok is false when this replica holds none.
func (v *view) kindOf(d dn.DN) (k ncKind, ok bool) {
	best := -1
	for i := range ncKinds {
		nc := v.r.ncs[i]
		if n := len(nc.dn.Key()); n > best && v.r.holds(i) && d.IsUnder(nc.dn) {
			k, best = i, n
		}
	}
	return k, best >= 0
}

// byDN is the object of that name, deleted ones included, nil when there is none.
func (v *view) byDN(d dn.DN) *entry {
	k, ok := v.kindOf(d)
	if !ok {
		return nil
	}
	s := v.store(k)
	h := hashOf(xDN, d.Key())
	for id := s.index.first(h, 0); id != 0; id = s.index.first(h, id) {
		if e := s.records.get(id).entry; e.name.Key() == d.Key() {
			return e
		}
	}
	return nil
}

// byName is byDN for text; nil for what is no DN.
func (v *view) byName(name string) *entry {
	d, err := dn.Parse(name)
	if err != nil {
		return nil
	}
	return v.byDN(d)
}

// byGUID is the object with that objectGUID, deleted ones included.
func (v *view) byGUID(g security.GUID) *entry {
	h := hashOf(xGUID, g[:])
	for k := range ncKinds {
		s := v.store(k)
		for id := s.index.first(h, 0); id != 0; id = s.index.first(h, id) {
			if e := s.records.get(id).entry; e.guid == g {
				return e
			}
		}
	}
	return nil
}

// bySID is the live object of this replica's domain with that objectSid.
func (v *view) bySID(sid security.SID) *entry {
	if sid.IsZero() {
		return nil
	}
	var buf [68]byte
	norm := sid.AppendTo(buf[:0])
	s := v.store(ncDomain)
	h := hashOf(aObjectSid, norm)
	for id := s.index.first(h, 0); id != 0; id = s.index.first(h, id) {
		if e := s.records.get(id).entry; e.sid == sid && !e.deleted {
			return e
		}
	}
	return nil
}

// find returns the live objects of a naming context that have a value of an indexed attribute, in the order of creation.
// norm is the value as attrDef.normalise gives it: folded for strings and names, binary for a SID.
func (v *view) find(k ncKind, a attrID, norm string) []*entry {
	d := theSchema().def(a)
	s := v.store(k)
	h := hashOf(a, norm)
	var list []*entry
	for id := s.index.first(h, 0); id != 0; id = s.index.first(h, id) {
		e := s.records.get(id).entry
		if e.deleted {
			continue
		}
		for _, val := range e.values(a) {
			if d.equal(val, norm) {
				list = append(list, e)
				break
			}
		}
	}
	return list
}

// equal compares a stored value with a normalised one.
func (a *attrDef) equal(v []byte, norm string) bool {
	switch a.syntax {
	case synString, synOID, synDN, synDNBinary:
		return equalFolded(v, []byte(norm))
	}
	var buf [128]byte
	return string(a.normalise(buf[:0], v)) == norm
}

// first is the first object of find, nil when there is none.
func (v *view) first(k ncKind, a attrID, norm string) *entry {
	if list := v.find(k, a, norm); len(list) > 0 {
		return list[0]
	}
	return nil
}

// bySAM finds an account or group of this replica's domain by sAMAccountName in any case.
func (v *view) bySAM(name string) *entry { return v.first(ncDomain, aSAMAccountName, foldKey(name)) }

// byUPN finds the objects with that userPrincipalName.
func (v *view) byUPN(name string) []*entry {
	return v.find(ncDomain, aUserPrincipalName, foldKey(name))
}

// bySPN finds the objects with exactly that servicePrincipalName, in any case.
func (v *view) bySPN(spn string) []*entry {
	return v.find(ncDomain, aServicePrincipalName, foldKey(spn))
}

// head is the object at the head of a naming context.
func (v *view) head(k ncKind) *entry {
	if id := v.r.ncs[k].headID; id != 0 {
		return v.store(k).records.get(id).entry
	}
	return nil
}

// children are the ids of the objects directly below one in its naming context, after an id, in the order of creation; deleted
// ones are among them where they are.
func (v *view) children(to []uint32, e *entry, after uint32) []uint32 {
	return v.store(e.nc).below(to, e.id, after)
}

// below appends the ids of the objects directly below the one of an id. What the index has for another value of the same hash is
// left out, because walks down the tree would not end.
func (s *store) below(to []uint32, id, after uint32) []uint32 {
	start := len(to)
	to = s.index.ids(to, hashID(xParent, id), after)
	kept := to[:start]
	for _, c := range to[start:] {
		if rec := s.records.get(c); rec != nil && rec.entry.parent == id {
			kept = append(kept, c)
		}
	}
	return kept
}

// targets calls yield with the live objects that a forward link attribute of e names.
func (v *view) targets(e *entry, a attrID) func(yield func(*entry) bool) {
	return func(yield func(*entry) bool) {
		for _, l := range e.linksOf(a) {
			if t := v.anywhere(l.target); t != nil && !t.deleted && !yield(t) {
				return
			}
		}
	}
}

// sources calls yield with the live objects of this replica whose forward link attribute a names e: its back links. For
// memberOf, a is aMember.
func (v *view) sources(e *entry, a attrID) func(yield func(*entry) bool) {
	return v.sourcesOf(e.id, a)
}

func (v *view) sourcesOf(target uint32, a attrID) func(yield func(*entry) bool) {
	h := hashID(a, target)
	return func(yield func(*entry) bool) {
		for k := range ncStored {
			s := &v.rs.stores[k]
			for id := s.index.first(h, 0); id != 0; id = s.index.first(h, id) {
				e := s.records.get(id).entry
				if !e.deleted && e.hasLink(a, target) && !yield(e) {
					return
				}
			}
		}
	}
}

// wellKnown is the container of a well-known GUID (32 hexadecimal digits, upper case) below the head of the domain, nil when
// there is none.
func (v *view) wellKnown(guid string) *entry {
	head := v.head(ncDomain)
	for _, a := range []attrID{aWellKnownObjects, aOtherWellKnownObjects} {
		for _, val := range head.values(a) {
			if rest, ok := strings.CutPrefix(string(val), "B:32:"+guid+":"); ok {
				return v.byName(rest)
			}
		}
	}
	return nil
}
