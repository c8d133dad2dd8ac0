package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// sambaAccounts are few: each takes Samba 13 ms to add, and its searches are indexed.
const sambaAccounts = 64

// sambaAddress is where the domain controller of the oracle listens in its namespace.
const sambaAddress = "192.0.2.10"

// A sambaTree is what the oracle keeps of Samba: a Debian tree and the database of a provisioned domain.
type sambaTree struct{ root, database string }

// findSamba gives the tree that `make oracle` builds.
func findSamba() (sambaTree, error) {
	cache, err := cacheDir()
	if err != nil {
		return sambaTree{}, err
	}
	t := sambaTree{filepath.Join(cache, "oracle", "root"), filepath.Join(cache, "oracle", "population.tar")}
	for _, name := range []string{t.root + ".done", t.database} {
		if _, err := os.Stat(name); err != nil {
			return sambaTree{}, fmt.Errorf("no domain of Samba's (run make oracle as root): %w", err)
		}
	}
	if os.Geteuid() != 0 {
		return sambaTree{}, errors.New("only root can start the domain controller in its tree")
	}
	return t, nil
}

// sambaScript runs in namespaces of its own: nothing of what it does to tree, mounts and network is seen outside.
const sambaScript = `
set -e
tree=$1 database=$2 dir=$3 address=$4
mount --make-rprivate /
mount -t tmpfs tmpfs "$dir"
mkdir "$dir/upper" "$dir/work" "$dir/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
cd "$dir/root"
mount -t proc proc proc
mount --rbind /dev dev
ip link set lo up
ip addr add "$address/32" dev lo
printf '127.0.0.1 localhost\n%s dc01.contoso.com dc01\n' "$address" >etc/hosts
rm -rf var/lib/samba run/samba
mkdir -p run/samba var/log/samba
tar -xf "$database"
cat >tmp/accounts.ldif
chroot . ldbadd -H /var/lib/samba/private/sam.ldb /tmp/accounts.ldif
chroot . samba -F --no-process-group
`

// startSamba starts a copy of the oracle's domain controller with the measured accounts.
func (t sambaTree) startSamba() (s *server, kdc kdcTarget, ldap ldapTarget, err error) {
	dir, err := os.MkdirTemp("", "bench-samba-")
	if err != nil {
		return nil, kdc, ldap, err
	}
	cmd := exec.Command("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", sambaScript, "sh", t.root, t.database, dir, sambaAddress)
	cmd.Stdin = strings.NewReader(sambaAccountsLDIF())
	inside := func(network, addr string) (net.Conn, error) {
		return dialInNamespace(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid), network, addr)
	}
	ldap = ldapTarget{addr: sambaAddress + ":389", base: "DC=contoso,DC=com", bindDN: "CN=Administrator,CN=Users,DC=contoso,DC=com", password: benchPassword,
		accounts: sambaAccounts, dialer: inside}
	kdc = kdcTarget{addr: sambaAddress + ":88", dialer: inside, clients: benchPrincipals(), service: []string{"http", accountName(0) + ".contoso.com"}}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return nil, kdc, ldap, errors.Join(err, os.Remove(dir))
	}
	s, err = start("Samba", cmd, dir, func() bool {
		// Before it has its namespace, the address would be somebody else's.
		if net, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid)); err != nil || net == own {
			return false
		}
		l, err := ldap.connect()
		if err != nil {
			return false
		}
		l.Close()
		_, err = kdc.transport()
		return err == nil
	})
	if err != nil {
		return nil, kdc, ldap, err
	}
	if s.namespace, err = os.Readlink(fmt.Sprintf("/proc/%d/ns/pid_for_children", s.pid)); err != nil {
		s.stop()
		return nil, kdc, ldap, err
	}
	kdc.server, ldap.server = s, s
	return s, kdc, ldap, nil
}

// sambaAccountsLDIF are the measured accounts. unicodePwd is the password in quotes and UTF-16, [MS-ADTS] 3.1.1.3.1.5.
func sambaAccountsLDIF() string {
	var password []byte
	for _, u := range utf16.Encode([]rune(`"` + benchPassword + `"`)) {
		password = binary.LittleEndian.AppendUint16(password, u)
	}
	var b bytes.Buffer
	for i := range sambaAccounts {
		name := accountName(i)
		fmt.Fprintf(&b, "dn: CN=%[1]s,CN=Users,DC=contoso,DC=com\nobjectClass: user\nsAMAccountName: %[1]s\nuserAccountControl: 512\n"+
			"servicePrincipalName: http/%[1]s\nservicePrincipalName: http/%[1]s.contoso.com\nunicodePwd:: %[2]s\n\n", name, base64.StdEncoding.EncodeToString(password))
	}
	return b.String()
}

// benchSamba compares with a whole domain controller: what it does costs more than what MIT's KDC and slapd do, so nothing is to be
// reached but known.
func benchSamba(_ tree, o options) ([]row, error) {
	t, err := findSamba()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: without Samba:", err)
		return nil, nil
	}
	s, a, err := startOurs(sambaAccounts, o)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	samba, kdc, ldap, err := t.startSamba()
	if err != nil {
		return nil, err
	}
	defer samba.stop()
	as, tgs, err := kdcRates([]kdcTarget{{addr: a.KDC, server: s, clients: kdc.clients, service: kdc.service}, kdc}, o)
	if err != nil {
		return nil, err
	}
	search, err := searchRates([]ldapTarget{{addr: a.LDAP, base: a.BaseDN, bindDN: a.Admin, password: benchPassword, server: s, accounts: sambaAccounts}, ldap}, benchClients, o)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, m := range []struct {
		what  string
		rates []rate
	}{{"AS exchange", as}, {"TGS exchange", tgs}, {fmt.Sprintf("indexed search among %d", sambaAccounts), search}} {
		rows = append(rows,
			row{what: m.what + ", 16 clients", unit: "per second"}.with(perSecond(m.rates), samba.name),
			row{what: m.what + ", server's processor", unit: "µs"}.with(processor(m.rates), samba.name))
	}
	return rows, nil
}
