package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/credspec/module"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// newSpecFlags are the parameters of New-CredentialSpec, and where the directory is.
type newSpecFlags struct {
	directory  directoryFlags
	account    string
	additional []string
	domain     string
	host       string
	fileName   string
	folder     string
	path       string
	noClobber  bool
	newline    string
}

// newSpecReport is the form of a new credential spec in JSON.
type newSpecReport struct {
	Schema   string   `json:"schema"`
	Name     string   `json:"name,omitempty"`
	Path     string   `json:"path,omitempty"`
	Text     string   `json:"text,omitempty"` // with --path -
	Warnings []string `json:"warnings,omitempty"`
}

const newSpecExamples = "  gmsasim up -- gmsasim credspec new WebApp01\n" +
	"  gmsasim credspec new WebApp01 --server ldaps://dc01.corp.example --user admin@corp.example --password-file -\n" +
	"  gmsasim credspec new WebApp01 --against spn-duplicate --path -"

func (a *app) credspecNewCommand() *cobra.Command {
	var o newSpecFlags
	cmd := &cobra.Command{
		Use:   "new ACCOUNT",
		Short: "Write the credential spec of a group managed service account",
		Long: `What New-CredentialSpec does on a computer of the domain, from any computer that reaches the directory: the domain's SID, GUID and names are
looked up over LDAP, the accounts are looked for, and the file is written as the module writes it.

The directory is a server, "up" for a domain that runs already (the default inside of gmsasim up), or the domain of a configuration, a world or a
scenario, which is started for the question. At a server the sign-in is by Kerberos, from KRB5CCNAME or KRB5_CLIENT_KTNAME, unless a user is named.

The file is called NETBIOS_account.json in lower case, in the engine's folder on Windows and in the current one elsewhere. Where the module does
something that nobody wants, this does not: the file's name keeps all of its letters, letters outside of ASCII stay what they are, and a malformed
additional account is refused before anything is written.

Exit status: 0 written, 1 the directory or the folder says no, 2 wrong use, or no domain controller answers.`,
		Example: newSpecExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("credspec new takes one account; got %d", len(args)).(*usageError).shownBy("gmsasim credspec new --help")
			}
			o.account = args[0]
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.newCredentialSpec(ctx, &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.directory.against, "against", "", "directory to ask: an ldap:// or ldaps:// address, up for a running domain, a configuration, a world or a scenario")
	f.StringVar(&o.directory.against, "server", "", "the same as --against")
	f.StringSliceVar(&o.additional, "additional", nil, "further account that the container may use, NAME or NAME@DOMAIN; can be repeated")
	f.StringVar(&o.domain, "domain", "", "domain of the account (default: the server's)")
	f.StringVar(&o.host, "host", "", "computer to warn about when it may not use the account (default: the one that signs in)")
	f.StringVar(&o.fileName, "file-name", "", "name of the file in the folder; .json is added when missing")
	f.StringVar(&o.folder, "folder", "", "folder of the file")
	f.StringVar(&o.path, "path", "", "whole path of the file, - for the standard output")
	f.BoolVar(&o.noClobber, "no-clobber", false, "leave a file alone that is there already")
	f.StringVar(&o.newline, "newline", "", "end of lines: lf, or crlf as on Windows (default: the system's)")
	o.directory.add(f)
	return cmd
}

// specError is what New-CredentialSpec says, in its own words, with what to do.
type specError struct {
	text, help string
	err        error // the cause; nil: none
}

func (e *specError) Error() string {
	if e.err != nil {
		return e.text + ": " + e.err.Error()
	}
	return e.text
}

func (e *specError) Unwrap() error { return e.err }

// additionalAccount is one of -AdditionalAccounts.
type additionalAccount struct{ name, domain string }

// newCredentialSpec writes a credential spec.
func (a *app) newCredentialSpec(ctx context.Context, o *newSpecFlags) (err error) {
	additional, newline, err := o.complete()
	if err != nil {
		return err
	}
	d, err := a.openDirectory(ctx, o.directory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	spec, warnings, err := o.spec(d.asked, additional)
	if err != nil {
		return err
	}
	report := newSpecReport{Schema: "gmsasim.credspec-new/1", Warnings: warnings}
	text := spec.Module(newline)
	if o.path == "-" {
		report.Text = string(text)
	} else if report.Path, err = o.write(spec, text); err != nil {
		return err
	} else {
		report.Name = filepath.Base(report.Path)
	}
	switch {
	case a.json:
		a.printJSON(report)
		return nil
	case o.path == "-":
		fmt.Fprint(a.out, report.Text)
	default:
		fmt.Fprintln(a.out, report.Path)
	}
	for _, w := range warnings {
		fmt.Fprintf(a.err, "%s %s\n", a.talk.bold("warning:"), w)
	}
	if o.path != "-" {
		a.next("gmsasim check %s", report.Path)
	}
	return nil
}

// complete looks at the parameters.
func (o *newSpecFlags) complete() ([]additionalAccount, module.Newline, error) {
	o.account = strings.TrimRight(o.account, "$")
	if o.account == "" {
		return nil, "", usage("the account has no name")
	}
	var list []additionalAccount
	for _, text := range o.additional {
		name, domain, qualified := strings.Cut(text, "@")
		name = strings.TrimRight(name, "$")
		if name == "" || qualified && domain == "" || strings.ContainsAny(name, `\/`) || strings.ContainsAny(domain, `@\/ `) {
			return nil, "", usage("Invalid additional account specified: %s; expected NAME or NAME@DOMAIN", text).(*usageError).shownBy("gmsasim credspec new --help")
		}
		list = append(list, additionalAccount{name, domain})
	}
	if o.path != "" && (o.fileName != "" || o.folder != "") {
		return nil, "", usage("--path is the whole path, without --file-name and --folder")
	}
	if strings.ContainsAny(o.fileName, `/\`) {
		return nil, "", usage("--file-name %q has a folder in it; --path takes a whole path", o.fileName)
	}
	newline := module.LF
	switch o.newline {
	case "":
		if runtime.GOOS == "windows" {
			newline = module.CRLF
		}
	case "lf":
	case "crlf":
		newline = module.CRLF
	default:
		return nil, "", usageNear(o.newline, []string{"lf", "crlf"}, "--newline: %q is not one of lf, crlf", o.newline)
	}
	if o.directory.against == "" {
		if os.Getenv(variableLDAP) == "" {
			return nil, "", usage("no directory to ask: give --server ldap://… or --against FILE, or run it inside of gmsasim up").(*usageError).shownBy("gmsasim credspec new --help")
		}
		o.directory.against = "up"
	}
	return list, newline, nil
}

// spec looks up what the credential spec says.
func (o *newSpecFlags) spec(d asked, additional []additionalAccount) (credspec.Spec, []string, error) {
	home, asker, err := d.Home()
	if err != nil {
		return credspec.Spec{}, nil, err
	}
	domains, err := d.Domains()
	if err != nil {
		return credspec.Spec{}, nil, &exitError{exitUnexpected, &specError{"An error ocurred while loading information for the computer account's domain", "", err}} // [sic], as the module has it
	}
	named := cmp.Or(o.domain, home)
	dom, err := findDomain(domains, named)
	if err != nil {
		return credspec.Spec{}, nil, err
	}
	s := credspec.Spec{CmsPlugins: []string{"ActiveDirectory"}}
	s.DomainJoin = credspec.DomainJoin{Sid: dom.SID, MachineAccountName: o.account, Guid: dom.GUID, DnsTreeName: dom.Forest, DnsName: dom.DNSName, NetBiosName: dom.NetBIOSName}
	s.Accounts = []credspec.Account{{Name: o.account, Scope: dom.DNSName}, {Name: o.account, Scope: dom.NetBIOSName}}
	host, err := o.computer(d, domains, asker)
	if err != nil {
		return credspec.Spec{}, nil, err
	}
	var warnings []string
	find := func(name string, in *check.Domain, as string) error {
		account, err := findServiceAccount(d, name, in, as)
		if err != nil {
			return err
		}
		if host == nil {
			return nil
		}
		switch may, err := d.MayRetrieve(*account, *host); {
		case err != nil:
			warnings = append(warnings, fmt.Sprintf("whether %s may use %q is not known: %v", host.SAM, name, err))
		case !may && o.host == "":
			warnings = append(warnings, fmt.Sprintf("This computer is not authorized to use the group managed service account %q", name))
		case !may:
			warnings = append(warnings, fmt.Sprintf("%s is not authorized to use the group managed service account %q", host.SAM, name))
		}
		return nil
	}
	if err := find(o.account, dom, named); err != nil {
		return credspec.Spec{}, nil, err
	}
	for _, add := range additional {
		// An account without a domain is of the domain as it was named, and its scope is that name: so does the module.
		scope := cmp.Or(add.domain, o.domain, dom.DNSName)
		in, err := findDomain(domains, scope)
		if err != nil {
			return credspec.Spec{}, nil, err
		}
		if err := find(add.name, in, scope); err != nil {
			return credspec.Spec{}, nil, err
		}
		s.Accounts = append(s.Accounts, credspec.Account{Name: add.name, Scope: scope})
	}
	return s, warnings, nil
}

// findDomain is Get-ADDomain.
func findDomain(domains []check.Domain, name string) (*check.Domain, error) {
	var names []string
	for i := range domains {
		dom := &domains[i]
		if !strings.EqualFold(dom.DNSName, name) && !strings.EqualFold(dom.NetBIOSName, name) {
			names = append(names, dom.DNSName)
			continue
		}
		if dom.Trusted {
			return nil, &exitError{exitUnexpected, &specError{fmt.Sprintf("The specified Active Directory domain (%s) could not be found", name),
				fmt.Sprintf("%s is trusted and outside of the forest: name one of its controllers with --server", dom.DNSName), nil}}
		}
		return dom, nil
	}
	help := ""
	if near := diag.Nearest(name, names); near != "" {
		help = "nearest: " + near
	} else {
		help = "the forest has " + strings.Join(names, ", ")
	}
	return nil, &exitError{exitUnexpected, &specError{fmt.Sprintf("The specified Active Directory domain (%s) could not be found", name), help, nil}}
}

// findServiceAccount is Get-ADServiceAccount in a domain, as which it was named.
func findServiceAccount(d asked, name string, dom *check.Domain, as string) (*check.Object, error) {
	found, err := d.Find(dom.DNSName, check.BySAM, name+"$")
	if err != nil {
		return nil, &exitError{exitUnexpected, err}
	}
	if len(found) == 1 && found[0].Class == check.ClassGMSA {
		return &found[0], nil
	}
	missing := &specError{text: fmt.Sprintf("The group managed service account %q could not be found in the %s domain", name, as)}
	if len(found) == 0 {
		if found, err = d.Find(dom.DNSName, check.BySAM, name); err != nil {
			return nil, &exitError{exitUnexpected, err}
		}
	}
	if len(found) > 0 {
		missing.help = fmt.Sprintf("%s is of the class %s", found[0].SAM, found[0].Class)
		return nil, &exitError{exitUnexpected, missing}
	}
	if elsewhere, err := d.Find("", check.BySAM, name+"$"); err == nil && len(elsewhere) > 0 {
		missing.help = fmt.Sprintf("%s has it: --domain %s, or %s@%s among --additional", elsewhere[0].Domain, elsewhere[0].Domain, name, elsewhere[0].Domain)
	} else if names, err := d.ServiceAccounts(dom.DNSName); err == nil {
		if near := diag.Nearest(name, names); near != "" {
			missing.help = "nearest: " + near
		}
	}
	return nil, &exitError{exitUnexpected, missing}
}

// computer is the one that Test-ADServiceAccount would be run on: --host, or the one that has signed in; nil when a user has.
func (o *newSpecFlags) computer(d asked, domains []check.Domain, asker string) (*check.Object, error) {
	name := o.host
	if name == "" {
		if name = asker; !strings.HasSuffix(name, "$") {
			return nil, nil
		}
	}
	domain, sam, ok := strings.Cut(name, `\`)
	if !ok {
		domain, sam = "", name
		if host, suffix, dotted := strings.Cut(name, "."); dotted {
			domain, sam = suffix, host
		}
	}
	in := ""
	if domain != "" {
		dom, err := findDomain(domains, domain)
		if err != nil {
			return nil, err
		}
		in = dom.DNSName
	}
	found, err := d.Find(in, check.BySAM, strings.TrimSuffix(sam, "$")+"$")
	switch {
	case err != nil:
		return nil, &exitError{exitUnexpected, err}
	case len(found) == 0:
		return nil, &exitError{exitUnexpected, &specError{text: fmt.Sprintf("no computer %s in the directory", name)}}
	}
	return &found[0], nil
}

// write writes the file and gives its path.
func (o *newSpecFlags) write(s credspec.Spec, text []byte) (string, error) {
	path := o.path
	if path == "" {
		name := o.fileName
		if name == "" {
			name = strings.ToLower(s.DomainJoin.NetBiosName + "_" + s.DomainJoin.MachineAccountName)
		}
		path = filepath.Join(cmp.Or(o.folder, engineFolder()), name)
	}
	if !strings.EqualFold(filepath.Ext(path), ".json") {
		path += ".json"
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return "", &exitError{exitUnexpected, &specError{"Credential spec directory does not exist: " + folder, "make it, or name another with --folder or --path", nil}}
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if o.noClobber {
		flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0o644) // no secret is in it, and the engine has to read it
	switch {
	case o.noClobber && errors.Is(err, fs.ErrExist):
		return "", &exitError{exitUnexpected, &specError{fmt.Sprintf("A credential spec already exists with the name %q", filepath.Base(path)), "leave --no-clobber out to write over it, or name another with --file-name", nil}}
	case err != nil:
		return "", err
	}
	_, err = f.Write(text)
	return path, errors.Join(err, f.Close())
}

// engineFolder is where the engine looks for credential specs, on Windows; elsewhere nobody does.
func engineFolder() string {
	if data := os.Getenv("ProgramData"); runtime.GOOS == "windows" && data != "" {
		return filepath.Join(data, "Docker", "CredentialSpecs")
	}
	return ""
}
