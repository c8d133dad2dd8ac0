package simulator

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// CAFile is the path of the certificate authority's certificate in PEM form, in the domain's temporary folder.
func (d *Domain) CAFile() (string, error) {
	pem, err := d.caPEM()
	if err != nil {
		return "", err
	}
	return d.writeFile("ca.pem", pem)
}

// Krb5Conf is a krb5.conf that names the realms and their KDCs and keeps the library from asking DNS.
func (d *Domain) Krb5Conf() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "[libdefaults]\n\tdefault_realm = %s\n\tdns_lookup_kdc = false\n\tdns_lookup_realm = false\n\trdns = false\n\tdns_canonicalize_hostname = false\n", d.Realm())
	if d.cfg.WireTime == wireDomain {
		// The clients have another clock; the ones that can follow the KDC's.
		b.WriteString("\tkdc_timesync = 1\n")
	}
	b.WriteString("\n[realms]\n")
	for _, dom := range d.forest.Domains() {
		fmt.Fprintf(&b, "\t%s = {\n", dom.Realm)
		for _, dc := range d.dcs {
			if dc.dom == dom {
				f := d.face(dc)
				fmt.Fprintf(&b, "\t\tkdc = %s\n\t\tkpasswd_server = %s\n", f.kdcAddr(), f.kpasswdAddr())
			}
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("\n[domain_realm]\n")
	for _, dom := range d.forest.Domains() {
		fmt.Fprintf(&b, "\t.%s = %s\n\t%s = %s\n", dom.DNSName, dom.Realm, dom.DNSName, dom.Realm)
	}
	return []byte(b.String())
}

// dir is the domain's temporary folder; only its owner may look into it, as it holds keys.
func (d *Domain) dir() (string, error) {
	d.files.mu.Lock()
	defer d.files.mu.Unlock()
	if d.files.path == "" {
		if d.tempDir != nil {
			d.files.path = d.tempDir()
			return d.files.path, nil
		}
		path, err := os.MkdirTemp("", "gmsasim-")
		if err != nil {
			return "", fmt.Errorf("temporary folder: %w", err)
		}
		d.files.path, d.files.own = path, true
	}
	return d.files.path, nil
}

func (d *Domain) writeFile(name string, content []byte) (string, error) {
	dir, err := d.dir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, content, 0o600)
}

// Env gives the environment variables that lead a program to the domain as an account: KRB5_CONFIG, KRB5_KTNAME, KRB5CCNAME,
// GMSASIM_… and what OpenLDAP's programs need, with their files in the domain's temporary folder. An empty account means the first host.
func (d *Domain) Env(as string) ([]string, error) {
	if err := d.Listen(); err != nil {
		return nil, err
	}
	if hosts := d.Hosts(); as == "" && len(hosts) > 0 {
		as = hosts[0].Name() + "$"
	}
	ca, err := d.CAFile()
	if err != nil {
		return nil, err
	}
	conf, err := d.writeFile("krb5.conf", d.Krb5Conf())
	if err != nil {
		return nil, err
	}
	dir, err := d.dir()
	if err != nil {
		return nil, err
	}
	name := fileName(as)
	env := []string{
		"KRB5_CONFIG=" + conf,
		"KRB5CCNAME=FILE:" + filepath.Join(dir, name+".ccache"),
		// OpenLDAP's programs: the name in the URL is the name to ask a ticket for, and the authority to trust.
		"LDAPSASL_NOCANON=on",
		"LDAPTLS_CACERT=" + ca,
		"GMSASIM_LDAP_URL=" + d.LDAPURL(),
		"GMSASIM_LDAPS_URL=" + d.LDAPSURL(),
		"GMSASIM_CA_FILE=" + ca,
		"GMSASIM_DOMAIN=" + d.DNSName(),
		"GMSASIM_REALM=" + d.Realm(),
		"GMSASIM_NETBIOS=" + d.NetBIOSName(),
		"GMSASIM_BASE_DN=" + d.BaseDN(),
		"GMSASIM_DC=" + d.dcs[0].DNSName(),
		"GMSASIM_KDC=" + d.KDCAddr(),
		"GMSASIM_KPASSWD=" + d.KpasswdAddr(),
		"GMSASIM_DNS=" + d.DNSAddr(),
	}
	if as != "" {
		keytab, err := d.Keytab(as)
		if err != nil {
			return nil, err
		}
		path, err := d.writeFile(name+".keytab", keytab)
		if err != nil {
			return nil, err
		}
		env = append(env, "KRB5_KTNAME=FILE:"+path, "KRB5_CLIENT_KTNAME=FILE:"+path)
	}
	return env, nil
}

// fileName makes a file name of an account's name.
func fileName(account string) string {
	if account == "" {
		return "nobody"
	}
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, account)
}

// Command is exec.Command with the environment of Env added to the process's own. What prevents that is in Cmd.Err.
func (d *Domain) Command(as, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	env, err := d.Env(as)
	if err != nil {
		cmd.Err = err
		return cmd
	}
	cmd.Env = append(cmd.Environ(), env...)
	return cmd
}
