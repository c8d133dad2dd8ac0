package windows

import (
	"cmp"
	"fmt"
	"strings"
)

// Isolation is how a container is kept apart from its host.
type Isolation string

// The isolations, as docker run --isolation takes them. [DefaultIsolation] is the one that the host chooses.
const (
	DefaultMode Isolation = ""
	Process     Isolation = "process"
	HyperV      Isolation = "hyperv"
)

// ParseIsolation reads the value of --isolation; "default" and "" are [DefaultMode].
func ParseIsolation(text string) (Isolation, error) {
	if text == "" || strings.EqualFold(text, "default") {
		return DefaultMode, nil
	}
	return oneOf(KindIsolation, text, Process, HyperV)
}

// Resolve is the isolation that is meant on a host of this edition: servers default to process, clients to hyperv
// (moby daemon/daemon_windows.go).
func (i Isolation) Resolve(e Edition) Isolation {
	switch {
	case i != DefaultMode:
		return i
	case e == Client:
		return HyperV
	}
	return Process
}

// EngineKind is the program that creates containers.
type EngineKind string

// The engines. Containerd stands for containerd with hcsshim, as Kubernetes uses it.
const (
	Docker     EngineKind = "docker"
	Containerd EngineKind = "containerd"
)

// Engine is a container engine. The zero value stands for the one of the host's time, [PeriodEngine].
type Engine struct {
	Kind    EngineKind
	Version EngineVersion
}

// String is the kind and the version: "docker 18.09".
func (e Engine) String() string {
	if e.Version == (EngineVersion{}) {
		return string(e.Kind)
	}
	return string(e.Kind) + " " + e.Version.String()
}

// MarshalText is String.
func (e Engine) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText is [ParseEngine].
func (e *Engine) UnmarshalText(text []byte) (err error) {
	*e, err = ParseEngine(string(text))
	return err
}

// EngineVersion is the part of a version that rules look at. Docker's versions are years and months up to 20.10, as in 18.09,
// and consecutive numbers from 23.0 on.
type EngineVersion struct{ Major, Minor int }

// String is the version; months of Docker have two digits.
func (v EngineVersion) String() string {
	if v.Major >= 17 && v.Major <= 20 {
		return fmt.Sprintf("%d.%02d", v.Major, v.Minor)
	}
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// AtLeast tells whether v is the version major.minor or a later one.
func (v EngineVersion) AtLeast(major, minor int) bool {
	return cmp.Or(cmp.Compare(v.Major, major), cmp.Compare(v.Minor, minor)) >= 0
}

// ParseEngine reads an engine, as in "docker 18.09.0", "20.10.7", "Docker EE 17.06.2-ee-16" or "containerd 1.6.8". Without a
// kind it is Docker; "" is the zero value; without a version, as in "containerd", every version that a rule asks for is there
// when the kind is containerd, and the period's when it is Docker.
func ParseEngine(text string) (Engine, error) {
	fail := func(rule, near string) (Engine, error) {
		return Engine{}, &NameError{Kind: KindEngine, Name: text, Rule: rule, Nearest: near}
	}
	if len(text) > maxName {
		return fail("it is too long to be one", "")
	}
	var e Engine
	for _, word := range strings.Fields(strings.ToLower(text)) {
		switch {
		case word == string(Docker) || word == string(Containerd):
			if e.Kind != "" {
				return fail("it names two engines", string(e.Kind))
			}
			e.Kind = EngineKind(word)
		case word == "ee" || word == "ce" || word == "engine" || word == "version":
		case e.Version == EngineVersion{}:
			major, minor, ok := versionPair(word)
			if !ok {
				near := nearest(word, []string{string(Docker), string(Containerd)})
				return fail("it is a name, docker or containerd, and a version as 20.10", near)
			}
			e.Version = EngineVersion{major, minor}
		default:
			return fail("it has two versions", e.Version.String())
		}
	}
	if e.Kind == "" && e.Version != (EngineVersion{}) {
		e.Kind = Docker
	}
	return e, nil
}

// versionPair reads the first two numbers of a version such as v1.18.10-eks-1. A missing minor number is 0.
func versionPair(word string) (major, minor int, ok bool) {
	word = strings.TrimPrefix(word, "v")
	word, _, _ = strings.Cut(word, "-")
	word, _, _ = strings.Cut(word, "+")
	first, rest, hasMinor := strings.Cut(word, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, ok := number(first)
	if !ok || a == 0 || len(first) > 3 {
		return 0, 0, false
	}
	var b uint32
	if hasMinor {
		if b, ok = number(second); !ok || len(second) > 3 {
			return 0, 0, false
		}
	}
	return int(a), int(b), true
}

// PeriodEngine is a Docker engine that was current when the build was new and that runs on it: the rules of engines
// ([EngineRuns], [IsolationOffered]) then do not stand in the way of what the build itself offers.
func PeriodEngine(host Build) Engine {
	v := EngineVersion{17, 6}
	switch {
	case host >= Build23H2:
		v = EngineVersion{23, 0}
	case host >= Build2022:
		v = EngineVersion{20, 10}
	case host >= Build1809:
		v = EngineVersion{18, 9}
	}
	return Engine{Docker, v}
}

// orPeriod fills in what is not said.
func (e Engine) orPeriod(host Build) Engine {
	if e.Kind == "" || e.Kind == Docker && e.Version == (EngineVersion{}) {
		return PeriodEngine(host)
	}
	return e
}

// KubernetesVersion is the part of a version of Kubernetes that rules look at.
type KubernetesVersion struct{ Major, Minor int }

// String is the version as major.minor.
func (v KubernetesVersion) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// ParseKubernetesVersion reads "1.18", "v1.18.3" or "v1.18.10-eks-1".
func ParseKubernetesVersion(text string) (KubernetesVersion, error) {
	word := strings.TrimSpace(text)
	if len(word) <= maxName {
		if major, minor, ok := versionPair(strings.ToLower(word)); ok && strings.Contains(word, ".") {
			return KubernetesVersion{major, minor}, nil
		}
	}
	return KubernetesVersion{}, &NameError{
		Kind: KindKubernetes, Name: text, Rule: "a version is major.minor, as in 1.18", Nearest: "1.18",
	}
}
