package sweep

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// columns are the names of a row's values, in the order of [Row.record].
var columns = []string{"release", "build", "isolation", "image", "user", "hostname", "membership", "spn", "concurrency", "identity",
	"run", "test", "channel", "ticket", "kerberos", "ntlm", "first"}

func (r Row) record() []string {
	p := r.Profiles
	return []string{r.Release.Name, r.Release.Build.String(), word(r.Isolation), r.Image, string(r.User), string(r.Hostname), string(r.Membership), string(r.SPN),
		string(cmp.Or(p.Concurrency, windows.Concurrency2025)), string(cmp.Or(p.Identity, windows.ObservedIdentity)),
		end(r.Run), end(r.Test), end(r.Channel), end(r.Ticket), end(r.Kerberos), end(r.NTLM), end(r.First())}
}

func word(i windows.Isolation) string { return string(cmp.Or(i, "default")) }

// end is a code in one word.
func end(c diag.Code) string { return string(cmp.Or(c, "ok")) }

// A CSV writes rows as comma-separated values with a line of column names (RFC 4180).
type CSV struct{ w *csv.Writer }

// NewCSV writes the line of column names.
func NewCSV(w io.Writer) (*CSV, error) {
	c := &CSV{csv.NewWriter(w)}
	return c, c.w.Write(columns)
}

// Write writes a row.
func (c *CSV) Write(r Row) error { return c.w.Write(r.record()) }

// Close writes what is left.
func (c *CSV) Close() error {
	c.w.Flush()
	return c.w.Error()
}

// A Summary counts the cases of a sweep by release and by the first thing that is wrong.
type Summary struct {
	Cases int `json:"cases"`
	// Works is how many cases work from end to end.
	Works    int              `json:"works"`
	First    []Count          `json:"first"`
	Releases []ReleaseSummary `json:"releases"`
}

// A Count is how many cases have a code as the first thing that is wrong.
type Count struct {
	Code  string `json:"code"`
	Title string `json:"title"`
	Cases int    `json:"cases"`
}

// ReleaseSummary counts the cases of one release.
type ReleaseSummary struct {
	Release string         `json:"release"`
	Build   int            `json:"build"`
	Cases   int            `json:"cases"`
	Works   int            `json:"works"`
	First   map[string]int `json:"first"` // by code
}

// Add counts a row.
func (s *Summary) Add(r Row) {
	s.Cases++
	i := slices.IndexFunc(s.Releases, func(o ReleaseSummary) bool { return o.Release == r.Release.Name })
	if i < 0 {
		i = len(s.Releases)
		s.Releases = append(s.Releases, ReleaseSummary{Release: r.Release.Name, Build: int(r.Release.Build), First: map[string]int{}})
	}
	rel := &s.Releases[i]
	rel.Cases++
	code := r.First()
	if code == "" {
		s.Works++
		rel.Works++
		return
	}
	rel.First[string(code)]++
	j := slices.IndexFunc(s.First, func(c Count) bool { return c.Code == string(code) })
	if j < 0 {
		j = len(s.First)
		e, _ := diag.Lookup(code)
		s.First = append(s.First, Count{Code: string(code), Title: e.Title})
	}
	s.First[j].Cases++
	slices.SortStableFunc(s.First, func(a, b Count) int { return cmp.Compare(a.Code, b.Code) })
}

// Table is the summary as lines of cells: a heading, and a line for each release with the share of cases that work and the cases by what is wrong
// first.
func (s *Summary) Table() [][]string {
	head := []string{"RELEASE", "BUILD", "CASES", "WORK"}
	for _, c := range s.First {
		head = append(head, c.Code)
	}
	rows := [][]string{head}
	for _, r := range s.Releases {
		row := []string{r.Release, fmt.Sprint(r.Build), fmt.Sprint(r.Cases), fmt.Sprint(r.Works)}
		for _, c := range s.First {
			cell := ""
			if n := r.First[c.Code]; n > 0 {
				cell = fmt.Sprint(n)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return rows
}
