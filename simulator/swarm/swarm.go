// Package swarm is a Docker swarm whose Windows nodes are simulated hosts, as far as a gMSA meets it: the sources of a credential spec that a
// service names, the placement of its tasks, the template of their host names, and what docker service ps prints.
//
// The orchestrator never runs by itself: every call lets it catch up first, so the same calls give the same swarm.
//
// Sources of the rules: docker/cli cli/command/service/opts.go and cli/compose/convert/service.go, moby daemon/cluster/convert and
// daemon/oci_windows.go.
package swarm

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Node is a computer of the swarm.
type Node struct {
	// Name is that of a host of the domain. Any other name is a Linux node.
	Name   string            `json:"name" yaml:"name,scalar"`
	Labels map[string]string `json:"labels,omitempty" yaml:"labels,omitempty"`
}

// Source is Privileges.CredentialSpec of the API, or credential_spec of a stack file.
type Source struct {
	Config   string `json:"config,omitempty" yaml:"config,omitempty"`
	File     string `json:"file,omitempty" yaml:"file,omitempty"`
	Registry string `json:"registry,omitempty" yaml:"registry,omitempty"`
}

// Service is what docker service create is told.
type Service struct {
	Name     string        `json:"name" yaml:"name"`
	Image    windows.Image `json:"image,omitzero" yaml:"image,omitempty"`
	Replicas int           `json:"replicas,omitempty" yaml:"replicas,omitempty"` // default 1
	// Global is --mode global: one task on each node that fits.
	Global bool `json:"global,omitempty" yaml:"global,omitempty"`
	// Hostname is --hostname, with {{.Service.Name}}, {{.Task.Slot}} and {{.Node.Hostname}}.
	Hostname string `json:"hostname,omitempty" yaml:"hostname,omitempty"`
	// CredentialSpec is --credential-spec: config://NAME, file://FILE or registry://VALUE.
	CredentialSpec string `json:"credentialSpec,omitempty" yaml:"credentialSpec,omitempty"`
	// Privileges is what a client of the API sends, or with Stack a stack file; it stands in place of CredentialSpec.
	Privileges *Source `json:"privileges,omitempty" yaml:"privileges,omitempty"`
	Stack      bool    `json:"stack,omitempty" yaml:"stack,omitempty"`
	// Constraints are --constraint, as in node.platform.os==windows.
	Constraints []string `json:"constraints,omitempty" yaml:"constraints,omitempty"`
	// NoResolveImage is --resolve-image never: nobody asks the registry which platforms the image is for.
	NoResolveImage bool `json:"noResolveImage,omitempty" yaml:"noResolveImage,omitempty"`
}

// Swarm is a swarm that runs. Its methods may be called from any goroutine, one at a time.
type Swarm struct {
	d *simulator.Domain

	mu       sync.Mutex
	nodes    []*node
	configs  map[string][]byte
	services []*service
}

type node struct {
	Node
	host *simulator.Host // nil: Linux
}

type service struct {
	Service
	source Source
	tasks  []*task
}

// task is a slot of a service with what became of it.
type task struct {
	slot     int
	node     *node
	run      *simulator.Running
	err      error   // for which it does not run
	rejected []*node // that have refused it
	history  []string
}

// New makes a swarm of nodes; none: all hosts of d.
func New(d *simulator.Domain, nodes []Node) *Swarm {
	s := &Swarm{d: d, configs: map[string][]byte{}}
	if nodes == nil {
		for _, h := range d.Hosts() {
			nodes = append(nodes, Node{Name: h.Name()})
		}
	}
	for _, n := range nodes {
		added := &node{Node: n}
		added.host, _ = d.FindHost(n.Name)
		s.nodes = append(s.nodes, added)
	}
	return s
}

// CreateConfig is docker config create, with the credential spec of an account as a node makes it.
func (s *Swarm) CreateConfig(name, account string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.nodes {
		if n.host == nil {
			continue
		}
		file, _, err := n.host.NewCredentialSpec(simulator.NewCredentialSpec{Account: account})
		if err != nil {
			return err
		}
		s.configs[name], _ = n.host.ReadCredentialSpec(file)
		return nil
	}
	return errors.New("no Windows node to make a credential spec on")
}

// mostConfig is the size that a config stays below (moby, api/server/router/swarm: MaxConfigSize of swarmkit).
const mostConfig = 1000 * 1024

// CreateConfigOf is docker config create with a file. The error has the daemon's words.
func (s *Swarm) CreateConfigOf(name string, text []byte) error {
	if len(text) == 0 || len(text) >= mostConfig {
		return &daemonError{fmt.Sprintf("rpc error: code = InvalidArgument desc = config data must be larger than 0 and less than %d bytes", mostConfig)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configs[name] = slices.Clone(text)
	return nil
}

// CreateService is docker service create, a call of the API, or docker stack deploy. That it succeeds does not mean that the tasks run: see
// [Swarm.Ps].
func (s *Swarm) CreateService(want Service) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(want.Name) != nil {
		return &daemonError{"rpc error: code = AlreadyExists desc = name conflicts with an existing object: service " + want.Name + " already exists"}
	}
	made := &service{Service: want}
	if err := s.accept(made); err != nil {
		return err
	}
	s.services = append(s.services, made)
	s.d.Record("docker", "service create "+want.Name, "ok")
	s.syncLocked()
	return nil
}

// UpdateService is docker service update: the tasks are made anew.
func (s *Swarm) UpdateService(name string, change func(*Service)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sv := s.find(name)
	if sv == nil {
		return noService(name)
	}
	updated := &service{Service: sv.Service}
	change(&updated.Service)
	updated.Name = sv.Name
	if err := s.accept(updated); err != nil {
		return err
	}
	for _, t := range sv.tasks {
		t.stop()
	}
	*sv = *updated
	s.d.Record("docker", "service update "+name, "ok")
	s.syncLocked()
	return nil
}

func (t *task) stop() {
	if t.run != nil && t.run.Runs() {
		t.run.Stop()
	}
	t.run = nil
}

// daemonError is an answer of the engine as its client prints it.
type daemonError struct{ answer string }

func (e *daemonError) Error() string { return "Error response from daemon: " + e.answer }

func noService(name string) error { return fmt.Errorf("no such service: %s", name) }

func (s *Swarm) find(name string) *service {
	for _, sv := range s.services {
		if sv.Name == name {
			return sv
		}
	}
	return nil
}

// accept finds the source of the credential spec and fills in the tasks.
func (s *Swarm) accept(sv *service) error {
	var err error
	switch {
	case sv.Privileges != nil && sv.Stack:
		sv.source, err = s.fromStack(*sv.Privileges)
	case sv.Privileges != nil:
		sv.source, err = *sv.Privileges, sv.Privileges.check()
	default:
		sv.source, err = s.fromOption(sv.CredentialSpec)
	}
	if err != nil {
		return s.findSource(sv, err)
	}
	if sv.Replicas == 0 {
		sv.Replicas = 1
	}
	return nil
}

// fromOption reads --credential-spec.
func (s *Swarm) fromOption(value string) (Source, error) {
	read, err := consumer.ServiceOption(value)
	src := Source(read)
	if err != nil || value == "" {
		return src, err
	}
	if _, known := s.configs[src.Config]; src.Config != "" && !known {
		return Source{}, fmt.Errorf("config not found: %s", src.Config)
	}
	return src, src.check()
}

// check is what the API checks.
func (src Source) check() error { return consumer.Source(src).Check() }

// fromStack reads credential_spec of a stack file, which has every config that it names.
func (s *Swarm) fromStack(src Source) (Source, error) {
	created := func(name string) bool { _, known := s.configs[name]; return known }
	if err := consumer.Source(src).Stack(func(string) bool { return true }, created); err != nil {
		return src, err
	}
	return src, src.check()
}

// syncLocked lets the orchestrator catch up: tasks are placed, and those that do not run are tried again, on another node where there is one.
func (s *Swarm) syncLocked() {
	for _, sv := range s.services {
		slots := sv.Replicas
		if sv.Global {
			slots = len(s.nodes)
		}
		for i := len(sv.tasks); i < slots; i++ {
			sv.tasks = append(sv.tasks, &task{slot: i + 1})
		}
		for _, t := range sv.tasks {
			if t.run == nil || !t.run.Runs() {
				s.runTask(sv, t)
			}
		}
	}
}

// runTask places a task and starts its container. A refusal leads to another node, until each has refused.
func (s *Swarm) runTask(sv *service, t *task) {
	t.run, t.rejected = nil, nil
	for {
		if t.node, t.err = s.place(sv, t); t.node == nil {
			return
		}
		if t.run, t.err = s.start(sv, t); t.err == nil {
			return
		}
		t.run = nil
		t.rejected = append(t.rejected, t.node)
		t.history = append(t.history, fmt.Sprintf("%s  %s  Shutdown  Rejected  %q", t.name(sv), t.node.Name, plain(t.err)))
		if sv.Global || s.left(sv, t) == 0 {
			return
		}
	}
}

func (s *Swarm) left(sv *service, t *task) (n int) {
	for _, o := range s.nodes {
		if s.unfit(sv, o) == "" && !slices.Contains(t.rejected, o) {
			n++
		}
	}
	return n
}

// place takes the node with the fewest tasks among those that fit and have not refused the task, the first of these in their order.
//
// guess: swarmkit counts failures of the last minutes and puts nodes with five of them last; here one refusal is enough
func (s *Swarm) place(sv *service, t *task) (*node, error) {
	if sv.Global {
		n := s.nodes[t.slot-1]
		if why := s.unfit(sv, n); why != "" {
			return nil, nil // a global service has no task there
		}
		return n, nil
	}
	var best *node
	fewest, reasons := 0, map[string]int{}
	for _, n := range s.nodes {
		if why := s.unfit(sv, n); why != "" {
			reasons[why]++
			continue
		}
		if slices.Contains(t.rejected, n) {
			continue
		}
		count := 0
		for _, o := range s.services {
			for _, other := range o.tasks {
				if other.run != nil && other.node == n {
					count++
				}
			}
		}
		if best == nil || count < fewest {
			best, fewest = n, count
		}
	}
	if best != nil {
		return best, nil
	}
	return nil, s.findNoNode(sv, reasons)
}

// Reasons for which a node does not fit (swarmkit, manager/scheduler/filter.go).
const (
	whyPlatform   = "unsupported platform"
	whyConstraint = "scheduling constraints not satisfied"
)

// unfit tells why a node cannot take a task; "" when it can.
func (s *Swarm) unfit(sv *service, n *node) string {
	os := "windows"
	if n.host == nil {
		os = "linux"
	}
	for _, c := range sv.Constraints {
		key, value, equal := strings.Cut(c, "==")
		if !equal {
			key, value, _ = strings.Cut(c, "!=")
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		have := ""
		switch label, isLabel := strings.CutPrefix(key, "node.labels."); {
		case isLabel:
			have = n.Labels[label]
		case key == "node.platform.os":
			have = os
		case key == "node.hostname":
			have = n.Name
		}
		if strings.EqualFold(have, value) != equal {
			return whyConstraint
		}
	}
	if os == "linux" && !sv.NoResolveImage {
		return whyPlatform
	}
	return ""
}

// start gives a task's container to the engine of its node.
func (s *Swarm) start(sv *service, t *task) (*simulator.Running, error) {
	if t.node.host == nil {
		return nil, s.findLinux(sv, t)
	}
	spec := ""
	switch src := sv.source; {
	case src.Config != "":
		spec = "raw://" + string(s.configs[src.Config])
	case src.File != "":
		spec = "file://" + src.File
	case src.Registry != "":
		spec = "registry://" + src.Registry
	}
	run, err := t.node.host.Run(simulator.Container{Image: sv.Image, Hostname: t.hostname(sv), CredentialSpec: spec})
	return run, s.explainStart(err, sv, t)
}

// hostname fills in the template (moby, daemon/cluster/executor, template of a container spec).
func (t *task) hostname(sv *service) string {
	return strings.NewReplacer("{{.Service.Name}}", sv.Name, "{{.Task.Slot}}", strconv.Itoa(t.slot), "{{.Node.Hostname}}", t.node.Name).Replace(sv.Hostname)
}

func (t *task) name(sv *service) string { return fmt.Sprintf("%s.%d", sv.Name, t.slot) }

// plain is an error in the words of the daemon alone.
func plain(err error) string {
	text := err.Error()
	if f, ok := diag.Of(err); ok && f.Cause != nil {
		text = f.Cause.Error()
	}
	return strings.TrimPrefix(text, "docker: Error response from daemon: ")
}

// Ps is docker service ps --no-trunc, with the tasks that were rejected below the one that took their place. The error is the cause of the
// first task that does not run.
func (s *Swarm) Ps(name string) (text string, running int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.syncLocked()
	sv := s.find(name)
	if sv == nil {
		return "", 0, noService(name)
	}
	var b strings.Builder
	b.WriteString("NAME  NODE  DESIRED STATE  CURRENT STATE  ERROR\n")
	for _, t := range sv.tasks {
		where := ""
		if t.node != nil {
			where = t.node.Name
		}
		switch {
		case t.run != nil:
			running++
			fmt.Fprintf(&b, "%s  %s  Running  Running\n", t.name(sv), where)
		case t.err != nil && t.node == nil:
			fmt.Fprintf(&b, "%s  %s  Running  Pending  %q\n", t.name(sv), where, plain(t.err))
		}
		for _, line := range slices.Backward(t.history) {
			b.WriteString(" \\_ " + line + "\n")
		}
		if err == nil {
			err = t.err
		}
	}
	return b.String(), running, err
}

// Exec is docker exec in the task of a slot: it types a line there, see [simulator.Process.Command].
func (s *Swarm) Exec(name string, slot int, line string) (output string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.syncLocked()
	sv := s.find(name)
	if sv == nil {
		return "", noService(name)
	}
	if slot < 1 || slot > len(sv.tasks) {
		return "", fmt.Errorf("no task %s.%d; there are %d", name, slot, len(sv.tasks))
	}
	t := sv.tasks[slot-1]
	if t.run == nil {
		return "", t.err
	}
	output, err = t.run.Command(line)
	return output, s.explainInside(err, sv, t)
}
