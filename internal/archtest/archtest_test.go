package archtest

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// TestImports holds the module's real import graph against the house.
func TestImports(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, Module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps: %v\n%s", err, stderr.String())
	}
	var pkgs []Package
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 0 {
			pkgs = append(pkgs, Package{f[0], f[1:]})
		}
	}
	if len(pkgs) < 100 {
		t.Fatalf("go list named %d packages, which cannot be the whole graph", len(pkgs))
	}
	for _, fault := range Check(pkgs, Rooms, Bans) {
		t.Error(fault)
	}
}

// TestCheck shows that each kind of forbidden import is found, and that nothing else is.
func TestCheck(t *testing.T) {
	const m = Module + "/"
	clean := []Package{
		{m + "fakeads/security", []string{"fmt"}},
		{m + "fakeads/kds", []string{m + "fakeads/security", "time"}},
		{m + "simulator", []string{m + "fakeads/kds", "net"}},
		{m + "cmd/gmsasim", []string{m + "cmd/gmsasim/internal/lab", m + "simulator"}},
		{m + "cmd/gmsasim/internal/lab", nil},
	}
	tests := []struct {
		name string
		add  Package
		want string
	}{
		{"nothing wrong", Package{"fmt", nil}, ""},
		{"an arrow that points up", Package{m + "fakeads/dn", []string{m + "simulator"}}, "fakeads/dn imports simulator"},
		{"siblings", Package{m + "fakeads/filter", []string{m + "fakeads/kds"}}, "fakeads/filter imports fakeads/kds"},
		{"a package nobody placed", Package{m + "utils", nil}, "utils is in no room"},
		{"a framework behind two imports", Package{"net", []string{"testing"}}, "simulator -> net -> testing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Check(append([]Package{tt.add}, clean...), Rooms, Bans)
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("got %q, want no fault", got)
			case tt.want != "" && (len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), tt.want)):
				t.Errorf("got %q, want a fault that contains %q", got, tt.want)
			}
		})
	}
}
