package windows

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A row is a line of testdata/decisions.csv: a setup and what each column says of it.
type row struct {
	name                                 string
	setup                                Setup
	start, channel, kerberos, ntlm, sids string
}

// impossibleHost stands in the column of the start for a host that does not exist.
const impossibleHost = "impossible"

func decisionTable(t testing.TB) []row {
	t.Helper()
	f, err := os.Open("testdata/decisions.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	r.FieldsPerRecord = 13
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]row, len(lines))
	for i, l := range lines {
		rows[i] = row{name: l[0], setup: testSetup(t, l), start: l[8], channel: l[9], kerberos: l[10], ntlm: l[11], sids: l[12]}
	}
	return rows
}

// testSetup is the setup of a row. What the row does not say is as on a healthy host of contoso.com: the application runs as NETWORK
// SERVICE, by --user where the image allows it and as a service elsewhere.
func testSetup(t testing.TB, l []string) Setup {
	t.Helper()
	build := func(text string) Build {
		v, err := ParseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		return v.Build
	}
	must := func(u User, err error) User {
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	s := Setup{
		Host: OS{Version{Build: build(l[1])}, Edition(l[2])}, HostDomain: "contoso.com",
		Image:          Image{Flavour: ServerCore, Version: Version{Build: build(l[3])}},
		CredentialSpec: true, Account: "webapp01$", AccountDomain: "contoso.com",
		ID: "0a1b2c3d4e5f",
	}
	var err error
	if s.Isolation, err = ParseIsolation(l[4]); err != nil {
		t.Fatal(err)
	}
	networkService := must(ParseUser("NETWORK SERVICE"))
	if s.Image.Build >= Build1709 {
		s.User = networkService
	} else {
		s.Service = networkService
	}
	otherName := ""
	switch l[5] {
	case "gmsa":
		s.Hostname, otherName = "webapp01", "webapp01"
	case "GMSA":
		s.Hostname = "WEBAPP01"
	case "fqdn":
		s.Hostname = "webapp01.contoso.com"
	case "other":
		s.Hostname = "frontend"
	case "unset":
	case "unique":
		s.Hostname, otherName = "web0", "web%d"
	case "prefix":
		s.Hostname, otherName = "webapp01-7d9f8b6c5d-x2x4z", "webapp01-7d9f8b6c5d-p9k2m"
	default:
		t.Fatalf("row %s: host name %q", l[0], l[5])
	}
	others, err := strconv.Atoi(l[6])
	if err != nil {
		t.Fatal(err)
	}
	for i := range others {
		name := otherName
		if strings.Contains(name, "%d") {
			name = fmt.Sprintf(name, i+1)
		}
		s.Others = append(s.Others, Channel{ID: fmt.Sprintf("%012x", i+1), Hostname: name, Image: s.Image.Build})
	}
	for word := range strings.FieldsSeq(l[7]) {
		key, value, _ := strings.Cut(word, "-")
		switch {
		case word == "nospec":
			s.CredentialSpec = false
		case word == "2025-03" || word == "2019-05":
			s.Profiles.Concurrency = Concurrency(word)
		case word == "observed" || word == "strictDocs":
			s.Profiles.Identity = Identity(word)
		case key == "rev2016":
			s.Profiles.Revision = RevisionRule(value)
		case key == "floor":
			s.Profiles.ImageFloor = ImageFloor(value)
		case key == "docker" || key == "containerd":
			if s.Engine, err = ParseEngine(key + " " + value); err != nil {
				t.Fatal(err)
			}
		case key == "rev":
			n, _ := number(value)
			s.Host.Revision = n
		case key == "imagerev":
			n, _ := number(value)
			s.Image.Revision = n
		case key == "user":
			s.User, s.Service = must(ParseUser(value)), User{}
		case word == "notjoined":
			s.HostDomain = ""
		case word == "plugin":
			s.HostAccountConfig = true
		case word == "otherdomain":
			s.HostDomain = "fabrikam.com"
		default:
			t.Fatalf("row %s: extra %q", l[0], word)
		}
	}
	return s
}

// differs says in which column a decision is not what the row says, "" when it is.
func (w row) differs(d Decision, err error) string {
	if err != nil {
		d = Decision{Start: impossibleHost, Channel: NotReached, Kerberos: NotReached, NTLM: NotReached, SIDs: NotReached}
	}
	for _, c := range [][3]string{
		{"start", string(d.Start), w.start}, {"channel", string(d.Channel), w.channel}, {"kerberos", string(d.Kerberos), w.kerberos},
		{"ntlm", string(d.NTLM), w.ntlm}, {"sids", string(d.SIDs), w.sids},
	} {
		if c[1] != c[2] {
			return fmt.Sprintf("row %s: %s: got %s, want %s", w.name, c[0], c[1], c[2])
		}
	}
	return ""
}

func TestDecisionTable(t *testing.T) {
	rows := decisionTable(t)
	if len(rows) != 63 {
		t.Fatalf("the table has %d rows, want 63", len(rows))
	}
	for i, w := range rows {
		if want := fmt.Sprintf("%02d", i+1); w.name != want {
			t.Errorf("row %s: want number %s", w.name, want)
		}
		d, err := Decide(w.setup)
		if diff := w.differs(d, err); diff != "" {
			t.Error(diff)
		}
		if _, ok := errors.AsType[*NameError](err); err != nil && !ok {
			t.Errorf("row %s: got %v, want a *NameError", w.name, err)
		}
	}
}

// TestDecideDetails checks what the table has no column for.
func TestDecideDetails(t *testing.T) {
	base := Setup{
		Host: OS{Version{Build: Build1809}, Server}, HostDomain: "contoso.com", Image: Image{Flavour: ServerCore, Version: Version{Build: Build1809}},
		CredentialSpec: true, Account: "webapp01$", AccountDomain: "CONTOSO.COM.", ID: "0a1b2c3d4e5f", Hostname: "frontend",
	}
	d, err := Decide(base)
	if err != nil {
		t.Fatal(err)
	}
	want := Decision{
		Start: Starts, Isolation: Process, Engine: Engine{Docker, EngineVersion{18, 9}}, Retrieval: ComputerReads, Names: Names{"webapp01", "webapp01$"},
		Identity: "webapp01", Channel: Works, Kerberos: Works, NTLM: Works, SIDs: Works,
	}
	if d != want {
		t.Errorf("got %+v, want %+v", d, want)
	}

	old := base
	old.Host, old.Image = OS{Version{Build1607, 3504}, Server}, Image{Flavour: ServerCore, Version: Version{Build1607, 3503}}
	if d, _ := Decide(old); d.Start != Starts || d.Warnings != RevisionsDiffer|Baseline2020Differs || d.Names != (Names{"frontend", "webapp01$"}) {
		t.Errorf("2016 with an older image: got %+v, want both warnings and the host name", d)
	}
	old.Isolation = HyperV
	if d, _ := Decide(old); d.Warnings != 0 {
		t.Errorf("2016 in Hyper-V isolation: got warnings %b, want none", d.Warnings)
	}

	additional := base
	additional.Service, additional.Additional = User{DomainAccount, `CONTOSO\LogAgentSvc$`}, []string{"logagentsvc"}
	if d, _ := Decide(additional); d.Identity != "logagentsvc" {
		t.Errorf("additional account: got %q, want logagentsvc", d.Identity)
	}

	typo := base
	typo.Profiles.Concurrency = "2025-3"
	if _, err := Decide(typo); err == nil || !strings.Contains(err.Error(), `did you mean "2025-03"?`) {
		t.Errorf("unknown profile: got %v", err)
	}
	for _, s := range []Start{Starts, NoEngine, NoIsolation, ImageMismatch, StartHangs, NoCredential, UserRefused} {
		if known := s == ImageMismatch || s == StartHangs || s == UserRefused; known != (s.Code() != 0) {
			t.Errorf("code of %s: got %#x", s, s.Code())
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	rows := decisionTable(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w := &rows[i%len(rows)]
		if w.start == impossibleHost {
			continue
		}
		if _, err := Decide(w.setup); err != nil {
			b.Fatal(err)
		}
	}
}
