package explain

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"orbit/internal/mail/ladder"
)

// CertificateError is a certificate that was not accepted, with the chain that the server showed, so that a
// page can offer to pin it.
type CertificateError struct {
	Chain []*x509.Certificate // leaf first
	Err   error               // from x509, or PinMismatch, or WeakKey
}

func (e *CertificateError) Error() string { return "certificate not accepted: " + e.Err.Error() }

func (e *CertificateError) Unwrap() error { return e.Err }

// PinMismatch says that the server showed another certificate than the pinned one.
type PinMismatch struct {
	Want, Got string // SHA-256 fingerprints, lower-case hex
}

func (e *PinMismatch) Error() string {
	return fmt.Sprintf("fingerprint is %s, pinned is %s", e.Got, e.Want)
}

// WeakKey says that a certificate's key is too short to protect anything.
type WeakKey struct {
	Algorithm string
	Bits      int
}

func (e *WeakKey) Error() string {
	return fmt.Sprintf("%s key of %d bits is too short", e.Algorithm, e.Bits)
}

// Revoked says that the authority has withdrawn the certificate.
type Revoked struct{ At time.Time }

func (e *Revoked) Error() string { return "certificate was revoked on " + day(e.At) }

// released is a date before this dictionary was written: a clock that says less is wrong.
var released = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// TLS explains why a handshake failed or a certificate was not accepted.
func TLS(err error, c Context) ladder.Fault { return tlsAt(err, c, time.Now()) }

func tlsAt(err error, c Context, now time.Time) ladder.Fault {
	code := tlsCode(err, now)
	if code == "" {
		return Network(ladder.TLS, err, c)
	}
	v := c.networkValues(ladder.TLS)
	v["now"] = now.UTC().Format("2006-01-02 15:04 MST")
	v["detail"] = inline(alertText(err))
	v.addCertificate(err)
	entry := byCode(tlsEntries, code)
	fault := entry.fault(v)
	if strings.Contains(entry.Remedy, "{fingerprint}") {
		fault.Fingerprint = pinnable(err)
	}
	return fault
}

// pinnable is the fingerprint by which the server would be recognised: always that of its own certificate,
// also when the fault is further up the chain.
func pinnable(err error) string {
	var c *CertificateError
	if !errors.As(err, &c) || len(c.Chain) == 0 {
		return ""
	}
	return Fingerprint(c.Chain[0])
}

// tlsCode chooses the entry; "" means that the network failed, not TLS.
func tlsCode(err error, now time.Time) string {
	if code := certificateCode(err, now); code != "" {
		return code
	}
	text := err.Error()
	for _, s := range handshakeSigns {
		if strings.Contains(text, s.text) {
			return s.code
		}
	}
	if notTLS(err) || dropped(err) || timedOut(err) || !strings.Contains(text, "tls:") {
		return ""
	}
	return "tls_handshake"
}

// handshakeSigns are the texts of crypto/tls, whose alerts are not exported as values.
var handshakeSigns = []struct{ text, code string }{
	{"selected unsupported protocol version", "tls_version"},
	{"protocol version not supported", "tls_version"},
	{"no supported versions satisfy", "tls_version"},
	{"insufficient security level", "tls_cipher"},
	{"handshake failure", "tls_cipher"},
	{"unconfigured cipher suite", "tls_cipher"},
	{"unrecognized name", "tls_unknown_name_alert"},
	{"certificate required", "tls_client_certificate"},
	{"remote error: tls: bad certificate", "tls_client_certificate"},
	{"bits is too short", "tls_weak_key"},
	{"keys are insecure", "tls_weak_key"},
	{"keys smaller than", "tls_weak_key"},
	{"failed to parse certificate", "tls_bad_certificate"},
	{"unsupported certificate", "tls_bad_certificate"},
	{"unsupported type of public key", "tls_bad_certificate"},
	{"didn't provide certificate", "tls_bad_certificate"},
}

func certificateCode(err error, now time.Time) string {
	var (
		pin       *PinMismatch
		weak      *WeakKey
		withdrawn *Revoked
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		algorithm x509.InsecureAlgorithmError
		authority x509.UnknownAuthorityError
		system    x509.SystemRootsError
	)
	switch {
	case errors.As(err, &pin):
		return "tls_pin_mismatch"
	case errors.As(err, &weak):
		return "tls_weak_key"
	case errors.As(err, &withdrawn):
		return "tls_revoked"
	case errors.As(err, &invalid):
		return invalidCode(invalid, now)
	case errors.As(err, &name):
		return nameCode(name)
	case errors.As(err, &system):
		return "tls_no_system_roots"
	case errors.As(err, &algorithm), weakSignature(err):
		return "tls_weak_signature"
	case errors.As(err, &authority):
		return authorityCode(err)
	}
	return ""
}

// weakSignature looks into an unknown authority: x509 hides there that a signature was not even considered.
func weakSignature(err error) bool {
	return strings.Contains(err.Error(), "insecure algorithm")
}

func invalidCode(err x509.CertificateInvalidError, now time.Time) string {
	switch err.Reason {
	case x509.Expired:
		return validityCode(err.Cert, now)
	case x509.IncompatibleUsage:
		return "tls_wrong_purpose"
	case x509.CANotAuthorizedForThisName, x509.CANotAuthorizedForExtKeyUsage, x509.NotAuthorizedToSign,
		x509.TooManyIntermediates, x509.NameMismatch, x509.NameConstraintsWithoutSANs,
		x509.UnconstrainedName, x509.TooManyConstraints, x509.NoValidChains:
	}
	return "tls_chain_rules"
}

func validityCode(cert *x509.Certificate, now time.Time) string {
	switch {
	case now.Before(released):
		return "tls_clock_off"
	case cert != nil && now.Before(cert.NotBefore):
		return "tls_not_yet_valid"
	}
	return "tls_expired"
}

func nameCode(err x509.HostnameError) string {
	if len(names(err.Certificate)) == 0 {
		return "tls_no_names"
	}
	return "tls_wrong_name"
}

func authorityCode(err error) string {
	var c *CertificateError
	if !errors.As(err, &c) || len(c.Chain) == 0 {
		return "tls_unknown_authority"
	}
	leaf := c.Chain[0]
	switch {
	case selfSigned(leaf):
		return "tls_self_signed"
	case len(c.Chain) == 1:
		return "tls_incomplete_chain"
	}
	return "tls_unknown_authority"
}

func selfSigned(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawIssuer, cert.RawSubject) &&
		cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}

// alertText is what crypto/tls says, without its prefixes.
func alertText(err error) string {
	text := err.Error()
	if _, after, ok := strings.Cut(text, "tls: "); ok {
		text = after
	}
	return text
}

// versionNames are for the fault that a version is too old.
func versionNames() string {
	return tls.VersionName(tls.VersionTLS12) + " or " + tls.VersionName(tls.VersionTLS13)
}
