// Package sweep runs one container in every combination of what can differ: the release of the host, the isolation, the image, the host
// name, how the host came by the right to read the password, the service principal name, and the readings of the rules on which the sources
// contradict each other. Each case is a container that is really run in a simulated domain, and looked at by the same observers as
// anywhere else; no case is computed from another.
package sweep

import (
	"slices"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Axes are the values that are combined. [AllAxes] has them all; take values away for a smaller sweep.
type Axes struct {
	// Releases are hosts.
	Releases []windows.Release
	// Isolations are values of docker run --isolation; "" is the default of the host.
	Isolations []windows.Isolation
	// Images are tags of the Server Core image.
	Images []string
	// Users are what the application in the container runs as.
	Users []User
	// Hostnames are kinds of host names.
	Hostnames []Hostname
	// Memberships are ways in which the host may, or may not, read the password.
	Memberships []Membership
	// SPNs are states of the service principal name that clients ask for.
	SPNs []SPN
	// Profiles are readings of rules.
	Profiles []windows.Profiles
}

// Hostname is a kind of host name.
type Hostname string

// The host names.
const (
	NoHostname     Hostname = "none"      // the engine chooses the first digits of the id
	AccountsName   Hostname = "account"   // the service account's name
	QualifiedName  Hostname = "qualified" // the account's name with the domain
	AnotherName    Hostname = "another"   // any other name
	SharedHostname Hostname = "shared"    // the account's name, which a container on another host has too and takes over
)

// User is what the application runs as.
type User string

// The users.
const (
	NetworkService User = "network service" // a service or an application pool that runs as NETWORK SERVICE
	DefaultUser    User = "image's default" // what the image starts processes as
)

// Membership is how the host comes by the right to read the password.
type Membership string

// The memberships.
const (
	Member      Membership = "member"      // of the group that is allowed, since before its last restart
	StaleTicket Membership = "newer"       // a member since after its last restart
	NotMember   Membership = "none"        // neither a member nor on the list
	OnTheList   Membership = "on the list" // on the account's list itself
)

// SPN is the state of the service principal name that clients ask for.
type SPN string

// The states.
const (
	RightSPN     SPN = "right"
	MissingSPN   SPN = "missing"
	DuplicateSPN SPN = "duplicate"
	OtherOwner   SPN = "other account"
)

// AllAxes are all releases of Windows that run containers with what can be combined with them, 278,400 cases.
func AllAxes() Axes {
	a := Axes{
		Isolations:  []windows.Isolation{windows.DefaultMode, windows.Process, windows.HyperV},
		Images:      []string{"ltsc2016", "1709", "1803", "ltsc2019", "1903", "1909", "2004", "20H2", "ltsc2022", "ltsc2025"},
		Users:       []User{NetworkService, DefaultUser},
		Hostnames:   []Hostname{NoHostname, AccountsName, QualifiedName, AnotherName, SharedHostname},
		Memberships: []Membership{Member, StaleTicket, NotMember, OnTheList},
		SPNs:        []SPN{RightSPN, MissingSPN, DuplicateSPN, OtherOwner},
		// The readings that are the default, and the other ones.
		Profiles: []windows.Profiles{{Concurrency: windows.Concurrency2025, Identity: windows.ObservedIdentity},
			{Concurrency: windows.Concurrency2019, Identity: windows.StrictDocsIdentity}},
	}
	for r := range windows.Releases() {
		// Two releases of one build and edition are the same host.
		if !slices.ContainsFunc(a.Releases, func(o windows.Release) bool { return o.Build == r.Build && o.Edition == r.Edition }) {
			a.Releases = append(a.Releases, r)
		}
	}
	return a
}

// Count is how many cases there are.
func (a Axes) Count() int { return a.worlds() * a.perWorld() }

func (a Axes) worlds() int { return len(a.Profiles) * len(a.Memberships) * len(a.SPNs) }

func (a Axes) perWorld() int {
	return len(a.Users) * len(a.Releases) * len(a.Isolations) * len(a.Images) * len(a.Hostnames)
}

// world is what one domain has in common.
type world struct {
	profiles   windows.Profiles
	membership Membership
	spn        SPN
}

func (a Axes) world(i int) world {
	n, m := len(a.SPNs), len(a.Memberships)
	return world{a.Profiles[i/(n*m)], a.Memberships[i/n%m], a.SPNs[i%n]}
}

// account is the service account, service the name that clients ask for.
const (
	account   = "WebApp01"
	service   = "http/shop.contoso.com"
	credspec  = "file://contoso_webapp01.json"
	neighbour = "NEIGHBOUR"
)

// config is a domain with one host of each release.
func (a Axes) config(w world) simulator.Config {
	start := time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)
	group := simulator.Group{Name: "WebApp01Hosts", Scope: simulator.Global}
	gmsa := simulator.ServiceAccount{Name: account, AllowedToRetrieve: []string{group.Name}}
	cfg := simulator.Config{
		Start: start, Profiles: w.profiles,
		KDSRootKeys: []simulator.KDSRootKey{{Effective: simulator.Ago(10 * time.Hour)}},
		Users:       []simulator.User{{Name: "alice"}},
	}
	host := func(name, os string) {
		cfg.Hosts = append(cfg.Hosts, simulator.HostConfig{Name: name, OS: os, CredentialSpecs: []string{account}, LastRestart: start.Add(-time.Hour)})
	}
	for i, r := range a.Releases {
		host(hostName(i), r.Name)
	}
	group.Members = append(group.Members, neighbour)
	for i := range a.Releases {
		switch w.membership {
		case Member, StaleTicket:
			group.Members = append(group.Members, hostName(i))
		case OnTheList:
			gmsa.AllowedToRetrieve = append(gmsa.AllowedToRetrieve, hostName(i))
		}
	}
	if w.membership == StaleTicket {
		group.MembersSince = start.Add(-time.Minute)
		gmsa.AllowedToRetrieve = append(gmsa.AllowedToRetrieve, neighbour) // it is not what is looked at
	}
	host(neighbour, "Windows Server 2022")
	switch w.spn {
	case RightSPN:
		gmsa.SPNs = []string{service}
	case DuplicateSPN:
		gmsa.SPNs = []string{service}
		cfg.Users = append(cfg.Users, simulator.User{Name: "oldsvc", SPNs: []string{service}})
	case OtherOwner:
		cfg.Users = append(cfg.Users, simulator.User{Name: "oldsvc", SPNs: []string{service}})
	}
	cfg.Groups, cfg.ServiceAccounts = []simulator.Group{group}, []simulator.ServiceAccount{gmsa}
	return cfg
}

func hostName(i int) string { return "H" + string(rune('A'+i/26)) + string(rune('A'+i%26)) }

// container is what docker run is told.
func container(image windows.Image, iso windows.Isolation, h Hostname, u User) simulator.Container {
	c := simulator.Container{Image: image, Isolation: iso, CredentialSpec: credspec}
	if u == NetworkService {
		c.Service = windows.User{Kind: windows.NetworkService}
	}
	switch h {
	case AccountsName, SharedHostname:
		c.Hostname = "webapp01"
	case QualifiedName:
		c.Hostname = "webapp01.contoso.com"
	case AnotherName:
		c.Hostname = "shop"
	}
	return c
}
