package scenarios

// Areas are the parts of a domain that a scenario is about.
var areas = []string{"path", "kds", "account", "acl", "membership", "host", "credspec", "runtime", "container", "channel", "os", "network", "dns",
	"clock", "encryption", "replication", "rotation", "trust", "spn", "ntlm", "delegation", "app", "plugin", "swarm", "service-fabric", "k8s", "aks", "ecs",
	"credentials-fetcher"}

// A Section is a part of the guide that this project covers (Microsoft, "Group Managed Service Accounts for Windows containers",
// 2019), under the name that covers: uses.
type Section struct {
	// Name is what covers: says, for instance guide/one-time-preparation.
	Name string
	// Heading is the guide's own heading.
	Heading string
	// Modelled tells that scenarios of this version exist for it.
	Modelled bool
}

// Sections lists the sections of the guide in its order, the introduction first. The index of a section is the first part of the numbers of
// its statements in guide.tsv.
func Sections() []Section {
	return []Section{
		{"guide/overview", "Group Managed Service Accounts for Windows containers", true},
		{"guide/prerequisites", "Prerequisites", true},
		{"guide/one-time-preparation", "One-time preparation of Active Directory", true},
		{"guide/create-account", "Create a group Managed Service Account", true},
		{"guide/prepare-host", "Prepare your container host", true},
		{"guide/credential-spec", "Create a credential spec", true},
		{"guide/configure-application", "Configure your application to use the gMSA", true},
		{"guide/run-container", "Run a container with a gMSA", true},
		{"guide/orchestrate", "Orchestrate containers with gMSA", true},
		{"guide/example-uses", "Example uses", true},
		{"guide/known-issue-hostname", "Container hostname must match the gMSA name", true},
		{"guide/known-issue-shared-gmsa", "Using a gMSA with more than one container simultaneously", true},
		{"guide/known-issue-hyperv", "Hyper-V isolated containers", true},
		{"guide/troubleshoot-host", "Make sure the host can use the gMSA", true},
		{"guide/troubleshoot-credential-spec", "Check the Credential Spec file", true},
		{"guide/troubleshoot-network", "Check the container networking configuration", true},
		{"guide/troubleshoot-spn", "Check the SPNs on your gMSA account", true},
	}
}

func sectionNames() []string {
	var names []string
	for _, s := range Sections() {
		names = append(names, s.Name)
	}
	return names
}
