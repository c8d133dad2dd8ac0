// Package archtest keeps the arrows between the packages of this module pointing down.
//
// [Rooms] is the house of docs/architecture.md as data. [Check] compares an import graph with it. The test beside it feeds
// in the real graph, so a forbidden import fails the build of whoever adds it, with the rule in the message.
package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the import path of this module's root.
const Module = "github.com/gmsasim/gmsasim"

// A Room is one package, or with a trailing "/..." one tree of packages, with what it may import.
type Room struct {
	// Path is relative to Module, for instance "fakeads/kds" or "cmd/...".
	Path string
	// MayImport lists the packages of this module that Path may import, in the form of Path. Packages of a tree may always
	// import each other.
	MayImport []string
}

// Rooms is the house, lowest floor first. A package that is in no room is an error: a new package needs a decision.
var Rooms = []Room{
	{Path: "fakeads/security"},
	{Path: "fakeads/dn"},
	{Path: "fakeads/filter"},
	{Path: "fakeads/dns"},
	{Path: "fakekdc/krbcrypt"},
	{Path: "fakeads/kds", MayImport: []string{"fakeads/security"}},
	{Path: "fakekdc/pac", MayImport: []string{"fakeads/security", "fakekdc/krbcrypt"}},
	{Path: "fakekdc/gss", MayImport: []string{"fakekdc/krbcrypt"}},
	{Path: "fakeads/directory", MayImport: []string{"fakeads/security", "fakeads/dn", "fakeads/filter", "fakeads/kds", "fakekdc/krbcrypt"}},
	{Path: "fakekdc", MayImport: []string{"fakeads/security", "fakekdc/krbcrypt", "fakekdc/pac"}},
	{Path: "fakeads/ldapclient", MayImport: []string{"fakeads/filter", "fakekdc/gss"}},
	{Path: "fakeads", MayImport: []string{"fakeads/security", "fakeads/dn", "fakeads/filter", "fakeads/kds", "fakeads/directory", "fakekdc/krbcrypt", "fakekdc/pac", "fakekdc/gss"}},
	{Path: "simulator/sarif"},
	{Path: "simulator/diag", MayImport: []string{"simulator/sarif"}},
	{Path: "simulator/ldif"},
	{Path: "simulator/source"},
	{Path: "simulator/credspec/arn"},
	{Path: "simulator/credspec/plugin"},
	{Path: "simulator/credspec/consumer", MayImport: []string{"simulator/credspec/arn"}},
	{Path: "simulator/credspec/module"},
	{Path: "simulator/credspec", MayImport: []string{"simulator/credspec/module", "simulator/source", "simulator/credspec/arn", "simulator/credspec/plugin"}},
	{Path: "simulator/windows", MayImport: []string{"simulator/diag"}},
	{Path: "simulator/setup", MayImport: []string{"simulator/source", "simulator/credspec", "simulator/credspec/arn", "simulator/credspec/plugin", "simulator/diag", "simulator/windows"}},
	{Path: "simulator/check", MayImport: []string{"simulator/source", "simulator/credspec", "simulator/setup", "simulator/diag", "simulator/windows", "simulator/credspec/arn", "simulator/credspec/plugin", "simulator/credspec/consumer"}},
	{Path: "simulator/check/ldapdirectory", MayImport: []string{"simulator/check", "fakeads/security", "fakekdc/gss", "fakekdc/krbcrypt"}},
	{Path: "simulator/check/gather", MayImport: []string{"simulator/source", "simulator/setup"}},
	{Path: "simulator/check/report", MayImport: []string{"simulator/source", "simulator/check/gather", "simulator/check", "simulator/sarif"}},
	{Path: "simulator", MayImport: []string{"fakeads/...", "fakeads", "fakekdc/...", "fakekdc", "simulator/diag", "simulator/windows", "simulator/credspec/module", "simulator/credspec/plugin", "simulator/credspec/consumer"}},
	{Path: "simulator/check/simulated", MayImport: []string{"simulator", "simulator/check", "simulator/check/ldapdirectory", "simulator/diag"}},
	{Path: "simulator/sweep", MayImport: []string{"simulator", "simulator/diag", "simulator/windows"}},
	{Path: "simulator/kubernetes", MayImport: []string{"simulator", "simulator/diag", "simulator/windows", "simulator/credspec/plugin", "simulator/credspec/consumer"}},
	{Path: "simulator/swarm", MayImport: []string{"simulator", "simulator/diag", "simulator/windows", "simulator/credspec/consumer"}},
	{Path: "simulator/servicefabric", MayImport: []string{"simulator", "simulator/diag", "simulator/windows"}},
	{Path: "scenarios", MayImport: []string{"simulator", "simulator/kubernetes", "simulator/swarm", "simulator/servicefabric", "simulator/diag", "simulator/windows", "scenarios/catalog", "simulator/ecs", "simulator/fetcher"}},
	{Path: "simulator/fetcher", MayImport: []string{"simulator", "simulator/diag", "simulator/credspec/consumer"}},
	{Path: "simulator/ecs", MayImport: []string{"simulator", "simulator/diag", "simulator/fetcher", "simulator/windows", "simulator/credspec/plugin", "simulator/credspec/consumer"}},
	{Path: "scenarios/catalog"},
	{Path: "doctor", MayImport: []string{"simulator", "simulator/diag", "simulator/windows", "scenarios"}},
	{Path: "doctor/intake", MayImport: []string{"doctor", "simulator", "simulator/source", "simulator/credspec", "simulator/credspec/plugin", "simulator/setup", "simulator/ldif", "simulator/windows", "scenarios", "fakeads/security", "fakeads/dn"}},
	{Path: "cmd/...", MayImport: []string{"fakeads/...", "fakeads", "fakekdc/...", "fakekdc", "simulator/...", "simulator", "scenarios/...", "scenarios", "doctor", "doctor/intake"}},
	{Path: "internal/archtest"},
	{Path: "internal/bench/...", MayImport: []string{"fakeads/...", "fakeads", "fakekdc/...", "fakekdc", "simulator/...", "simulator"}},
	{Path: "internal/interop/...", MayImport: []string{"fakeads/...", "fakeads", "fakekdc/...", "fakekdc", "simulator/...", "simulator"}},
	{Path: "internal/oracle/...", MayImport: []string{"fakeads/...", "fakeads", "fakekdc/...", "fakekdc"}},
	{Path: "internal/doctest", MayImport: []string{"scenarios", "simulator/check", "simulator", "fakeads", "fakekdc"}},
	{Path: "internal/mutants", MayImport: []string{"scenarios"}},
}

// A Ban keeps a dependency out of everything that a package pulls in, directly or not.
type Ban struct {
	// Of is a package relative to Module.
	Of string
	// Prefixes are import paths that must not be reached, each with all packages below it.
	Prefixes []string
	// Because is the reason, for the failure message.
	Because string
}

// Bans are the transitive rules: what a tool author imports stays light, and no shipped package drags the test frameworks in.
var Bans = []Ban{
	{
		Of:       "simulator",
		Prefixes: []string{"testing", "github.com/onsi", "github.com/testcontainers", "k8s.io", "sigs.k8s.io", "github.com/goccy/go-yaml", "go.yaml.in", "gopkg.in/yaml.v3", "github.com/hashicorp/hcl", "github.com/zclconf", "github.com/compose-spec", "github.com/chromedp", "github.com/spf13"},
		Because:  "a tool author's test imports simulator: it must not bring a test framework, a YAML parser or a command line along",
	},
	{
		Of:       "scenarios",
		Prefixes: []string{"testing", "github.com/onsi", "github.com/testcontainers"},
		Because:  "the runner is plain Go; Ginkgo and testing are ways to run it and live in _test.go files",
	},
	{
		Of:       "cmd/gmsasim",
		Prefixes: []string{"testing", "github.com/onsi", "github.com/testcontainers"},
		Because:  "the binary runs scenarios without a test framework",
	},
}

// A Package is a node of the import graph: an import path and the import paths of its non-test files.
type Package struct {
	Path    string
	Imports []string
}

// Check returns one sentence for each import of pkgs that Rooms or Bans forbid. pkgs holds the packages of the module and
// all that they depend on, the standard library included.
func Check(pkgs []Package, rooms []Room, bans []Ban) []string {
	var faults []string
	graph := make(map[string][]string, len(pkgs))
	for _, p := range pkgs {
		graph[p.Path] = p.Imports
		rel, ours := strings.CutPrefix(p.Path, Module+"/")
		if !ours {
			continue
		}
		room, ok := roomOf(rel, rooms)
		if !ok {
			faults = append(faults, fmt.Sprintf("%s is in no room: add it to archtest.Rooms with what it may import", rel))
			continue
		}
		for _, imp := range p.Imports {
			impRel, ours := strings.CutPrefix(imp, Module+"/")
			if !ours || matches(room.Path, impRel) || slices.ContainsFunc(room.MayImport, func(m string) bool { return matches(m, impRel) }) {
				continue
			}
			faults = append(faults, fmt.Sprintf("%s imports %s: its floor may import only %v", rel, impRel, room.MayImport))
		}
	}
	for _, ban := range bans {
		if path := reach(graph, Module+"/"+ban.Of, ban.Prefixes); path != nil {
			faults = append(faults, fmt.Sprintf("%s: %s", strings.Join(path, " -> "), ban.Because))
		}
	}
	return faults
}

func roomOf(rel string, rooms []Room) (Room, bool) {
	for _, r := range rooms {
		if matches(r.Path, rel) {
			return r, true
		}
	}
	return Room{}, false
}

// matches tells whether pattern, a path or a "path/..." tree, covers the package rel.
func matches(pattern, rel string) bool {
	tree, isTree := strings.CutSuffix(pattern, "/...")
	return rel == pattern || isTree && (rel == tree || strings.HasPrefix(rel, tree+"/"))
}

// reach returns the shortest import path from a package to one below a prefix, or nil.
func reach(graph map[string][]string, from string, prefixes []string) []string {
	type step struct {
		pkg  string
		prev *step
	}
	seen := map[string]bool{from: true}
	for queue := []*step{{pkg: from}}; len(queue) > 0; queue = queue[1:] {
		s := queue[0]
		for _, imp := range graph[s.pkg] {
			next := &step{imp, s}
			if slices.ContainsFunc(prefixes, func(p string) bool { return imp == p || strings.HasPrefix(imp, p+"/") }) {
				var path []string
				for n := next; n != nil; n = n.prev {
					path = append(path, n.pkg)
				}
				slices.Reverse(path)
				return path
			}
			if !seen[imp] {
				seen[imp] = true
				queue = append(queue, next)
			}
		}
	}
	return nil
}
