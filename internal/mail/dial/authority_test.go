//go:debug rsa1024min=0

package dial

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"orbit/internal/mail/explain"
)

// issued is a certificate with its key and what vouches for it.
type issued struct {
	cert   *x509.Certificate
	key    crypto.Signer
	issuer *issued // nil: self-signed
}

// want changes the template of a certificate that is good for mail.example.com.
type want func(*x509.Certificate)

func names(all ...string) want {
	return func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = nil, nil
		for _, n := range all {
			if ip := net.ParseIP(n); ip != nil {
				c.IPAddresses = append(c.IPAddresses, ip)
				continue
			}
			c.DNSNames = append(c.DNSNames, n)
		}
	}
}

func valid(from, to time.Duration) want {
	return func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to)
	}
}

func authority(c *x509.Certificate) {
	c.Subject.CommonName, c.DNSNames = "Example CA", nil
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	c.ExtKeyUsage = nil
}

func issue(t *testing.T, issuer *issued, key crypto.Signer, change ...want) *issued {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "mail.example.com"}, DNSNames: []string{"mail.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(42*24*time.Hour + time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, w := range change {
		w(template)
	}
	if key == nil {
		key = newKey(t)
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{cert: cert, key: key, issuer: issuer}
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSA(t *testing.T, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (i *issued) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}))
}

func (i *issued) fingerprint() string { return explain.Fingerprint(i.cert) }

// server is the TLS certificate with its whole chain, the root excepted.
func (i *issued) server() tls.Certificate {
	c := tls.Certificate{PrivateKey: i.key}
	for at := i; at != nil && (at == i || at.issuer != nil); at = at.issuer {
		c.Certificate = append(c.Certificate, at.cert.Raw)
	}
	return c
}
