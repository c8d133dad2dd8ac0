//go:build interop

package interop_test

import (
	"fmt"
	"strings"
	"testing"
)

// A step is one line for the shell of a story, with what has to come of it.
type step struct {
	name, run string
	exit      int
	want      []string
	as        string // the credential cache, default Administrator
}

// tell runs the steps of a story one after the other; a step that fails ends it.
func tell(t *testing.T, d *domain, steps []step) {
	t.Helper()
	for _, s := range steps {
		as := s.as
		if as == "" {
			as = "Administrator"
		}
		out := d.run(t, s.run, d.ccache(as))
		if out.exit != s.exit {
			t.Fatalf("%s: got exit status %d, want %d\n%s\n%s", s.name, out.exit, s.exit, s.run, out.text)
		}
		for _, want := range s.want {
			if !strings.Contains(out.text, want) {
				t.Fatalf("%s: got no %q in\n%s\n%s", s.name, want, s.run, out.text)
			}
		}
	}
}

// keytabs makes keytabs h1 and h2 of the two hosts from their passwords, as ktutil does it: with the salt that the KDC names.
var keytabs = step{name: "keytabs of the hosts", run: `for h in 1 2; do
	printf 'addent -password -p ContainerHost0%s$@CONTOSO.COM -k 1 -e aes256-cts-hmac-sha1-96 -f\nHostPass!0%s\nwkt h%s\nquit\n' $h $h $h | ktutil && klist -k h$h || exit
done
echo 'Passw0rd!' | kinit Administrator`, want: []string{"ContainerHost01$@CONTOSO.COM", "ContainerHost02$@CONTOSO.COM"}}

const (
	fetch     = `$FETCHER -k h1 -o gmsa WebApp01 host/containerhost02.contoso.com`
	addMember = `printf 'dn: CN=%s,CN=Users,DC=contoso,DC=com\nchangetype: modify\nadd: member\nmember: CN=%s,CN=Computers,DC=contoso,DC=com\n' `
	modify    = ` | ldapmodify -Q -Y GSSAPI -H $URI`
)

// TestFetcher lets fetcher.sh fetch the password of a gMSA, with stock tools alone, in every state in which a host can be.
func TestFetcher(t *testing.T) {
	require(t, "kinit", "kvno", "klist", "ktutil", "ldapsearch", "ldapmodify", "dig", "openssl", "od", "awk", "base64")
	var table strings.Builder
	for _, story := range []struct {
		name, config string
		steps        []step
	}{
		{"authorised", contoso, []step{
			{name: "fetch", run: fetch, want: []string{"signed in as WebApp01$ (key version 1)"}},
			{name: "the keytab opens tickets for the account", run: `kvno -k gmsa http/webapp01.contoso.com`, want: []string{"kvno = 1, keytab entry valid"}},
			{name: "the ticket is the account's", run: `klist gmsa.ccache`, want: []string{"Default principal: WebApp01$@CONTOSO.COM", "host/containerhost02.contoso.com@CONTOSO.COM"}},
			{name: "no such account", run: `$FETCHER -k h1 -o none NoApp host/containerhost02.contoso.com`, exit: 5, want: []string{"no group managed service account NoApp$"}},
			{name: "no such service", run: `$FETCHER -k h1 -o none WebApp01 host/nohost.contoso.com`, exit: 10, want: []string{"Server not found in Kerberos database"}},
			{name: "no such domain", run: `$FETCHER -k h1 -d other.com WebApp01 host/nohost.contoso.com`, exit: 3},
		}},
		{"unauthorised", contoso, []step{
			{name: "fetch", run: `$FETCHER -k h2 -o gmsa WebApp01 host/containerhost02.contoso.com`, exit: 6,
				want: []string{"ContainerHost02$@CONTOSO.COM may not read the password of WebApp01$"}},
			{name: "nothing is left behind", run: `ls gmsa`, exit: 2},
		}},
		// A global group is in the TGT: a host that is in it since today needs a new one, as after a restart.
		{"membership newer than the ticket", strings.Replace(contoso, "scope: DomainLocal\n    members: [ContainerHost01]", "scope: Global", 1), []step{
			{name: "the daemon has a ticket", run: `kinit -k -t h1 -c tgt 'ContainerHost01$' && cp tgt daemon && $FETCHER -c daemon -k h1 -o gmsa WebApp01 host/containerhost02.contoso.com`, exit: 6},
			{name: "the host joins the group", run: addMember + `WebApp01Hosts ContainerHost01` + modify},
			{name: "the daemon's ticket does not know it", run: `$FETCHER -c daemon -k h1 -o gmsa WebApp01 host/containerhost02.contoso.com`, exit: 6,
				want: []string{"its tickets are older than its membership"}},
			{name: "not even with a new ticket for the directory", run: `$FETCHER -c tgt -k h1 -o gmsa WebApp01 host/containerhost02.contoso.com`, exit: 6},
			{name: "a new sign-in", run: `kdestroy -c daemon && $FETCHER -c daemon -k h1 -o gmsa WebApp01 host/containerhost02.contoso.com`,
				want: []string{"signed in as WebApp01$"}},
		}},
		// The groups of the domain itself are added to each service ticket: a new one is enough.
		{"new member of a domain-local group", strings.Replace(contoso, "    members: [ContainerHost01]\n", "", 1), []step{
			{name: "the daemon has a ticket", run: `kinit -k -t h1 -c tgt 'ContainerHost01$' && cp tgt daemon && $FETCHER -c daemon -k h1 -o gmsa WebApp01 host/containerhost02.contoso.com`, exit: 6},
			{name: "the host joins the group", run: addMember + `WebApp01Hosts ContainerHost01` + modify},
			{name: "the old ticket for the directory", run: `$FETCHER -c daemon -k h1 -o gmsa WebApp01 host/containerhost02.contoso.com`, exit: 6},
			{name: "a new one, from the old TGT", run: `$FETCHER -c tgt -k h1 -o gmsa WebApp01 host/containerhost02.contoso.com`},
		}},
		{"before the root key is usable", youngKey, []step{
			{name: "the account cannot be made", run: addAccount, exit: 53, want: []string{"8009000D"}},
			{name: "so there is none", run: fetch, exit: 5, want: []string{"no group managed service account WebApp01$"}},
			{name: "nine hours later", run: `$GMSASIM clock +9h >&2`},
			{name: "neither", run: addAccount, exit: 53, want: []string{"8009000D"}},
			{name: "ten hours", run: `$GMSASIM clock +61m >&2`},
			{name: "the account can be made", run: addAccount},
			{name: "and serves", run: fetch, want: []string{"signed in as WebApp01$"}},
		}},
		{"after the rotation", contoso, []step{
			{name: "fetch", run: fetch + ` && cp gmsa old`, want: []string{"(key version 1)"}},
			{name: "31 days later", run: `$GMSASIM clock +744h >&2`},
			{name: "the next fetch finds another password", run: fetch + ` && ! cmp old gmsa`, want: []string{"signed in as WebApp01$"}},
			{name: "the new keytab opens new tickets", run: `kvno -k gmsa http/webapp01.contoso.com`, want: []string{"keytab entry valid"}},
			{name: "the old keytab does not open them", run: `kdestroy && echo 'Passw0rd!' | kinit Administrator && kvno -k old http/webapp01.contoso.com`, exit: 1},
			{name: "another month", run: `$GMSASIM clock +744h >&2`},
			{name: "the password before the last one is no longer good", run: `kinit -k -t old -c x 'WebApp01$'`, exit: 1, want: []string{"reauthentication failed"}},
			{name: "fetch again", run: fetch, want: []string{"signed in as WebApp01$"}},
		}},
	} {
		result := "ok"
		if !t.Run(story.name, func(t *testing.T) {
			d := start(t, story.config)
			d.tools(t)
			tell(t, d, append([]step{keytabs}, story.steps...))
		}) {
			result = "FAILED"
		}
		fmt.Fprintf(&table, "%-12s %-18s %-52s %s\n", "fetcher.sh", "", story.name, result)
	}
	fmt.Printf("\n%s\n", table.String())
}

// youngKey is a domain whose root key was made a moment ago, and which for that reason has no service account yet.
var youngKey = func() string {
	before, rest, _ := strings.Cut(contoso, "serviceAccounts:\n")
	_, hosts, _ := strings.Cut(rest, "hosts:\n")
	return strings.Replace(before, "effective: -10h", "effective: 0s", 1) + "hosts:\n" + hosts
}()

// addAccount makes the gMSA as an administrator does it over LDAP: the readers are the group's SID in a security descriptor, which
// takes no more than a shell to write ([MS-DTYP] 2.4.6).
const addAccount = `sid=$(ldapsearch -Q -LLL -o ldif_wrap=no -Y GSSAPI -H $URI -b $BASE '(cn=WebApp01Hosts)' objectSid | sed -n 's/^objectSid:: //p' | base64 -d | od -An -v -tx1 | tr -d ' \n')
ace=$((${#sid} / 2 + 8))
hex=010004801400000000000000000000002400000001020000000000052000000020020000$(printf '0400%02x00010000000000%02x00ff010f00%s' $((ace + 8)) $ace "$sid")
readers=$(printf %b "$(printf %s "$hex" | sed 's/../&\n/g' | while read -r h; do [ -n "$h" ] && printf '\\0%o' 0x$h; done)" | base64 -w0)
printf 'dn: CN=WebApp01,CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: add\nobjectClass: msDS-GroupManagedServiceAccount\nsAMAccountName: WebApp01$\ndNSHostName: WebApp01.contoso.com\nuserAccountControl: 4096\nmsDS-ManagedPasswordInterval: 30\nmsDS-SupportedEncryptionTypes: 28\nservicePrincipalName: host/WebApp01.contoso.com\nmsDS-GroupMSAMembership:: %s\n' "$readers" | ldapmodify -Q -Y GSSAPI -H $URI`
