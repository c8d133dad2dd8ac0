package diag

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/sarif"
)

// TestSARIF checks the parts of the format that readers insist on: a rule for each result, places that count from 1, references that are URIs.
func TestSARIF(t *testing.T) {
	young := &Finding{Code: YoungRootKey, Mode: "kds-not-yet-effective", Title: "the KDS root key is too young to use", Facts: []Fact{{"usable", "2019-05-03 20:00Z"}},
		SeenAs: []string{"Key does not exist"}, Because: "of the wait", Help: []Help{{Text: "wait", Command: "Add-KdsRootKey"}}}
	stale := &Finding{Code: StaleTicket, Title: "stale", At: []Span{{File: "spec.json", Line: 2, Column: 3, Length: 4, Label: "here"}}}
	text, err := SARIF("1.0", []Located{
		{young, Span{File: `my folder\case ä.txtar`, Line: 12, Column: 5}, "case"}, {stale, Span{}, "other"}, {young, Span{File: "b.txtar", Line: 1, Column: 1}, "b"}})
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct {
						ID   string
						Help sarif.Message
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   sarif.Message
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndColumn int }
					}
				}
				Properties map[string]any
			}
		}
	}
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || !strings.Contains(log.Schema, "2.1.0") || len(log.Runs) != 1 {
		t.Fatalf("got version %q, schema %q, %d runs", log.Version, log.Schema, len(log.Runs))
	}
	run := log.Runs[0]
	if len(run.Tool.Driver.Rules) != 2 || len(run.Results) != 3 || run.Tool.Driver.Version != "1.0" {
		t.Fatalf("got %d rules, %d results, want 2 and 3", len(run.Tool.Driver.Rules), len(run.Results))
	}
	for i, r := range run.Results {
		if rule := run.Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.RuleID || !strings.Contains(rule.Help.Markdown, "## What repairs it") {
			t.Errorf("result %d: the rule is %s, want %s with its page", i, rule.ID, r.RuleID)
		}
	}
	first := run.Results[0]
	if p := first.Locations[0].PhysicalLocation; p.ArtifactLocation.URI != "my%20folder/case%20%C3%A4.txtar" || p.Region.StartLine != 12 || p.Region.StartColumn != 5 {
		t.Errorf("got %+v", p)
	}
	for _, part := range []string{young.Title, "usable: 2019-05-03 20:00Z", "because of the wait", "help: wait: Add-KdsRootKey"} {
		if !strings.Contains(first.Message.Text, part) {
			t.Errorf("the message %q lacks %q", first.Message.Text, part)
		}
	}
	if first.Properties["mode"] != "kds-not-yet-effective" {
		t.Errorf("got the properties %v", first.Properties)
	}
	if p := run.Results[1].Locations[0].PhysicalLocation; p.ArtifactLocation.URI != "spec.json" || p.Region.EndColumn != 7 {
		t.Errorf("got %+v, want the span of the finding itself", p)
	}
	if empty, err := SARIF("1.0", nil); err != nil || !strings.Contains(string(empty), `"results": []`) {
		t.Errorf("without findings: %s, %v, want an empty list of results", empty, err)
	}
}
