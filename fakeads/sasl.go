package fakeads

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// SASL mechanisms that a domain controller names, [MS-ADTS] 3.1.1.3.4.5.
const (
	mechanismGSSAPI    = "GSSAPI"
	mechanismSPNEGO    = "GSS-SPNEGO"
	mechanismExternal  = "EXTERNAL"
	mechanismDigestMD5 = "DIGEST-MD5"
)

// saslStage is what the next message of a GSSAPI bind is, RFC 4752 3.1.
type saslStage int

const (
	stageToken  saslStage = iota // of the context
	stageEmpty                   // the client's turn, with nothing to say
	stageChoice                  // of the layer
)

// saslExchange is a bind of several messages.
type saslExchange struct {
	mechanism string
	acceptor  *gss.Acceptor
	stage     saslStage
	who       identity
}

const offeredLayers = gss.LayerNone | gss.LayerIntegrity | gss.LayerConfidentiality

// bindSASL takes one message of a SASL bind.
func (c *conn) bindSASL(p *pending, op *Operation) (result, func()) {
	b := p.bind
	switch b.mechanism {
	case mechanismGSSAPI, mechanismSPNEGO:
	case mechanismExternal, mechanismDigestMD5:
		op.NotModelled = "SASL mechanism " + b.mechanism
		return c.s.methodNotSupported(), nil
	default:
		return c.s.methodNotSupported(), nil
	}
	if c.fast {
		return c.s.unwilling("Only simple binds are possible in fast bind mode"), nil
	}
	x := c.sasl
	if x == nil {
		x = &saslExchange{mechanism: b.mechanism, acceptor: c.newAcceptor(p.ctx)}
	}
	c.sasl = nil // until it goes on
	switch x.stage {
	case stageEmpty:
		if len(b.credentials) > 0 {
			return c.s.acceptError(secInvalidToken, errorInvalidParameter), nil
		}
		return c.offer(x)
	case stageChoice:
		layer, peerMax, authzid, err := gss.AcceptChoice(x.acceptor.Context(), b.credentials, offeredLayers)
		if err != nil || !x.mayBe(authzid) {
			return c.s.acceptError(secInvalidToken, errorInvalidParameter), nil
		}
		return c.established(x, op, layer, peerMax)
	}
	if x.mechanism == mechanismGSSAPI && len(b.credentials) == 0 {
		c.sasl = x // the client is to begin, RFC 4752 3.1
		return result{code: resultSASLBindInProgress, serverCreds: []byte{}}, nil
	}
	out, done, err := x.acceptor.Step(b.credentials)
	if err == nil && done {
		x.who, err = c.s.identify(x.acceptor.Context())
	}
	switch {
	case err != nil:
		if errors.Is(err, gss.ErrNTLM) {
			op.NotModelled = "NTLM authentication"
		}
		r := c.s.gssError(err)
		r.serverCreds = out
		return r, nil
	case !done:
		c.sasl = x
		return result{code: resultSASLBindInProgress, serverCreds: out}, nil
	case x.mechanism == mechanismSPNEGO:
		r, then := c.established(x, op, gss.LayerOf(x.acceptor.Context()), 0)
		r.serverCreds = out
		return r, then
	case out == nil:
		return c.offer(x)
	}
	c.sasl, x.stage = x, stageEmpty
	return result{code: resultSASLBindInProgress, serverCreds: out}, nil
}

// offer sends the layers of a GSSAPI bind.
func (c *conn) offer(x *saslExchange) (result, func()) {
	token, err := gss.OfferLayers(x.acceptor.Context(), offeredLayers, gss.MaxBuffer)
	if err != nil {
		return c.s.gssError(err), nil
	}
	c.sasl, x.stage = x, stageChoice
	return result{code: resultSASLBindInProgress, serverCreds: token}, nil
}

// mayBe tells whether the client may act as authzid: as itself only.
func (x *saslExchange) mayBe(authzid string) bool {
	if authzid == "" {
		return true
	}
	name := strings.TrimPrefix(authzid, "u:")
	client := x.acceptor.Context().Client
	return strings.EqualFold(name, client.String()) || strings.EqualFold(name, strings.Join(client.Components, "/")) ||
		strings.EqualFold(name, x.who.account)
}

// established ends a bind. The layer covers everything after the answer.
func (c *conn) established(x *saslExchange, op *Operation, layer gss.Layer, peerMax uint32) (result, func()) {
	names := map[gss.Layer]string{gss.LayerNone: "none", gss.LayerIntegrity: "sign", gss.LayerConfidentiality: "seal"}
	op.Text = x.mechanism + " " + names[layer]
	switch {
	case layer != gss.LayerNone && c.secure: // [MS-ADTS] 5.1.1.1.2
		return result{code: resultInappropriateAuth, diagnostic: c.s.ldapErr(errorInappropriateAuth, dsidTLSLayer,
			"Cannot start kerberos signing/sealing when using TLS/SSL", 0)}, nil
	case layer == gss.LayerNone && c.layer == gss.LayerNone && !c.secure && c.s.cfg.RequireSigning:
		return c.s.signingRequired(), nil
	}
	// What was sent before the layer is there cannot be trusted behind it.
	if layer != gss.LayerNone && !(c.plain.empty() && c.sealed.empty()) {
		return c.s.malformed(resultProtocolError), func() { c.end(fmt.Errorf("%w: octets before the security layer", errGarbage)) }
	}
	op.Account = x.who.account
	if layer == gss.LayerNone {
		c.become(x.who)
		op.Layer = c.layerName()
		return result{}, nil
	}
	c.layer = layer
	c.become(x.who)
	op.Layer = c.layerName()
	return result{}, func() {
		f := &gss.Framing{Context: x.acceptor.Context(), Layer: layer, PeerMax: peerMax}
		c.reading = f
		c.wmu.Lock()
		c.writing = f
		c.wmu.Unlock()
	}
}

// methodNotSupported is the answer to a mechanism that is not there.
func (s *Server) methodNotSupported() result {
	return result{code: resultAuthMethodNotSupported, diagnostic: s.ldapErr(errorAuthMethod, dsidBind, "The authentication method is not supported", 0)}
}

// newAcceptor begins a context. Every ticket that the domain controller's own key
// opens is good, whatever service name is on it.
func (c *conn) newAcceptor(ctx context.Context) *gss.Acceptor {
	cfg := gss.AcceptorConfig{
		Keys:             func(gss.Principal, int32, int) ([]*krbcrypt.Key, error) { return c.s.ownKeys(ctx) },
		Now:              func() time.Time { return c.s.now(c.ctx) },
		Rand:             c.s.cfg.Rand,
		Replay:           c.s.replay,
		BindingsOptional: true, // LdapEnforceChannelBinding = 1
	}
	if c.secure {
		cfg.Bindings = c.bindings
	}
	return gss.NewAcceptor(cfg)
}

func (s *Server) ownKeys(ctx context.Context) ([]*krbcrypt.Key, error) {
	account, err := s.cfg.Replica.AccountByName(directory.Principal, s.cfg.Replica.Name()+"$")
	if err != nil {
		return nil, fmt.Errorf("account of the domain controller: %w", err)
	}
	set, err := account.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("keys of the domain controller: %w", err)
	}
	return set.Keys, nil
}

// errNoPAC is a ticket that says nothing of the client but its name. Domain
// controllers make none since the updates of November 2021 (CVE-2021-42287).
var errNoPAC = errors.New("the ticket has no PAC")

// errNoSIDs is a ticket whose PAC names nobody.
var errNoSIDs = errors.New("the PAC has no SIDs")

// identify makes the identity of the PAC in the client's ticket, [MS-KILE]
// 3.4.5.3. The directory is not asked who is in which group.
func (s *Server) identify(ctx *gss.Context) (identity, error) {
	if ctx.PAC == nil {
		return identity{}, errNoPAC
	}
	p, err := pac.Parse(ctx.PAC)
	if err != nil {
		return identity{}, err
	}
	if err := p.Verify(ctx.ServiceKey, nil, nil); err != nil {
		return identity{}, err
	}
	sids := p.SIDs()
	if len(sids) == 0 {
		return identity{}, errNoSIDs
	}
	account := p.LogonInfo.EffectiveName
	if account == "" {
		account = strings.Join(ctx.Client.Components, "/")
	}
	if d := p.LogonInfo.LogonDomainName; d != "" {
		account = d + `\` + account
	}
	return identity{account: account, token: s.cfg.Replica.Token(sids[0], sids[1:])}, nil
}

// gssError is the answer to a failed establishment.
//
// guess: the SSPI code in the text of a failed GSSAPI bind is known for malformed tokens and channel bindings; other causes have the
// code that is named like the Kerberos error.
func (s *Server) gssError(err error) result {
	var k *gss.Error
	switch {
	case errors.Is(err, gss.ErrBindings):
		return s.acceptError(secBadBindings, secBadBindings)
	case errors.Is(err, gss.ErrNTLM):
		return s.acceptError(secLogonDenied, 0)
	case errors.Is(err, gss.ErrMechanism):
		return s.acceptError(secNoPackage, errorInvalidParameter)
	case errors.As(err, &k):
		switch k.Code {
		case krbTicketExpired, krbTicketNotYet:
			return s.acceptError(secContextExpired, dataWrongPassword)
		case krbSkew:
			return s.acceptError(secTimeSkew, dataWrongPassword)
		case krbModified:
			return s.acceptError(secMessageAltered, dataWrongPassword)
		}
		return s.acceptError(secLogonDenied, dataWrongPassword)
	case errors.Is(err, errNoPAC), errors.Is(err, errNoSIDs), errors.Is(err, pac.ErrFormat), errors.Is(err, pac.ErrSignature):
		return s.acceptError(secLogonDenied, dataWrongPassword)
	}
	return s.acceptError(secInvalidToken, errorInvalidParameter)
}

// Kerberos error codes, RFC 4120 7.5.9.
const (
	krbTicketExpired = 32
	krbTicketNotYet  = 33
	krbSkew          = 37
	krbModified      = 41
)
