package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/cmd/gmsasim/internal/control"
	"github.com/gmsasim/gmsasim/simulator"
)

func (a *app) eventsCommand() *cobra.Command {
	var follow bool
	var since int
	cmd := &cobra.Command{
		Use:   "events [--follow]",
		Short: "Print or follow what happens in a running domain",
		Long: `The running domain is the one that ` + control.URLVariable + ` and ` + control.TokenVariable + ` name; gmsasim up sets both.
With --json there is one object a line.`,
		Example: "  gmsasim up -- gmsasim events\n  gmsasim up -- sh -c 'gmsasim clock advance 1h; gmsasim events --json'\n  gmsasim events --follow",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if since < 0 {
				return usage("--since %d: events are numbered from 1", since)
			}
			c, err := control.FromEnvironment()
			if err != nil {
				return noDomain(err)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			enc := json.NewEncoder(a.out)
			enc.SetEscapeHTML(false)
			printed := 0
			err = c.Events(ctx, since, follow, func(e simulator.Event) error {
				printed++
				if a.json {
					return enc.Encode(e)
				}
				_, err := fmt.Fprintln(a.out, e)
				return err
			})
			if err != nil {
				return &exitError{exitUnexpected, err}
			}
			if printed > 0 && !follow {
				a.next("gmsasim events --follow")
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on as events happen")
	cmd.Flags().IntVar(&since, "since", 0, "only events after this number")
	return cmd
}
