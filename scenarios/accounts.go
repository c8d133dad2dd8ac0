package scenarios

// accountVerbs are what happens to accounts of administrators and services beside the cmdlets of the guide.
var accountVerbs = []verb{
	{"moveServiceAccount", true, "Move-ADObject of a service account", func() action { return &moveServiceAccount{} }},
	{"logoff", false, "end the sessions of an administrator's account", func() action { return &logoff{} }},
}

type logoff struct {
	Account string `yaml:"account,scalar"`
}

func (a *logoff) check(s *scope, n *node) { s.account(argument(n, "account"), a.Account, false) }

func (a *logoff) do(r *attempt) error {
	r.d.Logoff(a.Account)
	return nil
}

type moveServiceAccount struct {
	Account string `yaml:"account"`
	// Path is the DN of the container or organizational unit.
	Path string `yaml:"path"`
}

func (a *moveServiceAccount) check(s *scope, n *node) {
	s.account(argument(n, "account"), a.Account, true)
}

func (a *moveServiceAccount) do(r *attempt) error {
	return r.admin().MoveServiceAccount(a.Account, a.Path)
}
