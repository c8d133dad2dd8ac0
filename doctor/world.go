package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// WorldSchema names the form of a [World] in a file.
const WorldSchema = "gmsasim.world/1"

// A World is a setup without a story: a domain, what runs in it, and what it is for. [World.Case] makes the checks of it that an
// administrator would make, from the root key to the application.
type World struct {
	Schema string `json:"schema" yaml:"schema"`
	// Title stands alone, without a full stop.
	Title  string           `json:"title,omitempty" yaml:"title,omitempty"`
	Domain simulator.Config `json:"domain" yaml:"domain,omitempty"`
	// Create are service accounts that an administrator is about to make.
	Create     []simulator.ServiceAccount `json:"create,omitempty" yaml:"create,omitempty"`
	Containers []Container                `json:"containers,omitempty" yaml:"containers,omitempty"`
	// Deploy are steps by which an orchestrator brings containers up, and looks into them, in their order. They come before the looks into
	// Containers.
	Deploy     []Deployment `json:"deploy,omitempty" yaml:"deploy,omitempty"`
	SQLServers []SQLServer  `json:"sqlServers,omitempty" yaml:"sqlServers,omitempty"`
	// Uses are what the containers are there for. What nobody uses is not checked.
	Uses []Use `json:"uses,omitempty" yaml:"uses,omitempty"`
	// Readers are computers that are to read passwords, whether or not a container runs there.
	Readers []Reader `json:"readers,omitempty" yaml:"readers,omitempty"`
}

// Container is a container and the host that runs it.
type Container struct {
	// Name is what uses call it: letters, digits and hyphens.
	Name string `json:"name" yaml:"name"`
	Host string `json:"host" yaml:"host"`
	// Account is the service account that it is to be on the network. Default: the one that its credential spec is named after, or the
	// only one there is.
	Account string `json:"account,omitempty" yaml:"account,omitempty"`

	simulator.Container `yaml:",inline"`
}

// Deployment is a step of an orchestrator: a cluster that starts, an object that is applied, a command in a container that was placed.
type Deployment struct {
	// Step is the link of the chain that it is about: S5, the container's credential spec; S6, the container's start; S7, its secure
	// channel; S8, its tickets.
	Step string `json:"step" yaml:"step"`
	// What the step shows when it succeeds: "the API server takes the pod web".
	What string `json:"what" yaml:"what"`
	// Do is the step in the words of a scenario, in YAML's flow style: "applyPod: {name: web}".
	Do string `json:"do" yaml:"do"`
}

// SQLServer is a SQL Server outside the containers.
type SQLServer struct {
	Name string `json:"name" yaml:"name"`
	// Account is the user that it runs as; it has the server's service principal names.
	Account string `json:"account" yaml:"account"`
	// Logins are those of Windows accounts, as CONTOSO\webapp01$.
	Logins []string `json:"logins,omitempty" yaml:"logins,omitempty"`
}

// UseKind is a way to use a container.
type UseKind string

// The kinds of use.
const (
	UseKerberos UseKind = "kerberos" // a user signs in to the container's service, by an SPN or a host name
	UseNTLM     UseKind = "ntlm"     // a user signs in with NTLM
	UseNames    UseKind = "names"    // the container asks for the SID of a name
	UseTicket   UseKind = "ticket"   // the container's service gets a ticket for an SPN
	UseSQL      UseKind = "sql"      // the container's service signs in to a SQL Server
)

var useKinds = []string{string(UseKerberos), string(UseNTLM), string(UseNames), string(UseTicket), string(UseSQL)}

// Use is one way in which a container is used.
type Use struct {
	Kind      UseKind `json:"kind" yaml:"kind"`
	Container string  `json:"container" yaml:"container"`
	// User is who signs in (kerberos, ntlm), or whose SID is asked for (names).
	User string `json:"user,omitempty" yaml:"user,omitempty"`
	// SPN is the service principal name (kerberos, ticket, sql).
	SPN string `json:"spn,omitempty" yaml:"spn,omitempty"`
	// Name is the host name that the user types, in place of the SPN: the browser asks for http/NAME.
	Name string `json:"name,omitempty" yaml:"name,omitempty"`
	// SQLServer is the name of one (sql).
	SQLServer string `json:"sqlServer,omitempty" yaml:"sqlServer,omitempty"`
}

var deploySteps = []string{"S5", "S6", "S7", "S8"}

var schemaLine = regexp.MustCompile(`(?m)^"?schema"?:[ \t]*"?gmsasim\.world/`)

// IsWorld tells that a file says of itself that it is a world, of whichever version.
func IsWorld(data []byte) bool {
	return schemaLine.Match(bytes.TrimPrefix(data[:min(len(data), 4096)], []byte("\ufeff")))
}

var worldKey = regexp.MustCompile(`(?m)^(domain|create|containers|uses|sqlServers|readers):`)

// LikeWorld tells that a file has members of a world and does not say what it is.
func LikeWorld(data []byte) bool {
	head := bytes.TrimPrefix(data[:min(len(data), 4096)], []byte("\ufeff"))
	return worldKey.Match(head) && !anySchema.Match(head)
}

// IsOwn tells that a file says of itself that it is a scenario or a world, of whichever version.
func IsOwn(data []byte) bool {
	return ownSchema.Match(bytes.TrimPrefix(data[:min(len(data), 4096)], []byte("\ufeff")))
}

var ownSchema = regexp.MustCompile(`(?m)^"?schema"?:[ \t]*"?gmsasim[./]`)

var anySchema = regexp.MustCompile(`(?m)^"?schema"?:`)

// ParseWorld reads a world from YAML. The error joins one [*scenarios.SourceError] for each fault, impossible setups among them: those
// that no machine can be put into.
func ParseWorld(file string, data []byte) (*World, error) {
	w := &World{}
	src, err := scenarios.Decode(file, bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), w)
	if err = w.withoutKey(err); err != nil {
		return nil, err
	}
	var faults []error
	for _, f := range w.faults() {
		faults = append(faults, src.Fault(f.path, f.name, f.known, "%s", f.problem))
	}
	return w, errors.Join(faults...)
}

// withoutKey takes the service accounts of a domain without a usable root key, where there can be none, as accounts that are about to be made:
// the first check then says what they lack. What remains of the faults is returned.
func (w *World) withoutKey(err error) error {
	var rest []error
	keyless := false
	for _, e := range scenarios.SourceErrors(err) {
		if e.Code == diag.NoRootKey || e.Code == diag.YoungRootKey {
			keyless = true
			continue
		}
		rest = append(rest, e)
	}
	if !keyless || rest != nil {
		return err
	}
	w.Create, w.Domain.ServiceAccounts = slices.Concat(w.Domain.ServiceAccounts, w.Create), nil
	return nil
}

// Validate checks a world that was made by a program, as [ParseWorld] checks one of a file.
func (w *World) Validate() error {
	faults := []error{w.Domain.Validate()}
	for _, f := range w.faults() {
		problem := f.path + ": " + f.problem
		if n := diag.Nearest(f.name, f.known); n != "" {
			problem += "; nearest: " + n
		}
		faults = append(faults, errors.New(problem))
	}
	return errors.Join(faults...)
}

type worldFault struct {
	path, problem string
	name          string // what is not known
	known         []string
}

var objectName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}$`)

func (w *World) faults() (faults []worldFault) {
	fail := func(path, name string, known []string, format string, args ...any) {
		faults = append(faults, worldFault{path, fmt.Sprintf(format, args...), name, known})
	}
	if w.Schema != WorldSchema {
		fail("schema", w.Schema, []string{WorldSchema}, "schema %q: this version reads %s", w.Schema, WorldSchema)
	}
	var hosts, users, containers, servers, accounts []string
	for _, s := range slices.Concat(w.Domain.ServiceAccounts, w.Create) {
		accounts = append(accounts, s.Name)
	}
	for _, h := range w.Domain.Hosts {
		hosts = append(hosts, h.Name)
	}
	for _, u := range w.Domain.Users {
		users = append(users, u.Name)
	}
	known := func(path, kind, name string, names []string) {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			fail(path, name, names, "no %s %q", kind, name)
		}
	}
	for i, c := range w.Containers {
		at := fmt.Sprintf("containers[%d]", i)
		switch {
		case !objectName.MatchString(c.Name):
			fail(at+".name", "", nil, "%q is not a name: letters, digits and hyphens", c.Name)
		case slices.Contains(containers, c.Name):
			fail(at+".name", "", nil, "there is a container %q already", c.Name)
		}
		containers = append(containers, c.Name)
		known(at+".host", "host", c.Host, hosts)
		if c.Account != "" {
			known(at+".account", "service account", c.Account, accounts)
		}
		if n := slices.IndexFunc(w.Domain.Hosts, func(h simulator.HostConfig) bool { return strings.EqualFold(h.Name, c.Host) }); n >= 0 {
			h := w.Domain.Hosts[n]
			if rule := neverOffered(h.OS, c.Isolation); rule != "" {
				fail(at+".isolation", string(windows.HyperV), []string{string(windows.HyperV)}, "%s", rule)
			}
		}
		if err := c.Validate(); err != nil {
			fail(at, "", nil, "%v", err)
		}
	}
	for i, d := range w.Deploy {
		if !slices.Contains(deploySteps, d.Step) {
			fail(fmt.Sprintf("deploy[%d].step", i), d.Step, deploySteps, "no step %q for a deployment; there are %s", d.Step, strings.Join(deploySteps, ", "))
		}
	}
	for i, r := range w.Readers {
		at := fmt.Sprintf("readers[%d]", i)
		known(at+".host", "host", r.Host, hosts)
		known(at+".account", "service account", r.Account, accounts)
	}
	for i, s := range w.SQLServers {
		at := fmt.Sprintf("sqlServers[%d]", i)
		if slices.Contains(servers, s.Name) || !objectName.MatchString(s.Name) {
			fail(at+".name", "", nil, "%q is taken or not a name: letters, digits and hyphens", s.Name)
		}
		servers = append(servers, s.Name)
		known(at+".account", "user", s.Account, users)
	}
	for i, u := range w.Uses {
		at := fmt.Sprintf("uses[%d]", i)
		known(at+".container", "container", u.Container, containers)
		needs := map[UseKind][]string{UseKerberos: {"user", "spn or name"}, UseNTLM: {"user"}, UseNames: {"user"}, UseTicket: {"spn"}, UseSQL: {"sqlServer", "spn"}}[u.Kind]
		if needs == nil {
			fail(at+".kind", string(u.Kind), useKinds, "no kind of use %q; there are %s", u.Kind, strings.Join(useKinds, ", "))
		}
		has := map[string]bool{"user": u.User != "", "spn": u.SPN != "", "spn or name": (u.SPN != "") != (u.Name != ""), "sqlServer": u.SQLServer != ""}
		for _, n := range needs {
			if !has[n] {
				fail(at, "", nil, "a use of kind %s needs %s", u.Kind, n)
			}
		}
		if u.User != "" {
			known(at+".user", "user", u.User, append(slices.Clone(users), "Administrator"))
		}
		if u.SQLServer != "" {
			known(at+".sqlServer", "SQL Server", u.SQLServer, servers)
		}
	}
	return faults
}

// neverOffered gives the rule by which a release does not offer an isolation, whatever is installed on it; "" when there is none. What is
// no release at all is a fault of the domain's.
func neverOffered(name string, isolation windows.Isolation) string {
	os, err := windows.ParseOS(name)
	if err != nil || isolation == "" || windows.IsolationOffered(os.Build, os.Edition, windows.Engine{Kind: windows.Containerd}, true, isolation) {
		return ""
	}
	return fmt.Sprintf("%s does not offer %s isolation: clients before 1809 run containers in Hyper-V isolation only", name, isolation)
}
