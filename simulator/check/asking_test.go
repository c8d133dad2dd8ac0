package check

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// stub is a directory of one domain and one that it trusts. It counts the questions about domains outside.
type stub struct {
	err     error // of everything
	keysErr error
	outside int
}

func (s *stub) Domains() ([]Domain, error) {
	return []Domain{
		{DNSName: "corp.example", NetBIOSName: "CORP", SID: "S-1-5-21-2005147832-1190431754-3022818347", GUID: "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36", Forest: "corp.example"},
		{DNSName: "partner.example", NetBIOSName: "PARTNER", SID: "S-1-5-21-1944093208-2201453388-1013450522", Trusted: true},
	}, s.err
}

func (s *stub) Find(domain string, by Key, value string) ([]Object, error) {
	if domain == "partner.example" {
		s.outside++
	}
	if by == BySAM && strings.EqualFold(value, "webapp$") {
		return []Object{{DN: "CN=webapp", Domain: "corp.example", Class: ClassGMSA, CN: "webapp", SAM: "webapp$", Flags: WorkstationTrustAccount}}, nil
	}
	if by == BySAM && strings.EqualFold(value, "WEB01$") {
		return []Object{{DN: "CN=WEB01", Domain: "corp.example", Class: ClassComputer, CN: "WEB01", SAM: "WEB01$"}}, nil
	}
	return nil, nil
}

func (s *stub) ServiceAccounts(string) ([]string, error)   { return []string{"webapp"}, nil }
func (s *stub) MayRetrieve(Object, Object) (bool, error)   { return true, nil }
func (s *stub) RootKeys(string) ([]RootKey, string, error) { return nil, "dc01", s.keysErr }
func (s *stub) Now() (time.Time, error)                    { return time.Unix(0, 0), nil }

// specAbout is a credential spec of a domain.
func specAbout(dns, netbios, sid string) *source.File {
	return source.NewFile("webapp.json", []byte(`{"CmsPlugins": ["ActiveDirectory"], "DomainJoinConfig": {"Sid": "`+sid+`", "MachineAccountName": "webapp",
 "Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36", "DnsTreeName": "`+dns+`", "DnsName": "`+dns+`", "NetBiosName": "`+netbios+`"},
 "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": [{"Name": "webapp", "Scope": "`+dns+`"}, {"Name": "webapp", "Scope": "`+netbios+`"}]}}`))
}

// TestNobodyAnswers: a directory that cannot be asked passes nothing and reports nothing; each rule says why, once.
func TestNobodyAnswers(t *testing.T) {
	away := errors.New("no controller answers")
	file := specAbout("corp.example", "CORP", "S-1-5-21-2005147832-1190431754-3022818347")
	result := Run(setup.Read([]*source.File{file}), Options{Directory: &stub{err: away}, Hosts: []string{"WEB01"}, All: true})
	for _, r := range result.Reports {
		if r.Rule.run == nil {
			t.Errorf("%s: %s", r.Rule.ID, r.Message)
		}
	}
	said := map[string]int{}
	for _, n := range result.NotChecked {
		if n.Reason == away.Error() {
			said[n.Rule.ID]++
		}
	}
	for id := range directoryChecks {
		if id == "file-name-trimmed" { // nothing is missing that it could look for
			continue
		}
		if said[id] != 1 {
			t.Errorf("%s: said %d times why it was not checked", id, said[id])
		}
	}
}

// TestTrustedDomain: of a domain outside of the forest the SID and the names are compared, and its accounts are left alone.
func TestTrustedDomain(t *testing.T) {
	d := &stub{}
	file := specAbout("partner.example", "CORP", "S-1-5-21-2005147832-1190431754-3022818347")
	result := Run(setup.Read([]*source.File{file}), Options{Directory: d, All: true})
	var got []string
	for _, r := range result.Reports {
		if slices.Contains(r.Rule.Needs, InDirectory) {
			got = append(got, r.Rule.ID)
		}
	}
	if want := []string{"sid-domain-mismatch", "netbios-mismatch"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	reasons := 0
	for _, n := range result.NotChecked {
		if strings.Contains(n.Reason, "partner.example is outside of the forest of corp.example") {
			reasons++
		}
	}
	if reasons == 0 || d.outside > 0 {
		t.Errorf("%d reasons, %d questions about the domain outside", reasons, d.outside)
	}
}

// TestHiddenKeys: that no key is seen is not that there is none.
func TestHiddenKeys(t *testing.T) {
	file := specAbout("corp.example", "CORP", "S-1-5-21-2005147832-1190431754-3022818347")
	for _, tt := range []struct {
		err     error
		reports int
	}{{nil, 1}, {errors.New("not visible"), 0}} {
		result := Run(setup.Read([]*source.File{file}), Options{Directory: &stub{keysErr: tt.err}, All: true})
		reports, reasons := 0, 0
		for _, r := range result.Reports {
			if r.Rule.ID == "kds-key-not-ready" {
				reports++
			}
		}
		for _, n := range result.NotChecked {
			if n.Rule.ID == "kds-key-not-ready" {
				reasons++
			}
		}
		if reports != tt.reports || reasons != 1-tt.reports {
			t.Errorf("%v: %d reports, %d reasons", tt.err, reports, reasons)
		}
	}
}
