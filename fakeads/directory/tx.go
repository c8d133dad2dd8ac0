package directory

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// tx is a transaction at one domain controller: a view that sees its own writes. It is used by one goroutine, inside update.
type tx struct {
	view         // of a state that is still the transaction's own
	c    *Caller // on whose behalf
	s    *schema
	base [ncStored]uint64 // versions of the stores before
	ops  []*operation
	evs  []Event

	lastParent *entry
	rightsOf   *rights
	lastInt    int64
	lastInts   [][]byte
	lastText   string      // the password given last
	adding     draft       // of the object being added
	scratch    []attribute // its attributes
	lists      []*[][]byte // by attribute: what the last object that has it has; nil: too few objects follow
	new        slabs
	// atOnce delivers to every replica without delay: the state before the story begins.
	atOnce bool
	// byQuota: the caller adds a computer within its quota, without the right to create one.
	byQuota bool
}

// operation is one object's change, as replication carries it.
type operation struct {
	old, new *entry // old nil: created
	changed  []attrID
	links    []linkChange
}

// linkChange is one value of a link attribute that came or went; values replicate one by one ([MS-ADTS] 3.1.1.1.13).
type linkChange struct {
	link
	add bool
}

// update runs a transaction at the replica. When do returns an error nothing has happened, and nobody has seen anything of it.
// Events are reported after the lock is released. It must not be called inside another transaction; a search holds no lock, so
// constructed attributes may call it.
func (r *Replica) update(c *Caller, do func(*tx) error) error {
	f := r.forest
	now := f.now()
	events, err := func() ([]Event, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.settle(now)
		st := *f.state
		st.version++
		st.replicas = append([]*replicaState(nil), st.replicas...)
		st.ridPools = append([]uint32(nil), st.ridPools...)
		rs := st.replicas[r.index].clone()
		st.replicas[r.index] = rs
		t := &tx{view: view{f: f, r: r, st: &st, rs: rs, now: now.Add(rs.clock)}, c: c, s: theSchema()}
		for k := range t.base {
			t.base[k] = rs.stores[k].version
		}
		if err := do(t); err != nil {
			return t.evs, err
		}
		t.commit()
		f.state = &st
		return t.evs, nil
	}()
	if f.cfg.Events != nil {
		for _, e := range events {
			f.cfg.Events(e)
		}
	}
	return err
}

// event reports what the domain controller would write to its event log, after the transaction.
func (t *tx) event(e Event) {
	if e.Time.IsZero() {
		e.Time = t.now
	}
	if e.DC == "" {
		e.DC = t.r.name
	}
	t.evs = append(t.evs, e)
}

// put stores a version of an object in this replica and notes it for the others.
func (t *tx) put(op *operation) {
	e := op.new
	t.rs.usn++
	rec := record{entry: e, usnCreated: t.rs.usn, usnChanged: t.rs.usn, changed: t.now.Unix()}
	s := &t.rs.stores[e.nc]
	if op.old != nil {
		was := s.records.get(e.id)
		rec.usnCreated = was.usnCreated
	}
	s.put(t.s, op.old, rec, t.st.version)
	s.version = t.st.version
	t.ops = append(t.ops, op)
}

// newID is the id of a new object.
func (t *tx) newID() uint32 {
	t.st.nextID++
	return t.st.nextID
}

// newGUID draws from the seed.
func (t *tx) newGUID() security.GUID { return t.st.newGUID(t.f.cfg.Seed) }

func (st *forestState) newGUID(seed uint64) security.GUID {
	st.drawn++
	return seededGUID(seed, st.drawn)
}

// seededGUID is the n-th GUID of a seed, in the form of a random one (RFC 9562 5.4).
func seededGUID(seed, n uint64) security.GUID {
	src := rand.NewPCG(seed, n)
	var g security.GUID
	src.Uint64() // the first output of neighbouring streams is alike
	binary.LittleEndian.PutUint64(g[:], src.Uint64())
	binary.LittleEndian.PutUint64(g[8:], src.Uint64())
	g[7] = g[7]&0x0f | 0x40 // the version, in the wire form's little-endian third field
	g[8] = g[8]&0x3f | 0x80
	return g
}

// random is n bytes from the seed: keys and passwords that the domain controller makes up.
func (t *tx) random(n int) []byte {
	t.st.drawn++
	var key [32]byte
	copy(key[:], "gmsasim directory")
	binary.LittleEndian.PutUint64(key[16:], t.f.cfg.Seed)
	binary.LittleEndian.PutUint64(key[24:], t.st.drawn)
	b := make([]byte, n)
	rand.NewChaCha8(key).Read(b)
	return b
}

// RID pools: a domain controller gets 500 at a time from the RID master ([MS-ADTS] 3.1.1.5.2.4, [MS-SAMR] 3.1.1.9.2).
const (
	ridPoolSize = 500
	firstRID    = 1000 // of the first domain controller's own account
)

// newRID takes the next RID of this domain controller's pool.
func (t *tx) newRID() uint32 {
	if t.rs.ridsLeft == 0 {
		next := &t.st.ridPools[t.r.domain.index]
		t.rs.rid, t.rs.ridsLeft = *next, ridPoolSize
		*next += ridPoolSize
	}
	t.rs.rid++
	t.rs.ridsLeft--
	return t.rs.rid - 1
}
