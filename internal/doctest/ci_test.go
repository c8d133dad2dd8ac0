package doctest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestCIDefinitions runs what the page on CI has in YAML: hooks, the action and the job, on a credential spec with a fault and on none.
func TestCIDefinitions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the definitions are written for a POSIX shell")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "how-to", "check-in-ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := Blocks(string(text))
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "gmsasim"), "./cmd/gmsasim")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	faulty := ""
	hooks, actions, jobs := 0, 0, 0
	for _, b := range blocks {
		if b.File == "webapp.json" {
			faulty = b.Text
		}
		if b.Lang != "yaml" {
			continue
		}
		good := strings.ReplaceAll(faulty, "webapp$", "webapp")
		// run carries out a script in a folder with the files, and tells its status and what the folder has then.
		run := func(spec, script string, env ...string) (int, string) {
			t.Helper()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "webapp.json"), []byte(spec), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script)
			cmd.Dir = dir
			cmd.Env = append(append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "NO_COLOR=1", "GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary.md")), env...)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			for _, name := range []string{"summary.md", "gl-code-quality-report.json", "junit.xml"} {
				if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
					out = append(out, text...)
				}
			}
			return cmd.ProcessState.ExitCode(), string(out)
		}
		both := func(what, script, shown string, env ...string) {
			t.Helper()
			if status, out := run(faulty, script, env...); status != 1 || !strings.Contains(out, shown) {
				t.Errorf("%s: status %d with a fault, want 1 and %q\n%s", what, status, shown, out)
			}
			if status, out := run(good, script, env...); status != 0 {
				t.Errorf("%s: status %d without a fault\n%s", what, status, out)
			}
		}
		type hook struct {
			ID, Entry, Files string
			Args             []string
		}
		checkHook := func(h hook) {
			t.Helper()
			hooks++
			files, err := regexp.Compile(h.Files)
			if err != nil || !files.MatchString("deploy/pod.yaml") || !files.MatchString("webapp.json") || files.MatchString("main.go") {
				t.Errorf("files of %s: %v", h.ID, err)
			}
			args := h.Args
			if len(args) == 0 {
				args = []string{"webapp.json"} // the names of changed files
			}
			both("hook "+h.ID, h.Entry+" "+strings.Join(args, " "), "account-dollar-suffix")
		}
		var config struct{ Repos []struct{ Hooks []hook } }
		if err := yaml.Unmarshal([]byte(b.Text), &config); err == nil && len(config.Repos) > 0 {
			for _, h := range config.Repos[0].Hooks {
				checkHook(h)
			}
			continue
		}
		var list []hook
		if err := yaml.Unmarshal([]byte(b.Text), &list); err == nil && len(list) > 0 {
			checkHook(list[0])
			continue
		}
		var action struct {
			Inputs map[string]struct{ Default string }
			Runs   struct {
				Steps []struct {
					Run string
					Env map[string]string
				}
			}
		}
		if err := yaml.Unmarshal([]byte(b.Text), &action); err == nil && len(action.Runs.Steps) > 0 {
			actions++
			step := action.Runs.Steps[len(action.Runs.Steps)-1]
			var env []string
			for name, value := range step.Env {
				input := strings.TrimSuffix(strings.TrimPrefix(value, "${{ inputs."), " }}")
				def, ok := action.Inputs[input]
				if !ok {
					t.Errorf("the action has no input %q", input)
				}
				env = append(env, name+"="+def.Default)
			}
			both("action", step.Run, "::error file=webapp.json,line=5", env...)
			both("action", step.Run, "| error | webapp.json:5:27 |", append(env, "TARGET=generic,k8s")...)
			continue
		}
		var job struct{ Gmsasim struct{ Script []string } }
		if err := yaml.Unmarshal([]byte(b.Text), &job); err != nil || len(job.Gmsasim.Script) < 2 {
			t.Errorf("line %d: a definition that the test does not know: %v", b.Line, err)
			continue
		}
		jobs++
		both("job", strings.Join(job.Gmsasim.Script[1:], "\n"), `"check_name": "account-dollar-suffix"`)
		both("job", strings.Join(job.Gmsasim.Script[1:], "\n"), `type="account-dollar-suffix"`)
	}
	if hooks != 2 || actions != 1 || jobs != 1 {
		t.Errorf("%d hooks, %d actions, %d jobs were run, want 2, 1, 1", hooks, actions, jobs)
	}
}
