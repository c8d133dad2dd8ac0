package check

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

var accountRules = []*Rule{
	{
		ID: "account-dollar-suffix", Group: "accounts", Severity: Error, Needs: []How{Offline},
		Title:  "the account's name ends in $",
		Why:    "The name is the SAM name without its $: guide, \"Check the Credential Spec file\". Windows asks for an account of exactly this name and finds none; credentials-fetcher refuses the character.",
		Repair: "leave the $ out",
		Bad:    `{"Name": "WebApp01$", "Scope": "contoso.com"}`, Good: `{"Name": "WebApp01", "Scope": "contoso.com"}`,
		run: func(c *run) {
			for _, n := range c.accountNames() {
				if strings.HasSuffix(n.Text, "$") {
					c.report(n, "the name %q ends in $, which is not part of it here", n.Text).replace(n, strings.TrimSuffix(n.Text, "$"))
				}
			}
		},
	},
}

// accountNames are the values that name an account: MachineAccountName and each entry's Name.
func (c *run) accountNames() []*source.Node {
	var list []*source.Node
	add := func(n *source.Node) {
		if n != nil && n.Kind == source.String {
			list = append(list, n)
		}
	}
	for _, d := range c.specs() {
		add(d.Get(credspec.KeyDomainJoin, "MachineAccountName"))
		for _, a := range d.Accounts() {
			add(a.Get("Name"))
		}
	}
	return list
}
