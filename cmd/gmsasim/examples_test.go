package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// wellFormed is a credential spec in which nothing is wrong.
const wellFormed = `{
  "CmsPlugins": ["ActiveDirectory"],
  "DomainJoinConfig": {
    "Sid": "S-1-5-21-2005147832-1190431754-3022818347",
    "MachineAccountName": "webapp",
    "Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36",
    "DnsTreeName": "corp.example",
    "DnsName": "corp.example",
    "NetBiosName": "CORP"
  },
  "ActiveDirectoryConfig": {
    "GroupManagedServiceAccounts": [
      {"Name": "webapp", "Scope": "corp.example"},
      {"Name": "webapp", "Scope": "CORP"}
    ]
  }
}
`

// TestExamples runs the examples of the help texts: three for each command, at least. What runs until it is interrupted, or asks a
// server that is somewhere else, is only parsed.
func TestExamples(t *testing.T) {
	root := newApp(strings.NewReader(""), io.Discard, io.Discard).root()
	var script strings.Builder
	script.WriteString("[!exec:sh] skip\n")
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		if cmd.Name() == "help" || !cmd.IsAvailableCommand() && cmd != root {
			continue
		}
		lines := strings.Split(cmd.Example, "\n")
		if len(lines) < 3 {
			t.Errorf("%s: got %d examples, want 3", cmd.CommandPath(), len(lines))
		}
		for _, line := range lines {
			line = strings.TrimSpace(line)
			endless := strings.HasPrefix(line, "gmsasim up ") && !strings.Contains(line, " -- ") || strings.Contains(line, "--follow") || strings.Contains(line, "--watch") || strings.Contains(line, "--server ldaps://")
			if endless {
				parses(t, line)
				continue
			}
			if _, err := exec.LookPath("ldapsearch"); err != nil && strings.Contains(line, "ldapsearch") {
				continue
			}
			if cmd.Name() == "doctor" {
				line += " || test $? = 1" // it has found something
			}
			fmt.Fprintf(&script, "exec sh -c '%s'\n", strings.ReplaceAll(line, "'", "''"))
		}
	}
	// What the examples of check and of the doctor are about.
	for _, name := range []string{"webapp.json", "deploy/webapp.json", "contoso_webapp01.json"} {
		fmt.Fprintf(&script, "-- %s --\n%s", name, wellFormed)
	}
	script.WriteString("-- compose.yaml --\nservices:\n  web:\n    image: registry.corp.example/web:ltsc2022\n    security_opt: [\"credentialspec=file://contoso_webapp01.json\"]\n")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "examples.txtar"), []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: dir, Setup: prepare})
}

func parses(t *testing.T, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " >")
	cmd, rest, err := newApp(strings.NewReader(""), io.Discard, io.Discard).root().Find(strings.Fields(line)[1:])
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err != nil {
		t.Errorf("%s: %v", line, err)
	}
}
