package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/cmd/gmsasim/internal/control"
)

// clockReport is the form of the clock in JSON.
type clockReport struct {
	Schema string `json:"schema"`
	control.Clock
}

func (a *app) clockCommand() *cobra.Command {
	words := []string{"show", "advance", "to", "next"}
	return &cobra.Command{
		Use:   "clock [show | advance DURATION | to TIME | next]",
		Short: "Show or move the time of a running domain",
		Long: `The running domain is the one that ` + control.URLVariable + ` and ` + control.TokenVariable + ` name; gmsasim up sets both.
+DURATION is short for advance DURATION.`,
		Example: "  gmsasim up -- gmsasim clock\n  gmsasim up -- gmsasim clock advance 10h\n  gmsasim up -- gmsasim clock next",
		RunE: func(cmd *cobra.Command, args []string) error {
			move, err := readMove(args, words)
			if err != nil {
				return err
			}
			c, err := control.FromEnvironment()
			if err != nil {
				return noDomain(err)
			}
			var t control.Clock
			if move == nil {
				t, err = c.Clock(cmd.Context())
			} else {
				t, err = c.MoveClock(cmd.Context(), *move)
			}
			if err != nil {
				return &exitError{exitUnexpected, err}
			}
			if a.json {
				a.printJSON(clockReport{"gmsasim.clock/1", t})
				return nil
			}
			fmt.Fprintf(a.out, "now   %s\n", t.Time.UTC().Format(time.RFC3339))
			if t.Next != nil {
				fmt.Fprintf(a.out, "next  %s  %s\n", t.Next.At.UTC().Format(time.RFC3339), t.Next.What)
				a.next("gmsasim clock next")
			}
			return nil
		},
	}
}

// noDomain is the error of a command that needs a running domain.
func noDomain(err error) error {
	return usage("%v; run the command below gmsasim up -- COMMAND, or set them to what gmsasim up prints", err)
}

// readMove reads the words after clock; nil means to show only.
func readMove(args, words []string) (*control.Move, error) {
	if len(args) == 0 {
		return nil, nil
	}
	word, rest := args[0], args[1:]
	if by, ok := strings.CutPrefix(word, "+"); ok {
		word, rest = "advance", append([]string{by}, rest...)
	}
	want := map[string]int{"show": 0, "next": 0, "advance": 1, "to": 1}
	n, ok := want[word]
	if !ok {
		return nil, usageNear(word, words, "clock takes %s, not %q", strings.Join(words, ", "), word)
	}
	if len(rest) != n {
		return nil, usage("clock %s takes %d arguments, got %d", word, n, len(rest))
	}
	switch word {
	case "next":
		return &control.Move{Next: true}, nil
	case "advance":
		if d, err := time.ParseDuration(rest[0]); err != nil || d <= 0 {
			return nil, usage("%q is not a duration above 0 such as 10h", rest[0])
		}
		return &control.Move{Advance: rest[0]}, nil
	case "to":
		t, err := time.Parse(time.RFC3339, rest[0])
		if err != nil {
			return nil, usage("%q is not a time such as 2019-05-03T20:00:00Z", rest[0])
		}
		return &control.Move{To: &t}, nil
	}
	return nil, nil
}
