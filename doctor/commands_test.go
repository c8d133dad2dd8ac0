package doctor

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// looks matches what only looks: it changes nothing, so it repairs nothing.
var looks = regexp.MustCompile(`^(?i:` + strings.Join([]string{
	`(Get|Test|Find|Measure|Resolve|Show)-`, `kubectl( -n \S+)? (get|describe|explain|logs|top)\b`, `nltest (\S+ )*/(query|sc_query|sc_verify|dsgetdc|parentdomain|dsgetsite)`,
	`nslookup\b`, `klist\b`, `setspn -[LQXF]\b`, `docker (\S+ )?(inspect|ps|logs|ls|images)\b`, `dcomcnfg\b`, `whoami\b`, `repadmin /show`, `dir\b`, `sc(\.exe)? q`,
	`eventvwr\b`, `wevtutil (qe|gl|gp)\b`, `reg query\b`, `ipconfig\b`, `Invoke-Command -ComputerName \S+ \{ (Get|Test)-`,
}, "|") + `)`)

// repairs matches what begins as if it only looked.
var repairs = regexp.MustCompile(`^(?i:klist (\S+ )*purge|Test-ComputerSecureChannel .*-Repair)`)

// lookVerbs are the steps that only look. Where such a step complains because it looks from the wrong place or for the wrong name, to look right is the repair.
var lookVerbs = []string{"testServiceAccount", "readPassword", "kerberosTo", "klist"}

// placeholder matches a word in capitals that stands for something to fill in. Names of computers have digits; what is unknown is written <so>.
var placeholder = regexp.MustCompile(`(?:^|[\s/=:"'\\])([A-Z]{2,}(?:-[A-Z]+)*)(?:$|[\s.;,"'\\])`)

// snippet matches a line of a file in the place of a command.
var snippet = regexp.MustCompile(`^["<]?[\w.]+"?(: | \w+=")|^[\w.]+$`)

// inCapitals matches names and keywords that are spelt so.
var inCapitals = regexp.MustCompile(`NT AUTHORITY\\(NETWORK SERVICE|SYSTEM|LOCAL SERVICE|LocalService)|Windows NT\\|-Protocol TCP|\b(CONTOSO|EMEA)\b|CREATE LOGIN|DROP LOGIN|FROM WINDOWS|HK(LM|CR)|SOFTWARE|SYSTEM\\|\\CCG\\|REG_DWORD|MSV1_0|start CCG|GSSAPI|-DISABLE_INBOUND_REPL|:WPRP;|RC4|AES\d+`)

// commandProblem is what is wrong with the command of a fix for a step of this verb, "" for nothing.
func commandProblem(verb string, h diag.Help) string {
	if h.Command == "" {
		return ""
	}
	again := slices.Contains(lookVerbs, verb) && !slices.ContainsFunc(h.Do, func(step string) bool { return !strings.HasPrefix(step, "with:") })
	if !again && !slices.ContainsFunc(strings.Split(h.Command, "; "), func(p string) bool { return repairs.MatchString(p) || !looks.MatchString(p) }) {
		return "only looks"
	}
	if snippet.MatchString(h.Command) {
		return "is no command line"
	}
	if strings.Contains(h.Command, "…") {
		return "leaves something out"
	}
	if m := placeholder.FindStringSubmatch(inCapitals.ReplaceAllString(h.Command, "")); m != nil {
		return "has a placeholder in capitals, " + m[1]
	}
	return ""
}

func TestCommandProblem(t *testing.T) {
	for command, want := range map[string]string{
		"Get-ADObject x":                     "only looks",
		"nltest /dsgetdc:contoso.com":        "only looks",
		"Get-ADUser x; Remove-ADUser x":      "",
		"Test-ComputerSecureChannel -Repair": "",
		"klist -li 0x3e7 purge":              "",
		"regsvr32 PLUGIN.dll":                "has a placeholder in capitals, PLUGIN",
		"docker run --dns ADDRESS-OF x":      "has a placeholder in capitals, ADDRESS-OF",
		"docker run …":                       "leaves something out",
		`docker run --dns "<address of DC01>" --user "NT AUTHORITY\NETWORK SERVICE" x`: "",
		"sc.exe config SERVICE depend= Netlogon":                                       "has a placeholder in capitals, SERVICE",
	} {
		if got := commandProblem("runContainer", diag.Help{Command: command, Do: []string{"with: {}"}}); got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
}
