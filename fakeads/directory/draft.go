package directory

import (
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/dn"
)

// draft is the next version of an object, or a new object, inside a transaction. Reading sees what was written. Nothing is
// stored before save.
type draft struct {
	tx      *tx
	old     *entry // nil: a new object
	e       entry  // private; attrs, links and stamps are the draft's own from the first write on
	changed []attrID
	links   []linkChange
	// password is the value of unicodePwd in an add, as it came, for the rules of accounts; it is stored nowhere.
	password []byte
	owned    bool
	ownLinks bool
}

// edit begins a new version of an object.
func (t *tx) edit(e *entry) *draft { return &draft{tx: t, old: e, e: *e} }

// create begins a new object below parent; the head of a naming context is made by bootstrap alone. It takes the place of the one
// before, which has been saved. The descriptor is the caller's to set.
func (t *tx) create(class *classDef, parent *entry, name dn.DN) *draft {
	_, value := name.RDN()
	t.adding = draft{tx: t, owned: true, ownLinks: true, e: entry{
		id: t.newID(), parent: parent.id, nc: parent.nc, origin: uint16(t.r.index), guid: t.newGUID(), name: name,
		rdn: t.new.value(t.new.copyOfText(value)), class: class, created: t.now.Unix(),
	}}
	return &t.adding
}

// own makes the slices the draft's own before the first write.
func (d *draft) own() {
	if !d.owned {
		d.e.attrs = append(make([]attribute, 0, len(d.e.attrs)+2), d.e.attrs...)
		d.owned = true
	}
}

func (d *draft) note(a attrID) {
	if d.old != nil && !slices.Contains(d.changed, a) {
		d.changed = append(d.changed, a)
	}
}

// wrote tells whether the draft has a change of the attribute; for a new object, whether it has values.
func (d *draft) wrote(a attrID) bool {
	if d.old == nil {
		return d.e.has(a) || len(d.e.linksOf(a)) > 0
	}
	if slices.Contains(d.changed, a) {
		return true
	}
	for _, l := range d.links {
		if l.attr == a {
			return true
		}
	}
	return false
}

// set replaces the values of an attribute; none removes it. Values are stored as they are: canonical form is the caller's duty.
func (d *draft) set(a attrID, values ...[]byte) {
	d.own()
	d.note(a)
	d.e.setList(a, d.tx.listOf(a, values))
}

// setShared is set with a slice that other objects may share and nobody changes.
func (d *draft) setShared(a attrID, values [][]byte) {
	d.own()
	d.note(a)
	d.e.setList(a, d.tx.listOf(a, values))
}

// listOf is where values are kept: the list of the object before, when it had the same.
func (t *tx) listOf(a attrID, values [][]byte) *[][]byte {
	if len(values) == 0 {
		return nil
	}
	if t.lists == nil {
		own := values // only this branch pays for an allocation
		return &own
	}
	last := t.lists[a]
	if last == nil || len(*last) != len(values) || &(*last)[0] != &values[0] {
		last = t.new.lists.one()
		*last = values
		t.lists[a] = last
	}
	return last
}

func (d *draft) setText(a attrID, values ...string) {
	v := make([][]byte, len(values))
	for i := range values {
		v[i] = []byte(values[i])
	}
	d.setShared(a, v)
}

// setInt sets an integer; common ones, and the same time after time, are shared between objects.
func (d *draft) setInt(a attrID, n int64) { d.setShared(a, d.tx.intValues(n)) }

// intValues is intValues that remembers the last uncommon one.
func (t *tx) intValues(n int64) [][]byte {
	if v := sharedInt(n); v != nil {
		return v
	}
	if t.lastInts == nil || t.lastInt != n {
		t.lastInt, t.lastInts = n, intValues(n)
	}
	return t.lastInts
}

func (d *draft) setBool(a attrID, b bool) { d.set(a, boolValue(b)) }

func (d *draft) remove(a attrID) { d.setShared(a, nil) }

// defaultInt sets an integer unless the attribute has a value.
func (d *draft) defaultInt(a attrID, n int64) {
	if !d.e.has(a) {
		d.setInt(a, n)
	}
}

// addValue appends a value; removeValue takes away the value that equals one.
func (d *draft) addValue(a attrID, v []byte) {
	d.setShared(a, append(slices.Clip(d.e.values(a)), v))
}

func (d *draft) removeValue(a attrID, v []byte) bool {
	i := d.indexOf(a, v)
	if i < 0 {
		return false
	}
	d.setShared(a, slices.Delete(slices.Clone(d.e.values(a)), i, i+1))
	return true
}

// indexOf is the position of the value that equals v by the attribute's syntax, or -1.
func (d *draft) indexOf(a attrID, v []byte) int {
	def := d.tx.s.def(a)
	norm := string(def.normalise(nil, v))
	return slices.IndexFunc(d.e.values(a), func(x []byte) bool { return def.equal(x, norm) })
}

// addLink adds a value to a forward link attribute; false: it was there.
func (d *draft) addLink(a attrID, target *entry) bool { return d.changeLink(link{a, target.id}, true) }

// removeLink is the opposite; false: it was not there.
func (d *draft) removeLink(a attrID, target *entry) bool {
	return d.changeLink(link{a, target.id}, false)
}

func (d *draft) changeLink(l link, add bool) bool {
	if !d.ownLinks {
		d.e.links = slices.Clone(d.e.links)
		d.ownLinks = true
	}
	if !d.e.setLink(l, add) {
		return false
	}
	if d.old != nil {
		d.links = append(d.links, linkChange{l, add})
	}
	return true
}

// setSID makes the object a security principal.
func (d *draft) setSID(rid uint32) {
	d.e.sid = d.tx.r.domain.SID.Append(rid)
	s := &d.tx.new
	d.setShared(aObjectSid, s.value(d.e.sid.AppendTo(s.bytes.take(d.e.sid.Size())[:0])))
}

// setCredentials replaces the account's secrets.
func (d *draft) setCredentials(c *credentials) {
	d.note(aUnicodePwd)
	d.e.cred = c
}

func (d *draft) setDescriptor(sd *descriptor) {
	d.note(aNTSecurityDescriptor)
	d.e.sd = sd
}

// save stores the version; the result is what other code may keep. A draft without changes stores nothing.
func (d *draft) save() *entry {
	if d.old != nil && len(d.changed) == 0 && len(d.links) == 0 {
		return d.old
	}
	e := d.tx.new.entries.one()
	*e = d.e
	if d.old == nil {
		e.createdUSN = d.tx.rs.usn + 1
		d.tx.scratch = d.e.attrs[:0]
		e.attrs = d.tx.new.attributes.take(len(d.e.attrs))
		copy(e.attrs, d.e.attrs)
	} else {
		e.stamps = slices.Clone(d.old.stamps)
		for _, a := range d.changed {
			e.setStamp(stamp{attr: a, dsa: uint16(d.tx.r.index), version: d.old.stampOf(a).version + 1, time: d.tx.now.Unix(), usn: d.tx.rs.usn + 1})
		}
	}
	op := d.tx.new.operations.one()
	*op = operation{old: d.old, new: e, changed: d.changed, links: d.links}
	d.tx.put(op)
	if d.old != nil && d.old.name.Key() != e.name.Key() {
		d.tx.rs.renamed(d.tx.s, &d.tx.rs.stores[e.nc], e, d.tx.st.version)
	}
	return e
}

// rename gives the object another name below a parent of the same naming context.
func (d *draft) rename(parent *entry, attr, value string) {
	d.note(aName)
	d.e.parent = parent.id
	d.e.name = parent.name.Child(strings.ToUpper(attr), value)
	d.e.rdn = [][]byte{[]byte(value)}
}
