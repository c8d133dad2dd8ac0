package kubernetes

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec/plugin"
)

func start(t *testing.T, cfg Config) *Cluster {
	t.Helper()
	d, err := simulator.Start(context.Background(), simulator.Contoso())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := New(d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRights(t *testing.T) {
	role := func(change func(*ClusterRole)) ClusterRole {
		r := ClusterRole{Name: "r", Verbs: []string{"use"}, Resources: []string{apiResource}, ResourceNames: []string{"webapp01"}}
		change(&r)
		return r
	}
	none := func(*ClusterRole) {}
	bound := RoleBinding{Name: "b", Namespace: "shop", Role: "r", ServiceAccounts: []string{"web"}}
	tests := []struct {
		name    string
		role    ClusterRole
		binding RoleBinding
		want    bool
	}{
		{"role and binding", role(none), bound, true},
		{"every verb", role(func(r *ClusterRole) { r.Verbs = []string{"*"} }), bound, true},
		{"every object", role(func(r *ClusterRole) { r.ResourceNames = nil }), bound, true},
		{"Role of the namespace", role(func(r *ClusterRole) { r.Namespace = "shop" }), bound, true},
		{"Role of another namespace", role(func(r *ClusterRole) { r.Namespace = "other" }), bound, false},
		{"another verb", role(func(r *ClusterRole) { r.Verbs = []string{"get"} }), bound, false},
		{"another resource", role(func(r *ClusterRole) { r.Resources = []string{"gmsacredentialspec"} }), bound, false},
		{"another group", role(func(r *ClusterRole) { r.APIGroup = "auth.k8s.io" }), bound, false},
		{"another object", role(func(r *ClusterRole) { r.ResourceNames = []string{"webapp02"} }), bound, false},
		{"binding in another namespace", role(none), RoleBinding{Name: "b", Namespace: "other", Role: "r", ServiceAccounts: []string{"web"}}, false},
		{"the account of another namespace", role(none), RoleBinding{Name: "b", Role: "r", ServiceAccounts: []string{"other/web"}}, false},
		{"binding in the cluster", role(none), RoleBinding{Name: "b", Role: "r", ServiceAccounts: []string{"shop/web"}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &Cluster{roles: []ClusterRole{tt.role}, bindings: []RoleBinding{tt.binding}}
			if got := c.mayUse("shop", "web", "webapp01"); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestGate(t *testing.T) {
	for _, tt := range []struct {
		version string
		gates   []string
		want    bool
	}{
		{"1.14", nil, false}, {"1.15", []string{"WindowsGMSA=true"}, true}, {"1.16", nil, true}, {"v1.17.3", []string{"WindowsGMSA=false"}, false},
		{"1.18", []string{"WindowsGMSA=false"}, true}, {"", nil, true},
	} {
		c := &Cluster{}
		if err := c.setVersion(tt.version, tt.gates); err != nil {
			t.Fatal(err)
		}
		if got := c.gmsa(); got != tt.want {
			t.Errorf("%s %v: got %v, want %v", tt.version, tt.gates, got, tt.want)
		}
	}
	for _, bad := range []string{"1.13", "2.0", "latest"} {
		if err := (&Cluster{}).setVersion(bad, nil); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
}

// TestSchema: every leaf of a credspec is a text, so what YAML reads as another type is refused.
func TestSchema(t *testing.T) {
	c := start(t, Config{CRD: true})
	for body, want := range map[string]string{
		`{"DomainJoinConfig":{"NetBiosName":false}}`:                                          `credspec.DomainJoinConfig.NetBiosName in body must be of type string: "boolean"`,
		`{"ActiveDirectoryConfig":{"HostAccountConfig":{"PortableCcgVersion":1}}}`:            `PortableCcgVersion in body must be of type string: "integer"`,
		`{"ActiveDirectoryConfig":{"HostAccountConfig":{"PluginInput":{"a":"b"}}}}`:           `PluginInput in body must be of type string: "object"`,
		`{"ActiveDirectoryConfig":{"GroupManagedServiceAccounts":[{"Name":"x"},{"Name":1}]}}`: `credspec.ActiveDirectoryConfig.GroupManagedServiceAccounts[1].Name`,
	} {
		if err := c.ApplyCredentialSpec(CredentialSpec{Name: "a", Credspec: json.RawMessage(body)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", body, err, want)
		}
	}
	if err := c.ApplyCredentialSpec(CredentialSpec{Name: "a", Credspec: json.RawMessage(`{}`)}); err != nil {
		t.Error(err)
	}
	// A field that the schema does not have is gone without a word.
	err := c.ApplyCredentialSpec(CredentialSpec{Name: "a", Credspec: json.RawMessage(`{"DomainJoinConfig":{"dnsName":"contoso.com","Sid":"S-1-5-21-1-2-3"}}`)})
	if got := string(c.specs["a"]); err != nil || got != `{"DomainJoinConfig":{"Sid":"S-1-5-21-1-2-3"}}` {
		t.Errorf("stored %s, %v", got, err)
	}
}

// TestPlacement: pods spread over the nodes that fit, in the order of the configuration, and come back after a restart of their node.
func TestPlacement(t *testing.T) {
	c := start(t, Config{})
	if err := c.LabelNode("ContainerHost03", map[string]string{"tier": "db"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Cordon("ContainerHost01", true); err != nil {
		t.Fatal(err)
	}
	for _, p := range []Pod{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "db", NodeSelector: map[string]string{"tier": "db"}}, {Name: "none", NodeSelector: map[string]string{"tier": "web"}}} {
		if err := c.ApplyPod(p); err != nil {
			t.Fatal(err)
		}
	}
	c.d.Host("ContainerHost02").Restart()
	var got []string
	for _, p := range c.Pods() {
		got = append(got, p.Name+" "+p.Node+" "+p.Status)
	}
	want := "a ContainerHost02 Running, b ContainerHost03 Running, c ContainerHost02 Running, db ContainerHost03 Running, none  Pending"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}

// TestRandomHostname: the webhook's names are 15 characters of a UUID of version 4, the same for the same seed and different for each pod.
func TestRandomHostname(t *testing.T) {
	names := func() [2]string {
		c := start(t, Config{Webhook: &Webhook{RandomHostname: true}, CredentialSpecs: []CredentialSpec{{Name: "webapp01", Account: "WebApp01"}},
			Roles: []ClusterRole{{Name: "r"}}, RoleBindings: []RoleBinding{{Name: "b", Role: "r", ServiceAccounts: []string{"default"}}}})
		d := Deployment{Name: "web", Replicas: 2}
		d.Template.SecurityContext.WindowsOptions.GMSACredentialSpecName = "webapp01"
		if err := c.ApplyDeployment(d); err != nil {
			t.Fatal(err)
		}
		return [2]string{c.pods[0].spec.Hostname, c.pods[1].spec.Hostname}
	}
	first := names()
	if again := names(); first != again || first[0] == first[1] || len(first[0]) != 15 || first[0][14] != '4' {
		t.Errorf("got %v and %v", first, again)
	}
}

func TestAnswerSize(t *testing.T) {
	c := start(t, Config{DNS: DNS{TCPBlocked: true}})
	if got := c.answerSize(); got != 12+38+52 || c.truncated() {
		t.Errorf("one DC: got %d bytes, truncated %v", got, c.truncated())
	}
}

// TestHostAccountConfig: the section for nodes outside the domain goes below ActiveDirectoryConfig, as texts that the CRD takes.
func TestHostAccountConfig(t *testing.T) {
	c := start(t, Config{CRD: true})
	input := &HostAccountConfig{PluginGUID: plugin.AzureKeyVault.CLSID(), PluginInput: "ObjectId=a;SecretUri=b"}
	if err := c.ApplyCredentialSpec(CredentialSpec{Name: "a", Account: "WebApp01", HostAccountConfig: input}); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		ActiveDirectoryConfig struct{ HostAccountConfig map[string]string }
	}
	if err := json.Unmarshal(c.specs["a"], &doc); err != nil {
		t.Fatal(err)
	}
	if got := doc.ActiveDirectoryConfig.HostAccountConfig; got["PortableCcgVersion"] != "1" || got["PluginGUID"] != plugin.AzureKeyVault.CLSID() || got["PluginInput"] != input.PluginInput {
		t.Errorf("got %v", got)
	}
}
