package simulator

import (
	"errors"
	"strings"
	"testing"
)

func TestPathBelow(t *testing.T) {
	for _, tc := range []struct{ folder, name, want string }{
		{`C:\Specs`, "a.json", `c:\specs\a.json`},
		{`C:\Specs`, `sub/A.json`, `c:\specs\sub\a.json`},
		{`C:\Specs`, `.\a.json`, `c:\specs\a.json`},
		{`C:\Specs`, `..\other\a.json`, `c:\other\a.json`},
		{`C:\Specs`, `..\..\..\a.json`, `c:\a.json`}, // no way above the drive
		{`C:\Specs\`, `\a.json`, `c:\specs\a.json`},
		{`C:\Specs`, "", `c:\specs`},
	} {
		if got := pathBelow(tc.folder, tc.name); got != tc.want {
			t.Errorf("%s and %q: got %s, want %s", tc.folder, tc.name, got, tc.want)
		}
	}
}

// TestDataRoot: a data root may be written with a final backslash.
func TestDataRoot(t *testing.T) {
	cfg := Contoso()
	cfg.Hosts[0].DataRoot = `D:\docker\`
	d := StartT(t, cfg)
	start(t, d.Host("ContainerHost01"), gmsaContainer())
}

func TestTrimmedFile(t *testing.T) {
	for name, want := range map[string]string{"web": "web.json", "web.json": "web.json", "contoso_jason": "contoso_ja.json", "version.json": "versi.json"} {
		if got := trimmedFile(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestSpecTextError: the place of what Windows cannot read.
func TestSpecTextError(t *testing.T) {
	const account = `{"DomainJoinConfig": {"MachineAccountName": "WebApp01", "DnsName": "contoso.com"}`
	for _, tc := range []struct {
		text         string
		line, column int
		missing      string
		encoding     string
	}{
		{text: "{", line: 1, column: 1},
		{text: "{\n  \"a\": 1,\n  b\n}", line: 3, column: 3},
		{text: "{\n  \"CmsPlugins\": 7\n}", line: 2, column: 17},
		{text: "\xef\xbb\xbf{}", line: 1, column: 1, encoding: "UTF-8 with a byte order mark"},
		{text: "\xff\xfe{\x00", line: 1, column: 1, encoding: "UTF-16, little-endian"},
		{text: "{}", missing: "DomainJoinConfig.MachineAccountName"},
		{text: `{"DomainJoinConfig": {"MachineAccountName": "a"}}`, missing: "DomainJoinConfig.DnsName"},
	} {
		_, err := parseSpec([]byte(tc.text))
		e, ok := errors.AsType[*specTextError](err)
		if !ok || e.line != tc.line || e.column != tc.column || e.missing != tc.missing || e.encoding != tc.encoding {
			t.Errorf("%q: got %+v, want line %d, column %d, %q missing, %q", tc.text, err, tc.line, tc.column, tc.missing, tc.encoding)
		}
	}
	if s, err := parseSpec([]byte(account + "}")); err != nil || s.DomainJoinConfig.MachineAccountName != "WebApp01" {
		t.Errorf("got %+v, %v", s, err)
	}
	for at, want := range map[int][2]int{-1: {1, 1}, 0: {1, 1}, 2: {2, 1}, 3: {2, 2}, 99: {2, 3}} {
		if line, column := position([]byte("a\nbc"), at); line != want[0] || column != want[1] {
			t.Errorf("byte %d: got %d:%d, want %v", at, line, column, want)
		}
	}
}

func TestEditCredentialSpec(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	const file = "edited.json"
	const doc = `{"a": {"list": [1, {"b": 2}]}}`
	for _, tc := range []struct {
		field string
		value any
		want  string // "" for an error
	}{
		{"a.list.1.b", "x", `{"a":{"list":[1,{"b":"x"}]}}`},
		{"a.list.0", nil, `{"a":{"list":[{"b":2}]}}`},
		{"a.new.deep", true, `{"a":{"list":[1,{"b":2}],"new":{"deep":true}}}`},
		{"a.list", nil, `{"a":{}}`},
		{"absent", nil, `{"a":{"list":[1,{"b":2}]}}`},
		{"a.list.2", 3, ""},
		{"a.list.-1", 3, ""},
		{"a.list.x", 3, ""},
		{"a.list.0.b", 3, ""}, // a number has no fields
	} {
		h.WriteCredentialSpec(file, []byte(doc))
		err := h.EditCredentialSpec(file, tc.field, tc.value)
		if (err == nil) != (tc.want != "") {
			t.Errorf("%s: got %v", tc.field, err)
		}
		if got := strings.Join(strings.Fields(specText(h, file)), ""); tc.want != "" && got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.field, got, tc.want)
		}
	}
	if err := h.EditCredentialSpec("none.json", "a", 1); err == nil {
		t.Error("a file that is not there: got no error")
	}
	h.WriteCredentialSpec(file, []byte("{"))
	if err := h.EditCredentialSpec(file, "a", 1); err == nil {
		t.Error("no JSON: got no error")
	}
}
