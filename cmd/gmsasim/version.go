package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/scenarios"
)

// versionReport is the form of the version in JSON.
type versionReport struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Scenario string `json:"scenarioSchema"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version and the schema of scenarios that it reads",
		Example: "  gmsasim version\n  gmsasim version --json\n  gmsasim list",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if a.json {
				a.printJSON(v)
				return nil
			}
			fmt.Fprintf(a.out, "gmsasim %s (%s, %s)\nscenarios: %s\n", v.Version, v.Go, v.Platform, v.Scenario)
			a.next("gmsasim list")
			return nil
		},
	}
}

// buildVersion is what the build recorded of itself.
func buildVersion() versionReport {
	v := versionReport{Schema: "gmsasim.version/1", Version: "development", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Scenario: scenarios.Schema}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	return v
}
