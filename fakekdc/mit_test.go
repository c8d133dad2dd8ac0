package fakekdc_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc"
)

// startMIT serves accounts over UDP, TCP and kpasswd.
func startMIT(t *testing.T, k *fakekdc.KDC, udp bool) {
	t.Helper()
	for _, program := range []string{"kinit", "kvno", "kpasswd", "klist"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: install krb5-user", program)
			}
			t.Skipf("%s is missing: install krb5-user", program)
		}
	}
	s := fakekdc.NewServer(k)
	done := make(chan error, 4)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	passwords, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	go func() { done <- s.Serve(ctx, l) }()
	go func() { done <- s.ServePassword(ctx, passwords) }()
	serving := 2
	for i, tcp := range []net.Listener{l, passwords} {
		c, err := net.ListenPacket("udp", tcp.Addr().String())
		if err != nil {
			t.Logf("the UDP port of the same number is taken, TCP only: %v", err)
			continue
		}
		serving++
		serve := s.ServePacket
		if i == 1 {
			serve = s.ServePasswordPacket
		}
		go func() { done <- serve(ctx, c) }()
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for range serving {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	conf := krb5Conf(k.Realm, l.Addr(), passwords.Addr())
	if udp {
		conf = strings.Replace(conf, "udp_preference_limit = 1", "udp_preference_limit = 9000", 1)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "krb5.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KRB5_CONFIG", filepath.Join(dir, "krb5.conf"))
	t.Setenv("KRB5CCNAME", "FILE:"+filepath.Join(dir, "cc"))
	t.Setenv("LC_ALL", "C")
}

// run runs a client with input and wants its output to hold some text.
func run(t *testing.T, input, want string, command ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Stdin = strings.NewReader(input)
	out, _ := c.CombinedOutput() // refusals exit with a status; what they say is compared
	if !strings.Contains(string(out), want) || want == "" && c.ProcessState.ExitCode() != 0 {
		t.Errorf("%s: got exit %d and\n%swant %q", strings.Join(command, " "), c.ProcessState.ExitCode(), out, want)
	}
}

func TestMITClients(t *testing.T) {
	for _, udp := range []bool{false, true} {
		name := "tcp"
		if udp {
			name = "udp first"
		}
		t.Run(name, func(t *testing.T) {
			accounts := fakekdc.NewMemPrincipals("EXAMPLE.COM")
			accounts.HostAliases = []string{"http"}
			accounts.Add("alice", "Passw0rd!")
			web := accounts.Add("web$", "secret", "host/web.example.com")
			web.TrustedToAuthForDelegation, web.AllowedToDelegateTo = true, []string{"host/back.example.com"}
			accounts.Add("back$", "secret", "host/back.example.com", "host/other.example.com")
			accounts.Add("bob", "hidden").Restriction = fakekdc.StatusAccountDisabled
			accounts.Add("old", "hidden").PasswordStatus = fakekdc.StatusPasswordExpired
			startMIT(t, &fakekdc.KDC{Realm: "EXAMPLE.COM", NetBIOSName: "EXAMPLE", Principals: accounts,
				Trace: func(_ context.Context, x fakekdc.Exchange) {
					if x.Err != nil {
						t.Logf("%v %v for %v: %v", x.Kind, x.Client, x.Server, x.Err)
					}
				}}, udp)

			run(t, "wrong\n", "Password incorrect", "kinit", "alice")
			run(t, "x\n", "not found in Kerberos database", "kinit", "nobody")
			run(t, "hidden\n", "credentials have been revoked", "kinit", "bob")
			run(t, "Passw0rd!\n", "", "kinit", "-r", "2d", "-f", "alice")
			run(t, "", "krbtgt/EXAMPLE.COM@EXAMPLE.COM", "klist")
			run(t, "", "", "kinit", "-R")
			run(t, "", "kvno = 1", "kvno", "host/web.example.com", "http/web.example.com")
			run(t, "", "aes256-cts-hmac-sha1-96", "klist", "-e")
			run(t, "", "Server not found in Kerberos database", "kvno", "http/nowhere.example.com")
			run(t, "Passw0rd!\n", "", "kinit", "-E", "alice@example.com")
			run(t, "Passw0rd!\n", "", "kinit", "-C", "ALICE")
			run(t, "", "Default principal: alice@EXAMPLE.COM", "klist")
			run(t, "secret\n", "", "kinit", "-f", "web$")
			run(t, "", "kvno = 1", "kvno", "-U", "alice", "web$@EXAMPLE.COM")
			run(t, "", "kvno = 1", "kvno", "-U", "alice", "-P", "web$@EXAMPLE.COM", "host/back.example.com")
			run(t, "", "KDC can't fulfill requested option", "kvno", "-U", "alice", "-P", "host/other.example.com")
			run(t, "", "kvno = 0", "kvno", "--u2u", os.Getenv("KRB5CCNAME"), "web$@EXAMPLE.COM")
			run(t, "Passw0rd!\nNext2026!\nNext2026!\n", "Password changed", "kpasswd", "alice")
			run(t, "Next2026!\n", "", "kinit", "alice")
			run(t, "Passw0rd!\n", "Password incorrect", "kinit", "alice")
			run(t, "hidden\nNext2026!\nNext2026!\n", "Password expired", "kinit", "old")
		})
	}
}
