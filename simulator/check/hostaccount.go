package check

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/credspec/arn"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/credspec/plugin"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// objectReaders are the targets that want PluginInput as an object; all others want a string.
var objectReaders = []Target{ECSLinux, Fargate, Fetcher1, Fetcher2}

var hostAccountRules = []*Rule{
	{
		ID: "hac-misplaced", Group: "hac", Severity: Error, Needs: []How{Offline},
		Title:  "HostAccountConfig is not below ActiveDirectoryConfig",
		Why:    "Readers look for the section below ActiveDirectoryConfig (Microsoft, \"Create gMSAs for Windows containers\"; windows-gmsa, the CRD's schema, which drops it elsewhere). At another place nobody finds it, and the host asks for the password with its own account.",
		Repair: "move it below ActiveDirectoryConfig, beside GroupManagedServiceAccounts",
		Bad:    `{"HostAccountConfig": {…}, "ActiveDirectoryConfig": {…}}`, Good: `{"ActiveDirectoryConfig": {"HostAccountConfig": {…}}}`,
		run: func(c *run) {
			for _, d := range c.specs() {
				d.Root.Walk(func(path []string, n *source.Node) bool {
					if len(path) != 1 || path[0] != credspec.KeyActiveDirectory {
						c.misplaced(d, path, n)
					}
					return true
				})
			}
		},
	},
	{
		ID: "hac-missing-field", Group: "hac", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"json-key-case"},
		Title:  "HostAccountConfig lacks one of its three members",
		Why:    "Container Credential Guard reads PortableCcgVersion, PluginGUID and PluginInput and calls the plug-in with nothing less (Microsoft, \"Create gMSAs for Windows containers\", the section on hosts outside the domain).",
		Repair: "write all three: the version \"1\", the plug-in's class in braces, and its input",
		Bad:    `"HostAccountConfig": {"PluginGUID": "{…}", "PluginInput": "web:gmsa"}`, Good: `"HostAccountConfig": {"PortableCcgVersion": "1", "PluginGUID": "{…}", "PluginInput": "web:gmsa"}`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				var missing []string
				for _, m := range []struct {
					key   string
					value *source.Node
				}{{"PortableCcgVersion", h.version}, {"PluginGUID", h.guid}, {"PluginInput", h.input}} {
					if m.value.IsEmpty() || m.value == h.guid && strings.Trim(h.guid.String(), "{}") == "" && h.guid.Kind == source.String {
						missing = append(missing, m.key)
					}
				}
				if len(missing) == 0 {
					continue
				}
				r := c.report(h.key, "HostAccountConfig has %s", eachOf("no ", missing))
				if h.input.IsEmpty() {
					r.Consumer = c.words(h, ECSWindows, Fetcher1, Fetcher2)
				}
				if missing[0] == "PortableCcgVersion" && h.version == nil {
					if e, ok := h.node.InsertMember(0, "PortableCcgVersion", `"1"`); ok && len(h.node.Members) > 0 {
						r.Fix = append(r.Fix, e)
					}
				}
			}
		},
	},
	{
		ID: "hac-version", Group: "hac", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  `PortableCcgVersion is not the string "1"`,
		Why:    "There is one version of the interface to plug-ins, and the member is a string (Microsoft, \"Create gMSAs for Windows containers\"; windows-gmsa, the CRD's schema, refuses a number).",
		Repair: `write "1", in quotes`,
		Bad:    `"PortableCcgVersion": 1`, Good: `"PortableCcgVersion": "1"`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if h.version.IsEmpty() || h.version.Kind == source.String && h.version.Text == "1" {
					continue
				}
				r := c.report(h.version, "PortableCcgVersion is %s, and has to be the string \"1\"", h.version.JSON())
				if h.version.Kind != source.String {
					r.Consumer = c.words(h, TargetK8s, ECSLinux, Fargate)
				}
				switch {
				case h.version.Kind == source.String && h.version.Style != source.Plain:
					r.replace(h.version, "1")
				case h.version.Kind != source.Array && h.version.Kind != source.Object:
					c.edit(r, h.version.File, h.version.Start, h.version.End, `"1"`)
				}
			}
		},
	},
	{
		ID: "hac-guid-syntax", Group: "hac", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "PluginGUID is not a GUID in braces",
		Why:    "It is a COM class, {8-4-4-4-12} hexadecimal digits in braces ([MS-DTYP] 2.3.4.3). Rancher's plug-in documents that Container Credential Guard calls nothing for one without braces; a widely copied example has letters in it that are no hexadecimal digits.",
		Repair: "write the class that the plug-in registers, in braces",
		Bad:    `"PluginGUID": "859E1386-BDB4-49E8-85C7-3070B13920E1"`, Good: `"PluginGUID": "{859E1386-BDB4-49E8-85C7-3070B13920E1}"`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				guid := h.guid.String()
				if strings.Trim(guid, "{}") == "" {
					continue
				}
				if fault, fixed := classFault(guid); fault != "" {
					r := c.report(h.guid, "PluginGUID %q %s", guid, fault)
					if fixed != "" {
						r.replace(h.guid, fixed)
					}
				}
			}
		},
	},
	{
		ID: "hac-guid-sample", Group: "hac", Severity: Error, Needs: []How{Offline},
		Title:  "PluginGUID is the class of Microsoft's sample code",
		Why:    "The class belongs to the sample of ICcgDomainAuthCredentials (Win32 documentation, ccgplugins.h). It is installed only where somebody has built that sample; it keeps the password in the credential spec.",
		Repair: "write the class of your own plug-in",
		Bad:    `"PluginGUID": "{CFCA0441-511D-4B2A-862E-20348A78760B}"`, Good: `"PluginGUID": "{859E1386-BDB4-49E8-85C7-3070B13920E1}"`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if h.known && h.make == plugin.Sample {
					c.report(h.guid, "%s is the class of Microsoft's sample code, which no product installs", h.guid.Text)
				}
			}
		},
	},
	{
		ID: "hac-guid-unknown", Group: "hac", Severity: Info, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "PluginGUID is of no plug-in that is public",
		Why:    "The public plug-ins are those of AWS, Azure Key Vault, CcgVault, Rancher and TKGi. Another class may be your own; then nobody here knows the form of its input.",
		Repair: "compare it with HKLM\\SYSTEM\\CurrentControlSet\\Control\\CCG\\COMClasses of the host",
		Bad:    `"PluginGUID": "{5D1C6A70-3B0E-4E0B-9A5F-0C7E4A1D2B36}"`, Good: `"PluginGUID": "{01BF101D-BFB6-433F-B416-02885CDC5AD3}"`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if fault, _ := classFault(h.guid.String()); fault == "" && !h.known {
					c.report(h.guid, "%s is of none of the public plug-ins; the form of its PluginInput is not checked", h.guid.Text)
				}
			}
		},
	},
	{
		ID: "hac-input-object", Group: "hac", Severity: Error, Needs: []How{Offline},
		Depends: "not reported when all readers are among ecs-linux, fargate, cf1 and cf2, which want an object; a warning for the form of AWS when nothing tells who reads the file",
		Title:   "PluginInput is an object where a string is due",
		Why:     "Windows hands PluginInput to the plug-in as one string (ICcgDomainAuthCredentials::GetPasswordCredentials). The CRD of windows-gmsa refuses an object, and the ECS agent for Windows fails on it. Only the agent for Linux and credentials-fetcher want one; no file serves both.",
		Repair:  "write the members as JSON inside a string; for AWS the key is credentialArn",
		Bad:     `"PluginInput": {"CredentialArn": "arn:aws:…"}`, Good: `"PluginInput": "{\"credentialArn\":\"arn:aws:…\"}"`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if h.input == nil || h.input.Kind != source.Object && h.input.Kind != source.Array || !c.wantsString(h) {
					continue
				}
				if _, sure := c.readersOf(h.spec); !sure && h.make == plugin.AWS && h.input.Get("CredentialArn") != nil {
					// The form of the readers on Linux, to the letter: rather a file for them than a slip.
					if !c.targets(objectReaders...) {
						c.report(h.input, "PluginInput is an object, which only the readers of AWS on Linux take; Windows hands the plug-in a string").Severity = Warning
					}
					continue
				}
				r := c.report(h.input, "PluginInput is %s, and Windows hands the plug-in a string", article(h.input.Kind))
				r.Consumer = c.words(h, ECSWindows, TargetK8s)
				if name, value := h.credentialArn(); value != nil && len(h.input.Members) == 1 && value.Kind == source.String && !c.targetsOf(h.spec, objectReaders...) && name.File == h.input.File && !commented(h.input) {
					inner := jsonString(`{"credentialArn":` + jsonString(value.Text) + `}`)
					c.edit(r, h.input.File, h.input.Start, h.input.End, inner)
				}
			}
		},
	},
	{
		ID: "hac-input-string", Group: "hac", Severity: Error, Needs: []How{Offline}, Targets: objectReaders,
		Depends: "only for ecs-linux, fargate, cf1 and cf2",
		Title:   "PluginInput is a string where an object is due",
		Why:     "The ECS agent for Linux reads PluginInput into a structure, and credentials-fetcher looks for its member CredentialArn (amazon-ecs-agent agent/taskresource/credentialspec/credentialspec_linux.go; aws/credentials-fetcher). No file serves Linux and Windows.",
		Repair:  "write an object with the member CredentialArn",
		Bad:     `"PluginInput": "{\"credentialArn\":\"arn:aws:…\"}"`, Good: `"PluginInput": {"CredentialArn": "arn:aws:…"}`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if h.input.IsEmpty() || h.input.Kind != source.String || !c.targetsOf(h.spec, objectReaders...) {
					continue
				}
				if _, sure := c.readersOf(h.spec); !sure && c.wantsString(h) {
					continue // some of the set want a string, and nothing tells that this file is not theirs
				}
				r := c.report(h.input, "PluginInput is a string, and the readers of AWS on Linux want an object with CredentialArn")
				r.Consumer = c.words(h, ECSLinux, Fargate, Fetcher1, Fetcher2)
				if _, value := h.credentialArn(); value.String() != "" && h.input.Style == source.DoubleQuoted && !c.wantsString(h) {
					c.edit(r, h.input.File, h.input.Start, h.input.End, `{"CredentialArn": `+jsonString(value.Text)+`}`)
				}
			}
		},
	},
	{
		ID: "hac-input-shape", Group: "hac", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "PluginInput is not in the form of its plug-in",
		Why:    "Each plug-in reads its input by a grammar of its own and gives no credentials when it does not fit; Container Credential Guard then logs event 6. Grammars: Amazon EKS and ECS documentation; Azure-Key-Vault-Plugin-gMSA; Rancher-Plugin-gMSA; CcgVault; TKGi-GMSA.",
		Repair: "write it in the form that the plug-in documents",
		Bad:    `"PluginInput": "mysecret"`, Good: `"PluginInput": "web:mysecret"`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if h.input.IsEmpty() || !h.known || h.other() != "" {
					continue
				}
				form, _ := h.make.Grammar()
				switch h.input.Kind {
				case source.String:
					_, err := h.make.Shape(h.input.Text)
					if e, ok := err.(*plugin.FormError); ok {
						r := c.report(h.input, "the plug-in of %s reads %s: %s", h.make.Name(), form, e.Problem)
						r.Repair, r.Consumer = "write "+form, h.make.Says()
						if h.make == plugin.AWS {
							r.Consumer = c.words(h, ECSWindows)
						}
					}
				case source.Object:
					if _, value := h.credentialArn(); h.make == plugin.AWS && value == nil {
						c.report(h.input, "PluginInput has no CredentialArn").Consumer = c.words(h, Fetcher1, Fetcher2)
					}
				}
			}
		},
	},
	{
		ID: "hac-input-guid-mismatch", Group: "hac", Severity: Error, Needs: []How{Offline},
		Title:  "PluginInput is written for another plug-in",
		Why:    "The class decides which plug-in gets the input, and the input is in the form of another one: one of the two is from another example. Grammars as for hac-input-shape.",
		Repair: "take the class and the input from the same plug-in's documentation",
		Bad:    `"PluginGUID": "{CCC2A336-D7F3-4818-A213-272B7924213E}", "PluginInput": "web:gmsa"`, Good: `"PluginGUID": "{e4781092-f116-4b79-b55e-28eb6a224e26}", "PluginInput": "web:gmsa"`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if other := h.other(); other != "" {
					form, _ := h.make.Grammar()
					r := c.report(h.input, "PluginInput is in the form of the plug-in of %s, and the class is that of %s", other.Name(), h.make.Name())
					r.related(h.guid, "the class")
					r.Repair = fmt.Sprintf("write the class %s, or an input of the form %s", other.CLSID(), form)
				}
			}
		},
	},
	{
		ID: "hac-input-key-case", Group: "hac", Severity: Error, Needs: []How{Offline}, Targets: []Target{ECSLinux, Fetcher1, Fetcher2},
		Depends: "only for ecs-linux, cf1 and cf2",
		Title:   "the key in PluginInput is not CredentialArn to the letter",
		Why:     "credentials-fetcher compares keys to the letter (jsoncpp, and maps of Go); the ECS agent for Linux, which does not, hands it the text as it is.",
		Repair:  "write CredentialArn",
		Bad:     `"PluginInput": {"credentialArn": "arn:aws:…"}`, Good: `"PluginInput": {"CredentialArn": "arn:aws:…"}`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if !c.targetsOf(h.spec, ECSLinux, Fetcher1, Fetcher2) || h.input == nil || h.input.Kind != source.Object || h.input.Get("CredentialArn") != nil {
					continue
				}
				if name, _ := h.credentialArn(); name != nil {
					r := c.report(name, "the key is %s, and credentials-fetcher looks for CredentialArn", name.Text)
					r.Consumer = c.words(h, Fetcher1, Fetcher2)
					r.replace(name, "CredentialArn")
				}
			}
		},
	},
	{
		ID: "hac-arn-syntax", Group: "hac", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "the ARN in PluginInput is not one of a secret",
		Why:    "It names a secret of Secrets Manager, or on Windows a parameter of Systems Manager: arn:partition:service:region:account:resource with 12 digits of account (AWS general reference; aws/credentials-fetcher, which refuses others).",
		Repair: "copy the ARN from aws secretsmanager describe-secret",
		Bad:    "arn:aws:secretsmanager:eu-west-1:111122223:secret:gmsa", Good: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:gmsa",
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				_, value := h.credentialArn()
				if value == nil || value.Kind != source.String {
					continue
				}
				if faults := arn.SecretFaults(value.Text); len(faults) > 0 {
					r := c.report(value, "the ARN %s", strings.Join(faults, " and "))
					if h.input.Kind == source.Object {
						r.Consumer = c.words(h, Fetcher1)
					}
				}
			}
		},
	},
	{
		ID: "hac-arn-service", Group: "hac", Severity: Error, Needs: []How{Offline}, Targets: []Target{ECSLinux, Fargate},
		Depends: "only for ecs-linux and fargate",
		Title:   "the ARN in PluginInput is of the parameter store",
		Why:     "On Linux the user of a domainless credential spec comes from Secrets Manager only (Amazon ECS developer guide, \"Using gMSA for EC2 Linux containers\", the table of what is supported).",
		Repair:  "keep the user in Secrets Manager, and write that ARN",
		Bad:     "arn:aws:ssm:eu-west-1:111122223333:parameter/gmsa", Good: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:gmsa",
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				_, value := h.credentialArn()
				if a, err := arn.Parse(value.String()); err == nil && c.targetsOf(h.spec, ECSLinux, Fargate) && a.Service == "ssm" {
					c.report(value, "the ARN is of a parameter of Systems Manager, and on Linux the user comes from Secrets Manager")
				}
			}
		},
	},
	{
		ID: "hac-akv-uri", Group: "hac", Severity: Error, Depends: "a warning when only a version is pinned", Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "SecretUri is not the address of a secret in a Key Vault",
		Why:    "The plug-in of Azure Key Vault wants https and the path /secrets/NAME; its own log has the events 1014 and 1015 for others (Azure-Key-Vault-Plugin-gMSA). A version in the address stays the same when the password changes.",
		Repair: "write https://VAULT.vault.azure.net/secrets/NAME",
		Bad:    "ObjectId=…;SecretUri=http://corp.vault.azure.net/gmsa", Good: "ObjectId=…;SecretUri=https://corp.vault.azure.net/secrets/gmsa",
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				in, _ := plugin.AzureKeyVault.Shape(h.input.String())
				field := in.Field("SecretUri")
				if h.known && h.make != plugin.AzureKeyVault || field.Value == "" {
					continue
				}
				uri := h.input.Part(field.At, field.At+len(field.Value))
				scheme, rest, ok := strings.Cut(field.Value, "://")
				host, path, _ := strings.Cut(rest, "/")
				name, isSecret := strings.CutPrefix(path, "secrets/")
				name = strings.Trim(name, "/")
				switch {
				case !ok || !strings.EqualFold(scheme, "https") || host == "":
					r := c.report(uri, "SecretUri %q does not begin with https:// and the vault's name", field.Value)
					if ok && strings.EqualFold(scheme, "http") && isSecret {
						r.replace(h.input.Part(field.At, field.At+len(scheme)), "https")
					}
				case !isSecret || name == "":
					c.report(uri, "SecretUri %q has no /secrets/NAME behind the vault's name", field.Value)
				case strings.Contains(name, "/"):
					c.report(uri, "SecretUri names a version of the secret, and goes on to name it when the password is another").Severity = Warning
				}
			}
		},
	},
	{
		ID: "hac-plaintext-secret", Group: "hac", Severity: Error, Needs: []How{Offline},
		Title:  "PluginInput holds a password",
		Why:    "Everybody who may read the credential spec, the object or the pod reads the password. A plug-in is there to fetch it from a store (Microsoft, \"Create gMSAs for Windows containers\").",
		Repair: "put the user into a secret store, name the secret here, and change the password that was in the file",
		Bad:    `"PluginInput": "corp.example:ccguser:Passw0rd!"`, Good: `"PluginInput": "web:ccguser"`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if h.input.String() == "" {
					continue
				}
				if at, end := password(h); end > at {
					c.report(h.input.Part(at, end), "PluginInput has a password in clear text")
				}
			}
		},
	},
	{
		ID: "hac-extra-input-keys", Group: "hac", Severity: Warning, Needs: []How{Offline}, Targets: []Target{ECSWindows}, Depends: "only for ecs-windows",
		Title:  "the JSON in PluginInput has keys that the agent drops",
		Why:    "The ECS agent for Windows writes PluginInput anew with credentialArn and a registry path of its own (amazon-ecs-agent agent/taskresource/credentialspec/credentialspec_windows.go).",
		Repair: "remove them",
		Bad:    `"{\"credentialArn\":\"arn:aws:…\",\"region\":\"eu-west-1\"}"`, Good: `"{\"credentialArn\":\"arn:aws:…\"}"`,
		run: func(c *run) {
			for _, h := range c.hostAccounts() {
				if _, value := h.credentialArn(); !c.targetsOf(h.spec, ECSWindows) || value == nil || h.input.Kind != source.String {
					continue
				}
				for i, m := range h.nested().Map() {
					if strings.EqualFold(m.Key.Text, "credentialArn") || m.Key.Text == "regKeyPath" {
						continue
					}
					r := c.report(m.Key, "the agent for Windows drops %s", m.Key.Text)
					if edits, ok := h.nested().RemoveMembers(i); ok {
						r.Fix = append(r.Fix, edits...)
					}
				}
			}
		},
	},
	{
		ID: "plugin-secret-shape", Group: "hac", Severity: Error, Needs: []How{Offline, CrossFile}, YieldsTo: []string{"placeholder-value"},
		Title:  "the secret is not in the form of the plug-in",
		Why:    `The plug-in of Azure Key Vault reads domain\user:password, those of AWS and Rancher the keys username, password and domainName; values of a Kubernetes Secret's data are in base64 (Azure-Key-Vault-Plugin-gMSA; Amazon ECS developer guide; Rancher-Plugin-gMSA). A PowerShell SecureString in a string becomes the name of its type (microsoft/Windows-Containers #520).`,
		Repair: "write the secret in the form that the plug-in documents",
		Bad:    `{"username": "ccguser", "domainName": "corp.example"}`, Good: `{"username": "ccguser", "password": "…", "domainName": "corp.example"}`,
		run: func(c *run) {
			for _, s := range c.secrets() {
				c.secretShape(s)
			}
		},
	},
	{
		ID: "plugin-secret-user-is-gmsa", Group: "hac", Severity: Warning, Needs: []How{Offline, CrossFile, InDirectory},
		Title:  "the secret's user is the gMSA itself",
		Why:    "The secret is for an ordinary user who may retrieve the gMSA's password. A gMSA's own password is random and changes by itself, so nobody can put it into a secret ([MS-ADTS] 2.2.19, MSDS-MANAGEDPASSWORD_BLOB); published examples use the account's name all the same.",
		Repair: "name an ordinary user, and let it retrieve the password (Set-ADServiceAccount -PrincipalsAllowedToRetrieveManagedPassword)",
		Bad:    `{"username": "webapp$", …}`, Good: `{"username": "ccguser", …}`,
		run: func(c *run) {
			accounts := map[string]*source.Node{}
			for _, a := range c.accounts() {
				accounts[strings.ToLower(strings.TrimSuffix(a.text, "$"))] = a.node
			}
			for _, s := range c.secrets() {
				if s.user == nil || s.name == "" {
					continue
				}
				name := strings.ToLower(strings.TrimSuffix(s.name, "$"))
				switch {
				case accounts[name] != nil:
					c.report(s.user, "the user is %s, which is the gMSA of the credential spec", s.name).related(accounts[name], "the gMSA")
				case strings.HasSuffix(s.name, "$"):
					c.report(s.user, "the user is %s, and a name that ends in $ is that of a computer or a service account", s.name)
				case len(accounts) == 0 && name == sampleAccount:
					c.report(s.user, "the user is %s, which is the gMSA of the published examples", s.name)
				case len(accounts) == 0:
					c.notChecked(s.user.Span(), "no credential spec among the files says which account is the gMSA")
				}
			}
		},
	},
	{
		ID: "plugin-secret-newline", Group: "hac", Severity: Warning, Needs: []How{Offline}, Targets: []Target{Fetcher1}, Depends: "only for cf1",
		Title:  "the password has a line's end or a quote",
		Why:    "credentials-fetcher 1 hands passwords to kinit through a shell and a pipe: it reads up to the line's end, and a quote ends the word (aws/credentials-fetcher #31).",
		Repair: "give the user a password without them",
		Bad:    `"password": "pass\nword"`, Good: `"password": "pass-word"`,
		run: func(c *run) {
			if !c.targets(Fetcher1) {
				return
			}
			for _, s := range c.secrets() {
				if s.password == nil {
					continue
				}
				if i := strings.IndexAny(s.secret, "\r\n"); i >= 0 {
					c.report(s.password, "the password has a line's end, where kinit stops to read")
				} else if i := strings.IndexAny(s.secret, `'"`+"`"); i >= 0 {
					c.report(s.password, "the password has the quote %c, which ends a word of the shell", s.secret[i])
				}
			}
		},
	},
	{
		ID: "plugin-os-too-old", Group: "hac", Severity: Error, Needs: []How{CrossFile}, YieldsTo: []string{"ecs-os-2016-domainless"},
		Title:  "HostAccountConfig on a Windows that has no plug-ins",
		Why:    "ICcgDomainAuthCredentials is there since Windows Server 2019 and Windows 10 1809 (Win32 documentation). An older host does not read the section, and asks with its own account, which it does not have outside the domain.",
		Repair: "use Windows Server 2019 or later for host and image",
		Bad:    "image: mcr.microsoft.com/windows/servercore:ltsc2016", Good: "image: mcr.microsoft.com/windows/servercore:ltsc2022",
		run: func(c *run) {
			for _, u := range c.setup.Uses {
				if u.Spec.HostAccount() == nil || !slices.Contains([]string{"ltsc2016", "1607", "1703", "1709", "1803"}, u.Release) {
					continue
				}
				where := u.Where
				if u.Image != nil {
					where = u.Image
				}
				c.report(where, "the container is for Windows %s, and plug-ins exist since Windows Server 2019", u.Release).related(u.Spec.HostAccount(), "the section for the plug-in")
			}
		},
	},
	{
		ID: "ccgvault-source-missing", Group: "hac", Severity: Error, Needs: []How{CrossFile},
		Title:  "the source is not in the settings of CcgVault",
		Why:    "The part of PluginInput behind | is a key below sources of the file before it (briantist/CcgVault). Without it the plug-in gives no credentials.",
		Repair: "name a source that the file has, or add one",
		Bad:    `"PluginInput": "C:\\ccg\\ccgvault.yml|kv9"`, Good: `"PluginInput": "C:\\ccg\\ccgvault.yml|kv2"`,
		run: func(c *run) { c.vaultSources() },
	},
}

// sampleAccount is the gMSA of the examples of Microsoft's, Kubernetes' and Amazon's pages, in lower case.
const sampleAccount = "webapp01"

// hostAccount is a HostAccountConfig at its place.
type hostAccount struct {
	spec                 *credspec.Document
	key, node            *source.Node
	version, guid, input *source.Node
	make                 plugin.Make // of the class
	known                bool        // the class is in the table
	inner                *source.Node
	innerRead            bool
}

// hostAccounts are those of the set's credential specs.
func (c *run) hostAccounts() []*hostAccount {
	if c.shared.knownHosts {
		return c.shared.hosts
	}
	for _, d := range c.specs() {
		n := d.HostAccount()
		if n == nil || n.Kind != source.Object {
			continue
		}
		h := &hostAccount{spec: d, key: d.Get(credspec.KeyActiveDirectory).Key(credspec.KeyHostAccount), node: n,
			version: n.Get("PortableCcgVersion"), guid: n.Get("PluginGUID"), input: n.Get("PluginInput")}
		h.make, h.known = plugin.ByCLSID(h.guid.String())
		c.shared.hosts = append(c.shared.hosts, h)
	}
	c.shared.knownHosts = true
	return c.shared.hosts
}

// nested is the JSON object in a PluginInput that is a string, nil when it is none.
func (h *hostAccount) nested() *source.Node {
	if !h.innerRead {
		h.innerRead = true
		if strings.HasPrefix(strings.TrimSpace(h.input.String()), "{") {
			if n, faults := source.ParseJSON(h.input.Inside()); len(faults) == 0 && n.Kind == source.Object {
				h.inner = n
			}
		}
	}
	return h.inner
}

// credentialArn is the member of a PluginInput in the form of AWS, an object or JSON in a string, whatever its case; a string that is an ARN
// itself is the value without a key.
func (h *hostAccount) credentialArn() (key, value *source.Node) {
	object := h.input
	if h.input.String() != "" {
		if object = h.nested(); object == nil && strings.HasPrefix(h.input.Text, "arn:") {
			return nil, h.input
		}
	}
	for _, m := range object.Map() {
		if strings.EqualFold(m.Key.Text, "CredentialArn") {
			key, value = m.Key, m.Value
		}
	}
	return key, value
}

// other is the plug-in whose grammar a PluginInput is in when it is not in that of its class; "": there is none.
func (h *hostAccount) other() plugin.Make {
	if !h.known || h.input == nil {
		return ""
	}
	if h.input.Kind == source.Object {
		if _, value := h.credentialArn(); value != nil && h.make != plugin.AWS {
			return plugin.AWS
		}
		return ""
	}
	if h.input.String() == "" || h.make.Fits(h.input.Text) {
		return ""
	}
	make, _ := plugin.Of(h.input.Text)
	return make
}

// wantsString tells whether a target counts that wants PluginInput as a string. Readers that are not known want one.
func (c *run) wantsString(h *hostAccount) bool {
	only := false
	list, _ := c.readersOf(h.spec)
	for _, t := range list {
		switch {
		case slices.Contains(objectReaders, t):
			only = true
		case t != Generic:
			return true
		}
	}
	return !only
}

// words are what the first of some targets that counts says of a section, in a credential spec that is otherwise as it should be; "": nothing.
func (c *run) words(h *hostAccount, targets ...Target) string {
	body := `{"DomainJoinConfig":{"MachineAccountName":"a","DnsName":"a.example"},"ActiveDirectoryConfig":{"GroupManagedServiceAccounts":[{"Name":"a","Scope":"a.example"}],"HostAccountConfig":` + h.node.JSON() + `}}`
	for _, t := range targets {
		if !c.targetsOf(h.spec, t) {
			continue
		}
		var err error
		switch t {
		case ECSWindows:
			_, err = consumer.AgentWindows([]byte(body), true, "")
		case ECSLinux, Fargate:
			if _, err = consumer.AgentLinux([]byte(body), true, false); err != nil {
				err = errors.Unwrap(err) // the agent's text quotes the whole document before this
			}
		case Fetcher1:
			_, err = consumer.Fetcher1([]byte(body), true)
		case Fetcher2:
			_, err = consumer.Fetcher2([]byte(body))
		case TargetK8s:
			_, err = consumer.CRD([]byte(`{"credspec":` + body + `}`))
		}
		if err != nil {
			return err.Error()
		}
	}
	return ""
}

// classFault is what is wrong with the form of a class, and the right form when that is certain.
func classFault(guid string) (fault, fixed string) {
	bare := strings.Trim(guid, "{}")
	hex := true
	for i, r := range bare {
		if hyphen := i == 8 || i == 13 || i == 18 || i == 23; hyphen != (r == '-') || !hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			hex = false
		}
	}
	switch whole := hex && len(bare) == 36; {
	case whole && guid == "{"+bare+"}":
		return "", ""
	case whole && bare == guid:
		return "has no braces", "{" + bare + "}"
	case whole && strings.HasPrefix(guid, "{{"):
		return "has two pairs of braces", "{" + bare + "}"
	case whole:
		return "has not one brace on each side", "{" + bare + "}"
	case len(bare) == 36 && strings.Count(bare, "-") == 4:
		for i, r := range bare {
			if r != '-' && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
				return fmt.Sprintf("has the character %c, which is no hexadecimal digit", r), ""
			}
			if hyphen := i == 8 || i == 13 || i == 18 || i == 23; hyphen != (r == '-') {
				break
			}
		}
	case len(bare) == 32 && strings.Trim(bare, "0123456789abcdefABCDEF") == "":
		return "has no hyphens", "{" + bare[:8] + "-" + bare[8:12] + "-" + bare[12:16] + "-" + bare[16:20] + "-" + bare[20:] + "}"
	}
	return "is not of the form {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx} in hexadecimal digits", ""
}

// misplaced reports the section among the members of a value that is not its place.
func (c *run) misplaced(d *credspec.Document, path []string, n *source.Node) {
	for i, m := range n.Map() {
		if m.Key.Text != credspec.KeyHostAccount || m.Value.Kind != source.Object {
			continue
		}
		where := "at the top of the document"
		if len(path) > 0 {
			where = "in " + strings.Join(path, ".")
		}
		r := c.report(m.Key, "HostAccountConfig stands %s, where nobody looks for it", where)
		target := d.Get(credspec.KeyActiveDirectory)
		if target == nil || d.HostAccount() != nil || isYAML(m.Value) || m.Value.File != target.File || len(target.Members) == 0 {
			continue
		}
		out, ok := n.RemoveMembers(i)
		in, inOK := target.InsertMember(len(target.Members), credspec.KeyHostAccount, string(m.Value.File.Data[m.Value.Start:m.Value.End]))
		if ok && inOK {
			r.Fix = append(append(r.Fix, out...), in)
		}
	}
}

// eachOf is "no a, no b and no c".
func eachOf(each string, list []string) string {
	var b strings.Builder
	for i, s := range list {
		switch {
		case i == 0:
		case i == len(list)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(each + s)
	}
	return b.String()
}

// jsonString is a text as a string of JSON.
func jsonString(text string) string { return (&source.Node{Kind: source.String, Text: text}).JSON() }

// commented tells whether the text of a value of YAML has a comment, which a new value would lose.
func commented(n *source.Node) bool {
	return isYAML(n) && strings.Contains(string(n.File.Data[n.Start:n.End]), "#")
}

// password is the range of a password in a PluginInput: after PASSWORD= or pwd=, or the third part of domain:user:password.
func password(h *hostAccount) (start, end int) {
	in, _ := plugin.TKGi.Shape(h.input.Text)
	for _, f := range in.Fields {
		if key := strings.ToLower(f.Key); (key == "password" || key == "pwd") && f.Value != "" {
			return f.At, f.At + len(f.Value)
		}
	}
	if h.make == plugin.Rancher {
		return 0, 0
	}
	if make, ok := plugin.Of(h.input.Text); ok && make == plugin.Sample {
		in, _ := plugin.Sample.Shape(h.input.Text)
		f := in.Field("password")
		return f.At, f.At + len(f.Value)
	}
	return 0, 0
}

// secret is a document that holds the user of a plug-in.
type secret struct {
	root *source.Node
	// keys says that it has keys; else it is one line.
	keys bool
	// data says that it is the data of a Kubernetes Secret, in base64.
	data           bool
	user, password *source.Node
	name, secret   string // decoded
}

// secrets are the files with secrets of plug-ins, and the Kubernetes Secrets that have the keys of one or that a PluginInput names.
func (c *run) secrets() []*secret {
	if c.shared.knownSecrets {
		return c.shared.secrets
	}
	c.shared.knownSecrets = true
	named := map[string]bool{}
	for _, h := range c.hostAccounts() {
		if h.make == plugin.Rancher {
			named[h.input.String()] = true
		}
	}
	for _, d := range c.setup.Documents {
		switch {
		case d.Form == setup.FormPluginSecret && d.Root.Kind == source.String:
			s := &secret{root: d.Root, user: d.Root, password: d.Root}
			account, password, _ := strings.Cut(d.Root.Text, ":")
			s.name, s.secret = account[strings.IndexByte(account, '\\')+1:], password
			s.name, _, _ = strings.Cut(s.name, "@")
			c.shared.secrets = append(c.shared.secrets, s)
		case d.Form == setup.FormPluginSecret:
			c.shared.secrets = append(c.shared.secrets, keyed(d.Root, false))
		case d.Form == setup.FormKubernetes && d.Root.Get("kind").String() == "Secret":
			meta := d.Root.Get("metadata")
			for _, part := range []string{"data", "stringData"} {
				n := d.Root.Get(part)
				if n.Get("username") != nil && n.Get("domainName") != nil || n != nil && named[meta.Get("namespace").String()+":"+meta.Get("name").String()] {
					c.shared.secrets = append(c.shared.secrets, keyed(n, part == "data"))
				}
			}
		}
	}
	return c.shared.secrets
}

func keyed(root *source.Node, data bool) *secret {
	s := &secret{root: root, keys: true, data: data}
	decode := func(n *source.Node) string {
		if !data {
			return n.String()
		}
		b, _ := base64.StdEncoding.DecodeString(n.String()) // what is no base64 is another rule's
		return string(b)
	}
	for _, m := range root.Map() {
		switch strings.ToLower(m.Key.Text) {
		case "username":
			s.user, s.name = m.Value, decode(m.Value)
		case "password":
			s.password, s.secret = m.Value, decode(m.Value)
		}
	}
	if domain, user, ok := strings.Cut(s.name, `\`); ok && domain != "" {
		s.name = user
	}
	s.name, _, _ = strings.Cut(s.name, "@")
	return s
}

// secretShape reports what is wrong with the form of a secret.
func (c *run) secretShape(s *secret) {
	if !s.keys {
		if s.root.Text == setup.SecureString {
			c.report(s.root, "the secret is the name of a type of PowerShell, which somebody got in place of the text in it").Repair = "store the text: ConvertFrom-SecureString -AsPlainText, or the value itself"
			return
		}
		if _, err := plugin.AzureKeyVault.ParseSecret(s.root.Text); err != nil {
			form, _ := err.(*plugin.FormError)
			c.report(s.root, "the secret is not domain\\user:password: %s", form.Problem)
		}
		return
	}
	var missing []string
	for _, key := range plugin.SecretKeys() {
		switch {
		case s.root.Get(key) != nil:
		case has(s.root, key):
			for _, m := range s.root.Map() {
				if strings.EqualFold(m.Key.Text, key) {
					c.report(m.Key, "the key is %s, and the plug-ins read %s", m.Key.Text, key).replace(m.Key, key)
				}
			}
		default:
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		c.reportAt(head(s.root), "the secret has %s", eachOf("no ", missing))
	}
	for _, m := range s.root.Map() {
		isKey := slices.ContainsFunc(plugin.SecretKeys(), func(key string) bool { return strings.EqualFold(m.Key.Text, key) })
		switch v := m.Value; {
		case !isKey && !s.data:
		case v.IsEmpty():
			c.report(m.Key, "%s is empty", m.Key.Text)
		case v.Kind != source.String:
			c.report(v, "%s is %s and not a string", m.Key.Text, article(v.Kind))
		case v.Text == setup.SecureString:
			c.report(v, "%s is the name of a type of PowerShell, which somebody got in place of the text in it", m.Key.Text)
		case s.data:
			if _, err := base64.StdEncoding.DecodeString(v.Text); err != nil {
				r := c.report(v, "%s is not in base64", m.Key.Text)
				r.Consumer = err.Error()
				r.Repair = "write the values below stringData, which takes text, or in base64"
			}
		}
	}
}

// vaultSources holds the sources that PluginInputs name against the settings of CcgVault among the files.
func (c *run) vaultSources() {
	for _, h := range c.hostAccounts() {
		if h.make != plugin.CcgVault || h.input.String() == "" {
			continue
		}
		in, err := plugin.CcgVault.Shape(h.input.Text)
		if err != nil {
			continue // hac-input-shape
		}
		f := in.Field("source")
		where := h.input.Part(f.At, f.At+len(f.Value))
		found := false
		for _, d := range c.setup.Documents {
			if d.Form != setup.FormCcgVault || !strings.EqualFold(baseName(d.File.Name), baseName(in.Path)) {
				continue
			}
			found = true
			sources := d.Root.Get("sources")
			if sources.Get(f.Value) != nil {
				continue
			}
			r := c.report(where, "%s has no source %s", baseName(in.Path), f.Value)
			r.related(d.Root.Key("sources"), "the sources of CcgVault")
			var names []string
			for _, m := range sources.Map() {
				names = append(names, m.Key.Text)
			}
			if near := diag.Nearest(f.Value, names); near != "" {
				r.Repair = "write " + near + ", which the file has"
			}
		}
		if !found {
			c.notChecked(where.Span(), "%s is not among the files", baseName(in.Path))
		}
	}
}
