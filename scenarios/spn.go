package scenarios

import (
	"strings"
)

// spnVerbs are what an administrator does with service principal names.
var spnVerbs = []verb{
	{"setspn", true, "setspn with -L, -Q, -X, -S, -A or -D, as it is typed", func() action { return &setspn{} }},
	{"grantSPNRight", true, "dsacls DN /G WHO:WPRP;servicePrincipalName", func() action { return &grantSPNRight{} }},
}

type setspn struct {
	// Options are what follows the command: -L CONTOSO\WebApp01$.
	Options string `yaml:"options,scalar"`
}

func (a *setspn) check(s *scope, n *node) {
	if strings.TrimSpace(a.Options) == "" {
		s.d.fail(n.errorAt("setspn wants an option, for instance -Q http/webapp01.contoso.com"))
	}
}

func (a *setspn) do(r *attempt) error {
	out, err := r.admin().Setspn(strings.Fields(a.Options)...)
	r.fact("exit code", out.Exit)
	r.output(out.Text)
	return err
}

type grantSPNRight struct {
	Account string `yaml:"account"`
	To      string `yaml:"to"`
}

func (a *grantSPNRight) check(s *scope, n *node) {
	s.account(argument(n, "account"), a.Account, true)
	s.account(argument(n, "to"), a.To, true)
}

func (a *grantSPNRight) do(r *attempt) error { return r.admin().GrantSPNRight(a.Account, a.To) }
