package intake_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/doctor/intake"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/ldif"
)

// b64 is a value in base64, as LDIF has it behind two colons.
func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func sid(rid uint32) string {
	return b64(security.MustSID("S-1-5-21-10-20-30").Append(rid).Bytes())
}

func allowing(sids ...security.SID) string {
	sd := &security.Descriptor{Control: 0x8004, Owner: security.BuiltinAdministrators, DACL: &security.ACL{Revision: 4}}
	for _, s := range sids {
		sd.DACL.ACEs = append(sd.DACL.ACEs, security.ACE{Mask: 0xf01ff, SID: s})
	}
	return b64(sd.Marshal())
}

var domainOf = security.MustSID("S-1-5-21-10-20-30")

// small is an export with what is needed, and nothing else.
func small() string {
	return `dn: DC=corp,DC=example
objectClass: domainDNS
objectSid:: ` + b64(domainOf.Bytes()) + `
objectGUID:: ` + b64(make([]byte, 15)) + `AQ==
whenChanged: 20240301120000.0Z

dn: CN=CORP,CN=Partitions,CN=Configuration,DC=corp,DC=example
objectClass: crossRef
nCName: DC=corp,DC=example
nETBIOSName: CORPNET

dn: CN=DC1,OU=Domain Controllers,DC=corp,DC=example
objectClass: computer
sAMAccountName: DC1$
userAccountControl: 532480

dn: CN=4e5e4a5b-0000-4000-8000-000000000001,CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,CN=Configuration,DC=corp,DC=example
objectClass: msKds-ProvRootKey
msKds-CreateTime: 133500000000000000
msKds-UseStartTime: 133500000000000000

dn: CN=Node7,OU=Servers,DC=corp,DC=example
objectClass: computer
cn: Node7
sAMAccountName: NODE7$
objectSid:: ` + sid(1107) + `
operatingSystem: Windows Server 2019 Datacenter
operatingSystemVersion: 10.0 (17763)
userAccountControl: 4096
servicePrincipalName: HOST/NODE7
servicePrincipalName: HOST/Node7.corp.example
servicePrincipalName: RestrictedKrbHost/NODE7
servicePrincipalName: RestrictedKrbHost/node7.corp.example
msDS-SupportedEncryptionTypes: 28

dn: CN=Readers,OU=Groups,DC=corp,DC=example
objectClass: group
sAMAccountName: Readers
objectSid:: ` + sid(1108) + `
groupType: -2147483646
member: CN=Node7,OU=Servers,DC=corp,DC=example

dn: CN=app,CN=Managed Service Accounts,DC=corp,DC=example
objectClass: computer
objectClass: msDS-GroupManagedServiceAccount
sAMAccountName: app$
objectSid:: ` + sid(1109) + `
dNSHostName: app.corp.example
userAccountControl: 4096
msDS-SupportedEncryptionTypes: 24
msDS-ManagedPasswordInterval: 7
msDS-GroupMSAMembership:: ` + allowing(domainOf.Append(1108)) + `
`
}

func read(t testing.TB, text string, o intake.Options) *intake.Directory {
	t.Helper()
	d, err := intake.ReadDirectory("x.ldif", strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func remarks(list []intake.Remark) string {
	var s []string
	for _, r := range list {
		s = append(s, r.String())
	}
	return strings.Join(s, "\n")
}

func TestReadDirectory(t *testing.T) {
	d := read(t, small(), intake.Options{})
	c := d.Config
	if c.DNSName != "corp.example" || c.NetBIOSName != "CORPNET" || c.SID != "S-1-5-21-10-20-30" || c.GUID == "" || len(c.DCs) != 1 || c.DCs[0] != "DC1" ||
		!c.Start.Equal(time.Date(2024, 3, 1, 12, 0, 1, 0, time.UTC)) || len(c.KDSRootKeys) != 1 || len(c.Users) != 0 {
		t.Errorf("got %+v", c)
	}
	if h := c.Hosts[0]; h.Name != "Node7" || h.RID != 1107 || !strings.HasPrefix(h.OS, "Windows Server 2019 Datacenter") {
		t.Errorf("host: got %+v", h)
	}
	if g := c.Groups[0]; g.Scope != simulator.Global || len(g.Members) != 1 || g.RID != 1108 {
		t.Errorf("group: got %+v", g)
	}
	if s := c.ServiceAccounts[0]; s.Name != "app" || s.IntervalDays != 7 || fmt.Sprint(s.EncryptionTypes, s.AllowedToRetrieve) != "[AES128 AES256] [Readers]" || s.RetrieveSDDL != "" {
		t.Errorf("account: got %+v", s)
	}
	if len(c.Edits) != 0 || len(d.Report.Warnings) != 0 || len(d.Readers) != 1 {
		t.Errorf("edits %+v, warnings %v, readers %v: want none, none, one", c.Edits, remarks(d.Report.Warnings), d.Readers)
	}
	if n := strings.Count(d.Report.Text(), "\n"); n > 20 {
		t.Errorf("the report has %d lines:\n%s", n, d.Report.Text())
	}
}

// TestWhatExportsSay: each change of an export is in the world or in the report.
func TestWhatExportsSay(t *testing.T) {
	edits := func(d *intake.Directory) string { return fmt.Sprintf("%v", d.Config.Edits) }
	for _, c := range []struct {
		name, old, new string
		got            func(*intake.Directory) string
		want           string
	}{
		{"bits of userAccountControl", "userAccountControl: 4096\nservice", "userAccountControl: 69634\nservice", edits, "[{Node7$ userAccountControl [69634]}]"},
		{"encryption types without a name", "msDS-SupportedEncryptionTypes: 24", "msDS-SupportedEncryptionTypes: 2147483644", edits, "[{app$ msDS-SupportedEncryptionTypes [2147483644]}]"},
		{"no encryption types", "msDS-SupportedEncryptionTypes: 24\n", "", func(d *intake.Directory) string { return remarks(d.Report.Assumed) }, "encryption types: msDS-SupportedEncryptionTypes is not in the export"},
		{"service principal names of a computer", "servicePrincipalName: HOST/NODE7\n", "servicePrincipalName: HOST/NODE7\nservicePrincipalName: http/www\n", edits, "http/www"},
		{"an expired account", "dNSHostName: app.corp.example", "dNSHostName: app.corp.example\naccountExpires: 133400000000000000", edits, "[{app$ accountExpires [133400000000000000]}]"},
		{"an account that never expires", "dNSHostName: app.corp.example", "dNSHostName: app.corp.example\naccountExpires: 9223372036854775807", edits, "[]"},
		{"an unknown SID", allowing(domainOf.Append(1108)), allowing(domainOf.Append(1108), domainOf.Append(4711)),
			func(d *intake.Directory) string {
				return d.Config.ServiceAccounts[0].RetrieveSDDL + remarks(d.Report.Warnings)
			}, "app lets S-1-5-21-10-20-30-4711 read its password, which is nobody in the export: deleted, or not exported (line 52)"},
		{"a group of every domain", allowing(domainOf.Append(1108)), allowing(domainOf.Append(515)), func(d *intake.Directory) string { return fmt.Sprint(d.Config.ServiceAccounts[0].AllowedToRetrieve) }, "[Domain Computers]"},
		{"a descriptor in SDDL", ":: " + allowing(domainOf.Append(1108)), ": O:BAD:(D;;RP;;;S-1-5-21-10-20-30-1107)", func(d *intake.Directory) string { return d.Config.ServiceAccounts[0].RetrieveSDDL }, "O:BAD:(D;;RP;;;S-1-5-21-10-20-30-1107)"},
		{"no descriptor at all", "msDS-GroupMSAMembership:: " + allowing(domainOf.Append(1108)), "description: x", func(d *intake.Directory) string { return remarks(d.Report.Warnings) }, "who may read passwords is not in the export"},
		{"a descriptor that is none", allowing(domainOf.Append(1108)), "AAAA", func(d *intake.Directory) string { return remarks(d.Report.Warnings) }, "msDS-GroupMSAMembership of app is no security descriptor: nobody may read the password (line 52)"},
		{"a dangling member", "member: CN=Node7,OU=Servers", "member: CN=Node8,OU=Servers", func(d *intake.Directory) string { return remarks(d.Report.Warnings) }, "Readers has members that are nobody in the export, as Node8 (line 41)"},
		{"a part of the members", "member: CN=Node7", "member;range=0-0: CN=Node7", func(d *intake.Directory) string { return remarks(d.Report.Warnings) }, "Readers has more members than the server gave"},
		{"the last part of the members", "member: CN=Node7", "member;range=0-*: CN=Node7", func(d *intake.Directory) string { return remarks(d.Report.Warnings) }, ""},
		{"memberOf without member", "member: CN=Node7,OU=Servers,DC=corp,DC=example", "memberOf: CN=x", func(d *intake.Directory) string { return fmt.Sprint(d.Config.Groups[0].Members) }, "[]"},
		{"a distribution group", "groupType: -2147483646", "groupType: 2", func(d *intake.Directory) string { return string(d.Config.Groups[0].Category) }, "Distribution"},
		{"no groupType", "groupType: -2147483646\n", "", func(d *intake.Directory) string { return remarks(d.Report.Assumed) }, "groups whose groupType is not in the export are global security groups (line 36)"},
		{"an old release", "operatingSystem: Windows Server 2019 Datacenter\noperatingSystemVersion: 10.0 (17763)", "operatingSystem: Windows Server 2012 R2 Standard\noperatingSystemVersion: 6.3 (9600)",
			func(d *intake.Directory) string { return remarks(d.Report.Warnings) + edits(d) }, "Node7 runs Windows Server 2012 R2 Standard"},
		{"another system", "operatingSystem: Windows Server 2019 Datacenter", "operatingSystem: Ubuntu", func(d *intake.Directory) string { return d.Config.Hosts[0].OS }, "Ubuntu"},
		{"no operating system", "operatingSystem: Windows Server 2019 Datacenter\noperatingSystemVersion: 10.0 (17763)\n", "", func(d *intake.Directory) string { return remarks(d.Report.Assumed) }, "computers without operatingSystem run Windows Server 2019"},
		{"no crossRef", "nETBIOSName: CORPNET\n", "", func(d *intake.Directory) string { return d.Config.NetBIOSName + " " + remarks(d.Report.Assumed) }, "CORP the NetBIOS name is CORP"},
		{"no times", "whenChanged: 20240301120000.0Z\n", "", func(d *intake.Directory) string { return d.Report.TimeFrom }, "the newest time in the export, line 18"},
		{"foreign schema", "dNSHostName: app.corp.example", "dNSHostName: app.corp.example\ncontoso-CostCentre: 7", func(d *intake.Directory) string { return fmt.Sprint(d.Report.IgnoredAttributes) }, "{contoso-CostCentre 1}"},
		{"no objectSid", "objectSid:: " + sid(1107) + "\n", "", func(d *intake.Directory) string { return remarks(d.Report.Assumed) }, "relative identifiers of accounts whose objectSid is not in the export (line 22)"},
		{"a long name of a computer", "sAMAccountName: NODE7$", "sAMAccountName: NODE7-WITH-A-LONG-NAME$", func(d *intake.Directory) string { return remarks(d.Report.Ignored) }, "the computer NODE7-WITH-A-LONG-NAME: that is no name of at most 15"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(small(), c.old) {
				t.Fatalf("the export has no %q", c.old)
			}
			d := read(t, strings.Replace(small(), c.old, c.new, 1), intake.Options{})
			if got := c.got(d); !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if _, err := simulator.Start(t.Context(), d.Config); err != nil {
				t.Errorf("the domain does not start: %v", err)
			}
		})
	}
}

// TestPartialExports: what an administrator can get without the domain, without the configuration and without objectClass.
func TestPartialExports(t *testing.T) {
	entries := strings.Split(small(), "\n\n")
	some := strings.Join([]string{entries[4], entries[5], entries[6]}, "\n\n")
	for _, text := range []string{some, strings.ReplaceAll(some, "objectClass", "x-class")} {
		d := read(t, text, intake.Options{Now: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)})
		if c := d.Config; c.DNSName != "corp.example" || c.SID != "S-1-5-21-10-20-30" || len(c.KDSRootKeys) != 1 || len(d.Readers) != 1 {
			t.Errorf("got %+v, %v", c, d.Readers)
		}
		got := remarks(d.Report.Assumed)
		for _, want := range []string{"the domain is corp.example", "the domain's SID is that of its accounts", "the domain's GUID", "the NetBIOS name is CORP", "one domain controller, DC01", "a usable KDS root key"} {
			if !strings.Contains(got, want) {
				t.Errorf("assumed: got %s, want %s", got, want)
			}
		}
	}
}

func TestReadDirectoryRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "there is no entry in the file"},
		{"no domain", "dn: O=corp\nobjectClass: organization\n", "no entry of the export belongs to a domain"},
		{"a change", "dn: DC=corp,DC=example\nchangetype: modify\n", "line 2: changetype"},
		{"no name", "dn: corp\n", `line 1: "corp" is no distinguished name`},
		{"twice", "dn: DC=corp,DC=example\nobjectClass: domainDNS\n\ndn: dc=CORP,dc=example\nobjectClass: domainDNS\n", "line 4: dc=CORP,dc=example is there a second time; line 1 has it too"},
		{"Windows-1252", strings.Replace(small(), "Readers\n", "R\xe4ders\n", 1), "line 38: byte 0xE4 is not UTF-8"},
		{"cut off", small()[:len(small())-40], "the file ends within a base64 value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := intake.ReadDirectory("x.ldif", strings.NewReader(c.text), intake.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	_, err := intake.ReadDirectory("x.ldif", strings.NewReader(small()), intake.Options{Limits: ldif.Limits{Entries: 2}})
	if !errors.Is(err, ldif.ErrLimit) {
		t.Errorf("got %v, want a limit", err)
	}
}

// TestLargeExport reads 50 MB, of which the world has what the service account leads to.
func TestLargeExport(t *testing.T) {
	photo := strings.Repeat("A", 800)
	const users = 48_000
	n := 0
	rest := strings.NewReader(small() + "\n")
	src := readerFunc(func(b []byte) (int, error) {
		if rest.Len() == 0 {
			if n == users {
				return 0, io.EOF
			}
			n++
			rest.Reset(fmt.Sprintf("dn: CN=User %d,OU=People,DC=corp,DC=example\nobjectClass: user\ncn: User %d\nsAMAccountName: user%d\nobjectSid:: %s\nuserAccountControl: 512\nthumbnailPhoto:: %s\nwhenChanged: 20230102030405.0Z\n\n", n, n, n, sid(uint32(5000+n)), photo))
		}
		return rest.Read(b)
	})
	size := 0
	counting := readerFunc(func(b []byte) (int, error) { k, err := src(b); size += k; return k, err })
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := time.Now()
	d, err := intake.ReadDirectory("large.ldif", counting, intake.Options{})
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	heap := int64(after.HeapSys) - int64(before.HeapSys)
	t.Logf("%.1f MB, %d entries in %v; the heap grew by %d MB", float64(size)/1e6, d.Report.Entries, took, heap>>20)
	if size < 48_000_000 || d.Report.Entries != users+7 || len(d.Config.Users) != 0 || len(d.Config.Hosts) != 1 {
		t.Errorf("%d bytes, %d entries, %d users, %d hosts", size, d.Report.Entries, len(d.Config.Users), len(d.Config.Hosts))
	}
	if took > 30*time.Second || heap > 256<<20 {
		t.Errorf("took %v and %d MB", took, heap>>20)
	}
	if s := remarks(d.Report.Ignored); !strings.Contains(s, "48000 objects of kind user that no service account leads to") {
		t.Errorf("ignored: got %s", s)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestOddDirectories: what other programs cannot hold is diagnosed like everything else.
func TestOddDirectories(t *testing.T) {
	for _, c := range []struct{ name, old, new, causes string }{
		{"an expired account", "dNSHostName: app.corp.example", "dNSHostName: app.corp.example\naccountExpires: 133400000000000000", "GMSA506 acct-expired"},
		{"a computer that is disabled", "userAccountControl: 4096\nservice", "userAccountControl: 4098\nservice", ""},
		{"nobody may", allowing(domainOf.Append(1108)), allowing(domainOf.Append(4711)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(small(), c.old, c.new, 1)
			r, read := diagnosed(t, text, "schema: gmsasim.world/1\ndomain: {hosts: [{name: Node7, credentialSpecs: [app]}]}\ncontainers: [{name: x, host: Node7, hostname: app, credentialSpec: \"file://corpnet_app.json\"}]\n", false)
			causes, _ := told(r)
			if r.Outcome == doctor.Healthy || c.causes != "" && causes != c.causes {
				t.Errorf("got %s %q, want %q\n%s%s", r.Outcome, causes, c.causes, read.Text(), r.Text(doctor.Plain))
			}
		})
	}
}
