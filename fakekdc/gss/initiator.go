package gss

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// InitiatorConfig is what a client establishes a context with.
type InitiatorConfig struct {
	// Ticket is the DER of the Ticket for the service, SessionKey its key.
	Ticket     []byte
	SessionKey *krbcrypt.Key
	// Client is the client's name as in the ticket.
	Client Principal
	// Flags is what the context is to have. With FlagMutual the acceptor proves
	// itself, and makes the key that messages are protected with.
	Flags Flags
	// SPNEGO puts the exchange into a negotiation, RFC 4178.
	SPNEGO bool
	Now    func() time.Time
	// Rand makes the subkey, the sequence number and confounders.
	Rand io.Reader
	// Bindings is the hash of the channel bindings ([HashBindings]); nil: none.
	Bindings *[16]byte
}

// Initiator is the client's side of one context establishment. It is not safe
// for concurrent use.
type Initiator struct {
	cfg     InitiatorConfig
	ctx     *Context
	done    bool
	started bool
	ended   bool
	// ctime and cusec are in the AP-REP of the true service only.
	ctime []byte
	cusec int64
	list  []byte // of the negotiation
	proof bool   // the MIC of the list is sent
}

// NewInitiator starts an establishment.
func NewInitiator(cfg InitiatorConfig) *Initiator { return &Initiator{cfg: cfg} }

// Context is the established context, nil before Step reports done.
func (i *Initiator) Context() *Context {
	if !i.done {
		return nil
	}
	return i.ctx
}

// Step takes the acceptor's last token, nothing the first time, and makes the
// next. When done, out is still to be sent if it is not nil. A refusal of the
// acceptor is an *Error with its code where it gives one.
func (i *Initiator) Step(token []byte) (out []byte, done bool, err error) {
	switch {
	case i.ended:
		return nil, false, fmt.Errorf("%w: the establishment is over", ErrToken)
	case !i.started:
		i.started = true
		out, err = i.start()
		i.done = err == nil && !i.cfg.SPNEGO && i.cfg.Flags&FlagMutual == 0
	case len(token) > maxToken:
		err = fmt.Errorf("%w: %d octets, the limit is %d", ErrToken, len(token), maxToken)
	case i.cfg.SPNEGO:
		out, i.done, err = i.negotiate(token)
	default:
		err = i.finish(token)
		i.done = err == nil
	}
	i.ended = i.done || err != nil
	return out, i.done, err
}

// start makes the AP-REQ and, but for the acceptor's part, the context.
func (i *Initiator) start() ([]byte, error) {
	d := der{b: i.cfg.Ticket}
	server, _ := d.ticket()
	if d.err != nil {
		return nil, fmt.Errorf("ticket: %w", d.err)
	}
	subkey, err := krbcrypt.RandomKey(i.cfg.SessionKey.EType, i.cfg.Rand)
	if err != nil {
		return nil, err
	}
	number, err := randomNumber(i.cfg.Rand)
	if err != nil {
		return nil, err
	}
	i.ctx = &Context{
		Client: i.cfg.Client, Server: server, Flags: i.cfg.Flags, SessionKey: i.cfg.SessionKey, MessageKey: subkey,
		initiator: true, initiatorKey: subkey, rand: i.cfg.Rand, send: number,
	}
	i.ctx.expect(number) // of a service that does not prove itself
	if i.cfg.Bindings != nil {
		i.ctx.Bindings = *i.cfg.Bindings
	}
	now := i.cfg.Now()
	i.ctime, i.cusec = generalizedTime(now), int64(now.Nanosecond()/1000)
	auth := message(typeAuthenticator,
		explicit(0, integer(protocolVersion)),
		explicit(1, tlv(tagGeneralString, []byte(i.cfg.Client.Realm))),
		explicit(2, i.cfg.Client.encode()),
		explicit(3, sequence(explicit(0, integer(int64(checksumGSS))), explicit(1, tlv(tagOctetString, encodeGSSChecksum(i.ctx.Bindings, i.cfg.Flags))))),
		explicit(4, integer(i.cusec)),
		explicit(5, i.ctime),
		explicit(6, sequence(explicit(0, integer(int64(subkey.EType))), octetString(1, subkey.Value))),
		explicit(7, integer(int64(number))),
	)
	cipher, err := i.cfg.SessionKey.Encrypt(nil, auth, usageAuthenticator, i.cfg.Rand)
	if err != nil {
		return nil, err
	}
	var options uint32
	if i.cfg.Flags&FlagMutual != 0 {
		options |= optionMutualRequired
	}
	token := frame(tokenAPReq, message(typeAPReq,
		explicit(0, integer(protocolVersion)),
		explicit(1, integer(typeAPReq)),
		explicit(2, flags32(options)),
		explicit(3, i.cfg.Ticket),
		explicit(4, encodeEncrypted(i.cfg.SessionKey.EType, cipher)),
	))
	if !i.cfg.SPNEGO {
		return token, nil
	}
	init := negTokenInit{mechanisms: [][]byte{oidMSKRB5, oidKRB5}, token: token}
	token = init.encode()
	i.list = init.list
	return token, nil
}

// finish takes the acceptor's Kerberos token.
func (i *Initiator) finish(token []byte) error {
	id, message, _, err := unframeKRB5(token)
	if err != nil {
		return err
	}
	switch {
	case id == tokenKRBError:
		return decodeKRBError(message)
	case id != tokenAPRep || i.cfg.Flags&FlagMutual == 0:
		return fmt.Errorf("%w: token %#04x of the acceptor", ErrToken, id)
	}
	e, err := decodeAPRep(message)
	if err != nil {
		return err
	}
	plain, err := i.cfg.SessionKey.Decrypt(nil, e.cipher, usageEncAPRepPart)
	if err != nil {
		return kerberosError(errModified, "AP-REP: %w", err)
	}
	part, err := decodeEncAPRepPart(plain)
	if err != nil {
		return err
	}
	if !bytes.Equal(part.ctime, i.ctime) || part.cusec != i.cusec {
		return kerberosError(errMutualFailed, "AP-REP for another authenticator")
	}
	// MIT does not use an acceptor's subkey of this type either.
	if part.subkey != nil && (part.subkeyType != krbcrypt.RC4HMAC || i.ctx.initiatorKey.EType != krbcrypt.RC4HMAC) {
		if i.ctx.MessageKey, err = krbcrypt.NewKey(part.subkeyType, part.subkey); err != nil {
			return kerberosError(errModified, "subkey of the AP-REP: %w", err)
		}
	}
	i.ctx.expect(part.sequence)
	return nil
}

// negotiate is the initiator's side of RFC 4178 3.2 after its first token.
func (i *Initiator) negotiate(token []byte) (out []byte, done bool, err error) {
	_, resp, err := decodeNegToken(token)
	if err != nil {
		return nil, false, err
	}
	if resp == nil {
		return nil, false, fmt.Errorf("%w: NegTokenInit of the acceptor", ErrToken)
	}
	if resp.mechanism != nil && !isKRB5(resp.mechanism) {
		return nil, false, fmt.Errorf("%w: the acceptor chose % x", ErrMechanism, resp.mechanism)
	}
	if resp.token != nil {
		if err := i.finish(resp.token); err != nil {
			return nil, false, err
		}
		i.cfg.Flags &^= FlagMutual // it has proved itself
	}
	if resp.state == rejected {
		return nil, false, fmt.Errorf("%w: the acceptor rejects the negotiation", ErrMechanism)
	}
	if i.cfg.Flags&FlagMutual != 0 {
		return nil, false, kerberosError(errMutualFailed, "the acceptor did not prove itself")
	}
	if resp.mic != nil {
		if err := i.ctx.VerifyMIC(resp.mic, i.list); err != nil {
			return nil, false, fmt.Errorf("MIC of the mechanisms: %w", err)
		}
	}
	if resp.state == acceptCompleted || resp.state == noState {
		return nil, true, nil
	}
	if i.proof {
		return nil, false, errors.Join(ErrToken, errors.New("the acceptor does not complete the negotiation"))
	}
	i.proof = true
	mic, err := i.ctx.MIC(nil, i.list)
	if err != nil {
		return nil, false, err
	}
	// The state is optional here (RFC 4178 4.2.2), but gokrb5 wants one; Windows sends this one.
	return (&negTokenResp{state: acceptIncomplete, mic: mic}).encode(), false, nil
}
