package credspec

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/source"
)

const arnSecret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:reader-AbCdEf"

func sample() Spec {
	return Spec{
		CmsPlugins: []string{"ActiveDirectory"},
		DomainJoin: DomainJoin{Sid: "S-1-5-21-2005147832-1190431754-3022818347", MachineAccountName: "web_App", Guid: "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36", DnsTreeName: "corp.example", DnsName: "corp.example", NetBiosName: "NO"},
		Accounts:   []Account{{Name: "web_App", Scope: "corp.example"}, {Name: "web_App", Scope: "NO"}, {Name: "0123", Scope: "2024-11-05"}},
	}
}

func withHost(guid, input string, object ...Field) Spec {
	s := sample()
	s.Host = &HostAccount{PortableCcgVersion: "1", PluginGUID: guid, PluginInput: input, PluginObject: object}
	return s
}

const (
	awsGUID = "{859E1386-BDB4-49E8-85C7-3070B13920E1}"
	akvGUID = "{CCC2A336-D7F3-4818-A213-272B7924213E}"
)

// again reads what was written.
func again(t *testing.T, form Form, text []byte) Spec {
	t.Helper()
	if form != FormKubernetes {
		d := Read(source.NewFile("a.json", text))
		if len(d.Faults) > 0 {
			t.Fatalf("%s: %v in\n%s", form, d.Faults, text)
		}
		return d.Spec()
	}
	docs, err := source.ParseYAML(source.NewFile("a.yaml", text))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%v, %d documents in\n%s", err, len(docs), text)
	}
	docs[0].Walk(func(_ []string, n *source.Node) bool {
		if n.Kind != source.String && n.Kind != source.Object && n.Kind != source.Array || n.Style == source.Plain && n.Kind == source.String && source.YAML11(n.Text) != source.String {
			t.Errorf("%s is no text to a reader of YAML 1.1", n.Text)
		}
		return true
	})
	return OfNode(docs[0].Get("credspec")).Spec()
}

// TestWrite: each form is read back as what was to be written.
func TestWrite(t *testing.T) {
	for _, form := range Forms() {
		for name, s := range map[string]Spec{"joined": sample(), "aws": withHost(awsGUID, `{"credentialArn": "`+arnSecret+`"}`), "object": withHost(awsGUID, "", Field{Key: "CredentialArn", Value: arnSecret})} {
			text, err := Write(s, form)
			if err != nil {
				t.Fatalf("%s as %s: %v", name, form, err)
			}
			want, _, err := Convert(s, form)
			if err != nil {
				t.Fatal(err)
			}
			if got := again(t, form, text); !reflect.DeepEqual(got, want) {
				t.Errorf("%s as %s: got %+v, want %+v in\n%s", name, form, got, want, text)
			}
			if object := want.Host != nil && want.Host.PluginObject != nil; object != (form == FormLinux && s.Host != nil) {
				t.Errorf("%s as %s: PluginInput is an object: %v", name, form, object)
			}
		}
	}
}

// TestLayouts shows the texts themselves.
func TestLayouts(t *testing.T) {
	small := Spec{CmsPlugins: []string{"ActiveDirectory"}, DomainJoin: DomainJoin{MachineAccountName: "Web_1", DnsName: "corp.example", NetBiosName: "NO"}, Accounts: []Account{{Name: "Web_1", Scope: "NO"}},
		Host: &HostAccount{PortableCcgVersion: "1", PluginGUID: akvGUID, PluginInput: "ObjectId=1;SecretUri=https://v.example/secrets/s"}}
	for form, want := range map[Form]string{
		FormInline: `{"CmsPlugins":["ActiveDirectory"],"DomainJoinConfig":{"Sid":"","MachineAccountName":"Web_1","Guid":"","DnsTreeName":"","DnsName":"corp.example","NetBiosName":"NO"},"ActiveDirectoryConfig":{"GroupManagedServiceAccounts":[{"Name":"Web_1","Scope":"NO"}],"HostAccountConfig":{"PortableCcgVersion":"1","PluginGUID":"{CCC2A336-D7F3-4818-A213-272B7924213E}","PluginInput":"ObjectId=1;SecretUri=https://v.example/secrets/s"}}}`,
		FormModule7: `{
  "CmsPlugins": [
    "ActiveDirectory"
  ],
  "DomainJoinConfig": {
    "Sid": "",
    "MachineAccountName": "Web_1",
    "Guid": "",
    "DnsTreeName": "",
    "DnsName": "corp.example",
    "NetBiosName": "NO"
  },
  "ActiveDirectoryConfig": {
    "GroupManagedServiceAccounts": [
      {
        "Name": "Web_1",
        "Scope": "NO"
      }
    ],
    "HostAccountConfig": {
      "PortableCcgVersion": "1",
      "PluginGUID": "{CCC2A336-D7F3-4818-A213-272B7924213E}",
      "PluginInput": "ObjectId=1;SecretUri=https://v.example/secrets/s"
    }
  }
}
`,
		FormKubernetes: `apiVersion: windows.k8s.io/v1
kind: GMSACredentialSpec
metadata:
  name: web-1
credspec:
  CmsPlugins:
  - ActiveDirectory
  DomainJoinConfig:
    Sid: ""
    MachineAccountName: Web_1
    Guid: ""
    DnsTreeName: ""
    DnsName: corp.example
    NetBiosName: "NO"
  ActiveDirectoryConfig:
    GroupManagedServiceAccounts:
    - Name: Web_1
      Scope: "NO"
    HostAccountConfig:
      PortableCcgVersion: "1"
      PluginGUID: "{CCC2A336-D7F3-4818-A213-272B7924213E}"
      PluginInput: ObjectId=1;SecretUri=https://v.example/secrets/s
`,
	} {
		if got, err := Write(small, form); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", form, err, got)
		}
	}
	const compose = `version: "3.8"
services:
  web:
    credential_spec:
      config: "on"
configs:
  "on":
    file: ./corp_web.json
`
	if got := string(ComposeConfig("web", "on", "./corp_web.json")); got != compose {
		t.Errorf("got\n%s", got)
	}
}

// TestConvert: what is changed is told, and what cannot be is refused with its reason.
func TestConvert(t *testing.T) {
	for name, tt := range map[string]struct {
		s    Spec
		to   Form
		err  error
		note string
	}{
		"text to object":       {withHost(awsGUID, `{"credentialArn":"`+arnSecret+`"}`), FormLinux, nil, "an object now"},
		"object to text":       {withHost(awsGUID, "", Field{Key: "CredentialArn", Value: arnSecret}, Field{Key: "region", Value: "x"}), FormKubernetes, nil, "region of PluginInput is left out"},
		"letters of a key":     {withHost(awsGUID, "", Field{Key: "credentialArn", Value: arnSecret}), FormLinux, nil, "is CredentialArn now"},
		"nothing to do":        {withHost(akvGUID, "ObjectId=1;SecretUri=https://v.example/secrets/s"), FormSwarm, nil, ""},
		"domain-joined":        {sample(), FormLinux, nil, ""},
		"another plug-in":      {withHost(akvGUID, "ObjectId=1;SecretUri=https://v.example/secrets/s"), FormLinux, ErrPlugin, ""},
		"no JSON":              {withHost(awsGUID, arnSecret), FormLinux, ErrPlugin, ""},
		"a parameter":          {withHost(awsGUID, `{"credentialArn":"arn:aws:ssm:eu-west-1:111122223333:parameter/reader"}`), FormLinux, ErrPlugin, ""},
		"an object of nothing": {withHost(awsGUID, "", Field{Key: "secret", Value: "x"}), FormModule, ErrPlugin, ""},
		"a form":               {sample(), "toml", ErrForm, ""},
	} {
		before := tt.s
		got, notes, err := Convert(tt.s, tt.to)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(strings.Join(notes, "\n"), tt.note) || tt.note == "" && len(notes) > 0 {
			t.Errorf("%s: notes %q", name, notes)
		}
		if !reflect.DeepEqual(tt.s, before) {
			t.Errorf("%s: the credential spec itself was changed", name)
		}
		if err == nil {
			if twice, notes, err := Convert(got, tt.to); err != nil || len(notes) > 0 || !reflect.DeepEqual(twice, got) {
				t.Errorf("%s: a second time: %v %v", name, notes, err)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	s := sample()
	for range 2000 {
		s.Accounts = append(s.Accounts, Account{Name: "account-of-some-length", Scope: "corp.example"})
	}
	for _, form := range []Form{FormInline, FormKubernetes} {
		if _, err := Write(s, form); !errors.Is(err, ErrSize) {
			t.Errorf("%s: %v", form, err)
		}
	}
	for range 30000 {
		s.Accounts = append(s.Accounts, Account{Name: "account-of-some-length", Scope: "corp.example"})
	}
	if _, err := Write(s, FormSwarm); !errors.Is(err, ErrSize) {
		t.Errorf("swarm: %v", err)
	}
}

func TestObjectName(t *testing.T) {
	for account, want := range map[string]string{"WebApp01$": "webapp01", "svc_web.app": "svc-web.app", "_x_": "x", "a..b": "a.b", "ö": "", "": ""} {
		got, err := ObjectName(account)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", account, got, err)
		}
	}
}
