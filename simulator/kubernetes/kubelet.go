package kubernetes

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
)

// syncLocked lets the controllers catch up: missing pods are made, pods are given nodes, containers are started.
func (c *Cluster) syncLocked() {
	for _, d := range c.deployments {
		have := 0
		for _, p := range c.pods {
			if p.owner == d {
				have++
			}
		}
		for d.refused = nil; have < d.Replicas && d.refused == nil; have++ {
			p := d.Template
			p.Namespace = d.Namespace
			template := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", d.Name, d.generation, c.d.Config().Seed))
			pick := c.digest("pod of " + d.Name)
			p.Name = fmt.Sprintf("%s-%s-%s", d.Name, suffix(template[:9]), suffix(pick[:5]))
			var made *pod
			if made, d.refused = c.create(p, d); d.refused != nil {
				d.refused = c.explainRefusal(d.refused, made, "")
			}
		}
	}
	for _, p := range c.pods {
		if p.node == nil {
			p.node = c.schedule(p)
		}
		if p.node != nil && p.node.host != nil {
			c.runPod(p)
		}
	}
}

// schedule takes the node with the fewest pods among those that fit, the first of these in the order of the configuration.
//
// guess: the real scheduler scores; with equal nodes and pods it spreads, which this does too.
func (c *Cluster) schedule(p *pod) *node {
	var best *node
	fewest := 0
	for _, n := range c.nodes {
		if n.Unschedulable || !n.fits(p.spec.NodeSelector) {
			continue
		}
		count := 0
		for _, o := range c.pods {
			if o.node == n {
				count++
			}
		}
		if best == nil || count < fewest {
			best, fewest = n, count
		}
	}
	return best
}

// fits tells that a node has the labels of a selector, those included that every node has.
func (n *node) fits(selector map[string]string) bool {
	os := "windows"
	if n.host == nil {
		os = "linux"
	}
	// What the kubelet sets by itself (Kubernetes, well-known labels); the names with beta are deprecated and still set.
	labels := map[string]string{"kubernetes.io/os": os, "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": strings.ToLower(n.Name),
		"beta.kubernetes.io/os": os, "beta.kubernetes.io/arch": "amd64"}
	maps.Copy(labels, n.Labels)
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// runPod is the kubelet: init containers one after the other, then the others.
func (c *Cluster) runPod(p *pod) {
	for _, s := range p.inits {
		if s.done {
			continue
		}
		c.start(p, s)
		if s.err == nil && s.Command != "" {
			s.output, s.err = s.run.Command(s.Command)
			s.err = c.explainInside(s.err, p, s)
		}
		if s.run != nil {
			s.run.Stop()
			s.run = nil
		}
		if s.done = s.err == nil; !s.done {
			return
		}
	}
	for _, s := range p.mains {
		if s.run == nil || !s.run.Runs() {
			c.start(p, s)
		}
	}
}

// start gives a container to the engine of the node.
func (c *Cluster) start(p *pod, s *started) {
	o := s.SecurityContext.WindowsOptions.over(p.spec.SecurityContext.WindowsOptions)
	spec := ""
	if o.GMSACredentialSpec != "" && c.gmsa() {
		spec = "raw://" + o.GMSACredentialSpec
	}
	hostname := p.spec.Hostname
	if hostname == "" {
		hostname = p.spec.Name
	}
	// guess: a pod's name may have dots and more than 63 characters, a host name may not; the kubelet cuts it
	hostname, _, _ = strings.Cut(hostname[:min(len(hostname), 63)], ".")
	s.attempts++
	s.run, s.err = p.node.host.Run(simulator.Container{Image: s.Image, Hostname: strings.TrimRight(hostname, "-"), User: o.RunAsUserName, CredentialSpec: spec, DNS: c.resolvers(p),
		AutoStart: s.AutoStart, ServiceDependsOn: s.ServiceDependsOn})
	if s.err != nil {
		s.run, s.err = nil, c.explainStart(s.err, p, s)
		return
	}
	for _, line := range s.PostStart {
		// guess: a hook that fails ends the container; the hook of the documentation is a loop that goes on until it succeeds
		_, _ = s.run.Command(line)
	}
}

// Exec is kubectl exec: it types a line in a container of a pod; container "" is the first. deploy/NAME is the nth pod of a deployment,
// nth counts from 1. It gives what the command prints, and an error with the cause when that says that something is wrong.
func (c *Cluster) Exec(namespace, name string, nth int, container, line string) (output string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, s, err := c.inside(namespace, name, nth, container)
	if err != nil {
		return "", err
	}
	output, err = s.run.Command(line)
	return output, c.explainInside(err, p, s)
}

// InboundNTLM lets a user sign in with NTLM to a container of a pod.
func (c *Cluster) InboundNTLM(namespace, name string, nth int, container, user string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, s, err := c.inside(namespace, name, nth, container)
	if err != nil {
		return err
	}
	return c.explainInside(s.run.InboundNTLM(user), p, s)
}

// inside finds a running container.
func (c *Cluster) inside(namespace, name string, nth int, container string) (*pod, *started, error) {
	c.syncLocked()
	p, err := c.lookup(namespace, name, max(nth, 1))
	if err != nil {
		return nil, nil, err
	}
	c.setResolvers(p)
	for _, s := range p.mains {
		if container != "" && s.Name != container {
			continue
		}
		if s.run == nil {
			if s.err != nil {
				return nil, nil, s.err
			}
			return nil, nil, c.findNotRunning(p)
		}
		return p, s, nil
	}
	return nil, nil, fmt.Errorf("Error from server (BadRequest): container %s is not valid for pod %s", container, p.spec.Name)
}

var errUnschedulable = errors.New("FailedScheduling")
