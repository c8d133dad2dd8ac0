package main

import (
	"io"
	"os"
)

// style is how marks and colours look.
type style struct {
	colour, ascii bool
}

func newStyle(out io.Writer, plain bool) style {
	return style{colour: !plain && terminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb", ascii: plain}
}

// terminal tells whether a stream goes to a person.
func terminal(w any) bool {
	if o, ok := w.(*output); ok {
		w = o.Writer
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

func (s style) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) good(text string) string  { return s.paint("32", text) }
func (s style) bad(text string) string   { return s.paint("31", text) }
func (s style) bold(text string) string  { return s.paint("1", text) }
func (s style) faint(text string) string { return s.paint("2", text) }

// mark is the sign of how something ended.
func (s style) mark(passed bool) string {
	switch {
	case passed && s.ascii:
		return "ok  "
	case passed:
		return s.good("✓")
	case s.ascii:
		return "FAIL"
	default:
		return s.bad("✗")
	}
}
