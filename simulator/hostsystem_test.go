package simulator

import (
	"errors"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// TestUpgrade: an upgrade changes what a host runs, ends its containers, and a snapshot brings the old system back.
func TestUpgrade(t *testing.T) {
	cfg := Contoso()
	cfg.Hosts[0].OS, cfg.Hosts[0].Engine = "Windows Server 2016", windows.Engine{Kind: windows.Docker, Version: windows.EngineVersion{Major: 23}}
	d := StartT(t, cfg)
	h := d.Host("ContainerHost01")
	c := gmsaContainer()
	c.User = windows.User{}
	before := d.Snapshot()
	if _, err := h.Run(c); !errors.Is(err, diag.EngineTooNew) {
		t.Fatalf("Docker 23 on Windows Server 2016: got %v, want %s", err, string(diag.EngineTooNew))
	}
	check(t, h.Upgrade("Windows Server 2022", windows.Engine{}))
	if r := start(t, h, c); r.image.Build != windows.Build2022 || r.engine != windows.PeriodEngine(windows.Build2022) {
		t.Errorf("after the upgrade: got build %s and engine %s", r.image.Build, r.engine)
	}
	check(t, h.Upgrade("", windows.Engine{Kind: windows.Docker, Version: windows.EngineVersion{Major: 24}}))
	if n := len(h.Containers()); n != 0 {
		t.Errorf("an upgrade leaves %d containers, want none", n)
	}
	if sys := h.machineSystem(); sys.os != "Windows Server 2022" || sys.engine.String() != "docker 24.0" {
		t.Errorf("another engine: got %s, %s", sys.os, sys.engine)
	}
	if err := h.Upgrade("Windows Server 2012", windows.Engine{}); err == nil {
		t.Error("a release without containers: got no error")
	}
	check(t, d.Restore(before))
	if _, err := h.Run(c); !errors.Is(err, diag.EngineTooNew) {
		t.Errorf("after the snapshot: got %v, want %s", err, string(diag.EngineTooNew))
	}
}

// TestCCG: Container Credential Guard matters for credentials only, and a restart of the host brings it back.
func TestCCG(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	h.SetCCG(false)
	if _, err := h.Run(gmsaContainer()); !errors.Is(err, diag.CCGUnavailable) || !strings.Contains(err.Error(), "winapi error #3489792023") {
		t.Errorf("without the service: got %v, want %s", err, string(diag.CCGUnavailable))
	}
	start(t, h, Container{})
	h.Restart()
	start(t, h, gmsaContainer())
}

// TestHandover: which ways of handing a credential spec over arrive.
func TestHandover(t *testing.T) {
	d := StartT(t, Contoso())
	for _, tc := range []struct {
		way      Handover
		security string // docker inspect
		err      error
	}{
		{"", `["credentialspec=file://contoso_webapp01.json"]`, nil},
		{BySecurityOpt, `["credentialspec=file://contoso_webapp01.json"]`, nil},
		{ByComposeSecurityOpt, `["credentialspec=file://contoso_webapp01.json"]`, nil},
		{ByComposeKey, "null", nil},
		{ByBuild, "null", nil},
		{ByLegacyFlag, "", diag.UnknownFlag},
	} {
		c := gmsaContainer()
		c.Handover = tc.way
		r, err := d.Host("ContainerHost01").Run(c)
		if !errors.Is(err, tc.err) {
			t.Errorf("%q: got %v, want %v", tc.way, err, tc.err)
		}
		if err != nil {
			continue
		}
		if got := r.SecurityOpt(); got != tc.security {
			t.Errorf("%q: got %s, want %s", tc.way, got, tc.security)
		}
		if _, err := r.NltestParentDomain(); (err == nil) != (tc.security != "null") {
			t.Errorf("%q: nltest /parentdomain: got %v", tc.way, err)
		}
	}
	if err := (Container{Handover: "carrier pigeon"}).Validate(); err == nil {
		t.Error("a way that nobody has: got no error")
	}
}

// TestRegistrySpec: a value is what its file was when it was made.
func TestRegistrySpec(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	c := gmsaContainer()
	c.CredentialSpec = "registry://web"
	if _, err := h.Run(c); err == nil || !strings.Contains(err.Error(), "could not be opened") {
		t.Errorf("no value at all: got %v", err)
	}
	if err := h.SetRegistrySpec("web", "other.json"); err == nil {
		t.Error("no such file: got no error")
	}
	check(t, h.SetRegistrySpec("Web", "contoso_webapp01.json"))
	h.WriteCredentialSpec("contoso_webapp01.json", nil)
	start(t, h, c)
	c.CredentialSpec = "registry://web2"
	if _, err := h.Run(c); err == nil || !strings.Contains(err.Error(), "was not found") {
		t.Errorf("another value: got %v", err)
	}
}
