package kubernetes

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Pod is the part of a pod that matters here, with the fields of metadata and spec side by side under their own names.
type Pod struct {
	Name        string            `json:"name,omitempty" yaml:"name,omitempty"`
	Namespace   string            `json:"namespace,omitempty" yaml:"namespace,omitempty"` // default: default
	Annotations map[string]string `json:"annotations,omitempty" yaml:"annotations,omitempty"`
	// ServiceAccountName is the account whose right to use the credential spec counts. Default: default.
	ServiceAccountName string            `json:"serviceAccountName,omitempty" yaml:"serviceAccountName,omitempty"`
	Hostname           string            `json:"hostname,omitempty" yaml:"hostname,omitempty"` // default: the pod's name
	NodeSelector       map[string]string `json:"nodeSelector,omitempty" yaml:"nodeSelector,omitempty"`
	// Nameservers is dnsConfig.nameservers with dnsPolicy None: DCs, which know the domain, or addresses of others, which do not.
	// Default: the cluster's DNS.
	Nameservers     []string        `json:"nameservers,omitempty" yaml:"nameservers,omitempty"`
	SecurityContext SecurityContext `json:"securityContext,omitzero" yaml:"securityContext,omitempty"`
	InitContainers  []Container     `json:"initContainers,omitempty" yaml:"initContainers,omitempty"`
	// Containers default to one that is named main.
	Containers []Container `json:"containers,omitempty" yaml:"containers,omitempty"`
}

// Container is a container of a pod.
type Container struct {
	Name string `json:"name" yaml:"name"`
	// Image as in [simulator.Container]. Default: the Server Core of the node's release.
	Image windows.Image `json:"image,omitzero" yaml:"image,omitempty"`
	// AutoStart says that the container's work is a service that starts by itself and asks the domain at once; ServiceDependsOn are the
	// services that it waits for, as in [simulator.Container].
	AutoStart        bool     `json:"autoStart,omitempty" yaml:"autoStart,omitempty"`
	ServiceDependsOn []string `json:"serviceDependsOn,omitempty" yaml:"serviceDependsOn,omitempty"`
	// PostStart are lines of lifecycle.postStart, for [simulator.Process.Command].
	PostStart []string `json:"postStart,omitempty" yaml:"postStart,omitempty"`
	// Command is what an init container does, a line for [simulator.Process.Command]; it must succeed before the pod goes on.
	Command         string          `json:"command,omitempty" yaml:"command,omitempty"`
	SecurityContext SecurityContext `json:"securityContext,omitzero" yaml:"securityContext,omitempty"`
}

// SecurityContext is that of a pod or of a container.
type SecurityContext struct {
	WindowsOptions WindowsOptions `json:"windowsOptions,omitzero" yaml:"windowsOptions,omitempty"`
}

// WindowsOptions are the options of Windows containers. A member of a container wins over the same member of its pod.
type WindowsOptions struct {
	GMSACredentialSpecName string       `json:"gmsaCredentialSpecName,omitempty" yaml:"gmsaCredentialSpecName,omitempty"`
	GMSACredentialSpec     string       `json:"gmsaCredentialSpec,omitempty" yaml:"gmsaCredentialSpec,omitempty"`
	RunAsUserName          windows.User `json:"runAsUserName,omitzero" yaml:"runAsUserName,omitempty"`
}

// over gives o with the members of pod where o has none.
func (o WindowsOptions) over(pod WindowsOptions) WindowsOptions {
	if o.GMSACredentialSpecName == "" {
		o.GMSACredentialSpecName = pod.GMSACredentialSpecName
	}
	if o.GMSACredentialSpec == "" {
		o.GMSACredentialSpec = pod.GMSACredentialSpec
	}
	if o.RunAsUserName.Kind == windows.ImageDefault {
		o.RunAsUserName = pod.RunAsUserName
	}
	return o
}

// clone copies a pod so that admission may change it.
func (p Pod) clone() Pod {
	p.InitContainers, p.Containers = slices.Clone(p.InitContainers), slices.Clone(p.Containers)
	return p
}

// wants tells that the pod or one of its containers asks for a gMSA.
func (p *Pod) wants() bool {
	asks := func(o WindowsOptions) bool { return o.GMSACredentialSpecName != "" || o.GMSACredentialSpec != "" }
	if asks(p.SecurityContext.WindowsOptions) {
		return true
	}
	return slices.ContainsFunc(slices.Concat(p.InitContainers, p.Containers), func(c Container) bool { return asks(c.SecurityContext.WindowsOptions) })
}

// Deployment keeps a number of pods alike.
type Deployment struct {
	Name      string `json:"name" yaml:"name"`
	Namespace string `json:"namespace,omitempty" yaml:"namespace,omitempty"`
	Replicas  int    `json:"replicas,omitempty" yaml:"replicas,omitempty"` // default 1
	// Template is the pod; its name and namespace come from the deployment.
	Template Pod `json:"template,omitzero" yaml:"template,omitempty"`
}

// CredentialSpec is an object of kind GMSACredentialSpec, windows.k8s.io/v1. It belongs to no namespace.
type CredentialSpec struct {
	Name string `json:"name" yaml:"name"`
	// Account lets a node make the contents with New-CredentialSpec.
	Account string `json:"account,omitempty" yaml:"account,omitempty"`
	// HostAccountConfig is written into contents that are made for Account.
	HostAccountConfig *HostAccountConfig `json:"hostAccountConfig,omitempty" yaml:"hostAccountConfig,omitempty"`
	// Credspec is the member credspec as JSON; null when the object has none.
	Credspec json.RawMessage `json:"credspec,omitempty" yaml:"-"`
}

// ClusterRole is a role with one rule about the API group windows.k8s.io. With Namespace it is a Role.
type ClusterRole struct {
	Name      string   `json:"name" yaml:"name"`
	Namespace string   `json:"namespace,omitempty" yaml:"namespace,omitempty"`
	APIGroup  string   `json:"apiGroup,omitempty" yaml:"apiGroup,omitempty"` // default windows.k8s.io
	Resources []string `json:"resources,omitempty" yaml:"resources,omitempty"`
	Verbs     []string `json:"verbs,omitempty" yaml:"verbs,omitempty"`
	// ResourceNames are the credential specs; none: all.
	ResourceNames []string `json:"resourceNames,omitempty" yaml:"resourceNames,omitempty"`
}

// RoleBinding gives a role to service accounts: in one namespace, or without Namespace in all, as a ClusterRoleBinding does.
type RoleBinding struct {
	Name      string `json:"name" yaml:"name"`
	Namespace string `json:"namespace,omitempty" yaml:"namespace,omitempty"`
	Role      string `json:"role" yaml:"role"`
	// ServiceAccounts are names in the binding's namespace, or namespace/name.
	ServiceAccounts []string `json:"serviceAccounts" yaml:"serviceAccounts"`
}

const (
	apiGroup    = "windows.k8s.io"
	apiResource = "gmsacredentialspecs"
)

// subdomain is RFC 1123 as the API server checks it (apimachinery, IsDNS1123Subdomain).
var subdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

const subdomainRule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

// invalidName is what the API server says of a name, "" when it is one.
func invalidName(kind, object, path, name string) string {
	if len(name) <= 253 && subdomain.MatchString(name) {
		return ""
	}
	return fmt.Sprintf("The %s %q is invalid: %s: Invalid value: %q: %s", kind, object, path, name, subdomainRule)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// names tells whether a list that is empty for all has a name.
func names(list []string, name string) bool {
	return slices.ContainsFunc(list, func(o string) bool { return o == name || o == "*" })
}

// qualified is namespace/name.
func qualified(namespace, name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return namespace + "/" + name
}
