package scenarios

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/ecs"
)

// ecsVerbs are about an ECS cluster.
var ecsVerbs = []verb{
	{"ecsCluster", false, "aws ecs create-cluster; its id names it", func() action { return &ecsCluster{} }},
	{"ecsInstance", false, "start the ECS agent on a host, or start it again", func() action { return &ecsInstance{} }},
	{"putCredentialSpec", false, "write a credential spec to S3 or the parameter store of a cluster", func() action { return &putCredentialSpec{} }},
	{"runTask", false, "aws ecs run-task, for a task with one container", func() action { return &runTask{} }},
}

type ecsCluster struct{}

func (*ecsCluster) check(s *scope, n *node) {
	if s.current.id == "" {
		s.d.fail(n.errorAt("a cluster needs an id, by which other steps name it"))
	}
}

func (*ecsCluster) do(r *attempt) error {
	r.keep(ecs.New(r.d, r.step.id))
	return nil
}

type ecsInstance struct {
	Cluster string `yaml:"cluster"`
	Host    string `yaml:"host"`
	// Unsupported says that ECS_GMSA_SUPPORTED is not set.
	Unsupported bool `yaml:"unsupported,omitempty"`
}

func (a *ecsInstance) check(s *scope, n *node) {
	s.result(argument(n, "cluster"), a.Cluster, "ecsCluster")
	s.host(argument(n, "host"), a.Host)
}

func (a *ecsInstance) do(r *attempt) error {
	c, err := resultOf[*ecs.Cluster](r, a.Cluster, "cluster")
	if err != nil {
		return err
	}
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	f, _ := r.fetcherOn(a.Host) // a host without one announces nothing
	i := c.Register(h, !a.Unsupported, f)
	r.fact("attributes", "{"+strings.Join(i.Attributes(), ", ")+"}")
	return nil
}

type putCredentialSpec struct {
	Cluster string `yaml:"cluster"`
	ARN     string `yaml:"arn"`
	// Account lets the domain make the credential spec; Text is the object itself.
	Account string `yaml:"account,omitempty"`
	Text    string `yaml:"text,omitempty"`
	// Secret is the ARN of a secret for the section HostAccountConfig; "" leaves the section out.
	Secret string `yaml:"secret,omitempty"`
	// Linux writes the section in the form of the agent on Linux.
	Linux bool `yaml:"linux,omitempty"`
}

func (a *putCredentialSpec) check(s *scope, n *node) {
	s.result(argument(n, "cluster"), a.Cluster, "ecsCluster")
	switch {
	case a.Account != "":
		s.account(argument(n, "account"), a.Account, true)
		if a.Text != "" {
			s.d.fail(n.errorAt("either account or text"))
		}
	case a.Secret != "":
		s.d.fail(n.errorAt("secret is written into the credential spec of an account"))
	}
}

func (a *putCredentialSpec) do(r *attempt) error {
	c, err := resultOf[*ecs.Cluster](r, a.Cluster, "cluster")
	if err != nil {
		return err
	}
	if a.Account == "" {
		c.Put(a.ARN, []byte(a.Text))
		return nil
	}
	text := r.d.CredentialSpec(a.Account)
	if a.Secret != "" {
		if text, err = ecs.Section(text, a.Secret, a.Linux); err != nil {
			return err
		}
	}
	c.Put(a.ARN, text)
	return nil
}

// runTask is a cluster and a task definition.
type runTask struct {
	Cluster string
	ecs.Task
}

func (a *runTask) decodeNode(d *decoder, n *node) {
	if n.kind != mappingNode {
		d.fail(n.errorAt("want a mapping with cluster and the task definition, got %s", n.kind))
		return
	}
	rest := d.takeKey(n, "cluster", "the id of a step", &a.Cluster)
	d.decode(rest, &a.Task)
}

func (a *runTask) check(s *scope, n *node) {
	s.result(argument(n, "cluster"), a.Cluster, "ecsCluster")
}

func (a *runTask) do(r *attempt) error {
	c, err := resultOf[*ecs.Cluster](r, a.Cluster, "cluster")
	if err != nil {
		return err
	}
	run, err := c.Run(a.Task)
	if err != nil {
		return err
	}
	r.fact("host", run.Host)
	if run.Lease != nil {
		r.keep(run.Lease)
		r.lease(run.Lease)
		return nil
	}
	r.keep(run.Container)
	r.fact("container", run.Container.ID()[:12])
	return nil
}
