package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// system is what a host is as a machine: its Windows, its container engine and what is installed beside them.
type system struct {
	os           string
	engine       windows.Engine
	noHypervisor bool
	ccgStopped   bool
	ccgManifest  bool // of the events of Container Credential Guard, brought along
	smbInHost    bool // network compartment
	signedIn     bool // somebody, at the desktop
}

func systemOf(cfg HostConfig) system {
	return system{os: cfg.OS, engine: cfg.Engine, noHypervisor: cfg.NoHypervisor, ccgStopped: cfg.CCGStopped, smbInHost: cfg.SMBInHostNetwork, signedIn: cfg.SignedIn}
}

// release is the system's Windows.
func (s system) release() (windows.OS, error) {
	name := s.os
	if name == "" {
		name = "Windows Server 2019"
	}
	return windows.ParseOS(name)
}

// machineSystem is the host's system as it is now.
func (h *Host) machineSystem() system {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sys
}

// release is the host's Windows.
func (h *Host) release() (windows.OS, error) { return h.machineSystem().release() }

// Upgrade gives the host another Windows or another container engine and restarts it; "" and the zero engine leave what is there. With
// another Windows and no engine the engine is that of the release's time. It goes back as well, which is a new installation.
func (h *Host) Upgrade(os string, engine windows.Engine) error {
	sys := h.machineSystem()
	if os != "" {
		sys.os, sys.engine = os, engine
	} else if engine != (windows.Engine{}) {
		sys.engine = engine
	}
	release, err := sys.release()
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.sys = sys
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: strings.TrimSpace(fmt.Sprintf("now runs %s %s", release, sys.engine))})
	h.Restart()
	return nil
}

// InstallHyperV is Install-WindowsFeature Hyper-V -Restart on a processor that can do it, in a virtual machine with nested virtualisation.
func (h *Host) InstallHyperV() {
	h.mu.Lock()
	h.sys.noHypervisor = false
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "Install-WindowsFeature Hyper-V -Restart"})
	h.Restart()
}
