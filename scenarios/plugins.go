package scenarios

import (
	"cmp"

	"github.com/gmsasim/gmsasim/simulator"
)

// pluginVerbs are about hosts outside the domain and the plug-ins by which their containers get a password.
var pluginVerbs = []verb{
	{"installPlugin", false, "install a plug-in for Container Credential Guard on a host", func() action { return &installPlugin{} }},
	{"removePlugin", false, "take a plug-in from a host", func() action { return &removePlugin{} }},
	{"addHostAccountConfig", false, "write the section HostAccountConfig into a credential spec by hand", func() action { return &addHostAccountConfig{} }},
	{"removeHostAccountConfig", false, "take the section out of a credential spec", func() action { return &removeHostAccountConfig{} }},
	{"reviewCredentialSpec", false, "look for secrets in a credential spec of a host", func() action { return &reviewCredentialSpec{} }},
	{"ccgLog", false, "Get-WinEvent -LogName Microsoft-Windows-Containers-CCG/Admin", func() action { return &ccgLog{} }},
	{"setSecret", false, "az keyvault secret set, aws secretsmanager put-secret-value", func() action { return &setSecret{} }},
	{"grantSecret", false, "let an identity read a secret", func() action { return &grantSecret{} }},
	{"revokeSecret", false, "take that back", func() action { return &revokeSecret{} }},
	{"assignIdentity", false, "az vmss identity assign", func() action { return &assignIdentity{} }},
	{"setDNS", false, "Set-DnsClientServerAddress on a host", func() action { return &setDNS{} }},
	{"signInAtDesktop", false, "somebody signs in at a host's desktop, or out", func() action { return &signInAtDesktop{} }},
}

type installPlugin struct {
	Host             string `yaml:"host"`
	simulator.Plugin `yaml:",inline"`
}

func (a *installPlugin) decodeNode(d *decoder, n *node) {
	if n.kind != mappingNode {
		d.fail(n.errorAt("want a mapping with host and the plug-in, got %s", n.kind))
		return
	}
	rest := d.takeKey(n, "host", "the name of a host", &a.Host)
	d.decode(rest, &a.Plugin)
}

func (a *installPlugin) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	s.d.validate(n, "hosts[0].plugins[0]", simulator.Config{Hosts: []simulator.HostConfig{{Name: "h", Plugins: []simulator.Plugin{a.Plugin}}}})
}

func (a *installPlugin) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.InstallPlugin(a.Plugin)
	}
	return err
}

type removePlugin struct {
	Host string               `yaml:"host"`
	Kind simulator.PluginKind `yaml:"kind"`
}

func (a *removePlugin) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *removePlugin) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.RemovePlugin(a.Kind)
	}
	return err
}

type addHostAccountConfig struct {
	Host string `yaml:"host"`
	File string `yaml:"file"`
	// Under is the object that the section goes into; top is the top level. Default: ActiveDirectoryConfig.
	Under string `yaml:"under,omitempty"`
	// PortableCcgVersion is "1" by default.
	PortableCcgVersion string `yaml:"portableCcgVersion,omitempty"`
	PluginGUID         string `yaml:"pluginGUID"`
	PluginInput        string `yaml:"pluginInput"`
}

func (a *addHostAccountConfig) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *addHostAccountConfig) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	under := cmp.Or(a.Under, "ActiveDirectoryConfig")
	if under == "top" {
		under = ""
	}
	return h.AddHostAccountConfig(a.File, under, cmp.Or(a.PortableCcgVersion, "1"), a.PluginGUID, a.PluginInput)
}

type removeHostAccountConfig struct {
	Host string `yaml:"host"`
	File string `yaml:"file"`
}

func (a *removeHostAccountConfig) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *removeHostAccountConfig) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		err = h.RemoveHostAccountConfig(a.File)
	}
	return err
}

type reviewCredentialSpec removeHostAccountConfig

func (a *reviewCredentialSpec) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *reviewCredentialSpec) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		err = h.ReviewCredentialSpec(a.File)
	}
	return err
}

type ccgLog struct {
	Host string `yaml:"host,scalar"`
}

func (a *ccgLog) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *ccgLog) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		r.output(h.CCGLog())
	}
	return err
}

type setSecret struct {
	Secret string `yaml:"secret"`
	Value  string `yaml:"value"`
}

func (*setSecret) check(*scope, *node) {}

func (a *setSecret) do(r *attempt) error {
	r.d.SetSecret(a.Secret, a.Value)
	return nil
}

type grantSecret struct {
	Secret string `yaml:"secret"`
	To     string `yaml:"to"`
}

func (*grantSecret) check(*scope, *node) {}

func (a *grantSecret) do(r *attempt) error { return r.d.GrantSecret(a.Secret, a.To) }

type revokeSecret struct {
	Secret string `yaml:"secret"`
	From   string `yaml:"from"`
}

func (*revokeSecret) check(*scope, *node) {}

func (a *revokeSecret) do(r *attempt) error { return r.d.RevokeSecret(a.Secret, a.From) }

type assignIdentity struct {
	Host     string `yaml:"host"`
	Identity string `yaml:"identity"`
}

func (a *assignIdentity) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *assignIdentity) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.AssignIdentity(a.Identity)
	}
	return err
}

type setDNS struct {
	Host    string   `yaml:"host"`
	Servers []string `yaml:"servers"`
}

func (a *setDNS) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *setDNS) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.SetDNS(a.Servers...)
	}
	return err
}

type signInAtDesktop struct {
	Host string `yaml:"host,scalar"`
	Out  bool   `yaml:"out,omitempty"`
}

func (a *signInAtDesktop) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *signInAtDesktop) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.SetSignedIn(!a.Out)
	}
	return err
}
