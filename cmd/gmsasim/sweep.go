package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/simulator/sweep"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// sweepReport is the form of a sweep in JSON.
type sweepReport struct {
	Schema  string  `json:"schema"`
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"casesPerSecond"`
	*sweep.Summary
}

type sweepFlags struct {
	csv, html string
	releases  []string
	images    []string
	jobs      int
}

func (a *app) sweepCommand() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Run a container in every combination of release, image, host name, membership and SPN",
		Long: `Each case is a container that is run on a host of its own release, and looked at by Test-ADServiceAccount, docker run, nltest, klist and the sign-ins
of a user. The table counts them by the first thing that is wrong; --csv has every case, --html is a page with a heat map. Without --release and --image there are 278,400 cases,
which take some minutes.`,
		Example: "  gmsasim sweep --release 2022 --image ltsc2022 --html sweep.html\n  gmsasim sweep --release 2016 --image ltsc2016 --csv cases.csv\n  gmsasim sweep --release 'Windows Server 2025' --image ltsc2025 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("sweep takes no arguments, got %s", strings.Join(args, " "))
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.sweep(ctx, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.csv, "csv", "", "write every case to this file; - is the standard output, in place of the table")
	flags.StringVar(&f.html, "html", "", "write a page with a heat map to this file")
	flags.StringArrayVar(&f.releases, "release", nil, "only hosts of this release; may be given more than once")
	flags.StringArrayVar(&f.images, "image", nil, "only images with this tag; may be given more than once")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "domains at the same time (default: the number of processors)")
	return cmd
}

func (a *app) sweep(ctx context.Context, f sweepFlags) error {
	axes := sweep.AllAxes()
	var err error
	if len(f.releases) > 0 {
		if axes.Releases, err = chosenReleases(axes.Releases, f.releases); err != nil {
			return err
		}
	}
	if len(f.images) > 0 {
		for _, tag := range f.images {
			if !slices.Contains(axes.Images, tag) {
				return usageNear(tag, axes.Images, "--image %s: there are %s", tag, strings.Join(axes.Images, ", "))
			}
		}
		axes.Images = f.images
	}
	page := sweep.NewPage(axes)
	sinks := []func(sweep.Row) error{}
	if f.html != "" {
		sinks = append(sinks, page.Add)
	}
	closeCSV := func() error { return nil }
	if f.csv != "" {
		out, closeOut, err := a.create(f.csv)
		if err != nil {
			return err
		}
		table, err := sweep.NewCSV(out)
		if err != nil {
			return errors.Join(err, closeOut())
		}
		sinks = append(sinks, table.Write)
		closeCSV = func() error { return errors.Join(table.Close(), closeOut()) }
	}
	sum := &sweep.Summary{}
	start := time.Now()
	p := a.progress("cases", axes.Count())
	err = sweep.Run(ctx, axes, sweep.Options{Jobs: f.jobs, Progress: p.at}, func(r sweep.Row) error {
		sum.Add(r)
		for _, sink := range sinks {
			if err := sink(r); err != nil {
				return err
			}
		}
		return nil
	})
	p.end()
	if err := errors.Join(err, closeCSV()); err != nil {
		return err
	}
	took := time.Since(start)
	if f.html != "" {
		out, closeOut, err := a.create(f.html)
		if err != nil {
			return err
		}
		if err := errors.Join(page.Write(out), closeOut()); err != nil {
			return err
		}
	}
	rate := float64(sum.Cases) / took.Seconds()
	switch {
	case a.json:
		a.printJSON(sweepReport{"gmsasim.sweep/1", took.Seconds(), rate, sum})
		return nil
	case f.csv == "-":
		return nil
	}
	a.table(sum.Table())
	fmt.Fprintln(a.out)
	for _, c := range sum.First {
		fmt.Fprintf(a.out, "%s  %s\n", c.Code, c.Title)
	}
	fmt.Fprintf(a.out, "\n%s, of which %s work from end to end (%.0f s, %s/s)\n", count(sum.Cases, "case"), grouped(sum.Works), took.Seconds(), grouped(int(rate)))
	if f.html == "" {
		a.next("gmsasim sweep --html sweep.html")
	} else {
		a.next("gmsasim explain %s", sum.First[0].Code)
	}
	return nil
}

// chosenReleases are the releases that the words name.
func chosenReleases(all []windows.Release, words []string) ([]windows.Release, error) {
	var chosen []windows.Release
	for _, w := range words {
		r, err := windows.ParseRelease(w)
		if err != nil {
			return nil, usage("--release %s: %v", w, err)
		}
		i := slices.IndexFunc(all, func(o windows.Release) bool { return o.Build == r.Build && o.Edition == r.Edition })
		if i >= 0 && !slices.ContainsFunc(chosen, func(o windows.Release) bool { return o.Name == all[i].Name }) {
			chosen = append(chosen, all[i])
		}
	}
	return chosen, nil
}

// create opens a file for writing; - is the standard output.
func (a *app) create(name string) (io.Writer, func() error, error) {
	if name == "-" {
		w := bufio.NewWriter(a.out)
		return w, w.Flush, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, nil, err
	}
	w := bufio.NewWriter(f)
	return w, func() error { return errors.Join(w.Flush(), f.Close()) }, nil
}

// grouped is a number with its digits in groups of three.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
