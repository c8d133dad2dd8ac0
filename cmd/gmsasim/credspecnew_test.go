package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator"
)

// corp is a forest of two trees and a child, whose root has the NETBIOS name given.
const corp = `dnsName: corp.example
netbiosName: NETBIOS
kdsRootKeys: [{effective: -10h}]
domains: [{dnsName: emea.corp.example}, {dnsName: lab.example}]
groups: [{name: web-hosts, members: [WEB01]}]
users: [{name: carla}]
serviceAccounts:
  - {name: webapp, allowedToRetrieve: [web-hosts]}
  - {name: agent, allowedToRetrieve: [web-hosts]}
  - {name: alone, restrictToSingleComputer: true}
  - {name: shop, domain: emea.corp.example}
  - {name: shop2, domain: emea.corp.example}
  - {name: lab1, domain: lab.example}
hosts: [{name: WEB01}, {name: WEB02}]
`

// started lays the configuration into the test's folder, and starts the domain of it with the environment of a program inside.
func started(t *testing.T, netbios string) *simulator.Domain {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("corp.yaml", []byte(strings.Replace(corp, "NETBIOS", netbios, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("password", []byte("Passw0rd!\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := againstConfig("corp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := simulator.StartT(t, cfg)
	env, err := d.Env("")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	return d
}

// ran runs the command and gives its status and what it says.
func ran(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	a := newApp(strings.NewReader(""), &o, &e)
	a.plain = true
	status = a.run(t.Context(), append(args, "--plain"))
	return status, o.String(), e.String()
}

// moduleSpec is a credential spec as the module writes it.
type moduleSpec struct {
	CmsPlugins            []string
	DomainJoinConfig      struct{ Sid, MachineAccountName, Guid, DnsTreeName, DnsName, NetBiosName string }
	ActiveDirectoryConfig struct {
		GroupManagedServiceAccounts []struct{ Name, Scope string }
	}
}

// byCmdlet is what the simulated cmdlet writes on a host of the domain.
func byCmdlet(t *testing.T, d *simulator.Domain, o simulator.NewCredentialSpec) (s moduleSpec) {
	t.Helper()
	h := d.Host("WEB01")
	file, _, err := h.NewCredentialSpec(o)
	if err != nil {
		t.Fatal(err)
	}
	text, ok := h.ReadCredentialSpec(file)
	if err := json.Unmarshal(text, &s); !ok || err != nil {
		t.Fatalf("%s: %v, %v", file, ok, err)
	}
	return s
}

// TestNewCredentialSpec writes a spec in forests of several shapes, over each way to the directory, and holds it to the byte against the module's shape.
func TestNewCredentialSpec(t *testing.T) {
	golden, err := filepath.Abs("testdata/credspec")
	if err != nil {
		t.Fatal(err)
	}
	type cmdlet = simulator.NewCredentialSpec
	for _, tt := range []struct {
		name, netbios, args, file string
		cmdlet                    cmdlet
	}{
		{"single", "CORP", "webapp", "corp_webapp.json", cmdlet{Account: "webapp"}},
		{"child", "CORP", "shop$ --domain emea.corp.example", "emea_shop.json", cmdlet{Account: "shop", Domain: "emea.corp.example"}},
		{"tree", "CORP", "lab1 --domain lab.example", "lab_lab1.json", cmdlet{Account: "lab1", Domain: "lab.example"}},
		{"disjoint", "EXCORP", "webapp", "excorp_webapp.json", cmdlet{Account: "webapp"}},
		{"additional", "CORP", "webapp --additional agent --additional shop@emea.corp.example", "corp_webapp.json",
			cmdlet{Account: "webapp", Additional: []simulator.AdditionalAccount{{Account: "agent"}, {Account: "shop", Domain: "emea.corp.example"}}}},
		{"additional-short", "CORP", "shop --domain emea --additional shop2$,webapp@CORP", "emea_shop.json",
			cmdlet{Account: "shop", Domain: "emea", Additional: []simulator.AdditionalAccount{{Account: "shop2", Domain: "emea"}, {Account: "webapp", Domain: "CORP"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := started(t, tt.netbios)
			own := byCmdlet(t, d, tt.cmdlet)
			text, err := os.ReadFile(filepath.Join(golden, tt.name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer(`"SID"`, `"`+own.DomainJoinConfig.Sid+`"`, `"GUID"`, `"`+own.DomainJoinConfig.Guid+`"`).Replace(string(text))
			for way, flags := range map[string][]string{
				"GSSAPI":           nil,
				"GSSAPI and LDAPS": {"--server", d.LDAPSURL()},
				"LDAPS":            {"--server", d.LDAPSURL(), "--user", "carla@corp.example", "--password-file", "password"},
				"StartTLS":         {"--server", d.LDAPURL(), "--start-tls", "--user", `CORP\carla`, "--password-file", "password"},
				"a password":       {"--server", d.LDAPURL(), "--user", "carla@corp.example", "--password-file", "password"},
				"in process":       {"--against", "corp.yaml"},
			} {
				if way == "StartTLS" && tt.netbios != "CORP" {
					continue
				}
				args := append([]string{"credspec", "new", "--newline", "lf"}, strings.Fields(tt.args)...)
				status, out, errs := ran(t, append(args, flags...)...)
				if status != exitOK || out != tt.file+"\n" {
					t.Errorf("%s: status %d, %q, %s", way, status, out, errs)
					continue
				}
				got, err := os.ReadFile(tt.file)
				if err != nil {
					t.Fatal(err)
				}
				if string(got) != want {
					t.Errorf("%s: got\n%swant\n%s", way, got, want)
				}
				var spec moduleSpec
				if err := json.Unmarshal(got, &spec); err != nil || !reflect.DeepEqual(spec, own) {
					t.Errorf("%s: got %+v, %v, and the cmdlet on a host of the domain writes %+v", way, spec, err, own)
				}
				if err := os.Remove(tt.file); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestNewCredentialSpecSays: the module's errors and its warning, and nothing is written with an error.
func TestNewCredentialSpecSays(t *testing.T) {
	d := started(t, "CORP")
	if err := os.WriteFile("there.json", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   string
		status int
		want   string
	}{
		{"webapp --domain corpp.example", exitUnexpected, "error: The specified Active Directory domain (corpp.example) could not be found\nhelp: nearest: corp.example\n"},
		{"webapp --additional agent@nowhere.test", exitUnexpected, "The specified Active Directory domain (nowhere.test) could not be found"},
		{"webap", exitUnexpected, "error: The group managed service account \"webap\" could not be found in the corp.example domain\nhelp: nearest: webapp\n"},
		{"webapp --additional agen", exitUnexpected, `The group managed service account "agen" could not be found in the corp.example domain`},
		{"shop", exitUnexpected, "error: The group managed service account \"shop\" could not be found in the corp.example domain\nhelp: emea.corp.example has it: --domain emea.corp.example"},
		{"alone", exitUnexpected, "help: alone$ is of the class msDS-ManagedServiceAccount"},
		{"WEB01", exitUnexpected, "help: WEB01$ is of the class computer"},
		{"carla", exitUnexpected, "help: carla is of the class user"},
		{"webapp --file-name there --no-clobber", exitUnexpected, `error: A credential spec already exists with the name "there.json"`},
		{"webapp --folder missing", exitUnexpected, "error: Credential spec directory does not exist: missing"},
		{"webapp --path missing/webapp.json", exitUnexpected, "error: Credential spec directory does not exist: missing"},
		{"webapp --additional @corp.example", exitUsage, "error: Invalid additional account specified: @corp.example"},
		{"webapp --additional agent@", exitUsage, "error: Invalid additional account specified: agent@"},
		{`webapp --additional CORP\agent`, exitUsage, `error: Invalid additional account specified: CORP\agent`},
		{"webapp --path a.json --file-name b", exitUsage, "--path is the whole path"},
		{"webapp --file-name a/b", exitUsage, "has a folder in it"},
		{"webapp --newline cr", exitUsage, `--newline: "cr" is not one of lf, crlf`},
		{"$", exitUsage, "the account has no name"},
		{"a b", exitUsage, "takes one account; got 2"},
		{"webapp --server ldap://127.0.0.1:1", exitUsage, "error: cannot reach a domain controller: dial tcp 127.0.0.1:1"},
		{"webapp --server ldap:///x", exitUsage, "names no server"},
		{"webapp --server " + d.LDAPURL() + " --user carla@corp.example --password-file there.json", exitUsage, "KDC_ERR_PREAUTH_FAILED"},
		{"webapp --server " + d.LDAPSURL() + " --user carla@corp.example --password-file there.json", exitUsage, "Invalid Credentials"},
		{"webapp --server " + d.LDAPSURL() + " --keytab missing", exitUsage, "keytab missing"},
		{"webapp --against corp.yaml --user carla", exitUsage, "--user, --keytab and the like are for servers"},
		{"webapp --host NOHOST", exitUnexpected, "no computer NOHOST in the directory"},
	} {
		status, out, errs := ran(t, append([]string{"credspec", "new"}, strings.Fields(tt.args)...)...)
		if status != tt.status || out != "" || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: status %d, want %d; %s%swant %s", tt.args, status, tt.status, out, errs, tt.want)
		}
	}
	if files, err := filepath.Glob("*.json"); err != nil || len(files) != 1 {
		t.Errorf("written: %v, %v", files, err)
	}
	if got, err := os.ReadFile("there.json"); err != nil || string(got) != "{}" {
		t.Errorf("--no-clobber: got %q, %v", got, err)
	}

	// The warning does not keep it from writing, and says which computer.
	for _, tt := range []struct{ args, want string }{
		{"shop --domain emea.corp.example", `warning: This computer is not authorized to use the group managed service account "shop"`},
		{"webapp --host WEB02", `warning: WEB02$ is not authorized to use the group managed service account "webapp"`},
		{"webapp --host web02.corp.example", `warning: WEB02$ is not authorized to use the group managed service account "webapp"`},
	} {
		status, _, errs := ran(t, append([]string{"credspec", "new"}, strings.Fields(tt.args)...)...)
		if status != exitOK || !strings.Contains(errs, tt.want) {
			t.Errorf("%s: status %d, %s", tt.args, status, errs)
		}
	}
	if status, _, errs := ran(t, "credspec", "new", "webapp", "--additional", "agent"); status != exitOK || strings.Contains(errs, "warning") {
		t.Errorf("WEB01 is allowed: status %d, %s", status, errs)
	}

	// Without a running domain somebody has to say which directory is meant.
	t.Setenv(variableLDAP, "")
	if status, _, errs := ran(t, "credspec", "new", "webapp"); status != exitUsage || !strings.Contains(errs, "no directory to ask") {
		t.Errorf("no directory: status %d, %s", status, errs)
	}
	// JSON has everything, and the standard output may be the file.
	status, out, _ := ran(t, "credspec", "new", "webapp", "--against", "corp.yaml", "--host", "WEB02", "--path", "-", "--json")
	var report newSpecReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || status != exitOK || !json.Valid([]byte(report.Text)) || len(report.Warnings) != 1 || report.Path != "" {
		t.Errorf("got %d, %+v, %v", status, report, err)
	}
}

// TestCheckAgainst: what is written is found right by each way to the directory, and what is edited is found wrong.
func TestCheckAgainst(t *testing.T) {
	d := started(t, "CORP")
	t.Setenv("GMSASIM_CONTROL_URL", "http://127.0.0.1:9")
	if status, _, errs := ran(t, "credspec", "new", "webapp"); status != exitOK {
		t.Fatal(errs)
	}
	text, err := os.ReadFile("corp_webapp.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("wrong.json", bytes.Replace(text, []byte(`"MachineAccountName":  "webapp"`), []byte(`"MachineAccountName":  "shop"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, way := range [][]string{
		{"--against", "up"},
		{"--against", "http://127.0.0.1:9/"},
		{"--against", d.LDAPURL()},
		{"--against", d.LDAPSURL(), "--user", "carla@corp.example", "--password-file", "password"},
		{"--against", "corp.yaml"},
	} {
		status, out, errs := ran(t, append([]string{"check", "corp_webapp.json", "--host", "WEB01"}, way...)...)
		if status != exitOK || strings.Contains(out, "error[") {
			t.Errorf("%v: status %d, %s%s", way, status, out, errs)
		}
		status, out, _ = ran(t, append([]string{"check", "wrong.json"}, way...)...)
		if status != exitUnexpected || !strings.Contains(out, "error[dnsname-not-account-domain]: corp.example has no service account shop: emea.corp.example has it") {
			t.Errorf("%v: status %d, %s", way, status, out)
		}
		status, out, _ = ran(t, append([]string{"check", "corp_webapp.json", "--host", "WEB02"}, way...)...)
		if status != exitUnexpected || !strings.Contains(out, "error[host-not-authorised]: WEB02$ may not read the password of webapp$") {
			t.Errorf("%v: status %d, %s", way, status, out)
		}
	}
	// A scenario's domain is another one.
	if status, out, _ := ran(t, "check", "corp_webapp.json", "--against", "spn-duplicate"); status != exitUnexpected || !strings.Contains(out, "neither the forest of contoso.com nor its trusts have a domain corp.example") {
		t.Errorf("a scenario: status %d, %s", status, out)
	}
	for _, tt := range [][2]string{{"no-such-scenario", "no scenario"}, {"missing.yaml", "missing.yaml"}, {"http://127.0.0.1:1", "it begins with ldap:// or ldaps://"}} {
		if status, _, errs := ran(t, "check", "corp_webapp.json", "--against", tt[0]); status != exitUsage || !strings.Contains(errs, tt[1]) {
			t.Errorf("%s: status %d, %s", tt[0], status, errs)
		}
	}
}
