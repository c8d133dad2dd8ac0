package simulator

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

func TestStartFails(t *testing.T) {
	_, err := Start(t.Context(), Config{DNSName: "contoso"})
	if e, ok := errors.AsType[*ConfigError](err); !ok || e.Path != "dnsName" {
		t.Errorf("got %v, want a *ConfigError about dnsName", err)
	}
}

// fakeTB records what StartT does to a test.
type fakeTB struct {
	TB
	failed   bool
	fatal    string
	logs     strings.Builder
	cleanups []func()
}

func (f *fakeTB) Helper()           {}
func (f *fakeTB) Name() string      { return "TestX" }
func (f *fakeTB) Failed() bool      { return f.failed }
func (f *fakeTB) TempDir() string   { return os.TempDir() }
func (f *fakeTB) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }

func (f *fakeTB) Fatalf(format string, args ...any) { f.failed = true; f.fatal = format }
func (f *fakeTB) Logf(format string, args ...any) {
	for _, a := range args {
		if s, ok := a.(string); ok {
			f.logs.WriteString(s)
		}
	}
}

func TestStartTLogsFailures(t *testing.T) {
	f := &fakeTB{}
	if d := StartT(f, Config{DNSName: "contoso"}); d != nil || f.fatal == "" {
		t.Errorf("got %v and %q, want that the test ends", d, f.fatal)
	}
	f = &fakeTB{}
	d := StartT(f, Contoso())
	if err := d.Host("ContainerHost01").TestServiceAccount("WebApp01"); err != nil {
		t.Error(err)
	}
	f.failed = true
	for _, fn := range f.cleanups {
		fn()
	}
	if !strings.Contains(f.logs.String(), "msDS-ManagedPassword") {
		t.Errorf("got log %q, want the last events", f.logs.String())
	}
	d.WantTrace(f, "no such event")
	if f.fatal == "" {
		t.Error("WantTrace finds what is not there")
	}
}

func TestClosedDomain(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	check(t, h.TestServiceAccount("WebApp01"))
	check(t, d.Close())
	check(t, d.Close())
	for name, err := range map[string]error{
		"Test-ADServiceAccount": h.TestServiceAccount("WebApp01"),
		"New-ADGroup":           d.NewGroup(Group{Name: "x"}),
		"Listen":                d.Listen(),
	} {
		if !errors.Is(err, errClosed) {
			t.Errorf("%s: got %v, want that the domain is closed", name, err)
		}
	}
	if _, err := d.Await(t.Context(), func(Event) bool { return true }); !errors.Is(err, errClosed) {
		t.Errorf("Await: got %v, want that the domain is closed", err)
	}
}

func TestContextClosesTheDomain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d, err := Start(ctx, Contoso())
	check(t, err)
	cancel()
	<-d.ctx.Done()
	check(t, d.Close()) // waits for the one that is under way
	if err := d.Host("ContainerHost01").TestServiceAccount("WebApp01"); !errors.Is(err, errClosed) {
		t.Errorf("got %v, want that the domain is closed", err)
	}
}

// sockets counts this process's open files. Without a place to count them it gives 0.
func sockets(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}

// TestNothingIsLeft starts and stops a thousand domains, and counts goroutines and open files before and after.
func TestNothingIsLeft(t *testing.T) {
	keys := NewKeys()
	round := func(i int) {
		cfg := Contoso()
		cfg.Keys = keys
		d, err := Start(t.Context(), cfg)
		check(t, err)
		if i%2 == 0 {
			check(t, d.Listen())
		}
		if i%10 == 0 {
			check(t, d.Host("ContainerHost01").TestServiceAccount("WebApp01"))
		}
		check(t, d.Close())
	}
	round(0) // what is made once per process
	goroutines, files := runtime.NumGoroutine(), sockets(t)
	n := 1000
	if testing.Short() {
		n = 50
	}
	for i := range n {
		round(i)
	}
	wantGoroutines(t, goroutines)
	if got := sockets(t); got > files {
		t.Errorf("got %d open files, want %d", got, files)
	}
}

// wantGoroutines fails t when more than want goroutines are left. Those that have done their work are counted by the runtime until
// they have left the scheduler, so they get the chance to; one that is at its very end is none.
func wantGoroutines(t *testing.T, want int) {
	t.Helper()
	for range 1000 {
		if runtime.NumGoroutine() <= want {
			return
		}
		runtime.Gosched()
	}
	buf := make([]byte, 1<<16)
	stacks := string(buf[:runtime.Stack(buf, true)])
	got := 0
	for stack := range strings.SplitSeq(stacks, "\n\n") {
		if _, frames, _ := strings.Cut(stack, "\n"); !strings.HasPrefix(frames, "runtime.goexit") {
			got++
		}
	}
	if got > want {
		t.Errorf("got %d goroutines, want %d:\n%s", got, want, stacks)
	}
}

// TestCloseDuringTraffic closes a domain while hosts and administrators are at work: everybody gets an answer or an error, and
// nothing is left.
func TestCloseDuringTraffic(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	for range 20 {
		cfg := Contoso()
		cfg.Keys = rememberedForTests
		d, err := Start(t.Context(), cfg)
		check(t, err)
		check(t, d.Listen())
		var wg sync.WaitGroup
		for _, h := range d.Hosts() {
			wg.Go(func() {
				for h.TestServiceAccount("WebApp01") == nil {
					h.PurgeTickets()
				}
			})
		}
		wg.Go(func() {
			for {
				if d.NewGroup(Group{Name: "x"}) != nil || d.RemoveGroup("x") != nil {
					return
				}
			}
		})
		if _, err := d.Await(t.Context(), func(e Event) bool { return e.Op == LDAPSearch }); err != nil {
			t.Fatal(err)
		}
		closed := make(chan error)
		go func() { closed <- d.Close() }()
		check(t, d.Close())
		check(t, <-closed)
		wg.Wait()
	}
	wantGoroutines(t, goroutines)
}

// TestStopDuringTraffic stops a DC while hosts talk to it: they get an answer, or go on to the other one.
func TestStopDuringTraffic(t *testing.T) {
	cfg := Contoso()
	cfg.DCs = []string{"DC01", "DC02"}
	cfg.Keys = rememberedForTests
	d := StartT(t, cfg)
	var wg sync.WaitGroup
	for _, h := range d.Hosts() {
		wg.Go(func() {
			for range 30 {
				if err := h.TestServiceAccount("WebApp01"); err != nil {
					t.Errorf("%s: got %v, want True from the other DC", h.Name(), err)
				}
			}
		})
	}
	for range 10 {
		d.DC("DC01").Stop()
		d.DC("DC01").Start()
	}
	wg.Wait()
}

func TestCancelledContext(t *testing.T) {
	d := StartT(t, Contoso())
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := d.KerberosTo(ctx, "ContainerHost01", "host/webapp01"); !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause of the context's end", err)
	}
	check(t, d.Host("ContainerHost01").TestServiceAccount("WebApp01"))
}

func TestSnapshot(t *testing.T) {
	cfg := Contoso()
	cfg.DCs = []string{"DC01", "DC02"}
	d := StartT(t, cfg)
	h := d.Host("ContainerHost01")
	check(t, h.InstallServiceAccount("WebApp01"))
	s := d.Snapshot()
	before := d.State()

	d.Inject(Fault{On: LDAPSearch, Do: Busy})
	d.Clock.Advance(time.Hour)
	d.DC("DC02").Stop()
	h.SetClockOffset(time.Hour)
	h.ClosePort("DC01")
	h.Restart()
	d.ClearFaults()
	if _, err := d.JoinHost(HostConfig{Name: "New"}); err != nil {
		t.Fatal(err)
	}
	check(t, d.RemoveServiceAccount("WebApp01"))
	check(t, d.SetPassword("alice", "Another!88"))
	for range 2 {
		check(t, d.Restore(s))
		after := d.State()
		if len(after.Hosts) != len(before.Hosts) || !after.Time.Equal(before.Time) || !after.DCs[1].Running || len(after.ServiceAccounts) != 1 {
			t.Errorf("got %+v, want %+v", after, before)
		}
		check(t, h.TestServiceAccount("WebApp01"))
		if _, err := d.KerberosTo(t.Context(), "alice", "host/webapp01"); err != nil {
			t.Errorf("with the password of the snapshot: %v", err)
		}
		if _, there := d.FindHost("New"); there {
			t.Error("a host that joined after the snapshot is there")
		}
		check(t, d.RemoveServiceAccount("WebApp01"))
		if err := h.TestServiceAccount("WebApp01"); !errors.Is(err, diag.NoSuchAccount) {
			t.Errorf("got %v, want %v", err, diag.NoSuchAccount)
		}
	}
	other := StartT(t, Contoso())
	if err := other.Restore(s); err == nil {
		t.Error("a snapshot of another domain: got nil")
	}
}

func TestAwait(t *testing.T) {
	d := StartT(t, Contoso())
	ctx, cancel := context.WithCancelCause(t.Context())
	type found struct {
		e   Event
		err error
	}
	got := make(chan found)
	started := make(chan struct{})
	go func() {
		first := true
		e, err := d.Await(ctx, func(e Event) bool {
			if first {
				first = false
				close(started)
			}
			return e.Op == KDCTGS && strings.Contains(e.Text, "host/webapp01")
		})
		got <- found{e, err}
	}()
	for waiting := true; waiting; { // until Await has begun to look
		d.event(Event{Op: opHost, Text: "knock"})
		select {
		case <-started:
			waiting = false
		default:
		}
	}
	if _, err := d.Host("ContainerHost01").KerberosTo("host/webapp01"); err != nil {
		t.Fatal(err)
	}
	if f := <-got; f.err != nil || f.e.From != "ContainerHost01" {
		t.Errorf("got %v, %v", f.e, f.err)
	}
	cause := errors.New("enough")
	cancel(cause)
	if _, err := d.Await(ctx, func(Event) bool { return false }); !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause of the context's end", err)
	}
}
