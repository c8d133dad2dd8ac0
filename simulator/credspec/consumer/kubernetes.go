package consumer

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// maxContents is how many bytes of gmsaCredentialSpec the API server takes (k8s.io/kubernetes pkg/apis/core/validation).
const maxContents = 64 * 1024

// PodContents is what the API server checks of gmsaCredentialSpec: its size, and not what is in it.
func PodContents(contents string) error {
	switch {
	case contents == "":
		return refuse("gmsaCredentialSpec cannot be an empty string")
	case len(contents) > maxContents:
		return refuse("gmsaCredentialSpec size must be under 64 KiB")
	}
	return nil
}

// Schema is a part of the structural schema of windows-gmsa's CustomResourceDefinition, whose versions v1alpha1 and v1 are alike
// (admission-webhook/deploy/gmsa-crd.yml).
type Schema struct {
	kind   string // object, array, string; "": any value at all
	fields map[string]*Schema
	items  *Schema
}

// Body is the schema of credspec.
func Body() *Schema { return resource.fields["credspec"] }

// Member is the schema of a member of an object, or of the objects of a list; nil: the API server drops it.
func (s *Schema) Member(key string) *Schema { return s.members()[key] }

// Members are the keys that an object, or the objects of a list, may have, in order; none: it is a leaf.
func (s *Schema) Members() []string { return slices.Sorted(maps.Keys(s.members())) }

func (s *Schema) members() map[string]*Schema {
	if s.items != nil {
		return s.items.fields
	}
	return s.fields
}

func object(fields map[string]*Schema) *Schema { return &Schema{kind: "object", fields: fields} }

func texts(names ...string) map[string]*Schema {
	fields := map[string]*Schema{}
	for _, name := range names {
		fields[name] = &Schema{kind: "string"}
	}
	return fields
}

// resource is the whole object; what the API server itself knows is not pruned.
var resource = object(map[string]*Schema{
	"apiVersion": {}, "kind": {}, "metadata": {},
	"credspec": object(map[string]*Schema{
		"CmsPlugins":       {kind: "array", items: &Schema{kind: "string"}},
		"DomainJoinConfig": object(texts("DnsName", "DnsTreeName", "Guid", "MachineAccountName", "NetBiosName", "Sid")),
		"ActiveDirectoryConfig": object(map[string]*Schema{
			"GroupManagedServiceAccounts": {kind: "array", items: object(texts("Name", "Scope"))},
			"HostAccountConfig":           object(texts("PluginGUID", "PluginInput", "PortableCcgVersion")),
		}),
	}),
})

// CRD is what the API server does with a GMSACredentialSpec that a client sends as JSON: fields that the schema does not have are dropped without
// a word, and values of another type than the schema's are refused. The text that it stores is the outcome's.
func CRD(resourceJSON []byte) (Outcome, error) {
	// guess: of a key that stands twice the last counts; readers of YAML that are strict refuse it before
	var v map[string]any
	if err := json.Unmarshal(resourceJSON, &v); err != nil {
		return Outcome{}, &Refusal{Says: "the object provided is unrecognized (must be of type GMSACredentialSpec): " + err.Error(), Status: 400, err: err}
	}
	var o Outcome
	var wrong []string
	resource.prune("", v, &o.Dropped, &wrong)
	if len(wrong) > 0 {
		return Outcome{}, &Refusal{Says: strings.Join(wrong, ", "), Status: 422}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return Outcome{}, err
	}
	o.Text = text
	if body, ok := v["credspec"].(map[string]any); !ok {
		o.Silent = "nothing below credspec is left: the webhook refuses pods that name the object"
	} else if len(body) == 0 {
		o.Silent = "credspec is empty: the webhook lets pods pass, and Windows refuses to create their containers"
	}
	return o, nil
}

func (s *Schema) prune(path string, v any, dropped, wrong *[]string) {
	below := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	kind := jsonKind(v)
	if s.kind != "" && kind != s.kind {
		*wrong = append(*wrong, fmt.Sprintf("%s: Invalid value: %q: %s in body must be of type %s: %q", path, kind, path, s.kind, kind))
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			switch field := s.fields[key]; {
			case s.fields == nil:
			case field == nil:
				*dropped = append(*dropped, below(key))
				delete(v, key)
			default:
				field.prune(below(key), v[key], dropped, wrong)
			}
		}
	case []any:
		for i, item := range v {
			if s.items != nil {
				s.items.prune(fmt.Sprintf("%s[%d]", path, i), item, dropped, wrong)
			}
		}
	}
}

// jsonKind is the type of a value in the API server's words.
func jsonKind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
	}
	return "number"
}

// WebhookContents compares a pod's contents with an object's, as the admission webhook does: letter by letter, and then as JSON objects of Go
// (windows-gmsa admission-webhook/webhook.go).
func WebhookContents(fromPod, fromObject string) (same bool, err error) {
	if fromPod == fromObject {
		return true, nil
	}
	var a, b map[string]any
	if err := json.Unmarshal([]byte(fromPod), &a); err != nil {
		return false, fmt.Errorf("unable to parse %q as a JSON object: %v", fromPod, err)
	}
	if err := json.Unmarshal([]byte(fromObject), &b); err != nil {
		return false, fmt.Errorf("unable to parse CRD %q as a JSON object: %v", fromObject, err)
	}
	return reflect.DeepEqual(a, b), nil
}

// Webhook is what the webhook does with a pod whose container has contents beside the name of an object: 422 when they differ.
func Webhook(level, name, object, fromPod, fromObject string) (Outcome, error) {
	same, err := WebhookContents(fromPod, fromObject)
	if same {
		return Outcome{Text: []byte(fromPod)}, nil
	}
	text := fmt.Sprintf("the GMSA cred spec contents for %s %q does not match the contents of GMSA resource %q", level, name, object)
	if err != nil {
		text += ": " + err.Error()
	}
	return Outcome{}, &Refusal{Says: text, Status: 422, err: err}
}
