package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
)

// raceVerbs are about what depends on the order in which things happen.
var raceVerbs = []verb{
	{"schedule", false, "let containers open, use and close their secure channels in this order", func() action { return &schedule{} }},
	{"explore", false, "try every order of some actors, and count those that fail", func() action { return &explore{} }},
}

// channelOps are what a container does with its secure channel, in the words of schedules.
var channelOps = []string{"open", "talk", "close"}

// channelOp is one of them, of one container.
type channelOp struct {
	container, op string
}

// readOp reads container.op.
func (s *scope) readOp(n *node) (channelOp, bool) {
	text, ok := s.d.scalar(n, "a container and what it does, as in a.open")
	if !ok {
		return channelOp{}, false
	}
	container, op, _ := strings.Cut(text, ".")
	return s.opOf(n, container, op)
}

func (s *scope) opOf(n *node, container, op string) (channelOp, bool) {
	if !slices.Contains(channelOps, op) {
		s.d.fail(n.errorNear(op, channelOps, "no %q of a container; there are %s", op, strings.Join(channelOps, ", ")))
		return channelOp{}, false
	}
	before := len(s.d.faults)
	s.result(n, container, "runContainer")
	return channelOp{container, op}, len(s.d.faults) == before
}

func (o channelOp) check(*scope, *node) {}

func (o channelOp) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, o.container, "container")
	if err != nil {
		return err
	}
	switch o.op {
	case "open":
		return c.OpenChannel()
	case "talk":
		return c.UseChannel()
	default:
		c.Stop()
		return nil
	}
}

type schedule struct {
	list *node
	ops  []channelOp
}

func (a *schedule) decodeNode(_ *decoder, n *node) { a.list = n }

func (a *schedule) check(s *scope, n *node) {
	if a.list.kind != sequenceNode || len(a.list.items) == 0 {
		s.d.fail(n.errorAt("want a list such as [a.open, b.open, a.talk], got %s", a.list.kind))
		return
	}
	for _, item := range a.list.items {
		if op, ok := s.readOp(item); ok {
			a.ops = append(a.ops, op)
		}
	}
}

func (a *schedule) do(r *attempt) error {
	for i, op := range a.ops {
		if err := op.do(r); err != nil {
			r.fact("failed at", fmt.Sprintf("%d, %s.%s", i+1, op.container, op.op))
			return err
		}
	}
	return nil
}

// explore is a set of actors: containers with what they do to their channels, or any name with steps of its own.
type explore struct {
	Actors actorList `yaml:"actors"`
	actors []plannedActor
}

// actorList keeps the actors for when the scope is known.
type actorList struct{ *node }

func (l *actorList) decodeNode(_ *decoder, n *node) { l.node = n }

// plannedActor is an actor with steps that are ready to run in any session.
type plannedActor struct {
	name  string
	steps []*Step
}

func (a *explore) check(s *scope, n *node) {
	list := a.Actors.node
	if list.kind != mappingNode || len(list.fields) < 2 || len(list.fields) > 3 {
		s.d.fail(list.errorAt("want two or three actors, each with the list of what it does"))
		return
	}
	var counts []int
	for _, f := range list.fields {
		if f.value.kind != sequenceNode || len(f.value.items) == 0 {
			s.d.fail(f.value.errorAt("want the list of what %s does, got %s", f.key.text, f.value.kind))
			continue
		}
		actor := plannedActor{name: f.key.text}
		own := s.branch()
		for _, item := range f.value.items {
			step := own.turn(actor.name, item)
			if step == nil {
				return // said why
			}
			actor.steps = append(actor.steps, step)
		}
		a.actors = append(a.actors, actor)
		counts = append(counts, len(actor.steps))
	}
	if orders := countOrders(counts); orders > MaxOrders {
		s.d.fail(n.errorAt("%v steps can be put into more than %d orders", counts, MaxOrders))
	}
}

// branch is a scope for steps that others do not see.
func (s *scope) branch() *scope {
	own := *s
	own.steps = slices.Clone(s.steps)
	own.names = slices.Clone(s.names)
	own.hosts = slices.Clone(s.hosts)
	own.made = map[string]*Step{}
	for id, step := range s.made {
		own.made[id] = step
	}
	return &own
}

// turn reads one turn of an actor: a word for a container's channel, or a step.
func (s *scope) turn(actor string, n *node) *Step {
	if n.kind != scalarNode {
		step := s.step(n)
		if step != nil && step.verb == "explore" {
			s.d.fail(n.errorAt("an actor does not explore"))
			return nil
		}
		return step
	}
	op, ok := s.opOf(n, actor, n.text)
	if !ok {
		return nil
	}
	return &Step{verb: op.op, action: op, place: n.place, args: &node{place: n.place, kind: nullNode}}
}

// errNoPast: a step that is given alone has no steps before it that could be repeated.
var errNoPast = errors.New("explore begins the scenario anew for each order; a step that is given alone has none")

func (a *explore) do(r *attempt) error {
	if r.s.again == nil {
		return errNoPast
	}
	x, err := Explore(r.ctx, func(ctx context.Context) ([]Actor, func() error, error) {
		s, err := r.s.again(ctx)
		if err != nil {
			return nil, nil, err
		}
		var actors []Actor
		for _, p := range a.actors {
			actor := Actor{Name: p.name}
			for i, step := range p.steps {
				actor.Turns = append(actor.Turns, Turn{p.turnName(i), func(ctx context.Context) error { return s.turn(ctx, step) }})
			}
			actors = append(actors, actor)
		}
		return actors, s.d.Close, nil
	})
	if err != nil {
		return err
	}
	r.explored = x
	r.fact("orders", x.Orders)
	r.fact("failing", fmt.Sprintf("%d of %d", x.Failing, x.Orders))
	for _, e := range x.Ends {
		r.fact(e.Code, e.Orders)
	}
	if len(x.Shortest) > 0 {
		r.fact("smallest", a.pasteable(x.Shortest))
	}
	return nil
}

// turnName is what an actor's step is called in an order: the word for a channel, or the verb, with a number when the actor does it again.
func (p plannedActor) turnName(i int) string {
	name, n := p.steps[i].verb, 1
	for _, before := range p.steps[:i] {
		if before.verb == name {
			n++
		}
	}
	if n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	return name
}

// turn carries out a step inside an order. An end that the step expects is no failure.
func (s *Session) turn(ctx context.Context, step *Step) error {
	res, err := s.attempt(ctx, step, nil)
	switch {
	case res.Status == Passed:
		return nil
	case err != nil:
		return err
	default:
		return errors.New(strings.Join(res.Problems, "; "))
	}
}

// pasteable writes an order as it goes into a scenario: one schedule when all turns are of channels, otherwise the steps themselves.
func (a *explore) pasteable(order []string) string {
	var steps []string
	channels := true
	for _, name := range order {
		actor, turn, _ := strings.Cut(name, ".")
		for _, p := range a.actors {
			for i, step := range p.steps {
				if p.name != actor || p.turnName(i) != turn {
					continue
				}
				if _, ok := step.action.(channelOp); !ok {
					channels = false
				}
				id := ""
				if step.id != "" {
					id = "id: " + step.id + "\n  "
				}
				steps = append(steps, "- "+id+strings.TrimSpace(step.verb+": "+flow(step.args)))
			}
		}
	}
	if channels {
		return "schedule: [" + strings.Join(order, ", ") + "]"
	}
	return strings.Join(steps, "\n")
}
