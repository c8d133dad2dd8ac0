package intake

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Names of what nobody has named.
const (
	assumedHost  = "ContainerHost01"
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
	linux := slices.ContainsFunc(s.Uses, func(u *setup.Use) bool { return u.Carrier == setup.ECS && u.OS == "linux" })
	host := simulator.HostConfig{Name: assumedHost, OS: hostOS(s)}
	if linux {
		host = simulator.HostConfig{Name: assumedLinux, OS: "Linux"}
	}
	c.Hosts = []simulator.HostConfig{host}
	c.Groups = []simulator.Group{{Name: assumedGroup, Members: []string{host.Name}}}
	for _, spec := range specs {
		for _, name := range accountsOf(spec) {
			addAccount(&c, name, spec.DomainJoin.DnsName)
		}
	}
	if len(c.ServiceAccounts) == 0 {
		addAccount(&c, "WebApp01", "")
	}
	report.assume(0, "a healthy domain %s as the files describe it, in which %s may read the password of %s; a world file or --ldif says what it is like",
		cmp.Or(c.DNSName, "contoso.com"), host.Name, names(c.ServiceAccounts))
	return c
}

// assumeDomain makes the forest of a DomainJoinConfig: its root, and the account's domain below or beside it.
func assumeDomain(c *simulator.Config, j credspec.DomainJoin) {
	dns, tree := strings.ToLower(j.DnsName), strings.ToLower(j.DnsTreeName)
	c.DNSName = dns
	netbios := ""
	if j.NetBiosName != "" && len(j.NetBiosName) <= 15 && !strings.ContainsAny(j.NetBiosName, `\/:*?"<>|. `) {
		netbios = strings.ToUpper(j.NetBiosName)
	}
	if tree != dns && domainLike.MatchString(tree) && strings.HasSuffix(dns, "."+tree) {
		c.DNSName = tree
		c.Domains = []simulator.DomainConfig{{DNSName: dns, NetBIOSName: netbios}}
		return // only the root's SID and GUID can be chosen
	}
	c.NetBIOSName = netbios
	if sid, err := security.ParseSID(j.Sid); err == nil && strings.HasPrefix(j.Sid, "S-1-5-21-") && strings.Count(j.Sid, "-") == 6 {
		c.SID = sid.String()
	}
	if _, err := security.ParseGUID(j.Guid); err == nil {
		c.GUID = strings.ToLower(j.Guid)
	}
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

var accountName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,18}$`)

func addAccount(c *simulator.Config, name, domain string) {
	if slices.ContainsFunc(c.ServiceAccounts, func(s simulator.ServiceAccount) bool { return strings.EqualFold(s.Name, name) }) {
		return
	}
	dns := cmp.Or(c.DNSName, "contoso.com")
	s := simulator.ServiceAccount{Name: name, AllowedToRetrieve: []string{assumedGroup}}
	for _, d := range c.Domains {
		if strings.EqualFold(d.DNSName, domain) {
			s.Domain, dns = d.DNSName, d.DNSName
		}
	}
	s.SPNs = []string{"host/" + strings.ToLower(name), "host/" + strings.ToLower(name) + "." + dns}
	c.ServiceAccounts = append(c.ServiceAccounts, s)
}

func names(list []simulator.ServiceAccount) string {
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

// hostOS is the release of a host that runs the images of a set: that of the first one that says which it is.
func hostOS(s *setup.Setup) string {
	for _, u := range s.Uses {
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
	}
	return "Windows Server 2019"
}

var serverReleases = []string{"Windows Server 2016", "Windows Server 1709", "Windows Server 1803", "Windows Server 2019", "Windows Server 2022", "Windows Server 2025"}

// assumeWorld gives a set of files a world when there is neither an export nor a world file.
func (p *Papers) assumeWorld(w *doctor.World, report *Report) {
	if p.Directory == nil && p.World == nil {
		w.Domain = assumed(p.Setup, report)
	}
}
