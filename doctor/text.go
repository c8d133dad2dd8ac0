package doctor

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Style paints parts of a text.
type Style struct {
	// Marks are the signs of the links.
	Marks map[Mark]string
	// Faint is for what matters less; nil leaves it as it is.
	Faint func(string) string
}

// Plain has no colour and no signs outside ASCII.
var Plain = Style{Marks: map[Mark]string{Works: "ok  ", Fails: "FAIL", NotReached: "-   ", NotChecked: ".   "}}

// Text is the report as people read it. It ends with a newline.
func (r *Report) Text(s Style) string {
	var b strings.Builder
	b.WriteString(r.Scenario)
	if r.Case != "" {
		b.WriteString(" · " + r.Case)
	}
	fmt.Fprintf(&b, " · %s · domain time %s\n", r.Domain, r.Time.UTC().Format("2006-01-02 15:04Z"))
	if c := r.Complaint; c != nil {
		fmt.Fprintf(&b, "\ncomplaint: step %d, %s %s\n", c.N, c.Verb, cut(c.Arguments))
	}
	if r.Chain != nil {
		r.Chain.write(&b, s)
	}
	for i, c := range r.Causes {
		b.WriteByte('\n')
		if len(r.Causes) > 1 {
			fmt.Fprintf(&b, "cause %d of %d\n", i+1, len(r.Causes))
		}
		b.WriteString(c.Finding.Text())
		if c.Finding.Mode != "" {
			fmt.Fprintf(&b, "    mode        %s\n", c.Finding.Mode)
		}
		for _, h := range c.Fixes {
			writeHelp(&b, "fix (replayed): "+h.Text, h.Command)
		}
		for _, a := range c.Advice {
			writeHelp(&b, fmt.Sprintf("help (not proved, %s): %s", a.Unproved, a.Text), a.Command)
		}
	}
	return b.String()
}

// cut shortens what fills lines: the arguments of a step can be a whole document. --json has all of them.
func cut(text string) string {
	const most = 160
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

func writeHelp(b *strings.Builder, text, command string) {
	b.WriteString(text + "\n")
	if command != "" {
		for line := range strings.Lines(command) {
			b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
		}
	}
}

// Summary is the result in one line.
func (r *Report) Summary() string {
	replays := fmt.Sprintf("%d replays", r.Replays)
	if r.Replays == 1 {
		replays = "1 replay"
	}
	switch {
	case r.Outcome == Healthy:
		return "nothing wrong: no step ends in a finding"
	case len(r.Causes) == 1 && r.Outcome == Repaired:
		return fmt.Sprintf("1 cause, and a fix that was replayed to success (%s)", replays)
	case r.Outcome == Repaired:
		return fmt.Sprintf("%d causes; with the first fix of each, in this order, the step succeeds (%s)", len(r.Causes), replays)
	case len(r.Causes) == 1:
		return fmt.Sprintf("1 cause; no help was replayed to success (%s)", replays)
	default:
		return fmt.Sprintf("%d causes; no help for the last one was replayed to success (%s)", len(r.Causes), replays)
	}
}

func (c *Chain) write(b *strings.Builder, s Style) {
	if c.Host != "" {
		fmt.Fprintf(b, "\n%s on %s\n", c.Account, c.Host)
	} else {
		b.WriteString("\nchecks\n")
	}
	width := 0
	for _, l := range c.Links {
		width = max(width, utf8.RuneCountInString(l.What))
	}
	for _, l := range c.Links {
		end := ""
		switch {
		case l.Finding != nil:
			end = string(l.Finding.Code)
		case l.Mark != Works:
			end = string(l.Mark)
		}
		if l.Why != "" {
			end += " (" + l.Why + ")"
		}
		if l.Mark != Fails && s.Faint != nil && end != "" {
			end = s.Faint(end)
		}
		line := fmt.Sprintf(" %s %-3s %s%s  %s", s.Marks[l.Mark], l.Step, l.What, strings.Repeat(" ", width-utf8.RuneCountInString(l.What)), end)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// Text is the differential diagnosis as people read it.
func (d *Differential) Text() string {
	var b strings.Builder
	if len(d.Fitting) == 0 {
		fmt.Fprintf(&b, "%q: nothing in the scenarios shows this\n", d.Symptom)
		return b.String()
	}
	fmt.Fprintf(&b, "%q fits\n\n", d.Symptom)
	width := 0
	for _, f := range d.Fitting {
		width = max(width, len(f.Cause))
	}
	for _, f := range d.Fitting {
		fmt.Fprintf(&b, " %-*s  %s  %s\n", width, f.Cause, string(f.Code), f.Title)
		fmt.Fprintf(&b, " %-*s  seen: %s\n", width, "", f.Seen)
	}
	if d.More > 0 {
		fmt.Fprintf(&b, " and %d more; more words narrow it down\n", d.More)
	}
	if len(d.Tests) > 0 {
		b.WriteString("\nwhat tells them apart, most informative first\n")
	}
	const most = 5
	for _, t := range d.Tests[:min(most, len(d.Tests))] {
		fmt.Fprintf(&b, "\n %s   (%s, %.2f bits)\n", t.Command, t.Where, t.Bits)
		for _, o := range t.Outcomes {
			fmt.Fprintf(&b, "    %s\n        %s\n", o.Seen, shortened(o.Causes))
		}
	}
	return b.String()
}

// shortened names the first of many.
func shortened(names []string) string {
	const most = 4
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
