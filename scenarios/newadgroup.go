package scenarios

import "github.com/gmsasim/gmsasim/simulator"

// cmdletVerbs are cmdlets as they are typed, for mistakes that only a command line can hold.
var cmdletVerbs = []verb{
	{"newADGroup", false, "New-ADGroup as it is typed", func() action { return &newADGroup{} }},
}

type newADGroup struct {
	Command string `yaml:"command,scalar"`
}

func (a *newADGroup) check(s *scope, n *node) {
	name := simulator.GroupOfCommand(a.Command)
	if name == "" {
		s.d.fail(n.errorAt("want New-ADGroup with -Name or -SamAccountName"))
		return
	}
	s.enter(name)
}

func (a *newADGroup) do(r *attempt) error { return r.admin().NewADGroup(a.Command) }
