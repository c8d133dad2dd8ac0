package fakeads

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

func TestDecodeRequest(t *testing.T) {
	tests := []struct {
		name string
		msg  []byte
		want request
	}{
		{"simple bind", envelope(1, bindOp("alice", "secret")), request{id: 1, op: opBindRequest, kind: KindBind,
			bind: &bindRequest{version: 3, name: "alice", method: bindSimple, password: "secret"}}},
		{"SASL bind", envelope(200, saslOp("GSSAPI", []byte("token"))), request{id: 200, op: opBindRequest, kind: KindBind,
			bind: &bindRequest{version: 3, method: bindSASL, mechanism: "GSSAPI", credentials: []byte("token")}}},
		{"SASL bind without credentials", envelope(1, saslOp("GSS-SPNEGO", nil)), request{id: 1, op: opBindRequest, kind: KindBind,
			bind: &bindRequest{version: 3, method: bindSASL, mechanism: "GSS-SPNEGO"}}},
		{"Sicily", envelope(1, element(opBindRequest, number(tagInteger, 3), octets(""), element(tagContext|9, nil))), request{id: 1, op: opBindRequest,
			kind: KindBind, bind: &bindRequest{version: 3, method: bindSicilyDiscovery, credentials: []byte{}}}},
		{"unbind", envelope(5, []byte{opUnbindRequest, 0}), request{id: 5, op: opUnbindRequest, kind: KindUnbind}},
		{"search", envelope(maxMessageID, searchOp("DC=x", 2, present("cn"), "a", "b")), request{id: maxMessageID, op: opSearchRequest, kind: KindSearch,
			search: &searchRequest{base: "DC=x", scope: 2, filter: filter.MustParse("(cn=*)"), attrs: []string{"a", "b"}}}},
		{"abandon", envelope(7, []byte{opAbandonRequest, 1, 6}), request{id: 7, op: opAbandonRequest, kind: KindAbandon, abandon: 6}},
		{"delete with a critical control of value TRUE as 1", envelope(8, element(opDeleteRequest, []byte("CN=x")), control{oid: oidTreeDelete, critical: true}),
			request{id: 8, op: opDeleteRequest, kind: KindDelete, dn: "CN=x", controls: []control{{oid: oidTreeDelete, critical: true}}}},
		{"modify", envelope(9, element(opModifyRequest, octets("CN=x"), element(tagSequence, element(tagSequence, number(tagEnumerated, 2),
			element(tagSequence, octets("member"), element(tagSet, octets("1"), octets("2"))))))), request{id: 9, op: opModifyRequest, kind: KindModify,
			modify: &modifyRequest{dn: "CN=x", changes: []directory.Modification{{Op: directory.ModReplace, Attribute: directory.Text("member", "1", "2")}}}}},
		{"add", envelope(9, element(opAddRequest, octets("CN=x"), element(tagSequence, element(tagSequence, octets("cn"), element(tagSet, octets("x")))))),
			request{id: 9, op: opAddRequest, kind: KindAdd, add: &directory.AddRequest{DN: "CN=x", Attributes: []directory.Attribute{directory.Text("cn", "x")}}}},
		{"modify DN", envelope(9, element(opModifyDNRequest, octets("CN=x"), octets("CN=y"), []byte{tagBoolean, 1, 1}, element(tagContext, []byte("OU=z")))),
			request{id: 9, op: opModifyDNRequest, kind: KindModifyDN, modifyDN: &modifyDNRequest{dn: "CN=x", newRDN: "CN=y", newSuperior: "OU=z", deleteOld: true}}},
		{"compare", envelope(9, element(opCompareRequest, octets("CN=x"), element(tagSequence, octets("cn"), octets("x")))),
			request{id: 9, op: opCompareRequest, kind: KindCompare, compare: &compareRequest{dn: "CN=x", attr: "cn", value: []byte("x")}}},
		{"extended", envelope(9, extendedOp(oidWhoAmI, nil)), request{id: 9, op: opExtendedRequest, kind: KindExtended, extended: &extendedRequest{oid: oidWhoAmI}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeRequest(tt.msg)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got %+v, want %+v", *got, tt.want)
			}
		})
	}
}

// TestDecodeWithMemo: one search after another is read as it is without what was remembered.
func TestDecodeWithMemo(t *testing.T) {
	var req request
	d := decoder{memo: &memo{}}
	for i, op := range [][]byte{
		searchOp("DC=x", 2, equal("cn", "a"), "cn", "sn"),
		searchOp("DC=x", 2, equal("cn", "b"), "cn", "sn"),
		searchOp("DC=x", 2, equal("cn", "b"), "cn"),
		searchOp("DC=x", 2, equal("cn", "b"), "cn", "mail", "sn"),
		searchOp("DC=x", 2, equal("cn", "b"), "name", "mail", "sn", "c"),
		searchOp(strings.Repeat("y", 2*maxMemoBase), 0, present("cn")),
		searchOp("", 0, element(tagContext|constructed, equal("a", "1"), element(tagContext|constructed|2, present("b")))),
		searchOp("", 0, present("objectClass"), make([]string, 2*maxMemoAttrs)...),
		searchOp("DC=x", 2, equal("cn", "a"), "cn", "sn"),
	} {
		msg := envelope(i+1, op)
		if err := d.request(&req, msg); err != nil {
			t.Fatal(err)
		}
		want, err := decodeRequest(msg)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := req.text(), want.text(); got != want || req.id != i+1 || len(req.controls) != 0 {
			t.Errorf("got %d %s, want %s", req.id, got, want)
		}
	}
	msg := envelope(77, searchOp(contoso, 2, equal("cn", "a"), "cn", "objectSid"))
	if n := testing.AllocsPerRun(100, func() { _ = d.request(&req, msg) }); n != 0 {
		t.Errorf("got %v allocations for a search like the one before, want 0", n)
	}
}

func TestDecodeRequestErrors(t *testing.T) {
	deep := present("a")
	for range filter.MaxDepth + 1 {
		deep = element(tagContext|constructed|2, deep)
	}
	many := make([]byte, 0, 2*maxParts+4)
	for range maxParts + 1 {
		many = append(many, tagOctets, 0)
	}
	tests := []struct {
		name     string
		msg      []byte
		answered bool
		want     error
	}{
		{"empty", nil, false, errBER},
		{"cut short", []byte{0x30, 5, 2, 1}, false, errBER},
		{"octets behind", append(envelope(1, []byte{opUnbindRequest, 0}), 0), false, errBER},
		{"no operation", []byte{0x30, 3, 2, 1, 1}, false, errBER},
		{"message ID 0", envelope(0, []byte{opUnbindRequest, 0}), false, errBER},
		{"negative message ID", []byte{0x30, 5, 2, 1, 0xff, opUnbindRequest, 0}, false, errBER},
		{"message ID of 2^31", []byte{0x30, 9, 2, 5, 0, 0x80, 0, 0, 0, opUnbindRequest, 0}, false, errBER},
		{"unknown operation", envelope(1, []byte{0x7e, 0}), false, errBER},
		{"a response", envelope(1, []byte{opSearchDone, 0}), false, errBER},
		{"bind without credentials", envelope(1, element(opBindRequest, number(tagInteger, 3), octets(""))), true, errBER},
		{"unknown credentials", envelope(1, element(opBindRequest, number(tagInteger, 3), octets(""), element(tagContext|5, nil))), true, errBER},
		{"scope 3", envelope(1, searchOp("", 3, present("cn"))), true, errBER},
		{"no filter", envelope(1, searchOp("", 2, nil)), true, errBER},
		{"filter of no kind", envelope(1, searchOp("", 2, []byte{0x80 | 12, 0})), true, filter.ErrSyntax},
		{"deep filter", envelope(1, searchOp("", 2, deep)), true, filter.ErrLimit},
		{"increment", envelope(1, element(opModifyRequest, octets("CN=x"), element(tagSequence, element(tagSequence, number(tagEnumerated, 3), nil)))), true, errBER},
		{"too many values", envelope(1, element(opAddRequest, octets("CN=x"), element(tagSequence, element(tagSequence, octets("a"), element(tagSet, many))))), true, errTooMany},
		{"too many attributes", envelope(1, element(opSearchRequest, octets(""), number(tagEnumerated, 0), number(tagEnumerated, 0), number(tagInteger, 0), number(tagInteger, 0),
			[]byte{tagBoolean, 1, 0}, present("a"), element(tagSequence, many))), true, errTooMany},
		{"too many controls", envelope(1, []byte{opDeleteRequest, 0}, make([]control, maxControls+1)...), true, errTooMany},
		{"octets behind the controls", envelope(1, append([]byte{opDeleteRequest, 0}, 0xa0, 0, 0xa0, 0)), true, errBER},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := decodeRequest(tt.msg)
			if !errors.Is(err, tt.want) {
				t.Errorf("got error %v, want %v", err, tt.want)
			}
			if (req != nil) != tt.answered {
				t.Errorf("got request %+v, want one: %v", req, tt.answered)
			}
		})
	}
}

// TestResponsesAreBER lets go-asn1-ber judge what we encode.
func TestResponsesAreBER(t *testing.T) {
	long := strings.Repeat("x", 70000)
	messages := map[string][]byte{
		"result": appendResult(nil, 128, opBindResponse, &result{code: 49, matchedDN: "DC=x", diagnostic: "no", referrals: []string{"ldap://a", "ldap://b"},
			serverCreds: []byte{}, controls: []control{pagedResponse(70000, []byte("cookie")), sortResponse(16), {oid: "1.2", critical: true}}}),
		"entry":     appendEntry(nil, 40000, &directory.Entry{DN: "CN=x", Attributes: []directory.Attribute{directory.Text("a", "1", long), {Name: "empty"}}}),
		"reference": appendReference(nil, maxMessageID, "ldap://x"),
		"notice":    appendNotice(nil, 2, strings.Repeat("y", 300)),
	}
	for name, b := range messages {
		t.Run(name, func(t *testing.T) {
			p, err := ber.DecodePacketErr(b)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Bytes()) == 0 || len(p.Children) < 2 {
				t.Fatalf("got %d children, want at least 2", len(p.Children))
			}
			rep := parseReply(t, b)
			if id, ok := p.Children[0].Value.(int64); !ok || int(id) != rep.id {
				t.Errorf("got message ID %d, go-asn1-ber reads %v", rep.id, p.Children[0].Value)
			}
			if rep.op == opSearchEntry && (len(rep.attrs) != 2 || string(rep.attrs[0].Values[1]) != long) {
				t.Errorf("the entry's attributes do not come back")
			}
		})
	}
	if got := parseReply(t, messages["result"]); got.text != "no\x00" || got.creds == nil || len(got.controls) != 3 {
		t.Errorf("got %+v, want text, empty credentials and 3 controls", got)
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(envelope(1, bindOp("a", "b")))
	f.Add(envelope(1, searchOp("DC=x", 2, equal("cn", "x"), "cn"), control{oid: oidPaged, value: pagedResponse(10, nil).value}))
	f.Add(envelope(3, element(opModifyRequest, octets("CN=x"), element(tagSequence, element(tagSequence, number(tagEnumerated, 2),
		element(tagSequence, octets("member"), element(tagSet, octets("1"))))))))
	f.Fuzz(func(t *testing.T, msg []byte) {
		req, err := decodeRequest(msg)
		if req == nil {
			if err == nil {
				t.Fatal("neither request nor error")
			}
			return
		}
		if err == nil {
			d, again := decoder{memo: &memo{}}, request{}
			for range 2 {
				if err := d.request(&again, msg); err != nil || again.text() != req.text() {
					t.Errorf("with a memo: got %v %q, want %q", err, again.text(), req.text())
				}
			}
			var s directory.SearchRequest
			_ = applyControls(req.controls, &s)
		}
	})
}

func BenchmarkDecodeRequest(b *testing.B) {
	msg := envelope(77, searchOp(contoso, 2, equal("sAMAccountName", "user01234"), "cn", "objectSid", "memberOf"))
	b.Run("anew", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeRequest(msg); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		var req request
		d := decoder{memo: &memo{}}
		b.ReportAllocs()
		for b.Loop() {
			if err := d.request(&req, msg); err != nil {
				b.Fatal(err)
			}
		}
	})
}
