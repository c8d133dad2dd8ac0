package ldif

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// decoded gives a file as UTF-8, without a byte order mark. ldifde -u writes UTF-16, and so does the redirection of Windows PowerShell.
func decoded(src io.Reader) (io.Reader, error) {
	r := bufio.NewReaderSize(src, 64<<10)
	head, err := r.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	skip := func(n int) { _, _ = r.Discard(n) } // what was peeked at is there
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		skip(3)
		return r, nil
	case bytes.Equal(head, []byte{0xff, 0xfe, 0, 0}), bytes.Equal(head, []byte{0, 0, 0xfe, 0xff}):
		return nil, &Error{Line: 1, Problem: "the file is in UTF-32; save it as UTF-8", Kind: ErrEncoding}
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		skip(2)
		return &utf16Reader{r: r}, nil
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		skip(2)
		return &utf16Reader{r: r, big: true}, nil
	case len(head) == 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return &utf16Reader{r: r}, nil
	case len(head) == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return &utf16Reader{r: r, big: true}, nil
	}
	return r, nil
}

// otherFormat says what a file is by its first line, when it is something else that people have at hand; "" for LDIF.
func otherFormat(line []byte) string {
	for _, f := range []struct{ prefix, problem string }{
		{"\x1f\x8b", "the file is compressed with gzip; unpack it first"},
		{"PK\x03\x04", "the file is a ZIP archive; unpack it first"},
		{"<?xml", "the file is XML, not LDIF"},
		{"{", "the file is JSON, not LDIF"},
		{"[", "the file is JSON, not LDIF"},
		{"DN,", "the file is from csvde; export with ldifde instead"},
	} {
		if bytes.HasPrefix(line, []byte(f.prefix)) {
			return f.problem
		}
	}
	return ""
}

// utf16Reader turns UTF-16 into UTF-8.
type utf16Reader struct {
	r   *bufio.Reader
	big bool
	out []byte // not given yet
	mem [utf8.UTFMax]byte
	err error
}

// unit reads one 16-bit unit.
func (u *utf16Reader) unit() (rune, error) {
	a, err := u.r.ReadByte()
	if err != nil {
		return 0, err
	}
	b, err := u.r.ReadByte()
	if err == io.EOF {
		return 0, &Error{Problem: "the file is UTF-16 and ends within a character: it is cut off", Kind: ErrEncoding}
	}
	if err != nil {
		return 0, err
	}
	if u.big {
		a, b = b, a
	}
	return rune(a) | rune(b)<<8, nil
}

func (u *utf16Reader) char() (rune, error) {
	c, err := u.unit()
	if err != nil || !utf16.IsSurrogate(c) {
		return c, err
	}
	low, err := u.unit()
	if err != nil && err != io.EOF {
		return 0, err
	}
	if c = utf16.DecodeRune(c, low); c == utf8.RuneError {
		return 0, &Error{Problem: "the file is UTF-16 and has half a character", Kind: ErrEncoding}
	}
	return c, nil
}

// Read gives UTF-8.
func (u *utf16Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(u.out) > 0 {
			c := copy(p[n:], u.out)
			u.out, n = u.out[c:], n+c
			continue
		}
		if u.err != nil {
			break
		}
		c, err := u.char()
		if err != nil {
			u.err = err
			break
		}
		if c < utf8.RuneSelf {
			p[n] = byte(c)
			n++
			continue
		}
		u.out = utf8.AppendRune(u.mem[:0], c)
	}
	if n == 0 {
		return 0, u.err
	}
	return n, nil
}
