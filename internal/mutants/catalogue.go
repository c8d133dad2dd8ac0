package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
)

// notAsExpected begins the line that [runCatalogue] prints about a case.
const notAsExpected = "not as expected: "

// runCatalogue runs the scenarios one after another up to the first that is not as expected, and prints that one. It is this program's own
// work in a process of its own: a mutant may panic.
func runCatalogue(ctx context.Context) (ok bool, err error) {
	bundles, err := scenarios.Select()
	if err != nil {
		return false, err
	}
	for _, b := range bundles {
		r := b.Run(ctx, scenarios.Options{Jobs: 1})
		for _, c := range r.Cases {
			if c.Status != scenarios.Passed {
				fmt.Println(notAsExpected + strings.TrimSuffix(r.ID+" / "+c.Name, " / "))
				return false, nil
			}
		}
	}
	return true, nil
}

// failedScenario reads what runCatalogue prints.
func failedScenario(line string) string {
	name, ok := strings.CutPrefix(strings.TrimSpace(line), notAsExpected)
	if !ok {
		return ""
	}
	return name
}
