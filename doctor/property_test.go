package doctor

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gmsasim/gmsasim/simulator"
)

// underRace tells that the race detector looks on, which takes ten times as long.
var underRace bool

// TestHealthyWorlds: nothing is found in worlds without a fault.
func TestHealthyWorlds(t *testing.T) {
	keys := simulator.NewKeys()
	for n := range uint64(60) {
		w := healthyWorld(rand.New(rand.NewPCG(n, 1)))
		if n%4 == 0 {
			toBeMade(w)
		}
		if err := w.Validate(); err != nil {
			t.Fatal(err)
		}
		r, err := DiagnoseWorld(t.Context(), "world", w, Options{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		if r.Outcome != Healthy {
			t.Errorf("world %d:\n%s", n, r.Text(Plain))
		}
	}
}

// alone puts one fault into random worlds, and tells what does not hold: the fault is the only cause, and its fix is proved.
func alone(ctx context.Context, i injector, creator bool, keys *simulator.Keys) string {
	r := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		w := healthyWorld(r)
		if creator {
			toBeMade(w)
		}
		if !i.inject(r, w) {
			continue
		}
		if err := w.Validate(); err != nil {
			return err.Error()
		}
		report, err := DiagnoseWorld(ctx, "world", w, Options{Keys: keys})
		if err != nil {
			return err.Error()
		}
		if found := modesOf(report); report.Outcome != Repaired || len(found) != 1 || !slices.Contains(i.modes, found[0]) {
			return fmt.Sprintf("%s, found %v", report.Outcome, found)
		}
		return ""
	}
	return "no world that it fits"
}

func modesOf(r *Report) (modes []string) {
	for _, c := range r.Causes {
		modes = append(modes, string(c.Finding.Code)+" "+c.Finding.Mode)
		if c.Finding.Mode != "" {
			modes[len(modes)-1] = c.Finding.Mode
		}
	}
	return modes
}

// rank is the place of a step in the order of the checks: a container starts before one looks into it.
func rank(step string) int {
	return slices.Index([]string{"S2", "S3", "S4", "S6", "S5", "S7", "S8", "S9", "S10", "S11"}, step)
}

// outcome is what became of one world.
type outcome struct {
	injected, named int // faults, and how many of them the doctor named
	found, right    int // causes that it named, and how many of them were injected
	first, green    bool
	misses          []string
}

// diagnoseFaults puts faults into a random world, the same for the same number, and compares what the doctor finds.
func diagnoseFaults(ctx context.Context, number uint64, running, creating []injector, keys *simulator.Keys) (o outcome, err error) {
	r := rand.New(rand.NewPCG(number, 3))
	w := healthyWorld(r)
	list := running
	if len(creating) > 0 && r.IntN(10) == 0 {
		toBeMade(w)
		list = creating
	}
	in := inject(r, w, list)
	if err := w.Validate(); err != nil {
		return o, fmt.Errorf("world %d: %w", number, err)
	}
	report, err := DiagnoseWorld(ctx, "world", w, Options{Keys: keys})
	if err != nil {
		return o, fmt.Errorf("world %d, %s: %w", number, names(in), err)
	}
	found := modesOf(report)
	o.injected, o.found, o.green = len(in), len(found), report.Outcome == Repaired
	for _, i := range in {
		at := slices.IndexFunc(found, func(m string) bool { return slices.Contains(i.modes, m) })
		if at < 0 {
			o.misses = append(o.misses, i.modes[0]+" went with the fix of another")
			continue
		}
		o.named++
		if at == 0 {
			o.first = rank(i.at) <= slices.MinFunc(in, func(a, b injector) int { return rank(a.at) - rank(b.at) }).rank()
		}
	}
	for _, m := range found {
		if slices.ContainsFunc(in, func(i injector) bool { return slices.Contains(i.modes, m) }) {
			o.right++
		} else {
			o.misses = append(o.misses, m+" not injected")
		}
	}
	if !o.first {
		o.misses = append(o.misses, fmt.Sprintf("%s first of %s", strings.Join(found[:min(1, len(found))], ""), names(in)))
	}
	if !o.green {
		o.misses = append(o.misses, fmt.Sprintf("not green: %s", names(in)))
	}
	return o, nil
}

func (i injector) rank() int { return rank(i.at) }

func names(in []injector) string {
	var list []string
	for _, i := range in {
		list = append(list, i.modes[0])
	}
	slices.Sort(list)
	return strings.Join(list, "+")
}

// TestRandomFaults: one to three faults in random worlds. The first cause is the fault that bites first, and the fixes lead to green.
func TestRandomFaults(t *testing.T) {
	keys := simulator.NewKeys()
	var running, creating []injector
	modes := map[string]bool{}
	for n, list := range [][]injector{injectors, creators} {
		for _, i := range list {
			if why := alone(t.Context(), i, n == 1, keys); why != "" {
				t.Logf("left out: %v alone: %s", i.modes, why)
				continue
			}
			if modes[i.modes[0]] = true; n == 0 {
				running = append(running, i)
			} else {
				creating = append(creating, i)
			}
		}
	}
	const least = 25
	if len(modes) < least {
		t.Errorf("%d modes hold alone, want at least %d", len(modes), least)
	}
	worlds := uint64(2000)
	if testing.Short() || underRace {
		worlds = 200
	}
	outcomes := make([]outcome, worlds)
	errs := make([]error, worlds)
	next := make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for n := range next {
				outcomes[n], errs[n] = diagnoseFaults(t.Context(), n, running, creating, keys)
			}
		})
	}
	for n := range worlds {
		next <- n
	}
	close(next)
	workers.Wait()
	var sum outcome
	var first, green, failed int
	misses := map[string]int{}
	for n, o := range outcomes {
		if errs[n] != nil {
			failed++
			misses[errs[n].Error()]++
			continue
		}
		sum.injected, sum.named, sum.found, sum.right = sum.injected+o.injected, sum.named+o.named, sum.found+o.found, sum.right+o.right
		if o.first {
			first++
		}
		if o.green {
			green++
		}
		for _, m := range o.misses {
			misses[m]++
		}
	}
	recall, precision := float64(sum.named)/float64(max(1, sum.injected)), float64(sum.right)/float64(max(1, sum.found))
	t.Logf("%d worlds, %d modes, %d faults: first cause right in %d, green in %d; precision %.4f, recall %.4f", worlds, len(modes), sum.injected, first, green, precision, recall)
	for _, m := range slices.SortedFunc(maps.Keys(misses), func(a, b string) int { return misses[b] - misses[a] }) {
		t.Logf("%5d %s", misses[m], m)
	}
	if recall < 0.99 || precision < 0.99 {
		t.Errorf("precision %.4f, recall %.4f, want 0.99 of both", precision, recall)
	}
	if failed > 0 || uint64(first) < worlds || uint64(green) < worlds {
		t.Errorf("%d worlds failed, %d have another first cause, %d are not repaired", failed, int(worlds)-first, int(worlds)-green)
	}
}
