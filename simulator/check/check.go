// Package check finds what is wrong with credential specs and with the files that use them: the rules of `gmsasim check`.
//
// A [Rule] looks at one thing of a [setup.Setup] and reports it with its place; it never guesses what it cannot see. What it would need and
// does not have (a file that was not given, a directory) is not passed but not checked, with the reason.
package check

import (
	"slices"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Severity is how bad a report is.
type Severity int

// The severities.
const (
	Info    Severity = iota // worth knowing
	Warning                 // works somewhere, is fragile, or a sign of a slip
	Error                   // some consumer of the targets refuses it, or the identity cannot work
)

func (s Severity) String() string { return [...]string{"info", "warning", "error"}[s] }

// Target is a consumer for which the files are meant.
type Target string

// The targets. Generic is every reader that takes a credential spec as it is.
const (
	Generic       Target = "generic"
	TargetDocker  Target = "docker"
	TargetSwarm   Target = "swarm"
	TargetCompose Target = "compose"
	TargetStack   Target = "stack"
	TargetK8s     Target = "k8s"
	Containerd    Target = "containerd"
	ECSWindows    Target = "ecs-windows"
	ECSLinux      Target = "ecs-linux"
	Fargate       Target = "fargate"
	Fetcher1      Target = "cf1" // credentials-fetcher 1.x
	Fetcher2      Target = "cf2" // credentials-fetcher 2.0
	TargetSF      Target = "sf"
	TargetNomad   Target = "nomad"
)

// Targets are all targets.
func Targets() []Target {
	return []Target{Generic, TargetDocker, TargetSwarm, TargetCompose, TargetStack, TargetK8s, Containerd, ECSWindows, ECSLinux, Fargate, Fetcher1, Fetcher2, TargetSF, TargetNomad}
}

// How tells what a rule needs.
type How string

// What a rule needs: one file, several files of the set, or a directory.
const (
	Offline     How = "offline"
	CrossFile   How = "cross-file"
	InDirectory How = "directory"
)

// Rule is one check. ID is stable: reports, suppressions and the tests' tables use it.
type Rule struct {
	ID       string
	Group    string // bytes, structure, domain, accounts, hac, docker, k8s, ecs, sets, suppressions
	Severity Severity
	// Depends says on what the severity depends ("error for ecs and cf2"), "" when on nothing.
	Depends string
	// Needs are what it can be checked with; a rule with Offline and InDirectory knows more with a directory.
	Needs []How
	// Targets it is about; none: all.
	Targets []Target
	// YieldsTo are the rules whose report of an overlapping place explains it better, so that this one stays silent.
	YieldsTo []string
	// Title says what is wrong in general, in one line; Why what happens then and who says so; Repair what to do.
	Title, Why, Repair string
	// Bad and Good are a failing and a passing example.
	Bad, Good string

	run func(c *run)
}

// Report is one thing that is wrong.
type Report struct {
	Rule     *Rule
	Severity Severity
	// Message is about this place: what is there, and what has to be.
	Message string
	Where   source.Span
	// Related are other places that belong to it.
	Related []Related
	// Repair is what to do here, when it is more exact than the rule's.
	Repair string
	// Fix are the edits that repair it, when that is certain.
	Fix []source.Edit
	// Consumer is what the consumer itself says or does, in its own words, when it is known.
	Consumer string
}

// Related is another place and what it has to do with the report.
type Related struct {
	Where source.Span
	Text  string
}

// NotChecked is a rule that lacked what it needs.
type NotChecked struct {
	Rule   *Rule
	Where  source.Span
	Reason string
}

// Options are what a check is told.
type Options struct {
	// Targets are the consumers that count. None: derived from the files, and generic.
	Targets []Target
	// Hosts are the hosts that shall be allowed to retrieve the password, for the directory's checks.
	Hosts []string
	// SPNs are the service principal names that clients ask for, for the directory's checks.
	SPNs []string
	// Directory is what the directory's checks ask; nil: they are not checked.
	Directory Directory
	// All also reports what another report of the same value already explains.
	All bool
}

// Result is what a check found, in the order of files and places.
type Result struct {
	Reports    []Report
	NotChecked []NotChecked
	Suppressed []Suppressed
}

// Suppressed is a report that the file asks not to make.
type Suppressed struct {
	Report Report
	Reason string
	// By is the place that asks.
	By source.Span
}

// run is one rule at work.
type run struct {
	rule  *Rule
	setup *setup.Setup
	opts  *Options
	out   *Result
	// shared is what the rules of this run find out once for all.
	shared *shared
}

// targets tells whether one of the targets counts.
func (c *run) targets(list ...Target) bool {
	return slices.ContainsFunc(list, func(t Target) bool { return slices.Contains(c.opts.Targets, t) })
}
