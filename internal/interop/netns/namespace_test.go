package netns_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/internal/interop/netns"
)

func open(t *testing.T, cfg netns.Config) *netns.Namespace {
	t.Helper()
	cfg.Dir = t.TempDir()
	n, err := netns.New(cfg)
	if err != nil {
		t.Skipf("no private namespace here: %v", err)
	}
	return n
}

func TestPrivateEtcAndAddresses(t *testing.T) {
	n := open(t, netns.Config{
		Addresses: []string{"192.0.2.10/32"},
		Etc:       map[string]string{"hosts": "192.0.2.10 dc01.contoso.com\n", "sssd/sssd.conf": "x\n"},
		Tmpfs:     []string{"/mnt"},
	})
	defer n.Close()
	const script = `cat /etc/hosts; ip -4 -o addr show lo | grep -c 192.0.2.10; touch /mnt/x; ls /mnt; stat -c %a /etc/sssd/sssd.conf`
	out, err := n.Command(t.Context(), 10*time.Second, "sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("in the namespace: %v\n%s", err, out)
	}
	if got, want := string(out), "192.0.2.10 dc01.contoso.com\n1\nx\n600\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if hosts, err := os.ReadFile("/etc/hosts"); err != nil || strings.Contains(string(hosts), "192.0.2.10") {
		t.Errorf("the machine's own hosts file: got %q, %v, want it untouched", hosts, err)
	}
}

func TestCloseEndsWhatRunsInside(t *testing.T) {
	n := open(t, netns.Config{})
	cmd := n.Command(context.Background(), 0, "sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("sleep inside: got success, want it killed with the namespace")
	}
}

func TestLimitEndsACommand(t *testing.T) {
	n := open(t, netns.Config{})
	defer n.Close()
	err := n.Command(t.Context(), 50*time.Millisecond, "sleep", "600").Run()
	if err == nil || !strings.Contains(err.Error(), "124") {
		t.Errorf("got %v, want exit status 124 of timeout", err)
	}
}
