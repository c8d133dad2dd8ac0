package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
)

// The statuses of a shell for a command that cannot be run.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
	exitSignalled     = 128 // and the number of the signal
)

// runInside runs a command with the domain's environment and ends with its status.
func (a *app) runInside(command, env []string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.in, a.out.Writer, a.err
	cmd.Env = append(withoutDomain(os.Environ()), env...)
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		status := exitNotExecutable
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			status = exitNotFound
		}
		return &exitError{status, fmt.Errorf("run %s: %w", command[0], err)}
	}
	ended := make(chan struct{})
	passedOn := make(chan struct{})
	go func() {
		defer close(passedOn)
		for {
			select {
			case s := <-signals:
				// At a terminal the command is in the foreground too and has got the keys' signals itself.
				if !terminal(a.in) || !slices.Contains(fromKeys, s) {
					_ = cmd.Process.Signal(s) // a command that has just ended needs none
				}
			case <-ended:
				return
			}
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-passedOn
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return &exitError{status: statusOfProcess(exit.ProcessState)}
	default:
		return fmt.Errorf("run %s: %w", command[0], err)
	}
}

// withoutDomain leaves out what would lead a command to another domain.
func withoutDomain(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		return strings.HasPrefix(v, "GMSASIM_") || strings.HasPrefix(v, "KRB5_CONFIG=") || strings.HasPrefix(v, "KRB5_KTNAME=") ||
			strings.HasPrefix(v, "KRB5_CLIENT_KTNAME=") || strings.HasPrefix(v, "KRB5CCNAME=")
	})
}
