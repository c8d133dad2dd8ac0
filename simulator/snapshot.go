package simulator

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// Snapshot is the state of a domain at one time: the directory with the settings of its DCs, clocks, hosts with their tickets, files, plug-ins
// and containers, SQL servers with their logins, policies, secrets, faults, DCs that are stopped.
//
// It does not hold what lives outside the domain: the tickets in the [Session] values of users, [Service] values, exchanges that are held
// ([Domain.Hold]), and the objects of orchestrators. An orchestrator whose containers a snapshot has taken back keeps its own view of them.
type Snapshot struct {
	d         *Domain
	forest    *directory.Snapshot
	now       time.Time
	hosts     []hostSnapshot
	stopped   map[*DC]bool
	updates   map[*DC]DCUpdate
	tested    map[*DC]time.Time
	servers   []serverSnapshot
	faults    []faultInForce
	clocks    map[string]time.Duration
	passwords map[string]string
	policies  []Policy
	secrets   []Secret
	channels  map[*DC]map[string]*channelSession
}

// serverSnapshot is a SQL server with its logins.
type serverSnapshot struct {
	s      *SQLServer
	logins []sqlLogin
}

type hostSnapshot struct {
	h           *Host
	sys         system
	care        hostCare
	lastRestart time.Time
	managed     map[string]*ManagedPassword
	order       []string
	closed      []string
	offset      time.Duration
	machine     logonSnapshot
	files       specFiles
	registry    map[string][]byte
	containers  []runningSnapshot
	dns         []string
	plugins     []Plugin
	identities  []string
}

type logonSnapshot struct {
	since   time.Time
	groups  *[]directory.GroupMembership
	tgt     *credential
	tickets []*credential
}

func (l *logon) snapshot() logonSnapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return logonSnapshot{l.since, l.groups, l.tgt, slices.Clone(l.tickets)}
}

func (l *logon) restore(s logonSnapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since, l.groups, l.tgt, l.tickets = s.since, s.groups, s.tgt, slices.Clone(s.tickets)
}

// Snapshot remembers the state of the domain. It is cheap: the directory's objects are immutable and shared.
func (d *Domain) Snapshot() *Snapshot {
	d.settle()
	s := &Snapshot{d: d, forest: d.forest.Snapshot(), clocks: d.clocks.all(), now: d.Clock.Now(), stopped: map[*DC]bool{}, tested: map[*DC]time.Time{}, updates: map[*DC]DCUpdate{}, channels: map[*DC]map[string]*channelSession{}}
	for _, h := range d.Hosts() {
		h.mu.Lock()
		hs := hostSnapshot{h: h, sys: h.sys, care: h.care, registry: maps.Clone(h.registry), lastRestart: h.lastRestart, managed: maps.Clone(h.managed), files: h.files.clone(), plugins: slices.Clone(h.plugins), identities: slices.Clone(h.identities)}
		h.mu.Unlock()
		for _, c := range h.Containers() {
			hs.containers = append(hs.containers, c.snapshot())
		}
		h.station.mu.Lock()
		hs.order, hs.closed, hs.offset, hs.dns = h.order, slices.Clone(h.closed), h.offset, h.dns
		h.station.mu.Unlock()
		hs.machine = h.machine.snapshot()
		s.hosts = append(s.hosts, hs)
	}
	for _, dc := range d.dcs {
		s.stopped[dc], s.tested[dc] = !dc.Running(), dc.localKeyTest()
		s.updates[dc] = dc.update()
		s.channels[dc] = dc.channels.snapshot()
	}
	for _, server := range d.allSQLServers() {
		s.servers = append(s.servers, serverSnapshot{server, server.allLogins()})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.faults {
		s.faults = append(s.faults, *f)
	}
	s.policies = slices.Clone(d.policies)
	s.passwords, s.secrets = maps.Clone(d.passwords), cloneSecrets(d.secrets)
	return s
}

// Restore brings back the state that s remembers; s stays usable. Events are not taken back, and connections of outside clients stay
// open. Hosts that joined after the snapshot are gone.
func (d *Domain) Restore(s *Snapshot) error {
	if s == nil || s.d != d {
		return errors.New("the snapshot is of another domain")
	}
	d.forest.Restore(s.forest)
	d.clocks.set(s.clocks)
	d.Clock.set(s.now, d.cfg.FollowRealTime)
	var hosts []*Host
	for _, hs := range s.hosts {
		h := hs.h
		running := h.Containers()
		h.mu.Lock()
		h.sys, h.registry = hs.sys, maps.Clone(hs.registry)
		h.care = hs.care
		h.lastRestart, h.managed, h.files, h.containers = hs.lastRestart, maps.Clone(hs.managed), hs.files.clone(), nil
		h.plugins, h.identities = slices.Clone(hs.plugins), slices.Clone(hs.identities)
		for _, c := range hs.containers {
			h.containers = append(h.containers, c.r)
		}
		h.mu.Unlock()
		for _, c := range running { // whatever started after the snapshot ends
			c.end()
		}
		for _, c := range hs.containers {
			c.restore()
		}
		h.station.mu.Lock()
		h.order, h.closed, h.offset, h.dns, h.located = hs.order, slices.Clone(hs.closed), hs.offset, hs.dns, nil
		h.station.mu.Unlock()
		h.machine.restore(hs.machine)
		hosts = append(hosts, h)
	}
	for _, dc := range d.dcs {
		dc.mu.Lock()
		dc.stopped, dc.tested, dc.updated = s.stopped[dc], s.tested[dc], s.updates[dc]
		dc.mu.Unlock()
		dc.channels.restore(s.channels[dc])
	}
	var servers []*SQLServer
	for _, server := range s.servers {
		server.s.setLogins(server.logins)
		servers = append(servers, server.s)
	}
	d.mu.Lock()
	d.hosts, d.sqlServers, d.policies = hosts, servers, slices.Clone(s.policies)
	clear(d.byName)
	for _, h := range hosts {
		d.byName[hostKey(h.Name())] = h
	}
	d.faults = nil
	for _, f := range s.faults {
		d.faults = append(d.faults, &f)
	}
	d.passwords, d.secrets = maps.Clone(s.passwords), cloneSecrets(s.secrets)
	clear(d.admins)
	d.unsettled = nil
	d.mu.Unlock()
	d.zoneChanged()
	d.event(Event{Op: opClock, Text: "restore the state of " + s.now.Format(time.RFC3339)})
	return nil
}
