// Package mailtest starts real mail servers for tests: Postfix, Dovecot, a sink that hands over what it got,
// and the certificates that go with them.
//
// Each server lives in a directory and on ports of its own and ends with its test, so tests may run side by
// side. A program that is missing skips the test with the command that installs it.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CertificateOptions describe a certificate; the zero value is good for localhost, for an hour.
type CertificateOptions struct {
	Names      []string // host names and addresses; default localhost and 127.0.0.1
	NotBefore  time.Time
	NotAfter   time.Time
	SelfSigned bool // no authority above it
}

// Cert is a server certificate with all that a server and a client want to know of it.
type Cert struct {
	TLS         tls.Certificate
	CA          string // PEM of the authority; of itself when self-signed
	Fingerprint string // SHA-256 in lower-case hex
	CertFile    string // PEM, with the chain
	KeyFile     string
}

// Certificate makes a certificate, signed by an authority of its own.
func Certificate(t testing.TB, o CertificateOptions) Cert {
	t.Helper()
	o = o.withDefaults()
	key := newKey(t)
	leaf := template(o.Names[0], o.NotBefore, o.NotAfter)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range o.Names {
		if ip := net.ParseIP(name); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
			continue
		}
		leaf.DNSNames = append(leaf.DNSNames, name)
	}
	if o.SelfSigned {
		der := sign(t, leaf, leaf, key, key)
		return bundle(t, key, der)
	}
	authorityKey := newKey(t)
	authority := template("Test authority", o.NotBefore.Add(-time.Hour), o.NotAfter.Add(time.Hour))
	authority.IsCA, authority.BasicConstraintsValid, authority.KeyUsage = true, true, x509.KeyUsageCertSign
	return bundle(t, key, sign(t, leaf, authority, key, authorityKey), sign(t, authority, authority, authorityKey, authorityKey))
}

func (o CertificateOptions) withDefaults() CertificateOptions {
	if len(o.Names) == 0 {
		o.Names = []string{"localhost", "127.0.0.1"}
	}
	if o.NotBefore.IsZero() {
		o.NotBefore = time.Now().Add(-time.Hour)
	}
	if o.NotAfter.IsZero() {
		o.NotAfter = time.Now().Add(60 * 24 * time.Hour)
	}
	return o
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func template(name string, from, until time.Time) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until}
}

func sign(t testing.TB, cert, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// bundle writes the chain and the key to files; the last certificate of the chain is the authority.
func bundle(t testing.TB, key *ecdsa.PrivateKey, chain ...[]byte) Cert {
	t.Helper()
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var chainPEM, last []byte
	for _, der := range chain {
		last = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		chainPEM = append(chainPEM, last...)
	}
	sum := sha256.Sum256(chain[0])
	dir := t.TempDir()
	c := Cert{
		TLS:         tls.Certificate{Certificate: chain, PrivateKey: key},
		CA:          string(last),
		Fingerprint: hex.EncodeToString(sum[:]),
		CertFile:    filepath.Join(dir, "cert.pem"),
		KeyFile:     filepath.Join(dir, "key.pem"),
	}
	writeFile(t, c.CertFile, string(chainPEM), 0o644)
	writeFile(t, c.KeyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})), 0o600)
	return c
}

func writeFile(t testing.TB, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
