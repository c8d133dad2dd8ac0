package ldapdirectory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"github.com/gmsasim/gmsasim/fakekdc/gss"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// A Login signs in on a connection to a host.
type Login interface {
	bind(ctx context.Context, c *ldap.Conn, layer *layered, w *Wire, host string) error
}

// ErrInTheClear: a password would go over the network for everybody to read.
var ErrInTheClear = errors.New("a password is sent over TLS only: use an ldaps:// address or StartTLS")

// Password is a simple bind (RFC 4513 5.1.3). Active Directory takes user@domain, DOMAIN\user and a distinguished name.
type Password struct{ Name, Password string }

func (p Password) bind(_ context.Context, c *ldap.Conn, _ *layered, w *Wire, _ string) error {
	if !w.private() {
		return ErrInTheClear
	}
	if p.Name == "" || p.Password == "" { // which would be an anonymous bind, and succeed
		return errors.New("a name and a password are needed")
	}
	return c.Bind(p.Name, p.Password)
}

// Kerberos is the SASL mechanism GSSAPI (RFC 4752). A connection without TLS is sealed; over TLS there is no second layer, and the sign-in is bound to
// the certificate (RFC 5929), which domain controllers may demand.
type Kerberos struct{ client *client.Client }

// FromKeytab signs in with keys. An empty principal is the first of the keytab; without a realm it is of that of the file.
func FromKeytab(conf *config.Config, file, principal, realm string) (*Kerberos, error) {
	keys, err := keytab.Load(file)
	if err != nil {
		return nil, fmt.Errorf("keytab %s: %w", file, err)
	}
	if principal == "" {
		if len(keys.Entries) == 0 {
			return nil, fmt.Errorf("keytab %s is empty", file)
		}
		first := keys.Entries[0].Principal
		principal, realm = first.String(), first.Realm
		if i := len(principal) - len(realm) - 1; i > 0 && principal[i] == '@' {
			principal = principal[:i]
		}
	}
	return &Kerberos{client.NewWithKeytab(principal, realm, keys, conf, client.DisablePAFXFAST(true))}, nil
}

// FromCache signs in with the tickets of a credential cache, in a file.
func FromCache(conf *config.Config, file string) (*Kerberos, error) {
	cache, err := credentials.LoadCCache(file)
	if err != nil {
		return nil, fmt.Errorf("credential cache %s: %w", file, err)
	}
	c, err := client.NewFromCCache(cache, conf, client.DisablePAFXFAST(true))
	if err != nil {
		return nil, fmt.Errorf("credential cache %s: %w", file, err)
	}
	return &Kerberos{c}, nil
}

// FromPassword signs in with a password, which stays here.
func FromPassword(conf *config.Config, principal, realm, password string) *Kerberos {
	return &Kerberos{client.NewWithPassword(principal, realm, password, conf, client.DisablePAFXFAST(true))}
}

func (k *Kerberos) bind(_ context.Context, c *ldap.Conn, layer *layered, w *Wire, host string) error {
	service := "ldap/" + host
	ticket, key, err := k.client.GetServiceTicket(service)
	if err != nil {
		return fmt.Errorf("ticket for %s: %w", service, err)
	}
	raw, err := ticket.Marshal()
	if err != nil {
		return err
	}
	session, err := krbcrypt.NewKey(key.KeyType, key.KeyValue)
	if err != nil {
		return fmt.Errorf("ticket for %s: %w", service, err)
	}
	name := k.client.Credentials.CName()
	init := gss.InitiatorConfig{
		Ticket: raw, SessionKey: session, Flags: gss.FlagMutual | gss.FlagReplay | gss.FlagSequence | gss.FlagInteg | gss.FlagConf, Now: time.Now, Rand: rand.Reader,
		Client: gss.Principal{NameType: name.NameType, Components: name.NameString, Realm: k.client.Credentials.Domain()},
	}
	s := &sasl{layer: gss.LayerConfidentiality}
	if state, ok := w.state(c); ok {
		s.layer = gss.LayerNone
		init.Bindings = bindings(&state)
	}
	s.Initiator = gss.NewInitiator(init)
	if err := c.GSSAPIBind(s, service, ""); err != nil {
		return err
	}
	if s.layer != gss.LayerNone {
		layer.protect(&gss.Framing{Context: s.Context(), Layer: s.layer, PeerMax: s.peerMax})
	}
	return nil
}

// bindings are the channel bindings tls-server-end-point of a connection (RFC 5929 4.1): the hash of the certificate's signature, SHA-256 for the
// weaker ones.
func bindings(state *tls.ConnectionState) *[16]byte {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	cert := state.PeerCertificates[0]
	h := sha256.New()
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		h = sha512.New384()
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		h = sha512.New()
	}
	sum := gss.HashBindings(endPoint(h, cert.Raw))
	return &sum
}

func endPoint(h hash.Hash, raw []byte) []byte {
	h.Write(raw)
	return h.Sum([]byte("tls-server-end-point:"))
}

// sasl is the client's side of GSSAPI as go-ldap asks for it, with the security layers that go-ldap's own does not have.
type sasl struct {
	*gss.Initiator
	layer   gss.Layer
	peerMax uint32
}

// InitSecContext makes the next token.
func (s *sasl) InitSecContext(_ string, token []byte) ([]byte, bool, error) {
	out, done, err := s.Step(token)
	return out, !done, err
}

// InitSecContextWithOptions makes the next token.
func (s *sasl) InitSecContextWithOptions(target string, token []byte, _ []int) ([]byte, bool, error) {
	return s.InitSecContext(target, token)
}

// NegotiateSaslAuth chooses the layer.
func (s *sasl) NegotiateSaslAuth(token []byte, authzid string) (out []byte, err error) {
	out, s.peerMax, err = gss.ChooseLayer(s.Context(), token, s.layer, gss.MaxBuffer, authzid)
	return out, err
}

// DeleteSecContext keeps the context: the layer needs it.
func (s *sasl) DeleteSecContext() error { return nil }
