package simulator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// RejoinHost takes a computer out of its domain, deletes its account and joins it again under the same name, as a machine that is built
// anew does: it has another SID, and no membership of the old account. domain is where it joins, "" the domain that it was in. Its
// containers end, and the files of its disk stay.
func (a *Admin) RejoinHost(name, domain string) (*Host, error) {
	old, ok := a.d.FindHost(name)
	if !ok {
		return nil, fmt.Errorf("no host %q", name)
	}
	dom := old.dom
	if domain != "" {
		if dom = a.d.forest.Domain(domain); dom == nil {
			return nil, fmt.Errorf("no domain %q", domain)
		}
	}
	for _, c := range old.Containers() {
		c.Stop()
	}
	err := a.at(old.dom).do("Remove-ADComputer "+old.Name(), func(c *ldapConn) error { return c.remove(old.Name() + "$") })
	if err != nil {
		return nil, err
	}
	cfg := old.cfg
	cfg.Domain = dom.DNSName
	err = a.at(dom).do("Add-Computer -ComputerName "+old.Name()+" -DomainName "+dom.DNSName+" -Restart", func(c *ldapConn) error {
		o := hostObject(dom, cfg, cfg.Password)
		return c.create(cfg.Name, c.add(o.DN, o.Attributes))
	})
	if err != nil {
		return nil, err
	}
	a.d.dropHost(old)
	cfg.LastRestart = a.d.Clock.Now()
	h := a.d.addHost(cfg)
	old.mu.Lock()
	files := old.files.clone()
	old.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files, h.care.restartPending = files, false
	return h, nil
}

// at is the same administrator on the first DC of a domain.
func (a *Admin) at(dom *directory.Domain) *Admin {
	if a.dc != "" || dom == a.d.root() {
		return a
	}
	return a.Server(a.d.firstDCOf(dom).name)
}

// dropHost forgets a host.
func (d *Domain) dropHost(h *Host) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hosts = slices.DeleteFunc(d.hosts, func(o *Host) bool { return o == h })
	d.unsettled = slices.DeleteFunc(d.unsettled, func(l *logon) bool { return l == h.machine })
	delete(d.byName, hostKey(h.Name()))
}

// accountElsewhere is the domain, another one than dc's, that has a service account of a name; nil when there is none.
func (d *Domain) accountElsewhere(name string, dc *DC) *directory.Domain {
	for _, other := range d.dcs {
		if other.dom != dc.dom && d.isServiceAccount(strings.TrimSuffix(name, "$")+"$", other) {
			return other.dom
		}
	}
	return nil
}

// JoinHost makes the computer account of a host and starts the host (Add-Computer).
func (a *Admin) JoinHost(h HostConfig) (*Host, error) {
	cfg := a.d.cfg
	cfg.Hosts, cfg.KDSRootKeys, cfg.Groups, cfg.Users, cfg.ServiceAccounts, cfg.Faults, cfg.Aliases, cfg.Secrets = []HostConfig{h}, nil, nil, nil, nil, nil, nil, nil
	cfg.Start = a.d.Clock.Now()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	h.Name = strings.TrimSuffix(h.Name, "$")
	was, taken := a.d.FindHost(h.Name)
	switch {
	case h.Workgroup:
		return nil, fmt.Errorf("a host of a workgroup does not join: %q", h.Name)
	case taken && !was.cfg.Workgroup:
		return nil, fmt.Errorf("there is a host %q already", h.Name)
	}
	if h.Password == "" {
		h.Password = a.d.hostPassword(h.Name)
	}
	err := a.do("Add-Computer -NewName "+h.Name, func(c *ldapConn) error {
		o := hostObject(c.dc.dom, h, h.Password)
		return c.create(h.Name, c.add(o.DN, o.Attributes))
	})
	if err != nil {
		return nil, err
	}
	if taken {
		return was.join(h), nil
	}
	return a.d.addHost(h), nil
}
