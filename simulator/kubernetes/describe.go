package kubernetes

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// PodStatus is what kubectl get pod and kubectl describe pod tell.
type PodStatus struct {
	Name   string
	Node   string // "" while pending
	Status string // the column STATUS of kubectl get
	Ready  string // as in 1/1
	// Text is the part of kubectl describe about states and events.
	Text string
}

// Describe is kubectl describe of a pod, or with deploy/NAME of a deployment's nth pod; when that deployment could not make the pod, it shows
// the event of the ReplicaSet. The error is the cause for which a pod does not run.
func (c *Cluster) Describe(namespace, name string, nth int) (PodStatus, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.syncLocked()
	if short, ok := strings.CutPrefix(name, "deploy/"); ok {
		if d := c.deployment(namespace, short); d != nil && d.refused != nil {
			text := refusalText(d.refused)
			return PodStatus{Name: name, Status: "FailedCreate", Ready: fmt.Sprintf("0/%d", d.Replicas),
				Text: "Events:\n  Warning  FailedCreate  replicaset-controller  Error creating: " + text + "\n"}, d.refused
		}
	}
	p, err := c.lookup(namespace, name, max(nth, 1))
	if err != nil {
		return PodStatus{}, err
	}
	return c.status(p)
}

// Pods lists the pods of all namespaces in the order of their making.
func (c *Cluster) Pods() []PodStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.syncLocked()
	var list []PodStatus
	for _, p := range c.pods {
		s, _ := c.status(p) // the status says it
		list = append(list, s)
	}
	return list
}

// Logs is kubectl logs: what the command of an init container printed, with its error.
func (c *Cluster) Logs(namespace, name string, nth int, container string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.syncLocked()
	p, err := c.lookup(namespace, name, max(nth, 1))
	if err != nil {
		return "", err
	}
	for _, s := range p.inits {
		if s.Name == container {
			return s.output, s.err
		}
	}
	return "", fmt.Errorf("error: container %s is not an init container of pod %s", container, p.spec.Name)
}

// refusalText is an answer of the API server without what kubectl says before it.
func refusalText(err error) string {
	if e, ok := errors.AsType[*deniedError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*callError](err); ok {
		return e.Error()
	}
	return errorText(err)
}

// errorText is an error without the code and title of its finding.
func errorText(err error) string {
	if f, ok := diag.Of(err); ok && f.Cause != nil {
		return f.Cause.Error()
	}
	return err.Error()
}

func (c *Cluster) status(p *pod) (PodStatus, error) {
	st := PodStatus{Name: p.spec.Name, Status: "Running"}
	if p.node == nil || p.node.host == nil {
		err := c.findNotRunning(p)
		st.Status, st.Ready = "Pending", fmt.Sprintf("0/%d", len(p.mains))
		kind, text := "FailedScheduling  default-scheduler", strings.TrimPrefix(errorText(err), errUnschedulable.Error()+": ")
		if p.node != nil {
			st.Node, st.Status, kind = p.node.Name, "ImagePullBackOff", "Failed  kubelet"
		}
		st.Text = "Events:\n  Warning  " + kind + "  " + text + "\n"
		return st, err
	}
	st.Node = p.node.Name
	var b strings.Builder
	var first error
	for _, s := range p.inits {
		if !s.done {
			st.Status, first = "Init:CrashLoopBackOff", s.err
			fmt.Fprintf(&b, "Init Containers:\n  %s:\n%s", s.Name, c.state(p, s))
			break
		}
	}
	// guess: the layout is kubectl's, and of the events only those with a cause are shown, without ages and counts
	ready := 0
	if first == nil {
		b.WriteString("Containers:\n")
		for _, s := range p.mains {
			fmt.Fprintf(&b, "  %s:\n%s", s.Name, c.state(p, s))
			if s.run != nil {
				ready++
			} else if first == nil {
				first, st.Status = s.err, c.waiting(p)
			}
		}
	}
	if first != nil {
		b.WriteString("Events:\n  Warning  Failed   kubelet  Error: " + c.kubeletError(p, first) + "\n  Warning  BackOff  kubelet  Back-off restarting failed container\n")
	}
	st.Ready, st.Text = fmt.Sprintf("%d/%d", ready, len(p.mains)), b.String()
	return st, first
}

// containerd tells that the node's engine is containerd and not Docker behind dockershim, which ended with 1.24.
func (c *Cluster) containerd(p *pod) bool {
	return c.minor >= 24 || p.node.host.Engine().Kind == windows.Containerd
}

// guess: both words are of threads; which of them kubectl get pods shows changes with every attempt, and here it is always the same
func (c *Cluster) waiting(p *pod) string {
	if c.containerd(p) {
		return "RunContainerError"
	}
	return "CrashLoopBackOff"
}

// state is the part of kubectl describe about one container (KEP 689; layout of kubectl).
func (c *Cluster) state(p *pod, s *started) string {
	switch {
	case s.err == nil && s.done:
		return "    State:          Terminated\n      Reason:       Completed\n"
	case s.err == nil:
		return "    State:          Running\n"
	case s.output != "":
		return "    State:          Waiting\n      Reason:       CrashLoopBackOff\n    Last State:     Terminated\n      Reason:       Error\n"
	}
	// guess: StartError is containerd's reason and ContainerCannotRun dockershim's; the message behind both is the engine's
	last := "StartError"
	if !c.containerd(p) {
		last = "ContainerCannotRun"
	}
	return fmt.Sprintf("    State:          Waiting\n      Reason:       CrashLoopBackOff\n    Last State:     Terminated\n      Reason:       %s\n      Message:      %s\n", last, c.kubeletError(p, s.err))
}

// kubeletError is an engine's error as the kubelet passes it on.
//
// guess: what Docker says of a container stands behind containerd's own words in the same form
func (c *Cluster) kubeletError(p *pod, err error) string {
	text := strings.TrimPrefix(errorText(err), "docker: Error response from daemon: ")
	if c.containerd(p) && !strings.Contains(text, "containerd task") {
		return "failed to create containerd task: failed to create shim task: " + strings.TrimSuffix(text, ": unknown") + ": unknown"
	}
	return text
}
