package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// composeRules are about compose files, which docker compose and docker stack deploy read differently.
var composeRules = []*Rule{
	{
		ID: "compose-credential-spec-ignored", Group: "docker", Severity: Error, Depends: "a warning where stack is a target too and the file has what only a swarm does", Needs: []How{Offline}, Targets: []Target{TargetCompose},
		Title:  "docker compose does not read credential_spec",
		Why:    "Since version 2 docker compose loads the key and drops it without a word (docker/compose pkg/compose); the container starts without an identity. What reaches the engine is security_opt. docker stack deploy reads credential_spec.",
		Repair: "name the credential spec in security_opt, or deploy the file with docker stack deploy",
		Bad:    "services: {web: {image: i, credential_spec: {file: web.json}}}", Good: `services: {web: {image: i, security_opt: ["credentialspec=file://web.json"]}}`,
		run: func(c *run) {
			if !c.targets(TargetCompose) {
				return
			}
			for _, u := range c.composeUses() {
				member, options := composeOptions(u)
				key := u.Container.Key("credential_spec")
				if key == nil || len(member) == 0 && u.Container.Get("credential_spec").IsEmpty() {
					continue
				}
				equal := false
				for _, o := range options {
					for _, m := range member {
						equal = equal || o.Source == m.Source && o.Value != nil && m.Value != nil && o.Value.Text == m.Value.Text
					}
				}
				if equal {
					continue
				}
				r := c.report(key, "docker compose drops credential_spec, and the container of %s starts without an identity", u.Name)
				r.Consumer = "docker compose says nothing"
				if c.forStack(u) && u.Document().ForStack() {
					r.Severity = Warning
					r.Message += "; docker stack deploy, for which the file is written, uses it"
				}
				if len(options) > 0 {
					r.Message = fmt.Sprintf("docker compose drops credential_spec and takes security_opt, which names another credential spec for %s", u.Name)
					r.related(options[len(options)-1].Node, "what docker compose takes")
					continue
				}
				if len(member) != 1 || u.Container.Get("security_opt") != nil || u.Container.Get("extends") != nil {
					continue
				}
				if m := member[0]; m.Value != nil && !m.Value.Open && !hasScheme(m) && (m.Source == setup.FromFile || m.Source == setup.FromRegistry) {
					option := setup.OptionKey + "=" + m.Key + "://" + m.Value.Text
					r.Repair = "add security_opt: [" + strconv.Quote(option) + "]"
					for i, sibling := range u.Container.Members {
						if sibling.Key == key {
							if e, ok := u.Container.InsertMember(i+1, "security_opt", "["+strconv.Quote(option)+"]"); ok {
								r.Fix = append(r.Fix, e)
							}
						}
					}
				}
			}
		},
	},
	{
		ID: "compose-security-opt-ignored", Group: "docker", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetStack},
		Title:  "docker stack deploy does not read security_opt",
		Why:    "A swarm's services have no security options: docker stack deploy lists the key among those that it ignores and goes on (docker/cli cli/compose/types, UnsupportedProperties). It reads credential_spec.",
		Repair: "name the credential spec in credential_spec",
		Bad:    `services: {web: {image: i, security_opt: ["credentialspec=file://web.json"]}}`, Good: "services: {web: {image: i, credential_spec: {file: web.json}}}",
		run: func(c *run) {
			for _, u := range c.composeUses() {
				member, options := composeOptions(u)
				if !c.forStack(u) || len(member) > 0 || len(options) == 0 || u.Container.Get("credential_spec") != nil {
					continue
				}
				o := options[len(options)-1]
				r := c.report(o.Node, "docker stack deploy ignores security_opt, and the container of %s starts without an identity", u.Name)
				r.Consumer = "Ignoring unsupported options: security_opt"
				if u.Container.Get("security_opt") == nil || o.Value == nil || o.Value.Open || o.Source != setup.FromFile && o.Source != setup.FromRegistry {
					continue
				}
				value := fmt.Sprintf("{%s: %s}", strings.ToLower(o.Scheme), strconv.Quote(o.Value.Text))
				r.Repair = "add credential_spec: " + value
				for i, m := range u.Container.Members {
					if m.Key.Text == "security_opt" {
						if e, ok := u.Container.InsertMember(i, "credential_spec", value); ok {
							r.Fix = append(r.Fix, e)
						}
					}
				}
			}
		},
	},
	{
		ID: "compose-credential-spec-version", Group: "docker", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetStack},
		Title:  "the file's version is too old for credential_spec",
		Why:    "docker stack deploy checks a file with the schema of the version that it names: credential_spec has been there since 3.3, its config since 3.8 (docker/cli cli/compose/schema). docker compose does not look at the version.",
		Repair: `write version: "3.8"`,
		Bad:    `version: "3.7", with credential_spec: {config: web}`, Good: `version: "3.8", with credential_spec: {config: web}`,
		run: func(c *run) {
			reported := map[*source.Node]bool{}
			for _, u := range c.composeUses() {
				spec := u.Container.Get("credential_spec")
				version := u.Document().Root.Get("version")
				if !c.forStack(u) || spec == nil || version == nil || reported[version] {
					continue
				}
				major, minor, ok := versionOf(version)
				config := spec.Get("config") != nil
				if !ok || major > 3 || major == 3 && (minor >= 8 || minor >= 3 && !config) {
					continue
				}
				reported[version] = true
				r := c.report(version, "version %s has no credential_spec", version.Text)
				r.related(u.Container.Key("credential_spec"), "used here")
				switch {
				case major < 3:
					r.Consumer = "unsupported Compose file version: " + version.Text
				case minor < 3:
					r.Consumer = fmt.Sprintf("services.%s Additional property credential_spec is not allowed", u.Name)
				default:
					r.Message = fmt.Sprintf("version %s has no config in credential_spec", version.Text)
					r.Consumer = fmt.Sprintf("services.%s.credential_spec Additional property config is not allowed", u.Name)
				}
				if major == 3 {
					r.replace(version, "3.8")
				}
			}
		},
	},
	{
		ID: "compose-raw-unsupported", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "credential_spec has a member that nobody knows",
		Why:    "The schema of compose files has config, file and registry there, and extensions whose names begin with x-, which docker stack deploy does not take here; the file is refused (compose-spec schema; docker/cli cli/compose/schema, which words it a little differently since version 29). Contents cannot stand in the file itself.",
		Repair: "put the contents into a file or a config and name it",
		Bad:    "credential_spec: {raw: '{\"CmsPlugins\": …}'}", Good: "credential_spec: {config: web}, with configs: {web: {file: web.json}}",
		run: func(c *run) {
			for _, u := range c.composeUses() {
				for _, m := range u.Container.Get("credential_spec").Map() {
					extension := strings.HasPrefix(m.Key.Text, "x-")
					if k := m.Key.Text; k != "config" && k != "file" && k != "registry" && (!extension || c.forStack(u)) {
						r := c.report(m.Key, "credential_spec has no member %s: config, file and registry are its members", k)
						if extension {
							r.Message = fmt.Sprintf("docker stack deploy does not take the extension %s inside credential_spec", k)
							r.Repair = "put it beside credential_spec"
						}
						r.Consumer = fmt.Sprintf("services.%s.credential_spec Additional property %s is not allowed", u.Name, k)
						if low := strings.ToLower(k); low != k && (low == "config" || low == "file" || low == "registry") {
							r.replace(m.Key, low)
						}
					}
				}
			}
		},
	},
	{
		ID: "compose-config-undefined", Group: "docker", Severity: Error, Depends: "a warning where stack is no target: docker compose does not look at it", Needs: []How{Offline},
		Title:  "credential_spec names a config that the file does not define",
		Why:    "The name is one of the file's own configs, at its top level; docker stack deploy refuses another (docker/cli cli/compose/convert).",
		Repair: "define the config under configs, or name one that is defined",
		Bad:    "credential_spec: {config: web}, with configs: {wep: …}", Good: "credential_spec: {config: web}, with configs: {web: …}",
		run: func(c *run) {
			for _, u := range c.composeUses() {
				member, _ := composeOptions(u)
				for _, o := range member {
					if o.Source != setup.FromConfig || o.Value == nil || o.Value.Open {
						continue
					}
					configs := u.Document().Root.Get("configs")
					if configs.Key(o.Value.Text) != nil {
						// docker stack deploy looks for the config by its key, with and without the stack's name before it.
						name := configs.Get(o.Value.Text, "name")
						if name.String() == "" || name.Open || name.Text == o.Value.Text || strings.HasSuffix(name.Text, "_"+o.Value.Text) || !c.forStack(u) {
							continue
						}
						r := c.report(o.Value, "the config %s has the name %s in the swarm, and docker stack deploy looks for it under its key", o.Value.Text, name.Text)
						r.Repair = "give the config its name as key, or leave the name out"
						r.Consumer = fmt.Sprintf("invalid credential spec: spec specifies config %s, but no such config can be found", o.Value.Text)
						r.related(name, "its name")
						continue
					}
					r := c.report(o.Value, "configs has no %q", o.Value.Text)
					r.Consumer = fmt.Sprintf("undefined config %q", o.Value.Text)
					if !c.forStack(u) {
						r.Severity, r.Consumer = Warning, ""
					}
					var names []string
					for _, m := range configs.Map() {
						names = append(names, m.Key.Text)
					}
					if n := nearest(o.Value.Text, names); n != "" {
						r.Message += fmt.Sprintf(", but %q", n)
						r.related(configs.Key(n), "defined here")
					}
				}
			}
		},
	},
	{
		ID: "compose-config-empty", Group: "docker", Severity: Error, Needs: []How{Offline, CrossFile},
		Title:  "a config is empty, or larger than a config may be",
		Why:    "A config of a swarm has 1 to 1,023,999 bytes (swarmkit manager/controlapi). A credential spec has about 700.",
		Repair: "give the real file",
		Bad:    "configs: {web: {file: web.json}}, with an empty web.json", Good: "configs: {web: {file: web.json}}",
		run: func(c *run) {
			const most = 1_024_000
			say := "config data must be larger than 0 and less than 1024000 bytes"
			seen := map[*source.Node]bool{}
			for _, u := range c.composeUses() {
				if u.Source != setup.FromConfig {
					continue
				}
				config := u.Document().Root.Get("configs", u.Value)
				file, content := config.Get("file"), config.Get("content")
				if config == nil || seen[config] {
					continue
				}
				seen[config] = true
				switch {
				case content != nil && content.Kind == source.String && (content.Text == "" || len(content.Text) >= most):
					c.report(content, "the config %s has %d bytes", u.Value, len(content.Text)).Consumer = say
				case file == nil || file.Open || file.String() == "":
				default:
					f := c.setup.FileNamed(u.File, file.Text)
					if f == nil {
						c.notChecked(file.Span(), "%s is not among the files given", baseName(file.Text))
					} else if f.Size == 0 || f.Size >= most {
						r := c.report(file, "the file of the config %s has %d bytes", u.Value, f.Size)
						r.Consumer = say
					}
				}
			}
		},
	},
	{
		ID: "compose-config-file-name", Group: "docker", Severity: Warning, Needs: []How{Offline},
		Title:  "a config has no file, or one whose name ends in a stray mark",
		Why:    "A config has its contents from file, content, environment or a swarm (external) (compose-spec, 08-configs). A mark behind the name, as in the compose specification's own example, is part of the name, and no such file exists.",
		Repair: "write the file's name",
		Bad:    "configs: {web: {file: \"./web.json|\"}}", Good: "configs: {web: {file: ./web.json}}",
		run: func(c *run) {
			seen := map[*source.Node]bool{}
			for _, u := range c.composeUses() {
				for _, m := range u.Document().Root.Get("configs").Map() {
					if seen[m.Key] {
						continue
					}
					seen[m.Key] = true
					file := m.Value.Get("file")
					switch {
					case file == nil:
						if u.Source != setup.FromConfig || u.Value != m.Key.Text || slices.ContainsFunc([]string{"content", "environment", "external"}, func(k string) bool { return m.Value.Get(k) != nil }) {
							seen[m.Key] = u.Value == m.Key.Text
							continue
						}
						c.report(m.Key, "the config %s has neither file nor content, environment or external", m.Key.Text)
					case file.Kind == source.String && !file.Open && hasTrailing(file.Text):
						trimmed := strings.TrimRight(file.Text, "|,;:'\"`")
						r := c.report(file, "the file's name ends in %q", file.Text[len(trimmed):])
						if strings.HasSuffix(strings.ToLower(trimmed), ".json") {
							r.replace(file, trimmed)
						}
					}
				}
			}
		},
	},
	{
		ID: "compose-scheme-in-file", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the member's value begins with a scheme",
		Why:    "The member says already what it is: file: file://web.json becomes credentialspec=file://file://web.json in the engine (docker/cli cli/compose/convert), which finds no file of that name. The compose specification's prose says file://, its schema and its readers do not.",
		Repair: "write the name only",
		Bad:    "credential_spec: {file: file://web.json}", Good: "credential_spec: {file: web.json}",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				if o.Via != setup.ViaMember || o.Value == nil || o.Value.Kind != source.String {
					return
				}
				scheme, rest, ok := strings.Cut(o.Value.Text, "://")
				if !ok {
					return
				}
				r := c.report(o.Value, "%s: %s names the source twice", o.Key, o.Value.Text)
				if o.Source == setup.FromFile {
					r.Consumer = `failed to load credential spec for container <id>: open ` + engineFolder + `\` + windowsClean(o.Value.Text) + `: The filename, directory name, or volume label syntax is incorrect.`
				}
				if strings.EqualFold(scheme, o.Key) && rest != "" {
					r.replace(o.Value, rest)
				}
			})
		},
	},
}

// composeUses are the services of compose files that have to do with a credential spec.
func (c *run) composeUses() []*setup.Use {
	return slices.DeleteFunc(slices.Clone(c.setup.Uses), func(u *setup.Use) bool { return u.Carrier != setup.Compose || u.Document() == nil })
}

// forStack tells whether docker stack deploy counts for a service: it was chosen, or the service's own file is written for it.
func (c *run) forStack(u *setup.Use) bool {
	return c.targets(TargetStack) && (c.shared.readers == nil || u.Document().ForStack())
}

// composeOptions divides a service's options: members of credential_spec, and credential specs among security_opt.
func composeOptions(u *setup.Use) (member, security []*setup.Option) {
	for _, o := range u.Options {
		switch {
		case o.Via == setup.ViaMember:
			member = append(member, o)
		case o.IsCredentialSpec():
			security = append(security, o)
		}
	}
	return member, security
}

// versionOf reads a compose file's version, "3.8" or 3.
func versionOf(n *source.Node) (major, minor int, ok bool) {
	a, b, _ := strings.Cut(n.Text, ".")
	major, err := strconv.Atoi(a)
	if err != nil {
		return 0, 0, false
	}
	if b != "" {
		if minor, err = strconv.Atoi(b); err != nil {
			return 0, 0, false
		}
	}
	return major, minor, true
}
