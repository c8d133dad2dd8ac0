package windows

import (
	"encoding"
	"errors"
	"strings"
	"testing"
)

func TestParseEngine(t *testing.T) {
	for _, c := range []struct {
		in, want string
	}{
		{"docker 18.09.0", "docker 18.09"}, {"20.10.7", "docker 20.10"}, {"Docker EE 17.06.2-ee-16", "docker 17.06"}, {"v23.0.1", "docker 23.0"}, {"1.13.1", "docker 1.13"},
		{"containerd 1.6.8", "containerd 1.6"}, {"containerd", "containerd"}, {"docker", "docker"}, {"", ""}, {"containerd v2", "containerd 2.0"},
	} {
		if got, err := ParseEngine(c.in); err != nil || got.String() != c.want {
			t.Errorf("ParseEngine(%q): got %q, %v, want %q", c.in, got, err, c.want)
		}
	}
	for _, c := range []struct{ in, nearest string }{
		{"dokcer 20.10", "docker"}, {"docker containerd", "docker"}, {"docker 18.09 20.10", "18.09"}, {"docker 18.x", ""}, {"0.1", ""}, {"1234.1", ""}, {strings.Repeat("1", maxName+1), ""},
	} {
		got, err := ParseEngine(c.in)
		if name, ok := errors.AsType[*NameError](err); !ok || name.Nearest != c.nearest {
			t.Errorf("ParseEngine(%.20q): got %v, %v, want nearest %q", c.in, got, err, c.nearest)
		}
	}
}

func TestParseKubernetesVersion(t *testing.T) {
	for in, want := range map[string]string{"1.14": "1.14", "v1.18.3": "1.18", "v1.18.10-eks-1": "1.18", " V1.32.0+k3s1 ": "1.32"} {
		if got, err := ParseKubernetesVersion(in); err != nil || got.String() != want {
			t.Errorf("ParseKubernetesVersion(%q): got %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "1", "one.two", "1.x", strings.Repeat("1.", maxName)} {
		if got, err := ParseKubernetesVersion(in); err == nil {
			t.Errorf("ParseKubernetesVersion(%.20q): got %s, want an error", in, got)
		}
	}
}

func TestIsolation(t *testing.T) {
	for _, c := range []struct {
		in      string
		edition Edition
		want    Isolation
	}{{"", Server, Process}, {"default", Client, HyperV}, {"Process", Client, Process}, {"hyperv", Server, HyperV}} {
		got, err := ParseIsolation(c.in)
		if got = got.Resolve(c.edition); err != nil || got != c.want {
			t.Errorf("isolation %q on a %s: got %s, %v, want %s", c.in, c.edition, got, err, c.want)
		}
	}
	_, err := ParseIsolation("hyper-v")
	if name, ok := errors.AsType[*NameError](err); !ok || name.Nearest != "hyperv" {
		t.Errorf("isolation hyper-v: got %v, want nearest hyperv", err)
	}
}

// TestPeriodEngine shows that an engine of the host's time never stands in the way.
func TestPeriodEngine(t *testing.T) {
	for r := range Releases() {
		e := PeriodEngine(r.Build)
		if !EngineRuns(r.Build, e) {
			t.Errorf("%s does not run on %s", e, r)
		}
		if got, want := IsolationOffered(r.Build, r.Edition, e, true, Process), r.Edition == Server || r.Build >= Build1809; got != want {
			t.Errorf("process isolation on %s with %s: got %v, want %v", r, e, got, want)
		}
	}
}

func TestParseUser(t *testing.T) {
	for _, c := range []struct {
		in   string
		want User
	}{
		{"", User{}}, {"NT AUTHORITY\\NETWORK SERVICE", networkService}, {"nt authority\\networkservice", networkService}, {"Network Service", networkService},
		{"SYSTEM", User{System, `NT AUTHORITY\SYSTEM`}}, {"LocalSystem", User{System, `NT AUTHORITY\SYSTEM`}}, {`NT AUTHORITY\LOCAL SERVICE`, User{LocalService, `NT AUTHORITY\LOCAL SERVICE`}},
		{"ContainerAdministrator", containerAdmin}, {`user manager\containeradministrator`, containerAdmin}, {`.\ContainerUser`, User{ContainerUser, `User Manager\ContainerUser`}},
		{`IIS APPPOOL\DefaultAppPool`, User{AppPool, `IIS APPPOOL\DefaultAppPool`}}, {`nt service\w3svc`, User{VirtualService, `NT SERVICE\w3svc`}},
		{`CONTOSO\LogAgentSvc$`, User{DomainAccount, `CONTOSO\LogAgentSvc$`}}, {"alice@contoso.com", User{DomainAccount, "alice@contoso.com"}}, {"appuser", User{LocalUser, "appuser"}},
		{`.\appuser`, User{LocalUser, "appuser"}}, {`CONTOSO\SYSTEM`, User{DomainAccount, `CONTOSO\SYSTEM`}},
	} {
		if got, err := ParseUser(c.in); err != nil || got != c.want {
			t.Errorf("ParseUser(%q): got %+v, %v, want %+v", c.in, got, err, c.want)
		}
	}
	for _, c := range []struct{ in, nearest string }{
		{`NT AUTHORITY\NETWRK SERVICE`, `NT AUTHORITY\NETWORK SERVICE`}, {`User Manager\ContainerAdmin`, `User Manager\ContainerUser`}, {strings.Repeat("a", maxName+1), ""},
	} {
		_, err := ParseUser(c.in)
		if name, ok := errors.AsType[*NameError](err); !ok || name.Nearest != c.nearest {
			t.Errorf("ParseUser(%.30q): got %v, want nearest %q", c.in, err, c.nearest)
		}
	}
	for f, want := range map[Flavour]UserKind{ServerCore: ContainerAdministrator, NanoServer: ContainerUser, FullServer: ContainerAdministrator} {
		if got := DefaultUser(f); got.Kind != want {
			t.Errorf("default user of %s: got %s", f, got)
		}
	}
}

func TestProfiles(t *testing.T) {
	want := Profiles{Concurrency2025, ObservedIdentity, RevisionWarn, FloorByEngine, StartsWithout}
	if got := (Profiles{}).WithDefaults(); got != want {
		t.Errorf("defaults: got %+v, want %+v", got, want)
	}
	for _, p := range []Profiles{{}, want, {Concurrency2019, StrictDocsIdentity, RevisionBlock, FloorOfCode, NoStart}, {ImageFloor: FloorOfDocs}} {
		if err := p.Validate(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
	for nearest, p := range map[string]Profiles{
		"2019-05": {Concurrency: "2019-5"}, "strictDocs": {Identity: "strictdocs"}, "block": {Revision: "blok"}, "docs": {ImageFloor: "doc"},
	} {
		if name, ok := errors.AsType[*NameError](p.Validate()); !ok || name.Nearest != nearest {
			t.Errorf("%+v: got %v, want nearest %q", p, name, nearest)
		}
	}
	for _, c := range []struct {
		ImageFloor
		EngineKind
		want ImageFloor
	}{{FloorByEngine, Docker, FloorOfDocs}, {FloorByEngine, Containerd, FloorOfCode}, {"", Containerd, FloorOfCode}, {FloorOfDocs, Containerd, FloorOfDocs}, {FloorOfCode, Docker, FloorOfCode}} {
		if got := c.For(c.EngineKind); got != c.want {
			t.Errorf("floor %q with %s: got %s, want %s", c.ImageFloor, c.EngineKind, got, c.want)
		}
	}
}

// TestText holds the text forms of configuration values against their readers.
func TestText(t *testing.T) {
	for _, c := range []struct {
		in encoding.TextMarshaler
		encoding.TextUnmarshaler
	}{
		{OS{Version{17763, 1817}, Client}, new(OS)}, {Image{ServerCore, Version{17763, 1817}, ""}, new(Image)}, {Engine{Docker, EngineVersion{18, 9}}, new(Engine)}, {networkService, new(User)},
	} {
		text, err := c.in.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.UnmarshalText(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if again, err := c.TextUnmarshaler.(encoding.TextMarshaler).MarshalText(); err != nil || string(again) != string(text) {
			t.Errorf("%s: got %s, %v", text, again, err)
		}
	}
}
