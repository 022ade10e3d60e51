package explain

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Fingerprint is the SHA-256 of a certificate, as accounts pin it: lower-case hex.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// addCertificate adds what the texts say about the certificate.
func (v values) addCertificate(err error) {
	for _, name := range []string{"names", "issuer", "subject", "not_after", "not_before", "fingerprint", "pinned", "bits", "revoked_at"} {
		v[name] = ""
	}
	v["versions"] = versionNames()
	if leaf := leafOf(err); leaf != nil {
		v["names"] = inline(list(names(leaf)))
		v["issuer"] = inline(commonName(leaf.Issuer.CommonName, leaf.Issuer.String()))
		v["subject"] = inline(commonName(leaf.Subject.CommonName, leaf.Subject.String()))
		v["not_after"] = day(leaf.NotAfter)
		v["not_before"] = day(leaf.NotBefore)
		v["fingerprint"] = Fingerprint(leaf)
	}
	if pin := (*PinMismatch)(nil); errors.As(err, &pin) {
		v["fingerprint"], v["pinned"] = inline(pin.Got), inline(pin.Want)
	}
	if withdrawn := (*Revoked)(nil); errors.As(err, &withdrawn) {
		v["revoked_at"] = day(withdrawn.At)
	}
	if weak := (*WeakKey)(nil); errors.As(err, &weak) {
		v["bits"] = fmt.Sprintf("%s %d bits", weak.Algorithm, weak.Bits)
	}
}

// leafOf finds the certificate that an error is about. An expired intermediate is named rather than the leaf.
func leafOf(err error) *x509.Certificate {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Cert != nil {
		return invalid.Cert
	}
	var name x509.HostnameError
	if errors.As(err, &name) && name.Certificate != nil {
		return name.Certificate
	}
	var c *CertificateError
	if errors.As(err, &c) && len(c.Chain) > 0 {
		return c.Chain[0]
	}
	return nil
}

// names lists what a certificate is good for. The common name does not count since RFC 6125 6.4.4.
func names(cert *x509.Certificate) []string {
	if cert == nil {
		return nil
	}
	all := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

// list joins names for a sentence, and counts what does not fit there.
func list(all []string) string {
	const most = 8
	if len(all) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
	}
	return strings.Join(all, ", ")
}

func commonName(name, full string) string {
	if name != "" {
		return name
	}
	return full
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
