//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A row is one operation of one client.
type row struct {
	client, operation string
	// run is a line for the shell; it has failed when its status is not 0 or when an expression of want matches nothing in its
	// output.
	run  string
	want []string
	// as is the account whose credential cache, with a TGT in it, the client finds.
	as string
	// notModelled says why the client cannot do this here. The row then checks that it fails, and how.
	notModelled string
}

// objects is the number of objects that the paging rows enumerate.
const objects = 2500

// TestClients runs every row and prints the table.
func TestClients(t *testing.T) {
	var users strings.Builder
	for i := range objects {
		fmt.Fprintf(&users, "  - name: user%04d\n", i)
	}
	config := strings.Replace(contoso, "serviceAccounts:\n", users.String()+"serviceAccounts:\n", 1)
	d := start(t, config)
	d.prepare(t)
	versions := map[string]string{}
	var table strings.Builder
	for _, r := range rows {
		c, ok := clients[r.client]
		if !ok {
			t.Fatalf("row %q: no client %q", r.operation, r.client)
		}
		result := "skipped"
		passed := t.Run(r.client+"/"+r.operation, func(t *testing.T) {
			require(t, c.programs...)
			for _, file := range c.files {
				if _, err := os.Stat(os.ExpandEnv(file)); err != nil {
					skip(t, "not installed (see .ci/clients.sh): "+file)
				}
			}
			if versions[r.client] == "" {
				versions[r.client] = d.version(t, c.version)
			}
			result = "FAILED"
			out := d.run(t, r.run, d.ccache(r.as))
			if (out.exit == 0) == (r.notModelled != "") {
				t.Errorf("exit status %d", out.exit)
			}
			for _, want := range r.want {
				if !regexp.MustCompile(`(?m)` + want).MatchString(out.text) {
					t.Errorf("nothing matches %q", want)
				}
			}
			if t.Failed() {
				t.Logf("%s\n%s", r.run, tail(out.text, 3000))
				return
			}
			result = "ok"
			if r.notModelled != "" {
				result = "not modelled: " + r.notModelled
			}
		})
		if !passed {
			result = "FAILED"
		}
		fmt.Fprintf(&table, "%-12s %-18s %-52s %s\n", r.client, versions[r.client], r.operation, result)
	}
	fmt.Printf("\n%-12s %-18s %-52s %s\n%s\n", "client", "version", "operation", "result", table.String())
}

// prepare signs the accounts of the rows in and links what the rows run.
func (d *domain) prepare(t *testing.T) {
	t.Helper()
	d.tools(t)
	for account, password := range map[string]string{
		"alice": "Alice!2026", "Administrator": "Passw0rd!", "ContainerHost01$": "HostPass!01", "ContainerHost02$": "HostPass!02",
	} {
		if out := d.run(t, "echo '"+password+"' | kinit '"+account+"'", d.ccache(account)); out.exit != 0 {
			t.Fatalf("kinit %s: %s", account, out.text)
		}
	}
	// Accounts change passwords that are younger than the day for which the default policy keeps them.
	if out := d.run(t, `printf 'dn: DC=contoso,DC=com\nchangetype: modify\nreplace: minPwdAge\nminPwdAge: 0\n' | ldapmodify -Q -Y GSSAPI -H $URI`, d.ccache("Administrator")); out.exit != 0 {
		t.Fatalf("minPwdAge: %s", out.text)
	}
}

// tools names the programs and options that the lines of rows and stories use.
func (d *domain) tools(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	d.env = append(d.env, "SELF="+self, "FETCHER="+here+"/fetcher.sh", "PACJUDGE="+here+"/pacjudge.py", "GMSASIM="+binary(t), "HEIMDAL="+heimdal()+"/usr/bin", "IMPACKET=/usr/share/doc/python3-impacket/examples",
		"URI=ldap://dc01.contoso.com", "BASE=dc=contoso,dc=com", "LDAPTLS_CACERT="+d.value("GMSASIM_CA_FILE"),
		"SEARCH=ldapsearch -LLL -o ldif_wrap=no -b dc=contoso,dc=com",
		// Samba's programs keep state and want folders of their own.
		"NET=net --option=realm=CONTOSO.COM --option=workgroup=CONTOSO --option=security=ads --configfile="+d.smbConf(t),
		"SMBCONF="+d.smbConf(t))
}

// value is one variable of up's environment.
func (d *domain) value(name string) string {
	for _, v := range d.env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// heimdal is where .ci/clients.sh unpacks Heimdal's programs.
func heimdal() string {
	dir := os.Getenv("GMSASIM_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(base, "gmsasim")
	}
	return filepath.Join(dir, "heimdal")
}

// smbConf writes the configuration of Samba's programs: member of the domain, all state below the scratch folder.
func (d *domain) smbConf(t *testing.T) string {
	t.Helper()
	path := filepath.Join(d.dir, "smb.conf")
	text := "[global]\n realm = CONTOSO.COM\n workgroup = CONTOSO\n security = ads\n kerberos method = secrets and keytab\n" +
		" tls cafile = " + d.value("GMSASIM_CA_FILE") + "\n tls verify peer = ca_and_name\n"
	for _, kind := range []string{"lock", "state", "cache", "private"} {
		dir := filepath.Join(d.dir, "samba", kind)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		text += " " + kind + " directory = " + dir + "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// version asks a client, or dpkg, for its version.
func (d *domain) version(t *testing.T, line string) string {
	t.Helper()
	out := d.run(t, line)
	return strings.TrimSpace(regexp.MustCompile(`\d+(\.\d+)+`).FindString(out.text))
}

// debianVersion is the version line of clients that do not tell their own.
func debianVersion(pkg string) string { return `dpkg-query -W -f '${Version}' ` + pkg }
