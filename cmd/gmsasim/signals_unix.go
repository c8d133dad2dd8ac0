//go:build unix

package main

import (
	"os"
	"syscall"
)

// forwarded are the signals that a command of up gets in up's place; fromKeys are those that a terminal sends to all of them.
var (
	forwarded = []os.Signal{os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2}
	fromKeys  = []os.Signal{os.Interrupt, syscall.SIGQUIT}
)

func statusOfProcess(p *os.ProcessState) int {
	if w, ok := p.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return exitSignalled + int(w.Signal())
	}
	return p.ExitCode()
}
