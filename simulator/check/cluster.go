package check

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

var clusterRules = []*Rule{
	{
		ID: "k8s-webhook-optout", Group: "k8s", Severity: Error, Needs: []How{CrossFile}, Targets: []Target{TargetK8s},
		Title:  "the pod's namespace does not want the webhook",
		Why:    "Namespaces with the label gmsa-webhook: disabled (the deploy script's configuration) or windows.k8s.io/disabled: \"true\" (the chart's) are left out: the name in the pod is never replaced by contents, and the container starts without an identity (windows-gmsa, gmsa-webhook.yml.tpl and charts/gmsa).",
		Repair: "take the label off the namespace, or run the pod in another one",
		Bad:    "kind: Namespace\nmetadata:\n  name: web\n  labels: {gmsa-webhook: disabled}", Good: "kind: Namespace\nmetadata:\n  name: web",
		run: (*run).webhookOptOut,
	},
	{
		ID: "k8s-webhook-failure-policy", Group: "k8s", Severity: Warning, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "pods are admitted when the webhook does not answer",
		Why:    "With failurePolicy: Ignore a pod that nobody checked is admitted: with contents that it may not use, or with a name that nobody replaced, so that it starts without an identity (Kubernetes, Dynamic Admission Control).",
		Repair: "write failurePolicy: Fail",
		Bad:    "- name: admission-webhook.windows-gmsa.sigs.k8s.io\n  failurePolicy: Ignore", Good: "- name: admission-webhook.windows-gmsa.sigs.k8s.io\n  failurePolicy: Fail",
		run: (*run).webhookPolicy,
	},
	{
		ID: "k8s-spec-in-configmap", Group: "k8s", Severity: Info, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a credential spec stands in a ConfigMap or Secret",
		Why:    "Neither the webhook nor the kubelet reads it there: what a pod names is a GMSACredentialSpec (Kubernetes, Configure GMSA for Windows Pods and containers).",
		Repair: "make a GMSACredentialSpec of it",
		Bad:    "kind: ConfigMap\ndata:\n  webapp.json: '{\"CmsPlugins\": …}'", Good: "apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\ncredspec: {…}",
		run: (*run).specInConfigMap,
	},
}

// gmsaWebhooks are the entries of a webhook configuration that are windows-gmsa's: by their name, or by the service.
func gmsaWebhooks(root *source.Node) []*source.Node {
	var list []*source.Node
	for _, w := range root.Get("webhooks").List() {
		if strings.Contains(w.Get("name").String(), "gmsa") || strings.Contains(w.Get("clientConfig", "service", "name").String(), "gmsa") {
			list = append(list, w)
		}
	}
	return list
}

// optOuts are the labels by which the two ways to install the webhook leave a namespace out.
var optOuts = []struct{ label, value, install string }{
	{"gmsa-webhook", "disabled", "the deploy script"},
	{"windows.k8s.io/disabled", "true", "the chart"},
}

// optedOut is the label of a namespace that keeps the webhook away, and who says so: the selector of the webhook's configuration when that is
// among the files, otherwise the labels of both ways to install it.
func (k *kubeSet) optedOut(namespace *source.Node) (label *source.Node, by string) {
	labels := namespace.Get("metadata", "labels")
	known := false
	for _, d := range k.webhooks {
		if kindOf(d) != "MutatingWebhookConfiguration" {
			continue
		}
		for _, w := range gmsaWebhooks(d.Root) {
			known = true
			if n, out := excluded(w.Get("namespaceSelector"), labels); out {
				if n == nil {
					n = namespace.Get("metadata", "name")
				}
				return n, "the webhook's namespaceSelector"
			}
		}
	}
	if known {
		return nil, ""
	}
	for _, o := range optOuts {
		if n := labels.Get(o.label); n != nil && n.Text == o.value {
			return n, "a webhook installed by " + o.install
		}
	}
	return nil, ""
}

// excluded tells whether a label selector leaves labels out, and the label that does.
func excluded(selector, labels *source.Node) (label *source.Node, out bool) {
	for _, m := range selector.Get("matchLabels").Map() {
		if n := labels.Get(m.Key.Text); n == nil || n.Text != m.Value.Text {
			return n, true
		}
	}
	for _, e := range selector.Get("matchExpressions").List() {
		key := e.Get("key").String()
		if key == "kubernetes.io/metadata.name" {
			continue // the webhook's own namespace
		}
		n := labels.Get(key)
		in := n != nil && slices.ContainsFunc(e.Get("values").List(), func(v *source.Node) bool { return v.Text == n.Text })
		switch e.Get("operator").String() {
		case "In":
			if !in {
				return n, true
			}
		case "NotIn":
			if in {
				return n, true
			}
		case "Exists":
			if n == nil {
				return nil, true
			}
		case "DoesNotExist":
			if n != nil {
				return n, true
			}
		}
	}
	return nil, false
}

func (c *run) webhookOptOut() {
	k := c.kube()
	seen := map[string]bool{}
	for _, l := range c.places(true) {
		name := l.pod.Namespace
		if l.name == nil || l.contents != nil || seen[name] || !l.pod.Known && l.pod.Kind == "" {
			continue
		}
		seen[name] = true
		d := k.namespaces[name]
		if d == nil {
			if name == "" {
				name = "that the client chooses"
			}
			c.notChecked(l.name.Span(), "the namespace %s is not among the files: whether it wants the webhook is not known", name)
			continue
		}
		n, by := k.optedOut(d.Root)
		if n == nil {
			continue
		}
		r := c.report(n, "%s leaves the namespace %q out, and a pod in it needs the contents of %q", by, name, l.name.Text)
		r.related(l.name, "the pod's credential spec")
		r.Consumer = "the pod is admitted as it is, and its containers start without an identity"
	}
}

func (c *run) webhookPolicy() {
	for _, d := range c.kube().webhooks {
		for _, w := range gmsaWebhooks(d.Root) {
			if n := w.Get("failurePolicy"); n.String() == "Ignore" {
				c.report(n, "every pod is admitted while %q does not answer", w.Get("name").String()).replace(n, "Fail")
			}
		}
	}
}

func (c *run) specInConfigMap() {
	for _, d := range c.objects("ConfigMap", "Secret") {
		for _, part := range []string{"data", "stringData", "binaryData"} {
			for _, m := range d.Root.Get(part).Map() {
				text := m.Value.String()
				if part == "binaryData" || part == "data" && kindOf(d) == "Secret" {
					decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
					if err != nil {
						continue
					}
					text = string(decoded)
				}
				if isSpecText(text) {
					c.report(m.Key, "%s of the %s %q is a credential spec, which nothing of Kubernetes reads there", m.Key.Text, kindOf(d), d.Root.Get("metadata", "name").String())
				}
			}
		}
	}
}

// isSpecText tells whether a text is a credential spec, in JSON or YAML: it has both of the sections that every one has.
func isSpecText(text string) bool {
	return strings.Contains(text, credspec.KeyDomainJoin) && strings.Contains(text, credspec.KeyAccounts)
}
