package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Rules are all rules, by group.
func Rules() []*Rule {
	return slices.Concat(bytesRules, structureRules, domainRules, accountRules, hostAccountRules, dockerRules, kubernetesRules, ecsRules, setRules, directoryRules, suppressionRules)
}

// Run checks a set of files with all rules.
func Run(s *setup.Setup, o Options) *Result {
	known := &shared{}
	if len(o.Targets) == 0 {
		o.Targets = derive(s)
		known.readers = readers(s)
	}
	result := &Result{}
	for _, rule := range Rules() {
		c := &run{rule: rule, setup: s, opts: &o, out: result, shared: known}
		if rule.run != nil {
			rule.run(c)
		}
		switch ask := directoryChecks[rule.ID]; {
		case ask == nil:
		case o.Directory != nil:
			ask(c, o.Directory)
		default:
			c.notChecked(source.Span{}, "needs a directory (--against)")
		}
	}
	found := result.Reports
	if !o.All {
		result.Reports = oneEach(result.Reports)
	}
	result.suppress(s, &o, found)
	order := map[*source.File]int{}
	for i, f := range s.Files {
		order[f] = i
	}
	slices.SortStableFunc(result.Reports, func(a, b Report) int {
		return cmp.Or(cmp.Compare(order[a.Where.File], order[b.Where.File]), cmp.Compare(a.Where.Offset, b.Where.Offset), -cmp.Compare(a.Severity, b.Severity))
	})
	return result
}

// Derive are the targets that are in force for a set when none are given.
func Derive(s *setup.Setup) []Target { return derive(s) }

// derive are the targets that the forms of a set's files speak of. A credential spec alone is for everybody who takes it as it is.
func derive(s *setup.Setup) []Target {
	list := []Target{Generic}
	for _, d := range s.Documents {
		list = addTargets(list, ofDocument(d)...)
	}
	for _, t := range s.Tasks {
		if t.Fargate {
			list = addTargets(list, Fargate)
		}
	}
	for _, u := range s.Uses {
		switch u.Carrier {
		case setup.Swarm, setup.Docker, setup.ECS:
			list = addTargets(list, ofUse(u)...)
		}
	}
	return list
}

func addTargets(list []Target, more ...Target) []Target {
	for _, t := range more {
		if !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}

// ofDocument are the targets that a document's form speaks of.
func ofDocument(d *setup.Document) []Target {
	switch d.Form {
	case setup.FormDockerArgs, setup.FormContainer:
		return []Target{TargetDocker}
	case setup.FormCompose:
		if d.ForStack() {
			return []Target{TargetCompose, TargetStack}
		}
		return []Target{TargetCompose}
	case setup.FormSwarmService, setup.FormSwarmConfig:
		return []Target{TargetSwarm}
	case setup.FormKubernetes, setup.FormHelmValues:
		return []Target{TargetK8s}
	case setup.FormServiceFabric:
		return []Target{TargetSF}
	case setup.FormNomad:
		return []Target{TargetNomad}
	case setup.FormOCI:
		return []Target{Containerd}
	}
	return nil
}

// ofUse are the targets that start a container.
func ofUse(u *setup.Use) []Target {
	switch u.Carrier {
	case setup.Docker:
		return []Target{TargetDocker}
	case setup.Swarm:
		return []Target{TargetSwarm}
	case setup.Kubernetes:
		return []Target{TargetK8s}
	case setup.ServiceFabric:
		return []Target{TargetSF}
	case setup.Nomad:
		return []Target{TargetNomad}
	case setup.OCI:
		return []Target{Containerd}
	case setup.Compose:
		if d := u.Document(); d != nil {
			return ofDocument(d)
		}
		return []Target{TargetCompose}
	case setup.ECS:
		var list []Target
		if u.Fargate {
			list = append(list, Fargate)
		}
		if u.OS == "linux" {
			return append(list, ECSLinux)
		}
		return append(list, ECSWindows)
	}
	return nil
}

// readers are the targets of each credential spec that something of the set uses. A folder holds files for several of them: what one reader
// wants is no mistake in a file that another one gets.
func readers(s *setup.Setup) map[*credspec.Document][]Target {
	of := map[*credspec.Document][]Target{}
	for _, d := range s.Documents {
		if t := ofDocument(d); d.Spec != nil && len(t) > 0 {
			of[d.Spec] = addTargets(of[d.Spec], t...)
		}
	}
	for _, u := range s.Uses {
		if u.Spec != nil {
			of[u.Spec] = addTargets(of[u.Spec], ofUse(u)...)
		}
	}
	return of
}

// readersOf are the targets that count for a credential spec: those that were chosen; of derived ones, those that start a container with it. When
// nothing of the set says who gets it, all targets count, and sure is false.
func (c *run) readersOf(d *credspec.Document) (list []Target, sure bool) {
	if c.shared.readers == nil {
		return c.opts.Targets, true
	}
	if list, ok := c.shared.readers[d]; ok {
		return list, true
	}
	return c.opts.Targets, false
}

// targetsOf tells whether one of the targets counts for a credential spec.
func (c *run) targetsOf(d *credspec.Document, list ...Target) bool {
	of, _ := c.readersOf(d)
	return slices.ContainsFunc(list, func(t Target) bool { return slices.Contains(of, t) })
}

// oneEach leaves one report for one cause: a rule yields to those that it names where they report an overlapping place.
func oneEach(reports []Report) []Report {
	overlap := func(a, b source.Span) bool {
		return a.Offset < b.Offset+max(b.Length, 1) && b.Offset < a.Offset+max(a.Length, 1)
	}
	of := map[*source.File][]*Report{}
	for i := range reports {
		of[reports[i].Where.File] = append(of[reports[i].Where.File], &reports[i])
	}
	type same struct {
		rule    *Rule
		at      source.Span
		message string
	}
	seen := map[same]bool{} // a value that a chart puts into two places is wrong once
	return slices.DeleteFunc(slices.Clone(reports), func(r Report) bool {
		s := same{r.Rule, r.Where, r.Message}
		if seen[s] {
			return true
		}
		seen[s] = true
		return len(r.Rule.YieldsTo) > 0 && slices.ContainsFunc(of[r.Where.File], func(o *Report) bool {
			return slices.Contains(r.Rule.YieldsTo, o.Rule.ID) && overlap(r.Where, o.Where)
		})
	})
}

// shared is what the rules of one run find out once.
type shared struct {
	specs      []*credspec.Document
	knownSpecs bool
	texts      []text
	knownTexts bool
	// readers are the targets of each credential spec that something uses; nil: the targets were chosen, and count for every file.
	readers map[*credspec.Document][]Target
	// specFolders are the folders with credential specs.
	specFolders map[string]bool
	kube        *kubeSet

	hosts      []*hostAccount
	knownHosts bool

	secrets      []*secret
	knownSecrets bool
}

// specs are the credential specs of the set that could be read to their end, each once.
func (c *run) specs() []*credspec.Document {
	if c.shared.knownSpecs {
		return c.shared.specs
	}
	seen := map[*source.Node]bool{}
	add := func(d *credspec.Document) {
		if d != nil && d.Root != nil && d.Root.Kind == source.Object && !d.Broken() && !seen[d.Root] {
			seen[d.Root] = true
			c.shared.specs = append(c.shared.specs, d)
		}
	}
	for _, d := range c.setup.Documents {
		add(d.Spec)
	}
	for _, u := range c.setup.Uses {
		add(u.Spec)
	}
	c.shared.knownSpecs = true
	return c.shared.specs
}

// report reports a value.
func (c *run) report(n *source.Node, format string, args ...any) *Report {
	return c.reportAt(n.Span(), format, args...)
}

// reportAt reports a place. The result may be made more exact before the next report.
func (c *run) reportAt(where source.Span, format string, args ...any) *Report {
	c.out.Reports = append(c.out.Reports, Report{Rule: c.rule, Severity: c.rule.Severity, Message: fmt.Sprintf(format, args...), Where: where})
	return &c.out.Reports[len(c.out.Reports)-1]
}

// notChecked tells that the rule lacks something.
func (c *run) notChecked(where source.Span, format string, args ...any) {
	c.out.NotChecked = append(c.out.NotChecked, NotChecked{Rule: c.rule, Where: where, Reason: fmt.Sprintf(format, args...)})
}

// replace adds the edit that puts another text in the place of a string, if that can be done to the byte.
func (r *Report) replace(n *source.Node, text string) {
	if e, ok := n.Replace(text); ok {
		r.Fix = append(r.Fix, e)
	}
}

// related adds another place.
func (r *Report) related(n *source.Node, text string) {
	if n != nil {
		r.Related = append(r.Related, Related{n.Span(), text})
	}
}
