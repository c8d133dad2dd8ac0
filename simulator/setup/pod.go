package setup

import (
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Pod is a pod, or the template of the pods that an object makes.
type Pod struct {
	Document *Document
	// Object is the whole object and Kind its kind, "" for a fragment without one.
	Object *source.Node
	Kind   string
	// Template has the pod's metadata and spec; nil when a kind that is not known holds the spec alone.
	Template *source.Node
	// Spec is the pod's.
	Spec *source.Node
	// Path is where the spec stands in its object, as the API server writes it: spec.template.spec.
	Path string
	// Known is false for a template that was found by its windowsOptions inside a kind that is not one of Kubernetes.
	Known bool
	// Options are the pod's windowsOptions; nil: none.
	Options *source.Node
	// Containers are those of all three lists, in the order of the lists.
	Containers []*Container
	// Replicas is the number that is asked for; 0: not told, which is one.
	Replicas int
	// Namespace is the object's; "" when the file leaves it to the client.
	Namespace string
	// Account is the service account's name: "default" when none is named.
	Account string
	// AccountNode names it; nil: nothing does.
	AccountNode *source.Node
}

// ContainerClass is the list of a pod that a container is in.
type ContainerClass string

// The lists.
const (
	Main      ContainerClass = "containers"
	Init      ContainerClass = "initContainers"
	Ephemeral ContainerClass = "ephemeralContainers"
)

// Container is a container of a pod.
type Container struct {
	Pod   *Pod
	Class ContainerClass
	Node  *source.Node
	Name  string
	Index int // in its list
	// Options are the container's own windowsOptions; nil: none.
	Options *source.Node
}

// Option is a member of windowsOptions as it counts for the container: its own before the pod's, each for itself
// (k8s.io/kubernetes pkg/securitycontext.DetermineEffectiveSecurityContext).
func (c *Container) Option(key string) *source.Node {
	if n := option(c.Options, key); n != nil {
		return n
	}
	return option(c.Pod.Options, key)
}

// Option is a member of the pod's own windowsOptions, nil when it is absent or null.
func (p *Pod) Option(key string) *source.Node { return option(p.Options, key) }

// Own is a member of the container's own windowsOptions, nil when it is absent or null.
func (c *Container) Own(key string) *source.Node { return option(c.Options, key) }

func option(options *source.Node, key string) *source.Node {
	if n := options.Get(key); n != nil && n.Kind != source.Null {
		return n
	}
	return nil
}

// The members of windowsOptions.
const (
	OptionName     = "gmsaCredentialSpecName"
	OptionContents = "gmsaCredentialSpec"
	OptionUser     = "runAsUserName"
	OptionHost     = "hostProcess"
)

// HasIdentity tells whether the pod or one of its containers has a credential spec.
func (p *Pod) HasIdentity() bool {
	if p.Option(OptionName) != nil || p.Option(OptionContents) != nil {
		return true
	}
	for _, c := range p.Containers {
		if c.Own(OptionName) != nil || c.Own(OptionContents) != nil {
			return true
		}
	}
	return false
}

// Metadata is that of the pod, as far as the object has it.
func (p *Pod) Metadata() *source.Node { return p.Template.Get("metadata") }

// podPaths is where an object of a kind has the template of its pods.
var podPaths = map[string][]string{
	"Pod":                   {},
	"PodTemplate":           {"template"},
	"Deployment":            {"spec", "template"},
	"StatefulSet":           {"spec", "template"},
	"DaemonSet":             {"spec", "template"},
	"ReplicaSet":            {"spec", "template"},
	"ReplicationController": {"spec", "template"},
	"Job":                   {"spec", "template"},
	"CronJob":               {"spec", "jobTemplate", "spec", "template"},
}

// podsOf are the pods of an object. Of a kind that is not known they are found by their windowsOptions, wherever they stand.
func podsOf(d *Document) []*Pod {
	kind := kindOf(d.Root)
	if path, ok := podPaths[kind]; ok {
		template := d.Root.Get(path...)
		if spec := template.Get("spec"); spec != nil && spec.Kind == source.Object {
			p := newPod(d, template, spec, true)
			p.Path = strings.Join(append(path[:len(path):len(path)], "spec"), ".")
			return []*Pod{p}
		}
	}
	switch {
	case kind == "CustomResourceDefinition" || strings.HasSuffix(kind, "List") || kind == KindGMSACredentialSpec:
		return nil // a schema that has the word, what has its own documents, what has no pod
	}
	var list []*Pod
	find(d, d.Root, nil, &list)
	return list
}

// find looks for what is a pod's spec by its look: it has windowsOptions in its securityContext, or containers of which one has.
func find(d *Document, n, parent *source.Node, list *[]*Pod) {
	if n == nil {
		return
	}
	if n.Kind == source.Object {
		p := newPod(d, nil, n, false)
		found := p.Options != nil
		for _, c := range p.Containers {
			found = found || c.Options != nil
		}
		if !found {
			if o := n.Get("windowsOptions"); o != nil && o.Kind == source.Object { // a security context that is not called so
				p.Options, found = o, true
			}
		}
		if found {
			if parent.Get("spec") == n && parent.Get("metadata") != nil {
				p.Template = parent
			}
			*list = append(*list, p)
			return
		}
	}
	for _, m := range n.Members {
		find(d, m.Value, n, list)
	}
	for _, item := range n.Items {
		find(d, item, n, list)
	}
}

func newPod(d *Document, template, spec *source.Node, known bool) *Pod {
	p := &Pod{Document: d, Object: d.Root, Kind: kindOf(d.Root), Template: template, Spec: spec, Path: "spec", Known: known, Namespace: d.Root.Get("metadata", "namespace").String(), Account: "default"}
	if options := spec.Get("securityContext", "windowsOptions"); options != nil && options.Kind == source.Object {
		p.Options = options
	}
	for _, key := range []string{"serviceAccountName", "serviceAccount"} {
		if n := spec.Get(key); n.String() != "" {
			p.Account, p.AccountNode = n.Text, n
			break
		}
	}
	for _, class := range []ContainerClass{Main, Init, Ephemeral} {
		for i, n := range spec.Get(string(class)).List() {
			c := &Container{Pod: p, Class: class, Index: i, Node: n, Name: n.Get("name").String()}
			if options := n.Get("securityContext", "windowsOptions"); options != nil && options.Kind == source.Object {
				c.Options = options
			}
			p.Containers = append(p.Containers, c)
		}
	}
	replicas := d.Root.Get("spec", "replicas")
	if p.Kind == "Job" {
		replicas = d.Root.Get("spec", "parallelism")
	}
	if replicas != nil && replicas.Kind == source.Number && p.Kind != "Pod" {
		p.Replicas, _ = strconv.Atoi(replicas.Text)
	}
	return p
}

// OS is "windows", "linux" or "" and the value that tells it: spec.os, what the scheduler goes by, or the images.
func (p *Pod) OS() (os string, told *source.Node) {
	if n := p.Spec.Get("os", "name"); n.String() != "" {
		return n.Text, n
	}
	if os, n := p.NodeOS(); os != "" {
		return os, n
	}
	for _, c := range p.Containers {
		if os, _ := ImageOS(c.Node.Get("image").String()); os != "" {
			return os, c.Node.Get("image")
		}
	}
	return "", nil
}

// NodeOS is the operating system of the nodes that the scheduler may choose, by node selector or required node affinity, and the value that
// tells it; "" when neither does.
func (p *Pod) NodeOS() (os string, told *source.Node) {
	for _, key := range []string{"kubernetes.io/os", "beta.kubernetes.io/os"} {
		if n := p.Spec.Get("nodeSelector", key); n.String() != "" {
			return n.Text, n
		}
	}
	if n := p.Spec.Get("nodeSelector", "node.kubernetes.io/windows-build"); n != nil {
		return "windows", n
	}
	// One term is enough for a node: all of them have to say it.
	for _, term := range p.Spec.Get("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms").List() {
		one, n := termOS(term)
		if one == "" || told != nil && one != os {
			return "", nil
		}
		os, told = one, n
	}
	return os, told
}

func termOS(term *source.Node) (string, *source.Node) {
	for _, e := range term.Get("matchExpressions").List() {
		switch e.Get("key").String() {
		case "kubernetes.io/os", "beta.kubernetes.io/os":
			if values := e.Get("values").List(); e.Get("operator").String() == "In" && len(values) == 1 {
				return values[0].String(), values[0]
			}
		case "node.kubernetes.io/windows-build":
			return "windows", e.Get("key")
		}
	}
	return "", nil
}

// release is the Windows Server release that the node selector or a container's image tells.
func (p *Pod) release(c *Container) string {
	build := p.Spec.Get("nodeSelector", "node.kubernetes.io/windows-build").String()
	for prefix, release := range map[string]string{"10.0.14393": "ltsc2016", "10.0.17763": "ltsc2019", "10.0.20348": "ltsc2022", "10.0.26100": "ltsc2025"} {
		if strings.HasPrefix(build, prefix) {
			return release
		}
	}
	if c == nil {
		return ""
	}
	_, release := ImageOS(c.Node.Get("image").String())
	return release
}

// uses are the containers that get a credential spec, each once; a fragment without containers is one itself.
func (p *Pod) uses() []*Use {
	documents := map[*source.Node]*credspec.Document{} // contents that several containers have from the pod are one document
	inline := func(n *source.Node) *credspec.Document {
		if n.String() == "" {
			return nil
		}
		if documents[n] == nil {
			documents[n] = credspec.Read(n.Inside())
		}
		return documents[n]
	}
	os, _ := p.OS()
	use := func(c *Container, name, contents, user, where *source.Node) *Use {
		u := &Use{
			Carrier: Kubernetes, File: p.Document.File, Where: where, Source: FromObject, Option: name, Value: name.String(),
			Hostname: p.Spec.Get("hostname"), User: user, OS: os, Release: p.release(c), Replicas: p.Replicas,
			Identity: p.Account, Namespace: p.Namespace, Pod: p,
		}
		if p.Namespace != "" {
			u.Identity = p.Namespace + "/" + p.Account
		}
		if c != nil {
			u.Name, u.Container, u.Image, u.Class = c.Name, c.Node, c.Node.Get("image"), c.Class
		}
		if contents != nil {
			u.Source, u.Spec = FromInline, inline(contents)
			if name == nil {
				u.Option = contents
			}
		}
		return u
	}
	var list []*Use
	for _, c := range p.Containers {
		name, contents := c.Option(OptionName), c.Option(OptionContents)
		if name == nil && contents == nil {
			continue
		}
		where := name
		if where == nil {
			where = contents
		}
		list = append(list, use(c, name, contents, c.Option(OptionUser), where))
	}
	if name, contents := p.Option(OptionName), p.Option(OptionContents); len(p.Containers) == 0 && (name != nil || contents != nil) {
		where := name
		if where == nil {
			where = contents
		}
		list = append(list, use(nil, name, contents, p.Option(OptionUser), where))
	}
	return list
}
