package doctor

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

var update = flag.Bool("update", false, "write the table of symptoms anew")

// TestSymptomTable: the table that the program brings along is what the catalogue shows.
func TestSymptomTable(t *testing.T) {
	if testing.Short() {
		t.Skip("the observers look at every complaint of the catalogue")
	}
	bundles, err := scenarios.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	keys := simulator.NewKeys()
	all := sightings(t.Context(), bundles, keys)
	if err := lookAt(t.Context(), all, keys); err != nil {
		t.Fatal(err)
	}
	text, err := writeSightings(all)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case *update:
		if err := os.WriteFile("symptoms.jsonl", text, 0o644); err != nil {
			t.Fatal(err)
		}
	case !bytes.Equal(text, symptomsTable):
		was := strings.Split(string(symptomsTable), "\n")
		for i, line := range strings.Split(string(text), "\n") {
			if i >= len(was) || line != was[i] {
				t.Logf("line %d:\n%.300s\ninstead of\n%.300s", i+1, line, was[min(i, len(was)-1)])
				break
			}
		}
		t.Error("symptoms.jsonl is not what the catalogue shows; run: go test ./doctor -run TestSymptomTable -update")
	}
	again, err := readSightings(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range again {
		if want := all[i]; s.Fitting != want.Fitting || !slices.Equal(s.lines, want.lines) || len(s.seen) != len(want.seen) {
			t.Fatalf("%s is read as %+v", want.Cause, s)
		}
	}
	for _, symptom := range []string{"1311", "Key does not exist", "the trust relationship failed"} {
		run, found := differential(all, symptom)
		run.Tests = compare(found)
		read, found := differential(again, symptom)
		read.Tests = compare(found)
		if run.Text() != read.Text() {
			t.Errorf("%s: the table gives\n%s\nand the catalogue\n%s", symptom, read.Text(), run.Text())
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"Status = 1311 0x51f ERROR_NO_LOGON_SERVERS": "status #1311 error_no_logon_servers",
		"0x18":                    "#24",
		"in 24 hours":             "in 24 hours",
		"'Key does not exist'":    "key does not exist",
		"0x8009000D (0X8009000d)": "#2148073485",
		"–":                       "",
	} {
		if got := strings.Join(words(text), " "); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// TestSymptom: what people arrive with leads to the causes that show it, and to the observers that tell them apart.
func TestSymptom(t *testing.T) {
	bundles, err := scenarios.Select("kds-no-root-key", "kds-key-too-young", "container-dns-wrong", "container-network-closed", "clock-host-skew",
		"acl-host-not-allowed", "channel-shared-hostname", "os-hostname-not-account", "account-host-password-reset")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		symptom string
		codes   []diag.Code // all that fit
		best    string      // the command that tells most; "" for none
	}{
		{"Key does not exist", []diag.Code{diag.NoRootKey, diag.YoungRootKey}, ""},
		{"1311", []diag.Code{diag.DNSFindsNoDC, diag.DCUnreachable}, "nltest /dsgetdc:DOMAIN"},
		{"0x51f", []diag.Code{diag.DNSFindsNoDC, diag.DCUnreachable}, "nltest /dsgetdc:DOMAIN"},
		{"trust relationship failed", []diag.Code{diag.HostnameDiffers, diag.ChannelDisplaced, diag.BadCredentials}, ""},
		{"0x18", []diag.Code{diag.BadCredentials}, ""},
		{"KRB_AP_ERR_SKEW", []diag.Code{diag.ClockSkew}, ""},
		{"the printer is out of paper", nil, ""},
	} {
		t.Run(tt.symptom, func(t *testing.T) {
			d, err := Symptom(t.Context(), bundles, tt.symptom)
			if err != nil {
				t.Fatal(err)
			}
			var codes []diag.Code
			for _, f := range d.Fitting {
				if !slices.Contains(codes, f.Code) {
					codes = append(codes, f.Code)
				}
				if f.Seen == "" || f.Scenario == "" {
					t.Errorf("%+v does not say where it is seen", f)
				}
			}
			slices.Sort(codes)
			slices.Sort(tt.codes)
			if !slices.Equal(codes, tt.codes) {
				t.Errorf("got the causes %v, want %v", d.Fitting, tt.codes)
			}
			best := ""
			if len(d.Tests) > 0 {
				best = d.Tests[0].Command
			}
			if tt.best != "" && best != tt.best {
				t.Errorf("got the test %q first, want %q:\n%s", best, tt.best, d.Text())
			}
			for i, test := range d.Tests {
				if test.Bits <= 0 || len(test.Outcomes) < 2 || i > 0 && test.Bits > d.Tests[i-1].Bits {
					t.Errorf("test %+v tells nothing, or stands too late", test)
				}
			}
		})
	}
}

func TestInformation(t *testing.T) {
	for _, tt := range []struct {
		name     string
		outcomes [][]string // of each cause, in its cases
		want     float64
	}{
		{"each its own", [][]string{{"a"}, {"b"}, {"c"}, {"d"}}, 2},
		{"all the same", [][]string{{"a"}, {"a"}}, 0},
		{"two and one and one", [][]string{{"a"}, {"a"}, {"b"}, {"c"}}, 1.5},
		{"a cause that shows both tells nothing", [][]string{{"a", "b"}, {"a", "b"}}, 0},
		{"half of one", [][]string{{"a"}, {"a", "b"}}, 0.31},
	} {
		var test Test
		for i, list := range tt.outcomes {
			for _, seen := range list {
				test.add(seen, string(rune('A'+i)), 1/float64(len(tt.outcomes)*len(list)))
			}
		}
		if got := test.information(len(tt.outcomes)); got != tt.want {
			t.Errorf("%s: got %v bits, want %v", tt.name, got, tt.want)
		}
	}
}
