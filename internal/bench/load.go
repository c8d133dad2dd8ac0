package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// options are the sizes of a measurement.
type options struct {
	rounds  int
	length  time.Duration
	profile profiles
}

// A worker is one client: do makes one request and says how many units (requests, entries) it got.
type worker struct {
	do    func() (int, error)
	close func()
}

// A rate is the median of the rounds.
type rate struct {
	perSecond float64
	// server is processor time of the server's processes per unit, user and system.
	server time.Duration
}

// A load is one server with the clients that keep it busy.
type load struct {
	workers []worker
	server  *server
}

// measure lets all workers of a load run at once and reads the server's processor time around that. The loads take turns, so that
// what else the machine does in a round meets all of them. The first round warms up and does not count.
func measure(loads []load, o options) ([]rate, error) {
	perSecond := make([][]float64, len(loads))
	cpu := make([][]time.Duration, len(loads))
	for round := range o.rounds + 1 {
		length := o.length
		if round == 0 {
			length /= 4
		}
		for i, l := range loads {
			before, err := l.server.cpuTime()
			if err != nil {
				return nil, err
			}
			units, elapsed, err := runRound(l.workers, length)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.server.name, err)
			}
			after, err := l.server.cpuTime()
			if err != nil {
				return nil, err
			}
			if round > 0 && units > 0 {
				perSecond[i] = append(perSecond[i], float64(units)/elapsed.Seconds())
				cpu[i] = append(cpu[i], (after-before)/time.Duration(units))
			}
		}
	}
	rates := make([]rate, len(loads))
	for i := range rates {
		rates[i] = rate{median(perSecond[i]), median(cpu[i])}
	}
	return rates, nil
}

func runRound(workers []worker, length time.Duration) (units int, elapsed time.Duration, err error) {
	var wg sync.WaitGroup
	results := make([]int, len(workers))
	errs := make([]error, len(workers))
	start := time.Now()
	end := start.Add(length)
	for i, w := range workers {
		wg.Go(func() {
			for time.Now().Before(end) {
				n, err := w.do()
				if err != nil {
					errs[i] = err
					return
				}
				results[i] += n
			}
		})
	}
	wg.Wait()
	elapsed = time.Since(start)
	for i, err := range errs {
		if err != nil {
			return 0, 0, fmt.Errorf("client %d: %w", i, err)
		}
		units += results[i]
	}
	return units, elapsed, nil
}

// percentile99 is the time within which 99 of 100 requests of one client are answered, for each load: the median of the rounds.
func percentile99(loads []load, o options) ([]time.Duration, error) {
	rounds := make([][]time.Duration, len(loads))
	for range o.rounds {
		for i, l := range loads {
			var times []time.Duration
			for begin := time.Now(); time.Since(begin) < o.length; {
				start := time.Now()
				if _, err := l.workers[0].do(); err != nil {
					return nil, fmt.Errorf("%s: %w", l.server.name, err)
				}
				times = append(times, time.Since(start))
			}
			slices.Sort(times)
			rounds[i] = append(rounds[i], times[len(times)*99/100])
		}
	}
	result := make([]time.Duration, len(loads))
	for i := range result {
		result[i] = median(rounds[i])
	}
	return result, nil
}

func closeAll(loads []load) {
	for _, l := range loads {
		for _, w := range l.workers {
			w.close()
		}
	}
}

func median[T float64 | time.Duration](v []T) T {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// clockTick is USER_HZ, which Linux fixes at 100 for all that /proc tells.
const clockTick = time.Second / 100

// cpuTime is the processor time of a process so far, proc(5).
func cpuTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	// The name may hold blanks, but ends with the last closing parenthesis; utime and stime are the 14th and 15th field.
	_, rest, _ := strings.Cut(string(b)[strings.LastIndexByte(string(b), ')'):], " ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f))
	}
	var ticks time.Duration
	for _, s := range f[11:13] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += time.Duration(n)
	}
	return ticks * clockTick, nil
}

// residentMiB is the proportional set size of a process in MiB.
func residentMiB(pid int) (float64, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "smaps_rollup"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("no Pss in smaps_rollup of process %d", pid)
}

// newRandom is a fast source for confounders; a load generator needs no secrecy.
func newRandom(seed uint64) io.Reader {
	var s [32]byte
	for i := range s {
		s[i] = byte(seed >> (8 * (i % 8)))
	}
	return rand.NewChaCha8(s)
}
