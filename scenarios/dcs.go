package scenarios

import (
	"github.com/gmsasim/gmsasim/simulator"
)

// dcVerbs are what happens to domain controllers and to the forest beside the network.
var dcVerbs = []verb{
	{"stopKDS", false, "Stop-Service KdsSvc on a DC", func() action { return &stopKDS{} }},
	{"startKDS", false, "Start-Service KdsSvc on a DC", func() action { return &startKDS{} }},
	{"disableReplication", false, "repadmin /options DC +DISABLE_INBOUND_REPL", func() action { return &disableReplication{} }},
	{"enableReplication", false, "repadmin /options DC -DISABLE_INBOUND_REPL", func() action { return &enableReplication{} }},
	{"upgradeDC", false, "bring a DC to another release", func() action { return &upgradeDC{} }},
	{"updateDC", false, "install a cumulative update on a DC", func() action { return &updateDC{} }},
	{"extendSchema", false, "adprep /forestprep of the release that brings a version of the schema", func() action { return &extendSchema{} }},
}

type stopKDS onDC

func (a *stopKDS) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *stopKDS) do(r *attempt) error     { return (*onDC)(a).with(r, (*simulator.DC).StopKDS) }

type startKDS onDC

func (a *startKDS) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *startKDS) do(r *attempt) error     { return (*onDC)(a).with(r, (*simulator.DC).StartKDS) }

type disableReplication onDC

func (a *disableReplication) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *disableReplication) do(r *attempt) error {
	return (*onDC)(a).with(r, (*simulator.DC).DisableReplication)
}

type enableReplication onDC

func (a *enableReplication) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *enableReplication) do(r *attempt) error {
	return (*onDC)(a).with(r, (*simulator.DC).EnableReplication)
}

type upgradeDC struct {
	DC string `yaml:"dc"`
	OS string `yaml:"os"`
}

func (a *upgradeDC) check(s *scope, n *node) {
	s.dc(argument(n, "dc"), a.DC)
	s.d.validate(argument(n, "os"), "dcSettings[0].os", simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, DCs: []string{"DC01"},
		DCSettings: []simulator.DCSettings{{Name: "DC01", OS: a.OS}}})
}

func (a *upgradeDC) do(r *attempt) error {
	dc, err := r.dc(a.DC)
	if err != nil {
		return err
	}
	return dc.Upgrade(a.OS)
}

type updateDC struct {
	DC     string             `yaml:"dc"`
	Update simulator.DCUpdate `yaml:"update"`
}

func (a *updateDC) check(s *scope, n *node) {
	s.dc(argument(n, "dc"), a.DC)
	s.d.validate(argument(n, "update"), "dcSettings[0].update", simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, DCs: []string{"DC01"},
		DCSettings: []simulator.DCSettings{{Name: "DC01", Update: a.Update}}})
}

func (a *updateDC) do(r *attempt) error {
	dc, err := r.dc(a.DC)
	if err != nil {
		return err
	}
	return dc.InstallUpdate(a.Update)
}

type extendSchema struct {
	Version int `yaml:"version,scalar"`
}

func (a *extendSchema) check(s *scope, n *node) {
	if a.Version < 1 {
		s.d.fail(argument(n, "version").errorAt("%d is no version of a schema; 52 came with Windows Server 2012, 88 with 2019", a.Version))
	}
}

func (a *extendSchema) do(r *attempt) error {
	r.d.ExtendSchema(a.Version)
	return nil
}
