package dial

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"orbit/internal/mail/explain"
)

// Certificate is one certificate of a chain, ready to be shown.
type Certificate struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Names       []string  `json:"names,omitempty"` // DNS names and addresses it is good for
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Key         string    `json:"key"`         // "RSA 2048 bits"
	Signature   string    `json:"signature"`   // "SHA256-RSA"
	Fingerprint string    `json:"fingerprint"` // SHA-256, as Trust.Fingerprint wants it
}

// Chain describes the certificates that a server showed, leaf first.
func Chain(certs []*x509.Certificate) []Certificate {
	chain := make([]Certificate, len(certs))
	for i, c := range certs {
		chain[i] = Certificate{
			Subject:     name(c.Subject.CommonName, c.Subject.String()),
			Issuer:      name(c.Issuer.CommonName, c.Issuer.String()),
			Names:       alternativeNames(c),
			NotBefore:   c.NotBefore.UTC(),
			NotAfter:    c.NotAfter.UTC(),
			Key:         keyWords(c),
			Signature:   c.SignatureAlgorithm.String(),
			Fingerprint: explain.Fingerprint(c),
		}
	}
	return chain
}

// String is the certificate as one line of the transcript.
func (c Certificate) String() string {
	names := ""
	if len(c.Names) > 0 {
		names = ", names " + strings.Join(c.Names, " ")
	}
	return explain.Clean(fmt.Sprintf("subject %s, issuer %s%s, valid %s to %s, %s, %s, SHA-256 %s",
		c.Subject, c.Issuer, names, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly),
		c.Key, c.Signature, c.Fingerprint))
}

func name(common, full string) string {
	switch {
	case common != "":
		return common
	case full != "":
		return full
	}
	return "(no name)"
}

func alternativeNames(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

func keyWords(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d bits", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return c.PublicKeyAlgorithm.String()
}
