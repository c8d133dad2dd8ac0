package fakekdc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// authority is krbtgt of the realm, with the keys that TGTs are encrypted and PACs signed in.
type authority struct {
	principal *Principal
	keys      KeySet
	key       *krbcrypt.Key // the strongest
}

// authority finds the KDC's own account. Without it the KDC is like one that is starting: error 29.
func (k *KDC) authority(ctx context.Context) (*authority, error) {
	p, err := k.Principals.Server(ctx, k.ownName())
	if err != nil {
		if errors.Is(err, ErrUnknown) {
			return nil, refuse(ErrCodeServiceUnavailable, "own account: %w", err)
		}
		return nil, fmt.Errorf("own account: %w", err)
	}
	ks, err := p.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("keys of the own account: %w", err)
	}
	a := &authority{p, ks, strongest(ks.Keys, etypeBits)}
	if a.key == nil {
		return nil, refuse(ErrCodeServiceUnavailable, "own account has no key")
	}
	return a, nil
}

// key finds the key that a ticket for this account was encrypted in.
func (ks *KeySet) find(e *encrypted) (*krbcrypt.Key, error) {
	keys := ks.Keys
	if e.hasKvno && int(e.kvno) != ks.Version {
		if int(e.kvno) != ks.Version-1 || len(ks.Previous) == 0 {
			return nil, refuse(ErrCodeBadKeyVersion, "key version %d, the current one is %d", e.kvno, ks.Version)
		}
		keys = ks.Previous
	}
	k := keyOf(keys, e.etype)
	if k == nil {
		return nil, refuse(ErrCodeModified, "no key of encryption type %d", e.etype)
	}
	return k, nil
}

// signer is the key that makes a checksum type, among keys that encrypted a ticket's PAC.
func (ks *KeySet) signer(ctype int32, previous bool) *krbcrypt.Key {
	keys := ks.Keys
	if previous {
		keys = ks.Previous
	}
	for _, k := range keys {
		if k.ChecksumType() == ctype {
			return k
		}
	}
	return nil
}

// What kind of service a ticket is for.
type targetKind uint8

const (
	toService  targetKind = iota
	toTGS                 // krbtgt of this realm
	toPassword            // kadmin/changepw
	toRealm               // krbtgt of another realm
)

// target is the service that a ticket is for.
type target struct {
	kind      targetKind
	name      Name
	principal *Principal // nil for another realm
	key       *krbcrypt.Key
	version   int    // of key; 0: the key is a session key
	supported uint32 // encryption types
	session   int32  // encryption type of the session key
}

// findTarget finds the service that a request names, its key and the encryption types: [MS-KILE] 3.3.5.6 and 3.3.5.7.
func (x *exchange) findTarget(ctx context.Context, own *authority, name Name) (*target, error) {
	q, k := x.q, x.kdc
	t := &target{name: name, principal: own.principal}
	var ks KeySet
	switch {
	case len(name.Parts) == 0:
		return nil, refuse(ErrCodeServerUnknown, "no server name in the request")
	case name.is("krbtgt"), len(name.Parts) == 2 && name.is("krbtgt", name.Parts[1]) && k.isOwnRealm(name.Parts[1]):
		t.kind, ks = toTGS, own.keys
		if q.option(optCanonicalize) {
			t.name = k.ownName()
		}
	case name.is("kadmin", "changepw"):
		t.kind, ks = toPassword, own.keys
	case len(name.Parts) == 2 && name.is("krbtgt", name.Parts[1]):
		if q.kind == msgASReq {
			return nil, refuse(ErrCodeServerUnknown, "a TGT of another realm is got with a TGT of this one")
		}
		return x.findRealm(ctx, name.Parts[1])
	default:
		p, err := k.Principals.Server(ctx, name)
		if err != nil {
			return x.elsewhere(ctx, name, err)
		}
		if p.Restriction == StatusAccountDisabled {
			return nil, refuse(ErrCodeServerUnknown, "the account of %v is disabled", name)
		}
		if ks, err = p.Keys(ctx); err != nil {
			return nil, fmt.Errorf("keys of %v: %w", name, err)
		}
		t.principal = p
	}
	if len(ks.Keys) == 0 {
		return nil, refuse(ErrCodeNullKey, "%v has no key", name)
	}
	t.supported, t.version = k.supportedETypes(t.principal, ks.Keys), ks.Version
	if t.kind != toService {
		t.supported = k.allowed(etypesOf(ks.Keys)) // krbtgt, whatever its account says
	}
	if t.key = strongest(ks.Keys, t.supported); t.key == nil {
		return nil, refuse(ErrCodeETypeNoSupport, "%v supports %#x and has no such key", name, t.supported)
	}
	return t, x.chooseSession(t)
}

func (x *exchange) chooseSession(t *target) error {
	t.session = sessionEType(x.q.etypes, t.supported)
	if t.session == 0 {
		return refuse(ErrCodeETypeNoSupport, "the client offers %v, %v supports %#x", x.q.etypes, t.name, t.supported)
	}
	return nil
}

// elsewhere looks for a service that is not of this realm. Clients that did not ask for canonicalisation do not understand
// referrals ([MS-KILE] 3.3.5.7.5, RFC 6806 8).
func (x *exchange) elsewhere(ctx context.Context, name Name, cause error) (*target, error) {
	var realm string
	var wrong *WrongRealmError
	switch truster, ok := x.kdc.Principals.(Truster); {
	case x.q.kind != msgTGSReq || !x.q.option(optCanonicalize):
	case errors.As(cause, &wrong):
		realm = wrong.Realm
	case ok && errors.Is(cause, ErrUnknown):
		var err error
		if realm, err = truster.Locate(ctx, name); err != nil {
			return nil, fmt.Errorf("locate %v: %w", name, err)
		}
	}
	if realm == "" || x.kdc.isOwnRealm(realm) {
		if errors.As(cause, &wrong) {
			return nil, refuse(ErrCodeServerUnknown, "server %v: %w", name, cause)
		}
		return nil, serverError(name, cause)
	}
	return x.findRealm(ctx, realm)
}

// findRealm is the TGS of another realm, or of the realm on the way to it.
func (x *exchange) findRealm(ctx context.Context, realm string) (*target, error) {
	truster, ok := x.kdc.Principals.(Truster)
	if !ok {
		return nil, refuse(ErrCodeServerUnknown, "no trust with %s", realm)
	}
	trust, err := truster.Trust(ctx, realm)
	if err != nil {
		return nil, serverError(Name{Parts: []string{"krbtgt", realm}}, err)
	}
	ks, err := trust.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("keys of the trust with %s: %w", trust.Realm, err)
	}
	t := &target{kind: toRealm, name: Name{NameService, []string{"krbtgt", trust.Realm}}, version: ks.Version}
	if t.supported = trust.SupportedETypes & etypeBits; t.supported == 0 {
		t.supported = etypesOf(ks.Keys)
	}
	if t.key = strongest(ks.Keys, t.supported); t.key == nil {
		return nil, refuse(ErrCodeETypeNoSupport, "the trust with %s has no key of %#x", trust.Realm, t.supported)
	}
	x.record.Referral = trust.Realm
	return t, x.chooseSession(t)
}

// grant is a ticket that is about to be issued.
type grant struct {
	target    *target
	crealm    string
	cname     Name
	flags     uint32
	transited string
	auth      time.Time
	start     time.Time
	end       time.Time
	renew     time.Time
	pac       *pac.PAC // nil: none
	// session is the session key, made by issue when nil.
	session *krbcrypt.Key
}

// seal makes the ticket. The session key has been chosen.
func (x *exchange) seal(g *grant, own *authority) (ticket, error) {
	t := g.target
	part := &ticketPart{
		flags: g.flags, session: g.session, crealm: g.crealm, cname: g.cname, transited: g.transited,
		auth: g.auth, start: g.start, end: g.end, renew: g.renew,
	}
	fields := part.encodeFields()
	var encoded []byte
	if g.pac != nil {
		o := pac.SignOptions{ServerKey: t.key, KDCKey: own.key}
		if t.kind == toService {
			o.TicketPart, o.Full = wholeTicketPart(fields, placeholder), true
		}
		var err error
		if encoded, err = g.pac.Sign(o); err != nil {
			return ticket{}, err
		}
	}
	cipher, err := t.key.Encrypt(nil, wholeTicketPart(fields, encoded), usageTicket, random{x.kdc})
	if err != nil {
		return ticket{}, err
	}
	return ticket{
		realm: x.kdc.Realm, sname: t.name,
		enc: encrypted{etype: t.key.EType, kvno: int64(t.version), hasKvno: t.version != 0, cipher: cipher},
	}, nil
}

// replyKey is what the part of a reply that is for the client's eyes is encrypted in.
type replyKey struct {
	key     *krbcrypt.Key
	usage   uint32
	version int // 0: not a long-term key
}

// issue makes the ticket and the reply around it, RFC 4120 5.4.2.
func (x *exchange) issue(g *grant, own *authority, rk replyKey, padata, encPA []paData, expires time.Time) ([]byte, error) {
	if g.session == nil {
		var err error
		if g.session, err = krbcrypt.RandomKey(g.target.session, random{x.kdc}); err != nil {
			return nil, err
		}
	}
	t, err := x.seal(g, own)
	if err != nil {
		return nil, err
	}
	cipher, err := rk.key.Encrypt(nil, x.encodeReplyPart(g, encPA, expires), rk.usage, random{x.kdc})
	if err != nil {
		return nil, err
	}
	x.note(g, &t, rk.key.EType)

	reply := int64(msgASRep)
	if x.q.kind == msgTGSReq {
		reply = msgTGSRep
	}
	w := newWriter(len(t.enc.cipher) + len(cipher) + 384)
	w.encrypted(6, encrypted{etype: rk.key.EType, kvno: int64(rk.version), hasKvno: rk.version != 0, cipher: cipher})
	w.ticket(5, t)
	w.name(4, g.cname)
	w.text(3, g.crealm)
	if len(padata) > 0 {
		m := w.mark()
		w.paList(padata)
		w.wrap2(2, tagSequence, m)
	}
	w.integer(1, reply)
	w.integer(0, 5)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+byte(reply), 0)
	return w.bytes(), nil
}

// epoch is the value of a last-req that says nothing.
var epoch = time.Unix(0, 0).UTC()

// lastReqExpiry is the type of a last-req that holds the time of the password's expiration, RFC 4120 5.4.2.
const lastReqExpiry = 6

// encodeReplyPart is EncASRepPart or EncTGSRepPart.
func (x *exchange) encodeReplyPart(g *grant, encPA []paData, expires time.Time) []byte {
	w := newWriter(384)
	if len(encPA) > 0 {
		w.paList(encPA)
		w.wrap2(12, tagSequence, 0)
	}
	w.name(10, g.target.name)
	w.text(9, x.kdc.Realm)
	if !g.renew.IsZero() {
		w.time(8, g.renew)
	}
	w.time(7, g.end)
	w.time(6, g.start)
	w.time(5, g.auth)
	w.flags(4, g.flags)
	kind, at := int64(0), epoch
	if !expires.IsZero() {
		kind, at = lastReqExpiry, expires
		w.time(3, expires)
	}
	w.integer(2, x.q.nonce)
	m := w.mark()
	w.time(1, at)
	w.integer(0, kind)
	w.wrap(tagSequence, m)
	w.wrap2(1, tagSequence, m)
	w.key(0, g.session)
	w.wrap(tagSequence, 0)
	tag := byte(msgEncAS)
	if x.q.kind == msgTGSReq {
		tag = msgEncTGS
	}
	w.wrap(tagApplication+tag, 0)
	return w.bytes()
}

// note writes the ticket into the record of the exchange.
func (x *exchange) note(g *grant, t *ticket, reply int32) {
	r := &x.record
	r.Server, r.ServerRealm = t.sname, t.realm
	r.TicketEType, r.SessionEType, r.ReplyEType = t.enc.etype, g.session.EType, reply
	r.KeyVersion, r.Flags, r.PAC = int(t.enc.kvno), g.flags, g.pac != nil
	r.AuthTime, r.StartTime, r.EndTime, r.RenewTill = g.auth, g.start, g.end, g.renew
}

// servicePAC makes the PAC of a service ticket from one of a TGT, of a fresh logon or of evidence: what belongs only into TGTs goes,
// the domain-local groups of the service's domain come ([MS-KILE] 3.3.5.7.3, 3.3.5.7.4).
func (x *exchange) servicePAC(ctx context.Context, from *pac.PAC, t *target) (*pac.PAC, error) {
	if t.principal.NoAuthData {
		return nil, nil
	}
	p := *from
	p.Attributes, p.Requestor = nil, security.SID{}
	authorizer, ok := x.kdc.Principals.(Authorizer)
	if p.LogonInfo == nil || !ok {
		return &p, nil
	}
	info := *p.LogonInfo
	info.UserFlags &^= pac.UserFlagResourceGroups
	info.ResourceGroupDomain, info.ResourceGroups = security.SID{}, nil
	p.LogonInfo = &info
	domain, groups, err := authorizer.ResourceGroups(ctx, t.principal, p.SIDs())
	if err != nil {
		return nil, fmt.Errorf("resource groups: %w", err)
	}
	switch {
	case len(groups) == 0:
	case t.principal.SupportedETypes&ETypeBitNoSIDCompression != 0:
		extra := make([]pac.SIDAndAttributes, 0, len(info.ExtraSIDs)+len(groups))
		extra = append(extra, info.ExtraSIDs...)
		for _, g := range groups {
			extra = append(extra, pac.SIDAndAttributes{SID: domain.Append(g.RID), Attributes: g.Attributes})
		}
		info.ExtraSIDs = extra
		info.UserFlags |= pac.UserFlagExtraSIDs
	default:
		info.ResourceGroupDomain, info.ResourceGroups = domain, groups
		info.UserFlags |= pac.UserFlagResourceGroups
	}
	return &p, nil
}

// logonPAC is the PAC of a fresh logon, nil without an [Authorizer].
func (x *exchange) logonPAC(ctx context.Context, client *Principal, cname Name, auth time.Time) (*pac.PAC, error) {
	authorizer, ok := x.kdc.Principals.(Authorizer)
	if !ok {
		return nil, nil
	}
	base, err := authorizer.Authorize(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("authorize %v: %w", client.Name, err)
	}
	p := *base
	p.ClientInfo = &pac.ClientInfo{AuthTime: auth, Name: cname.String()}
	return &p, nil
}

// earliest is the first of some times.
func earliest(t time.Time, others ...time.Time) time.Time {
	for _, o := range others {
		if o.Before(t) {
			t = o
		}
	}
	return t
}

// wanted is the end of a ticket that a client wishes. No time and the epoch mean as long as possible (RFC 4120 5.4.1).
func wanted(till, limit time.Time) time.Time {
	if till.IsZero() || !till.After(epoch) {
		return limit
	}
	return earliest(till, limit)
}
