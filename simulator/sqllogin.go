package simulator

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// loginError: the server knows who comes, and has no login for it (SQL Server, error 18456).
type loginError struct {
	server *SQLServer
	login  string // name and SID of who came
	sid    string
	known  []sqlLogin
}

func (e *loginError) Error() string { return "18456: Login failed for user '" + e.login + "'." }

// finding tells a login that was never made from one of the same name for an account that is gone, and from one of the account whose name lacks the $.
func (e *loginError) finding(*Domain, *stepError) *diag.Finding {
	var names []string
	for _, l := range e.known {
		names = append(names, l.name)
	}
	create := "CREATE LOGIN [" + e.login + "] FROM WINDOWS"
	creates := flowStep("createLogin", arg{"sqlServer", e.server.account}, arg{"login", e.login})
	f := &diag.Finding{
		Code: diag.LoginMissing, Mode: "app-sql-login-missing",
		Facts:   []diag.Fact{{Name: "account", Value: e.login}, {Name: "logins", Value: strings.Join(names, ", ")}},
		SeenAs:  []string{e.Error()},
		Because: "the server has authenticated the account and has no login for it",
		Help:    []diag.Help{{Text: "create a login for the service account, with its domain and the final $", Command: create, Do: []string{creates}}},
	}
	for _, l := range e.known {
		switch {
		case strings.EqualFold(l.name, e.login) && l.sid != "":
			f.Mode = "acct-recreated-sid-changed"
			f.Facts = append(f.Facts, diag.Fact{Name: "SID of the login", Value: l.sid}, diag.Fact{Name: "SID of the account", Value: e.sid})
			f.Because = "a login, as an entry of an access control list, is for a SID; an account that was deleted and made again has the same name and another SID"
			f.Help = []diag.Help{{Text: "make the login again, and what else was granted to the old account", Command: "DROP LOGIN [" + l.name + "]; " + create,
				Do: []string{flowStep("dropLogin", arg{"sqlServer", e.server.account}, arg{"login", l.name}), creates}}}
			return f
		case strings.EqualFold(l.name+"$", e.login) && l.sid != "":
			f.Mode = "acct-name-collision-user"
			f.Facts = append(f.Facts, diag.Fact{Name: "SID of " + l.name, Value: l.sid}, diag.Fact{Name: "SID of " + e.login, Value: e.sid})
			f.Because = "the name without the final $ is that of another account, so no error said that the login is not the service account's"
		}
	}
	if near := diag.Nearest(e.login, names); near != "" {
		f.Nearest = []diag.Near{{Wanted: e.login, Closest: near}}
	}
	return f
}
