package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWatch: a change of a file, a file that comes, and one that an editor puts in the place of another are checked; an interruption ends with the
// status of the last check.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	spec, deploy := filepath.Join(dir, "webapp.json"), filepath.Join(dir, "deploy")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(deploy, 0o700); err != nil {
		t.Fatal(err)
	}
	bad := strings.ReplaceAll(wellFormed, `"webapp"`, `"webapp$"`)
	write(spec, wellFormed)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	defer r.Close()
	status := make(chan int, 1)
	go func() {
		status <- newApp(strings.NewReader(""), w, w).run(ctx, []string{"check", "--watch", dir})
		w.Close()
	}()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			lines <- s.Text()
		}
	}()
	deadline := time.After(30 * time.Second)
	// await reads until a check is over and gives the line with its sum.
	await := func(want string) {
		t.Helper()
		sum := ""
		for {
			select {
			case line, ok := <-lines:
				if !ok {
					t.Fatal("the command ended")
				}
				if strings.Contains(line, " in ") && strings.Contains(line, "file") && !strings.Contains(line, ":") {
					sum = line
				}
				if strings.HasPrefix(line, "Watching") {
					if strings.HasPrefix(sum, want) {
						return
					}
					t.Logf("passed over: %q", sum) // a check while the file was being written
				}
			case <-deadline:
				t.Fatalf("no check with %q", want)
			}
		}
	}
	await("nothing wrong in 1 file")
	write(spec, bad)
	await("3 errors in 1 file")
	write(filepath.Join(deploy, "other.json"), strings.ReplaceAll(bad, "corp.example", "fleet.example"))
	await("8 errors")
	temporary := filepath.Join(dir, ".webapp.json.swp")
	write(temporary, wellFormed)
	if err := os.Rename(temporary, spec); err != nil {
		t.Fatal(err)
	}
	await("5 errors")
	cancel()
	for range lines { // what it says at its end
	}
	if got := <-status; got != exitUnexpected {
		t.Errorf("status %d, want %d of the last check", got, exitUnexpected)
	}
}
