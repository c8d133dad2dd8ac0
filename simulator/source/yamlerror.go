package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAMLError is what a YAML file has instead of its next document.
type YAMLError struct {
	File *File
	// Line is what the reader calls the place: often the line before, or the one where the block begins; 0: it does not say.
	Line int
	// Text is the reader's own, as users see it from kubectl: "did not find expected key".
	Text string
	err  error
	at   int // 0: not looked for yet
}

// At is the line, from 1, that cannot follow those before it; of a bracket or quotation mark that is never closed, the line of that.
func (e *YAMLError) At() int {
	if e.at == 0 {
		e.at = max(culprit(e.File, e.Text), 1)
	}
	return e.at
}

func (e *YAMLError) Error() string { return e.message(e.Line) }

func (e *YAMLError) message(line int) string {
	if line <= 0 {
		return "yaml: " + e.Text
	}
	return fmt.Sprintf("yaml: line %d: %s", line, e.Text)
}

func (e *YAMLError) Unwrap() error { return e.err }

// Kubectl is the error as kubectl and helm print it: their reader is older (sigs.k8s.io/yaml, of go-yaml 2), counts from the document's
// beginning, and calls the line before by the number of the place where its grammar gave up.
func (e *YAMLError) Kubectl() string {
	lines, first := yamlLines(e.File), 1
	for i := min(e.At(), len(lines)); i > 0; i-- {
		if bytes.HasPrefix(e.File.Data[lines[i-1]:], []byte("---")) {
			first = i + 1
			break
		}
	}
	line := e.At() - first + 1
	switch {
	case e.Text == "did not find expected node content": // a bracket that is open to the end: read from its line on, the reader counts to there
		n, _, _ := firstYAMLError(e.File.Data[lines[min(e.At(), len(lines))-1]:])
		line += n - 1
	case strings.HasPrefix(e.Text, "did not find expected") && e.Text != "did not find expected alphabetic or numeric character":
		line--
	case e.Text == "could not find expected ':'":
		line++
	case e.Text == "found unexpected end of stream":
		line = len(lines) - first + 1
	case line == 1:
		line = 0
	}
	return e.message(line)
}

// Span is the line of the error.
func (e *YAMLError) Span() Span {
	start := e.File.offsetIn(yamlLines(e.File), e.At(), 1)
	end := start
	for end < len(e.File.Data) && e.File.Data[end] != '\n' && e.File.Data[end] != '\r' {
		end++
	}
	for start < end && (e.File.Data[start] == ' ' || e.File.Data[start] == '\t') {
		start++
	}
	return e.File.Span(start, end)
}

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\n\s*)?(?:line (\d+): )?`)

func yamlError(f *File, err error) *YAMLError {
	e := &YAMLError{File: f, err: err}
	e.Line, e.Text = splitYAML(err)
	if len(f.Data) > maxSearched {
		e.at = e.Line
	}
	return e
}

// splitYAML takes the line out of the reader's text.
func splitYAML(err error) (line int, text string) {
	text = err.Error()
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return 0, strings.TrimPrefix(text, "yaml: ")
	}
	line, _ = strconv.Atoi(m[1])
	return line, text[len(m[0]):]
}

// maxSearched bounds the search for the line of an error: what is longer has the line that the reader names.
const maxSearched = 1 << 20

// culprit finds the line with which the lines before it cannot be read any more. The reader's own line is of no use: it is the beginning of the
// block in which it gave up, less one.
//
// Lines up to the place can be read when no bracket or quotation mark is open at their end, and nothing after it can. The search looks for the
// last such line by halves, and goes on behind what it found as long as an open bracket may have misled it.
func culprit(f *File, text string) int {
	lines := yamlLines(f)
	reads := func(n int) bool { // the first n lines
		if n >= len(lines) {
			return false
		}
		_, _, err := firstYAMLError(f.Data[:lines[n]])
		return err == nil
	}
	const ahead = 64
	good := 0
	if last := len(lines) - 1; reads(last) { // as somebody types a file, or one that was cut
		good = last
	}
	for found := true; found; {
		low, high := good, len(lines) // low can be read, high cannot
		for high-low > 1 {
			if middle := (low + high) / 2; reads(middle) {
				low = middle
			} else {
				high = middle
			}
		}
		good, found = low, false
		if _, again, _ := firstYAMLError(f.Data[:lines[min(good+1, len(lines)-1)]]); again == text && !strings.Contains(text, "',' or") {
			break // nothing is open there
		}
		for n := good + 2; n <= good+ahead && n < len(lines); n++ {
			if reads(n) {
				good, found = n, true
				break
			}
		}
	}
	at := good + 1
	if strings.Contains(text, "',' or") { // inside of brackets: read from their line on, the reader counts to the place itself
		if n, again, err := firstYAMLError(f.Data[lines[min(at, len(lines))-1]:]); err != nil && again == text {
			at += n
		}
	}
	return min(at, len(lines))
}

// firstYAMLError reads a text to its end or first error.
func firstYAMLError(data []byte) (line int, text string, err error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		switch err := dec.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return 0, "", nil
		case err != nil:
			line, text = splitYAML(err)
			return line, text, err
		}
	}
}
