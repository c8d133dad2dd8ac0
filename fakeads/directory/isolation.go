package directory

// SetIsolated lets the replica take no changes from the others, as repadmin /options +DISABLE_INBOUND_REPL does, or take them again: what has
// arrived in the meantime is applied then, in its order.
func (r *Replica) SetIsolated(isolated bool) {
	f := r.forest
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settle(now)
	st := *f.state
	st.version++
	st.replicas = append(st.replicas[:0:0], st.replicas...)
	rs := st.replicas[r.index].clone()
	held := rs.held
	rs.isolated = isolated
	if !isolated {
		rs.held = nil
	}
	st.replicas[r.index] = rs
	if !isolated {
		for _, d := range held {
			st.receive(f, d, now)
		}
	}
	f.state = &st
}

// Isolated tells whether the replica takes no changes from the others.
func (r *Replica) Isolated() bool { return r.view().rs.isolated }
