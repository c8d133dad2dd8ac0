package check_test

import (
	"testing"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/simulated"
)

func init() { check.OpenDirectory = openDirectory }

func openDirectory(t *testing.T, config []byte) check.Directory {
	t.Helper()
	c, err := scenarios.ParseConfig("directory.yaml", config)
	if err != nil {
		t.Fatal(err)
	}
	d, err := simulated.Open(t.Context(), c.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}
