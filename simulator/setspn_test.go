package simulator

import (
	"errors"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// TestSetspn: what each option prints, and the exit code that scripts look at.
func TestSetspn(t *testing.T) {
	d := StartT(t, Contoso())
	for _, tc := range []struct {
		options string
		exit    int
		text    []string
		code    diag.Code // "" for none
	}{
		{"-S http/web WebApp01$", 0, []string{"Checking domain DC=contoso,DC=com\n", "Registering ServicePrincipalNames for CN=WebApp01,", "\thttp/web\n", "Updated object\n"}, ""},
		{"-L webapp01$", 0, []string{"Registered ServicePrincipalNames for CN=WebApp01,", "\thttp/web\n"}, ""},
		{"-Q HTTP/WEB", 0, []string{"\nCN=WebApp01,", "Existing SPN found!\n"}, ""},
		{"-Q http/other", 1, []string{"No such SPN found.\n"}, ""},
		{"-S http/web alice", 1, []string{"CN=WebApp01,", "Duplicate SPN found, aborting operation!\n"}, diag.SPNTaken},
		{"-A http/web alice", 1, []string{"Registering", "Failed to assign SPN on account 'CN=alice,", "error 0x21c7/8647"}, diag.SPNTaken},
		{"-S http/web2 WebApp01", 1, []string{"return value 0x00000525\nCould not find account WebApp01\n"}, diag.NoSuchAccount},
		{"-L nobody", 1, []string{"Could not find account nobody\n"}, diag.NoSuchAccount},
		{"-X", 1, []string{"found 0 group of duplicate SPNs.\n"}, ""},
		{"-d http/web WebApp01$", 0, []string{"Unregistering ServicePrincipalNames for CN=WebApp01,", "Updated object\n"}, ""},
		{"-Q http/web", 1, []string{"No such SPN found.\n"}, ""},
	} {
		out, err := d.Setspn(strings.Fields(tc.options)...)
		if out.Exit != tc.exit || (err == nil) != (tc.code == "") || tc.code != "" && !errors.Is(err, tc.code) {
			t.Errorf("setspn %s: got %+v, %v; want exit code %d, %s", tc.options, out, err, tc.exit, string(tc.code))
		}
		for _, want := range tc.text {
			if !strings.Contains(out.Text, want) {
				t.Errorf("setspn %s: got\n%s\nwithout %q", tc.options, out.Text, want)
			}
		}
	}
}

// FuzzSetspn: any command line is carried out or refused, and what it added can be taken away.
func FuzzSetspn(f *testing.F) {
	d, err := Start(f.Context(), Contoso())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = d.Close() })
	f.Add("-S http/web WebApp01$")
	f.Add("-A MSSQLSvc/db:1433 CONTOSO\\alice")
	f.Add("-Q */*")
	f.Add("-x")
	f.Add("-L \\")
	f.Add("-S ) (|(a=*")
	f.Fuzz(func(t *testing.T, line string) {
		options := strings.Fields(line)
		out, err := d.Setspn(options...)
		if err != nil && out == (Setspn{}) {
			t.Errorf("%q: got %v and exit code 0", line, err)
		}
		if err == nil && len(options) == 3 && !strings.EqualFold(options[0], "-D") {
			if q, err := d.Setspn("-D", options[1], options[2]); err != nil {
				t.Errorf("%q: taking it away: got %+v, %v", line, q, err)
			}
		}
	})
}
