package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

const (
	rbacGroup    = "rbac.authorization.k8s.io"
	gmsaResource = "gmsacredentialspecs"
)

var rbacRules = []*Rule{
	{
		ID: "k8s-rbac-missing", Group: "k8s", Severity: Error, Needs: []How{CrossFile}, Targets: []Target{TargetK8s}, YieldsTo: []string{"k8s-name-invalid", "k8s-ref-missing"},
		Title:  "the pod's service account may not use the credential spec",
		Why:    "The webhook asks with a LocalSubjectAccessReview in the pod's namespace whether the service account may use the GMSACredentialSpec, and refuses the pod otherwise (windows-gmsa, isAuthorizedToUseCredSpec).",
		Repair: "bind a role with the verb use on this GMSACredentialSpec to the service account, in the pod's namespace",
		Bad:    "a pod of the service account web, and no binding for it", Good: "kind: RoleBinding\nsubjects: [{kind: ServiceAccount, name: web}]\nroleRef: {kind: ClusterRole, name: use-webapp, …}",
		run: (*run).rbacMissing,
	},
	{
		ID: "k8s-rbac-wildcard", Group: "k8s", Severity: Warning, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a role allows every credential spec",
		Why:    "Without resourceNames a rule is about all objects, and * about all resources and verbs: whoever has the role can act as every gMSA of the cluster (Kubernetes, Using RBAC Authorization). Roles that allow everything in every group are an administrator's, and not reported.",
		Repair: "name the GMSACredentialSpecs in resourceNames",
		Bad:    "apiGroups: [windows.k8s.io]\nresources: [gmsacredentialspecs]\nverbs: [use]", Good: "apiGroups: [windows.k8s.io]\nresources: [gmsacredentialspecs]\nverbs: [use]\nresourceNames: [webapp]",
		run: (*run).rbacWildcard,
	},
	{
		ID: "k8s-rbac-wrong-group", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a role names a group or a resource that does not exist",
		Why:    "Rules are compared to the letter with what the webhook asks for, gmsacredentialspecs in windows.k8s.io; a rule about anything else never matches, and nobody says so (Kubernetes, Using RBAC Authorization; windows-gmsa, kube_client.go).",
		Repair: "write apiGroups: [windows.k8s.io] and resources: [gmsacredentialspecs]",
		Bad:    "apiGroups: [windows.k8s.io]\nresources: [gmsacredentialspec]", Good: "apiGroups: [windows.k8s.io]\nresources: [gmsacredentialspecs]",
		run: (*run).rbacWrongGroup,
	},
	{
		ID: "k8s-rbac-wrong-verb", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a role for a credential spec does not have the verb use",
		Why:    "use is the verb that the webhook asks for; get and list let somebody read the object (windows-gmsa, isAuthorizedToUseCredSpec).",
		Repair: "write verbs: [use]",
		Bad:    "resources: [gmsacredentialspecs]\nresourceNames: [webapp]\nverbs: [get]", Good: "resources: [gmsacredentialspecs]\nresourceNames: [webapp]\nverbs: [use]",
		run: (*run).rbacWrongVerb,
	},
	{
		ID: "k8s-rbac-subject-invalid", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a binding has a subject that the API server refuses",
		Why:    "A ServiceAccount belongs to no API group, needs a namespace in a ClusterRoleBinding, and has a name of RFC 1123 (k8s.io/kubernetes, ValidateRoleBindingSubject). A sample of KEP 689 has an apiGroup there.",
		Repair: "leave apiGroup out, and name the namespace",
		Bad:    "subjects:\n- kind: ServiceAccount\n  name: web\n  apiGroup: rbac.authorization.k8s.io", Good: "subjects:\n- kind: ServiceAccount\n  name: web\n  namespace: default",
		run: (*run).rbacSubject,
	},
	{
		ID: "k8s-rbac-binding-namespace", Group: "k8s", Severity: Error, Needs: []How{CrossFile}, Targets: []Target{TargetK8s},
		Title:  "the RoleBinding is in another namespace than the pod",
		Why:    "A RoleBinding counts in its own namespace, and the webhook asks in the pod's (windows-gmsa, isAuthorizedToUseCredSpec).",
		Repair: "put the RoleBinding into the pod's namespace",
		Bad:    "kind: RoleBinding\nmetadata: {namespace: a}\n# and the pod is in b", Good: "kind: RoleBinding\nmetadata: {namespace: b}",
		run: (*run).rbacNamespace,
	},
	{
		ID: "k8s-rbac-default-sa", Group: "k8s", Severity: Warning, Needs: []How{CrossFile}, Targets: []Target{TargetK8s},
		Title:  "the service account default may use a credential spec",
		Why:    "Every pod of the namespace that names no service account has this one, and could act as the gMSA (Kubernetes, Configure Service Accounts for Pods). So can all pods when the subject is a group of service accounts.",
		Repair: "make a service account for the application, and bind the role to that",
		Bad:    "subjects: [{kind: ServiceAccount, name: default, namespace: web}]", Good: "subjects: [{kind: ServiceAccount, name: webapp, namespace: web}]",
		run: (*run).rbacDefault,
	},
}

// stringsOf are the strings of a list.
func stringsOf(n *source.Node) []string {
	var list []string
	for _, item := range n.List() {
		list = append(list, item.String())
	}
	return list
}

func hasAny(list []string, words ...string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(words, s) })
}

// aboutGMSA tells whether a rule of a role reaches GMSACredentialSpecs (k8s.io/kubernetes, pkg/apis/rbac/v1/evaluation_helpers.go).
func aboutGMSA(rule *source.Node) bool {
	return hasAny(stringsOf(rule.Get("apiGroups")), setup.GroupGMSA, "*") && hasAny(stringsOf(rule.Get("resources")), gmsaResource, "*")
}

func canUse(rule *source.Node) bool { return hasAny(stringsOf(rule.Get("verbs")), "use", "*") }

// names tells whether a rule is about an object of a name: without resourceNames it is about all.
func names(rule *source.Node, name string) bool {
	list := stringsOf(rule.Get("resourceNames"))
	return len(list) == 0 || slices.Contains(list, name)
}

func grants(role *source.Node, name string) bool {
	return slices.ContainsFunc(role.Get("rules").List(), func(rule *source.Node) bool { return aboutGMSA(rule) && canUse(rule) && names(rule, name) })
}

// roleOf is the role that a binding refers to. known is false when it is not among the files, or gets its rules from others.
func (k *kubeSet) roleOf(binding *setup.Document) (role *setup.Document, known bool) {
	ref := binding.Root.Get("roleRef")
	key := binding.Root.Get("metadata", "namespace").String() + "/" + ref.Get("name").String()
	if ref.Get("kind").String() == "ClusterRole" {
		key = "/" + ref.Get("name").String() + "/cluster"
	}
	role = k.roles[key]
	return role, role != nil && role.Root.Get("aggregationRule") == nil
}

// asker is who the webhook asks for: a service account and its namespace, "" when the file leaves that to the client.
type asker struct{ namespace, account string }

// subjectOf is the subject of a binding that means a service account: one of its own kind, a user or a group of that name. The groups are those
// that the webhook hands over, system:authenticated is not among them (k8s.io/apiserver, MakeGroupNames).
func subjectOf(binding *source.Node, who asker) *source.Node {
	scope := binding.Get("metadata", "namespace").String()
	if kind := binding.Get("kind").String(); kind == "ClusterRoleBinding" {
		scope = ""
	}
	for _, s := range binding.Get("subjects").List() {
		name := s.Get("name").String()
		switch s.Get("kind").String() {
		case "ServiceAccount":
			namespace := s.Get("namespace").String()
			if namespace == "" {
				namespace = scope
			}
			if name == who.account && (namespace == who.namespace || namespace == "" || who.namespace == "") {
				return s
			}
		case "User":
			if rest, ok := strings.CutPrefix(name, "system:serviceaccount:"); ok {
				namespace, account, _ := strings.Cut(rest, ":")
				if account == who.account && (namespace == who.namespace || who.namespace == "") {
					return s
				}
			}
		case "Group":
			if rest, ok := strings.CutPrefix(name, "system:serviceaccounts"); ok && (rest == "" || rest == ":"+who.namespace || who.namespace == "" && rest[0] == ':') {
				return s
			}
		}
	}
	return nil
}

// A binding is found by its subjects: by account and namespace, by account alone for pods whose namespace the files leave open, and by group.
func accountKey(namespace, account string) string { return "account/" + namespace + "/" + account }

const (
	anyNamespace = "*"
	groupKey     = "group/"
)

func (k *kubeSet) addBinding(b *setup.Document) {
	k.bindings = append(k.bindings, b)
	add := func(key string) {
		if list := k.bySubject[key]; len(list) == 0 || list[len(list)-1] != b {
			k.bySubject[key] = append(list, b)
		}
	}
	account := func(namespace, name string) {
		add(accountKey(namespace, name))
		add(accountKey(anyNamespace, name))
	}
	for _, s := range b.Root.Get("subjects").List() {
		name := s.Get("name").String()
		switch s.Get("kind").String() {
		case "ServiceAccount":
			namespace := s.Get("namespace").String()
			if namespace == "" && kindOf(b) != "ClusterRoleBinding" {
				namespace = b.Root.Get("metadata", "namespace").String()
			}
			account(namespace, name)
		case "User":
			if rest, ok := strings.CutPrefix(name, "system:serviceaccount:"); ok {
				namespace, name, _ := strings.Cut(rest, ":")
				account(namespace, name)
			}
		case "Group":
			if rest, ok := strings.CutPrefix(name, "system:serviceaccounts"); ok {
				add(groupKey + strings.TrimPrefix(rest, ":"))
				add(groupKey + anyNamespace)
			}
		}
	}
}

// bindingsOf are the bindings that have a subject for a service account.
func (k *kubeSet) bindingsOf(who asker) []*setup.Document {
	keys := []string{accountKey(who.namespace, who.account), accountKey("", who.account), groupKey, groupKey + who.namespace}
	if who.namespace == "" {
		keys = []string{accountKey(anyNamespace, who.account), groupKey + anyNamespace}
	}
	var list []*setup.Document
	for _, key := range keys {
		for _, b := range k.bySubject[key] {
			if subjectOf(b.Root, who) != nil && !slices.Contains(list, b) {
				list = append(list, b)
			}
		}
	}
	return list
}

// inScope tells whether a binding counts in a namespace.
func inScope(binding *source.Node, namespace string) bool {
	own := binding.Get("metadata", "namespace").String()
	return binding.Get("kind").String() == "ClusterRoleBinding" || own == namespace || own == "" || namespace == ""
}

// right is what the files say of a service account and a credential spec.
type right struct {
	allowed bool
	// unknown is a binding for the account whose role is not known; nil: there is none.
	unknown *setup.Document
	// elsewhere are bindings that would allow it if they were in the pod's namespace.
	elsewhere []*setup.Document
	// faulty is a place that explains the refusal, and is reported for itself: a role's rule with another verb or group.
	faulty *source.Node
	// bound is a role that the account has for other credential specs.
	bound *setup.Document
}

func (k *kubeSet) right(who asker, name string) right {
	key := claim{who, name}
	r, known := k.rights[key]
	if !known {
		r = k.rightOf(who, name)
		k.rights[key] = r
	}
	return r
}

// claim is a service account and a credential spec that it would use.
type claim struct {
	asker
	name string
}

func (k *kubeSet) rightOf(who asker, name string) right {
	var r right
	for _, b := range k.bindingsOf(who) {
		role, known := k.roleOf(b)
		if b.Root.Get("roleRef", "name").String() == "cluster-admin" {
			role, known = nil, true
			if inScope(b.Root, who.namespace) {
				r.allowed = true
			}
		}
		switch {
		case !known:
			if inScope(b.Root, who.namespace) {
				r.unknown = b
			}
		case role == nil:
		case !inScope(b.Root, who.namespace):
			if grants(role.Root, name) {
				r.elsewhere = append(r.elsewhere, b)
			}
		case grants(role.Root, name):
			r.allowed = true
		default:
			for _, rule := range role.Root.Get("rules").List() {
				if names(rule, name) && (aboutGMSA(rule) || len(wrongNames(rule)) > 0) {
					r.faulty = rule
				} else if aboutGMSA(rule) && canUse(rule) {
					r.bound = role
				}
			}
		}
	}
	return r
}

// hasRights tells whether the files say who may use credential specs: a role among them is about that.
func (k *kubeSet) hasRights() bool {
	for _, role := range k.roles {
		for _, rule := range role.Root.Get("rules").List() {
			if hasAny(stringsOf(rule.Get("apiGroups")), setup.GroupGMSA) || nearResource(rule) != nil {
				return true
			}
		}
	}
	return false
}

// unreadRole is a document that could not be read and speaks of roles.
func (k *kubeSet) unreadRole() *setup.Document {
	for _, d := range k.unread {
		if strings.Contains(string(d.File.Data), rbacGroup) {
			return d
		}
	}
	return nil
}

// askers are the pods' service accounts and the credential specs that they name, each pair once, with the place of the name.
func (c *run) askers(f func(p *setup.Pod, who asker, l podLevel)) {
	seen := map[claim]bool{}
	for _, l := range c.places(true) {
		if l.name.String() == "" || isVariable(l.name.Text) || !l.pod.Known && l.pod.Kind == "" {
			continue
		}
		key := claim{asker{l.pod.Namespace, l.pod.Account}, l.name.Text}
		if !seen[key] {
			seen[key] = true
			f(l.pod, key.asker, l)
		}
	}
}

func (c *run) rbacMissing() {
	k := c.kube()
	has := k.hasRights()
	c.askers(func(p *setup.Pod, who asker, l podLevel) {
		name := l.name.Text
		if !has {
			c.notChecked(l.name.Span(), "no role about credential specs is among the files: that %s may use %q is not known", who.account, name)
			return
		}
		right := k.right(who, name)
		switch {
		case right.allowed:
			return
		case right.unknown != nil:
			c.notChecked(l.name.Span(), "the role %q, which %s has, is not among the files", right.unknown.Root.Get("roleRef", "name").String(), who.account)
			return
		case k.unreadRole() != nil:
			c.notChecked(l.name.Span(), "%s could not be read, which has a role or a binding", k.unreadRole().File.Name)
			return
		case !c.opts.All && (right.faulty != nil || len(right.elsewhere) > 0):
			return // reported there
		}
		where := ""
		if who.namespace != "" {
			where = fmt.Sprintf(" of the namespace %q", who.namespace)
		}
		r := c.report(l.name, "no role that is bound to the service account %q%s lets it use %q", who.account, where, name)
		if p.AccountNode == nil {
			r.Message += "; the pod names no service account, so that it has default"
		}
		r.related(p.AccountNode, "the service account")
		if right.bound != nil {
			r.related(right.bound.Root.Get("metadata", "name"), "the role that it has, for others")
		}
		r.Consumer = unauthorized(who, name)
	})
}

func unauthorized(who asker, name string) string {
	return denied("service account %q is not authorized to `use` GMSA cred spec %q", who.account, name)
}

func (c *run) rbacNamespace() {
	k := c.kube()
	seen := map[*setup.Document]bool{}
	c.askers(func(p *setup.Pod, who asker, l podLevel) {
		right := k.right(who, l.name.Text)
		if right.allowed || right.unknown != nil {
			return
		}
		for _, b := range right.elsewhere {
			if seen[b] {
				continue
			}
			seen[b] = true
			n := b.Root.Get("metadata", "namespace")
			r := c.report(n, "the binding counts in %q, and the pod that needs it is in %q", n.Text, who.namespace)
			r.related(p.Object.Get("metadata", "namespace"), "the pod's namespace")
			r.Consumer = unauthorized(who, l.name.Text)
		}
	})
}

// ruleDocs are the roles of the set.
func (c *run) roleRules(f func(role *setup.Document, rule *source.Node)) {
	for _, d := range c.objects("Role", "ClusterRole") {
		for _, rule := range d.Root.Get("rules").List() {
			f(d, rule)
		}
	}
}

func (c *run) rbacWildcard() {
	c.roleRules(func(_ *setup.Document, rule *source.Node) {
		groups, resources := stringsOf(rule.Get("apiGroups")), stringsOf(rule.Get("resources"))
		if !aboutGMSA(rule) || !canUse(rule) || len(rule.Get("resourceNames").List()) > 0 || slices.Contains(groups, "*") && slices.Contains(resources, "*") {
			return
		}
		what := "every GMSACredentialSpec may be used: resourceNames is missing"
		if slices.Contains(resources, "*") {
			what = "every resource of the group, so every GMSACredentialSpec, may be used"
		}
		at := rule.Get("verbs")
		for _, n := range rule.Get("resources").List() {
			at = n
			if n.Text == gmsaResource || n.Text == "*" {
				break
			}
		}
		c.report(at, "%s", what)
	})
}

// nearResource is the resource of a rule that is meant to be gmsacredentialspecs; nil: none.
func nearResource(rule *source.Node) *source.Node {
	for _, n := range rule.Get("resources").List() {
		if strings.Contains(strings.ToLower(n.String()), "gmsacred") || diag.Nearest(n.String(), []string{gmsaResource}) != "" && len(n.String()) > 12 {
			return n
		}
	}
	return nil
}

// wrongNames are the values of a rule about credential specs that name another group or resource, with what they have to be.
func wrongNames(rule *source.Node) []*source.Node {
	groups := rule.Get("apiGroups").List()
	isGroup := hasAny(stringsOf(rule.Get("apiGroups")), setup.GroupGMSA)
	var list []*source.Node
	near := nearResource(rule)
	if near != nil && !slices.Contains(stringsOf(rule.Get("resources")), gmsaResource) && !slices.Contains(stringsOf(rule.Get("resources")), "*") && !strings.HasPrefix(near.Text, gmsaResource+"/") {
		list = append(list, near)
	} else if near == nil && isGroup && len(groups) == 1 && !hasAny(stringsOf(rule.Get("resources")), gmsaResource, "*") {
		list = append(list, rule.Get("resources").List()...) // the group has one resource
	}
	if near != nil && !isGroup && !hasAny(stringsOf(rule.Get("apiGroups")), "*") {
		if len(groups) == 0 {
			list = append(list, near)
		} else {
			list = append(list, groups[len(groups)-1])
		}
	}
	return list
}

func (c *run) rbacWrongGroup() {
	c.roleRules(func(_ *setup.Document, rule *source.Node) {
		groups := rule.Get("apiGroups").List()
		for _, n := range wrongNames(rule) {
			isResource := slices.Contains(rule.Get("resources").List(), n)
			switch {
			case isResource && len(groups) == 0:
				c.report(n, "the rule about %s names no apiGroups, which are windows.k8s.io", n.Text).Consumer = "rules[…].apiGroups: Required value: resource rules must supply at least one api group"
			case isResource:
				r := c.report(n, "the resource is called %s, not %q", gmsaResource, n.String())
				if len(rule.Get("resources").List()) == 1 {
					r.replace(n, gmsaResource)
				}
			default:
				r := c.report(n, "the group of %s is %s, not %q", gmsaResource, setup.GroupGMSA, n.String())
				if len(groups) == 1 && len(rule.Get("resources").List()) == 1 {
					r.replace(n, setup.GroupGMSA)
				}
			}
		}
	})
}

func (c *run) rbacWrongVerb() {
	k := c.kube()
	used := map[*setup.Document]bool{} // roles that an account of a pod with an identity has
	c.askers(func(p *setup.Pod, who asker, l podLevel) {
		for _, b := range k.bindingsOf(who) {
			if role, known := k.roleOf(b); known {
				used[role] = true
			}
		}
	})
	c.roleRules(func(role *setup.Document, rule *source.Node) {
		verbs := rule.Get("verbs")
		if !hasAny(stringsOf(rule.Get("apiGroups")), setup.GroupGMSA) || !aboutGMSA(rule) || canUse(rule) || verbs == nil {
			return
		}
		named := rule.Get("resourceNames").List()
		if len(named) == 0 && !used[role] { // a viewer's
			return
		}
		for _, other := range role.Root.Get("rules").List() {
			if other != rule && aboutGMSA(other) && canUse(other) && !slices.ContainsFunc(named, func(n *source.Node) bool { return !names(other, n.String()) }) {
				return
			}
		}
		r := c.report(verbs, "the verbs are %s, and use is not among them", strings.Join(stringsOf(verbs), ", "))
		if list := verbs.List(); len(list) == 1 && strings.EqualFold(list[0].String(), "use") {
			r.replace(list[0], "use")
		}
	})
}

func (c *run) rbacSubject() {
	for _, d := range c.objects("RoleBinding", "ClusterRoleBinding") {
		for i, s := range d.Root.Get("subjects").List() {
			what := fmt.Sprintf("The %s %q is invalid: subjects[%d]", kindOf(d), d.Root.Get("metadata", "name").String(), i)
			if s.Get("kind").String() != "ServiceAccount" {
				continue
			}
			for j, m := range s.Members {
				if m.Key.Text == "apiGroup" && m.Value.String() != "" {
					r := c.report(m.Value, "a ServiceAccount belongs to no API group, and %q is given", m.Value.Text)
					r.Consumer = what + fmt.Sprintf(`.apiGroup: Unsupported value: %q: supported values: ""`, m.Value.Text)
					if edits, ok := s.RemoveMembers(j); ok {
						r.Fix = edits
					}
				}
			}
			name := s.Get("name")
			switch {
			case name.String() == "" && notText(orNull(name)) == "":
				c.report(s, "the ServiceAccount has no name").Consumer = what + ".name: Required value"
			case name.Kind == source.String && !isVariable(name.Text) && subdomainError(name.Text) != "":
				r := c.report(name, "the ServiceAccount's name %q %s", name.Text, subdomainFault(name.Text))
				r.Consumer = what + fmt.Sprintf(".name: Invalid value: %q: %s", name.Text, subdomainError(name.Text))
				if rest, ok := strings.CutPrefix(name.Text, "system:serviceaccount:"); ok {
					if _, account, ok := strings.Cut(rest, ":"); ok {
						r.Repair = fmt.Sprintf("write name: %s, or kind: User", account)
					}
				}
			}
			if kindOf(d) == "ClusterRoleBinding" && s.Get("namespace").String() == "" {
				c.report(s, "the ServiceAccount needs a namespace in a ClusterRoleBinding").Consumer = what + ".namespace: Required value"
			}
		}
	}
}

// orNull is a value, or null for one that is absent.
func orNull(n *source.Node) *source.Node {
	if n == nil {
		return &source.Node{Kind: source.Null}
	}
	return n
}

func (c *run) rbacDefault() {
	k := c.kube()
	for _, b := range k.bindings {
		role, known := k.roleOf(b)
		for _, s := range b.Root.Get("subjects").List() {
			kind, name := s.Get("kind").String(), s.Get("name").String()
			text := ""
			switch {
			case kind == "ServiceAccount" && name == "default":
				text = "the service account default, which every pod has that names none, may use "
			case kind == "Group" && name == "system:serviceaccounts":
				text = "every service account of the cluster may use "
			case kind == "Group" && strings.HasPrefix(name, "system:serviceaccounts:"):
				text = fmt.Sprintf("every service account of the namespace %q may use ", strings.TrimPrefix(name, "system:serviceaccounts:"))
			default:
				continue
			}
			if !known {
				if c.concernsGMSA(b) {
					c.notChecked(s.Span(), "the role %q is not among the files", b.Root.Get("roleRef", "name").String())
				}
				continue
			}
			if specs := usable(role.Root); specs != "" {
				c.report(s.Get("name"), "%s%s", text, specs).related(role.Root.Get("metadata", "name"), "the role")
			}
		}
	}
}

// usable names the credential specs that a role lets somebody use; "" when it is none.
func usable(role *source.Node) string {
	var list []string
	for _, rule := range role.Get("rules").List() {
		if !aboutGMSA(rule) || !canUse(rule) {
			continue
		}
		specs := stringsOf(rule.Get("resourceNames"))
		if len(specs) == 0 {
			return "every GMSACredentialSpec"
		}
		for _, s := range specs {
			list = append(list, fmt.Sprintf("%q", s))
		}
	}
	return strings.Join(list, ", ")
}

// concernsGMSA tells roles about credential specs, and bindings of such roles or with the word in a name.
func (c *run) concernsGMSA(d *setup.Document) bool {
	for _, rule := range d.Root.Get("rules").List() {
		if hasAny(stringsOf(rule.Get("apiGroups")), setup.GroupGMSA) || nearResource(rule) != nil {
			return true
		}
	}
	if strings.HasSuffix(kindOf(d), "Binding") {
		if role, _ := c.kube().roleOf(d); role != nil {
			return c.concernsGMSA(role)
		}
	}
	return strings.Contains(strings.ToLower(d.Root.Get("metadata", "name").String()+" "+d.Root.Get("roleRef", "name").String()), "gmsa")
}
