package directory

import (
	"slices"
	"time"
)

// delivery is a transaction on its way to another domain controller.
type delivery struct {
	to, from int
	due      time.Time
	ops      []*operation
	// adopt: when the receiver's stores have the versions of base, it may take over those of after as they are.
	adopt       bool
	kinds       []ncKind
	base, after [ncStored]store
	usn         uint64
}

// due tells whether something has arrived that is not applied.
func (st *forestState) due(now time.Time) bool {
	return len(st.pending) > 0 && !st.pending[0].due.After(now)
}

// commit sends what the transaction did to the other domain controllers, those without delay at once.
func (t *tx) commit() {
	ops := t.ops[:0:0]
	local := false
	for _, op := range t.ops {
		switch {
		case op.replicates(t.s) && !op.keepsLocal(t.s):
			ops = append(ops, op)
		case op.replicates(t.s):
			ops = append(ops, op)
			local = true
		default:
			local = true
		}
	}
	if len(ops) == 0 {
		return
	}
	now := t.now.Add(-t.rs.clock)
	delay := t.f.cfg.ReplicationDelay
	if t.atOnce {
		delay = 0
	}
	for _, r := range t.f.replicas {
		if r == t.r {
			continue
		}
		d := &delivery{to: r.index, from: t.r.index, due: now.Add(delay), usn: t.rs.usn, adopt: !local}
		for _, op := range ops {
			k := op.new.nc
			if r.ncs[k] != t.r.ncs[k] {
				continue
			}
			d.ops = append(d.ops, op)
			if !slices.Contains(d.kinds, k) {
				d.kinds = append(d.kinds, k)
				d.base[k].version, d.after[k] = t.base[k], t.rs.stores[k]
			}
		}
		if len(d.ops) == 0 {
			continue
		}
		if delay <= 0 {
			t.st.receive(t.f, d, now)
			continue
		}
		// Equal times stay in the order of the writes.
		i, _ := slices.BinarySearchFunc(t.st.pending, d.due, func(p *delivery, due time.Time) int {
			if p.due.After(due) {
				return 1
			}
			return -1
		})
		t.st.pending = slices.Insert(slices.Clone(t.st.pending), i, d)
	}
}

// replicates tells whether anything of the change is for other replicas.
func (op *operation) replicates(s *schema) bool {
	if op.old == nil || len(op.links) > 0 {
		return true
	}
	for _, a := range op.changed {
		if !s.def(a).notReplicated {
			return true
		}
	}
	return false
}

// keepsLocal tells whether something of the change stays here.
func (op *operation) keepsLocal(s *schema) bool {
	if op.old == nil {
		return false // the first values of a new object travel with it
	}
	for _, a := range op.changed {
		if s.def(a).notReplicated {
			return true
		}
	}
	return false
}

// settle applies what has arrived by now. The forest's lock is held.
func (f *Forest) settle(now time.Time) {
	if !f.state.due(now) {
		return
	}
	st := *f.state
	st.version++
	st.replicas = slices.Clone(st.replicas)
	for st.due(now) {
		d := st.pending[0]
		st.pending = st.pending[1:]
		st.receive(f, d, d.due)
	}
	f.state = &st
}

// NextDelivery returns the domain time of the next pending replication, zero when every replica is up to date.
func (f *Forest) NextDelivery() time.Time {
	now := f.now()
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, d := range f.state.pending {
		if d.due.After(now) {
			return d.due
		}
	}
	return time.Time{}
}

// Sync applies everything that is on its way to this replica, now.
func (r *Replica) Sync() {
	f := r.forest
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settle(now)
	st := *f.state
	st.version++
	st.replicas = slices.Clone(st.replicas)
	st.pending = nil
	for _, d := range f.state.pending {
		if d.to == r.index {
			st.receive(f, d, now)
		} else {
			st.pending = append(st.pending, d)
		}
	}
	f.state = &st
}

// receive applies a delivery to its receiver in a state that is still the caller's own.
func (st *forestState) receive(f *Forest, d *delivery, at time.Time) {
	rs := st.replicas[d.to].clone()
	st.replicas[d.to] = rs
	if rs.isolated {
		rs.held = append(slices.Clip(rs.held), d)
		return
	}
	same := d.adopt
	for _, k := range d.kinds {
		same = same && rs.stores[k].version == d.base[k].version
	}
	if same {
		for _, k := range d.kinds {
			rs.stores[k] = d.after[k]
		}
		rs.usn = max(rs.usn, d.usn)
		return
	}
	s := theSchema()
	st.version++ // these contents are the receiver's alone
	for _, op := range d.ops {
		rs.apply(s, op, st.version, at)
	}
}

// apply brings one object's change in.
func (rs *replicaState) apply(s *schema, op *operation, version uint64, at time.Time) {
	k := op.new.nc
	store := &rs.stores[k]
	var cur *entry
	rec := record{}
	if r := store.records.get(op.new.id); r != nil {
		rec, cur = *r, r.entry
	}
	rs.usn++
	rec.usnChanged, rec.changed = rs.usn, at.Unix()
	if cur == nil {
		rec.usnCreated = rs.usn
	}
	switch {
	case cur == nil || cur == op.old && !op.keepsLocal(s):
		rec.entry = op.new
	default:
		rec.entry = cur.merge(s, op)
	}
	store.put(s, cur, rec, version)
	store.version = version
	rs.resolveNames(s, store, rec.entry, version)
}

// merge is cur with what is newer in op.
func (cur *entry) merge(s *schema, op *operation) *entry {
	e := *cur
	e.attrs = slices.Clone(cur.attrs)
	e.stamps = slices.Clone(cur.stamps)
	changed := op.changed
	if op.old == nil {
		for i := range op.new.attrs {
			changed = append(slices.Clip(changed), op.new.attrs[i].id)
		}
	}
	for _, a := range changed {
		st := op.new.stampOf(a)
		if s.def(a).notReplicated && op.old != nil || !st.newer(cur.stampOf(a)) {
			continue
		}
		e.setStamp(st)
		switch a {
		case aName:
			e.name, e.rdn, e.parent = op.new.name, op.new.rdn, op.new.parent
		case aIsDeleted:
			e.deleted = op.new.deleted
		case aNTSecurityDescriptor:
			e.sd = op.new.sd
		case aUnicodePwd:
			e.cred = op.new.cred
		}
		if a == aObjectSid {
			e.sid = op.new.sid
		}
		if i, ok := op.new.lookup(a); ok {
			e.setList(a, op.new.attrs[i].list)
		} else {
			e.setAttr(a, nil)
		}
	}
	if len(op.links) > 0 {
		e.links = slices.Clone(cur.links)
		for _, l := range op.links {
			e.setLink(l.link, l.add)
		}
	}
	if e.deleted {
		e.links = nil
	}
	return &e
}

func (e *entry) setStamp(st stamp) {
	for i := range e.stamps {
		if e.stamps[i].attr == st.attr {
			e.stamps[i] = st
			return
		}
	}
	e.stamps = append(e.stamps, st)
}

// setAttr replaces the values of an entry that is still private, with a slice of attributes of its own.
func (e *entry) setAttr(a attrID, values [][]byte) { e.setList(a, &values) }

// setList is setAttr with a list that objects may share; nil is none.
func (e *entry) setList(a attrID, list *[][]byte) {
	i, ok := e.lookup(a)
	switch {
	case list == nil || len(*list) == 0:
		if ok {
			e.attrs = slices.Delete(e.attrs, i, i+1)
		}
	case ok:
		e.attrs[i].list = list
	default:
		e.attrs = slices.Insert(e.attrs, i, attribute{list, a})
	}
}

// setLink adds or removes one value; it tells whether that changed anything. The slice must be the entry's own.
func (e *entry) setLink(l link, add bool) bool {
	lo, _ := slices.BinarySearchFunc(e.links, l.attr, func(l link, a attrID) int { return int(l.attr) - int(a) })
	i := lo
	for ; i < len(e.links) && e.links[i].attr == l.attr; i++ {
		if e.links[i].target == l.target {
			if !add {
				e.links = slices.Delete(e.links, i, i+1)
			}
			return !add
		}
	}
	if add {
		e.links = slices.Insert(e.links, i, l)
	}
	return add
}

// renamed brings the DNs below an object in step with its own.
func (rs *replicaState) renamed(s *schema, store *store, e *entry, version uint64) {
	for _, id := range store.below(nil, e.id, 0) {
		rec := *store.records.get(id)
		child := *rec.entry
		attr, value := child.name.RDN()
		child.name = e.name.Child(attr, value)
		old := rec.entry
		rec.entry = &child
		store.put(s, old, rec, version)
		rs.renamed(s, store, &child, version)
	}
}

// resolveNames keeps names unique after a change came in: of two objects of one name, the one named earlier gets the name
// CN=name\0ACNF:guid ([MS-ADTS] 3.1.1.5.1.4), and what is below it follows.
func (rs *replicaState) resolveNames(s *schema, store *store, e *entry, version uint64) {
	h := hashOf(xDN, e.name.Key())
	for _, id := range store.index.ids(nil, h, 0) {
		rec := *store.records.get(id)
		other := rec.entry
		if id == e.id || other.name.Key() != e.name.Key() {
			continue
		}
		loser := other
		if other.stampOf(aName).newer(e.stampOf(aName)) {
			loser = e
		}
		rec = *store.records.get(loser.id)
		c := *loser
		attr, value := c.name.RDN()
		value += "\nCNF:" + c.guid.String()
		c.name, c.rdn = c.name.Parent().Child(attr, value), [][]byte{[]byte(value)}
		rec.entry = &c
		store.put(s, loser, rec, version)
		rs.renamed(s, store, &c, version)
		return
	}
}
