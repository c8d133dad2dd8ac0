package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
)

// A check is a step of a world's case that looks at one link of the chain.
type check struct {
	step, what string
	do         string
}

// Case makes the checks of the world as the steps of a case: the root key and the accounts to be made (S1, S2), hosts (S3), who may read
// the passwords (S4), containers (S5, S6), their channels and tickets (S7, S8), and what they are used for (S9 to S11).
func (w *World) Case(name string) (*scenarios.Case, []Link, error) {
	var steps []string
	var links []Link
	for _, c := range w.checks() {
		steps = append(steps, c.do)
		links = append(links, Link{Step: c.step, What: c.what, Mark: NotReached, Seen: c.do})
	}
	c, err := scenarios.NewCase(name, w.Title, w.Domain, steps)
	return c, links, err
}

func (w *World) checks() (list []check) {
	add := func(step, do, what string, args ...any) {
		list = append(list, check{step, fmt.Sprintf(what, args...), do})
	}
	for _, s := range w.Create {
		add("S2", "newServiceAccount: "+asFlow(s), "the account %s can be made", s.Name)
	}
	dns, dc := w.names()
	var hosts, readers []string
	for _, c := range w.Containers {
		if w.joined(c.Host) && !slices.Contains(hosts, c.Host) {
			hosts = append(hosts, c.Host)
			add("S3", step("kerberosTo", "from", c.Host, "spn", "ldap/"+dc+"."+dns), "%s is joined and reaches a DC", c.Host)
		}
	}
	for _, c := range w.Containers {
		account := w.AccountOf(c)
		if reader := account + " " + c.Host; account != "" && w.joined(c.Host) && !slices.Contains(readers, reader) {
			readers = append(readers, reader)
			add("S4", step("testServiceAccount", "host", c.Host, "account", account), "%s may read the password of %s", c.Host, account)
		}
	}
	for _, c := range w.Containers {
		add("S6", fmt.Sprintf("{id: %q, runContainer: %s}", c.Name, asFlow(struct {
			Host string `json:"host"`
			simulator.Container
		}{c.Host, c.Container})), "%s starts on %s", c.Name, c.Host)
		add("S5", step("nltest", "container", c.Name, "command", "/parentdomain"), "%s has its credential spec", c.Name)
	}
	for _, c := range w.Containers {
		dns, _ := w.DomainOf(c.Host)
		add("S7", step("nltest", "container", c.Name, "command", "/sc_verify:"+dns), "%s has a secure channel", c.Name)
	}
	for _, c := range w.Containers {
		dns, dc := w.DomainOf(c.Host)
		add("S8", step("kerberosTo", "container", c.Name, "spn", "cifs/"+dc+"."+dns), "the service of %s gets tickets", c.Name)
	}
	for _, s := range w.SQLServers {
		list = append(list, check{"", s.Name + " runs as " + s.Account, fmt.Sprintf("{id: %q, sqlServer: %s}", s.Name, asFlow(struct {
			Account string   `json:"account"`
			Logins  []string `json:"logins,omitempty"`
		}{s.Account, s.Logins}))})
	}
	for _, u := range w.Uses {
		list = append(list, u.check())
	}
	list = append(list, w.readerChecks(list)...)
	slices.SortStableFunc(list, func(a, b check) int { return cmp.Compare(number(a.step), number(b.step)) })
	return w.deployed(inOrderOfStart(list))
}

// deployed puts the steps of orchestrators, whose order is their own, before the first look into a container.
func (w *World) deployed(list []check) []check {
	var steps []check
	for _, d := range w.Deploy {
		steps = append(steps, check{d.Step, d.What, d.Do})
	}
	at := slices.IndexFunc(list, func(c check) bool { return number(c.step) > 4 })
	if at < 0 {
		at = len(list)
	}
	return slices.Insert(list, at, steps...)
}

// joined tells whether a host has an account in the domain; one that has none reaches it by a plug-in.
func (w *World) joined(host string) bool {
	i := slices.IndexFunc(w.Domain.Hosts, func(h simulator.HostConfig) bool { return strings.EqualFold(h.Name, host) })
	return i < 0 || !w.Domain.Hosts[i].Workgroup
}

// DomainOf is the DNS name of the domain that the containers of a host are to be in, in lower case: that of the host, of one outside every domain
// that of the service accounts; and the name of its first DC.
func (w *World) DomainOf(host string) (dns, dc string) {
	dns, dc = w.names()
	child := ""
	if i := slices.IndexFunc(w.Domain.Hosts, func(h simulator.HostConfig) bool { return strings.EqualFold(h.Name, host) }); i >= 0 {
		child = w.Domain.Hosts[i].Domain
	}
	if child == "" && !w.joined(host) && len(w.Domain.ServiceAccounts) > 0 {
		child = w.Domain.ServiceAccounts[0].Domain
	}
	for _, d := range w.Domain.Domains {
		if !strings.EqualFold(d.DNSName, child) {
			continue
		}
		label, _, _ := strings.Cut(d.DNSName, ".")
		dc = strings.ToLower(label) + "dc01" // the default of the configuration
		if len(d.DCs) > 0 {
			dc = strings.ToLower(d.DCs[0])
		}
		return strings.ToLower(d.DNSName), dc
	}
	return dns, dc
}

// names are the DNS name of the domain and the name of its first DC, in lower case.
func (w *World) names() (dns, dc string) {
	dc = "dc01"
	if len(w.Domain.DCs) > 0 {
		dc = strings.ToLower(w.Domain.DCs[0])
	}
	return strings.ToLower(cmp.Or(w.Domain.DNSName, "contoso.com")), dc
}

// inOrderOfStart puts what starts a container before what looks into it, and servers, which know accounts, behind the making of accounts.
func inOrderOfStart(list []check) []check {
	rank := func(c check) int {
		switch c.step {
		case "":
			return 3
		case "S5":
			return 6
		case "S6":
			return 5
		}
		return number(c.step)
	}
	slices.SortStableFunc(list, func(a, b check) int { return cmp.Compare(rank(a), rank(b)) })
	return list
}

func (u Use) check() check {
	spn := cmp.Or(u.SPN, "http/"+u.Name)
	switch u.Kind {
	case UseKerberos:
		return check{"S9", fmt.Sprintf("%s reaches %s by %s", u.User, u.Container, spn), step("inboundKerberos", "container", u.Container, "from", u.User, "spn", spn)}
	case UseNTLM:
		return check{"S10", fmt.Sprintf("%s reaches %s with NTLM", u.User, u.Container), step("inboundNTLM", "container", u.Container, "from", u.User)}
	case UseNames:
		return check{"S10", fmt.Sprintf("%s turns %s into a SID", u.Container, u.User), step("translateSID", "container", u.Container, "name", u.User)}
	case UseSQL:
		return check{"S11", fmt.Sprintf("%s signs in to %s", u.Container, u.SQLServer), step("connectSQL", "container", u.Container, "sqlServer", u.SQLServer, "spn", u.SPN)}
	default:
		return check{"S8", fmt.Sprintf("%s gets a ticket for %s", u.Container, u.SPN), step("kerberosTo", "container", u.Container, "spn", u.SPN)}
	}
}

// AccountOf is the account that the container is to be; "" when nothing says so.
func (w *World) AccountOf(c Container) string {
	accounts := slices.Concat(w.Domain.ServiceAccounts, w.Create)
	_, named, _ := strings.Cut(strings.TrimSuffix(c.CredentialSpec, ".json"), "_")
	for _, s := range accounts {
		if strings.EqualFold(s.Name, cmp.Or(c.Account, named)) {
			return s.Name
		}
	}
	if len(accounts) == 1 {
		return accounts[0].Name
	}
	return ""
}

// asFlow writes a value in YAML's flow style, of which JSON is a part.
func asFlow(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("doctor: %T has no JSON form: %v", v, err)) // the types are those of this package
	}
	return string(text)
}
