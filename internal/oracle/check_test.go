package oracle_test

import (
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/internal/oracle"
)

func TestOutcome(t *testing.T) {
	n := &oracle.Normaliser{Domain: "S-1-5-21-1-2-3", NameOf: func(sid string) string {
		return map[string]string{"S-1-5-21-1-2-3-1104": "alice"}[sid]
	}}
	r := oracle.NewRecord("dn: CN=alice,DC=contoso,DC=com\nwhenCreated: 20190503100000.0Z\nuSNChanged: 12\ndescription: S-1-5-21-1-2-3-1104 and S-1-5-21-1-2-3-515\n", "note 0000202D at ../x/y.c:12\n", 0)
	const entry = "CN=alice,DC=contoso,DC=com"
	for _, tc := range []struct {
		name  string
		check oracle.Check
		want  string
	}{
		{"exact", oracle.Check{Grade: oracle.Exact},
			"exit 0\n" + entry + " description: <alice> and <domain>-515\n" + entry + " uSNChanged: <count>\n" + entry + " whenCreated: <time>\ndn: " + entry},
		{"exact of one field", oracle.Check{Grade: oracle.Exact, Of: []string{"USNCHANGED"}}, "exit 0\n" + entry + " uSNChanged: <count>"},
		{"code", oracle.Check{Grade: oracle.Code}, "exit 0"},
		{"class", oracle.Check{Grade: oracle.Class, Of: []string{"0000202d", "52e"}}, "success +0000202d -52e"},
		{"structure", oracle.Check{Grade: oracle.Structure}, "exit 0\n" + entry + " description uSNChanged whenCreated"},
	} {
		if got := tc.check.Outcome(r, n); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestRecordCodes(t *testing.T) {
	for _, tc := range []struct {
		stdout, stderr string
		exit           int
		want           string
	}{
		{"error: 25\nfields: pvno\n", "", 0, "krb 25"},
		{"", "kinit: Client 'x@CONTOSO.COM' not found in Kerberos database while getting initial credentials\n", 1, "exit 1: Client  not found in Kerberos database"},
		{"silence: closed\n", "", 0, "silence: closed"},
		{"", "ldap_add: Server is unwilling to perform (53)\n", 53, "exit 53"},
	} {
		if got := oracle.NewRecord(tc.stdout, tc.stderr, tc.exit).Code; got != tc.want {
			t.Errorf("%q, %q: got %q, want %q", tc.stdout, tc.stderr, got, tc.want)
		}
	}
}

// TestJudge: an unlisted difference, one that has vanished and one that has changed all fail.
func TestJudge(t *testing.T) {
	plain := oracle.Check{Grade: oracle.Code}
	listed := oracle.Check{Grade: oracle.Code, Differs: "D1", Samba: "exit 32", Gmsasim: "exit 53"}
	for _, tc := range []struct {
		name           string
		check          oracle.Check
		samba, gmsasim string
		want           string // what the fault says; empty: none
	}{
		{"equal", plain, "exit 0", "exit 0", ""},
		{"unlisted", plain, "exit 32", "exit 53", "unlisted difference"},
		{"listed", listed, "exit 32", "exit 53", ""},
		{"vanished", listed, "exit 53", "exit 53", "has vanished"},
		{"ours changed", listed, "exit 32", "exit 1", "not the difference"},
		{"theirs changed", listed, "exit 1", "exit 53", "not the difference"},
		{"the other way round", listed, "exit 53", "exit 32", "not the difference"},
	} {
		got := tc.check.Judge(tc.samba, tc.gmsasim)
		if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestDifferencesHaveReasons(t *testing.T) {
	for id, d := range oracle.Differences {
		if d.Samba == "" || d.Gmsasim == "" || d.Because == "" {
			t.Errorf("%s: got %+v, want what either side does and why", id, d)
		}
	}
}
