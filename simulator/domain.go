package simulator

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/dns"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// TB is the part of testing.TB that this package uses. *testing.T, *testing.B, *testing.F and GinkgoT() satisfy it.
type TB interface {
	Helper()
	Name() string
	Cleanup(func())
	Failed() bool
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	TempDir() string
}

var errClosed = errors.New("the domain is closed")

// Domain is a running forest with its hosts. Its methods may be called from any goroutine.
//
// The embedded [Admin] holds the verbs of an administrator, who works as Administrator on the first DC.
type Domain struct {
	*Admin
	// Clock is domain time.
	Clock *Clock

	cfg    Config
	policy kds.Policy
	ctx    context.Context
	cancel context.CancelFunc
	forest *directory.Forest
	dcs    []*DC
	keys   *krbcrypt.Cache
	rand   *seededRand
	log    eventLog
	faces  faces // listeners for outside clients
	ca     authority
	files  struct {
		mu   sync.Mutex
		path string // temporary folder, made when first needed
		own  bool   // and removed by Close
	}
	dns    *dns.Server
	zone   zoneCache
	clocks clockTable
	closed sync.Once
	ended  func() bool // detaches from the context given to Start

	serving sync.WaitGroup // all goroutines; Close waits for them

	mu         sync.Mutex
	shut       bool // nothing is served any more
	hosts      []*Host
	byName     map[string]*Host
	unsettled  []*logon // sessions whose sign-in is still to be made up for
	admins     map[string]*logon
	passwords  map[string]string // that were set, by lower-case name; those of the configuration are there
	secrets    []Secret
	faults     []*faultInForce
	holds      []*Held
	lastFault  int
	tempDir    func() string // of the test; nil: the domain makes its own
	sqlServers []*SQLServer  // in the order of their start
	policies   []Policy      // in force
}

// Start starts a domain. It stops at Close, or when ctx ends.
func Start(ctx context.Context, cfg Config) (*Domain, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	cfg = cfg.withDefaults(time.Now())
	cfg.Hosts, cfg.Users = slices.Clone(cfg.Hosts), slices.Clone(cfg.Users) // their defaults are filled in
	if cfg.Keys == nil {
		cfg.Keys = newKeys(0, 0) // nobody else begins as this domain does
	}
	d := &Domain{
		cfg:       cfg,
		policy:    cfg.RootKeyPolicy.kds(),
		keys:      cfg.Keys.strings,
		rand:      newSeededRand(cfg.Seed, "clients"),
		byName:    map[string]*Host{},
		admins:    map[string]*logon{},
		passwords: map[string]string{},
		secrets:   cloneSecrets(cfg.Secrets),
	}
	d.Clock = newClock(d, cfg.Start, cfg.FollowRealTime)
	d.Admin = &Admin{d: d, as: "Administrator"}
	d.ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.dns = d.newDNS()
	d.clocks.set(userClocks(cfg.Users))
	if err := d.populate(); err != nil {
		d.cancel()
		return nil, err
	}
	for _, f := range cfg.Faults {
		d.lastFault++
		d.faults = append(d.faults, &faultInForce{Fault: f, id: d.lastFault})
	}
	d.mu.Lock() // a context that has ended closes the domain at once
	defer d.mu.Unlock()
	d.ended = context.AfterFunc(ctx, func() { _ = d.Close() })
	return d, nil
}

// StartT starts a domain for a test, fails the test when it cannot, and closes the domain when the test ends. When the test has
// failed, it logs the last events.
func StartT(t TB, cfg Config) *Domain {
	t.Helper()
	d, err := Start(context.Background(), cfg)
	if err != nil {
		t.Fatalf("start a domain: %v", err)
		return nil
	}
	d.tempDir = t.TempDir
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s: last events of %s, seed %d:\n%s", t.Name(), d.cfg.DNSName, d.cfg.Seed, d.tail(40))
		}
		if err := d.Close(); err != nil {
			t.Logf("close %s: %v", d.cfg.DNSName, err)
		}
	})
	return d
}

// tail is the end of the transcript.
func (d *Domain) tail(n int) string {
	events := d.Events()
	var b strings.Builder
	for _, e := range events[max(0, len(events)-n):] {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Close stops everything that the domain has started and waits for it. It may be called again.
func (d *Domain) Close() error {
	var err error
	d.closed.Do(func() {
		d.mu.Lock()
		ended := d.ended
		d.shut = true
		d.mu.Unlock()
		if ended != nil {
			ended()
		}
		d.cancel()
		err = errors.Join(d.faces.close(), d.dns.Close())
		for _, dc := range d.dcs {
			err = errors.Join(err, dc.close())
		}
		d.serving.Wait()
		d.files.mu.Lock()
		defer d.files.mu.Unlock()
		if d.files.own {
			err = errors.Join(err, os.RemoveAll(d.files.path))
		}
	})
	return err
}

// Config is the configuration with all defaults filled in.
func (d *Domain) Config() Config { return d.cfg }

func (d *Domain) root() *directory.Domain { return d.dcs[0].dom }

// DNSName is the DNS name of the root domain.
func (d *Domain) DNSName() string { return d.root().DNSName }

// NetBIOSName is the short name of the root domain.
func (d *Domain) NetBIOSName() string { return d.root().NetBIOSName }

// Realm is the Kerberos realm: the DNS name in upper case.
func (d *Domain) Realm() string { return d.root().Realm }

// BaseDN is the distinguished name of the root domain.
func (d *Domain) BaseDN() string { return d.root().DN }

// Host gives a host by its name, with or without the final $. It panics when there is none; [Domain.FindHost] does not.
func (d *Domain) Host(name string) *Host {
	h, ok := d.FindHost(name)
	if !ok {
		panic(fmt.Sprintf("simulator: no host %q", name))
	}
	return h
}

// FindHost gives a host by its name, with or without the final $.
func (d *Domain) FindHost(name string) (*Host, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, ok := d.byName[hostKey(name)]
	return h, ok
}

// hostKey is a host's name as a key of the domain's index.
func hostKey(name string) string { return strings.ToLower(strings.TrimSuffix(name, "$")) }

// Hosts lists the hosts in the order of joining.
func (d *Domain) Hosts() []*Host {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.hosts)
}

// DC gives a domain controller by its short or DNS name. It panics when there is none; [Domain.FindDC] does not.
func (d *Domain) DC(name string) *DC {
	dc, ok := d.FindDC(name)
	if !ok {
		panic(fmt.Sprintf("simulator: no DC %q", name))
	}
	return dc
}

// FindDC gives a domain controller by its short or DNS name.
func (d *Domain) FindDC(name string) (*DC, bool) {
	name = strings.TrimSuffix(name, ".")
	for _, dc := range d.dcs {
		if strings.EqualFold(dc.name, name) || strings.EqualFold(dc.replica.DNSName(), name) {
			return dc, true
		}
	}
	return nil, false
}

// DCs lists the domain controllers of all domains, the root domain's first.
func (d *Domain) DCs() []*DC { return slices.Clone(d.dcs) }

// settle notes the memberships of hosts that have started and not signed in yet. Whoever is about to change the directory calls
// it, so that a sign-in that is made up for later sees what it would have seen at its time.
func (d *Domain) settle() {
	d.mu.Lock()
	pending := d.unsettled
	d.unsettled = nil
	d.mu.Unlock()
	for _, l := range pending {
		l.note()
	}
}

// note remembers the memberships of an account that has not signed in yet.
func (l *logon) note() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tgt != nil || l.groups != nil || l.since.IsZero() {
		return
	}
	dc := l.st.firstDC()
	a, err := dc.replica.AccountByName(directory.Principal, l.account)
	if err != nil {
		return // the account is gone; the sign-in will say so
	}
	groups := dc.replica.GlobalGroups(a)
	l.groups = &groups
}

// Keys remembers what domains that share it would otherwise make anew each: keys that are derived from passwords, and the directories that domains
// begin with. All of it follows from configurations, so sharing it changes nothing but the time. It is safe for concurrent use.
type Keys struct {
	strings    *krbcrypt.Cache
	passwords  *kds.Cache
	planted    *memory[plantedID, *directory.Forest]
	beginnings *memory[Config, *beginning]
}

// Bounds of the parts of [Keys].
const (
	rememberedKeys       = 1 << 14
	rememberedForests    = 16
	rememberedBeginnings = 32
)

// NewKeys makes an empty memory.
func NewKeys() *Keys { return newKeys(rememberedForests, rememberedBeginnings) }

func newKeys(forests, beginnings int) *Keys {
	return &Keys{strings: krbcrypt.NewCache(rememberedKeys), passwords: kds.NewCache(rememberedKeys),
		planted: &memory[plantedID, *directory.Forest]{size: forests}, beginnings: &memory[Config, *beginning]{size: beginnings}}
}

// seededRand gives the same bytes for the same seed and the same order of questions.
type seededRand struct {
	mu  sync.Mutex
	src *rand.ChaCha8
}

func newSeededRand(seed uint64, purpose string) *seededRand {
	return &seededRand{src: rand.NewChaCha8(seedBytes(seed, purpose))}
}

// Read never fails.
func (r *seededRand) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.src.Read(b)
}

// seedBytes makes the bytes for one purpose from a seed.
func seedBytes(seed uint64, purpose string) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("gmsasim "+purpose+" "), seed))
}
