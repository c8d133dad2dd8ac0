package consumer

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf16"
)

const arnText = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:gmsa"

// document is a credential spec whose PluginInput is input.
func document(input string) string {
	return `{"CmsPlugins": ["ActiveDirectory"], "DomainJoinConfig": {"Sid": "S-1-5-21-2005147832-1190431754-3022818347", "MachineAccountName": "webapp", "Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36",` +
		` "DnsTreeName": "corp.example", "DnsName": "corp.example", "NetBiosName": "CORP"}, "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": [{"Name": "webapp", "Scope": "corp.example"}],` +
		` "HostAccountConfig": {"PortableCcgVersion": "1", "PluginGUID": "{859E1386-BDB4-49E8-85C7-3070B13920E1}", "PluginInput": ` + input + `}}}`
}

func inString() string {
	b, err := json.Marshal(`{"credentialArn":"` + arnText + `"}`)
	if err != nil {
		panic(err)
	}
	return document(string(b))
}

func inObject() string { return document(`{"CredentialArn": "` + arnText + `"}`) }

func utf16LE(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// readers are the columns: each is given the form of PluginInput that it wants.
var readers = []struct {
	name  string
	plain string
	read  func(text string) (Outcome, error)
}{
	{"moby", inString(), func(text string) (Outcome, error) { return Moby([]byte(text)), nil }},
	{"webhook", inString(), func(text string) (Outcome, error) { return Webhook("pod", "web", "webapp", text, inString()+" ") }},
	{"agent-win", inString(), func(text string) (Outcome, error) { return AgentWindows([]byte(text), true, "task") }},
	{"agent-lin", inObject(), func(text string) (Outcome, error) { return AgentLinux([]byte(text), true, false) }},
	{"cf1", inObject(), func(text string) (Outcome, error) { return Fetcher1([]byte(text), true) }},
	{"cf2", inObject(), func(text string) (Outcome, error) { return Fetcher2([]byte(text)) }},
	{"crd", inString(), func(text string) (Outcome, error) {
		o, err := CRD([]byte(`{"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec", "metadata": {"name": "webapp"}, "credspec": ` + text + `}`))
		return o, err
	}},
}

// TestLeniency: how each reader takes each irregularity. "ok" is an outcome as of the regular document, "as it is" the text unread, "-" that the
// case does not come up there (YAML has no such text); anything else is a part of the reader's words, or after "drops " what it loses.
func TestLeniency(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(string) string
		want   [7]string
	}{
		{"regular", func(s string) string { return s }, [7]string{"as it is", "ok", "ok", "ok", "ok", "ok", "ok"}},
		{"byte order mark", func(s string) string { return "\ufeff" + s },
			[7]string{"as it is", "invalid character 'ï' looking for beginning of value", "invalid character 'ï' looking for beginning of value", "invalid character 'ï' looking for beginning of value", "ok", "invalid character 'ï'", "-"}},
		{"UTF-16", utf16LE,
			[7]string{"as it is", "invalid character 'ÿ'", "invalid character 'ÿ' looking for beginning of value", "invalid character 'ÿ' looking for beginning of value", NotFormatted, "invalid character 'ÿ'", "-"}},
		{"comment", func(s string) string { return strings.Replace(s, ", ", ", // one\n", 1) },
			[7]string{"as it is", "invalid character '/'", "invalid character '/'", "invalid character '/'", "ok", "invalid character '/'", "-"}},
		{"trailing comma", func(s string) string { return strings.Replace(s, `["ActiveDirectory"]`, `["ActiveDirectory",]`, 1) },
			[7]string{"as it is", "invalid character ']'", "invalid character ']'", "invalid character ']'", "ok", "invalid character ']'", "-"}},
		{"text behind", func(s string) string { return s + " {}" },
			[7]string{"as it is", "after top-level value", "after top-level value", "after top-level value", "ok", "after top-level value", "-"}},
		{"truncated in the end", func(s string) string { return s[:len(s)-2] },
			[7]string{"as it is", "unexpected end of JSON input", "unexpected end of JSON input", "unexpected end of JSON input", "ok", "unexpected end of JSON input", "-"}},
		{"truncated in the middle", func(s string) string { return s[:strings.Index(s, "HostAccountConfig")-1] },
			[7]string{"as it is", "unexpected end of JSON input", "unexpected end of JSON input", "unexpected end of JSON input", "secrets manager arn is not valid", "unexpected end of JSON input", "-"}},
		{"key in other letters", func(s string) string {
			return strings.Replace(s, `"ActiveDirectoryConfig"`, `"activedirectoryconfig"`, 1)
		},
			[7]string{"as it is", "does not match", "Unable to parse ActiveDirectoryConfig from credential spec", "ok", NotFormatted, "missing or invalid ActiveDirectoryConfig in credential spec", "drops credspec.activedirectoryconfig"}},
		{"key twice", func(s string) string {
			return strings.Replace(s, `"DnsName": "corp.example"`, `"DnsName": "other.example", "DnsName": "corp.example"`, 1)
		},
			[7]string{"as it is", "ok", "ok", "ok", "ok", "ok", "ok"}},
		{"unknown field", func(s string) string { return strings.Replace(s, `"Sid"`, `"Extra": "x", "Sid"`, 1) },
			[7]string{"as it is", "does not match", "ok", "ok", "ok", "ok", "drops credspec.DomainJoinConfig.Extra"}},
		{"null", func(string) string { return "null" },
			[7]string{"as it is", "does not match", "Unable to parse ActiveDirectoryConfig from credential spec", "silent", NotFormatted, "missing or invalid DomainJoinConfig", "must be of type object"}},
		{"no bytes", func(string) string { return "" },
			[7]string{"silent", "unexpected end of JSON input", "unexpected end of JSON input", "unexpected end of JSON input", "ERROR: credspec is empty", "credential spec is empty", "-"}},
		{"letters outside of ASCII", func(s string) string { return strings.ReplaceAll(s, "webapp", "büro") },
			[7]string{"as it is", "does not match", "ok", "ok", "ok", "ok", "ok"}},
	} {
		for i, reader := range readers {
			if row.want[i] == "-" {
				continue
			}
			text := row.change(reader.plain)
			o, err := reader.read(text)
			got := ""
			if err != nil {
				got = err.Error()
			}
			switch want := row.want[i]; {
			case want == "as it is":
				if err != nil || string(o.Text) != text {
					t.Errorf("%s, %s: got %q, %v", row.name, reader.name, o.Text, err)
				}
			case want == "silent":
				if err != nil || o.Silent == "" {
					t.Errorf("%s, %s: got %+v, %v", row.name, reader.name, o, err)
				}
			case strings.HasPrefix(want, "drops "):
				if err != nil || strings.Join(o.Dropped, " ") != want[len("drops "):] {
					t.Errorf("%s, %s: got %v, %v", row.name, reader.name, o.Dropped, err)
				}
			case want == "ok":
				if err != nil || len(o.Dropped) > 0 || o.Silent != "" || len(o.Text) == 0 {
					t.Errorf("%s, %s: got %+v, %v", row.name, reader.name, o, err)
				}
			case err == nil || !strings.Contains(got, want):
				t.Errorf("%s, %s: got %+v, %q; want %q", row.name, reader.name, o, got, want)
			}
			if refusal := new(Refusal); err != nil && !errors.As(err, &refusal) {
				t.Errorf("%s, %s: %T is no refusal", row.name, reader.name, err)
			}
		}
	}
}

// TestDuplicates: objects that stand twice are one for types of Go, whose leaves the last wins; for maps and for jsoncpp the last object counts alone.
func TestDuplicates(t *testing.T) {
	text := strings.Replace(inObject(), `"DomainJoinConfig": {`, `"DomainJoinConfig": {"MachineAccountName": "old", "DnsName": "old.example"}, "DomainJoinConfig": {`, 1)
	cut := strings.Replace(text, `"DnsName": "corp.example", `, "", 1)
	o, err := AgentLinux([]byte(cut), true, false)
	if err != nil || o.Domain != "old.example" || o.Account != "webapp" {
		t.Errorf("types: got %+v, %v", o, err)
	}
	if _, err := Fetcher2([]byte(cut)); err == nil || !strings.Contains(err.Error(), "DnsName") {
		t.Errorf("maps: got %v", err)
	}
	if _, err := Fetcher1([]byte(cut), true); err == nil || err.Error() != NotFormatted {
		t.Errorf("jsoncpp: got %v", err)
	}
	if o, err := Fetcher1([]byte(text), true); err != nil || o.Domain != "corp.example" {
		t.Errorf("jsoncpp: got %+v, %v", o, err)
	}
}
