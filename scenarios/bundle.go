package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/txtar"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Schema is the version of the format that this package reads.
const Schema = "gmsasim/v1"

const (
	mainPart   = "scenario.yaml"
	goldenPart = "want/"
)

// Limits of a bundle.
const (
	maxCases = 256
	maxSteps = 1024
)

// A Bundle is a scenario: a domain, steps in it, and what each must come to.
type Bundle struct {
	// File is where the bundle was read from, as given to [Parse].
	File string
	// ID names the bundle; it is the name of the file without its extension.
	ID string
	// Title stands alone, without a full stop.
	Title string
	// Area is the part of the domain that it is about, for instance kds or spn.
	Area string
	// Level is how hard it is to see through, from 1 to 3.
	Level int
	// Mode is the failure mode that the bundle is about, an id of [diag.Modes]; "" for one that is about no failure.
	Mode string
	// Covers are names of [Sections].
	Covers []string
	// Findings are the causes that its steps run into, in the order of the file.
	Findings []diag.Code
	// Lesson is the text above the parts.
	Lesson string
	// BuiltIn tells that the bundle is part of the catalogue inside the program, so its file cannot be written.
	BuiltIn bool
	// Cases are the ways in which the steps are run; at least one.
	Cases []*Case

	archive *txtar.Archive
	goldens map[string]string // by name, for instance want/create.txt
	inputs  inputs
}

// A Case is one row of a bundle's table: its domain and its steps with the row's values in place.
type Case struct {
	// Name tells the case from the others of its bundle; "" when there is only one.
	Name string
	// Values are the columns of the row in the order of the file.
	Values []Value
	// Mode is the failure mode of the case: the bundle's, or what the column mode says; "" for none.
	Mode string

	bundle *Bundle
	plan   plan
}

// Value is one column of a case.
type Value struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// header is the part scenario.yaml without what depends on the case.
type header struct {
	Schema   string      `yaml:"schema"`
	ID       string      `yaml:"id"`
	Title    string      `yaml:"title"`
	Area     string      `yaml:"area,omitempty"`
	Level    int         `yaml:"level,omitempty"`
	Mode     string      `yaml:"mode,omitempty"`
	Covers   []string    `yaml:"covers,omitempty"`
	Findings []diag.Code `yaml:"findings,omitempty"`
	Domain   rawNode     `yaml:"domain,omitempty"`
	Cases    rawNode     `yaml:"cases,omitempty"`
	Steps    rawNode     `yaml:"steps"`
}

// rawNode keeps a value for later.
type rawNode struct{ *node }

func (r *rawNode) decodeNode(_ *decoder, n *node) { r.node = n }

var bundleID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Load reads a bundle from a file: a txtar file, or a bare YAML file that holds the part scenario.yaml alone.
func Load(file string) (*Bundle, error) {
	data, err := readSource(file)
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	return Parse(file, data)
}

// readSource reads a file, of one that is too large no more than it takes to say so.
func readSource(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSource+1))
}

// Parse reads a bundle. file is its name, for messages and for the comparison with the id; a name that ends in .yaml or .yml is a
// bare scenario.yaml. The error joins one [*SourceError] for each fault.
func Parse(file string, data []byte) (*Bundle, error) {
	if len(data) > maxSource {
		return nil, &SourceError{Place: Place{file, 1, 1}, Problem: fmt.Sprintf("%d bytes, at most %d are read", len(data), maxSource)}
	}
	b := &Bundle{File: file, goldens: map[string]string{}, inputs: inputs{map[string]string{}, map[string]bool{}}}
	bare := isYAML(file)
	if bare {
		b.archive = &txtar.Archive{Files: []txtar.File{{Name: mainPart, Data: data}}}
	} else {
		b.archive = txtar.Parse(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
	}
	b.Lesson = strings.TrimSpace(string(b.archive.Comment))
	parts := partsOf(file, b.archive, bare)
	main := slices.IndexFunc(parts, func(p part) bool { return p.name == mainPart })
	if main < 0 {
		return nil, &SourceError{Place: Place{file, 1, 1}, Problem: "there is no part -- " + mainPart + " --"}
	}
	d := &decoder{}
	for i, p := range parts {
		switch {
		case slices.ContainsFunc(parts[:i], func(o part) bool { return o.name == p.name }):
			d.fail(&SourceError{Place: p.marker, Problem: fmt.Sprintf("the part %s is there already", p.name)})
		case path.Clean(p.name) != p.name || path.IsAbs(p.name) || strings.HasPrefix(p.name, ".."):
			d.fail(&SourceError{Place: p.marker, Problem: fmt.Sprintf("%q is not a clean relative name", p.name)})
		case strings.HasPrefix(p.name, goldenPart):
			b.goldens[p.name] = string(b.archive.Files[i].Data)
		case p.name != mainPart:
			b.inputs.parts[p.name] = string(b.archive.Files[i].Data)
		}
	}
	root, err := parseYAML(file, parts[main].line, b.archive.Files[main].Data)
	if err != nil {
		d.faults = append(d.faults, err)
		return nil, d.err()
	}
	b.read(d, root, bare)
	if err := d.err(); err != nil {
		return nil, err
	}
	b.checkGoldens(d, parts)
	b.checkInputs(d, parts)
	if err := d.err(); err != nil {
		return nil, err
	}
	return b, nil
}

func isYAML(file string) bool {
	ext := strings.ToLower(filepath.Ext(file))
	return ext == ".yaml" || ext == ".yml"
}

// part is one file of the archive: where its marker is, and the line on which its data begins.
type part struct {
	name   string
	marker Place
	line   int
}

func partsOf(file string, a *txtar.Archive, bare bool) []part {
	if bare {
		return []part{{mainPart, Place{file, 1, 1}, 1}}
	}
	line := bytes.Count(a.Comment, []byte("\n")) + 1
	var parts []part
	for _, f := range a.Files {
		parts = append(parts, part{f.Name, Place{file, line, 1}, line + 1})
		line += 1 + bytes.Count(f.Data, []byte("\n"))
	}
	return parts
}

// read fills b from scenario.yaml.
func (b *Bundle) read(d *decoder, root *node, bare bool) {
	if root.kind == mappingNode {
		// A file of a later version is refused for that, whatever else it holds.
		if s := root.get("schema"); s != nil && s.kind == scalarNode && s.text != Schema {
			d.fail(s.errorNear(s.text, []string{Schema}, "schema %q: this version reads %s", s.text, Schema))
			return
		}
		if len(root.fields) > 0 && root.fields[0].key.text != "schema" {
			d.fail(root.fields[0].key.errorAt("the first key is schema: %s", Schema))
		}
	}
	var h header
	d.decode(root, &h)
	if root.kind != mappingNode {
		return
	}
	b.ID, b.Title, b.Area, b.Level, b.Mode, b.Covers, b.Findings = h.ID, h.Title, h.Area, h.Level, h.Mode, h.Covers, h.Findings
	if n := root.get("id"); n != nil {
		if !bundleID.MatchString(h.ID) || strings.Count(h.ID, "-") > 4 {
			d.fail(n.errorAt("%q is not an id: up to five words of small letters and digits, joined by hyphens", h.ID))
		} else if want := strings.TrimSuffix(filepath.Base(b.File), filepath.Ext(b.File)); h.ID != want && bundleID.MatchString(want) && !bare {
			d.fail(n.errorAt("the id is %s and the file is named %s; they must be the same", h.ID, want))
		}
	}
	if n := root.get("title"); n != nil && strings.TrimSpace(h.Title) == "" {
		d.fail(n.errorAt("the title is empty"))
	}
	if n := root.get("area"); n != nil && !slices.Contains(areas, h.Area) {
		d.fail(n.errorNear(h.Area, areas, "no area %q; known: %s", h.Area, strings.Join(areas, ", ")))
	}
	if n := root.get("level"); n != nil && (h.Level < 1 || h.Level > 3) {
		d.fail(n.errorAt("level %d is not 1, 2 or 3", h.Level))
	}
	if n := root.get("mode"); n != nil {
		b.checkMode(d, n, h.Mode, false)
	}
	b.checkNames(d, root.get("covers"), sectionNames(), "no section %q of the guide")
	b.checkNames(d, root.get("findings"), codeNames(), "no finding %q")
	if h.Steps.node == nil {
		return
	}
	if h.Steps.kind != sequenceNode {
		d.fail(h.Steps.errorAt("want a list of steps, got %s", h.Steps.kind))
		return
	}
	if n := len(h.Steps.items); n == 0 || n > maxSteps {
		d.fail(h.Steps.errorAt("%d steps; a scenario has 1 to %d", n, maxSteps))
		return
	}
	rows := b.readCases(d, h.Cases.node)
	if len(d.faults) > 0 && rows == nil {
		return
	}
	used := map[string]bool{}
	for _, row := range rows {
		c := &Case{Name: row.name, Values: row.values, Mode: b.Mode, bundle: b}
		for _, col := range row.columns {
			if col.key.text == modeColumn && col.value.kind == scalarNode {
				c.Mode = col.value.text
				if c.Mode == noMode {
					c.Mode = ""
				}
				b.checkMode(d, col.value, col.value.text, true)
			}
		}
		sub := substitution{d: d, row: row, used: used}
		cd := &decoder{}
		c.plan = readPlan(cd, sub.apply(h.Domain.node), sub.apply(h.Steps.node), b.inputs)
		d.merge(cd)
		b.Cases = append(b.Cases, c)
	}
	if len(rows) > 0 {
		for _, col := range rows[0].columns {
			if !used[col.key.text] && col.key.text != caseColumn && col.key.text != modeColumn {
				d.fail(col.key.errorAt("no step uses the column %s; write $%s where its value goes", col.key.text, col.key.text))
			}
		}
	}
	if len(d.faults) == 0 {
		b.checkFindings(d, root)
	}
}

// merge takes over the faults of a case that no earlier case had.
func (d *decoder) merge(o *decoder) {
	for _, err := range o.faults {
		if !slices.ContainsFunc(d.faults, func(e error) bool { return e.Error() == err.Error() }) {
			d.faults = append(d.faults, err)
		}
	}
}

// codeNames are the codes of findings. Nobody changes them.
var codeNames = sync.OnceValue(func() []string {
	var names []string
	for _, e := range diag.All() {
		names = append(names, string(e.Code))
	}
	return names
})

// checkMode checks the name of a failure mode; a case may also say that it has none.
func (b *Bundle) checkMode(d *decoder, n *node, mode string, none bool) {
	if _, ok := diag.LookupMode(mode); ok || none && mode == noMode {
		return
	}
	var names []string
	for _, m := range diag.Modes() {
		names = append(names, m.ID)
	}
	d.fail(n.errorNear(mode, names, "no failure mode %q", mode))
}

// checkNames checks a list of words.
func (b *Bundle) checkNames(d *decoder, list *node, known []string, problem string) {
	if list == nil || list.kind != sequenceNode {
		return
	}
	for i, item := range list.items {
		switch {
		case item.kind != scalarNode:
			// decode has said so
		case !slices.Contains(known, item.text):
			d.fail(item.errorNear(item.text, known, problem, item.text))
		case slices.ContainsFunc(list.items[:i], func(o *node) bool { return o.text == item.text }):
			d.fail(item.errorAt("%s is named twice", item.text))
		}
	}
}

// checkFindings keeps the list findings true: what it names is expected by a step, and what steps expect is named.
func (b *Bundle) checkFindings(d *decoder, root *node) {
	expected := map[diag.Code]bool{}
	for _, c := range b.Cases {
		for _, s := range c.plan.steps {
			if code := s.expect.Finding; code != "" {
				expected[code] = true
				if !slices.Contains(b.Findings, code) {
					at := s.place
					if s.expect.at != nil {
						at = s.expect.at.place
					}
					e := &SourceError{Place: at, Problem: fmt.Sprintf("a step expects %s, which the list findings does not name", string(code))}
					d.merge(&decoder{faults: []error{e}})
				}
			}
		}
	}
	for i, code := range b.Findings {
		if !expected[code] {
			d.fail(root.get("findings").items[i].errorAt("no step expects %s", string(code)))
		}
	}
}

// checkInputs finds parts that no step uses.
func (b *Bundle) checkInputs(d *decoder, parts []part) {
	for _, p := range parts {
		if _, input := b.inputs.parts[p.name]; input && !b.inputs.used[p.name] {
			e := &SourceError{Place: p.marker, Problem: fmt.Sprintf("nothing uses the part %s; goldens are below %s", p.name, goldenPart)}
			e.Nearest = diag.Nearest(p.name, []string{mainPart})
			d.fail(e)
		}
	}
}

// checkGoldens keeps the parts below want/ and the outputs of steps together.
func (b *Bundle) checkGoldens(d *decoder, parts []part) {
	used := map[string]bool{}
	for _, c := range b.Cases {
		for _, s := range c.plan.steps {
			if s.expect.Output != "" {
				used[s.expect.Output] = true
			}
		}
	}
	var outputs []string
	for name := range used {
		outputs = append(outputs, name)
	}
	slices.Sort(outputs)
	for _, p := range parts {
		if strings.HasPrefix(p.name, goldenPart) && !used[p.name] {
			e := &SourceError{Place: p.marker, Problem: fmt.Sprintf("no step has the output %s", p.name)}
			e.Nearest = diag.Nearest(p.name, outputs)
			d.fail(e)
		}
	}
}

// Golden gives a part below want/ as it is in the file.
func (b *Bundle) Golden(name string) (string, bool) {
	s, ok := b.goldens[name]
	return s, ok
}

// Format gives the text of the bundle with some goldens replaced or added, by name. All else stays byte for byte. A bare YAML file
// has no goldens.
func (b *Bundle) Format(goldens map[string]string) ([]byte, error) {
	if isYAML(b.File) {
		if len(goldens) > 0 {
			return nil, errors.New("a bare YAML file holds no goldens; make it a txtar file")
		}
		return b.archive.Files[0].Data, nil
	}
	a := &txtar.Archive{Comment: b.archive.Comment, Files: slices.Clone(b.archive.Files)}
	var names []string
	for name := range goldens {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == name })
		if i < 0 {
			a.Files = append(a.Files, txtar.File{Name: name})
			i = len(a.Files) - 1
		}
		a.Files[i].Data = []byte(goldens[name])
	}
	return txtar.Format(a), nil
}
