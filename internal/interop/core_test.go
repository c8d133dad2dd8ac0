package interop_test

import (
	"strings"
	"testing"
)

// TestCore runs the clients without which nothing else would work. `make interop` has all the others.
func TestCore(t *testing.T) {
	require(t, "kinit", "kvno", "ldapsearch", "adcli")
	d := start(t, contoso)
	for _, tc := range []struct {
		name, run string
		want      []string
	}{
		{"MIT kinit and kvno", `echo 'Alice!2026' | kinit alice && kvno host/webapp01.contoso.com && klist -e`,
			[]string{"Default principal: alice@CONTOSO.COM", "host/webapp01.contoso.com@CONTOSO.COM: kvno = 1", "aes256-cts-hmac-sha1-96"}},
		{"MIT kinit, wrong password", `echo wrong | kinit alice; [ $? = 1 ]`,
			[]string{"Password incorrect while getting initial credentials"}},
		{"sealed ldapsearch reads the managed password", `echo 'HostPass!01' | kinit 'ContainerHost01$' >/dev/null &&
			ldapsearch -LLL -o ldif_wrap=no -Y GSSAPI -H ldap://dc01.contoso.com -b dc=contoso,dc=com '(cn=WebApp01)' msDS-ManagedPassword`,
			[]string{"SASL SSF: 256", "dn: CN=WebApp01,CN=Managed Service Accounts,DC=contoso,DC=com", "msDS-ManagedPassword:: AQAAACIBAAAQAAAA"}},
		{"adcli info", `adcli info contoso.com`,
			[]string{"domain-name = contoso.com", "domain-short = CONTOSO", "domain-controller = dc01.contoso.com", "domain-controller-usable = yes"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out := d.run(t, tc.run, d.ccache("core"))
			if out.exit != 0 {
				t.Fatalf("exit status %d\n%s", out.exit, out.text)
			}
			for _, want := range tc.want {
				if !strings.Contains(out.text, want) {
					t.Errorf("got no %q in\n%s", want, out.text)
				}
			}
		})
	}
}
