package setup

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

func read(name, text string) *Setup {
	return Read([]*source.File{source.NewFile(name, []byte(text))})
}

// usesOf is a line for each use: name, source, value, account of the spec, identity, os.
func usesOf(s *Setup) string {
	var b strings.Builder
	for _, u := range s.Uses {
		account := string(u.Missing)
		if u.Spec != nil {
			account = u.Spec.Spec().DomainJoin.MachineAccountName
		}
		fmt.Fprintf(&b, "%s|%s|%s|%s|%s|%s|%d\n", u.Name, u.Source, u.Value, account, u.Identity, u.OS, u.Replicas)
	}
	return b.String()
}

const body = `
  CmsPlugins: [ActiveDirectory]
  DomainJoinConfig: {Sid: S-1-5-21-2005147832-1190431754-3022818347, MachineAccountName: webapp, DnsName: corp.example}
`

// TestPodTemplates: every kind of object gives its containers; what stands at a container counts before what stands at the pod.
func TestPodTemplates(t *testing.T) {
	const spec = `{
	  "serviceAccountName": "web", "os": {"name": "windows"}, "hostname": "web1",
	  "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": "webapp", "runAsUserName": "pod"}},
	  "initContainers": [{"name": "init"}],
	  "containers": [{"name": "a"}, {"name": "b", "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": "other", "runAsUserName": null}}}]
	}`
	const want = "a|object|webapp|not supplied|prod/web|windows|%[1]d\nb|object|other|not supplied|prod/web|windows|%[1]d\ninit|object|webapp|not supplied|prod/web|windows|%[1]d\n"
	for kind, tt := range map[string]struct {
		object   string
		replicas int
	}{
		"Pod":                   {`"spec": %s`, 0},
		"Deployment":            {`"spec": {"replicas": 3, "template": {"spec": %s}}`, 3},
		"StatefulSet":           {`"spec": {"replicas": 2, "template": {"spec": %s}}`, 2},
		"DaemonSet":             {`"spec": {"template": {"spec": %s}}`, 0},
		"ReplicaSet":            {`"spec": {"template": {"spec": %s}}`, 0},
		"ReplicationController": {`"spec": {"template": {"spec": %s}}`, 0},
		"Job":                   {`"spec": {"parallelism": 4, "template": {"spec": %s}}`, 4},
		"CronJob":               {`"spec": {"jobTemplate": {"spec": {"template": {"spec": %s}}}}`, 0},
		"PodTemplate":           {`"template": {"spec": %s}`, 0},
		"Rollout":               {`"spec": {"replicas": 5, "template": {"metadata": {}, "spec": %s}}`, 5},
	} {
		text := fmt.Sprintf(`{"apiVersion": "v1", "kind": %q, "metadata": {"name": "x", "namespace": "prod"}, `+tt.object+`}`, kind, spec)
		for name, s := range map[string]*Setup{
			"object": read("x.json", text),
			"list":   read("x.json", `{"apiVersion": "v1", "kind": "List", "items": [`+text+`]}`),
			"stream": read("x.yaml", "---\n# nothing\n---\n"+text+"\n---\n"),
		} {
			if got, want := usesOf(s), fmt.Sprintf(want, tt.replicas); got != want {
				t.Errorf("%s, %s:\n%swant\n%s", kind, name, got, want)
			}
			if len(s.Pods) != 1 || s.Pods[0].Containers[1].Option(OptionUser).String() != "pod" || s.Uses[1].Hostname.String() != "web1" {
				t.Errorf("%s, %s: pods %+v", kind, name, s.Pods)
			}
		}
	}
}

// TestInlineContents: a credential spec in a string of the pod is read where it stands, once for all containers that have it.
func TestInlineContents(t *testing.T) {
	s := read("pod.yaml", `apiVersion: v1
kind: Pod
metadata: {name: x}
spec:
  securityContext:
    windowsOptions:
      gmsaCredentialSpec: '{"DomainJoinConfig":{"MachineAccountName":"webapp"}}'
  containers: [{name: a, image: "mcr.microsoft.com/windows/servercore:ltsc2022"}, {name: b}]
`)
	if got, want := usesOf(s), "a|inline||webapp|default|windows|0\nb|inline||webapp|default|windows|0\n"; got != want {
		t.Errorf("got\n%s", got)
	}
	if s.Uses[0].Spec != s.Uses[1].Spec || s.Uses[0].Release != "ltsc2022" {
		t.Errorf("the uses are %+v", s.Uses)
	}
	if place := s.Uses[0].Spec.Get("DomainJoinConfig", "MachineAccountName").Span().Start; place.Line != 7 || place.Column != 70 {
		t.Errorf("the account stands at %s", place)
	}
}

// TestResource: the body of a GMSACredentialSpec is found where it belongs, and where users put it.
func TestResource(t *testing.T) {
	const head = "apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata: {name: webapp}\n"
	indented := strings.TrimRight(strings.ReplaceAll(body, "\n", "\n  "), " ")
	outdented := strings.ReplaceAll(body, "\n  ", "\n")
	for name, tt := range map[string]struct {
		text   string
		stored bool
	}{
		"right":     {head + "credspec:" + body, true},
		"list":      {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: windows.k8s.io/v1\n  kind: GMSACredentialSpec\n  metadata: {name: webapp}\n  credspec:" + indented, true},
		"spec":      {head + "spec:" + body, false},
		"nested":    {head + "spec:\n  credspec:" + indented, false},
		"case":      {head + "credSpec:" + body, false},
		"top level": {head + outdented, false},
		"string":    {head + "credspec: '{\"DomainJoinConfig\":{\"MachineAccountName\":\"webapp\"}}'\n", false},
	} {
		s := read("cr.yaml", tt.text+"---\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - {name: a, securityContext: {windowsOptions: {gmsaCredentialSpecName: webapp}}}\n")
		if got, want := usesOf(s), "a|object|webapp|webapp|default||0\n"; got != want {
			t.Errorf("%s: got %s", name, got)
		}
		for _, d := range s.Documents {
			if d.Spec != nil && (StoredBody(d.Root) != nil) != tt.stored {
				t.Errorf("%s: stored is %v", name, StoredBody(d.Root))
			}
		}
	}
}

// TestForeignKinds: windowsOptions are found in kinds that nobody listed, and in fragments; a schema that has the word is none.
func TestForeignKinds(t *testing.T) {
	for text, want := range map[string]string{
		"spec:\n  kube:\n    podTemplate:\n      securityContext:\n        windowsOptions: {gmsaCredentialSpecName: webapp}\n":                                          "|object|webapp|not supplied|default||0\n",
		"apiVersion: x/v1\nkind: Gateway\nspec:\n  security:\n    windowsOptions: {gmsaCredentialSpecName: webapp}\n":                                                   "|object|webapp|not supplied|default||0\n",
		"apiVersion: x/v1\nkind: Two\nspec:\n- containers:\n  - {name: a, securityContext: {windowsOptions: {gmsaCredentialSpecName: a}}}\n- containers: [{name: b}]\n": "a|object|a|not supplied|default||0\n",
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  windowsOptions: {gmsaCredentialSpecName: {type: string}}\n":                      "",
		"apiVersion: v1\nkind: Pod\nspec: {securityContext: {windowsOptions: {runAsUserName: x}}, containers: [{name: a}]}\n":                                           "",
		"apiVersion: v1\nkind: Pod\nspec: text\n": "",
		"apiVersion: v1\nkind: Pod\nspec: {containers: [null, text, [], {}], initContainers: {}, securityContext: [], replicas: x}\n": "",
	} {
		if got := usesOf(read("x.yaml", text)); got != want {
			t.Errorf("%s\ngot %q, want %q", text, got, want)
		}
	}
}

// TestHelmValues: the credential spec that the chart makes has the values at their places in the values file.
func TestHelmValues(t *testing.T) {
	const values = `credential:
  enabled: true
  hostAccountConfig: {pluginGUID: CCC2A336-D7F3-4818-A213-272B7924213E, portableCcgVersion: "1", pluginInput: x}
  domainJoinConfig:
    dnsName: corp.example
    machineAccountName: webapp
    netBiosName: CORP
`
	for name, text := range map[string]string{"own": values, "dependency": "gmsa:\n  " + strings.ReplaceAll(values, "\n", "\n  ") + "\n"} {
		s := read("values.yaml", text)
		if len(s.Documents) != 1 || s.Documents[0].Form != FormHelmValues || s.Documents[0].Spec == nil {
			t.Fatalf("%s: %+v", name, s.Documents)
		}
		spec := s.Documents[0].Spec.Spec()
		host := spec.Host
		if spec.Host = nil; fmt.Sprintf("%v", spec) != "{[ActiveDirectory] { webapp   corp.example CORP} [{webapp CORP} {webapp corp.example}] <nil>}" {
			t.Errorf("%s: %v", name, spec)
		}
		if host == nil || !reflect.DeepEqual(*host, credspec.HostAccount{PortableCcgVersion: "1", PluginGUID: "{CCC2A336-D7F3-4818-A213-272B7924213E}", PluginInput: "x"}) {
			t.Errorf("%s: %+v", name, host)
		}
		if n := s.Documents[0].Spec.Get("DomainJoinConfig", "NetBiosName"); n.File.Line(n.Span().Start.Line) != strings.TrimRight("    netBiosName: CORP", " ") && name == "own" {
			t.Errorf("%s: at %s", name, n.Span().Start)
		}
	}
	if s := read("values.yaml", strings.Replace(values, "true", "false", 1)); s.Documents[0].Spec != nil {
		t.Error("a chart that makes no credential spec has one")
	}
}

func TestImageOS(t *testing.T) {
	for image, want := range map[string]string{
		"mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2019": "windows ltsc2019",
		"mcr.microsoft.com/windows/nanoserver:10.0.20348.2849@sha256:ab":      "windows ltsc2022",
		"registry.k8s.io/pause":                         " ",
		"localhost:5000/team/app":                       " ",
		"team/app:1.0-ltsc2025":                         "windows ltsc2025",
		"mcr.microsoft.com/dotnet/framework/aspnet:4.8": "windows ",
		"nginx:1.27":                                    "linux ",
	} {
		os, release := ImageOS(image)
		if got := os + " " + release; got != want {
			t.Errorf("%s is %q, want %q", image, got, want)
		}
	}
}
