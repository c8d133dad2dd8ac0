package ldapclient

import (
	"errors"
	"fmt"

	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// protocolVersion is LDAP's, RFC 4511 4.2.
const protocolVersion = 3

// maxSteps is above what any establishment of a context needs.
const maxSteps = 8

// BindSimple signs in with a name and a password, in the clear unless the connection is TLS.
func (c *Conn) BindSimple(name, password string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.ask(element(opBindRequest, number(tagInteger, protocolVersion), text(name), element(tagSimple, []byte(password))), opBindResponse)
	if err != nil {
		return err
	}
	return r.err()
}

// sasl sends one token of a SASL bind. nil is no credentials, which differs from empty ones.
func (c *Conn) sasl(mechanism string, creds []byte) (*result, error) {
	choice := [][]byte{text(mechanism)}
	if creds != nil {
		choice = append(choice, element(tagOctetString, creds))
	}
	return c.ask(element(opBindRequest, number(tagInteger, protocolVersion), text(""), element(tagSASL, choice...)), opBindResponse)
}

// establish exchanges tokens until the context is there and gives the server's last answer.
func (c *Conn) establish(mechanism string, i *gss.Initiator) (*result, error) {
	token, done, err := i.Step(nil)
	for range maxSteps {
		if err != nil {
			return nil, err
		}
		r, err2 := c.sasl(mechanism, token)
		if err2 != nil {
			return nil, err2
		}
		if r.code != ResultSuccess && r.code != ResultSASLBindInProgress {
			refusal, _ := errors.AsType[*Error](r.err())
			if len(r.creds) > 0 && !done {
				// The acceptor's token says more than the result: with Kerberos, a KRB-ERROR.
				_, _, refusal.Err = i.Step(r.creds)
			}
			return nil, refusal
		}
		if done {
			return r, nil
		}
		if token, done, err = i.Step(r.creds); done && token == nil {
			return r, err
		}
	}
	return nil, fmt.Errorf("%w: %s bind without end", ErrProtocol, mechanism)
}

// BindSPNEGO signs in with GSS-SPNEGO, as Windows does. The context's flags decide the layer: confidentiality, integrity or none.
// i negotiates, see SPNEGO in gss.InitiatorConfig. A refusal is an *Error; the cause that its token gives is a *gss.Error inside.
func (c *Conn) BindSPNEGO(i *gss.Initiator) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.establish("GSS-SPNEGO", i)
	if err != nil {
		return err
	}
	if err := r.err(); err != nil {
		return err
	}
	c.protect(&gss.Framing{Context: i.Context(), Layer: gss.LayerOf(i.Context())})
	return nil
}

// BindGSSAPI signs in with GSSAPI (RFC 4752) and the layer wanted; gss.ErrLayer when the server does not offer it. authzid is the
// identity to act as, empty for one's own.
func (c *Conn) BindGSSAPI(i *gss.Initiator, layer gss.Layer, authzid string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.establish("GSSAPI", i)
	if err != nil {
		return err
	}
	ctx := i.Context()
	if len(r.creds) == 0 || ctx.Flags&gss.FlagMutual != 0 {
		if r, err = c.sasl("GSSAPI", []byte{}); err != nil {
			return err
		}
	}
	if r.code != ResultSASLBindInProgress {
		return errors.Join(fmt.Errorf("%w: no offer of layers", ErrProtocol), r.err())
	}
	choice, peerMax, err := gss.ChooseLayer(ctx, r.creds, layer, gss.MaxBuffer, authzid)
	if err != nil {
		return err
	}
	if r, err = c.sasl("GSSAPI", choice); err != nil {
		return err
	}
	if err := r.err(); err != nil {
		return err
	}
	c.protect(&gss.Framing{Context: ctx, Layer: layer, PeerMax: peerMax})
	return nil
}

// protect puts a layer over everything that follows.
func (c *Conn) protect(f *gss.Framing) {
	c.framing = f
	if f.Layer == gss.LayerNone {
		c.framing = nil
	}
}
