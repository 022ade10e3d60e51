package dial

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// handshakeTimeout is long enough for a slow server on another continent.
const handshakeTimeout = 10 * time.Second

// expiresSoon is when a certificate deserves attention: automatic renewal acts at 30 days, so at 21 it has failed.
const expiresSoon = 21 * 24 * time.Hour

// Handshake starts TLS on conn as client and reports the step tls. When it fails it closes conn and returns a
// *ladder.Error; errors.As finds an *explain.CertificateError with the chain when the certificate was the reason.
func Handshake(ctx context.Context, conn net.Conn, t Target) (*tls.Conn, error) {
	l := ladder.From(ctx)
	l.Begin(ladder.TLS, "Certificate and encryption")
	check, err := t.checker()
	if err != nil {
		_ = conn.Close()
		return nil, l.Fail(ladder.TLS, explain.BadTrust(err, t.explanation(ctx)), err)
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	secure := tls.Client(conn, check.config())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		recordChain(l, chainOf(err))
		return nil, l.Fail(ladder.TLS, explain.TLS(err, t.explanation(ctx)), err)
	}
	if l != nil { // nobody reads the report of real mail, and a proxy signs in often
		report(l, secure.ConnectionState(), check)
	}
	return secure, nil
}

func (t Target) explanation(ctx context.Context) explain.Context {
	c := explain.At(ctx, t.Host, t.Port)
	c.Security = t.Security
	return c
}

// report ends the step with what people want to know of a good handshake.
func report(l *ladder.Ladder, state tls.ConnectionState, check *checker) {
	leaf := state.PeerCertificates[0]
	recordChain(l, state.PeerCertificates)
	l.Record("note", fmt.Sprintf("%s, %s%s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), resumed(state)))
	now := time.Now()
	for _, w := range warnings(check, leaf, now) {
		l.Warn("%s", w)
	}
	l.End("%s, %s", tls.VersionName(state.Version), summary(check, leaf, now))
}

func resumed(state tls.ConnectionState) string {
	if state.DidResume {
		return ", session resumed"
	}
	return ""
}

// summary reads "certificate for mail.example.com by Example CA, valid until 2027-01-04 (42 days)".
func summary(check *checker, leaf *x509.Certificate, now time.Time) string {
	c := Chain([]*x509.Certificate{leaf})[0]
	subject := check.name
	if check.target.Trust.Rule == Pin || check.ignored != nil {
		subject = c.Subject
	}
	text := fmt.Sprintf("certificate for %s by %s, %s", subject, c.Issuer, validity(c.NotAfter, now))
	if check.target.Trust.Rule == Pin {
		text = "the pinned " + text
	}
	return explain.Clean(text)
}

func validity(until, now time.Time) string {
	date := until.Format(time.DateOnly)
	if now.After(until) {
		return "expired on " + date
	}
	return fmt.Sprintf("valid until %s (%s)", date, days(until.Sub(now)))
}

// days are the whole days of what is left.
func days(left time.Duration) string {
	switch n := int(left.Hours() / 24); n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}

func warnings(check *checker, leaf *x509.Certificate, now time.Time) []string {
	var all []string
	if check.target.Trust.Rule == Ignore {
		all = append(all, ignoreWarning(check))
	}
	if left := leaf.NotAfter.Sub(now); left > 0 && left < expiresSoon {
		all = append(all, fmt.Sprintf("The certificate of %s expires in %s, on %s. Renew it now.",
			check.name, days(left), leaf.NotAfter.UTC().Format(time.DateOnly)))
	}
	if check.target.Trust.Rule == Pin && now.After(leaf.NotAfter) {
		all = append(all, "The pinned certificate expired on "+leaf.NotAfter.UTC().Format(time.DateOnly)+"; it is accepted because it is pinned.")
	}
	if bits := rsaBits(leaf); bits > 0 && bits < 2048 {
		all = append(all, fmt.Sprintf("The certificate's RSA key has only %d bits; 2048 are the minimum today.", bits))
	}
	return all
}

// ignoreWarning names what was let pass, or says that the switch is not needed.
func ignoreWarning(check *checker) string {
	if check.ignored == nil {
		return "Certificate errors are ignored for this account, but the certificate is fine: switch that off."
	}
	f := explain.TLS(check.ignored, explain.Context{Host: check.target.Host, Port: check.target.Port, Security: check.target.Security})
	return "A certificate error was ignored: " + f.Cause + " Anybody on the way could read along; pin the certificate instead."
}

func recordChain(l *ladder.Ladder, certs []*x509.Certificate) {
	for i, c := range Chain(certs) {
		l.Record("note", fmt.Sprintf("certificate %d: %s", i, c))
	}
}

func chainOf(err error) []*x509.Certificate {
	var c *explain.CertificateError
	if errors.As(err, &c) {
		return c.Chain
	}
	return nil
}

func rsaBits(c *x509.Certificate) int {
	if key, ok := c.PublicKey.(*rsa.PublicKey); ok {
		return key.N.BitLen()
	}
	return 0
}
