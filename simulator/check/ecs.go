package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

var ecsRules = []*Rule{
	{
		ID: "ecs-prefix", Group: "ecs", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "an entry begins with neither credentialspec: nor credentialspecdomainless:",
		Why:    "The agent knows these two beginnings, in these letters, and no others (amazon-ecs-agent agent/api/container). Amazon's own prose turns the second one round in places.",
		Repair: "begin with credentialspec: on hosts of the domain, with credentialspecdomainless: on others",
		Bad:    "domainlesscredentialspec:arn:aws:s3:::corp-specs/webapp.json", Good: "credentialspecdomainless:arn:aws:s3:::corp-specs/webapp.json",
		run: func(c *run) {
			c.entries(func(t *setup.TaskContainer, e *setup.Entry) {
				if e.Mode != setup.ModeNone || strings.HasPrefix(strings.ToLower(e.Value), "credentialspec=") || strings.HasPrefix(strings.ToLower(e.Value), "credentialspecdomainless=") {
					return
				}
				if strings.Contains(cutUnknown(e.Value), ":") || e.Known() || e.Value == "" {
					r := c.report(e.Part(0, len(e.Value)), "%q begins with neither credentialspec: nor credentialspecdomainless:", e)
					if t.Task.OS != "windows" {
						r.Consumer = agentSays(e)
					}
					prefix := e.Value[:max(e.From-1, 0)]
					right := map[string]string{"domainlesscredentialspec": "credentialspecdomainless", "credentialspecdomainless": "credentialspecdomainless", "credentialspec": "credentialspec"}[strings.ToLower(prefix)]
					if right != "" && e.Value[e.From-1] == ':' {
						r.replace(e.Part(0, len(prefix)), right)
					}
				}
			})
		},
	},
	{
		ID: "ecs-equals-form", Group: "ecs", Severity: Error, Needs: []How{Offline},
		Title:  "an entry has = where the agent cuts at a colon",
		Why:    "credentialspec=… is the form of docker run. The agent looks for a colon (amazon-ecs-agent agent/api/container); in dockerSecurityOptions it hands the entry to the engine as it is, which knows neither S3 nor the parameter store.",
		Repair: "write a colon",
		Bad:    "credentialspec=file://webapp.json", Good: "credentialspec:file://webapp.json",
		run: func(c *run) {
			c.entries(func(_ *setup.TaskContainer, e *setup.Entry) {
				prefix, _, ok := strings.Cut(e.Value, "=")
				if !ok || !strings.EqualFold(prefix, string(setup.ModeJoined)) && !strings.EqualFold(prefix, string(setup.ModeDomainless)) {
					return
				}
				r := c.report(e.Part(0, len(e.Value)), "%q has = behind %s, and the agent looks for a colon", e, prefix)
				r.replace(e.Part(0, len(prefix)+1), strings.ToLower(prefix)+":")
			})
		},
	},
	{
		ID: "ecs-multiple-specs", Group: "ecs", Severity: Error, Needs: []How{Offline},
		Title:  "credentialSpecs has more than one entry",
		Why:    "The service takes at most one for a container (Amazon ECS API reference, ContainerDefinition). Further accounts stand in the one credential spec.",
		Repair: "keep one entry",
		Bad:    `"credentialSpecs": ["credentialspec:…", "credentialspec:…"]`, Good: `"credentialSpecs": ["credentialspec:…"]`,
		run: func(c *run) {
			for _, t := range c.containers() {
				if len(t.Specs) > 1 {
					r := c.report(t.Specs[1].Node, "credentialSpecs has %d entries, and the service takes one", len(t.Specs))
					r.related(t.Specs[0].Node, "the first entry")
					r.Consumer = "Container.credentialSpecs must have at most 1 item"
				}
			}
		},
	},
	{
		ID: "ecs-arn-service", Group: "ecs", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "the credential spec is at a place that the agent does not fetch from",
		Why:    "The agent fetches from S3 and the parameter store, and reads files (amazon-ecs-agent agent/taskresource/credentialspec). The ARN of the secret belongs into PluginInput.",
		Repair: "keep the credential spec in S3 or the parameter store",
		Bad:    "credentialspec:arn:aws:secretsmanager:eu-west-1:111122223333:secret:webapp", Good: "credentialspec:arn:aws:ssm:eu-west-1:111122223333:parameter/webapp",
		run: func(c *run) {
			c.entries(func(_ *setup.TaskContainer, e *setup.Entry) {
				if e.From == 0 || e.Source != setup.FromUnknown {
					return
				}
				place := e.Place()
				known := cutUnknown(place)
				where := e.Part(e.From, len(e.Value))
				switch section := strings.SplitN(known, ":", 4); {
				case section[0] == "arn" && len(section) == 4 && strings.Trim(section[2], setup.Word+setup.Region) == section[2]:
					c.report(where, "the credential spec is in the service %q, and the agent fetches from s3 and ssm", section[2]).Consumer = agentSays(e)
				case strings.HasPrefix("arn:", known) && known != place, strings.HasPrefix("file://", known) && known != place, section[0] == "arn" && known != place:
					// only the deployment knows
				case section[0] == "arn":
					c.report(where, "the ARN %s ends before its resource", e.Show(e.From)).Consumer = agentSays(e)
				case place == "":
					c.report(e.Part(0, len(e.Value)), "nothing follows the prefix")
				default:
					c.report(where, "%q is neither file://… nor an ARN", e.Show(e.From)).Consumer = agentSays(e)
				}
			})
		},
	},
	{
		ID: "ecs-arn-incomplete", Group: "ecs", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "the ARN names no object or no parameter",
		Why:    "An object of S3 is bucket/key, and a parameter is parameter/name (amazon-ecs-agent agent/s3, agent/ssm).",
		Repair: "write the whole ARN",
		Bad:    "credentialspec:arn:aws:s3:::corp-specs", Good: "credentialspec:arn:aws:s3:::corp-specs/webapp.json",
		run: func(c *run) {
			c.entries(func(_ *setup.TaskContainer, e *setup.Entry) {
				resource, open, ok := resourceOf(e)
				if !ok {
					return
				}
				where := e.Part(e.From, len(e.Value))
				bucket, key, slash := strings.Cut(resource, "/")
				name, isParameter := strings.CutPrefix(resource, "parameter")
				switch {
				case e.Source == setup.FromS3 && bucket == "" && !open, e.Source == setup.FromS3 && slash && bucket == "":
					c.report(where, "the ARN names no bucket").Consumer = agentSays(e)
				case e.Source == setup.FromS3 && (!slash && !open || slash && key == "" && !open):
					c.report(where, "the ARN names the bucket %s and no object in it", setup.ShowText(bucket)).Consumer = agentSays(e)
				case e.Source == setup.FromSSM && open && strings.HasPrefix("parameter/", resource):
					// only the deployment knows
				case e.Source == setup.FromSSM && (!isParameter || strings.Trim(name, "/") == "" && !open):
					c.report(where, "the ARN ends in %q, where parameter/NAME belongs", setup.ShowText(resource)).Consumer = agentSays(e)
				}
			})
		},
	},
	{
		ID: "ecs-ssm-name-join", Group: "ecs", Severity: Warning, Needs: []How{Offline},
		Title:  "the name of the parameter is joined with no slash or with two",
		Why:    "Names of parameters begin with a slash or do not, and the ARN has exactly one behind parameter (AWS Systems Manager user guide, \"About requirements and constraints for parameter names\"); templates join them either way.",
		Repair: "write parameter/NAME, with one slash",
		Bad:    "arn:aws:ssm:eu-west-1:111122223333:parameter//team/webapp", Good: "arn:aws:ssm:eu-west-1:111122223333:parameter/team/webapp",
		run: func(c *run) {
			c.entries(func(_ *setup.TaskContainer, e *setup.Entry) {
				resource, _, ok := resourceOf(e)
				name, isParameter := strings.CutPrefix(resource, "parameter")
				if !ok || e.Source != setup.FromSSM || !isParameter || name == "" {
					return
				}
				at := len(e.Value) - len(restOf(e)) + len("parameter")
				switch {
				case strings.HasPrefix(name, "//"):
					r := c.report(e.Part(e.From, len(e.Value)), "the ARN has two slashes behind parameter")
					if n := e.Part(at, at+2); n != e.Node || len(e.Value) == 2 {
						r.replace(n, "/")
					}
				case name[0] != '/' && !strings.HasPrefix(name, setup.Word) && !strings.HasPrefix(name, setup.Region):
					r := c.report(e.Part(e.From, len(e.Value)), "the ARN has no slash between parameter and %s", setup.ShowText(name))
					if n := e.Part(at-len("parameter"), at); n != e.Node {
						r.replace(n, "parameter/")
					}
				case name[0] != '/':
					c.report(e.Part(e.From, len(e.Value)), "the ARN has no slash between parameter and the name")
				}
			})
		},
	},
	{
		ID: "ecs-ssm-region", Group: "ecs", Severity: Warning, Needs: []How{Offline},
		Title: "the parameter is in another region than the task",
		// guess: that the agent's client of the parameter store is one for its own region is believed, not checked
		Why:    "The agent asks the parameter store of the region that the instance is in (amazon-ecs-agent agent/ssm/factory).",
		Repair: "copy the parameter into the task's region",
		Bad:    "a parameter of us-east-1 in a task of us-west-2", Good: "a parameter of us-west-2 in a task of us-west-2",
		run: func(c *run) {
			c.entries(func(t *setup.TaskContainer, e *setup.Entry) {
				section := strings.SplitN(cutUnknown(e.Place()), ":", 5)
				if e.Source != setup.FromSSM || len(section) < 5 || t.Task.Region == "" || section[3] == "" || strings.ContainsAny(section[3], setup.Word+setup.Region) || strings.EqualFold(section[3], t.Task.Region) {
					return
				}
				at := e.From + len(strings.Join(section[:3], ":")) + 1
				c.report(e.Part(at, at+len(section[3])), "the parameter is in %s, and the task in %s", section[3], t.Task.Region).related(t.Task.RegionNode, "the task's region")
			})
		},
	},
	{
		ID: "ecs-legacy-field", Group: "ecs", Severity: Warning, Needs: []How{Offline}, YieldsTo: []string{"ecs-both-fields"},
		Title:  "the credential spec is in dockerSecurityOptions",
		Why:    "Amazon advises to use credentialSpecs, which it keeps apart from the engine's options (Amazon ECS API reference, ContainerDefinition).",
		Repair: "move the entry to credentialSpecs",
		Bad:    `"dockerSecurityOptions": ["credentialspec:…"]`, Good: `"credentialSpecs": ["credentialspec:…"]`,
		run: func(c *run) {
			for _, t := range c.containers() {
				if e := specOption(t); e != nil {
					r := c.report(t.SecurityKey, "the credential spec is in %s", t.SecurityKey.Text)
					r.related(e.Node, "the credential spec")
					if len(t.Security) == 1 && t.SpecsKey == nil && strings.HasSuffix(strings.ToLower(t.SecurityKey.Text), "ecurityoptions") {
						name := "credentialSpecs"
						if t.SecurityKey.Text[0] == 'D' {
							name = "CredentialSpecs"
						}
						r.replace(t.SecurityKey, name)
					}
				}
			}
		},
	},
	{
		ID: "ecs-both-fields", Group: "ecs", Severity: Warning, Needs: []How{Offline},
		Title:  "a credential spec is in credentialSpecs and in dockerSecurityOptions",
		Why:    "The agent takes credentialSpecs and does not look at the other one then (amazon-ecs-agent agent/api/container).",
		Repair: "keep the one in credentialSpecs",
		Bad:    `"credentialSpecs": ["…"], "dockerSecurityOptions": ["credentialspec:…"]`, Good: `"credentialSpecs": ["…"]`,
		run: func(c *run) {
			for _, t := range c.containers() {
				if e := specOption(t); e != nil && len(t.Specs) > 0 {
					r := c.report(e.Node, "the agent takes credentialSpecs, and does not look at this one")
					r.related(t.Specs[0].Node, "the one that counts")
				}
			}
		},
	},
	{
		ID: "ecs-execution-role-missing", Group: "ecs", Severity: Error, Needs: []How{Offline},
		Title:  "the task has no execution role to fetch the credential spec with",
		Why:    "The agent fetches objects, parameters and secrets with the task's execution role, not with the role of the task or of the instance (amazon-ecs-agent agent/taskresource/credentialspec).",
		Repair: "set executionRoleArn to a role that may read the object, the parameter or the secret",
		Bad:    `"executionRoleArn": ""`, Good: `"executionRoleArn": "arn:aws:iam::111122223333:role/ecsTaskExecutionRole"`,
		run: func(c *run) {
			for _, task := range c.setup.Tasks {
				if task.ExecutionRole != nil && task.ExecutionRole.Value != "" {
					continue
				}
				for _, t := range task.Containers {
					i := slices.IndexFunc(t.Entries(), func(e *setup.Entry) bool {
						return e.Source == setup.FromS3 || e.Source == setup.FromSSM || e.Mode == setup.ModeDomainless
					})
					if i < 0 {
						continue
					}
					e := t.Entries()[i]
					if !task.Whole {
						c.notChecked(e.Node.Span(), "only the containers of the task are here, and the execution role is a setting of the task")
						break
					}
					var r *Report
					if task.ExecutionRole != nil {
						r = c.report(task.ExecutionRole.Node, "executionRoleArn is empty, and the agent needs the role for the credential spec")
						r.related(e.Node, "the credential spec")
					} else {
						r = c.report(e.Node, "the agent needs an execution role for it, and the task has no executionRoleArn")
					}
					r.Consumer = consumer.NoRole().Error()
					break
				}
			}
		},
	},
	{
		ID: "ecs-fargate-unsupported", Group: "ecs", Severity: Error, Needs: []How{Offline},
		Title:  "Fargate runs no such task with a credential spec",
		Why:    "On Fargate there are gMSAs for Linux only, for hosts outside the domain, with the credential spec in S3 (Amazon ECS developer guide, \"Using gMSA for Linux containers on Fargate\").",
		Repair: "use Linux, credentialspecdomainless: and an object of S3, or EC2 instances",
		Bad:    `"requiresCompatibilities": ["FARGATE"], … "credentialspec:arn:aws:ssm:…"`, Good: `"requiresCompatibilities": ["FARGATE"], … "credentialspecdomainless:arn:aws:s3:::corp-specs/webapp.json"`,
		run: func(c *run) {
			c.entries(func(t *setup.TaskContainer, e *setup.Entry) {
				if !t.Task.Fargate {
					return
				}
				var faults []string
				if t.Task.OS == "windows" {
					faults = append(faults, "the task is for Windows")
				}
				if e.Mode == setup.ModeJoined {
					faults = append(faults, "the mode is that of hosts in the domain")
				}
				switch e.Source {
				case setup.FromSSM:
					faults = append(faults, "the credential spec is in the parameter store")
				case setup.FromFile:
					faults = append(faults, "the credential spec is a file")
				}
				if len(faults) > 0 {
					r := c.report(e.Node, "Fargate takes Linux, domainless and S3 only: %s", eachOf("", faults))
					r.related(t.Task.FargateNode, "the task is for Fargate")
					r.Consumer = "ClientException: Fargate only supports domainless gMSA from S3 on Linux"
				}
			})
		},
	},
	{
		ID: "ecs-file-on-linux", Group: "ecs", Severity: Warning, Needs: []How{Offline}, YieldsTo: []string{"ecs-fargate-unsupported"},
		Title:  "a file of the instance on Linux",
		Why:    "Amazon documents local files for Windows only, although the agent's code reads one on Linux as well (Amazon ECS developer guide, \"Using gMSA for EC2 Linux containers\"; amazon-ecs-agent credentialspec_linux.go).",
		Repair: "keep the credential spec in S3 or the parameter store",
		Bad:    "credentialspec:file:///etc/gmsa/webapp.json", Good: "credentialspec:arn:aws:s3:::corp-specs/webapp.json",
		run: func(c *run) {
			c.entries(func(t *setup.TaskContainer, e *setup.Entry) {
				if t.Task.OS == "linux" && e.Source == setup.FromFile {
					c.report(e.Part(e.From, len(e.Value)), "the task is for Linux, where a file is not documented").related(t.Task.OSNode, "the task is for Linux")
				}
			})
		},
	},
	{
		ID: "ecs-os-2016-domainless", Group: "ecs", Severity: Error, Needs: []How{Offline},
		Title:  "the domainless mode on Windows Server 2016",
		Why:    "The mode needs plug-ins of Container Credential Guard, which Windows Server 2019 brought (Amazon ECS developer guide, \"Learn how to use gMSAs for EC2 Windows containers\").",
		Repair: "use Windows Server 2019 or later",
		Bad:    `"operatingSystemFamily": "WINDOWS_SERVER_2016_FULL"`, Good: `"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"`,
		run: func(c *run) {
			c.entries(func(t *setup.TaskContainer, e *setup.Entry) {
				if t.Task.Release == "ltsc2016" && e.Mode == setup.ModeDomainless {
					c.report(e.Node, "the task is for Windows Server 2016, which has no domainless mode").related(t.Task.OSNode, "the task is for Windows Server 2016")
				}
			})
		},
	},
	{
		ID: "ecs-2016-hostname", Group: "ecs", Severity: Error, Needs: []How{CrossFile},
		Title:  "the host name on Windows Server 2016 is not the account's",
		Why:    "Up to Windows Server 1803 the container's host name has to be the gMSA's name (2019 guide, \"Run a container with a gMSA\"; Amazon ECS developer guide says so for Windows Server 2016).",
		Repair: "set hostname to the name of the account",
		Bad:    `"hostname": "web"`, Good: `"hostname": "webapp"`,
		run: func(c *run) {
			for _, u := range c.setup.Uses {
				if u.Carrier != setup.ECS || u.Release != "ltsc2016" {
					continue
				}
				account := u.Spec.Get(credspec.KeyDomainJoin, "MachineAccountName")
				switch {
				case account.String() == "":
					c.notChecked(u.Where.Span(), "the credential spec, which says the account, is not among the files")
				case u.Hostname == nil:
					r := c.report(u.Where, "the container has no hostname, and on Windows Server 2016 it has to be %s", account.Text)
					r.related(account, "the account")
				case !strings.EqualFold(u.Hostname.Text, strings.TrimSuffix(account.Text, "$")):
					r := c.report(u.Hostname, "the hostname is %s, and on Windows Server 2016 it has to be the account's name, %s", u.Hostname.Text, account.Text)
					r.related(account, "the account")
					r.replace(u.Hostname, strings.TrimSuffix(account.Text, "$"))
				}
			}
		},
	},
	{
		ID: "ecs-mode-without-hac", Group: "ecs", Severity: Error, Needs: []How{CrossFile},
		Title:  "the domainless mode with a credential spec that has no HostAccountConfig",
		Why:    "In this mode the agent reads the section to find the user's secret, and stops without it (amazon-ecs-agent agent/taskresource/credentialspec).",
		Repair: "add HostAccountConfig to the credential spec, or begin the entry with credentialspec: on hosts of the domain",
		Bad:    "credentialspecdomainless:file://webapp.json, without the section in webapp.json", Good: "credentialspec:file://webapp.json",
		run: func(c *run) {
			c.linked(func(u *setup.Use) {
				if u.Domainless && u.Spec.HostAccount() == nil {
					r := c.report(u.Where, "the mode is domainless, and the credential spec has no HostAccountConfig")
					r.related(u.Spec.Root, "the credential spec")
					if u.OS == "linux" {
						r.Consumer = consumer.NoMapping
					} else if _, err := consumer.AgentWindows([]byte(u.Spec.Root.JSON()), true, ""); err != nil {
						r.Consumer = err.Error()
					}
				}
			})
		},
	},
	{
		ID: "ecs-hac-without-mode", Group: "ecs", Severity: Warning, Needs: []How{CrossFile},
		Title:  "the mode of hosts in the domain with a credential spec that has HostAccountConfig",
		Why:    "The agent does not read the section in this mode: the host asks with its own account, and the user of the secret is not used (amazon-ecs-agent agent/taskresource/credentialspec).",
		Repair: "begin the entry with credentialspecdomainless:, or remove the section",
		Bad:    "credentialspec:file://webapp.json, with the section in webapp.json", Good: "credentialspecdomainless:file://webapp.json",
		run: func(c *run) {
			c.linked(func(u *setup.Use) {
				if h := u.Spec.HostAccount(); !u.Domainless && h != nil {
					c.report(u.Where, "the mode is that of hosts in the domain, and the credential spec has a HostAccountConfig, which it leaves unused").related(h, "the section")
				}
			})
		},
	},
	{
		ID: "ecs-mixed-modes", Group: "ecs", Severity: Error, Needs: []How{Offline}, Targets: []Target{ECSLinux}, Depends: "only for ecs-linux",
		Title:  "both modes in one task",
		Why:    "The agent for Linux keeps one answer for the whole task, and takes it from whichever entry of a map it sees last (amazon-ecs-agent credentialspec_linux.go): the order is a matter of chance.",
		Repair: "use one mode in a task",
		Bad:    "credentialspec: in one container, credentialspecdomainless: in another", Good: "credentialspecdomainless: in both",
		run: func(c *run) {
			if !c.targets(ECSLinux) {
				return
			}
			for _, task := range c.setup.Tasks {
				if task.OS == "windows" {
					continue
				}
				var first *setup.Entry
				for _, t := range task.Containers {
					for _, e := range t.Entries() {
						switch {
						case e.Mode != setup.ModeJoined && e.Mode != setup.ModeDomainless:
						case first == nil:
							first = e
						case e.Mode != first.Mode:
							c.report(e.Node, "the task has %s: here and %s: in another entry", e.Mode, first.Mode).related(first.Node, "the other entry")
						}
					}
				}
			}
		},
	},
	{
		ID: "account-name-substring", Group: "ecs", Severity: Error, Needs: []How{Offline, CrossFile}, Targets: []Target{ECSLinux}, Depends: "only for ecs-linux",
		Title:  "an account's name is a part of another one's",
		Why:    "The agent for Linux takes the first ticket whose path contains the account's name, without regard to case (amazon-ecs-agent agent/taskresource/credentialspec/credentialspec_linux.go): web is in the path of web01 too, so a container may get the ticket of the other account.",
		Repair: "run them in tasks of their own, or rename one",
		Bad:    "web and web01 in one task", Good: "web and shop in one task",
		run: func(c *run) {
			if c.targets(ECSLinux) {
				for _, names := range c.leases() {
					c.substrings(names)
				}
			}
		},
	},
	{
		ID: "ecs-windows-other-opts", Group: "ecs", Severity: Error, Needs: []How{Offline}, Targets: []Target{ECSWindows}, Depends: "only for ecs-windows",
		Title:  "a domainless credential spec beside other security options",
		Why:    "The agent for Windows puts a domainless credential spec into the container's options only where there are none (amazon-ecs-agent agent/engine/docker_task_engine_windows.go): the container starts without an identity.",
		Repair: "remove the other options",
		Bad:    `"credentialSpecs": ["credentialspecdomainless:…"], "dockerSecurityOptions": ["no-new-privileges"]`, Good: `"credentialSpecs": ["credentialspecdomainless:…"]`,
		run: func(c *run) {
			if !c.targets(ECSWindows) {
				return
			}
			for _, t := range c.containers() {
				if t.Task.OS == "linux" || !slices.ContainsFunc(t.Entries(), func(e *setup.Entry) bool { return e.Mode == setup.ModeDomainless }) {
					continue
				}
				for _, e := range t.Security {
					if !e.IsSpec() && e.Mode != setup.ModeOpen {
						c.report(e.Node, "beside %q the agent does not hand over the domainless credential spec", e).related(t.Entries()[0].Node, "the credential spec")
					}
				}
			}
		},
	},
}

// containers are the containers of all task definitions.
func (c *run) containers() []*setup.TaskContainer {
	var list []*setup.TaskContainer
	for _, t := range c.setup.Tasks {
		list = append(list, t.Containers...)
	}
	return list
}

// entries calls f for every entry that names a credential spec.
func (c *run) entries(f func(t *setup.TaskContainer, e *setup.Entry)) {
	for _, t := range c.containers() {
		for _, e := range t.Entries() {
			f(t, e)
		}
	}
}

// linked calls f for the containers of tasks whose credential spec is among the files, and notes those whose is not.
func (c *run) linked(f func(u *setup.Use)) {
	for _, t := range c.containers() {
		switch u := t.Use; {
		case u == nil:
		case u.Spec != nil && !u.Spec.Broken() && u.Spec.Root != nil && u.Spec.Root.Kind == source.Object:
			f(u)
		case u.Spec == nil && u.Source != setup.FromUnknown:
			c.notChecked(u.Where.Span(), "the credential spec is not among the files")
		}
	}
}

// specOption is the entry of dockerSecurityOptions that names a credential spec.
func specOption(t *setup.TaskContainer) *setup.Entry {
	for _, e := range t.Security {
		if e.IsSpec() {
			return e
		}
	}
	return nil
}

// agentSays is what the agent says of an entry; "" when it takes it, and when only the deployment knows the whole entry.
func agentSays(e *setup.Entry) string {
	if !e.Known() {
		return ""
	}
	if _, err := consumer.AgentPlace(e.Value); err != nil {
		return err.Error()
	}
	return ""
}

// cutUnknown is a text up to the first place that may be anything.
func cutUnknown(text string) string {
	known, _, _ := strings.Cut(text, setup.Unknown)
	return known
}

// restOf is what stands behind the fifth colon of an entry's ARN.
func restOf(e *setup.Entry) string {
	section := strings.SplitN(e.Place(), ":", 6)
	if len(section) < 6 {
		return ""
	}
	return section[5]
}

// resourceOf is the resource of an entry's ARN as far as it is known; open tells that more may follow.
func resourceOf(e *setup.Entry) (resource string, open, ok bool) {
	if e.Source != setup.FromS3 && e.Source != setup.FromSSM {
		return "", false, false
	}
	known := cutUnknown(e.Place())
	section := strings.SplitN(known, ":", 6)
	open = known != e.Place()
	if len(section) < 6 {
		return "", open, !open
	}
	return section[5], open, true
}

// leases are the accounts for which the agent for Linux keeps tickets together: those of a task, and those of a file that holds one credential
// spec a line.
func (c *run) leases() [][]*source.Node {
	var groups [][]*source.Node
	account := func(d *credspec.Document) *source.Node {
		if n := d.Get(credspec.KeyDomainJoin, "MachineAccountName"); n.String() != "" {
			return n
		}
		return nil
	}
	for _, task := range c.setup.Tasks {
		var group []*source.Node
		if task.OS == "windows" {
			continue
		}
		for _, t := range task.Containers {
			if t.Use != nil {
				if n := account(t.Use.Spec); n != nil {
					group = append(group, n)
				}
			}
		}
		groups = append(groups, group)
	}
	byFile := map[*source.File]int{}
	for _, d := range c.setup.Documents {
		if d.Form != setup.FormCredentialSpec || d.File.Outer() != nil || setup.Language(d.File) != "json" {
			continue
		}
		list := []*credspec.Document{d.Spec}
		if d.Spec != nil {
			list = append(list, d.Spec.Following()...)
		}
		for _, s := range list {
			n := account(s)
			if n == nil {
				continue
			}
			i, ok := byFile[d.File]
			if !ok {
				i = len(groups)
				byFile[d.File] = i
				groups = append(groups, nil)
			}
			groups[i] = append(groups[i], n)
		}
	}
	return groups
}

// substrings reports each name that is a part of another one of the group, once.
func (c *run) substrings(names []*source.Node) {
	if len(names) < 2 {
		return
	}
	type name struct {
		text string
		node *source.Node
	}
	var list []name
	for _, n := range names {
		text := strings.ToLower(n.Text)
		if !slices.ContainsFunc(list, func(o name) bool { return o.text == text }) {
			list = append(list, name{text, n})
		}
		if len(list) == maxLease {
			break
		}
	}
	slices.SortStableFunc(list, func(a, b name) int { return cmp.Compare(a.node.Start, b.node.Start) })
	for _, short := range list {
		for _, long := range list {
			if short.text != long.text && strings.Contains(long.text, short.text) {
				c.report(short.node, "the account %s is a part of %s, so that its container may get the other one's ticket", short.node.Text, long.node.Text).related(long.node, "the other account")
				break
			}
		}
	}
}

// maxLease is how many accounts of one task or file are compared with each other.
const maxLease = 500
