package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A tree is the root of a Debian installation that holds the peers.
type tree string

// cacheDir is where trees are kept between runs.
func cacheDir() (string, error) {
	if cache := os.Getenv("GMSASIM_CACHE"); cache != "" {
		return cache, nil
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(user, "gmsasim"), nil
}

// findTree gives the tree of .ci/peers.sh.
func findTree() (tree, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(cache, "peers", "root.done")); err != nil {
		return "", fmt.Errorf("no tree of peers (run .ci/peers.sh as root): %w", err)
	}
	if os.Geteuid() != 0 {
		return "", errors.New("only root can start the peers in their tree")
	}
	return tree(filepath.Join(cache, "peers", "root")), nil
}

// dir makes a folder for one server inside the tree and gives its path as seen from outside and from inside.
func (t tree) dir() (outside, inside string, err error) {
	outside, err = os.MkdirTemp(filepath.Join(string(t), "tmp"), "bench-")
	return outside, strings.TrimPrefix(outside, string(t)), err
}

func (t tree) command(name string, args ...string) *exec.Cmd {
	return exec.Command("chroot", append([]string{string(t), name}, args...)...)
}

func (t tree) run(name string, args ...string) error {
	if out, err := t.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// A server is a process under measurement, or several.
type server struct {
	name string
	pid  int
	// namespace is the link text of a namespace of processes that all of the server's are in; empty: it is one process.
	namespace string
	stop      func()
}

// pids lists the server's processes.
func (s *server) pids() ([]int, error) {
	if s.namespace == "" {
		return []int{s.pid}, nil
	}
	links, err := filepath.Glob("/proc/[0-9]*/ns/pid")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != s.namespace {
			continue // another's, or ended meanwhile
		}
		pid, err := strconv.Atoi(strings.Split(link, "/")[2])
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// cpuTime is the processor time of all processes so far.
func (s *server) cpuTime() (time.Duration, error) {
	return sum(s, cpuTime)
}

// residentMiB is the proportional set size of all processes in MiB.
func (s *server) residentMiB() (float64, error) {
	return sum(s, residentMiB)
}

func sum[T float64 | time.Duration](s *server, of func(pid int) (T, error)) (total T, err error) {
	pids, err := s.pids()
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		n, err := of(pid)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// start runs cmd and waits until answered says so. The process is killed by its id when stopped; its folder goes with it.
func start(name string, cmd *exec.Cmd, folder string, answered func() bool) (*server, error) {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed, or failed and then says why in its output
	}()
	s := &server{name: name, pid: cmd.Process.Pid, stop: func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = os.RemoveAll(folder)
	}}
	// The peers have no way to say that they are ready, so they are asked.
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !answered() {
		select {
		case <-tick.C:
		case <-ended:
			s.stop()
			return nil, fmt.Errorf("%s ended: %s", cmd.Path, bytes.TrimSpace(output.Bytes()))
		case <-deadline.C:
			s.stop()
			return nil, fmt.Errorf("%s does not answer: %s", cmd.Path, bytes.TrimSpace(output.Bytes()))
		}
	}
	return s, nil
}

// freePort asks the system for a port. Another process may take it before the peer does, which then fails to start: peers
// cannot be handed a listener.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

const (
	benchRealm    = "CONTOSO.COM"
	benchPassword = "Passw0rd!"
	benchClients  = 16
)

// benchPrincipals are the clients of the KDC measurements.
func benchPrincipals() []principal {
	p := make([]principal, benchClients)
	for i := range p {
		p[i] = principal{accountName(i), benchPassword, benchRealm}
	}
	return p
}

// startMIT starts MIT's KDC with the lmdb database and without what it writes on each exchange.
func (t tree) startMIT() (*server, kdcTarget, error) {
	none := kdcTarget{}
	out, in, err := t.dir()
	if err != nil {
		return nil, none, err
	}
	fail := func(err error) (*server, kdcTarget, error) {
		os.RemoveAll(out)
		return nil, none, err
	}
	port, err := freePort()
	if err != nil {
		return fail(err)
	}
	conf := fmt.Sprintf(`[libdefaults]
	default_realm = %[1]s
	dns_lookup_kdc = false
[realms]
	%[1]s = { kdc = 127.0.0.1:%[2]d }
[kdcdefaults]
	kdc_listen = 127.0.0.1:%[2]d
	kdc_tcp_listen = 127.0.0.1:%[2]d
[dbdefaults]
[dbmodules]
	lm = {
		db_library = klmdb
		database_name = %[3]s/principal
		disable_last_success = true
		disable_lockout = true
	}
[logging]
	kdc = FILE:/dev/null
	default = FILE:/dev/null
`, benchRealm, port, in)
	kdc := fmt.Sprintf("[realms]\n\t%s = {\n\t\tdatabase_module = lm\n\t\tkey_stash_file = %s/stash\n\t\tsupported_enctypes = aes256-cts:normal\n\t\tmaster_key_type = aes256-cts\n\t}\n", benchRealm, in)
	for name, text := range map[string]string{"krb5.conf": conf, "kdc.conf": kdc} {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o600); err != nil {
			return fail(err)
		}
	}
	env := []string{"KRB5_CONFIG=" + in + "/krb5.conf", "KRB5_KDC_PROFILE=" + in + "/kdc.conf", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	setup := t.command("kdb5_util", "create", "-r", benchRealm, "-s", "-P", "master")
	setup.Env = env
	if o, err := setup.CombinedOutput(); err != nil {
		return fail(fmt.Errorf("kdb5_util: %w: %s", err, o))
	}
	var add strings.Builder
	for _, p := range benchPrincipals() {
		fmt.Fprintf(&add, "addprinc +requires_preauth -pw %s %s\n", p.password, p.name)
	}
	add.WriteString("addprinc -randkey host/webapp01.contoso.com\n")
	admin := t.command("kadmin.local", "-r", benchRealm)
	admin.Env, admin.Stdin = env, strings.NewReader(add.String())
	if o, err := admin.CombinedOutput(); err != nil {
		return fail(fmt.Errorf("kadmin.local: %w: %s", err, o))
	}
	target := kdcTarget{addr: fmt.Sprintf("127.0.0.1:%d", port), clients: benchPrincipals(), service: []string{"host", "webapp01.contoso.com"}}
	run := t.command("krb5kdc", "-n", "-r", benchRealm)
	run.Env = env
	s, err := start("MIT lmdb", run, out, func() bool {
		w, err := target.dial(dialUDP)
		if err != nil {
			return false
		}
		defer w.Close()
		_, err = login(w, target.clients[0])
		return err == nil
	})
	if err != nil {
		return fail(err)
	}
	target.server = s
	return s, target, nil
}

// benchSchema gives slapd the attributes of the measured accounts, under the names and numbers that Active Directory has.
const benchSchema = `dn: cn=ad,cn=schema,cn=config
objectClass: olcSchemaConfig
cn: ad
olcAttributeTypes: ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
olcAttributeTypes: ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
olcAttributeTypes: ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
olcAttributeTypes: ( 1.2.840.113556.1.4.771 NAME 'servicePrincipalName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
olcObjectClasses: ( 1.2.840.113556.1.5.9 NAME 'user' SUP top STRUCTURAL MUST ( cn $ sAMAccountName ) MAY ( objectSid $ userAccountControl $ servicePrincipalName $ userPassword ) )

`

// startSlapd starts slapd with the mdb database, an index on sAMAccountName and n accounts.
func (t tree) startSlapd(n int) (*server, ldapTarget, error) {
	none := ldapTarget{}
	out, in, err := t.dir()
	if err != nil {
		return nil, none, err
	}
	fail := func(err error) (*server, ldapTarget, error) {
		os.RemoveAll(out)
		return nil, none, err
	}
	port, err := freePort()
	if err != nil {
		return fail(err)
	}
	for _, d := range []string{"config", "data"} {
		if err := os.Mkdir(filepath.Join(out, d), 0o700); err != nil {
			return fail(err)
		}
	}
	core, err := os.ReadFile(filepath.Join(string(t), "etc/ldap/schema/core.ldif"))
	if err != nil {
		return fail(err)
	}
	config := "dn: cn=config\nobjectClass: olcGlobal\ncn: config\nolcLogLevel: 0\n\n" +
		"dn: cn=module{0},cn=config\nobjectClass: olcModuleList\ncn: module{0}\nolcModulePath: /usr/lib/ldap\nolcModuleLoad: back_mdb\n\n" +
		"dn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n\n" + string(core) + "\n" + benchSchema +
		"dn: olcDatabase={1}mdb,cn=config\nobjectClass: olcDatabaseConfig\nobjectClass: olcMdbConfig\nolcDatabase: {1}mdb\nolcSuffix: dc=contoso,dc=com\n" +
		"olcRootDN: cn=admin,dc=contoso,dc=com\nolcRootPW: " + benchPassword + "\nolcDbDirectory: " + in + "/data\nolcDbMaxSize: 1073741824\n" +
		"olcDbIndex: objectClass eq\nolcDbIndex: sAMAccountName eq,pres\nolcSizeLimit: unlimited\n"
	var data strings.Builder
	data.WriteString("dn: dc=contoso,dc=com\nobjectClass: organization\nobjectClass: dcObject\no: contoso\ndc: contoso\n\ndn: ou=People,dc=contoso,dc=com\nobjectClass: organizationalUnit\nou: People\n\n")
	for i := range n {
		name := accountName(i)
		fmt.Fprintf(&data, "dn: cn=%[1]s,ou=People,dc=contoso,dc=com\nobjectClass: user\ncn: %[1]s\nsAMAccountName: %[1]s\nobjectSid: S-1-5-21-1-2-3-%[2]d\nuserAccountControl: 512\nservicePrincipalName: http/%[1]s\nservicePrincipalName: http/%[1]s.contoso.com\n\n", name, i+2000)
	}
	if err := os.WriteFile(filepath.Join(out, "config.ldif"), []byte(config), 0o600); err != nil {
		return fail(err)
	}
	if err := os.WriteFile(filepath.Join(out, "data.ldif"), []byte(data.String()), 0o600); err != nil {
		return fail(err)
	}
	if err := t.run("slapadd", "-n", "0", "-F", in+"/config", "-l", in+"/config.ldif"); err != nil {
		return fail(err)
	}
	if err := t.run("slapadd", "-q", "-n", "1", "-F", in+"/config", "-l", in+"/data.ldif"); err != nil {
		return fail(err)
	}
	target := ldapTarget{addr: fmt.Sprintf("127.0.0.1:%d", port), base: "dc=contoso,dc=com", bindDN: "cn=admin,dc=contoso,dc=com", password: benchPassword, accounts: n}
	s, err := start("slapd", t.command("slapd", "-d", "0", "-F", in+"/config", "-h", fmt.Sprintf("ldap://127.0.0.1:%d", port)), out, func() bool {
		l, err := target.connect()
		if err != nil {
			return false
		}
		return l.Close() == nil
	})
	if err != nil {
		return fail(err)
	}
	target.server = s
	return s, target, nil
}
