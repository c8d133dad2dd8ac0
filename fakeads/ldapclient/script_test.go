package ldapclient

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// script is a server that knows its lines: it reads a request with another library's decoder, checks it, and sends what the test
// gives. It serves one connection in the order of its parts.
type script struct {
	t    *testing.T
	conn net.Conn
	done chan struct{}
}

// A part is one request and its answer. want is called with the whole LDAPMessage; answer gets its ID.
type part struct {
	want   func(t *testing.T, msg *ber.Packet)
	answer func(id int64) []byte
}

// serve plays the parts and gives the client's side. What is left over at the end fails the test.
func serve(t *testing.T, parts ...part) *Conn {
	t.Helper()
	near, far := net.Pipe()
	s := &script{t, far, make(chan struct{})}
	go s.play(parts)
	c := New(near)
	t.Cleanup(func() {
		c.Close()
		<-s.done
	})
	return c
}

func (s *script) play(parts []part) {
	defer close(s.done)
	defer s.conn.Close()
	for i, p := range parts {
		msg, err := ber.ReadPacket(s.conn)
		if err != nil {
			s.t.Errorf("part %d: got %v, want a request", i, err)
			return
		}
		if p.want != nil {
			p.want(s.t, msg)
		}
		if p.answer == nil {
			return
		}
		if _, err := s.conn.Write(p.answer(msg.Children[0].Value.(int64))); err != nil {
			s.t.Errorf("part %d: answer: %v", i, err)
			return
		}
	}
	rest, _ := io.ReadAll(s.conn) // the good-bye, or nothing
	if len(rest) > 0 && !bytes.HasSuffix(rest, []byte{opUnbindRequest, 0}) {
		s.t.Errorf("got % x after the last part, want an unbind or nothing", rest)
	}
}

// Answers, made with the other library's encoder.

func octets(tag ber.Tag, class ber.Class, value string) *ber.Packet {
	return ber.NewString(class, ber.TypePrimitive, tag, value, "")
}

func envelope(id int64, op *ber.Packet, controls ...*ber.Packet) []byte {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(op)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range controls {
			list.AppendChild(c)
		}
		p.AppendChild(list)
	}
	return p.Bytes()
}

func resultOf(op ber.Tag, code int64, matched, diagnostic string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, op, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	p.AppendChild(octets(ber.TagOctetString, ber.ClassUniversal, matched))
	p.AppendChild(octets(ber.TagOctetString, ber.ClassUniversal, diagnostic))
	return p
}

func entryOf(dn string, attributes map[string][]string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 4, nil, "")
	p.AppendChild(octets(ber.TagOctetString, ber.ClassUniversal, dn))
	list := ber.NewSequence("")
	for name, values := range attributes {
		a := ber.NewSequence("")
		a.AppendChild(octets(ber.TagOctetString, ber.ClassUniversal, name))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range values {
			set.AppendChild(octets(ber.TagOctetString, ber.ClassUniversal, v))
		}
		a.AppendChild(set)
		list.AppendChild(a)
	}
	p.AppendChild(list)
	return p
}

func pageControl(cookie string) *ber.Packet {
	value := ber.NewSequence("")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, ""))
	value.AppendChild(octets(ber.TagOctetString, ber.ClassUniversal, cookie))
	c := ber.NewSequence("")
	c.AppendChild(octets(ber.TagOctetString, ber.ClassUniversal, oidPaged))
	c.AppendChild(octets(ber.TagOctetString, ber.ClassUniversal, string(value.Bytes())))
	return c
}

// op is the operation of a request; it checks the tag.
func op(t *testing.T, msg *ber.Packet, tag ber.Tag) *ber.Packet {
	t.Helper()
	if len(msg.Children) < 2 || msg.Children[1].Tag != tag || msg.Children[1].ClassType != ber.ClassApplication {
		t.Fatalf("got %+v, want application tag %d", msg, tag)
	}
	return msg.Children[1]
}

// textOf is an octet string's contents.
func textOf(p *ber.Packet) string { return p.Data.String() }

func wantTexts(t *testing.T, packets []*ber.Packet, want ...string) {
	t.Helper()
	var got []string
	for _, p := range packets {
		got = append(got, textOf(p))
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}
