package directory

// record is what one replica knows of one object: the object, shared with other replicas and earlier states, and the
// attributes that every domain controller keeps for itself ([MS-ADTS] 3.1.1.1.9: uSNCreated, uSNChanged, whenChanged).
type record struct {
	entry                  *entry
	usnCreated, usnChanged uint64
	changed                int64 // whenChanged, seconds since 1970
}

// records maps ids to records: a persistent radix tree of 32 per level. Copying the struct shares it.
type records struct {
	root  *recordNode
	shift uint // of the topmost level
	count int  // objects, tombstones included
}

const (
	recordBits = 5
	recordFan  = 1 << recordBits
	recordMask = recordFan - 1
)

type recordNode struct {
	owner uint64
	kids  *[recordFan]*recordNode // of an inner node
	recs  *[recordFan]record      // of a leaf
}

func (n *recordNode) own(owner uint64) *recordNode {
	if n.owner == owner {
		return n
	}
	c := &recordNode{owner: owner}
	if n.kids != nil {
		kids := *n.kids
		c.kids = &kids
	} else {
		recs := *n.recs
		c.recs = &recs
	}
	return c
}

// get is the record of an id, nil when there is none. It must not be changed.
func (r *records) get(id uint32) *record {
	n := r.root
	if n == nil || uint64(id)>>(r.shift+recordBits) != 0 {
		return nil
	}
	for s := r.shift; s > 0; s -= recordBits {
		if n = n.kids[id>>s&recordMask]; n == nil {
			return nil
		}
	}
	if rec := &n.recs[id&recordMask]; rec.entry != nil {
		return rec
	}
	return nil
}

// set stores a record; one without entry removes.
func (r *records) set(id uint32, rec record, owner uint64) {
	if r.root == nil {
		r.root = &recordNode{owner: owner, recs: new([recordFan]record)}
	}
	for uint64(id)>>(r.shift+recordBits) != 0 {
		up := &recordNode{owner: owner, kids: new([recordFan]*recordNode)}
		up.kids[0] = r.root
		r.root, r.shift = up, r.shift+recordBits
	}
	n := r.root.own(owner)
	r.root = n
	for s := r.shift; s > 0; s -= recordBits {
		kid := &n.kids[id>>s&recordMask]
		switch {
		case *kid != nil:
			*kid = (*kid).own(owner)
		case s == recordBits:
			*kid = &recordNode{owner: owner, recs: new([recordFan]record)}
		default:
			*kid = &recordNode{owner: owner, kids: new([recordFan]*recordNode)}
		}
		n = *kid
	}
	slot := &n.recs[id&recordMask]
	switch {
	case slot.entry == nil && rec.entry != nil:
		r.count++
	case slot.entry != nil && rec.entry == nil:
		r.count--
	}
	*slot = rec
}

// each calls yield for the records after an id, in the order of ids, until it says no.
func (r *records) each(after uint32, yield func(*record) bool) {
	if r.root != nil && after != 1<<32-1 {
		r.root.each(r.shift, after+1, yield)
	}
}

func (n *recordNode) each(shift uint, from uint32, yield func(*record) bool) bool {
	i := uint32(0)
	if from>>shift < recordFan {
		i = from >> shift
	} else if from != 0 {
		return true
	}
	if shift == 0 {
		for ; i < recordFan; i++ {
			if n.recs[i].entry != nil && !yield(&n.recs[i]) {
				return false
			}
		}
		return true
	}
	rest := from & (1<<shift - 1)
	for ; i < recordFan; i++ {
		if n.kids[i] != nil && !n.kids[i].each(shift-recordBits, rest, yield) {
			return false
		}
		rest = 0
	}
	return true
}
