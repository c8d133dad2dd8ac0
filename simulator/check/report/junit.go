package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/check"
)

// The elements of the JUnit format as Ant writes it (JUnit.xsd of Windy Road), which is the strictest of its readers: every element and attribute
// that it demands is there, in its order, and nothing else.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Package    string          `xml:"package,attr"`
		ID         int             `xml:"id,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Hostname   string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties junitProperties `xml:"properties"`
		Cases      []junitCase     `xml:"testcase"`
		Out        string          `xml:"system-out"`
		Err        string          `xml:"system-err"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Skipped *junitOutcome `xml:"skipped"`
		Error   *junitOutcome `xml:"error"`
		Failure *junitOutcome `xml:"failure"`
	}
	junitOutcome struct {
		Message string `xml:"message,attr,omitempty"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// longest is how much text one element holds; readers have limits.
const longest = 60_000

// JUnit writes a check as one suite for each file with reports: a test for each report, which fails when the check does because of it. Reports that do
// not make the check fail are in the suite's output; what was suppressed is skipped, with its reason.
func JUnit(w io.Writer, c *Check) error {
	all := junitSuites{}
	of := map[string]int{}
	suite := func(file string) *junitSuite {
		if file == "" {
			file = "gmsasim check"
		}
		i, known := of[file]
		if !known {
			i = len(all.Suites)
			of[file] = i
			all.Suites = append(all.Suites, junitSuite{Name: trimmed(file), Package: "gmsasim.check", ID: i, Timestamp: c.Time.UTC().Format("2006-01-02T15:04:05"),
				Hostname: "localhost", Time: "0", Properties: junitProperties{[]junitProperty{{"version", clean(c.Version)}, {"targets", joined(c.Targets)}}}})
		}
		return &all.Suites[i]
	}
	add := func(file, title, class string, skipped, broken, failure *junitOutcome) *junitSuite {
		s := suite(file)
		s.Cases = append(s.Cases, junitCase{trimmed(title), trimmed(class), "0", skipped, broken, failure})
		s.Tests++
		switch {
		case skipped != nil:
			s.Skipped++
		case broken != nil:
			s.Errors++
		case failure != nil:
			s.Failures++
		}
		return s
	}
	for i := range c.Reports {
		r := &c.Reports[i]
		text := clean(plain(r))
		if c.Fails(r) {
			add(name(r.Where), titled(r), r.Rule.Group, nil, nil, &junitOutcome{clean(masked(r.Message)), r.Rule.ID, text})
			continue
		}
		s := add(name(r.Where), titled(r), r.Rule.Group, nil, nil, nil)
		if len(s.Out) < longest {
			s.Out += text
		}
	}
	for i := range c.Suppressed {
		s := &c.Suppressed[i]
		add(name(s.Report.Where), titled(&s.Report), s.Report.Rule.Group, &junitOutcome{Message: clean("ignored on request: " + s.Reason)}, nil, nil)
	}
	for _, u := range c.Unread {
		add(u.Name, "read", "gmsasim", nil, &junitOutcome{clean(u.Reason), "unread", clean(u.Name + ": " + u.Reason)}, nil)
	}
	if len(all.Suites) == 0 {
		add("", fmt.Sprintf("%s checked", count(c.Files, "file")), "gmsasim", nil, nil, nil)
	}
	if lines := notChecked(c); len(lines) > 0 {
		all.Suites[0].Out += clean("not checked: " + strings.Join(lines, "\nnot checked: ") + "\n")
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func titled(r *check.Report) string {
	return fmt.Sprintf("%s %s", r.Rule.ID, r.Where.Start)
}

// plain is a report in a few lines without an excerpt.
func plain(r *check.Report) string {
	text := fmt.Sprintf("%s:%s: %s[%s]: %s\n", name(r.Where), r.Where.Start, r.Severity, r.Rule.ID, masked(r.Message))
	for _, rel := range r.Related {
		text += fmt.Sprintf("  %s:%s: %s\n", name(rel.Where), rel.Where.Start, masked(rel.Text))
	}
	if r.Consumer != "" {
		text += "  seen as: " + masked(r.Consumer) + "\n"
	}
	if help := repair(r); help != "" {
		text += "  help: " + help + "\n"
	}
	return text
}

// clean leaves out what XML 1.0 cannot hold (2.2), and cuts what is long.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…\n"
	}
	return text
}

// trimmed is a text as xs:token has it: without white space at its ends, or twice.
func trimmed(text string) string { return strings.Join(strings.Fields(clean(text)), " ") }

func joined(targets []check.Target) string {
	var list []string
	for _, t := range targets {
		list = append(list, string(t))
	}
	return strings.Join(list, " ")
}
