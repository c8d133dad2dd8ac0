package scenarios

import "github.com/gmsasim/gmsasim/simulator"

// sqlVerbs are what a database administrator does beside createLogin.
var sqlVerbs = []verb{
	{"dropLogin", false, "DROP LOGIN", func() action { return &dropLogin{} }},
}

type dropLogin createLogin

func (a *dropLogin) check(s *scope, n *node) { (*createLogin)(a).check(s, n) }

func (a *dropLogin) do(r *attempt) error {
	server, err := resultOf[*simulator.SQLServer](r, a.Server, "SQL Server")
	if err != nil {
		return err
	}
	return server.DropLogin(a.Login)
}
