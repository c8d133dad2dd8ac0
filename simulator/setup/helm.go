package setup

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// isHelmValues recognises values of the chart of windows-gmsa, whose credential section becomes a GMSACredentialSpec.
func isHelmValues(root *source.Node) bool { return HelmCredential(root) != nil }

// HelmCredential is the credential section of values of the chart gmsa (windows-gmsa charts/gmsa/values.yaml), also when they are those of a
// chart that has it as a dependency; nil: there is none.
func HelmCredential(root *source.Node) *source.Node {
	is := func(n *source.Node) bool {
		return n.Get("domainJoinConfig").Map() != nil || n.Get("hostAccountConfig").Map() != nil
	}
	if n := root.Get("credential"); is(n) {
		return n
	}
	for _, m := range root.Map() {
		if n := m.Value.Get("credential"); is(n) {
			return n
		}
	}
	return nil
}

// helmKeys are the chart's values and what its template makes of them.
var helmKeys = map[string]string{
	"dnsName": "DnsName", "dnsTreeName": "DnsTreeName", "guid": "Guid", "machineAccountName": "MachineAccountName", "netBiosName": "NetBiosName", "sid": "Sid",
	"portableCcgVersion": "PortableCcgVersion", "pluginGUID": "PluginGUID", "pluginInput": "PluginInput",
}

// helmSpec is the credential spec that the chart's template makes of the values (charts/gmsa/templates/credentialspec.yaml), each value at the
// place where the user wrote it; nil when the chart makes none.
func helmSpec(root *source.Node) *credspec.Document {
	values := HelmCredential(root)
	join, host := values.Get("domainJoinConfig"), values.Get("hostAccountConfig")
	if values.Get("enabled").IsEmpty() || values.Get("enabled").Text == "false" || join.IsEmpty() {
		return nil
	}
	at := func(text string) *source.Node {
		return &source.Node{File: join.File, Kind: source.String, Style: source.Folded, Text: text, Start: join.Start, End: join.Start}
	}
	object := func(members ...source.Member) *source.Node {
		return &source.Node{File: join.File, Kind: source.Object, Members: members, Start: join.Start, End: join.End}
	}
	array := func(items ...*source.Node) *source.Node {
		return &source.Node{File: join.File, Kind: source.Array, Items: items, Start: join.Start, End: join.End}
	}
	renamed := func(n *source.Node) *source.Node {
		o := object()
		o.Start, o.End = n.Start, n.End
		for _, m := range n.Map() {
			key, value := *m.Key, m.Value
			if name := helmKeys[key.Text]; name != "" {
				key.Text, key.Style = name, source.Folded
			}
			if key.Text == "PluginGUID" && value.Kind == source.String {
				v := *value
				v.Text, v.Style = "{"+strings.Trim(v.Text, "{}")+"}", source.Folded
				value = &v
			}
			o.Members = append(o.Members, source.Member{Key: &key, Value: value})
		}
		return o
	}
	account := func(scope string) *source.Node {
		o := object()
		for _, m := range []struct{ key, value string }{{"Name", "machineAccountName"}, {"Scope", scope}} {
			if n := join.Get(m.value); n != nil {
				v := *n
				v.Style = source.Folded // the value is another one's too: repaired there
				o.Members = append(o.Members, source.Member{Key: at(m.key), Value: &v})
			}
		}
		return o
	}
	ad := object(source.Member{Key: at(credspec.KeyAccounts), Value: array(account("netBiosName"), account("dnsName"))})
	if len(host.Map()) > 0 {
		ad.Members = append(ad.Members, source.Member{Key: at(credspec.KeyHostAccount), Value: renamed(host)})
	}
	return credspec.OfNode(object(
		source.Member{Key: at(credspec.KeyPlugins), Value: array(at("ActiveDirectory"))},
		source.Member{Key: at(credspec.KeyDomainJoin), Value: renamed(join)},
		source.Member{Key: at(credspec.KeyActiveDirectory), Value: ad},
	))
}
