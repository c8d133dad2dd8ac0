package scenarios

import (
	"fmt"
	"slices"

	"github.com/gmsasim/gmsasim/simulator/servicefabric"
	"github.com/gmsasim/gmsasim/simulator/swarm"
)

func (r *attempt) swarm() (*swarm.Swarm, error) {
	if r.s.orchestrators.swarm == nil {
		return nil, fmt.Errorf("there is no swarm; the verb swarm starts one")
	}
	return r.s.orchestrators.swarm, nil
}

type startSwarm struct {
	Nodes []swarm.Node `yaml:"nodes,omitempty"`
}

func (*startSwarm) check(*scope, *node) {}

func (a *startSwarm) do(r *attempt) error {
	r.s.orchestrators.swarm = swarm.New(r.d, a.Nodes)
	return nil
}

type createConfig struct {
	Name string `yaml:"name"`
	// Account lets a node make the credential spec; Text is the file itself.
	Account string `yaml:"account,omitempty"`
	Text    string `yaml:"text,omitempty"`
}

func (a *createConfig) check(s *scope, n *node) {
	if a.Account != "" {
		s.account(argument(n, "account"), a.Account, true)
		if a.Text != "" {
			s.d.fail(n.errorAt("either account or text"))
		}
	}
}

func (a *createConfig) do(r *attempt) error {
	s, err := r.swarm()
	if err != nil {
		return err
	}
	if a.Account == "" {
		return s.CreateConfigOf(a.Name, []byte(a.Text))
	}
	return s.CreateConfig(a.Name, a.Account)
}

type createService swarm.Service

func (a *createService) check(s *scope, n *node) {
	if a.Replicas < 0 || a.Replicas > 100 {
		s.d.fail(argument(n, "replicas").errorAt("0 to 100 replicas"))
	}
}

func (a *createService) do(r *attempt) error {
	s, err := r.swarm()
	if err != nil {
		return err
	}
	return s.CreateService(swarm.Service(*a))
}

// updateService is a service with the options that change.
type updateService struct {
	changed *node
	swarm.Service
}

func (a *updateService) decodeNode(d *decoder, n *node) {
	a.changed = n
	d.decode(n, &a.Service)
}

func (*updateService) check(*scope, *node) {}

func (a *updateService) do(r *attempt) error {
	s, err := r.swarm()
	if err != nil {
		return err
	}
	return s.UpdateService(a.Name, func(o *swarm.Service) {
		n := &node{place: a.changed.place, kind: mappingNode, fields: slices.Clone(a.changed.fields)}
		if n.get("credentialSpec") != nil {
			o.Privileges = nil
		}
		(&decoder{}).decode(n, o) // it has been read once without a fault
	})
}

type servicePs struct {
	Service string `yaml:"service,scalar"`
}

func (*servicePs) check(*scope, *node) {}

func (a *servicePs) do(r *attempt) error {
	s, err := r.swarm()
	if err != nil {
		return err
	}
	text, running, err := s.Ps(a.Service)
	r.fact("running", running)
	r.output(text)
	return err
}

type taskExec struct {
	Service string `yaml:"service"`
	Slot    int    `yaml:"slot"`
	Command string `yaml:"command"`
}

func (*taskExec) check(*scope, *node) {}

func (a *taskExec) do(r *attempt) error {
	s, err := r.swarm()
	if err != nil {
		return err
	}
	text, err := s.Exec(a.Service, a.Slot, a.Command)
	r.output(text)
	return err
}

func (r *attempt) fabric() (*servicefabric.Cluster, error) {
	if r.s.orchestrators.fabric == nil {
		return nil, fmt.Errorf("there is no cluster; serviceFabricCluster starts one")
	}
	return r.s.orchestrators.fabric, nil
}

type serviceFabricCluster struct {
	Nodes []string `yaml:"nodes,omitempty"`
}

func (a *serviceFabricCluster) check(s *scope, n *node) {
	for _, name := range a.Nodes {
		s.host(argument(n, "nodes"), name)
	}
}

func (a *serviceFabricCluster) do(r *attempt) error {
	c, err := servicefabric.New(r.d, a.Nodes)
	if err == nil {
		r.s.orchestrators.fabric = c
	}
	return err
}

type deployApplication servicefabric.Application

func (*deployApplication) check(*scope, *node) {}

func (a *deployApplication) do(r *attempt) error {
	c, err := r.fabric()
	if err != nil {
		return err
	}
	return c.Deploy(servicefabric.Application(*a))
}

type applicationHealth struct {
	Application string `yaml:"application,scalar"`
}

func (*applicationHealth) check(*scope, *node) {}

func (a *applicationHealth) do(r *attempt) error {
	c, err := r.fabric()
	if err != nil {
		return err
	}
	text, running, err := c.Health(a.Application)
	r.fact("running", running)
	r.output(text)
	return err
}

type instanceExec struct {
	Application string `yaml:"application"`
	Node        string `yaml:"node"`
	Command     string `yaml:"command"`
}

func (a *instanceExec) check(s *scope, n *node) { s.host(argument(n, "node"), a.Node) }

func (a *instanceExec) do(r *attempt) error {
	c, err := r.fabric()
	if err != nil {
		return err
	}
	text, err := c.Exec(a.Application, a.Node, a.Command)
	r.output(text)
	return err
}
