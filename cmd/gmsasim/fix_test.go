package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// TestFixKeepsTheFile: mode, links, line ends and encoding stay, nothing but the values changes, and no other file is left behind.
func TestFixKeepsTheFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	bad := strings.ReplaceAll(strings.ReplaceAll(wellFormed, `"webapp"`, `"webapp$"`), "\n", "\r\n")
	good := strings.ReplaceAll(bad, "webapp$", "webapp")
	wide := func(s string) []byte {
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return b
	}
	files := map[string][]byte{"plain.json": []byte(bad), "wide.json": wide(bad)}
	for name, text := range files {
		if err := os.WriteFile(name, text, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	linked := os.Symlink("plain.json", "link.json") == nil
	path := "plain.json"
	if linked {
		path = "link.json"
	}
	var out, said bytes.Buffer
	if status := newApp(strings.NewReader(""), &out, &said).run(t.Context(), []string{"check", "--fix", path}); status != exitOK {
		t.Fatalf("status %d\n%s%s", status, out.String(), said.String())
	}
	got, err := os.ReadFile("plain.json")
	if err != nil || string(got) != good {
		t.Errorf("got %q, want %q", got, good)
	}
	if info, err := os.Lstat(path); linked && (err != nil || info.Mode()&os.ModeSymlink == 0) {
		t.Errorf("the link became a file: %v", err)
	}
	if info, err := os.Stat("plain.json"); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// UTF-16 is a fault of its own: with it ignored, the encoding stays.
	if err := os.WriteFile(".wide.json.lint", []byte("json-utf16 the old program writes it so\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status := newApp(strings.NewReader(""), &out, &said).run(t.Context(), []string{"check", "--fix", "wide.json"}); status != exitOK {
		t.Fatalf("status %d\n%s%s", status, out.String(), said.String())
	}
	if got, err := os.ReadFile("wide.json"); err != nil || !bytes.Equal(got, wide(good)) {
		t.Errorf("got %q", got)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), ".json.") && e.Name() != ".wide.json.lint" {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

// TestFixOfAFileThatChanged: what somebody has written in the meantime stays.
func TestFixOfAFileThatChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(path, []byte("newer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeOver(path, []byte("older"), []byte("fixed")); err == nil || !strings.Contains(err.Error(), "changed while it was checked") {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "newer" {
		t.Errorf("the file has %q", got)
	}
}

// TestChosenFixes: of fixes that touch, one is carried out whole, and the other is left for the next round.
func TestChosenFixes(t *testing.T) {
	f := source.NewFile("a", []byte("0123456789"))
	edit := func(start, end int) source.Edit { return source.Edit{File: f, Start: start, End: end, New: "x"} }
	reports := []check.Report{
		{Fix: []source.Edit{edit(0, 1), edit(5, 6)}},
		{Fix: []source.Edit{edit(8, 9), edit(4, 5)}}, // its second touches one of the first
		{Fix: []source.Edit{edit(8, 9)}},
		{},
	}
	edits, taken := chosen(reports)
	if len(taken) != 2 || len(edits[f]) != 3 {
		t.Errorf("%d reports with %v", len(taken), edits[f])
	}
}

// TestFixOfAReadOnlyFile: a file that nobody may write is not replaced by another one.
func TestFixOfAReadOnlyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(path, []byte("older"), 0o400); err != nil {
		t.Fatal(err)
	}
	if err := writeOver(path, []byte("older"), []byte("fixed")); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "older" {
		t.Errorf("the file has %q", got)
	}
}
