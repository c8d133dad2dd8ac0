package kubernetes

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec/plugin"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// HostAccountConfig is the section of a credential spec by which a node outside the domain gets a user from a plug-in. PortableCcgVersion is 1.
type HostAccountConfig struct {
	PluginGUID  string `json:"pluginGUID" yaml:"pluginGUID"`
	PluginInput string `json:"pluginInput" yaml:"pluginInput"`
}

// into writes the section into a credential spec.
func (a *HostAccountConfig) into(contents json.RawMessage) (json.RawMessage, error) {
	var doc map[string]any
	if err := json.Unmarshal(contents, &doc); err != nil {
		return nil, err
	}
	ad, _ := doc["ActiveDirectoryConfig"].(map[string]any)
	if ad == nil {
		return nil, fmt.Errorf("the credential spec has no ActiveDirectoryConfig")
	}
	ad["HostAccountConfig"] = map[string]any{"PortableCcgVersion": "1", "PluginGUID": a.PluginGUID, "PluginInput": a.PluginInput}
	return json.Marshal(doc)
}

// EnableWindowsGMSA is az aks update --enable-windows-gmsa with the domain's DNS server and name: the nodes are made anew with the plug-in for
// Azure Key Vault, and the cluster's DNS server forwards the zone (page "Enable Group Managed Service Accounts for Windows Server nodes").
func (c *Cluster) EnableWindowsGMSA() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		if n.host != nil {
			n.host.InstallPlugin(simulator.Plugin{Kind: simulator.AzureKeyVault})
			n.host.Restart()
		}
	}
	if !c.stub() {
		c.dns.StubDomains = append(c.dns.StubDomains[:len(c.dns.StubDomains):len(c.dns.StubDomains)], c.d.DNSName())
	}
	c.syncLocked()
}

// notEnabled is about a node without the plug-in that AKS brings along.
func (c *Cluster) notEnabled(f *diag.Finding, p *pod) *diag.Finding {
	if f.Mode != "plugin-not-installed" || !c.usesKeyVault(p) {
		return nil
	}
	return f.About("aks-gmsa-not-enabled-on-nodes", "AKS puts the plug-in onto Windows nodes of clusters with gMSA turned on; turned on later, it comes when the nodes are made anew",
		[]diag.Fact{{Name: "node", Value: p.node.Name}},
		diag.Help{Text: "turn gMSA on for the cluster, with DNS server and name of the domain", Command: "az aks update --resource-group <resource group> --name <cluster> --enable-windows-gmsa --gmsa-dns-server <address of a DC> --gmsa-root-domain-name " + c.d.DNSName(),
			Do: []string{"enableWindowsGMSA: {}"}})
}

// noRoute is about a node whose network has no way to a domain controller.
func (c *Cluster) noRoute(f *diag.Finding, p *pod) *diag.Finding {
	if f.Mode != "plugin-dc-unreachable" || !c.usesKeyVault(p) {
		return nil
	}
	g := f.About("aks-dc-unreachable-event8", "the virtual network of the nodes has no way to a domain controller: no peering, no VPN, or a security group between them",
		[]diag.Fact{{Name: "node", Value: p.node.Name}})
	return g
}

// usesKeyVault tells that a pod's credential spec names the plug-in for Azure Key Vault.
func (c *Cluster) usesKeyVault(p *pod) bool {
	options, _, _ := p.spec.settings()
	return strings.Contains(strings.ToUpper(options.GMSACredentialSpec), plugin.AzureKeyVault.CLSID())
}
