package scenarios

import "github.com/gmsasim/gmsasim/simulator"

type signIn struct {
	Host     string `yaml:"host"`
	User     string `yaml:"user"`
	Password string `yaml:"password"`
}

func (a *signIn) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	s.account(argument(n, "user"), a.User, true)
}

func (a *signIn) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	session, err := h.SignIn(a.User, a.Password)
	if err != nil {
		return err
	}
	r.session(session)
	return nil
}

func (r *attempt) session(s *simulator.Session) {
	r.keep(s)
	r.fact("client", s.Account())
	for _, t := range s.Tickets() {
		r.ticketFacts(t)
		break
	}
}

func (r *attempt) ticketFacts(t simulator.Ticket) {
	r.fact("server", t.Server)
	r.fact("encryption", t.EType)
	r.fact("kvno", t.KVNO)
	r.fact("until", t.EndTime)
	r.fact("DC", t.DC)
}

type signInAsServiceAccount onHost

func (a *signInAsServiceAccount) check(s *scope, n *node) { (*onHost)(a).check(s, n) }

func (a *signInAsServiceAccount) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	session, err := h.SignInAsServiceAccount(a.Account)
	if err != nil {
		return err
	}
	r.session(session)
	return nil
}

type kerberosTo struct {
	// From is a host, a user with a known password, or a service account that the first host signs in.
	From    string `yaml:"from,omitempty"`
	Session string `yaml:"session,omitempty"`
	// Container is one whose service asks.
	Container string `yaml:"container,omitempty"`
	SPN       string `yaml:"spn"`
}

func (a *kerberosTo) check(s *scope, n *node) {
	switch {
	case given(a.From, a.Session, a.Container) != 1:
		s.d.fail(n.errorAt("one of from, an account, session, a step that signed one in, and container, a step that runs one"))
	case a.Session != "":
		s.result(argument(n, "session"), a.Session, "signIn", "signInAsServiceAccount")
	case a.Container != "":
		s.result(argument(n, "container"), a.Container, "runContainer")
	default:
		s.account(argument(n, "from"), a.From, true)
	}
}

func (a *kerberosTo) do(r *attempt) error {
	var t *simulator.Ticket
	var err error
	switch {
	case a.Session != "":
		var session *simulator.Session
		if session, err = resultOf[*simulator.Session](r, a.Session, "session"); err == nil {
			t, err = session.KerberosTo(a.SPN)
		}
	case a.Container != "":
		var c *simulator.Running
		if c, err = resultOf[*simulator.Running](r, a.Container, "container"); err == nil {
			t, err = c.App().KerberosTo(a.SPN)
		}
	default:
		t, err = r.d.KerberosTo(r.ctx, a.From, a.SPN)
	}
	if err != nil {
		return err
	}
	r.keep(t)
	r.fact("client", t.Client)
	r.ticketFacts(*t)
	return nil
}

type service onHost

func (a *service) check(s *scope, n *node) { (*onHost)(a).check(s, n) }

func (a *service) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	svc, err := h.Service(a.Account)
	if err == nil {
		r.keep(svc)
	}
	return err
}

type refresh struct {
	Service string `yaml:"service,omitempty,scalar"`
	// Host and Account stand for all services of a host that run as the account, and for its containers.
	Host    string `yaml:"host,omitempty"`
	Account string `yaml:"account,omitempty"`
}

func (a *refresh) check(s *scope, n *node) {
	switch {
	case a.Service != "" && given(a.Host, a.Account) == 0:
		s.result(argument(n, "service"), a.Service, "service")
	case a.Service == "" && given(a.Host, a.Account) == 2:
		s.host(argument(n, "host"), a.Host)
		s.account(argument(n, "account"), a.Account, true)
	default:
		s.d.fail(n.errorAt("either service, or host and account"))
	}
}

func (a *refresh) do(r *attempt) error {
	if a.Host != "" {
		h, err := r.host(a.Host)
		if err != nil {
			return err
		}
		return h.RefreshServiceAccount(a.Account)
	}
	svc, err := resultOf[*simulator.Service](r, a.Service, "service")
	if err != nil {
		return err
	}
	return svc.Refresh()
}

type accept struct {
	Service string `yaml:"service,omitempty"`
	// Container is one whose service accepts; Host a computer, whose own services accept.
	Container string `yaml:"container,omitempty"`
	Host      string `yaml:"host,omitempty"`
	Ticket    string `yaml:"ticket"`
}

func (a *accept) check(s *scope, n *node) {
	switch {
	case given(a.Service, a.Container, a.Host) != 1:
		s.d.fail(n.errorAt("one of service, container and host"))
		return
	case a.Host != "":
		s.host(argument(n, "host"), a.Host)
	case a.Service != "":
		s.result(argument(n, "service"), a.Service, "service")
	default:
		s.result(argument(n, "container"), a.Container, "runContainer")
	}
	s.result(argument(n, "ticket"), a.Ticket, "kerberosTo")
}

func (a *accept) do(r *attempt) error {
	t, err := resultOf[*simulator.Ticket](r, a.Ticket, "ticket")
	if err != nil {
		return err
	}
	var by interface{ Accept(*simulator.Ticket) error }
	switch {
	case a.Service != "":
		by, err = resultOf[*simulator.Service](r, a.Service, "service")
	case a.Host != "":
		by, err = r.host(a.Host)
	default:
		by, err = resultOf[*simulator.Running](r, a.Container, "container")
	}
	if err != nil {
		return err
	}
	if err := by.Accept(t); err != nil {
		return err
	}
	r.fact("client", t.Client)
	return nil
}

// given counts the arguments that are there.
func given(arguments ...string) (n int) {
	for _, a := range arguments {
		if a != "" {
			n++
		}
	}
	return n
}
