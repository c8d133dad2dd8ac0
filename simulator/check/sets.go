package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

var setRules = []*Rule{
	{
		ID: "set-same-account-many-containers", Group: "sets", Severity: Warning, Depends: "an error for Windows Server 2016 to version 1803", Needs: []How{Offline, CrossFile}, YieldsTo: []string{"docker-opt-multiple"},
		Title:  "several containers of a host have one account",
		Why:    "A container takes the account's name as its own at the domain controller, and containers of one host take the secure channel from each other (microsoft/Windows-Containers issue 405); on Windows Server 2016, versions 1709 and 1803 the guide forbids it.",
		Repair: "give each container its own account, or, on a host with the updates that mend it, different host names",
		Bad:    "two services of a compose file with file://webapp.json", Good: "two services with file://webapp.json and file://batch.json",
		run: func(c *run) {
			type key struct{ host, account string }
			first := map[key]*setup.Use{}
			told := map[key]bool{}
			for _, u := range c.setup.Uses {
				host, account := hostOf(u), accountOf(u)
				if host == "" || account == "" || u.OS == "linux" {
					continue
				}
				k := key{host, account}
				before := first[k]
				if before == nil {
					first[k] = u
				}
				if told[k] || before == nil && u.Replicas <= 1 || before != nil && before.Container != nil && before.Container == u.Container {
					continue
				}
				told[k] = true
				if u.Where == nil {
					continue
				}
				var r *Report
				if before == nil {
					r = c.report(u.Where, "%s runs %d times with one account", useName(u), u.Replicas)
				} else {
					r = c.report(u.Where, "%s has the account of %s", useName(u), useName(before))
					r.related(before.Where, "the other container")
				}
				switch u.Release {
				case "ltsc2016", "1703", "1709", "1803":
					r.Severity = Error
				}
			}
		},
	},
	{
		ID: "set-credspec-drift", Group: "sets", Severity: Error, Needs: []How{CrossFile}, YieldsTo: []string{"placeholder-value", "set-same-name-other-content", "json-key-case", "k8s-inline-mismatch"},
		Title:  "two copies of one credential spec differ",
		Why:    "A credential spec is copied into files, configs, manifests and parameters, and somebody has edited one of them; which one a container gets depends on where it runs.",
		Repair: "write all of them again from one",
		Bad:    `"NetBiosName": "CORP" in a file, NetBiosName: CORPNET in the GMSACredentialSpec of the same account`, Good: "the same values in both",
		run: func(c *run) {
			first := map[string]*credspec.Document{}
			for _, d := range c.specs() {
				v := viewOf(d)
				if v.machine == "" || v.dns == "" {
					continue
				}
				k := strings.ToLower(bare(v.machine) + "\n" + v.domain())
				if d.HostAccount() != nil {
					k += "\nhost" // set-mixed-join-modes
				}
				before := first[k]
				if before == nil {
					first[k] = d
					continue
				}
				if !c.opts.All && c.oneName(before, d) {
					continue // set-same-name-other-content
				}
				if here, there, what := drift(before, d, c.opts.All); what != "" {
					r := c.reportAt(here, "%s in the other copy for %q in %s", what, v.machine, there.File.Name)
					r.Related = append(r.Related, Related{there, "the other copy"})
				}
			}
		},
	},
	{
		ID: "set-same-name-other-content", Group: "sets", Severity: Error, Depends: "a warning for objects and files of different folders", Needs: []How{CrossFile},
		Title:  "two credential specs of one name differ",
		Why:    "The API server keeps the object that is applied last; the engine's folder of credential specs is flat and does not tell capital letters from small ones, so that the file that is copied last wins.",
		Repair: "rename one of them, or remove the one that is not meant",
		Bad:    "two GMSACredentialSpecs gmsa-webapp with different Sids", Good: "gmsa-webapp and gmsa-webapp-lab",
		run: func(c *run) {
			objects, files := map[string]*setup.Document{}, map[string]*setup.Document{}
			for _, d := range c.setup.Documents {
				name := d.Root.Get("metadata", "name")
				switch {
				case d.Spec == nil || d.Spec.Root == nil:
				case d.Form == setup.FormKubernetes && name.String() != "":
					before := objects[name.Text]
					if before == nil {
						objects[name.Text] = d
						continue
					}
					if !source.Equal(before.Spec.Root, d.Spec.Root) {
						r := c.report(name, "the GMSACredentialSpec %s is another one in %s", name.Text, whereIs(before.Root.Get("metadata", "name")))
						r.related(before.Root.Get("metadata", "name"), "the other one")
						if folderOf(d.File.Name) != folderOf(before.File.Name) {
							r.Severity = Warning // of another cluster, perhaps
						}
					}
				case d.Form == setup.FormCredentialSpec && d.File.Outer() == nil:
					key := strings.ToLower(baseName(d.File.Name))
					before := files[key]
					if before == nil {
						files[key] = d
						continue
					}
					if c.oneName(before.Spec, d.Spec) && !source.Equal(before.Spec.Root, d.Spec.Root) {
						r := c.reportAt(head(d.Spec.Root), "%s and %s are one name, and they differ", d.File.Name, before.File.Name)
						r.related(before.Spec.Root, "the other one")
						if folderOf(d.File.Name) != folderOf(before.File.Name) {
							r.Severity = Warning // for other hosts, perhaps
						}
					}
				}
			}
		},
	},
	{
		ID: "set-unused-credspec", Group: "sets", Severity: Info, Needs: []How{CrossFile},
		Title:  "nothing uses this credential spec",
		Why:    "Other files of the set say which credential specs their containers get, and this is none of them: it is left over, or a name is misspelt.",
		Repair: "remove it, or correct the name where it was to be used",
		Bad:    "batch.json beside a compose file with file://webapp.json", Good: "webapp.json beside a compose file with file://webapp.json",
		run: func(c *run) {
			used := map[*credspec.Document]bool{}
			named, hidden := false, false
			for _, u := range c.setup.Uses {
				used[u.Spec] = true
				hidden = hidden || u.Spec == nil && (u.Missing == setup.NotHeld || u.Option != nil && u.Option.Open)
				named = named || u.Source == setup.FromFile || u.Source == setup.FromObject || u.Source == setup.FromConfig
			}
			for _, d := range c.setup.Documents {
				if d.Spec == nil || d.Spec.Root == nil || used[d.Spec] || d.Spec.File.Outer() != nil || d.Form != setup.FormCredentialSpec && d.Form != setup.FormKubernetes || d.Form == setup.FormCredentialSpec && !c.meant(d) {
					continue
				}
				at := head(d.Spec.Root)
				if d.Form == setup.FormKubernetes && d.Root.Get("metadata", "name") != nil {
					at = d.Root.Get("metadata", "name").Span()
				}
				if !named {
					c.notChecked(at, "no file of the set says which credential spec a container gets")
					return
				}
				if hidden {
					c.notChecked(at, "a container has its credential spec from where no file shows it, or by a variable")
					return
				}
				c.reportAt(at, "no container of the set gets this credential spec")
			}
		},
	},
	{
		ID: "set-mixed-join-modes", Group: "sets", Severity: Info, Needs: []How{CrossFile},
		Title:  "one account has a credential spec with and one without HostAccountConfig",
		Why:    "It is meant where some hosts are in the domain and others are not (rancher/windows does it), and a slip where all are alike: then one of the two does not work.",
		Repair: "nothing, if both kinds of hosts are there",
		Bad:    "webapp.json without and webapp-ccg.json with HostAccountConfig", Good: "two credential specs of one kind",
		run: func(c *run) {
			first := map[string]*credspec.Document{}
			told := map[string]bool{}
			for _, d := range c.specs() {
				v := viewOf(d)
				if v.machine == "" || v.dns == "" {
					continue
				}
				k := strings.ToLower(bare(v.machine) + "\n" + v.domain())
				before := first[k]
				if before == nil {
					first[k] = d
					continue
				}
				if (before.HostAccount() == nil) == (d.HostAccount() == nil) || told[k] {
					continue
				}
				told[k] = true
				with, without := d, before
				if d.HostAccount() == nil {
					with, without = before, d
				}
				r := c.report(viewOf(d).node("MachineAccountName"), "%q has a credential spec with HostAccountConfig in %s and one without in %s", v.machine, whereIs(with.Root), whereIs(without.Root))
				r.related(viewOf(before).node("MachineAccountName"), "the other one")
			}
		},
	},
}

// hostOf tells which containers run on one host at one time for certain: the services of a compose file, those of a task, the containers that
// one script starts in the background. "" is for all others: schedulers spread them, and a script may start one after the other.
func hostOf(u *setup.Use) string {
	switch u.Carrier {
	case setup.Compose, setup.ECS:
	case setup.Docker:
		if u.Command == nil || u.Command.Verb != "create" && !slices.ContainsFunc(u.Command.Flags, func(f setup.Flag) bool { return f.Name == "detach" || f.Name == "d" }) {
			return ""
		}
	default:
		return ""
	}
	return string(u.Carrier) + "\n" + u.File.Root().Name
}

// accountOf is the account of a use: of its credential spec, or whatever the place means that it names.
func accountOf(u *setup.Use) string {
	if u.Spec != nil {
		v := viewOf(u.Spec)
		if v.machine != "" && v.dns != "" {
			return strings.ToLower(bare(v.machine) + "\n" + v.domain())
		}
		return ""
	}
	if u.Value == "" || placeholder(u.Value, loose) != "" {
		return ""
	}
	switch u.Source {
	case setup.FromFile, setup.FromRegistry:
		return string(u.Source) + "\n" + strings.ToLower(u.Value)
	case setup.FromConfig, setup.FromS3, setup.FromSSM:
		return string(u.Source) + "\n" + u.Value
	}
	return ""
}

// useName is what to call a container in a message.
func useName(u *setup.Use) string {
	if u.Name != "" {
		return u.Name
	}
	if u.Where != nil {
		return "the container of " + whereIs(u.Where)
	}
	return "a container"
}

// usesFile tells whether a use names a file, by its lower-case base name.
func (c *run) usesFile(name string) bool {
	return slices.ContainsFunc(c.setup.Uses, func(u *setup.Use) bool {
		return u.Source == setup.FromFile && strings.ToLower(baseName(u.Value)) == name
	})
}

// oneName tells whether two credential specs are files that cannot be told apart in the engine's folder, and get there, as far as is known.
func (c *run) oneName(a, b *credspec.Document) bool {
	name := strings.ToLower(baseName(a.File.Name))
	return a.File != b.File && !a.Wrapped && !b.Wrapped && a.File.Outer() == nil && b.File.Outer() == nil && name == strings.ToLower(baseName(b.File.Name)) &&
		(folderOf(a.File.Name) == folderOf(b.File.Name) || c.usesFile(name))
}

// drift is the first difference between two credential specs for one account: the values that are one domain's, the account's scopes, the
// plug-in. Sid and Guid are sid-domain-mismatch's and guid-domain-mismatch's, additional accounts may differ, and letters' case does not matter.
// That one copy lacks a scope is scope-missing-dns' and scope-missing-netbios', unless all is to be told.
func drift(before, d *credspec.Document, all bool) (here, there source.Span, what string) {
	for _, path := range [][]string{{credspec.KeyDomainJoin, "DnsTreeName"}, {credspec.KeyDomainJoin, "NetBiosName"}, {credspec.KeyActiveDirectory, credspec.KeyHostAccount, "PluginGUID"}} {
		a, b := before.Get(path...), d.Get(path...)
		if a.String() != "" && b.String() != "" && !strings.EqualFold(trimmed(a), trimmed(b)) {
			return b.Span(), a.Span(), fmt.Sprintf("%s is %q here and %q", path[len(path)-1], trimmed(b), trimmed(a))
		}
	}
	a, b := before.Get(credspec.KeyActiveDirectory, credspec.KeyHostAccount, "PluginInput"), d.Get(credspec.KeyActiveDirectory, credspec.KeyHostAccount, "PluginInput")
	if a != nil && b != nil && a.Kind == b.Kind && !source.Equal(a, b) { // an object is for other readers than a string
		return b.Span(), a.Span(), "PluginInput is another one here than"
	}
	if a, b := viewOf(before).scopes(), viewOf(d).scopes(); all && a != b && a != "" && b != "" {
		return entryPlace(d.Accounts()[viewOf(d).primary()[0]]), entryPlace(before.Accounts()[viewOf(before).primary()[0]]), fmt.Sprintf("the scopes are %s here and %s", b, a)
	}
	return here, there, ""
}

// scopes are those of the container's account, in order of the alphabet.
func (v view) scopes() string {
	var list []string
	for _, i := range v.primary() {
		list = append(list, strings.ToLower(trimmed(v.spec.Accounts()[i].Get("Scope"))))
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ", ")
}
