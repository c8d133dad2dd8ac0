package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
)

// population is Contoso with n further user accounts, each with two SPNs.
func population(n int) simulator.Config {
	cfg := simulator.Contoso()
	cfg.FollowRealTime = true
	cfg.AdminPassword = benchPassword
	cfg.Users = slices.Grow(cfg.Users, n)
	for i := range n {
		name := accountName(i)
		cfg.Users = append(cfg.Users, simulator.User{Name: name, Password: benchPassword, SPNs: []string{"http/" + name, "http/" + name + ".contoso.com"}})
	}
	return cfg
}

// addresses is what a serving child tells its parent.
type addresses struct{ KDC, LDAP, BaseDN, Admin string }

// serveDomain starts a domain with n accounts, prints its addresses as JSON and serves until standard input ends.
func serveDomain(ctx context.Context, n int, o options) error {
	d, err := simulator.Start(ctx, population(n))
	if err != nil {
		return err
	}
	defer d.Close()
	if n >= 10_000 { // as gmsasim up does when a domain is large
		debug.FreeOSMemory()
		debug.SetGCPercent(50)
	}
	stop, err := o.profile.start()
	if err != nil {
		return err
	}
	err = json.NewEncoder(os.Stdout).Encode(addresses{
		KDC: d.KDCAddr(), LDAP: strings.TrimPrefix(d.LDAPURL(), "ldap://"), BaseDN: d.BaseDN(), Admin: "CN=Administrator,CN=Users," + d.BaseDN(),
	})
	if err == nil {
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	return stop(err)
}

// startOurs starts this program again as a server, so that processor time and memory are the server's alone.
func startOurs(n int, o options) (*server, addresses, error) {
	var a addresses
	self, err := os.Executable()
	if err != nil {
		return nil, a, err
	}
	cmd := exec.Command(self, "-serve", strconv.Itoa(n))
	cmd.Args = append(cmd.Args, o.profile.of(fmt.Sprintf("serve-%d", n)).arguments()...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, a, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, a, err
	}
	if err := cmd.Start(); err != nil {
		return nil, a, err
	}
	s := &server{name: "gmsasim", pid: cmd.Process.Pid, stop: func() {
		in.Close()
		_ = cmd.Wait() // it ends with its input; how does not matter to a measurement that is over
	}}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		s.stop()
		return nil, a, fmt.Errorf("serving child: %w", err)
	}
	return s, a, nil
}

func benchKDC(peers tree, o options) ([]row, error) {
	s, a, err := startOurs(benchClients, o)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	targets := []kdcTarget{{addr: a.KDC, server: s, clients: benchPrincipals(), service: []string{"host", "WebApp01.contoso.com"}}}
	if peers != "" {
		s, target, err := peers.startMIT()
		if err != nil {
			return nil, fmt.Errorf("MIT: %w", err)
		}
		defer s.stop()
		targets = append(targets, target)
	}
	as, tgs, err := kdcRates(targets, o)
	if err != nil {
		return nil, err
	}
	const mit = "MIT lmdb"
	return []row{
		row{what: "AS exchange, 16 clients", unit: "per second", bar: 1, aim: 2, relative: true}.with(perSecond(as), mit),
		row{what: "AS exchange, server's processor", unit: "µs", bar: 150, aim: 80, smaller: true}.with(processor(as), mit),
		row{what: "TGS exchange, 16 clients", unit: "per second", bar: 1, aim: 2, relative: true}.with(perSecond(tgs), mit),
		row{what: "TGS exchange, server's processor", unit: "µs", bar: 230, aim: 110, smaller: true}.with(processor(tgs), mit),
	}, nil
}

// with enters figures: ours and, where it was measured, the peer's.
func (r row) with(figures []float64, peer string) row {
	r.ours = figures[0]
	if len(figures) > 1 {
		r.peer, r.peerName = figures[1], peer
	}
	return r
}

func perSecond(rates []rate) []float64 {
	figures := make([]float64, len(rates))
	for i, r := range rates {
		figures[i] = r.perSecond
	}
	return figures
}

func processor(rates []rate) []float64 {
	figures := make([]float64, len(rates))
	for i, r := range rates {
		figures[i] = micros(r.server)
	}
	return figures
}

func benchLDAP(peers tree, o options) ([]row, error) {
	var rows []row
	for _, n := range []int{1_000, 10_000, 100_000} {
		more, err := benchDirectory(n, peers, o)
		rows = append(rows, more...)
		if err != nil {
			return rows, fmt.Errorf("%d accounts: %w", n, err)
		}
	}
	return rows, nil
}

// benchDirectory measures a directory of n accounts.
func benchDirectory(n int, peers tree, o options) ([]row, error) {
	s, a, err := startOurs(n, o)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	targets := []ldapTarget{{addr: a.LDAP, base: a.BaseDN, bindDN: a.Admin, password: benchPassword, server: s, accounts: n}}
	if peers != "" {
		s, target, err := peers.startSlapd(n)
		if err != nil {
			return nil, fmt.Errorf("slapd: %w", err)
		}
		defer s.stop()
		targets = append(targets, target)
	}
	search, err := searchRates(targets, benchClients, o)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	const slapd = "slapd"
	rows := []row{
		row{what: fmt.Sprintf("indexed search among %d, 16 clients", n), unit: "per second", bar: 1.5, aim: 2.5, relative: true}.with(perSecond(search), slapd),
		row{what: fmt.Sprintf("indexed search among %d, server's processor", n), unit: "µs"}.with(processor(search), slapd),
	}
	if n == 10_000 {
		latencies, err := searchLatencies(targets, o)
		if err != nil {
			return rows, fmt.Errorf("search of one client: %w", err)
		}
		var figures []float64
		for _, l := range latencies {
			figures = append(figures, micros(l))
		}
		enumeration, err := enumerationRates(targets, o)
		if err != nil {
			return rows, fmt.Errorf("enumeration: %w", err)
		}
		latency := row{what: "the same, one client, 99 of 100 within", unit: "µs", bar: 1000, aim: 500, smaller: true}.with(figures, slapd)
		paged := row{what: "paged enumeration of 10000", unit: "entries/s", aim: 200_000}.with(perSecond(enumeration), slapd)
		paged.bar = paged.peer
		rows = append(rows, latency, paged)
	}
	if limits, ok := memoryLimits[n]; ok {
		var figures []float64
		for _, t := range targets {
			memory, err := t.server.residentMiB()
			if err != nil {
				return rows, err
			}
			figures = append(figures, memory)
		}
		rows = append(rows, row{what: fmt.Sprintf("memory with %d accounts, after load", n), unit: "MiB", bar: limits.bar, aim: limits.aim, smaller: true}.with(figures, slapd))
	}
	return rows, nil
}

// memoryLimits are bar and aim in MiB, by the number of accounts.
var memoryLimits = map[int]struct{ bar, aim float64 }{10_000: {50, 30}, 100_000: {250, 150}}
