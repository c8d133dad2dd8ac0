package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

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
	runtime.GC()
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
	s := &server{pid: cmd.Process.Pid, stop: func() {
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
	as, tgs, err := kdcTarget{addr: a.KDC, server: s, clients: benchPrincipals(), service: []string{"host", "WebApp01.contoso.com"}}.kdcRates(o)
	s.stop()
	if err != nil {
		return nil, err
	}
	var peerAS, peerTGS rate
	if peers != "" {
		s, target, err := peers.startMIT()
		if err != nil {
			return nil, err
		}
		peerAS, peerTGS, err = target.kdcRates(o)
		s.stop()
		if err != nil {
			return nil, fmt.Errorf("MIT: %w", err)
		}
	}
	const mit = "MIT lmdb"
	return []row{
		{what: "AS exchange, 16 clients", unit: "per second", ours: as.perSecond, peer: peerAS.perSecond, peerName: mit, bar: 1, aim: 2, relative: true},
		{what: "AS exchange, server's processor", unit: "µs", ours: micros(as.server), peer: micros(peerAS.server), peerName: mit, bar: 150, aim: 80, smaller: true},
		{what: "TGS exchange, 16 clients", unit: "per second", ours: tgs.perSecond, peer: peerTGS.perSecond, peerName: mit, bar: 1, aim: 2, relative: true},
		{what: "TGS exchange, server's processor", unit: "µs", ours: micros(tgs.server), peer: micros(peerTGS.server), peerName: mit, bar: 230, aim: 110, smaller: true},
	}, nil
}

func benchLDAP(peers tree, o options) ([]row, error) {
	var rows []row
	for _, n := range []int{1_000, 10_000, 100_000} {
		s, a, err := startOurs(n, o)
		if err != nil {
			return rows, err
		}
		target := ldapTarget{addr: a.LDAP, base: a.BaseDN, bindDN: a.Admin, password: benchPassword, server: s, accounts: n}
		search, err := target.searchRate(benchClients, o)
		if err != nil {
			s.stop()
			return rows, fmt.Errorf("search among %d: %w", n, err)
		}
		var enumeration rate
		var latency time.Duration
		var memory float64
		if n >= 10_000 {
			if n == 10_000 {
				if latency, err = target.searchLatency(o); err == nil {
					enumeration, err = target.enumerationRate(o)
				}
				if err != nil {
					s.stop()
					return rows, fmt.Errorf("one client among %d: %w", n, err)
				}
			}
			if memory, err = s.residentMiB(); err != nil {
				s.stop()
				return rows, err
			}
		}
		s.stop()
		var peerSearch, peerEnumeration rate
		var peerLatency time.Duration
		var peerMemory float64
		if peers != "" {
			s, target, err := peers.startSlapd(n)
			if err != nil {
				return rows, err
			}
			peerSearch, err = target.searchRate(benchClients, o)
			if err == nil && n == 10_000 {
				peerLatency, err = target.searchLatency(o)
			}
			if err == nil && n == 10_000 {
				peerEnumeration, err = target.enumerationRate(o)
			}
			if err == nil {
				peerMemory, err = s.residentMiB()
			}
			s.stop()
			if err != nil {
				return rows, fmt.Errorf("slapd: %w", err)
			}
		}
		rows = append(rows,
			row{what: fmt.Sprintf("indexed search among %d, 16 clients", n), unit: "per second", ours: search.perSecond, peer: peerSearch.perSecond, peerName: "slapd", bar: 1.5, aim: 2.5, relative: true},
			row{what: fmt.Sprintf("indexed search among %d, server's processor", n), unit: "µs", ours: micros(search.server), peer: micros(peerSearch.server), peerName: "slapd"})
		if n == 10_000 {
			rows = append(rows,
				row{what: "the same, one client, 99 of 100 within", unit: "µs", ours: micros(latency), peer: micros(peerLatency), peerName: "slapd", bar: 1000, aim: 500, smaller: true},
				row{what: "paged enumeration of 10000", unit: "entries/s", ours: enumeration.perSecond, peer: peerEnumeration.perSecond, peerName: "slapd", bar: peerEnumeration.perSecond, aim: 200_000})
		}
		if n >= 10_000 {
			rows = append(rows, row{what: fmt.Sprintf("memory with %d accounts, after load", n), unit: "MiB", ours: memory, peer: peerMemory, peerName: "slapd",
				bar: map[int]float64{10_000: 50, 100_000: 250}[n], aim: map[int]float64{10_000: 30, 100_000: 150}[n], smaller: true})
		}
	}
	return rows, nil
}
