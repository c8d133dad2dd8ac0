package ldif

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// logical is a line that has been unfolded (RFC 2849, note 2).
type logical struct {
	text []byte // good until the next one is read
	line int    // of its beginning, from 1
	cut  bool   // the file ends within it
}

// lines unfolds the lines of a file.
type lines struct {
	src    io.Reader
	r      *bufio.Reader
	limit  int // of a line
	value  int // of a value
	n      int // lines read
	buf    []byte
	joined []byte
	next1  []byte // a line that has been read ahead
	has    bool
	cut    bool // the line that was read ahead has no end
	eof    bool
	err    error
}

// ended tells that there is no line after the one that next gave last.
func (l *lines) ended() bool { return l.eof && !l.has }

// next gives the next line without its end; io.EOF after the last one.
func (l *lines) next() (logical, error) {
	if l.r == nil {
		r, err := decoded(l.src)
		if err != nil {
			return logical{}, err
		}
		l.r = bufio.NewReaderSize(r, 64<<10)
		if err := l.ahead(); err != nil {
			return logical{}, err
		}
		if l.has {
			if problem := otherFormat(l.next1); problem != "" {
				return logical{}, &Error{Line: 1, Problem: problem, Kind: ErrFormat}
			}
		}
	}
	if l.err != nil {
		return logical{}, l.err
	}
	if !l.has {
		return logical{}, io.EOF
	}
	if len(l.next1) > 0 && l.next1[0] == ' ' {
		return logical{}, &Error{Line: l.n, Problem: "the line begins with a blank, but there is no line before it that it could continue", Kind: ErrSyntax}
	}
	out := logical{line: l.n, cut: l.cut}
	l.joined = append(l.joined[:0], l.next1...)
	for {
		if err := l.ahead(); err != nil {
			l.err = err // of the line after this one
			break
		}
		if !l.has || len(l.next1) == 0 || l.next1[0] != ' ' || len(l.joined) == 0 {
			break
		}
		out.cut = l.cut
		l.joined = append(l.joined, l.next1[1:]...)
		if len(l.joined) > 2*l.value { // base64 takes four bytes for three
			return logical{}, &Error{Line: out.line, Problem: "a value that is too long", Kind: ErrLimit}
		}
	}
	out.text = l.joined
	return out, nil
}

// ahead reads a line into next1.
func (l *lines) ahead() error {
	l.has = false
	if l.eof {
		return nil
	}
	l.buf = l.buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		l.buf = append(l.buf, part...)
		if len(l.buf) > l.limit {
			return &Error{Line: l.n + 1, Problem: "the line is too long", Kind: ErrLimit}
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && err != io.EOF {
			if e, ok := errors.AsType[*Error](err); ok {
				e.Line = l.n + 1
			}
			return err
		}
		l.eof = err == io.EOF
		break
	}
	if l.eof && len(l.buf) == 0 {
		return nil
	}
	l.n++
	l.cut = l.eof
	l.next1, l.has = bytes.TrimSuffix(bytes.TrimSuffix(l.buf, []byte("\n")), []byte("\r")), true
	return nil
}
