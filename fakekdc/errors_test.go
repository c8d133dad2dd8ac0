package fakekdc

import (
	"context"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// refusals are the causes of every error that the KDC answers: protocol.md's table of [MS-KILE], [MS-SFU] and RFC 4120 7.5.9.
var refusals = []struct {
	name   string
	code   ErrorCode
	status Status
	cause  func(l *lab)
}{
	{"unknown client", ErrCodeClientUnknown, 0, func(l *lab) { l.signIn(asAsk("nobody")) }},
	{"no client name", ErrCodeClientUnknown, 0, func(l *lab) {
		a := asAsk("alice")
		a.cname = Name{}
		l.signIn(a)
	}},
	{"service principal name as client", ErrCodeClientUnknown, 0, func(l *lab) { l.signIn(asAsk("host/web.contoso.com")) }},
	{"unknown enterprise name", ErrCodeClientUnknown, 0, func(l *lab) {
		a := asAsk("x")
		a.cname = Name{NameEnterprise, []string{"nobody@contoso.com"}}
		l.signIn(a)
	}},
	{"S4U2Self for an unknown user", ErrCodeClientUnknown, 0, func(l *lab) { l.tgs(l.forUser(l.tgt("web$"), "nobody")) }},

	{"unknown service in AS", ErrCodeServerUnknown, 0, func(l *lab) {
		a := asAsk("alice")
		a.sname = service("http/nowhere")
		l.signIn(a)
	}},
	{"other realm's TGS in AS", ErrCodeServerUnknown, 0, func(l *lab) {
		a := asAsk("alice")
		a.sname = service("krbtgt/OTHER.COM")
		l.signIn(a)
	}},
	{"unknown service", ErrCodeServerUnknown, 0, func(l *lab) { l.tgs(l.tgsAsk(l.tgt("alice"), "http/nowhere")) }},
	{"duplicate service principal name", ErrCodeServerUnknown, 0, func(l *lab) { l.tgs(l.tgsAsk(l.tgt("alice"), "http/twice")) }},
	{"disabled service", ErrCodeServerUnknown, 0, func(l *lab) { l.tgs(l.tgsAsk(l.tgt("alice"), "http/off")) }},
	{"name with a port", ErrCodeServerUnknown, 0, func(l *lab) { l.tgs(l.tgsAsk(l.tgt("alice"), "http/back.contoso.com:80")) }},
	{"class that is no alias of host", ErrCodeServerUnknown, 0, func(l *lab) { l.tgs(l.tgsAsk(l.tgt("alice"), "https/web")) }},
	{"user without a service principal name", ErrCodeServerUnknown, 0, func(l *lab) { l.tgs(l.tgsAsk(l.tgt("alice"), "bob")) }},
	{"TGS of a realm without trust", ErrCodeServerUnknown, 0, func(l *lab) { l.tgs(l.tgsAsk(l.tgt("alice"), "krbtgt/OTHER.COM")) }},
	{"another realm in the body", ErrCodeServerUnknown, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.realm = "OTHER.COM"
		l.tgs(a)
	}},
	{"user-to-user with a user", ErrCodeServerUnknown, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "bob")
		a.options |= optEncTktInSkey
		a.tickets = [][]byte{l.tgt("bob").raw}
		l.tgs(a)
	}},

	{"account without a key", ErrCodeNullKey, 0, func(l *lab) {
		l.d.account("alice").Keys = func(context.Context) (KeySet, error) { return KeySet{}, nil }
		l.signIn(asAsk("alice"))
	}},
	{"end in the past", ErrCodeNeverValid, 0, func(l *lab) {
		a := asAsk("alice")
		a.till = l.now.Add(-time.Minute)
		l.signIn(a)
	}},

	{"account restriction", ErrCodePolicy, StatusAccountRestriction, func(l *lab) {
		l.d.account("alice").Restriction = StatusAccountRestriction
		l.signIn(asAsk("alice"))
	}},
	{"service ticket as TGT", ErrCodePolicy, 0, func(l *lab) {
		tgt := l.tgt("alice")
		l.tgs(l.tgsAsk(l.ticketFor(tgt, "host/web"), "http/back.contoso.com"))
	}},
	{"renewal of what is no TGT", ErrCodePolicy, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.options |= optRenew
		l.tgs(a)
	}},
	{"user-to-user across realms", ErrCodePolicy, 0, func(l *lab) {
		other := l.trust("OTHER.COM")
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.options |= optEncTktInSkey
		a.tickets = [][]byte{l.foreignTGT(other, "eve").raw}
		l.tgs(a)
	}},

	{"renewal of a TGT that is not renewable", ErrCodeBadOption, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice", func(a *ask) { a.options = 0 }), "krbtgt/"+testRealm)
		a.options |= optRenew
		l.tgs(a)
	}},
	{"validation of a valid TGT", ErrCodeBadOption, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "krbtgt/"+testRealm)
		a.options |= optValidate
		l.tgs(a)
	}},
	{"forwarding a TGT that is not forwardable", ErrCodeBadOption, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("sensitive"), "krbtgt/"+testRealm)
		a.options |= optForwarded
		l.tgs(a)
	}},
	{"proxy of a TGT that is not proxiable", ErrCodeBadOption, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("protected"), "host/web")
		a.options |= optProxy
		l.tgs(a)
	}},
	{"renewal in AS", ErrCodeBadOption, 0, func(l *lab) {
		a := asAsk("alice")
		a.options = optRenew
		l.signIn(a)
	}},
	{"postdated ticket", ErrCodeBadOption, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.options |= optPostdated
		l.tgs(a)
	}},
	{"user-to-user without a second TGT", ErrCodeBadOption, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.options |= optEncTktInSkey
		l.tgs(a)
	}},
	{"S4U2Proxy without evidence", ErrCodeBadOption, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("web$"), "http/back.contoso.com")
		a.options |= optCNameInTicket
		l.tgs(a)
	}},
	{"S4U2Proxy that is not allowed", ErrCodeBadOption, StatusNotSupported, func(l *lab) {
		l.tgs(l.proxy(l.tgt("web$"), l.self("alice"), "http/back.contoso.com"))
	}},
	{"S4U2Proxy with evidence that is not forwardable", ErrCodeBadOption, StatusAccountRestriction, func(l *lab) {
		l.d.account("web$").AllowedToDelegateTo = []string{"HTTP/back.contoso.com"}
		l.tgs(l.proxy(l.tgt("web$"), l.self("alice"), "http/back.contoso.com"))
	}},
	{"resource-based delegation that is not allowed", ErrCodeBadOption, StatusNotFound, func(l *lab) {
		a := l.proxy(l.tgt("web$"), l.self("alice"), "http/back.contoso.com")
		a.padata = append(a.padata, pacOptionsData(pacOptionRBCD))
		l.tgs(a)
	}},
	{"resource-based delegation of a sensitive user", ErrCodeBadOption, StatusAccountRestriction, func(l *lab) {
		l.allowToAct("back$", "web$")
		a := l.proxy(l.tgt("web$"), l.self("sensitive"), "http/back.contoso.com")
		a.padata = append(a.padata, pacOptionsData(pacOptionRBCD))
		l.tgs(a)
	}},

	{"client offers only DES", ErrCodeETypeNoSupport, 0, func(l *lab) {
		a := asAsk("alice")
		a.etypes = []int32{3, 1}
		l.read(l.k.Exchange(l.Context(), a.encode(a.body())), nil, 0)
	}},
	{"client offers only SHA-2", ErrCodeETypeNoSupport, 0, func(l *lab) {
		a := asAsk("alice")
		a.etypes = []int32{20, 19}
		l.read(l.k.Exchange(l.Context(), a.encode(a.body())), nil, 0)
	}},
	{"RC4 timestamp of an AES account", ErrCodeETypeNoSupport, 0, func(l *lab) {
		a := asAsk("aesonly")
		a.etypes = []int32{23, 18}
		l.signIn(a)
	}},
	{"RC4 of a protected user", ErrCodeETypeNoSupport, 0, func(l *lab) {
		a := asAsk("protected")
		a.etypes = []int32{23}
		l.signIn(a)
	}},
	{"service that supports no offered type", ErrCodeETypeNoSupport, 0, func(l *lab) {
		l.d.account("web$").SupportedETypes = DefaultETypes2026
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.etypes = []int32{23}
		l.tgs(a)
	}},
	{"service whose attribute names no type", ErrCodeETypeNoSupport, 0, func(l *lab) {
		l.d.account("web$").SupportedETypes = ETypeBitNoSIDCompression
		l.tgs(l.tgsAsk(l.tgt("alice"), "host/web"))
	}},

	{"subkey of an unknown type", ErrCodeETypeNoSupport, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.subkey = &krbcrypt.Key{EType: 3, Value: make([]byte, 8)}
		l.k.Exchange(l.Context(), l.tgsRequest(a))
	}},

	{"pre-authentication by certificate", ErrCodePADataNoSupport, StatusNotSupported, func(l *lab) {
		a := asAsk("alice")
		a.padata = []paData{{paPKASReq, []byte{0x30, 0}}}
		l.read(l.k.Exchange(l.Context(), a.encode(a.body())), nil, 0)
	}},
	{"TGS-REQ without a ticket", ErrCodePADataNoSupport, 0, func(l *lab) {
		a := l.tgsAsk(nil, "host/web")
		l.read(l.k.Exchange(l.Context(), a.encode(a.body())), nil, 0)
	}},

	{"disabled", ErrCodeClientRevoked, StatusAccountDisabled, func(l *lab) { l.restrict("alice", StatusAccountDisabled) }},
	{"locked out", ErrCodeClientRevoked, StatusAccountLockedOut, func(l *lab) { l.restrict("alice", StatusAccountLockedOut) }},
	{"expired", ErrCodeClientRevoked, StatusAccountExpired, func(l *lab) { l.restrict("alice", StatusAccountExpired) }},
	{"outside logon hours", ErrCodeClientRevoked, StatusInvalidLogonHours, func(l *lab) { l.restrict("alice", StatusInvalidLogonHours) }},
	{"disabled after an old TGT", ErrCodeClientRevoked, StatusAccountDisabled, func(l *lab) {
		tgt := l.tgt("alice")
		l.d.account("alice").Restriction = StatusAccountDisabled
		l.now = l.now.Add(21 * time.Minute)
		l.tgs(l.tgsAsk(tgt, "host/web"))
	}},
	{"S4U2Self for a disabled user", ErrCodeClientRevoked, StatusAccountDisabled, func(l *lab) {
		l.d.account("bob").Restriction = StatusAccountDisabled
		l.tgs(l.forUser(l.tgt("web$"), "bob"))
	}},

	{"TGT without a PAC", ErrCodeTGTRevoked, 0, func(l *lab) {
		l.k.Principals = l.d.MemPrincipals
		tgt := l.tgt("alice")
		l.k.Principals = l.d
		l.tgs(l.tgsAsk(tgt, "host/web"))
	}},
	{"TGT without a requestor", ErrCodeTGTRevoked, 0, func(l *lab) {
		l.tgs(l.tgsAsk(l.reseal(l.tgt("alice"), l.krbtgt(18), func(p *ticketPart) { p.pac.Requestor = security.SID{} }), "host/web"))
	}},
	{"client made anew", ErrCodeTGTRevoked, 0, func(l *lab) {
		tgt := l.tgt("alice")
		l.d.account("alice").SID = testSID.Append(9999)
		l.tgs(l.tgsAsk(tgt, "host/web"))
	}},
	{"client deleted", ErrCodeTGTRevoked, 0, func(l *lab) {
		tgt := l.tgt("alice")
		l.d.accounts = l.d.accounts[1:]
		l.tgs(l.tgsAsk(tgt, "host/web"))
	}},

	{"password expired", ErrCodeKeyExpired, StatusPasswordExpired, func(l *lab) {
		l.d.account("alice").PasswordStatus = StatusPasswordExpired
		l.signIn(asAsk("alice"))
	}},
	{"password must change", ErrCodeKeyExpired, StatusPasswordMustChange, func(l *lab) {
		l.d.account("alice").PasswordStatus = StatusPasswordMustChange
		l.signIn(asAsk("alice"))
	}},
	{"wrong password", ErrCodePreauthFailed, 0, func(l *lab) { l.wrongPassword("alice") }},
	{"wrong password of an expired account", ErrCodePreauthFailed, 0, func(l *lab) {
		l.d.account("alice").PasswordStatus = StatusPasswordExpired
		l.wrongPassword("alice")
	}},
	{"no pre-authentication", ErrCodePreauthRequired, 0, func(l *lab) {
		a := asAsk("alice")
		l.read(l.k.Exchange(l.Context(), a.encode(a.body())), nil, 0)
	}},
	{"KDC without its own account", ErrCodeServiceUnavailable, 0, func(l *lab) {
		l.k.Principals = noAuthority{l.d}
		l.signIn(asAsk("alice"))
	}},

	{"expired TGT", ErrCodeTicketExpired, 0, func(l *lab) {
		tgt := l.tgt("alice")
		l.now = l.now.Add(10 * time.Hour)
		l.tgs(l.tgsAsk(tgt, "host/web"))
	}},
	{"ticket for password changes as TGT", ErrCodeTicketExpired, 0, func(l *lab) {
		l.tgs(l.tgsAsk(l.tgt("alice", func(a *ask) { a.sname = kadminName }), "host/web"))
	}},
	{"the same under the name of a TGT, without PACs", ErrCodeTicketExpired, 0, func(l *lab) {
		l.memOnly()
		c := l.tgt("alice", func(a *ask) { a.sname = kadminName })
		c.ticket.SName.NameString = []string{"krbtgt", testRealm}
		c.raw, _ = c.ticket.Marshal()
		l.tgs(l.tgsAsk(c, "host/web"))
	}},
	{"renewal too late", ErrCodeTicketExpired, 0, func(l *lab) {
		tgt := l.reseal(l.tgt("alice"), l.krbtgt(18), func(p *ticketPart) { p.end = p.auth.Add(30 * 24 * time.Hour) })
		l.now = l.now.Add(8 * 24 * time.Hour)
		a := l.tgsAsk(tgt, "krbtgt/"+testRealm)
		a.options |= optRenew
		l.tgs(a)
	}},
	{"ticket marked invalid", ErrCodeTicketNotYetValid, 0, func(l *lab) {
		l.tgs(l.tgsAsk(l.reseal(l.tgt("alice"), l.krbtgt(18), func(p *ticketPart) { p.flags |= flagInvalid }), "host/web"))
	}},
	{"ticket that starts later", ErrCodeTicketNotYetValid, 0, func(l *lab) {
		l.tgs(l.tgsAsk(l.reseal(l.tgt("alice"), l.krbtgt(18), func(p *ticketPart) { p.start = p.start.Add(time.Hour) }), "host/web"))
	}},
	{"TGT for another realm", ErrCodeNotUs, 0, func(l *lab) {
		l.trust("OTHER.COM")
		l.tgs(l.tgsAsk(l.ticketFor(l.tgt("alice"), "krbtgt/OTHER.COM"), "host/web"))
	}},
	{"TGT made by a stranger", ErrCodeNotUs, 0, func(l *lab) {
		tgt := l.tgt("alice")
		tgt.ticket.Realm = "STRANGE.COM"
		tgt.raw, _ = tgt.ticket.Marshal()
		l.tgs(l.tgsAsk(tgt, "host/web"))
	}},
	{"authenticator of another client", ErrCodeBadMatch, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.as = &Name{NamePrincipal, []string{"bob"}}
		l.tgs(a)
	}},
	{"authenticator of another realm", ErrCodeBadMatch, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.crealm = "OTHER.COM"
		l.tgs(a)
	}},
	{"S4U2Self to another service", ErrCodeBadMatch, 0, func(l *lab) {
		a := l.forUser(l.tgt("web$"), "alice")
		a.sname = service("http/back.contoso.com")
		l.tgs(a)
	}},
	{"user-to-user with another's TGT", ErrCodeBadMatch, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.options |= optEncTktInSkey
		a.tickets = [][]byte{l.tgt("back$").raw}
		l.tgs(a)
	}},
	{"clock ahead at pre-authentication", ErrCodeSkew, 0, func(l *lab) { l.stamped("alice", 5*time.Minute+time.Second) }},
	{"clock behind at pre-authentication", ErrCodeSkew, 0, func(l *lab) { l.stamped("alice", -5*time.Minute-time.Second) }},
	{"clock ahead in an authenticator", ErrCodeSkew, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.skew = 5*time.Minute + time.Second
		l.tgs(a)
	}},
	{"version 4", ErrCodeBadVersion, 0, func(l *lab) {
		a := asAsk("alice")
		a.version = 4
		l.read(l.k.Exchange(l.Context(), a.encode(a.body())), nil, 0)
	}},

	{"damaged TGT", ErrCodeModified, 0, func(l *lab) {
		tgt := l.tgt("alice")
		tgt.ticket.EncPart.Cipher[40] ^= 1
		tgt.raw, _ = tgt.ticket.Marshal()
		l.tgs(l.tgsAsk(tgt, "host/web"))
	}},
	{"TGT whose PAC was forged", ErrCodeModified, 0, func(l *lab) {
		l.tgs(l.tgsAsk(l.reseal(l.tgt("alice"), l.krbtgt(18), nil, l.krbtgt(17)), "host/web"))
	}},
	{"TGT with the PAC of another", ErrCodeModified, 0, func(l *lab) {
		l.tgs(l.tgsAsk(l.reseal(l.tgt("alice"), l.krbtgt(18), func(p *ticketPart) { p.cname = principal("bob") }), "host/web"))
	}},
	{"wrong checksum of the request", ErrCodeModified, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.badSum = true
		l.tgs(a)
	}},
	{"wrong checksum of PA-FOR-USER", ErrCodeModified, 0, func(l *lab) {
		a := l.forUser(l.tgt("web$"), "alice")
		a.padata[0].value[len(a.padata[0].value)-14] ^= 1
		l.tgs(a)
	}},
	{"forged evidence", ErrCodeModified, 0, func(l *lab) {
		l.d.account("web$").AllowedToDelegateTo = []string{"http/back.contoso.com"}
		forged := l.reseal(l.self("alice"), l.key("web$", 18), func(p *ticketPart) { p.flags |= flagForwardable })
		l.tgs(l.proxy(l.tgt("web$"), forged, "http/back.contoso.com"))
	}},
	{"unknown key version", ErrCodeBadKeyVersion, 0, func(l *lab) {
		tgt := l.tgt("alice")
		tgt.ticket.EncPart.KVNO = 77
		tgt.raw, _ = tgt.ticket.Marshal()
		l.tgs(l.tgsAsk(tgt, "host/web"))
	}},
	{"checksum of another type", ErrCodeInappropriateCksum, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		a.ctype = 7 // RSA-MD5
		l.tgs(a)
	}},
	{"answer too long for UDP", ErrCodeResponseTooBig, 0, func(l *lab) {
		a := l.tgsAsk(l.tgt("alice"), "host/web")
		l.read(l.k.ExchangeUDP(l.Context(), l.tgsRequest(a)), a.tgt.key, usageTGSRepSession)
	}},
	{"RC4 TGT", ErrCodeGeneric, StatusInsufficientResources, func(l *lab) {
		tgt := l.reseal(l.tgt("alice"), l.krbtgt(23), nil)
		l.tgs(l.tgsAsk(tgt, "host/web"))
	}},
	{"evidence without its own signature", ErrCodeGeneric, 0, func(l *lab) {
		l.d.account("web$").AllowedToDelegateTo = []string{"http/back.contoso.com"}
		l.unsigned = true
		bare := l.reseal(l.self("alice"), l.key("web$", 18), func(p *ticketPart) { p.flags |= flagForwardable })
		l.tgs(l.proxy(l.tgt("web$"), bare, "http/back.contoso.com"))
	}},
	{"principals that fail", ErrCodeGeneric, 0, func(l *lab) {
		l.k.Principals = failing{l.d}
		l.signIn(asAsk("alice"))
	}},
	{"principals that panic", ErrCodeGeneric, 0, func(l *lab) {
		l.d.account("alice").Keys = func(context.Context) (KeySet, error) { panic("boom") }
		l.signIn(asAsk("alice"))
	}},
	{"malformed body", ErrCodeGeneric, 0, func(l *lab) {
		a := asAsk("alice")
		l.read(l.k.Exchange(l.Context(), a.encode([]byte{0x30, 0x01, 0})), nil, 0)
	}},
	{"too long", ErrCodeFieldTooLong, 0, func(l *lab) {
		l.read(l.k.Exchange(l.Context(), append([]byte{0x6A}, make([]byte, MaxRequest)...)), nil, 0)
	}},
	{"realm that is not ours", ErrCodeWrongRealm, 0, func(l *lab) {
		a := asAsk("alice")
		a.realm = "OTHER.COM"
		l.signIn(a)
	}},
	{"enterprise name of another realm", ErrCodeWrongRealm, 0, func(l *lab) {
		a := asAsk("x")
		a.cname = Name{NameEnterprise, []string{"eve@other.com"}}
		l.signIn(a)
	}},
	{"intercepted", ErrCodeServiceUnavailable, StatusNotSupported, func(l *lab) {
		l.k.Intercept = func(_ context.Context, x *Exchange) Intercepted {
			return Intercepted{Code: ErrCodeServiceUnavailable, Status: StatusNotSupported}
		}
		l.signIn(asAsk("alice"))
	}},
}

func TestRefusals(t *testing.T) {
	seen := map[ErrorCode]bool{}
	for _, c := range refusals {
		seen[c.code] = true
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			c.cause(l)
			if l.last.Code != c.code || l.last.Status != c.status || l.last.Err == nil {
				t.Errorf("got %v with status %#x (%v), want %v with %#x", l.last.Code, l.last.Status, l.last.Err, c.code, c.status)
			}
		})
	}
	for code, name := range errorNames {
		// Message type 40 is said of what is no request only by kpasswd's KRB-ERROR codes; Exchange gives no answer then.
		if name != "" && !seen[ErrorCode(code)] && ErrorCode(code) != ErrCodeMessageType {
			t.Errorf("no test causes %v", ErrorCode(code))
		}
	}
}

type noAuthority struct{ *testDomain }

func (d noAuthority) Server(context.Context, Name) (*Principal, error) { return nil, ErrUnknown }

type failing struct{ *testDomain }

func (d failing) Client(context.Context, Name) (*Principal, error) {
	return nil, errors.New("disk on fire")
}

func (l *lab) restrict(name string, s Status) {
	l.d.account(name).Restriction = s
	a := asAsk(name)
	l.read(l.k.Exchange(l.Context(), a.encode(a.body())), nil, 0) // said before any pre-authentication
}

func (l *lab) wrongPassword(name string) []byte {
	a := asAsk(name)
	_, salt := passwordOf(name)
	a.padata = []paData{l.timestampOf(keyFor(l, 18, "wrong", salt), l.now)}
	reply := l.k.Exchange(l.Context(), a.encode(a.body()))
	l.read(reply, nil, 0)
	return reply
}

func (l *lab) stamped(name string, skew time.Duration) (*creds, error) {
	a := asAsk(name)
	password, salt := passwordOf(name)
	key := keyFor(l, 18, password, salt)
	a.padata = []paData{l.timestampOf(key, l.now.Add(skew))}
	return l.read(l.k.Exchange(l.Context(), a.encode(a.body())), key, usageASRep)
}

// reseal opens a ticket, changes it, and makes a ticket of it with the PAC signed anew as the KDC that has the key would; with a
// forger's key the signatures are wrong.
func (l *lab) reseal(c *creds, key *krbcrypt.Key, change func(*ticketPart), forger ...*krbcrypt.Key) *creds {
	l.Helper()
	opener := key
	if key.EType != c.ticket.EncPart.EType {
		opener = l.krbtgt(c.ticket.EncPart.EType)
	}
	part := *l.open(c, opener)
	if change != nil {
		change(&part)
	}
	var encoded []byte
	if part.pac != nil {
		kdcKey := l.krbtgt(18)
		o := pac.SignOptions{ServerKey: key, KDCKey: kdcKey}
		if len(forger) > 0 {
			o.ServerKey, o.KDCKey = forger[0], forger[0]
		}
		if part.pac.Ticket != nil && !l.unsigned {
			// What a service without the KDC's key can do: keep the old signature over what it has changed.
			o.TicketPart, o.Full = wholeTicketPart(part.fields, placeholder), true
		}
		var err error
		if encoded, err = part.pac.Sign(o); err != nil {
			l.Fatal(err)
		}
	}
	cipher, err := key.Encrypt(nil, wholeTicketPart(part.encodeFields(), encoded), usageTicket, l.rand)
	if err != nil {
		l.Fatal(err)
	}
	again := *c
	again.ticket.EncPart.EType, again.ticket.EncPart.Cipher = key.EType, cipher
	if again.raw, err = again.ticket.Marshal(); err != nil {
		l.Fatal(err)
	}
	return &again
}

func TestSkewAtTheLimit(t *testing.T) {
	for _, skew := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		l := newLab(t)
		if _, err := l.stamped("alice", skew); err != nil {
			t.Errorf("%v: got %v", skew, l.last.Err)
		}
	}
}

// TestErrorBytes keeps the octets of an error with an NTSTATUS: Active Directory's shape, [MS-KILE] 2.2.2.
func TestErrorBytes(t *testing.T) {
	l := newLab(t)
	l.d.account("alice").Restriction = StatusAccountDisabled
	a := asAsk("alice")
	got := hex.EncodeToString(l.k.Exchange(t.Context(), a.encode(a.body())))
	const want = "7e753073a003020105a10302011ea411180f32303139303530333130303030305aa503020100a603020112" +
		"a90d1b0b434f4e544f534f2e434f4daa20301ea003020102a11730151b066b72627467741b0b434f4e544f534f2e434f4d" +
		"ac1904173015a103020103a20e040c720000c00000000001000000"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
