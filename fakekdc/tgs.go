package fakekdc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// presented is the TGT that came with a TGS-REQ, and what the authenticator said.
type presented struct {
	*ticketPart
	sname  Name
	issuer string     // the realm whose KDC made it
	client *Principal // nil for a client of another realm
	reply  replyKey
}

// tgs is the TGS exchange, RFC 4120 3.3 and [MS-KILE] 3.3.5.7.
func (x *exchange) tgs(ctx context.Context) ([]byte, error) {
	own, err := x.kdc.authority(ctx)
	if err != nil {
		return nil, err
	}
	tgt, err := x.present(ctx, own)
	if err != nil {
		return nil, err
	}
	x.record.Client, x.record.ClientRealm = tgt.cname, tgt.crealm
	if err := interceptor(x.kdc.Intercept).ask(ctx, &x.record); err != nil {
		return nil, err
	}
	if err := x.standing(ctx, tgt); err != nil {
		return nil, err
	}
	if !x.kdc.isOwnRealm(x.q.realm) {
		return nil, refuse(ErrCodeServerUnknown, "realm %q is not ours", x.q.realm)
	}
	if x.q.option(optPostdated) {
		return nil, refuse(ErrCodeBadOption, "postdated tickets are not issued")
	}
	switch {
	case x.q.option(optRenew), x.q.option(optValidate):
		return x.prolong(ctx, own, tgt)
	case x.q.option(optCNameInTicket):
		return x.s4uProxy(ctx, own, tgt)
	}
	user, err := x.s4uUser(tgt)
	if err != nil {
		return nil, err
	}
	if user != nil {
		return x.s4uSelf(ctx, own, tgt, user)
	}
	return x.serviceTicket(ctx, own, tgt)
}

// present opens the TGT and the authenticator of a request, RFC 4120 3.3.2 and 3.2.3.
func (x *exchange) present(ctx context.Context, own *authority) (*presented, error) {
	value, ok := x.q.pa(paTGSReq)
	if !ok {
		return nil, refuse(ErrCodePADataNoSupport, "no PA-TGS-REQ")
	}
	ap, err := parseAPReq(value)
	if err != nil {
		return nil, fmt.Errorf("AP-REQ: %w", err)
	}
	tgt := &presented{sname: ap.ticket.sname, issuer: x.kdc.Realm}
	if tgt.ticketPart, err = x.openTGT(ctx, own, &ap.ticket, &tgt.issuer); err != nil {
		return nil, err
	}
	a, err := x.openAuthenticator(&ap.authenticator, tgt.ticketPart, usageTGSAuth)
	if err != nil {
		return nil, err
	}
	if a.hasCksum { // impacket sends none, and Active Directory takes that
		if err := verify(tgt.session, a.ctype, a.cksum, x.q.body, usageTGSChecksum); err != nil {
			return nil, fmt.Errorf("checksum of the authenticator: %w", err)
		}
	}
	tgt.reply = replyKey{key: tgt.session, usage: usageTGSRepSession}
	if a.subkey != nil {
		tgt.reply = replyKey{key: a.subkey, usage: usageTGSRepSubkey}
	}
	return tgt, nil
}

// verify checks a checksum that a client made with its session key: only the type that belongs to the key will do.
func verify(key *krbcrypt.Key, ctype int32, sum, data []byte, usage uint32) error {
	if ctype != key.ChecksumType() {
		return refuse(ErrCodeInappropriateCksum, "checksum of type %d, the session key makes type %d", ctype, key.ChecksumType())
	}
	if err := key.VerifyChecksum(ctype, sum, data, usage); err != nil {
		return refuse(ErrCodeModified, "%w", err)
	}
	return nil
}

// openTGT decrypts a TGT for this realm and checks its PAC and times.
func (x *exchange) openTGT(ctx context.Context, own *authority, t *ticket, issuer *string) (*ticketPart, error) {
	k := x.kdc
	switch {
	case len(t.sname.Parts) == 2 && strings.EqualFold(t.sname.Parts[0], "krbtgt"):
		if !k.isOwnRealm(t.sname.Parts[1]) {
			return nil, refuse(ErrCodeNotUs, "a TGT for %s", t.sname.Parts[1])
		}
	case t.sname.is("krbtgt"):
	case t.sname.is("kadmin", "changepw"):
		// Its short life protects a KDC that has no other way to tell it from a TGT.
		return nil, refuse(ErrCodeTicketExpired, "a ticket for password changes is no TGT")
	default:
		return nil, refuse(ErrCodePolicy, "a ticket for %v is no TGT", t.sname)
	}
	keys, foreign := &own.keys, !k.isOwnRealm(t.realm)
	if foreign {
		ks, realm, err := x.trustKeys(ctx, t.realm)
		if err != nil {
			return nil, err
		}
		keys, *issuer = ks, realm
	}
	key, err := keys.find(&t.enc)
	if err != nil {
		return nil, err
	}
	if key.EType == krbcrypt.RC4HMAC && !foreign && own.key.EType != krbcrypt.RC4HMAC {
		return nil, refuse(ErrCodeGeneric, "a TGT encrypted in RC4").with(StatusInsufficientResources)
	}
	part := k.tickets.get(key, t.enc.cipher)
	if part == nil {
		if part, err = decryptTicket(key, t.enc.cipher); err != nil {
			return nil, err
		}
		if err := x.checkTGTPAC(part, key, keys, foreign); err != nil {
			return nil, err
		}
		k.tickets.put(key, t.enc.cipher, part)
	}
	if err := x.checkTimes(part); err != nil {
		return nil, err
	}
	if part.pac == nil && part.end.Sub(part.start) <= passwordTicketAge {
		return nil, refuse(ErrCodeTicketExpired, "the ticket lives as long as one for password changes and may be one under another name")
	}
	return part, nil
}

// trustKeys are the keys that a realm's KDC encrypts its referrals to us in.
func (x *exchange) trustKeys(ctx context.Context, realm string) (*KeySet, string, error) {
	truster, ok := x.kdc.Principals.(Truster)
	if !ok {
		return nil, "", refuse(ErrCodeNotUs, "a TGT made by %s, with which there is no trust", realm)
	}
	trust, err := truster.Trust(ctx, realm)
	if errors.Is(err, ErrUnknown) || err == nil && !strings.EqualFold(trust.Realm, realm) {
		return nil, "", refuse(ErrCodeNotUs, "a TGT made by %s, with which there is no direct trust", realm)
	}
	if err != nil {
		return nil, "", fmt.Errorf("trust with %s: %w", realm, err)
	}
	ks, err := trust.Keys(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("keys of the trust with %s: %w", realm, err)
	}
	return &ks, trust.Realm, nil
}

func decryptTicket(key *krbcrypt.Key, cipher []byte) (*ticketPart, error) {
	plain, err := key.Decrypt(nil, cipher, usageTicket)
	if err != nil {
		return nil, refuse(ErrCodeModified, "ticket: %w", err)
	}
	part, err := parseTicketPart(plain)
	if errors.Is(err, pac.ErrFormat) {
		return nil, refuse(ErrCodeModified, "ticket: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("ticket: %w", err)
	}
	return part, nil
}

// checkTGTPAC checks the PAC of a TGT. Since the updates of November 2021 one without a requestor is not taken ([MS-KILE]
// 3.3.5.7.1, CVE-2021-42287). The KDC signature of another realm's KDC cannot be checked here.
func (x *exchange) checkTGTPAC(part *ticketPart, key *krbcrypt.Key, keys *KeySet, foreign bool) error {
	if part.pac == nil {
		if _, ok := x.kdc.Principals.(Authorizer); ok {
			return refuse(ErrCodeTGTRevoked, "the TGT has no PAC")
		}
		return nil
	}
	kdcKey := (*krbcrypt.Key)(nil)
	if !foreign && part.pac.KDC != nil {
		if kdcKey = keys.signer(part.pac.KDC.Type, keyOf(keys.Keys, key.EType) != key); kdcKey == nil {
			return refuse(ErrCodeModified, "no key makes a KDC signature of type %d", part.pac.KDC.Type)
		}
	}
	if !foreign && part.pac.KDC == nil {
		return refuse(ErrCodeModified, "the PAC has no KDC signature")
	}
	if err := part.pac.Verify(key, kdcKey, nil); err != nil {
		return refuse(ErrCodeModified, "%w", err)
	}
	if err := part.checkClientInfo(); err != nil {
		return err
	}
	if part.pac.Requestor.IsZero() {
		return refuse(ErrCodeTGTRevoked, "the TGT has no requestor's SID")
	}
	return nil
}

// checkClientInfo compares a PAC with the ticket that it is in, [MS-PAC] 2.7.
func (t *ticketPart) checkClientInfo() error {
	if c := t.pac.ClientInfo; c == nil || c.Name != t.cname.String() || !c.AuthTime.Equal(t.auth) {
		return refuse(ErrCodeModified, "the PAC belongs to another ticket than that of %v", t.cname)
	}
	return nil
}

// checkTimes checks the life of a ticket against the KDC's clock, RFC 4120 3.2.3.
func (x *exchange) checkTimes(part *ticketPart) error {
	switch {
	case part.has(flagInvalid) && !x.q.option(optValidate):
		return refuse(ErrCodeTicketNotYetValid, "the ticket is marked invalid")
	case part.start.After(x.now.Add(x.kdc.Policy.skew())):
		return refuse(ErrCodeTicketNotYetValid, "the ticket starts at %v", part.start)
	case !x.now.Before(part.end):
		return refuse(ErrCodeTicketExpired, "the ticket ended at %v", part.end)
	}
	return nil
}

// openAuthenticator decrypts an authenticator and compares it with the ticket, RFC 4120 3.2.3.
func (x *exchange) openAuthenticator(enc *encrypted, part *ticketPart, usage uint32) (*authenticator, error) {
	plain, err := part.session.Decrypt(nil, enc.cipher, usage)
	if err != nil {
		return nil, refuse(ErrCodeModified, "authenticator: %w", err)
	}
	a, err := parseAuthenticator(plain)
	if errors.Is(err, krbcrypt.ErrEType) {
		return nil, refuse(ErrCodeETypeNoSupport, "subkey: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("authenticator: %w", err)
	}
	if !a.cname.EqualFold(part.cname) || !strings.EqualFold(a.crealm, part.crealm) {
		return nil, refuse(ErrCodeBadMatch, "authenticator of %v@%s with a ticket of %v@%s", a.cname, a.crealm, part.cname, part.crealm)
	}
	if d := x.now.Sub(a.ctime.Add(microseconds(a.cusec))); x.kdc.Policy.isSkewed(d) {
		return nil, refuse(ErrCodeSkew, "the client's clock is %v behind", d)
	}
	return a, nil
}

// standing checks that the TGT's client still is who it was: one that was deleted, renamed or made anew has lost its TGTs (CVE-2021-42287),
// one that may not sign in any more loses them after a while ([MS-KILE] 3.3.5.7.1). Clients of other realms are their KDC's business.
func (x *exchange) standing(ctx context.Context, tgt *presented) error {
	if !x.kdc.isOwnRealm(tgt.crealm) {
		return nil
	}
	client, err := x.kdc.Principals.Client(ctx, tgt.cname)
	var wrong *WrongRealmError
	switch {
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrDuplicate), errors.As(err, &wrong):
		return refuse(ErrCodeTGTRevoked, "client %v of the TGT: %w", tgt.cname, err)
	case err != nil:
		return fmt.Errorf("client %v: %w", tgt.cname, err)
	case tgt.pac != nil && tgt.pac.Requestor != client.SID:
		return refuse(ErrCodeTGTRevoked, "%v has SID %v, the TGT was made for %v", tgt.cname, client.SID, tgt.pac.Requestor)
	}
	tgt.client = client
	if x.now.Sub(tgt.auth) > standingAge {
		return restricted(client)
	}
	return nil
}

// wantsPAC tells whether the client wanted a PAC when it signed in.
func (tgt *presented) wantsPAC() bool {
	return tgt.pac != nil && (tgt.pac.Attributes == nil || *tgt.pac.Attributes != 0)
}

// ticketPAC is the PAC of a ticket that is got with a TGT.
func (x *exchange) ticketPAC(ctx context.Context, tgt *presented, t *target) (*pac.PAC, error) {
	switch {
	case tgt.pac == nil:
		return nil, nil
	case t.kind == toTGS, t.kind == toRealm:
		return tgt.pac, nil
	case !tgt.wantsPAC():
		return nil, nil
	}
	return x.servicePAC(ctx, tgt.pac, t)
}

// fromTGT begins a ticket that is got with a TGT: its client, times and flags, RFC 4120 3.3.3.
func (x *exchange) fromTGT(tgt *presented, t *target) (*grant, error) {
	k, q := x.kdc, x.q
	now := x.now.Truncate(time.Second)
	g := &grant{
		target: t, crealm: tgt.crealm, cname: tgt.cname, transited: x.transited(tgt), auth: tgt.auth, start: now,
		flags: tgt.flags & (flagPreAuthent | flagEncPARep | flagForwarded | flagProxy),
	}
	life := k.Policy.serviceAge()
	if t.kind == toPassword {
		life = passwordTicketAge
	}
	g.end = earliest(wanted(q.till, now.Add(life)), tgt.end)
	if !g.end.After(now) {
		return nil, refuse(ErrCodeNeverValid, "the ticket would end at %v", g.end)
	}
	if q.option(optRenewable) && tgt.has(flagRenewable) && t.kind != toPassword {
		g.flags |= flagRenewable
		g.renew = earliest(wanted(q.rtime, tgt.renew), tgt.renew)
	}
	g.flags |= q.options & tgt.flags & (optForwardable | optProxiable)
	if t.principal != nil && t.principal.TrustedForDelegation && t.kind == toService {
		g.flags |= flagOKAsDelegate
	}
	return g, nil
}

// transited adds the realm that referred the client to us, when it is not the client's own, RFC 4120 3.3.3.2.
func (x *exchange) transited(tgt *presented) string {
	if strings.EqualFold(tgt.issuer, tgt.crealm) || x.kdc.isOwnRealm(tgt.issuer) {
		return tgt.transited
	}
	if slices.ContainsFunc(strings.Split(tgt.transited, ","), func(r string) bool { return strings.EqualFold(r, tgt.issuer) }) {
		return tgt.transited
	}
	if tgt.transited == "" {
		return tgt.issuer
	}
	return tgt.transited + "," + tgt.issuer
}

// serviceTicket is the ordinary case: a ticket for a service, another TGT, or a referral.
func (x *exchange) serviceTicket(ctx context.Context, own *authority, tgt *presented) ([]byte, error) {
	q := x.q
	t, err := x.findTarget(ctx, own, q.sname)
	if err != nil {
		return nil, err
	}
	g, err := x.fromTGT(tgt, t)
	if err != nil {
		return nil, err
	}
	if q.option(optForwarded) {
		if !tgt.has(flagForwardable) {
			return nil, refuse(ErrCodeBadOption, "the TGT is not forwardable")
		}
		g.flags |= flagForwarded
	}
	if q.option(optProxy) {
		if !tgt.has(flagProxiable) || t.kind == toTGS {
			return nil, refuse(ErrCodeBadOption, "the TGT is not proxiable")
		}
		g.flags |= flagProxy
	}
	if q.option(optEncTktInSkey) {
		if err := x.userToUser(ctx, own, t); err != nil {
			return nil, err
		}
	}
	if g.pac, err = x.ticketPAC(ctx, tgt, t); err != nil {
		return nil, err
	}
	return x.tgsReply(g, own, tgt, nil)
}

// tgsReply is the end of every TGS exchange.
func (x *exchange) tgsReply(g *grant, own *authority, tgt *presented, padata []paData) ([]byte, error) {
	encPA, err := x.encPA(g.target, nil)
	if err != nil {
		return nil, err
	}
	return x.issue(g, own, tgt.reply, padata, encPA, time.Time{})
}

// userToUser makes the ticket one that is encrypted in the session key of the service's own TGT, RFC 4120 3.3.3 and 3.7.
func (x *exchange) userToUser(ctx context.Context, own *authority, t *target) error {
	if t.kind != toService {
		return refuse(ErrCodeBadOption, "user-to-user with %v", t.name)
	}
	if len(x.q.tickets) == 0 {
		return refuse(ErrCodeBadOption, "user-to-user without the service's TGT")
	}
	issuer := x.kdc.Realm
	other, err := x.openTGT(ctx, own, &x.q.tickets[0], &issuer)
	if err != nil {
		return err
	}
	if !x.kdc.isOwnRealm(issuer) || !x.kdc.isOwnRealm(other.crealm) {
		return refuse(ErrCodePolicy, "user-to-user with a service of %s", other.crealm)
	}
	owner := &presented{ticketPart: other}
	if err := x.standing(ctx, owner); err != nil {
		return err
	}
	if !owner.client.same(t.principal) {
		return refuse(ErrCodeBadMatch, "the TGT of %v for user-to-user with %v", other.cname, t.name)
	}
	t.key, t.version = other.session, 0
	return nil
}

// prolong renews or validates a TGT, RFC 4120 3.3.3: what is in it stays as it was.
func (x *exchange) prolong(ctx context.Context, own *authority, tgt *presented) ([]byte, error) {
	q := x.q
	t, err := x.findTarget(ctx, own, q.sname)
	if err != nil {
		return nil, err
	}
	if t.kind != toTGS {
		return nil, refuse(ErrCodePolicy, "renewal of a TGT as a ticket for %v", q.sname)
	}
	g := &grant{
		target: t, crealm: tgt.crealm, cname: tgt.cname, transited: tgt.transited, flags: tgt.flags &^ (flagInitial | flagInvalid),
		auth: tgt.auth, start: x.now.Truncate(time.Second), end: tgt.end, renew: tgt.renew, pac: tgt.pac,
	}
	if q.option(optValidate) {
		switch {
		case !tgt.has(flagInvalid):
			return nil, refuse(ErrCodeBadOption, "the ticket needs no validation")
		case tgt.start.After(x.now):
			return nil, refuse(ErrCodeTicketNotYetValid, "the ticket starts at %v", tgt.start)
		}
		g.start = tgt.start
		return x.tgsReply(g, own, tgt, nil)
	}
	if !tgt.has(flagRenewable) {
		return nil, refuse(ErrCodeBadOption, "the TGT is not renewable")
	}
	if !x.now.Before(tgt.renew) {
		return nil, refuse(ErrCodeTicketExpired, "the TGT could be renewed until %v", tgt.renew)
	}
	g.end = earliest(g.start.Add(tgt.end.Sub(tgt.start)), tgt.renew)
	return x.tgsReply(g, own, tgt, nil)
}
