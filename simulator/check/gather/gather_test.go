package gather

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWalk: folders are searched by extension, hidden folders and loops are not entered, every file comes once, and what cannot be read is said.
func TestWalk(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"a/spec.json": "{}", "a/.spec.json.lint": "x y", "a/b/pod.yaml": "kind: Pod", "a/.git/config.json": "{}", "a/node_modules/p.json": "{}",
		"a/readme.md": "#", "a/big.json": strings.Repeat(" ", 101), "alone.txt": "docker run x", "lone.json": "{}", ".lone.json.lint": "x y",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"a/b/loop": "..", "a/itself.json": "itself.json", "a/other.json": "spec.json"} {
		if err := os.Symlink(target, link); err != nil {
			t.Skip("no symbolic links: ", err)
		}
	}
	var got []string
	found := Walk([]string{"a", "a/spec.json", "./a/b", "alone.txt", "lone.json", "missing.yaml", "-", "-"}, Options{Limit: 100, Stdin: strings.NewReader("{}"), StdinName: "in.json"}, func(f File) {
		name := f.Name
		if f.Explicit {
			name += "!"
		}
		got = append(got, name)
	})
	want := []string{"a/.spec.json.lint", "a/b/pod.yaml", "a/other.json", "a/spec.json", "alone.txt!", ".lone.json.lint", "lone.json!", "in.json!"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	var unread []string
	for _, u := range found.Unread {
		unread = append(unread, u.Name+": "+u.Reason)
	}
	for i, want := range []string{"a/big.json: 101 bytes", "a/itself.json: too many levels", "missing.yaml: no such file"} {
		if i >= len(unread) || !strings.HasPrefix(unread[i], want) {
			t.Errorf("unread: got %q, want %q in place %d", unread, want, i)
		}
	}
}

// TestLimitOfStdin: a stream without an end is not read to it.
func TestLimitOfStdin(t *testing.T) {
	found := Walk([]string{"-"}, Options{Limit: 1000, Stdin: endless{}}, func(f File) { t.Errorf("%s was read", f.Name) })
	if len(found.Unread) != 1 || !strings.Contains(found.Unread[0].Reason, "1001 bytes") {
		t.Errorf("got %v", found.Unread)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
