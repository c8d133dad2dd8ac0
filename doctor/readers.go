package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
)

// Reader is a computer that is to read the password of a service account, whether or not a container runs there.
type Reader struct {
	Host    string `json:"host" yaml:"host"`
	Account string `json:"account" yaml:"account"`
}

// readerChecks are those of S1 to S4 for the readers, apart from what the checks of containers do already.
func (w *World) readerChecks(done []check) (list []check) {
	if len(w.Readers) == 0 {
		return nil
	}
	add := func(s, do, what string, args ...any) {
		c := check{s, fmt.Sprintf(what, args...), do}
		if !slices.Contains(done, c) && !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	dns, dc := w.names()
	add("S1", step("newServiceAccount", "name", "DoctorProbe"), "a KDS root key makes passwords")
	for _, r := range w.Readers {
		if w.inRoot(r.Account) {
			add("S2", step("getServiceAccount", "account", r.Account), "the account %s exists", r.Account)
		}
		if !w.joined(r.Host) {
			continue
		}
		add("S3", step("kerberosTo", "from", r.Host, "spn", "ldap/"+dc+"."+dns), "%s is joined and reaches a DC", r.Host)
		add("S4", step("testServiceAccount", "host", r.Host, "account", r.Account), "%s may read the password of %s", r.Host, r.Account)
	}
	return list
}

// inRoot tells whether an account is not one of another domain than the root, which the administrator's console is about.
func (w *World) inRoot(account string) bool {
	i := slices.IndexFunc(w.Domain.ServiceAccounts, func(s simulator.ServiceAccount) bool { return strings.EqualFold(s.Name, account) })
	return i < 0 || w.Domain.ServiceAccounts[i].Domain == "" || strings.EqualFold(w.Domain.ServiceAccounts[i].Domain, w.Domain.DNSName)
}

// A WorldPart is a file with a world of which the domain is somewhere else, or a part of it.
type WorldPart struct {
	World
	src *scenarios.Source
}

// ParseWorldPart reads a world without asking where its names lead.
func ParseWorldPart(file string, data []byte) (*WorldPart, error) {
	p := &WorldPart{}
	src, err := scenarios.Decode(file, []byte(strings.ReplaceAll(string(data), "\r\n", "\n")), &p.World)
	if err != nil {
		return nil, err
	}
	p.src = src
	if p.Schema != WorldSchema {
		return nil, src.Fault("schema", p.Schema, []string{WorldSchema}, "schema %q: this version reads %s", p.Schema, WorldSchema)
	}
	return p, nil
}

// Fault is a fault of the whole world at its place in this part, see [scenarios.Source.Fault].
func (p *WorldPart) fault(f worldFault) error {
	return p.src.Fault(f.path, f.name, f.known, "%s", f.problem)
}

// Check checks a world whose containers, SQL Servers and uses begin with those of this part.
func (p *WorldPart) Check(whole *World) error {
	if err := whole.Domain.Validate(); err != nil {
		return err
	}
	for _, f := range whole.faults() {
		for _, list := range []struct {
			name string
			n    int
		}{{"containers", len(p.Containers)}, {"sqlServers", len(p.SQLServers)}, {"uses", len(p.Uses)}} {
			var i int
			if _, err := fmt.Sscanf(f.path, list.name+"[%d]", &i); err == nil && i < list.n {
				return p.fault(f)
			}
		}
	}
	return whole.Validate()
}
