//go:build !unix

package main

import "os"

// forwarded are the signals that a command of up gets in up's place; fromKeys are those that a console sends to all of them.
var (
	forwarded = []os.Signal{os.Interrupt}
	fromKeys  = []os.Signal{os.Interrupt}
)

func statusOfProcess(p *os.ProcessState) int { return p.ExitCode() }
