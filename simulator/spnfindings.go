package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// spnOwners are the accounts on a DC that have a service principal name, by sAMAccountName.
func (dc *DC) spnOwners(spn string) []string {
	var owners []string
	// A replica that cannot be searched has no owners to show.
	_ = dc.search(dc.dom.DN, &filter.Filter{Op: filter.Equal, Attr: "servicePrincipalName", Value: []byte(spn)}, []string{"sAMAccountName"}, func(e *directory.Entry) {
		owners = append(owners, e.Value("sAMAccountName"))
	})
	slices.Sort(owners)
	return owners
}

// addsSPN is the step that registers a name on an account.
func addsSPN(account, spn string) string {
	return flowStep("addSPN", arg{"account", account}, arg{"spn", spn})
}

// removesSPN is the step that takes a name from an account.
func removesSPN(account, spn string) string {
	return flowStep("removeSPN", arg{"account", account}, arg{"spn", spn})
}

// replicates is the step that brings all changes to all DCs.
const replicates = "replicate: {}"

// spnName is a service principal name in its parts: class/host[:port or instance][/rest].
type spnName struct{ class, host, port string }

func parseSPN(spn string) spnName {
	class, rest, _ := strings.Cut(spn, "/")
	rest, _, _ = strings.Cut(rest, "/")
	host, port, _ := strings.Cut(rest, ":")
	return spnName{class, host, port}
}

// registered is a name with its owner.
type registered struct{ spn, owner string }

// registeredSPNs are the names on a DC in the order of the directory; an incomplete list only makes the diagnosis poorer.
func (d *Domain) registeredSPNs(dc *DC) []registered {
	var list []registered
	_ = dc.search(dc.dom.DN, filter.MustParse("(servicePrincipalName=*)"), []string{"sAMAccountName", "servicePrincipalName"}, func(e *directory.Entry) {
		for _, v := range e.Values("servicePrincipalName") {
			if len(list) < maxSPNsCompared {
				list = append(list, registered{string(v), e.Value("sAMAccountName")})
			}
		}
	})
	return list
}

// findSPN tells why a KDC has no account for a service principal name: two have it, it is on another DC, or nobody registered this form of it.
func (d *Domain) findSPN(s *stepError, dc *DC) *diag.Finding {
	spn := s.server
	_, rest, _ := strings.Cut(spn, "/")
	owners := dc.spnOwners(spn)
	if len(owners) == 0 {
		if _, err := dc.replica.AccountBySPN(spn); errors.Is(err, directory.ErrDuplicateSPN) {
			owners = dc.spnOwners("host/" + rest)
			spn = "host/" + rest
		}
	}
	if len(owners) > 1 {
		return d.findSPNDuplicate(s, spn, owners, dc)
	}
	for _, other := range dc.peers() {
		if a, err := other.replica.AccountBySPN(spn); other != dc && err == nil {
			return &diag.Finding{
				Code: diag.SPNNotOnDC, Mode: "spn-replication-lag",
				Facts:   []diag.Fact{{Name: "name", Value: spn}, {Name: "not on", Value: dc.name}, {Name: "known on", Value: other.name + ": " + a.SAMAccountName}},
				SeenAs:  []string{seenSPNUnknown},
				Because: "a change is on the DC where it was made until replication brings it to the others, and the client asked another one",
				Help:    []diag.Help{{Text: "replicate, or wait for replication", Command: "repadmin /syncall /AdeP", Do: []string{replicates}, Sure: true}},
			}
		}
	}
	return d.findSPNMissing(s, spn, dc)
}

func (d *Domain) findSPNDuplicate(s *stepError, spn string, owners []string, dc *DC) *diag.Finding {
	f := &diag.Finding{
		Code: diag.SPNDuplicate, Mode: "spn-duplicate",
		Facts:   []diag.Fact{{Name: "name", Value: spn}, {Name: "owners", Value: strings.Join(owners, ", ")}, {Name: "DC", Value: dc.name}},
		SeenAs:  []string{"KDC_ERR_S_PRINCIPAL_UNKNOWN (0x7)", "System event 11, KDC: there are multiple accounts with name " + spn},
		Because: "a KDC does not choose between two accounts, so the name leads to none; clients fall back to NTLM",
		Help:    []diag.Help{{Text: "find both and remove the name from the wrong one", Command: "setspn -X"}},
	}
	// The right one is the account that runs the service, or else a managed service account.
	keep := slices.IndexFunc(owners, func(o string) bool { return s.account != "" && sameAccount(o, s.account) })
	if keep < 0 {
		keep = slices.IndexFunc(owners, func(o string) bool { return d.isServiceAccount(o, dc) })
	}
	help := diag.Help{Text: "remove it"}
	var commands []string
	for i, o := range owners {
		if i != max(keep, 0) {
			commands = append(commands, fmt.Sprintf("setspn -D %s %s", spn, o))
			help.Do = append(help.Do, removesSPN(o, spn))
		}
	}
	help.Command = strings.Join(commands, "; ")
	f.Help = append(f.Help, help)
	return f
}

// findSPNMissing names what is registered and how it differs from what the client asked for.
func (d *Domain) findSPNMissing(s *stepError, spn string, dc *DC) *diag.Finding {
	want := parseSPN(spn)
	list := d.registeredSPNs(dc)
	f := &diag.Finding{
		Code:    diag.SPNUnknown,
		Facts:   []diag.Fact{{Name: "name", Value: spn}, {Name: "DC", Value: dc.name}},
		SeenAs:  []string{seenSPNUnknown},
		Because: "a KDC finds the account of a service by its service principal name, letter by letter; only host/ stands for a list of other classes",
	}
	if _, err := netip.ParseAddr(want.host); err == nil {
		f.Code, f.Mode = diag.AddressNotName, "ntlm-ip-address"
		f.Because = "an address is no host name: nobody registers service principal names for it, so that only NTLM is left"
		f.Help = []diag.Help{{Text: "use the name of the service instead of its address"}}
		if i := slices.IndexFunc(list, func(r registered) bool { return d.isServiceAccount(r.owner, dc) }); i >= 0 {
			f.Help[0].Do = []string{flowStep("with", arg{"spn", list[i].spn})}
		}
		return f
	}
	if strings.EqualFold(want.host, dc.dom.NetBIOSName) {
		f.Mode = "ntlm-netbios-domain"
		f.Because = "the short name of the domain is no host: no DC registers service principal names for it, so that only NTLM is left"
		name := want.class + "/" + dc.DNSName()
		f.Nearest = []diag.Near{{Wanted: spn, Closest: name, WhyNot: "the short name of the domain is no host name"}}
		f.Help = []diag.Help{{Text: "use the DNS name of a DC", Command: "klist get " + name, Do: []string{flowStep("with", arg{"spn", name})}}}
		return f
	}
	near, owner, mode := d.closestSPN(want, list, dc)
	if target, ok := d.aliasTarget(want.host); ok {
		if a, err := dc.replica.AccountBySPN(want.class + "/" + target); err == nil {
			f.Code, near, owner, mode = diag.SPNOtherName, want.class+"/"+target, a.SAMAccountName, "spn-alias-missing"
			if a.DomainController {
				mode = "net-dc-cname-or-ip"
			}
			f.Facts = []diag.Fact{{Name: "name", Value: spn}, {Name: "alias of", Value: target}, {Name: "service", Value: owner}}
			f.Because = "a client asks for a ticket to the name that was typed; that DNS leads elsewhere does not register the name"
		}
	}
	if s.account != "" {
		owner = s.account // the account that runs the service is the right one, whatever the nearest name leads to
	}
	f.Mode = mode
	if owner == "" {
		f.Help = []diag.Help{{Text: "register the name on the account that runs the service", Command: fmt.Sprintf("setspn -S %s <account of the service>", spn)}}
		return f
	}
	if a, err := dc.replica.AccountByName(directory.Principal, owner); err == nil {
		owner = a.SAMAccountName
		if len(a.SPNs) == 0 {
			f.Mode = "spn-none"
			f.Facts = append(f.Facts, diag.Fact{Name: "names of " + owner, Value: "none"})
			f.Because = "containers register no names: the account of the service has those that an administrator gives it, and this one has none"
			if e, err := d.managedEntry(dc, owner); err == nil && a.ServiceAccount && e.Value("dNSHostName") == "" {
				d.forClientsOnly(f, dc, owner, spn)
				return f
			}
		}
	}
	if near != "" {
		why := whyNotSPN(spn, near) + ", on " + ownerOf(list, near)
		if f.Code == diag.SPNOtherName {
			why = "the KDC does not follow DNS aliases"
		}
		f.Nearest = []diag.Near{{Wanted: spn, Closest: near, WhyNot: why}}
	}
	f.Help = []diag.Help{{Text: "register the name on the account that runs the service", Command: fmt.Sprintf("setspn -S %s %s", spn, owner), Do: []string{addsSPN(owner, spn)}}}
	return f
}

// forClientsOnly makes the finding one about an account that was made with -RestrictToOutboundAuthenticationOnly.
func (d *Domain) forClientsOnly(f *diag.Finding, dc *DC, owner, spn string) {
	f.Mode = "acct-outbound-only"
	f.Facts = append(f.Facts, diag.Fact{Name: "dNSHostName of " + owner, Value: "none"})
	f.Because = "the account was made with -RestrictToOutboundAuthenticationOnly: it has no DNS host name and no service principal names, and goes out only"
	help := d.recreate(dc, owner, func(a *ServiceAccount) { a.SPNs = []string{spn} })
	for _, h := range d.Hosts() {
		for _, r := range h.Containers() { // they have the password of the old account
			if r.spec != nil && sameAccount(r.account(), owner) {
				help.Do = append(help.Do, flowStep("restartHost", arg{"", h.Name()}), flowStep("rerunContainer", arg{"container", r.shortID()}))
			}
		}
	}
	f.Help = []diag.Help{help}
}

// closestSPN is the registered name that differs least, its owner, and the failure mode that the difference makes. Names of the same host
// come first.
func (d *Domain) closestSPN(want spnName, list []registered, dc *DC) (near, owner, mode string) {
	find := func(match func(spnName) bool) bool {
		for _, r := range list {
			if match(parseSPN(r.spn)) {
				near, owner = r.spn, r.owner
				return true
			}
		}
		return false
	}
	sameClass := func(n spnName) bool { return strings.EqualFold(n.class, want.class) }
	sameHost := func(n spnName) bool { return strings.EqualFold(n.host, want.host) }
	serves := func(n spnName) bool { return sameClass(n) || strings.EqualFold(n.class, "host") }
	label := func(host string) string { first, _, _ := strings.Cut(host, "."); return first }
	switch {
	case find(func(n spnName) bool { return sameClass(n) && sameHost(n) }),
		want.port != "" && !strings.EqualFold(want.class, "MSSQLSvc") && find(func(n spnName) bool { return serves(n) && sameHost(n) }):
		return near, owner, "spn-port-and-instance"
	case find(sameHost):
		return near, owner, "spn-host-mapping"
	case find(func(n spnName) bool {
		long := "." + dc.dom.DNSName
		return serves(n) && (strings.EqualFold(n.host, want.host+long) || strings.EqualFold(n.host+long, want.host))
	}):
		return near, owner, "spn-fqdn-or-short-missing"
	}
	// Nothing has this host: the name belongs to whatever runs the service, which is a managed service account where there is one.
	var names, managed []string
	for _, r := range list {
		names = append(names, r.spn)
		if d.isServiceAccount(r.owner, dc) {
			managed = append(managed, r.spn)
		}
	}
	near = diag.Nearest(want.class+"/"+want.host, names)
	if owner = ownerOf(list, near); len(managed) > 0 && !d.isServiceAccount(owner, dc) {
		near = cmp.Or(diag.Nearest(want.class+"/"+want.host, managed), managed[0])
		owner = ownerOf(list, near)
	}
	if only := dc.onlyServiceAccount(); len(managed) == 0 && only != "" {
		near, owner = "", only // it has no names yet
	}
	if a, err := dc.replica.AccountByName(directory.Principal, label(want.host)+"$"); err == nil && a.ServiceAccount {
		owner = a.SAMAccountName // the account of this name
	}
	return near, owner, "spn-alias-missing"
}

// onlyServiceAccount is the managed service account of the DC's domain; "" when there is none, or more than one.
func (dc *DC) onlyServiceAccount() string {
	var names []string
	// Without an answer nothing is known of any.
	_ = dc.search(dc.dom.DN, serviceAccountFilter, []string{"sAMAccountName"}, func(e *directory.Entry) { names = append(names, e.Value("sAMAccountName")) })
	if len(names) != 1 {
		return ""
	}
	return names[0]
}

// elsewhereSPN: a name that is to be taken from an account is another account's.
func (d *Domain) elsewhereSPN(s *stepError, dc *DC, f *diag.Finding) {
	owners := dc.spnOwners(s.spns[0])
	if len(owners) == 0 {
		return
	}
	f.Facts = append(f.Facts, diag.Fact{Name: s.spns[0] + " is of", Value: strings.Join(owners, ", ")})
	f.Help = []diag.Help{{Text: "name the account that has it", Command: fmt.Sprintf("setspn -D %s %s", s.spns[0], owners[0]), Do: []string{flowStep("with", arg{"account", owners[0]})}}}
}

func ownerOf(list []registered, spn string) string {
	for _, r := range list {
		if strings.EqualFold(r.spn, spn) {
			return r.owner
		}
	}
	return ""
}

// aliasTarget resolves a DNS alias of the configuration.
func (d *Domain) aliasTarget(host string) (string, bool) {
	for _, a := range d.cfg.Aliases {
		if strings.EqualFold(strings.TrimSuffix(a.Name, "."), host) {
			return a.Target, true
		}
	}
	return "", false
}

func whyNotSPN(wanted, near string) string {
	w, n := parseSPN(wanted), parseSPN(near)
	switch {
	case strings.EqualFold(w.host, n.host) && strings.EqualFold(w.class, n.class):
		return "the port or instance differs"
	case strings.EqualFold(w.host, n.host):
		return fmt.Sprintf("the class differs: %s, not %s", n.class, w.class)
	case strings.EqualFold(w.class, n.class):
		return "the host differs"
	default:
		return "class and host differ"
	}
}

func (d *Domain) findSPNNotUnique(s *stepError, dc *DC) *diag.Finding {
	spn, owner := s.server, ""
	for _, other := range d.dcs {
		for _, candidate := range s.spns {
			for _, o := range other.spnOwners(candidate) {
				if !sameAccount(o, s.account) {
					spn, owner = candidate, o
				}
			}
		}
	}
	f := d.findSPNTaken(s, spn, owner)
	f.Facts = append(f.Facts, diag.Fact{Name: "DC", Value: dc.name})
	return f
}

// findSPNTaken is about a name that is to be registered and has an owner, by sAMAccountName or DN.
func (d *Domain) findSPNTaken(s *stepError, spn, owner string) *diag.Finding {
	f := &diag.Finding{
		Code: diag.SPNTaken, Mode: "spn-on-wrong-account",
		Facts: []diag.Fact{{Name: "name", Value: spn}, {Name: "owner", Value: owner}},
		SeenAs: []string{"Duplicate SPN found, aborting operation!",
			"New-ADServiceAccount : The operation failed because SPN value provided for addition/modification is not unique forest-wide"},
		Because: "a service principal name leads to one account; DCs since 2012 R2 refuse a second one when they know of the first",
		Help:    []diag.Help{{Text: "take the name from its owner first", Command: fmt.Sprintf("setspn -D %s %s", spn, owner)}},
	}
	dc := s.dc
	if dc == nil {
		dc = d.dcs[0]
	}
	a, err := dc.replica.AccountByDN(owner)
	if err != nil {
		a, err = dc.replica.AccountByName(directory.Principal, owner)
	}
	if err != nil {
		return f
	}
	if name := parseSPN(spn); a.Computer && !a.ServiceAccount && strings.EqualFold(name.class, "host") {
		f.Mode = "spn-stolen-from-host"
		if s.step == stepCreate {
			f.Mode = "spn-name-collision-with-host"
		}
		f.Because = "the name is that of a computer, which needs it for its own services"
		own := "host/" + strings.ToLower(strings.TrimSuffix(s.account, "$")) + "." + dc.dom.DNSName
		step := flowStep("with", arg{"spn", own})
		if len(s.spns) > 1 || s.step == stepCreate {
			step = flowStep("with", arg{"spns", []string{own}})
		}
		f.Help = []diag.Help{{Text: "leave the computer its name and register one of the service's own", Command: fmt.Sprintf("setspn -S %s %s", own, s.account), Do: []string{step}}}
		return f
	}
	f.Help[0].Do = []string{removesSPN(a.SAMAccountName, spn)}
	return f
}

// findSPNDenied is about a caller who may not write the names of an account.
func (d *Domain) findSPNDenied(s *stepError, dc *DC) *diag.Finding {
	as := s.logon.account
	f := &diag.Finding{
		Code: diag.AdminDenied, Mode: "spn-rights",
		Facts:   []diag.Fact{{Name: "account", Value: as}, {Name: "object", Value: s.account}, {Name: "names", Value: strings.Join(s.spns, ", ")}, {Name: "DC", Value: dc.name}},
		SeenAs:  []string{fmt.Sprintf("Failed to assign SPN on account '%s', error 0x2098/8344 -> Insufficient access rights to perform the operation.", s.account)},
		Because: "service principal names decide whose tickets a service can read, so only Domain Admins and those with a delegated right write them",
		Help:    []diag.Help{{Text: "do it as a Domain Admin"}},
	}
	if a, err := dc.replica.AccountByName(directory.Principal, s.account); err == nil {
		f.SeenAs[0] = strings.Replace(f.SeenAs[0], s.account, a.DN, 1)
		f.Help = append(f.Help, diag.Help{Text: "or delegate the right",
			Command: fmt.Sprintf(`dsacls "%s" /G "%s\%s:WPRP;servicePrincipalName"`, a.DN, dc.dom.NetBIOSName, as),
			Do:      []string{flowStep("grantSPNRight", arg{"account", a.SAMAccountName}, arg{"to", as})}})
	}
	return f
}

// findOldKey is about a ticket that the service cannot open: made for another account's key, or for another password of its own.
func (d *Domain) findOldKey(s *stepError) *diag.Finding {
	spn, _, _ := strings.Cut(s.server, "@")
	f := &diag.Finding{
		Code: diag.TicketUnderOldKey, Mode: "rot-inbound-tickets-old-key",
		SeenAs:  []string{"KRB_AP_ERR_MODIFIED (0x29)", "Event 4, Security-Kerberos", "The target principal name is incorrect. Cannot generate SSPI context."},
		Because: "the KDC encrypts a ticket under the account's key of that moment, and the service still works with the keys of an older or of another password",
		Facts:   []diag.Fact{{Name: "service", Value: s.server}},
	}
	dc := s.logon.st.firstDC()
	if owner, err := dc.replica.AccountBySPN(spn); err == nil && !strings.EqualFold(owner.SAMAccountName, s.account) {
		return d.findOtherKey(s, f, spn, owner, dc)
	}
	host, _, _ := strings.Cut(s.logon.st.name, "/")                                                                                                                // of a container
	f.Help = []diag.Help{{Text: "let the service's host read the managed password again, which Netlogon does when it starts", Command: "Restart-Service Netlogon", // guess: Netlogon keeps the managed passwords of a host
		Do: []string{flowStep("refresh", arg{"host", host}, arg{"account", strings.TrimSuffix(s.account, "$")})}}}
	if r, err := d.Rotation(s.account); err == nil {
		n := int(d.Clock.Now().Sub(r.first) / r.length)
		f.Facts = append(f.Facts, diag.Fact{Name: "password since", Value: r.Start(n).UTC().Format(timeForm)})
	}
	return f
}

// findOtherKey is about a name that leads to an account which does not run the service.
func (d *Domain) findOtherKey(s *stepError, f *diag.Finding, spn string, owner *directory.Account, dc *DC) *diag.Finding {
	f.Mode = "spn-on-wrong-account"
	f.Facts = append(f.Facts, diag.Fact{Name: "owner of the name", Value: owner.SAMAccountName}, diag.Fact{Name: "runs the service", Value: s.account})
	f.Because = "the KDC encrypts a ticket under the key of the account that has the name, and another account runs the service"
	name := parseSPN(spn)
	exact := slices.ContainsFunc(owner.SPNs, func(o string) bool { return strings.EqualFold(o, spn) })
	host := "host/" + strings.TrimPrefix(spn, name.class+"/")
	registeredAs := spn
	if !exact {
		registeredAs = host
	}
	accept, err := dc.replica.AccountByName(directory.Principal, s.account)
	if err != nil {
		return f
	}
	has := func(a *directory.Account, spn string) bool {
		return slices.ContainsFunc(a.SPNs, func(o string) bool { return strings.EqualFold(o, spn) })
	}
	switch {
	case strings.EqualFold(owner.SAMAccountName+"$", accept.SAMAccountName):
		f.Mode = "spn-setspn-without-dollar"
		f.Because = "the name was given to the user that is called like the service account without its $, and the KDC encrypts under that user's key"
	case accept.Computer && !accept.ServiceAccount:
		f.Mode = "spn-stolen-from-host"
		f.Because = "the name is that of a computer and leads to a service account, so that the computer's own services get tickets that they cannot open"
	case exact && has(accept, host) && !has(accept, spn):
		f.Mode = "spn-host-mapping"
		f.Because = "host/ stands for other classes only as long as nobody has the exact name, and here another account has it"
	}
	help := diag.Help{Text: "give the name to the account that runs the service", Command: fmt.Sprintf("setspn -D %s %s; setspn -S %s %s", registeredAs, owner.SAMAccountName, registeredAs, accept.SAMAccountName),
		Do: []string{removesSPN(owner.SAMAccountName, registeredAs)}}
	if !has(accept, registeredAs) {
		help.Do = append(help.Do, addsSPN(accept.SAMAccountName, registeredAs))
	}
	f.Help = []diag.Help{help}
	return f
}
