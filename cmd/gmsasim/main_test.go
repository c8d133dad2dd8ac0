package main

import (
	"flag"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the goldens of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gmsasim": main})
}

// prepare gives scripts a home of their own and no colour.
func prepare(e *testscript.Env) error {
	e.Setenv("NO_COLOR", "1")
	e.Setenv("HOME", e.WorkDir)
	e.Setenv("TMPDIR", e.WorkDir)
	return nil
}

// TestScript runs the command as people do.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		Setup:               prepare,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}
