package doctor

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// An injector puts the state of one failure mode into a world.
type injector struct {
	// modes are what the doctor may call it: one, or two where the same state is an instance of both.
	modes []string
	// at is the step of the flow whose check fails first.
	at string
	// slot is the part of the world that it changes. Injectors of one slot exclude each other.
	slot string
	// hides are slots whose faults do not bite behind this one: its state, or its fix, takes their place.
	hides []string
	// inject changes the world; false when it does not fit.
	inject func(r *rand.Rand, w *World) bool
}

// healthyWorld is a random world in which every check works: one or two DCs, a host of some release, an account that it may use, a
// container or two, and what they are for.
func healthyWorld(r *rand.Rand) *World {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	account := pick("WebApp01", "Shop", "svc-cart")
	host := pick("ContainerHost01", "Node7")
	os := pick("Windows Server 2016", "Windows Server 2019", "Windows Server 2019", "Windows Server 2022", "Windows Server 2025")
	site := strings.ToLower(pick("shop", "www", "orders")) + ".contoso.com"
	w := &World{Schema: WorldSchema, Domain: simulator.Config{
		Seed:        1 + r.Uint64N(3),
		KDSRootKeys: []simulator.KDSRootKey{{Effective: simulator.Ago(time.Duration(10+r.IntN(1000)) * time.Hour)}},
		Groups:      []simulator.Group{{Name: account + "Hosts", Scope: simulator.GroupScope(pick("DomainLocal", "Global", "Universal")), Members: []string{host}}},
		Users:       []simulator.User{{Name: "alice"}, {Name: "sqlsvc", SPNs: []string{"MSSQLSvc/db:1433"}}},
		ServiceAccounts: []simulator.ServiceAccount{{Name: account, DNSHostName: site, SPNs: []string{"http/" + site},
			AllowedToRetrieve: []string{account + "Hosts"}}},
		Hosts: []simulator.HostConfig{{Name: host, OS: os, CredentialSpecs: []string{account}}},
	}}
	if r.IntN(3) == 0 {
		w.Domain.DCs = []string{"DC01", "DC02"}
	}
	if r.IntN(4) == 0 {
		w.Domain.ServiceAccounts[0].AllowedToRetrieve = []string{host}
	}
	c := Container{Name: "app", Host: host, Container: simulator.Container{Hostname: strings.ToLower(account), CredentialSpec: "file://contoso_" + strings.ToLower(account) + ".json"}}
	if os == "Windows Server 2016" {
		// Before 1709 only a service or an application pool can act as the account.
		c.Service, _ = windows.ParseUser(`NT AUTHORITY\NETWORK SERVICE`)
	} else {
		c.Hostname = pick("", "web", strings.ToLower(account))
	}
	w.Containers = []Container{c}
	w.SQLServers = []SQLServer{{Name: "db", Account: "sqlsvc", Logins: []string{`CONTOSO\` + account + "$"}}}
	w.Uses = []Use{
		{Kind: UseKerberos, Container: "app", User: "alice", Name: site},
		{Kind: UseNTLM, Container: "app", User: "alice"},
		{Kind: UseNames, Container: "app", User: "alice"},
		{Kind: UseSQL, Container: "app", SQLServer: "db", SPN: "MSSQLSvc/db:1433"},
	}
	return w
}

// toBeMade turns a world into one in which the account is still to be made.
func toBeMade(w *World) *World {
	w.Create, w.Domain.ServiceAccounts = w.Domain.ServiceAccounts, nil
	for i := range w.Domain.Hosts {
		w.Domain.Hosts[i].CredentialSpecs = nil
	}
	w.Containers, w.SQLServers, w.Uses = nil, nil, nil
	return w
}

func (w *World) host() *simulator.HostConfig        { return &w.Domain.Hosts[0] }
func (w *World) account() *simulator.ServiceAccount { return &w.Domain.ServiceAccounts[0] }
func (w *World) usesGroup() bool                    { return strings.HasSuffix(w.account().AllowedToRetrieve[0], "Hosts") }
func (w *World) olderThan(build windows.Build) bool {
	os, _ := windows.ParseOS(w.host().OS)
	return os.Build < build
}
func always(change func(w *World)) func(*rand.Rand, *World) bool {
	return func(_ *rand.Rand, w *World) bool { change(w); return true }
}

// start is when domain time begins without another word.
var start = time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)

// injectors are for worlds that run, creators for worlds in which the account is to be made.
var injectors = []injector{
	{[]string{"acct-disabled"}, "S7", "account", nil, always(func(w *World) { no := false; w.account().Enabled = &no })},
	{[]string{"acl-no-principals"}, "S4", "acl", nil, always(func(w *World) { w.account().AllowedToRetrieve = nil })},
	{[]string{"acl-host-not-member"}, "S4", "acl", nil, func(_ *rand.Rand, w *World) bool {
		if !w.usesGroup() {
			return false
		}
		w.Domain.Groups[0].Members = nil
		return true
	}},
	{[]string{"acl-no-restart"}, "S4", "acl", nil, func(_ *rand.Rand, w *World) bool {
		if !w.usesGroup() || w.Domain.Groups[0].Scope == simulator.DomainLocal {
			return false
		}
		w.Domain.Groups[0].MembersSince, w.host().LastRestart = start.Add(-time.Hour), start.Add(-24*time.Hour)
		return true
	}},
	{[]string{"acl-distribution-group"}, "S4", "acl", nil, func(_ *rand.Rand, w *World) bool {
		if !w.usesGroup() {
			return false
		}
		w.Domain.Groups[0].Category = simulator.Distribution
		return true
	}},
	{[]string{"acl-sd-without-readprop"}, "S4", "acl", nil, always(func(w *World) {
		w.account().AllowedToRetrieve, w.account().RetrieveSDDL = nil, "O:SYD:(A;;RC;;;DC)"
	})},
	{[]string{"acl-orphaned-sid"}, "S4", "acl", nil, always(func(w *World) {
		w.account().AllowedToRetrieve, w.account().RetrieveSDDL = nil, "O:SYD:(A;;0xf01ff;;;S-1-5-21-1-2-3-1234)"
	})},
	{[]string{"acl-overwritten", "acl-host-not-member"}, "S4", "acl", nil, always(func(w *World) {
		w.Domain.Hosts = append(w.Domain.Hosts, simulator.HostConfig{Name: "OtherHost"})
		w.account().AllowedToRetrieve = []string{"OtherHost"}
	})},
	{[]string{"host-clock-skew", "clock-host-container"}, "S3", "clock", nil, func(r *rand.Rand, w *World) bool {
		w.host().ClockOffset = []time.Duration{-time.Hour, 6 * time.Minute, 24 * time.Hour}[r.IntN(3)]
		return true
	}},
	{[]string{"host-firewall-ports"}, "S3", "host-net", nil, always(func(w *World) { w.host().ClosedPorts = []string{"88"} })},
	{[]string{"host-firewall-ports"}, "S4", "host-net", nil, always(func(w *World) { w.host().ClosedPorts = []string{"389"} })},
	{[]string{"host-dc-unreachable"}, "S3", "host-net", nil, always(func(w *World) {
		w.host().ClosedPorts = []string{"DC01"}
		if len(w.Domain.DCs) == 2 {
			w.host().ClosedPorts = w.Domain.DCs
		}
	})},
	{[]string{"host-adws-blocked"}, "S4", "host-net", nil, always(func(w *World) { w.host().ClosedPorts = []string{"9389"} })},
	{[]string{"host-rsat-missing"}, "S4", "host-module", nil, always(func(w *World) { w.host().NoADModule = true })},
	{[]string{"host-not-rebooted-after-join"}, "S4", "host-join", nil, always(func(w *World) { w.host().RestartPending = true })},
	{[]string{"net-host-dns-wrong", "host-dc-unreachable"}, "S3", "host-net", nil, always(func(w *World) { w.host().DNS = []string{"192.0.2.53"} })},
	{[]string{"host-enctypes-unsupported", "etype-rc4-only-account"}, "S4", "etype", nil, always(func(w *World) {
		w.host().EncryptionTypes, w.account().EncryptionTypes = []string{"AES128", "AES256"}, []string{"RC4"}
	})},
	{[]string{"rt-ccg-rpc-unavailable"}, "S6", "host-ccg", []string{"acl", "host-join"}, func(_ *rand.Rand, w *World) bool {
		if w.olderThan(windows.Build1809) {
			return false
		}
		w.host().CCGStopped = true // until the host starts anew, as several fixes want
		return true
	}},
	{[]string{"cs-not-found", "cs-not-copied-everywhere"}, "S6", "spec", nil, always(func(w *World) { w.host().CredentialSpecs = nil })},
	{[]string{"rt-no-security-opt"}, "S5", "spec", []string{"account", "host-ccg"}, always(func(w *World) { w.Containers[0].CredentialSpec = "" })},
	{[]string{"cs-absolute-path"}, "S6", "spec", nil, always(func(w *World) {
		w.Containers[0].CredentialSpec = strings.Replace(w.Containers[0].CredentialSpec, "//", `//C:\ProgramData\docker\CredentialSpecs\`, 1)
	})},
	{[]string{"cs-path-traversal"}, "S6", "spec", nil, always(func(w *World) {
		w.Containers[0].CredentialSpec = strings.Replace(w.Containers[0].CredentialSpec, "//", "//../", 1)
	})},
	{[]string{"cs-bad-scheme"}, "S6", "spec", nil, always(func(w *World) {
		w.Containers[0].CredentialSpec = strings.TrimPrefix(w.Containers[0].CredentialSpec, "file://")
	})},
	{[]string{"rt-registry-missing"}, "S6", "spec", nil, always(func(w *World) { w.Containers[0].CredentialSpec = "registry://contoso" })},
	{[]string{"os-hostname-mismatch"}, "S7", "hostname", nil, func(_ *rand.Rand, w *World) bool {
		if !w.olderThan(windows.Build1809) {
			return false
		}
		w.Containers[0].Hostname = "other"
		return true
	}},
	{[]string{"os-concurrent-same-hostname-2019", "os-concurrent-same-hostname-old"}, "S7", "hostname", nil, func(_ *rand.Rand, w *World) bool {
		if w.olderThan(windows.Build1809) {
			return false
		}
		second := w.Containers[0]
		second.Name, w.Containers[0].Hostname, second.Hostname = "again", "same", "same"
		w.Containers = append(w.Containers, second)
		return true
	}},
	{[]string{"rt-hyperv-role-missing"}, "S6", "isolation", nil, func(_ *rand.Rand, w *World) bool {
		w.host().NoHypervisor, w.Containers[0].Isolation = true, windows.HyperV
		return true
	}},
	{[]string{"os-hyperv-hang"}, "S6", "isolation", []string{"hostname", "engine", "user", "image", "host-ccg", "spec"}, func(r *rand.Rand, w *World) bool {
		w.host().OS, w.Containers[0].Isolation = []string{"Windows Server, version 1709", "Windows Server, version 1803"}[r.IntN(2)], windows.HyperV
		w.Containers[0].Hostname = strings.ToLower(w.account().Name)
		w.Containers[0].Service, _ = windows.ParseUser(`NT AUTHORITY\NETWORK SERVICE`)
		return true
	}},
	{[]string{"rt-os-mismatch-process"}, "S6", "image", []string{"hostname"}, func(_ *rand.Rand, w *World) bool {
		if w.host().OS != "Windows Server 2019" {
			return false
		}
		w.Containers[0].Image, _ = windows.ParseImage("servercore:ltsc2016")
		w.Containers[0].Service, _ = windows.ParseUser(`NT AUTHORITY\NETWORK SERVICE`)
		w.Containers[0].Hostname = strings.ToLower(w.account().Name)
		return true
	}},
	{[]string{"rt-engine-old-host"}, "S6", "engine", nil, func(_ *rand.Rand, w *World) bool {
		if w.host().OS != "Windows Server 2016" {
			return false
		}
		w.host().Engine, _ = windows.ParseEngine("docker 23.0")
		return true
	}},
	{[]string{"rt-user-ns-2016"}, "S6", "user", nil, func(_ *rand.Rand, w *World) bool {
		if w.host().OS != "Windows Server 2016" {
			return false
		}
		w.Containers[0].User, _ = windows.ParseUser(`NT AUTHORITY\NETWORK SERVICE`)
		return true
	}},
	{[]string{"app-custom-local-user", "app-localservice"}, "S8", "user", nil, always(func(w *World) {
		w.Containers[0].Service, _ = windows.ParseUser(`.\worker`)
	})},
	{[]string{"net-container-dns-wrong"}, "S7", "container-net", nil, always(func(w *World) { w.Containers[0].DNS = []string{"192.0.2.53"} })},
	{[]string{"net-container-no-route"}, "S7", "container-net", nil, func(_ *rand.Rand, w *World) bool {
		if len(w.Domain.DCs) > 0 {
			return false
		}
		w.Containers[0].ClosedPorts = []string{"DC01"}
		return true
	}},
	{[]string{"net-rpc-dynamic-blocked"}, "S7", "container-net", nil, always(func(w *World) { w.Containers[0].ClosedPorts = []string{"135"} })},
	{[]string{"net-nat-overlap"}, "S7", "container-net", nil, always(func(w *World) {
		w.Domain.DCSubnet, w.Containers[0].Subnet = "172.16.0.0/24", "172.16.0.0/16"
	})},
	{[]string{"spn-none"}, "S9", "spn", nil, always(func(w *World) { w.account().SPNs = nil })},
	{[]string{"spn-alias-missing"}, "S9", "spn", nil, always(func(w *World) {
		w.Domain.Aliases = []simulator.Alias{{Name: "portal.contoso.com", Target: w.Uses[0].Name}}
		w.Uses[0].Name = "portal.contoso.com"
	})},
	{[]string{"spn-fqdn-or-short-missing"}, "S9", "spn", nil, always(func(w *World) { w.Uses[0].Name, _, _ = strings.Cut(w.Uses[0].Name, ".") })},
	{[]string{"spn-port-and-instance"}, "S9", "spn", nil, always(func(w *World) { w.Uses[0].SPN, w.Uses[0].Name = "http/"+w.Uses[0].Name+":8080", "" })},
	{[]string{"spn-on-wrong-account"}, "S9", "spn", nil, always(func(w *World) {
		w.Domain.Users = append(w.Domain.Users, simulator.User{Name: "oldsvc", SPNs: w.account().SPNs})
		w.account().SPNs = nil
	})},
	{[]string{"app-sql-login-missing"}, "S11", "sql", nil, always(func(w *World) { w.SQLServers[0].Logins = nil })},
}

var creators = []injector{
	{[]string{"kds-no-root-key"}, "S2", "kds", nil, always(func(w *World) { w.Domain.KDSRootKeys = nil })},
	{[]string{"kds-not-yet-effective"}, "S2", "kds", nil, always(func(w *World) { w.Domain.KDSRootKeys[0].Effective = simulator.Immediately })},
	{[]string{"kds-default-effective-10-days", "kds-not-yet-effective"}, "S2", "kds", nil, always(func(w *World) { w.Domain.KDSRootKeys[0].Effective = simulator.Effective{} })},
	{[]string{"acl-principal-missing"}, "S2", "principal", nil, always(func(w *World) { w.Create[0].AllowedToRetrieve = []string{"WebHosts"} })},
	{[]string{"acct-already-exists", "acct-name-collision-user"}, "S2", "name", nil, always(func(w *World) { w.Create[0].Name = w.Domain.Hosts[0].Name })},
}

// inject puts one to three compatible faults of a list into a world.
func inject(r *rand.Rand, w *World, list []injector) []injector {
	var in []injector
	for want := 1 + r.IntN(3); len(in) < want; {
		i := list[r.IntN(len(list))]
		if slices.ContainsFunc(in, func(o injector) bool {
			return o.slot == i.slot || slices.Contains(o.hides, i.slot) || slices.Contains(i.hides, o.slot)
		}) {
			want-- // one fault less, rather than a search for one that fits
			if len(in) == 0 {
				want = 1
			}
			continue
		}
		if i.inject(r, w) {
			in = append(in, i)
		}
	}
	return in
}
