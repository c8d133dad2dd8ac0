package fakekdc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// optPostdated asks for a ticket that starts later; nobody gets one from Active Directory.
const optPostdated = 1 << 25

// notInAS are options that an AS-REQ cannot have, RFC 4120 3.1.3.
const notInAS = optForwarded | optProxy | optPostdated | optCNameInTicket | optEncTktInSkey | optRenew | optValidate

// as is the AS exchange, RFC 4120 3.1 and [MS-KILE] 3.3.5.6. The order of the checks is that of Active Directory: who asks, may the
// account sign in, has it proved who it is, must it change its password, and only then what for.
func (x *exchange) as(ctx context.Context) ([]byte, error) {
	k, q := x.kdc, x.q
	if err := interceptor(k.Intercept).ask(ctx, &x.record); err != nil {
		return nil, err
	}
	client, err := x.asClient(ctx)
	if err != nil {
		return nil, err
	}
	if err := restricted(client); err != nil {
		return nil, err
	}
	ks, err := client.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("keys of %v: %w", client.Name, err)
	}
	if len(ks.Keys) == 0 {
		return nil, refuse(ErrCodeNullKey, "%v has no key", client.Name)
	}
	proved, preauthenticated, err := x.preauth(ctx, client, ks)
	if err != nil {
		return nil, err
	}
	if s := client.PasswordStatus; s != 0 && !q.sname.is("kadmin", "changepw") {
		return nil, refuse(ErrCodeKeyExpired, "the password of %v must be changed", client.Name).with(s)
	}
	own, err := k.authority(ctx)
	if err != nil {
		return nil, err
	}
	t, err := x.findTarget(ctx, own, q.sname)
	if err != nil {
		return nil, err
	}
	if bad := q.options & notInAS; bad != 0 {
		return nil, refuse(ErrCodeBadOption, "options %#x have no meaning in an AS-REQ", bad)
	}
	g := &grant{target: t, crealm: k.Realm, cname: q.cname, flags: flagInitial | flagEncPARep}
	if q.option(optCanonicalize) {
		g.cname = Name{NamePrincipal, client.Name.Parts}
	}
	if preauthenticated {
		g.flags |= flagPreAuthent
	}
	if err := x.asTimes(g, client); err != nil {
		return nil, err
	}
	if !client.NotDelegated && !client.ProtectedUser {
		g.flags |= q.options & (optForwardable | optProxiable)
	}
	if t.principal.TrustedForDelegation && t.kind == toService {
		g.flags |= flagOKAsDelegate
	}
	if g.pac, err = x.asPAC(ctx, g, client); err != nil {
		return nil, err
	}
	encPA, err := x.encPA(t, proved.key)
	if err != nil {
		return nil, err
	}
	var padata []paData
	if proved.key.EType != krbcrypt.RC4HMAC {
		padata = []paData{{paETypeInfo2, etypeInfo2(ks.Salt, proved.key.EType)}}
	}
	reply, err := x.issue(g, own, replyKey{proved.key, usageASRep, proved.version}, padata, encPA, client.PasswordExpires)
	if err != nil {
		return nil, err
	}
	x.record.Client, x.record.ClientRealm = g.cname, g.crealm
	if l, ok := k.Principals.(LogonRecorder); ok {
		l.LogonSucceeded(ctx, client)
	}
	return reply, nil
}

// asClient finds who asks.
func (x *exchange) asClient(ctx context.Context) (*Principal, error) {
	k, q := x.kdc, x.q
	if !k.isOwnRealm(q.realm) {
		// guess: KDC_ERR_WRONG_REALM names the realm that the client should have asked, and our own when we know of none.
		e := refuse(ErrCodeWrongRealm, "realm %q is not ours", q.realm)
		e.crealm = k.Realm
		if truster, ok := k.Principals.(Truster); ok {
			if trust, err := truster.Trust(ctx, q.realm); err == nil {
				e.crealm = trust.Realm
			}
		}
		return nil, e
	}
	if len(q.cname.Parts) == 0 {
		return nil, refuse(ErrCodeClientUnknown, "no client name in the request")
	}
	return x.findClient(ctx, q.cname)
}

// findClient finds an account of this realm by a client's name.
func (x *exchange) findClient(ctx context.Context, name Name) (*Principal, error) {
	p, err := x.kdc.Principals.Client(ctx, name)
	var wrong *WrongRealmError
	switch {
	case err == nil:
		return p, nil
	case errors.As(err, &wrong):
		e := refuse(ErrCodeWrongRealm, "client %v: %w", name, err)
		e.crealm = wrong.Realm
		return nil, e
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrDuplicate):
		return nil, refuse(ErrCodeClientUnknown, "client %v: %w", name, err)
	}
	return nil, fmt.Errorf("client %v: %w", name, err)
}

// restricted is the refusal of an account that may not sign in.
func restricted(p *Principal) error {
	switch p.Restriction {
	case 0:
		return nil
	case StatusAccountRestriction:
		return refuse(ErrCodePolicy, "account %v is restricted", p.Name).with(p.Restriction)
	}
	return refuse(ErrCodeClientRevoked, "account %v may not sign in", p.Name).with(p.Restriction)
}

// preauth checks what the client proves and chooses the reply key: the one that the client has shown to have, or else the strongest
// that both sides have.
func (x *exchange) preauth(ctx context.Context, client *Principal, ks KeySet) (p proof, preauthenticated bool, err error) {
	offered := x.kdc.offeredKeys(client, ks.Keys, x.q.etypes)
	if value, ok := x.q.pa(paEncTimestamp); ok {
		p, err = x.timestamp(ctx, client, ks, offered, value)
		return p, err == nil, err
	}
	if _, ok := x.q.pa(paPKASReq); ok {
		return p, false, refuse(ErrCodePADataNoSupport, "pre-authentication by certificate is not modelled").with(StatusNotSupported)
	}
	if len(offered) == 0 {
		return p, false, refuse(ErrCodeETypeNoSupport, "the client offers %v, the account has %#x", x.q.etypes, etypesOf(ks.Keys)&x.kdc.clientETypes(client))
	}
	if !client.NoPreauth {
		return p, false, preauthRequired(ks.Salt, offered)
	}
	return proof{offered[0], ks.Version}, false, nil
}

// asTimes sets the times and what of the flags depends on them, RFC 4120 3.1.3 and [MS-KILE] 3.3.5.6. A ticket is renewable only when
// that was asked for: RENEWABLE-OK alone would surprise MIT's client.
func (x *exchange) asTimes(g *grant, client *Principal) error {
	k, q := x.kdc, x.q
	now := x.now.Truncate(time.Second)
	g.auth, g.start = now, now
	life, renewable := k.Policy.ticketAge(), q.option(optRenewable)
	switch {
	case g.target.kind == toPassword:
		life, renewable = passwordTicketAge, false
	case g.target.kind == toService:
		life = k.Policy.serviceAge()
	}
	if client.ProtectedUser {
		life, renewable = min(life, protectedAge), false
	}
	g.end = wanted(q.till, now.Add(life))
	if !g.end.After(now) {
		return refuse(ErrCodeNeverValid, "the ticket would end at %v", g.end)
	}
	if renewable {
		g.renew = wanted(q.rtime, now.Add(k.Policy.renewAge()))
		g.flags |= flagRenewable
	}
	return nil
}

// asPAC is the PAC of a ticket got with a password. A TGT has one also when the client wants none: it says so, and service tickets
// then have none ([MS-KILE] 3.3.5.6.4).
func (x *exchange) asPAC(ctx context.Context, g *grant, client *Principal) (*pac.PAC, error) {
	include, asked, err := x.q.pacRequest()
	if err != nil {
		return nil, err
	}
	if !include && g.target.kind != toTGS {
		return nil, nil
	}
	p, err := x.logonPAC(ctx, client, g.cname, g.auth)
	if err != nil || p == nil {
		return nil, err
	}
	if g.target.kind != toTGS {
		return x.servicePAC(ctx, p, g.target)
	}
	attributes := pac.AttributeGivenImplicitly
	switch {
	case !include:
		attributes = 0
	case asked:
		attributes = pac.AttributeRequested
	}
	p.Attributes, p.Requestor = &attributes, client.SID
	return p, nil
}

// encPA is the encrypted-pa-data of a reply, [MS-KILE] 3.3.5.6 and RFC 6806 11: for clients that have shown to know the field.
func (x *exchange) encPA(t *target, key *krbcrypt.Key) ([]paData, error) {
	options, sent, err := x.q.pacOptions()
	if err != nil {
		return nil, err
	}
	var list []paData
	canonicalize := x.q.option(optCanonicalize)
	if canonicalize {
		list = append(list, supportedETypesData(t.supported))
	}
	if sent || canonicalize && x.q.kind == msgASReq {
		list = append(list, pacOptionsData(options&pacOptionRBCD))
	}
	if _, ok := x.q.pa(paReqEncPARep); ok && x.q.kind == msgASReq {
		list = append(list, x.q.encPARep(key)...)
	}
	return list, nil
}
