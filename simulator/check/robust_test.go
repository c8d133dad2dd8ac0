package check

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// corpus are the files that the tests of this page damage: our own, those of the rules' examples, and the public ones where they are there. Of
// files with one text, one is kept.
//
// examples is where those of the rules' examples begin, which are many and alike.
func corpus(t *testing.T) (list []*source.File, examples int) {
	t.Helper()
	seen := map[string]bool{}
	add := func(name string, data []byte) {
		if !seen[string(data)] {
			seen[string(data)] = true
			list = append(list, source.NewFile(name, data))
		}
	}
	walk := func(dir string) {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "index.json") || strings.HasSuffix(path, "lint-rules.json") || strings.HasSuffix(path, "INDEX.md") {
				return err
			}
			data, err := os.ReadFile(path)
			rel, _ := filepath.Rel(dir, path)
			add(filepath.ToSlash(rel), data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"../../../shared", "../../../../shared"} {
		if _, err := os.Stat(filepath.Join(dir, "reference/fixtures/index.json")); err == nil {
			walk(filepath.Join(dir, "reference/fixtures"))
			break
		}
	}
	public := len(list)
	walk("testdata/files")
	own := len(list) - public
	paths, err := filepath.Glob("testdata/rules/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range append(part(t, a, "bad/"), part(t, a, "good/")...) {
			if f.Size < 8000 { // the long ones are like short ones
				stored, _ := source.Apply(f, nil)
				add(f.Name, stored)
			}
		}
	}
	t.Logf("%d public files, %d of our own, %d of the rules' examples", public, own, len(list)-public-own)
	if own < 60 {
		t.Errorf("%d files of our own", own)
	}
	return list, public + own
}

// damaged runs the rules over a damaged file and holds every report to what reports are.
func damaged(t *testing.T, name string, data []byte) (*setup.Setup, *Result) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: panic: %v in\n%s", name, p, data)
			panic(p)
		}
	}()
	s := setup.Read([]*source.File{source.NewFile(name, data)})
	r := Run(s, Options{Targets: Targets(), Hosts: []string{"web01.lab.example"}})
	for _, report := range r.Reports {
		if fault := placeFault(report.Where, s.Files[0]); fault != "" {
			t.Errorf("%s: %s: %s: %s in\n%s", name, report.Rule.ID, report.Message, fault, data)
		}
		for _, o := range report.Related {
			if fault := placeFault(o.Where, s.Files[0]); fault != "" {
				t.Errorf("%s: %s: related: %s in\n%s", name, report.Rule.ID, fault, data)
			}
		}
		for _, e := range report.Fix {
			if e.File != s.Files[0] || e.Start < 0 || e.End < e.Start || e.End > len(e.File.Data) {
				t.Errorf("%s: %s: the fix is at %d to %d of %d bytes", name, report.Rule.ID, e.Start, e.End, len(e.File.Data))
			}
		}
	}
	for i, report := range r.Reports {
		if i > 0 && report.Rule == r.Reports[i-1].Rule && report.Where == r.Reports[i-1].Where && report.Message == r.Reports[i-1].Message {
			t.Errorf("%s: %s twice: %s", name, report.Rule.ID, report.Message)
		}
	}
	return s, r
}

// placeFault tells why a span is no place in a file.
func placeFault(s source.Span, f *source.File) string {
	switch {
	case s.File != f:
		return "the place is in another file"
	case s.Offset < 0 || s.Length < 0 || s.Offset+s.Length > len(f.Data):
		return fmt.Sprintf("bytes %d to %d of %d", s.Offset, s.Offset+s.Length, len(f.Data))
	case s.Start != f.Position(s.Offset) || s.End != f.Position(s.Offset+s.Length):
		return fmt.Sprintf("%s to %s is not where the bytes are", s.Start, s.End)
	case s.Start.Line < 1 || s.Start.Column < 1:
		return fmt.Sprintf("%s is no place", s.Start)
	}
	return ""
}

// syntaxRules report that a JSON text is not one document.
var syntaxRules = []string{"file-empty", "json-syntax", "json-truncated", "json-comment", "json-trailing-comma", "json-trailing-data"}

// each runs f over the files with as many goroutines as there are processors, and waits.
func each(files []*source.File, f func(*source.File)) {
	var wait sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(files); i = int(next.Add(1)) - 1 {
				f(files[i])
			}
		})
	}
	wait.Wait()
}

// underRace tells that the race detector looks on, which takes ten times as long.
var underRace bool

// TestTruncated cuts every file after every byte (the rules' examples after every 23rd; with -short and under the race detector after every 47th): a credential spec in JSON is then
// reported once and for nothing else, and no file in JSON is reported twice for it.
func TestTruncated(t *testing.T) {
	files, examples := corpus(t)
	alike := map[*source.File]bool{}
	for _, f := range files[examples:] {
		alike[f] = true
	}
	var runs, reports atomic.Int64
	each(files, func(f *source.File) {
		stored, _ := source.Apply(f, nil)
		step := 1
		switch {
		case testing.Short() || underRace:
			step = 47
		case alike[f]:
			step = 23
		}
		whole := strings.TrimSpace(string(stored))
		clean := false
		if d := setup.Read([]*source.File{source.NewFile(f.Name, stored)}).Documents; len(d) == 1 && d[0].Form == setup.FormCredentialSpec && setup.Language(f) == "json" {
			clean = len(d[0].Faults) == 0 && f.Encoding == "" && d[0].Root != nil && d[0].Root.Kind == source.Object && len(d[0].Root.Members) > 0
			if clean { // before its first section, nobody can tell what a file was to become
				_, known := specShape.keyOf(d[0].Root.Members[0].Key.Text)
				clean = known
			}
		}
		for n := 0; n < len(stored); n += step {
			if n > 1 && stored[n-1] == ' ' && stored[n-2] == ' ' {
				continue // the second blank of a row ends the file as the first did
			}
			s, r := damaged(t, f.Name, stored[:n])
			runs.Add(1)
			reports.Add(int64(len(r.Reports)))
			if setup.Language(f) != "json" {
				continue
			}
			var syntax, ended []string
			for _, report := range r.Reports {
				if slices.Contains(syntaxRules, report.Rule.ID) {
					syntax = append(syntax, report.Rule.ID)
				}
				if report.Rule.ID == "json-truncated" || report.Rule.ID == "json-syntax" {
					ended = append(ended, report.Rule.ID)
				}
			}
			cut := strings.TrimSpace(string(stored[:n])) != whole
			if len(ended) > 1 {
				t.Errorf("%s after %d bytes: %v", f.Name, n, ended)
			}
			if clean && cut && (len(syntax) != 1 || len(r.Reports) != 1) {
				t.Errorf("%s after %d bytes: %d reports\n%s\n%s", f.Name, n, len(r.Reports), listOf(r), stored[:n])
			}
			if len(ended) == 1 && len(s.Uses) > 0 && s.Uses[0].File == s.Files[0] && setup.Language(f) == "json" && cut && s.Documents[0].Form != setup.FormDockerArgs {
				t.Errorf("%s after %d bytes is broken and used", f.Name, n)
			}
		}
	})
	t.Logf("%d truncated files, %d reports", runs.Load(), reports.Load())
}

func listOf(r *Result) string {
	var b strings.Builder
	for _, report := range r.Reports {
		fmt.Fprintf(&b, "  %s %s %s\n", report.Where.Start, report.Rule.ID, report.Message)
	}
	return b.String()
}

// TestDamaged changes every file at random, always in the same way for a seed: bytes, lines, words.
func TestDamaged(t *testing.T) {
	files, _ := corpus(t)
	rounds := 20
	if testing.Short() || underRace {
		rounds = 3
	}
	var runs, reports, fixes atomic.Int64
	each(files, func(f *source.File) {
		stored, _ := source.Apply(f, nil)
		for seed := range rounds {
			random := rand.New(rand.NewPCG(uint64(seed), uint64(len(stored))))
			data := stored
			for range 1 + random.IntN(3) {
				data = damage(random, data)
			}
			_, r := damaged(t, f.Name, data)
			runs.Add(1)
			reports.Add(int64(len(r.Reports)))
			for _, report := range r.Reports {
				if len(report.Fix) > 0 {
					fixes.Add(1)
					fixed(t, f.Name, data, report)
				}
			}
		}
	})
	t.Logf("%d damaged files, %d reports, %d fixes", runs.Load(), reports.Load(), fixes.Load())
}

// fixed applies the fix of one report: the rule has less to report then, and what could be read still can be.
func fixed(t *testing.T, name string, data []byte, report Report) {
	t.Helper()
	count := func(data []byte) (n, unreadable int) {
		s := setup.Read([]*source.File{source.NewFile(name, data)})
		for _, r := range Run(s, Options{All: true, Targets: Targets()}).Reports {
			switch {
			case r.Rule == report.Rule && r.Message == report.Message: // of two things that are missing, one may be certain
				n++
			case slices.Contains([]string{"json-syntax", "json-truncated", "k8s-yaml-syntax"}, r.Rule.ID):
				unreadable++
			}
		}
		return n, unreadable
	}
	after, skipped := source.Apply(report.Where.File, report.Fix)
	n, unreadable := count(data)
	m, unreadableAfter := count(after)
	if m >= n || skipped > 0 || unreadableAfter > unreadable && report.Rule.Group != "docker" { // an option that counts now has a text that is read now
		t.Errorf("%s: the fix of %s (%s) leaves %d of %d reports, %d unreadable, %d edits left out:\n%s\nbefore\n%s", name, report.Rule.ID, report.Message, m, n, unreadableAfter, skipped, after, data)
	}
}

// damage makes one change.
func damage(random *rand.Rand, data []byte) []byte {
	data = bytes.Clone(data)
	if len(data) == 0 {
		return []byte{byte(random.IntN(256))}
	}
	at := random.IntN(len(data))
	lines := bytes.SplitAfter(data, []byte("\n"))
	line := random.IntN(len(lines))
	switch random.IntN(7) {
	case 0: // another byte
		data[at] = byte(random.IntN(256))
		return data
	case 1: // a byte of those that have a meaning
		const signs = "{}[]\",:'-#&*|>\\/ \n\t$<@=%!?.0aA"
		data[at] = signs[random.IntN(len(signs))]
		return data
	case 2: // some bytes less
		return append(data[:at:at], data[min(at+1+random.IntN(8), len(data)):]...)
	case 3: // a line less
		return bytes.Join(slices.Delete(lines, line, line+1), nil)
	case 4: // a line twice
		return bytes.Join(slices.Insert(lines, line, lines[line]), nil)
	case 5: // two lines for each other
		other := random.IntN(len(lines))
		lines[line], lines[other] = lines[other], lines[line]
		return bytes.Join(lines, nil)
	default: // two words for each other
		words := bytes.FieldsFunc(data, func(r rune) bool { return strings.ContainsRune(" \n\t\",:{}[]'", r) })
		if len(words) < 2 {
			return data
		}
		a, b := words[random.IntN(len(words))], words[random.IntN(len(words))]
		return bytes.Replace(data, a, b, 1)
	}
}

// TestYields: a rule yields to rules that there are, and no two rules wait for each other, since neither would report then.
func TestYields(t *testing.T) {
	rules := map[string]*Rule{}
	for _, r := range Rules() {
		rules[r.ID] = r
	}
	var visit func(path []string, r *Rule)
	visit = func(path []string, r *Rule) {
		if slices.Contains(path, r.ID) {
			t.Errorf("rules yield in a circle: %v", append(path, r.ID))
			return
		}
		for _, id := range r.YieldsTo {
			if rules[id] == nil {
				t.Errorf("%s yields to %s, which there is not", r.ID, id)
				continue
			}
			visit(append(path[:len(path):len(path)], r.ID), rules[id])
		}
	}
	for _, r := range rules {
		visit(nil, r)
	}
}
