package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Mark is what became of one link of the chain.
type Mark string

// The marks.
const (
	Works      Mark = "ok"
	Fails      Mark = "fails"
	NotReached Mark = "not reached" // a link before it fails
	NotChecked Mark = "not checked" // nothing looks at it here
)

// A Link is one step of the way from the root key to the application, as an observer sees it that looks at nothing else.
type Link struct {
	// Step is S1 to S11, as in [diag.Mode]; "" for what only prepares another link.
	Step string `json:"step"`
	What string `json:"what"`
	Mark Mark   `json:"mark"`
	// Finding is why a link fails.
	Finding *diag.Finding `json:"finding,omitempty"`
	// Seen is the step that looked.
	Seen string `json:"seen,omitempty"`
	// Why says more about a link that was not checked.
	Why string `json:"why,omitempty"`
}

// A Chain is the way of one account on one host at the time of the complaint, or without host and account all checks of a world.
type Chain struct {
	Host    string `json:"host,omitempty"`
	Account string `json:"account,omitempty"`
	Links   []Link `json:"links"`
}

// A Subject says whose chain is shown. What is empty is taken from the complaint, and from the domain after that.
type Subject struct{ Host, Account string }

// UnknownError is a host or account that the domain does not have.
type UnknownError struct {
	Kind, Name string
	Nearest    string
}

func (e *UnknownError) Error() string {
	s := fmt.Sprintf("no %s %q in the domain", e.Kind, e.Name)
	if e.Nearest != "" {
		s += "; nearest: " + e.Nearest
	}
	return s
}

// Look shows the chain in the state that the case has at its complaint, or at its end. Each link is looked at in a replay of its own, so no
// observer sees what another one did.
func Look(ctx context.Context, c *scenarios.Case, o Options, of Subject) (chain *Chain, err error) {
	p := newPatient(c, o)
	r, last, err := p.complaint(ctx)
	if err != nil {
		return nil, err
	}
	if last != nil {
		p.step = last.N
	}
	v, err := newView(r, last, of)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	chain = &Chain{Host: v.host, Account: v.account}
	marks := map[string]Mark{}
	for _, l := range v.looks() {
		link := Link{Step: l.step, What: l.what, Seen: l.seen}
		if l.seen == "" {
			link.Mark, link.Why = NotChecked, l.why
		} else if err := p.look(ctx, l, &link); err != nil {
			return nil, err
		}
		broken := slices.ContainsFunc(l.needs, func(s string) bool { return marks[s] == Fails || marks[s] == NotReached })
		if link.Mark != Works && broken {
			link.Mark, link.Finding, link.Why = NotReached, nil, ""
		}
		marks[l.step] = link.Mark
		chain.Links = append(chain.Links, link)
	}
	slices.SortStableFunc(chain.Links, func(a, b Link) int { return cmp.Compare(number(a.Step), number(b.Step)) })
	return chain, nil
}

func number(step string) int {
	n := 0
	_, _ = fmt.Sscanf(step, "S%d", &n)
	return n
}

// theComplaint stands for the step that complains where a look is to carry it out.
const theComplaint = "the complaint"

// look carries out one look and enters into link what it came to.
func (p *patient) look(ctx context.Context, l look, link *Link) error {
	res, why, err := p.carryOut(ctx, l)
	switch {
	case err != nil:
		return err
	case res == nil:
		link.Mark, link.Why = NotChecked, why
		return nil
	}
	if l.seen == theComplaint {
		link.Seen = res.Verb + ": " + res.Arguments
	}
	switch {
	case res.Finding != nil && l.ignores != nil && l.ignores(res.Finding):
		link.Mark, link.Why = NotChecked, string(res.Finding.Code)
	case res.Finding != nil:
		link.Mark, link.Finding = Fails, res.Finding
	case res.Got != "ok":
		link.Mark, link.Why = NotChecked, res.Error
	default:
		link.Mark = Works
	}
	return nil
}

// carryOut makes one look in a replay up to the complaint, which is not carried out: it may have changed what there is to see. Without a
// result, why tells what the look lacks.
func (p *patient) carryOut(ctx context.Context, l look) (res *scenarios.StepResult, why string, err error) {
	r, err := p.before(ctx)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for i, step := range append(slices.Clone(l.before), l.seen) {
		if step == theComplaint {
			res = r.Next(ctx)
		} else if res, err = r.Session().Do(ctx, "look", []byte(step)); err != nil {
			return nil, err.Error(), nil
		}
		if i == len(l.before) {
			break
		}
		// What the look needs cannot be had; that is another link's finding.
		if res.Got != "ok" {
			return nil, res.Verb + ": " + res.Got, nil
		}
	}
	return res, "", nil
}

// look is an observer of one link: the steps that make what it needs, and the step that looks.
type look struct {
	step, what string
	needs      []string
	before     []string
	seen       string // "": nothing can look
	why        string
	// ignores tells that a finding is about the look, or another link's.
	ignores func(*diag.Finding) bool
}

// view is what the looks are about: a host, an account, and where there is one a container.
type view struct {
	domain, netBIOS, dc      string
	host, account, container string
	spec                     string // file of the account on the host, "" when there is none
	user, spn, target        string
	starting                 bool // the complaint is about a container that does not start
	workgroup, plugin        bool // of the host, and of its credential spec
	placed                   *instance
}

// newView finds out what the complaint is about.
func newView(r *scenarios.Replay, last *scenarios.StepResult, of Subject) (*view, error) {
	state := r.Domain().State()
	argument := func(names ...string) string {
		for _, n := range names {
			if last != nil && last.Arg(n) != "" {
				return last.Arg(n)
			}
		}
		return ""
	}
	v := &view{domain: state.DNSName, netBIOS: state.NetBIOSName, dc: state.DCs[0].DNSName}
	if id := argument("container"); id != "" {
		v.container = r.ContainerID(id)
	}
	var hosts, accounts []string
	for _, h := range state.Hosts {
		hosts = append(hosts, h.Name)
		for _, c := range h.Containers {
			if c.ID == v.container && (of.Host == "" || strings.EqualFold(of.Host, h.Name)) {
				v.host, v.account = h.Name, c.Account
			}
		}
	}
	accounts = append(accounts, state.ServiceAccounts...)
	first := func(known []string, wanted ...string) string {
		for _, w := range wanted {
			if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, strings.TrimSuffix(w, "$")) }); i >= 0 {
				return known[i]
			}
		}
		return ""
	}
	switch {
	case of.Host != "" && first(hosts, of.Host) == "":
		return nil, &UnknownError{"host", of.Host, diag.Nearest(of.Host, hosts)}
	case of.Account != "" && first(accounts, of.Account) == "" && len(accounts) > 0:
		return nil, &UnknownError{"service account", of.Account, diag.Nearest(of.Account, accounts)}
	}
	v.host = cmp.Or(first(hosts, of.Host, argument("host"), argument("from"), node(last)), v.host, slices.Concat(hosts, []string{""})[0])
	v.account = cmp.Or(first(accounts, of.Account, argument("account", "name")), of.Account, first(accounts, v.account), v.account,
		argument("account"), slices.Concat(accounts, []string{argument("name")})[0])
	for _, h := range state.Hosts {
		if h.Name != v.host {
			continue
		}
		file := strings.ToLower(state.NetBIOSName + "_" + v.account + ".json")
		if slices.ContainsFunc(h.CredentialSpecs, func(f string) bool { return strings.EqualFold(f, file) }) {
			v.spec = file
		}
		own := slices.ContainsFunc(h.Containers, func(c simulator.ContainerState) bool { return c.ID == v.container })
		if !own {
			v.container = ""
		}
		for _, c := range h.Containers {
			if v.container == "" && strings.EqualFold(strings.TrimSuffix(c.Account, "$"), v.account) {
				v.container = c.ID
			}
		}
	}
	if h, ok := r.Domain().FindHost(v.host); ok {
		v.workgroup = !h.Joined()
		text, _ := h.ReadCredentialSpec(v.spec)
		v.plugin = strings.Contains(string(text), `"HostAccountConfig"`)
	}
	v.user = slices.Concat(state.Users, []string{"Administrator"})[0]
	if from := argument("from"); first(state.Users, from) != "" {
		v.user = from
	}
	v.starting = last != nil && last.Verb == "runContainer" && of == Subject{}
	if of == (Subject{}) {
		v.placed = instanceOf(last)
	}
	v.target = "cifs/" + v.dc
	if a, err := r.Domain().Admin.ServiceAccount(v.account); err != nil {
		v.spn = "host/" + v.account + "." + v.domain // nobody can say
	} else if len(a.SPNs) > 0 {
		v.spn = a.SPNs[len(a.SPNs)-1] // the long form, where there are two
	}
	switch {
	case last == nil:
	case last.Verb == "inboundKerberos" || last.Verb == "kerberosTo" && last.Arg("container") == "":
		v.spn = cmp.Or(argument("spn"), v.spn)
	default:
		v.target = cmp.Or(argument("spn"), strings.TrimPrefix(argument("get"), "krbtgt"), v.target)
	}
	return v, nil
}

// probe is the id of a container that the doctor runs for a look.
const probe = "doctor-probe"

// looks are the observers in the order in which they look: what a link needs comes before it.
func (v *view) looks() []look {
	needs := func(s ...string) []string { return s }
	if v.account == "" || v.host == "" {
		why := "the domain has no host"
		if v.account == "" {
			why = "the domain has no service account, and the complaint names none"
		}
		return v.without(why)
	}
	container, start, run, inside := v.inside()
	specs := look{step: "S5", what: "the container has its credential spec", needs: needs("S2"), before: inside,
		seen: step("nltest", "container", container, "command", "/parentdomain")}
	starts := look{step: "S6", what: "the container starts", needs: needs("S5"), before: start, seen: run}
	switch {
	case v.starting:
		specs.before, specs.seen, specs.ignores = nil, theComplaint, notAboutSpec
		starts.before, starts.seen = nil, theComplaint
	case run == "":
		starts.seen = step("whoami", "container", container)
	}
	if v.placed != nil {
		return append([]look{v.rootKey(), v.exists(), v.joined(), v.reads()}, v.orchestrated()...)
	}
	joined, reads := v.joined(), v.reads()
	if v.plugin && v.workgroup {
		joined = look{step: "S3", what: v.host + " finds a DC, without being joined", before: inside, seen: step("nltest", "container", container, "command", "/dsgetdc:"+v.domain)}
	}
	if v.plugin {
		reads = look{step: "S4", what: "the plug-in's user may read the password", needs: needs("S2", "S3"), before: inside,
			seen: step("klist", "container", container, "user", `NT AUTHORITY\SYSTEM`, "get", "krbtgt"), ignores: notAboutReading}
	}
	return []look{v.rootKey(), v.exists(), joined, reads, specs, starts,
		{step: "S7", what: "secure channel to the domain", needs: needs("S4", "S5", "S6"), before: inside,
			seen: step("nltest", "container", container, "command", "/sc_verify:"+v.domain)},
		{step: "S8", what: "ticket for " + v.target, needs: needs("S4", "S5", "S6"), before: inside,
			seen: step("klist", "container", container, "user", `NT AUTHORITY\SYSTEM`, "get", v.target), ignores: refusedUser},
		{step: "S11", what: "the application acts as " + v.account, needs: needs("S8"), before: inside,
			seen: step("kerberosTo", "container", container, "spn", v.target)},
		v.inbound(container, inside),
		{step: "S10", what: v.user + " reaches it with NTLM, and names have SIDs", needs: needs("S7"), before: inside,
			seen: step("inboundNTLM", "container", container, "from", v.user)},
	}
}

// inside is how to get into a container: one that there is, or one that the doctor runs. start makes what the start needs, run starts it,
// and before is all of that, ahead of a look into it.
func (v *view) inside() (container string, start []string, run string, before []string) {
	if v.starting {
		return probe, nil, "", []string{theComplaint}
	}
	if v.container != "" {
		return v.container, nil, "", nil
	}
	spec := v.spec
	if spec == "" {
		spec = probe + ".json"
		start = append(start, step("newCredentialSpec", "host", v.host, "account", v.account, "fileName", probe))
	}
	run = fmt.Sprintf("{id: %s, runContainer: %s}", probe, mapping("host", v.host, "credentialSpec", "file://"+spec, "hostname", strings.ToLower(v.account)))
	return probe, start, run, append(slices.Clone(start), run)
}

// node is the one that a finding about an orchestrator's container names.
func node(last *scenarios.StepResult) string {
	if last == nil || last.Finding == nil {
		return ""
	}
	i := slices.IndexFunc(last.Finding.Facts, func(f diag.Fact) bool { return f.Name == "node" || f.Name == "host" })
	if i < 0 {
		return ""
	}
	return last.Finding.Facts[i].Value
}

func notAboutSpec(f *diag.Finding) bool { return !aboutSpec(f) }

// notAboutReading tells that a finding is of another step than the one in which the password is read.
func notAboutReading(f *diag.Finding) bool {
	m, ok := diag.LookupMode(f.Mode)
	return ok && !strings.Contains(m.Step, "S4")
}

// aboutSpec tells that what the engine found is about the credential spec.
func aboutSpec(f *diag.Finding) bool {
	if m, ok := diag.LookupMode(f.Mode); ok {
		return strings.HasPrefix(m.Step, "S5")
	}
	return strings.HasPrefix(string(f.Code), "GMSA4")
}

// outOfReach tells that the directory could not be asked, which is another link's failure: GMSA6nn is about reaching the domain.
func outOfReach(f *diag.Finding) bool { return strings.HasPrefix(string(f.Code), "GMSA6") }

// refusedUser: an image that starts no process as SYSTEM leaves the way out to the application.
func refusedUser(f *diag.Finding) bool { return f.Code == diag.UserRefused }

// inbound looks at Kerberos from outside: by the name of the complaint, or one that the account has.
func (v *view) inbound(container string, inside []string) look {
	if v.spn == "" {
		return look{step: "S9", what: v.user + " reaches the application with Kerberos", why: "the account has no service principal name"}
	}
	return look{step: "S9", what: fmt.Sprintf("%s reaches %s with Kerberos", v.user, v.spn), needs: []string{"S4", "S5", "S6", "S11"}, before: inside,
		seen: step("inboundKerberos", "container", container, "from", v.user, "spn", v.spn)}
}

func (v *view) rootKey() look {
	return look{step: "S1", what: "a KDS root key makes passwords", seen: step("newServiceAccount", "name", "DoctorProbe"), ignores: outOfReach}
}

func (v *view) exists() look {
	return look{step: "S2", what: "the account " + v.account + " exists", needs: []string{"S1"}, seen: step("getServiceAccount", "account", v.account), ignores: outOfReach}
}

func (v *view) reads() look {
	return look{step: "S4", what: v.host + " may read the password", needs: []string{"S2", "S3"}, seen: step("testServiceAccount", "host", v.host, "account", v.account)}
}

func (v *view) joined() look {
	return look{step: "S3", what: v.host + " is joined and reaches a DC", seen: step("kerberosTo", "from", v.host, "spn", "ldap/"+v.dc)}
}

// without are the links of a domain that lacks the host or the account.
func (v *view) without(why string) []look {
	looks := []look{v.rootKey()}
	for i, what := range []string{"the account exists", "the host is joined and reaches a DC", "the host may read the password", "the container has its credential spec",
		"the container starts", "secure channel to the domain", "outbound ticket", "Kerberos to the application", "NTLM and names", "the application acts as the account"} {
		looks = append(looks, look{step: fmt.Sprintf("S%d", i+2), what: what, needs: []string{"S1"}, why: why})
	}
	return looks
}

// step writes a step in flow style from pairs of argument and value.
func step(verb string, arguments ...string) string { return verb + ": " + mapping(arguments...) }

func mapping(arguments ...string) string {
	var list []string
	for i := 0; i < len(arguments); i += 2 {
		list = append(list, fmt.Sprintf("%s: %q", arguments[i], arguments[i+1]))
	}
	return "{" + strings.Join(list, ", ") + "}"
}
