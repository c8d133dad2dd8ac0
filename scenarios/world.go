package scenarios

import (
	"time"

	"github.com/gmsasim/gmsasim/simulator"
)

// worldVerbs move time, break things and mend them.
var worldVerbs = []verb{
	{"advance", false, "move domain time by a duration", func() action { return &advance{} }},
	{"advanceTo", false, "move domain time to a time, the next change, or a point of a rotation", func() action { return &advanceTo{} }},
	{"stopDC", false, "take a DC off the network", func() action { return &stopDC{} }},
	{"startDC", false, "put a DC back on the network", func() action { return &startDC{} }},
	{"replicate", false, "repadmin /syncall, for all DCs or one", func() action { return &replicate{} }},
	{"restartKDS", false, "Restart-Service KdsSvc on a DC", func() action { return &restartKDS{} }},
	{"closePort", false, "a firewall keeps a port from a host", func() action { return &closePort{} }},
	{"openPort", false, "the firewall opens the port", func() action { return &openPort{} }},
	{"setClock", false, "set what the clock of a host, of a user's workstation or of a DC is ahead of domain time", func() action { return &setClock{} }},
	{"inject", false, "put a fault in force", func() action { return &inject{} }},
	{"lift", false, "take a fault back", func() action { return &lift{} }},
	{"clearFaults", false, "take all faults back", func() action { return &clearFaults{} }},
	{"snapshot", false, "remember the state of the domain", func() action { return &snapshot{} }},
	{"restore", false, "bring a remembered state back", func() action { return &restore{} }},
}

type onDC struct {
	DC string `yaml:"dc,scalar"`
}

func (a *onDC) check(s *scope, n *node) { s.dc(argument(n, "dc"), a.DC) }

func (a *onDC) with(r *attempt, work func(*simulator.DC)) error {
	dc, err := r.dc(a.DC)
	if err == nil {
		work(dc)
	}
	return err
}

type stopDC onDC

func (a *stopDC) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *stopDC) do(r *attempt) error     { return (*onDC)(a).with(r, (*simulator.DC).Stop) }

type startDC onDC

func (a *startDC) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *startDC) do(r *attempt) error     { return (*onDC)(a).with(r, (*simulator.DC).Start) }

type restartKDS onDC

func (a *restartKDS) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *restartKDS) do(r *attempt) error     { return (*onDC)(a).with(r, (*simulator.DC).RestartKDS) }

type replicate struct {
	DC string `yaml:"dc,omitempty,scalar"`
}

func (a *replicate) check(s *scope, n *node) {
	if a.DC != "" {
		s.dc(argument(n, "dc"), a.DC)
	}
}

func (a *replicate) do(r *attempt) error {
	if a.DC == "" {
		r.d.Replicate()
		return nil
	}
	return (&onDC{a.DC}).with(r, (*simulator.DC).Replicate)
}

type closePort struct {
	Host      string `yaml:"host,omitempty"`
	Container string `yaml:"container,omitempty"`
	// Port is "389" on every DC, "DC01:88" on one, "DC01" all of its ports.
	Port string `yaml:"port"`
}

func (a *closePort) check(s *scope, n *node) {
	switch {
	case given(a.Host, a.Container) != 1:
		s.d.fail(n.errorAt("either host or container"))
		return
	case a.Host != "":
		s.host(argument(n, "host"), a.Host)
	default:
		s.result(argument(n, "container"), a.Container, "runContainer")
	}
	s.ports(argument(n, "port"), a.Port)
}

// ports checks what a firewall may keep.
func (s *scope) ports(n *node, ports ...string) {
	for _, p := range ports {
		s.d.validate(n, "hosts[0].closedPorts[0]",
			simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, DCs: s.cfg.DCs, Domains: s.cfg.Domains,
				Hosts: []simulator.HostConfig{{Name: "h", ClosedPorts: []string{p}}}})
	}
}

// gate is what a firewall stands before.
type gate interface {
	ClosePort(port string)
	OpenPort(port string)
}

func (a *closePort) gate(r *attempt) (gate, error) {
	if a.Container != "" {
		return resultOf[*simulator.Running](r, a.Container, "container")
	}
	return r.host(a.Host)
}

func (a *closePort) do(r *attempt) error {
	g, err := a.gate(r)
	if err == nil {
		g.ClosePort(a.Port)
	}
	return err
}

type openPort closePort

func (a *openPort) check(s *scope, n *node) { (*closePort)(a).check(s, n) }

func (a *openPort) do(r *attempt) error {
	g, err := (*closePort)(a).gate(r)
	if err == nil {
		g.OpenPort(a.Port)
	}
	return err
}

type inject simulator.Fault

func (a *inject) check(s *scope, n *node) {
	cfg := simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, DCs: s.cfg.DCs, Domains: s.cfg.Domains,
		Faults: []simulator.Fault{simulator.Fault(*a)}}
	for _, h := range s.hosts {
		cfg.Hosts = append(cfg.Hosts, simulator.HostConfig{Name: h})
	}
	s.d.validate(n, "faults[0]", cfg)
}

func (a *inject) do(r *attempt) error {
	r.keep(r.d.Inject(simulator.Fault(*a)))
	return nil
}

type lift struct {
	Fault string `yaml:"fault,scalar"`
}

func (a *lift) check(s *scope, n *node) { s.result(argument(n, "fault"), a.Fault, "inject") }

func (a *lift) do(r *attempt) error {
	remove, err := resultOf[func()](r, a.Fault, "fault")
	if err == nil {
		remove()
	}
	return err
}

type clearFaults struct{}

func (*clearFaults) check(*scope, *node) {}

func (*clearFaults) do(r *attempt) error {
	r.d.ClearFaults()
	return nil
}

type snapshot struct{}

func (*snapshot) check(s *scope, n *node) {
	if s.current.id == "" {
		s.d.fail(n.errorAt("a snapshot needs an id, by which restore names it"))
		return
	}
	s.hostsAt[s.current.id] = append([]string(nil), s.hosts...)
}

func (*snapshot) do(r *attempt) error {
	r.keep(r.d.Snapshot())
	return nil
}

type restore struct {
	Snapshot string `yaml:"snapshot,scalar"`
}

func (a *restore) check(s *scope, n *node) {
	s.result(argument(n, "snapshot"), a.Snapshot, "snapshot")
	if hosts, ok := s.hostsAt[a.Snapshot]; ok {
		s.hosts = hosts
	}
	s.earlier = time.Time{}
}

func (a *restore) do(r *attempt) error {
	snap, err := resultOf[*simulator.Snapshot](r, a.Snapshot, "snapshot")
	if err != nil {
		return err
	}
	return r.d.Restore(snap)
}
