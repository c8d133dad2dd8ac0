// Package setup reads the files in which users say that a container shall have a credential spec (docker arguments, compose files, swarm
// services, Kubernetes manifests, ECS task definitions, Service Fabric manifests, Nomad jobs, OCI bundles) into one model: a list of [Use].
//
// [Read] takes all files of a set, because one often names what another holds. A file that was not given is not an error: what it would hold
// is [NotSupplied].
package setup

import (
	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Carrier is the form in which a container gets its credential spec.
type Carrier string

// The carriers.
const (
	Docker        Carrier = "docker"        // docker run, create
	Compose       Carrier = "compose"       // a compose file; as docker compose and docker stack deploy read it
	Swarm         Carrier = "swarm"         // docker service create, update; the API's ServiceSpec
	Kubernetes    Carrier = "kubernetes"    // pods and everything with a pod template
	ECS           Carrier = "ecs"           // task definitions
	ServiceFabric Carrier = "servicefabric" // ApplicationManifest.xml
	Nomad         Carrier = "nomad"         // jobs with the docker driver
	OCI           Carrier = "oci"           // config.json of a bundle, CRI requests
)

// SourceKind tells where a [Use] has its credential spec from.
type SourceKind string

// The kinds of sources.
const (
	FromInline   SourceKind = "inline"   // the text itself
	FromFile     SourceKind = "file"     // a file in the engine's folder, or a path
	FromRegistry SourceKind = "registry" // a registry value
	FromConfig   SourceKind = "config"   // a swarm config, by name or id
	FromObject   SourceKind = "object"   // a GMSACredentialSpec, by name
	FromS3       SourceKind = "s3"       // an object's ARN
	FromSSM      SourceKind = "ssm"      // a parameter's ARN
	FromUnknown  SourceKind = "unknown"  // the option has a form that nobody knows
	FromNowhere  SourceKind = "none"     // nothing is named
)

// Use is one container that is to get a credential spec.
type Use struct {
	Carrier Carrier
	// File holds the container's definition and Where is the value that names the credential spec, or the container when nothing does.
	File  *source.File
	Where *source.Node
	// Name is the container's or service's, as its file has it.
	Name string
	// Container is the value that defines it (a service, a container of a pod, a containerDefinition), nil for arguments.
	Container *source.Node

	// Source is where the spec comes from, and Option the text that says so, as written ("credentialspec=file://a.json", a CR's name).
	Source SourceKind
	Option *source.Node
	// Value is what follows the scheme: a file's name, a registry value's, a config's, an ARN.
	Value string
	// Spec is the document: in the file itself or in another one of the set; nil: [Use.Missing] tells why.
	Spec *credspec.Document
	// Missing is why Spec is nil.
	Missing Missing

	// Options are all texts of the container that name, or were to name, a credential spec or are security options beside it, in their order.
	Options []*Option
	// Member is the object that has a member for each source, credential_spec of a compose file or CredentialSpec of the API; nil: none.
	Member *source.Node
	// Command is the docker command line that makes the container; nil: it is another carrier's.
	Command *Command

	Hostname  *source.Node // nil: not given
	User      *source.Node // nil: the image's
	Isolation *source.Node // nil: the host's default
	Image     *source.Node
	Platform  *source.Node // "windows/amd64"; nil: not given
	// OS is "windows", "linux" or "" when nothing tells; Release is a Windows Server release ("ltsc2019") when something does.
	OS, Release string
	// Replicas is how many of the container there are on purpose; 0: one.
	Replicas int
	// Domainless: the spec's HostAccountConfig is to be used (the ECS prefix credentialspecdomainless).
	Domainless bool
	// Fargate: the task needs no instance of its own (requiresCompatibilities FARGATE).
	Fargate bool
	// Identity is who asks: a Kubernetes service account (namespace/name), an ECS execution role's ARN; "": none.
	Identity  string
	Namespace string
	// Pod is the pod of a container of Kubernetes, whose containers share one host name and network; nil: no such thing. Class is the list of
	// the pod that has the container.
	Pod   *Pod
	Class ContainerClass

	// Driver is the driver of a task of Nomad; nil: another carrier's, or not given.
	Driver *source.Node

	document *Document // the compose file of a service
	policy   *Policy   // of a container of Service Fabric
}

// Missing is why a credential spec could not be read.
type Missing string

// Why a [Use] has no document.
const (
	NotMissing  Missing = ""
	NotSupplied Missing = "not supplied"   // it is named, and is not among the files of the set
	NotHeld     Missing = "held elsewhere" // registry, S3, SSM, swarm: nothing that a file holds
	NotNamed    Missing = "not named"
)

// Form is what a document of the set is.
type Form string

// The forms that are recognised. The same file can hold several documents of different forms.
const (
	FormCredentialSpec Form = "credentialspec"
	FormDockerArgs     Form = "docker-arguments"
	FormCompose        Form = "compose"
	FormSwarmService   Form = "swarm-service"
	FormKubernetes     Form = "kubernetes"
	FormHelmValues     Form = "helm-values"
	FormECS            Form = "ecs"
	FormServiceFabric  Form = "servicefabric"
	FormNomad          Form = "nomad"
	FormOCI            Form = "oci"
	FormContainer      Form = "docker-container" // what docker inspect prints, and the body of the request that creates a container
	FormSwarmConfig    Form = "swarm-config"     // what docker config inspect prints
	FormTerraform      Form = "terraform"        // resources of the docker provider
	FormPluginSecret   Form = "plugin-secret"
	FormCcgVault       Form = "ccgvault"
	FormUnknown        Form = "unknown"
)

// Document is one document of a file of the set.
type Document struct {
	Form Form
	File *source.File
	// Root is its value; nil when nothing could be read.
	Root *source.Node
	// Spec is the credential spec of a document that is one or holds one (a GMSACredentialSpec).
	Spec *credspec.Document
	// Err is why the document could not be read, with its place when it is a *[source.YAMLError].
	Err error
	// Faults are the places where a JSON document is not JSON.
	Faults []source.Fault

	fabric *fabric // of a file of Service Fabric
}

// Broken tells whether reading a JSON document ended before its text did: what it says of containers is not known then.
func (d *Document) Broken() bool {
	for _, f := range d.Faults {
		if f.Kind == source.Syntax || f.Kind == source.Truncated {
			return true
		}
	}
	return false
}

// Setup is a set of files, read.
type Setup struct {
	Files     []*source.File
	Documents []*Document
	Uses      []*Use
	// Pods are all pods and templates of pods, with or without a credential spec.
	Pods []*Pod
	// Tasks are all task definitions of ECS.
	Tasks []*Task

	objects map[string]*credspec.Document // bodies of GMSACredentialSpecs by name

	byName  map[string][]*source.File // by the last part of the name, in lower case
	inFile  map[*source.File][]*Document
	left    map[string]bool        // names of the files that the set forgot, as in byName
	configs map[string]swarmConfig // by name and id
	inlines map[*source.Node]*credspec.Document

	parameters map[string]*source.Node    // of Service Fabric's files of parameters, by name
	images     map[[2]string]*source.Node // of Service Fabric's services, by the service's and the code package's name
}
