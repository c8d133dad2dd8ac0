package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// swarmRules are about the services of a swarm, applications of Service Fabric and jobs of Nomad.
var swarmRules = []*Rule{
	{
		ID: "swarm-source-conflict", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the credential spec has more than one source",
		Why:    "Config, File and Registry exclude each other; the engine refuses the service (moby daemon/cluster/convert), docker stack deploy the file (docker/cli cli/compose/convert).",
		Repair: "keep one of them",
		Bad:    `"CredentialSpec": {"File": "web.json", "Registry": "web"}`, Good: `"CredentialSpec": {"File": "web.json"}`,
		run: func(c *run) {
			for _, u := range c.memberUses() {
				var names []string
				var given []*setup.Option
				for _, key := range []string{"config", "file", "registry"} {
					for _, o := range u.Options {
						if o.Via == setup.ViaMember && strings.EqualFold(o.Key, key) && o.Value != nil {
							names, given = append(names, key), append(given, o)
							break
						}
					}
				}
				if len(names) < 2 {
					continue
				}
				slices.SortFunc(given, func(a, b *setup.Option) int { return a.Node.Start - b.Node.Start })
				r := c.report(given[1].Node, "the credential spec has %d sources: %s", len(names), strings.Join(names, ", "))
				for i, o := range given {
					if i != 1 {
						r.related(o.Node, "a source too")
					}
				}
				if u.Carrier == setup.Compose {
					for i, n := range names {
						names[i] = fmt.Sprintf("%q", strings.ToUpper(n[:1])+n[1:])
					}
					r.Consumer = "invalid credential spec: cannot specify both " + conflict(names)
					continue
				}
				for i, n := range names {
					names[i] = fmt.Sprintf("%q", n)
				}
				r.Consumer = "invalid CredentialSpec: cannot specify both " + conflict(names) + " credential specs"
			}
		},
	},
	{
		ID: "swarm-source-none", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the credential spec has no source",
		Why:    "The engine refuses a service whose CredentialSpec is empty (moby daemon/cluster/convert). docker stack deploy takes an empty credential_spec for none (docker/cli cli/compose/convert), and the service has no identity.",
		Repair: "name a config, a file or a registry value, or leave the member out",
		Bad:    `"Privileges": {"CredentialSpec": {}}`, Good: `"Privileges": {"CredentialSpec": {"File": "web.json"}}`,
		run: func(c *run) {
			for _, u := range c.memberUses() {
				named := slices.ContainsFunc(u.Options, func(o *setup.Option) bool { return o.Via == setup.ViaMember && o.Value != nil })
				unknown := slices.ContainsFunc(u.Member.Map(), func(m source.Member) bool {
					return !slices.Contains([]string{"config", "file", "registry"}, m.Key.Text)
				})
				if named || unknown && u.Carrier == setup.Compose { // compose-raw-unsupported
					continue
				}
				r := c.report(u.Member, "the credential spec has neither config nor file nor registry")
				if u.Carrier == setup.Swarm {
					r.Consumer = sayNone
				}
			}
		},
	},
	{
		ID: "swarm-scheme-case", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the scheme is not in lower case",
		Why:    "docker service create compares the scheme to the letter (docker/cli cli/command/service/opts.go), other than the daemon, which takes docker run's in any case.",
		Repair: "write it in lower case",
		Bad:    "docker service create --credential-spec File://web.json IMAGE", Good: "docker service create --credential-spec file://web.json IMAGE",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				low := strings.ToLower(o.Scheme)
				if o.Via != setup.ViaServiceFlag || low == o.Scheme || low != "file" && low != "registry" && low != "config" {
					return
				}
				r := c.report(o.Node, "docker service create knows %s://, and not %s://", low, o.Scheme)
				r.Consumer = sayFlag
				r.replace(o.Node.Part(0, len(o.Scheme)), low)
			})
		},
	},
	{
		ID: "swarm-raw", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "a service cannot have the contents in its option",
		Why:    "docker service create takes config://, file:// and registry:// (docker/cli cli/command/service/opts.go). What raw:// is to docker run, a config is to a service.",
		Repair: "make a config of the text, docker config create NAME FILE, and name it with config://NAME",
		Bad:    "docker service create --credential-spec 'raw://{…}' IMAGE", Good: "docker service create --credential-spec config://web IMAGE",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				if o.Via == setup.ViaServiceFlag && strings.EqualFold(o.Scheme, "raw") {
					c.report(o.Node, "docker service create does not know raw://").Consumer = sayFlag
				}
			})
		},
	},
	{
		ID: "sf-hostname-mismatch", Group: "docker", Severity: Error, Needs: []How{CrossFile}, YieldsTo: []string{"placeholder-value"},
		Title:  "the host name in the manifest is not the account's name",
		Why:    "Service Fabric's page on gMSAs for Windows containers wants the account's name as Hostname in ContainerHostPolicies; its sample has a word there that the reader is to replace.",
		Repair: "write the account's name, without $",
		Bad:    `<ContainerHostPolicies CodePackageRef="Code" Hostname="gMSAAccountName">`, Good: `<ContainerHostPolicies CodePackageRef="Code" Hostname="webapp">`,
		run: func(c *run) {
			c.unreadRest("xml")
			for _, u := range c.setup.Uses {
				if u.Carrier != setup.ServiceFabric || u.Hostname == nil || u.Hostname.Open || u.Hostname.String() == "" {
					continue
				}
				account := primaryAccount(u.Spec)
				switch {
				case u.Spec == nil && u.Missing == setup.NotNamed:
				case u.Spec == nil:
					c.notChecked(u.Hostname.Span(), "the credential spec, which has the account's name, is %s", u.Missing)
				case account != "" && !strings.EqualFold(u.Hostname.Text, account):
					r := c.report(u.Hostname, "Hostname is %s and the account %s", u.Hostname.Text, account)
					r.related(u.Spec.Get(credspec.KeyDomainJoin, "MachineAccountName"), "the account")
					r.replace(u.Hostname, account)
				}
			}
		},
	},
	{
		ID: "sf-parameter-unresolved", Group: "docker", Severity: Warning, Needs: []How{Offline},
		Title:  "a reference in the manifest has no parameter",
		Why:    "[Name] stands for a parameter of the application, which Parameters of the same manifest has to define (Service Fabric: Manage environment variables and parameters); the cluster refuses to create the application otherwise.",
		Repair: "define the parameter in the manifest's Parameters",
		Bad:    `<SecurityOption Value="[Spec]"/>, without <Parameter Name="Spec" …/>`, Good: `<Parameter Name="Spec" DefaultValue="credentialspec=file://web.json"/>`,
		run: func(c *run) {
			for _, d := range c.setup.Documents {
				for _, p := range d.Policies() {
					p.Node.Walk(func(_ []string, n *source.Node) bool {
						name, ok := setup.Parameter(n)
						if !ok {
							return true
						}
						if p.Parameters == nil {
							c.notChecked(n.Span(), "the manifest's Parameters are not here")
							return true
						}
						if _, ok := p.Defined(name); !ok {
							c.report(n, "the manifest has no parameter %s", name)
						}
						return true
					})
				}
			}
		},
	},
	{
		ID: "nomad-driver", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the task's driver does not know security_opt",
		Why:    "security_opt is an option of Nomad's docker driver, which hands it to the engine (hashicorp/nomad drivers/docker); other drivers refuse the task's config or pass it over.",
		Repair: `use driver = "docker"`,
		Bad:    `driver = "exec" with security_opt in its config`, Good: `driver = "docker" with security_opt in its config`,
		run: func(c *run) {
			c.unreadRest("hcl")
			for _, u := range c.setup.Uses {
				if u.Carrier == setup.Nomad && u.Option != nil && u.Driver.String() != "" && !u.Driver.Open && u.Driver.Text != "docker" {
					c.report(u.Driver, "the driver %s has no security_opt", u.Driver.Text).related(u.Option, "the credential spec")
				}
			}
		},
	},
}

// unreadRest tells of files of a language that could not be read to their end: what stands behind the mistake was not checked.
func (c *run) unreadRest(language string) {
	for _, d := range c.setup.Documents {
		var err *source.SyntaxError
		if setup.Language(d.File) == language && errors.As(d.Err, &err) {
			c.notChecked(err.Span(), "the file cannot be read to its end: %s", err)
		}
	}
}

// memberUses are those whose credential spec is an object with a member for each source.
func (c *run) memberUses() []*setup.Use {
	var list []*setup.Use
	for _, u := range c.setup.Uses {
		if u.Member != nil {
			list = append(list, u)
		}
	}
	return list
}

// conflict lists sources as the engine does.
func conflict(names []string) string {
	last := len(names) - 1
	if last == 1 {
		return names[0] + " and " + names[1]
	}
	return strings.Join(names[:last], ", ") + ", and " + names[last]
}
