package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Handover is the way in which somebody hands the credential spec of a container over: a client and its option. Some of them never reach
// the engine, and nothing says so. As text, see the constants.
type Handover string

// The ways.
const (
	// BySecurityOpt is docker run --security-opt credentialspec=…, and the default.
	BySecurityOpt Handover = "docker run --security-opt"
	// ByBuild is docker build --security-opt credentialspec=…: the containers of RUN steps do not get it, and the image does not keep it
	// (report).
	ByBuild Handover = "docker build --security-opt"
	// ByComposeKey is credential_spec of a service in a compose file, which Compose does not translate for a container (code of Compose
	// v2; report). Swarm does: docker stack deploy.
	ByComposeKey Handover = "compose credential_spec"
	// ByComposeSecurityOpt is security_opt of a service in a compose file, which arrives.
	ByComposeSecurityOpt Handover = "compose security_opt"
	// ByLegacyFlag is docker run --credentialspec, a flag of the previews that was taken away in March 2017 (report).
	ByLegacyFlag Handover = "docker run --credentialspec"
)

// handovers are all ways.
var handovers = []Handover{BySecurityOpt, ByBuild, ByComposeKey, ByComposeSecurityOpt, ByLegacyFlag}

// HandoverNames lists the ways as text.
func HandoverNames() []string {
	var names []string
	for _, h := range handovers {
		names = append(names, string(h))
	}
	return names
}

// reaches tells whether the engine gets a credential spec that is handed over in this way.
func (h Handover) reaches() bool { return h == "" || h == BySecurityOpt || h == ByComposeSecurityOpt }

// flagError: the docker client does not know an option of the command line.
type flagError struct{ flag string }

func (e *flagError) Error() string {
	return "unknown flag: " + e.flag + "\nSee 'docker run --help'."
}

// finding says what the flag is called today.
func (e *flagError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{Code: diag.UnknownFlag, Mode: "rt-legacy-flag", Facts: []diag.Fact{{Name: "flag", Value: e.flag}}, SeenAs: []string{e.Error()},
		Because: "the flag was part of previews before March 2017; credential specs are a security option since",
		Help: []diag.Help{{Text: "hand the credential spec over as a security option", Command: `docker run --security-opt "credentialspec=file://<credential spec>" <image>`,
			Do: []string{flowStep("with", arg{"handover", string(BySecurityOpt)})}}}}
}

// showsOption shows what has reached the engine of the container that was made last.
const showsOption = `docker inspect -f "{{json .HostConfig.SecurityOpt}}" (docker ps -lq)`

// findNoSpec is about a container that the engine has started without a credential spec.
func findNoSpec(r *Running) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.NoCredentialSpec,
		Mode:    "rt-no-security-opt",
		SeenAs:  []string{"nltest: Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE", seenNoPackage},
		Because: "without a credential spec the container has no domain and no account, and its Netlogon service does not run; the engine does not warn",
	}
	h := diag.Help{Text: "give the container its credential spec, and look whether the option reached the engine",
		Command: `docker run --security-opt "credentialspec=file://<credential spec>" <image>; ` + showsOption}
	if r == nil {
		f.Help = []diag.Help{h}
		return f
	}
	f.Facts = []diag.Fact{{Name: "SecurityOpt", Value: jsonText(r.cfg.securityOpts())}}
	switch {
	case r.cfg.CredentialSpec != "" && r.cfg.Handover.reaches():
		f.Facts = append(f.Facts, diag.Fact{Name: "credential spec", Value: r.cfg.CredentialSpec})
		f.Because += "; the document that the option names is empty, and the engine hands on nothing for it"
		h.Text, h.Command = "write the credential spec again, and run the container anew", "New-CredentialSpec -AccountName <account>; "+r.withSpec(r.cfg.CredentialSpec)
		if a := r.h.d.cfg.ServiceAccounts; len(a) == 1 && r.h.Joined() {
			account := strings.TrimSuffix(a[0].Name, "$")
			h.Command = "New-CredentialSpec -AccountName " + account + "; " + r.withSpec("file://"+specFile(r.h.dom.NetBIOSName, account))
			h.Do = []string{flowStep("newCredentialSpec", arg{"host", r.h.Name()}, arg{"account", account}), r.again(arg{"credentialSpec", "file://" + specFile(r.h.dom.NetBIOSName, account)})}
		}
	case r.cfg.CredentialSpec != "":
		f.Facts = append(f.Facts, diag.Fact{Name: "handed over by", Value: string(r.cfg.Handover)}, diag.Fact{Name: "credential spec", Value: r.cfg.CredentialSpec})
		f.Because += "; what was handed over did not reach it"
		h.Do = []string{r.again(arg{"handover", string(BySecurityOpt)})}
		h.Command = r.withSpec(r.cfg.CredentialSpec) + "; " + showsOption
		switch r.cfg.Handover {
		case ByBuild:
			f.Mode = "rt-build-ignores-credspec"
			h.Text = "do what needs the domain when the container runs, not when its image is built"
		case ByComposeKey:
			f.Mode = "rt-compose-ignores-credspec"
			h.Text = fmt.Sprintf(`use security_opt of the service instead of credential_spec: security_opt: ["credentialspec=%s"]`, r.cfg.CredentialSpec)
			h.Command = "docker compose up --detach --force-recreate"
			h.Do = []string{r.again(arg{"handover", string(ByComposeSecurityOpt)})}
		case ByLegacyFlag:
			f.Mode = "rt-legacy-flag"
		}
	default:
		if files := r.h.CredentialSpecs(); len(files) > 0 {
			f.Facts = append(f.Facts, diag.Fact{Name: "files", Value: strings.Join(files, ", ")})
			h.Command = r.withSpec("file://"+files[0]) + "; " + showsOption
			h.Do = []string{r.again(arg{"credentialSpec", "file://" + files[0]})}
		}
	}
	f.Help = []diag.Help{h}
	return f
}
