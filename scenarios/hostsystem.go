package scenarios

import (
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// hostSystemVerbs are what happens to a container host as a machine: its Windows, its engine, its services.
var hostSystemVerbs = []verb{
	{"upgradeHost", false, "give a host another Windows or container engine, and restart it", func() action { return &upgradeHost{} }},
	{"installHyperV", false, "Install-WindowsFeature Hyper-V -Restart", func() action { return &installHyperV{} }},
	{"stopCCG", false, "Container Credential Guard of a host does not answer any more", func() action { return &stopCCG{} }},
	{"startCCG", false, "Container Credential Guard of a host answers again", func() action { return &startCCG{} }},
	{"enableCompartmentNamespace", false, "set EnableCompartmentNamespace of HNS on a host, and restart it", func() action { return &enableCompartmentNamespace{} }},
	{"setRegistrySpec", false, "put the credential spec of a file into the registry of its host", func() action { return &setRegistrySpec{} }},
}

type upgradeHost struct {
	Host   string         `yaml:"host"`
	OS     string         `yaml:"os,omitempty"`
	Engine windows.Engine `yaml:"engine,omitempty"`
}

func (a *upgradeHost) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	if a.OS == "" && a.Engine == (windows.Engine{}) {
		s.d.fail(n.errorAt("os, engine or both"))
	}
	if a.OS != "" {
		if _, err := windows.ParseOS(a.OS); err != nil {
			s.d.fail(argument(n, "os").errorAt("%v", err))
		}
	}
}

func (a *upgradeHost) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	return h.Upgrade(a.OS, a.Engine)
}

type installHyperV struct {
	Host string `yaml:"host,scalar"`
}

func (a *installHyperV) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *installHyperV) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.InstallHyperV()
	}
	return err
}

type stopCCG struct {
	Host string `yaml:"host,scalar"`
}

func (a *stopCCG) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *stopCCG) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.SetCCG(false)
	}
	return err
}

type startCCG struct {
	Host string `yaml:"host,scalar"`
}

func (a *startCCG) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *startCCG) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.SetCCG(true)
	}
	return err
}

type enableCompartmentNamespace struct {
	Host string `yaml:"host,scalar"`
}

func (a *enableCompartmentNamespace) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *enableCompartmentNamespace) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.EnableCompartmentNamespace()
	}
	return err
}

type setRegistrySpec struct {
	Host string `yaml:"host"`
	Name string `yaml:"name"`
	File string `yaml:"file"`
}

func (a *setRegistrySpec) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *setRegistrySpec) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	return h.SetRegistrySpec(a.Name, a.File)
}
