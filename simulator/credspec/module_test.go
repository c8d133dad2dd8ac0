package credspec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/credspec/module"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// TestModule: what was read from a file of the module is written to the byte, with the lines' ends that the file has here.
func TestModule(t *testing.T) {
	paths, err := filepath.Glob("testdata/module/*.json")
	if err != nil || len(paths) < 3 {
		t.Fatalf("files of the module: %v, %v", paths, err)
	}
	for _, path := range paths {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d := Read(source.NewFile(path, want))
		if got := d.Spec().Module(module.LF); string(got) != string(want) {
			t.Errorf("%s is written\n%s", path, got)
		}
		if got := d.Spec().Module(module.CRLF); string(got) != strings.ReplaceAll(string(want), "\n", "\r\n") {
			t.Errorf("%s with CRLF is written\n%q", path, got)
		}
	}
}

// TestModuleSamples holds the writer against public files that the module has written, where they are there.
func TestModuleSamples(t *testing.T) {
	const folder = "../../../shared/reference/fixtures/credspec/"
	if _, err := os.Stat(folder); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the public samples are not here")
	}
	for _, name := range []string{"moby-valid.json", "issue-moby-29310-additional-accounts.json", "issue-plooploops-7-child-domain.json"} {
		want, err := os.ReadFile(folder + name)
		if err != nil {
			t.Fatal(err)
		}
		got := Read(source.NewFile(name, want)).Spec().Module(module.LF)
		if strings.TrimRight(string(got), "\n") != strings.TrimRight(string(want), "\n") {
			t.Errorf("%s is written\n%s", name, got)
		}
	}
}

// TestModuleEscapes: the text is ASCII, and means the same.
func TestModuleEscapes(t *testing.T) {
	s := Spec{CmsPlugins: []string{"ActiveDirectory"}, DomainJoin: DomainJoin{MachineAccountName: "Büro&Söhne", DnsName: "a\"b\\c\n\x01\t\r"},
		Accounts: []Account{{Name: "𝔸'<>", Scope: "x"}}, Host: &HostAccount{PortableCcgVersion: "1", PluginGUID: "{859E1386-BDB4-49E8-85C7-3070B13920E1}", PluginObject: []Field{{Key: "CredentialArn", Value: "arn:aws:x"}}}}
	text := s.Module(module.LF)
	for _, b := range text {
		if b > '~' || b < ' ' && b != '\n' {
			t.Fatalf("byte %#x in\n%s", b, text)
		}
	}
	if !json.Valid(text) {
		t.Fatalf("not JSON:\n%s", text)
	}
	if got := Read(source.NewFile("a.json", text)).Spec(); !reflect.DeepEqual(got, s) {
		t.Errorf("got %+v, want %+v", got, s)
	}
}
