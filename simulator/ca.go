package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// authority is the domain's certificate authority. It and the DCs' certificates are made when TLS is first used.
type authority struct {
	once sync.Once
	err  error
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	from time.Time
	till time.Time

	mu     sync.Mutex
	leaves map[*DC]*tls.Certificate
}

// certificateLife is how long certificates are valid beyond both clocks.
const certificateLife = 10 * 365 * 24 * time.Hour

func (d *Domain) authority() (*authority, error) {
	a := &d.ca
	a.once.Do(func() {
		a.from, a.till = time.Now(), time.Now()
		if now := d.Clock.Now(); now.Before(a.from) {
			a.from = now
		} else {
			a.till = now
		}
		a.from, a.till = a.from.Add(-24*time.Hour), a.till.Add(certificateLife)
		a.leaves = map[*DC]*tls.Certificate{}
		if a.key, a.err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); a.err != nil {
			return
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: d.NetBIOSName() + "-CA", Organization: []string{"gmsasim, made up"}},
			NotBefore: a.from, NotAfter: a.till, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
		var der []byte
		if der, a.err = x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key); a.err == nil {
			a.cert, a.err = x509.ParseCertificate(der)
		}
	})
	if a.err != nil {
		return nil, fmt.Errorf("certificate authority: %w", a.err)
	}
	return a, nil
}

// leaf is the certificate of a DC, for its DNS name, its domain's and the addresses it listens on.
func (a *authority) leaf(dc *DC) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[dc]; c != nil {
		return c, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(2 + len(a.leaves))), Subject: pkix.Name{CommonName: dc.DNSName()},
		NotBefore: a.from, NotAfter: a.till, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{dc.DNSName(), dc.dom.DNSName, dc.name, "localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if ip := net.ParseIP(dc.d.addressOf(dc)); ip != nil {
		template.IPAddresses = append(template.IPAddresses, ip)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}
	a.leaves[dc] = c
	return c, nil
}

// RootCAs holds the certificate authority that signs the DCs' certificates.
func (d *Domain) RootCAs() *x509.CertPool {
	pool := x509.NewCertPool()
	if a, err := d.authority(); err == nil {
		pool.AddCert(a.cert)
	}
	return pool
}

func (d *Domain) caPEM() ([]byte, error) {
	a, err := d.authority()
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), nil
}
