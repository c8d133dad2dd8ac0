// Package netns gives a test a private network namespace: standard ports to listen on, and a private copy of /etc for
// programs that read fixed files. Many clients of Active Directory insist on both (ports 53, 88, 389, 464 and 636,
// resolv.conf, hosts, krb5.keytab). It works for an ordinary user wherever the kernel allows user namespaces; nothing of it
// is visible outside, and everything that runs in it dies with it.
package netns

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Config says what a namespace holds.
type Config struct {
	// Addresses are added to the loopback interface beside 127.0.0.1/8, each with its prefix length: "192.0.2.10/32".
	Addresses []string
	// Etc holds files by their path below /etc, for instance "hosts".
	Etc map[string]string
	// Tmpfs lists directories that are empty and writable inside. They must exist outside.
	Tmpfs []string
	// Privileged keeps the caller's own user namespace, which takes root. It is for programs that need several user ids.
	Privileged bool
	// Dir is an existing writable folder for the namespace's copy of /etc.
	Dir string
}

// A Namespace is a running one. Close ends it.
type Namespace struct {
	holder     *exec.Cmd
	stdin      io.WriteCloser
	privileged bool
	dir        string
}

// holderScript runs as process 1 of the namespace: it sets the network and the mounts up, says so, and lives until its standard
// input is closed. That happens at Close and also when the test process dies, so nothing is left behind.
const holderScript = `
set -e
dir=$1; shift
mount --make-rprivate /
# A container runtime may mask parts of /proc, and then a new one is refused. Only ps would notice.
mount -t proc proc /proc 2>/dev/null || true
ip link set lo up
while [ "$1" != -- ]; do ip addr add "$1" dev lo; shift; done
shift
mount --bind "$dir/etc" /etc
for t; do mount -t tmpfs -o mode=0755 tmpfs "$t"; done
echo ready
exec cat >/dev/null
`

// Programs lists the programs that this package runs.
func Programs() []string { return []string{"unshare", "nsenter", "ip", "mount", "timeout", "cp"} }

// New starts a namespace. It fails where the kernel or the container runtime does not allow one; the error says so.
func New(cfg Config) (*Namespace, error) {
	etc := filepath.Join(cfg.Dir, "etc")
	if err := copyEtc(etc); err != nil {
		return nil, fmt.Errorf("network namespace: copy of /etc: %w", err)
	}
	n := &Namespace{privileged: cfg.Privileged, dir: cfg.Dir}
	for _, name := range slices.Sorted(maps.Keys(cfg.Etc)) {
		if err := n.WriteEtc(name, cfg.Etc[name]); err != nil {
			return nil, err
		}
	}
	args := []string{"--net", "--mount", "--pid", "--fork", "--kill-child"}
	if !cfg.Privileged {
		args = append([]string{"--user", "--map-root-user"}, args...)
	}
	args = append(args, "sh", "-c", holderScript, "sh", cfg.Dir)
	args = append(args, cfg.Addresses...)
	args = append(args, "--")
	args = append(args, cfg.Tmpfs...)
	n.holder = exec.Command("unshare", args...)
	var stderr strings.Builder
	n.holder.Stderr = &stderr
	stdout, err := n.holder.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	if n.stdin, err = n.holder.StdinPipe(); err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	if err := n.holder.Start(); err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	if line, _ := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		err := errors.Join(n.stdin.Close(), n.holder.Wait())
		return nil, fmt.Errorf("network namespace: %s: %w", strings.TrimSpace(stderr.String()), err)
	}
	return n, nil
}

// copyEtc copies what the caller may read of /etc. Links stay links, so that alternatives and certificates keep working.
func copyEtc(to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	// cp goes on after a file that it may not read and then reports failure; such files are no use to a client either.
	out, err := exec.Command("cp", "-dR", "--preserve=mode", "/etc/.", to).CombinedOutput()
	if _, statErr := os.Stat(filepath.Join(to, "passwd")); statErr != nil {
		return fmt.Errorf("%w: %w: %s", statErr, err, out)
	}
	return nil
}

// EtcPath returns where the file that programs inside see as /etc/name lies outside.
func (n *Namespace) EtcPath(name string) string { return filepath.Join(n.dir, "etc", name) }

// WriteEtc writes the file that programs inside see as /etc/name. Keytabs and SSSD's files are readable by their owner only, as
// their readers demand, all others by everybody.
func (n *Namespace) WriteEtc(name, content string) error {
	path := n.EtcPath(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("network namespace: %w", err)
	}
	// The copied file may be a link out of the copy; replace it.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("network namespace: %w", err)
	}
	mode := os.FileMode(0o644)
	if strings.HasSuffix(name, ".keytab") || strings.HasPrefix(name, "sssd/") {
		mode = 0o600
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		return fmt.Errorf("network namespace: %w", err)
	}
	return nil
}

// Command prepares a program that runs inside, in the working directory of the returned Cmd. It is ended by SIGTERM, and two seconds later by SIGKILL, when limit has passed.
// A limit of zero is none: the program runs until the namespace closes.
func (n *Namespace) Command(ctx context.Context, limit time.Duration, name string, args ...string) *exec.Cmd {
	// The parent of process 1 is in all the namespaces but that of processes, which it only has for its children.
	ns := fmt.Sprintf("/proc/%d/ns/", n.holder.Process.Pid)
	enter := []string{"--net=" + ns + "net", "--mount=" + ns + "mnt", "--pid=" + ns + "pid_for_children", "--wd=."}
	if !n.privileged {
		enter = append(enter, "--user="+ns+"user", "--preserve-credentials")
	}
	enter = append(enter, "--")
	if limit > 0 {
		enter = append(enter, "timeout", "--kill-after=2", strconv.FormatFloat(limit.Seconds(), 'f', -1, 64))
	}
	enter = append(enter, name)
	return exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
}

// Close ends every program inside and removes the namespace.
func (n *Namespace) Close() error {
	err := n.stdin.Close()
	return errors.Join(err, n.holder.Wait())
}
