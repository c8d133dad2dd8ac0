// Package credspec reads and writes credential specs: the JSON documents that tell Windows which group managed service account a container
// has, in every variant that their users hold, with the place of each value.
//
// A [Document] is what was read, however wrong; [Document.Spec] is what it says. Which of it is wrong is not this package's business: see
// package check.
package credspec

import (
	"slices"

	"github.com/gmsasim/gmsasim/simulator/credspec/module"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// What a credential spec says is in package module, which has no reader.
type (
	// Spec is what a credential spec says.
	Spec = module.Spec
	// DomainJoin is DomainJoinConfig.
	DomainJoin = module.DomainJoin
	// Account is an entry of GroupManagedServiceAccounts.
	Account = module.Account
	// HostAccount is HostAccountConfig.
	HostAccount = module.HostAccount
	// Field is a key and its text.
	Field = module.Field
)

// Document is a credential spec as it was read.
type Document struct {
	// File is the text that holds it: a file of its own, a string in another document, or the document whose section it is.
	File *source.File
	// Root is the value, nil when nothing could be read.
	Root *source.Node
	// Faults are the places where the text is not JSON, in their order. A document that is a section of a YAML file has none.
	Faults []source.Fault
	// Wrapped is true for a section of another document, as in a GMSACredentialSpec, whose syntax is that document's.
	Wrapped bool
}

// Read reads a credential spec that is a text of its own.
func Read(f *source.File) *Document {
	root, faults := source.ParseJSON(f)
	return &Document{File: f, Root: root, Faults: faults}
}

// OfNode makes a document of a value that another reader has read.
func OfNode(n *source.Node) *Document {
	if n == nil {
		return nil
	}
	return &Document{File: n.File, Root: n, Wrapped: true}
}

// Broken tells whether reading ended before the text did.
func (d *Document) Broken() bool {
	for _, f := range d.Faults {
		if f.Kind == source.Syntax || f.Kind == source.Truncated {
			return true
		}
	}
	return false
}

// Following are the credential specs that stand behind this one in its text, as in a file with one a line; reading ends at what is none.
func (d *Document) Following() []*Document {
	var list []*Document
	for len(list) < maxFollowing {
		i := slices.IndexFunc(d.Faults, func(f source.Fault) bool { return f.Kind == source.TrailingData })
		if i < 0 {
			break
		}
		root, faults := source.ParseJSONAt(d.File, d.Faults[i].Start)
		d = &Document{File: d.File, Root: root, Faults: faults}
		if d.Broken() || root == nil || root.Kind != source.Object {
			break
		}
		list = append(list, d)
	}
	return list
}

// maxFollowing is how many credential specs of one text are read behind the first.
const maxFollowing = 10_000

// Get is the value at a path of keys, nil when there is none or d is nil.
func (d *Document) Get(path ...string) *source.Node {
	if d == nil {
		return nil
	}
	return d.Root.Get(path...)
}

// Paths of the sections.
const (
	KeyPlugins         = module.KeyPlugins
	KeyDomainJoin      = module.KeyDomainJoin
	KeyActiveDirectory = module.KeyActiveDirectory
	KeyAccounts        = module.KeyAccounts
	KeyHostAccount     = module.KeyHostAccount
)

// Accounts are the entries of GroupManagedServiceAccounts.
func (d *Document) Accounts() []*source.Node { return d.Get(KeyActiveDirectory, KeyAccounts).List() }

// HostAccount is the HostAccountConfig, nil when there is none.
func (d *Document) HostAccount() *source.Node { return d.Get(KeyActiveDirectory, KeyHostAccount) }

// Spec is what the document says: keys to the letter, values that are strings. What has another type is as if it were absent.
func (d *Document) Spec() Spec {
	if d == nil {
		return Spec{}
	}
	var s Spec
	for _, n := range d.Get(KeyPlugins).List() {
		s.CmsPlugins = append(s.CmsPlugins, n.String())
	}
	j := d.Get(KeyDomainJoin)
	s.DomainJoin = DomainJoin{
		Sid: j.Get("Sid").String(), MachineAccountName: j.Get("MachineAccountName").String(), Guid: j.Get("Guid").String(),
		DnsTreeName: j.Get("DnsTreeName").String(), DnsName: j.Get("DnsName").String(), NetBiosName: j.Get("NetBiosName").String(),
	}
	for _, n := range d.Accounts() {
		s.Accounts = append(s.Accounts, Account{Name: n.Get("Name").String(), Scope: n.Get("Scope").String()})
	}
	if h := d.HostAccount(); h != nil && h.Kind == source.Object {
		s.Host = &HostAccount{PortableCcgVersion: h.Get("PortableCcgVersion").String(), PluginGUID: h.Get("PluginGUID").String()}
		switch input := h.Get("PluginInput"); {
		case input == nil:
		case input.Kind == source.Object:
			s.Host.PluginObject = []Field{}
			for _, m := range input.Members {
				s.Host.PluginObject = append(s.Host.PluginObject, Field{Key: m.Key.Text, Value: m.Value.String()})
			}
		default:
			s.Host.PluginInput = input.String()
		}
	}
	return s
}
