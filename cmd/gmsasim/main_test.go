package main

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the goldens of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gmsasim": main})
}

// TestScript runs the command as people do. [slow] marks nothing: every script is to end in a second or two.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TMPDIR", e.WorkDir)
			e.Setenv("PATH", e.Getenv("PATH")+string(os.PathListSeparator)+"/usr/bin"+string(os.PathListSeparator)+"/bin")
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}
