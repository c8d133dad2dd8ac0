package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	// The published schema of SARIF comes with this module; see sarifSchema.
	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/gather"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

const badSpec = `{
  "CmsPlugins": ["ActiveDirectory"],
  "DomainJoinConfig": {
	"Sid": "S-1-5-21-2005147832-1190431754-3022818347", "MachineAccountName": "web, äpp:100%$",
    "Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36",
    "DnsTreeName": "corp.example", "DnsName": "corp.example", "NetBiosName": "CORP"
  },
  "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": [
    {"Name": "web, äpp:100%$", "Scope": "corp.example"},
    {"Name": "web, äpp:100%$", "Scope": "CORP"}
  ]}
}
`

const ignoring = `CmsPlugins: [ActiveDirectory]
DomainJoinConfig:
  # gmsasim:ignore account-dollar-suffix the template takes "it" away
  MachineAccountName: webapp$
  # gmsasim:ignore account-dollar
  DnsName: corp.example
`

// checked is a check with reports of every severity, related places, words of a consumer, fixes, suppressed reports, and paths that were not read.
func checked(t *testing.T) *Check {
	t.Helper()
	spec, yaml := source.NewFile("deploy, 100%/webapp:1.json", []byte(badSpec)), source.NewFile("spec.yaml", []byte(ignoring))
	result := check.Run(setup.Read([]*source.File{spec, yaml}), check.Options{All: true})
	dollar := slices.IndexFunc(result.Reports, func(r check.Report) bool { return r.Rule.ID == "account-dollar-suffix" })
	if dollar < 0 || len(result.Suppressed) == 0 {
		t.Fatal("the rule that the examples are made for reports nothing")
	}
	odd := result.Reports[dollar]
	odd.Severity, odd.Message = check.Info, "it says 100% of\nPASSWORD=hunter22 <b>|`x`\x1b[31m"
	odd.Related = []check.Related{{Where: yaml.Span(0, 10), Text: "and, here: 1%"}}
	odd.Consumer = "docker: no\r\nsuch thing"
	multi := odd
	multi.Where, multi.Severity, multi.Fix = spec.Span(20, 400), check.Warning, nil
	nowhere := check.Report{Rule: odd.Rule, Severity: check.Warning, Message: "about the set"}
	result.Reports = append(result.Reports, odd, multi, nowhere)
	result.NotChecked = append(result.NotChecked, check.NotChecked{Rule: odd.Rule, Reason: "needs a file"}, check.NotChecked{Rule: odd.Rule, Where: yaml.Span(0, 1), Reason: "needs a file"})
	return &Check{Result: result, Targets: []check.Target{check.Generic, check.TargetK8s}, Files: 3, Unknown: []string{"other.json"},
		Unread: []gather.Unread{{Name: "a,b:c.json", Reason: "permission denied, 5%"}}, FailOn: Threshold(check.Error), Exit: 2, Version: "1.2.3",
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func written(t *testing.T, format string, c *Check) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, c); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sarifSchema is the schema that OASIS publishes, taken from the source of a module that has it, since it is not ours to copy.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && len(lit.Value) > len(text) {
			text, _ = strconv.Unquote(lit.Value)
		}
		return true
	})
	// In the module's copy some names end in URI, which the standard writes Uri (3.19.3, 3.49.12).
	text = regexp.MustCompile(`"(help|hostedViewer|download|information|repository)URI"`).ReplaceAllString(text, `"${1}Uri"`)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// readResult is what the test reads of a result.
type readResult struct {
	RuleID    string
	Locations []struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI string }
			Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
		}
	}
	Fixes []struct {
		ArtifactChanges []struct {
			Replacements []struct {
				DeletedRegion   struct{ StartLine, StartColumn, EndColumn int }
				InsertedContent struct{ Text string }
			}
		}
	}
	Suppressions []struct{ Kind, Justification string }
}

// TestSARIF holds every part of SARIF that is written against its schema, and the regions and fixes against the text.
func TestSARIF(t *testing.T) {
	schema := sarifSchema(t)
	if schema.Validate(map[string]any{"version": "2.1.0", "runs": []any{map[string]any{}}}) == nil {
		t.Fatal("the schema takes a run without a tool: it is not the schema")
	}
	for name, c := range map[string]*Check{"full": checked(t), "empty": {Result: &check.Result{}, Version: "1"}} {
		text := written(t, "sarif", c)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	var log struct {
		Runs []struct{ Results []readResult }
	}
	if err := json.Unmarshal([]byte(written(t, "sarif", checked(t))), &log); err != nil {
		t.Fatal(err)
	}
	first := slices.IndexFunc(log.Runs[0].Results, func(r readResult) bool { return r.RuleID == "account-dollar-suffix" })
	r := log.Runs[0].Results[first]
	at := r.Locations[0].PhysicalLocation
	line := []rune(strings.Split(badSpec, "\n")[at.Region.StartLine-1])
	if got := string(line[at.Region.StartColumn-1 : at.Region.EndColumn-1]); got != `"web, äpp:100%$"` || at.ArtifactLocation.URI != "deploy,%20100%25/webapp%3A1.json" {
		t.Errorf("the region is %q of %s", got, at.ArtifactLocation.URI)
	}
	fix := r.Fixes[0].ArtifactChanges[0].Replacements[0]
	if got := string(line[fix.DeletedRegion.StartColumn-1 : fix.DeletedRegion.EndColumn-1]); got != "web, äpp:100%$" || fix.InsertedContent.Text != "web, äpp:100%" {
		t.Errorf("the fix puts %q in the place of %q", fix.InsertedContent.Text, got)
	}
	suppressed := 0
	for _, r := range log.Runs[0].Results {
		for _, s := range r.Suppressions {
			suppressed++
			if s.Kind != "inSource" || s.Justification != `the template takes "it" away` {
				t.Errorf("suppressed: %+v", s)
			}
		}
	}
	if suppressed != 1 {
		t.Errorf("%d results are suppressed, want 1", suppressed)
	}
}

// The elements of JUnit.xsd (Windy Road, of Ant's format): their attributes, those with ! are demanded, and their children in order with ! ? or *.
var junitElements = map[string]struct {
	attributes map[string]string
	children   []string
	text       bool
}{
	"testsuites": {nil, []string{"testsuite*"}, false},
	"testsuite": {map[string]string{"name!": `\S(.*\S)?`, "package!": `\S(.*\S)?`, "id!": `\d+`, "timestamp!": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`, "hostname!": `\S(.*\S)?`,
		"tests!": `\d+`, "failures!": `\d+`, "errors!": `\d+`, "skipped": `\d+`, "time!": `\d+(\.\d+)?`},
		[]string{"properties!", "testcase*", "system-out!", "system-err!"}, false},
	"properties": {nil, []string{"property*"}, false},
	"property":   {map[string]string{"name!": `\S(.*\S)?`, "value!": `(?s).*`}, nil, false},
	"testcase":   {map[string]string{"name!": `\S(.*\S)?`, "classname!": `\S(.*\S)?`, "time!": `\d+(\.\d+)?`}, []string{"skipped?", "error?", "failure?"}, false},
	"skipped":    {map[string]string{"message": `(?s).*`}, nil, true}, // the schema leaves its content open
	"error":      {map[string]string{"message": `(?s).*`, "type!": `(?s).*`}, nil, true},
	"failure":    {map[string]string{"message": `(?s).*`, "type!": `(?s).*`}, nil, true},
	"system-out": {nil, nil, true},
	"system-err": {nil, nil, true},
}

// junitFaults holds a document against junitElements.
func junitFaults(text string) []string {
	var faults []string
	type open struct {
		name string
		next int // the child that may come
		done map[string]int
	}
	var stack []*open
	dec := xml.NewDecoder(strings.NewReader(text))
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return faults
		}
		if err != nil {
			return append(faults, err.Error())
		}
		switch e := tok.(type) {
		case xml.StartElement:
			name := e.Name.Local
			def, known := junitElements[name]
			if !known {
				return append(faults, "unknown element "+name)
			}
			if len(stack) == 0 && name != "testsuites" {
				faults = append(faults, "the root is "+name)
			}
			if len(stack) > 0 {
				parent := stack[len(stack)-1]
				children := junitElements[parent.name].children
				i := slices.IndexFunc(children, func(c string) bool { return c[:len(c)-1] == name })
				if i < parent.next {
					faults = append(faults, fmt.Sprintf("%s does not belong here in %s", name, parent.name))
				} else if parent.next = i; children[i][len(children[i])-1] != '*' {
					parent.next++
				}
				parent.done[name]++
			}
			seen := map[string]int{}
			for _, a := range e.Attr {
				pattern, ok := def.attributes[a.Name.Local]
				if !ok {
					pattern, ok = def.attributes[a.Name.Local+"!"]
				}
				if !ok || !regexp.MustCompile(`\A(?:`+pattern+`)\z`).MatchString(a.Value) {
					faults = append(faults, fmt.Sprintf("%s has %s=%q", name, a.Name.Local, a.Value))
				}
				seen[a.Name.Local]++
			}
			for a := range def.attributes {
				if want, ok := strings.CutSuffix(a, "!"); ok && seen[want] != 1 {
					faults = append(faults, name+" lacks "+want)
				}
			}
			stack = append(stack, &open{name: name, done: map[string]int{}})
		case xml.EndElement:
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			outcomes := 0
			for _, c := range junitElements[top.name].children {
				if want, ok := strings.CutSuffix(c, "!"); ok && top.done[want] != 1 {
					faults = append(faults, top.name+" lacks "+want)
				}
				if strings.HasSuffix(c, "?") {
					outcomes += top.done[c[:len(c)-1]]
				}
			}
			if outcomes > 1 {
				faults = append(faults, "a testcase has two outcomes")
			}
		case xml.CharData:
			if len(stack) > 0 && !junitElements[stack[len(stack)-1].name].text && strings.TrimSpace(string(e)) != "" {
				faults = append(faults, "text in "+stack[len(stack)-1].name)
			}
		}
	}
}

// TestJUnit holds JUnit against the rules of its common schema, and the counts against the tests.
func TestJUnit(t *testing.T) {
	for _, bad := range []string{
		`<testsuite/>`, `<testsuites><testcase/></testsuites>`, `<testsuites><testsuite name="a"/></testsuites>`,
		`<testsuites><testsuite name=" a" package="b" id="0" timestamp="2026-01-01" hostname="h" tests="1" failures="0" errors="0" time="0"><system-out/><properties/><system-err/></testsuite></testsuites>`,
	} {
		if len(junitFaults(bad)) == 0 {
			t.Errorf("%s is taken", bad)
		}
	}
	for name, c := range map[string]*Check{"full": checked(t), "empty": {Result: &check.Result{}, Version: "1", Files: 1}} {
		text := written(t, "junit", c)
		for _, fault := range junitFaults(text) {
			t.Errorf("%s: %s\n%s", name, fault, text)
		}
		var d junitSuites
		if err := xml.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		failures := 0
		for i, s := range d.Suites {
			count := map[string]int{}
			for _, c := range s.Cases {
				switch {
				case c.Failure != nil:
					count["failed"]++
					failures++
				case c.Error != nil:
					count["broken"]++
				case c.Skipped != nil:
					count["skipped"]++
				}
			}
			if s.ID != i || s.Tests != len(s.Cases) || s.Failures != count["failed"] || s.Errors != count["broken"] || s.Skipped != count["skipped"] {
				t.Errorf("%s: suite %d counts %+v, its tests are %v", name, i, s, count)
			}
		}
		if failures != c.Count(check.Error) {
			t.Errorf("%s: %d failures, want one for each of %d errors", name, failures, c.Count(check.Error))
		}
	}
	if text := written(t, "junit", checked(t)); strings.Contains(text, "\x1b") || strings.Contains(text, "hunter22") {
		t.Error("a control character or a password came through")
	}
}

// TestGitHub: every annotation is one line whose parts the runner can tell apart.
func TestGitHub(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(written(t, "github", checked(t)), "\n"), "\n")
	pattern := regexp.MustCompile(`^::(error|warning|notice) ([a-zA-Z]+=[^,:]*)(,[a-zA-Z]+=[^,:]*)*::[^\r\n]*$`)
	for _, line := range lines {
		if !pattern.MatchString(line) {
			t.Errorf("no workflow command: %s", line)
		}
		if strings.Contains(line, "hunter22") {
			t.Errorf("a password: %s", line)
		}
	}
	c := checked(t)
	if want := len(c.Reports) + len(c.Unread); len(lines) != want {
		t.Errorf("%d lines, want %d", len(lines), want)
	}
	if want := `::error file=deploy%2C 100%25/webapp%3A1.json,line=4,endLine=4,col=76,endColumn=92,title=gmsasim%3A account-dollar-suffix::the name "web, äpp:100%25$" ends in $, which is not part of it here%0AHelp: leave the $ out`; !slices.Contains(lines, want) {
		t.Errorf("lines\n%s\nlack\n%s", strings.Join(lines, "\n"), want)
	}
	if !strings.HasPrefix(lines[0], "::error") || !slices.ContainsFunc(lines, func(l string) bool {
		return strings.Contains(l, "100%25 of%0APASSWORD=********") && strings.Contains(l, "docker: no%0D%0Asuch thing")
	}) {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}

// TestGitLab: every issue has what GitLab demands, and a fingerprint of its own that lines above do not change.
func TestGitLab(t *testing.T) {
	type issue struct {
		Description, Fingerprint, Severity string
		Check                              string `json:"check_name"`
		Location                           struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	read := func(c *Check) (list []issue) {
		if err := json.Unmarshal([]byte(written(t, "gitlab", c)), &list); err != nil {
			t.Fatal(err)
		}
		return list
	}
	seen := map[string]bool{}
	for _, i := range read(checked(t)) {
		if i.Description == "" || i.Check == "" || i.Location.Lines.Begin < 1 || seen[i.Fingerprint] || !slices.Contains([]string{"info", "minor", "major", "critical", "blocker"}, i.Severity) {
			t.Errorf("issue %+v", i)
		}
		seen[i.Fingerprint] = true
	}
	moved := func(text string) *Check {
		return &Check{Result: check.Run(setup.Read([]*source.File{source.NewFile("a.json", []byte(text))}), check.Options{})}
	}
	before, after := read(moved(badSpec)), read(moved("\n\n"+badSpec))
	for i := range before {
		if before[i].Fingerprint != after[i].Fingerprint || before[i].Location.Lines.Begin+2 != after[i].Location.Lines.Begin {
			t.Errorf("%+v became %+v", before[i], after[i])
		}
	}
}

// TestMarkdown: what files say is no mark of the table.
func TestMarkdown(t *testing.T) {
	text := written(t, "markdown", checked(t))
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		if cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); cells != 6 {
			t.Errorf("%d bars in %s", cells, line)
		}
	}
	for _, bad := range []string{"<b>", "hunter22", "\x1b", "|`x`"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q came through", bad)
		}
	}
}

// TestText looks at the excerpts: tabs, letters outside ASCII, long lines, places over several lines, places without a file.
func TestText(t *testing.T) {
	text := written(t, "text", checked(t))
	for _, want := range []string{
		"4 | …05147832-1190431754-3022818347\", \"MachineAccountName\": \"web, äpp:100%$\",\n" +
			"  |                                                         ^^^^^^^^^^^^^^^^\n",
		" ::: spec.yaml:1:1\n", " and, here: 1%\n",
		"= seen as: docker: no", "PASSWORD=********", " to line ", "warning[account-dollar-suffix]: about the set\n",
		"not read: a,b:c.json: permission denied, 5%\n", "passed over: other.json:", "not checked: account-dollar-suffix: needs a file\n",
		"; 1 ignored on request", "in 3 files",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if t.Failed() || strings.ContainsAny(text, "\x1b\r") {
		t.Errorf("text:\n%q", text)
	}
	long := source.NewFile("long.json", []byte(strings.Repeat("äöü ", 200)))
	line, from, to := excerpt(long.Span(len("äöü ")*100, len("äöü ")*100+6))
	if n := len([]rune(line)); n > width+2 || string([]rune(line)[from:to]) != "äöü" {
		t.Errorf("excerpt %q of %d letters, marked %d to %d", line, n, from, to)
	}
}

// TestJSON: the document is the same twice, and an edit has its place.
func TestJSON(t *testing.T) {
	text := written(t, "json", checked(t))
	if text != written(t, "json", checked(t)) {
		t.Error("two checks of the same files differ")
	}
	var d jsonCheck
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	r := d.Reports[slices.IndexFunc(d.Reports, func(r jsonReport) bool { return r.Rule == "account-dollar-suffix" })]
	if got := badSpec[r.Offset : r.Offset+r.Length]; got != `"web, äpp:100%$"` || r.Line != 4 || len(r.Fix) != 1 {
		t.Errorf("report %+v is about %q", r, got)
	}
	if d.Schema != "gmsasim.check/1" || d.Exit != 2 || len(d.Suppressed) != 1 || d.Suppressed[0].By.Line != 3 || len(d.Unread) != 1 || strings.Contains(text, "hunter22") {
		t.Errorf("got %s", text)
	}
}
