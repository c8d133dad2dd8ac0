package intake

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/setup"
)

// Papers are what there is of a case. Every part may be missing, but not all.
type Papers struct {
	Directory *Directory
	// World says what exports do not hold: containers, uses, releases of hosts, times. Its hosts, users and accounts complete those of the
	// directory that have the same name.
	World *doctor.WorldPart
	// Inspected are containers of docker inspect.
	Inspected []Inspected
	// Spec is a credential spec; it becomes that of the containers that name its file, or of the only container.
	Spec *Spec
	// Setup are the user's own files: what they start is entered as the tools that read them would start it.
	Setup *setup.Setup
	// Domain is what is assumed of the domain when nothing describes it; nil: what the set's credential specs say, see [Papers.Make].
	Domain *simulator.Config
	// Stack says that compose files are for docker stack deploy, not for docker compose.
	Stack bool
	// Host runs the containers that are not in World. With Account it also says whose password is read where.
	Host, Account string
}

// An UnknownError is a host or account that the papers do not have.
type UnknownError struct {
	Kind, Name string
	Known      []string
}

func (e *UnknownError) Error() string {
	if e.Name == "" {
		return "it is not clear which " + e.Kind + " is meant"
	}
	return fmt.Sprintf("the export has no %s %q that could be one", e.Kind, e.Name)
}

// Keep are the names that a directory has to be searched for because the other papers use them, see [Options.Keep].
func (p *Papers) Keep() []string {
	keep := []string{p.Host, p.Account}
	if p.World == nil {
		return keep
	}
	w := p.World
	for _, h := range w.Domain.Hosts {
		keep = append(keep, h.Name)
	}
	for _, u := range w.Domain.Users {
		keep = append(keep, u.Name)
	}
	for _, g := range w.Domain.Groups {
		keep = append(keep, g.Name)
	}
	for _, c := range w.Containers {
		keep = append(keep, c.Host)
	}
	for _, s := range w.SQLServers {
		keep = append(keep, s.Account)
	}
	for _, u := range w.Uses {
		keep = append(keep, u.User, u.SPN, "http/"+u.Name, "host/"+u.Name)
	}
	return slices.DeleteFunc(keep, func(s string) bool { return s == "" })
}

// Make puts the papers together. The report is that of the directory, with remarks on the other papers.
func (p *Papers) Make() (*doctor.World, *Report, error) {
	w := &doctor.World{Schema: doctor.WorldSchema}
	report := &Report{Schema: ReportSchema, Warnings: []Remark{}, Assumed: []Remark{}, Ignored: []Remark{}, TimeFrom: "of the world"}
	if p.World != nil {
		*w = p.World.World
	}
	if p.Directory != nil {
		report = p.Directory.Report
		w.Domain = merged(p.Directory.Config, w.Domain)
		if s := w.Domain.Start; s != p.Directory.Config.Start {
			report.Time, report.TimeFrom = s, "as the world says"
		}
	}
	if p.Setup != nil {
		p.assumeWorld(w, report)
		if err := p.deploy(w, report); err != nil {
			return nil, nil, err
		}
	}
	if err := p.containers(w, report); err != nil {
		return nil, nil, err
	}
	if err := p.spec(w, report); err != nil {
		return nil, nil, err
	}
	if err := p.readers(w); err != nil {
		return nil, nil, err
	}
	var err error
	if p.World != nil {
		err = p.World.Check(w)
	} else {
		err = w.Validate()
	}
	if report.Domain == "" {
		report.Domain, report.Time = cmp.Or(w.Domain.DNSName, "contoso.com"), w.Domain.Start
	}
	return w, report, err
}

// merged completes the domain of an export with what somebody has written of it.
func merged(export, written simulator.Config) simulator.Config {
	c := export
	overlay(reflect.ValueOf(&c).Elem(), reflect.ValueOf(written), "Hosts", "Users", "Groups", "ServiceAccounts", "KDSRootKeys", "Edits")
	c.Hosts = completed(export.Hosts, written.Hosts, func(h simulator.HostConfig) string { return h.Name })
	c.Users = completed(export.Users, written.Users, func(u simulator.User) string { return u.Name })
	c.Groups = completed(export.Groups, written.Groups, func(g simulator.Group) string { return g.Name })
	c.ServiceAccounts = completed(export.ServiceAccounts, written.ServiceAccounts, func(s simulator.ServiceAccount) string { return s.Name })
	c.KDSRootKeys = slices.Concat(export.KDSRootKeys, written.KDSRootKeys)
	c.Edits = slices.Concat(export.Edits, written.Edits)
	return c
}

// overlay sets the fields of a struct to those of another that are not zero.
func overlay(into, from reflect.Value, except ...string) {
	for i := range into.NumField() {
		f := into.Type().Field(i)
		if f.IsExported() && !slices.Contains(except, f.Name) && !from.Field(i).IsZero() {
			into.Field(i).Set(from.Field(i))
		}
	}
}

// completed completes the items of a list by those of the same name, and adds the others.
func completed[T any](list, written []T, name func(T) string) []T {
	out := slices.Clone(list)
	for _, item := range written {
		same := func(o T) bool {
			return strings.EqualFold(strings.TrimSuffix(name(o), "$"), strings.TrimSuffix(name(item), "$"))
		}
		if i := slices.IndexFunc(out, same); i >= 0 {
			overlay(reflect.ValueOf(&out[i]).Elem(), reflect.ValueOf(item), "Name")
			continue
		}
		out = append(out, item)
	}
	return out
}

// containers enters those of docker inspect.
func (p *Papers) containers(w *doctor.World, report *Report) error {
	if len(p.Inspected) == 0 && (p.Spec == nil || len(w.Containers) > 0) {
		return nil
	}
	host, err := p.host(w, report)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, c := range w.Containers {
		taken[c.Name] = true
	}
	for _, in := range p.Inspected {
		c := in.container(report)
		for n := 2; taken[c.Name]; n++ {
			c.Name = fmt.Sprintf("%s-%d", in.name(), n)
		}
		taken[c.Name] = true
		c.Host, c.Account = host, p.account(w)
		w.Containers = append(w.Containers, c)
	}
	if len(w.Containers) == 0 { // there is a credential spec only
		w.Containers = append(w.Containers, doctor.Container{Name: "app", Host: host, Account: p.account(w)})
		remark(&report.Assumed, p.Spec.File, 0, "a container with this credential spec, of the host's release and otherwise as docker makes it")
	}
	return nil
}

// host is the one that runs what docker inspect shows, which does not say so.
func (p *Papers) host(w *doctor.World, report *Report) (string, error) {
	var known []string
	for _, h := range w.Domain.Hosts {
		known = append(known, h.Name)
	}
	if p.Host != "" {
		i := slices.IndexFunc(known, func(n string) bool { return strings.EqualFold(n, strings.TrimSuffix(p.Host, "$")) })
		if i < 0 {
			return "", &UnknownError{"host", p.Host, known}
		}
		return known[i], nil
	}
	if len(w.Containers) > 0 {
		return w.Containers[0].Host, nil
	}
	if p.Directory != nil {
		for _, r := range p.Directory.Readers {
			if a := p.account(w); a == "" || strings.EqualFold(a, r.Account) {
				report.assume(0, "the container runs on %s, the first computer that should read the password; --host says another", r.Host)
				return r.Host, nil
			}
		}
	}
	if len(known) == 1 {
		return known[0], nil
	}
	return "", &UnknownError{"host", "", known}
}

// account is the one that was asked for or that the credential spec names; "" when the doctor is to find out.
func (p *Papers) account(w *doctor.World) string {
	name := p.Account
	if name == "" && p.Spec != nil {
		name = p.Spec.Account
	}
	for _, s := range w.Domain.ServiceAccounts {
		if strings.EqualFold(s.Name, strings.TrimSuffix(name, "$")) {
			return s.Name
		}
	}
	return ""
}

// spec lays the credential spec into the folder of the hosts of the containers that are to have it.
func (p *Papers) spec(w *doctor.World, report *Report) error {
	if p.Spec == nil {
		return nil
	}
	report.Warnings = append(report.Warnings, p.Spec.Faults...)
	name := p.Spec.Name
	for i := range w.Containers {
		c := &w.Containers[i]
		file, isFile := strings.CutPrefix(c.CredentialSpec, "file://")
		switch {
		case c.CredentialSpec == "":
			c.CredentialSpec, file = "file://"+name, name
		case !isFile:
			continue
		case !strings.EqualFold(file, name) && len(w.Containers) > 1:
			continue
		}
		w.Domain.Hosts = slices.Clone(w.Domain.Hosts)
		for j := range w.Domain.Hosts {
			if h := &w.Domain.Hosts[j]; strings.EqualFold(h.Name, c.Host) {
				h.SpecFiles = append(slices.Clone(h.SpecFiles), simulator.SpecFile{Name: file, Text: p.Spec.Text})
			}
		}
	}
	return nil
}

// mostReaders bounds the checks of a large directory.
const mostReaders = 200

// readers are whose reading of which password is checked: all that the directory knows when there is no container, and who was asked for.
func (p *Papers) readers(w *doctor.World) error {
	var hosts, accounts []string
	for _, h := range w.Domain.Hosts {
		hosts = append(hosts, h.Name)
	}
	for _, s := range w.Domain.ServiceAccounts {
		accounts = append(accounts, s.Name)
	}
	find := func(kind, name string, known []string) (string, error) {
		i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, strings.TrimSuffix(name, "$")) })
		if i < 0 {
			return "", &UnknownError{kind, name, known}
		}
		return known[i], nil
	}
	host, account := "", ""
	var err error
	if p.Host != "" {
		if host, err = find("host", p.Host, hosts); err != nil {
			return err
		}
	}
	if p.Account != "" {
		if account, err = find("service account", p.Account, accounts); err != nil {
			return err
		}
	}
	switch {
	case host != "" && account != "":
		w.Readers = append(w.Readers, doctor.Reader{Host: host, Account: account})
	case p.Directory == nil:
	case len(w.Containers) > 0:
		for _, c := range w.Containers {
			if r := (doctor.Reader{Host: c.Host, Account: w.AccountOf(c)}); r.Account != "" && !slices.Contains(w.Readers, r) {
				w.Readers = append(w.Readers, r)
			}
		}
	case host != "" && len(accounts) == 1:
		w.Readers = append(w.Readers, doctor.Reader{Host: host, Account: accounts[0]})
	default:
		for _, r := range p.Directory.Readers {
			if (host == "" || r.Host == host) && (account == "" || strings.EqualFold(r.Account, account)) {
				if len(w.Readers) == mostReaders {
					p.Directory.Report.ignore(0, "computers that should read passwords, beyond the first %d; --host and --account choose", mostReaders)
					continue
				}
				w.Readers = append(w.Readers, r)
			}
		}
	}
	return nil
}
