package doctest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestSnippets runs every snippet of README.md and docs/.
func TestSnippets(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "gmsasim"), "./cmd/gmsasim")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	files := []string{filepath.Join(root, "README.md")}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	run := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks, err := Blocks(string(text))
		rel, _ := filepath.Rel(root, file)
		if err != nil {
			t.Errorf("%s: %v", rel, err)
		}
		files := map[string]string{}
		for _, b := range blocks {
			if b.File != "" {
				files[b.File] = b.Text
			}
			if b.Lang != "console" && b.Lang != "go" && b.Lang != "txtar" {
				continue
			}
			run++
			t.Run(fmt.Sprintf("%s:%d", rel, b.Line), func(t *testing.T) {
				for _, name := range b.Needs {
					if _, err := exec.LookPath(name); err != nil {
						if os.Getenv("CI") == "true" {
							t.Fatalf("%s is not installed", name)
						}
						t.Skipf("%s is not installed", name)
					}
				}
				env := append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "NO_COLOR=1")
				switch b.Lang {
				case "console":
					runConsole(t, b, files, env)
				case "go":
					runGo(t, b, root)
				case "txtar":
					file := filepath.Join(t.TempDir(), bundleName(b.Text))
					if err := os.WriteFile(file, []byte(b.Text), 0o600); err != nil {
						t.Fatal(err)
					}
					cmd := exec.Command(filepath.Join(bin, "gmsasim"), "run", file)
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("gmsasim run: %v\n%s", err, out)
					}
				}
			})
		}
	}
	if run == 0 {
		t.Error("no snippet was found to run")
	}
}

// bundleName is the file name that a bundle wants: its id.
func bundleName(text string) string {
	for line := range strings.Lines(text) {
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			return strings.TrimSpace(id) + ".txtar"
		}
	}
	return "snippet.txtar"
}

// runConsole runs the commands of one block in one folder of their own, in order, each by a shell of its own.
func runConsole(t *testing.T, b Block, files map[string]string, env []string) {
	if runtime.GOOS == "windows" {
		t.Skip("console snippets are written for a POSIX shell")
	}
	cmds, err := Commands(b)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range cmds {
		cmd := exec.Command("bash", "-c", c.Line)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatalf("$ %s: %v", c.Line, err)
		}
		want := 0
		if i == len(cmds)-1 {
			want = b.Exit
		}
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("$ %s\ngot exit status %d, want %d\n%s", c.Line, got, want, out)
		}
		if !Matches(c.Output, string(out)) {
			t.Errorf("$ %s\ngot:\n%s\nwant:\n%s", c.Line, out, c.Output)
		}
	}
}

// runGo compiles one file as a package of a module that uses this one, and runs its tests.
func runGo(t *testing.T, b Block, root string) {
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	const self = "github.com/gmsasim/gmsasim"
	text := strings.Replace(string(mod), "module "+self, "module snippet", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", self, self, root)
	name := "snippet.go"
	if strings.Contains(b.Text, "func Test") || strings.Contains(b.Text, "func Example") {
		name = "snippet_test.go"
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{"go.mod": []byte(text), "go.sum": sum, name: []byte(b.Text)} {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"vet", "."}
	if name == "snippet_test.go" {
		args = []string{"test", "."}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestBlocks(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"two blocks", "a\n```console needs=kinit,kvno exit=1\n$ x\n```\nb\n```text\ny\n```\n", "console:2:[kinit kvno]:1 text:6:[]:0"},
		{"unknown language", "```shel\n```\n", "error line 1"},
		{"no language", "```\n```\n", "error line 1"},
		{"unknown option", "```go quietly\n```\n", "error line 1"},
		{"not closed", "x\n```go\n", "error line 2"},
		{"a file", "```yaml file=domain.yaml\nx: 1\n```\n", "yaml:1:[]:0"},
		{"a file elsewhere", "```yaml file=../domain.yaml\n```\n", "error line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			blocks, err := Blocks(tt.text)
			var got []string
			for _, b := range blocks {
				got = append(got, fmt.Sprintf("%s:%d:%v:%d", b.Lang, b.Line, b.Needs, b.Exit))
			}
			if err != nil {
				got = []string{"error " + strings.SplitN(err.Error(), ":", 2)[0]}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		want, got string
		ok        bool
	}{
		{"a\nb\n", "a\nb\n", true},
		{"a\n", "a  \n\n", true},
		{"a\n", "b\n", false},
		{"a\n…\nd\n", "a\nb\nc\nd\n", true},
		{"a\n…\nd\n", "a\nd\n", true},
		{"a\n…\nd\n", "a\nb\nc\n", false},
		{"took … ms\n", "took 17 ms\n", true},
		{"took … ms\n", "took 17\n ms\n", false},
		{"a.c\n", "abc\n", false},
		{"", "anything\n", true},
	}
	for _, tt := range tests {
		if got := Matches(tt.want, tt.got); got != tt.ok {
			t.Errorf("Matches(%q, %q): got %v, want %v", tt.want, tt.got, got, tt.ok)
		}
	}
}
