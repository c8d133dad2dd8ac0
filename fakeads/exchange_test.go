package fakeads

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

var update = flag.Bool("update", false, "write the exchanges in testdata anew")

// TestExchanges compares whole sessions, octets included, with texts that people can read.
func TestExchanges(t *testing.T) {
	paged := control{oid: oidPaged, critical: true, value: element(tagSequence, number(tagInteger, 1), octets(""))}
	sessions := map[string][][]byte{
		"anonymous": {
			envelope(1, searchOp("", directory.BaseObject, present("objectClass"), "currentTime", "defaultNamingContext", "dnsHostName")),
			envelope(2, searchOp(contoso, directory.Subtree, equal("cn", "alice"))),
			envelope(4, extendedOp(oidWhoAmI, nil)),
			envelope(5, extendedOp("1.2.3.4", nil)),
			envelope(128, extendedOp(oidStartTLS, nil)),
			envelope(40000, []byte{opUnbindRequest, 0}),
		},
		"simple": {
			envelope(1, bindOp("CONTOSO\\alice", "wrong")),
			envelope(2, bindOp("CONTOSO\\alice", "")),
			envelope(3, bindOp("CONTOSO\\alice", alicePassword)),
			envelope(4, extendedOp(oidWhoAmI, nil)),
			envelope(5, searchOp(contoso, directory.Subtree, equal("sAMAccountName", "alice"), "cn"), paged, control{oid: oidDomainScope}),
			envelope(6, searchOp("CN=nobody,"+contoso, directory.BaseObject, present("objectClass"))),
			envelope(7, searchOp(contoso, directory.BaseObject, present("objectClass")), control{oid: "1.2.3.4", critical: true}),
			envelope(8, searchOp(contoso, 3, present("objectClass"))),
			{0x16, 0x03, 0x01},
		},
		"refused": {
			envelope(1, saslOp(mechanismSPNEGO, nil)),
			envelope(2, saslOp(mechanismSPNEGO, []byte("NTLMSSP\x00\x01\x00\x00\x00"))),
			envelope(3, saslOp(mechanismGSSAPI, []byte("nonsense"))),
			envelope(4, saslOp(mechanismDigestMD5, nil)),
			envelope(5, element(opBindRequest, number(tagInteger, 3), octets(""), element(tagContext|9, nil))),
			envelope(6, []byte{0x7e, 0}),
		},
	}
	for name, messages := range sessions {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			p := w.pipe()
			var text strings.Builder
			for _, msg := range messages {
				req, err := decodeRequest(msg)
				switch {
				case err != nil && req == nil:
					fmt.Fprintf(&text, "> not a request: %v\n", err)
				case err != nil:
					fmt.Fprintf(&text, "> %d %s: %v\n", req.id, req.kind, err)
				default:
					fmt.Fprintf(&text, "> %d %s %s\n", req.id, req.kind, req.text())
				}
				dump(&text, msg)
				p.write(msg)
				for {
					rep := p.read()
					if rep == nil {
						text.WriteString("< end\n")
						break
					}
					rep.explain(&text)
					if rep.op != opSearchEntry && rep.op != opSearchReference && rep.id != 0 {
						break
					}
				}
			}
			path := filepath.Join("testdata", "exchanges", name+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := text.String(); got != string(want) {
				t.Errorf("the exchange differs from %s; got:\n%s", path, got)
			}
		})
	}
}

func dump(w *strings.Builder, b []byte) {
	for len(b) > 0 {
		n := min(32, len(b))
		fmt.Fprintf(w, "    % x\n", b[:n])
		b = b[n:]
	}
}

func printable(b []byte) string {
	if utf8.Valid(b) {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("% x", b)
}

// explain writes an answer as text, and its octets.
func (r *reply) explain(w *strings.Builder) {
	switch r.op {
	case opSearchEntry:
		fmt.Fprintf(w, "< %d entry %q\n", r.id, r.dn)
		for _, a := range r.attrs {
			for _, v := range a.Values {
				fmt.Fprintf(w, "  %s: %s\n", a.Name, printable(v))
			}
		}
	case opSearchReference:
		fmt.Fprintf(w, "< %d reference %s\n", r.id, r.name)
	default:
		fmt.Fprintf(w, "< %d answer 0x%02x %s\n", r.id, r.op, resultName(r.code))
		for _, f := range []struct {
			name  string
			value []byte
		}{{"matchedDN", []byte(r.matched)}, {"text", []byte(r.text)}, {"name", []byte(r.name)}, {"value", r.value}, {"credentials", r.creds},
			{"paged results", r.controls[oidPaged]}} {
			if len(f.value) > 0 {
				fmt.Fprintf(w, "  %s %s\n", f.name, printable(f.value))
			}
		}
	}
	dump(w, r.octets)
}
