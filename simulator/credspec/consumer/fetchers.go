package consumer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// notInNames are the characters that credentials-fetcher has in no account's name, besides the blank.
const notInNames = "&:][+|;$*?<>!/\\'`~"

// domainPattern is a host name of RFC 1123.
// guess: the pattern of credentials-fetcher 2 was not read; it is taken for that of 1
var domainPattern = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// maxDomain is the longest domain's name that credentials-fetcher takes.
const maxDomain = 253

func badName(name string) bool { return strings.ContainsAny(name, notInNames+" ") }

// NotFormatted is what credentials-fetcher 1 answers over gRPC when its reader refuses, whatever the reader has logged.
const NotFormatted = "Error: credential spec provided is not properly formatted"

// Fetcher1 is what credentials-fetcher 1 reads (aws/credentials-fetcher api/src/gmsa_service.cpp): with jsoncpp, whose error it does not look at,
// so that what was read up to a mistake counts. It takes the first account that has a name.
func Fetcher1(text []byte, domainless bool) (o Outcome, err error) {
	if len(text) == 0 {
		return o, refuse("ERROR: credspec is empty")
	}
	root := parseJSONCPP(text)
	defer func() {
		if _, thrown := recover().(jsoncppThrow); thrown {
			mode := "domain-joined"
			if domainless {
				mode = "domainless"
			}
			o, err = Outcome{}, refuse("ERROR: "+mode+" credspec is not properly formatted failed")
		}
	}()
	domain := member(root, "DomainJoinConfig", "DnsName").asString()
	account := ""
	for _, entry := range member(root, "ActiveDirectoryConfig", "GroupManagedServiceAccounts").values() {
		if account = member(entry, "Name").asString(); account != "" {
			break
		}
	}
	switch {
	case account == "" || domain == "":
		return o, refuse(NotFormatted)
	case !domainPattern.MatchString(domain) || len(domain) > maxDomain || badName(account):
		return o, refuse("ERROR: credentialspec file is not formatted properly")
	}
	o = Outcome{Text: text, Account: account, Domain: domain}
	if domainless {
		if o.Secret = member(root, "ActiveDirectoryConfig", "HostAccountConfig", "PluginInput", "CredentialArn").asString(); o.Secret == "" {
			return Outcome{}, refuse("ERROR: secrets manager arn is not valid")
		}
	}
	return o, nil
}

// Fetcher2 is what credentials-fetcher 2 reads (aws/credentials-fetcher internal/utils/grpc_utils): maps of encoding/json, keys to the letter. It
// insists on the ARN of a secret for hosts in the domain too.
func Fetcher2(text []byte) (Outcome, error) {
	if len(text) == 0 {
		return Outcome{}, refuse("credential spec is empty")
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		return Outcome{}, &Refusal{Says: "failed to parse credential spec JSON: " + err.Error(), err: err}
	}
	missing := func(key string) (Outcome, error) {
		return Outcome{}, refuse("missing or invalid " + key + " in credential spec")
	}
	join, ok := root["DomainJoinConfig"].(map[string]any)
	if !ok {
		return missing("DomainJoinConfig")
	}
	o := Outcome{Text: text}
	if o.Domain, ok = join["DnsName"].(string); !ok || o.Domain == "" {
		return missing("DnsName")
	}
	directory, ok := root["ActiveDirectoryConfig"].(map[string]any)
	if !ok {
		return missing("ActiveDirectoryConfig")
	}
	accounts, ok := directory["GroupManagedServiceAccounts"].([]any)
	if !ok {
		return missing("GroupManagedServiceAccounts")
	}
	if len(accounts) == 0 {
		return Outcome{}, refuse("no GroupManagedServiceAccounts found in credential spec")
	}
	for _, a := range accounts {
		entry, _ := a.(map[string]any)
		if name, _ := entry["Name"].(string); name != "" && o.Account == "" {
			o.Account = name
		}
	}
	switch {
	case o.Account == "":
		return Outcome{}, refuse("no valid service account name found in credential spec")
	case !domainPattern.MatchString(o.Domain) || !strings.Contains(o.Domain, "."):
		return Outcome{}, refuse(fmt.Sprintf("invalid domain name in credential spec: invalid domain format: %s", o.Domain))
	case badName(o.Account):
		return Outcome{}, refuse("service account name contains invalid characters")
	}
	host, ok := directory["HostAccountConfig"].(map[string]any)
	if !ok {
		return missing("HostAccountConfig")
	}
	input, ok := host["PluginInput"].(map[string]any)
	if !ok {
		return missing("PluginInput")
	}
	if o.Secret, ok = input["CredentialArn"].(string); !ok {
		return missing("CredentialArn")
	}
	return o, nil
}
