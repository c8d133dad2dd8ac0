package scenarios_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
)

// BenchmarkCatalogue runs all cases one after the other, each round with a memory of keys of its own, as a run of the command does.
func BenchmarkCatalogue(b *testing.B) {
	bundles, err := scenarios.Catalog()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, r := range scenarios.Run(b.Context(), bundles, scenarios.Options{Jobs: 1}) {
			if r.Status != scenarios.Passed {
				b.Fatalf("%s: %s", r.ID, r.Status)
			}
		}
	}
}

// BenchmarkCase runs each case of the catalogue in a round and reports the median and the largest time of one case, with keys shared as
// in a run of the whole.
func BenchmarkCase(b *testing.B) {
	bundles, err := scenarios.Catalog()
	if err != nil {
		b.Fatal(err)
	}
	var times []time.Duration
	for b.Loop() {
		keys := simulator.NewKeys()
		for _, bundle := range bundles {
			for _, c := range bundle.Cases {
				start := time.Now()
				res := c.Run(b.Context(), scenarios.Options{Keys: keys})
				times = append(times, time.Since(start))
				if res.Status != scenarios.Passed {
					b.Fatalf("%s, %s: %s", bundle.ID, c.Name, res.Status)
				}
			}
		}
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "µs/median-case")
	b.ReportMetric(float64(times[len(times)-1].Microseconds()), "µs/slowest-case")
}

// BenchmarkCatalog reads all bundles.
func BenchmarkCatalog(b *testing.B) {
	for b.Loop() {
		if _, err := scenarios.Catalog(); err != nil {
			b.Fatal(err)
		}
	}
}
