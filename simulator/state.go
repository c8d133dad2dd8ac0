package simulator

import (
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// State is a summary of the domain for people and programs, as its first DC sees it.
type State struct {
	Time            time.Time      `json:"time"`
	DNSName         string         `json:"dnsName"`
	NetBIOSName     string         `json:"netbiosName"`
	SID             string         `json:"sid"`
	Seed            uint64         `json:"seed"`
	DCs             []DCState      `json:"dcs"`
	KDSRootKeys     []RootKeyState `json:"kdsRootKeys"`
	ServiceAccounts []string       `json:"serviceAccounts"`
	Groups          []string       `json:"groups"`
	Users           []string       `json:"users"`
	Hosts           []HostState    `json:"hosts"`
	Faults          []Fault        `json:"faults"`
}

// DCState is a DC in a [State].
type DCState struct {
	Name    string `json:"name"`
	DNSName string `json:"dnsName"`
	Running bool   `json:"running"`
}

// HostState is a host in a [State].
type HostState struct {
	Name        string        `json:"name"`
	LastRestart time.Time     `json:"lastRestart"`
	ClockOffset time.Duration `json:"clockOffset,omitempty"`
	Tickets     []Ticket      `json:"tickets,omitempty"`
	// CredentialSpecs are the files in the folder of its engine.
	CredentialSpecs []string         `json:"credentialSpecs,omitempty"`
	Containers      []ContainerState `json:"containers,omitempty"`
}

// ContainerState is a running container in a [State].
type ContainerState struct {
	ID        string `json:"id"`
	Hostname  string `json:"hostname"`
	Image     string `json:"image"`
	Isolation string `json:"isolation"`
	User      string `json:"user"`
	// Account is the one of its credential spec, "" without.
	Account string `json:"account,omitempty"`
	// Channel is the last known status of its secure channel.
	Channel string `json:"channel,omitempty"`
}

func (r *Running) state() ContainerState {
	s := ContainerState{ID: r.shortID(), Hostname: r.Hostname(), Image: r.Image(), Isolation: r.Isolation(), User: r.User()}
	if r.spec != nil {
		s.Account = r.account()
		r.mu.Lock()
		s.Channel = r.channel.status.String()
		r.mu.Unlock()
	}
	return s
}

// RootKeyState is a KDS root key in a [State], as Get-KdsRootKey shows it, with the time when it becomes usable.
type RootKeyState struct {
	ID        string    `json:"id"`
	Creator   string    `json:"domainController"` // DN of the DC that made it
	Created   time.Time `json:"created"`
	Effective time.Time `json:"effective"`
	Usable    time.Time `json:"usable"`
	// AttributeOfWrongFormat is what keeps the key from being used; "" when IsFormatValid is True.
	AttributeOfWrongFormat string `json:"attributeOfWrongFormat,omitempty"`
}

// State summarises the domain as its first DC sees it. Groups and users are those of the configuration and of the verbs, not the
// domain's own.
func (d *Domain) State() State {
	dc := d.dcs[0]
	s := State{Time: d.Clock.Now(), DNSName: d.DNSName(), NetBIOSName: d.NetBIOSName(), SID: d.root().SID.String(), Seed: d.cfg.Seed,
		KDSRootKeys: dc.rootKeyStates(), Faults: d.Faults(),
		ServiceAccounts: dc.names(serviceAccountFilter), Groups: dc.names(ownGroupFilter), Users: dc.names(ownUserFilter)}
	for _, c := range d.dcs {
		s.DCs = append(s.DCs, DCState{c.name, c.DNSName(), c.Running()})
	}
	for _, h := range d.Hosts() {
		h.station.mu.Lock()
		offset := h.offset
		h.station.mu.Unlock()
		hs := HostState{Name: h.Name(), LastRestart: h.LastRestart(), ClockOffset: offset, Tickets: h.Tickets(), CredentialSpecs: h.CredentialSpecs()}
		for _, c := range h.Containers() {
			hs.Containers = append(hs.Containers, c.state())
		}
		s.Hosts = append(s.Hosts, hs)
	}
	return s
}

// Objects that the domain brings along are critical system objects ([MS-ADTS] isCriticalSystemObject), except the two groups that
// the DNS server makes for itself.
var (
	ownGroupFilter = filter.MustParse("(&(objectClass=group)(!(isCriticalSystemObject=TRUE))(!(sAMAccountName=DnsAdmins))(!(sAMAccountName=DnsUpdateProxy)))")
	ownUserFilter  = filter.MustParse("(&(objectCategory=person)(objectClass=user)(!(isCriticalSystemObject=TRUE)))")
)

// names are the sAMAccountNames that a filter finds, without the final $.
func (dc *DC) names(f *filter.Filter) []string {
	names := []string{}
	// What cannot be searched has no names to show.
	_ = dc.search(dc.dom.DN, f, []string{"sAMAccountName"}, func(e *directory.Entry) {
		names = append(names, strings.TrimSuffix(e.Value("sAMAccountName"), "$"))
	})
	return names
}

func (dc *DC) rootKeyStates() []RootKeyState {
	list := []RootKeyState{}
	for _, k := range dc.rootKeys() {
		list = append(list, RootKeyState{ID: k.ID.String(), Creator: k.DomainController, Created: k.CreateTime, Effective: k.UseStartTime, Usable: dc.d.policy.UsableAt(k.RootKey), AttributeOfWrongFormat: k.WrongFormat})
	}
	return list
}

// KDSRootKeys lists the root keys in the DC's replica (Get-KdsRootKey).
func (dc *DC) KDSRootKeys() []RootKeyState { return dc.rootKeyStates() }
