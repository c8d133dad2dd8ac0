package directory

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Versions of the schema (tables of adprep).
const (
	schemaDefault = 88 // Windows Server 2019 and 2022
	schema2012    = 52
)

func (c *Config) schemaVersion() int { return cmp.Or(c.SchemaVersion, schemaDefault) }

// defined tells whether the schema has a class: those of group managed service accounts came with Windows Server 2012.
func (t *tx) defined(c *classDef) bool {
	return t.st.schema >= schema2012 || !strings.EqualFold(c.name, classGMSA) && !strings.HasPrefix(strings.ToLower(c.name), "mskds-")
}

// SchemaVersion is objectVersion of the forest's schema.
func (f *Forest) SchemaVersion() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.state.schema
}

// ExtendSchema is adprep /forestprep of the release that brings a version of the schema. A lower version changes nothing.
func (f *Forest) ExtendSchema(version int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := *f.state
	st.version++
	st.schema = max(st.schema, version)
	f.state = &st
}

// change makes a new state of the replica outside of a transaction.
func (r *Replica) change(to func(*replicaState)) {
	f := r.forest
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settle(now)
	st := *f.state
	st.version++
	st.replicas = slices.Clone(st.replicas)
	rs := st.replicas[r.index].clone()
	to(rs)
	st.replicas[r.index] = rs
	f.state = &st
}

// SetBefore2012 says that the controller runs a release before Windows Server 2012: it has no Key Distribution Service, makes no managed
// password and does not know msDS-ManagedPassword.
func (r *Replica) SetBefore2012(before bool) { r.change(func(rs *replicaState) { rs.before = before }) }

// Before2012 tells whether the controller runs a release before Windows Server 2012.
func (r *Replica) Before2012() bool { return r.view().rs.before }

// SetClockOffset sets what the controller's clock is ahead of domain time. Its passwords and time stamps go by its own clock; replication
// goes by domain time.
func (r *Replica) SetClockOffset(offset time.Duration) {
	r.change(func(rs *replicaState) { rs.clock = offset })
}

// ClockOffset is what the controller's clock is ahead of domain time.
func (r *Replica) ClockOffset() time.Duration { return r.view().rs.clock }
