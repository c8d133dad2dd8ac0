package credspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec/arn"
	"github.com/gmsasim/gmsasim/simulator/credspec/module"
	"github.com/gmsasim/gmsasim/simulator/credspec/plugin"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Form is a text that a credential spec can be written as.
type Form string

// The forms.
const (
	// FormModule is a file of the CredentialSpec module in Windows PowerShell 5.1; FormModule7 what the same module writes in PowerShell 7.
	FormModule  Form = "module"
	FormModule7 Form = "module7"
	// FormInline is the text in one line, for docker's raw:// and a pod's gmsaCredentialSpec.
	FormInline Form = "inline"
	// FormLinux is for the readers of AWS on Linux (the ECS agent, credentials-fetcher), whose PluginInput is an object.
	FormLinux Form = "ecs-linux"
	// FormKubernetes is a GMSACredentialSpec (windows-gmsa, windows.k8s.io/v1).
	FormKubernetes Form = "kubernetes"
	// FormSwarm is the content of a swarm config; [ComposeConfig] is the file that deploys it.
	FormSwarm Form = "swarm"
)

// Forms are all forms.
func Forms() []Form {
	return []Form{FormModule, FormModule7, FormInline, FormLinux, FormKubernetes, FormSwarm}
}

// Why a credential spec has no counterpart in another form.
var (
	ErrForm = errors.New("there is no such form")
	// ErrPlugin: the plug-in of the HostAccountConfig does not exist where the form is read, or its input says too little.
	ErrPlugin = errors.New("the plug-in's input cannot be converted")
	// ErrName: no name of an object can be made of the account's.
	ErrName = errors.New("the account's name makes no name of an object")
	// ErrSize: the form has a limit, and the credential spec is longer.
	ErrSize = errors.New("the credential spec is too long")
)

// The limits of what carries a credential spec, in bytes.
const (
	MaxInline = 64 << 10     // gmsaCredentialSpec (Kubernetes, pod validation)
	MaxConfig = 1000<<10 - 1 // a config (moby swarmkit, MaxConfigSize: fewer than 1000 KiB)
)

// Write writes a credential spec in a form. It fails where [Convert] does, and where the form's limit is exceeded.
func Write(s Spec, to Form) ([]byte, error) {
	s, _, err := Convert(s, to)
	if err != nil {
		return nil, err
	}
	switch to {
	case FormModule:
		return s.Module(module.CRLF), nil
	case FormModule7, FormLinux:
		return append(indented(s), '\n'), nil
	case FormInline:
		text := compact(s)
		if len(text) > MaxInline {
			return nil, fmt.Errorf("%w: %d bytes, and a pod's gmsaCredentialSpec takes %d", ErrSize, len(text), MaxInline)
		}
		return text, nil
	case FormSwarm:
		text := append(indented(s), '\n')
		if len(text) > MaxConfig {
			return nil, fmt.Errorf("%w: %d bytes, and a config takes %d", ErrSize, len(text), MaxConfig)
		}
		return text, nil
	}
	if text := compact(s); len(text) > MaxInline {
		return nil, fmt.Errorf("%w: %d bytes as JSON, and the pods that use the object take %d", ErrSize, len(text), MaxInline)
	}
	return object(s)
}

// Convert makes of a credential spec what the readers of a form take, and says what it has changed. Only a HostAccountConfig has to be changed:
// its PluginInput is a text for the plug-ins of Windows and an object for AWS' readers on Linux.
func Convert(s Spec, to Form) (Spec, []string, error) {
	switch to {
	case FormModule, FormModule7, FormInline, FormKubernetes, FormSwarm:
		return toText(s)
	case FormLinux:
		return toObject(s)
	}
	return Spec{}, nil, fmt.Errorf("%w: %q", ErrForm, to)
}

// toText gives PluginInput the form of Windows.
func toText(s Spec) (Spec, []string, error) {
	if s.Host == nil || s.Host.PluginObject == nil {
		return s, nil, nil
	}
	secret, left := credentialARN(s.Host.PluginObject)
	if secret == "" {
		return Spec{}, nil, fmt.Errorf("%w: PluginInput is an object without CredentialArn, and what else is in it means nothing on Windows", ErrPlugin)
	}
	host := *s.Host
	host.PluginObject, host.PluginInput = nil, string(marshal(pairs{{"credentialArn", secret}}))
	s.Host = &host
	notes := []string{"PluginInput is a text now: the plug-in on Windows reads JSON in a string, with the key credentialArn"}
	for _, key := range left {
		notes = append(notes, "the member "+key+" of PluginInput is left out: the ECS agent on Windows drops it (amazon-ecs-agent, credentialspec_windows.go)")
	}
	return s, notes, nil
}

// toObject gives PluginInput the form of AWS' readers on Linux.
func toObject(s Spec) (Spec, []string, error) {
	if s.Host == nil {
		return s, nil, nil
	}
	host := *s.Host
	var notes []string
	fields, secret := host.PluginObject, ""
	if fields != nil {
		secret, _ = credentialARN(fields)
		for _, f := range fields {
			if strings.EqualFold(f.Key, "CredentialArn") && f.Key != "CredentialArn" {
				notes = append(notes, "the key "+f.Key+" is CredentialArn now: readers on Linux compare the letters' case")
			}
		}
	} else {
		if mine, ok := plugin.ByCLSID(host.PluginGUID); ok && mine != plugin.AWS {
			return Spec{}, nil, fmt.Errorf("%w: %s has no counterpart on Linux, where a secret of AWS is read", ErrPlugin, mine.Name())
		}
		in, err := plugin.AWS.Shape(host.PluginInput)
		if err != nil {
			return Spec{}, nil, fmt.Errorf("%w: PluginInput %q: %w", ErrPlugin, host.PluginInput, err)
		}
		secret = in.Secret
		notes = append(notes, "PluginInput is an object now: readers on Linux take the key CredentialArn of it")
	}
	if secret == "" {
		return Spec{}, nil, fmt.Errorf("%w: PluginInput names no secret", ErrPlugin)
	}
	if name, err := arn.Parse(secret); err == nil && name.Service == "ssm" {
		return Spec{}, nil, fmt.Errorf("%w: %s is a parameter of Systems Manager, and readers on Linux take secrets of Secrets Manager only", ErrPlugin, secret)
	}
	host.PluginInput, host.PluginObject = "", []Field{{Key: "CredentialArn", Value: secret}}
	for _, f := range fields {
		if !strings.EqualFold(f.Key, "CredentialArn") {
			host.PluginObject = append(host.PluginObject, f)
		}
	}
	s.Host = &host
	return s, notes, nil
}

// credentialARN is the ARN in an object and the keys besides it.
func credentialARN(fields []Field) (secret string, others []string) {
	for _, f := range fields {
		if strings.EqualFold(f.Key, "CredentialArn") {
			secret = f.Value
		} else {
			others = append(others, f.Key)
		}
	}
	return secret, others
}

// pair is a member of an object whose order is kept.
type pair struct {
	key   string
	value any
}

type pairs []pair

func (list pairs) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(marshal(p.key))
		b.WriteByte(':')
		b.Write(marshal(p.value))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal is encoding/json without its escapes for HTML.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // texts, lists and objects of them
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// members are those of the document, in the module's order.
func members(s Spec) pairs {
	plugins := append([]string{}, s.CmsPlugins...)
	accounts := []pairs{}
	for _, a := range s.Accounts {
		accounts = append(accounts, pairs{{"Name", a.Name}, {"Scope", a.Scope}})
	}
	ad := pairs{{KeyAccounts, accounts}}
	if h := s.Host; h != nil {
		var input any = h.PluginInput
		if h.PluginObject != nil {
			fields := pairs{}
			for _, f := range h.PluginObject {
				fields = append(fields, pair{f.Key, f.Value})
			}
			input = fields
		}
		ad = append(ad, pair{KeyHostAccount, pairs{{"PortableCcgVersion", h.PortableCcgVersion}, {"PluginGUID", h.PluginGUID}, {"PluginInput", input}}})
	}
	j := s.DomainJoin
	return pairs{
		{KeyPlugins, plugins},
		{KeyDomainJoin, pairs{{"Sid", j.Sid}, {"MachineAccountName", j.MachineAccountName}, {"Guid", j.Guid}, {"DnsTreeName", j.DnsTreeName}, {"DnsName", j.DnsName}, {"NetBiosName", j.NetBiosName}}},
		{KeyActiveDirectory, ad},
	}
}

func compact(s Spec) []byte { return marshal(members(s)) }

// indented is the layout of ConvertTo-Json in PowerShell 7: two blanks for each level, one behind a colon.
func indented(s Spec) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, compact(s), "", "  "); err != nil {
		panic(err) // what marshal wrote is JSON
	}
	return b.Bytes()
}

// ObjectName is a name of a GMSACredentialSpec for an account: an RFC 1123 subdomain, as the API server wants it.
func ObjectName(account string) (string, error) {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, strings.TrimRight(account, "$"))
	var labels []string
	for _, label := range strings.Split(name, ".") {
		if label = strings.Trim(label, "-"); label != "" {
			labels = append(labels, label)
		}
	}
	if name = strings.Join(labels, "."); name == "" || len(name) > 253 {
		return "", fmt.Errorf("%w: %q", ErrName, account)
	}
	return name, nil
}

// object writes a GMSACredentialSpec.
func object(s Spec) ([]byte, error) {
	name, err := ObjectName(s.DomainJoin.MachineAccountName)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata:\n  name: " + source.YAMLScalar(name) + "\ncredspec:\n")
	writeYAML(&b, members(s), "  ")
	return []byte(b.String()), nil
}

func writeYAML(b *strings.Builder, list pairs, indent string) {
	for i, p := range list {
		if i > 0 || !strings.HasSuffix(b.String(), "- ") {
			b.WriteString(indent)
		}
		b.WriteString(p.key + ":")
		switch v := p.value.(type) {
		case string:
			b.WriteString(" " + source.YAMLScalar(v) + "\n")
		case []string:
			if len(v) == 0 {
				b.WriteString(" []\n")
				continue
			}
			b.WriteByte('\n')
			for _, item := range v {
				b.WriteString(indent + "- " + source.YAMLScalar(item) + "\n")
			}
		case []pairs:
			if len(v) == 0 {
				b.WriteString(" []\n")
				continue
			}
			b.WriteByte('\n')
			for _, item := range v {
				b.WriteString(indent + "- ")
				writeYAML(b, item, indent+"  ")
			}
		case pairs:
			b.WriteByte('\n')
			writeYAML(b, v, indent+"  ")
		}
	}
}

// ComposeConfig is a file for docker stack deploy in which a service gets the credential spec of a file as a config of a name. docker compose
// ignores credential_spec; the version is the first that has config in it (docker/cli, config_schema_v3.8.json).
func ComposeConfig(service, config, file string) []byte {
	key := source.YAMLScalar(config)
	return []byte("version: \"3.8\"\nservices:\n  " + source.YAMLScalar(service) + ":\n    credential_spec:\n      config: " + key + "\nconfigs:\n  " + key + ":\n    file: " + source.YAMLScalar(file) + "\n")
}
