package sweep

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// someAxes is a sweep that a test has the time for: a value of every kind is in it.
func someAxes(t *testing.T) Axes {
	t.Helper()
	a := AllAxes()
	a.Releases = slices.DeleteFunc(a.Releases, func(r windows.Release) bool {
		return !slices.Contains([]string{"Windows Server 2016", "Windows Server 1803", "Windows 10 1803", "Windows Server 2022"}, r.Name)
	})
	a.Images = []string{"ltsc2016", "1803", "ltsc2022"}
	a.Memberships = []Membership{Member, StaleTicket}
	a.SPNs = []SPN{RightSPN, DuplicateSPN}
	return a
}

func TestAllAxes(t *testing.T) {
	a := AllAxes()
	if got := a.Count(); got != 278_400 {
		t.Errorf("%d cases; the documentation says 278,400", got)
	}
}

// TestRun holds what a sweep says against what is known of single setups.
func TestRun(t *testing.T) {
	a := someAxes(t)
	var rows []Row
	var told []int
	err := Run(t.Context(), a, Options{Progress: func(n int) { told = append(told, n) }}, func(r Row) error { rows = append(rows, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != a.Count() || told[len(told)-1] != a.Count() {
		t.Fatalf("%d rows, %d of which were told, want %d", len(rows), told[len(told)-1], a.Count())
	}
	find := func(release string, iso windows.Isolation, image string, u User, h Hostname, m Membership, s SPN, c windows.Concurrency) Row {
		t.Helper()
		i := slices.IndexFunc(rows, func(r Row) bool {
			return r.Release.Name == release && r.Isolation == iso && r.Image == image && r.User == u && r.Hostname == h && r.Membership == m && r.SPN == s && r.Profiles.Concurrency == c
		})
		if i < 0 {
			t.Fatalf("no case %s %s %s %s", release, image, h, m)
		}
		return rows[i]
	}
	new, old := windows.Concurrency2025, windows.Concurrency2019
	for _, tt := range []struct {
		row  Row
		want diag.Code
	}{
		{find("Windows Server 2022", "", "ltsc2022", NetworkService, NoHostname, Member, RightSPN, new), ""},
		{find("Windows Server 2022", "", "ltsc2022", NetworkService, SharedHostname, Member, RightSPN, new), diag.ChannelDisplaced},
		{find("Windows Server 2022", "", "ltsc2022", NetworkService, SharedHostname, Member, RightSPN, old), ""},
		{find("Windows Server 2022", "", "ltsc2022", DefaultUser, NoHostname, Member, RightSPN, new), ""},
		{find("Windows Server 2022", "", "ltsc2022", DefaultUser, NoHostname, Member, RightSPN, old), diag.WrongAppUser},
		{find("Windows Server 2022", "", "ltsc2016", NetworkService, NoHostname, Member, RightSPN, new), diag.ImageMismatch},
		{find("Windows Server 2022", "", "ltsc2022", NetworkService, NoHostname, StaleTicket, RightSPN, new), diag.StaleTicket},
		{find("Windows Server 2022", "", "ltsc2022", NetworkService, NoHostname, Member, DuplicateSPN, new), diag.SPNDuplicate},
		{find("Windows Server 2016", "", "ltsc2016", NetworkService, AccountsName, Member, RightSPN, new), ""},
		{find("Windows Server 2016", "", "ltsc2016", NetworkService, AnotherName, Member, RightSPN, new), diag.HostnameDiffers},
		{find("Windows Server 1803", windows.HyperV, "1803", NetworkService, AccountsName, Member, RightSPN, new), diag.GMSAIsolation},
		{find("Windows 10 1803", windows.Process, "1803", NetworkService, AccountsName, Member, RightSPN, new), diag.IsolationNotOffered},
	} {
		if got := tt.row.First(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.row, string(got), string(tt.want))
		}
	}
	displaced := find("Windows Server 2022", "", "ltsc2022", NetworkService, SharedHostname, Member, RightSPN, new)
	if displaced.Channel != diag.ChannelDisplaced || displaced.NTLM != diag.ChannelDisplaced || displaced.Kerberos != "" || displaced.Ticket != "" {
		t.Errorf("%+v: the channel and NTLM notice another container, Kerberos does not", displaced)
	}
	for _, r := range rows {
		if r.First() == diag.SimulatorBug || r.First() == diag.NotModelled {
			t.Fatalf("%+v: an error without a cause", r)
		}
	}
}

func TestReports(t *testing.T) {
	a := someAxes(t)
	a.Releases, a.Memberships, a.SPNs, a.Profiles = a.Releases[:1], a.Memberships[:1], a.SPNs[:1], a.Profiles[:1]
	run := func(jobs int) (table, page string, sum Summary) {
		t.Helper()
		var out, html bytes.Buffer
		c, err := NewCSV(&out)
		if err != nil {
			t.Fatal(err)
		}
		p := NewPage(a)
		if err := Run(t.Context(), a, Options{Jobs: jobs}, func(r Row) error { sum.Add(r); return errors.Join(c.Write(r), p.Add(r)) }); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Close(), p.Write(&html)); err != nil {
			t.Fatal(err)
		}
		return out.String(), html.String(), sum
	}
	table, page, sum := run(1)
	if again, pageAgain, _ := run(4); table != again || page != pageAgain {
		t.Error("the same sweep gives other bytes when more of it runs at the same time")
	}
	records, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil || len(records) != a.Count()+1 || !slices.Equal(records[0], columns) {
		t.Fatalf("%d records, %v, want a heading and %d", len(records), err, a.Count())
	}
	works := 0
	for _, r := range records[1:] {
		if r[len(r)-1] == "ok" {
			works++
		}
	}
	failing := 0
	for _, c := range sum.First {
		failing += c.Cases
	}
	if sum.Cases != a.Count() || sum.Works != works || sum.Works+failing != sum.Cases {
		t.Errorf("the summary counts %d cases, %d work, %d fail; the table has %d, %d", sum.Cases, sum.Works, failing, a.Count(), works)
	}
	if rows := sum.Table(); len(rows) != 2 || rows[1][0] != "Windows Server 2016" {
		t.Errorf("got %q, want a heading and one release", rows)
	}
	cells := regexp.MustCompile(`"cells":"([^"]*)"`).FindStringSubmatch(page)
	if cells == nil || len(cells[1]) != a.Count() || strings.Count(cells[1], ".") != works {
		t.Errorf("the page has not one cell for each case")
	}
	if strings.Contains(page, "http://") || strings.Contains(page, "https://") {
		t.Error("the page asks for something from outside")
	}
	if err := NewPage(a).Write(&bytes.Buffer{}); err == nil {
		t.Error("a page without rows was written")
	}
}

func TestRunEnds(t *testing.T) {
	a := someAxes(t)
	enough := errors.New("enough")
	if err := Run(t.Context(), a, Options{}, func(Row) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want the error of the reader", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, a, Options{}, func(Row) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	a.Images = []string{"ltsc2099"}
	if err := Run(t.Context(), a, Options{}, func(Row) error { return nil }); err == nil {
		t.Error("an image that does not exist was run")
	}
}
