package fetcher_test

import (
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/fetcher"
)

// TestVersions: version 1 uses what it could read of a document with a mistake; version 2 refuses it, and wants a section for a plug-in always.
func TestVersions(t *testing.T) {
	d := simulator.StartT(t, simulator.Config{
		KDSRootKeys:     []simulator.KDSRootKey{{Effective: simulator.Ago(10 * 3600e9)}},
		Hosts:           []simulator.HostConfig{{Name: "Linux01", OS: "Amazon Linux 2023"}},
		ServiceAccounts: []simulator.ServiceAccount{{Name: "WebApp01", AllowedToRetrieve: []string{"Linux01"}}},
	})
	plain := string(d.CredentialSpec("WebApp01"))
	cut := strings.TrimRight(plain, "} \r\n")
	for _, tt := range []struct {
		version    int
		text, want string // "": a ticket
	}{
		{1, plain, ""},
		{1, cut, ""},
		{1, "// of the web shop\n" + plain, ""},
		{1, strings.Replace(plain, "WebApp01\",", "WebApp01$\",", 9), "ERROR: credentialspec file is not formatted properly"},
		{1, "", "ERROR: credspec is empty"},
		{2, plain, "missing or invalid HostAccountConfig in credential spec"},
		{2, cut, "failed to parse credential spec JSON: unexpected end of JSON input"},
		{2, strings.Replace(plain, `"GroupManagedServiceAccounts"`, `"HostAccountConfig": {"PluginInput": {"CredentialArn": "arn:x"}}, "GroupManagedServiceAccounts"`, 1), ""},
	} {
		l, err := fetcher.New(d, d.Host("Linux01"), fetcher.Options{Version: tt.version}).Lease([]byte(tt.text), nil)
		switch {
		case tt.want == "" && (err != nil || l.Account != "WebApp01"):
			t.Errorf("version %d: got %v, %.60q", tt.version, err, tt.text)
		case tt.want != "" && (err == nil || err.Error() != tt.want):
			t.Errorf("version %d: got %v, want %q", tt.version, err, tt.want)
		}
	}
}
