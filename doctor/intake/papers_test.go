package intake_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/doctor/intake"
	"github.com/gmsasim/gmsasim/simulator"
)

const inspected = `[
    {
        "Id": "4b1d2f0e9c7a4b1d2f0e9c7a4b1d2f0e9c7a4b1d2f0e9c7a4b1d2f0e9c7a4b1d",
        "Name": "/web shop",
        "Platform": "windows",
        "HostConfig": {
            "NetworkMode": "default",
            "Isolation": "process",
            "Dns": ["10.1.2.3"],
            "SecurityOpt": ["credentialspec=file://corpnet_app.json"]
        },
        "Config": {"Hostname": "4b1d2f0e9c7a", "User": "ContainerUser", "Image": "registry.corp.example/team/shop:1.2"},
        "ImageManifestDescriptor": {"platform": {"os": "windows", "os.version": "10.0.17763.1817"}},
        "NetworkSettings": {"Networks": {"nat": {"IPAddress": "172.28.0.5"}}}
    }
]
`

func TestParseInspect(t *testing.T) {
	list, err := intake.ParseInspect("inspect.json", []byte(inspected))
	if err != nil {
		t.Fatal(err)
	}
	p := intake.Papers{Directory: read(t, small(), intake.Options{}), Inspected: list}
	w, report, err := p.Make()
	if err != nil {
		t.Fatal(err)
	}
	c := w.Containers[0]
	if c.Name != "web-shop" || c.Host != "Node7" || c.Hostname != "" || c.User.Name == "" || c.Isolation != "process" || c.CredentialSpec != "file://corpnet_app.json" ||
		c.Image.Build != 17763 || len(c.SecurityOpts) != 0 {
		t.Errorf("got %+v", c)
	}
	got := remarks(report.Assumed)
	for _, want := range []string{"the container runs on Node7", "is built on a Server Core of 10.0.17763.1817", "asks 10.1.2.3, which know the domain"} {
		if !strings.Contains(got, want) {
			t.Errorf("assumed: got %s, want %s", got, want)
		}
	}
	if one, err := intake.ParseInspect("x", []byte(strings.Trim(strings.TrimSpace(inspected), "[]"))); err != nil || len(one) != 1 {
		t.Errorf("one container: got %v, %v", one, err)
	}
	for text, want := range map[string]string{
		"[\n  {\"Id\": }]": "x.json:2:10:", "[]": "no container", "[{}]": "item 1 is no container", "[{\"Config\": 5}]": "x.json:1:",
	} {
		if _, err := intake.ParseInspect("x.json", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestSpec: a credential spec of the directory's own domain is good; one with a fault is diagnosed, redacted or not.
func TestSpec(t *testing.T) {
	d := read(t, small(), intake.Options{})
	spec := fmt.Sprintf(`{"CmsPlugins": ["ActiveDirectory"], "DomainJoinConfig": {"Sid": %q, "MachineAccountName": "app", "Guid": %q,
 "DnsTreeName": "corp.example", "DnsName": "corp.example", "NetBiosName": "CORPNET"},
 "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": [{"Name": "app", "Scope": "corp.example"}, {"Name": "app", "Scope": "CORPNET"}]}}`, d.Config.SID, d.Config.GUID)
	for _, c := range []struct{ name, old, new, causes string }{
		{"good", "", "", ""},
		{"another name in the list", `{"Name": "app"`, `{"Name": "payroll"`, "GMSA404 cs-machine-name-mismatch"},
		{"cut off", `"CORPNET"}]}}`, ``, "GMSA412 cs-invalid-json"},
	} {
		for _, redact := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", c.name, redact), func(t *testing.T) {
				text := strings.ReplaceAll(spec, c.old, c.new)
				if c.old == "" {
					text = spec
				}
				p := intake.Papers{Directory: read(t, small(), intake.Options{}), Spec: intake.ReadSpec(`C:\specs\corpnet_app.json`, []byte(text))}
				w, report, err := p.Make()
				if err != nil {
					t.Fatal(err)
				}
				if redact {
					if w, report, err = intake.Redact(w, report); err != nil {
						t.Fatal(err)
					}
				}
				r, err := doctor.DiagnoseWorld(t.Context(), "case", w, doctor.Options{})
				if err != nil {
					t.Fatal(err)
				}
				causes, _ := told(r)
				if causes != c.causes {
					t.Errorf("got %q, want %q\n%s\n%s%s", causes, c.causes, w.Domain.Hosts[0].SpecFiles[0].Text, report.Text(), r.Text(doctor.Plain))
				}
				if all := strings.ToLower(fmt.Sprint(w) + report.Text() + r.Text(doctor.Plain)); redact && (strings.Contains(all, "corp") || strings.Contains(all, "payroll")) {
					t.Errorf("a name is left:\n%s", all)
				}
			})
		}
	}
}

func TestUnknownNames(t *testing.T) {
	for _, c := range []struct {
		papers intake.Papers
		want   string
	}{
		{intake.Papers{Host: "Node8"}, `no host "Node8"`},
		{intake.Papers{Account: "apq"}, `no service account "apq"`},
		{intake.Papers{Host: "Node8", Inspected: []intake.Inspected{{}}}, `no host "Node8"`},
	} {
		c.papers.Directory = read(t, small(), intake.Options{})
		if _, _, err := c.papers.Make(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	part, err := doctor.ParseWorldPart("part.yaml", []byte("schema: gmsasim.world/1\ncontainers:\n  - {name: x, host: Node8}\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := intake.Papers{Directory: read(t, small(), intake.Options{}), World: part}
	if _, _, err := p.Make(); err == nil || !strings.Contains(err.Error(), `part.yaml:3:`) || !strings.Contains(err.Error(), "Node7") {
		t.Errorf("got %v, want the place and the nearest name", err)
	}
}

// keptFields name nobody; what stands in them is not replaced.
var keptFields = map[string]bool{"Schema": true, "OS": true, "WireTime": true, "EncryptionTypes": true, "DefaultETypes": true, "KDCETypes": true, "DataRoot": true,
	"Attribute": true, "ServiceDependsOn": true, "CLSID": true, "COMClasses": true, "DCSubnet": true, "SiteSubnets": true, "Subnet": true, "Address": true}

// TestNoTextEscapes fills every text of a world and looks whether redaction leaves one.
func TestNoTextEscapes(t *testing.T) {
	n := 0
	var fill func(v reflect.Value, field string)
	fill = func(v reflect.Value, field string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() && f.Name != "Keys" {
					fill(v.Field(i), f.Name)
				}
			}
		case reflect.Slice:
			if v.Type().Elem().Kind() == reflect.Uint8 {
				return
			}
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), field)
		case reflect.String:
			if v.Type() == reflect.TypeFor[string]() && !keptFields[field] {
				n++
				v.SetString(fmt.Sprintf("zebra%d", n))
			}
		}
	}
	w := &doctor.World{}
	fill(reflect.ValueOf(w).Elem(), "")
	w.Domain.Faults = nil // its action has a form of its own
	w.Containers[0].Image.Reference = "zebra/zebra:ltsc2019-windowsservercore-ltsc2019"
	w.Domain.Hosts[0].SpecFiles[0].Text = `{"zebra": "zebra", "Name": "zebra\\zebra", "x`
	out := intake.Neutral(w)
	if s := fmt.Sprintf("%+v", out); strings.Contains(strings.ToLower(s), "zebra") {
		at := strings.Index(strings.ToLower(s), "zebra")
		t.Errorf("a text is left: …%s…", s[max(0, at-80):min(len(s), at+40)])
	}
	if n < 80 {
		t.Errorf("only %d texts were filled", n)
	}
}

func TestRedactKeepsWhatCounts(t *testing.T) {
	w := &doctor.World{Schema: doctor.WorldSchema, Domain: simulator.Contoso()}
	w.Domain.Users = append(w.Domain.Users, simulator.User{Name: "websvc", SPNs: []string{"MSSQLSvc/db.contoso.com:1433", "MSSQLSvc/db.contoso.com:PAYROLL", "http/WEBAPP01", "HTTP/webapp01.contoso.com/contoso.com"}})
	w.Containers = []doctor.Container{{Name: "a", Host: "ContainerHost01", Container: simulator.Container{Hostname: "webapp01", CredentialSpec: `file://..\CONTOSO_webapp01.json`, DNS: []string{"10.0.0.5", "8.8.8.8", "DC01"}}}}
	out, _, err := intake.Redact(w, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(out.Domain.Users[1].SPNs), "[MSSQLSvc/service01.example.test:1433 MSSQLSvc/service01.example.test:INSTANCE01 http/GMSA01 HTTP/gmsa01.example.test/example.test]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c := out.Containers[0]
	if got, want := fmt.Sprint(c.Hostname, c.CredentialSpec, c.DNS), `gmsa01file://..\EXAMPLE_gmsa01.json[10.0.0.5 192.0.2.1 DC01]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	w.Domain.Edits = []simulator.Edit{{Object: "alice", Attribute: "description", Values: []string{"base64:AAAA"}}}
	if _, _, err := intake.Redact(w, nil); err == nil {
		t.Error("bytes were taken to be neutral")
	}
}
