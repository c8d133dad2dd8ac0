package intake_test

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/doctor/intake"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/ldapclient"
	"github.com/gmsasim/gmsasim/simulator"
)

// wanted is the filter that docs/how-to/diagnose-a-real-domain.md gives to ldapsearch and ldifde.
const wanted = "(|(objectClass=domainDNS)(objectClass=user)(objectClass=group)(objectClass=crossRef)(objectClass=msKds-ProvRootKey))"

// shop is the domain whose directory is exported.
func shop() simulator.Config {
	return simulator.Config{
		DNSName:     "fabrikam.example",
		DCs:         []string{"DC01", "DC02"},
		KDSRootKeys: []simulator.KDSRootKey{{Effective: simulator.Ago(10 * 3600e9)}},
		Groups:      []simulator.Group{{Name: "ShopHosts", Scope: simulator.Global, Members: []string{"NODE01", "NODE02"}}},
		Users:       []simulator.User{{Name: "jörg"}, {Name: "oldshop"}},
		ServiceAccounts: []simulator.ServiceAccount{{Name: "Shop", SPNs: []string{"host/Shop.fabrikam.example", "http/store.fabrikam.example"},
			AllowedToRetrieve: []string{"ShopHosts"}, IntervalDays: 14}},
		Hosts: []simulator.HostConfig{{Name: "NODE01", OS: "Windows Server 2019"}, {Name: "NODE02", OS: "Windows Server 2022"}},
	}
}

// part is what an export does not hold.
const part = `schema: gmsasim.world/1
domain:
  hosts: [{name: NODE01, credentialSpecs: [Shop]}]
containers:
  - {name: web, host: NODE01, hostname: shop, credentialSpec: "file://fabrikam_shop.json"}
uses:
  - {kind: kerberos, container: web, user: jörg, spn: http/store.fabrikam.example}
`

// bySocket exports a directory with the repository's client over a real connection.
func bySocket(t *testing.T, d *simulator.Domain) string {
	t.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(d.LDAPURL(), "ldap://"))
	if err != nil {
		t.Fatal(err)
	}
	c := ldapclient.New(nc)
	defer c.Close()
	if err := c.BindSimple("Administrator@"+d.DNSName(), "Passw0rd!"); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("version: 1\n\n")
	for _, base := range []string{d.BaseDN(), "CN=Configuration," + d.BaseDN()} {
		entries, err := c.Search(&ldapclient.SearchRequest{Base: base, Scope: ldapclient.Subtree, Filter: filter.MustParse(wanted), PageSize: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			writeLine(&b, "dn", []byte(e.DN))
			for _, a := range e.Attributes {
				for _, v := range a.Values {
					writeLine(&b, a.Name, v)
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// writeLine writes an attribute as RFC 2849 wants it, folded after 76 characters.
func writeLine(b *strings.Builder, name string, value []byte) {
	line := name + ": " + string(value)
	for i, c := range value {
		if c >= utf8.RuneSelf || c < ' ' || i == 0 && (c == ':' || c == '<') || (i == 0 || i == len(value)-1) && c == ' ' {
			line = name + ":: " + base64.StdEncoding.EncodeToString(value)
			break
		}
	}
	for len(line) > 76 {
		b.WriteString(line[:76] + "\n ")
		line = line[76:]
	}
	b.WriteString(line + "\n")
}

// byLDAPSearch exports a directory with OpenLDAP's client.
func byLDAPSearch(t *testing.T, d *simulator.Domain) string {
	t.Helper()
	program, err := exec.LookPath("ldapsearch")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ldapsearch is not installed")
		}
		t.Skip("ldapsearch is not installed (package ldap-utils)")
	}
	var all strings.Builder
	for _, base := range []string{d.BaseDN(), "CN=Configuration," + d.BaseDN()} {
		cmd := exec.Command(program, "-x", "-H", d.LDAPURL(), "-D", "Administrator@"+d.DNSName(), "-w", "Passw0rd!", "-E", "pr=50/noprompt", "-b", base, wanted)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		all.Write(out)
	}
	return all.String()
}

// edit changes the lines of one entry of an export, as an editor does.
func edit(t *testing.T, ldif, dn, old, new string) string {
	t.Helper()
	begin := strings.Index(ldif, "\ndn: "+dn)
	if begin < 0 {
		t.Fatalf("the export has no %s", dn)
	}
	end := begin + strings.Index(ldif[begin:]+"\n\n", "\n\n")
	entry := ldif[begin:end]
	if !strings.Contains(entry, old) {
		t.Fatalf("%s has no %q:\n%s", dn, old, entry)
	}
	return ldif[:begin] + strings.Replace(entry, old, new, 1) + ldif[end:]
}

// diagnosed reads an export and lets the doctor look at it.
func diagnosed(t *testing.T, ldif, part string, redact bool) (*doctor.Report, *intake.Report) {
	t.Helper()
	p := &intake.Papers{}
	var err error
	if part != "" {
		if p.World, err = doctor.ParseWorldPart("part.yaml", []byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if p.Directory, err = intake.ReadDirectory("export.ldif", strings.NewReader(ldif), intake.Options{Keep: p.Keep()}); err != nil {
		t.Fatal(err)
	}
	w, report, err := p.Make()
	if err != nil {
		t.Fatal(err)
	}
	if redact {
		if w, report, err = intake.Redact(w, report); err != nil {
			t.Fatal(err)
		}
	}
	text, err := intake.YAML(w)
	if err != nil {
		t.Fatal(err)
	}
	again, err := doctor.ParseWorld("written.yaml", text)
	if err != nil {
		t.Fatalf("the world that was written cannot be read: %v\n%s", err, text)
	}
	r, err := doctor.DiagnoseWorld(t.Context(), "case", again, doctor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r, report
}

// TestEditsAreFound: an administrator edits an export by hand, and the doctor finds what was done and proves what undoes it.
func TestEditsAreFound(t *testing.T) {
	d := simulator.StartT(t, shop())
	if err := d.Listen(); err != nil {
		t.Fatal(err)
	}
	id := d.State().KDSRootKeys[0].ID
	const account = "CN=Shop,CN=Managed Service Accounts,"
	for _, export := range []struct {
		name string
		of   func(*testing.T, *simulator.Domain) string
	}{{"socket", bySocket}, {"ldapsearch", byLDAPSearch}} {
		t.Run(export.name, func(t *testing.T) {
			ldif := export.of(t, d)
			for _, c := range []struct {
				name   string
				edit   func(*testing.T, string) string
				causes string // codes and modes
				fix    string // in the commands of the first fixes
			}{
				{"nothing", func(_ *testing.T, s string) string { return s }, "", ""},
				{"a member taken out of the group", func(t *testing.T, s string) string {
					return edit(t, s, "CN=ShopHosts,", "member: CN=NODE01,CN=Computers,DC=fabrikam,DC=example\n", "")
				}, "GMSA201 acl-host-not-member", `Add-ADGroupMember -Identity "ShopHosts" -Members "NODE01$"`},
				{"a service principal name moved to another account", func(t *testing.T, s string) string {
					s = edit(t, s, account, "servicePrincipalName: http/store.fabrikam.example\n", "")
					return edit(t, s, "CN=oldshop,", "sAMAccountName: oldshop\n", "sAMAccountName: oldshop\nservicePrincipalName: http/store.fabrikam.example\n")
				}, "GMSA504 spn-on-wrong-account", "setspn -D http/store.fabrikam.example oldshop"},
				{"a service principal name copied to another account", func(t *testing.T, s string) string {
					return edit(t, s, "CN=oldshop,", "sAMAccountName: oldshop\n", "sAMAccountName: oldshop\nservicePrincipalName: http/store.fabrikam.example\n")
				}, "GMSA502 spn-duplicate", "setspn -D http/store.fabrikam.example oldshop"},
				{"DES only", func(t *testing.T, s string) string {
					return edit(t, s, account, "msDS-SupportedEncryptionTypes: 28", "msDS-SupportedEncryptionTypes: 3")
				}, "GMSA204 etype-des-or-none", "Set-ADServiceAccount Shop -KerberosEncryptionType"},
				{"a disabled account", func(t *testing.T, s string) string {
					return edit(t, s, account, "userAccountControl: 4096", "userAccountControl: 4098")
				}, "GMSA506 acct-disabled", "Set-ADServiceAccount Shop -Enabled $true"},
				{"a root key that takes effect later", func(t *testing.T, s string) string {
					now := d.Clock.Now().Unix() + 11644473600
					old := fmt.Sprintf("msKds-UseStartTime: %d", (now-10*3600)*1e7)
					return edit(t, s, "CN="+id[:20], old, fmt.Sprintf("msKds-UseStartTime: %d", (now+3*86400)*1e7))
				}, "GMSA102 kds-default-effective-10-days", "Add-KdsRootKey"},
				{"two at once", func(t *testing.T, s string) string {
					s = edit(t, s, "CN=ShopHosts,", "member: CN=NODE01,CN=Computers,DC=fabrikam,DC=example\n", "")
					return edit(t, s, account, "servicePrincipalName: http/store.fabrikam.example\n", "")
				}, "GMSA201 acl-host-not-member, GMSA501 spn-alias-missing", "setspn -S http/store.fabrikam.example"},
			} {
				t.Run(c.name, func(t *testing.T) {
					edited := c.edit(t, ldif)
					r, read := diagnosed(t, edited, part, false)
					causes, fixes := told(r)
					if causes != c.causes || !strings.Contains(fixes, c.fix) {
						t.Errorf("got causes %q, fixes %q; want %q, %q\n%s%s", causes, fixes, c.causes, c.fix, read.Text(), r.Text(doctor.Plain))
					}
					if want := (map[bool]doctor.Outcome{true: doctor.Healthy, false: doctor.Repaired})[c.causes == ""]; r.Outcome != want {
						t.Errorf("outcome: got %s, want %s", r.Outcome, want)
					}
					neutral, report := diagnosed(t, edited, part, true)
					if got, _ := told(neutral); got != c.causes || len(neutral.Chain.Links) != len(r.Chain.Links) || neutral.Complaint == nil != (r.Complaint == nil) {
						t.Errorf("redacted: got causes %q in %d checks, want %q in %d", got, len(neutral.Chain.Links), c.causes, len(r.Chain.Links))
					}
					for i := range r.Chain.Links {
						if a, b := r.Chain.Links[i], neutral.Chain.Links[i]; a.Step != b.Step || a.Mark != b.Mark {
							t.Errorf("redacted: check %d is %s %s, want %s %s", i, b.Step, b.Mark, a.Step, a.Mark)
						}
					}
					if s := report.Text() + neutral.Text(doctor.Plain); leaks(s) != "" {
						t.Errorf("%q is in the redacted report:\n%s", leaks(s), s)
					}
				})
			}
		})
	}
}

// told are the causes and the first fixes of a report.
func told(r *doctor.Report) (causes, fixes string) {
	var list, commands []string
	for _, c := range r.Causes {
		list = append(list, strings.TrimSpace(string(c.Finding.Code)+" "+c.Finding.Mode))
		if len(c.Fixes) > 0 {
			commands = append(commands, c.Fixes[0].Command)
		}
	}
	return strings.Join(list, ", "), strings.Join(commands, "\n")
}

// leaks gives a name of the domain that is in a text.
func leaks(s string) string {
	for _, name := range []string{"fabrikam", "shop", "store", "node0", "jörg", "j\\u00f6rg"} {
		if strings.Contains(strings.ToLower(s), name) {
			return name
		}
	}
	return ""
}

// TestWithoutContainers: the directory alone says which computers should read which passwords.
func TestWithoutContainers(t *testing.T) {
	d := simulator.StartT(t, shop())
	if err := d.Listen(); err != nil {
		t.Fatal(err)
	}
	ldif := bySocket(t, d)
	r, _ := diagnosed(t, ldif, "", false)
	var links []string
	for _, l := range r.Chain.Links {
		links = append(links, l.Step+" "+string(l.Mark))
	}
	if got, want := strings.Join(links, ", "), "S1 ok, S2 ok, S3 ok, S3 ok, S4 ok, S4 ok"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	edited := edit(t, ldif, "CN=ShopHosts,", "member: CN=NODE02,CN=Computers,DC=fabrikam,DC=example\n", "")
	r, read := diagnosed(t, edited, "", false)
	if got, _ := told(r); got != "GMSA201 acl-host-not-member" {
		t.Errorf("got %q", got)
	}
	if len(read.Warnings) != 1 || !strings.HasPrefix(read.Warnings[0].Text, "NODE02 says that it is in ShopHosts") || len(read.Warnings[0].Lines) != 1 {
		t.Errorf("warnings: got %v", read.Warnings)
	}
}
