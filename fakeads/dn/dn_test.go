package dn

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, text, key string }{
		{"", "", ""},
		{"  ", "", ""},
		{"CN=Alice,CN=Users,DC=contoso,DC=com", "CN=Alice,CN=Users,DC=contoso,DC=com", "cn=alice,cn=users,dc=contoso,dc=com"},
		{"cn = Alice , cn=Users;dc=contoso, dc = com ", "CN=Alice,CN=Users,DC=contoso,DC=com", "cn=alice,cn=users,dc=contoso,dc=com"},
		{"CN=a  b,DC=x", "CN=a  b,DC=x", "cn=a  b,dc=x"},
		{`CN=Smith\, John,DC=x`, `CN=Smith\, John,DC=x`, `cn=smith\2C john,dc=x`},
		{`CN=Smith\2C John,DC=x`, `CN=Smith\, John,DC=x`, `cn=smith\2C john,dc=x`},
		{`CN="Smith, John",DC=x`, `CN=Smith\, John,DC=x`, `cn=smith\2C john,dc=x`},
		{`CN="say \"hi\"",DC=x`, `CN=say \"hi\",DC=x`, `cn=say "hi",dc=x`},
		{`CN=\ a\ ,DC=x`, `CN=\ a\ ,DC=x`, `cn= a ,dc=x`},
		{`CN=\20,DC=x`, `CN=\ ,DC=x`, `cn= ,dc=x`},
		{`CN=\#a#,DC=x`, `CN=\#a#,DC=x`, `cn=#a#,dc=x`},
		{`CN=a\5Cb,DC=x`, `CN=a\\b,DC=x`, `cn=a\5Cb,dc=x`},
		{`CN=a=b,DC=x`, `CN=a\=b,DC=x`, `cn=a=b,dc=x`},
		{`CN=a/b,DC=x`, `CN=a/b,DC=x`, `cn=a/b,dc=x`},
		{`CN=a\/b,DC=x`, `CN=a/b,DC=x`, `cn=a/b,dc=x`},
		{`CN=gmsa\0ADEL:3a9c,CN=Deleted Objects,DC=x`, `CN=gmsa\0ADEL:3a9c,CN=Deleted Objects,DC=x`, "cn=gmsa\ndel:3a9c,cn=deleted objects,dc=x"},
		{`CN=J\C3\B6rg,DC=x`, "CN=Jörg,DC=x", "cn=jÖrg,dc=x"},
		{"CN=JÖRG,DC=x", "CN=JÖRG,DC=x", "cn=jÖrg,dc=x"},
		{"CN=\u212Aelvin,DC=x", "CN=\u212Aelvin,DC=x", "cn=kelvin,dc=x"},
		{"1.2.3=a", "1.2.3=a", "1.2.3=a"},
		{"OID.2.5.4.3=a", "2.5.4.3=a", "2.5.4.3=a"},
		{"CN=#0C0141,DC=x", "CN=A,DC=x", "cn=a,dc=x"},
	} {
		d, err := Parse(c.in)
		if err != nil || d.String() != c.text || d.Key() != c.key {
			t.Errorf("Parse(%q): got %q, key %q, %v, want %q, key %q", c.in, d.String(), d.Key(), err, c.text, c.key)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		in     string
		offset int
	}{
		{"CN", 2}, {"=a", 0}, {"CN=", 3}, {"CN=,DC=x", 3}, {"CN=a,", 5}, {"CN=a,,DC=x", 5}, {",CN=a", 0}, {"CN=a DC=x\x00", 9},
		{"CN=a+OU=b,DC=x", 4}, {`CN=a"b`, 4}, {"CN=a<b", 4}, {`CN=a\`, 4}, {`CN=a\g0`, 4}, {`CN=a\0`, 4}, {`CN="a`, 5}, {`CN="a"b`, 6}, {`CN="",DC=x`, 3},
		{"CN=#,DC=x", 3}, {"CN=#zz", 3}, {"CN=#0C0241", 3}, {"CN=#300141", 3}, {`CN=\FF`, 3}, {"CN=\xff", 0}, {"C_N=a", 1}, {"<SID=S-1-5-18>", 0},
		{strings.Repeat("a", MaxLength+1), MaxLength}, {strings.Repeat("DC=a,", MaxDepth) + "DC=a", 5 * MaxDepth},
	} {
		d, err := Parse(c.in)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !errors.Is(err, ErrSyntax) {
			t.Errorf("Parse(%.40q): got %q, %v, want a syntax error", c.in, d, err)
		} else if syntax.Offset != c.offset {
			t.Errorf("Parse(%.40q): got %v, want offset %d", c.in, err, c.offset)
		}
	}
}

func TestNavigation(t *testing.T) {
	domain := Domain("contoso.com")
	if got, want := domain.String(), "DC=contoso,DC=com"; got != want {
		t.Errorf("domain: got %q, want %q", got, want)
	}
	users := domain.Child("cn", "Users")
	d := users.Child("CN", `O'Neil, "Al" #1 `)
	if got, want := d.String(), `CN=O'Neil\, \"Al\" #1\ ,CN=Users,DC=contoso,DC=com`; got != want {
		t.Errorf("child: got %q, want %q", got, want)
	}
	if attr, value := d.RDN(); attr != "CN" || value != `O'Neil, "Al" #1 ` {
		t.Errorf("RDN: got %q, %q", attr, value)
	}
	if !d.Parent().Equal(users) || d.Parent().String() != users.String() {
		t.Errorf("parent: got %q, want %q", d.Parent(), users)
	}
	if got := d.Depth(); got != 4 {
		t.Errorf("depth: got %d, want 4", got)
	}
	for _, c := range []struct {
		d, ancestor DN
		want        bool
	}{
		{d, users, true}, {d, domain, true}, {d, d, true}, {d, DN{}, true}, {DN{}, DN{}, true},
		{users, d, false}, {DN{}, d, false}, {d, MustParse("cn=USERS,dc=Contoso,dc=com"), true},
		{MustParse("DC=mycontoso,DC=com"), MustParse("DC=contoso,DC=com"), false},
		{MustParse(`CN=a\,DC=com`), MustParse("DC=com"), false},
	} {
		if got := c.d.IsUnder(c.ancestor); got != c.want {
			t.Errorf("%q under %q: got %v, want %v", c.d, c.ancestor, got, c.want)
		}
	}
	var zero DN
	if attr, value := zero.RDN(); attr != "" || value != "" || zero.Depth() != 0 || !zero.IsZero() || !zero.Parent().IsZero() {
		t.Errorf("empty name: RDN %q=%q, depth %d, parent %q", attr, value, zero.Depth(), zero.Parent())
	}
	if got := domain.Parent().Parent(); !got.IsZero() {
		t.Errorf("above the top: got %q, want the empty name", got)
	}
}

func TestCanonicalName(t *testing.T) {
	for in, want := range map[string]string{
		"DC=contoso,DC=com":                           "contoso.com/",
		"CN=Users,DC=contoso,DC=com":                  "contoso.com/Users",
		"CN=alice,CN=Users,DC=contoso,DC=com":         "contoso.com/Users/alice",
		`CN=a/b\, c,OU=d,DC=contoso,DC=com`:           `contoso.com/d/a\/b, c`,
		"DC=DomainDnsZones,DC=contoso,DC=com":         "DomainDnsZones.contoso.com/",
		"DC=dc01,CN=x,DC=zone,CN=y,DC=contoso,DC=com": "contoso.com/y/zone/x/dc01",
		"CN=x": "/x",
		"":     "/",
	} {
		if got := CanonicalName(MustParse(in)); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"CN=Users,DC=contoso,DC=com": "contoso.com", "CN=x": "", "": ""} {
		if got := MustParse(in).DNSName(); got != want {
			t.Errorf("DNS name of %q: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"contoso.com.": "DC=contoso,DC=com", "": "", "a..b": "DC=a,DC=b"} {
		if got := Domain(in).String(); got != want {
			t.Errorf("Domain(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestProperties(t *testing.T) {
	value := rapid.StringMatching(`[ #,+"\\<>;=a-cA-C/\x00-\x1fäÄß𝄞]{1,8}`)
	rapid.Check(t, func(t *rapid.T) {
		type rdn struct{ attr, value string }
		var rdns []rdn
		var d DN
		for range rapid.IntRange(0, 5).Draw(t, "depth") {
			r := rdn{rapid.SampledFrom([]string{"CN", "OU", "DC", "2.5.4.3"}).Draw(t, "attr"), value.Draw(t, "value")}
			rdns = append(rdns, r)
			d = d.Child(r.attr, r.value)
		}
		back, err := Parse(d.String())
		if err != nil || back != d {
			t.Fatalf("%q comes back as %q, %v", d, back, err)
		}
		lower, err := Parse(strings.ToLower(d.String()))
		if err != nil || !lower.Equal(d) {
			t.Fatalf("%q in lower case: key %q, %v, want %q", d, lower.Key(), err, d.Key())
		}
		if d.Depth() != len(rdns) {
			t.Fatalf("%q: depth %d, want %d", d, d.Depth(), len(rdns))
		}
		up := d
		for i := len(rdns) - 1; i >= 0; i-- {
			attr, value := up.RDN()
			if attr != rdns[i].attr || value != rdns[i].value {
				t.Fatalf("%q: RDN %q=%q, want %v", up, attr, value, rdns[i])
			}
			if !d.IsUnder(up) || (up.IsUnder(d) != (up.Depth() == d.Depth())) {
				t.Fatalf("%q under %q is decided wrongly", d, up)
			}
			up = up.Parent()
		}
		if !up.IsZero() {
			t.Fatalf("%q is left at the top", up)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("CN=Alice,CN=Users,DC=contoso,DC=com")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(s)
		if err != nil {
			return
		}
		back, err := Parse(d.String())
		if len(d.String()) <= MaxLength && (err != nil || back != d) {
			t.Errorf("%q: %q comes back as %q, %v", s, d, back, err)
		}
		n := 0
		for up := d; !up.IsZero(); up = up.Parent() {
			n++
			if attr, value := up.RDN(); attr == "" || value == "" {
				t.Errorf("%q: RDN of %q is %q=%q", s, up, attr, value)
			}
		}
		if n != d.Depth() {
			t.Errorf("%q: depth %d, want %d", s, d.Depth(), n)
		}
		CanonicalName(d)
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("CN=WebApp01,CN=Managed Service Accounts,DC=contoso,DC=com"); err != nil {
			b.Fatal(err)
		}
	}
}
