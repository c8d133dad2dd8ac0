package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// A Step is one thing that happens, with what it must come to.
type Step struct {
	id     string
	note   string
	as     string // account of the administrator, "" for Administrator
	server string // DC that the administrator works on
	verb   string
	args   *node
	action action
	expect Expect
	place  Place
	again  bool
}

// action is what a verb does with its arguments.
type action interface {
	// check finds what cannot be, without a domain. n is the arguments' place.
	check(s *scope, n *node)
	// do carries it out.
	do(r *attempt) error
}

// An Expect is what a step must come to. The zero value is success.
type Expect struct {
	// OK is said for the reader; it is the default.
	OK bool `yaml:"ok,omitempty"`
	// Finding is the cause that must be found.
	Finding diag.Code `yaml:"finding,omitempty"`
	// Error is text of an error that is not a finding.
	Error string `yaml:"error,omitempty"`
	// Says is text that the failure must contain: in its own words, in those of the protocol, or in those of Windows.
	Says string `yaml:"says,omitempty"`
	// Facts are what a finding or a success must state; … stands for any text.
	Facts pairs `yaml:"facts,omitempty"`
	// Same and Differs compare a fact with one of an earlier step, as id.fact.
	Same    pairs `yaml:"same,omitempty"`
	Differs pairs `yaml:"differs,omitempty"`
	// Nearest is the name that the finding must offer.
	Nearest string `yaml:"nearest,omitempty"`
	// Help is text that a help of the finding must contain.
	Help string `yaml:"help,omitempty"`
	// Trace are texts that the events of the step must contain in this order.
	Trace []string `yaml:"trace,omitempty"`
	// Output is the golden with the outcome as text.
	Output string `yaml:"output,omitempty"`

	at *node
}

// expectForm is Expect without its method, for decoding.
type expectForm Expect

// decodeNode reads a mapping, or one word: ok or the code of a finding.
func (e *Expect) decodeNode(d *decoder, n *node) {
	codes := codeNames()
	switch {
	case n.kind == scalarNode && n.text == "ok":
		e.OK = true
	case n.kind == scalarNode && slices.Contains(codes, n.text):
		e.Finding = diag.Code(n.text)
	case n.kind == scalarNode:
		d.fail(n.errorNear(n.text, append([]string{"ok"}, codes...), "%q is neither ok nor the code of a finding", n.text))
	default:
		var f expectForm
		d.decode(n, &f)
		*e = Expect(f)
		if c := n.get("finding"); c != nil && c.kind == scalarNode && !slices.Contains(codes, c.text) {
			d.fail(c.errorNear(c.text, codes, "no finding %q", c.text))
		}
		if ok := n.get("ok"); ok != nil && !e.OK {
			d.fail(ok.errorAt("a step that is meant to fail says how: finding: CODE or error: TEXT"))
		}
		ends := 0
		for _, key := range []string{"ok", "finding", "error"} {
			if n.get(key) != nil {
				ends++
			}
		}
		if ends > 1 {
			d.fail(n.errorAt("ok, finding and error exclude each other"))
		}
		if c := n.get("says"); c != nil && !e.fails() {
			d.fail(c.errorAt("says is about a failure; this step is to succeed"))
		}
		for _, key := range []string{"nearest", "help"} {
			if c := n.get(key); c != nil && e.Finding == "" {
				d.fail(c.errorAt("%s is about a finding; name it with finding: CODE", key))
			}
		}
		if c := n.get("output"); c != nil && (!strings.HasPrefix(e.Output, goldenPart) || e.Output == goldenPart) {
			d.fail(c.errorAt("a golden is a part below %s, for instance %soutcome.txt", goldenPart, goldenPart))
		}
	}
	e.at = n
}

// fails tells that the step is to fail.
func (e Expect) fails() bool { return e.Finding != "" || e.Error != "" }

// String is the end that is expected in one word or text.
func (e Expect) String() string {
	switch {
	case e.Finding != "":
		return string(e.Finding)
	case e.Error != "":
		return fmt.Sprintf("error %q", e.Error)
	default:
		return "ok"
	}
}

// pairs are names with values in the order of the file.
type pairs []pair

type pair struct {
	name, value string
	at          *node
}

func (p *pairs) decodeNode(d *decoder, n *node) {
	if n.kind != mappingNode {
		d.fail(n.errorAt("want a mapping of names and values, got %s", n.kind))
		return
	}
	for _, f := range n.fields {
		if s, ok := d.scalar(f.value, "a single value"); ok {
			*p = append(*p, pair{f.key.text, s, f.value})
		}
	}
}

// stepKeys are the keys of a step beside its verb.
var stepKeys = []string{"id", "note", "as", "server", "again", "with", "expect"}

// plan is a case ready to run.
type plan struct {
	config simulator.Config
	steps  []*Step
}

// inputs are the parts of a bundle that steps may use, and those that they have used.
type inputs struct {
	parts map[string]string
	used  map[string]bool
}

// readPlan decodes the domain and the steps of a case.
func readPlan(d *decoder, domain, steps *node, in inputs) plan {
	p := plan{config: readDomain(d, domain)}
	if len(d.faults) > 0 && domain != nil {
		return p // what the steps refer to is not known
	}
	s := newScope(d, p.config)
	s.inputs, s.uses = in.parts, in.used
	for _, n := range steps.items {
		if step := s.step(n); step != nil {
			p.steps = append(p.steps, step)
		}
	}
	return p
}

const contoso = "contoso"

// readDomain decodes the domain: a configuration, or the name of the one that is ready-made.
func readDomain(d *decoder, n *node) simulator.Config {
	switch {
	case n == nil || n.kind == nullNode:
		return simulator.Config{}
	case n.kind == scalarNode:
		if n.text != contoso {
			d.fail(n.errorNear(n.text, []string{contoso}, "no ready-made domain %q; there is %s", n.text, contoso))
		}
		return simulator.Contoso()
	default:
		return d.config(n)
	}
}

// step decodes one step and enters what it makes into the scope; nil when it cannot be read.
func (s *scope) step(n *node) *Step {
	if n.kind != mappingNode {
		s.d.fail(n.errorAt("want a step: a mapping with one verb, got %s", n.kind))
		return nil
	}
	step := &Step{place: n.place}
	before := len(s.d.faults)
	for _, f := range n.fields {
		switch key := f.key.text; {
		case slices.Contains(stepKeys, key):
		case verbOf(key) != nil:
			if step.verb != "" {
				s.d.fail(f.key.errorAt("a step has one verb, and %s is there already", step.verb))
				return nil
			}
			step.verb, step.args, step.place = key, f.value, f.key.place
		case slices.Contains(notModelled, key):
			e := f.key.errorAt("%s is not modelled in this version", key)
			e.Code = diag.NotModelled
			s.d.fail(e)
			return nil
		default:
			s.d.fail(f.key.errorNear(key, append(verbNames(), stepKeys...), "no verb or key %q in a step", key))
			return nil
		}
	}
	s.d.keyText(n, "id", &step.id)
	s.d.keyText(n, "note", &step.note)
	s.d.keyText(n, "as", &step.as)
	s.d.keyText(n, "server", &step.server)
	if e := n.get("expect"); e != nil {
		s.d.decode(e, &step.expect)
	}
	if a := n.get("again"); a != nil {
		if !s.repeat(step, n, a) {
			return nil
		}
	} else if w := n.get("with"); w != nil {
		s.d.fail(w.errorAt("with changes the arguments of a step that is repeated; there is no again here"))
	}
	if step.verb == "" {
		s.d.fail(n.errorAt("the step has no verb: one of %s", strings.Join(verbNames(), ", ")))
		return nil
	}
	v := verbOf(step.verb)
	if v.admin {
		if c := n.get("server"); c != nil {
			s.dc(c, step.server)
		}
		if c := n.get("as"); c != nil {
			s.account(c, step.as, false)
		}
	} else {
		for _, key := range []string{"as", "server"} {
			if c := n.get(key); c != nil {
				s.d.fail(c.errorAt("%s is for the verbs of an administrator; %s is not one", key, step.verb))
			}
		}
	}
	step.action = v.new()
	s.d.decode(step.args, step.action)
	if len(s.d.faults) == before {
		s.current = step
		step.action.check(s, step.args)
		s.comparisons(step)
	}
	if id := n.get("id"); id != nil && step.id != "" {
		s.enterID(id, step)
	}
	if len(s.d.faults) == before {
		s.made[step.id] = step
	}
	return step
}

// repeat fills step from the one that again names. It reports whether there is one.
func (s *scope) repeat(step *Step, n, again *node) bool {
	if step.verb != "" {
		s.d.fail(again.errorAt("a step has one verb or again, not both"))
		return false
	}
	name, ok := s.d.scalar(again, "the id of an earlier step")
	if !ok {
		return false
	}
	i := slices.IndexFunc(s.steps, func(o *Step) bool { return o.id == name })
	if i < 0 {
		s.d.fail(again.errorNear(name, s.ids(), "no earlier step %q", name))
		return false
	}
	o := s.steps[i]
	step.verb, step.args, step.again = o.verb, o.args, true
	if n.get("as") == nil {
		step.as = o.as
	}
	if n.get("server") == nil {
		step.server = o.server
	}
	if step.id == "" {
		step.id = o.id
	}
	if w := n.get("with"); w != nil {
		if w.kind != mappingNode || o.args.kind != mappingNode {
			s.d.fail(w.errorAt("with is a mapping of arguments, and %s must have been given one too", o.verb))
			return false
		}
		step.args = o.args.with(w)
	}
	return true
}

// keyText reads an optional text.
func (d *decoder) keyText(n *node, key string, into *string) {
	c := n.get(key)
	if c == nil {
		return
	}
	s, ok := d.scalar(c, "a text")
	if ok && strings.TrimSpace(s) == "" {
		d.fail(c.errorAt("%s is empty", key))
		return
	}
	*into = s
}
