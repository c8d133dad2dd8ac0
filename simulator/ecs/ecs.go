// Package ecs is an ECS cluster as far as credential specs go: what the agents of its instances announce, where a task's credential spec comes
// from, and how the container gets it. The words of the failures are the agent's (aws/amazon-ecs-agent, agent/taskresource/credentialspec).
package ecs

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/credspec/plugin"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/fetcher"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Attributes that an agent announces and a task may ask for.
const (
	CapabilityGMSA       = "ecs.capability.gmsa"
	CapabilityDomainless = "ecs.capability.gmsa-domainless"
)

// Prefixes of a credential spec in a task definition.
const (
	prefixJoined     = "credentialspec:"
	prefixDomainless = "credentialspecdomainless:"
)

// Cluster is a cluster with its instances, and the objects and parameters that its tasks may fetch.
type Cluster struct {
	d    *simulator.Domain
	name string

	mu        sync.Mutex
	instances []*Instance
	objects   map[string][]byte // by ARN
}

// New makes an empty cluster.
func New(d *simulator.Domain, name string) *Cluster {
	return &Cluster{d: d, name: name, objects: map[string][]byte{}}
}

// Instance is a host with an agent.
type Instance struct {
	host string
	// supported is ECS_GMSA_SUPPORTED.
	supported bool
	fetcher   *fetcher.Daemon // nil on Windows
	attrs     []string        // as announced when the agent started
}

// Host is the name of the instance's host.
func (i *Instance) Host() string { return i.host }

// Attributes are what the agent announced when it started.
func (i *Instance) Attributes() []string { return slices.Clone(i.attrs) }

// isLinux goes by the name of the operating system.
func isLinux(h *simulator.Host) bool {
	return !strings.HasPrefix(strings.ToLower(cmp.Or(h.OS(), "windows")), "windows")
}

// Register starts the agent on a host, or starts it again, and announces what the host can do at this time. supported is ECS_GMSA_SUPPORTED;
// f is the daemon of a Linux host.
func (c *Cluster) Register(h *simulator.Host, supported bool, f *fetcher.Daemon) *Instance {
	i := &Instance{host: h.Name(), supported: supported, fetcher: f}
	switch {
	case isLinux(h):
		if f != nil && supported {
			// guess: an agent on Linux announces both beside a credentials-fetcher, and looks whether the host has joined when a task comes
			i.attrs = append(i.attrs, CapabilityGMSA, CapabilityDomainless)
		}
	case supported:
		if h.Joined() {
			i.attrs = append(i.attrs, CapabilityGMSA)
		}
		if os, err := h.Windows(); err == nil && os.Build >= windows.Build1809 && slices.ContainsFunc(h.Plugins(), func(p simulator.Plugin) bool { return p.Kind == simulator.AWSPlugin }) {
			i.attrs = append(i.attrs, CapabilityDomainless)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instances = slices.DeleteFunc(c.instances, func(o *Instance) bool { return strings.EqualFold(o.host, i.host) })
	c.instances = append(c.instances, i)
	return i
}

// Put writes an object of S3 or a parameter of the parameter store.
func (c *Cluster) Put(arn string, text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects[arn] = slices.Clone(text)
}

// Section is HostAccountConfig for the plug-in of AWS. On Linux the input is an object, on Windows a text that holds JSON.
func Section(spec []byte, secret string, linux bool) ([]byte, error) {
	var doc map[string]any
	if err := json.Unmarshal(spec, &doc); err != nil {
		return nil, err
	}
	config, ok := doc["ActiveDirectoryConfig"].(map[string]any)
	if !ok {
		return nil, errors.New("no ActiveDirectoryConfig in the credential spec")
	}
	var input any = fmt.Sprintf(`{"credentialArn":%q}`, secret)
	if linux {
		input = map[string]any{"CredentialArn": secret}
	}
	config["HostAccountConfig"] = map[string]any{"PortableCcgVersion": "1", "PluginGUID": plugin.AWS.CLSID(), "PluginInput": input}
	return json.MarshalIndent(doc, "", "    ")
}

// LaunchType is where a task runs.
type LaunchType string

// The launch types.
const (
	EC2     LaunchType = "EC2"
	Fargate LaunchType = "FARGATE"
)

// Task is a task definition with one container, and the launch type it is run with.
type Task struct {
	// Launch is EC2 by default.
	Launch LaunchType `json:"launchType,omitempty" yaml:"launchType,omitempty"`
	// Linux says that the task's operating system family is LINUX.
	Linux bool `json:"linux,omitempty" yaml:"linux,omitempty"`
	// ExecutionRole is executionRoleArn.
	ExecutionRole string `json:"executionRole,omitempty" yaml:"executionRole,omitempty"`
	// CredentialSpecs are those of the container definition, for instance credentialspec:arn:aws:s3:::bucket/webapp01.json.
	CredentialSpecs []string      `json:"credentialSpecs,omitempty" yaml:"credentialSpecs,omitempty"`
	Hostname        string        `json:"hostname,omitempty" yaml:"hostname,omitempty"`
	Image           windows.Image `json:"image,omitzero" yaml:"image,omitempty"`
	Service         windows.User  `json:"service,omitzero" yaml:"service,omitempty"`
}

// Run is what came of a task: on Windows a container, on Linux a ticket for one.
type Run struct {
	Host      string
	Container *simulator.Running
	Lease     *fetcher.Lease
}

// option is the credential spec of a task: how and where from.
type option struct {
	text, where string
	domainless  bool
}

// Run places a task on the first instance that has the attributes it asks for and starts it there. The error wraps a [diag.Finding] when the
// cause is known.
func (c *Cluster) Run(t Task) (*Run, error) {
	o, err := c.option(t)
	if err != nil {
		return nil, err
	}
	if t.Launch == Fargate {
		return nil, c.refuse(t, diag.NotModelled, "", "Fargate runs its tasks on hosts of its own, which are not modelled", "", nil)
	}
	i, err := c.place(t, o)
	if err != nil {
		return nil, err
	}
	h := c.d.Host(i.host)
	run := &Run{Host: i.host}
	if o == nil {
		run.Container, err = h.Run(t.container(""))
		return run, err
	}
	text, err := c.fetch(t, o, h)
	if err != nil {
		return nil, err
	}
	if t.Linux {
		run.Lease, err = c.lease(t, o, i, text)
		return run, err
	}
	if o.domainless {
		read, err := c.read(t, o, text, false)
		if err != nil {
			return nil, err
		}
		text = read.Text
	}
	run.Container, err = h.Run(t.container("raw://" + string(text)))
	return run, err
}

func (t Task) container(spec string) simulator.Container {
	return simulator.Container{Image: t.Image, Hostname: t.Hostname, Service: t.Service, CredentialSpec: spec}
}

// option reads the credential spec of the task definition, and refuses what the service and the agent refuse before anything runs.
func (c *Cluster) option(t Task) (*option, error) {
	switch len(t.CredentialSpecs) {
	case 0:
		return nil, nil
	case 1:
	default:
		return nil, c.refuse(t, diag.ECSSpecRefused, "ecs-two-credspecs", "Container.credentialSpecs must have at most 1 item",
			"a container is one account, and further accounts stand in the one credential spec", []string{withSpecs(t.CredentialSpecs[0])})
	}
	text := t.CredentialSpecs[0]
	o := &option{text: text}
	var ok bool
	if o.where, ok = strings.CutPrefix(text, prefixDomainless); ok {
		o.domainless = true
	} else if o.where, ok = strings.CutPrefix(text, prefixJoined); !ok {
		return nil, c.refuse(t, diag.ECSSpecRefused, "ecs-bad-arn", "Invalid credentialspec: "+text, "an entry begins with credentialspec: or credentialspecdomainless:", c.suggest(t))
	}
	if t.Launch == Fargate && !(t.Linux && o.domainless && strings.Contains(o.where, ":s3:")) {
		return nil, c.refuse(t, diag.ECSSpecRefused, "ecs-fargate-domainless-only", "ClientException: Fargate only supports domainless gMSA from S3 on Linux",
			"Fargate has no computers of a domain; its Linux tasks sign in as a user, with a credential spec from S3", c.toEC2(t, o))
	}
	place, err := consumer.AgentPlace(text)
	if err != nil {
		return nil, c.refuse(t, diag.ECSSpecRefused, "ecs-bad-arn", err.Error(), "the agent fetches credential specs from S3 and the parameter store, and reads files; the ARN of a secret belongs into PluginInput", c.suggest(t))
	}
	if name, ok := strings.CutPrefix(o.where, "file://"); ok && (name == "" || strings.ContainsAny(name, `\/`)) {
		return nil, c.refuse(t, diag.ECSSpecRefused, "ecs-bad-arn", "invalid credentialspec file specification", "a file has a flat name below the folder of the engine", c.suggest(t))
	}
	if place.NeedsRole() && t.ExecutionRole == "" {
		return nil, c.refuse(t, diag.ECSNoExecutionRole, "ecs-no-execution-role", consumer.NoRole().Error(),
			"the agent fetches what the task definition names as the execution role of the task, not as the role of the task or of the instance",
			[]string{"with: {executionRole: \"arn:aws:iam::111122223333:role/ecsTaskExecutionRole\"}"})
	}
	return o, nil
}

// place is the first instance with the attributes that a task asks for.
func (c *Cluster) place(t Task, o *option) (*Instance, error) {
	need := ""
	switch {
	case o == nil:
	case o.domainless:
		need = CapabilityDomainless
	default:
		need = CapabilityGMSA
	}
	c.mu.Lock()
	instances := slices.Clone(c.instances)
	c.mu.Unlock()
	var family []*Instance
	for _, i := range instances {
		if isLinux(c.d.Host(i.host)) != t.Linux {
			continue
		}
		family = append(family, i)
		if need == "" || slices.Contains(i.attrs, need) {
			return i, nil
		}
	}
	return nil, c.noInstance(t, o, need, family)
}

// fetch gets the text of a credential spec.
func (c *Cluster) fetch(t Task, o *option, h *simulator.Host) ([]byte, error) {
	if name, ok := strings.CutPrefix(o.where, "file://"); ok {
		if text, ok := h.ReadCredentialSpec(name); ok {
			return text, nil
		}
		return nil, c.refuse(t, diag.CredentialSpecMissing, "cs-not-found", "credentialspec file "+name+" not found", "the file has to be on the instance that the task is placed on", nil)
	}
	c.mu.Lock()
	text := c.objects[o.where]
	c.mu.Unlock()
	if text == nil {
		return nil, c.refuse(t, diag.ECSSpecRefused, "ecs-bad-arn", "unable to fetch "+o.where+": not found", "there is no object or parameter of this name", c.suggest(t))
	}
	return text, nil
}

// lease lets the daemon of a Linux instance make the ticket.
func (c *Cluster) lease(t Task, o *option, i *Instance, text []byte) (*fetcher.Lease, error) {
	read, err := c.read(t, o, text, true)
	if err != nil {
		return nil, err
	}
	if !o.domainless {
		return i.fetcher.Lease(read.Text, nil)
	}
	secret := read.Secret
	value, err := c.d.Host(i.host).ReadSecret(secret)
	if err != nil {
		return nil, err
	}
	user := &fetcher.User{Secret: secret}
	if err := json.Unmarshal([]byte(value), user); err != nil {
		return nil, fmt.Errorf("secret %s: %w", secret, err)
	}
	return i.fetcher.Lease(read.Text, user)
}
