package filter

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want *Filter
	}{
		{"(cn=alice)", &Filter{Op: Equal, Attr: "cn", Value: []byte("alice")}},
		{"(cn=)", &Filter{Op: Equal, Attr: "cn", Value: []byte{}}},
		{"(cn= a )", &Filter{Op: Equal, Attr: "cn", Value: []byte(" a ")}},
		{"(cn=a=b)", &Filter{Op: Equal, Attr: "cn", Value: []byte("a=b")}},
		{"(cn=Jörg)", &Filter{Op: Equal, Attr: "cn", Value: []byte("Jörg")}},
		{`(o=Parens R Us \28for all your parenthetical needs\29)`, &Filter{Op: Equal, Attr: "o", Value: []byte("Parens R Us (for all your parenthetical needs)")}},
		{`(filename=C:\5cMyFile)`, &Filter{Op: Equal, Attr: "filename", Value: []byte(`C:\MyFile`)}},
		{`(bin=\00\00\00\04)`, &Filter{Op: Equal, Attr: "bin", Value: []byte{0, 0, 0, 4}}},
		{`(objectGUID=\FF\fe)`, &Filter{Op: Equal, Attr: "objectGUID", Value: []byte{0xff, 0xfe}}},
		{"(userCertificate;binary=*)", &Filter{Op: Present, Attr: "userCertificate;binary"}},
		{"(1.2.840.113556.1.4.221=a)", &Filter{Op: Equal, Attr: "1.2.840.113556.1.4.221", Value: []byte("a")}},
		{"(cn=**)", &Filter{Op: Present, Attr: "cn"}},
		{"(cn=a*)", &Filter{Op: Substrings, Attr: "cn", Substr: Substr{Initial: []byte("a")}}},
		{"(cn=*a)", &Filter{Op: Substrings, Attr: "cn", Substr: Substr{Final: []byte("a")}}},
		{"(cn=*a*)", &Filter{Op: Substrings, Attr: "cn", Substr: Substr{Any: [][]byte{[]byte("a")}}}},
		{`(cn=a*\2a**b*c)`, &Filter{Op: Substrings, Attr: "cn", Substr: Substr{Initial: []byte("a"), Any: [][]byte{[]byte("*"), []byte("b")}, Final: []byte("c")}}},
		{"(uSNChanged>=5)", &Filter{Op: GreaterOrEqual, Attr: "uSNChanged", Value: []byte("5")}},
		{"(uSNChanged<=5)", &Filter{Op: LessOrEqual, Attr: "uSNChanged", Value: []byte("5")}},
		{"(cn~=alise)", &Filter{Op: Approx, Attr: "cn", Value: []byte("alise")}},
		{"(userAccountControl:1.2.840.113556.1.4.803:=2)", &Filter{Op: Extensible, Attr: "userAccountControl", Rule: "1.2.840.113556.1.4.803", Value: []byte("2")}},
		{"(cn:caseExactMatch:=Fred)", &Filter{Op: Extensible, Attr: "cn", Rule: "caseExactMatch", Value: []byte("Fred")}},
		{"(cn:=Betty)", &Filter{Op: Extensible, Attr: "cn", Value: []byte("Betty")}},
		{"(sn:dn:2.4.6.8.10:=x)", &Filter{Op: Extensible, Attr: "sn", DNAttrs: true, Rule: "2.4.6.8.10", Value: []byte("x")}},
		{"(o:DN:=x)", &Filter{Op: Extensible, Attr: "o", DNAttrs: true, Value: []byte("x")}},
		{"(:1.2.3:=x)", &Filter{Op: Extensible, Rule: "1.2.3", Value: []byte("x")}},
		{"(:dn:2.4.6.8.10:=x)", &Filter{Op: Extensible, DNAttrs: true, Rule: "2.4.6.8.10", Value: []byte("x")}},
		{"(o:dnsMatch:=x)", &Filter{Op: Extensible, Attr: "o", Rule: "dnsMatch", Value: []byte("x")}},
		{"(&)", &Filter{Op: And}},
		{"(|)", &Filter{Op: Or}},
		{"(&(a=b)(!(c=d)))", &Filter{Op: And, Children: []*Filter{
			{Op: Equal, Attr: "a", Value: []byte("b")},
			{Op: Not, Children: []*Filter{{Op: Equal, Attr: "c", Value: []byte("d")}}}}}},
	} {
		got, err := Parse(c.in)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("Parse(%q): got %+v, %v, want %+v", c.in, got, err, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		in     string
		offset int
	}{
		{"", 0}, {"cn=a", 0}, {" (cn=a)", 0}, {"(cn=a) ", 6}, {"(cn=a)(b=c)", 6}, {"(cn=a", 5}, {"(", 1}, {"()", 1}, {"(cn)", 3},
		{"(=a)", 1}, {"(cn>a)", 4}, {"(cn~a)", 4}, {"( cn=a)", 1}, {"(cn =a)", 3}, {"(&(a=b) (c=d))", 7}, {"(!(a=b)(c=d))", 7}, {"(!)", 2},
		{"(cn=(a))", 4}, {`(cn=\)`, 4}, {`(cn=ab\2)`, 6}, {`(cn=\zz)`, 4}, {`(cn=\(\))`, 5}, {"(cn=\x00)", 4}, {"(cn=a\xff)", 5},
		{"(1.02=a)", 1}, {"(1.=a)", 1}, {"(-a=b)", 1}, {"(a;=b)", 1}, {"(a;;b=c)", 1}, {"(a_b=c)", 2}, {"(.1=a)", 1}, {"(;x=a)", 1},
		{"(:=a)", 2}, {"(a:b)", 4}, {"(a:b=c)", 4}, {"(a:dn:b:c)", 8}, {"(a::=b)", 3}, {"(:dn:=a)", 5},
	} {
		f, err := Parse(c.in)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !errors.Is(err, ErrSyntax) {
			t.Errorf("Parse(%q): got %v, %v, want a syntax error", c.in, f, err)
		} else if syntax.Offset != c.offset {
			t.Errorf("Parse(%q): got %v, want offset %d", c.in, err, c.offset)
		}
	}
}

// nested is a filter of depth Nots around an item.
func nested(depth int) *Filter {
	f := &Filter{Op: Present, Attr: "a"}
	for range depth {
		f = &Filter{Op: Not, Children: []*Filter{f}}
	}
	return f
}

func TestLimits(t *testing.T) {
	wide := func(n int) *Filter {
		f := &Filter{Op: Or}
		for range n {
			f.Children = append(f.Children, &Filter{Op: Present, Attr: "a"})
		}
		return f
	}
	parts := func(n int) *Filter {
		f := &Filter{Op: Substrings, Attr: "a"}
		for range n {
			f.Substr.Any = append(f.Substr.Any, []byte("x"))
		}
		return f
	}
	for _, c := range []struct {
		name    string
		f       *Filter
		allowed bool
	}{
		{"deepest", nested(MaxDepth), true},
		{"too deep", nested(MaxDepth + 1), false},
		{"widest", wide(MaxItems - 1), true},
		{"too wide", wide(MaxItems), false},
		{"most substrings", parts(MaxItems - 1), true},
		{"too many substrings", parts(MaxItems), false},
		{"too long", &Filter{Op: Equal, Attr: "a", Value: make([]byte, MaxLength)}, false},
	} {
		_, textErr := Parse(c.f.String())
		_, berErr := FromBER(c.f.AppendBER(nil))
		for form, err := range map[string]error{"string": textErr, "BER": berErr} {
			if c.allowed && err != nil || !c.allowed && !errors.Is(err, ErrLimit) {
				t.Errorf("%s as %s: got %v, want allowed %v", c.name, form, err, c.allowed)
			}
		}
	}
}

// The examples are from RFC 4511 and from what OpenLDAP's client sends.
func TestBER(t *testing.T) {
	for _, c := range []struct{ text, ber string }{
		{"(objectClass=*)", "870b6f626a656374436c617373"},
		{"(cn=alice)", "a30b0402636e0405616c696365"},
		{"(&)", "a000"},
		{"(&(a=1)(!(b=2)))", "a012a306040161040131a208a306040162040132"},
		{"(a>=1)", "a506040161040131"},
		{"(a<=1)", "a606040161040131"},
		{"(a~=1)", "a806040161040131"},
		{"(cn=a*b*c)", "a40f0402636e3009800161810162820163"},
		{"(cn=*b*)", "a4090402636e3003810162"},
		{"(uac:1.2.840.113556.1.4.803:=2)", "a9208116312e322e3834302e3131333535362e312e342e3830338203756163830132"},
		{"(o:dn:=x)", "a90982016f8301788401ff"},
	} {
		f, err := FromBER(unhexString(t, c.ber))
		if err != nil || f.String() != c.text {
			t.Errorf("%s: got %v, %v, want %s", c.ber, f, err, c.text)
		}
		if got := hex.EncodeToString(MustParse(c.text).AppendBER(nil)); got != c.ber {
			t.Errorf("%s: got %s, want %s", c.text, got, c.ber)
		}
	}
	// Longer forms of a length are allowed, and an unknown attribute is no error.
	for ber, want := range map[string]string{"8782000161": "(a=*)", "8703612062": "(a b=*)", "8700": "(=*)"} {
		if f, err := FromBER(unhexString(t, ber)); err != nil || f.String() != want {
			t.Errorf("%s: got %v, %v, want %s", ber, f, err, want)
		}
	}
	long := &Filter{Op: Equal, Attr: "a", Value: bytes.Repeat([]byte("x"), 70000)}
	if got, err := FromBER(long.AppendBER(nil)); err != nil || !reflect.DeepEqual(got, long) {
		t.Errorf("a value of 70,000 bytes does not come back: %v", err)
	}
}

// TestDecoder: a filter read into used memory is the filter that is read anew.
func TestDecoder(t *testing.T) {
	texts := []string{
		"(cn=alice)", "(cn=bob)", "(&(cn=a)(sn=b))", "(&(cn=c)(sn=d))", "(!(cn=*))", "(sn=a*b*c)", "(|(a=1)(b=2)(c=3)(d=4)(e=5)(f=6)(g=7)(h=8)(i=9))",
		"(uac:1.2.840.113556.1.4.803:=2)", "(:1.2.3:=x)", "(cn=alice)", "(" + strings.Repeat("x", 2*maxKept) + "=1)", "(cn>=1)", benchmarkFilter,
	}
	var d Decoder
	for range 2 {
		for _, text := range texts {
			got, err := d.FromBER(MustParse(text).AppendBER(nil))
			if err != nil || got.String() != text {
				t.Errorf("got %v, %v, want %s", got, err, text)
			}
		}
	}
	ber := MustParse("(&(cn=a)(!(sn=b)))").AppendBER(nil)
	if n := testing.AllocsPerRun(100, func() { _, _ = d.FromBER(ber) }); n != 0 {
		t.Errorf("got %v allocations for a filter like the one before, want 0", n)
	}
}

func unhexString(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBERErrors(t *testing.T) {
	for _, c := range []struct{ ber, want string }{
		{"", "cut short"}, {"87", "cut short"}, {"8702", "longer than its container"}, {"8780", "indefinite length"}, {"8785000000000100", "length cut short or too long"},
		{"878200", "length cut short"}, {"870161ff", "after the filter"}, {"aa00", "no filter item"}, {"a700", "no filter item"}, {"8300", "no filter item"},
		{"3000", "no filter item"}, {"bf00", "no filter item"}, {"a200", "cut short"}, {"a206870161870162", "more than one filter"}, {"a303040161", "cut short"},
		{"a303020161", "attribute description with tag 0x02"}, {"a306040161020131", "assertion value with tag 0x02"}, {"a3080401610401310400", "after the assertion value"},
		{"a4050401613000", "no substring"}, {"a40704016130028100", "empty substring"}, {"a40b0401613006810161800162", "out of place"},
		{"a40b0401613006820161810162", "out of place"}, {"a4080401613003830161", "out of place"}, {"a4050401610400", "substrings with tag"},
		{"a40704016130000400", "after the substrings"}, {"a900", "without a value"}, {"a903830161", "neither rule nor type"}, {"a906830161820162", "out of order"},
		{"a906830161860161", "has no tag"}, {"a90a82016183016284020000", "boolean"},
	} {
		f, err := FromBER(unhexString(t, c.ber))
		if !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want an error with %q", c.ber, f, err, c.want)
		}
	}
}

func TestEval(t *testing.T) {
	leaf := func(f *Filter) Ternary {
		return map[string]Ternary{"t": True, "f": False, "u": Undefined}[f.Attr]
	}
	for text, want := range map[string]Ternary{
		"(t=*)": True, "(f=*)": False, "(u=*)": Undefined,
		"(!(t=*))": False, "(!(f=*))": True, "(!(u=*))": Undefined,
		"(&)": True, "(|)": False,
		"(&(t=*)(t=*))": True, "(&(t=*)(u=*))": Undefined, "(&(u=*)(f=*))": False, "(&(f=*)(u=*))": False,
		"(|(f=*)(f=*))": False, "(|(f=*)(u=*))": Undefined, "(|(u=*)(t=*))": True, "(|(t=*)(u=*))": True,
		"(!(&(t=*)(u=*)))": Undefined, "(&(t=*)(!(|(f=*)(f=*))))": True,
	} {
		if got := MustParse(text).Eval(leaf); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestAll(t *testing.T) {
	var got []string
	for f := range MustParse("(&(a=1)(!(b=2))(c=*))").All {
		got = append(got, f.Op.String()+f.Attr)
		if f.Attr == "b" {
			break
		}
	}
	if want := []string{"and", "equalityMatcha", "not", "equalityMatchb"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// anyFilter draws filters as Parse gives them.
func anyFilter(depth int) *rapid.Generator[*Filter] {
	return rapid.Custom(func(t *rapid.T) *Filter {
		ops := []Op{Equal, Substrings, GreaterOrEqual, LessOrEqual, Present, Approx, Extensible}
		if depth > 0 {
			ops = append(ops, And, Or, Not)
		}
		f := &Filter{Op: rapid.SampledFrom(ops).Draw(t, "op")}
		attr := rapid.StringMatching(`[a-zA-Z][a-zA-Z0-9-]{0,8}(;binary)?|[0-2](\.(0|[1-9][0-9]{0,3})){1,3}`)
		value := rapid.SliceOfN(rapid.Byte(), 0, 12)
		part := rapid.SliceOfN(rapid.Byte(), 1, 6)
		switch f.Op {
		case And, Or:
			f.Children = rapid.SliceOfN(anyFilter(depth-1), 1, 4).Draw(t, "children")
		case Not:
			f.Children = []*Filter{anyFilter(depth-1).Draw(t, "child")}
		case Present:
			f.Attr = attr.Draw(t, "attr")
		case Substrings:
			f.Attr = attr.Draw(t, "attr")
			if rapid.Bool().Draw(t, "has initial") {
				f.Substr.Initial = part.Draw(t, "initial")
			}
			if parts := rapid.SliceOfN(part, 0, 3).Draw(t, "any"); len(parts) > 0 {
				f.Substr.Any = parts
			}
			if f.Substr.Initial == nil && f.Substr.Any == nil || rapid.Bool().Draw(t, "has final") {
				f.Substr.Final = part.Draw(t, "final")
			}
		case Extensible:
			f.DNAttrs = rapid.Bool().Draw(t, "dn")
			if rapid.Bool().Draw(t, "has attr") {
				f.Attr = attr.Draw(t, "attr")
			}
			if f.Attr == "" || rapid.Bool().Draw(t, "has rule") {
				f.Rule = rapid.StringMatching(`x[a-z]{2,5}|1\.2\.[1-9][0-9]{0,3}`).Draw(t, "rule")
			}
			f.Value = value.Draw(t, "value")
		default:
			f.Attr = attr.Draw(t, "attr")
			f.Value = value.Draw(t, "value")
		}
		return f
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFilter(4).Draw(t, "filter")
		if got, err := Parse(f.String()); err != nil || !reflect.DeepEqual(got, f) {
			t.Fatalf("%s: got %v, %v", f, got, err)
		}
		if got, err := FromBER(f.AppendBER(nil)); err != nil || !reflect.DeepEqual(got, f) {
			t.Fatalf("%s by way of BER: got %v, %v", f, got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("(cn=alice)")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s)
		if err != nil {
			return
		}
		b, err := Parse(a.String())
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%q: %q comes back as %v, %v", s, a.String(), b, err)
		}
		c, err := FromBER(a.AppendBER(nil))
		if err != nil || !reflect.DeepEqual(a, c) {
			t.Errorf("%q: comes back from BER as %v, %v", s, c, err)
		}
	})
}

// isNoDescription tells that the whole text is not one attribute description.
func (p *parser) isNoDescription() bool {
	_, err := p.description()
	return err != nil || p.at < len(p.s)
}

func FuzzFromBER(f *testing.F) {
	f.Add(MustParse("(&(cn=alice)(|(a=*)(b=c*d*e)))").AppendBER(nil))
	f.Fuzz(func(t *testing.T, ber []byte) {
		a, err := FromBER(ber)
		if err != nil {
			return
		}
		b, err := FromBER(a.AppendBER(nil))
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%x: %v comes back as %v, %v", ber, a, b, err)
		}
		_ = a.Eval(func(*Filter) Ternary { return Undefined })
		// An attribute that is no attribute description has no string form.
		for f := range a.All {
			if f.Attr == "" {
				continue
			}
			if p := (parser{s: f.Attr}); p.isNoDescription() {
				return
			}
		}
		if c, err := Parse(a.String()); err == nil && c.String() != a.String() {
			t.Errorf("%x: %q comes back as %q", ber, a.String(), c.String())
		}
	})
}

const benchmarkFilter = "(&(objectCategory=computer)(|(sAMAccountName=WEBAPP01$)(servicePrincipalName=http/webapp01.contoso.com))(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(benchmarkFilter); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromBER(b *testing.B) {
	ber := MustParse(benchmarkFilter).AppendBER(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromBER(ber); err != nil {
			b.Fatal(err)
		}
	}
}
