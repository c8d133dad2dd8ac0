package check

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// kubernetesRules are those of manifests: of the resource GMSACredentialSpec here, of pods, of roles, of the cluster's settings and of the
// chart's values in files of their own.
var kubernetesRules = slices.Concat(resourceRules, podRules, rbacRules, clusterRules, helmRules)

var resourceRules = []*Rule{
	{
		ID: "k8s-yaml-syntax", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the file is not YAML",
		Why:    "Nothing of the document arrives: kubectl stops before it asks the API server (sigs.k8s.io/yaml). A page of Azure's documentation has a credential spec with such an indentation.",
		Repair: "mend the indentation, the quotes or the bracket",
		Bad:    "credspec:\n  CmsPlugins:\n - ActiveDirectory", Good: "credspec:\n  CmsPlugins:\n  - ActiveDirectory",
		run: (*run).yamlSyntax,
	},
	{
		ID: "k8s-cr-name-invalid", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a GMSACredentialSpec has a name that Kubernetes refuses",
		Why:    "Names of resources are subdomains of RFC 1123: small letters, digits, - and . (k8s.io/apimachinery, IsDNS1123Subdomain). The Kubernetes documentation's gmsa-WebApp1 is none.",
		Repair: "write the name in small letters, and everywhere that it is referred to",
		Bad:    "metadata:\n  name: gmsa-WebApp1", Good: "metadata:\n  name: gmsa-webapp1",
		run: (*run).resourceName,
	},
	{
		ID: "k8s-cr-apiversion", Group: "k8s", Severity: Error, Depends: "warning for windows.k8s.io/v1alpha1", Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a GMSACredentialSpec has another API version than windows.k8s.io/v1",
		Why:    "The CustomResourceDefinition of windows-gmsa serves v1, and v1alpha1 which is deprecated. Any other group or version is unknown to the API server.",
		Repair: "write apiVersion: windows.k8s.io/v1",
		Bad:    "apiVersion: auth.k8s.io/v1alpha1\nkind: GMSACredentialSpec", Good: "apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec",
		run: (*run).resourceVersion,
	},
	{
		ID: "k8s-cr-wrong-wrapper", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the credential spec does not stand under credspec",
		Why:    "The schema of the resource knows credspec beside the metadata and nothing else: the API server drops what stands elsewhere, and the webhook finds a resource without contents (windows-gmsa, gmsa-crd.yml and kube_client.go).",
		Repair: "put the credential spec under credspec, beside metadata",
		Bad:    "kind: GMSACredentialSpec\nspec:\n  credspec:\n    CmsPlugins: [ActiveDirectory]", Good: "kind: GMSACredentialSpec\ncredspec:\n  CmsPlugins: [ActiveDirectory]",
		run: (*run).resourceWrapper,
	},
	{
		ID: "k8s-cr-string-body", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the credential spec of a GMSACredentialSpec is a text",
		Why:    "credspec is an object in the schema of windows-gmsa; a string with JSON in it is refused.",
		Repair: "write the JSON as it is, without quotes around it: it is YAML too",
		Bad:    "credspec: '{\"CmsPlugins\": [\"ActiveDirectory\"]}'", Good: "credspec: {\"CmsPlugins\": [\"ActiveDirectory\"]}",
		run: (*run).resourceString,
	},
	{
		ID: "k8s-cr-namespaced", Group: "k8s", Severity: Warning, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a GMSACredentialSpec names a namespace",
		Why:    "The resource belongs to the cluster (scope: Cluster in windows-gmsa's CustomResourceDefinition): the namespace isolates nothing, and two of one name are one.",
		Repair: "leave the namespace out; who may use the spec is for a role to say",
		Bad:    "metadata:\n  name: webapp\n  namespace: production", Good: "metadata:\n  name: webapp",
		run: (*run).resourceNamespace,
	},
	{
		ID: "k8s-cr-pruned-field", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s}, YieldsTo: []string{"json-key-case", "k8s-cr-wrong-wrapper"},
		Title:  "the API server drops a field of a GMSACredentialSpec",
		Why:    "Fields that the structural schema does not know are pruned, keys to the letter: without a word for clients that do not ask for validation, and refused by kubectl since 1.27 (Kubernetes, field pruning; windows-gmsa, gmsa-crd.yml).",
		Repair: "write the field as the schema has it, or leave it out",
		Bad:    "DomainJoinConfig:\n  dnsName: corp.example", Good: "DomainJoinConfig:\n  DnsName: corp.example",
		run: (*run).resourcePruned,
	},
}

// kubeSet is what a set of files has of Kubernetes' objects, by what other objects call them.
type kubeSet struct {
	resources []*setup.Document // GMSACredentialSpecs
	byName    map[string]*setup.Document
	chart     map[string]*source.Node // names that the chart gmsa makes of its values, and the value
	// names are those of resources and of what the chart makes, in order.
	names []string
	// unread are documents that could not be read and may hold anything; unreadNames what their lines name.
	unread         []*setup.Document
	unreadNames    map[string]*setup.Document
	runtimeClasses map[string]*setup.Document
	roles          map[string]*setup.Document // namespace/name; of a ClusterRole /name
	bindings       []*setup.Document
	bySubject      map[string][]*setup.Document // bindings by their subjects
	rights         map[claim]right
	namespaces     map[string]*setup.Document
	webhooks       []*setup.Document
	withIdentity   []*setup.Pod
}

func (c *run) kube() *kubeSet {
	if c.shared.kube == nil {
		c.shared.kube = newKubeSet(c.setup)
	}
	return c.shared.kube
}

func newKubeSet(s *setup.Setup) *kubeSet {
	k := &kubeSet{byName: map[string]*setup.Document{}, chart: map[string]*source.Node{}, unreadNames: map[string]*setup.Document{}, runtimeClasses: map[string]*setup.Document{}, roles: map[string]*setup.Document{}, bySubject: map[string][]*setup.Document{}, rights: map[claim]right{}, namespaces: map[string]*setup.Document{}}
	for _, d := range s.Documents {
		if d.Form == setup.FormHelmValues {
			if n := d.Spec.Get(credspec.KeyDomainJoin, "MachineAccountName"); n.String() != "" {
				k.chart[strings.ReplaceAll(strings.ToLower(n.Text), "_", "-")] = n
			}
		}
		if d.Form != setup.FormKubernetes {
			continue
		}
		if d.Root == nil {
			k.addUnread(d)
			continue
		}
		name, namespace := d.Root.Get("metadata", "name").String(), d.Root.Get("metadata", "namespace").String()
		switch kindOf(d) {
		case setup.KindGMSACredentialSpec:
			k.resources = append(k.resources, d)
			k.byName[name] = d
		case "Role":
			k.roles[namespace+"/"+name] = d
		case "ClusterRole":
			k.roles["/"+name+"/cluster"] = d
		case "RoleBinding", "ClusterRoleBinding":
			k.addBinding(d)
		case "Namespace":
			k.namespaces[name] = d
		case "RuntimeClass":
			k.runtimeClasses[name] = d
		case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
			k.webhooks = append(k.webhooks, d)
		}
	}
	k.names = slices.AppendSeq(slices.Collect(maps.Keys(k.byName)), maps.Keys(k.chart))
	slices.Sort(k.names)
	for _, p := range s.Pods {
		if p.HasIdentity() {
			k.withIdentity = append(k.withIdentity, p)
		}
	}
	return k
}

// addUnread keeps a document that could not be read, and what its lines name: a resource of that name may be in it.
func (k *kubeSet) addUnread(d *setup.Document) {
	k.unread = append(k.unread, d)
	for line := range strings.Lines(string(d.File.Data)) {
		key, value, _ := strings.Cut(strings.TrimLeft(line, " \t-{,\""), ":")
		if value, _, _ = strings.Cut(value, " #"); strings.Trim(key, `"' `) == "name" {
			k.unreadNames[strings.Trim(value, "\"', \r\n")] = d
		}
	}
}

// nearest is the name of a resource that is most like another one, "" when none is: also one that is a part of it, or has it as a part. Of many
// resources only those count that begin or end alike, so that thousands of names are not compared with thousands.
func (k *kubeSet) nearest(name string) string {
	candidates := k.names
	if len(candidates) > 200 && len(name) >= 3 {
		candidates = slices.DeleteFunc(slices.Clone(candidates), func(s string) bool {
			return !strings.HasPrefix(s, name[:3]) && !strings.HasSuffix(s, name[len(name)-3:])
		})
		candidates = candidates[:min(len(candidates), 200)]
	}
	if near := diag.Nearest(name, candidates); near != "" {
		return near
	}
	if i := slices.IndexFunc(candidates, func(s string) bool { return s != "" && (strings.Contains(s, name) || strings.Contains(name, s)) }); i >= 0 {
		return candidates[i]
	}
	return ""
}

func kindOf(d *setup.Document) string { return d.Root.Get("kind").String() }

// objects are the documents of Kubernetes' objects that could be read.
func (c *run) objects(kinds ...string) []*setup.Document {
	var list []*setup.Document
	for _, d := range c.setup.Documents {
		if d.Form == setup.FormKubernetes && d.Root != nil && (len(kinds) == 0 || slices.Contains(kinds, kindOf(d))) {
			list = append(list, d)
		}
	}
	return list
}

func (c *run) yamlSyntax() {
	for _, d := range c.setup.Documents {
		err, ok := d.Err.(*source.YAMLError)
		if !ok {
			continue
		}
		if strings.Contains(string(d.File.Data), "{{") {
			c.notChecked(d.File.Span(0, 0), "a template: check what helm template makes of it")
			continue
		}
		r := c.reportAt(err.Span(), "%s", yamlMessage(err))
		if composeText.Match(d.File.Data) {
			continue // kubectl has nothing to say about it
		}
		r.Consumer = fmt.Sprintf("error: error parsing %s: error converting YAML to JSON: %s", d.File.Name, err.Kubectl())
	}
}

// composeText is a key of compose files at the top level, and of no object of Kubernetes.
var composeText = regexp.MustCompile(`(?m)^services:`)

// yamlMessage says what the reader's own words mean for the line.
func yamlMessage(err *source.YAMLError) string {
	switch {
	case strings.Contains(err.Text, "did not find expected '-' indicator"), strings.Contains(err.Text, "did not find expected key"):
		return err.Text + ": this line is indented otherwise than those around it"
	case strings.Contains(err.Text, "did not find expected ',' or"):
		return err.Text + ": a comma is missing before this, or a bracket was not closed"
	case strings.Contains(err.Text, "cannot start any token"):
		return err.Text + ": a value that begins so needs quotes"
	case strings.Contains(err.Text, "mapping values are not allowed"):
		return err.Text + ": a value with a colon needs quotes, or the line is indented too far"
	}
	return err.Text
}

// The API server's words about names (k8s.io/apimachinery/pkg/util/validation, of RFC 1123).
const (
	subdomainText = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`
	subdomainLong = "must be no more than 253 characters"
)

// subdomainError is what the API server says of a name that is no subdomain of RFC 1123; "" when it is one.
func subdomainError(name string) string {
	if len(name) > 253 {
		return subdomainLong
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' || strings.IndexFunc(label, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') }) >= 0 {
			return subdomainText
		}
	}
	return ""
}

// subdomainFault says what is wrong with a name in our words.
func subdomainFault(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > 253:
		return "is longer than 253 characters"
	case strings.ToLower(name) != name && subdomainError(strings.ToLower(name)) == "":
		return "has capital letters"
	}
	for _, r := range name {
		if r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return fmt.Sprintf("has the character %q", r)
		}
	}
	return "begins or ends with - or ., or has two dots beside each other"
}

// notText is the kind that a value has for the API server instead of a string; "" when it is a string there.
func notText(n *source.Node) string {
	switch {
	case n.Kind == source.Null:
		return ""
	case n.Kind != source.String:
		return n.Kind.String()
	case n.Style == source.Plain:
		if k := source.YAML11(n.Text); k != source.String {
			return k.String()
		}
	}
	return ""
}

// quoted adds the edit that puts a plain scalar into quotes.
func (r *Report) quoted(n *source.Node) {
	if n.Style != source.Plain || strings.ContainsAny(n.Text, "\"\\\n") {
		return
	}
	if e, ok := n.File.Edit(n.Start, n.End, `"`+n.Text+`"`); ok && n.End-n.Start == len(n.Text) {
		r.Fix = append(r.Fix, e)
	}
}

func (c *run) resourceName() {
	for _, d := range c.kube().resources {
		name := d.Root.Get("metadata", "name")
		switch {
		case name == nil || name.Kind == source.Null:
			if d.Root.Get("metadata", "generateName").String() == "" {
				r := c.report(d.Root.Key("kind"), "the GMSACredentialSpec has no metadata.name")
				r.Consumer = "error: error when retrieving current configuration: resource name may not be empty"
			}
		case name.Kind == source.Object || name.Kind == source.Array:
			c.report(name, "metadata.name is an %s, and has to be a string", name.Kind)
		case notText(name) != "":
			c.report(name, "metadata.name is the %s %s for a reader of YAML, and has to be a string", notText(name), name.Text).quoted(name)
		case isVariable(name.Text):
			c.notChecked(name.Span(), "the name %q is still to be filled in", name.Text)
		default:
			if text := subdomainError(name.Text); text != "" {
				r := c.report(name, "the name %q %s, which Kubernetes does not allow", clip(name.Text, 60), subdomainFault(name.Text))
				r.Consumer = fmt.Sprintf("The GMSACredentialSpec %q is invalid: metadata.name: Invalid value: %q: %s", name.Text, name.Text, text)
				if lower := strings.ToLower(name.Text); subdomainError(lower) == "" {
					r.Repair = fmt.Sprintf("call it %s, here and in the pods and roles that name it", lower)
				}
			}
		}
	}
}

// isVariable tells a text that envsubst, helm or kustomize still has to replace.
func isVariable(text string) bool {
	return strings.Contains(text, "${") || strings.Contains(text, "$(") || strings.Contains(text, "{{")
}

const versionGMSA = setup.GroupGMSA + "/v1"

func (c *run) resourceVersion() {
	for _, d := range c.objects() {
		version, kind := d.Root.Get("apiVersion"), d.Root.Get("kind")
		group, _, _ := strings.Cut(version.String(), "/")
		switch {
		case kind.String() == setup.KindGMSACredentialSpec && version.String() == versionGMSA:
		case kind.String() == setup.KindGMSACredentialSpec && version == nil:
			c.report(kind, "the GMSACredentialSpec has no apiVersion, which is %s", versionGMSA).Consumer = "error validating data: apiVersion not set"
		case kind.String() == setup.KindGMSACredentialSpec && version.String() == setup.GroupGMSA+"/v1alpha1":
			r := c.report(version, "windows.k8s.io/v1alpha1 is deprecated: the version is %s", versionGMSA)
			r.Severity = Warning
			r.Consumer = "Warning: windows.k8s.io/v1alpha1 GMSACredentialSpec is deprecated; use windows.k8s.io/v1 GMSACredentialSpec"
			r.replace(version, versionGMSA)
		case kind.String() == setup.KindGMSACredentialSpec:
			r := c.report(version, "no API server knows GMSACredentialSpec in %q: the version is %s", version.Text, versionGMSA)
			r.Consumer = fmt.Sprintf("no matches for kind %q in version %q", kind.Text, version.Text)
			r.replace(version, versionGMSA)
		case group == setup.GroupGMSA && kind.String() != setup.KindGMSACredentialSpec+"List" || strings.EqualFold(kind.String(), setup.KindGMSACredentialSpec):
			if kind == nil || kind.Kind != source.String {
				continue
			}
			r := c.report(kind, "the kind %q does not exist: it is called %s", kind.Text, setup.KindGMSACredentialSpec)
			r.Consumer = fmt.Sprintf("no matches for kind %q in version %q", kind.Text, version.String())
			r.replace(kind, setup.KindGMSACredentialSpec)
			if len(r.Fix) > 0 && version.String() != versionGMSA {
				r.replace(version, versionGMSA)
			}
		}
	}
}

// objectMembers are the members that every object has and the API server keeps; metadataMembers are those of its metadata
// (k8s.io/apimachinery, ObjectMeta).
var (
	objectMembers   = []string{"apiVersion", "kind", "metadata", setup.KeyBody}
	metadataMembers = []string{
		"name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
		"deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
	}
)

// isBodyKey tells a section of a credential spec.
func isBodyKey(key string) bool {
	return consumer.Body().Member(key) != nil
}

// wrongWrapper is the key under which a GMSACredentialSpec has its contents instead of credspec, and what it is; nil when they are in the right
// place, or nowhere.
func wrongWrapper(root *source.Node) (key, value *source.Node) {
	if n := root.Get(setup.KeyBody); n != nil && !n.IsEmpty() {
		return nil, nil
	}
	for _, m := range root.Map() {
		switch {
		case m.Key.Text == "spec" && (m.Value.Get(setup.KeyBody) != nil || slices.ContainsFunc(m.Value.Map(), func(m source.Member) bool { return isBodyKey(m.Key.Text) })), isBodyKey(m.Key.Text):
			return m.Key, m.Value
		}
	}
	return nil, nil
}

func (c *run) resourceWrapper() {
	for _, d := range c.kube().resources {
		key, value := wrongWrapper(d.Root)
		if key == nil {
			continue
		}
		var r *Report
		switch {
		case key.Text != "spec":
			r = c.report(key, "%s stands beside metadata, and has to stand under credspec", key.Text)
		case value.Get(setup.KeyBody) != nil:
			r = c.report(key, "credspec stands under spec, and has to stand beside metadata")
		default:
			r = c.report(key, "the credential spec stands under spec, and has to stand under credspec")
			if d.Root.Key(setup.KeyBody) == nil {
				r.replace(key, setup.KeyBody)
			}
		}
		r.Consumer = fmt.Sprintf("cred spec %s does not have a credspec key", d.Root.Get("metadata", "name").String())
	}
}

func (c *run) resourceString() {
	for _, d := range c.kube().resources {
		n := d.Root.Get(setup.KeyBody)
		if n == nil || n.Kind == source.Object || n.Kind == source.Null {
			continue
		}
		r := c.report(n, "credspec is %s, and has to be an object", article(n.Kind))
		r.Consumer = fmt.Sprintf("The GMSACredentialSpec %q is invalid: credspec: Invalid value: %q: credspec in body must be of type object: %q", d.Root.Get("metadata", "name").String(), openAPI(n), openAPI(n))
		if n.Kind == source.String && n.Style == source.SingleQuoted && n.End-n.Start == len(n.Text)+2 && !strings.Contains(n.Text, "\n") {
			if _, faults := source.ParseJSON(n.Inside()); len(faults) == 0 && strings.HasPrefix(strings.TrimSpace(n.Text), "{") {
				if e, ok := n.File.Edit(n.Start, n.End, n.Text); ok {
					r.Fix = append(r.Fix, e)
				}
			}
		}
	}
}

// openAPI is a value's type as the schema's validation calls it.
func openAPI(n *source.Node) string {
	switch n.Kind {
	case source.Number:
		if strings.ContainsAny(n.Text, ".eE") {
			return "number"
		}
		return "integer"
	default:
		return n.Kind.String()
	}
}

func (c *run) resourceNamespace() {
	for _, d := range c.kube().resources {
		metadata := d.Root.Get("metadata")
		for i, m := range metadata.Map() {
			if m.Key.Text != "namespace" || m.Value.String() == "" {
				continue
			}
			r := c.report(m.Value, "the GMSACredentialSpec is put into the namespace %q, but belongs to the whole cluster", m.Value.Text)
			if edits, ok := metadata.RemoveMembers(i); ok {
				r.Fix = edits
			}
		}
	}
}

func (c *run) resourcePruned() {
	for _, d := range c.kube().resources {
		wrapper, _ := wrongWrapper(d.Root)
		for _, m := range d.Root.Map() {
			switch {
			case slices.Contains(objectMembers, m.Key.Text), m.Key == wrapper, wrapper != nil && isBodyKey(m.Key.Text):
			case strings.EqualFold(m.Key.Text, setup.KeyBody) && d.Root.Key(setup.KeyBody) == nil:
				c.pruned(d, m.Key, "", setup.KeyBody).replace(m.Key, setup.KeyBody)
			default:
				c.pruned(d, m.Key, "", "")
			}
		}
		for _, m := range d.Root.Get("metadata").Map() {
			if !slices.Contains(metadataMembers, m.Key.Text) {
				c.pruned(d, m.Key, "metadata.", diag.Nearest(m.Key.Text, metadataMembers))
			}
		}
		if body := setup.StoredBody(d.Root); body != nil {
			c.prunedBelow(d, body, consumer.Body(), setup.KeyBody+".")
		}
	}
}

// prunedBelow reports the members of an object that its schema does not know, and goes on in those that it does.
func (c *run) prunedBelow(d *setup.Document, n *source.Node, s *consumer.Schema, path string) {
	for _, m := range n.Map() {
		if below := s.Member(m.Key.Text); below != nil {
			if len(below.Members()) > 0 {
				c.prunedBelow(d, m.Value, below, path+m.Key.Text+".")
				for i, item := range m.Value.List() {
					c.prunedBelow(d, item, below, fmt.Sprintf("%s%s[%d].", path, m.Key.Text, i))
				}
			}
			continue
		}
		better := diag.Nearest(m.Key.Text, s.Members())
		r := c.pruned(d, m.Key, path, better)
		if strings.EqualFold(better, m.Key.Text) && n.Key(better) == nil {
			r.replace(m.Key, better)
		}
	}
}

func (c *run) pruned(d *setup.Document, key *source.Node, path, better string) *Report {
	var r *Report
	if better != "" && better != key.Text {
		r = c.report(key, "the API server drops %s%s: the schema has %s", path, key.Text, better)
	} else {
		r = c.report(key, "the API server drops %s%s: the schema has no such field", path, key.Text)
	}
	version := d.Root.Get("apiVersion").String()
	if _, v, ok := strings.Cut(version, "/"); ok {
		version = v
	}
	r.Consumer = fmt.Sprintf("GMSACredentialSpec in version %q cannot be handled as a GMSACredentialSpec: strict decoding error: unknown field %q", version, path+key.Text)
	return r
}

// stored is a body of a GMSACredentialSpec as the API server keeps it: without the fields that its schema does not know.
func stored(n *source.Node, s *consumer.Schema) *source.Node {
	if n == nil || len(s.Members()) == 0 || n.Kind != source.Object && n.Kind != source.Array {
		return n
	}
	kept := *n
	kept.Members, kept.Items = nil, nil
	for _, m := range n.Members {
		if below := s.Member(m.Key.Text); below != nil {
			kept.Members = append(kept.Members, source.Member{Key: m.Key, Value: stored(m.Value, below)})
		}
	}
	for _, item := range n.Items {
		kept.Items = append(kept.Items, stored(item, s))
	}
	return &kept
}
