package scenarios

import "github.com/gmsasim/gmsasim/simulator"

// hostCareVerbs repair and change hosts.
var hostCareVerbs = []verb{
	{"testSecureChannel", true, "Test-ComputerSecureChannel on a host", func() action { return &testSecureChannel{} }},
	{"rejoinHost", true, "Remove-Computer, Remove-ADComputer and Add-Computer under the same name", func() action { return &rejoinHost{} }},
	{"installADModule", false, "Install-WindowsFeature RSAT-AD-PowerShell", func() action { return &installADModule{} }},
}

type installADModule struct {
	Host string `yaml:"host,scalar"`
}

func (a *installADModule) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *installADModule) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.InstallADModule()
	}
	return err
}

type testSecureChannel struct {
	Host string `yaml:"host"`
	// Repair is -Repair: the administrator sets a password on which both sides agree.
	Repair bool `yaml:"repair,omitempty"`
}

func (a *testSecureChannel) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *testSecureChannel) do(r *attempt) error {
	if a.Repair {
		return r.admin().RepairSecureChannel(a.Host)
	}
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	return h.TestSecureChannel()
}

type rejoinHost struct {
	Host string `yaml:"host"`
	// Domain is the DNS name of the domain that it joins. Default: the one that it was in.
	Domain string `yaml:"domain,omitempty"`
}

func (a *rejoinHost) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	if a.Domain != "" {
		s.d.validate(n, "hosts[0]", simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, DCs: s.cfg.DCs, Domains: s.cfg.Domains,
			Hosts: []simulator.HostConfig{{Name: "h", Domain: a.Domain}}})
	}
}

func (a *rejoinHost) do(r *attempt) error {
	_, err := r.admin().RejoinHost(a.Host, a.Domain)
	return err
}
