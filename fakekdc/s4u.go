package fakekdc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// paS4UX509User is PA-S4U-X509-USER, [MS-SFU] 2.2.2, which also names users without a certificate.
const paS4UX509User = 130

// Key usages of PA-S4U-X509-USER, [MS-SFU] 2.2.2.
const (
	usageS4URequest = 26
	usageS4UReply   = 27
)

// s4uUseReplyKeyUsage is the option of S4UUserID by which the client asks for a reply signed with usageS4UReply.
const s4uUseReplyKeyUsage uint32 = 1 << 29

// checksumMD4 is RSA-MD4 (RFC 3961 6.2.1), which clients with RC4 keys put into PA-S4U-X509-USER; the request as a whole is
// protected by the authenticator.
const checksumMD4 = 2

// onBehalf is the user that a service asks a ticket to itself for.
type onBehalf struct {
	name  Name
	realm string
	// Of PA-S4U-X509-USER, for the reply:
	x509    bool
	nonce   int64
	options uint32
	ctype   int32
	cksum   []byte
}

// s4uUser reads whom a request is on behalf of, nil for an ordinary request.
func (x *exchange) s4uUser(tgt *presented) (*onBehalf, error) {
	if value, ok := x.q.pa(paS4UX509User); ok {
		return x.s4uX509User(tgt, value)
	}
	value, ok := x.q.pa(paForUser)
	if !ok {
		return nil, nil
	}
	r := sequence(value)
	u := &onBehalf{name: r.name(0), realm: r.text(1)}
	c := r.inner(2)
	u.ctype, u.cksum = int32(c.integer(0)), c.octets(1)
	r.adopt(c)
	pkg := r.text(3)
	if r.err != nil {
		return nil, fmt.Errorf("PA-FOR-USER: %w", r.err)
	}
	// [MS-SFU] 2.2.1: the name's type, its parts, the realm and the package, one after the other.
	data := binary.LittleEndian.AppendUint32(nil, uint32(u.name.Type))
	data = append(data, strings.Join(u.name.Parts, "")+u.realm+pkg...)
	if u.ctype != krbcrypt.ChecksumHMACMD5 {
		return nil, refuse(ErrCodeInappropriateCksum, "PA-FOR-USER with a checksum of type %d", u.ctype)
	}
	if err := tgt.session.VerifyChecksum(u.ctype, u.cksum, data, usageForUser); err != nil {
		return nil, refuse(ErrCodeModified, "PA-FOR-USER: %w", err)
	}
	return u, nil
}

func (x *exchange) s4uX509User(tgt *presented, value []byte) (*onBehalf, error) {
	r := sequence(value)
	id := r.want(tagContext + 0)
	s := sequence(id)
	u := &onBehalf{x509: true, nonce: s.integer(0)}
	if s.next(tagContext + 1) {
		u.name = s.name(1)
	}
	u.realm = s.text(2)
	if s.next(tagContext + 3) {
		s.octets(3) // a certificate
	}
	if s.next(tagContext + 4) {
		u.options = s.flags(4)
	}
	r.adopt(s)
	c := r.inner(1)
	u.ctype, u.cksum = int32(c.integer(0)), c.octets(1)
	r.adopt(c)
	if r.err != nil {
		return nil, fmt.Errorf("PA-S4U-X509-USER: %w", r.err)
	}
	if len(u.name.Parts) == 0 {
		return nil, refuse(ErrCodePADataNoSupport, "a user named by a certificate is not modelled").with(StatusNotSupported)
	}
	if u.ctype == checksumMD4 && tgt.reply.key.EType == krbcrypt.RC4HMAC {
		if !bytes.Equal(u.cksum, sumMD4(id)) {
			return nil, refuse(ErrCodeModified, "PA-S4U-X509-USER: %w", krbcrypt.ErrIntegrity)
		}
		return u, nil
	}
	if err := verify(tgt.reply.key, u.ctype, u.cksum, id, usageS4URequest); err != nil {
		return nil, fmt.Errorf("PA-S4U-X509-USER: %w", err)
	}
	return u, nil
}

// sumMD4 is MD4, which is what an NT hash is too.
func sumMD4(b []byte) []byte { return krbcrypt.NTKey(b).Value }

// reply is PA-S4U-X509-USER of the reply, [MS-SFU] 3.2.5.1.2. With an RC4 key the encrypted part repeats both checksums.
func (u *onBehalf) reply(key *krbcrypt.Key) (padata, encPA []paData) {
	if !u.x509 {
		return nil, nil
	}
	w := newWriter(192)
	w.flags(4, u.options&s4uUseReplyKeyUsage)
	w.text(2, u.realm)
	w.name(1, u.name)
	w.integer(0, u.nonce)
	w.wrap(tagSequence, 0)
	id := w.bytes()
	usage := uint32(usageS4URequest)
	if u.options&s4uUseReplyKeyUsage != 0 {
		usage = usageS4UReply
	}
	var sum []byte
	if u.ctype == checksumMD4 {
		sum = sumMD4(id)
	} else {
		sum = key.Checksum(nil, id, usage)
	}
	w = newWriter(256)
	w.raw(checksumData(u.ctype, sum))
	w.wrap(tagContext+1, 0)
	m := w.mark()
	w.raw(id)
	w.wrap(tagContext+0, m)
	w.wrap(tagSequence, 0)
	padata = []paData{{paS4UX509User, w.bytes()}}
	if key.EType == krbcrypt.RC4HMAC {
		encPA = []paData{{paS4UX509User, append(bytes.Clone(u.cksum), sum...)}}
	}
	return padata, encPA
}

// self tells whether a server's name is the account itself. An account without a service principal name is found by its own name
// only when it is a service account ([MS-SFU] 3.2.5.1.1).
func (x *exchange) self(ctx context.Context, own *authority, account *Principal, name Name) (*target, error) {
	t, err := x.findTarget(ctx, own, name)
	if e := (*refusal)(nil); errors.As(err, &e) && e.code == ErrCodeServerUnknown && errors.Is(err, ErrUnknown) && account.ServiceAccount {
		if p, clientErr := x.kdc.Principals.Client(ctx, name); clientErr == nil && p.same(account) {
			return x.accountTarget(ctx, account, name)
		}
	}
	if err != nil {
		return nil, err
	}
	if t.kind != toService || !t.principal.same(account) {
		return nil, refuse(ErrCodeBadMatch, "%v is not the account of %v", name, account.Name)
	}
	return t, nil
}

// accountTarget is an account as a service, without a look-up by service principal name.
func (x *exchange) accountTarget(ctx context.Context, p *Principal, name Name) (*target, error) {
	ks, err := p.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("keys of %v: %w", p.Name, err)
	}
	t := &target{name: name, principal: p, version: ks.Version, supported: x.kdc.supportedETypes(p, ks.Keys)}
	if t.key = strongest(ks.Keys, t.supported); t.key == nil {
		return nil, refuse(ErrCodeETypeNoSupport, "%v supports %#x and has no such key", p.Name, t.supported)
	}
	return t, x.chooseSession(t)
}

// s4uSelf is S4U2Self, [MS-SFU] 3.2.5.1: a ticket to the service itself in the name of a user who did not sign in.
func (x *exchange) s4uSelf(ctx context.Context, own *authority, tgt *presented, u *onBehalf) ([]byte, error) {
	x.record.OnBehalfOf = u.name
	if tgt.client == nil {
		return nil, refuse(ErrCodePolicy, "S4U2Self for a service of %s is not modelled", tgt.crealm).with(StatusNotSupported)
	}
	t, err := x.self(ctx, own, tgt.client, x.q.sname)
	if err != nil {
		return nil, err
	}
	if u.name.Type != NameEnterprise && !x.kdc.isOwnRealm(u.realm) {
		return nil, refuse(ErrCodeClientUnknown, "user %v of realm %s", u.name, u.realm)
	}
	user, err := x.findClient(ctx, u.name)
	if err != nil {
		return nil, err
	}
	if err := restricted(user); err != nil {
		return nil, err
	}
	g, err := x.fromTGT(tgt, t)
	if err != nil {
		return nil, err
	}
	g.crealm, g.cname = x.kdc.Realm, u.name
	if u.name.Type == NameEnterprise || x.q.option(optCanonicalize) {
		g.cname = Name{NamePrincipal, user.Name.Parts}
	}
	if !forwardableToSelf(tgt.client, user) {
		g.flags &^= flagForwardable
	}
	if x.q.option(optEncTktInSkey) {
		if err := x.userToUser(ctx, own, t); err != nil {
			return nil, err
		}
	}
	if g.pac, err = x.s4uPAC(ctx, g, user); err != nil {
		return nil, err
	}
	padata, enc := u.reply(tgt.reply.key)
	encPA, err := x.encPA(t, nil)
	if err != nil {
		return nil, err
	}
	return x.issue(g, own, tgt.reply, padata, append(encPA, enc...), time.Time{})
}

// forwardableToSelf tells whether a service may get a forwardable ticket in the name of a user, [MS-SFU] 3.2.5.1.2: when it is
// trusted to authenticate, or when it has no list of services to delegate to, so that only those services that name it can take it.
func forwardableToSelf(service, user *Principal) bool {
	if user.NotDelegated || user.ProtectedUser {
		return false
	}
	return service.TrustedToAuthForDelegation || len(service.AllowedToDelegateTo) == 0
}

// s4uPAC is the PAC of a user who did not sign in: the service asserts the identity, not an authority ([MS-SFU] 3.2.5.1.2,
// [MS-KILE] 3.3.5.7).
func (x *exchange) s4uPAC(ctx context.Context, g *grant, user *Principal) (*pac.PAC, error) {
	p, err := x.logonPAC(ctx, user, g.cname, g.auth)
	if err != nil || p == nil {
		return nil, err
	}
	if p.LogonInfo != nil {
		info := *p.LogonInfo
		info.ExtraSIDs = make([]pac.SIDAndAttributes, len(p.LogonInfo.ExtraSIDs))
		for i, s := range p.LogonInfo.ExtraSIDs {
			if s.SID == security.AuthenticationAuthorityAssert {
				s.SID = security.ServiceAsserted
			}
			info.ExtraSIDs[i] = s
		}
		p.LogonInfo = &info
	}
	return x.servicePAC(ctx, p, g.target)
}

// s4uProxy is S4U2Proxy, [MS-SFU] 3.2.5.2: a ticket to another service in the name of the user whose ticket to the asking service is
// the evidence.
func (x *exchange) s4uProxy(ctx context.Context, own *authority, tgt *presented) ([]byte, error) {
	q := x.q
	if len(q.tickets) == 0 {
		return nil, refuse(ErrCodeBadOption, "S4U2Proxy without evidence")
	}
	if tgt.client == nil {
		return nil, refuse(ErrCodeBadOption, "S4U2Proxy for a service of %s is not modelled", tgt.crealm).with(StatusNotSupported)
	}
	evidence, err := x.evidence(ctx, own, tgt.client, &q.tickets[0])
	if err != nil {
		return nil, err
	}
	x.record.OnBehalfOf = evidence.cname
	t, err := x.findTarget(ctx, own, q.sname)
	if err != nil {
		return nil, err
	}
	if t.kind != toService {
		return nil, refuse(ErrCodeBadOption, "delegation to %v", t.name).with(StatusNotSupported)
	}
	if err := x.mayDelegate(ctx, tgt, evidence, t); err != nil {
		return nil, err
	}
	g, err := x.fromTGT(tgt, t)
	if err != nil {
		return nil, err
	}
	g.crealm, g.cname, g.auth, g.transited = evidence.crealm, evidence.cname, evidence.auth, evidence.transited
	g.end = earliest(g.end, evidence.end)
	g.flags = g.flags&^flagPreAuthent | evidence.flags&flagPreAuthent
	if !evidence.renew.IsZero() && !g.renew.IsZero() {
		g.renew = earliest(g.renew, evidence.renew)
	}
	if evidence.pac != nil {
		p := *evidence.pac
		d := pac.DelegationInfo{Target: q.sname.String()}
		if p.Delegation != nil {
			d.Transited = append(d.Transited, p.Delegation.Transited...)
		}
		d.Transited = append(d.Transited, tgt.client.Name.String()+"@"+x.kdc.Realm)
		p.Delegation = &d
		if g.pac, err = x.servicePAC(ctx, &p, t); err != nil {
			return nil, err
		}
	}
	return x.tgsReply(g, own, tgt, nil)
}

// evidence opens a user's ticket to the asking service and checks all its signatures. One without the ticket signature was not
// made by a KDC of today ([MS-PAC] 2.8.3, CVE-2020-17049).
func (x *exchange) evidence(ctx context.Context, own *authority, service *Principal, t *ticket) (*ticketPart, error) {
	if !x.kdc.isOwnRealm(t.realm) {
		return nil, refuse(ErrCodeBadOption, "evidence made by %s is not modelled", t.realm).with(StatusNotSupported)
	}
	holder, err := x.self(ctx, own, service, t.sname)
	if err != nil {
		return nil, err
	}
	ks, err := holder.principal.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("keys of %v: %w", service.Name, err)
	}
	key, err := ks.find(&t.enc)
	if err != nil {
		return nil, err
	}
	part, err := decryptTicket(key, t.enc.cipher)
	if err != nil {
		return nil, err
	}
	if err := x.checkTimes(part); err != nil {
		return nil, err
	}
	if part.pac == nil {
		if _, ok := x.kdc.Principals.(Authorizer); ok {
			return nil, refuse(ErrCodeBadOption, "the evidence has no PAC").with(StatusNotSupported)
		}
		return part, nil
	}
	if part.pac.Ticket == nil || part.pac.Full == nil || part.pac.KDC == nil {
		return nil, refuse(ErrCodeGeneric, "the evidence lacks a signature")
	}
	if err := part.checkClientInfo(); err != nil {
		return nil, err
	}
	unsigned := wholeTicketPart(part.fields, placeholder)
	for _, previous := range []bool{false, true} {
		if kdcKey := own.keys.signer(part.pac.KDC.Type, previous); kdcKey == nil {
			continue
		} else if err = part.pac.Verify(key, kdcKey, unsigned); err == nil {
			return part, nil
		}
	}
	return nil, refuse(ErrCodeModified, "evidence: %w", errors.Join(err, pac.ErrSignature))
}

// mayDelegate decides on constrained and then on resource-based delegation, [MS-SFU] 3.2.5.2.1 to 3.2.5.2.3, each refusal with its
// own NTSTATUS.
func (x *exchange) mayDelegate(ctx context.Context, tgt *presented, evidence *ticketPart, t *target) error {
	service := tgt.client
	for _, spn := range service.AllowedToDelegateTo {
		if !strings.EqualFold(spn, x.q.sname.String()) {
			continue
		}
		if !evidence.has(flagForwardable) {
			return refuse(ErrCodeBadOption, "the evidence is not forwardable").with(StatusAccountRestriction)
		}
		return nil
	}
	options, _, err := x.q.pacOptions()
	if err != nil {
		return err
	}
	if options&pacOptionRBCD == 0 {
		return refuse(ErrCodeBadOption, "%v may not delegate to %v", service.Name, t.name).with(StatusNotSupported)
	}
	if !x.actsFor(tgt, t.principal.AllowedToAct) {
		return refuse(ErrCodeBadOption, "%v is not allowed to act on behalf of others at %v", service.Name, t.name).with(StatusNotFound)
	}
	if evidence.has(flagForwardable) || !x.kdc.isOwnRealm(evidence.crealm) {
		return nil
	}
	user, err := x.findClient(ctx, evidence.cname)
	if err != nil {
		return err
	}
	if user.NotDelegated || user.ProtectedUser {
		return refuse(ErrCodeBadOption, "%v may not be delegated", user.Name).with(StatusAccountRestriction)
	}
	return nil
}

// actsFor runs the access check on msDS-AllowedToActOnBehalfOfOtherIdentity with the service's token, [MS-SFU] 3.2.5.2.3. Any
// right granted will do, as the tools that write the attribute grant all.
func (x *exchange) actsFor(tgt *presented, allowed *security.Descriptor) bool {
	if allowed == nil {
		return false
	}
	sids := []security.SID{tgt.client.SID}
	if tgt.pac != nil {
		sids = append(sids, tgt.pac.SIDs()...)
	}
	token := security.NewToken(sids[0], append(sids[1:], security.Everyone, security.AuthenticatedUsers)...)
	return allowed.Allows(token, security.RightControlAccess, security.ObjectTypes{}, security.SID{})
}
