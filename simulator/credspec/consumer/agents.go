package consumer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec/arn"
)

// Place is where the ECS agent is to get a credential spec from.
type Place struct {
	// Domainless is the mode of hosts outside the domain.
	Domainless bool
	// File is the path of a file; "": it is an object of S3 or a parameter.
	File string
	// Bucket and Key are an object's, Parameter is the name that the parameter store is asked for.
	Bucket, Key, Parameter string
}

// NeedsRole tells whether the agent needs the task's execution role.
func (p Place) NeedsRole() bool { return p.File == "" || p.Domainless }

// Prefixes of an entry.
const (
	prefixJoined     = "credentialspec:"
	prefixDomainless = "credentialspecdomainless:"
)

// s3ARN is how the agent takes an object's ARN apart (amazon-ecs-agent agent/s3).
var s3ARN = regexp.MustCompile(`arn:([^:]+):s3:::([^/]+)/(.+)`)

// AgentPlace reads an entry of credentialSpecs (amazon-ecs-agent agent/taskresource/credentialspec). An entry of another form is no error that
// stops a task on Linux, where the agent logs the text and goes on without it, and a plain option of the engine on Windows.
func AgentPlace(entry string) (Place, error) {
	var p Place
	where, ok := strings.CutPrefix(entry, prefixDomainless)
	if ok {
		p.Domainless = true
	} else if where, ok = strings.CutPrefix(entry, prefixJoined); !ok {
		return p, refuse("Invalid credentialspec: " + entry)
	}
	if file, ok := strings.CutPrefix(where, "file://"); ok {
		p.File = file
		return p, nil
	}
	a, err := arn.Parse(where)
	if err != nil {
		return p, &Refusal{Says: err.Error(), err: err}
	}
	switch a.Service {
	case "s3":
		m := s3ARN.FindStringSubmatch(where)
		if m == nil {
			return p, refuse("invalid s3 arn: " + where)
		}
		p.Bucket, p.Key = m[2], m[3]
	case "ssm":
		_, name, ok := strings.Cut(a.Resource, "parameter")
		if !ok {
			return p, refuse(fmt.Sprintf("the provided SSM parameter:%s is in an invalid format", a.Resource))
		}
		p.Parameter = name
	default:
		return p, refuse("unsupported credentialspec ARN, only s3/ssm ARNs are valid")
	}
	return p, nil
}

// NoRole is what the agent says without an execution role.
func NoRole() error {
	return refuse("credentialspec resource: unable to find execution role credentials")
}

// regKey is the key below which the agent keeps the user of a task for the plug-in (amazon-ecs-agent credentialspec_windows.go).
const regKey = `HKEY_LOCAL_MACHINE\System\CurrentControlSet\Services\AmazonECSCCGPlugin\`

// AgentWindows is what the ECS agent for Windows makes of a credential spec. In the mode of hosts in the domain it copies the text. In the other
// one it reads it into maps, puts its registry key into PluginInput and writes everything anew, keys in order.
func AgentWindows(text []byte, domainless bool, task string) (Outcome, error) {
	if !domainless {
		return Outcome{Text: text}, nil
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return Outcome{}, &Refusal{Says: err.Error(), err: err}
	}
	unable := func(key string) error { return refuse("Unable to parse " + key + " from credential spec") }
	untyped := func(name, kind string) error {
		return refuse(fmt.Sprintf("Unable to marshal untyped object %s to type %s", name, kind))
	}
	section, ok := doc["ActiveDirectoryConfig"]
	if !ok {
		return Outcome{}, unable("ActiveDirectoryConfig")
	}
	directory, ok := section.(map[string]any)
	if !ok {
		return Outcome{}, untyped("activeDirectoryConfigUntyped", "map[string]interface{}")
	}
	if section, ok = directory["HostAccountConfig"]; !ok {
		return Outcome{}, unable("HostAccountConfig")
	}
	host, ok := section.(map[string]any)
	if !ok {
		return Outcome{}, untyped("hostAccountConfigUntyped", "map[string]interface{}")
	}
	value, ok := host["PluginInput"]
	if !ok {
		return Outcome{}, unable("PluginInput")
	}
	input, ok := value.(string)
	if !ok {
		return Outcome{}, untyped("pluginInputStringUntyped", "string")
	}
	// guess: that a key without a value is left out of what the agent writes
	var known struct {
		CredentialArn string `json:"credentialArn,omitempty"`
		RegKeyPath    string `json:"regKeyPath,omitempty"`
	}
	if err := json.Unmarshal([]byte(input), &known); err != nil {
		return Outcome{}, &Refusal{Says: err.Error(), err: err}
	}
	o := Outcome{Secret: known.CredentialArn}
	var all map[string]json.RawMessage
	if json.Unmarshal([]byte(input), &all) == nil {
		for key := range all {
			if !strings.EqualFold(key, "credentialArn") && !strings.EqualFold(key, "regKeyPath") {
				o.Dropped = append(o.Dropped, "ActiveDirectoryConfig.HostAccountConfig.PluginInput."+key)
			}
		}
	}
	known.RegKeyPath = regKey + task
	rewritten, err := json.Marshal(known)
	if err != nil {
		return Outcome{}, err
	}
	host["PluginInput"] = string(rewritten)
	if o.Text, err = json.Marshal(doc); err != nil {
		return Outcome{}, err
	}
	return o, nil
}

// AgentLinux is what the ECS agent for Linux makes of a credential spec. Keys may have any case for it. What comes from S3 goes through
// json.Compact first, whose error nobody looks at: a document with a mistake is an empty one then.
func AgentLinux(text []byte, domainless, fromS3 bool) (Outcome, error) {
	if fromS3 {
		var compact bytes.Buffer
		if json.Compact(&compact, text) != nil {
			compact.Reset()
		}
		text = compact.Bytes()
	}
	o := Outcome{Text: text}
	// The names of the types and their tags stand in the texts of encoding/json. A value of another type than theirs is an error, whether or not
	// the agent needs the field.
	type joinConfig = struct {
		Sid                string `json:"Sid"`
		MachineAccountName string `json:"MachineAccountName"`
		GUID               string `json:"Guid"`
		DNSTreeName        string `json:"DnsTreeName"`
		DNSName            string `json:"DnsName"`
		NetBiosName        string `json:"NetBiosName"`
	}
	type account = struct{ Name, Scope string }
	if domainless {
		type CredentialSpecDomainlessSchema struct {
			CmsPlugins            []string
			DomainJoinConfig      joinConfig
			ActiveDirectoryConfig struct {
				GroupManagedServiceAccounts []account
				HostAccountConfig           struct {
					PortableCcgVersion, PluginGUID string
					PluginInput                    struct {
						CredentialArn string `json:"CredentialArn"`
					}
				}
			}
		}
		var s CredentialSpecDomainlessSchema
		if err := json.Unmarshal(text, &s); err != nil {
			return Outcome{}, &Refusal{Says: fmt.Sprintf("error unmarshalling credentialspec domainless %s : %v", text, err), err: err}
		}
		o.Account, o.Domain, o.Secret = s.DomainJoinConfig.MachineAccountName, s.DomainJoinConfig.DNSName, s.ActiveDirectoryConfig.HostAccountConfig.PluginInput.CredentialArn
	} else {
		type CredentialSpecSchema struct {
			CmsPlugins            []string
			DomainJoinConfig      joinConfig
			ActiveDirectoryConfig struct{ GroupManagedServiceAccounts []account }
		}
		var s CredentialSpecSchema
		if err := json.Unmarshal(text, &s); err != nil {
			return Outcome{}, &Refusal{Says: fmt.Sprintf("Error unmarshalling credentialspec domain-joined %s : %v", text, err), err: err}
		}
		o.Account, o.Domain = s.DomainJoinConfig.MachineAccountName, s.DomainJoinConfig.DNSName
	}
	if o.Account == "" || o.Domain == "" {
		o.Silent = "the agent keeps no account for it: the container fails with " + NoMapping
	} else if domainless && o.Secret == "" {
		o.Silent = "the agent asks for no ticket, because it finds no CredentialArn"
	}
	return o, nil
}

// NoMapping is what the agent for Linux says when a container starts whose credential spec it has no ticket for.
const NoMapping = "unable to fetch valid credentialspec mapping"
