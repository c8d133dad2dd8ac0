package kubeoracle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	rbacregistry "k8s.io/kubernetes/pkg/registry/rbac/validation"
	rbacauthorizer "k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
	"sigs.k8s.io/yaml"
)

// TestRights makes roles and bindings by chance and asks the RBAC authorizer what the webhook asks it: may the pod's service account use the
// credential spec. Our rule has to say the same wherever it says something.
func TestRights(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 19))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	list := func(words ...string) string {
		var some []string
		for range 1 + r.IntN(2) {
			some = append(some, fmt.Sprintf("%q", pick(words...)))
		}
		return "[" + strings.Join(some, ", ") + "]"
	}
	allowed, denied, unknown := 0, 0, 0
	for range 1500 {
		var objects []string
		for _, kind := range []string{"Role", "ClusterRole"} {
			for _, name := range []string{"one", "two"} {
				namespace := ""
				if kind == "Role" {
					namespace = ", namespace: " + pick("shop", "other")
				}
				names := ""
				if r.IntN(2) == 0 {
					names = "\n  resourceNames: " + list("webapp", "other", "*")
				}
				objects = append(objects, fmt.Sprintf("apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: {name: %s%s}\nrules:\n- apiGroups: %s\n  resources: %s\n  verbs: %s%s\n",
					kind, name, namespace, list("windows.k8s.io", "windows.k8s.io", "*", "", "windows.k8s.io/v1"), list("gmsacredentialspecs", "gmsacredentialspecs", "*", "pods", "*/status"), list("use", "use", "get", "*"), names))
			}
		}
		for i := range 1 + r.IntN(3) {
			kind, ref, namespace := pick("RoleBinding", "RoleBinding", "ClusterRoleBinding"), pick("Role", "ClusterRole"), ", namespace: "+pick("shop", "shop", "other")
			subject := pick("{kind: ServiceAccount, name: web, namespace: shop}", "{kind: ServiceAccount, name: web}", "{kind: ServiceAccount, name: other, namespace: shop}", "{kind: ServiceAccount, name: web, namespace: other}",
				"{kind: User, name: 'system:serviceaccount:shop:web', apiGroup: rbac.authorization.k8s.io}", "{kind: User, name: web, apiGroup: rbac.authorization.k8s.io}",
				"{kind: Group, name: 'system:serviceaccounts', apiGroup: rbac.authorization.k8s.io}", "{kind: Group, name: 'system:serviceaccounts:shop', apiGroup: rbac.authorization.k8s.io}",
				"{kind: Group, name: 'system:serviceaccounts:other', apiGroup: rbac.authorization.k8s.io}", "{kind: Group, name: 'system:authenticated', apiGroup: rbac.authorization.k8s.io}")
			if kind == "ClusterRoleBinding" {
				ref, namespace = "ClusterRole", ""
				if subject == "{kind: ServiceAccount, name: web}" {
					continue // refused
				}
			}
			objects = append(objects, fmt.Sprintf("apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: {name: b%d%s}\nsubjects:\n- %s\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %s}\n", kind, i, namespace, subject, ref, pick("one", "one", "two", "two", "three")))
		}
		var roles []*rbacv1.Role
		var clusterRoles []*rbacv1.ClusterRole
		var bindings []*rbacv1.RoleBinding
		var clusterBindings []*rbacv1.ClusterRoleBinding
		for _, text := range objects {
			switch {
			case strings.Contains(text, "kind: RoleBinding"):
				bindings = append(bindings, parse[rbacv1.RoleBinding](t, text))
			case strings.Contains(text, "kind: ClusterRoleBinding"):
				clusterBindings = append(clusterBindings, parse[rbacv1.ClusterRoleBinding](t, text))
			case strings.Contains(text, "kind: ClusterRole\nmeta"):
				clusterRoles = append(clusterRoles, parse[rbacv1.ClusterRole](t, text))
			default:
				roles = append(roles, parse[rbacv1.Role](t, text))
			}
		}
		resolver, _ := rbacregistry.NewTestRuleResolver(roles, bindings, clusterRoles, clusterBindings)
		request := authorizer.AttributesRecord{User: serviceaccount.UserInfo("shop", "web", ""), Verb: "use", Namespace: "shop", APIGroup: "windows.k8s.io", APIVersion: "v1", Resource: "gmsacredentialspecs", Name: "webapp", ResourceRequest: true}
		want := false
		resolver.VisitRulesFor(context.Background(), request.User, "shop", func(_ fmt.Stringer, rule *rbacv1.PolicyRule, err error) bool {
			want = want || rule != nil && rbacauthorizer.RuleAllows(&request, rule)
			return !want
		})
		text := strings.Join(append(objects, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec:\n  serviceAccountName: web\n  securityContext: {windowsOptions: {gmsaCredentialSpecName: webapp}}\n  containers: [{name: web}]\n"), "---\n")
		reports, open := ours(t, text, "k8s-rbac-missing")
		switch {
		case len(open) > 0:
			unknown++
		case want != (len(reports) == 0):
			t.Fatalf("the authorizer says %v, we report %d in\n%s", want, len(reports), text)
		case want:
			allowed++
		default:
			denied++
		}
	}
	t.Logf("%d allowed, %d denied, %d not known", allowed, denied, unknown)
	if allowed < 100 || denied < 100 {
		t.Errorf("the chance is badly chosen: %d allowed, %d denied", allowed, denied)
	}
}

func parse[T any](t *testing.T, text string) *T {
	t.Helper()
	v := new(T)
	if err := yaml.UnmarshalStrict([]byte(text), v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return v
}
