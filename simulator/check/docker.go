package check

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// The daemon's and the command line's own words (moby daemon/oci_windows.go, docker/cli cli/command/service/opts.go).
const (
	sayScheme = "invalid credential spec security option - value must be prefixed by 'file://', 'registry://', or 'raw://' followed by a non-empty value"
	sayNone   = `invalid CredentialSpec: must either provide "file", "registry", or "config" for credential spec`
	sayFlag   = `invalid credential spec: value must be prefixed with "config://", "file://", or "registry://"`
)

var dockerRules = slices.Concat(optionRules, containerRules, composeRules, swarmRules)

// optionRules are about the text of the security option and the path in it.
var optionRules = []*Rule{
	{
		ID: "docker-opt-no-equals", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the security option has no = behind its key",
		Why:    "The command line passes both forms on, and the daemon on Windows cuts at the first = (moby daemon/oci_windows.go): without one it refuses the container. The form with a colon is for ECS.",
		Repair: "write = behind credentialspec",
		Bad:    "docker run --security-opt credentialspec:file://web.json IMAGE", Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				if o.Via != setup.ViaSecurityOpt || o.Separator == '=' || !setup.IsCredentialSpecKey(o.Key) {
					return
				}
				if o.Separator == 0 {
					c.report(o.Node, "%q names no credential spec: = and a source have to follow", o.Node.Text).Consumer = "invalid security option: no equals sign in supplied value " + o.Node.Text
					return
				}
				r := c.report(o.Node, "a colon stands between %s and its value, where the daemon looks for =", o.Key)
				r.Consumer = "invalid security option: no equals sign in supplied value " + o.Node.Text
				if before, _, ok := strings.Cut(o.Node.Text, "="); ok {
					r.Consumer = "security option not supported: " + before
				}
				if o.Scheme != "" {
					r.replace(o.Node.Part(len(o.Key), len(o.Key)+1), "=")
				}
			})
		},
	},
	{
		ID: "docker-opt-unknown-key", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the daemon on Windows does not know the security option",
		Why:    "credentialspec, in any case of its letters, is the only security option of Windows (moby daemon/oci_windows.go); with another one the container is not created.",
		Repair: "write credentialspec, and leave the options of Linux out",
		Bad:    "docker run --security-opt credentialspe=file://web.json IMAGE", Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				if o.Via != setup.ViaSecurityOpt || setup.IsCredentialSpecKey(o.Key) {
					return
				}
				if !o.Meant() {
					if u.OS == "linux" || !slices.ContainsFunc(u.Options, func(o *setup.Option) bool { return !o.Behind && o.IsCredentialSpec() }) {
						return // the other option is at home on Linux
					}
					r := c.report(o.Node, "Windows has no security option %s, and this container has a credential spec", o.Key)
					r.Repair = "leave it out"
					if r.Consumer = "security option not supported: " + o.Key; o.Separator != '=' {
						r.Consumer = "invalid security option: no equals sign in supplied value " + o.Node.Text
					}
					return
				}
				r := c.report(o.Node, "the option's key is %q, and has to be %s", o.Key, setup.OptionKey)
				if r.Consumer = "security option not supported: " + o.Key; o.Separator != '=' {
					r.Consumer = "invalid security option: no equals sign in supplied value " + o.Node.Text
				}
				if o.Scheme != "" && o.Key != "" {
					r.replace(o.Node.Part(0, len(o.Key)), setup.OptionKey)
				}
			})
		},
	},
	{
		ID: "docker-opt-bad-scheme", Group: "docker", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "the option does not say where the credential spec is",
		Why:    "The daemon takes file://, registry:// and raw://, in any case, and for the tasks of a swarm config:// (moby daemon/oci_windows.go); docker service create takes config://, file:// and registry://. Everything else is refused.",
		Repair: "put file://, registry:// or raw:// before the value",
		Bad:    "docker run --security-opt credentialspec=web.json IMAGE", Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				if o.Via == setup.ViaMember || !o.IsCredentialSpec() || o.Value == nil || o.Value.Open && o.Scheme == "" || o.Source != setup.FromUnknown || o.Separator == ':' {
					return
				}
				say := sayScheme
				if o.Via == setup.ViaServiceFlag {
					if say = sayFlag; slices.Contains([]string{"config", "file", "registry", "raw"}, strings.ToLower(o.Scheme)) {
						return // swarm-scheme-case, swarm-raw
					}
				}
				if o.Scheme != "" {
					c.report(o.Node, "%s:// is no source of credential specs", o.Scheme).Consumer = say
					return
				}
				r := c.report(o.Node, "%q does not begin with file://, registry:// or raw://", o.Value.Text)
				r.Consumer = say
				scheme, rest, _ := strings.Cut(o.Value.Text, ":")
				switch scheme = strings.ToLower(scheme); {
				case rest != "" && slices.Contains([]string{"file", "registry", "raw"}, scheme): // file:x, file:/x
					r.replace(o.Value, scheme+"://"+strings.TrimLeft(rest, `/\`))
				case strings.HasSuffix(strings.ToLower(o.Value.Text), ".json") && !strings.ContainsAny(o.Value.Text, `:/\`):
					r.replace(o.Value, "file://"+o.Value.Text)
				}
			})
		},
	},
	{
		ID: "docker-opt-empty", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the option names nothing",
		Why:    "docker run refuses an empty value itself, the daemon one that ends in ://; docker service create sends it, and the daemon answers (docker/cli, moby daemon/oci_windows.go).",
		Repair: "write the file's or the registry value's name",
		Bad:    "docker run --security-opt credentialspec=file:// IMAGE", Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				if o.Value != nil || o.Via == setup.ViaMember || !o.IsCredentialSpec() || o.Via == setup.ViaSecurityOpt && o.Separator != '=' {
					return
				}
				switch {
				case o.Via == setup.ViaServiceFlag && o.Scheme == "":
					// docker service update takes the credential spec away so; for create it is no option at all
				case o.Via == setup.ViaServiceFlag:
					c.report(o.Node, "nothing follows %s://", o.Scheme).Consumer = sayNone
				case o.Scheme == "":
					c.report(o.Node, "nothing follows %s=", o.Key).Consumer = fmt.Sprintf("Invalid --security-opt: %q", o.Node.Text)
				default:
					c.report(o.Node, "nothing follows %s://", o.Scheme).Consumer = sayScheme
				}
			})
		},
	},
	{
		ID: "docker-opt-multiple", Group: "docker", Severity: Warning, Needs: []How{Offline},
		Title:  "the container has more than one credential spec",
		Why:    "The daemon reads them all, and keeps the last without a word (moby daemon/oci_windows.go): a container has one.",
		Repair: "keep one of them",
		Bad:    "docker run --security-opt credentialspec=file://old.json --security-opt credentialspec=file://web.json IMAGE", Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			for _, u := range c.dockerUses() {
				var last *setup.Option
				for _, o := range slices.Backward(u.Options) {
					if o.Behind || o.Via == setup.ViaMember || !o.IsCredentialSpec() {
						continue
					}
					if last == nil {
						last = o
						continue
					}
					if o.Node.Text == last.Node.Text {
						c.report(o.Node, "the option stands twice").related(last.Node, "here too")
						continue
					}
					c.report(o.Node, "this credential spec does not count: a later option names another one").related(last.Node, "the last counts")
				}
			}
		},
	},
	{
		ID: "docker-opt-after-image", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the option stands behind the image",
		Why:    "docker run reads options up to the image; what follows is the command that the container runs. The container starts without an identity, or not at all because it has no such command.",
		Repair: "put the option before the image",
		Bad:    "docker run IMAGE --security-opt credentialspec=file://web.json", Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.optionsOf(func(u *setup.Use, o *setup.Option) {
				if !o.Behind {
					return
				}
				r := c.report(o.Node, "the option stands behind the image %s, so that it is an argument of the container's command", u.Command.Image.Text)
				r.related(u.Command.Image, "the image")
				r.Consumer = "docker says nothing: the container gets the option as an argument and has no credential spec"
				r.Fix = moveBeforeImage(u.Command, o)
			})
		},
	},
	{
		ID: "docker-file-absolute", Group: "docker", Severity: Error, Depends: "a warning for a path that only begins with a slash, which the daemon looks up in its folder all the same", Needs: []How{Offline},
		Title:  "the file is named by an absolute path",
		Why:    "The daemon looks in the folder CredentialSpecs of its data root and nowhere else (moby daemon/oci_windows.go; guide: Service accounts).",
		Repair: "put the file into the folder CredentialSpecs of the engine's data root, and write its name only",
		Bad:    `docker run --security-opt credentialspec=file://C:\specs\web.json IMAGE`, Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.files(func(u *setup.Use, o *setup.Option, file string) {
				if !windowsAbsolute(file) && !hasDrive(file) && !isSeparator(file[0]) {
					return
				}
				r := c.report(o.Value, "\"%s\" is an absolute path; the daemon wants a name in its own folder", file)
				switch {
				case windowsAbsolute(file):
					r.Consumer = "invalid credential spec: file:// path cannot be absolute"
				case hasDrive(file):
					r.Message = fmt.Sprintf("\"%s\" begins with a drive's letter; the daemon wants a name in its own folder", file)
				default:
					r.Severity = Warning
					r.Message = fmt.Sprintf("\"%s\" begins with a slash, and is looked up in the daemon's own folder all the same", file)
				}
				// With the engine's own folder before it, the name is certain.
				if parts := strings.Split(windowsClean(file), `\`); len(parts) > 1 && strings.EqualFold(parts[len(parts)-2], "CredentialSpecs") {
					r.replace(o.Value, parts[len(parts)-1])
				}
			})
		},
	},
	{
		ID: "docker-file-escape", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the file is outside the engine's folder",
		Why:    "The daemon refuses a path that leaves its folder CredentialSpecs. It compares texts (moby daemon/oci_windows.go), so that a folder beside it whose name begins alike passes; that is no place to rely on.",
		Repair: "put the file into the folder CredentialSpecs of the engine's data root, and write its name only",
		Bad:    `docker run --security-opt credentialspec=file://..\web.json IMAGE`, Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.files(func(u *setup.Use, o *setup.Option, file string) {
				if windowsAbsolute(file) || hasDrive(file) || !escapes(file) {
					return
				}
				r := c.report(o.Value, "\"%s\" leaves the daemon's folder CredentialSpecs", file)
				if r.Consumer = "invalid credential spec: file:// path must be under " + engineFolder; !daemonRefuses(file) {
					r.Consumer = "the daemon does not notice: it compares the beginning of the path as text"
				}
			})
		},
	},
	{
		ID: "docker-file-not-flat", Group: "docker", Severity: Info, Needs: []How{Offline},
		Title:  "the file is in a folder below CredentialSpecs",
		Why:    "The guide puts credential specs into the folder itself, and Get-CredentialSpec lists only those. The daemon reads a folder below it too.",
		Repair: "put the file into CredentialSpecs itself",
		Bad:    `docker run --security-opt credentialspec=file://team\web.json IMAGE`, Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.files(func(u *setup.Use, o *setup.Option, file string) {
				if !windowsAbsolute(file) && !hasDrive(file) && !escapes(file) && strings.Contains(windowsClean(file), `\`) && !strings.HasPrefix(windowsClean(file), "..") {
					c.report(o.Value, "\"%s\" is in a folder of its own", file)
				}
			})
		},
	},
	{
		ID: "docker-file-not-found", Group: "docker", Severity: Error, Needs: []How{CrossFile}, YieldsTo: []string{"placeholder-value"},
		Title:  "the file that is named is not among those given",
		Why:    "The daemon reads the file when it creates the container and refuses it when there is none (moby daemon/oci_windows.go). The module names files DOMAIN_account.json.",
		Repair: "name a file that exists, or give the missing one too",
		Bad:    "docker run --security-opt credentialspec=file://contoso_webapp.json IMAGE, with contoso_webapp01.json", Good: "docker run --security-opt credentialspec=file://contoso_webapp01.json IMAGE",
		run: func(c *run) {
			names := c.specFiles()
			c.files(func(u *setup.Use, o *setup.Option, file string) {
				switch {
				case windowsAbsolute(file), hasDrive(file), escapes(file), c.setup.HasFile(file):
				case len(names) == 0:
					c.notChecked(o.Value.Span(), "%s is not among the files given, and no other credential spec is", baseName(file))
				default:
					r := c.report(o.Value, "%s is not among the files given", baseName(file))
					r.Consumer = "failed to load credential spec for container <id>: open " + engineFolder + `\` + windowsClean(file) + ": The system cannot find the file specified."
					if name := nearest(baseName(file), names); name != "" {
						r.Message += ", " + name + " is"
						r.Repair = "write file://" + name + ", if that is the one"
					}
				}
			})
		},
	},
	{
		ID: "docker-file-extension", Group: "docker", Severity: Info, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "the file's name does not end in .json",
		Why:    "The daemon does not mind. Get-CredentialSpec of the module lists only *.json, and so do most tools.",
		Repair: "call it .json",
		Bad:    "docker run --security-opt credentialspec=file://web.txt IMAGE", Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.files(func(u *setup.Use, o *setup.Option, file string) {
				if !strings.EqualFold(path.Ext(baseName(file)), ".json") && !hasTrailing(file) {
					c.report(o.Value, "%s does not end in .json", baseName(file))
				}
			})
		},
	},
	{
		ID: "docker-registry-path", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the path of a registry key stands where a value's name has to",
		Why:    `The daemon reads values of the one key HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Virtualization\Containers\CredentialSpecs (moby daemon/oci_windows.go); what follows registry:// is a value's name there.`,
		Repair: "write the value's name only",
		Bad:    `docker run --security-opt "credentialspec=registry://HKLM\SOFTWARE\web" IMAGE`, Good: "docker run --security-opt credentialspec=registry://web IMAGE",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				if o.Source != setup.FromRegistry || o.Value == nil || o.Value.Open {
					return
				}
				name := o.Value.Text
				if !strings.Contains(name, `\`) && !strings.HasPrefix(strings.ToUpper(name), "HKLM") && !strings.HasPrefix(strings.ToUpper(name), "HKEY_") {
					return
				}
				r := c.report(o.Value, "\"%s\" is a key's path; the name of a value is wanted", name)
				r.Consumer = fmt.Sprintf("registry credential spec %q for container <id> was not found", name) // with %q in the daemon too
				if i := strings.LastIndex(strings.ToLower(name), `credentialspecs\`); i >= 0 {
					if rest := name[i+len(`credentialspecs\`):]; rest != "" && !strings.Contains(rest, `\`) {
						r.replace(o.Value, rest)
					}
				}
			})
		},
	},
	{
		ID: "docker-raw-quotes", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "the JSON behind raw:// has lost its quotation marks",
		Why:    "A shell takes quotation marks for its own unless they are escaped; Windows PowerShell 5.1 removes those inside a quoted argument too (about_Quoting_Rules, about_Parsing). The daemon hands the rest on unread, and the container cannot be created.",
		Repair: "escape the quotation marks as the shell demands, or put the text into a file and use file://",
		Bad:    `docker run --security-opt credentialspec=raw://{CmsPlugins:[ActiveDirectory]} IMAGE`, Good: "docker run --security-opt credentialspec=file://web.json IMAGE",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				if o.Value != nil && strings.EqualFold(o.Scheme, "raw") && strings.HasPrefix(strings.TrimSpace(o.Value.Text), "{") && strings.TrimSpace(o.Value.Text) != "{}" && !strings.Contains(o.Value.Text, `"`) {
					c.report(o.Value, "the text has no quotation marks, so that it is no JSON when it reaches the daemon")
				}
			})
		},
	},
	{
		ID: "docker-config-outside-swarm", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "a container that is no task of a swarm has no configs",
		Why:    "The engine finds a config only for the tasks of a swarm's service; for any other container it refuses the option as if it did not know config:// (moby daemon/oci_windows.go).",
		Repair: "use file:// or registry://, or make it a service of a swarm",
		Bad:    "docker run --security-opt credentialspec=config://web IMAGE", Good: "docker service create --credential-spec config://web IMAGE",
		run: func(c *run) {
			c.options(func(u *setup.Use, o *setup.Option) {
				if o.Via == setup.ViaSecurityOpt && o.Source == setup.FromConfig && u.Carrier != setup.Swarm {
					c.report(o.Node, "config:// is for services of a swarm, and this is none").Consumer = sayScheme
				}
			})
		},
	},
}

// containerRules are about what a container has beside its credential spec.
var containerRules = []*Rule{
	{
		ID: "docker-linux-target", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "a Linux container is to have a credential spec",
		Why:    "The daemon on Linux does not know the option and refuses the container (moby daemon/daemon_unix.go). Linux containers get the identity of a gMSA from credentials-fetcher, outside docker.",
		Repair: "use an image for Windows on a Windows host, or credentials-fetcher",
		Bad:    "docker run --platform linux/amd64 --security-opt credentialspec=file://web.json IMAGE", Good: "docker run --security-opt credentialspec=file://web.json mcr.microsoft.com/windows/servercore:ltsc2022",
		run: func(c *run) {
			for _, u := range c.dockerUses() {
				if u.OS != "linux" || u.Option == nil {
					continue
				}
				where, what := u.Image, "the image "+u.Image.String()+" is for Linux"
				if os, _, _ := strings.Cut(strings.ToLower(u.Platform.String()), "/"); os == "linux" {
					where, what = u.Platform, "the platform is "+u.Platform.Text
				}
				r := c.report(cmp.Or(where, u.Where), "%s, where credential specs do not exist", what)
				r.related(u.Option, "the credential spec")
				if o := u.Chosen(); o != nil && o.Via == setup.ViaSecurityOpt {
					n := 2
					if o.Separator == 0 {
						n = 1
					}
					r.Consumer = fmt.Sprintf("invalid --security-opt %d: %q", n, o.Node.Text)
				}
			}
		},
	},
	{
		ID: "docker-hostname-mismatch", Group: "docker", Severity: Info, Depends: "an error when the image says Windows Server 2016, 1709 or 1803", Needs: []How{Offline, CrossFile}, YieldsTo: []string{"placeholder-value"},
		Title:  "the host name is not the account's name",
		Why:    "Up to version 1803 of Windows Server the container's host name has to be the gMSA's (guide, 2019: Orchestrate containers with a gMSA); later ones use the name in the credential spec, whatever the host name.",
		Repair: "give the container the account's name as its host name",
		Bad:    "docker run -h web01 --security-opt credentialspec=file://webapp.json mcr.microsoft.com/windows/servercore:1803", Good: "docker run -h webapp --security-opt credentialspec=file://webapp.json mcr.microsoft.com/windows/servercore:1803",
		run: func(c *run) {
			for _, u := range c.dockerUses() {
				if u.Option == nil || u.Carrier == setup.ServiceFabric || u.OS == "linux" {
					continue
				}
				old := wantsHostname(u)
				if u.Hostname == nil && !old || u.Hostname != nil && !knownName(u.Hostname) {
					continue
				}
				account := primaryAccount(u.Spec)
				switch {
				case u.Spec == nil && u.Missing == setup.NotNamed: // what is wrong with the option is told elsewhere
				case u.Spec == nil:
					c.notChecked(cmp.Or(u.Hostname, u.Where).Span(), "the credential spec, which has the account's name, is %s", u.Missing)
				case account == "" || u.Hostname != nil && strings.EqualFold(u.Hostname.Text, account):
				case u.Hostname == nil:
					r := c.report(u.Where, "no host name is given, and Windows Server %s wants %s", strings.TrimPrefix(u.Release, "ltsc"), account)
					r.Severity = Error
				default:
					r := c.report(u.Hostname, "the host name is %s and the account %s", u.Hostname.Text, account)
					if old {
						r.Severity = Error
						r.Message += "; Windows Server " + strings.TrimPrefix(u.Release, "ltsc") + " wants them to be the same"
						r.replace(u.Hostname, account)
					} else {
						r.Repair = "nothing, where all hosts are Windows Server 2019 or later; otherwise give the container the account's name"
					}
				}
			}
		},
	},
	{
		ID: "docker-hostname-given", Group: "docker", Severity: Warning, Depends: "nothing is reported when the image says Windows Server 2016, 1709 or 1803, which want the name", Needs: []How{Offline, CrossFile},
		Title:  "several containers have the account's name as their host name",
		Why:    "With the same host name the containers take over each other's secure channel at the domain controller, and authentication fails now and then (guide: Service accounts; microsoft/Windows-Containers issue 405). Since Windows Server 2019 no host name is needed.",
		Repair: "leave the host name out, or give each container its own",
		Bad:    "docker run -h webapp …; docker run -h webapp …", Good: "docker run …; docker run …, without -h",
		run: func(c *run) {
			type key struct{ account, domain string }
			groups := map[key][]*setup.Use{}
			count := map[key]int{}
			var order []key
			for _, u := range c.dockerUses() {
				if u.Hostname == nil || u.Option == nil || u.OS == "linux" || wantsHostname(u) || !knownName(u.Hostname) {
					continue
				}
				account := primaryAccount(u.Spec)
				if u.Spec == nil {
					if u.Missing == setup.NotNamed {
						continue
					}
					c.notChecked(u.Hostname.Span(), "the credential spec, which has the account's name, is %s", u.Missing)
					continue
				}
				if account == "" || !strings.EqualFold(account, u.Hostname.Text) {
					continue
				}
				k := key{strings.ToLower(account), strings.ToLower(u.Spec.Get(credspec.KeyDomainJoin, "DnsName").String())}
				if count[k] == 0 {
					order = append(order, k)
				}
				groups[k] = append(groups[k], u)
				count[k] += max(u.Replicas, 1)
			}
			for _, k := range order {
				if count[k] < 2 {
					continue
				}
				for i, u := range groups[k] {
					r := c.report(u.Hostname, "%d containers have the account's name %s as their host name", count[k], u.Hostname.Text)
					if other := groups[k][(i+1)%len(groups[k])]; other != u {
						r.related(other.Hostname, "so has this one")
					}
				}
			}
		},
	},
	{
		ID: "docker-isolation", Group: "docker", Severity: Error, Needs: []How{Offline},
		Title:  "Hyper-V isolation on a release that has no gMSA for it",
		Why:    "On Windows 10 1703, Windows Server 1709 and 1803 containers with Hyper-V isolation cannot use a gMSA (guide: Orchestrate containers with a gMSA).",
		Repair: "use process isolation, or Windows Server 2019 or later",
		Bad:    "docker run --isolation=hyperv --security-opt credentialspec=file://web.json mcr.microsoft.com/windows/servercore:1803", Good: "docker run --isolation=hyperv --security-opt credentialspec=file://web.json mcr.microsoft.com/windows/servercore:ltsc2019",
		run: func(c *run) {
			for _, u := range c.dockerUses() {
				if u.Option == nil || u.Isolation == nil || u.Isolation.Open || !strings.EqualFold(u.Isolation.String(), "hyperv") {
					continue
				}
				switch u.Release {
				case "1703", "1709", "1803":
					c.report(u.Isolation, "Hyper-V isolation and Windows Server %s: the container cannot use its gMSA", u.Release).related(u.Image, "the image's release")
				case "":
					c.notChecked(u.Isolation.Span(), "the image does not say its release of Windows")
				}
			}
		},
	},
	{
		ID: "docker-user", Group: "docker", Severity: Warning, Needs: []How{Offline}, YieldsTo: []string{"run-as-local-user"},
		Title:  "the container runs as a user without the identity of the gMSA",
		Why:    "Only processes of Local System and Network Service are the gMSA on the network (guide: Configure your app to use a gMSA); others are anonymous there, or what their release makes of them.",
		Repair: `use NT AUTHORITY\NETWORK SERVICE, or leave the user to the image's services`,
		Bad:    "docker run --user ContainerUser --security-opt credentialspec=file://web.json IMAGE", Good: `docker run --user "NT AUTHORITY\NETWORK SERVICE" --security-opt credentialspec=file://web.json IMAGE`,
		run: func(c *run) {
			for _, u := range c.dockerUses() {
				if u.Option == nil || u.OS == "linux" || u.User.IsEmpty() || u.User.Open || u.User.Kind != source.String {
					continue
				}
				if !networkIdentity(u.User.Text) {
					c.report(u.User, "%s is neither Local System nor Network Service, the users that act as the gMSA on the network", u.User.Text)
				}
			}
		},
	},
}

// dockerCarriers are those whose options reach a docker engine as they are.
func (c *run) dockerUses() []*setup.Use {
	var list []*setup.Use
	for _, u := range c.setup.Uses {
		switch u.Carrier {
		case setup.Docker, setup.Compose, setup.Swarm, setup.ServiceFabric, setup.Nomad:
			list = append(list, u)
		}
	}
	return list
}

// optionsOf calls f for every option of the containers for docker.
func (c *run) optionsOf(f func(*setup.Use, *setup.Option)) {
	for _, u := range c.dockerUses() {
		for _, o := range u.Options {
			f(u, o)
		}
	}
}

// options calls f for those that reach the engine. One that several services have from the same place is asked about once.
func (c *run) options(f func(*setup.Use, *setup.Option)) {
	seen := map[*source.Node]bool{}
	c.optionsOf(func(u *setup.Use, o *setup.Option) {
		if !o.Behind && !seen[o.Node] {
			seen[o.Node] = true
			f(u, o)
		}
	})
}

// files calls f for the options that name a file whose name is known.
func (c *run) files(f func(u *setup.Use, o *setup.Option, file string)) {
	c.options(func(u *setup.Use, o *setup.Option) {
		if o.Source == setup.FromFile && o.Value != nil && !o.Value.Open && o.Value.String() != "" && !hasScheme(o) {
			f(u, o, o.Value.Text)
		}
	})
}

// hasScheme tells whether a member's value has a scheme that does not belong there: compose-scheme-in-file is about it.
func hasScheme(o *setup.Option) bool {
	return o.Via == setup.ViaMember && strings.Contains(o.Value.Text, "://")
}

// specFiles are the names of the files that are credential specs.
func (c *run) specFiles() []string {
	var names []string
	for _, d := range c.setup.Documents {
		if d.Form == setup.FormCredentialSpec && d.File.Outer() == nil {
			names = append(names, baseName(d.File.Name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nearest is the name that another one may have been meant to be: the few letters between them, or one the beginning of the other, as when an
// account's name was cut at 15 characters.
func nearest(name string, names []string) string {
	stem := func(s string) string { return strings.ToLower(strings.TrimSuffix(s, path.Ext(s))) }
	var stems []string
	for _, n := range names {
		if a, b := stem(name), stem(n); len(min(a, b)) > 3 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) {
			return n
		}
		stems = append(stems, stem(n))
	}
	if i := slices.Index(stems, diag.Nearest(stem(name), stems)); i >= 0 {
		return names[i]
	}
	return ""
}

// hasTrailing tells whether a name ends in a mark that got there by accident.
func hasTrailing(name string) bool { return name != strings.TrimRight(name, "|,;:'\"`") }

// primaryAccount is the name of the account that a container has, without a $ that does not belong there.
func primaryAccount(d *credspec.Document) string {
	return strings.TrimSuffix(d.Get(credspec.KeyDomainJoin, "MachineAccountName").String(), "$")
}

// wantsHostname tells whether the release demands that the host name is the account's.
func wantsHostname(u *setup.Use) bool {
	return slices.Contains([]string{"ltsc2016", "1709", "1803"}, u.Release) && !strings.EqualFold(u.Isolation.String(), "hyperv")
}

// knownName tells whether a host name can be compared: no variable and no template of a swarm's service stands in it.
func knownName(n *source.Node) bool {
	return n.Kind == source.String && n.Text != "" && !n.Open && !strings.Contains(n.Text, "{{")
}

// networkIdentity tells whether a user acts as the gMSA on the network.
func networkIdentity(user string) bool {
	name := strings.ToUpper(strings.ReplaceAll(user, " ", ""))
	if i := strings.LastIndexByte(name, '\\'); i >= 0 {
		if name[:i] != "NTAUTHORITY" {
			return false
		}
		name = name[i+1:]
	}
	switch name {
	case "SYSTEM", "LOCALSYSTEM", "NETWORKSERVICE", "S-1-5-18", "S-1-5-20":
		return true
	}
	return false
}

// moveBeforeImage are the edits that take an option from behind the image to before it; none where the words are not those of a script.
func moveBeforeImage(c *setup.Command, o *setup.Option) []source.Edit {
	at := slices.IndexFunc(c.Words, func(n *source.Node) bool { return n == o.Node || n == o.Word })
	if at < 1 || c.Image == nil || c.Words[at].Style != source.Foreign {
		return nil
	}
	last := at
	if n := c.Words[at]; n == o.Node { // two words: the flag and its value
		at--
	}
	first, f := c.Words[at], c.Image.File
	text := string(f.Data[first.Start:c.Words[last].End])
	if strings.ContainsAny(text, "\r\n") {
		return nil
	}
	return []source.Edit{
		{File: f, Start: c.Image.Start, End: c.Image.Start, New: text + " "},
		{File: f, Start: c.Words[at-1].End, End: c.Words[last].End},
	}
}
