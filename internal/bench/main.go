package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	var o options
	only := flag.String("only", "kdc,ldap,samba,process", "parts to measure")
	seconds := flag.Float64("seconds", 2, "length of a round")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds of which the median is taken")
	flag.StringVar(&o.profile.cpu, "cpuprofile", "", "write profiles of our processor time to files whose names begin so")
	flag.StringVar(&o.profile.memory, "memprofile", "", "write profiles of our memory to files whose names begin so")
	serve := flag.Int("serve", -1, "serve a domain with this many accounts until standard input ends; used by the benchmark itself")
	flag.Parse()
	o.length = time.Duration(*seconds * float64(time.Second))
	var err error
	if *serve >= 0 {
		err = serveDomain(context.Background(), *serve, o)
	} else {
		err = run(strings.Split(*only, ","), o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A row is one line of the table. Figures are numbers in the row's unit; a peer of 0 was not measured.
type row struct {
	what, unit        string
	ours, peer        float64
	peerName          string
	bar, aim          float64 // a ratio to the peer when relative, else in the unit
	relative, smaller bool    // smaller: less is better
}

func run(parts []string, o options) error {
	for _, p := range parts {
		if !slices.Contains([]string{"kdc", "ldap", "samba", "process"}, p) {
			return fmt.Errorf("unknown part %q: kdc, ldap, samba, process", p)
		}
	}
	peers, err := findTree()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: without peers:", err)
	}
	var rows []row
	for _, part := range []struct {
		name string
		run  func(tree, options) ([]row, error)
	}{{"kdc", benchKDC}, {"ldap", benchLDAP}, {"samba", benchSamba}, {"process", benchProcess}} {
		if !slices.Contains(parts, part.name) {
			continue
		}
		r, err := part.run(peers, o)
		rows = append(rows, r...)
		if err != nil {
			printTable(rows)
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	printTable(rows)
	return nil
}

func printTable(rows []row) {
	fmt.Printf("%-52s %12s %12s %-10s %8s %14s %14s  %s\n", "what", "ours", "peer", "", "ratio", "bar", "aim", "verdict")
	for _, r := range rows {
		peer, ratio := "-", "-"
		if r.peer > 0 {
			peer, ratio = number(r.peer), fmt.Sprintf("%.2f", r.ours/r.peer)
		}
		sign := ">="
		if r.smaller {
			sign = "<="
		}
		limit := func(v float64) string {
			switch {
			case v == 0:
				return "-"
			case r.relative:
				return fmt.Sprintf("%s %.1fx", sign, v)
			default:
				return fmt.Sprintf("%s %s", sign, number(v))
			}
		}
		fmt.Printf("%-52s %12s %12s %-10s %8s %14s %14s  %s\n", r.what+", "+r.unit, number(r.ours), peer, r.peerName, ratio, limit(r.bar), limit(r.aim), r.verdict())
	}
}

// verdict says which of bar and aim is met.
func (r row) verdict() string {
	met := func(limit float64) bool {
		if r.relative {
			limit *= r.peer
		}
		if r.smaller {
			return r.ours <= limit
		}
		return r.ours >= limit
	}
	switch {
	case r.relative && r.peer == 0:
		return "no peer"
	case r.aim != 0 && met(r.aim):
		return "aim"
	case r.bar != 0 && met(r.bar):
		return "bar"
	case r.bar == 0:
		return ""
	default:
		return "MISSED"
	}
}

func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
