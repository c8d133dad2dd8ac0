package fakeads

import (
	"context"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// continues tells whether a bind is a further message of one that has begun.
func (c *conn) continues(req *request) bool {
	return req.kind == KindBind && c.sasl != nil && req.bind.method == bindSASL && req.bind.mechanism == c.sasl.mechanism
}

// bind authenticates, [MS-ADTS] 5.1.1.1. then is to be called after the answer.
func (c *conn) bind(p *pending, op *Operation) (r result, then func()) {
	b := p.bind
	if !c.continues(p.request) {
		c.sasl = nil
	}
	c.become(identity{}) // RFC 4513 4
	op.Account = ""
	if r := c.checkControls(p, op); r != nil {
		return *r, nil
	}
	switch {
	case b.version != 2 && b.version != 3:
		return c.s.malformed(resultProtocolError), nil
	case b.method == bindSASL:
		return c.bindSASL(p, op)
	case b.method != bindSimple:
		op.NotModelled = "Sicily authentication (NTLM)"
		return c.s.acceptError(secLogonDenied, 0), nil
	}
	return c.bindSimple(p.ctx, b, op), nil
}

// bindSimple checks a name and a password. An empty password is an anonymous
// bind, whatever the name (RFC 4513 5.1.2).
//
// guess: a simple bind with an empty name is an anonymous bind, whatever its password.
func (c *conn) bindSimple(ctx context.Context, b *bindRequest, op *Operation) result {
	if b.name == "" || b.password == "" {
		return result{}
	}
	if c.s.cfg.RequireSigning && !c.secure {
		return c.s.signingRequired()
	}
	account, err := c.s.cfg.Replica.AccountByBindName(b.name)
	if err != nil {
		return c.s.acceptError(secInvalidToken, dataWrongPassword)
	}
	if data := c.s.checkPassword(ctx, account, b.password); data != 0 {
		return c.s.acceptError(secInvalidToken, data)
	}
	op.Account = accountName(account)
	if !c.fast {
		c.become(identity{account: op.Account, token: c.s.cfg.Replica.TokenFor(account)})
	}
	return result{}
}

// signingRequired is the answer of LDAPServerIntegrity = 2.
func (s *Server) signingRequired() result {
	return result{code: resultStrongerAuthRequired, diagnostic: s.ldapErr(errorStrongAuth, dsidSigning,
		`The server requires binds to turn on integrity checking if SSL\TLS are not already active on the connection`, 0)}
}

// checkPassword returns the data code of the refusal, 0: accepted. A state of the
// account other than locked out shows only to those who know the password.
func (s *Server) checkPassword(ctx context.Context, a *directory.Account, password string) uint32 {
	if a.Locked {
		return dataLockedOut
	}
	if err := a.CheckPassword(ctx, password); err != nil {
		return dataWrongPassword
	}
	switch {
	case a.Disabled:
		return dataDisabled
	case a.Expired:
		return dataAccountExpired
	case a.MustChangePassword:
		return dataMustChange
	case a.PasswordExpired:
		return dataPasswordExpired
	case !logonHour(a.LogonHours, s.now(ctx)):
		return dataHours
	}
	return 0
}

// logonHour tells whether logonHours permits a logon at t: a bit for each hour of
// the week in UTC, from Sunday on ([MS-SAMR] 2.2.6.5). Without hours it does.
func logonHour(hours []byte, t time.Time) bool {
	t = t.UTC()
	hour := int(t.Weekday())*24 + t.Hour()
	return len(hours) != 21 || hours[hour/8]&(1<<(hour%8)) != 0
}

func accountName(a *directory.Account) string {
	if a.Domain == nil {
		return a.SAMAccountName
	}
	return a.Domain.NetBIOSName + `\` + a.SAMAccountName
}
