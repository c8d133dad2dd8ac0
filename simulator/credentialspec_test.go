package simulator

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

func specText(h *Host, file string) string {
	text, _ := h.ReadCredentialSpec(file)
	return string(text)
}

func TestCredentialSpecFile(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	configured := specText(h, "contoso_webapp01.json")
	file, warning, err := h.NewCredentialSpec(NewCredentialSpec{Account: "WebApp01$"})
	check(t, errors.Join(warning, err))
	if written := specText(h, file); file != "contoso_webapp01.json" || written != configured {
		t.Errorf("got %s with\n%s\nwant contoso_webapp01.json with\n%s", file, written, configured)
	}
	var s credentialSpec
	check(t, json.Unmarshal([]byte(configured), &s))
	j := s.DomainJoinConfig
	if j.Sid != d.root().SID.String() || j.GUID != d.root().GUID.String() || j.MachineAccountName != "WebApp01" || j.DNSTreeName != "contoso.com" ||
		j.DNSName != "contoso.com" || j.NetBIOSName != "CONTOSO" || len(s.CmsPlugins) != 1 {
		t.Errorf("got %+v", s)
	}
	if got := s.ActiveDirectoryConfig.GroupManagedServiceAccounts; len(got) != 2 || got[0].Scope != "contoso.com" || got[1].Scope != "CONTOSO" {
		t.Errorf("got accounts %+v", got)
	}
}

// TestWrongFields: the container starts, and what it asks for under the wrong name is not there. The host is content.
func TestWrongFields(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	good := specText(h, "contoso_webapp01.json")
	for _, tc := range []struct {
		old, replacement string
		verify           Status
		want             diag.Code
	}{
		{`"WebApp01"`, `"WebApp01$"`, StatusNoTrustLSASecret, diag.SpecAccountName},
		{`"WebApp01"`, `"WebApp01.contoso.com"`, StatusNoTrustLSASecret, diag.SpecAccountName},
		{`"DnsName":  "contoso.com"`, `"DnsName":  "CONTOSO"`, StatusNoLogonServers, diag.SpecDomainName},
	} {
		h.WriteCredentialSpec("contoso_webapp01.json", []byte(strings.ReplaceAll(good, tc.old, tc.replacement)))
		c := start(t, h, gmsaContainer())
		n, err := c.NltestSCVerify("CONTOSO")
		if n.Status() != tc.verify || !errors.Is(err, tc.want) {
			t.Errorf("%s: got %s, %v; want %s, %s", tc.replacement, n.Status(), err, tc.verify, string(tc.want))
		}
		if _, err := c.KlistGet("krbtgt"); !errors.Is(err, tc.want) {
			t.Errorf("%s: klist got %v", tc.replacement, err)
		}
		check(t, h.TestServiceAccount("WebApp01"))
	}
}

// FuzzCredentialSpec: whatever an option and a file hold, the engine loads it or says why not, and a container of it can be asked.
func FuzzCredentialSpec(f *testing.F) {
	d, err := Start(f.Context(), Contoso())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = d.Close() })
	h := d.Host("ContainerHost01")
	good := specText(h, "contoso_webapp01.json")
	f.Add("file://spec.json", good)
	f.Add("file://SPEC.JSON", strings.ReplaceAll(good, "WebApp01", "nobody"))
	f.Add("file://spec.json", strings.ReplaceAll(good, "contoso.com", "fabrikam.com"))
	f.Add("raw://"+good, "")
	f.Add("file://..\\spec.json", "{")
	f.Add("file://C:\\spec.json", "[]")
	f.Add("registry://x", "null")
	f.Add("config://x", `{"DomainJoinConfig":{"MachineAccountName":"$","DnsName":"."}}`)
	f.Add("=", "\xff\xfe{\x00}\x00")
	f.Fuzz(func(t *testing.T, option, text string) {
		h.WriteCredentialSpec("spec.json", []byte(text))
		c := gmsaContainer()
		c.CredentialSpec = option
		r, err := h.Run(c)
		if err != nil {
			if f, ok := diag.Of(err); !ok || f.Code < "GMSA400" || f.Code > "GMSA449" {
				t.Errorf("got %v, want the finding", err)
			}
			return
		}
		defer r.Stop()
		for _, get := range []func() (Nltest, error){r.NltestQuery, r.NltestParentDomain, func() (Nltest, error) { return r.NltestSCVerify("contoso.com") }} {
			if n, _ := get(); n.Text == "" {
				t.Error("nltest printed nothing")
			}
		}
		if _, err := r.KlistGet("krbtgt"); option != "" && err == nil && !strings.Contains(strings.ToLower(option+text), "webapp01") {
			t.Errorf("%s %s: got a ticket", option, text)
		}
		_ = r.InboundNTLM("alice")
	})
}
