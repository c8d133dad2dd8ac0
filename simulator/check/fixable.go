package check

import (
	_ "embed"
	"slices"
	"strings"
)

// fixable are the ids of the rules whose examples (testdata/rules) show a fix; internal/doctest keeps the list.
//
//go:embed fixable.txt
var fixable string

// Fixes tells whether a report of the rule can have a fix.
func (r *Rule) Fixes() bool { return slices.Contains(strings.Fields(fixable), r.ID) }
