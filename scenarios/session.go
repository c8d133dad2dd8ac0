package scenarios

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// A Session carries out steps in a running domain, one after the other. It remembers what steps with an id gave: tickets, services,
// snapshots, the facts they stated. Its methods may be called from any goroutine.
type Session struct {
	d *simulator.Domain

	mu      sync.Mutex
	n       int
	steps   []*Step // with an id
	results map[string]any
	facts   map[string][]diag.Fact
	// again gives a new session in which the steps before the current one have been carried out; nil for steps that are given one by one.
	again func(context.Context) (*Session, error)

	orchestrators orchestrators
}

// NewSession begins a session in d.
func NewSession(d *simulator.Domain) *Session {
	return &Session{d: d, results: map[string]any{}, facts: map[string][]diag.Fact{}}
}

// Do reads one step, as YAML or JSON, and carries it out. A step that cannot be read is an error; one that ends otherwise than
// expected is a [StepResult] that says so.
func (s *Session) Do(ctx context.Context, name string, data []byte) (*StepResult, error) {
	n, err := parseYAML(name, 1, data)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &decoder{}
	scope := liveScope(d, s.d)
	scope.steps = slices.Clone(s.steps)
	if id := n.get("id"); id != nil {
		scope.steps = slices.DeleteFunc(scope.steps, func(o *Step) bool { return o.id == id.text })
	}
	step := scope.step(n)
	if err := d.err(); err != nil {
		return nil, err
	}
	if step.expect.Output != "" {
		return nil, step.expect.at.errorAt("a single step has no golden to compare with")
	}
	s.steps = scope.steps
	return s.do(ctx, step, nil), nil
}

// Status is how a step or case ended.
type Status string

// The ends.
const (
	Passed     Status = "passed"      // as expected
	Failed     Status = "failed"      // not as expected
	NotReached Status = "not reached" // an earlier step failed
)

// A StepResult is what came of one step. It holds nothing that differs between two runs with the same seed.
type StepResult struct {
	N         int           `json:"n"`
	ID        string        `json:"id,omitempty"`
	Note      string        `json:"note,omitempty"`
	Verb      string        `json:"verb"`
	Arguments string        `json:"arguments,omitempty"`
	Again     bool          `json:"again,omitempty"`
	At        Place         `json:"at"`
	Time      time.Time     `json:"time,omitzero"` // domain time at the end of the step
	Status    Status        `json:"status"`
	Want      string        `json:"want"`
	Got       string        `json:"got,omitempty"` // ok, the code of a finding, or error
	Problems  []string      `json:"problems,omitempty"`
	Error     string        `json:"error,omitempty"`
	Finding   *diag.Finding `json:"finding,omitempty"`
	Facts     []diag.Fact   `json:"facts,omitempty"`
	// FirstEvent and LastEvent are the numbers of the step's events; both 0 when there are none.
	FirstEvent int `json:"firstEvent,omitempty"`
	LastEvent  int `json:"lastEvent,omitempty"`
	// Explored is what a step that explores found.
	Explored *Exploration `json:"explored,omitempty"`
	// Output is the outcome as text, what goldens hold.
	Output string `json:"-"`

	args *node
}

// Arg is an argument that is a single value, or the value itself when the step has one alone; "" when it is neither.
func (res *StepResult) Arg(name string) string {
	switch n := res.args.get(name); {
	case n != nil && n.kind == scalarNode:
		return n.text
	case n == nil && res.args != nil && res.args.kind == scalarNode && aloneArgument(res.Verb, name):
		return res.args.text
	}
	return ""
}

// aloneArgument tells that name is the argument that a verb takes without a key.
func aloneArgument(verbName, name string) bool {
	t := reflect.TypeOf(verbOf(verbName).new()).Elem()
	if t.Kind() != reflect.Struct {
		return false
	}
	i, ok := scalarField(t)
	return ok && keyOf(t.Field(i)) == name
}

func newStepResult(n int, step *Step) *StepResult {
	return &StepResult{N: n, ID: step.id, Note: step.note, Verb: step.verb, Arguments: flow(step.args), args: step.args, Again: step.again, At: step.place,
		Status: NotReached, Want: step.expect.String()}
}

// attempt is one step under way.
type attempt struct {
	ctx   context.Context
	s     *Session
	d     *simulator.Domain
	step  *Step
	facts []diag.Fact

	explored *Exploration
}

func (r *attempt) fact(name string, value any) {
	text := fmt.Sprint(value)
	if t, ok := value.(time.Time); ok {
		text = t.UTC().Format(time.RFC3339)
	}
	r.facts = append(r.facts, diag.Fact{Name: name, Value: text})
}

// admin is the administrator of the step.
func (r *attempt) admin() *simulator.Admin {
	a := r.d.Admin
	if r.step.as != "" {
		a = a.As(r.step.as)
	}
	if r.step.server != "" {
		a = a.Server(r.step.server)
	}
	return a
}

func (r *attempt) host(name string) (*simulator.Host, error) {
	h, ok := r.d.FindHost(name)
	if !ok {
		return nil, fmt.Errorf("no host %q in the domain", bare(name))
	}
	return h, nil
}

// twoHosts are the hosts between which something is copied.
func (r *attempt) twoHosts(from, to string) (a, b *simulator.Host, err error) {
	if a, err = r.host(from); err == nil {
		b, err = r.host(to)
	}
	return a, b, err
}

func (r *attempt) dc(name string) (*simulator.DC, error) {
	dc, ok := r.d.FindDC(name)
	if !ok {
		return nil, fmt.Errorf("no DC %q in the domain", name)
	}
	return dc, nil
}

// keep remembers what the step gives.
func (r *attempt) keep(v any) {
	if r.step.id != "" {
		r.s.results[r.step.id] = v
	}
}

// resultOf gives what an earlier step gave. A container also goes by the first digits of its own id, as docker has it,
// and a SQL Server by the account that it runs as.
func resultOf[T any](r *attempt, id, what string) (T, error) {
	v, ok := r.s.results[id].(T)
	if !ok {
		v, ok = r.containerWithID(id).(T)
	}
	if server := r.d.SQLServer(id); !ok && server != nil {
		v, ok = any(server).(T)
	}
	if !ok {
		return v, fmt.Errorf("the step %q gave no %s", id, what)
	}
	return v, nil
}

// containerWithID finds a container that runs somewhere or that a step ran, nil when there is none.
func (r *attempt) containerWithID(id string) any {
	if len(id) < 12 {
		return nil
	}
	for _, h := range r.d.Hosts() {
		for _, c := range h.Containers() {
			if strings.HasPrefix(c.ID(), id) {
				return c
			}
		}
	}
	for _, v := range r.s.results { // ids differ, so the order does not matter
		if c, ok := v.(*simulator.Running); ok && strings.HasPrefix(c.ID(), id) {
			return c
		}
	}
	return nil
}

// do carries out a step and judges it. goldens are the bundle's, nil when there are none.
func (s *Session) do(ctx context.Context, step *Step, golden func(name string) (string, bool)) *StepResult {
	res, _ := s.attempt(ctx, step, golden)
	return res
}

// attempt is do with the error that the step ended in.
func (s *Session) attempt(ctx context.Context, step *Step, golden func(name string) (string, bool)) (*StepResult, error) {
	s.n++
	res := newStepResult(s.n, step)
	before := s.d.LastEvent()
	r := &attempt{ctx: ctx, s: s, d: s.d, step: step}
	err := r.guarded()
	if last := s.d.LastEvent(); last > before {
		res.FirstEvent, res.LastEvent = before+1, last
	}
	res.Time = s.d.Clock.Now()
	res.Facts, res.Explored = r.facts, r.explored
	switch f, found := diag.Of(err); {
	case err == nil:
		res.Got = "ok"
	case found:
		res.Got, res.Finding, res.Error = string(f.Code), f.Apart(), err.Error()
	default:
		res.Got, res.Error = "error", err.Error()
	}
	if err != nil && step.id != "" {
		delete(s.results, step.id)
	}
	if step.id != "" {
		s.facts[step.id] = r.facts
	}
	res.Output = res.render()
	res.Problems = s.judge(step, res, err, golden)
	res.Status = Passed
	if len(res.Problems) > 0 {
		res.Status = Failed
	}
	return res, err
}

// guarded runs the action. A panic of the simulator is a finding about the simulator.
func (r *attempt) guarded() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &diag.Finding{Code: diag.SimulatorBug, Title: "the simulator contradicts itself", Cause: fmt.Errorf("%s: %v", r.step.verb, p)}
		}
	}()
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.step.action.do(r)
}

// judge compares an outcome with what was expected.
func (s *Session) judge(step *Step, res *StepResult, err error, golden func(string) (string, bool)) []string {
	e := step.expect
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	switch {
	case e.Finding != "" && res.Got != string(e.Finding),
		e.Error != "" && (res.Got != "error" || !strings.Contains(res.Error, e.Error)),
		!e.fails() && err != nil:
		got := res.Got
		if err != nil {
			got = res.Error
		}
		problem("want %s, got %s", e, got)
		return problems // the rest is about an end that did not come
	}
	facts := res.Facts
	if res.Finding != nil {
		facts = append(slices.Clone(facts), res.Finding.Facts...)
	}
	for _, want := range e.Facts {
		got, ok := factOf(facts, want.name)
		switch {
		case !ok:
			problem("no fact %q%s", want.name, nearestFact(want.name, facts))
		case !matches(want.value, got):
			problem("%s: want %s, got %s", want.name, want.value, got)
		}
	}
	s.compare(e.Same, facts, true, problem)
	s.compare(e.Differs, facts, false, problem)
	if e.Says != "" && !strings.Contains(saidBy(res), e.Says) {
		problem("nothing says %q: %s", e.Says, strings.ReplaceAll(saidBy(res), "\n", "; "))
	}
	if f := res.Finding; f != nil {
		if e.Nearest != "" && !slices.ContainsFunc(f.Nearest, func(n diag.Near) bool { return n.Closest == e.Nearest }) {
			problem("want %s as the nearest name, got %s", e.Nearest, nearestOf(f))
		}
		if e.Help != "" && !slices.ContainsFunc(f.Help, func(h diag.Help) bool { return strings.Contains(h.Command+"\n"+h.Text, e.Help) }) {
			problem("no help contains %q", e.Help)
		}
	}
	rest := ""
	if len(e.Trace) > 0 {
		rest = s.traceOf(res)
	}
	for _, want := range e.Trace {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			problem("the events of the step do not contain %q here", want)
			break
		}
		rest = after
	}
	if e.Output != "" && golden != nil {
		switch want, ok := golden(e.Output); {
		case !ok:
			problem("there is no golden %s; run with -update to write it", e.Output)
		case want != res.Output:
			problem("the outcome is not %s: %s", e.Output, difference(want, res.Output))
		}
	}
	return problems
}

// traceOf is the events of a step as the transcript has them.
func (s *Session) traceOf(res *StepResult) string {
	var b strings.Builder
	for _, e := range s.d.EventsSince(res.FirstEvent - 1) {
		if e.N <= res.LastEvent {
			b.WriteString(e.String())
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// compare holds facts against those of earlier steps.
func (s *Session) compare(list pairs, facts []diag.Fact, same bool, problem func(string, ...any)) {
	for _, p := range list {
		id, fact, _ := strings.Cut(p.value, ".")
		got, ok := factOf(facts, p.name)
		if !ok {
			problem("no fact %q%s", p.name, nearestFact(p.name, facts))
			continue
		}
		other, ok := factOf(s.facts[id], fact)
		switch {
		case !ok:
			problem("the step %q stated no fact %q%s", id, fact, nearestFact(fact, s.facts[id]))
		case same && got != other:
			problem("%s: want the same as %s, which is %s, got %s", p.name, p.value, other, got)
		case !same && got == other:
			problem("%s: want another value than %s, got %s too", p.name, p.value, got)
		}
	}
}

func factOf(facts []diag.Fact, name string) (string, bool) {
	for _, f := range facts {
		if f.Name == name {
			return f.Value, true
		}
	}
	return "", false
}

func nearestFact(name string, facts []diag.Fact) string {
	var names []string
	for _, f := range facts {
		names = append(names, f.Name)
	}
	if len(names) == 0 {
		return "; there are none"
	}
	return "; there are " + strings.Join(names, ", ")
}

func nearestOf(f *diag.Finding) string {
	if len(f.Nearest) == 0 {
		return "none"
	}
	return f.Nearest[0].Closest
}

// matches compares a text with a pattern in which … stands for any text.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "…")
	if len(parts) == 1 {
		return pattern == text
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		if _, rest, ok = strings.Cut(rest, p); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// saidBy is all that a failure says, in its own words and in those that people know it by.
func saidBy(res *StepResult) string {
	lines := []string{res.Error}
	if res.Finding != nil {
		lines = append(lines, res.Finding.SeenAs...)
	}
	return strings.Join(lines, "\n")
}

// difference is the first line in which two texts differ.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var a, b string
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d: want %q, got %q", i+1, a, b)
		}
	}
	return "no line differs"
}

// render is the outcome as text: the finding as it is printed, or one line for each fact.
func (res *StepResult) render() string {
	switch {
	case res.Finding != nil:
		return res.Finding.Text()
	case res.Error != "":
		return "error: " + res.Error + "\n"
	}
	var b strings.Builder
	b.WriteString("ok\n")
	for _, f := range res.Facts {
		fmt.Fprintf(&b, "    %-12s %s\n", f.Name, strings.ReplaceAll(f.Value, "\n", "\n"+strings.Repeat(" ", 17)))
	}
	return b.String()
}
