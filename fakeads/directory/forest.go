package directory

import (
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Forest is the whole database. Its methods and those of its parts are safe for concurrent use.
type Forest struct {
	cfg      Config
	domains  []*Domain
	replicas []*Replica

	// schemaStore makes the schema naming context of a version when somebody first looks.
	schemaStore func(version int) *store

	tokens     tokenMemory
	remembered rightsMemory
	queries    *sync.Pool // of *query; not part of the forest, since the runtime keeps every pool for a while

	heirs      heirs      // under mu
	categories [][][]byte // by class: objectCategory of its instances

	mu    sync.RWMutex // guards the pointer, not what it points to
	state *forestState
}

// forestState is everything that changes. It is never changed itself: a transaction makes the next one.
type forestState struct {
	version  uint64 // of the last transaction
	nextID   uint32
	schema   int      // objectVersion of the schema
	drawn    uint64   // numbers drawn for GUIDs and keys
	ridPools []uint32 // by domain: first RID of the next pool
	replicas []*replicaState
	pending  []*delivery // in the order of their time
}

// replicaState is what one domain controller holds.
type replicaState struct {
	stores   [ncStored]store
	usn      uint64
	rid      uint32 // next of the RID pool
	ridsLeft uint32
	kds      *rootKeyCache
	kdsDown  bool          // the Key Distribution Service does not run
	before   bool          // of a release before Windows Server 2012
	clock    time.Duration // what the controller's clock is ahead of domain time
	isolated bool          // takes no changes from others
	held     []*delivery   // what waits for that to end, oldest first
	logons   logonTable    // sign-ins that this domain controller has seen
}

func (rs *replicaState) clone() *replicaState {
	c := *rs
	return &c
}

// namingContext is one of the forest's naming contexts.
type namingContext struct {
	kind   ncKind
	dn     dn.DN
	dns    string // DNS name of its referrals
	headID uint32
	url    string // of a continuation reference to it
}

// Replica is one domain controller's copy.
type Replica struct {
	forest       *Forest
	domain       *Domain
	index        int // among all of the forest
	name         string
	dns          string
	dsaGUID      security.GUID
	dsaID        uint32 // id of the NTDS Settings object
	account      uint32 // id of the computer object
	invocationID security.GUID
	ncs          [ncKinds]*namingContext
	// below are the continuation references of subtree searches from the heads.
	below func() [ncKinds][]string
}

// holds tells whether the replica has naming contexts of this kind: a child domain's controller has no forest DNS zones here.
func (r *Replica) holds(k ncKind) bool { return r.ncs[k] != nil }

// Snapshot is a state of the forest to return to.
type Snapshot struct{ state *forestState }

// Snapshot remembers the state. It is cheap: objects are immutable and shared.
func (f *Forest) Snapshot() *Snapshot {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return &Snapshot{f.state}
}

// Restore returns to the state of s, which stays usable.
func (f *Forest) Restore(s *Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = s.state
}

// DC returns the replica named, by host name or DNS name in any case, or nil.
func (f *Forest) DC(name string) *Replica {
	for _, r := range f.replicas {
		if strings.EqualFold(r.name, name) || strings.EqualFold(r.dns, name) {
			return r
		}
	}
	return nil
}

// DCs returns every domain controller, in the order of the configuration.
func (f *Forest) DCs() []*Replica { return f.replicas }

// Domains returns the forest's domains, root first.
func (f *Forest) Domains() []*Domain { return f.domains }

// Domain finds a domain by DNS or NetBIOS name in any case, or nil.
func (f *Forest) Domain(name string) *Domain {
	for _, d := range f.domains {
		if strings.EqualFold(d.DNSName, name) || strings.EqualFold(d.NetBIOSName, name) {
			return d
		}
	}
	return nil
}

// DCs returns the domain's controllers.
func (d *Domain) DCs() []*Replica { return d.replicas }

// Forest is the forest that the domain belongs to.
func (d *Domain) Forest() *Forest { return d.forest }

// Name is the host name of the domain controller as configured: "DC01".
func (r *Replica) Name() string { return r.name }

// DNSName is the fully qualified name in lower case: "dc01.contoso.com".
func (r *Replica) DNSName() string { return r.dns }

// Domain is the domain the controller belongs to.
func (r *Replica) Domain() *Domain { return r.domain }

// DSAGUID is the objectGUID of the controller's NTDS Settings object.
func (r *Replica) DSAGUID() security.GUID { return r.dsaGUID }

// now is domain time.
func (f *Forest) now() time.Time {
	if f.cfg.Now == nil {
		return defaultNow
	}
	return f.cfg.Now().UTC()
}

// defaultNow is where domain time stands when nobody moves it.
var defaultNow = time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)

// view is what the replica sees now, everything delivered that is due.
func (r *Replica) view() view {
	f := r.forest
	now := f.now()
	f.mu.RLock()
	st := f.state
	f.mu.RUnlock()
	if st.due(now) {
		f.mu.Lock()
		f.settle(now)
		st = f.state
		f.mu.Unlock()
	}
	rs := st.replicas[r.index]
	return view{f: f, r: r, st: st, rs: rs, now: now.Add(rs.clock)}
}
