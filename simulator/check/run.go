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
	if len(o.Targets) == 0 {
		o.Targets = derive(s)
	}
	result := &Result{}
	known := &shared{}
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
	add := func(t ...Target) {
		for _, t := range t {
			if !slices.Contains(list, t) {
				list = append(list, t)
			}
		}
	}
	for _, d := range s.Documents {
		switch d.Form {
		case setup.FormDockerArgs, setup.FormContainer:
			add(TargetDocker)
		case setup.FormCompose:
			add(TargetCompose)
			if d.ForStack() {
				add(TargetStack)
			}
		case setup.FormSwarmService, setup.FormSwarmConfig:
			add(TargetSwarm)
		case setup.FormKubernetes, setup.FormHelmValues:
			add(TargetK8s)
		case setup.FormServiceFabric:
			add(TargetSF)
		case setup.FormNomad:
			add(TargetNomad)
		case setup.FormOCI:
			add(Containerd)
		}
	}
	for _, t := range s.Tasks {
		if t.Fargate {
			add(Fargate)
		}
	}
	for _, u := range s.Uses {
		switch u.Carrier {
		case setup.Swarm:
			add(TargetSwarm)
		case setup.Docker:
			add(TargetDocker)
		}
		if u.Carrier == setup.ECS {
			if u.OS == "linux" {
				add(ECSLinux)
			} else {
				add(ECSWindows)
			}
		}
	}
	return list
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
