package simulator

import (
	"errors"
	"testing"
)

func TestPluginGrammar(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:gmsa"
	for _, c := range []struct {
		kind   PluginKind
		input  string
		secret string // "" for a refusal
	}{
		{AzureKeyVault, "ObjectId=1;SecretUri=https://v.vault.azure.net/secrets/g", "https://v.vault.azure.net/secrets/g"},
		{AzureKeyVault, "secreturi=https://v.vault.azure.net/secrets/g; OBJECTID=1", "https://v.vault.azure.net/secrets/g"},
		{AzureKeyVault, "SecretUri=https://v.vault.azure.net/secrets/g", ""},
		{AzureKeyVault, "ObjectId=1;SecretUri=http://v.vault.azure.net/secrets/g", ""},
		{AzureKeyVault, "ObjectId=1;SecretUri=https://v.vault.azure.net/g", ""},
		{AWSPlugin, `{"credentialArn":"` + arn + `"}`, arn},
		{AWSPlugin, `{"CredentialArn":"` + arn + `"}`, arn},
		{AWSPlugin, arn, ""},
		{AWSPlugin, `{"credentialArn":"gmsa"}`, ""},
		{RancherPlugin, "web:gmsa", "web:gmsa"},
		{RancherPlugin, "gmsa", ""},
		{RancherPlugin, "a:b:c", ""},
		{RancherPlugin, ":gmsa", ""},
		{SamplePlugin, "contoso.com:ccguser", ""},
	} {
		r, err := c.kind.parse(c.input)
		switch {
		case c.secret == "" && !errors.Is(err, errInput):
			t.Errorf("%s %q: got %+v, %v; want a refusal", c.kind, c.input, r, err)
		case c.secret != "" && (err != nil || r.secret != c.secret):
			t.Errorf("%s %q: got %q, %v", c.kind, c.input, r.secret, err)
		}
	}
	r, err := SamplePlugin.parse("contoso.com:ccguser:a:b")
	if err != nil || r.user == nil || r.user.password != "a:b" {
		t.Errorf("sample: got %+v, %v", r.user, err)
	}
	for _, kind := range []PluginKind{AzureKeyVault, AWSPlugin, RancherPlugin} {
		u, err := kind.user(&Secret{Value: kind.secretValue("contoso.com", "ccguser", `p"a:s\s`)})
		if err != nil || u.domain != "contoso.com" || u.user != "ccguser" || u.password != `p"a:s\s` {
			t.Errorf("%s: got %+v, %v", kind, u, err)
		}
		for _, bad := range []string{"", "ccguser:Passw0rd!", "{}"} {
			if _, err := kind.user(&Secret{Value: bad}); !errors.Is(err, errSecretForm) {
				t.Errorf("%s: the secret %q: got %v", kind, bad, err)
			}
		}
	}
}

// A password that a plug-in brought is kept over a snapshot, and what was installed after it is gone.
func TestPluginSnapshot(t *testing.T) {
	const clsid = "{859E1386-BDB4-49E8-85C7-3070B13920E1}"
	d := StartT(t, Config{
		KDSRootKeys:     []KDSRootKey{{Effective: Ago(10 * 3600e9)}},
		Users:           []User{{Name: "ccguser"}},
		ServiceAccounts: []ServiceAccount{{Name: "WebApp01", AllowedToRetrieve: []string{"ccguser"}}},
		Hosts:           []HostConfig{{Name: "Node01", Workgroup: true, CredentialSpecs: []string{"WebApp01"}}},
		Secrets:         []Secret{{Name: "arn:aws:s", Value: AWSPlugin.secretValue("contoso.com", "ccguser", defaultPassword), Grants: []string{"Node01"}}},
	})
	h := d.Host("Node01")
	if err := h.AddHostAccountConfig("contoso_webapp01.json", "ActiveDirectoryConfig", "1", clsid, `{"credentialArn":"arn:aws:s"}`); err != nil {
		t.Fatal(err)
	}
	c, err := h.Run(Container{CredentialSpec: "file://contoso_webapp01.json"})
	if err != nil {
		t.Fatal(err)
	}
	verify := func(want bool) {
		t.Helper()
		if n, err := c.NltestSCVerify("contoso.com"); (err == nil) != want {
			t.Errorf("got %v, %v", n.Status(), err)
		}
	}
	verify(false)
	before := d.Snapshot()
	h.InstallPlugin(Plugin{Kind: AWSPlugin})
	verify(true)
	if err := d.Restore(before); err != nil {
		t.Fatal(err)
	}
	verify(false)
}
