package doctor

import (
	"context"
	"regexp"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
)

// An observer is a command by which somebody looks at a setup. ACCOUNT, DOMAIN, SPN and USER stand for those of the case.
type observer struct {
	command, where string
	look           func(v *view, container string) string
	inside         bool // in a container
}

const (
	onAdmin   = "administrator"
	onHost    = "container host"
	onInside  = "in the container"
	onOutside = "user's computer"
)

func nltest(option string) func(*view, string) string {
	return func(v *view, c string) string {
		return step("nltest", "container", c, "command", strings.ReplaceAll(option, "DOMAIN", v.domain))
	}
}

// observers are the columns of the table who notices what (failure-modes: who notices what), one command each.
var observers = []observer{
	{"New-ADServiceAccount ANOTHER", onAdmin, func(*view, string) string { return step("newServiceAccount", "name", "DoctorProbe") }, false},
	{"Get-ADServiceAccount ACCOUNT", onAdmin, func(v *view, _ string) string { return step("getServiceAccount", "account", v.account) }, false},
	{"klist get ldap/DC", onHost, func(v *view, _ string) string { return step("kerberosTo", "from", v.host, "spn", "ldap/"+v.dc) }, false},
	{"Test-ADServiceAccount ACCOUNT", onHost, func(v *view, _ string) string {
		return step("testServiceAccount", "host", v.host, "account", v.account)
	}, false},
	{"New-CredentialSpec -AccountName ACCOUNT", onHost, func(v *view, _ string) string { return step("newCredentialSpec", "host", v.host, "account", v.account) }, false},
	{"docker run", onHost, func(_ *view, c string) string { return step("whoami", "container", c) }, true},
	{"nltest /parentdomain", onInside, nltest("/parentdomain"), true},
	{"nltest /query", onInside, nltest("/query"), true},
	{"nltest /sc_verify:DOMAIN", onInside, nltest("/sc_verify:DOMAIN"), true},
	{"nltest /dsgetdc:DOMAIN", onInside, nltest("/dsgetdc:DOMAIN"), true},
	{"klist get krbtgt", onInside, func(_ *view, c string) string {
		return step("klist", "container", c, "user", `NT AUTHORITY\SYSTEM`, "get", "krbtgt")
	}, true},
	{`dir \\DOMAIN\SYSVOL`, onInside, func(v *view, c string) string {
		return step("dirSYSVOL", "container", c, "user", `NT AUTHORITY\NETWORK SERVICE`, "domain", v.domain)
	}, true},
	{"a ticket, as the service that does the work", onInside, func(v *view, c string) string { return step("kerberosTo", "container", c, "spn", v.target) }, true},
	{"klist get SPN", onOutside, func(v *view, _ string) string { return step("kerberosTo", "from", v.user, "spn", v.spn) }, false},
	{"sign in by SPN (Kerberos)", onOutside, func(v *view, c string) string {
		return step("inboundKerberos", "container", c, "from", v.user, "spn", v.spn)
	}, true},
	{"sign in by IP address (NTLM)", onOutside, func(v *view, c string) string { return step("inboundNTLM", "container", c, "from", v.user) }, true},
}

// observe carries out every observer in the state that a case has at its complaint, each in a replay of its own, and gives what each
// shows, by its command.
func observe(ctx context.Context, c *scenarios.Case, o Options) (map[string]string, error) {
	p := newPatient(c, o)
	r, last, err := p.complaint(ctx)
	if err != nil {
		return nil, err
	}
	if last != nil {
		p.step = last.N
	}
	v, err := newView(r, last, Subject{})
	if closed := r.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	seen := map[string]string{}
	if v.account == "" || v.host == "" {
		return seen, nil
	}
	container, _, _, before := v.inside()
	for _, o := range observers {
		l := look{seen: o.look(v, container)}
		if v.spn == "" && strings.Contains(o.command, "SPN") {
			continue // there is none to ask for
		}
		if o.inside {
			l.before = before
		}
		res, _, err := p.carryOut(ctx, l)
		if err != nil {
			return nil, err
		}
		if res != nil {
			seen[o.command] = shown(res)
		}
	}
	return seen, nil
}

// answerCode is what an answer is known by: the name of a Kerberos error, or a number.
var answerCode = regexp.MustCompile(`(KDC|KRB_AP)_ERR_[A-Z_]+|0x[0-9a-f]{2,8}`)

// logonID is the line with which klist begins.
var logonID = regexp.MustCompile(`(?m)^Current LogonId is .*$`)

// shown is what somebody who knows nothing of the cause sees, in one line: the status that nltest prints, the code of an answer, the first
// line of an output, or no more than that it fails.
func shown(res *scenarios.StepResult) string {
	if res.Got == "ok" {
		return works
	}
	output := ""
	for _, f := range res.Facts {
		switch f.Name {
		case "status":
			return f.Value
		case "output":
			output = logonID.ReplaceAllString(f.Value, "")
		}
	}
	if code := answerCode.FindString(output); code != "" {
		return "fails, " + code
	}
	if line, _, _ := strings.Cut(strings.TrimSpace(output), "\n"); line != "" {
		return "fails, " + line
	}
	answer := res.Error
	if f := res.Finding; f != nil && f.Cause != nil {
		answer = f.Cause.Error()
	}
	if code := answerCode.FindString(answer); code != "" {
		return "fails, " + code
	}
	return "fails"
}
