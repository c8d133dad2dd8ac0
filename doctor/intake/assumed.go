package intake

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/credspec/plugin"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Names of what nobody has named.
const (
	assumedHost  = "ContainerHost%02d"
	assumedLinux = "LinuxHost01"
	assumedGroup = "ContainerHosts"
)

var domainLike = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$`)

// assumed is the domain that the credential specs of a set are about when nobody has described it: a healthy one. It has what they name and
// can be true; what cannot be is not taken over, so that the doctor finds it.
func assumed(s *setup.Setup, report *Report) simulator.Config {
	c := simulator.Config{KDSRootKeys: []simulator.KDSRootKey{{Effective: simulator.Ago(240 * time.Hour)}}, Users: []simulator.User{{Name: "alice"}}}
	var specs []credspec.Spec
	for _, d := range specsOf(s) {
		specs = append(specs, d.Spec())
	}
	for _, spec := range specs {
		if j := spec.DomainJoin; domainLike.MatchString(j.DnsName) {
			assumeDomain(&c, j)
			break
		}
	}
	if linux, other := systems(s); other {
		for i, r := range releases(s) {
			c.Hosts = append(c.Hosts, simulator.HostConfig{Name: fmt.Sprintf(assumedHost, i+1), OS: r})
		}
		if linux {
			c.Hosts = append(c.Hosts, simulator.HostConfig{Name: assumedLinux, OS: "Linux"})
		}
	} else {
		c.Hosts = []simulator.HostConfig{{Name: assumedLinux, OS: "Linux"}}
	}
	if slices.ContainsFunc(s.Documents, func(d *setup.Document) bool { return d.Form == setup.FormKubernetes }) {
		for i := range c.Hosts {
			c.Hosts[i].Engine = windows.Engine{Kind: windows.Containerd, Version: windows.EngineVersion{Major: 1, Minor: 7}}
		}
	}
	c.Groups = []simulator.Group{{Name: assumedGroup}}
	for _, h := range c.Hosts {
		c.Groups[0].Members = append(c.Groups[0].Members, h.Name)
	}
	if len(c.Domains) > 0 { // who reads the password is where the account is
		c.Groups[0].Domain = c.Domains[0].DNSName
		for i := range c.Hosts {
			c.Hosts[i].Domain = c.Domains[0].DNSName
		}
	}
	for _, spec := range specs {
		for _, name := range accountsOf(spec) {
			addAccount(&c, name)
		}
	}
	if len(c.ServiceAccounts) == 0 {
		addAccount(&c, "WebApp01")
	}
	if slices.ContainsFunc(s.Uses, func(u *setup.Use) bool { return u.Domainless && u.Spec == nil }) {
		specs = append(specs, credspec.Spec{Host: &credspec.HostAccount{PluginGUID: plugin.AWS.CLSID(), PluginObject: []credspec.Field{{Key: "CredentialArn", Value: assumedSecret}}}})
	}
	assumePlugins(&c, specs)
	report.assume(0, "a healthy domain %s as the files describe it, in which %s may read the password of %s; a world file or --ldif says what it is like",
		cmp.Or(c.DNSName, "contoso.com"), strings.Join(hostNames(c.Hosts), " and "), accountNames(c.ServiceAccounts))
	return c
}

// systems tells whether containers of a set run on Linux, and whether some run on Windows or there are none.
func systems(s *setup.Setup) (linux, other bool) {
	for _, u := range s.Uses {
		if onLinux(u) {
			linux = true
		} else {
			other = true
		}
	}
	return linux, other || !linux
}

// onLinux tells whether a use is a task of ECS on Linux, the only containers there that get an identity of the domain. When nothing says which system
// it is for, it is Linux, the default of operatingSystemFamily, unless its image or the place of its credential spec is one of Windows.
func onLinux(u *setup.Use) bool {
	if u.Carrier != setup.ECS || u.OS == "windows" {
		return false
	}
	image := strings.ToLower(u.Image.String())
	return u.OS == "linux" || releaseOf(u) == "" && u.Source != setup.FromFile && !strings.Contains(image, "windows") && !strings.Contains(image, "microsoft/iis")
}

// assumedSecret is what a domainless credential spec names that is not among the files.
const assumedSecret = "arn:aws:secretsmanager:us-west-2:111122223333:secret:gmsa-plugin-input"

// assumedReader is the user that plug-ins sign in as.
const assumedReader = "plugin-reader"

// assumePlugins gives the host what specs with a HostAccountConfig ask for: the plug-in, and its secret with a user who may read the passwords.
// When all of them have one, the host is outside the domain, which is what plug-ins are for.
func assumePlugins(c *simulator.Config, specs []credspec.Spec) {
	portable := 0
	var identities []string
	for _, spec := range specs {
		if spec.Host == nil {
			continue
		}
		portable++
		m, ok := plugin.ByCLSID(spec.Host.PluginGUID)
		if !ok || !slices.Contains([]plugin.Make{plugin.AzureKeyVault, plugin.AWS, plugin.Rancher, plugin.Sample}, m) {
			continue
		}
		kind := simulator.PluginKind(m)
		for i := range c.Hosts {
			h := &c.Hosts[i]
			if h.OS != "Linux" && !slices.ContainsFunc(h.Plugins, func(p simulator.Plugin) bool { return p.Kind == kind }) {
				h.Plugins = append(h.Plugins, simulator.Plugin{Kind: kind})
			}
		}
		in, _ := m.Shape(spec.Host.PluginInput) // what cannot be read names nothing
		for _, f := range spec.Host.PluginObject {
			if f.Key == "CredentialArn" {
				in.Secret = f.Value
			}
		}
		if in.Identity != "" {
			identities = append(identities, in.Identity)
		}
		if in.Secret == "" || slices.ContainsFunc(c.Secrets, func(s simulator.Secret) bool { return s.Name == in.Secret }) {
			continue
		}
		who := plugin.User{Domain: cmp.Or(c.DNSName, "contoso.com"), Name: assumedReader, Password: assumedPassword}
		c.Secrets = append(c.Secrets, simulator.Secret{Name: in.Secret, Value: m.Secret(who), Grants: append(hostNames(c.Hosts), identities...)})
	}
	if portable == 0 {
		return
	}
	c.Users = append(c.Users, simulator.User{Name: assumedReader, Password: assumedPassword, Domain: c.Groups[0].Domain})
	c.Groups[0].Members = []string{assumedReader}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		h.Identities = append(slices.Clone(identities), h.Name)
		if portable == len(specs) {
			h.Workgroup, h.Domain = true, ""
		} else {
			c.Groups[0].Members = append(c.Groups[0].Members, h.Name)
		}
	}
}

// assumedPassword is that of the user in assumed secrets.
const assumedPassword = "Passw0rd!"

// assumeDomain makes the forest of a DomainJoinConfig: its root, and the account's domain below or beside it.
func assumeDomain(c *simulator.Config, j credspec.DomainJoin) {
	dns, tree := strings.ToLower(j.DnsName), strings.ToLower(j.DnsTreeName)
	c.DNSName = dns
	netbios := ""
	if j.NetBiosName != "" && len(j.NetBiosName) <= 15 && !strings.ContainsAny(j.NetBiosName, `\/:*?"<>|. `) {
		netbios = strings.ToUpper(j.NetBiosName)
	}
	sid, guid := identifiers(j)
	if tree != dns && domainLike.MatchString(tree) && !strings.HasSuffix(tree, "."+dns) { // below the domain it can only be a slip
		c.DNSName = tree
		c.Domains = []simulator.DomainConfig{{DNSName: dns, NetBIOSName: netbios, SID: sid, GUID: guid}}
		return
	}
	c.NetBIOSName, c.SID, c.GUID = netbios, sid, guid
}

// identifiers are the SID and the GUID of the domain, as far as they can be those of one. The SID of an account begins with that of its domain.
func identifiers(j credspec.DomainJoin) (sid, guid string) {
	part := strings.Split(j.Sid, "-")
	if len(part) == 8 {
		part = part[:7]
	}
	if parsed, err := security.ParseSID(strings.Join(part, "-")); err == nil && strings.HasPrefix(j.Sid, "S-1-5-21-") && len(part) == 7 {
		sid = parsed.String()
	}
	if _, err := security.ParseGUID(j.Guid); err == nil {
		guid = strings.ToLower(j.Guid)
	}
	return sid, guid
}

// accountsOf are the names that a spec has for accounts of its domain, as an account can be called.
func accountsOf(spec credspec.Spec) []string {
	var list []string
	add := func(name string) {
		if i := strings.LastIndexByte(name, '\\'); i >= 0 {
			name = name[i+1:]
		}
		name, _, _ = strings.Cut(name, ".")
		name, _, _ = strings.Cut(name, "@")
		name = strings.TrimSuffix(name, "$")
		if accountName.MatchString(name) && !slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, name) }) {
			list = append(list, name)
		}
	}
	add(spec.DomainJoin.MachineAccountName)
	for _, a := range spec.Accounts {
		add(a.Name)
	}
	return list
}

var accountName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,14}$`) // guide: 15 characters

func addAccount(c *simulator.Config, name string) {
	if slices.ContainsFunc(c.ServiceAccounts, func(s simulator.ServiceAccount) bool { return strings.EqualFold(s.Name, name) }) {
		return
	}
	dns := cmp.Or(c.DNSName, "contoso.com")
	s := simulator.ServiceAccount{Name: name, AllowedToRetrieve: []string{assumedGroup}}
	for _, d := range c.Domains {
		s.Domain, dns = d.DNSName, d.DNSName
	}
	s.SPNs = []string{"host/" + strings.ToLower(name), "host/" + strings.ToLower(name) + "." + dns}
	c.ServiceAccounts = append(c.ServiceAccounts, s)
}

func hostNames(list []simulator.HostConfig) (names []string) {
	for _, h := range list {
		names = append(names, h.Name)
	}
	return names
}

func accountNames(list []simulator.ServiceAccount) string {
	var s []string
	for _, a := range list {
		s = append(s, a.Name)
	}
	return strings.Join(s, " and ")
}

// specsOf are the credential specs of a set, each once.
func specsOf(s *setup.Setup) []*credspec.Document {
	var list []*credspec.Document
	add := func(d *credspec.Document) {
		if d != nil && !slices.ContainsFunc(list, func(o *credspec.Document) bool { return o.Root == d.Root && o.File == d.File }) {
			list = append(list, d)
		}
	}
	for _, u := range s.Uses {
		add(u.Spec)
	}
	for _, d := range s.Documents {
		add(d.Spec)
	}
	return list
}

// releases are those of hosts that run the images of a set in process isolation, each once: what the images' names say.
func releases(s *setup.Setup) []string {
	var list []string
	for _, u := range s.Uses {
		if r := releaseOf(u); r != "" && !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		list = []string{"Windows Server 2019"}
	}
	return list
}

// releaseOf is the release of a server of an image's build; "" when the image does not tell.
func releaseOf(u *setup.Use) string {
	for _, text := range []string{u.Image.String(), "servercore:" + u.Release} {
		image, err := windows.ParseImage(text)
		if err != nil || image.Build == 0 {
			continue
		}
		for _, r := range serverReleases {
			if os, err := windows.ParseOS(r); err == nil && os.Build == image.Build {
				return r
			}
		}
	}
	return ""
}

var serverReleases = []string{"Windows Server 2016", "Windows Server 1709", "Windows Server 1803", "Windows Server 2019", "Windows Server 2022", "Windows Server 2025"}

// assumeWorld gives a set of files a world when there is neither an export nor a world file. The domain is kept, so that the same files with other
// contents are tried in the same one.
func (p *Papers) assumeWorld(w *doctor.World, report *Report) {
	if p.Directory != nil || p.World != nil {
		return
	}
	if p.Domain == nil {
		c := assumed(p.Setup, report)
		p.Domain = &c
	}
	w.Domain = *p.Domain
}
