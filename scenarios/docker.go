package scenarios

import (
	"github.com/gmsasim/gmsasim/simulator"
)

// dockerVerbs are what is done with a container that was started, beside the commands in it.
var dockerVerbs = []verb{
	{"dockerInspect", false, "docker inspect", func() action { return &dockerInspect{} }},
	{"restartContainer", false, "docker restart", func() action { return &restartContainer{} }},
	{"runProgram", false, "start a program of 32 or 64 bits in a container", func() action { return &runProgram{} }},
	{"queryService", false, "sc.exe query of a container's own service", func() action { return &queryService{} }},
	{"startService", false, "Start-Service of a container's own service", func() action { return &startService{} }},
}

type dockerInspect struct {
	Container string `yaml:"container,scalar"`
}

func (a *dockerInspect) check(s *scope, n *node) { inContainer{a.Container, ""}.check(s, n) }

func (a *dockerInspect) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err == nil {
		r.fact("SecurityOpt", c.SecurityOpt())
		r.output(c.Inspect())
	}
	return err
}

type restartContainer struct {
	Container string `yaml:"container,scalar"`
}

func (a *restartContainer) check(s *scope, n *node) { inContainer{a.Container, ""}.check(s, n) }

func (a *restartContainer) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	return c.Restart()
}

type runProgram struct {
	Container string `yaml:"container"`
	Bits      int    `yaml:"bits"`
}

func (a *runProgram) check(s *scope, n *node) {
	inContainer{a.Container, ""}.check(s, n)
	if a.Bits != 32 && a.Bits != 64 {
		s.d.fail(argument(n, "bits").errorAt("bits are 32 or 64"))
	}
}

func (a *runProgram) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	return c.RunProgram(a.Bits)
}

type queryService struct {
	Container string `yaml:"container,scalar"`
}

func (a *queryService) check(s *scope, n *node) { inContainer{a.Container, ""}.check(s, n) }

func (a *queryService) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	text, err := c.QueryService()
	r.output(text)
	return err
}

type startService struct {
	Container string `yaml:"container,scalar"`
}

func (a *startService) check(s *scope, n *node) { inContainer{a.Container, ""}.check(s, n) }

func (a *startService) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	return c.StartService()
}
