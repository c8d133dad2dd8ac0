package sweep

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

//go:embed page.html
var pageHTML string

// A Page is the heat map of a sweep as one HTML file without anything from outside: hosts and isolations down, images and host names
// across, and a choice of the rest. Give it every row of the sweep in order.
type Page struct {
	axes  Axes
	codes []diag.Code // what the letters of cells stand for
	cells strings.Builder
	rows  int
}

// NewPage is an empty page for a sweep of these axes.
func NewPage(a Axes) *Page { return &Page{axes: a} }

// letters stand for codes in the data of the page; the first one is success.
const letters = ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// Add notes a row.
func (p *Page) Add(r Row) error {
	p.rows++
	code := r.First()
	if code == "" {
		p.cells.WriteByte(letters[0])
		return nil
	}
	for i, c := range p.codes {
		if c == code {
			p.cells.WriteByte(letters[i+1])
			return nil
		}
	}
	if len(p.codes)+2 > len(letters) {
		return fmt.Errorf("more than %d kinds of failures in one sweep", len(letters)-1)
	}
	p.codes = append(p.codes, code)
	p.cells.WriteByte(letters[len(p.codes)])
	return nil
}

// legend is one kind of end of the page's data.
type legend struct {
	Letter string `json:"letter"`
	Code   string `json:"code"`
	Title  string `json:"title"`
}

// Write writes the page. The error tells that rows are missing.
func (p *Page) Write(w io.Writer) error {
	if p.rows != p.axes.Count() {
		return fmt.Errorf("%d rows of %d", p.rows, p.axes.Count())
	}
	data := struct {
		Releases    []string `json:"releases"`
		Isolations  []string `json:"isolations"`
		Images      []string `json:"images"`
		Users       []User   `json:"users"`
		Hostnames   []string `json:"hostnames"`
		Memberships []string `json:"memberships"`
		SPNs        []string `json:"spns"`
		Profiles    []string `json:"profiles"`
		Legend      []legend `json:"legend"`
		Cells       string   `json:"cells"`
	}{Images: p.axes.Images, Users: p.axes.Users, Cells: p.cells.String(), Legend: []legend{{letters[:1], "", "works from end to end"}}}
	for _, r := range p.axes.Releases {
		data.Releases = append(data.Releases, r.Name)
	}
	for _, i := range p.axes.Isolations {
		data.Isolations = append(data.Isolations, word(i))
	}
	for _, h := range p.axes.Hostnames {
		data.Hostnames = append(data.Hostnames, string(h))
	}
	for _, m := range p.axes.Memberships {
		data.Memberships = append(data.Memberships, string(m))
	}
	for _, s := range p.axes.SPNs {
		data.SPNs = append(data.SPNs, string(s))
	}
	for _, f := range p.axes.Profiles {
		data.Profiles = append(data.Profiles, fmt.Sprintf("concurrency %s, identity %s", cmp.Or(f.Concurrency, windows.Concurrency2025), cmp.Or(f.Identity, windows.ObservedIdentity)))
	}
	for i, c := range p.codes {
		e, _ := diag.Lookup(c)
		data.Legend = append(data.Legend, legend{letters[i+1 : i+2], string(c), e.Title})
	}
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		Cases int
		Data  template.JS // made by encoding/json, which escapes <, > and &
	}{p.rows, template.JS(text)})
}
