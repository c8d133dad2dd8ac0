// Package report writes what a check found: for people, for programs, and in the formats of the services that show findings beside files.
package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/gather"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Check is a check that is over.
type Check struct {
	*check.Result
	// Targets were in force.
	Targets []check.Target
	// Files is how many files were read, Unknown are those given by name in which nothing is about credential specs.
	Files   int
	Unknown []string
	Unread  []gather.Unread
	// FailOn is the least severity that makes the check fail.
	FailOn Threshold
	// Exit is the status that the command ends with.
	Exit int
	// Version is that of gmsasim. Time is when the check ran; only the formats that demand it have it.
	Version string
	Time    time.Time
}

// Threshold is a severity, or Never.
type Threshold int

// Never: nothing makes a check fail.
const Never Threshold = Threshold(check.Error) + 1

// Thresholds are their names, the least severe first.
func Thresholds() []string { return []string{"info", "warning", "error", "never"} }

// ParseThreshold reads the name of a threshold.
func ParseThreshold(name string) (Threshold, bool) {
	i := slices.Index(Thresholds(), name)
	return Threshold(i), i >= 0
}

// Fails tells whether a report makes the check fail.
func (c *Check) Fails(r *check.Report) bool { return Threshold(r.Severity) >= c.FailOn }

// Failed tells whether some report does.
func (c *Check) Failed() bool {
	return slices.ContainsFunc(c.Reports, func(r check.Report) bool { return c.Fails(&r) })
}

// Count is how many reports have a severity.
func (c *Check) Count(s check.Severity) int {
	n := 0
	for _, r := range c.Reports {
		if r.Severity == s {
			n++
		}
	}
	return n
}

// Fixable is how many reports have a fix.
func (c *Check) Fixable() int {
	n := 0
	for _, r := range c.Reports {
		if len(r.Fix) > 0 {
			n++
		}
	}
	return n
}

// Pages is where the rules are explained, each under its id.
const Pages = "https://github.com/gmsasim/gmsasim/blob/main/docs/reference/rules.md"

// Page is the page of a rule.
func Page(r *check.Rule) string { return Pages + "#" + r.ID }

// repair is what to do about a report.
func repair(r *check.Report) string {
	if r.Repair != "" {
		return r.Repair
	}
	return r.Rule.Repair
}

// name is the file of a place, "" when it has none.
func name(s source.Span) string {
	if s.File == nil {
		return ""
	}
	return s.File.Name
}

// Formats are the names of the formats.
func Formats() []string {
	return []string{"text", "json", "sarif", "junit", "github", "gitlab", "markdown"}
}

// Write writes a check in one of the formats but text, which has a style: see [Text].
func Write(w io.Writer, format string, c *Check) error {
	write, ok := map[string]func(io.Writer, *Check) error{
		"json": JSON, "sarif": SARIF, "junit": JUnit, "github": GitHub, "gitlab": GitLab, "markdown": Markdown,
		"text": func(w io.Writer, c *Check) error { return Text(w, c, Style{}) },
	}[format]
	if !ok {
		return fmt.Errorf("no format %q", format)
	}
	return write(w, c)
}

// secret is a password in the notation of plug-ins' inputs, which reports must not spread further.
var secret = regexp.MustCompile(`(?i)\b(?:password|passwd|pwd)\s*[=:]\s*\\?"?([^;,"'\\\s]+)`)

// masked hides passwords; the number of letters stays, so that columns do.
func masked(text string) string {
	places := secret.FindAllStringSubmatchIndex(text, -1)
	for i := len(places) - 1; i >= 0; i-- {
		from, to := places[i][2], places[i][3]
		text = text[:from] + strings.Repeat("*", len([]rune(text[from:to]))) + text[to:]
	}
	return text
}

// Visible shows control characters, and what changes the direction of text, as what they are: a file must not write on the terminal.
func Visible(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\t' || !hidden(r):
			b.WriteRune(r)
		default:
			b.WriteRune('\uFFFD')
		}
	}
	return b.String()
}

func hidden(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
}
