package scenarios

import (
	"slices"

	"github.com/gmsasim/gmsasim/simulator"
)

// appVerbs are about the application in a container and the servers that it goes to.
var appVerbs = []verb{
	{"browse", false, "open a container's site in a browser", func() action { return &browse{} }},
	{"actFor", false, "let a container's service go to another one as its user", func() action { return &actFor{} }},
	{"userRoles", false, "let an application in a container ask for the names of a user's groups", func() action { return &userRoles{} }},
	{"configure", false, "docker exec of sc.exe config, appcmd set AppPool or Get-IISAppPool", func() action { return &configure{} }},
	{"setPolicy", false, "put a security policy of the domain in force, or take it back", func() action { return &setPolicy{} }},
}

type configure struct {
	Container string `yaml:"container"`
	Command   string `yaml:"command"`
}

func (a *configure) check(s *scope, n *node) { inContainer{a.Container, ""}.check(s, n) }

func (a *configure) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	text, err := c.Configure(a.Command)
	r.fact("user", c.App().User())
	r.output(text)
	return err
}

type setPolicy struct {
	Policy  simulator.Policy `yaml:"policy"`
	Enabled bool             `yaml:"enabled"`
}

func (a *setPolicy) check(s *scope, n *node) {
	if !slices.Contains(simulator.Policies(), a.Policy) {
		var names []string
		for _, p := range simulator.Policies() {
			names = append(names, string(p))
		}
		s.d.fail(argument(n, "policy").errorNear(string(a.Policy), names, "no policy %q", a.Policy))
	}
}

func (a *setPolicy) do(r *attempt) error { return r.d.SetPolicy(a.Policy, a.Enabled) }

type browse struct {
	// From is a user of the domain at a computer of its own, or COMPUTER\name; Session a step that signed one in.
	From      string `yaml:"from,omitempty"`
	Session   string `yaml:"session,omitempty"`
	URL       string `yaml:"url"`
	Container string `yaml:"container"`
	// KerberosOnly says that the site takes Negotiate:Kerberos and nothing else.
	KerberosOnly bool `yaml:"kerberosOnly,omitempty"`
}

func (a *browse) check(s *scope, n *node) {
	inContainer{a.Container, ""}.check(s, n)
	switch {
	case given(a.From, a.Session) != 1:
		s.d.fail(n.errorAt("either from, an account, or session, a step that signed one in"))
	case a.Session != "":
		s.result(argument(n, "session"), a.Session, "signIn")
	}
}

func (a *browse) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	var v simulator.Visit
	if a.Session != "" {
		var session *simulator.Session
		if session, err = resultOf[*simulator.Session](r, a.Session, "session"); err == nil {
			v, err = session.Browse(a.URL, c, simulator.Site{KerberosOnly: a.KerberosOnly})
		}
	} else {
		v, err = r.d.Browse(a.From, a.URL, c, simulator.Site{KerberosOnly: a.KerberosOnly})
	}
	if err != nil {
		return err
	}
	r.fact("protocol", v.Protocol)
	r.fact("client", v.Client)
	return nil
}

// onBehalf is a user who came to a container's service.
type onBehalf struct {
	User    string            `yaml:"user,omitempty"`
	Arrived simulator.Arrival `yaml:"arrived,omitempty"`
	At      string            `yaml:"at,omitempty"`
}

var arrivals = []string{string(simulator.ByKerberos), string(simulator.ByNTLM), string(simulator.ByForms)}

func (a onBehalf) check(s *scope, n *node) {
	s.account(argument(n, "user"), a.User, true)
	switch {
	case !has(arrivals, string(a.Arrived)):
		s.d.fail(n.errorNear(string(a.Arrived), arrivals, "%q is no way to arrive", a.Arrived))
	case a.Arrived == simulator.ByKerberos && a.At == "":
		s.d.fail(n.errorAt("at, the name by which the user came, is missing"))
	}
}

func (a onBehalf) user() simulator.ForUser {
	return simulator.ForUser{User: a.User, Arrived: a.Arrived, At: a.At}
}

type actFor struct {
	Container string            `yaml:"container"`
	User      string            `yaml:"user"`
	Arrived   simulator.Arrival `yaml:"arrived"`
	// At is the service principal name by which the user came with Kerberos.
	At string `yaml:"at,omitempty"`
	To string `yaml:"to"`
}

func (a *actFor) check(s *scope, n *node) {
	inContainer{a.Container, ""}.check(s, n)
	onBehalf{a.User, a.Arrived, a.At}.check(s, n)
}

func (a *actFor) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	t, err := c.App().ActFor(onBehalf{a.User, a.Arrived, a.At}.user(), a.To)
	if err != nil {
		return err
	}
	r.keep(t)
	r.fact("client", t.Client)
	r.ticketFacts(*t)
	return nil
}

type userRoles struct {
	Container string `yaml:"container"`
	User      string `yaml:"user"`
}

func (a *userRoles) check(s *scope, n *node) {
	inContainer{a.Container, ""}.check(s, n)
	s.account(argument(n, "user"), a.User, true)
}

func (a *userRoles) do(r *attempt) error {
	c, err := resultOf[*simulator.Running](r, a.Container, "container")
	if err != nil {
		return err
	}
	names, err := c.App().RolesOf(a.User)
	if err == nil {
		r.fact("roles", list(names))
	}
	return err
}
