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

// output remembers the first write that failed: a result that has not arrived is none.
type output struct {
	io.Writer
	failed error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil && o.failed == nil {
		o.failed = err
	}
	return n, err
}

// app is the command with its streams.
type app struct {
	in    io.Reader
	out   *output
	err   io.Writer
	json  bool
	sarif bool // of the doctor
	plain bool
	style style // of out
	talk  style // of err
}

func newApp(in io.Reader, out, err io.Writer) *app {
	return &app{in: in, out: &output{Writer: out}, err: err}
}
