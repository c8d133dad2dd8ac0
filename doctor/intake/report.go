package intake

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ReportSchema names the form of a [Report] in JSON.
const ReportSchema = "gmsasim.import/1"

// A Report is what became of the files.
type Report struct {
	Schema string `json:"schema"`
	// File is the LDIF, of which Lines and Entries were read.
	File    string `json:"file,omitempty"`
	Lines   int    `json:"lines,omitempty"`
	Entries int    `json:"entries,omitempty"`
	Domain  string `json:"domain"`
	// Time is the domain time of the world, and TimeFrom where it is from.
	Time     time.Time `json:"time"`
	TimeFrom string    `json:"timeFrom"`
	// Read is how many objects of each kind the world has.
	Read []Count `json:"read"`
	// Warnings are about the case: something in the files that is odd in a directory.
	Warnings []Remark `json:"warnings"`
	// Assumed is what the files do not say.
	Assumed []Remark `json:"assumed"`
	// Ignored is what the files say and the world does not.
	Ignored []Remark `json:"ignored"`
	// IgnoredAttributes and IgnoredClasses are those of entries that the world has no place for.
	IgnoredAttributes []Count `json:"ignoredAttributes"`
	IgnoredClasses    []Count `json:"ignoredClasses"`
}

// A Count is how often there is something.
type Count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// A Remark is about one or several lines of a file.
type Remark struct {
	// File is another one than the LDIF.
	File string `json:"file,omitempty"`
	// Lines are the first ones that the remark is about, from 1; N is the number of all.
	Lines []int  `json:"lines,omitempty"`
	N     int    `json:"n"`
	Text  string `json:"text"`

	// What the text is made of: the texts and SIDs among the arguments are the case's, terms are everybody's.
	format string
	args   []any
}

// term is a text of which redaction leaves every letter: a word of Windows, of the schema or of a program.
type term string

// mostLines is how many lines a remark names.
const mostLines = 5

// remark adds a remark, or a line to one that says the same.
func remark(list *[]Remark, file string, line int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	i := slices.IndexFunc(*list, func(r Remark) bool { return r.Text == text && r.File == file })
	if i < 0 {
		*list = append(*list, Remark{File: file, Text: text, format: format, args: args})
		i = len(*list) - 1
	}
	r := &(*list)[i]
	r.N++
	if line > 0 && len(r.Lines) < mostLines {
		r.Lines = append(r.Lines, line)
	}
}

func (r *Report) warn(line int, format string, args ...any) {
	remark(&r.Warnings, "", line, format, args...)
}
func (r *Report) assume(line int, format string, args ...any) {
	remark(&r.Assumed, "", line, format, args...)
}
func (r *Report) ignore(line int, format string, args ...any) {
	remark(&r.Ignored, "", line, format, args...)
}

// tally makes counts, the most frequent first.
func tally(m map[string]int) []Count {
	list := make([]Count, 0, len(m))
	for name, n := range m {
		list = append(list, Count{name, n})
	}
	slices.SortFunc(list, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Name, b.Name)) })
	return list
}

// textLines is how many lines [Report.Text] has at most.
const textLines = 20

// Text is the report as people read it, of at most 20 lines: warnings come before assumptions, and those before what was ignored.
func (r *Report) Text() string {
	var b strings.Builder
	lines := 0
	line := func(format string, args ...any) {
		fmt.Fprintf(&b, format+"\n", args...)
		lines++
	}
	if r.File != "" {
		line("%s: %d entries, %d lines", r.File, r.Entries, r.Lines)
	}
	if r.Time.IsZero() {
		line("domain %s", r.Domain)
	} else {
		line("domain %s at %s (%s)", r.Domain, r.Time.UTC().Format("2006-01-02 15:04:05Z"), r.TimeFrom)
	}
	if len(r.Read) > 0 {
		line("read: %s", counts(r.Read, len(r.Read)))
	}
	left := len(r.Warnings) + len(r.Assumed) + len(r.Ignored)
	for _, part := range []struct {
		name string
		list []Remark
	}{{"warning", r.Warnings}, {"assumed", r.Assumed}, {"ignored", r.Ignored}} {
		for _, m := range part.list {
			if lines >= textLines-3 && left > 1 {
				break
			}
			line("%s: %s", part.name, m)
			left--
		}
	}
	if left > 0 {
		line("and %d more; --json has all of them", left)
	}
	const some = 6
	if len(r.IgnoredClasses) > 0 {
		line("ignored objects: %s", counts(r.IgnoredClasses, some))
	}
	if len(r.IgnoredAttributes) > 0 {
		line("ignored attributes: %s", counts(unusual(r.IgnoredAttributes), some))
	}
	return b.String()
}

// usual are attributes that nearly every object has, by lower-case name.
const usual = ` instancetype objectcategory usnchanged usncreated samaccounttype iscriticalsystemobject badpwdcount badpasswordtime codepage countrycode lastlogoff lastlogon logoncount localpolicyflags admincount dscorepropagationdata showinadvancedviewonly systemflags displayname description `

// unusual puts what nearly every object has behind what says more about a directory.
func unusual(list []Count) []Count {
	isUsual := func(c Count) bool { return strings.Contains(usual, " "+strings.ToLower(c.Name)+" ") }
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Count) int {
		switch x, y := isUsual(a), isUsual(b); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	return list
}

// String is the remark with its file and its lines.
func (m Remark) String() string {
	where := m.File
	if len(m.Lines) > 0 {
		var s []string
		for _, l := range m.Lines {
			s = append(s, fmt.Sprint(l))
		}
		if where != "" {
			where += ", "
		}
		where += "line"
		if len(s) > 1 {
			where += "s"
		}
		where += " " + strings.Join(s, ", ")
		if m.N > len(s) {
			where += fmt.Sprintf(" and %d more", m.N-len(s))
		}
	}
	if where == "" {
		return m.Text
	}
	return m.Text + " (" + where + ")"
}

func counts(list []Count, most int) string {
	var s []string
	for _, c := range list[:min(most, len(list))] {
		s = append(s, fmt.Sprintf("%d %s", c.N, c.Name))
	}
	if n := len(list) - len(s); n > 0 {
		s = append(s, fmt.Sprintf("and %d other kinds", n))
	}
	return strings.Join(s, ", ")
}
