package gss

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// defaultSkew is the clock difference that Kerberos tolerates, RFC 4120 8.2.
const defaultSkew = 5 * time.Minute

// AcceptorConfig is what a service accepts contexts with.
type AcceptorConfig struct {
	// Keys finds the keys that a ticket for server with this encryption type and
	// key version (0: not told) may be encrypted in. No key is answered with
	// KRB_AP_ERR_NOKEY, an error with its *Error's code or else that one.
	Keys func(server Principal, etype int32, kvno int) ([]*krbcrypt.Key, error)
	Now  func() time.Time
	// Skew is the tolerated clock difference, five minutes if it is 0.
	Skew time.Duration
	// Rand makes subkeys, sequence numbers and confounders.
	Rand io.Reader
	// Replay refuses an authenticator that came before. Nil: no check.
	Replay *ReplayCache
	// Bindings is what the initiator's channel bindings must be ([HashBindings]).
	// Nil: not checked. With BindingsOptional an initiator without bindings is
	// let in unless it says that it knows them ([MS-KILE] 3.4.5).
	Bindings         *[16]byte
	BindingsOptional bool
}

// Acceptor is the service's side of one context establishment. It is not safe
// for concurrent use.
type Acceptor struct {
	cfg   AcceptorConfig
	ended bool
	ctx   *Context
	// Of a negotiation: the initiator's list, our choice of it, whether it
	// must be protected by a MIC, and the context that waits for one.
	list      []byte
	mechanism []byte
	protect   bool
	replied   bool
	waiting   *Context
}

// NewAcceptor starts an establishment.
func NewAcceptor(cfg AcceptorConfig) *Acceptor {
	if cfg.Skew == 0 {
		cfg.Skew = defaultSkew
	}
	return &Acceptor{cfg: cfg}
}

// Context is the established context, nil before Step reports done.
func (a *Acceptor) Context() *Context { return a.ctx }

// Step takes the initiator's next token: a Kerberos token, a bare AP-REQ, SPNEGO,
// or nothing at all, which is answered with SPNEGO's hint of the mechanisms
// ([MS-SPNG] 3.2.5.2). out is to be sent if it is not nil, also along with an
// error: it tells the initiator why. Errors that Kerberos has a code for are
// *Error; NTLM gives ErrNTLM, other mechanisms ErrMechanism, nonsense ErrToken,
// wrong channel bindings ErrBindings. After an error or done no step follows.
func (a *Acceptor) Step(token []byte) (out []byte, done bool, err error) {
	if a.ended {
		return nil, false, fmt.Errorf("%w: the establishment is over", ErrToken)
	}
	out, ctx, err := a.step(token)
	if err != nil || ctx != nil {
		a.ended, a.ctx = true, ctx
	}
	return out, ctx != nil, err
}

func (a *Acceptor) step(token []byte) ([]byte, *Context, error) {
	switch {
	case len(token) > maxToken:
		return nil, nil, fmt.Errorf("%w: %d octets, the limit is %d", ErrToken, len(token), maxToken)
	case len(token) == 0:
		if a.list != nil {
			return nil, nil, fmt.Errorf("%w: empty", ErrToken)
		}
		hint := negTokenInit{mechanisms: [][]byte{oidMSKRB5, oidKRB5}, hints: true}
		return hint.encode(), nil, nil
	case bytes.HasPrefix(token, ntlmMagic):
		return nil, nil, ErrNTLM
	case token[0] == contextTag+0 || token[0] == contextTag+1 || isSPNEGO(token):
		return a.negotiate(token)
	case a.list != nil:
		return nil, nil, fmt.Errorf("%w: not a token of the negotiation", ErrToken)
	}
	return a.accept(token)
}

func isSPNEGO(token []byte) bool {
	if token[0] != application {
		return false
	}
	oid, _, err := unframe(token)
	return err == nil && bytes.Equal(oid, oidSPNEGO)
}

// negotiate is the acceptor's side of RFC 4178 3.2.
func (a *Acceptor) negotiate(token []byte) ([]byte, *Context, error) {
	init, resp, err := decodeNegToken(token)
	switch {
	case err != nil:
		return nil, nil, err
	case init != nil && a.list == nil:
		return a.choose(init)
	case resp == nil || a.list == nil:
		return nil, nil, fmt.Errorf("%w: token of the negotiation out of turn", ErrToken)
	case resp.state == rejected:
		return nil, nil, fmt.Errorf("%w: the initiator rejects the negotiation", ErrMechanism)
	case a.waiting != nil:
		if err := a.waiting.VerifyMIC(resp.mic, a.list); err != nil {
			return a.reject(nil), nil, fmt.Errorf("MIC of the mechanisms: %w", err)
		}
		return (&negTokenResp{state: acceptCompleted}).encode(), a.waiting, nil
	}
	return a.negotiated(resp.token, resp.mic)
}

// choose picks Kerberos from the initiator's list. Only a token for the first of
// the list can have come with it; another choice must be protected by MICs.
func (a *Acceptor) choose(init *negTokenInit) ([]byte, *Context, error) {
	a.list = bytes.Clone(init.list) // the caller may use the token's memory again
	i := slices.IndexFunc(init.mechanisms, isKRB5)
	if i < 0 || bytes.HasPrefix(init.token, ntlmMagic) && i == 0 {
		ntlm := func(oid []byte) bool { return bytes.Equal(oid, oidNTLM) }
		if i == 0 || slices.ContainsFunc(init.mechanisms, ntlm) {
			return a.reject(nil), nil, ErrNTLM
		}
		return a.reject(nil), nil, ErrMechanism
	}
	a.mechanism, a.protect = bytes.Clone(init.mechanisms[i]), i > 0
	switch {
	case a.protect:
		return a.reply(negTokenResp{state: requestMIC}), nil, nil
	case init.token == nil:
		return a.reply(negTokenResp{state: acceptIncomplete}), nil, nil
	}
	return a.negotiated(init.token, nil)
}

// negotiated takes the Kerberos token of a negotiation.
func (a *Acceptor) negotiated(token, mic []byte) ([]byte, *Context, error) {
	if bytes.HasPrefix(token, ntlmMagic) {
		return a.reject(nil), nil, ErrNTLM
	}
	inner, ctx, err := a.accept(token)
	if err != nil {
		return a.reject(inner), nil, err
	}
	if mic != nil {
		if err := ctx.VerifyMIC(mic, a.list); err != nil {
			return a.reject(nil), nil, fmt.Errorf("MIC of the mechanisms: %w", err)
		}
	}
	answer := negTokenResp{state: acceptCompleted, token: inner}
	if a.protect || mic != nil {
		if answer.mic, err = ctx.MIC(nil, a.list); err != nil {
			return nil, nil, err
		}
	}
	if a.protect && mic == nil {
		answer.state = acceptIncomplete
		a.waiting = ctx
		return a.reply(answer), nil, nil
	}
	return a.reply(answer), ctx, nil
}

// reply encodes an answer; the first one names the mechanism.
func (a *Acceptor) reply(n negTokenResp) []byte {
	if !a.replied {
		n.mechanism, a.replied = a.mechanism, true
	}
	return n.encode()
}

func (a *Acceptor) reject(inner []byte) []byte {
	return a.reply(negTokenResp{state: rejected, token: inner})
}

// accept takes an AP-REQ. The token along with an error is a KRB-ERROR.
func (a *Acceptor) accept(token []byte) ([]byte, *Context, error) {
	id, message, bare, err := unframeKRB5(token)
	if err != nil {
		return nil, nil, err
	}
	if id != tokenAPReq {
		return nil, nil, fmt.Errorf("%w: token %#04x instead of an AP-REQ", ErrToken, id)
	}
	wrap := func(id uint16, message []byte) []byte {
		if bare || message == nil {
			return message
		}
		return frame(id, message)
	}
	req, err := decodeAPReq(message)
	if err != nil {
		return nil, nil, err
	}
	ctx, reply, err := a.verify(req)
	if err != nil {
		var coded *Error
		if !errors.As(err, &coded) {
			return nil, nil, err
		}
		return wrap(tokenKRBError, encodeKRBError(coded.Code, a.cfg.Now(), req.server)), nil, err
	}
	return wrap(tokenAPRep, reply), ctx, nil
}

// verify is the receipt of a KRB_AP_REQ, RFC 4120 3.2.3, and its answer, 3.2.4.
func (a *Acceptor) verify(req *apReq) (*Context, []byte, error) {
	if req.options&optionUseSessionKey != 0 {
		return nil, nil, kerberosError(errNoTGT, "user-to-user authentication is not supported")
	}
	part, serviceKey, err := a.open(req)
	if err != nil {
		return nil, nil, err
	}
	now := a.cfg.Now()
	switch {
	case part.flags&ticketInvalid != 0 || part.startTime.Sub(now) > a.cfg.Skew:
		return nil, nil, kerberosError(errTicketNotYet, "ticket for %v is valid from %v, it is %v", req.server, part.startTime, now.UTC())
	case now.Sub(part.end) > a.cfg.Skew:
		return nil, nil, kerberosError(errTicketExpired, "ticket for %v expired at %v, it is %v", req.server, part.end, now.UTC())
	}
	session, err := krbcrypt.NewKey(part.keyType, part.key)
	if err != nil {
		return nil, nil, kerberosError(errModified, "session key of the ticket: %w", err)
	}
	plain, err := session.Decrypt(nil, req.authenticator.cipher, usageAuthenticator)
	if err != nil {
		return nil, nil, kerberosError(errModified, "authenticator: %w", err)
	}
	auth, err := decodeAuthenticator(plain)
	if err != nil {
		return nil, nil, err
	}
	if !samePrincipal(auth.client, part.client) {
		return nil, nil, kerberosError(errBadMatch, "authenticator of %v with a ticket of %v", auth.client, part.client)
	}
	if d := now.Sub(auth.time).Abs(); a.isSkewed(d) {
		return nil, nil, kerberosError(errSkew, "clocks differ by %v", d.Truncate(time.Second))
	}
	ctx := &Context{
		Client: part.client, Server: req.server, TicketFlags: part.flags,
		AuthTime: part.authTime, StartTime: part.startTime, EndTime: part.end, RenewTill: part.renewTill,
		PAC: part.pac, ServiceKey: serviceKey, SessionKey: session, rand: a.cfg.Rand,
	}
	if err := a.checkBindings(ctx, auth); err != nil {
		return nil, nil, err
	}
	// Last, so that a refused request may come again.
	if a.cfg.Replay != nil && a.cfg.Replay.seen(req.authenticator.cipher, now, 2*a.cfg.Skew) {
		return nil, nil, kerberosError(errRepeat, "authenticator of %v came before", auth.client)
	}
	if req.options&optionMutualRequired != 0 {
		ctx.Flags |= FlagMutual
	}
	reply, err := a.answer(ctx, auth)
	if err != nil {
		return nil, nil, err
	}
	return ctx, reply, nil
}

// open decrypts the ticket.
func (a *Acceptor) open(req *apReq) (*encTicketPart, *krbcrypt.Key, error) {
	keys, err := a.cfg.Keys(req.server, req.ticket.etype, req.ticket.kvno)
	if err != nil {
		var coded *Error
		if errors.As(err, &coded) {
			return nil, nil, err
		}
		return nil, nil, kerberosError(errNoKey, "key of %v: %w", req.server, err)
	}
	if len(keys) == 0 {
		return nil, nil, kerberosError(errNoKey, "no key of %v with encryption type %d, version %d", req.server, req.ticket.etype, req.ticket.kvno)
	}
	for _, k := range keys {
		if k.EType != req.ticket.etype {
			continue
		}
		plain, decryptErr := k.Decrypt(nil, req.ticket.cipher, usageTicket)
		if decryptErr != nil {
			err = decryptErr
			continue
		}
		part, err := decodeEncTicketPart(plain)
		if err != nil {
			return nil, nil, kerberosError(errModified, "%w", err)
		}
		return part, k, nil
	}
	if err == nil {
		return nil, nil, kerberosError(errNoKey, "no key of %v has encryption type %d", req.server, req.ticket.etype)
	}
	return nil, nil, kerberosError(errModified, "ticket for %v: %w", req.server, err)
}

// isSkewed tells whether two clocks differ by more than is tolerated.
func (a *Acceptor) isSkewed(d time.Duration) bool { return d > a.cfg.Skew }

// samePrincipal compares as Active Directory does, without case.
func samePrincipal(a, b Principal) bool {
	return strings.EqualFold(a.Realm, b.Realm) && slices.EqualFunc(a.Components, b.Components, strings.EqualFold)
}

// checkBindings reads the flags and compares the channel bindings. An
// authenticator without checksum, as impacket's, has neither.
func (a *Acceptor) checkBindings(ctx *Context, auth *authenticator) error {
	switch {
	case auth.checksumType == checksumGSS:
		bindings, flags, err := decodeGSSChecksum(auth.checksum)
		if err != nil {
			return kerberosError(errInappropriateSum, "%w", err)
		}
		// DCE style is for RPC ([MS-KILE] 3.4.5.1): its third token is not awaited here.
		ctx.Bindings, ctx.Flags = bindings, flags&^FlagDCEStyle
	case auth.checksum != nil:
		// A checksum of another type has no meaning to GSS-API (RFC 4121 4.1.1):
		// like none.
	}
	var none [bindingsSize]byte
	switch {
	case a.cfg.Bindings == nil || ctx.Bindings == *a.cfg.Bindings:
		return nil
	case ctx.Bindings == none && a.cfg.BindingsOptional && !auth.knowsBindings:
		return nil
	case ctx.Bindings == none:
		return fmt.Errorf("%w: the initiator has none", ErrBindings)
	}
	return ErrBindings
}

// answer sets up the keys and sequence numbers of the context and, for mutual
// authentication, makes the AP-REP.
func (a *Acceptor) answer(ctx *Context, auth *authenticator) ([]byte, error) {
	ctx.initiatorKey = ctx.SessionKey
	if auth.subkey != nil {
		k, err := krbcrypt.NewKey(auth.subkeyType, auth.subkey)
		if err != nil {
			return nil, kerberosError(errModified, "subkey of the authenticator: %w", err)
		}
		ctx.initiatorKey = k
	}
	ctx.MessageKey = ctx.initiatorKey
	ctx.expect(auth.sequence)
	if ctx.Flags&FlagMutual == 0 {
		ctx.send = auth.sequence // as MIT does; RFC 4121 does not say
		return nil, nil
	}
	number, err := randomNumber(a.cfg.Rand)
	if err != nil {
		return nil, err
	}
	ctx.send = number
	part := encAPRepPart{ctime: auth.ctime, cusec: auth.cusec, sequence: number}
	if ctx.initiatorKey.EType != krbcrypt.RC4HMAC {
		subkey, err := krbcrypt.RandomKey(ctx.initiatorKey.EType, a.cfg.Rand)
		if err != nil {
			return nil, err
		}
		ctx.MessageKey = subkey
		part.subkeyType, part.subkey = subkey.EType, subkey.Value
	}
	cipher, err := ctx.SessionKey.Encrypt(nil, part.encode(), usageEncAPRepPart, a.cfg.Rand)
	if err != nil {
		return nil, err
	}
	return encodeAPRep(ctx.SessionKey.EType, cipher), nil
}

// expect sets the peer's first sequence number. It is called before the
// acceptor's subkey is known; that has the type of the initiator's.
func (c *Context) expect(number uint64) {
	mask := ^uint64(0)
	if c.initiatorKey.EType == krbcrypt.RC4HMAC {
		mask = 1<<32 - 1
	}
	c.receive.start(number, mask)
}

// randomNumber is a first sequence number: 30 bits, which no implementation
// takes for negative.
func randomNumber(rand io.Reader) (uint64, error) {
	var b [4]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return 0, fmt.Errorf("sequence number: %w", err)
	}
	return uint64(binary.BigEndian.Uint32(b[:]) & 0x3fffffff), nil
}
