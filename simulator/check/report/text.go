package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Style is how text looks.
type Style struct {
	// Paint gives a text a colour, by its number in the terminal's language (31 is red); nil leaves it as it is.
	Paint func(code, text string) string
	// All shows everything about rules that could not be checked.
	All bool
}

func (s Style) paint(code, text string) string {
	if s.Paint == nil {
		return text
	}
	return s.Paint(code, text)
}

var severityColours = map[check.Severity]string{check.Error: "1;31", check.Warning: "1;33", check.Info: "1;36"}

// width is how much of a line an excerpt shows: with the line's number before it, 80 columns are enough.
const width = 72

// Text writes a check for people: every report with its place, then what could not be checked, and the sum.
func Text(w io.Writer, c *Check, s Style) error {
	b := bufio.NewWriter(w)
	for i := range c.Reports {
		textReport(b, &c.Reports[i], s)
		b.WriteByte('\n')
	}
	for _, u := range c.Unread {
		fmt.Fprintf(b, "%s %s: %s\n", s.paint("1;31", "not read:"), Visible(u.Name), Visible(u.Reason))
	}
	for _, name := range c.Unknown {
		fmt.Fprintf(b, "%s %s: nothing in it is about credential specs\n", s.paint("2", "passed over:"), Visible(name))
	}
	for _, line := range notChecked(c) {
		fmt.Fprintf(b, "%s %s\n", s.paint("2", "not checked:"), line)
	}
	fmt.Fprintln(b, sum(c))
	return b.Flush()
}

func textReport(b *bufio.Writer, r *check.Report, s Style) {
	fmt.Fprintf(b, "%s: %s\n", s.paint(severityColours[r.Severity], r.Severity.String()+"["+r.Rule.ID+"]"), s.paint("1", Visible(masked(r.Message))))
	margin := len(fmt.Sprint(r.Where.Start.Line))
	for _, rel := range r.Related {
		margin = max(margin, len(fmt.Sprint(rel.Where.Start.Line)))
	}
	blank := strings.Repeat(" ", margin)
	if r.Where.File != nil {
		place(b, r.Where, "-->", "", blank, "^", severityColours[r.Severity], s)
	}
	for _, rel := range r.Related {
		if rel.Where.File != nil {
			place(b, rel.Where, ":::", rel.Text, blank, "-", "1;34", s)
		}
	}
	note := func(kind, text string) {
		text = Visible(masked(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")))
		fmt.Fprintf(b, "%s = %s %s\n", blank, s.paint("1", kind+":"), strings.ReplaceAll(text, "\n", "\n"+blank+"   "+strings.Repeat(" ", len(kind)+2)))
	}
	if r.Consumer != "" {
		note("seen as", r.Consumer)
	}
	if text := repair(r); text != "" {
		note("help", text)
	}
	if len(r.Fix) > 0 {
		note("fix", "--fix does it")
	}
}

// place shows the line of a place, with marks under it.
func place(b *bufio.Writer, where source.Span, arrow, text, blank, mark, colour string, s Style) {
	fmt.Fprintf(b, "%s%s %s:%s", blank, s.paint("34", arrow), Visible(where.File.Name), where.Start)
	line, from, to := excerpt(where)
	if line == "" {
		if text != "" {
			fmt.Fprintf(b, "  %s", Visible(masked(text)))
		}
		b.WriteByte('\n')
		return
	}
	bar := s.paint("34", "|")
	fmt.Fprintf(b, "\n%s %s\n", blank, bar)
	fmt.Fprintf(b, "%s %s %s\n", s.paint("34", fmt.Sprintf("%*d", len(blank), where.Start.Line)), bar, line)
	under := strings.Repeat(" ", from) + s.paint(colour, strings.Repeat(mark, max(1, to-from)))
	if where.End.Line > where.Start.Line {
		under += fmt.Sprintf(" to line %d", where.End.Line)
	}
	if text != "" {
		under += " " + Visible(masked(text))
	}
	fmt.Fprintf(b, "%s %s %s\n", blank, bar, under)
}

// excerpt is the line of a place, cut where it is long, and the columns of the place in it, from 0. Tabs are four blanks.
func excerpt(where source.Span) (line string, from, to int) {
	raw := []rune(Visible(masked(where.File.Line(where.Start.Line))))
	from, to = where.Start.Column-1, len(raw)
	if where.End.Line == where.Start.Line {
		to = where.End.Column - 1
	}
	from = min(max(from, 0), len(raw))
	to = min(max(to, from), len(raw))
	first, last := 0, len(raw)
	if len(raw) > width {
		first = max(0, min(from-width/3, len(raw)-width))
		last = first + width
	}
	var text []rune
	start, end := 0, -1
	if first > 0 {
		text = append(text, '…')
	}
	for i := first; i < last; i++ {
		if i == from {
			start = len(text)
		}
		if i == to {
			end = len(text)
		}
		if raw[i] == '\t' {
			text = append(text, ' ', ' ', ' ', ' ')
		} else {
			text = append(text, raw[i])
		}
	}
	if from >= last {
		start = len(text)
	}
	if end < 0 {
		end = len(text)
	}
	if last < len(raw) {
		text = append(text, '…')
	}
	line = strings.TrimRight(string(text), " ")
	return line, start, end
}

// notChecked says what could not be checked: a line for each reason that several rules share, and one for each other rule with the first of its reasons.
func notChecked(c *Check) []string {
	rules, reasons := map[string][]string{}, map[string][]string{} // by reason, by rule
	var order []string
	for _, n := range c.NotChecked {
		if rules[n.Reason] == nil {
			order = append(order, n.Reason)
		}
		if !slices.Contains(rules[n.Reason], n.Rule.ID) {
			rules[n.Reason] = append(rules[n.Reason], n.Rule.ID)
			reasons[n.Rule.ID] = append(reasons[n.Rule.ID], n.Reason)
		}
	}
	var lines []string
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(len(rules[b]), len(rules[a])) })
	said := map[string]bool{}
	for _, reason := range order {
		list := rules[reason]
		if len(list) > 3 {
			lines = append(lines, fmt.Sprintf("%d rules: %s", len(list), Visible(reason)))
			continue
		}
		list = slices.DeleteFunc(slices.Clone(list), func(id string) bool { return said[id] })
		if len(list) == 0 {
			continue
		}
		more := 0
		for _, id := range list {
			said[id] = true
			more = max(more, len(reasons[id])-1)
		}
		line := strings.Join(list, ", ") + ": " + Visible(reason)
		if more > 0 {
			line += fmt.Sprintf(" (and %d more)", more)
		}
		lines = append(lines, line)
	}
	const most = 12
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("%d more reasons (--format json has all)", len(lines)-most))
	}
	return lines
}

// sum is the last line.
func sum(c *Check) string {
	if c.Files == 0 {
		return "nothing was checked"
	}
	var parts []string
	for _, s := range []check.Severity{check.Error, check.Warning} {
		if n := c.Count(s); n > 0 {
			parts = append(parts, count(n, s.String()))
		}
	}
	if n := c.Count(check.Info); n > 0 {
		parts = append(parts, fmt.Sprintf("%d for information", n))
	}
	found := strings.Join(parts, ", ")
	if found == "" {
		found = "nothing wrong"
	}
	line := fmt.Sprintf("%s in %s", found, count(c.Files, "file"))
	if n := len(c.Suppressed); n > 0 {
		line += fmt.Sprintf("; %d ignored on request", n)
	}
	if n := c.Fixable(); n > 0 {
		line += fmt.Sprintf("; --fix repairs %d", n)
	}
	return line
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
