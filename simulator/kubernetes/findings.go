package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// manifestStep writes a step whose argument is an object.
func manifestStep(verb string, object any) string {
	b, err := json.Marshal(object)
	if err != nil {
		panic(err) // the types have nothing that cannot be written
	}
	return verb + ": " + string(b)
}

// withSpecName changes the credential spec that a pod which is being applied asks for, and lets go of contents.
func withSpecName(name string) string {
	return fmt.Sprintf("with: {securityContext: {windowsOptions: {gmsaCredentialSpecName: %q}}}", name)
}

// changed are the steps that bring a pod into the cluster with another manifest: its deployment's, or its own.
func (p *pod) changed(exists bool, change func(*Pod)) []string {
	m := p.manifest.clone()
	change(&m)
	if p.owner != nil {
		d := p.owner.Deployment
		m.Name, m.Namespace = "", ""
		d.Template = m
		return []string{manifestStep("applyDeployment", d)}
	}
	if exists {
		return []string{simulator.FlowStep("deletePod", "pod", m.Name, "namespace", m.Namespace), manifestStep("applyPod", m)}
	}
	return []string{manifestStep("with", m)}
}

// again is the step that makes a pod anew from its manifest, once something else has changed.
func (p *pod) again() string {
	if p.owner != nil {
		return simulator.FlowStep("replacePod", "pod", "deploy/"+p.owner.Name, "namespace", p.owner.Namespace)
	}
	return simulator.FlowStep("replacePod", "pod", p.spec.Name, "namespace", p.spec.Namespace)
}

// applyCommand is the line by which the pod, or the deployment that makes it, is applied after a change of its file.
func (p *pod) applyCommand() string {
	if p.owner != nil {
		return "kubectl apply -f " + p.owner.Name + ".yaml"
	}
	return "kubectl apply -f " + p.spec.Name + ".yaml"
}

// changeCommand is the same for a pod that is there already: most of it cannot be changed.
func (p *pod) changeCommand() string {
	if p.owner != nil {
		return p.applyCommand()
	}
	return "kubectl replace --force -f " + p.spec.Name + ".yaml"
}

func (p *pod) replaceCommand() string {
	if p.owner != nil {
		return "kubectl rollout restart deployment/" + p.owner.Name
	}
	return "kubectl replace --force -f " + p.spec.Name + ".yaml"
}

// settings are the first options of a pod that ask for a gMSA, with the object's kind and name.
func (p *Pod) settings() (found WindowsOptions, kind, name string) {
	_ = p.each(func(o *WindowsOptions, k, n string) error { // f never fails
		if kind == "" && (o.GMSACredentialSpecName != "" || o.GMSACredentialSpec != "") {
			found, kind, name = *o, k, n
		}
		return nil
	})
	return found, kind, name
}

// explainRefusal puts an answer of the API server into kubectl's words, with its cause. prefix is what kubectl or a controller says before it.
func (c *Cluster) explainRefusal(err error, p *pod, prefix string) error {
	if _, done := diag.Of(err); done {
		return err
	}
	if e, ok := errors.AsType[*callError](err); ok {
		return c.findCall(e, fmt.Errorf("Error from server (InternalError): %s%w", prefix, err))
	}
	if e, ok := errors.AsType[*deniedError](err); ok {
		return c.findDenied(e, p, fmt.Errorf("Error from server: %s%w", prefix, err))
	}
	return err
}

func (c *Cluster) findDenied(e *deniedError, p *pod, cause error) error {
	f := diag.Finding{SeenAs: []string{e.text}, Facts: []diag.Fact{{Name: "webhook", Value: fmt.Sprintf("%d %s", e.code, e.text)}}}
	options, _, _ := p.spec.settings()
	rename := func(to string) []string {
		return p.changed(false, func(m *Pod) {
			_ = m.each(func(o *WindowsOptions, _, _ string) error { // f never fails
				if o.GMSACredentialSpecName == e.spec || e.refused == contentsNameless && o.GMSACredentialSpec != "" {
					o.GMSACredentialSpecName, o.GMSACredentialSpec = to, ""
				}
				return nil
			})
		})
	}
	switch e.refused {
	case specAbsent, specWithoutKey:
		f.Code, f.Mode = diag.CredentialSpecObject, "k8s-credspec-not-found"
		f.Because = "the webhook takes the contents from the object that the pod names; objects of this kind belong to no namespace, and names are compared letter by letter"
		known := sortedKeys(c.specs)
		f.Facts = append(f.Facts, diag.Fact{Name: "objects", Value: strings.Join(known, ", ")})
		if e.refused == specWithoutKey {
			f.Mode = "k8s-credspec-no-key"
			f.Because = "the contents are the member credspec at the top of the object; another place, such as spec, is dropped by the API server without a word"
		} else if near := diag.Nearest(e.spec, known); near != "" {
			f.Nearest = []diag.Near{{Wanted: e.spec, Closest: near}}
			f.Help = append(f.Help, diag.Help{Text: "name the object that there is, " + near, Command: p.applyCommand(), Do: rename(near)})
		}
		help := diag.Help{Text: "make the object with the contents of a credential spec", Command: "kubectl apply -f " + e.spec + ".yaml"}
		if a := c.accountFor(e.spec); a != "" {
			help.Do = []string{simulator.FlowStep("applyCredentialSpec", "name", e.spec, "account", a)}
		}
		f.Help = append(f.Help, help)
	case useDenied:
		f.Code, f.Mode = diag.UseNotAllowed, "k8s-rbac-use-missing"
		f.Facts = append(f.Facts, diag.Fact{Name: "service account", Value: p.spec.Namespace + "/" + p.spec.ServiceAccountName}, diag.Fact{Name: "roles", Value: c.rolesAbout(p, e.spec)})
		f.Because = "the webhook asks for the verb use on the object at cluster scope, in the name of the pod's service account and in the pod's namespace; get or list do not count, nor does a binding in another namespace"
		role := "use-" + e.spec
		f.Help = []diag.Help{{Text: "let the service account use the object",
			Command: fmt.Sprintf("kubectl create clusterrole %s --verb=use --resource=%s.%s --resource-name=%s; kubectl create rolebinding %s --clusterrole=%s --serviceaccount=%s:%s -n %s",
				role, apiResource, apiGroup, e.spec, role, role, p.spec.Namespace, p.spec.ServiceAccountName, p.spec.Namespace),
			Do: []string{simulator.FlowStep("applyRole", "name", role, "resources", []string{apiResource}, "verbs", []string{"use"}, "resourceNames", []string{e.spec}),
				simulator.FlowStep("applyRoleBinding", "name", role, "namespace", p.spec.Namespace, "role", role, "serviceAccounts", []string{p.spec.ServiceAccountName})}}}
	case contentsDiffer:
		f.Code, f.Mode = diag.PodSettingsRefused, "k8s-contents-mismatch"
		f.Because = "contents may stand in the pod only when they are those of the object, so that nobody brings along a credential spec that was not released"
		f.Help = []diag.Help{{Text: "leave the contents out; the webhook fills them in", Command: p.applyCommand(), Do: rename(e.spec)}}
	case contentsNameless:
		f.Code, f.Mode = diag.PodSettingsRefused, "k8s-contents-without-name"
		f.Because = "the right to use a credential spec is a right to an object, so the pod has to name one"
		help := diag.Help{Text: "name the object and leave the contents out", Command: p.applyCommand()}
		for _, name := range sortedKeys(c.specs) {
			want, err := c.contents(name)
			if same, bad := consumer.WebhookContents(options.GMSACredentialSpec, want); err == nil && (bad == nil && same || len(c.specs) == 1) {
				help.Do = rename(name)
			}
		}
		f.Help = []diag.Help{help}
	case updateForbidden:
		f.Code, f.Mode = diag.PodSettingsRefused, "k8s-update-forbidden"
		f.SeenAs = append(f.SeenAs, fmt.Sprintf("The Pod %q is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`…", p.spec.Name))
		f.Because = "the credential goes to the containers when they are made, so a pod keeps its credential spec for life"
		f.Help = []diag.Help{{Text: "make the pod anew", Command: "kubectl replace --force -f " + p.spec.Name + ".yaml",
			Do: []string{simulator.FlowStep("deletePod", "pod", p.spec.Name, "namespace", p.spec.Namespace)}}}
	}
	return f.With(cause)
}

// rolesAbout says in words what the bindings give the pod's service account.
func (c *Cluster) rolesAbout(p *pod, spec string) string {
	var list []string
	for _, b := range c.bindings {
		home := b.Namespace
		if home == "" {
			home = defaultNamespace
		}
		if !slices.ContainsFunc(b.ServiceAccounts, func(a string) bool { return qualified(home, a) == p.spec.Namespace+"/"+p.spec.ServiceAccountName }) {
			continue
		}
		where := ""
		if b.Namespace != "" {
			where = " in " + b.Namespace
		}
		list = append(list, b.Role+where)
	}
	if list == nil {
		return "none is bound to it"
	}
	return strings.Join(list, ", ")
}

// accountFor guesses the service account that an object is about: the one of its name, or the only one.
func (c *Cluster) accountFor(spec string) string {
	accounts := c.d.Config().ServiceAccounts
	var list []string
	for _, a := range accounts {
		if strings.EqualFold(strings.TrimPrefix(strings.ToLower(spec), "gmsa-"), a.Name) {
			return a.Name
		}
		list = append(list, a.Name)
	}
	if len(list) == 1 {
		return list[0]
	}
	return diag.Nearest(spec, list)
}

func (c *Cluster) findCall(e *callError, cause error) error {
	// guess: the event of the ReplicaSet begins as the error of the API server does
	f := diag.Finding{Code: diag.WebhookUnreachable, Mode: "k8s-webhook-down", SeenAs: []string{e.Error(), "Warning  FailedCreate  replicaset-controller  Error creating: Internal error occurred: failed calling webhook"},
		Facts:   []diag.Fact{{Name: "failurePolicy", Value: policyFail}, {Name: "answer", Value: e.text}},
		Because: "with failurePolicy Fail the API server makes no pod that the webhook has not seen, also none that has nothing to do with a gMSA",
		Help: []diag.Help{{Text: "bring the webhook back", Command: "kubectl -n " + webhookNamespace + " scale deployment " + webhookService + " --replicas=2",
			Do: []string{"scaleWebhook: 2"}}}}
	if e.x509 {
		f.Mode = "k8s-webhook-x509"
		f.Facts = append(f.Facts, diag.Fact{Name: "issuer", Value: c.webhook.issuer}, diag.Fact{Name: "caBundle", Value: c.webhook.caBundle}, diag.Fact{Name: "notAfter", Value: c.webhook.notAfter.UTC().Format("2006-01-02 15:04Z")})
		f.Because = "the API server checks the webhook's certificate against caBundle in the webhook configurations, and its dates against its own clock"
		f.Help = []diag.Help{{Text: "issue a new certificate and put its CA into both webhook configurations", Command: "helm upgrade --install gmsa windows-gmsa/gmsa", Do: []string{"renewWebhookCertificate: {}"}}}
	}
	return f.With(cause)
}

func (c *Cluster) findNotSigned(cause error, signer string) error {
	f := diag.Finding{Code: diag.WebhookNotInstalled, Mode: "k8s-webhook-csr-signer", SeenAs: []string{cause.Error()},
		Facts:   []diag.Fact{{Name: "asked", Value: signer}, {Name: "signers", Value: strings.Join(c.signers, ", ")}},
		Because: "approving a certificate request signs nothing: a signer of the cluster does, and none goes by the name in the request",
		Help:    []diag.Help{{Text: "issue the certificate with cert-manager, or ask a signer that the cluster has", Command: "kubectl get csr " + csrName + " -o yaml"}}}
	for _, s := range c.signers {
		f.Help = append(f.Help, diag.Help{Text: "ask the signer " + s + " in the request", Command: "kubectl apply -f " + csrName + ".yaml; kubectl certificate approve " + csrName, Do: []string{simulator.FlowStep("with", "signerName", s)}})
	}
	return f.With(cause)
}

func (c *Cluster) findNoCRD(name string) error {
	// kubectl, resource builder and discovery
	text := `error: the server doesn't have a resource type "gmsacredentialspecs"`
	if name != "" {
		text = fmt.Sprintf("error: resource mapping not found for name: %q namespace: \"\" from %q: no matches for kind \"GMSACredentialSpec\" in version \"windows.k8s.io/v1\"\nensure CRDs are installed first", name, name+".yaml")
	}
	return diag.Finding{Code: diag.APIServerRefuses, Mode: "k8s-no-webhook", SeenAs: []string{text},
		Because: "GMSACredentialSpec is a custom resource that comes with the webhook, not a part of Kubernetes",
		Help:    []diag.Help{{Text: "install the CRD and the webhook", Command: "helm install gmsa windows-gmsa/gmsa", Do: []string{"installWebhook: {}"}}}}.With(errors.New(text))
}

// findInvalid is a refusal of the API server's own validation; fix is a step, "" for none.
func (c *Cluster) findInvalid(text, name, fix string) error {
	f := diag.Finding{Code: diag.APIServerRefuses, SeenAs: []string{text}, Facts: []diag.Fact{{Name: "name", Value: name}},
		Because: "the API server checks an object before anything else sees it"}
	if strings.Contains(text, subdomainRule) {
		f.Mode = "k8s-name-case"
		f.Because = "names of objects are DNS names in lower case; the sample of the documentation, gmsa-WebApp1, is none"
		f.Help = []diag.Help{{Text: "write the name in lower case, here and wherever it is referred to", Command: "kubectl apply -f " + validName(name) + ".yaml"}}
		if fix != "" {
			f.Help[0].Do = []string{fix}
		}
	} else {
		f.Help = []diag.Help{{Text: "quote the values: each is a text, PluginInput included", Command: "kubectl apply -f " + name + ".yaml"}}
		if fix != "" {
			f.Help[0].Do = []string{fix}
		}
	}
	return f.With(errors.New(text))
}

// eventMessage is an error in the words of an event of a pod.
type eventMessage string

func (m eventMessage) Error() string { return string(m) }

// findNotRunning tells why a pod has no node.
func (c *Cluster) findNotRunning(p *pod) error {
	if p.node != nil && p.node.host == nil {
		// guess: the words are containerd's for a list of images that has none for Linux
		text := "Failed to pull image: no matching manifest for linux/amd64 in the manifest list entries"
		return diag.Finding{Code: diag.NoSuitableNode, SeenAs: []string{text, "ImagePullBackOff"}, Facts: []diag.Fact{{Name: "node", Value: p.node.Name}},
			Because: "nothing ties the pod to Windows, and the scheduler does not look into images",
			Help: []diag.Help{{Text: `choose Windows nodes, with nodeSelector: {"kubernetes.io/os": windows}`, Command: p.changeCommand(),
				Do: p.changed(true, func(m *Pod) { m.NodeSelector = map[string]string{"kubernetes.io/os": "windows"} })}}}.With(eventMessage(text))
	}
	// guess: a newer scheduler counts each reason by itself and tells of preemption; here one reason stands for all
	text := fmt.Sprintf("0/%d nodes are available: %d node(s) didn't match Pod's node affinity/selector or were unschedulable.", len(c.nodes), len(c.nodes))
	f := diag.Finding{Code: diag.NoSuitableNode, SeenAs: []string{text, "Warning  FailedScheduling  default-scheduler"},
		Because: "a pod goes to nodes that have all labels of its selector and are not cordoned", Help: []diag.Help{{Text: "look at the labels", Command: "kubectl get nodes --show-labels"}}}
	for _, n := range c.nodes {
		if n.Unschedulable && n.fits(p.spec.NodeSelector) {
			f.Help = append(f.Help, diag.Help{Text: "let pods onto " + n.Name, Command: "kubectl uncordon " + strings.ToLower(n.Name), Do: []string{simulator.FlowStep("uncordonNode", "", n.Name)}})
		}
	}
	return f.With(fmt.Errorf("%w: %s", errUnschedulable, text))
}
