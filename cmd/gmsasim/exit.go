package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/check/ldapdirectory"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// The exit statuses, also in JSON.
const (
	exitOK          = 0 // as expected
	exitUnexpected  = 1 // not as expected
	exitUsage       = 2 // the command line or a file is wrong
	exitInternal    = 3 // the simulator failed
	exitNotModelled = 4 // the simulator does not do this
	exitInterrupted = 130
)

// exitError ends the command with a status. Its error, where there is one, is still to be printed.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError is a mistake on the command line, with the nearest valid name and the command that shows all of them.
type usageError struct {
	problem, nearest string
	help             string // "": the help of the command
}

func (e *usageError) Error() string {
	if e.nearest != "" {
		return e.problem + "; nearest: " + e.nearest
	}
	return e.problem
}

func usage(format string, args ...any) error {
	return &usageError{problem: fmt.Sprintf(format, args...)}
}

func usageNear(want string, names []string, format string, args ...any) *usageError {
	return &usageError{problem: fmt.Sprintf(format, args...), nearest: diag.Nearest(want, names)}
}

// shownBy says which command lists what would have been right.
func (e *usageError) shownBy(command string) error {
	e.help = command
	return e
}

// helpFor is the command to go on with after an error of the command line, "" when the error says all.
func helpFor(err error) string {
	if e, ok := errors.AsType[*usageError](err); ok {
		return cmp.Or(e.help, "gmsasim --help")
	}
	if _, ok := errors.AsType[*scenarios.SelectError](err); ok {
		return "gmsasim list"
	}
	return ""
}

// statusOf is the exit status of an error.
func statusOf(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.status
	}
	_, isUsage := errors.AsType[*usageError](err)
	_, isPath := errors.AsType[*fs.PathError](err)
	_, isSelect := errors.AsType[*scenarios.SelectError](err)
	_, isConnect := errors.AsType[*ldapdirectory.ConnectError](err)
	switch {
	case errors.Is(err, diag.NotModelled):
		return exitNotModelled
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case isUsage, isPath, isSelect, isConnect, len(scenarios.SourceErrors(err)) > 0:
		return exitUsage
	default:
		return exitInternal
	}
}

// errorReport is the form of an error in JSON.
type errorReport struct {
	Schema   string          `json:"schema"`
	Exit     int             `json:"exit"`
	Error    string          `json:"error"`
	Nearest  string          `json:"nearest,omitempty"`
	Problems []problemReport `json:"problems,omitempty"`
}

type problemReport struct {
	scenarios.Place
	Problem string `json:"problem"`
	Nearest string `json:"nearest,omitempty"`
	Code    string `json:"code,omitempty"`
}

// fail prints an error and gives its status.
func (a *app) fail(err error) int {
	status := statusOf(err)
	if e, ok := errors.AsType[*exitError](err); ok && e.err == nil {
		return status // what there is to say has been said
	}
	if a.json {
		r := errorReport{Schema: "gmsasim.error/1", Exit: status, Error: err.Error()}
		if u, ok := errors.AsType[*usageError](err); ok {
			r.Nearest = u.nearest
		}
		for _, s := range scenarios.SourceErrors(err) {
			r.Problems = append(r.Problems, problemReport{s.Place, s.Problem, s.Nearest, string(s.Code)})
		}
		a.printJSON(r)
		return status
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	for _, line := range strings.Split(strings.TrimRight(err.Error(), "\n"), "\n") {
		fmt.Fprintf(a.err, "%s %s\n", a.talk.bad("error:"), line)
	}
	if e, ok := errors.AsType[*specError](err); ok && e.help != "" {
		fmt.Fprintln(a.err, "help: "+e.help)
	}
	switch status {
	case exitUsage:
		if help := helpFor(err); help != "" {
			fmt.Fprintln(a.err, "help: "+help)
		}
	case exitNotModelled:
		fmt.Fprintln(a.err, "help: gmsasim explain GMSA900")
	}
	return status
}

// printJSON writes a value as one indented document.
func (a *app) printJSON(v any) {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // a closed pipe ends the command soon enough
}

// next prints the next useful command, for people.
func (a *app) next(format string, args ...any) {
	if !a.json {
		fmt.Fprintf(a.err, a.talk.faint("Next: ")+format+"\n", args...)
	}
}
