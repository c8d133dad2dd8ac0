package simulator

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// imported is a domain as an export of a directory gives it: with identifiers and edits.
func imported() Config {
	c := Contoso()
	c.SID, c.GUID = "S-1-5-21-1111-2222-3333", "11111111-2222-3333-4444-555555555555"
	c.DCs = []string{"DC01", "DC02"}
	c.ServiceAccounts[0].RID, c.Groups[0].RID, c.Users[0].RID = 1103, 1104, 1105
	for i := range c.Hosts {
		c.Hosts[i].RID = 1600 + i
	}
	return c
}

func TestIdentifiersOfTheConfiguration(t *testing.T) {
	d := StartT(t, imported())
	if got := d.State().SID; got != "S-1-5-21-1111-2222-3333" {
		t.Errorf("SID of the domain: got %s", got)
	}
	for name, want := range map[string]string{"WebApp01": "-1103", "WebApp01Hosts": "-1104", "alice": "-1105", "ContainerHost02": "-1601", "DC01": "-1000", "DC02": "-1603"} {
		sid, _, err := d.Identifiers(name)
		if err != nil || sid != "S-1-5-21-1111-2222-3333"+want {
			t.Errorf("SID of %s: got %s, %v; want …%s", name, sid, err, want)
		}
	}
	if err := d.NewUser(User{Name: "bob"}); err != nil {
		t.Fatal(err)
	}
	if sid, _, err := d.Identifiers("bob"); err != nil || sid != "S-1-5-21-1111-2222-3333-1604" {
		t.Errorf("SID of a new user: got %s, %v; want one above those that are taken", sid, err)
	}
	if spec, _ := d.Host("ContainerHost01").ReadCredentialSpec("contoso_webapp01.json"); !strings.Contains(string(spec), "11111111-2222-3333-4444-555555555555") {
		t.Errorf("credential spec without the domain's GUID:\n%s", spec)
	}
	c := imported()
	c.SID, c.GUID, c.Users[0].RID, c.Hosts[0].RID, c.ServiceAccounts[0].RID = "S-1-5-32-544", "x", 500, 1601, 1<<30
	want := []string{`sid: "S-1-5-32-544"`, `guid: "x"`, "users[0].rid: 500", "hosts[1].rid: 1601 is taken by hosts[0].rid", "serviceAccounts[0].rid: 1073741824"}
	for _, w := range want {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %s", err, w)
		}
	}
}

func TestEditsOfTheConfiguration(t *testing.T) {
	key := "b2a5fd2f-d453-4ec2-8cb6-1032ff109a16"
	start := func(edits ...Edit) *Domain {
		c := Contoso()
		c.KDSRootKeys[0].ID = key
		c.Edits = edits
		return StartT(t, c)
	}
	t.Run("userAccountControl", func(t *testing.T) {
		d := start(Edit{Object: "WebApp01", Attribute: "userAccountControl", Values: []string{"4098"}})
		if s, err := d.ServiceAccount("WebApp01"); err != nil || *s.Enabled {
			t.Errorf("got %+v, %v; want a disabled account", s, err)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		d := start(Edit{Object: "CN=alice,CN=Users,DC=contoso,DC=com", Attribute: "description", Values: []string{"base64:" + base64.StdEncoding.EncodeToString([]byte("Ä"))}})
		dc := d.DCs()[0]
		if e, err := d.lookup(dc, "alice", "description"); err != nil || e.Value("description") != "Ä" {
			t.Errorf("got %v, %v", e, err)
		}
	})
	t.Run("root key in the future", func(t *testing.T) {
		d := start(Edit{Object: key, Attribute: "msKds-UseStartTime", Values: []string{"134401032419772577"}})
		if err := d.NewServiceAccount(ServiceAccount{Name: "Other"}); err == nil {
			t.Error("a service account without a usable key")
		}
		if err := d.Host("ContainerHost01").TestServiceAccount("WebApp01"); err != nil {
			t.Errorf("Test-ADServiceAccount of an account from before: %v", err)
		}
	})
	t.Run("no root key", func(t *testing.T) {
		d := start(Edit{Object: key})
		if err := d.NewServiceAccount(ServiceAccount{Name: "Other"}); err == nil {
			t.Error("a service account without a key")
		}
		d.Clock.Advance(40 * 24 * time.Hour)
		if err := d.Host("ContainerHost01").TestServiceAccount("WebApp01"); err == nil {
			t.Error("Test-ADServiceAccount 40 days after the key is gone: no error")
		}
	})
	c := Contoso()
	c.Edits = []Edit{{Object: "WebApp02", Attribute: "description"}, {Object: "alice", Attribute: "description", Values: []string{"base64:?"}}, {Object: "alice", Values: []string{"x"}}}
	for _, w := range []string{`edits[0].object: no account or group "WebApp02"; nearest: "WebApp01"`, "edits[1].values", "edits[2].attribute"} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %s", err, w)
		}
	}
}
