package consumer

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestWrongValues: what a value that is wrong leads to where a reader looks at it, and that nobody complains where none does.
func TestWrongValues(t *testing.T) {
	put := func(s, old, new string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(s, old, new, 1)
	}
	cf1 := func(s string) (Outcome, error) { return Fetcher1([]byte(s), true) }
	cf2 := func(s string) (Outcome, error) { return Fetcher2([]byte(s)) }
	linux := func(s string) (Outcome, error) { return AgentLinux([]byte(s), true, false) }
	windows := func(s string) (Outcome, error) { return AgentWindows([]byte(s), true, "task") }
	for _, tt := range []struct {
		name, text string
		read       func(string) (Outcome, error)
		want       string // part of the refusal; "": taken
	}{
		{"account's SID, 1", put(inObject(), "3022818347", "3022818347-1110"), cf1, ""},
		{"account's SID, 2", put(inObject(), "3022818347", "3022818347-1110"), cf2, ""},
		{"account's SID, Linux", put(inObject(), "3022818347", "3022818347-1110"), linux, ""},
		{"one label, 1", put(inObject(), `"DnsName": "corp.example"`, `"DnsName": "corp"`), cf1, ""},
		{"one label, 2", put(inObject(), `"DnsName": "corp.example"`, `"DnsName": "corp"`), cf2, "invalid domain format: corp"},
		{"no domain, 1", put(inObject(), `"DnsName": "corp.example"`, `"DnsName": ""`), cf1, NotFormatted},
		{"no domain, 2", put(inObject(), `"DnsName": "corp.example"`, `"DnsName": ""`), cf2, "missing or invalid DnsName in credential spec"},
		{"bad domain, 1", put(inObject(), `"DnsName": "corp.example"`, `"DnsName": "corp_example."`), cf1, "ERROR: credentialspec file is not formatted properly"},
		{"name with $, 1", put(inObject(), `"Name": "webapp"`, `"Name": "webapp$"`), cf1, "ERROR: credentialspec file is not formatted properly"},
		{"name with $, 2", put(inObject(), `"Name": "webapp"`, `"Name": "webapp$"`), cf2, "service account name contains invalid characters"},
		{"name with domain, 1", put(inObject(), `"Name": "webapp"`, `"Name": "CORP\\webapp"`), cf1, "not formatted properly"},
		{"name with dots, 1", put(inObject(), `"Name": "webapp"`, `"Name": "webapp.corp.example"`), cf1, ""},
		{"no accounts, 1", put(inObject(), `{"Name": "webapp", "Scope": "corp.example"}`, ""), cf1, NotFormatted},
		{"no accounts, 2", put(inObject(), `{"Name": "webapp", "Scope": "corp.example"}`, ""), cf2, "no GroupManagedServiceAccounts found in credential spec"},
		{"account without name, 2", put(inObject(), `{"Name": "webapp", `, `{`), cf2, "no valid service account name found in credential spec"},
		{"accounts are none, 2", put(inObject(), `[{"Name": "webapp", "Scope": "corp.example"}]`, `"webapp"`), cf2, "missing or invalid GroupManagedServiceAccounts in credential spec"},
		{"accounts are none, 1", put(inObject(), `[{"Name": "webapp", "Scope": "corp.example"}]`, `["webapp"]`), cf1, "ERROR: domainless credspec is not properly formatted failed"},
		{"string for an object, 1", inString(), cf1, "ERROR: domainless credspec is not properly formatted failed"},
		{"string for an object, 2", inString(), cf2, "missing or invalid PluginInput in credential spec"},
		{"string for an object, Linux", inString(), linux, "json: cannot unmarshal string into Go struct field .ActiveDirectoryConfig.HostAccountConfig.PluginInput of type struct { CredentialArn string"},
		{"object for a string, Windows", inObject(), windows, "Unable to marshal untyped object pluginInputStringUntyped to type string"},
		{"no section, Windows", put(inString(), "HostAccountConfig", "Other"), windows, "Unable to parse HostAccountConfig from credential spec"},
		{"no input, Windows", put(inString(), "PluginInput", "Other"), windows, "Unable to parse PluginInput from credential spec"},
		{"section is text, Windows", `{"ActiveDirectoryConfig": "x"}`, windows, "Unable to marshal untyped object activeDirectoryConfigUntyped to type map[string]interface{}"},
		{"input is no JSON, Windows", document(`"web:gmsa"`), windows, "invalid character 'w' looking for beginning of value"},
		{"key in other letters, 1", put(inObject(), `"CredentialArn"`, `"credentialArn"`), cf1, "ERROR: secrets manager arn is not valid"},
		{"key in other letters, 2", put(inObject(), `"CredentialArn"`, `"credentialArn"`), cf2, "missing or invalid CredentialArn in credential spec"},
		{"key in other letters, Linux", put(inObject(), `"CredentialArn"`, `"credentialArn"`), linux, ""},
		{"version is a number, Linux", put(inObject(), `"PortableCcgVersion": "1"`, `"PortableCcgVersion": 1`), linux, "json: cannot unmarshal number into Go struct field"},
		{"version is a number, 1", put(inObject(), `"PortableCcgVersion": "1"`, `"PortableCcgVersion": 1`), cf1, ""},
	} {
		o, err := tt.read(tt.text)
		if tt.want == "" && (err != nil || o.Text == nil) {
			t.Errorf("%s: got %v", tt.name, err)
		}
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %+v, %v; want %q", tt.name, o, err, tt.want)
		}
	}
}

// TestAccountOfTheList: credentials-fetcher takes the first account of the list that has a name, the agent for Linux the machine account.
func TestAccountOfTheList(t *testing.T) {
	text := []byte(strings.Replace(inObject(), `[{"Name": "webapp"`, `[{"Name": "", "Scope": "x"}, {"Name": "other", "Scope": "x"}, {"Name": "webapp"`, 1))
	one, err1 := Fetcher1(text, true)
	two, err2 := Fetcher2(text)
	agent, err3 := AgentLinux(text, true, false)
	if err1 != nil || err2 != nil || err3 != nil || one.Account != "other" || two.Account != "other" || agent.Account != "webapp" {
		t.Errorf("got %+v %v, %+v %v, %+v %v", one, err1, two, err2, agent, err3)
	}
}

// TestJoined: in the mode of hosts in the domain nobody but credentials-fetcher 2 looks at the section for a plug-in.
func TestJoined(t *testing.T) {
	plain := strings.Replace(inObject(), `"HostAccountConfig"`, `"Other"`, 1)
	if o, err := Fetcher1([]byte(plain), false); err != nil || o.Account != "webapp" || o.Secret != "" {
		t.Errorf("credentials-fetcher 1: %+v, %v", o, err)
	}
	if _, err := Fetcher2([]byte(plain)); err == nil || err.Error() != "missing or invalid HostAccountConfig in credential spec" {
		t.Errorf("credentials-fetcher 2: %v", err)
	}
	if o, err := AgentWindows([]byte("no JSON"), false, "task"); err != nil || string(o.Text) != "no JSON" {
		t.Errorf("agent for Windows: %+v, %v", o, err)
	}
	if o, err := AgentLinux([]byte(inString()), false, false); err != nil || o.Account != "webapp" || o.Secret != "" {
		t.Errorf("agent for Linux: %+v, %v", o, err)
	}
	if o, err := AgentLinux([]byte(strings.Replace(plain, "webapp", "", 1)), false, false); err != nil || !strings.Contains(o.Silent, NoMapping) {
		t.Errorf("agent for Linux without an account: %+v, %v", o, err)
	}
	if _, err := AgentLinux([]byte("\ufeff"+plain), false, true); err == nil || err.Error() != "Error unmarshalling credentialspec domain-joined  : unexpected end of JSON input" {
		t.Errorf("agent for Linux from S3: %v", err)
	}
}

// TestRewrite: the agent for Windows keeps what it does not know but for the keys of PluginInput.
func TestRewrite(t *testing.T) {
	text := strings.Replace(inString(), `\"credentialArn\"`, `\"region\":\"x\",\"CredentialARN\"`, 1)
	text = strings.Replace(text, `"Sid"`, `"Extra": "x", "Sid"`, 1)
	o, err := AgentWindows([]byte(text), true, "task1")
	if err != nil || o.Secret != arnText || strings.Join(o.Dropped, " ") != "ActiveDirectoryConfig.HostAccountConfig.PluginInput.region" {
		t.Fatalf("got %+v, %v", o, err)
	}
	var doc struct {
		DomainJoinConfig      map[string]string
		ActiveDirectoryConfig struct{ HostAccountConfig struct{ PluginInput string } }
	}
	if err := json.Unmarshal(o.Text, &doc); err != nil || doc.DomainJoinConfig["Extra"] != "x" {
		t.Errorf("got %s, %v", o.Text, err)
	}
	want := `{"credentialArn":"` + arnText + `","regKeyPath":"HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\AmazonECSCCGPlugin\\task1"}`
	if got := doc.ActiveDirectoryConfig.HostAccountConfig.PluginInput; got != want {
		t.Errorf("PluginInput is %s", got)
	}
}

func TestAgentPlace(t *testing.T) {
	for entry, want := range map[string]string{
		"credentialspec:file://webapp.json":                                     "",
		"credentialspecdomainless:arn:aws:s3:::b/k/x":                           "",
		"credentialspec:arn:aws:ssm:eu-west-1:1:parameter/a/b":                  "",
		"domainlesscredentialspec:arn:aws:s3:::b/k":                             "Invalid credentialspec: domainlesscredentialspec:arn:aws:s3:::b/k",
		"credentialspec=file://a.json":                                          "Invalid credentialspec: credentialspec=file://a.json",
		"credentialspec:webapp.json":                                            "arn: invalid prefix",
		"credentialspec:arn:aws:s3":                                             "arn: not enough sections",
		"credentialspec:arn:aws:s3:::b":                                         "invalid s3 arn: arn:aws:s3:::b",
		"credentialspec:arn:aws:ssm:eu-west-1:1:webapp":                         "the provided SSM parameter:webapp is in an invalid format",
		"credentialspec:arn:aws:secretsmanager:eu-west-1:111122223333:secret:x": "unsupported credentialspec ARN, only s3/ssm ARNs are valid",
	} {
		p, err := AgentPlace(entry)
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: got %+v, %v", entry, p, err)
		}
	}
	if p, _ := AgentPlace("credentialspecdomainless:arn:aws:s3:::b/k/x"); p != (Place{Domainless: true, Bucket: "b", Key: "k/x"}) || !p.NeedsRole() {
		t.Errorf("got %+v", p)
	}
	if p, _ := AgentPlace("credentialspec:file://a.json"); p.NeedsRole() {
		t.Errorf("a file of the host needs no role: %+v", p)
	}
	if p, _ := AgentPlace("credentialspec:arn:aws:ssm:eu-west-1:1:parameter/a/b"); p.Parameter != "/a/b" || !p.NeedsRole() {
		t.Errorf("got %+v", p)
	}
}

func TestEngine(t *testing.T) {
	generic := "invalid credential spec security option - value must be prefixed by 'file://', 'registry://', or 'raw://' followed by a non-empty value"
	for option, want := range map[string]string{
		"credentialspec=file://a.json": "file a.json", "CREDENTIALSPEC=Registry://x": "registry x", "credentialspec=raw://{}": "raw {}",
		"credentialspec:file://a.json": "invalid security option: no equals sign in supplied value credentialspec:file://a.json",
		"credentialspe=file://a.json":  "security option not supported: credentialspe",
		"credentialspec=a.json":        generic, "credentialspec=file://": generic, "credentialspec=config://x": generic, "credentialspec=http://x": generic,
	} {
		scheme, value, err := MobyOption(option, false)
		got := scheme + " " + value
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q", option, got)
		}
	}
	if scheme, _, err := MobyOption("credentialspec=config://x", true); err != nil || scheme != "config" {
		t.Errorf("a task's config: %s, %v", scheme, err)
	}
	for _, c := range []struct {
		got  error
		want string
	}{
		{MobyLinux("credentialspec=file://a"), `invalid --security-opt 2: "credentialspec=file://a"`},
		{MobyLinux("credentialspec"), `invalid --security-opt 1: "credentialspec"`},
		{DockerRun("credentialspec="), `Invalid --security-opt: "credentialspec="`},
		{DockerRun("credentialspec:file://x"), ""},
		{Source{}.Check(), `invalid CredentialSpec: must either provide "file", "registry", or "config" for credential spec`},
		{Source{Config: "a", File: "b"}.Check(), `invalid CredentialSpec: cannot specify both "config" and "file" credential specs`},
		{Source{File: "a"}.Check(), ""},
		{Source{Config: "a", Registry: "b"}.Stack(yes, yes), `invalid credential spec: cannot specify both "Config" and "Registry"`},
		{Source{Config: "a"}.Stack(no, yes), `undefined config "a"`},
		{Source{Config: "a"}.Stack(yes, no), "invalid credential spec: spec specifies config a, but no such config can be found"},
		{Source{File: "file://x"}.Stack(no, no), ""},
		{SwarmConfig(nil), "config data must be larger than 0 and less than 1024000 bytes"},
		{SwarmConfig(make([]byte, 1024000)), "config data must be larger than 0 and less than 1024000 bytes"},
		{SwarmConfig(make([]byte, 1023999)), ""},
		{PodContents(""), "gmsaCredentialSpec cannot be an empty string"},
		{PodContents(strings.Repeat("x", 65537)), "gmsaCredentialSpec size must be under 64 KiB"},
		{PodContents(strings.Repeat("x", 65536)), ""},
	} {
		got := ""
		if c.got != nil {
			got = c.got.Error()
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	for value, want := range map[string]Source{"config://a": {Config: "a"}, "file://": {}, "registry://x": {Registry: "x"}, "": {}} {
		if got, err := ServiceOption(value); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", value, got, err)
		}
	}
	for _, value := range []string{"File://a", "raw://{}", "a.json"} {
		if _, err := ServiceOption(value); err == nil {
			t.Errorf("%s is taken", value)
		}
	}
	if got := (Source{File: "file://x"}).Option(); got != "credentialspec=file://file://x" {
		t.Errorf("got %s", got)
	}
	if opts, o := Compose(&Source{File: "a.json"}, []string{"x"}); len(opts) != 1 || o.Silent == "" {
		t.Errorf("compose: %v, %+v", opts, o)
	}
	if o := OCI(json.RawMessage(`{"CmsPlugins": []}`)); o.Text != nil || o.Silent == "" {
		t.Errorf("an object for hcsshim: %+v", o)
	}
	if o := OCI(json.RawMessage(`"{}"`)); string(o.Text) != "{}" {
		t.Errorf("a string for hcsshim: %+v", o)
	}
	if o := CRI("a", "b"); string(o.Text) != "b" {
		t.Errorf("the container's counts: %+v", o)
	}
}

func yes(string) bool { return true }
func no(string) bool  { return false }

func TestCRD(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`"spec": {"credspec": {}}`, "drops spec"},
		{`"credspec": {}`, "silent"},
		{`"credspec": {"DomainJoinConfig": {"dnsName": "corp.example", "Sid": "x"}}`, "drops credspec.DomainJoinConfig.dnsName"},
		{`"credspec": {"ActiveDirectoryConfig": {"HostAccountConfig": {"PluginInput": {"CredentialArn": "x"}}}}`, `credspec.ActiveDirectoryConfig.HostAccountConfig.PluginInput in body must be of type string: "object"`},
		{`"credspec": {"ActiveDirectoryConfig": {"HostAccountConfig": {"PortableCcgVersion": 1}}}`, `must be of type string: "integer"`},
		{`"credspec": {"DomainJoinConfig": {"NetBiosName": false}}`, `must be of type string: "boolean"`},
		{`"credspec": {"DomainJoinConfig": {"NetBiosName": 10.5}}`, `must be of type string: "number"`},
		{`"credspec": "{}"`, `credspec in body must be of type object: "string"`},
		{`"credspec": {"CmsPlugins": "ActiveDirectory"}`, `credspec.CmsPlugins in body must be of type array: "string"`},
		{`"credspec": {"ActiveDirectoryConfig": {"GroupManagedServiceAccounts": [{"Name": 1}]}}`, `credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts[0].Name in body must be of type string: "integer"`},
	} {
		o, err := CRD([]byte(`{"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec", "metadata": {"name": "x", "labels": {"a": "b"}}, ` + tt.body + `}`))
		switch {
		case tt.want == "silent":
			if err != nil || o.Silent == "" || len(o.Dropped) > 0 {
				t.Errorf("%s: %+v, %v", tt.body, o, err)
			}
		case strings.HasPrefix(tt.want, "drops "):
			if err != nil || strings.Join(o.Dropped, " ") != tt.want[6:] || strings.Contains(string(o.Text), tt.want[strings.LastIndexByte(tt.want, '.')+1:]+`":`) {
				t.Errorf("%s: %+v, %v", tt.body, o, err)
			}
		case err == nil || !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: got %v", tt.body, err)
		}
	}
}

// FuzzConsumers: whatever the text, each reader takes it or refuses in words; none breaks, and none changes the text that it was given.
func FuzzConsumers(f *testing.F) {
	f.Add(inString())
	f.Add(inObject())
	f.Add("\ufeff" + inObject())
	f.Add(strings.Replace(inObject(), ", ", ", /* x */ // y\n", 3))
	f.Add(inObject()[:200])
	f.Add(`{"DomainJoinConfig": {"DnsName": [1]}, "ActiveDirectoryConfig": 1}`)
	f.Add(`{"DomainJoinConfig": null, "DomainJoinConfig": {"DnsName": 12}}`)
	f.Add("[[[[")
	f.Fuzz(func(t *testing.T, text string) {
		given := []byte(text)
		for _, reader := range readers {
			if _, err := reader.read(text); err != nil && err.Error() == "" {
				t.Errorf("%s refuses without a word", reader.name)
			}
		}
		for _, mode := range []bool{true, false} {
			o, err := Fetcher1(given, mode)
			if err == nil && (o.Account == "" || o.Domain == "" || mode != (o.Secret != "")) {
				t.Errorf("credentials-fetcher 1 took %+v", o)
			}
			_, _ = AgentLinux(given, mode, true) // that it does not break is the test
		}
		if string(given) != text {
			t.Error("the text was changed")
		}
	})
}
