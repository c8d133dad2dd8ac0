package directory

// posting says that an object has an indexed value: hash of attribute and value, and the object's id.
type posting struct {
	hash uint64
	id   uint32
}

func (p posting) less(q posting) bool {
	return p.hash < q.hash || p.hash == q.hash && p.id < q.id
}

// index is a set of postings in order. It is a persistent B+tree: copying the struct shares the tree, and only nodes of the
// same owner are changed in place. Values are not kept, so a reader compares them; different values of one hash are rare.
type index struct {
	root  *indexNode
	count int
}

// indexFan is how many postings a leaf holds; 62 of them fill an allocation of 768 bytes.
const indexFan = 62

type indexNode struct {
	owner  uint64 // version of the store that may change it
	n      int
	hashes [indexFan]uint64
	ids    [indexFan]uint32
	kids   *[indexFan]*indexNode // of an inner node: the i-th holds what is not less than posting i
}

func (n *indexNode) at(i int) posting { return posting{n.hashes[i], n.ids[i]} }

// search is the position of the first posting that is not less than p.
func (n *indexNode) search(p posting) int {
	lo, hi := 0, min(n.n, indexFan) // n.n never is more; min spares the checks of the bounds
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if h := n.hashes[m]; h < p.hash || h == p.hash && n.ids[m] < p.id {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// child is the position of the kid that p belongs to.
func (n *indexNode) child(p posting) int {
	i := n.search(p)
	if i == n.n || p.less(n.at(i)) {
		i--
	}
	return max(i, 0)
}

func (n *indexNode) own(owner uint64) *indexNode {
	if n.owner == owner {
		return n
	}
	c := *n
	c.owner = owner
	if n.kids != nil {
		kids := *n.kids
		c.kids = &kids
	}
	return &c
}

func (n *indexNode) insertAt(i int, p posting, kid *indexNode) {
	copy(n.hashes[i+1:n.n+1], n.hashes[i:n.n])
	copy(n.ids[i+1:n.n+1], n.ids[i:n.n])
	n.hashes[i], n.ids[i] = p.hash, p.id
	if n.kids != nil {
		copy(n.kids[i+1:n.n+1], n.kids[i:n.n])
		n.kids[i] = kid
	}
	n.n++
}

func (n *indexNode) removeAt(i int) {
	copy(n.hashes[i:n.n-1], n.hashes[i+1:n.n])
	copy(n.ids[i:n.n-1], n.ids[i+1:n.n])
	if n.kids != nil {
		copy(n.kids[i:n.n-1], n.kids[i+1:n.n])
		n.kids[n.n-1] = nil
	}
	n.n--
}

// split moves the upper half of a full node to a new one.
func (n *indexNode) split(owner uint64, after int) *indexNode {
	half := n.n / 2
	if after == n.n && n.kids == nil {
		half = n.n - 1 // ascending insertions leave full leaves behind
	}
	r := &indexNode{owner: owner, n: n.n - half}
	copy(r.hashes[:], n.hashes[half:n.n])
	copy(r.ids[:], n.ids[half:n.n])
	if n.kids != nil {
		r.kids = new([indexFan]*indexNode)
		copy(r.kids[:], n.kids[half:n.n])
		clear(n.kids[half:n.n])
	}
	n.n = half
	return r
}

// insert adds p; it tells whether it was new.
func (x *index) insert(p posting, owner uint64) bool {
	if x.root == nil {
		x.root = &indexNode{owner: owner}
	}
	x.root = x.root.own(owner)
	right, added := x.root.insert(p, owner)
	if right != nil {
		root := &indexNode{owner: owner, n: 2, kids: new([indexFan]*indexNode)}
		for i, k := range []*indexNode{x.root, right} {
			root.hashes[i], root.ids[i], root.kids[i] = k.hashes[0], k.ids[0], k
		}
		x.root = root
	}
	if added {
		x.count++
	}
	return added
}

func (n *indexNode) insert(p posting, owner uint64) (right *indexNode, added bool) {
	if n.kids == nil {
		i := n.search(p)
		if i < n.n && n.at(i) == p {
			return nil, false
		}
		if n.n == indexFan {
			right = n.split(owner, i)
			if i > n.n {
				right.insertAt(i-n.n, p, nil)
				return right, true
			}
		}
		n.insertAt(i, p, nil)
		return right, true
	}
	i := n.child(p)
	kid := n.kids[i].own(owner)
	n.kids[i] = kid
	split, added := kid.insert(p, owner)
	n.hashes[i], n.ids[i] = kid.hashes[0], kid.ids[0]
	if split == nil {
		return nil, added
	}
	i++
	if n.n == indexFan {
		right = n.split(owner, i)
		if i > n.n {
			right.insertAt(i-n.n, split.at(0), split)
			return right, added
		}
	}
	n.insertAt(i, split.at(0), split)
	return right, added
}

// remove takes p away. Nodes are given up when they are empty, not before: objects that go are few.
func (x *index) remove(p posting, owner uint64) bool {
	if x.root == nil || !x.root.has(p) {
		return false
	}
	x.root = x.root.own(owner)
	x.root.remove(p, owner)
	x.count--
	if x.root.n == 0 {
		x.root = nil
	}
	return true
}

func (n *indexNode) has(p posting) bool {
	for n.kids != nil {
		n = n.kids[n.child(p)]
	}
	i := n.search(p)
	return i < n.n && n.at(i) == p
}

func (n *indexNode) remove(p posting, owner uint64) {
	if n.kids == nil {
		n.removeAt(n.search(p))
		return
	}
	i := n.child(p)
	kid := n.kids[i].own(owner)
	n.kids[i] = kid
	kid.remove(p, owner)
	if kid.n == 0 {
		n.removeAt(i)
	} else {
		n.hashes[i], n.ids[i] = kid.hashes[0], kid.ids[0]
	}
}

// ids appends the ids after a given one of all postings of a hash, in order.
func (x *index) ids(to []uint32, hash uint64, after uint32) []uint32 {
	if x.root == nil {
		return to
	}
	to, _ = x.root.collect(to, posting{hash, after})
	return to
}

func (n *indexNode) collect(to []uint32, from posting) ([]uint32, bool) {
	if n.kids == nil {
		for i := n.search(from); i < n.n; i++ {
			if n.hashes[i] != from.hash {
				return to, false
			}
			if n.ids[i] != from.id {
				to = append(to, n.ids[i])
			}
		}
		return to, true
	}
	more := true
	for i := n.child(from); i < n.n && more; i++ {
		to, more = n.kids[i].collect(to, from)
	}
	return to, more
}

// first is the smallest id of a hash after a given one, 0 when there is none.
func (x *index) first(hash uint64, after uint32) uint32 {
	n := x.root
	if n == nil {
		return 0
	}
	return n.first(posting{hash, after})
}

func (n *indexNode) first(from posting) uint32 {
	if n.kids == nil {
		for i := n.search(from); i < n.n && n.hashes[i] == from.hash; i++ {
			if n.ids[i] != from.id {
				return n.ids[i]
			}
		}
		return 0
	}
	for i := n.child(from); i < n.n && n.hashes[i] <= from.hash; i++ {
		if id := n.kids[i].first(from); id != 0 {
			return id
		}
	}
	return 0
}
