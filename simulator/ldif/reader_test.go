package ldif

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"
)

// all reads a file and writes what it holds as one line for each value.
func all(t testing.TB, text string, l Limits) (string, []Note, error) {
	t.Helper()
	r := NewReader(iotest.OneByteReader(strings.NewReader(text)), l)
	var b strings.Builder
	for {
		e, err := r.Next()
		if err == io.EOF {
			return b.String(), r.Notes(), nil
		}
		if err != nil {
			return b.String(), r.Notes(), err
		}
		fmt.Fprintf(&b, "%d dn=%s\n", e.Line, e.DN)
		for _, v := range e.Values {
			fmt.Fprintf(&b, "%d %s|%s=%q\n", v.Line, v.Attribute, v.Options, v.Data)
		}
	}
}

func TestReader(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"two entries", "version: 1\n\ndn: CN=a\ncn: a\n\n\ndn: CN=b\ncn: b\n", "3 dn=CN=a\n4 cn|=\"a\"\n7 dn=CN=b\n8 cn|=\"b\"\n"},
		{"folded, also within base64 and within a name", "dn: CN=a,DC=con\n toso\ncn:: YW\n Jj\nmem\n ber: x\n", "1 dn=CN=a,DC=contoso\n3 cn|=\"abc\"\n5 member|=\"x\"\n"},
		{"CRLF and ldifde", "dn: CN=a\r\nchangetype: add\r\nobjectClass: top\r\nmember: CN=x\r\n ,DC=y\r\n\r\n", "1 dn=CN=a\n3 objectClass|=\"top\"\n4 member|=\"CN=x,DC=y\"\n"},
		{"comments, folded ones too", "# one\n two\ndn: CN=a\n# x\ncn: a\n\n# refldap://x\n", "3 dn=CN=a\n5 cn|=\"a\"\n"},
		{"no blank, empty, colons", "dn:CN=a\na:\nb:x:y\nc: : \n", "1 dn=CN=a\n2 a|=\"\"\n3 b|=\"x:y\"\n4 c|=\": \"\n"},
		{"dn in base64, case of names", "DN:: Q049w6Q=\nCn: x\n", "1 dn=CN=ä\n2 Cn|=\"x\"\n"},
		{"options", "dn: CN=a\nmember;range=0-1499: x\nuserCertificate;binary:: AA==\n1.2.840: y\n", "1 dn=CN=a\n2 member|range=0-1499=\"x\"\n3 userCertificate|binary=\"\\x00\"\n4 1.2.840|=\"y\"\n"},
		{"UTF-8 in the clear", "dn: CN=ä\ncn: ä\n", "1 dn=CN=ä\n2 cn|=\"ä\"\n"},
		{"ldapsearch without -LLL", "# extended LDIF\n\ndn: CN=a\ncn: a\n\n# search reference\nref: ldap://x\n\n# search result\nsearch: 2\nresult: 0 Success\ncontrol: 1.2 false AA==\npagedresults: cookie=\n", "3 dn=CN=a\n4 cn|=\"a\"\n"},
		{"two files joined", "version: 1\ndn: CN=a\ncn: a\ndn: CN=b\ncn: b\n\nversion: 1\n\ndn: CN=c\n", "2 dn=CN=a\n3 cn|=\"a\"\n4 dn=CN=b\n5 cn|=\"b\"\n9 dn=CN=c\n"},
		{"empty", "", ""},
		{"only comments", "# x\n", ""},
	} {
		for _, e := range []struct {
			name   string
			encode func(string) string
		}{
			{"", func(s string) string { return s }},
			{"UTF-8 with a byte order mark", func(s string) string { return "\xef\xbb\xbf" + s }},
			{"UTF-16LE", func(s string) string { return inUTF16(s, false, true) }},
			{"UTF-16BE", func(s string) string { return inUTF16(s, true, true) }},
			{"UTF-16LE without a byte order mark", func(s string) string { return inUTF16(s, false, false) }},
		} {
			t.Run(c.name+"/"+e.name, func(t *testing.T) {
				if got, notes, err := all(t, e.encode(c.text), Limits{}); err != nil || got != c.want || len(notes) > 0 {
					t.Errorf("got %v, %v\n%s\nwant\n%s", err, notes, got, c.want)
				}
			})
		}
	}
}

func inUTF16(s string, big, mark bool) string {
	if mark {
		s = "\ufeff" + s
	}
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		lo, hi := byte(u), byte(u>>8)
		if big {
			lo, hi = hi, lo
		}
		b.WriteByte(lo)
		b.WriteByte(hi)
	}
	return b.String()
}

func TestReaderRefuses(t *testing.T) {
	small := Limits{Line: 40, Value: 30, Values: 3, Entries: 2}
	for _, c := range []struct {
		name, text string
		limits     Limits
		kind       error
		want       string
	}{
		{"a change", "dn: CN=a\nchangetype: modify\nreplace: x\n", Limits{}, ErrChange, `line 2: changetype "modify": this is a file of changes`},
		{"a control", "dn: CN=a\ncontrol: 1.2\nchangetype: delete\n", Limits{}, ErrChange, "line 2: a control"},
		{"a URL", "\ndn: CN=a\njpegPhoto:< file:///tmp/x\n", Limits{}, ErrSyntax, "line 3: the value is in another place"},
		{"bad base64", "dn: CN=a\ncn:: !!!!\ncn: b\n", Limits{}, ErrSyntax, "line 2: the value is not base64"},
		{"cut within base64", "dn: CN=a\ncn:: YWJ", Limits{}, ErrSyntax, "line 2: the file ends within a base64 value"},
		{"cut within a name", "dn: CN=a\nservicePrinc", Limits{}, ErrSyntax, `line 2: the file ends within a line, after "servicePrinc"`},
		{"no colon", "dn: CN=a\nxyz\ncn: b\n", Limits{}, ErrSyntax, `line 2: "xyz" is no attribute: there is no colon`},
		{"a name with a blank", "dn: CN=a\nx y: z\n", Limits{}, ErrSyntax, `line 2: "x y" is no name of an attribute`},
		{"outside an entry", "cn: a\n", Limits{}, ErrSyntax, `line 1: "cn: a" stands outside an entry`},
		{"continues nothing", "\n x\n", Limits{}, ErrSyntax, "line 2: the line begins with a blank"},
		{"begins with a blank", " x\n", Limits{}, ErrSyntax, "line 1: the line begins with a blank"},
		{"a tab", "dn: CN=a\n\tx: y\n", Limits{}, ErrSyntax, `line 2: "\tx" is no name`},
		{"version 2", "version: 2\n", Limits{}, ErrFormat, `line 1: version "2" of LDIF`},
		{"Windows-1252", "dn: CN=a\n# \xfc\ndescription: M\xfcller\n", Limits{}, ErrEncoding, "line 3: byte 0xFC is not UTF-8"},
		{"Windows-1252 in the dn", "dn: CN=M\xfcller\n", Limits{}, ErrEncoding, "line 1: byte 0xFC"},
		{"dn in base64 that is no text", "dn:: /w==\n", Limits{}, ErrEncoding, "line 1: the distinguished name"},
		{"NUL", "dn: CN=a\ncn: a\x00b\n", Limits{}, ErrEncoding, "line 2: there is a NUL"},
		{"UTF-32", "\xff\xfe\x00\x00d\x00\x00\x00", Limits{}, ErrEncoding, "line 1: the file is in UTF-32"},
		{"half a character", inUTF16("dn: CN=a\ncn: b", false, true) + "\x00", Limits{}, ErrEncoding, "line 2: the file is UTF-16 and ends within a character"},
		{"half a surrogate", inUTF16("dn: CN=a\n", false, true) + "\x00\xd8a\x00", Limits{}, ErrEncoding, "line 2: the file is UTF-16 and has half a character"},
		{"gzip", "\x1f\x8b\x08\x00x", Limits{}, ErrFormat, "line 1: the file is compressed with gzip"},
		{"csvde", "DN,objectClass,cn\n", Limits{}, ErrFormat, "line 1: the file is from csvde"},
		{"JSON", "[{}]", Limits{}, ErrFormat, "line 1: the file is JSON"},
		{"a long line", "dn: CN=a\n" + strings.Repeat("x", 50) + ": y\n", small, ErrLimit, "line 2: the line is too long"},
		{"a long value", "dn: CN=a\nx: " + strings.Repeat("y\n ", 40) + "\n", small, ErrLimit, "line 2: a value of more than 30 bytes"},
		{"a very long value", "dn: CN=a\nx: " + strings.Repeat("y\n ", 400) + "\n", small, ErrLimit, "line 2: a value that is too long"},
		{"many values", "dn: CN=a\na: 1\na: 2\na: 3\na: 4\n", small, ErrLimit, "line 5: more than 3 values"},
		{"many entries", "dn: a\n\ndn: b\n\ndn: c\n", small, ErrLimit, "line 5: more than 2 entries"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := all(t, c.text, c.limits)
			e, ok := errors.AsType[*Error](err)
			if !ok || !errors.Is(err, c.kind) || !strings.HasPrefix(e.Error(), c.want) {
				t.Errorf("got %v, want %v: %s", err, c.kind, c.want)
			}
		})
	}
}

func TestReaderNotes(t *testing.T) {
	for text, want := range map[string]string{
		"dn: CN=a\ncn: a\n\nsearch: 2\nresult: 4 Size limit exceeded\n": `{5 the server ended the search with "4 Size limit exceeded": entries may be missing}`,
		"dn: CN=a\ncn: a": "{2 the file ends without a line break: its last entry may be cut off}",
	} {
		if _, notes, err := all(t, text, Limits{}); err != nil || len(notes) != 1 || fmt.Sprint(notes[0]) != want {
			t.Errorf("got %v, %v, want %s", notes, err, want)
		}
	}
}

func TestReaderGivesTheErrorOfTheSource(t *testing.T) {
	broken := errors.New("the disk is gone")
	r := NewReader(io.MultiReader(strings.NewReader("dn: CN=a\ncn: a\n\ndn: CN=b\n"), iotest.ErrReader(broken)), Limits{})
	if e, err := r.Next(); err != nil || e.DN != "CN=a" {
		t.Fatalf("got %v, %v", e, err)
	}
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
	}
}

// export makes a directory of n users, each with some 1.2 kB.
func export(n int) io.Reader {
	i := 0
	blob := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1, 2, 3, 0xff}, 150))
	return io.MultiReader(readerFunc(func() []byte {
		if i == n {
			return nil
		}
		i++
		var b bytes.Buffer
		fmt.Fprintf(&b, "dn: CN=User %d,OU=People,DC=contoso,DC=com\nobjectClass: top\nobjectClass: user\ncn: User %d\nsAMAccountName: user%d\nuserAccountControl: 512\nmail: user%d@contoso.com\nthumbnailPhoto:: ", i, i, i, i)
		for at := 0; at < len(blob); at += 60 {
			fmt.Fprintf(&b, "%s\n ", blob[at:min(len(blob), at+60)])
		}
		b.WriteString("\nwhenChanged: 20240102030405.0Z\n\n")
		return b.Bytes()
	}))
}

// readerFunc reads pieces until one is nil.
func readerFunc(piece func() []byte) io.Reader { return &pieces{piece: piece} }

type pieces struct {
	piece func() []byte
	rest  []byte
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		if p.rest = p.piece(); p.rest == nil {
			return 0, io.EOF
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// TestLargeFile reads 50 MB in a stream: in seconds, and without keeping them.
func TestLargeFile(t *testing.T) {
	const entries = 48_000
	src := &counter{r: export(entries)}
	r := NewReader(src, Limits{})
	var most, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	base, begin, n := now.HeapAlloc, time.Now(), 0
	for ; ; n++ {
		if _, err := r.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if n%5000 == 0 {
			runtime.GC()
			if runtime.ReadMemStats(&now); now.HeapAlloc > most.HeapAlloc {
				most = now
			}
		}
	}
	took := time.Since(begin)
	kept := int64(most.HeapAlloc) - int64(base)
	t.Logf("%d entries, %d lines, %.1f MB in %v; %d kB kept", n, r.Line(), float64(src.n)/1e6, took, kept>>10)
	if n != entries || src.n < 50_000_000 {
		t.Errorf("%d entries of %d bytes, want %d of 50 MB", n, src.n, entries)
	}
	if took > 20*time.Second || kept > 4<<20 {
		t.Errorf("took %v and kept %d bytes", took, kept)
	}
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

func BenchmarkReader(b *testing.B) {
	text, err := io.ReadAll(export(1000))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(text), Limits{})
		for {
			if _, err := r.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// FuzzReader: a reader ends, says a line that the file has, and gives an entry that is written again the same way.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"version: 1\n\ndn: CN=a\ncn:: YWJj\n\n", "dn: CN=a,\n DC=b\r\nmember;range=0-1: x\r\n", "dn:< file:///x\n", "\xff\xfed\x00n\x00:\x00a\x00", "\xfe\xff\x00d",
		"dn: a\nchangetype: add\nx: y\n\nresult: 4 z\n", "# a\n b\n\n\n dn: x", "dn: a\nb",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(data []byte) (entries []string, notes int, err error) {
			r := NewReader(bytes.NewReader(data), Limits{Value: 1 << 12, Values: 100, Entries: 100})
			for {
				e, err := r.Next()
				if err == io.EOF {
					return entries, len(r.Notes()), nil
				}
				if err != nil {
					le, ok := errors.AsType[*Error](err)
					if !ok || le.Line < 1 || le.Line > r.Line()+1 {
						t.Fatalf("%v after %d lines", err, r.Line())
					}
					return entries, len(r.Notes()), err
				}
				var b strings.Builder
				fmt.Fprintf(&b, "dn:: %s\n", base64.StdEncoding.EncodeToString([]byte(e.DN)))
				for _, v := range e.Values {
					name := v.Attribute
					if v.Options != "" {
						name += ";" + v.Options
					}
					fmt.Fprintf(&b, "%s:: %s\n", name, base64.StdEncoding.EncodeToString(v.Data))
				}
				entries = append(entries, b.String()+"\n")
			}
		}
		entries, _, _ := read(data)
		again, _, err := read([]byte(strings.Join(entries, "")))
		if err != nil && !errors.Is(err, ErrLimit) || err == nil && strings.Join(again, "") != strings.Join(entries, "") {
			t.Errorf("%v: got %q, want %q", err, again, entries)
		}
	})
}
