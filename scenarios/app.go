package scenarios

import (
	"slices"

	"github.com/gmsasim/gmsasim/simulator"
)

// appVerbs are about the application in a container and the servers that it goes to.
var appVerbs = []verb{
	{"configure", false, "docker exec of sc.exe config, appcmd set AppPool or Get-IISAppPool", func() action { return &configure{} }},
	{"setPolicy", false, "put a security policy of the domain in force, or take it back", func() action { return &setPolicy{} }},
}

type configure struct {
	Container string `yaml:"container"`
	Command   string `yaml:"command"`
}

func (a *configure) check(s *scope, n *node) { inContainer{a.Container, ""}.check(s, n) }

func (a *configure) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	text, err := c.Configure(a.Command)
	r.fact("user", c.App().User())
	r.output(text)
	return err
}

type setPolicy struct {
	Policy  simulator.Policy `yaml:"policy"`
	Enabled bool             `yaml:"enabled"`
}

func (a *setPolicy) check(s *scope, n *node) {
	if !slices.Contains(simulator.Policies(), a.Policy) {
		var names []string
		for _, p := range simulator.Policies() {
			names = append(names, string(p))
		}
		s.d.fail(argument(n, "policy").errorNear(string(a.Policy), names, "no policy %q", a.Policy))
	}
}

func (a *setPolicy) do(r *attempt) error { return r.d.SetPolicy(a.Policy, a.Enabled) }
