package check

import (
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// shape is what a value of a credential spec has to be (CredentialSpec module 1.1.0; windows-gmsa, the CRD's schema).
type shape struct {
	kind    source.Kind
	members []shapeMember
	item    *shape
	any     bool // the plug-in says what it is
}

type shapeMember struct {
	key string
	of  *shape
}

var (
	stringShape = &shape{kind: source.String}
	specShape   = &shape{kind: source.Object, members: []shapeMember{
		{credspec.KeyPlugins, &shape{kind: source.Array, item: stringShape}},
		{credspec.KeyDomainJoin, &shape{kind: source.Object, members: []shapeMember{
			{"Sid", stringShape}, {"MachineAccountName", stringShape}, {"Guid", stringShape}, {"DnsTreeName", stringShape}, {"DnsName", stringShape}, {"NetBiosName", stringShape},
		}}},
		{credspec.KeyActiveDirectory, &shape{kind: source.Object, members: []shapeMember{
			{credspec.KeyAccounts, &shape{kind: source.Array, item: &shape{kind: source.Object, members: []shapeMember{{"Name", stringShape}, {"Scope", stringShape}}}}},
			{credspec.KeyHostAccount, &shape{kind: source.Object, members: []shapeMember{
				{"PortableCcgVersion", stringShape}, {"PluginGUID", stringShape}, {"PluginInput", &shape{kind: source.String, any: true}},
			}}},
		}}},
	}}
)

// keyOf is the member of a shape whose key is key, or is it but for the letters' case.
func (s *shape) keyOf(key string) (m *shapeMember, exact bool) {
	for i := range s.members {
		if s.members[i].key == key {
			return &s.members[i], true
		}
	}
	for i := range s.members {
		if strings.EqualFold(s.members[i].key, key) {
			return &s.members[i], false
		}
	}
	return nil, false
}

// place is a value of a credential spec.
type place struct {
	// name is its path: DomainJoinConfig.Sid, GroupManagedServiceAccounts[0].Name without ActiveDirectoryConfig before it.
	name string
	node *source.Node
	of   *shape
	spec *credspec.Document
}

// eachPlace calls f for every value of the set's credential specs that has a known key, objects and arrays before what is in them.
func (c *run) eachPlace(f func(p place)) {
	for _, d := range c.specs() {
		walkShape(place{"", d.Root, specShape, d}, f)
	}
}

func walkShape(p place, f func(p place)) {
	f(p)
	switch {
	case p.of.kind == source.Object:
		for _, m := range p.node.Map() {
			if known, exact := p.of.keyOf(m.Key.Text); exact {
				name := known.key
				if p.name != "" && p.name != credspec.KeyActiveDirectory {
					name = p.name + "." + known.key
				}
				walkShape(place{name, m.Value, known.of, p.spec}, f)
			}
		}
	case p.of.item != nil:
		for i, item := range p.node.List() {
			walkShape(place{p.name + "[" + strconv.Itoa(i) + "]", item, p.of.item, p.spec}, f)
		}
	}
}

// eachString calls f for the strings of the set's credential specs, those of a PluginInput left out.
func (c *run) eachString(f func(p place)) {
	c.eachPlace(func(p place) {
		if p.of == stringShape && p.node.Kind == source.String {
			f(p)
		}
	})
}

// isYAML tells whether a value is read by a reader of YAML.
func isYAML(n *source.Node) bool {
	return n.File.Outer() == nil && setup.Language(n.File) == "yaml"
}

// has tells whether an object has a key, in whatever case.
func has(n *source.Node, key string) bool {
	for _, m := range n.Map() {
		if strings.EqualFold(m.Key.Text, key) {
			return true
		}
	}
	return false
}
