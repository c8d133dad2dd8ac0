package scenarios

import (
	"context"
	"slices"

	"github.com/gmsasim/gmsasim/simulator"
)

// A Replay runs a case step by step in a domain of its own, so that somebody may stop at any step, look, change something and try the
// step again. It is not for several goroutines at the same time.
type Replay struct {
	c       *Case
	o       Options
	d       *simulator.Domain
	session *Session
	done    int // steps carried out
	golden  func(name string) (string, bool)
}

// Replay starts the domain of the case. Of the options, the seed and the keys count. The caller closes the replay.
func (c *Case) Replay(ctx context.Context, o Options) (*Replay, error) {
	cfg := c.plan.config
	cfg.Keys = o.Keys
	if o.Seed != 0 {
		cfg.Seed = o.Seed
	}
	d, err := simulator.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &Replay{c: c, o: o, d: d, session: NewSession(d)}, nil
}

// Domain is the domain that the steps happen in.
func (r *Replay) Domain() *simulator.Domain { return r.d }

// Session carries out further steps in the domain. It knows what the steps so far gave under their ids.
func (r *Replay) Session() *Session { return r.session }

// Next carries out the next step and judges it; nil after the last one.
func (r *Replay) Next(ctx context.Context) *StepResult {
	if r.done == len(r.c.plan.steps) {
		return nil
	}
	before := r.done
	r.session.again = func(ctx context.Context) (*Session, error) { return r.c.upTo(ctx, r.o, before) }
	r.done++
	res := r.session.do(ctx, r.c.plan.steps[r.done-1], r.golden)
	res.N = r.done // whatever the session did between the steps
	return res
}

// upTo starts a domain of the case and carries out its first n steps.
func (c *Case) upTo(ctx context.Context, o Options, n int) (*Session, error) {
	r, err := c.Replay(ctx, o)
	if err != nil {
		return nil, err
	}
	for range n {
		r.Next(ctx)
	}
	return r.session, nil
}

// Again carries out the last step once more and expects it to succeed. Each of with, in the form of "{isolation: process}", changes
// arguments of the step; the later one counts. An error tells that such arguments cannot be.
func (r *Replay) Again(ctx context.Context, with ...string) (*StepResult, error) {
	step := *r.c.plan.steps[r.done-1]
	step.expect, step.again = Expect{}, true
	if len(with) == 0 {
		return r.session.do(ctx, &step, nil), nil
	}
	d := &decoder{}
	for _, text := range with {
		w, err := parseYAML("with", 1, []byte(text))
		if err != nil {
			return nil, err
		}
		if w.kind != mappingNode || step.args.kind != mappingNode {
			return nil, w.errorAt("with is a mapping of arguments, and %s must have been given one too", step.verb)
		}
		step.args = step.args.with(w)
	}
	step.action = verbOf(step.verb).new()
	if d.decode(step.args, step.action); len(d.faults) == 0 {
		s := liveScope(d, r.d)
		s.current = &step
		step.action.check(s, step.args)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return r.session.do(ctx, &step, nil), nil
}

// ContainerID is the short id of the container that a step ran, "" when it ran none; a container's own id stays what it is.
func (r *Replay) ContainerID(step string) string {
	c, err := resultOf[*simulator.Running](&attempt{s: r.session, d: r.d}, step, "container")
	if err != nil {
		return ""
	}
	return c.ID()[:12]
}

// Close ends the domain.
func (r *Replay) Close() error { return r.d.Close() }

// with is a mapping with the values of another one in place of its own.
func (n *node) with(o *node) *node {
	c := &node{place: n.place, kind: mappingNode, fields: slices.Clone(n.fields)}
	for _, f := range o.fields {
		if i := slices.IndexFunc(c.fields, func(g field) bool { return g.key.text == f.key.text }); i >= 0 {
			c.fields[i] = f
		} else {
			c.fields = append(c.fields, f)
		}
	}
	return c
}
