package main

import (
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// The load generator changes its requests in place. These tests hold the places.

func TestAccountDigits(t *testing.T) {
	b := []byte("xx" + accountName(0) + "yy")
	at := lastIndexDigits(b, 6)
	putDigits(b[at:at+6], 1234)
	if got, want := string(b), "xx"+accountName(1234)+"yy"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestASRequestNonce(t *testing.T) {
	x, _, err := newASExchange(principal{"alice", "Passw0rd!", "CONTOSO.COM"})
	if err != nil {
		t.Fatal(err)
	}
	first, err := x.next(1)
	if err != nil {
		t.Fatal(err)
	}
	before := string(first)
	second, err := x.next(0x010203)
	if err != nil {
		t.Fatal(err)
	}
	for i := range second {
		if changed := second[i] != before[i]; changed != (i > x.nonce && i < x.nonce+4) && changed {
			t.Errorf("octet %d changed, the nonce is at %d", i, x.nonce)
		}
	}
	if string(second) == before {
		t.Error("two requests are the same")
	}
}

func TestNextCookie(t *testing.T) {
	done := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 5, nil, "done")
	done.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 0, "code"))
	done.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "dn"))
	done.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "text"))
	got, err := nextCookie(append(done.Bytes(), paged(0, []byte("next")).Bytes()...))
	if err != nil || string(got) != "next" {
		t.Errorf("got %q, %v, want next", got, err)
	}
	if _, err := nextCookie(done.Bytes()); err == nil {
		t.Error("a page without a control was taken")
	}
}

func TestVerdict(t *testing.T) {
	tests := []struct {
		row  row
		want string
	}{
		{row{ours: 30, peer: 10, bar: 1.5, aim: 2.5, relative: true}, "aim"},
		{row{ours: 20, peer: 10, bar: 1.5, aim: 2.5, relative: true}, "bar"},
		{row{ours: 10, peer: 10, bar: 1.5, aim: 2.5, relative: true}, "MISSED"},
		{row{ours: 10, bar: 1.5, relative: true}, "no peer"},
		{row{ours: 90, bar: 150, aim: 80, smaller: true}, "bar"},
		{row{ours: 70, bar: 150, aim: 80, smaller: true}, "aim"},
		{row{ours: 151, bar: 150, aim: 80, smaller: true}, "MISSED"},
		{row{ours: 151}, ""},
	}
	for _, tt := range tests {
		if got := tt.row.verdict(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.row, got, tt.want)
		}
	}
}

func TestMeasureCountsUnits(t *testing.T) {
	calls := 0
	r, err := measure([]load{{[]worker{{do: func() (int, error) { calls++; return 3, nil }}}, &server{pid: 1}}}, options{rounds: 1, length: time.Millisecond})
	if err != nil || calls == 0 || r[0].perSecond <= 0 {
		t.Errorf("got %+v after %d calls, %v", r, calls, err)
	}
}
