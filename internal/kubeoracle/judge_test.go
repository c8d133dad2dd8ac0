package kubeoracle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	schemavalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/core"
	corev1 "k8s.io/kubernetes/pkg/apis/core/v1"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/rbac"
	rbacconv "k8s.io/kubernetes/pkg/apis/rbac/v1"
	rbacvalidation "k8s.io/kubernetes/pkg/apis/rbac/validation"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	v1 "k8s.io/api/core/v1"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// ours are the reports of the rules with a prefix on one file.
func ours(t *testing.T, text string, ids ...string) (reports []check.Report, notChecked []check.NotChecked) {
	t.Helper()
	r := check.Run(setup.Read([]*source.File{source.NewFile("x.yaml", []byte(text))}), check.Options{All: true})
	for _, one := range r.Reports {
		if slices.Contains(ids, one.Rule.ID) {
			reports = append(reports, one)
		}
	}
	for _, one := range r.NotChecked {
		if slices.Contains(ids, one.Rule.ID) {
			notChecked = append(notChecked, one)
		}
	}
	return reports, notChecked
}

func idsOf(reports []check.Report) []string {
	var list []string
	for _, r := range reports {
		list = append(list, r.Rule.ID)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// resourceSchema is the schema of GMSACredentialSpec: every leaf is a string, nothing is required.
func resourceSchema() *apiextensions.JSONSchemaProps {
	object := func(properties map[string]apiextensions.JSONSchemaProps) apiextensions.JSONSchemaProps {
		return apiextensions.JSONSchemaProps{Type: "object", Properties: properties}
	}
	array := func(of apiextensions.JSONSchemaProps) apiextensions.JSONSchemaProps {
		return apiextensions.JSONSchemaProps{Type: "array", Items: &apiextensions.JSONSchemaPropsOrArray{Schema: &of}}
	}
	texts := func(names ...string) apiextensions.JSONSchemaProps {
		m := map[string]apiextensions.JSONSchemaProps{}
		for _, name := range names {
			m[name] = apiextensions.JSONSchemaProps{Type: "string"}
		}
		return object(m)
	}
	type props = map[string]apiextensions.JSONSchemaProps
	root := object(props{"credspec": object(props{
		"CmsPlugins":       array(apiextensions.JSONSchemaProps{Type: "string"}),
		"DomainJoinConfig": texts("DnsName", "DnsTreeName", "Guid", "MachineAccountName", "NetBiosName", "Sid"),
		"ActiveDirectoryConfig": object(props{
			"GroupManagedServiceAccounts": array(texts("Name", "Scope")),
			"HostAccountConfig":           texts("PluginGUID", "PluginInput", "PortableCcgVersion"),
		}),
	})})
	return &root
}

// judgeResource is what the API server says of a GMSACredentialSpec: the fields that it would drop, and its errors.
func judgeResource(t *testing.T, text string) (dropped []string, errs []string) {
	t.Helper()
	var object map[string]any
	if err := json.UnmarshalCaseSensitivePreserveInts(jsonOf(t, text), &object); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	schema := resourceSchema()
	structural, err := structuralschema.NewStructural(schema)
	if err != nil {
		t.Fatal(err)
	}
	dropped = pruning.PruneWithOptions(object, structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	validator, _, err := schemavalidation.NewSchemaValidator(schema)
	if err != nil {
		t.Fatal(err)
	}
	metadata, _ := object["metadata"].(map[string]any)
	name, ok := metadata["name"].(string)
	if !ok && metadata["name"] != nil {
		errs = append(errs, "metadata.name: no string")
	} else if metadata["generateName"] == nil || name != "" {
		for _, e := range apivalidation.ValidateObjectMeta(&metav1.ObjectMeta{Name: name}, false, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata")) {
			errs = append(errs, e.Error())
		}
	}
	for _, e := range schemavalidation.ValidateCustomResource(nil, object, validator) {
		errs = append(errs, e.Error())
	}
	return dropped, errs
}

// jsonOf is what kubectl sends of a manifest: converted without knowing the types of its fields.
func jsonOf(t *testing.T, text string) []byte {
	t.Helper()
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return data
}

const head = "apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata:\n  name: %s\n"

// TestResources: what the API server drops of a GMSACredentialSpec, what it refuses, and nothing else, is reported; its words are quoted.
func TestResources(t *testing.T) {
	named := func(name string) string { return fmt.Sprintf(head, name) + "credspec: {}\n" }
	body := func(text string) string { return fmt.Sprintf(head, "webapp") + text }
	tests := []string{
		named("webapp"), named("gmsa-WebApp1"), named("web_app"), named("a..b"), named("-a"), named("a-"), named("a.b-c.d"), named(".a"), named("a."),
		named("ä"), named("a b"), named("'1'"), named("'" + strings.Repeat("a", 253) + "'"), named(strings.Repeat("a", 254)), named("''"), named("123"), named("yes"), named("a/b"), named("é.example"),
		body("credspec:\n  CmsPlugins: [ActiveDirectory]\n"),
		body("credspec:\n  cmsPlugins: [ActiveDirectory]\n  DomainJoinConfig: {dnsName: a, DnsName: b, Sid: c}\n"),
		body("credspec:\n  ActiveDirectoryConfig:\n    GroupManagedServiceAccounts:\n    - {Name: a, Scope: b, Domain: c}\n    - {name: a}\n    HostAccountConfig: {PortableCcgPlugin: '1', PluginGUID: x}\n    Other: {Name: x}\n"),
		body("spec:\n  credspec: {}\n"), body("spec: {}\ncredspec: {}\n"), body("credSpec: {}\n"), body("CmsPlugins: [a]\nDomainJoinConfig: {}\n"), body("status: {}\ncredspec: {}\n"),
		"apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata: {name: a, lables: {x: y}, labels: {a: b}, namespace: n}\ncredspec: {}\n",
		body("credspec: '{}'\n"), body("credspec: [a]\n"), body("credspec: 5\n"), body("credspec: 1.5\n"), body("credspec: true\n"), body("credspec:\n  CmsPlugins: x\n"),
	}
	for _, text := range tests {
		dropped, errs := judgeResource(t, text)
		reports, _ := ours(t, text, "k8s-cr-name-invalid", "k8s-cr-pruned-field", "k8s-cr-wrong-wrapper", "k8s-cr-string-body")
		var fields []string
		wrapper := false
		for _, r := range reports {
			if _, path, ok := strings.Cut(r.Consumer, `unknown field "`); ok {
				fields = append(fields, strings.TrimSuffix(path, `"`))
			}
			wrapper = wrapper || r.Rule.ID == "k8s-cr-wrong-wrapper"
		}
		slices.Sort(fields)
		slices.Sort(dropped)
		if wrapper { // one report for all that stands in the wrong place
			if len(dropped) == 0 {
				t.Errorf("a wrapper is reported, and nothing is dropped:\n%s", text)
			}
		} else if !slices.Equal(fields, dropped) && !strings.Contains(text, "lables") { // metadata is pruned elsewhere
			t.Errorf("dropped are %q, reported %q:\n%s", dropped, fields, text)
		}
		for _, e := range []struct{ field, rule string }{{"metadata.name", "k8s-cr-name-invalid"}, {"credspec:", "k8s-cr-string-body"}} {
			i := slices.IndexFunc(errs, func(s string) bool { return strings.HasPrefix(s, e.field) })
			j := slices.IndexFunc(reports, func(r check.Report) bool { return r.Rule.ID == e.rule })
			switch {
			case (i >= 0) != (j >= 0):
				t.Errorf("%s: the API server says %q, we report %v:\n%s", e.rule, errs, idsOf(reports), text)
			case i >= 0 && !strings.Contains(errs[i], "no string") && !strings.Contains(errs[i], "Required value") && !strings.HasSuffix(reports[j].Consumer, errs[i]):
				t.Errorf("%s: the API server says\n%s\nwe quote\n%s", e.rule, errs[i], reports[j].Consumer)
			}
		}
	}
}

// judgePod is what the API server says of a pod's windowsOptions and system.
func judgePod(t *testing.T, text string) []string {
	t.Helper()
	var external v1.Pod
	if err := json.UnmarshalCaseSensitivePreserveInts(jsonOf(t, text), &external); err != nil {
		return []string{err.Error()}
	}
	corev1.SetObjectDefaults_Pod(&external)
	var pod core.Pod
	if err := corev1.Convert_v1_Pod_To_core_Pod(&external, &pod, nil); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range corevalidation.ValidatePodCreate(&pod, corevalidation.PodValidationOptions{}) {
		list = append(list, e.Error())
	}
	return list
}

// TestPods: the API server's refusals of windowsOptions, and of the operating system beside them, are reported in its words.
func TestPods(t *testing.T) {
	pod := func(spec, options string) string {
		text := "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n  containers:\n  - name: web\n    image: x\n" + spec
		if options != "" {
			text += "  securityContext:\n    windowsOptions: " + options + "\n"
		}
		return text
	}
	quoted := func(n int) string {
		return "{gmsaCredentialSpecName: a, gmsaCredentialSpec: '{" + strings.Repeat(" ", n-2) + "}'}"
	}
	tests := []string{
		pod("", "{gmsaCredentialSpecName: webapp}"), pod("", "{gmsaCredentialSpecName: WebApp}"), pod("", "{gmsaCredentialSpecName: web_app}"), pod("", "{gmsaCredentialSpecName: ''}"),
		pod("", "{gmsaCredentialSpecName: 'a.b'}"), pod("", "{gmsaCredentialSpecName: '"+strings.Repeat("a", 254)+"'}"),
		pod("", "{gmsaCredentialSpecName: a, gmsaCredentialSpec: ''}"), pod("", "{gmsaCredentialSpec: ''}"), pod("", quoted(65536)), pod("", quoted(65537)),
		pod("  os: {name: linux}\n", "{gmsaCredentialSpecName: a}"), pod("  os: {name: windows}\n", "{gmsaCredentialSpecName: a}"), pod("  os: {name: Windows}\n", "{gmsaCredentialSpecName: a}"),
		pod("  os: {name: linux}\n", ""), pod("    securityContext: {windowsOptions: {gmsaCredentialSpecName: A}}\n", ""),
		pod("    securityContext: {windowsOptions: {gmsaCredentialSpec: ''}}\n  os: {name: linux}\n", ""),
		pod("  initContainers:\n  - name: i\n    image: x\n    securityContext: {windowsOptions: {gmsaCredentialSpecName: A}}\n", ""),
		pod("", "{gmsaCredentialSpecName: 123}"), pod("", "{gmsaCredentialSpecName: on}"), pod("", "{gmsaCredentialSpecName: null}"), pod("", "{gmsaCredentialSpec: {a: b}, gmsaCredentialSpecName: a}"),
		pod("", "{gmsaCredentialSpec: [a], gmsaCredentialSpecName: a}"), pod("", "{gmsaCredentialSpec: 5, gmsaCredentialSpecName: a}"), pod("", "{gmsaCredentialSpec: yes, gmsaCredentialSpecName: a}"),
		pod("", "{gmsaCredentialSpecName: {a: b}}"),
	}
	rules := []string{"k8s-name-invalid", "k8s-inline-empty", "k8s-inline-too-large", "k8s-os-name"}
	for _, text := range tests {
		var judged []string
		for _, e := range judgePod(t, text) {
			if strings.Contains(e, "imagePullPolicy") || strings.Contains(e, "terminationMessagePolicy") {
				t.Fatalf("the test's pod is no pod: %s", e)
			}
			judged = append(judged, e)
		}
		ids := rules
		if len(judged) == 1 && strings.Contains(judged[0], "cannot unmarshal") {
			ids = append(slices.Clone(rules), "k8s-inline-syntax")
		}
		reports, _ := ours(t, text, ids...)
		if (len(judged) > 0) != (len(reports) > 0) {
			t.Errorf("the API server says %q, we report %v:\n%.300s", judged, idsOf(reports), text)
			continue
		}
		for _, r := range reports {
			quote := r.Consumer
			if _, rest, ok := strings.Cut(quote, " is invalid: "); ok {
				quote = rest
			}
			if quote != "" && !slices.ContainsFunc(judged, func(e string) bool { return strings.Contains(e, quote) || strings.Contains(quote, "…") }) {
				t.Errorf("%s quotes\n%s\nthe API server says\n%s", r.Rule.ID, quote, strings.Join(judged, "\n"))
			}
		}
	}
}

// TestSubjects: the subjects of bindings that the API server refuses are reported in its words.
func TestSubjects(t *testing.T) {
	for _, kind := range []string{"RoleBinding", "ClusterRoleBinding"} {
		for _, subject := range []string{
			"{kind: ServiceAccount, name: web}", "{kind: ServiceAccount, name: web, namespace: shop}", "{kind: ServiceAccount, name: web, namespace: shop, apiGroup: rbac.authorization.k8s.io}",
			"{kind: ServiceAccount, name: Web, namespace: shop}", "{kind: ServiceAccount, namespace: shop}", "{kind: ServiceAccount, name: 'system:serviceaccount:shop:web', namespace: shop}",
			"{kind: Group, name: 'system:serviceaccounts', apiGroup: rbac.authorization.k8s.io}", "{kind: ServiceAccount, name: web, namespace: shop, apiGroup: ''}",
			"{kind: ServiceAccount, name: web, apiGroup: x}", "{kind: User, name: web}",
		} {
			text := fmt.Sprintf("apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: {name: x}\nsubjects:\n- %s\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\n", kind, subject)
			var errs field.ErrorList
			if kind == "RoleBinding" {
				text = strings.Replace(text, "{name: x}", "{name: x, namespace: shop}", 1)
				var external rbacv1.RoleBinding
				var internal rbac.RoleBinding
				if err := yaml.UnmarshalStrict([]byte(text), &external); err != nil {
					t.Fatal(err)
				}
				rbacconv.SetObjectDefaults_RoleBinding(&external)
				if err := rbacconv.Convert_v1_RoleBinding_To_rbac_RoleBinding(&external, &internal, nil); err != nil {
					t.Fatal(err)
				}
				errs = rbacvalidation.ValidateRoleBinding(&internal)
			} else {
				var external rbacv1.ClusterRoleBinding
				var internal rbac.ClusterRoleBinding
				if err := yaml.UnmarshalStrict([]byte(text), &external); err != nil {
					t.Fatal(err)
				}
				rbacconv.SetObjectDefaults_ClusterRoleBinding(&external)
				if err := rbacconv.Convert_v1_ClusterRoleBinding_To_rbac_ClusterRoleBinding(&external, &internal, nil); err != nil {
					t.Fatal(err)
				}
				errs = rbacvalidation.ValidateClusterRoleBinding(&internal)
			}
			reports, _ := ours(t, text, "k8s-rbac-subject-invalid")
			if len(errs) != len(reports) {
				t.Errorf("the API server says %v, we report %d:\n%s", errs, len(reports), text)
			}
			for _, r := range reports {
				_, quote, _ := strings.Cut(r.Consumer, " is invalid: ")
				if !slices.ContainsFunc(errs, func(e *field.Error) bool { return e.Error() == quote }) {
					t.Errorf("we quote\n%s\nthe API server says\n%v", quote, errs)
				}
			}
		}
	}
}
