package ldapclient

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/gmsasim/gmsasim/fakeads/filter"
)

func TestBindSimple(t *testing.T) {
	want := func(t *testing.T, msg *ber.Packet) {
		b := op(t, msg, 0)
		if b.Children[0].Value != int64(3) {
			t.Errorf("version: got %v, want 3", b.Children[0].Value)
		}
		wantTexts(t, b.Children[1:], `CONTOSO\alice`, "Passw0rd!")
	}
	c := serve(t,
		part{want, func(id int64) []byte {
			return envelope(id, resultOf(1, 49, "", "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4f7c\x00"))
		}},
		part{want, func(id int64) []byte { return envelope(id, resultOf(1, 0, "", "")) }},
	)
	err := c.BindSimple(`CONTOSO\alice`, "Passw0rd!")
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Result != 49 || e.Diagnostic[len(e.Diagnostic)-1] != 0 {
		t.Errorf("got %#v, want result 49 with the text as it came", err)
	}
	if got, want := err.Error(), "LDAP result 49: 80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4f7c"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := c.BindSimple(`CONTOSO\alice`, "Passw0rd!"); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestSearch(t *testing.T) {
	c := serve(t, part{
		func(t *testing.T, msg *ber.Packet) {
			s := op(t, msg, 3)
			if len(s.Children) != 8 {
				t.Fatalf("got %d fields, want 8", len(s.Children))
			}
			if got := textOf(s.Children[0]); got != "DC=contoso,DC=com" {
				t.Errorf("base: got %q", got)
			}
			if s.Children[1].Value != int64(2) || s.Children[3].Value != int64(7) {
				t.Errorf("scope and limit: got %v and %v, want 2 and 7", s.Children[1].Value, s.Children[3].Value)
			}
			wantTexts(t, s.Children[6].Children, "cn", "WebApp01")
			wantTexts(t, s.Children[7].Children, "distinguishedName", "objectSid")
		},
		func(id int64) []byte {
			// A reference and an attribute without values between the entries, the end in the same piece.
			ref := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 19, nil, "")
			ref.AppendChild(octets(ber.TagOctetString, ber.ClassUniversal, "ldap://contoso.com/CN=Configuration,DC=contoso,DC=com"))
			return bytes.Join([][]byte{
				envelope(id, entryOf("CN=WebApp01,DC=contoso,DC=com", map[string][]string{"objectSid": {"\x01\x00"}})),
				envelope(id, ref),
				envelope(id, entryOf("CN=Other,DC=contoso,DC=com", map[string][]string{"cn": nil})),
				envelope(id, resultOf(5, 0, "", "")),
			}, nil)
		},
	})
	entries, err := c.Search(&SearchRequest{Base: "DC=contoso,DC=com", Scope: Subtree, Filter: filter.MustParse("(cn=WebApp01)"),
		Attributes: []string{"distinguishedName", "objectSid"}, SizeLimit: 7})
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 || entries[0].DN != "CN=WebApp01,DC=contoso,DC=com" || entries[0].Value("OBJECTSID") != "\x01\x00" ||
		len(entries[1].Values("cn")) != 0 || entries[1].Value("cn") != "" {
		t.Errorf("got %+v", entries)
	}
}

func TestSearchPages(t *testing.T) {
	wantCookie := func(cookie string) func(*testing.T, *ber.Packet) {
		return func(t *testing.T, msg *ber.Packet) {
			if len(msg.Children) != 3 {
				t.Fatalf("got no controls")
			}
			ctl := msg.Children[2].Children[0]
			if got := textOf(ctl.Children[0]); got != oidPaged {
				t.Errorf("got control %s", got)
			}
			value := ber.DecodePacket([]byte(textOf(ctl.Children[2])))
			if value.Children[0].Value != int64(2) || textOf(value.Children[1]) != cookie {
				t.Errorf("got size %v and cookie %q, want 2 and %q", value.Children[0].Value, textOf(value.Children[1]), cookie)
			}
		}
	}
	c := serve(t,
		part{wantCookie(""), func(id int64) []byte {
			return append(envelope(id, entryOf("CN=1", nil)), envelope(id, resultOf(5, 0, "", ""), pageControl("next"))...)
		}},
		part{wantCookie("next"), func(id int64) []byte {
			return append(envelope(id, entryOf("CN=2", nil)), envelope(id, resultOf(5, 0, "", ""), pageControl(""))...)
		}},
	)
	entries, err := c.Search(&SearchRequest{Base: "DC=contoso,DC=com", Scope: Subtree, PageSize: 2})
	if err != nil || len(entries) != 2 || entries[1].DN != "CN=2" {
		t.Errorf("got %v, %v, want two entries", entries, err)
	}
}

func TestSearchRefusal(t *testing.T) {
	c := serve(t, part{nil, func(id int64) []byte {
		return append(envelope(id, entryOf("CN=1", nil)), envelope(id, resultOf(5, 4, "", ""))...)
	}}, part{nil, func(id int64) []byte {
		return envelope(id, resultOf(5, 32, "DC=contoso,DC=com", "0000208D: NameErr"))
	}})
	entries, err := c.Search(&SearchRequest{Scope: Subtree})
	if e, _ := errors.AsType[*Error](err); e == nil || e.Result != 4 || len(entries) != 1 {
		t.Errorf("got %v and %d entries, want result 4 and the entry before it", err, len(entries))
	}
	if _, err = c.Read("CN=x,DC=contoso,DC=com", "cn"); err == nil || err.(*Error).MatchedDN != "DC=contoso,DC=com" {
		t.Errorf("got %v, want result 32 with the matched name", err)
	}
}

func TestRead(t *testing.T) {
	c := serve(t, part{nil, func(id int64) []byte {
		return append(envelope(id, entryOf("CN=WebApp01", map[string][]string{"msDS-ManagedPassword": {"blob"}})), envelope(id, resultOf(5, 0, "", ""))...)
	}}, part{nil, func(id int64) []byte {
		return append(envelope(id, entryOf("CN=WebApp01", nil)), envelope(id, resultOf(5, 0, "", ""))...)
	}})
	if v, err := c.Read("CN=WebApp01", "msds-managedpassword"); err != nil || string(v[0]) != "blob" {
		t.Errorf("got %q, %v", v, err)
	}
	if _, err := c.Read("CN=WebApp01", "msDS-ManagedPassword"); !errors.Is(err, ErrNoAttribute) {
		t.Errorf("got %v, want ErrNoAttribute", err)
	}
}

func TestChanges(t *testing.T) {
	ok := func(tag ber.Tag) func(int64) []byte {
		return func(id int64) []byte { return envelope(id, resultOf(tag, 0, "", "")) }
	}
	c := serve(t,
		part{func(t *testing.T, msg *ber.Packet) {
			a := op(t, msg, 8)
			wantTexts(t, a.Children[:1], "CN=x")
			first := a.Children[1].Children[0]
			wantTexts(t, first.Children[:1], "objectClass")
			wantTexts(t, first.Children[1].Children, "user", "top")
		}, ok(9)},
		part{func(t *testing.T, msg *ber.Packet) {
			m := op(t, msg, 6)
			change := m.Children[1].Children[0]
			if change.Children[0].Value != int64(2) {
				t.Errorf("got operation %v, want replace", change.Children[0].Value)
			}
			wantTexts(t, change.Children[1].Children[:1], "description")
			if len(msg.Children) != 3 || textOf(msg.Children[2].Children[0].Children[0]) != "1.2.840.113556.1.4.1413" {
				t.Errorf("got no permissive modify")
			}
		}, ok(7)},
		part{func(t *testing.T, msg *ber.Packet) { wantTexts(t, []*ber.Packet{op(t, msg, 10)}, "CN=x") }, ok(11)},
		part{func(t *testing.T, msg *ber.Packet) {
			m := op(t, msg, 12)
			wantTexts(t, []*ber.Packet{m.Children[0], m.Children[1], m.Children[3]}, "CN=x", "CN=y", "OU=z")
			if m.Children[2].Value != true {
				t.Errorf("got deleteOldRDN %v, want true", m.Children[2].Value)
			}
		}, ok(13)},
		part{func(t *testing.T, msg *ber.Packet) {
			m := op(t, msg, 14)
			wantTexts(t, append(m.Children[:1:1], m.Children[1].Children...), "CN=x", "cn", "y")
		}, func(id int64) []byte { return envelope(id, resultOf(15, 6, "", "")) }},
		part{nil, func(id int64) []byte { return envelope(id, resultOf(15, 5, "", "")) }},
		part{nil, ok(15)},
		part{func(t *testing.T, msg *ber.Packet) {
			wantTexts(t, op(t, msg, 23).Children, oidWhoAmI)
		}, func(id int64) []byte {
			p := resultOf(24, 0, "", "")
			p.AppendChild(octets(11, ber.ClassContext, `u:CONTOSO\alice`))
			return envelope(id, p)
		}},
	)
	if err := c.Add("CN=x", []Attribute{{"objectClass", [][]byte{[]byte("user"), []byte("top")}}}); err != nil {
		t.Error(err)
	}
	if err := c.Modify("CN=x", []Modification{{Replace, Attribute{"description", nil}}}, Control{OID: "1.2.840.113556.1.4.1413"}); err != nil {
		t.Error(err)
	}
	if err := c.Delete("CN=x"); err != nil {
		t.Error(err)
	}
	if err := c.ModifyDN("CN=x", "CN=y", true, "OU=z"); err != nil {
		t.Error(err)
	}
	for i, want := range []bool{true, false} {
		if got, err := c.Compare("CN=x", "cn", []byte("y")); got != want || err != nil {
			t.Errorf("comparison %d: got %v, %v, want %v", i, got, err, want)
		}
	}
	if _, err := c.Compare("CN=x", "cn", []byte("y")); !errors.Is(err, ErrProtocol) {
		t.Errorf("success as the answer to a comparison: got %v, want ErrProtocol", err)
	}
	if who, err := c.WhoAmI(); who != `u:CONTOSO\alice` || err != nil {
		t.Errorf("got %q, %v", who, err)
	}
}

func TestBrokenAnswers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func(id int64) []byte
		want   error
	}{
		{"no BER", func(int64) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }, ErrProtocol},
		{"indefinite length", func(int64) []byte { return []byte{0x30, 0x80, 0, 0} }, ErrProtocol},
		{"too long", func(int64) []byte { return []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff} }, ErrProtocol},
		{"length of nine octets", func(int64) []byte { return []byte{0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1} }, ErrProtocol},
		{"another message's answer", func(id int64) []byte { return envelope(id+1, resultOf(11, 0, "", "")) }, ErrProtocol},
		{"another operation's answer", func(id int64) []byte { return envelope(id, resultOf(9, 0, "", "")) }, ErrProtocol},
		{"a request", func(id int64) []byte { return envelope(id, resultOf(10, 0, "", "")) }, ErrProtocol},
		{"notice of disconnection", func(int64) []byte { return envelope(0, resultOf(24, 52, "", "")) }, ErrDisconnected},
		{"the end in the middle", func(id int64) []byte { b := envelope(id, resultOf(11, 0, "", "")); return b[:len(b)-1] }, io.ErrUnexpectedEOF},
	} {
		t.Run(tc.name, func(t *testing.T) {
			near, far := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer far.Close()
				if msg, err := ber.ReadPacket(far); err == nil {
					_, _ = far.Write(tc.answer(msg.Children[0].Value.(int64)))
				}
			}()
			c := New(near)
			defer func() { c.Close(); <-done }()
			if err := c.Delete("CN=x"); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if err := c.Delete("CN=x"); err == nil {
				t.Error("the connection goes on after a broken answer")
			}
		})
	}
}

func TestCloseEndsARequest(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	c := New(near)
	failed := make(chan error)
	go func() { failed <- c.Delete("CN=x") }()
	if _, err := ber.ReadPacket(far); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := <-failed; !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want that the pipe is closed", err)
	}
}

func FuzzMessage(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMessage(b)
		if err != nil {
			if !errors.Is(err, ErrProtocol) {
				t.Errorf("got %v, want that it wraps ErrProtocol", err)
			}
			return
		}
		if (m.result == nil) == (m.op != opSearchEntry && m.op != opSearchReference && m.op != opIntermediate) {
			t.Errorf("operation %#02x: result is %v", m.op, m.result)
		}
		_, _ = pageCookie(m.controls)
	})
}
