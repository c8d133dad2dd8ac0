package intake

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// manifest is an object of the API.
type manifest struct {
	doc  *setup.Document
	root *source.Node
	kind string
	name string
}

// objects are the objects of the set; those of a List stand beside it.
func (d *deployer) objects() []manifest {
	var list []manifest
	for _, doc := range d.p.Setup.Documents {
		if kind := doc.Root.Get("kind").String(); doc.Form == setup.FormKubernetes && !strings.HasSuffix(kind, "List") {
			list = append(list, manifest{doc, doc.Root, kind, doc.Root.Get("metadata", "name").String()})
		}
	}
	return list
}

// kubernetes is kubectl apply of the set, in the order in which a person would: credential specs and rights, then what runs.
func (d *deployer) kubernetes() {
	objects := d.objects()
	if len(objects) == 0 {
		return
	}
	nodes := d.nodes()
	if labels := d.labels(objects); len(labels) > 0 {
		for _, n := range nodes {
			n["labels"] = labels
		}
	}
	d.step("S6", flow("kubernetesCluster", args{"nodes": nodes, "webhook": args{}}), "a cluster with %s as a node, and the gMSA webhook", d.host)
	for _, o := range objects {
		if o.kind == "Namespace" && optedOut(o.root) {
			d.step("S5", flow("disableWebhook", o.name), "the namespace %s has the label", o.name)
		}
	}
	specs := d.credentialSpecObjects(objects)
	d.rights(objects, specs)
	for _, o := range objects {
		if template := podTemplate(o); template != nil {
			d.workload(o, template)
		}
	}
	d.unused(specs, objects)
}

// unused gives each GMSACredentialSpec that no pod of the set names a pod.
func (d *deployer) unused(specs []string, objects []manifest) {
	const who = "default/default"
	bound := false
	for _, name := range specs {
		if slices.ContainsFunc(objects, func(o manifest) bool { return names(podTemplate(o), name) }) {
			continue
		}
		if !bound {
			d.allow(who)
			bound = true
		}
		pod := d.name("pod-with-" + name)
		d.report.assume(0, "a pod %s that names the credential spec %s, which its service account may use", pod, name)
		d.step("S6", flow("applyPod", args{"name": strings.ToLower(pod), "securityContext": args{"windowsOptions": args{"gmsaCredentialSpecName": name}}}), "the API server takes the pod %s", pod)
		d.step("S6", flow("describePod", args{"pod": strings.ToLower(pod)}), "the pod %s runs", pod)
		d.look("kubectlExec", args{"pod": strings.ToLower(pod)}, pod)
	}
}

// names tells whether a pod names a GMSACredentialSpec.
func names(pod *source.Node, spec string) bool {
	found := false
	pod.Walk(func(_ []string, n *source.Node) bool {
		found = found || n.Get("gmsaCredentialSpecName").String() == spec
		return !found
	})
	return found
}

// allow lets service accounts use all credential specs.
func (d *deployer) allow(who ...string) {
	const name = "use-credential-specs"
	d.step("S5", flow("applyRole", args{"name": name, "resources": []string{"gmsacredentialspecs"}, "verbs": []string{"use"}}), "a role allows the use")
	d.step("S5", flow("applyRoleBinding", args{"name": name, "role": name, "serviceAccounts": who}), "%s may use them", strings.Join(who, " and "))
}

// labels are what the node has beside what every node has: what the set's pods select by, since somebody must have given it to some node. What
// every node has cannot be chosen.
func (d *deployer) labels(objects []manifest) args {
	labels := args{}
	for _, o := range objects {
		for key, value := range stringMap(podTemplate(o).Get("spec", "nodeSelector")) {
			if name := key[strings.LastIndexByte(key, '/')+1:]; name != "os" && name != "arch" && name != "hostname" {
				labels[key] = value
				d.report.assume(0, "a node has the label %s=%s", key, value)
			}
		}
	}
	return labels
}

// optedOut tells whether a namespace carries a label that keeps the webhook away (windows-gmsa: the deploy template and the chart).
func optedOut(namespace *source.Node) bool {
	labels := namespace.Get("metadata", "labels")
	return labels.Get("gmsa-webhook").String() == "disabled" || text(labels.Get("windows.k8s.io/disabled")) == "true"
}

// text is a scalar as it is written.
func text(n *source.Node) string {
	if n == nil || n.Kind == source.Array || n.Kind == source.Object {
		return ""
	}
	return n.Text
}

// credentialSpecObjects applies the GMSACredentialSpecs of the set, and good ones for names that have none in it. It returns their names.
func (d *deployer) credentialSpecObjects(objects []manifest) (names []string) {
	for _, o := range objects {
		if o.kind != "GMSACredentialSpec" {
			continue
		}
		a := args{"name": o.name}
		if body := o.root.Get("credspec"); body != nil {
			a["credspec"] = rawJSON(body.JSON11())
		}
		d.step("S5", flow("applyCredentialSpec", a), "the API server takes the credential spec %s", o.name)
		names = append(names, o.name)
	}
	if len(names) > 0 {
		return names // what is named and not among them is missing
	}
	for _, o := range objects {
		podTemplate(o).Walk(func(_ []string, n *source.Node) bool {
			name, contents := n.Get("gmsaCredentialSpecName").String(), n.Get("gmsaCredentialSpec")
			if name == "" || slices.Contains(names, name) {
				return true
			}
			a, as := args{"name": name}, "a good one"
			if inline, faults := source.ParseJSON(contents.Inside()); contents.String() != "" && len(faults) == 0 {
				a["credspec"], as = rawJSON(inline.JSON()), "with the contents that the pod has"
			} else if account := d.onlyAccount(); account != "" {
				a["account"], as = account, "a good one of "+account
			}
			d.step("S5", flow("applyCredentialSpec", a), "the cluster has the credential spec %s", name)
			at := n.Span()
			remark(&d.report.Assumed, at.File.Name, at.Start.Line, "the GMSACredentialSpec %s is not among the files: %s", name, as)
			names = append(names, name)
			return true
		})
	}
	return names
}

// rawJSON is a value that is JSON already.
type rawJSON string

// MarshalJSON gives the text.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// rights applies roles and bindings. A set without any is taken for one whose rights are given elsewhere.
func (d *deployer) rights(objects []manifest, specs []string) {
	any := false
	for _, o := range objects {
		namespace := o.root.Get("metadata", "namespace").String()
		switch o.kind {
		case "ClusterRole", "Role":
			any = true
			if o.kind == "ClusterRole" {
				namespace = ""
			}
			for _, rule := range o.root.Get("rules").List() {
				a := args{"name": o.name, "resources": texts(rule.Get("resources")), "verbs": texts(rule.Get("verbs"))}.text("namespace", namespace)
				if groups := texts(rule.Get("apiGroups")); len(groups) > 0 {
					a["apiGroup"] = groups[0]
				}
				if list := texts(rule.Get("resourceNames")); len(list) > 0 {
					a["resourceNames"] = list
				}
				d.step("S5", flow("applyRole", a), "the API server takes the role %s", o.name)
			}
		case "RoleBinding", "ClusterRoleBinding":
			any = true
			if o.kind == "ClusterRoleBinding" {
				namespace = ""
			} else {
				namespace = cmp.Or(namespace, "default")
			}
			a := args{"name": o.name, "role": o.root.Get("roleRef", "name").String(), "serviceAccounts": d.subjects(o.root.Get("subjects"), namespace)}
			d.step("S5", flow("applyRoleBinding", a.text("namespace", namespace)), "the API server takes the binding %s", o.name)
		}
	}
	if any || len(specs) == 0 {
		return
	}
	var who []string
	for _, u := range d.p.Setup.Uses {
		if u.Carrier == setup.Kubernetes && u.Identity != "" && !slices.Contains(who, u.Identity) {
			who = append(who, u.Identity)
		}
	}
	if len(who) == 0 {
		return
	}
	d.allow(who...)
	d.report.assume(0, "no roles are among the files: %s may use the credential specs", strings.Join(who, " and "))
}

// subjects are the service accounts of a binding. Groups of service accounts are those of the set's pods that belong to them.
func (d *deployer) subjects(list *source.Node, namespace string) []string {
	out := []string{}
	for _, s := range list.List() {
		name, in := s.Get("name").String(), cmp.Or(s.Get("namespace").String(), namespace)
		switch s.Get("kind").String() {
		case "ServiceAccount":
			if s.Get("apiGroup").IsEmpty() {
				out = append(out, in+"/"+name)
			}
		case "Group":
			of, ok := strings.CutPrefix(name, "system:serviceaccounts")
			if !ok && name != "system:authenticated" {
				continue
			}
			for _, u := range d.p.Setup.Uses {
				if u.Carrier == setup.Kubernetes && (of == "" || ":"+u.Namespace == of) && !slices.Contains(out, u.Identity) {
					out = append(out, u.Identity)
				}
			}
		}
	}
	return out
}

func texts(n *source.Node) []string {
	list := []string{}
	for _, item := range n.List() {
		list = append(list, text(item))
	}
	return list
}

// podTemplate is the pod of an object: itself, or the first spec below it that has containers and stands in a template.
func podTemplate(o manifest) *source.Node {
	if o.kind == "Pod" {
		return o.root
	}
	var found *source.Node
	o.root.Walk(func(at []string, n *source.Node) bool {
		if found == nil && len(at) > 0 && strings.EqualFold(at[len(at)-1], "template") && n.Get("spec", "containers") != nil {
			found = n
		}
		return found == nil
	})
	return found
}

// workload applies a pod or what makes pods, and looks into the first one.
func (d *deployer) workload(o manifest, template *source.Node) {
	spec := template.Get("spec")
	if !asks(spec) {
		return
	}
	if spec.Get("containers") == nil {
		remark(&d.report.Ignored, o.root.File.Root().Name, o.root.Span().Start.Line, "%s %s: its pods are not described", o.kind, o.name)
		return
	}
	namespace := o.root.Get("metadata", "namespace").String()
	pod := args{}.text("serviceAccountName", cmp.Or(spec.Get("serviceAccountName").String(), spec.Get("serviceAccount").String())).
		text("hostname", spec.Get("hostname").String())
	for _, key := range []string{"nodeSelector"} {
		if m := stringMap(spec.Get(key)); len(m) > 0 {
			pod[key] = m
		}
	}
	if m := stringMap(template.Get("metadata", "annotations")); len(m) > 0 {
		pod["annotations"] = m
	}
	d.options(pod, spec)
	for _, list := range []string{"initContainers", "containers"} {
		var containers []args
		for _, c := range spec.Get(list).List() {
			a := args{"name": c.Get("name").String()}
			if image, err := windows.ParseImage(c.Get("image").String()); err == nil && image.Build != 0 {
				a["image"] = image.String()
			}
			d.options(a, c)
			containers = append(containers, a)
		}
		if len(containers) > 0 {
			pod[list] = containers
		}
	}
	name := cmp.Or(o.name, "pod")
	at := args{"pod": name}.text("namespace", namespace)
	if o.kind == "Pod" {
		pod["name"] = name
		d.step("S6", flow("applyPod", pod.text("namespace", namespace)), "the API server takes the pod %s", name)
	} else {
		replicas := 1
		for _, u := range d.p.Setup.Uses {
			if u.Replicas > replicas && u.File != nil && u.File.Root() == o.root.File.Root() && within(u.Container, o.root) {
				replicas = min(u.Replicas, 100)
			}
		}
		d.step("S6", flow("applyDeployment", args{"name": name, "replicas": replicas, "template": pod}.text("namespace", namespace)), "the API server takes %s %s", strings.ToLower(o.kind), name)
		at["pod"] = "deploy/" + name
	}
	d.step("S6", flow("describePod", at), "the pod of %s runs", name)
	d.look("kubectlExec", at, name)
}

// within tells whether a value is a part of another.
func within(n, of *source.Node) bool {
	return n != nil && n.File == of.File && of.Start <= n.Start && n.End <= of.End
}

// asks tells whether a pod or one of its containers asks for a gMSA.
func asks(spec *source.Node) bool {
	found := false
	spec.Walk(func(at []string, n *source.Node) bool {
		if n.Get("gmsaCredentialSpecName") != nil || n.Get("gmsaCredentialSpec") != nil {
			found = true
		}
		return !found
	})
	return found
}

// options copies the windowsOptions of a pod or container.
func (d *deployer) options(into args, from *source.Node) {
	o := from.Get("securityContext", "windowsOptions")
	a := args{}.text("gmsaCredentialSpecName", o.Get("gmsaCredentialSpecName").String()).text("gmsaCredentialSpec", o.Get("gmsaCredentialSpec").String())
	if user, err := windows.ParseUser(o.Get("runAsUserName").String()); err == nil && user != (windows.User{}) {
		a["runAsUserName"] = o.Get("runAsUserName").String()
	}
	if len(a) > 0 {
		into["securityContext"] = args{"windowsOptions": a}
	}
}

func stringMap(n *source.Node) map[string]string {
	m := map[string]string{}
	for _, member := range n.Map() {
		m[member.Key.Text] = text(member.Value)
	}
	return m
}
