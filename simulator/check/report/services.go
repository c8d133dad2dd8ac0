package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/check"
)

// fingerprints tells reports apart, and knows one again after lines were added above it: its rule, file and line's text, and how many such there were.
type fingerprints map[string]int

func (f fingerprints) of(r *check.Report) string {
	line := ""
	if r.Where.File != nil {
		line = strings.TrimSpace(r.Where.File.Line(r.Where.Start.Line))
	}
	key := r.Rule.ID + "\x00" + name(r.Where) + "\x00" + line
	f[key]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, f[key]))
	return hex.EncodeToString(sum[:16])
}

// bySeverity are the reports with the worst first: GitHub shows ten annotations of a kind for each step.
func bySeverity(c *Check) []*check.Report {
	var list []*check.Report
	for i := range c.Reports {
		list = append(list, &c.Reports[i])
	}
	slices.SortStableFunc(list, func(a, b *check.Report) int { return cmp.Compare(b.Severity, a.Severity) })
	return list
}

var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// GitHub writes a check as workflow commands, which become annotations of the files.
func GitHub(w io.Writer, c *Check) error {
	commands := map[check.Severity]string{check.Error: "error", check.Warning: "warning", check.Info: "notice"}
	for _, r := range bySeverity(c) {
		var at []string
		if r.Where.File != nil {
			s := r.Where
			at = append(at, "file="+githubProperty.Replace(s.File.Name), fmt.Sprintf("line=%d", s.Start.Line), fmt.Sprintf("endLine=%d", s.End.Line))
			if s.End.Line == s.Start.Line { // GitHub takes columns of one line only
				at = append(at, fmt.Sprintf("col=%d", s.Start.Column), fmt.Sprintf("endColumn=%d", s.End.Column))
			}
		}
		at = append(at, "title="+githubProperty.Replace("gmsasim: "+r.Rule.ID))
		text := masked(r.Message)
		if r.Consumer != "" {
			text += "\nSeen as: " + masked(r.Consumer)
		}
		if help := repair(r); help != "" {
			text += "\nHelp: " + help
		}
		if _, err := fmt.Fprintf(w, "::%s %s::%s\n", commands[r.Severity], strings.Join(at, ","), githubData.Replace(text)); err != nil {
			return err
		}
	}
	for _, u := range c.Unread {
		if _, err := fmt.Fprintf(w, "::error file=%s,title=%s::%s\n", githubProperty.Replace(u.Name), githubProperty.Replace("gmsasim: not read"), githubData.Replace(u.Reason)); err != nil {
			return err
		}
	}
	return nil
}

// GitLab writes a check as a Code Quality report.
func GitLab(w io.Writer, c *Check) error {
	type lines struct {
		Begin int `json:"begin"`
		End   int `json:"end,omitempty"`
	}
	type issue struct {
		Description string `json:"description"`
		Check       string `json:"check_name"`
		Fingerprint string `json:"fingerprint"`
		Severity    string `json:"severity"`
		Location    struct {
			Path  string `json:"path"`
			Lines lines  `json:"lines"`
		} `json:"location"`
	}
	severities := map[check.Severity]string{check.Error: "critical", check.Warning: "minor", check.Info: "info"}
	list, prints := []issue{}, fingerprints{}
	for i := range c.Reports {
		r := &c.Reports[i]
		d := issue{Description: masked(r.Message), Check: r.Rule.ID, Fingerprint: prints.of(r), Severity: severities[r.Severity]}
		d.Location.Path, d.Location.Lines = strings.TrimPrefix(name(r.Where), "./"), lines{max(1, r.Where.Start.Line), r.Where.End.Line}
		list = append(list, d)
	}
	for _, u := range c.Unread {
		d := issue{Description: "not read: " + u.Reason, Check: "unread", Severity: "blocker"}
		sum := sha256.Sum256([]byte("unread\x00" + u.Name))
		d.Fingerprint = hex.EncodeToString(sum[:16])
		d.Location.Path, d.Location.Lines.Begin = u.Name, 1
		list = append(list, d)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(list)
}

// markdownCell is a text inside a table: nothing in it is a mark.
var markdownCell = strings.NewReplacer("\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "<", "&lt;", ">", "&gt;", "[", "\\[", "]", "\\]", "\r", "", "\n", "<br>")

// mostRows is how many reports Markdown shows: a step's summary and a comment have a limit.
const mostRows = 200

// Markdown writes a check for a comment of a pull request or the summary of a workflow: the worst first.
func Markdown(w io.Writer, c *Check) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### gmsasim check: %s\n\n", sum(c))
	rows := bySeverity(c)
	if len(rows) > 0 {
		b.WriteString("| | place | rule | what is wrong | repair |\n| --- | --- | --- | --- | --- |\n")
	}
	for i, r := range rows {
		if i == mostRows {
			fmt.Fprintf(&b, "\n%s more.\n", count(len(rows)-mostRows, "report"))
			break
		}
		at := ""
		if r.Where.File != nil {
			at = fmt.Sprintf("%s:%s", r.Where.File.Name, r.Where.Start)
		}
		text := r.Message
		if r.Consumer != "" {
			text += "\nSeen as: " + r.Consumer
		}
		help := repair(r)
		if len(r.Fix) > 0 {
			help += " (--fix does it)"
		}
		fmt.Fprintf(&b, "| %s | %s | [%s](%s) | %s | %s |\n", r.Severity, markdownCell.Replace(Visible(at)), r.Rule.ID, Page(r.Rule),
			markdownCell.Replace(Visible(masked(text))), markdownCell.Replace(Visible(help)))
	}
	for _, u := range c.Unread {
		fmt.Fprintf(&b, "\n**Not read:** %s: %s\n", markdownCell.Replace(Visible(u.Name)), markdownCell.Replace(Visible(u.Reason)))
	}
	if lines := notChecked(c); len(lines) > 0 {
		b.WriteString("\n<details><summary>Not checked</summary>\n\n")
		for _, line := range lines {
			fmt.Fprintf(&b, "- %s\n", markdownCell.Replace(line))
		}
		b.WriteString("\n</details>\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
