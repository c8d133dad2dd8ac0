package scenarios_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// bundleLabels are what label filters know all cases of a bundle by: area:kds, level:1, finding:GMSA101, guide:create-account.
func bundleLabels(b *scenarios.Bundle) Labels {
	labels := Labels{"area:" + b.Area, fmt.Sprintf("level:%d", b.Level)}
	for _, code := range b.Findings {
		labels = append(labels, "finding:"+string(code))
	}
	for _, section := range b.Covers {
		labels = append(labels, strings.ReplaceAll(section, "/", ":"))
	}
	return labels
}

// stepNames finds the steps in the column step of modes.tsv, as in S3>S4 or S7/S8.
var stepNames = regexp.MustCompile(`S\d+|diagnosis`)

// caseDecorators are what tells the cases of a bundle apart: mode:spn-none and step:S9 of the failure mode, os:Windows-Server-2019 of each
// host of the domain, and the same releases as a constraint on the version of the component windows. A case without hosts has no constraint,
// so it is always chosen.
func caseDecorators(c *scenarios.Case) []any {
	var labels Labels
	if m, ok := diag.LookupMode(c.Mode); ok {
		labels = append(labels, "mode:"+m.ID)
		for _, step := range stepNames.FindAllString(m.Step, -1) {
			labels = append(labels, "step:"+step)
		}
	}
	decorators := []any{}
	var versions []string
	for _, r := range releases(c.Config()) {
		labels = append(labels, "os:"+strings.ReplaceAll(r.Name, " ", "-"))
		if v := fmt.Sprintf("= 10.0.%d", r.Build); !slices.Contains(versions, v) {
			versions = append(versions, v)
		}
	}
	if len(versions) > 0 {
		// Constraints that are given one by one must all hold; a case may have hosts of several releases.
		decorators = append(decorators, ComponentSemVerConstraint("windows", strings.Join(versions, " || ")))
	}
	return append(decorators, labels)
}

// releases are those of the hosts of a domain, each once.
func releases(cfg simulator.Config) []windows.Release {
	var list []windows.Release
	for _, h := range cfg.Hosts {
		name := h.OS
		if name == "" {
			name = "Windows Server 2019" // the default of HostConfig.OS
		}
		r, err := windows.ParseRelease(name)
		if err != nil {
			continue // no Windows that runs containers, or not one of the kinds of the table
		}
		if !slices.ContainsFunc(list, func(o windows.Release) bool { return o.Name == r.Name }) {
			list = append(list, r)
		}
	}
	return list
}

// selection makes the specs about what filters choose.
func selection() {
	bundles, err := scenarios.Catalog()
	if err != nil {
		return // said elsewhere
	}
	id := func(id string) *scenarios.Bundle {
		i := slices.IndexFunc(bundles, func(b *scenarios.Bundle) bool { return b.ID == id })
		return bundles[i]
	}
	constraint := func(decorators []any) ComponentSemVerConstraints {
		for _, d := range decorators {
			if c, ok := d.(ComponentSemVerConstraints); ok {
				return c
			}
		}
		return nil
	}

	It("goes by the releases of the hosts of a case", func() {
		for _, c := range id("two-containers-one-gmsa").Cases {
			chosen := constraint(caseDecorators(c))
			for release, version := range map[string]string{"2016": "10.0.14393", "2019": "10.0.17763", "2025": "10.0.26100"} {
				if got, want := chosen.MatchesSemVerFilter("windows", version), strings.HasPrefix(c.Name, release); got != want {
					Fail(fmt.Sprintf("%s: chosen by windows=%s: %v, want %v", c.Name, version, got, want))
				}
			}
		}
	})

	It("takes a case with hosts of two releases for either", func() {
		cfg := simulator.Config{Hosts: []simulator.HostConfig{{Name: "A", OS: "Windows Server 2016"}, {Name: "B"}, {Name: "C"}}}
		var names []string
		for _, r := range releases(cfg) {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, ", "); got != "Windows Server 2016, Windows Server 2019" {
			Fail(got)
		}
	})

	It("goes by area, level, finding, mode, step and release as labels", func() {
		b := id("two-containers-one-gmsa")
		labels := bundleLabels(b)
		for _, d := range caseDecorators(b.Cases[0]) {
			if l, ok := d.(Labels); ok {
				labels = append(labels, l...)
			}
		}
		for _, filter := range []string{"area:channel", "level:3", "finding:GMSA302", "mode:os-concurrent-same-hostname-old", "step:S7", "os:Windows-Server-2016"} {
			if !labels.MatchesLabelFilter(filter) {
				Fail(fmt.Sprintf("%s does not choose %v", filter, labels))
			}
		}
		if labels.MatchesLabelFilter("os:Windows-Server-2019") {
			Fail("a case of Windows Server 2016 is chosen for 2019")
		}
	})
}
