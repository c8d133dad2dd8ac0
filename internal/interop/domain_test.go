package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/internal/interop/netns"
)

const (
	// address is where the DC listens: libldap asks for the name of the local host instead of the DC's when the peer is
	// 127.0.0.1.
	address = "127.0.0.2"
	// limit ends a client that hangs: a mistake of the server usually shows as silence.
	limit = 30 * time.Second
)

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

// contoso is the domain of the suite: the guide's example with passwords that a client can type.
const contoso = `dnsName: contoso.com
netbiosName: CONTOSO
dcs: [DC01]
adminPassword: "Passw0rd!"
kdsRootKeys:
  - effective: -10h
groups:
  - name: WebApp01Hosts
    scope: DomainLocal
    members: [ContainerHost01]
users:
  - name: alice
    password: "Alice!2026"
    userPrincipalName: alice@contoso.com
serviceAccounts:
  - name: WebApp01
    dnsHostName: WebApp01.contoso.com
    spns: [host/WebApp01, host/WebApp01.contoso.com]
    allowedToRetrieve: [WebApp01Hosts]
hosts:
  - name: ContainerHost01
    password: "HostPass!01"
  - name: ContainerHost02
    password: "HostPass!02"
`

// A domain is a running `gmsasim up` with clients around it.
type domain struct {
	ns  *netns.Namespace
	dir string
	env []string // what `up` gives to the command that it runs
}

var build struct {
	once sync.Once
	path string
	err  error
}

// binary builds gmsasim once per test process, unless GMSASIM_BINARY names one.
func binary(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("GMSASIM_BINARY"); path != "" {
		return path
	}
	build.once.Do(func() {
		dir, err := os.MkdirTemp("", "gmsasim-interop")
		if err != nil {
			build.err = err
			return
		}
		build.path = filepath.Join(dir, "gmsasim")
		if out, err := exec.Command("go", "build", "-o", build.path, "github.com/gmsasim/gmsasim/cmd/gmsasim").CombinedOutput(); err != nil {
			build.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if build.err != nil {
		t.Fatal(build.err)
	}
	return build.path
}

// TestMain is also how a Go client gets into the namespace: the test binary runs itself there as that client.
func TestMain(m *testing.M) {
	if name := os.Getenv("GMSASIM_INTEROP_CLIENT"); name != "" {
		if err := goClients[name](); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if build.path != "" {
		_ = os.RemoveAll(filepath.Dir(build.path))
	}
	os.Exit(code)
}

// require skips the test when a program is not installed. With CI=true that is a failure.
func require(t *testing.T, programs ...string) {
	t.Helper()
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 {
		skip(t, "not installed, or not for this user to run (see .ci/clients.sh): "+strings.Join(missing, ", "))
	}
}

// skip skips, or fails where every client must be there.
func skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// start runs `gmsasim up` with a configuration in a namespace of its own.
func start(t *testing.T, config string) *domain {
	t.Helper()
	require(t, netns.Programs()...)
	path := binary(t)
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	d := &domain{dir: t.TempDir()}
	d.ns, err = netns.New(netns.Config{
		Dir: d.dir,
		Etc: map[string]string{
			"hosts":       "127.0.0.1 localhost " + hostname + "\n" + address + " dc01.contoso.com contoso.com dc01\n",
			"resolv.conf": "nameserver " + address + "\nsearch contoso.com\n",
			"krb5.conf":   krb5Conf,
		},
		Tmpfs: []string{"/run"},
	})
	if err != nil {
		skip(t, err.Error())
	}
	file := filepath.Join(d.dir, "domain.yaml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	// The command that up runs prints its environment and then lives until its standard input is closed.
	up := d.ns.Command(context.Background(), 0, path, "up", "--config", file, "--listen", address, "--standard-ports",
		"--", "sh", "-c", "env; echo; exec cat")
	up.Env = clientEnv(d.dir)
	var stderr bytes.Buffer
	up.Stderr = &stderr
	stdin, err := up.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := up.Wait(); err != nil {
			t.Errorf("gmsasim up: %v\n%s", err, stderr.String())
		}
		if err := d.ns.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("gmsasim up said:\n%s", tail(stderr.String(), 4000))
		}
	})
	reader := bufio.NewReader(stdout)
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("gmsasim up: %v\n%s", err, stderr.String())
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			break
		}
		d.env = append(d.env, line)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }() // ends with the process
	return d
}

func tail(s string, n int) string {
	if len(s) > n {
		s = s[len(s)-n:]
	}
	return s
}

// clientEnv is the environment of programs in the namespace; dir is their home.
func clientEnv(dir string) []string {
	return []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + dir, "TMPDIR=" + dir, "SCRATCH=" + dir}
}

// An output is what a program printed and how it ended.
type output struct {
	text string
	exit int
}

// run gives a line to the shell of the namespace, in up's environment with more added.
func (d *domain) run(t *testing.T, line string, more ...string) output {
	t.Helper()
	cmd := d.ns.Command(t.Context(), limit, "sh", "-c", line)
	cmd.Dir = d.dir
	cmd.Env = append(append(append([]string{}, d.env...), clientEnv(d.dir)...), more...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", line, err)
	}
	return output{text: string(out), exit: cmd.ProcessState.ExitCode()}
}

// ccache is a credential cache of its own in the domain's scratch folder.
func (d *domain) ccache(name string) string {
	return "KRB5CCNAME=FILE:" + filepath.Join(d.dir, "cc_"+name)
}
