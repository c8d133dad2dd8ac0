package windows

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// suite is all predicates: those that a decision is made of and the two that stand apart from it.
type suite struct {
	rules
	kubernetesSupport func(v KubernetesVersion) KubernetesStage
	rootKeyUsable     func(effective, now time.Time) bool
}

var publishedSuite = suite{rules: published, kubernetesSupport: KubernetesSupport, rootKeyUsable: RootKeyUsable}

// A boundary is one side of a limit of a predicate.
type boundary struct {
	predicate Predicate
	name      string
	got       func(s *suite) any
	want      any
}

var (
	networkService = User{NetworkService, `NT AUTHORITY\NETWORK SERVICE`}
	containerAdmin = User{ContainerAdministrator, `User Manager\ContainerAdministrator`}
)

func boundaries() []boundary {
	var all []boundary
	add := func(p Predicate, name string, want any, got func(s *suite) any) {
		all = append(all, boundary{p, name, got, want})
	}
	image := func(host, img Version, iso Isolation, rule RevisionRule, floor ImageFloor, want bool) {
		add(P1, fmt.Sprintf("host %s image %s %s %s %s", host, img, iso, rule, floor), want, func(s *suite) any {
			return s.imageAllowed(host, img, iso, rule, floor)
		})
	}
	b := func(n Build) Version { return Version{Build: n} }
	for _, c := range []struct {
		host, image Build
		iso         Isolation
		want        bool
	}{
		{14393, 14392, HyperV, true}, {14393, 14393, HyperV, true}, {14393, 14394, HyperV, false},
		{14393, 14392, Process, false}, {14393, 14393, Process, true}, {14393, 14394, Process, false},
		{18362, 18361, Process, false}, {18362, 18363, Process, false}, {19045, 19045, Process, true}, {19045, 19041, Process, false},
		{20347, 20346, Process, false}, {20347, 20347, Process, true}, {20348, 20347, Process, false}, {20348, 20348, Process, true}, {20348, 20349, Process, false},
		{22000, 20347, Process, false}, {22000, 20348, Process, true}, {22000, 22000, Process, true}, {22000, 22001, Process, false},
		{26100, 20347, Process, false}, {26100, 20348, Process, true}, {26100, 26100, Process, true}, {26100, 26101, Process, false},
	} {
		for _, floor := range []ImageFloor{FloorOfCode, FloorOfDocs} {
			image(b(c.host), b(c.image), c.iso, RevisionWarn, floor, c.want)
		}
	}
	for _, host := range []Build{26101, 26200, 28000} {
		image(b(host), b(26100), Process, RevisionWarn, FloorOfCode, true)
		image(b(host), b(26099), Process, RevisionWarn, FloorOfCode, false)
		image(b(host), b(20348), Process, RevisionWarn, FloorOfDocs, true)
		image(b(host), b(20347), Process, RevisionWarn, FloorOfDocs, false)
		image(b(host), b(host+1), Process, RevisionWarn, FloorOfCode, false)
	}
	for _, c := range []struct {
		build, hr, ir uint32
		rule          RevisionRule
		want          bool
	}{
		{14393, 5, 5, RevisionBlock, true}, {14393, 5, 4, RevisionBlock, false}, {14393, 4, 5, RevisionBlock, false}, {14393, 5, 4, RevisionWarn, true},
		{14393, 0, 4, RevisionBlock, true}, {14393, 5, 0, RevisionBlock, true}, {16299, 5, 4, RevisionBlock, true},
	} {
		image(Version{Build(c.build), c.hr}, Version{Build(c.build), c.ir}, Process, c.rule, FloorOfDocs, c.want)
	}
	image(Version{14393, 5}, Version{14393, 4}, HyperV, RevisionBlock, FloorOfDocs, true)

	for _, c := range []struct {
		host       Build
		edition    Edition
		engine     Engine
		hypervisor bool
		iso        Isolation
		want       bool
	}{
		{14393, Server, Engine{Docker, EngineVersion{1, 12}}, false, Process, true},
		{14393, Server, Engine{}, true, HyperV, true}, {14393, Server, Engine{}, false, HyperV, false},
		{14393, Client, Engine{}, true, HyperV, true}, {14393, Client, Engine{}, false, HyperV, false},
		{17762, Client, Engine{Docker, EngineVersion{18, 9}}, true, Process, false}, {17763, Client, Engine{Docker, EngineVersion{18, 9}}, true, Process, true},
		{17763, Client, Engine{Docker, EngineVersion{18, 8}}, true, Process, false}, {17763, Client, Engine{Docker, EngineVersion{18, 10}}, true, Process, true},
		{17763, Client, Engine{Docker, EngineVersion{17, 9}}, true, Process, false}, {17763, Client, Engine{Docker, EngineVersion{23, 0}}, false, Process, true},
		{17763, Client, Engine{Containerd, EngineVersion{1, 6}}, true, Process, true}, {17134, Client, Engine{Containerd, EngineVersion{1, 6}}, true, Process, false},
	} {
		add(P2, fmt.Sprintf("%+v", c), c.want, func(s *suite) any { return s.isolationOffered(c.host, c.edition, c.engine, c.hypervisor, c.iso) })
	}

	for _, c := range []struct {
		host   Version
		iso    Isolation
		engine EngineKind
		want   Start
	}{
		{b(14392), HyperV, Docker, Starts}, {b(14393), HyperV, Docker, Starts}, {b(14394), HyperV, Docker, StartHangs},
		{b(15063), HyperV, Docker, StartHangs}, {b(16299), HyperV, Docker, StartHangs}, {b(17134), HyperV, Docker, StartHangs},
		{b(17762), HyperV, Docker, StartHangs}, {b(17763), HyperV, Docker, Starts},
		{b(15063), Process, Docker, Starts}, {b(17134), Process, Docker, Starts},
		{b(19040), HyperV, Containerd, NoCredential}, {b(19041), HyperV, Containerd, Starts},
		{Version{17763, 1816}, Process, Containerd, NoCredential}, {Version{17763, 1817}, Process, Containerd, Starts}, {b(17763), Process, Containerd, Starts},
		{Version{17763, 1816}, Process, Docker, Starts}, {Version{18362, 1816}, Process, Containerd, Starts},
	} {
		add(P3, fmt.Sprintf("%+v", c), c.want, func(s *suite) any { return s.gmsaStart(c.host, c.iso, c.engine) })
	}

	for _, c := range []struct {
		image             Build
		hostname, account string
		want              bool
	}{
		{17762, "other", "webapp01$", false}, {17763, "other", "webapp01$", true}, {17763, "", "webapp01$", true}, {17762, "", "webapp01$", false},
		{14393, "webapp01", "webapp01$", true}, {14393, "webapp01", "webapp01", true}, {14393, "WebApp01", "webAPP01$", true},
		{14393, "webapp01$", "webapp01$", false}, {14393, "webapp0", "webapp01$", false}, {14393, "webapp01.contoso.com", "webapp01$", false}, {14393, "", "$", false},
	} {
		add(P4, fmt.Sprintf("%+v", c), c.want, func(s *suite) any { return s.ntlmAndSIDWork(c.image, c.hostname, c.account) })
	}

	for _, c := range []struct {
		earlier, later Channel
		rule           Concurrency
		want           bool
	}{
		{Channel{"a", "web", 17763}, Channel{"b", "WEB", 17763}, Concurrency2025, true}, {Channel{"a", "web", 17763}, Channel{"b", "web", 17763}, Concurrency2019, false},
		{Channel{"a", "web", 17762}, Channel{"b", "web", 17762}, Concurrency2019, true}, {Channel{"a", "web", 17762}, Channel{"b", "web", 17763}, Concurrency2019, false},
		{Channel{"a", "web", 17763}, Channel{"b", "web", 17762}, Concurrency2019, false}, {Channel{"a", "web", 14393}, Channel{"b", "web2", 14393}, Concurrency2025, false},
		{Channel{"a", "", 14393}, Channel{"b", "", 14393}, Concurrency2025, false}, {Channel{"a", "web", 14393}, Channel{"b", "", 14393}, Concurrency2025, false},
		{Channel{"a", "abcdefghijklmn1", 17763}, Channel{"b", "abcdefghijklmn2", 17763}, Concurrency2025, false},
		{Channel{"a", "abcdefghijklmno1", 17763}, Channel{"b", "abcdefghijklmno2", 17763}, Concurrency2025, true},
		{Channel{"a", "äbcdefghijklmno1", 17763}, Channel{"b", "ÄBCDEFGHIJKLMNO2", 17763}, Concurrency2025, true},
		{Channel{"a", "äbcdefghijklmn1", 17763}, Channel{"b", "äbcdefghijklmn2", 17763}, Concurrency2025, false},
	} {
		add(P5, fmt.Sprintf("%+v", c), c.want, func(s *suite) any { return s.channelDisplaced(c.earlier, c.later, c.rule) })
	}

	for _, c := range []struct {
		image Build
		user  UserKind
		want  bool
	}{
		{16298, NetworkService, false}, {16299, NetworkService, true}, {16298, System, false}, {16299, System, true},
		{14393, ContainerAdministrator, true}, {14393, ImageDefault, true}, {14393, LocalUser, true}, {14393, LocalService, true},
	} {
		add(P6, fmt.Sprintf("%+v", c), c.want, func(s *suite) any { return s.userSwitchAllowed(c.image, User{Kind: c.user}) })
	}

	for _, c := range []struct {
		user  User
		image Build
		rule  Identity
		want  string
	}{
		{networkService, 14393, StrictDocsIdentity, "webapp01"}, {User{Kind: System}, 14393, StrictDocsIdentity, "webapp01"},
		{containerAdmin, 17762, ObservedIdentity, ""}, {containerAdmin, 17763, ObservedIdentity, "webapp01"}, {containerAdmin, 17763, StrictDocsIdentity, ""},
		{User{Kind: ContainerUser}, 17763, ObservedIdentity, "webapp01"}, {User{Kind: AppPool}, 17763, ObservedIdentity, "webapp01"},
		{User{Kind: AppPool}, 17763, StrictDocsIdentity, ""}, {User{Kind: VirtualService}, 17762, ObservedIdentity, ""}, {User{}, 17763, ObservedIdentity, "webapp01"},
		{User{Kind: LocalService}, 26100, ObservedIdentity, ""}, {User{LocalUser, "webapp01"}, 26100, ObservedIdentity, ""},
		{User{DomainAccount, `CONTOSO\WebApp01$`}, 14393, StrictDocsIdentity, "webapp01"}, {User{DomainAccount, `CONTOSO\LogAgentSvc$`}, 14393, StrictDocsIdentity, "LogAgentSvc"},
		{User{DomainAccount, `logagentsvc$@contoso.com`}, 14393, StrictDocsIdentity, "LogAgentSvc"}, {User{DomainAccount, `CONTOSO\alice`}, 26100, ObservedIdentity, ""},
	} {
		add(P7, fmt.Sprintf("%+v", c), c.want, func(s *suite) any {
			return s.identityOf(c.user, c.image, c.rule, "webapp01$", []string{"LogAgentSvc$"})
		})
	}

	for _, c := range []struct {
		host   Build
		joined string
		plugin bool
		want   Retrieval
	}{
		{17762, "", true, NobodyReads}, {17763, "", true, PluginReads}, {17763, "", false, NobodyReads}, {17762, "contoso.com", true, ComputerReads},
		{17763, "contoso.com", true, PluginReads}, {14393, "Contoso.COM.", false, ComputerReads}, {17763, "fabrikam.com", false, NobodyReads},
		{17763, "emea.contoso.com", false, NobodyReads}, {17763, "fabrikam.com", true, PluginReads},
	} {
		add(P8, fmt.Sprintf("%+v", c), c.want, func(s *suite) any { return s.retrievalPath(c.host, c.joined, "contoso.com", c.plugin) })
	}

	for _, c := range []struct {
		image Build
		want  Names
	}{{17762, Names{"frontend", "webapp01$"}}, {17763, Names{"webapp01", "webapp01$"}}} {
		add(P9, fmt.Sprintf("%+v", c), c.want, func(s *suite) any { return s.networkName(c.image, "frontend", "webapp01$") })
	}

	for _, c := range []struct {
		v    KubernetesVersion
		want KubernetesStage
	}{
		{KubernetesVersion{1, 13}, KubernetesNone}, {KubernetesVersion{1, 14}, KubernetesAlpha}, {KubernetesVersion{1, 15}, KubernetesAlpha},
		{KubernetesVersion{1, 16}, KubernetesBeta}, {KubernetesVersion{1, 17}, KubernetesBeta}, {KubernetesVersion{1, 18}, KubernetesStable},
		{KubernetesVersion{1, 32}, KubernetesStable}, {KubernetesVersion{2, 0}, KubernetesStable}, {KubernetesVersion{0, 20}, KubernetesNone},
	} {
		add(P10, c.v.String(), c.want, func(s *suite) any { return s.kubernetesSupport(c.v) })
	}

	for _, c := range []struct {
		host   Build
		engine Engine
		want   bool
	}{
		{17762, Engine{Docker, EngineVersion{23, 0}}, false}, {17763, Engine{Docker, EngineVersion{23, 0}}, true}, {14393, Engine{Docker, EngineVersion{22, 99}}, true},
		{17762, Engine{Docker, EngineVersion{27, 3}}, false}, {17762, Engine{Containerd, EngineVersion{1, 6}}, false}, {17763, Engine{Containerd, EngineVersion{1, 6}}, true},
	} {
		add(P11, fmt.Sprintf("%d %s", c.host, c.engine), c.want, func(s *suite) any { return s.engineRuns(c.host, c.engine) })
	}

	effective := time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		age  time.Duration
		want bool
	}{{10*time.Hour - 1, false}, {10 * time.Hour, true}, {10*time.Hour + 1, true}, {0, false}, {-time.Hour, false}} {
		add(P12, c.age.String(), c.want, func(s *suite) any { return s.rootKeyUsable(effective, effective.Add(c.age)) })
	}
	return all
}

func TestBoundaries(t *testing.T) {
	s := publishedSuite
	for _, c := range boundaries() {
		if got := c.got(&s); got != c.want {
			t.Errorf("P%d %s: got %v, want %v", c.predicate, c.name, got, c.want)
		}
	}
}

// mutants are the predicates, each replaced by one that always says yes and one that always says no. Where a predicate has more than two
// answers, yes is the one that lets things work and no the one that does not.
func mutants() map[string]func(s *suite) {
	yes, no := true, false
	m := map[string]func(s *suite){}
	for name, answer := range map[string]bool{"yes": yes, "no": no} {
		pick := func(p Predicate, change func(s *suite)) { m[fmt.Sprintf("P%d %s", p, name)] = change }
		pick(P1, func(s *suite) {
			s.imageAllowed = func(Version, Version, Isolation, RevisionRule, ImageFloor) bool { return answer }
		})
		pick(P2, func(s *suite) {
			s.isolationOffered = func(Build, Edition, Engine, bool, Isolation) bool { return answer }
		})
		pick(P3, func(s *suite) {
			s.gmsaStart = func(Version, Isolation, EngineKind) Start { return either(answer, Starts, StartHangs) }
		})
		pick(P4, func(s *suite) { s.ntlmAndSIDWork = func(Build, string, string) bool { return answer } })
		pick(P5, func(s *suite) { s.channelDisplaced = func(Channel, Channel, Concurrency) bool { return answer } })
		pick(P6, func(s *suite) { s.userSwitchAllowed = func(Build, User) bool { return answer } })
		pick(P7, func(s *suite) {
			s.identityOf = func(_ User, _ Build, _ Identity, account string, _ []string) string {
				return either(answer, strings.TrimSuffix(account, "$"), "")
			}
		})
		pick(P8, func(s *suite) {
			s.retrievalPath = func(Build, string, string, bool) Retrieval { return either(answer, ComputerReads, NobodyReads) }
		})
		pick(P9, func(s *suite) {
			s.networkName = func(_ Build, hostname, account string) Names {
				return NetworkName(either(answer, Build1809, Build1607), hostname, account)
			}
		})
		pick(P10, func(s *suite) {
			s.kubernetesSupport = func(KubernetesVersion) KubernetesStage { return either(answer, KubernetesStable, KubernetesNone) }
		})
		pick(P11, func(s *suite) { s.engineRuns = func(Build, Engine) bool { return answer } })
		pick(P12, func(s *suite) { s.rootKeyUsable = func(time.Time, time.Time) bool { return answer } })
	}
	return m
}

func either[T any](answer bool, yes, no T) T {
	if answer {
		return yes
	}
	return no
}

// inTable are the predicates that the columns of the decision table depend on. P9, P10 and P12 have no column.
var inTable = map[Predicate]bool{P1: true, P2: true, P3: true, P4: true, P5: true, P6: true, P7: true, P8: true, P11: true}

// TestMutants shows that every predicate matters: replaced by a constant, at least one boundary fails, and at least one row of the
// decision table for those that the table depends on.
func TestMutants(t *testing.T) {
	rows, limits := decisionTable(t), boundaries()
	count := 0
	for p := P1; p <= P12; p++ {
		for _, answer := range []string{"yes", "no"} {
			name := fmt.Sprintf("P%d %s", p, answer)
			change, ok := mutants()[name]
			if !ok {
				t.Fatalf("no mutant %s", name)
			}
			count++
			s := publishedSuite
			change(&s)
			byRow, byBoundary := "", ""
			for _, w := range rows {
				d, err := decide(&w.setup, &s.rules)
				if byRow = w.differs(d, err); byRow != "" {
					break
				}
			}
			for _, c := range limits {
				if c.got(&s) != c.want {
					if c.predicate != p {
						t.Errorf("mutant %s changes a boundary of P%d", name, c.predicate)
					}
					byBoundary = c.name
					break
				}
			}
			if byBoundary == "" {
				t.Errorf("mutant %s survives all boundaries", name)
			}
			if inTable[p] && byRow == "" {
				t.Errorf("mutant %s survives the decision table", name)
			}
			t.Logf("%-7s killed by %q and %q", name, byRow, byBoundary)
		}
	}
	if count != 24 {
		t.Errorf("got %d mutants, want 24", count)
	}
}

func TestBaselines(t *testing.T) {
	for _, c := range []struct {
		host, image Version
		iso         Isolation
		want        bool
	}{
		{Version{14393, 3504}, Version{14393, 3503}, Process, true}, {Version{14393, 3504}, Version{14393, 3504}, Process, false},
		{Version{14393, 3503}, Version{14393, 1}, Process, false}, {Version{14393, 3504}, Version{14393, 3503}, HyperV, false},
		{Version{17763, 1038}, Version{17763, 1039}, Process, true}, {Version{17763, 0}, Version{17763, 1038}, Process, false},
		{Version{16299, 1686}, Version{16299, 1685}, Process, true}, {Version{17134, 1304}, Version{17134, 1303}, Process, true},
		{Version{15063, 2284}, Version{15063, 2283}, Process, true}, {Version{18362, 657}, Version{18362, 656}, Process, true},
		{Version{18363, 656}, Version{18363, 657}, Process, true}, {Version{19041, 1}, Version{19041, 5000}, Process, false},
	} {
		if got := BaselinesDiffer(c.host, c.image, c.iso); got != c.want {
			t.Errorf("host %s image %s %s: got %v, want %v", c.host, c.image, c.iso, got, c.want)
		}
	}
}

// TestChannelName holds the name that is shown against the predicate that compares two.
func TestChannelName(t *testing.T) {
	for _, c := range []struct {
		Channel
		rule Concurrency
		want string
	}{
		{Channel{"0a1b2c3d4e5f", "webapp01", 17763}, Concurrency2025, "WEBAPP01"}, {Channel{"0a1b2c3d4e5f", "webapp01", 17763}, Concurrency2019, "0A1B2C3D4E5F"},
		{Channel{"0a1b2c3d4e5f", "webapp01", 14393}, Concurrency2019, "WEBAPP01"}, {Channel{"0a1b2c3d4e5f", "", 14393}, Concurrency2025, "0A1B2C3D4E5F"},
		{Channel{"0a1b2c3d4e5f", "webapp01-7d9f8b6c5d-x2x4z", 20348}, Concurrency2025, "WEBAPP01-7D9F8B"},
	} {
		if got := ChannelName(c.Channel, c.rule); got != c.want {
			t.Errorf("%+v: got %q, want %q", c, got, c.want)
		}
	}
	s := publishedSuite
	for _, a := range channels() {
		for _, b := range channels() {
			for _, rule := range []Concurrency{Concurrency2019, Concurrency2025} {
				if got, want := s.channelDisplaced(a, b, rule), a.ID != b.ID && ChannelName(a, rule) == ChannelName(b, rule); a.ID != b.ID && got != want {
					t.Errorf("%+v, %+v under %s: got %v, want %v", a, b, rule, got, want)
				}
			}
		}
	}
}

func channels() []Channel {
	var all []Channel
	for _, name := range []string{"", "webapp01", "WEBAPP01", "webapp01-7d9f8b6c5d-x2x4z", "webapp01-7d9f8b6c5d-p9k2m"} {
		for _, b := range []Build{14393, 17134, 17763, 26100} {
			all = append(all, Channel{ID: fmt.Sprintf("%012x", len(all)), Hostname: name, Image: b})
		}
	}
	return all
}

func TestDecidingBuild(t *testing.T) {
	for p := P1; p <= P12; p++ {
		want := Build(17763)
		if p == P4 || p == P5 || p == P6 || p == P7 || p == P9 {
			want = 14393
		}
		if got := DecidingBuild(p, 17763, 14393); got != want {
			t.Errorf("P%d: got %d, want %d", p, got, want)
		}
	}
}
