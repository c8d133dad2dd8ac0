package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/doctor/intake"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// TestSetups runs users' files of every form, from the text to a verdict. The comment of an archive has "want: healthy", or "want: CODE [MODE]" for
// the first cause; "says: TEXT" is in what its reader shows, "warns: TEXT" in what was noticed on the way, "stack" is for docker stack deploy.
func TestSetups(t *testing.T) {
	paths, err := filepath.Glob("testdata/setups/*.txtar")
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d archives, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			wants := map[string]string{}
			for line := range strings.Lines(string(archive.Comment)) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				wants[key] = value
			}
			var files []*source.File
			for _, f := range archive.Files {
				files = append(files, source.NewFile(f.Name, f.Data))
			}
			_, stack := wants["stack"]
			p := &intake.Papers{Setup: setup.Read(files), Stack: stack}
			w, imported, err := p.Make()
			if err != nil {
				t.Fatal(err)
			}
			report, err := doctor.DiagnoseWorld(t.Context(), "case", w, doctor.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, seen := "healthy", ""
			if report.Outcome != doctor.Healthy {
				f := report.Causes[0].Finding
				got = string(f.Code)
				if strings.Contains(wants["want"], " ") {
					got += " " + f.Mode
				}
				seen = strings.Join(f.SeenAs, "\n")
			}
			if wants["want"] == "" || got != wants["want"] {
				t.Errorf("got %s, want %s\n%s", got, wants["want"], report.Text(doctor.Plain))
			}
			if !strings.Contains(seen, wants["says"]) {
				t.Errorf("%q is not in what is seen: %s", wants["says"], seen)
			}
			if warns := wants["warns"]; warns != "" && !slices.ContainsFunc(imported.Warnings, func(r intake.Remark) bool { return strings.Contains(r.Text, warns) }) {
				t.Errorf("no warning %q in %v", warns, imported.Warnings)
			}
			if _, err := intake.YAML(w); err != nil {
				t.Errorf("the world cannot be written: %v", err)
			}
		})
	}
}

// fixtures are public files of users and projects; they are not ours, so they lie beside the repository.
const fixtures = "../../../shared/reference/fixtures"

// TestFixtures runs every public file to a verdict: a diagnosis, or the place where the file cannot be read.
func TestFixtures(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(fixtures, "index.json"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("the public fixtures are not beside the repository: %v", err)
	}
	var index []struct{ Path, Kind string }
	if err := json.Unmarshal(data, &index); err != nil || len(index) < 70 {
		t.Fatalf("%d files, %v", len(index), err)
	}
	verdicts := map[string]int{}
	for _, f := range index {
		data, err := os.ReadFile(filepath.Join(fixtures, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		verdict, err := run(t.Context(), f.Path, data)
		if err != nil {
			t.Errorf("%s: %v", f.Path, err)
			continue
		}
		verdicts[verdict]++
		t.Logf("%-60s %s", f.Path, verdict)
	}
	t.Logf("%d files: %v", len(index), verdicts)
}

// run is the verdict on one file.
func run(ctx context.Context, name string, data []byte) (string, error) {
	p := &intake.Papers{Setup: setup.Read([]*source.File{source.NewFile(name, data)})}
	w, _, err := p.Make()
	if _, nothing := errors.AsType[*intake.NothingError](err); nothing {
		return "nothing to run", nil
	}
	if err != nil {
		return "", err
	}
	report, err := doctor.DiagnoseWorld(ctx, name, w, doctor.Options{})
	if err != nil {
		return "", err
	}
	if report.Outcome == doctor.Healthy {
		return "healthy", nil
	}
	return string(report.Causes[0].Finding.Code), nil
}
