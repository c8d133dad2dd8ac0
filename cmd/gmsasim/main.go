// Command gmsasim runs pretend Active Directory domains with group managed service accounts: scenarios that go wrong in known
// ways, and domains that real clients can talk to.
package main

import (
	"context"
	"io"
	"os"
)

func main() {
	os.Exit(newApp(os.Stdin, os.Stdout, os.Stderr).run(context.Background(), os.Args[1:]))
}

// app is the command with its streams.
type app struct {
	in       io.Reader
	out, err io.Writer
	json     bool
	plain    bool
	style    style // of out
	talk     style // of err
}

func newApp(in io.Reader, out, err io.Writer) *app {
	return &app{in: in, out: out, err: err}
}
