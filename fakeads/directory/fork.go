package directory

import (
	"maps"
	"sync"
	"time"
)

// Fork is another forest with the contents that f has now. Each of the two changes by itself from then on, and neither sees anything of
// the other. It costs little, whatever the forest holds: objects are immutable and shared, and so is what was made out of them when
// somebody first looked, such as the keys of an account and inherited descriptors.
//
// now and events take the places of [Config.Now] and [Config.Events].
func (f *Forest) Fork(now func() time.Time, events func(Event)) *Forest {
	g := &Forest{cfg: f.cfg, schemaStore: f.schemaStore, categories: f.categories, queries: &sync.Pool{}}
	g.cfg.Now, g.cfg.Events = now, events
	f.mu.Lock()
	g.state, g.heirs = f.state, maps.Clone(f.heirs)
	f.mu.Unlock()
	for _, d := range f.domains {
		e := *d
		e.forest, e.replicas = g, nil
		g.domains = append(g.domains, &e)
	}
	for _, r := range f.replicas {
		s := *r
		s.forest, s.domain = g, g.domains[r.domain.index]
		s.domain.replicas = append(s.domain.replicas, &s)
		g.replicas = append(g.replicas, &s)
	}
	return g
}
