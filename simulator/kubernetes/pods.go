package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
)

// pod is a pod in the cluster.
type pod struct {
	manifest Pod // as it was applied
	spec     Pod // as it is stored after admission
	owner    *deployment
	node     *node // nil: not scheduled
	// Why the contents of a credential spec may not be in spec.
	dropped  bool // the API server or the kubelet does not know the settings
	expanded bool // the webhook has seen the pod
	hooked   bool // a webhook was installed then
	inits    []*started
	mains    []*started
}

// started is a container of a pod as the kubelet sees it.
type started struct {
	Container
	run      *simulator.Running // nil: not running
	done     bool               // an init container that succeeded
	err      error              // of the last start or of the command
	output   string             // of the command
	attempts int
}

// deployment is a deployment in the cluster.
type deployment struct {
	Deployment
	generation int
	refused    error // of the last pod that could not be made
}

// prepare fills in defaults and drops what the version does not know.
func (c *Cluster) prepare(p Pod) (spec Pod, dropped bool) {
	spec = p.clone()
	if spec.Namespace == "" {
		spec.Namespace = defaultNamespace
	}
	if spec.ServiceAccountName == "" {
		spec.ServiceAccountName = defaultNamespace // the API server's ServiceAccount admission
	}
	if len(spec.Containers) == 0 {
		spec.Containers = []Container{{Name: "main"}}
	}
	asked := spec.wants()
	clear := func(o *WindowsOptions, _, _ string) error {
		o.GMSACredentialSpecName, o.GMSACredentialSpec = "", ""
		return nil
	}
	if c.byAnnotation() || !c.gmsa() {
		_ = spec.each(clear) // never fails
		for i := range spec.InitContainers {
			_ = clear(&spec.InitContainers[i].SecurityContext.WindowsOptions, "", "")
		}
		dropped = asked
	}
	if len(annotated(&spec)) > 0 {
		if c.byAnnotation() && c.gmsa() {
			spec.takeAnnotations()
		} else {
			dropped = true
		}
	}
	return spec, dropped
}

// The annotations of the alpha releases (KEP 689).
const (
	podAnnotation       = "pod.alpha.windows.kubernetes.io/gmsa-credential-spec"
	containerAnnotation = ".container.alpha.windows.kubernetes.io/gmsa-credential-spec"
)

// annotated are the annotations of the pod about gMSA.
func annotated(p *Pod) []string {
	return slices.DeleteFunc(sortedKeys(p.Annotations), func(k string) bool { return !strings.Contains(k, ".windows.kubernetes.io/gmsa-credential-spec") })
}

func (p *Pod) takeAnnotations() {
	take := func(o *WindowsOptions, key string) {
		o.GMSACredentialSpecName, o.GMSACredentialSpec = p.Annotations[key+"-name"], p.Annotations[key]
	}
	take(&p.SecurityContext.WindowsOptions, podAnnotation)
	for i := range p.Containers {
		take(&p.Containers[i].SecurityContext.WindowsOptions, p.Containers[i].Name+containerAnnotation)
	}
}

// maxContents is the limit of the API server (apis/core/validation).
const maxContents = 64 << 10

// check is the API server's validation.
func (c *Cluster) check(p *Pod) error {
	fix := func(o *WindowsOptions) string { return withSpecName(validName(o.GMSACredentialSpecName)) }
	if text := invalidName("Pod", p.Name, "metadata.name", p.Name); text != "" {
		return c.findInvalid(text, p.Name, simulator.FlowStep("with", "name", validName(p.Name)))
	}
	return p.each(func(o *WindowsOptions, kind, name string) error {
		path := "spec.securityContext"
		if kind == "container" {
			path = fmt.Sprintf("spec.containers[%d].securityContext", slices.IndexFunc(p.Containers, func(c Container) bool { return c.Name == name }))
		}
		path += ".windowsOptions."
		if n := o.GMSACredentialSpecName; n != "" {
			if text := invalidName("Pod", p.Name, path+"gmsaCredentialSpecName", n); text != "" {
				return c.findInvalid(text, n, fix(o))
			}
		}
		if len(o.GMSACredentialSpec) > maxContents {
			return c.findInvalid(fmt.Sprintf("The Pod %q is invalid: %sgmsaCredentialSpec: Invalid value: gmsaCredentialSpec size must be under 64 KiB", p.Name, path), name, "")
		}
		return nil
	})
}

// ApplyPod is kubectl apply of a pod: it makes the pod, or changes the one that is there. The error is what kubectl prints, with the
// cause. That the pod is made does not mean that it runs: see [Cluster.Describe].
func (c *Cluster) ApplyPod(p Pod) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.find(p.Namespace, p.Name); old != nil {
		spec, _ := c.prepare(p)
		if err := c.update(old, &spec, p); err != nil {
			return err
		}
		c.syncLocked()
		return nil
	}
	made, err := c.create(p, nil)
	result := "created"
	if err != nil {
		result = err.Error()
	}
	c.d.Record("kubectl", "apply pod/"+p.Name, result)
	if err != nil {
		return c.explainRefusal(err, made, fmt.Sprintf("error when creating %q: ", p.Name+".yaml"))
	}
	c.syncLocked()
	return nil
}

func (c *Cluster) update(old *pod, spec *Pod, manifest Pod) error {
	if c.webhook != nil && !slices.Contains(c.disabled, spec.Namespace) {
		err := c.reach("validate")
		if err == nil {
			err = validateUpdate(&old.spec, spec)
		} else if c.webhook.FailurePolicy == policyIgnore {
			err = nil
		}
		if err != nil {
			c.d.Record("kubectl", "apply pod/"+spec.Name, err.Error())
			return c.explainRefusal(err, old, fmt.Sprintf("error when applying patch to %q: ", spec.Name+".yaml"))
		}
	}
	old.manifest, old.spec.Annotations = manifest, spec.Annotations
	return nil
}

// create brings a pod through admission into the cluster.
func (c *Cluster) create(p Pod, owner *deployment) (*pod, error) {
	made := &pod{manifest: p, owner: owner, hooked: c.webhook != nil}
	made.spec, made.dropped = c.prepare(p)
	if err := c.check(&made.spec); err != nil {
		return made, err
	}
	c.made++
	var err error
	if made.expanded, err = c.admit(&made.spec); err != nil {
		return made, err
	}
	for _, k := range made.spec.InitContainers {
		made.inits = append(made.inits, &started{Container: k})
	}
	for _, k := range made.spec.Containers {
		made.mains = append(made.mains, &started{Container: k})
	}
	c.pods = append(c.pods, made)
	return made, nil
}

// uuid is the same for the same seed and order of pods.
func (c *Cluster) uuid() string {
	h := c.digest("uuid")
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	s := hex.EncodeToString(h[:16])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func (c *Cluster) digest(what string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d of seed %d", what, c.made, c.d.Config().Seed))
}

// suffix are characters as generated names have them (apimachinery, util/rand: no vowels).
func suffix(sum []byte) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	s := make([]byte, len(sum))
	for i, b := range sum {
		s[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(s)
}

func (c *Cluster) find(namespace, name string) *pod {
	if namespace == "" {
		namespace = defaultNamespace
	}
	for _, p := range c.pods {
		if p.spec.Namespace == namespace && p.spec.Name == name {
			return p
		}
	}
	return nil
}

// ApplyDeployment is kubectl apply of a deployment. The pods are made by the controller, so what refuses them is not an error here: see
// [Cluster.Describe]. A changed template brings new pods in place of the old ones.
func (c *Cluster) ApplyDeployment(want Deployment) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if want.Namespace == "" {
		want.Namespace = defaultNamespace
	}
	if text := invalidName("Deployment", want.Name, "metadata.name", want.Name); text != "" {
		return c.findInvalid(text, want.Name, simulator.FlowStep("with", "name", validName(want.Name)))
	}
	if want.Replicas == 0 {
		want.Replicas = 1
	}
	d := c.deployment(want.Namespace, want.Name)
	if d == nil {
		d = &deployment{}
		c.deployments = append(c.deployments, d)
	}
	d.Deployment = want
	c.renewPods(d)
	c.d.Record("kubectl", "apply deployment.apps/"+want.Name, "ok")
	c.syncLocked()
	return nil
}

func (c *Cluster) deployment(namespace, name string) *deployment {
	if namespace == "" {
		namespace = defaultNamespace
	}
	for _, d := range c.deployments {
		if d.Namespace == namespace && d.Name == name {
			return d
		}
	}
	return nil
}

// renewPods ends the pods of a deployment, so that the next ones have its template of now.
func (c *Cluster) renewPods(d *deployment) {
	d.generation++
	for _, p := range slices.Clone(c.pods) {
		if p.owner == d {
			c.remove(p)
		}
	}
}

func (c *Cluster) remove(p *pod) {
	p.stop()
	c.pods = slices.DeleteFunc(c.pods, func(o *pod) bool { return o == p })
}

func (p *pod) stop() {
	for _, s := range slices.Concat(p.inits, p.mains) {
		if s.run != nil && s.run.Runs() {
			s.run.Stop()
		}
		s.run = nil
	}
}

// DeletePod is kubectl delete pod. A deployment makes another one.
func (c *Cluster) DeletePod(namespace, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.lookup(namespace, name, 1)
	if err != nil {
		return err
	}
	c.remove(p)
	c.syncLocked()
	return nil
}

// Replace makes pods anew from their manifests: kubectl replace --force for a pod, kubectl rollout restart for deploy/NAME.
func (c *Cluster) Replace(namespace, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if short, ok := strings.CutPrefix(name, "deploy/"); ok {
		d := c.deployment(namespace, short)
		if d == nil {
			return fmt.Errorf("Error from server (NotFound): deployments.apps %q not found", short)
		}
		c.renewPods(d)
		c.syncLocked()
		return nil
	}
	p, err := c.lookup(namespace, name, 1)
	if err != nil {
		return err
	}
	c.remove(p)
	made, err := c.create(p.manifest, p.owner)
	if err != nil {
		return c.explainRefusal(err, made, "")
	}
	c.syncLocked()
	return nil
}

// lookup finds a pod by its name, or with deploy/NAME the pod of a deployment that was made as the nth of those that there are.
func (c *Cluster) lookup(namespace, name string, nth int) (*pod, error) {
	short, ofDeployment := strings.CutPrefix(name, "deploy/")
	if !ofDeployment {
		if p := c.find(namespace, name); p != nil {
			return p, nil
		}
		return nil, fmt.Errorf("Error from server (NotFound): pods %q not found", name)
	}
	d := c.deployment(namespace, short)
	if d == nil {
		return nil, fmt.Errorf("Error from server (NotFound): deployments.apps %q not found", short)
	}
	var own []*pod
	for _, p := range c.pods {
		if p.owner == d {
			own = append(own, p)
		}
	}
	if nth < 1 || nth > len(own) {
		return nil, fmt.Errorf("error: deployment %s has %d pods, and no number %d", short, len(own), nth)
	}
	return own[nth-1], nil
}

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
	labels := map[string]string{"kubernetes.io/os": "windows", "kubernetes.io/hostname": strings.ToLower(n.Name)}
	if n.host == nil {
		labels["kubernetes.io/os"] = "linux"
	}
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
