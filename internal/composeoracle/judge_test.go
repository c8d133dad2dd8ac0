package composeoracle

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	composeloader "github.com/compose-spec/compose-go/v2/loader"
	compose "github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/commands"
	stackconvert "github.com/docker/cli/cli/compose/convert"
	stackloader "github.com/docker/cli/cli/compose/loader"
	stack "github.com/docker/cli/cli/compose/types"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// cases are services and what stands around them. Every one is judged by both readers.
var cases = map[string]string{
	"file":               "version: '3.3'\nservices: {s: {image: i, credential_spec: {file: a.json}}}\n",
	"registry":           "services: {s: {image: i, credential_spec: {registry: a}}}\n",
	"config":             "version: '3.8'\nservices: {s: {image: i, credential_spec: {config: c}}}\nconfigs: {c: {external: true}}\n",
	"config too early":   "version: '3.7'\nservices: {s: {image: i, credential_spec: {config: c}}}\nconfigs: {c: {external: true}}\n",
	"too early":          "version: '3.2'\nservices: {s: {image: i, credential_spec: {file: a.json}}}\n",
	"of the second":      "version: '2.4'\nservices: {s: {image: i, credential_spec: {file: a.json}}}\n",
	"raw":                "services: {s: {image: i, credential_spec: {raw: '{}'}}}\n",
	"capital":            "services: {s: {image: i, credential_spec: {File: a.json}}}\n",
	"extension":          "services: {s: {image: i, credential_spec: {file: a.json, x-note: b}}}\n",
	"undefined config":   "services: {s: {image: i, credential_spec: {config: c}}}\nconfigs: {d: {external: true}}\n",
	"two":                "services: {s: {image: i, credential_spec: {file: a.json, registry: a}}}\n",
	"three":              "services: {s: {image: i, credential_spec: {file: a.json, registry: a, config: c}}}\nconfigs: {c: {external: true}}\n",
	"empty":              "services: {s: {image: i, credential_spec: {}}}\n",
	"empty member":       "services: {s: {image: i, credential_spec: {file: ''}}}\n",
	"with scheme":        "services: {s: {image: i, credential_spec: {file: 'file://a.json'}}}\n",
	"security_opt":       "services: {s: {image: i, security_opt: ['credentialspec=file://a.json']}}\n",
	"no version":         "services: {s: {image: i, credential_spec: {config: c}}}\nconfigs: {c: {external: true}}\n",
	"interpolated":       "services: {s: {image: 'i:${TAG:-1}', hostname: '${H-h}', credential_spec: {file: '${X:-a}$$.json'}}}\n",
	"nested default":     "services: {s: {image: i, credential_spec: {file: '${X:-${Y:-b}}.json'}}}\n",
	"anchor":             "x-s: &s {file: a.json}\nservices: {s: {image: i, credential_spec: *s}}\n",
	"merged":             "x-s: &s {image: i, credential_spec: {file: a.json}}\nservices: {s: {<<: *s, hostname: h}}\n",
	"extends":            "services:\n  b: {image: i, hostname: b, security_opt: ['credentialspec=file://b.json'], credential_spec: {file: b.json}}\n  s: {extends: {service: b}, hostname: s, security_opt: ['credentialspec=file://s.json']}\n",
	"extends twice":      "services:\n  a: {image: i, user: u}\n  b: {extends: {service: a}, credential_spec: {registry: r}}\n  s: {extends: {service: b}}\n",
	"replicas":           "services: {s: {image: i, credential_spec: {file: a.json}, deploy: {replicas: 3}}}\n",
	"config with a name": "services: {s: {image: i, credential_spec: {config: c}}}\nconfigs: {c: {external: true, name: other}}\n",
}

// ours is what the product reads of a file and reports of it.
func ours(text string, target check.Target) (map[string]*setup.Use, []check.Report) {
	s := setup.Read([]*source.File{source.NewFile("compose.yaml", []byte(text))})
	uses := map[string]*setup.Use{}
	for _, u := range s.Uses {
		uses[u.Name] = u
	}
	return uses, check.Run(s, check.Options{All: true, Targets: []check.Target{check.Generic, target}}).Reports
}

// configs is an engine that has every config.
type configs struct{ client.APIClient }

func (configs) ConfigList(_ context.Context, o client.ConfigListOptions) (client.ConfigListResult, error) {
	var r client.ConfigListResult
	for _, name := range []string{"c", "d", "other", "n_c"} {
		r.Items = append(r.Items, swarm.Config{ID: "id-" + name, Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: name}}})
	}
	return r, nil
}

// deploy is what docker stack deploy makes of a file.
func deploy(text string) (map[string]swarm.ServiceSpec, []string, error) {
	parsed, err := stackloader.ParseYAML([]byte(text))
	if err != nil {
		return nil, nil, err
	}
	details := stack.ConfigDetails{WorkingDir: ".", ConfigFiles: []stack.ConfigFile{{Filename: "compose.yaml", Config: parsed}}, Environment: map[string]string{}}
	config, err := stackloader.Load(details)
	if err != nil {
		return nil, nil, err
	}
	services, err := stackconvert.Services(context.Background(), stackconvert.NewNamespace("n"), config, configs{})
	return services, stackloader.GetUnsupportedProperties(parsed), err
}

// before29 makes one of the two wordings that the schema's errors have in docker 29 and before.
var before29 = strings.NewReplacer(": additional property '", " Additional property ", "' is not allowed", " is not allowed")

// stackRules are the rules whose errors say that docker stack deploy refuses the file.
var stackRules = []string{"compose-credential-spec-version", "compose-raw-unsupported", "compose-config-undefined", "swarm-source-conflict"}

// TestStack: a file is refused exactly when one of the rules says so, in the same words, and otherwise its services get the credential spec that
// setup reads.
func TestStack(t *testing.T) {
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			uses, reports := ours(text, check.TargetStack)
			services, ignored, err := deploy(text)
			var said []string
			for _, r := range reports {
				if slices.Contains(stackRules, r.Rule.ID) && r.Severity == check.Error {
					said = append(said, r.Consumer)
				}
			}
			if strings.Contains(text, "extends") || strings.Contains(text, ":-${") { // stack has neither
				return
			}
			if (err != nil) != (len(said) > 0) {
				t.Fatalf("docker stack deploy: %v; the rules: %q", err, said)
			}
			if err != nil {
				for _, text := range said {
					if !strings.Contains(before29.Replace(err.Error()), before29.Replace(text)) {
						t.Errorf("docker stack deploy says\n%v\nand the rule\n%s", err, text)
					}
				}
				return
			}
			for service, spec := range services {
				var got string
				if p := spec.TaskTemplate.ContainerSpec.Privileges; p != nil && p.CredentialSpec != nil {
					got = strings.TrimPrefix(fmt.Sprintf("%s|%s|%s", p.CredentialSpec.File, p.CredentialSpec.Registry, p.CredentialSpec.Config), "")
				}
				u := uses[service]
				want := ""
				for _, o := range u.Options {
					if o.Via == setup.ViaMember && o.Value != nil {
						switch o.Source {
						case setup.FromFile:
							want = o.Value.Text + "||"
						case setup.FromRegistry:
							want = "|" + o.Value.Text + "|"
						case setup.FromConfig:
							id := "id-n_" + o.Value.Text
							if u.Document().Root.Get("configs", o.Value.Text, "name") != nil {
								id = "id-" + u.Document().Root.Get("configs", o.Value.Text, "name").Text
							} else if u.Document().Root.Get("configs", o.Value.Text, "external") != nil {
								id = "id-" + o.Value.Text
							}
							want = "||" + id
						}
					}
				}
				if got != want {
					t.Errorf("the service has %q, and setup read %q", got, want)
				}
				if r := spec.Mode.Replicated; r != nil && r.Replicas != nil && int(*r.Replicas) != max(u.Replicas, 1) {
					t.Errorf("%d replicas, and setup read %d", *r.Replicas, u.Replicas)
				}
			}
			ignores := slices.ContainsFunc(reports, func(r check.Report) bool { return r.Rule.ID == "compose-security-opt-ignored" })
			if slices.Contains(ignored, "security_opt") != ignores {
				t.Errorf("docker stack deploy ignores %v, and the rule: %t", ignored, ignores)
			}
		})
	}
}

// TestCompose: docker compose refuses a file exactly when the rules about its schema say so, and otherwise the services are as setup reads them.
func TestCompose(t *testing.T) {
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			uses, reports := ours(text, check.TargetCompose)
			project, err := composeloader.LoadWithContext(context.Background(), compose.ConfigDetails{
				WorkingDir: t.TempDir(), ConfigFiles: []compose.ConfigFile{{Filename: "compose.yaml", Content: []byte(text)}}, Environment: compose.Mapping{},
			}, func(o *composeloader.Options) { o.SetProjectName("p", true) })
			refused := slices.ContainsFunc(reports, func(r check.Report) bool { return r.Rule.ID == "compose-raw-unsupported" })
			if (err != nil) != refused {
				t.Fatalf("docker compose: %v; the rules: %t", err, refused)
			}
			if err != nil {
				return
			}
			for name, service := range project.Services {
				u := uses[name]
				if u == nil {
					if service.CredentialSpec != nil || len(service.SecurityOpt) > 0 {
						t.Errorf("setup has no use of %s", name)
					}
					continue
				}
				var opts []string
				member := map[setup.SourceKind]string{}
				for _, o := range u.Options {
					switch {
					case o.Via == setup.ViaSecurityOpt:
						opts = append(opts, o.Node.Text)
					case o.Value != nil:
						member[o.Source] = o.Value.Text
					}
				}
				if !slices.Equal(opts, service.SecurityOpt) {
					t.Errorf("%s: security_opt %q, and setup read %q", name, service.SecurityOpt, opts)
				}
				if c := service.CredentialSpec; c != nil && (c.File != member[setup.FromFile] || c.Registry != member[setup.FromRegistry] || c.Config != member[setup.FromConfig]) {
					t.Errorf("%s: credential_spec %+v, and setup read %v", name, *c, member)
				}
				for what, pair := range map[string][2]string{"image": {service.Image, u.Image.String()}, "hostname": {service.Hostname, u.Hostname.String()}, "user": {service.User, u.User.String()}} {
					if pair[0] != pair[1] {
						t.Errorf("%s: %s %q, and setup read %q", name, what, pair[0], pair[1])
					}
				}
			}
		})
	}
}

// TestOptions: for each option of each command, what stands behind it is its value or the image as it is for docker itself.
func TestOptions(t *testing.T) {
	cli, err := command.NewDockerCli()
	if err != nil {
		t.Fatal(err)
	}
	root := &cobra.Command{Use: "docker"}
	commands.AddCommands(root, cli)
	for _, verb := range [][]string{{"run"}, {"create"}, {"container", "run"}, {"service", "create"}, {"service", "update"}} {
		found, _, err := root.Find(verb)
		if err != nil || found.Name() != verb[len(verb)-1] {
			t.Fatalf("docker has no %v: %v", verb, err)
		}
		n := 0
		found.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "security-opt" || f.Name == "credential-spec" || f.Name == "image" {
				return
			}
			for _, spelling := range []string{"--" + f.Name, "-" + f.Shorthand} {
				if spelling == "-" {
					continue
				}
				n++
				argv := slices.Concat([]string{"docker"}, verb, []string{"--security-opt", "credentialspec=file://a.json", spelling, "first", "second"})
				text, _ := json.Marshal(argv)
				u := setup.Read([]*source.File{source.NewFile("a.json", text)}).Uses[0]
				want := "second"
				if f.NoOptDefVal != "" {
					want = "first"
				}
				if u.Command.Image.String() != want {
					t.Errorf("%v: %s: the image is %q, want %q", verb, spelling, u.Command.Image.String(), want)
				}
			}
		})
		if n < 40 {
			t.Errorf("%v has %d options", verb, n)
		}
	}
}

// TestServiceFlag: docker service create takes a text for --credential-spec exactly when no rule says that it does not, in its words.
func TestServiceFlag(t *testing.T) {
	cli, err := command.NewDockerCli()
	if err != nil {
		t.Fatal(err)
	}
	root := &cobra.Command{Use: "docker"}
	commands.AddCommands(root, cli)
	for _, value := range []string{
		"file://a.json", "File://a.json", "registry://a", "config://c", "CONFIG://c", "raw://{}", "RAW://{}", "a.json", "", "file://", "file:/a.json", "vault://a", "credentialspec=file://a.json",
	} {
		create, _, err := root.Find([]string{"service", "create"})
		if err != nil {
			t.Fatal(err)
		}
		refusal := create.Flags().Set("credential-spec", value)
		text, _ := json.Marshal([]string{"docker", "service", "create", "--credential-spec", value, "i"})
		_, reports := read(text)
		var said []string
		for _, r := range reports {
			if slices.Contains([]string{"docker-opt-bad-scheme", "swarm-raw", "swarm-scheme-case"}, r.Rule.ID) {
				said = append(said, r.Consumer)
			}
		}
		if (refusal != nil) != (len(said) > 0) {
			t.Errorf("%q: docker says %v, and the rules %q", value, refusal, said)
		}
		for _, s := range said {
			if refusal != nil && !strings.Contains(refusal.Error(), s) {
				t.Errorf("%q: docker says %v, and the rule %q", value, refusal, s)
			}
		}
	}
}

func read(text []byte) (*setup.Setup, []check.Report) {
	s := setup.Read([]*source.File{source.NewFile("a.json", text)})
	return s, check.Run(s, check.Options{All: true}).Reports
}
