package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// The webhook's name, as kubectl shows it, and the limits of the API server (k8s.io/kubernetes pkg/apis/core/validation).
const (
	gmsaWebhook    = "admission-webhook.windows-gmsa.sigs.k8s.io"
	maxContents    = credspec.MaxInline
	maxNetBIOSName = 15
	windowsLabel   = "kubernetes.io/os: windows"
)

var podRules = []*Rule{
	{
		ID: "k8s-name-invalid", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "gmsaCredentialSpecName is no name that an object can have",
		Why:    "The API server refuses the pod: the name has to be a subdomain of RFC 1123, small letters, digits, - and . (k8s.io/kubernetes, validateWindowsSecurityContextOptions).",
		Repair: "write the name of the GMSACredentialSpec, in small letters",
		Bad:    "gmsaCredentialSpecName: gmsa-Webapp1", Good: "gmsaCredentialSpecName: gmsa-webapp1",
		run: (*run).podName,
	},
	{
		ID: "k8s-ref-missing", Group: "k8s", Severity: Error, Needs: []How{CrossFile}, Targets: []Target{TargetK8s}, YieldsTo: []string{"k8s-name-invalid"},
		Title:  "a pod names a GMSACredentialSpec that is not among the files",
		Why:    "The webhook refuses a pod whose credential spec does not exist (windows-gmsa, kube_client.go): nothing starts.",
		Repair: "write the name of a GMSACredentialSpec that exists",
		Bad:    "gmsaCredentialSpecName: k8s # and the resource is called gmsa-k8s", Good: "gmsaCredentialSpecName: gmsa-k8s",
		run: (*run).podReference,
	},
	{
		ID: "k8s-inline-only", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a pod has the contents of a credential spec without the name of one",
		Why:    "Contents without a name are refused by the webhook, level by level: there is no object whose use a role could allow (windows-gmsa, webhook.go).",
		Repair: "name a GMSACredentialSpec in gmsaCredentialSpecName, and leave the contents to the webhook",
		Bad:    "windowsOptions:\n  gmsaCredentialSpec: '{…}'", Good: "windowsOptions:\n  gmsaCredentialSpecName: webapp",
		run: (*run).podInlineOnly,
	},
	{
		ID: "k8s-inline-mismatch", Group: "k8s", Severity: Error, Needs: []How{CrossFile}, Targets: []Target{TargetK8s}, YieldsTo: []string{"k8s-inline-syntax"},
		Title:  "the contents in a pod differ from the GMSACredentialSpec that it names",
		Why:    "The webhook compares both as JSON values and refuses the pod when they differ (windows-gmsa, compareCredSpecContents).",
		Repair: "leave the contents out: the webhook fills in those of the resource",
		Bad:    "gmsaCredentialSpecName: webapp\ngmsaCredentialSpec: '{… \"MachineAccountName\": \"other\" …}'", Good: "gmsaCredentialSpecName: webapp",
		run: (*run).podMismatch,
	},
	{
		ID: "k8s-inline-syntax", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the contents of the credential spec in a pod are not a JSON object",
		Why:    "The webhook reads the text with encoding/json before it compares, and refuses the pod (windows-gmsa, compareCredSpecContents).",
		Repair: "leave the contents out and name a GMSACredentialSpec: the webhook fills them in",
		Bad:    `gmsaCredentialSpec: "credspec contents"`, Good: "gmsaCredentialSpecName: webapp",
		run: (*run).podSyntax,
	},
	{
		ID: "k8s-inline-empty", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "gmsaCredentialSpec is an empty text",
		Why:    "An empty text is refused by the API server, unlike a member that is not there (k8s.io/kubernetes, validateWindowsSecurityContextOptions).",
		Repair: "leave the member out: the webhook fills it in",
		Bad:    `gmsaCredentialSpec: ""`, Good: "gmsaCredentialSpecName: webapp",
		run: (*run).podEmpty,
	},
	{
		ID: "k8s-inline-too-large", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the contents of the credential spec are too long for a pod",
		Why:    "The API server takes 65,536 bytes, and refuses one more (k8s.io/kubernetes, maxGMSACredentialSpecLength).",
		Repair: "name a GMSACredentialSpec instead, or leave accounts out that the container does not need",
		Bad:    "gmsaCredentialSpec: '{… 70 KB …}'", Good: "gmsaCredentialSpecName: webapp",
		run: (*run).podTooLarge,
	},
	{
		ID: "k8s-init-container", Group: "k8s", Severity: Warning, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a credential spec on an init or ephemeral container",
		Why:    "The webhook looks at the pod and at containers, not at initContainers and ephemeralContainers (windows-gmsa, iterateOverWindowsSecurityOptions): a name there is never replaced by contents, and contents there are checked by nobody, so that no right to use them is needed.",
		Repair: "name the credential spec at the pod",
		Bad:    "initContainers:\n- securityContext: {windowsOptions: {gmsaCredentialSpecName: webapp}}", Good: "securityContext: {windowsOptions: {gmsaCredentialSpecName: webapp}}\ninitContainers:\n- name: wait",
		run: (*run).podInit,
	},
	{
		ID: "k8s-container-override", Group: "k8s", Severity: Info, Needs: []How{Offline}, Targets: []Target{TargetK8s}, YieldsTo: []string{"k8s-name-invalid", "k8s-ref-missing"},
		Title:  "a container has another credential spec than its pod",
		Why:    "What stands at the container counts there (Kubernetes, Configure GMSA for Windows Pods and containers).",
		Repair: "name it in one place when it is not on purpose",
		Bad:    "securityContext: {windowsOptions: {gmsaCredentialSpecName: a}}\ncontainers:\n- securityContext: {windowsOptions: {gmsaCredentialSpecName: b}}", Good: "containers:\n- securityContext: {windowsOptions: {gmsaCredentialSpecName: b}}",
		run: (*run).podOverride,
	},
	{
		ID: "k8s-sidecar-exposed", Group: "k8s", Severity: Info, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "every container of the pod has the identity",
		Why:    "What stands at the pod is for all of its containers: the one beside the application can act as the account too (Kubernetes, Configure GMSA for Windows Pods and containers).",
		Repair: "name the credential spec at the container that needs it",
		Bad:    "securityContext: {windowsOptions: {gmsaCredentialSpecName: webapp}}\ncontainers:\n- name: web\n- name: log-shipper", Good: "containers:\n- name: web\n  securityContext: {windowsOptions: {gmsaCredentialSpecName: webapp}}\n- name: log-shipper",
		run: (*run).podSidecar,
	},
	{
		ID: "k8s-serviceaccount-field", Group: "k8s", Severity: Warning, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the service account stands in the deprecated field serviceAccount",
		Why:    "serviceAccount is the old name of serviceAccountName, which the webhook asks for; the API server still copies the one into the other (k8s.io/api, PodSpec.DeprecatedServiceAccount).",
		Repair: "write serviceAccountName",
		Bad:    "serviceAccount: webapp", Good: "serviceAccountName: webapp",
		run: (*run).podServiceAccount,
	},
	{
		ID: "k8s-workload-apiversion", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the API version of the object was removed",
		Why:    "Kubernetes 1.16 removed extensions/v1beta1, apps/v1beta1 and apps/v1beta2, 1.22 the beta versions of roles, webhooks and CustomResourceDefinitions, 1.25 batch/v1beta1 (Kubernetes, Deprecated API Migration Guide).",
		Repair: "write the version that is served",
		Bad:    "apiVersion: apps/v1beta1\nkind: Deployment", Good: "apiVersion: apps/v1\nkind: Deployment",
		run: (*run).podVersion,
	},
	{
		ID: "k8s-node-selector", Group: "k8s", Severity: Warning, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "nothing ties the pod to nodes with Windows",
		Why:    "The scheduler may choose a node with Linux, where the pod never starts. It goes by nodeSelector, affinity and RuntimeClass; spec.os is not among them (Kubernetes, Guide for Running Windows Containers).",
		Repair: "add nodeSelector: {kubernetes.io/os: windows}",
		Bad:    "spec:\n  containers: [{name: web}]", Good: "spec:\n  nodeSelector: {kubernetes.io/os: windows}\n  containers: [{name: web}]",
		run: (*run).podNode,
	},
	{
		ID: "k8s-os-name", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "windowsOptions in a pod that says it is for another system",
		Why:    "The API server refuses windowsOptions in a pod with os.name: linux, and every os.name but linux and windows (k8s.io/kubernetes, validateLinux, validateOS).",
		Repair: "write os: {name: windows}",
		Bad:    "os: {name: linux}\nsecurityContext: {windowsOptions: {gmsaCredentialSpecName: webapp}}", Good: "os: {name: windows}\nsecurityContext: {windowsOptions: {gmsaCredentialSpecName: webapp}}",
		run: (*run).podOS,
	},
	{
		ID: "k8s-hostprocess", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a HostProcess container with a credential spec",
		Why:    "A HostProcess container runs as a process of the host, under an account of the host: there is no container of Windows that could have the identity (Kubernetes, Create a Windows HostProcess Pod, knows no gMSA).",
		Repair: "leave one of the two out",
		Bad:    "windowsOptions:\n  hostProcess: true\n  gmsaCredentialSpecName: webapp", Good: "windowsOptions:\n  gmsaCredentialSpecName: webapp",
		run: (*run).podHostProcess,
	},
	{
		ID: "run-as-local-user", Group: "k8s", Severity: Warning, Needs: []How{Offline},
		Title:  "the container runs as one of its own local users",
		Why:    "The identity belongs to the container's computer account: processes of Network Service and Local System have it in the network, those of the local users ContainerUser and ContainerAdministrator do not (Microsoft, Run a container with a gMSA).",
		Repair: `run it as NT AUTHORITY\NETWORK SERVICE, or as NT AUTHORITY\SYSTEM`,
		Bad:    "runAsUserName: ContainerUser", Good: `runAsUserName: NT AUTHORITY\NETWORK SERVICE`,
		run: (*run).localUser,
	},
	{
		ID: "k8s-hostname-length", Group: "k8s", Severity: Warning, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the host name of the pod is longer than a NetBIOS name",
		Why:    "Windows cuts a computer's name at 15 characters for everything that goes by NetBIOS, Netlogon's sessions too ([MS-NBTE] 2.2.1).",
		Repair: "choose a host name of at most 15 characters",
		Bad:    "hostname: web-frontend-production", Good: "hostname: web-frontend",
		run: (*run).hostnameLength,
	},
	{
		ID: "k8s-hostname-shared", Group: "k8s", Severity: Warning, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "several pods have one fixed host name",
		Why:    "Containers with one account and one host name take each other's secure channel away (microsoft/Windows-Containers issue 405); the webhook's random host names leave a name alone that is set.",
		Repair: "leave the host name out, and set RANDOM_HOSTNAME (the chart's randomHostname) of the webhook",
		Bad:    "replicas: 3\ntemplate: {spec: {hostname: webapp01}}", Good: "replicas: 3\ntemplate: {spec: {}}",
		run: (*run).hostnameShared,
	},
	{
		ID: "k8s-alpha-annotation", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the credential spec stands in an annotation of Kubernetes 1.14",
		Why:    "The annotations were the alpha form of the feature; since 1.16 only windowsOptions count, and annotations are ignored without a word (KEP 689).",
		Repair: "name the credential spec in securityContext.windowsOptions.gmsaCredentialSpecName",
		Bad:    "annotations:\n  pod.alpha.windows.kubernetes.io/gmsa-credential-spec-name: webapp", Good: "securityContext:\n  windowsOptions:\n    gmsaCredentialSpecName: webapp",
		run: (*run).alphaAnnotation,
	},
}

// podLevel is a level at which a pod can name a credential spec: the pod, or a container of it.
type podLevel struct {
	pod       *setup.Pod
	container *setup.Container // nil: the pod
	name      *source.Node
	contents  *source.Node
}

// what is the level as the webhook calls it.
func (l podLevel) what() string {
	if l.container != nil {
		return fmt.Sprintf("container %q", l.container.Name)
	}
	name := l.pod.Object.Get("metadata", "name").String()
	if l.pod.Kind != "Pod" {
		name += "-…"
	}
	return fmt.Sprintf("pod %q", name)
}

// field is a member of the level's windowsOptions as the API server writes it.
func (l podLevel) field(member string) string {
	path := l.pod.Path
	if l.container != nil {
		path += fmt.Sprintf(".%s[%d]", l.container.Class, l.container.Index)
	}
	return path + ".securityContext.windowsOptions." + member
}

// invalid is what kubectl prints when the API server refuses a value.
func (l podLevel) invalid(member, value, text string) string {
	o := l.pod.Object
	return fmt.Sprintf("The %s %q is invalid: %s: Invalid value: %q: %s", l.pod.Kind, o.Get("metadata", "name").String(), l.field(member), value, text)
}

// denied is what kubectl prints when the webhook refuses a pod.
func denied(format string, args ...any) string {
	return fmt.Sprintf("admission webhook %q denied the request: ", gmsaWebhook) + fmt.Sprintf(format, args...)
}

// places are the levels of all pods that have a name or contents; with seen, only those that the webhook looks at.
func (c *run) places(seen bool) []podLevel {
	var list []podLevel
	add := func(l podLevel) {
		if l.name != nil || l.contents != nil {
			list = append(list, l)
		}
	}
	for _, p := range c.kube().withIdentity {
		add(podLevel{p, nil, p.Option(setup.OptionName), p.Option(setup.OptionContents)})
		for _, x := range p.Containers {
			if !seen || x.Class == setup.Main {
				add(podLevel{p, x, x.Own(setup.OptionName), x.Own(setup.OptionContents)})
			}
		}
	}
	return list
}

func (c *run) podName() {
	for _, l := range c.places(false) {
		n := l.name
		switch {
		case n == nil:
		case n.Kind == source.Object || n.Kind == source.Array:
			c.report(n, "gmsaCredentialSpecName is an %s, and has to be a string", n.Kind)
		case notText(n) != "":
			c.report(n, "gmsaCredentialSpecName is the %s %s for a reader of YAML, and has to be a string", notText(n), n.Text).quoted(n)
		case isVariable(n.Text):
			c.notChecked(n.Span(), "the name %q is still to be filled in", n.Text)
		default:
			text := subdomainError(n.Text)
			if text == "" {
				continue
			}
			r := c.report(n, "the name %q %s, which no object of Kubernetes has", n.Text, subdomainFault(n.Text))
			r.Consumer = l.invalid(setup.OptionName, n.Text, text)
			if d := c.kube().byName[strings.ToLower(n.Text)]; d != nil {
				r.related(d.Root.Get("metadata", "name"), "the GMSACredentialSpec that is meant")
				r.replace(n, strings.ToLower(n.Text))
			}
		}
	}
}

func (c *run) podReference() {
	k := c.kube()
	for _, l := range c.places(true) {
		if l.name.String() == "" || isVariable(l.name.Text) || k.byName[l.name.Text] != nil || k.chart[l.name.Text] != nil {
			continue
		}
		switch {
		case len(k.resources) == 0 && len(k.chart) == 0:
			c.notChecked(l.name.Span(), "no GMSACredentialSpec is among the files: that %q exists is not known", l.name.Text)
			continue
		}
		if d := k.unreadNames[l.name.Text]; d != nil {
			c.notChecked(l.name.Span(), "%s could not be read, which may hold %q", d.File.Name, l.name.Text)
			continue
		}
		near := k.nearest(l.name.Text)
		r := c.report(l.name, "no GMSACredentialSpec of the files is called %q", l.name.Text)
		r.Consumer = denied("cred spec %s does not exist", l.name.Text)
		if near != "" {
			r.Message += fmt.Sprintf("; the nearest is %q", near)
			r.Repair = "write " + near + ", or add the resource " + l.name.Text
			if d := k.byName[near]; d != nil {
				r.related(d.Root.Get("metadata", "name"), "the nearest name")
			} else {
				r.related(k.chart[near], "the nearest name")
			}
		}
	}
}

func (c *run) podInlineOnly() {
	for _, l := range c.places(true) {
		if l.name == nil && l.contents != nil && !(l.contents.Kind == source.String && l.contents.Text == "") {
			at := c.report(l.contents, "gmsaCredentialSpec stands here without gmsaCredentialSpecName beside it")
			at.Consumer = denied("%s has a GMSA cred spec set, but does not define the name of the corresponding resource", l.what())
		}
	}
}

func (c *run) podMismatch() {
	k := c.kube()
	for _, l := range c.places(true) {
		if l.name.String() == "" || l.contents.String() == "" {
			continue
		}
		root, faults := source.ParseJSON(l.contents.Inside())
		if len(faults) > 0 || root.Map() == nil {
			continue
		}
		d := k.byName[l.name.Text]
		if d == nil {
			if k.chart[l.name.Text] == nil {
				c.notChecked(l.contents.Span(), "the GMSACredentialSpec %q is not among the files", l.name.Text)
			}
			continue
		}
		body := setup.StoredBody(d.Root)
		if body == nil {
			continue
		}
		here, there, path := difference(root, stored(body, consumer.Body()), nil)
		if path == nil {
			continue
		}
		where := here
		if where == nil {
			where = l.contents
		}
		r := c.report(where, "%s is %s here, and %s in the GMSACredentialSpec %q", strings.Join(path, "."), shown(here), shown(there), l.name.Text)
		r.related(d.Root.Get("metadata", "name"), "the GMSACredentialSpec")
		r.related(there, "its value")
		r.Consumer = denied("the GMSA cred spec contents for %s does not match the contents of GMSA resource %q", l.what(), l.name.Text)
	}
}

// difference is the first pair of values that are not equal as JSON values, and their path; nil when there is none. One of them can be absent.
func difference(a, b *source.Node, path []string) (x, y *source.Node, at []string) {
	if source.Equal(a, b) {
		return nil, nil, nil
	}
	path = path[:len(path):len(path)]
	if a != nil && b != nil && a.Kind == b.Kind {
		for _, m := range a.Map() {
			if x, y, at := difference(m.Value, b.Get(m.Key.Text), append(path, m.Key.Text)); at != nil {
				return x, y, at
			}
		}
		for _, m := range b.Map() {
			if a.Get(m.Key.Text) == nil {
				return nil, m.Value, append(path, m.Key.Text)
			}
		}
		for i := range min(len(a.List()), len(b.List())) {
			if x, y, at := difference(a.Items[i], b.Items[i], append(path, fmt.Sprint(i))); at != nil {
				return x, y, at
			}
		}
	}
	if len(path) == 0 {
		path = []string{"the document"}
	}
	return a, b, path
}

// shown is a value as a message has it.
func shown(n *source.Node) string {
	switch {
	case n == nil:
		return "absent"
	case n.Kind == source.Array:
		return fmt.Sprintf("a list of %d", len(n.Items))
	case n.Kind == source.Object:
		return "an object"
	}
	return fmt.Sprintf("%.80q", n.Text)
}

func (c *run) podSyntax() {
	for _, l := range c.places(false) {
		n := l.contents
		if n == nil || n.Kind == source.String && n.Text == "" {
			continue
		}
		if kind := notText(n); kind != "" {
			if kind == source.Bool.String() {
				kind = "bool" // as encoding/json calls it
			}
			what := withArticle(kind)
			if n.Kind == source.String {
				what += " for a reader of YAML"
			}
			r := c.report(n, "gmsaCredentialSpec is %s, and has to be a string with JSON in it", what)
			r.Consumer = fmt.Sprintf("json: cannot unmarshal %s into Go struct field WindowsSecurityContextOptions.%s of type string", kind, l.field(setup.OptionContents))
			continue
		}
		if isVariable(n.Text) {
			c.notChecked(n.Span(), "the contents are still to be filled in")
			continue
		}
		root, faults := source.ParseJSON(n.Inside())
		text := ""
		switch {
		case len(faults) > 0:
			r := c.reportAt(faults[0].Span(), "the contents are not JSON: %s", faults[0].Text)
			r.Fix = withoutFaults(faults)
			text = r.Message
		case root == nil || root.Kind != source.Object:
			text = c.report(root, "the contents are %s, and have to be an object", article(root.Kind)).Message
		}
		if text != "" {
			r := &c.out.Reports[len(c.out.Reports)-1]
			r.Consumer = denied("the GMSA cred spec contents for %s does not match the contents of GMSA resource %q: unable to parse %q as a JSON object: %v", l.what(), l.name.String(), clip(n.Text, 200), goError(n.Text))
		}
	}
}

// withoutFaults are the edits that take comments and commas away, when nothing else is wrong.
func withoutFaults(faults []source.Fault) []source.Edit {
	var edits []source.Edit
	for _, f := range faults {
		e, ok := f.File.Edit(f.Start, f.End, "")
		if !ok || f.Kind != source.Comment && f.Kind != source.TrailingComma {
			return nil
		}
		edits = append(edits, e)
	}
	return edits
}

// goError is what encoding/json says of a text that is to be an object.
func goError(text string) error {
	var v map[string]any
	return json.Unmarshal([]byte(text), &v)
}

func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return text[:n] + "…"
}

func withArticle(kind string) string {
	if strings.ContainsRune("aeio", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

func (c *run) podEmpty() {
	for _, l := range c.places(false) {
		n := l.contents
		if n == nil || n.Kind != source.String || n.Text != "" {
			continue
		}
		r := c.report(n, "gmsaCredentialSpec is empty")
		r.Consumer = l.invalid(setup.OptionContents, "", "gmsaCredentialSpec cannot be an empty string")
		options := l.pod.Options
		if l.container != nil {
			options = l.container.Options
		}
		if l.name != nil { // the webhook fills it in
			if i := slices.IndexFunc(options.Members, func(m source.Member) bool { return m.Value == n }); i >= 0 {
				if edits, ok := options.RemoveMembers(i); ok {
					r.Fix = edits
				}
			}
		}
	}
}

func (c *run) podTooLarge() {
	for _, l := range c.places(false) {
		if n := l.contents; len(n.String()) > maxContents {
			r := c.report(n, "the contents have %d bytes, %d more than the API server takes", len(n.Text), len(n.Text)-maxContents)
			r.Consumer = l.invalid(setup.OptionContents, clip(n.Text, 60), "gmsaCredentialSpec size must be under 64 KiB")
		}
	}
}

func (c *run) podInit() {
	for _, l := range c.places(false) {
		if l.container == nil || l.container.Class == setup.Main {
			continue
		}
		if l.name != nil {
			r := c.report(l.name, "the webhook does not look at %s: the name is never replaced by the contents of %q", l.container.Class, l.name.Text)
			r.Consumer = "the pod is admitted, and the container starts without an identity of its own"
			if l.contents != nil {
				r.Message = fmt.Sprintf("the webhook does not look at %s: the contents beside the name are used as they are, whoever may use %q", l.container.Class, l.name.Text)
				r.Consumer = "the pod is admitted, and the container starts with the contents that stand here"
			}
			continue
		}
		r := c.report(l.contents, "the webhook does not look at %s: nobody asks whether the service account may use these contents", l.container.Class)
		r.Consumer = "the pod is admitted, and the container starts with the contents that stand here"
	}
}

func (c *run) podOverride() {
	for _, l := range c.places(true) {
		if l.container == nil || l.name.String() == "" {
			continue
		}
		if pod := l.pod.Option(setup.OptionName); pod != nil && pod.Text != l.name.Text {
			c.report(l.name, "the container %q has %q, the pod %q: the container's counts", l.container.Name, l.name.Text, pod.Text).related(pod, "the pod's")
		}
	}
}

func (c *run) podSidecar() {
	for _, p := range c.kube().withIdentity {
		at := p.Option(setup.OptionName)
		if at == nil {
			at = p.Option(setup.OptionContents)
		}
		if at == nil {
			continue
		}
		var have []string
		for _, x := range p.Containers {
			runs := x.Class == setup.Main || x.Class == setup.Init && x.Node.Get("restartPolicy").String() == "Always"
			if runs && x.Own(setup.OptionName) == nil && x.Own(setup.OptionContents) == nil {
				have = append(have, x.Name)
			}
		}
		if len(have) > 1 {
			c.report(at, "%d containers have this identity: %s", len(have), strings.Join(have, ", "))
		}
	}
}

func (c *run) podServiceAccount() {
	for _, p := range c.kube().withIdentity {
		old, name := p.Spec.Get("serviceAccount"), p.Spec.Get("serviceAccountName")
		switch {
		case old.String() == "" || name.String() == old.Text:
		case name.String() == "":
			r := c.report(p.Spec.Key("serviceAccount"), "serviceAccount is the old name of serviceAccountName")
			if p.Spec.Key("serviceAccountName") == nil {
				r.replace(p.Spec.Key("serviceAccount"), "serviceAccountName")
			}
		default:
			c.report(old, "serviceAccount is %q, and serviceAccountName, which counts, is %q", old.Text, name.Text).related(name, "what counts")
		}
	}
}

// removedVersions are the API versions that the API server no longer has, with the release that took them away and the version to write
// (Kubernetes, Deprecated API Migration Guide). same is true where nothing else has to change.
var removedVersions = map[string]struct {
	since, now string
	same       bool
}{
	"extensions/v1beta1 Deployment":                                       {"1.16", "apps/v1", false},
	"extensions/v1beta1 DaemonSet":                                        {"1.16", "apps/v1", false},
	"extensions/v1beta1 ReplicaSet":                                       {"1.16", "apps/v1", false},
	"apps/v1beta1 Deployment":                                             {"1.16", "apps/v1", false},
	"apps/v1beta1 StatefulSet":                                            {"1.16", "apps/v1", false},
	"apps/v1beta2 Deployment":                                             {"1.16", "apps/v1", false},
	"apps/v1beta2 StatefulSet":                                            {"1.16", "apps/v1", false},
	"apps/v1beta2 DaemonSet":                                              {"1.16", "apps/v1", false},
	"apps/v1beta2 ReplicaSet":                                             {"1.16", "apps/v1", false},
	"batch/v2alpha1 CronJob":                                              {"1.21", "batch/v1", true},
	"batch/v1beta1 CronJob":                                               {"1.25", "batch/v1", true},
	rbacGroup + "/v1beta1 Role":                                           {"1.22", rbacGroup + "/v1", true},
	rbacGroup + "/v1beta1 ClusterRole":                                    {"1.22", rbacGroup + "/v1", true},
	rbacGroup + "/v1beta1 RoleBinding":                                    {"1.22", rbacGroup + "/v1", true},
	rbacGroup + "/v1beta1 ClusterRoleBinding":                             {"1.22", rbacGroup + "/v1", true},
	"apiextensions.k8s.io/v1beta1 CustomResourceDefinition":               {"1.22", "apiextensions.k8s.io/v1", false},
	"admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration":   {"1.22", "admissionregistration.k8s.io/v1", false},
	"admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration": {"1.22", "admissionregistration.k8s.io/v1", false},
}

func (c *run) podVersion() {
	identity := map[*source.Node]bool{}
	for _, p := range c.kube().withIdentity {
		identity[p.Object] = true
	}
	for _, d := range c.objects() {
		version, kind := d.Root.Get("apiVersion"), kindOf(d)
		old, ok := removedVersions[version.String()+" "+kind]
		if !ok {
			continue
		}
		same := old.same
		switch kind {
		case "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding":
			if !c.concernsGMSA(d) {
				continue
			}
		case "CustomResourceDefinition":
			if d.Root.Get("spec", "group").String() != setup.GroupGMSA {
				continue
			}
		case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
			if len(gmsaWebhooks(d.Root)) == 0 {
				continue
			}
		default:
			if !identity[d.Root] {
				continue
			}
			// apps/v1 has no default for the selector (Deprecated API Migration Guide).
			same = same || d.Root.Get("spec", "selector", "matchLabels").Map() != nil || d.Root.Get("spec", "selector", "matchExpressions").List() != nil
		}
		r := c.report(version, "Kubernetes %s removed %s for %s: the version is %s", old.since, version.Text, kind, old.now)
		r.Consumer = fmt.Sprintf("no matches for kind %q in version %q", kind, version.Text)
		if same {
			r.replace(version, old.now)
		}
	}
}

func (c *run) podNode() {
	for _, p := range c.kube().withIdentity {
		if !p.Known && len(p.Containers) == 0 {
			continue // a fragment: what else there is, nobody sees
		}
		os, told := p.NodeOS()
		at := p.Option(setup.OptionName)
		for i := 0; at == nil && i < len(p.Containers); i++ {
			at = p.Containers[i].Option(setup.OptionName)
		}
		if at == nil {
			at = p.Spec
		}
		switch {
		case strings.EqualFold(os, "windows"):
		case os != "":
			c.report(told, "the pod has a gMSA and is for nodes with %q", os)
		case namesWindows(p.Spec.Get("nodeSelector")) || termsNameWindows(p) || p.Spec.Get("nodeName").String() != "":
		case p.Spec.Get("runtimeClassName").String() != "":
			c.runtimeClass(p)
		case p.Spec.Get("os", "name").String() == "windows":
			r := c.report(p.Spec.Get("os", "name"), "os.name does not choose a node: the scheduler goes by nodeSelector, affinity and RuntimeClass")
			r.Consumer = "Failed to admit pod: PodOSNotSupported, on a node with Linux"
		default:
			r := c.report(at, "nothing here keeps the pod from a node with Linux: %s is not among what is selected", windowsLabel)
			if p.Spec.Get("nodeSelector") == nil {
				r.addSelector(p.Spec)
			}
		}
	}
}

// addSelector adds the edit that puts a node selector before the containers of a pod written as block of YAML.
func (r *Report) addSelector(spec *source.Node) {
	key := spec.Key("containers")
	if key == nil || spec.Kind != source.Object || key.Style != source.Plain {
		return
	}
	position := key.Span().Start
	line := key.File.Line(position.Line)
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	if len(indent) != position.Column-1 || key.File != key.File.Root() { // not the first of its line
		return
	}
	end := "\n"
	if strings.Contains(string(key.File.Data[max(0, key.Start-len(indent)-2):key.Start]), "\r\n") {
		end = "\r\n"
	}
	if e, ok := key.File.Edit(key.Start, key.Start, "nodeSelector:"+end+indent+"  "+windowsLabel+end+indent); ok {
		r.Fix = append(r.Fix, e)
	}
}

// namesWindows tells whether a selector has the word in a key or a value, as labels of clouds and of administrators do.
func namesWindows(n *source.Node) bool {
	found := false
	n.Walk(func(path []string, v *source.Node) bool {
		if len(path) > 0 {
			found = found || hasWin(path[len(path)-1])
		}
		found = found || hasWin(v.String())
		return !found
	})
	return found
}

// termsNameWindows tells whether every term of the required node affinity has the word: one term is enough for a node.
func termsNameWindows(p *setup.Pod) bool {
	terms := p.Spec.Get("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms").List()
	return len(terms) > 0 && !slices.ContainsFunc(terms, func(n *source.Node) bool { return !namesWindows(n) })
}

func hasWin(text string) bool { return strings.Contains(strings.ToLower(text), "win") }

// runtimeClass looks at the RuntimeClass that a pod names: its scheduling section adds to the pod's selector.
func (c *run) runtimeClass(p *setup.Pod) {
	n := p.Spec.Get("runtimeClassName")
	if d := c.kube().runtimeClasses[n.Text]; d != nil {
		if !namesWindows(d.Root.Get("scheduling", "nodeSelector")) {
			c.report(n, "neither the pod nor the RuntimeClass %q selects nodes with Windows", n.Text).related(d.Root.Get("metadata", "name"), "the RuntimeClass")
		}
		return
	}
	c.notChecked(n.Span(), "the RuntimeClass %q is not among the files", n.Text)
}

func (c *run) podOS() {
	for _, p := range c.setup.Pods {
		os := p.Spec.Get("os", "name")
		if os.String() == "" || os.Text == "windows" {
			continue
		}
		options, path := p.Options, p.Path
		for _, x := range p.Containers {
			if options == nil && x.Options != nil {
				options, path = x.Options, fmt.Sprintf("%s.%s[%d]", p.Path, x.Class, x.Index)
			}
		}
		if options == nil {
			continue
		}
		what := fmt.Sprintf("The %s %q is invalid: ", p.Kind, p.Object.Get("metadata", "name").String())
		var r *Report
		if os.Text == "linux" {
			r = c.report(os, "os.name is linux, and the pod has windowsOptions")
			r.Consumer = what + path + ".securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"
		} else {
			r = c.report(os, "os.name is %q: there are linux and windows", os.Text)
			r.Consumer = what + fmt.Sprintf(`%s.os: Unsupported value: %q: supported values: "linux", "windows"`, p.Path, os.Text)
		}
		r.related(options, "the windowsOptions")
		if node, _ := p.NodeOS(); node == "windows" || strings.EqualFold(os.Text, "windows") {
			r.replace(os, "windows")
		}
	}
}

func (c *run) podHostProcess() {
	seen := map[*source.Node]bool{}
	for _, p := range c.kube().withIdentity {
		for _, x := range p.Containers {
			host := x.Option(setup.OptionHost)
			name := x.Option(setup.OptionName)
			if name == nil {
				name = x.Option(setup.OptionContents)
			}
			if host == nil || host.Kind != source.Bool || !strings.EqualFold(host.Text, "true") || name == nil || seen[host] {
				continue
			}
			seen[host] = true
			c.report(host, "the container %q is a process of the host and has the credential spec %q", x.Name, clip(name.Text, 60)).related(name, "the credential spec")
		}
	}
}

func (c *run) localUser() {
	seen := map[*source.Node]bool{}
	for _, u := range c.setup.Uses {
		if u.User.String() == "" || seen[u.User] || u.OS == "linux" {
			continue
		}
		seen[u.User] = true
		domain, user, ok := strings.Cut(u.User.Text, `\`)
		if !ok {
			domain, user = "", u.User.Text
		}
		if domain != "" && !strings.EqualFold(domain, "User Manager") && domain != "." {
			continue
		}
		for _, local := range []string{"ContainerUser", "ContainerAdministrator"} {
			if strings.EqualFold(user, local) {
				c.report(u.User, "%s is a local user of the container, whose processes do not have the gMSA in the network", local)
			}
		}
	}
}

// hostnames are the host names of pods with an identity.
func (c *run) hostnames(f func(p *setup.Pod, n *source.Node)) {
	for _, p := range c.kube().withIdentity {
		if n := p.Spec.Get("hostname"); n.String() != "" && !isVariable(n.Text) {
			f(p, n)
		}
	}
}

func (c *run) hostnameLength() {
	c.hostnames(func(p *setup.Pod, n *source.Node) {
		if len(n.Text) > maxNetBIOSName {
			c.report(n, "the host name %q has %d characters: NetBIOS keeps %q", n.Text, len(n.Text), n.Text[:maxNetBIOSName])
		}
	})
}

func (c *run) hostnameShared() {
	c.hostnames(func(p *setup.Pod, n *source.Node) {
		// A StatefulSet gives each pod its own name as host name, whatever stands here (k8s.io/kubernetes, pkg/controller/statefulset).
		if p.Replicas > 1 && p.Kind != "StatefulSet" {
			r := c.report(n, "%d pods have the host name %q", p.Replicas, n.Text)
			at := p.Object.Get("spec", "replicas")
			if p.Kind == "Job" {
				at = p.Object.Get("spec", "parallelism")
			}
			r.related(at, "how many there are")
		}
	})
}

func (c *run) alphaAnnotation() {
	look := func(metadata *source.Node) {
		for _, m := range metadata.Get("annotations").Map() {
			prefix, name, _ := strings.Cut(m.Key.Text, "/")
			if (name == "gmsa-credential-spec" || name == "gmsa-credential-spec-name") && strings.HasSuffix(prefix, ".alpha.windows.kubernetes.io") {
				c.report(m.Key, "Kubernetes has ignored the annotation %s since 1.16", m.Key.Text).Consumer = "the pod is admitted, and starts without an identity"
			}
		}
	}
	seen := map[*source.Node]bool{}
	for _, p := range c.setup.Pods {
		for _, n := range []*source.Node{p.Object.Get("metadata"), p.Metadata()} {
			if n != nil && !seen[n] {
				seen[n] = true
				look(n)
			}
		}
	}
}
