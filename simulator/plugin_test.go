package simulator

import "testing"

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
