package scenarios

import "github.com/gmsasim/gmsasim/simulator"

// membershipVerbs change groups.
var membershipVerbs = []verb{
	{"setGroup", true, "Set-ADGroup -GroupScope, -GroupCategory", func() action { return &setGroup{} }},
	{"setEncryptionTypes", true, "Set-ADUser or Set-ADComputer -KerberosEncryptionType", func() action { return &setEncryptionTypes{} }},
}

type setGroup struct {
	Group string `yaml:"group"`
	// Domain is the DNS or NetBIOS name of the group's domain. Default: the root domain.
	Domain   string                  `yaml:"domain,omitempty"`
	Scope    simulator.GroupScope    `yaml:"scope,omitempty"`
	Category simulator.GroupCategory `yaml:"category,omitempty"`
}

func (a *setGroup) check(s *scope, n *node) {
	s.account(argument(n, "group"), a.Group, true)
	if a.Scope == "" && a.Category == "" {
		s.d.fail(n.errorAt("nothing is to be set: scope or category"))
	}
	s.d.validate(n, "groups[0]", simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, DCs: s.cfg.DCs, Domains: s.cfg.Domains,
		Groups: []simulator.Group{{Name: "g", Domain: a.Domain, Scope: a.Scope, Category: a.Category}}})
}

func (a *setGroup) do(r *attempt) error {
	return r.admin().SetGroup(a.Group, a.Domain, a.Scope, a.Category)
}

type setEncryptionTypes struct {
	Account string   `yaml:"account"`
	Types   []string `yaml:"encryptionTypes"`
}

func (a *setEncryptionTypes) check(s *scope, n *node) {
	s.account(argument(n, "account"), a.Account, true)
	s.d.validate(n, "users[0]", simulator.Config{Users: []simulator.User{{Name: "u", EncryptionTypes: a.Types}}})
}

func (a *setEncryptionTypes) do(r *attempt) error {
	return r.admin().SetEncryptionTypes(a.Account, a.Types)
}
