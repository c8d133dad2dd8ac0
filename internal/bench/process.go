package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
)

// A span is what one call takes: elapsed time, and processor time of the whole process, the collector's included.
type span struct{ elapsed, processor time.Duration }

// benchProcess measures what a test in the same process waits for.
func benchProcess(_ tree, o options) ([]row, error) {
	cases := []struct {
		name  string
		cores int // 0: all
		f     func() error
		span  span
	}{
		{name: "contoso", f: upAndDown(simulator.Contoso())},
		{name: "start-10000", f: startOnly(population(10_000))},
		{name: "fresh", cores: 1, f: fullCase(nil)},
		{name: "remembered", cores: 1, f: fullCase(simulator.NewKeys())},
	}
	for i := range cases {
		c := &cases[i]
		stop, err := o.profile.of(c.name).start()
		if err != nil {
			return nil, err
		}
		c.span, err = repeat(o, c.cores, c.f)
		if err := stop(err); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	contoso, many, fresh, remembered := cases[0].span, cases[1].span, cases[2].span, cases[3].span
	return []row{
		{what: "Contoso() with all listeners up and down", unit: "ms", ours: millis(contoso.elapsed), bar: 5, aim: 2, smaller: true},
		{what: "the same, processor", unit: "ms", ours: millis(contoso.processor)},
		{what: "start with 10000 accounts", unit: "ms", ours: millis(many.elapsed), bar: 100, aim: 50, smaller: true},
		{what: "the same, processor", unit: "ms", ours: millis(many.processor)},
		{what: "full case in a fresh domain, fresh keys", unit: "per second and core", ours: 1 / fresh.processor.Seconds(), bar: 50, aim: 100},
		{what: "the same, elapsed", unit: "ms", ours: millis(fresh.elapsed)},
		{what: "full case in a fresh domain, remembered keys", unit: "per second and core", ours: 1 / remembered.processor.Seconds(), bar: 400},
		{what: "the same, elapsed", unit: "ms", ours: millis(remembered.elapsed)},
	}, nil
}

// upAndDown starts a domain with every listener and closes it.
func upAndDown(cfg simulator.Config) func() error {
	return func() error {
		d, err := simulator.Start(context.Background(), cfg)
		if err != nil {
			return err
		}
		if err := d.Listen(); err != nil {
			return err
		}
		return d.Close()
	}
}

func startOnly(cfg simulator.Config) func() error {
	return func() error {
		d, err := simulator.Start(context.Background(), cfg)
		if err != nil {
			return err
		}
		return d.Close()
	}
}

// fullCase starts a domain in which a host signs in, reads the managed password over a sealed connection, signs in as the service
// account and gets a service ticket. Without keys every call has other passwords, so that each key is derived anew.
func fullCase(keys *simulator.Keys) func() error {
	seed := uint64(0)
	return func() error {
		c := simulator.Contoso()
		c.Keys = keys
		if keys == nil {
			seed++
			c.Seed = seed
		}
		d, err := simulator.Start(context.Background(), c)
		if err != nil {
			return err
		}
		defer d.Close()
		h := d.Host("ContainerHost01")
		if err := h.TestServiceAccount("WebApp01"); err != nil {
			return err
		}
		_, err = h.KerberosTo("host/WebApp01.contoso.com")
		return err
	}
}

// repeat calls f for the length of all rounds, on as many processors as cores says. The elapsed time is the median of the calls, so
// that a call during which others had the machine does not count; processor time is the mean.
func repeat(o options, cores int, f func() error) (span, error) {
	if cores > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	}
	if err := f(); err != nil {
		return span{}, err
	}
	runtime.GC() // what came before is not paid for here
	var calls []time.Duration
	before, err := cpuTime(os.Getpid())
	if err != nil {
		return span{}, err
	}
	begin := time.Now()
	for len(calls) < 3 || time.Since(begin) < o.length*time.Duration(o.rounds) {
		start := time.Now()
		if err := f(); err != nil {
			return span{}, err
		}
		calls = append(calls, time.Since(start))
	}
	after, err := cpuTime(os.Getpid())
	if err != nil {
		return span{}, err
	}
	return span{median(calls), (after - before) / time.Duration(len(calls))}, nil
}
