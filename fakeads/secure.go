package fakeads

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

// handshake puts TLS on the transport, on the goroutine that reads. Nothing is
// written meanwhile.
func (c *conn) handshake() error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	cfg := c.s.tls
	c.bindings = c.s.bindings
	if get := cfg.GetCertificate; get != nil {
		cfg = cfg.Clone()
		cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert, err := get(hello)
			if cert != nil {
				c.bindings = endPointBindings(cert)
			}
			return cert, err
		}
	}
	t := tls.Server(c.raw, cfg)
	c.limit(&c.readBy, c.s.cfg.ReceiveTimeout)
	c.limit(&c.writeBy, c.s.cfg.ReceiveTimeout)
	if err := t.Handshake(); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	c.wire, c.secure, c.hurried = t, true, false
	c.become(c.identity)
	return nil
}

// endPointBindings is the hash of the channel bindings that a certificate makes, RFC
// 5929 4; nil when it makes none.
func endPointBindings(own *tls.Certificate) *[16]byte {
	if len(own.Certificate) == 0 {
		return nil
	}
	der := own.Certificate[0]
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	var sum []byte
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		h := sha512.Sum384(der)
		sum = h[:]
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		h := sha512.Sum512(der)
		sum = h[:]
	case x509.PureEd25519:
		return nil // RFC 5929 leaves it undefined
	default:
		h := sha256.Sum256(der)
		sum = h[:]
	}
	b := gss.HashBindings(append([]byte("tls-server-end-point:"), sum...))
	return &b
}
