//go:build oracle

package oracle_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/internal/interop/netns"
	"github.com/gmsasim/gmsasim/internal/oracle"
)

const (
	address   = "192.0.2.10"
	adminPass = "Passw0rd!"
	// limit ends a client that hangs: a server's mistake usually shows as silence.
	limit = 20 * time.Second
)

// python is Debian's: it has impacket and Samba's modules, which another interpreter on PATH has not.
const python = "/usr/bin/python3"

// etc is what programs inside a namespace see below /etc. Both sides have the same names and the same address. The machine's own
// name is there because libldap looks it up, and would wait for a DNS server that does not know it.
func etc(t *testing.T) map[string]string {
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"hosts":       "127.0.0.1 localhost " + hostname + "\n" + address + " dc01.contoso.com dc01\n",
		"resolv.conf": "nameserver " + address + "\nsearch contoso.com\n",
		"krb5.conf":   krb5Conf,
	}
}

const krb5Conf = `[libdefaults]
 default_realm = CONTOSO.COM
 dns_lookup_kdc = false
 dns_lookup_realm = false
 rdns = false
 dns_canonicalize_hostname = false
[realms]
 CONTOSO.COM = {
  kdc = ` + address + `
  kpasswd_server = ` + address + `
 }
[domain_realm]
 .contoso.com = CONTOSO.COM
 contoso.com = CONTOSO.COM
`

// A side is one server with the population in it, in a namespace of its own.
type side struct {
	name    string
	ns      *netns.Namespace
	scratch string
	norm    *oracle.Normaliser
	names   map[string]string // SID to account name
	sids    map[string]string // account name to SID
	probe   *probe
	// tree is where the oracle's own programs are, fetcher the script of package interop.
	tree, fetcher string
}

// newSide makes the namespace in which start runs the server, and waits until LDAP and the KDC answer.
func newSide(t *testing.T, name string, start func(*side) *exec.Cmd) *side {
	t.Helper()
	s := &side{name: name, scratch: t.TempDir(), names: map[string]string{}, sids: map[string]string{}}
	ns, err := netns.New(netns.Config{Addresses: []string{address + "/32"}, Etc: etc(t), Dir: s.scratch, Privileged: true})
	if err != nil {
		t.Fatal(err)
	}
	s.ns = ns
	s.tree, s.fetcher = filepath.Join(cacheDir(t), "root"), s.script(t, "../interop/fetcher.sh")
	server := start(s)
	log, err := os.Create(filepath.Join(s.scratch, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.probe != nil {
			s.probe.close()
		}
		err := ns.Close()
		_ = server.Wait() // killed with its namespace
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s: last words of the server:\n%s", name, tail(text, 3000))
		}
		log.Close()
	})
	// Two processes answer, and a socket that accepts is not yet an answer.
	const ready = `for i in $(seq 200); do
	ldapsearch -x -LLL -H ldap://dc01.contoso.com -s base -b '' dnsHostName >log 2>&1 &&
	echo "$1" | kinit Administrator >>log 2>&1 && exit 0
	sleep 0.1
done
cat log
exit 1`
	if r := s.run(t, operation{run: "sh -c '" + strings.ReplaceAll(ready, "'", `'\''`) + "' sh '" + adminPass + "'", as: "Administrator"}); r.Code != "exit 0" {
		t.Fatalf("%s does not answer: %s", name, r.Text)
	}
	s.norm = &oracle.Normaliser{NameOf: func(sid string) string { return s.nameOf(t, sid) }}
	s.norm.Domain = s.lookUp(t, "(objectClass=domain)", "objectSid")
	return s
}

func tail(b []byte, n int) []byte {
	if len(b) > n {
		b = b[len(b)-n:]
	}
	return b
}

// env is what every client gets. The credential cache is the caller's.
func (s *side) env(as string) []string {
	return []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + s.scratch, "TMPDIR=" + s.scratch,
		"LDAPTLS_REQCERT=never", "KRB5CCNAME=FILE:" + s.ccache(as),
		"BASE=DC=contoso,DC=com", "SCRATCH=" + s.scratch, "TREE=" + s.tree, "FETCHER=" + s.fetcher,
		// Searches as the caller, sealed; modifications as the caller, sealed; simple binds and TLS name their own options.
		"ADMIN=-D Administrator@contoso.com -w " + adminPass,
		"S=-LLL -o ldif_wrap=no -o nettimeout=10 -Q -Y GSSAPI -H ldap://dc01.contoso.com",
		"M=-Q -Y GSSAPI -H ldap://dc01.contoso.com",
		"X=-x -LLL -o ldif_wrap=no -o nettimeout=10 -H ldap://dc01.contoso.com",
		"XS=-x -LLL -o ldif_wrap=no -o nettimeout=10 -H ldaps://dc01.contoso.com",
	}
}

func (s *side) ccache(as string) string {
	return filepath.Join(s.scratch, "cc_"+strings.TrimSuffix(as, "$"))
}

// passwords of the population's accounts.
var passwords = map[string]string{
	"Administrator": adminPass, "alice": "Wonder!2026", "ContainerHost01$": "HostPass!01", "ContainerHost02$": "HostPass!02",
	"ContainerHost03$": "HostPass!03", "ContainerHost04$": "HostPass!04",
}

// signIn gets a fresh TGT for an account of the population.
func (s *side) signIn(t *testing.T, account string) {
	t.Helper()
	r := s.run(t, operation{run: `kinit '` + account + `' && cp ${KRB5CCNAME#FILE:} ${KRB5CCNAME#FILE:}.tgt`, stdin: passwords[account] + "\n", as: account})
	if r.Code != "exit 0" {
		t.Errorf("%s: kinit %s: %s", s.name, account, r.Text)
	}
}

// run sends one operation and takes its output apart.
func (s *side) run(t *testing.T, op operation) *oracle.Record {
	t.Helper()
	command, stdin := s.expand(t, op.run), s.expand(t, op.stdin)
	if line, ok := strings.CutPrefix(command, "krb "); ok {
		return oracle.NewRecord(s.probeOf(t).ask(t, strings.ReplaceAll(line, "$SCRATCH", s.scratch)), "", 0)
	}
	as := op.as
	if as == "" {
		as = "Administrator"
	}
	cmd := s.ns.Command(t.Context(), limit, "sh", "-c", command)
	cmd.Env = s.env(as)
	cmd.Dir = s.scratch
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %s: %v", s.name, command, err)
	}
	return oracle.NewRecord(stdout.String(), stderr.String(), cmd.ProcessState.ExitCode())
}

// expand fills in what an operation cannot know: SIDs, descriptors with them, passwords as AD wants them.
func (s *side) expand(t *testing.T, text string) string {
	t.Helper()
	if !strings.Contains(text, "{{") {
		return text
	}
	functions := template.FuncMap{
		"sid": func(account string) string { return s.sidOf(t, account) },
		"acl": func(accounts ...string) string { return s.acl(t, accounts...) },
		"pw": func(password string) string {
			var b []byte
			for _, r := range `"` + password + `"` {
				b = append(b, byte(r), 0) // the population's passwords are ASCII
			}
			return base64.StdEncoding.EncodeToString(b)
		},
		"filetime": func(ago string) string {
			d, err := time.ParseDuration(ago)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(time.Now().Add(d).UnixNano()/100 + 116444736000000000)
		},
	}
	tmpl, err := template.New("").Funcs(functions).Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, nil); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return b.String()
}

// acl is msDS-GroupMSAMembership as the cmdlets write it: full control for each account.
func (s *side) acl(t *testing.T, accounts ...string) string {
	t.Helper()
	sd := security.Descriptor{
		Control: 0x8004, // self-relative, with a DACL
		Owner:   security.MustSID("S-1-5-32-544"),
		DACL:    &security.ACL{Revision: 4},
	}
	for _, a := range accounts {
		sd.DACL.ACEs = append(sd.DACL.ACEs, security.ACE{Mask: 0xf01ff, SID: security.MustSID(s.sidOf(t, a))})
	}
	return base64.StdEncoding.EncodeToString(sd.Marshal())
}

// lookUp reads one attribute as Administrator.
func (s *side) lookUp(t *testing.T, filter, attribute string) string {
	t.Helper()
	r := s.run(t, operation{run: "ldapsearch $XS $ADMIN -b $BASE '" + filter + "' " + attribute})
	for _, f := range r.Fields {
		if !strings.EqualFold(f.Name, attribute) {
			continue
		}
		if attribute != "objectSid" {
			return string(f.Value)
		}
		sid, err := security.SIDFromBytes(f.Value)
		if err != nil {
			t.Fatal(err)
		}
		return sid.String()
	}
	return ""
}

func (s *side) sidOf(t *testing.T, account string) string {
	t.Helper()
	if sid := s.sids[account]; sid != "" {
		return sid
	}
	sid := s.lookUp(t, "(sAMAccountName="+account+")", "objectSid")
	if sid == "" {
		t.Fatalf("%s: no account %s", s.name, account)
	}
	s.sids[account], s.names[sid] = sid, account
	return sid
}

func (s *side) nameOf(t *testing.T, sid string) string {
	name, known := s.names[sid]
	if !known {
		name = s.lookUp(t, "(objectSid="+sid+")", "sAMAccountName")
		s.names[sid] = name
	}
	return name
}

// A probe is one running krbprobe.py; it keeps the tickets of a group of operations.
type probe struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer
}

func (s *side) probeOf(t *testing.T) *probe {
	t.Helper()
	if s.probe != nil {
		return s.probe
	}
	script, err := filepath.Abs("krbprobe.py")
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{cmd: s.ns.Command(context.Background(), 0, python, script)}
	p.cmd.Env = s.env("Administrator")
	p.cmd.Stderr = &p.stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.probe = p
	return p
}

// ask sends one request; the answer ends with an empty line.
func (p *probe) ask(t *testing.T, line string) string {
	t.Helper()
	if _, err := fmt.Fprintln(p.stdin, line); err != nil {
		t.Fatalf("krbprobe: %v\n%s", err, p.stderr.String())
	}
	var b strings.Builder
	for {
		out, err := p.stdout.ReadString('\n')
		if err != nil {
			t.Fatalf("krbprobe: %v\n%s", err, p.stderr.String())
		}
		if out == "\n" {
			return b.String()
		}
		b.WriteString(out)
	}
}

func (p *probe) close() {
	p.stdin.Close()
	_ = p.cmd.Wait()
}

// cacheDir is where the oracle's tree is kept between runs.
func cacheDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("GMSASIM_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(base, "gmsasim")
	}
	return filepath.Join(dir, "oracle")
}

// populationAge is how long a population is good: on gmsasim's side all passwords are new, so on Samba's they must be younger than the
// day for which the policy keeps them.
const populationAge = 12 * time.Hour

// prepareSamba builds the tree and the population when they are not there or older than what makes them, or too old.
func prepareSamba(t *testing.T) {
	t.Helper()
	dir := cacheDir(t)
	if out, err := exec.Command("./tree.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("the oracle's tree: %v\n%s", err, out)
	}
	want, mark := populationMark(t), filepath.Join(dir, "population.done")
	if have, err := os.ReadFile(mark); err == nil && string(have) == want {
		if info, err := os.Stat(mark); err == nil && time.Since(info.ModTime()) < populationAge {
			return
		}
	}
	t.Log("provisioning the oracle's domain")
	t.Run("population", func(t *testing.T) {
		s := newSide(t, "samba", func(s *side) *exec.Cmd {
			s.dc(t, "provision")
			return s.ns.Command(context.Background(), 0, s.script(t, "dc.sh"), "serve", dir)
		})
		s.dc(t, "spnupdate")
		s.populate(t, population...)
	})
	if t.Failed() {
		t.FailNow()
	}
	// The server of the subtest has ended with its namespace; its database is at rest.
	ns, err := netns.New(netns.Config{Dir: t.TempDir(), Privileged: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &side{name: "samba", ns: ns}
	s.dc(t, "save", "population")
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mark, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// populationMark changes when the way to the population changes.
func populationMark(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("dc.sh")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(population)
	if err != nil {
		t.Fatal(err)
	}
	return string(script) + string(text)
}

func (s *side) script(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// dc runs one command of dc.sh to its end.
func (s *side) dc(t *testing.T, command string, args ...string) {
	t.Helper()
	cmd := s.ns.Command(t.Context(), 2*time.Minute, s.script(t, "dc.sh"), append([]string{command, cacheDir(t)}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("dc.sh %s: %v\n%s", command, err, tail(out, 2000))
	}
}

// populate writes the population over LDAP, the same on both sides.
func (s *side) populate(t *testing.T, parts ...string) {
	t.Helper()
	for _, ldif := range parts {
		r := s.run(t, operation{run: "ldapmodify -x -H ldaps://dc01.contoso.com $ADMIN", stdin: ldif})
		if r.Code != "exit 0" {
			t.Fatalf("%s: population: %s\n%s", s.name, r.Text, s.expand(t, ldif))
		}
	}
}

// startSamba gives a group a domain controller with a fresh copy of the population.
func startSamba(t *testing.T) *side {
	t.Helper()
	return newSide(t, "samba", func(s *side) *exec.Cmd {
		s.dc(t, "restore", "population")
		return s.ns.Command(context.Background(), 0, s.script(t, "dc.sh"), "serve", cacheDir(t))
	})
}

// config is the domain that gmsasim starts with; everything else arrives over LDAP. The key is usable, as the one that Samba's
// provisioning makes.
const config = `dnsName: contoso.com
netbiosName: CONTOSO
dcs: [DC01]
adminPassword: "` + adminPass + `"
kdsRootKeys:
  - effective: -10h
`

// startGmsasim gives a group a fresh gmsasim with the population.
func startGmsasim(t *testing.T, binary string, g group) *side {
	t.Helper()
	s := newSide(t, "gmsasim", func(s *side) *exec.Cmd {
		path := filepath.Join(s.scratch, "domain.yaml")
		if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
		up := s.ns.Command(context.Background(), 0, binary, "up", "--config", path, "--listen", address, "--standard-ports")
		up.Env = append(os.Environ(), "TMPDIR="+s.scratch) // killed with its namespace, it cannot tidy up itself
		return up
	})
	if g.fresh {
		s.populate(t, population[:2]...)
	} else {
		s.populate(t, population...)
	}
	return s
}
