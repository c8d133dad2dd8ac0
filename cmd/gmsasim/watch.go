package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/gmsasim/gmsasim/simulator/check/gather"
)

// quiet is how long nothing must happen before a change counts as over: editors write a file in several steps.
const quiet = 60 * time.Millisecond

// watchFiles checks, and again whenever a file of the set changes, until it is interrupted. The status is that of the last check.
func (a *app) watchFiles(ctx context.Context, o *checkFlags) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch files: %w", err)
	}
	defer watcher.Close()
	var last error
	for {
		// The folders are watched, not the files: most editors put a new file in the place of the old one.
		g := a.gatherFiles(o, nil)
		watched := map[string]bool{}
		for _, folder := range g.found.Folders {
			watched[filepath.Clean(folder)] = true
		}
		named := map[string]bool{}
		for _, path := range o.paths {
			named[filepath.Clean(path)] = true
		}
		for _, path := range append(g.found.Files, o.paths...) {
			watched[filepath.Dir(path)] = true
		}
		for folder := range watched {
			if err := watcher.Add(folder); err != nil && !errors.Is(err, fsnotify.ErrClosed) {
				fmt.Fprintf(a.err, "%s %s: %v\n", a.talk.bad("not watched:"), folder, err)
			}
		}
		// What changed between reading and watching is read again.
		g = a.gatherFiles(o, nil)
		c := o.judge(g)
		last = nil
		if c.Exit != exitOK {
			last = &exitError{status: c.Exit}
		}
		if err := a.printCheck(c, o); err != nil {
			return err
		}
		if o.format == "text" {
			fmt.Fprintln(a.err, a.talk.faint("Watching for changes; Ctrl-C ends."))
		}
		if err := awaitChange(ctx, watcher, func(name string) bool {
			name = filepath.Clean(name)
			return gather.Interesting(name) || named[name] || watched[name]
		}); err != nil {
			if ctx.Err() != nil {
				return last
			}
			return err
		}
	}
}

// awaitChange returns when a file that matters has changed and nothing has happened since for a moment.
func awaitChange(ctx context.Context, watcher *fsnotify.Watcher, matters func(string) bool) error {
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err, ok := <-watcher.Errors:
			if !ok {
				return fsnotify.ErrClosed
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("watch files: %w", err)
			}
			settled = time.After(quiet) // changes were lost: look at everything
		case event, ok := <-watcher.Events:
			if !ok {
				return fsnotify.ErrClosed
			}
			if event.Op != fsnotify.Chmod && (matters(event.Name) || event.Has(fsnotify.Create)) {
				settled = time.After(quiet)
			}
		case <-settled:
			return nil
		}
	}
}
