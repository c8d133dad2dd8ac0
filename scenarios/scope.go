package scenarios

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
)

// scope is what is known of a domain before it runs: what a step may refer to.
type scope struct {
	d       *decoder
	cfg     simulator.Config
	live    bool // the domain runs already, and others change it
	hosts   []string
	dcs     []string
	names   []string // accounts and groups, without final $
	steps   []*Step  // with an id
	made    map[string]*Step
	hostsAt map[string][]string // by id of a snapshot
	earlier time.Time           // domain time is not before
	current *Step
	inputs  map[string]string // parts of the bundle that steps may use, by name
	uses    map[string]bool   // those that they do use
}

// used notes that a step uses a part of the bundle.
func (s *scope) used(part string) {
	if s.uses != nil {
		s.uses[part] = true
	}
}

// builtin are principals that every domain has.
var builtin = []string{"Administrator", "Guest", "krbtgt", "Domain Admins", "Domain Users", "Domain Guests", "Domain Computers", "Domain Controllers",
	"Enterprise Admins", "Schema Admins", "Protected Users", "Administrators", "Users"}

const (
	defaultDC = "DC01"
)

// defaultStart is where domain time begins when a configuration does not say (simulator.Config.Start).
var defaultStart = time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)

func newScope(d *decoder, cfg simulator.Config) *scope {
	s := &scope{d: d, cfg: cfg, made: map[string]*Step{}, hostsAt: map[string][]string{}, earlier: cfg.Start}
	if s.earlier.IsZero() {
		s.earlier = defaultStart
	}
	s.dcs = slices.Clone(cfg.DCs)
	if len(s.dcs) == 0 {
		s.dcs = []string{defaultDC}
	}
	for _, dom := range cfg.Domains {
		dcs := dom.DCs
		if len(dcs) == 0 {
			first, _, _ := strings.Cut(dom.DNSName, ".")
			dcs = []string{strings.ToUpper(first) + "DC01"}
		}
		s.dcs = append(s.dcs, dcs...)
	}
	s.names = append(s.names, builtin...)
	s.names = append(s.names, s.dcs...)
	for _, h := range cfg.Hosts {
		s.hosts = append(s.hosts, bare(h.Name))
		s.names = append(s.names, bare(h.Name))
	}
	for _, u := range cfg.Users {
		s.names = append(s.names, u.Name)
	}
	for _, a := range cfg.ServiceAccounts {
		s.names = append(s.names, a.Name)
	}
	for _, g := range cfg.Groups {
		s.names = append(s.names, g.Name)
	}
	return s
}

// liveScope is what is known of a domain that runs.
func liveScope(d *decoder, dom *simulator.Domain) *scope {
	s := newScope(d, dom.Config())
	s.live, s.hosts, s.dcs, s.earlier = true, nil, nil, time.Time{}
	for _, h := range dom.Hosts() {
		s.hosts = append(s.hosts, h.Name())
	}
	for _, dc := range dom.DCs() {
		s.dcs = append(s.dcs, dc.Name())
	}
	return s
}

func bare(name string) string { return strings.TrimSuffix(name, "$") }

func (s *scope) ids() []string {
	var list []string
	for _, step := range s.steps {
		list = append(list, step.id)
	}
	return list
}

var stepID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

func (s *scope) enterID(n *node, step *Step) {
	switch {
	case !stepID.MatchString(step.id):
		s.d.fail(n.errorAt("%q is not an id: letters, digits and hyphens", step.id))
	case slices.Contains(s.ids(), step.id):
		s.d.fail(n.errorAt("there is a step %q already", step.id))
	default:
		s.steps = append(s.steps, step)
	}
}

func has(list []string, name string) bool {
	return slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, name) })
}

// argument is the node of one argument: n itself when it stands alone.
func argument(n *node, key string) *node {
	if a := n.get(key); a != nil {
		return a
	}
	return n
}

// host checks the name of a host.
func (s *scope) host(n *node, name string) {
	if !has(s.hosts, bare(name)) {
		s.d.fail(n.errorNear(bare(name), s.hosts, "no host %q at this step", name))
	}
}

// dc checks the name of a domain controller.
func (s *scope) dc(n *node, name string) {
	short, _, _ := strings.Cut(name, ".")
	if !has(s.dcs, short) {
		s.d.fail(n.errorNear(name, s.dcs, "no DC %q", name))
	}
}

// account checks the name of an account or group. A step that is meant to fail may name what is not there.
func (s *scope) account(n *node, name string, mayBeAbsent bool) {
	if s.live || mayBeAbsent && s.current != nil && s.current.expect.fails() {
		return
	}
	if _, rest, qualified := strings.Cut(name, `\`); qualified {
		name = rest
	}
	if strings.HasPrefix(name, "S-1-") || strings.Contains(name, "=") || has(s.names, bare(name)) {
		return
	}
	s.d.fail(n.errorNear(bare(name), s.names, "no account or group %q at this step", name))
}

// accounts checks a list of names.
func (s *scope) accounts(n *node, names []string) {
	for i, name := range names {
		at := n
		if n.kind == sequenceNode && i < len(n.items) {
			at = n.items[i]
		}
		s.account(at, name, true)
	}
}

// enter makes a name known when the step is to succeed.
func (s *scope) enter(name string) {
	if !s.current.expect.fails() {
		s.names = append(s.names, bare(name))
	}
}

// result checks a reference to an earlier step that makes something, by the verbs that do.
func (s *scope) result(n *node, id string, verbs ...string) {
	if s.live {
		return // the session knows
	}
	step, ok := s.made[id]
	switch {
	case id == "" || !ok && !slices.Contains(s.ids(), id):
		var candidates []string
		for _, o := range s.steps {
			if slices.Contains(verbs, o.verb) {
				candidates = append(candidates, o.id)
			}
		}
		s.d.fail(n.errorNear(id, candidates, "no earlier step %q with %s", id, strings.Join(verbs, " or ")))
	case !ok:
		// the step itself was refused
	case !slices.Contains(verbs, step.verb):
		s.d.fail(n.errorAt("the step %q is %s; this needs %s", id, step.verb, strings.Join(verbs, " or ")))
	case step.expect.fails():
		s.d.fail(n.errorAt("the step %q is to fail with %s, so it gives nothing to use", id, step.expect))
	}
}

// comparisons checks the facts of earlier steps that an expectation names.
func (s *scope) comparisons(step *Step) {
	for _, list := range []pairs{step.expect.Same, step.expect.Differs} {
		for _, p := range list {
			id, fact, ok := strings.Cut(p.value, ".")
			switch {
			case !ok || fact == "":
				s.d.fail(p.at.errorAt("%q is not the fact of a step: id.fact", p.value))
			case s.live:
			case s.made[id] == nil:
				s.d.fail(p.at.errorNear(id, s.ids(), "no earlier step %q", id))
			}
		}
	}
}
