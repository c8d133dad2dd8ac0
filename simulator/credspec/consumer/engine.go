package consumer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// MobyOption reads one --security-opt as the daemon on Windows does (moby daemon/oci_windows.go): the scheme in small letters, and what follows
// it. The scheme config is for tasks of a swarm only, so that the daemon takes it nowhere else.
func MobyOption(option string, swarm bool) (scheme, value string, err error) {
	key, value, ok := strings.Cut(option, "=")
	if !ok {
		return "", "", refuse("invalid security option: no equals sign in supplied value " + option)
	}
	if !strings.EqualFold(key, "credentialspec") {
		return "", "", refuse("security option not supported: " + key)
	}
	scheme, value, ok = strings.Cut(value, "://")
	scheme = strings.ToLower(scheme)
	if !ok || value == "" || scheme != "file" && scheme != "registry" && scheme != "raw" && (scheme != "config" || !swarm) {
		return "", "", refuse("invalid credential spec security option - value must be prefixed by 'file://', 'registry://', or 'raw://' followed by a non-empty value")
	}
	return scheme, value, nil
}

// Moby is what the daemon does with the text itself: nothing (moby daemon/oci_windows.go).
func Moby(text []byte) Outcome {
	if len(text) == 0 {
		return Outcome{Silent: "the text has no bytes: the container starts as if no credential spec had been given"}
	}
	return Outcome{Text: text}
}

// MobyLinux is what the daemon on Linux answers to an option of a credential spec: 1 for one without separator, 2 for a key that it does not
// know (moby daemon/daemon_unix.go).
func MobyLinux(option string) error {
	kind := 2
	if !strings.ContainsAny(option, "=:") {
		kind = 1
	}
	return refuse(fmt.Sprintf("invalid --security-opt %d: %q", kind, option))
}

// DockerRun is what docker run and docker create check of --security-opt; the daemon decides the rest (docker/cli cli/command/container/opts.go).
func DockerRun(option string) error {
	i := strings.IndexAny(option, "=:")
	if i >= 0 && i == len(option)-1 || option == "" {
		return refuse(fmt.Sprintf("Invalid --security-opt: %q", option))
	}
	return nil
}

// Source is Privileges.CredentialSpec of the engine's API, and credential_spec of a stack file.
type Source struct{ Config, File, Registry string }

// ServiceOption reads --credential-spec of docker service create. Letters of the scheme count here, and nothing need follow it
// (docker/cli cli/command/service/opts.go).
func ServiceOption(value string) (Source, error) {
	if value == "" {
		return Source{}, nil
	}
	switch scheme, rest, ok := strings.Cut(value, "://"); {
	case ok && scheme == "config":
		return Source{Config: rest}, nil
	case ok && scheme == "file":
		return Source{File: rest}, nil
	case ok && scheme == "registry":
		return Source{Registry: rest}, nil
	default:
		return Source{}, refuse(`invalid credential spec: value must be prefixed with "config://", "file://", or "registry://"`)
	}
}

// given are the members that have a value.
func (s Source) given() []string {
	var list []string
	for _, m := range []struct{ name, value string }{{"Config", s.Config}, {"File", s.File}, {"Registry", s.Registry}} {
		if m.value != "" {
			list = append(list, m.name)
		}
	}
	return list
}

// Check is what the engine's API checks (moby daemon/cluster/convert/container.go).
func (s Source) Check() error {
	switch list := s.given(); {
	case len(list) == 0:
		return refuse(`invalid CredentialSpec: must either provide "file", "registry", or "config" for credential spec`)
	case len(list) > 1:
		return refuse(fmt.Sprintf("invalid CredentialSpec: cannot specify both %q and %q credential specs", strings.ToLower(list[0]), strings.ToLower(list[1])))
	}
	return nil
}

// Stack is what docker stack deploy checks of credential_spec, where configs are those of the file's top level and created the ones that the
// swarm has (docker/cli cli/compose/convert/service.go).
func (s Source) Stack(configs, created func(string) bool) error {
	switch list := s.given(); {
	case len(list) > 1:
		return refuse(fmt.Sprintf("invalid credential spec: cannot specify both %q and %q", list[0], list[1]))
	case s.Config == "":
	case !configs(s.Config):
		return refuse(fmt.Sprintf("undefined config %q", s.Config))
	case !created(s.Config):
		return refuse(fmt.Sprintf("invalid credential spec: spec specifies config %s, but no such config can be found", s.Config))
	}
	return nil
}

// Option is what the engine gives a task's container for a source. A scheme that stands in the file's name already stands there twice.
func (s Source) Option() string {
	switch {
	case s.Config != "":
		return "credentialspec=config://" + s.Config
	case s.File != "":
		return "credentialspec=file://" + s.File
	case s.Registry != "":
		return "credentialspec=registry://" + s.Registry
	}
	return ""
}

// maxConfig is the size of a config from which swarmkit refuses it (moby/swarmkit manager/controlapi/config.go).
const maxConfig = 1024000

// SwarmConfig is what swarm checks of a config's data.
func SwarmConfig(data []byte) error {
	if len(data) == 0 || len(data) >= maxConfig {
		return refuse("config data must be larger than 0 and less than 1024000 bytes")
	}
	return nil
}

// Compose are the security options that docker compose gives the engine for a service: security_opt as it is. credential_spec is read and then
// used by nobody (docker/compose pkg/compose/create.go).
func Compose(spec *Source, securityOpt []string) ([]string, Outcome) {
	if spec == nil {
		return securityOpt, Outcome{}
	}
	return securityOpt, Outcome{Dropped: []string{"credential_spec"}, Silent: "docker compose reads credential_spec and hands it to nobody"}
}

// OCI is what hcsshim takes of windows.credentialSpec in config.json: a string; anything else it leaves out without a word (hcsshim
// internal/hcsoci). An empty one counts as none.
func OCI(value json.RawMessage) Outcome {
	value = bytes.TrimSpace(value)
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		if len(value) == 0 || string(value) == "null" {
			return Outcome{}
		}
		return Outcome{Dropped: []string{"windows.credentialSpec"}, Silent: "hcsshim takes windows.credentialSpec only as a string: the container starts without an identity"}
	}
	// guess: an empty string counts as none, as it does for the engine
	if text == "" {
		return Outcome{}
	}
	return Outcome{Text: []byte(text)}
}

// CRI is what containerd does with CredentialSpec of a sandbox or a container: it copies what is not empty, the container's before the sandbox's
// (containerd internal/cri/server).
func CRI(sandbox, container string) Outcome {
	for _, text := range []string{container, sandbox} {
		if text != "" {
			return Outcome{Text: []byte(text)}
		}
	}
	return Outcome{}
}
