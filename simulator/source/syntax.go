package source

import "fmt"

// SyntaxError is why a text in a notation other than JSON and YAML cannot be read to its end.
type SyntaxError struct {
	File *File
	// Start and End are the range of what is wrong, in File.Data.
	Start, End int
	// Text is the reader's own.
	Text string
	Err  error
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%s: %s", e.File.Name, e.File.Position(e.Start), e.Text)
}
func (e *SyntaxError) Unwrap() error { return e.Err }

// Span is the place of the error.
func (e *SyntaxError) Span() Span { return e.File.Span(e.Start, e.End) }
