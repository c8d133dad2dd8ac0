package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"

	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/spf13/pflag"

	"github.com/gmsasim/gmsasim/cmd/gmsasim/internal/control"
	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/ldapdirectory"
	"github.com/gmsasim/gmsasim/simulator/check/simulated"
)

// directoryFlags say which directory is asked, and as whom.
type directoryFlags struct {
	against            string
	user, passwordFile string
	keytab, ccache     string
	ca, dns            string
	startTLS           bool
}

// Variables of the environment that a running domain sets, and those of Kerberos.
const (
	variableLDAP = "GMSASIM_LDAP_URL"
	variableCA   = "GMSASIM_CA_FILE"
	variableDNS  = "GMSASIM_DNS"
)

// add adds the flags but --against, whose name differs from command to command.
func (f *directoryFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.user, "user", "", "sign in as user@domain (default: by Kerberos, from KRB5CCNAME or KRB5_CLIENT_KTNAME)")
	flags.StringVar(&f.passwordFile, "password-file", "", "file with the password of --user, - for the standard input")
	flags.StringVar(&f.keytab, "keytab", "", "sign in by Kerberos with the keys of a file")
	flags.StringVar(&f.ccache, "ccache", "", "sign in by Kerberos with the tickets of a file")
	flags.StringVar(&f.ca, "ca-file", "", "certificate authorities to trust for TLS, in PEM (default $"+variableCA+", else the system's)")
	flags.StringVar(&f.dns, "dns", "", "DNS server that knows the forest's domain controllers, host:port (default $"+variableDNS+", else the system's)")
	flags.BoolVar(&f.startTLS, "start-tls", false, "protect an ldap:// address with TLS")
}

// asked is a directory that knows where and as whom it is asked.
type asked interface {
	check.Directory
	Home() (domain, account string, err error)
}

// opened is a directory that is to be closed.
type opened struct {
	asked
	// Close closes the directory, and the domain behind it when that was started for it.
	Close func() error
}

// openDirectory opens what f.against names: a server by its ldap:// or ldaps:// address; "up" for the domain that the environment leads to; else a
// configuration, a world or a scenario, whose domain is started in this process and asked as its administrator. All are asked over LDAP.
func (a *app) openDirectory(ctx context.Context, f directoryFlags) (*opened, error) {
	name := f.against
	if url := os.Getenv(control.URLVariable); url != "" && strings.TrimSuffix(name, "/") == strings.TrimSuffix(url, "/") {
		name = "up"
	}
	if name == "up" {
		if name = os.Getenv(variableLDAP); name == "" {
			return nil, usage("no running domain: %s is not set", variableLDAP).(*usageError).shownBy("gmsasim up --help")
		}
	}
	if strings.Contains(name, "://") {
		return a.openServer(ctx, name, f)
	}
	if f.user != "" || f.passwordFile != "" || f.keytab != "" || f.ccache != "" || f.ca != "" || f.dns != "" || f.startTLS {
		return nil, usage("a domain in this process is asked as its administrator; --user, --keytab and the like are for servers")
	}
	cfg, err := againstConfig(name)
	if err != nil {
		return nil, err
	}
	dir, err := simulated.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &opened{dir, dir.Close}, nil
}

// againstConfig is the domain of a configuration, a world, or a scenario's first case.
func againstConfig(name string) (simulator.Config, error) {
	if data, ok := readWorld(name); ok {
		w, err := doctor.ParseWorld(name, data)
		if err != nil {
			return simulator.Config{}, err
		}
		return w.Domain, nil
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		c, err := scenarios.LoadConfig(name)
		if err != nil {
			return simulator.Config{}, err
		}
		return c.Config, nil
	}
	bundles, err := scenarios.Select(name)
	if err != nil {
		return simulator.Config{}, err
	}
	if len(bundles) != 1 {
		return simulator.Config{}, usage("%q chooses %s; one domain can be asked", name, count(len(bundles), "scenario"))
	}
	return bundles[0].Cases[0].Config(), nil
}

// openServer opens the directory of a server.
func (a *app) openServer(ctx context.Context, address string, f directoryFlags) (*opened, error) {
	s := ldapdirectory.Server{URL: address, StartTLS: f.startTLS, DNS: f.dns}
	if s.DNS == "" {
		s.DNS = os.Getenv(variableDNS)
	}
	ca := f.ca
	if ca == "" {
		ca = os.Getenv(variableCA)
	}
	if ca != "" {
		pem, err := readFile(ca)
		if err != nil {
			return nil, err
		}
		s.Roots = x509.NewCertPool()
		if !s.Roots.AppendCertsFromPEM(pem) {
			return nil, usage("%s holds no certificate in PEM", ca)
		}
	}
	dial, err := s.Dial()
	if err != nil {
		return nil, usage("%v", err)
	}
	login, err := a.login(f, f.startTLS || strings.HasPrefix(address, "ldaps://"))
	if err != nil {
		return nil, err
	}
	dir, err := ldapdirectory.Open(ctx, ldapdirectory.Config{Dial: dial, Login: login})
	if err != nil {
		return nil, err
	}
	return &opened{dir, dir.Close}, nil
}

// login is how to sign in at a server. A password goes over a connection that TLS protects, and is for Kerberos on another, where it stays here.
func (a *app) login(f directoryFlags, private bool) (ldapdirectory.Login, error) {
	given := 0
	for _, v := range []string{f.passwordFile, f.keytab, f.ccache} {
		if v != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, usage("--password-file, --keytab and --ccache exclude each other")
	case f.passwordFile != "" && f.user == "":
		return nil, usage("--password-file needs --user")
	}
	password := ""
	if f.passwordFile != "" {
		var err error
		if password, err = a.readPassword(f.passwordFile); err != nil {
			return nil, err
		}
		if private {
			return ldapdirectory.Password{Name: f.user, Password: password}, nil
		}
	}
	if _, err := os.Stat(kerberosConfig()); err != nil {
		return nil, usage("there is no %s to sign in by Kerberos with: set KRB5_CONFIG, or give an ldaps:// address (or --start-tls) with --user and --password-file", kerberosConfig())
	}
	conf, err := config.Load(kerberosConfig())
	if err != nil {
		return nil, usage("%s: %v", kerberosConfig(), err)
	}
	file := func(variable string) string {
		name := strings.TrimPrefix(os.Getenv(variable), "FILE:")
		if _, err := os.Stat(name); name == "" || err != nil {
			return ""
		}
		return name
	}
	user, realm, _ := strings.Cut(f.user, "@")
	if domain, name, ok := strings.Cut(f.user, `\`); ok {
		user, realm = name, domain
	}
	realm = strings.ToUpper(realm)
	if realm == "" {
		realm = conf.LibDefaults.DefaultRealm
	}
	keytab, ccache := f.keytab, f.ccache
	if keytab == "" && ccache == "" && password == "" {
		if f.user == "" {
			ccache = file("KRB5CCNAME")
		}
		if ccache == "" {
			keytab = file("KRB5_CLIENT_KTNAME")
		}
	}
	switch {
	case password != "":
		return ldapdirectory.FromPassword(conf, user, realm, password), nil
	case ccache != "":
		return named(ldapdirectory.FromCache(conf, ccache))
	case keytab != "":
		return named(ldapdirectory.FromKeytab(conf, keytab, user, realm))
	}
	return nil, usage("no credentials: give --user with --password-file, --keytab or --ccache, or run kinit and set KRB5CCNAME=FILE:…")
}

// named keeps a nil pointer from becoming a login.
func named(k *ldapdirectory.Kerberos, err error) (ldapdirectory.Login, error) {
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return k, nil
}

func kerberosConfig() string {
	if name := os.Getenv("KRB5_CONFIG"); name != "" {
		return name
	}
	return "/etc/krb5.conf"
}

// readPassword reads the first line of a file.
func (a *app) readPassword(name string) (string, error) {
	if name == "-" {
		line, err := bufio.NewReader(a.in).ReadString('\n')
		if line == "" && err != nil {
			return "", usage("no password on the standard input: %v", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	data, err := readFile(name)
	if err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return strings.TrimRight(string(line), "\r"), nil
}
