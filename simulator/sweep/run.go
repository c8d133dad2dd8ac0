package sweep

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// A Row is one case and what each observer saw of it: "" for success, the code of a finding, or "-" for what was not reached because the
// container did not start.
type Row struct {
	Release    windows.Release
	Isolation  windows.Isolation
	Image      string
	User       User
	Hostname   Hostname
	Membership Membership
	SPN        SPN
	Profiles   windows.Profiles

	// Test is Test-ADServiceAccount on the host, Run docker run, Channel nltest /sc_verify, Ticket klist get krbtgt as the application's user, Kerberos
	// and NTLM the sign-ins of a user from outside.
	Test, Run, Channel, Ticket, Kerberos, NTLM diag.Code
}

// notReached is what observers in a container say that does not run.
const notReached diag.Code = "-"

// First is the first thing that is wrong, in the order of the steps of a setup; "" when everything works.
func (r Row) First() diag.Code {
	for _, code := range []diag.Code{r.Run, r.Test, r.Channel, r.Ticket, r.Kerberos, r.NTLM} {
		if code != "" && code != notReached {
			return code
		}
	}
	return ""
}

// Options say how a sweep runs.
type Options struct {
	// Jobs is how many domains run at the same time. Default: the number of processors.
	Jobs int
	// Progress is called now and then with the number of cases that are done, from one goroutine at a time; nil for none.
	Progress func(done int)
}

// Run runs all cases and gives them to row in their order, from one goroutine: profiles, memberships, SPNs, users, releases,
// isolations, images, host names. An error of row ends the sweep.
func Run(ctx context.Context, a Axes, o Options, row func(Row) error) error {
	images := make([]windows.Image, len(a.Images))
	for i, tag := range a.Images {
		var err error
		if images[i], err = windows.ParseImage("servercore:" + tag); err != nil {
			return err
		}
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &sweeper{axes: a, images: images, keys: simulator.NewKeys(), progress: o.Progress}
	results := make([]chan result, a.worlds())
	for i := range results {
		results[i] = make(chan result, 1)
	}
	slots := make(chan struct{}, o.Jobs+1) // one may wait to be read
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel() // before the wait
	workers.Go(func() {
		for i := range results {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			workers.Go(func() {
				rows, err := s.world(ctx, a.world(i))
				results[i] <- result{rows, err}
			})
		}
	})
	for _, c := range results {
		select {
		case res := <-c:
			<-slots
			if res.err != nil {
				return res.err
			}
			for _, r := range res.rows {
				if err := row(r); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

type result struct {
	rows []Row
	err  error
}

type sweeper struct {
	axes     Axes
	images   []windows.Image
	keys     *simulator.Keys
	done     atomic.Int64
	mu       sync.Mutex // of progress
	progress func(int)
}

// world runs the cases of one domain.
func (s *sweeper) world(ctx context.Context, w world) (rows []Row, err error) {
	cfg := s.axes.config(w)
	cfg.Keys = s.keys
	d, err := simulator.Start(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("start the domain: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	other, ok := d.FindHost(neighbour)
	if !ok {
		return nil, fmt.Errorf("the host %s is missing", neighbour)
	}
	rows = make([]Row, 0, s.axes.perWorld())
	for _, user := range s.axes.Users {
		for i, release := range s.axes.Releases {
			h, ok := d.FindHost(hostName(i))
			if !ok {
				return nil, fmt.Errorf("the host of %s is missing", release.Name)
			}
			before := len(rows)
			test := codeOf(h.TestServiceAccount(account))
			for _, iso := range s.axes.Isolations {
				for j, tag := range s.axes.Images {
					for _, name := range s.axes.Hostnames {
						r := Row{Release: release, Isolation: iso, Image: tag, User: user, Hostname: name, Membership: w.membership, SPN: w.spn, Profiles: w.profiles, Test: test}
						observe(&r, h, other, container(s.images[j], iso, name, user))
						rows = append(rows, r)
					}
				}
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			s.report(len(rows) - before)
		}
	}
	return rows, nil
}

func (s *sweeper) report(n int) {
	done := s.done.Add(int64(n))
	if s.progress == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress(int(done))
}

// observe runs the container and lets the observers look, each by itself.
func observe(r *Row, h, other *simulator.Host, c simulator.Container) {
	r.Channel, r.Ticket, r.Kerberos, r.NTLM = notReached, notReached, notReached, notReached
	running, err := h.Run(c)
	if r.Run = codeOf(err); err != nil {
		return
	}
	defer running.Stop()
	// Between two observers both containers open their channels anew, so that each observer meets the same state.
	again := func() {}
	if r.Hostname == SharedHostname {
		c.Image, c.Isolation = windows.Image{}, windows.DefaultMode
		if second, err := other.Run(c); err == nil {
			defer second.Stop()
			again = func() { _, _ = running.OpenChannel(), second.OpenChannel() } // what comes of it is for the observers to say
		}
	}
	_, err = running.NltestSCVerify("contoso.com")
	r.Channel = codeOf(err)
	_, err = running.App().KlistGet("krbtgt")
	r.Ticket = codeOf(err)
	r.Kerberos = codeOf(running.InboundKerberos("alice", service))
	again()
	r.NTLM = codeOf(running.InboundNTLM("alice"))
}

// codeOf is the code of a finding, "" for none. An error without one is the simulator's own.
func codeOf(err error) diag.Code {
	if err == nil {
		return ""
	}
	if f, ok := diag.Of(err); ok {
		return f.Code
	}
	return diag.SimulatorBug
}
