package kubernetes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Config is a cluster when it starts.
type Config struct {
	// Version is that of the API server and the kubelets, as in 1.28. Default 1.28.
	Version string `json:"version,omitempty" yaml:"version,omitempty"`
	// FeatureGates are the flags of both, as in WindowsGMSA=true.
	FeatureGates []string `json:"featureGates,omitempty" yaml:"featureGates,omitempty"`
	// Nodes default to all hosts of the domain.
	Nodes []Node `json:"nodes,omitempty" yaml:"nodes,omitempty"`
	// Signers are the names of signers that sign an approved certificate request. Default kubernetes.io/kubelet-serving, which
	// signs for a service in a cluster of one's own and does not in EKS.
	Signers []string `json:"signers,omitempty" yaml:"signers,omitempty"`
	// CRD tells that the CRD of GMSACredentialSpec is installed. The webhook's installation brings it along.
	CRD bool `json:"crd,omitempty" yaml:"crd,omitempty"`
	// Webhook is the windows-gmsa webhook; nil: not installed.
	Webhook         *Webhook         `json:"webhook,omitempty" yaml:"webhook,omitempty"`
	CredentialSpecs []CredentialSpec `json:"credentialSpecs,omitempty" yaml:"credentialSpecs,omitempty"`
	Roles           []ClusterRole    `json:"roles,omitempty" yaml:"roles,omitempty"`
	RoleBindings    []RoleBinding    `json:"roleBindings,omitempty" yaml:"roleBindings,omitempty"`
	// Disabled are namespaces with the label that keeps the webhook away: gmsa-webhook=disabled.
	Disabled []string `json:"disabledNamespaces,omitempty" yaml:"disabledNamespaces,omitempty"`
	DNS      DNS      `json:"dns,omitzero" yaml:"dns,omitempty"`
}

// Node is a computer that runs pods.
type Node struct {
	// Name is that of a host of the domain. Any other name is a Linux node.
	Name   string            `json:"name" yaml:"name,scalar"`
	Labels map[string]string `json:"labels,omitempty" yaml:"labels,omitempty"`
	// Unschedulable is kubectl cordon.
	Unschedulable bool `json:"unschedulable,omitempty" yaml:"unschedulable,omitempty"`
}

// Cluster is a cluster that runs. Its methods may be called from any goroutine, one at a time.
type Cluster struct {
	d *simulator.Domain

	mu          sync.Mutex
	version     string
	minor       int
	gates       []string
	nodes       []*node
	signers     []string
	crd         bool
	webhook     *Webhook
	installs    int // of certificates, so that each has a CA of its own
	specs       map[string]json.RawMessage
	dropped     map[string][]string // paths that the API server left out of them
	roles       []ClusterRole
	bindings    []RoleBinding
	disabled    []string
	dns         DNS
	pods        []*pod
	deployments []*deployment
	made        int // pods so far, from which their names and host names are made
}

type node struct {
	Node
	host *simulator.Host // nil: Linux
}

const defaultVersion = "1.28"

// New starts a cluster on hosts of d. The error names what in cfg cannot be.
func New(d *simulator.Domain, cfg Config) (*Cluster, error) {
	c := &Cluster{d: d, specs: map[string]json.RawMessage{}, dropped: map[string][]string{}, signers: slices.Clone(cfg.Signers), crd: cfg.CRD || cfg.Webhook != nil, dns: cfg.DNS, disabled: slices.Clone(cfg.Disabled)}
	if err := c.setVersion(cfg.Version, cfg.FeatureGates); err != nil {
		return nil, err
	}
	if len(c.signers) == 0 {
		c.signers = []string{signerKubeletServing}
	}
	if cfg.Nodes == nil {
		for _, h := range d.Hosts() {
			cfg.Nodes = append(cfg.Nodes, Node{Name: h.Name()})
		}
	}
	for _, n := range cfg.Nodes {
		added := &node{Node: n}
		added.host, _ = d.FindHost(n.Name)
		c.nodes = append(c.nodes, added)
	}
	if cfg.Webhook != nil {
		w := *cfg.Webhook
		if err := w.Validate(); err != nil {
			return nil, err
		}
		c.installLocked(w)
	}
	for _, s := range cfg.CredentialSpecs {
		c.crd = true
		if err := c.ApplyCredentialSpec(s); err != nil {
			return nil, err
		}
	}
	c.roles, c.bindings = slices.Clone(cfg.Roles), slices.Clone(cfg.RoleBindings)
	return c, nil
}

func (c *Cluster) setVersion(version string, gates []string) error {
	if version == "" {
		version = defaultVersion
	}
	major, minor, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	n, err := strconv.Atoi(minor)
	if err != nil || major != "1" || n < 14 {
		return fmt.Errorf("version %q: want 1.14 or later, before which there is no gMSA in Kubernetes", version)
	}
	for _, g := range gates {
		if name, value, ok := strings.Cut(g, "="); !ok || value != "true" && value != "false" || name == "" {
			return fmt.Errorf("feature gate %q: want NAME=true or NAME=false", g)
		}
	}
	c.version, c.minor, c.gates = version, n, slices.Clone(gates)
	return nil
}

// stage is how far the version's support for credential specs is.
func (c *Cluster) stage() windows.KubernetesStage {
	return windows.KubernetesSupport(windows.KubernetesVersion{Major: 1, Minor: c.minor})
}

// gmsa tells that the cluster knows gMSA settings: WindowsGMSA is a gate in the alpha stage, where it is off, and in the beta stage,
// where it is on (KEP 689, Kubernetes page).
func (c *Cluster) gmsa() bool {
	stage := c.stage()
	on := stage == windows.KubernetesBeta || stage == windows.KubernetesStable
	for _, g := range c.gates {
		if name, value, _ := strings.Cut(g, "="); name == gate && (stage == windows.KubernetesAlpha || stage == windows.KubernetesBeta) {
			on = value == "true"
		}
	}
	return on
}

const gate = "WindowsGMSA"

// byAnnotation tells that the settings are annotations, as in the alpha releases, and not members of windowsOptions.
func (c *Cluster) byAnnotation() bool { return c.stage() == windows.KubernetesAlpha }

// Upgrade changes the version or the feature gates; "" leaves the version. Pods that run stay as they are.
func (c *Cluster) Upgrade(version string, gates []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version == "" {
		version = c.version
	}
	return c.setVersion(version, gates)
}

func (c *Cluster) node(name string) (*node, error) {
	var known []string
	for _, n := range c.nodes {
		if strings.EqualFold(n.Name, name) {
			return n, nil
		}
		known = append(known, n.Name)
	}
	return nil, fmt.Errorf("Error from server (NotFound): nodes %q not found; there are %s", strings.ToLower(name), strings.Join(known, ", "))
}

// Cordon is kubectl cordon: no new pods go to the node. With on false it is kubectl uncordon.
func (c *Cluster) Cordon(name string, on bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.node(name)
	if err == nil {
		n.Unschedulable = on
	}
	return err
}

// LabelNode is kubectl label node.
func (c *Cluster) LabelNode(name string, labels map[string]string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.node(name)
	if err != nil {
		return err
	}
	all := map[string]string{}
	for _, m := range []map[string]string{n.Labels, labels} {
		for k, v := range m {
			all[k] = v
		}
	}
	n.Labels = all
	return nil
}

// DisableWebhook sets or removes the label gmsa-webhook=disabled of a namespace.
func (c *Cluster) DisableWebhook(namespace string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disabled = slices.DeleteFunc(c.disabled, func(n string) bool { return n == namespace })
	if on {
		c.disabled = append(c.disabled, namespace)
	}
}

// ApplyCredentialSpec is kubectl apply of a GMSACredentialSpec. What the API server refuses is an error in kubectl's words.
func (c *Cluster) ApplyCredentialSpec(s CredentialSpec) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.crd {
		return c.findNoCRD(s.Name)
	}
	if text := invalidName("GMSACredentialSpec", s.Name, "metadata.name", s.Name); text != "" {
		return c.findInvalid(text, s.Name, simulator.FlowStep("with", "name", validName(s.Name)))
	}
	contents := s.Credspec
	if s.Account != "" {
		var err error
		if contents, err = c.makeCredentialSpec(s.Account); err == nil && s.HostAccountConfig != nil {
			contents, err = s.HostAccountConfig.into(contents)
		}
		if err != nil {
			return err
		}
	}
	contents, dropped, err := c.stored(s.Name, contents)
	if err != nil {
		return err
	}
	c.specs[s.Name], c.dropped[s.Name] = contents, dropped
	c.d.Record("kubectl", "apply gmsacredentialspec.windows.k8s.io/"+s.Name, "ok")
	return nil
}

// stored is what the API server keeps of the contents of an object: it refuses values of another type than the schema's, drops members that the
// schema does not have without a word, and keeps the rest.
func (c *Cluster) stored(name string, contents json.RawMessage) (kept json.RawMessage, dropped []string, err error) {
	if contents == nil {
		return nil, nil, nil
	}
	if !json.Valid(contents) {
		return nil, nil, fmt.Errorf("error parsing %s.yaml: the contents are not JSON", name)
	}
	resource, err := json.Marshal(map[string]json.RawMessage{"credspec": contents})
	if err != nil {
		return nil, nil, err
	}
	o, err := consumer.CRD(resource)
	if refusal, ok := errors.AsType[*consumer.Refusal](err); ok {
		return nil, nil, c.findInvalid(fmt.Sprintf("The GMSACredentialSpec %q is invalid: %s", name, refusal.Says), name, quoted(contents))
	}
	if err != nil {
		return nil, nil, err
	}
	var stored struct{ Credspec json.RawMessage }
	if err := json.Unmarshal(o.Text, &stored); err != nil {
		return nil, nil, err
	}
	return stored.Credspec, o.Dropped, nil
}

// quoted is the step that applies contents whose leaves are texts; "" when that is not what is wrong.
func quoted(contents json.RawMessage) string {
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(contents))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return ""
	}
	text, err := json.Marshal(asTexts(v))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("with: {credspec: %s}", text)
}

// asTexts writes numbers, booleans and the object of a PluginInput as texts.
func asTexts(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if _, isObject := value.(map[string]any); isObject && key == "PluginInput" {
				text, err := json.Marshal(value)
				if err == nil {
					v[key] = string(text)
				}
				continue
			}
			v[key] = asTexts(value)
		}
	case []any:
		for i := range v {
			v[i] = asTexts(v[i])
		}
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	return v
}

// makeCredentialSpec lets a computer of the domain make a credential spec: the first node that can, or another host.
func (c *Cluster) makeCredentialSpec(account string) (json.RawMessage, error) {
	var hosts []*simulator.Host
	for _, n := range c.nodes {
		if n.host != nil {
			hosts = append(hosts, n.host)
		}
	}
	first := errors.New("no computer of the domain to make a credential spec on")
	for i, h := range append(hosts, c.d.Hosts()...) {
		file, _, err := h.NewCredentialSpec(simulator.NewCredentialSpec{Account: account})
		if err == nil {
			text, _ := h.ReadCredentialSpec(file)
			return text, nil
		}
		if i == 0 {
			first = err
		}
	}
	return nil, first
}

// DeleteCredentialSpec is kubectl delete gmsacredentialspec.
func (c *Cluster) DeleteCredentialSpec(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.specs[name]; !ok {
		return fmt.Errorf("Error from server (NotFound): gmsacredentialspecs.windows.k8s.io %q not found", name)
	}
	delete(c.specs, name)
	return nil
}

// CredentialSpecs are the names of the objects, in order.
func (c *Cluster) CredentialSpecs() ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.crd {
		return nil, c.findNoCRD("")
	}
	return sortedKeys(c.specs), nil
}

// ApplyRole is kubectl apply of a ClusterRole or a Role.
func (c *Cluster) ApplyRole(r ClusterRole) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roles = slices.DeleteFunc(c.roles, func(o ClusterRole) bool { return o.Name == r.Name && o.Namespace == r.Namespace })
	c.roles = append(c.roles, r)
}

// ApplyRoleBinding is kubectl apply of a RoleBinding or a ClusterRoleBinding.
func (c *Cluster) ApplyRoleBinding(b RoleBinding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bindings = slices.DeleteFunc(c.bindings, func(o RoleBinding) bool { return o.Name == b.Name && o.Namespace == b.Namespace })
	c.bindings = append(c.bindings, b)
}

// mayUse is the answer of a LocalSubjectAccessReview in the pod's namespace about the verb use (kube_client.go, isAuthorizedToUseCredSpec).
func (c *Cluster) mayUse(namespace, account, spec string) bool {
	for _, b := range c.bindings {
		if b.Namespace != "" && b.Namespace != namespace {
			continue
		}
		home := b.Namespace
		if home == "" {
			home = defaultNamespace
		}
		if !slices.ContainsFunc(b.ServiceAccounts, func(a string) bool { return qualified(home, a) == namespace+"/"+account }) {
			continue
		}
		for _, r := range c.roles {
			if r.Name == b.Role && (r.Namespace == "" || r.Namespace == b.Namespace) && r.allows(spec) {
				return true
			}
		}
	}
	return false
}

// allows tells that the rule covers the verb use of a credential spec.
func (r *ClusterRole) allows(spec string) bool {
	group := r.APIGroup
	if group == "" {
		group = apiGroup
	}
	return (group == apiGroup || group == "*") &&
		(r.Resources == nil || names(r.Resources, apiResource)) &&
		(r.Verbs == nil || names(r.Verbs, "use")) &&
		(len(r.ResourceNames) == 0 || slices.Contains(r.ResourceNames, spec))
}

const defaultNamespace = "default"

// validName makes a name that the API server takes.
func validName(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-.")
}
