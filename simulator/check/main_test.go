package check

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets garbage wait: a hundred thousand short runs are mostly allocations that no other run needs.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}
