package plugin

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:gmsa"
	for _, c := range []struct {
		make   Make
		input  string
		secret string // "" for a refusal
	}{
		{AzureKeyVault, "ObjectId=1;SecretUri=https://v.vault.azure.net/secrets/g", "https://v.vault.azure.net/secrets/g"},
		{AzureKeyVault, "secreturi=https://v.vault.azure.net/secrets/g; OBJECTID=1", "https://v.vault.azure.net/secrets/g"},
		{AzureKeyVault, "SecretUri=https://v.vault.azure.net/secrets/g", ""},
		{AzureKeyVault, "ObjectId=1;SecretUri=http://v.vault.azure.net/secrets/g", ""},
		{AzureKeyVault, "ObjectId=1;SecretUri=https://v.vault.azure.net/g", ""},
		{AWS, `{"credentialArn":"` + arn + `"}`, arn},
		{AWS, `{"CredentialArn":"` + arn + `"}`, arn},
		{AWS, arn, ""},
		{AWS, `{"credentialArn":"gmsa"}`, ""},
		{AWS, `{"credentialArn":1}`, ""},
		{AWS, `{"arn":"` + arn + `"}`, ""},
		{Rancher, "web:gmsa", "web:gmsa"},
		{Rancher, "gmsa", ""},
		{Rancher, "a:b:c", ""},
		{Rancher, ":gmsa", ""},
		{TKGi, "keyVaultName=kv;clientId=1;keyVaultSecret=gmsa", "gmsa"},
		{TKGi, "keyVaultName=kv;clientId=1", ""},
		{CcgVault, `C:\ccg\ccgvault.yml`, ""},
		{Sample, "corp.example:ccguser", ""},
	} {
		in, err := c.make.Parse(c.input)
		switch {
		case c.secret == "" && !errors.Is(err, ErrInput):
			t.Errorf("%s %q: got %+v, %v; want a refusal", c.make, c.input, in, err)
		case c.secret != "" && (err != nil || in.Secret != c.secret):
			t.Errorf("%s %q: got %q, %v", c.make, c.input, in.Secret, err)
		}
	}
	in, err := CcgVault.Parse(`C:\ccg\ccgvault.yml|kv2`)
	if err != nil || in.Path != `C:\ccg\ccgvault.yml` || in.Source != "kv2" {
		t.Errorf("CcgVault: got %+v, %v", in, err)
	}
	in, err = Sample.Parse("corp.example:ccguser:a:b")
	if err != nil || *in.User != (User{"corp.example", "ccguser", "a:b"}) {
		t.Errorf("sample: got %+v, %v", in.User, err)
	}
	in, err = TKGi.Parse("DOMAINNAME=corp.example;USERNAME=ccguser;PASSWORD=p=1;logFile=c:\\l")
	if err != nil || *in.User != (User{"corp.example", "ccguser", "p=1"}) {
		t.Errorf("TKGi: got %+v, %v", in.User, err)
	}
}

func TestFieldPlaces(t *testing.T) {
	for _, m := range Makes() {
		for _, text := range []string{"ObjectId=1; SecretUri = https://v/secrets/x", "a:b", "a:b:c", `c:\x.yml|kv`, "PASSWORD= x ;USERNAME=y;DOMAINNAME=z"} {
			in, _ := m.Shape(text)
			for _, f := range in.Fields {
				if text[f.At:f.At+len(f.Value)] != f.Value {
					t.Errorf("%s %q: %q is not at %d", m, text, f.Value, f.At)
				}
			}
		}
	}
}

func TestOf(t *testing.T) {
	for input, want := range map[string]Make{
		`{"credentialArn":"x"}`: AWS, "arn:aws:ssm:eu-west-1:1:parameter/x": AWS, "SecretUri=https://v/secrets/x": AzureKeyVault, "web:gmsa": Rancher,
		`C:\ccg\ccgvault.yml|kv2`: CcgVault, "corp.example:svc:p": Sample, "DOMAINNAME=a;USERNAME=b;PASSWORD=c": TKGi,
		"mysecret": "", "": "", "https://vault:443/x:y": "", "a b:c:d": "",
	} {
		if got, _ := Of(input); got != want {
			t.Errorf("%q: got %q, want %q", input, got, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	for _, m := range []Make{AzureKeyVault, AWS, Rancher} {
		want := User{"corp.example", "ccguser", `p"a:s\s`}
		if u, err := m.ParseSecret(m.Secret(want)); err != nil || u != want {
			t.Errorf("%s: got %+v, %v", m, u, err)
		}
		for _, bad := range []string{"", "ccguser:Passw0rd!", "{}", `corp\ccguser:`} {
			if _, err := m.ParseSecret(bad); !errors.Is(err, ErrSecret) {
				t.Errorf("%s: the secret %q: got %v", m, bad, err)
			}
		}
	}
}

func TestByCLSID(t *testing.T) {
	for _, m := range Makes() {
		for _, guid := range []string{m.CLSID(), m.CLSID()[1:37], "{" + m.CLSID() + "}"} {
			if got, ok := ByCLSID(guid); !ok || got != m {
				t.Errorf("%s: got %s", guid, got)
			}
		}
	}
}

// FuzzInput: each make understands its input, or refuses it with the error that stands for that; parts are where they are said to be.
func FuzzInput(f *testing.F) {
	f.Add("ObjectId=1;SecretUri=https://v.vault.azure.net/secrets/g")
	f.Add(`{"credentialArn":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:gmsa"}`)
	f.Add("web:gmsa")
	f.Add("corp.example:ccguser:a:b")
	f.Add(`C:\ccg\ccgvault.yml|kv2`)
	f.Add("DOMAINNAME=corp.example;USERNAME=u;PASSWORD= p ;logFile=x")
	f.Fuzz(func(t *testing.T, input string) {
		Of(input)
		for _, m := range Makes() {
			in, err := m.Shape(input)
			if err != nil && !errors.Is(err, ErrInput) {
				t.Errorf("%s: got %v, want ErrInput", m, err)
			}
			for _, field := range in.Fields {
				if input[field.At:field.At+len(field.Value)] != field.Value {
					t.Errorf("%s: %q is not at %d", m, field.Value, field.At)
				}
			}
			if u, err := m.ParseSecret(input); err == nil && (u.Name == "" || u.Password == "") {
				t.Errorf("%s: a secret with the user %q", m, u.Name)
			} else if err != nil && !errors.Is(err, ErrSecret) {
				t.Errorf("%s: got %v, want ErrSecret", m, err)
			}
		}
	})
}
