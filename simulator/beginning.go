package simulator

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// beginning is the directory as a domain finds it at its start, after it has been filled and before hosts have signed in. It does not change:
// every domain that begins so works on a fork of the forest.
type beginning struct {
	forest *directory.Forest
	events []directory.Event
	dns    map[string]string // see population
	later  []Group
}

// maxRememberedObjects bounds the directories that are remembered: comparing the configurations of large ones costs more than it is worth, and
// keeping them too much memory.
const maxRememberedObjects = 256

// beginning is that of the domain's configuration, remembered or made.
func (d *Domain) beginning() (*beginning, error) {
	part := d.cfg.directoryPart()
	if len(part.Hosts)+len(part.Users)+len(part.Groups)+len(part.ServiceAccounts) > maxRememberedObjects {
		return d.begin(&part)
	}
	known := d.cfg.Keys.beginnings
	if b, ok := known.get(&part); ok {
		return b, nil
	}
	b, err := d.begin(&part)
	if err == nil {
		known.put(&part, b)
	}
	return b, err
}

// begin makes the directory. It uses the DCs of d to look names up.
func (d *Domain) begin(part *Config) (*beginning, error) {
	planted, err := d.planted(part)
	if err != nil {
		return nil, err
	}
	b := &beginning{}
	b.forest = planted.Fork(standingStill(part.Start), func(e directory.Event) { b.events = append(b.events, e) })
	d.adopt(b.forest)
	if err := d.populateRootKeys(part); err != nil {
		return nil, err
	}
	p := newPopulation(d, len(part.Hosts)+len(part.Groups)+len(part.ServiceAccounts))
	for i := range part.Hosts {
		p.host(&part.Hosts[i])
	}
	p.users = part.Users
	if err := p.flush(); err != nil {
		return nil, err
	}
	if err := p.groups(part.Groups); err != nil {
		return nil, err
	}
	for i := range part.ServiceAccounts {
		if err := p.serviceAccount(&part.ServiceAccounts[i]); err != nil {
			return nil, fmt.Errorf("serviceAccounts[%d]: %w", i, err)
		}
	}
	if err := p.flush(); err != nil {
		return nil, err
	}
	b.dns, b.later = p.dns, p.later
	return b, nil
}

// planted is a forest as a fresh installation has it, remembered or made.
func (d *Domain) planted(part *Config) (*directory.Forest, error) {
	domains, err := part.forestDomains()
	if err != nil {
		return nil, err
	}
	bare := *part
	bare.KDSRootKeys, bare.Groups, bare.Users, bare.ServiceAccounts, bare.Hosts = nil, nil, nil, nil, nil
	id := &plantedID{bare, domains[0].NextRID}
	known := d.cfg.Keys.planted
	if f, ok := known.get(id); ok {
		return f, nil
	}
	f, err := directory.New(directory.Config{
		Seed: part.Seed, Now: standingStill(part.Start), Domains: domains, ReplicationDelay: part.ReplicationDelay, RootKeyPolicy: part.RootKeyPolicy.kds(),
		Keys: d.cfg.Keys.strings, Passwords: d.cfg.Keys.passwords, DefaultETypes: etypeBits(part.DefaultETypes), SchemaVersion: part.SchemaVersion,
	})
	if err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	known.put(id, f)
	return f, nil
}

// plantedID is what a planted forest follows from.
type plantedID struct {
	Config  Config
	NextRID uint32
}

// standingStill is a clock that does not move.
func standingStill(t time.Time) func() time.Time { return func() time.Time { return t } }

// directoryPart is what the directory of a fresh domain follows from, and nothing else: configurations that differ in other things begin with the
// same directory. Whoever fills the directory sees this part only.
func (c Config) directoryPart() Config {
	p := Config{
		Seed: c.Seed, Start: c.Start, DNSName: c.DNSName, NetBIOSName: c.NetBIOSName, SID: c.SID, GUID: c.GUID, DCs: c.DCs, Domains: c.Domains,
		SchemaVersion: c.SchemaVersion, ReplicationDelay: c.ReplicationDelay, RootKeyPolicy: c.RootKeyPolicy, DefaultETypes: c.DefaultETypes,
		AdminPassword: c.AdminPassword, KDSRootKeys: c.KDSRootKeys, Groups: c.Groups, ServiceAccounts: c.ServiceAccounts,
		Hosts: make([]HostConfig, len(c.Hosts)), Users: slices.Clone(c.Users),
	}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		p.Hosts[i] = HostConfig{Name: h.Name, OS: h.OS, Password: h.Password, EncryptionTypes: h.EncryptionTypes, RID: h.RID, Domain: h.Domain, Workgroup: h.Workgroup}
	}
	for i := range p.Users {
		p.Users[i].ClockOffset = 0
	}
	return p
}

// memory remembers what was made of data, the values used last: T is made of what a K says. It is safe for concurrent use. Two at once who miss
// the same value both make it, which comes to the same.
type memory[K, T any] struct {
	size int

	mu   sync.Mutex
	last []remembered[K, T] // the one used last is at the end
}

type remembered[K, T any] struct {
	text  string // of the key as JSON, which tells most keys apart
	from  *K
	value T
}

// get gives what is remembered for a key.
func (m *memory[K, T]) get(from *K) (value T, ok bool) {
	if m.size == 0 {
		return value, false
	}
	text, err := json.Marshal(from)
	if err != nil {
		return value, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.last) - 1; i >= 0; i-- {
		if r := m.last[i]; r.text == string(text) && reflect.DeepEqual(r.from, from) {
			m.last = append(slices.Delete(m.last, i, i+1), r)
			return r.value, true
		}
	}
	return value, false
}

// put remembers a value and forgets the one that was not used for the longest time.
func (m *memory[K, T]) put(from *K, value T) {
	if m.size == 0 {
		return
	}
	text, err := json.Marshal(from)
	if err != nil {
		return // it is made anew each time
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.last) >= m.size {
		m.last = slices.Delete(m.last, 0, 1)
	}
	m.last = append(m.last, remembered[K, T]{string(text), from, value})
}
