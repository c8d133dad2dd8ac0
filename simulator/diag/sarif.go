package diag

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Located is a finding of a run with where the run met it.
type Located struct {
	*Finding
	// At is the place in the file that was run; the zero value when there is none.
	At Span
	// Subject names what was examined, for instance a scenario and its case.
	Subject string
}

// SARIF writes findings in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS): one run of the tool, a rule for each
// code that occurs, with its page, and a result for each finding.
func SARIF(version string, findings []Located) ([]byte, error) {
	log := sarifLog{Version: "2.1.0", Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"}
	run := sarifRun{Results: []sarifResult{}, Columns: "unicodeCodePoints"}
	run.Tool.Driver = sarifDriver{Name: "gmsasim", Version: version, Rules: []sarifRule{}}
	for _, f := range findings {
		rules := run.Tool.Driver.Rules
		i := slices.IndexFunc(rules, func(r sarifRule) bool { return r.ID == string(f.Code) })
		if i < 0 {
			i = len(rules)
			run.Tool.Driver.Rules = append(rules, ruleOf(f.Code))
		}
		run.Results = append(run.Results, resultOf(f, i))
	}
	log.Runs = []sarifRun{run}
	return json.MarshalIndent(log, "", "  ")
}

// The parts of SARIF that are used, by their names in its section 3.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Columns string        `json:"columnKind"`
		Results []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string       `json:"id"`
		Short sarifMessage `json:"shortDescription"`
		Help  sarifMessage `json:"help"`
		Level struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifMessage struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifMessage      `json:"message"`
		Locations    []sarifLocation   `json:"locations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   map[string]any    `json:"properties,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Message  *sarifMessage  `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
)

func ruleOf(c Code) sarifRule {
	e, _ := Lookup(c)
	page, _ := Explain(c)
	r := sarifRule{ID: string(c), Short: sarifMessage{Text: e.Title}, Help: sarifMessage{Text: page, Markdown: page}}
	r.Level.Level = "error"
	return r
}

func resultOf(f Located, rule int) sarifResult {
	var text strings.Builder
	text.WriteString(f.Title)
	for _, fact := range f.Facts {
		fmt.Fprintf(&text, "\n%s: %s", fact.Name, fact.Value)
	}
	if f.Because != "" {
		fmt.Fprintf(&text, "\nbecause %s", f.Because)
	}
	for _, h := range f.Help {
		text.WriteString("\nhelp: " + h.Text)
		if h.Command != "" {
			text.WriteString(": " + h.Command)
		}
	}
	r := sarifResult{RuleID: string(f.Code), RuleIndex: rule, Level: "error", Message: sarifMessage{Text: text.String()},
		Fingerprints: map[string]string{"gmsasim/v1": string(f.Code) + " " + f.Subject}, Properties: map[string]any{}}
	if f.Mode != "" {
		r.Properties["mode"] = f.Mode
	}
	if len(f.SeenAs) > 0 {
		r.Properties["seenAs"] = f.SeenAs
	}
	spans := f.Finding.At
	if f.At != (Span{}) {
		spans = append([]Span{f.At}, spans...)
	}
	for _, s := range spans {
		p := &sarifPhysical{}
		p.Artifact.URI = uriOf(s.File)
		if s.Line > 0 {
			p.Region = &sarifRegion{StartLine: s.Line, StartColumn: s.Column}
			if s.Length > 0 {
				p.Region.EndColumn = s.Column + s.Length
			}
		}
		l := sarifLocation{Physical: p}
		if s.Label != "" {
			l.Message = &sarifMessage{Text: s.Label}
		}
		r.Locations = append(r.Locations, l)
	}
	return r
}

// uriOf writes the path of a file as a relative reference (RFC 3986 4.2).
func uriOf(file string) string {
	var b strings.Builder
	for _, c := range []byte(strings.ReplaceAll(file, `\`, "/")) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/!$&'()*+,;=@", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
