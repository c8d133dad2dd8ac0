package windows

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseOS(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Windows Server 2016", "Windows Server 2016"}, {"windows server 2016 datacenter", "Windows Server 2016"}, {"WS2016", "Windows Server 2016"},
		{"Server2016", "Windows Server 2016"}, {"ltsc2016", "Windows Server 2016"}, {"1607", "Windows Server 2016"}, {"RS1", "Windows Server 2016"},
		{"Windows Server, version 1709", "Windows Server 1709"}, {"Windows Server version 1803", "Windows Server 1803"}, {"Server 1709 (RS3)", ""},
		{"Windows Server 2019", "Windows Server 2019"}, {"Windows Server 1809", "Windows Server 2019"}, {"2019", "Windows Server 2019"}, {"17763", "Windows Server 2019"},
		{"10.0.17763.1817", "Windows Server 2019 (10.0.17763.1817)"}, {"Windows Server 2019 (10.0.17763.1817)", "Windows Server 2019 (10.0.17763.1817)"},
		{"Windows Server 2019 build 17763.107", "Windows Server 2019 (10.0.17763.107)"}, {"Microsoft Windows [Version 10.0.17763.107]", "Windows Server 2019 (10.0.17763.107)"},
		{"Windows Server 1903", "Windows Server 1903"}, {"19H2", "Windows Server 1909"}, {"Windows Server 2004", "Windows Server 2004"}, {"Windows Server 20h2", "Windows Server 20H2"},
		{"Windows Server 2022", "Windows Server 2022"}, {"21H2", "Windows Server 2022"}, {"Windows Server 23H2", "Windows Server 23H2"},
		{"Windows Server 2025", "Windows Server 2025"}, {"Windows Server, version 24H2", "Windows Server 2025"}, {"26100", "Windows Server 2025"},
		{"Windows 10 1607", "Windows 10 1607"}, {"Win10 1703", "Windows 10 1703"}, {"windows10 version 1709", "Windows 10 1709"}, {"W10 1803", "Windows 10 1803"},
		{"Windows 10 Enterprise LTSC 2019", "Windows 10 1809"}, {"Windows 10 Pro, version 1809 (OS Build 17763.1)", "Windows 10 1809 (10.0.17763.1)"}, {"Windows 10 2004", "Windows 10 2004"},
		{"21H1", "Windows 10 21H1"}, {"Windows 10 21H2", "Windows 10 21H2"}, {"Windows 11 21H2", "Windows 11 21H2"}, {"Windows 10 22H2", "Windows 10 22H2"}, {"Win11 22h2", "Windows 11 22H2"},
		{"22631", "Windows 11 23H2"}, {"Windows 11 24H2 (OS Build 26100.1742)", "Windows 11 24H2 (10.0.26100.1742)"}, {"Windows 11 25H2", "Windows 11 25H2"}, {"28000", "Windows 11 26H1"},
	} {
		o, err := ParseOS(c.in)
		if c.want == "" {
			if err == nil {
				t.Errorf("ParseOS(%q): got %s, want an error", c.in, o)
			}
			continue
		}
		if err != nil || o.String() != c.want {
			t.Errorf("ParseOS(%q): got %s, %v, want %s", c.in, o, err, c.want)
		}
	}
}

func TestParseOSErrors(t *testing.T) {
	for _, c := range []struct{ in, rule, nearest string }{
		{"Windows Server 1703", "build 15063 was released as Windows 10 1703 only, not as a server edition", "Windows Server 1709"},
		{"Windows Server, version 21H1", "was released as Windows 10 21H1 only", "Windows Server 2022"},
		{"Windows Server 25H2", "was released as Windows 11 25H2 only", "Windows Server 2025"},
		{"Windows Server 2012 R2", "build 14393", "Windows Server 2016"}, {"Windows Server 2008", "build 14393", "Windows Server 2016"},
		{"Windows 8.1", "build 14393", "Windows 10 1607"}, {"Windows 7", "build 14393", "Windows 10 1607"}, {"Windows 10 1511", "build 14393", "Windows 10 1607"},
		{"10.0.10240", "build 14393", "Windows Server 2016"}, {"10.0.17000", "no release has build 17000", "Windows Server 1803"}, {"99999", "no release has build 99999", "Windows Server 2025"},
		{"Windows 11 1809", "there is Windows 10 1809, but", "Windows 10 1809"}, {"Windows 10 23H2", "there is Windows 11 23H2, but", "Windows 11 23H2"},
		{"Windows 10 10.0.22631", "build 22631 is Windows 11 23H2", "Windows 11 23H2"}, {"Windows 11 20348", "was released as Windows Server 2022 only", "Windows 11 21H2"},
		{"Windows Server 2019 (10.0.14393)", "Windows Server 2019 has build 17763", "Windows Server 2019"},
		{"Windows Server 2o19", "no release has this name", "Windows Server 2019"}, {"Windws Server 2022", "no release has this name", "Windows Server 2022"},
		{"Windows Server 2016 2019", "no release has this name", "Windows Server 2016"}, {"Windows Server 10 1809", "no release has this name", "Windows Server 1809"},
		{"Windows Server", "names no version", "Windows Server 2025"}, {"Windows 10", "names no version", "Windows 10 22H2"}, {"22H2", "fits Windows 10 22H2 and Windows 11 22H2", "Windows 11 22H2"},
		{"", "no release has this name", ""}, {"Ubuntu", "no release has this name", ""}, {strings.Repeat("a", maxName+1), "too long", ""},
	} {
		o, err := ParseOS(c.in)
		name, ok := errors.AsType[*NameError](err)
		if !ok {
			t.Errorf("ParseOS(%.40q): got %s, %v, want a *NameError", c.in, o, err)
			continue
		}
		if !strings.Contains(name.Rule, c.rule) || name.Nearest != c.nearest || name.Name != c.in || name.Kind != KindRelease {
			t.Errorf("ParseOS(%.40q): got rule %q, nearest %q, want %q, %q", c.in, name.Rule, name.Nearest, c.rule, c.nearest)
		}
		if name.Nearest != "" {
			if _, err := ParseOS(name.Nearest); err != nil {
				t.Errorf("nearest of %q: %v", c.in, err)
			}
		}
	}
}

func TestReleases(t *testing.T) {
	var last Build
	servers, clients := 0, 0
	for r := range Releases() {
		if r.Build < last {
			t.Errorf("%s: build %d after %d", r, r.Build, last)
		}
		last = r.Build
		got, err := ParseRelease(r.Name)
		if err != nil || got.Name != r.Name {
			t.Errorf("ParseRelease(%q): got %q, %v", r.Name, got.Name, err)
		}
		of, err := ReleaseOf(r.Build, r.Edition)
		if err != nil || of.OS() != r.OS() {
			t.Errorf("ReleaseOf(%d, %s): got %s, %v, want the system of %s", r.Build, r.Edition, of, err, r)
		}
		for _, date := range []string{r.Released, r.EndOfMainstream, r.EndOfService, r.EndOfServiceHome} {
			if _, err := time.Parse(time.DateOnly, date); date != "" && err != nil {
				t.Errorf("%s: %v", r, err)
			}
		}
		if r.EndOfService == "" {
			t.Errorf("%s has no end of service", r)
		}
		if r.Edition == Server {
			servers++
		} else {
			clients++
		}
	}
	if servers != 12 || clients != 18 {
		t.Errorf("got %d servers and %d clients, want 12 and 18", servers, clients)
	}
	if _, err := ReleaseOf(17763, "laptop"); err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("edition laptop: got %v", err)
	}
	if got := (OS{Version{Build: 15063}, Server}).String(); got != "Windows server 10.0.15063" {
		t.Errorf("a system that does not exist: got %q", got)
	}
	if _, err := (OS{Version{Build: 15063}, Server}).MarshalText(); err == nil {
		t.Error("a system that does not exist has a text form")
	}
}

func TestParseVersion(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Version
	}{{"17763", Version{17763, 0}}, {"10.0.17763", Version{17763, 0}}, {" 10.0.17763.1817 ", Version{17763, 1817}}, {"17763.1", Version{17763, 1}}} {
		if got, err := ParseVersion(c.in); err != nil || got != c.want {
			t.Errorf("ParseVersion(%q): got %v, %v, want %v", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"", "10.0", "1809", "6.3.9600", "17763.", "17763.1.2", "10.0.10.0.17763", "177630", "-7763", "17763.9999999"} {
		if got, err := ParseVersion(in); err == nil {
			t.Errorf("ParseVersion(%q): got %v, want an error", in, got)
		}
	}
}
