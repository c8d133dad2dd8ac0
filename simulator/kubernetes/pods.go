package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
