package report

import (
	"encoding/json"
	"io"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/gather"
	"github.com/gmsasim/gmsasim/simulator/source"
)

type jsonCheck struct {
	Schema     string           `json:"schema"`
	Exit       int              `json:"exit"`
	Targets    []check.Target   `json:"targets"`
	Files      int              `json:"files"`
	Errors     int              `json:"errors"`
	Warnings   int              `json:"warnings"`
	Infos      int              `json:"infos"`
	Fixable    int              `json:"fixable"`
	Reports    []jsonReport     `json:"reports"`
	Suppressed []jsonSuppressed `json:"suppressed"`
	NotChecked []jsonNotChecked `json:"notChecked"`
	Unread     []gather.Unread  `json:"unread"`
	Unknown    []string         `json:"unknown"`
}

type jsonPlace struct {
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
	Offset    int    `json:"offset"`
	Length    int    `json:"length"`
}

type jsonReport struct {
	Rule     string `json:"rule"`
	Group    string `json:"group"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	jsonPlace
	Related  []jsonRelated `json:"related,omitempty"`
	Consumer string        `json:"consumer,omitempty"`
	Repair   string        `json:"repair"`
	Fix      []jsonEdit    `json:"fix,omitempty"`
	Page     string        `json:"page"`
}

type jsonRelated struct {
	jsonPlace
	Text string `json:"text"`
}

type jsonEdit struct {
	jsonPlace
	New string `json:"new"`
	// UTF8 stores the whole file in UTF-8 without a byte order mark from now on.
	UTF8 bool `json:"utf8,omitempty"`
}

type jsonSuppressed struct {
	jsonReport
	Reason string    `json:"reason"`
	By     jsonPlace `json:"by"`
}

type jsonNotChecked struct {
	Rule string `json:"rule"`
	jsonPlace
	Reason string `json:"reason"`
}

// JSON writes a check as a document of the schema gmsasim.check/1. Columns count characters from 1, offsets and lengths bytes of the text in UTF-8.
func JSON(w io.Writer, c *Check) error {
	d := jsonCheck{Schema: "gmsasim.check/1", Exit: c.Exit, Targets: c.Targets, Files: c.Files,
		Errors: c.Count(check.Error), Warnings: c.Count(check.Warning), Infos: c.Count(check.Info), Fixable: c.Fixable(),
		Reports: []jsonReport{}, Suppressed: []jsonSuppressed{}, NotChecked: []jsonNotChecked{}, Unread: c.Unread, Unknown: c.Unknown}
	if d.Unread == nil {
		d.Unread = []gather.Unread{}
	}
	if d.Unknown == nil {
		d.Unknown = []string{}
	}
	for i := range c.Reports {
		d.Reports = append(d.Reports, reportJSON(&c.Reports[i]))
	}
	for i := range c.Suppressed {
		s := &c.Suppressed[i]
		d.Suppressed = append(d.Suppressed, jsonSuppressed{reportJSON(&s.Report), s.Reason, placeJSON(s.By)})
	}
	for _, n := range c.NotChecked {
		d.NotChecked = append(d.NotChecked, jsonNotChecked{n.Rule.ID, placeJSON(n.Where), n.Reason})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(d)
}

func placeJSON(s source.Span) jsonPlace {
	if s.File == nil {
		return jsonPlace{}
	}
	return jsonPlace{s.File.Name, s.Start.Line, s.Start.Column, s.End.Line, s.End.Column, s.Offset, s.Length}
}

func reportJSON(r *check.Report) jsonReport {
	j := jsonReport{Rule: r.Rule.ID, Group: r.Rule.Group, Severity: r.Severity.String(), Message: masked(r.Message), jsonPlace: placeJSON(r.Where),
		Consumer: masked(r.Consumer), Repair: repair(r), Page: Page(r.Rule)}
	for _, rel := range r.Related {
		j.Related = append(j.Related, jsonRelated{placeJSON(rel.Where), masked(rel.Text)})
	}
	for _, e := range r.Fix {
		j.Fix = append(j.Fix, jsonEdit{placeJSON(e.File.Span(e.Start, e.End)), e.New, e.UTF8})
	}
	return j
}
