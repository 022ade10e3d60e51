package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// serve accepts connections and hands them to handle; it returns where.
func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			handle(conn)
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// serveTLS shakes hands and says hello, so that the client also reads what comes after the handshake.
func serveTLS(t *testing.T, config *tls.Config) string {
	t.Helper()
	return serve(t, func(conn net.Conn) {
		secure := tls.Server(conn, config)
		if secure.Handshake() == nil {
			_, _ = io.WriteString(secure, "220 mail.example.com\r\n")
			_, _ = secure.Read(make([]byte, 1)) // until the client has gone
		}
	})
}

func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func shake(t *testing.T, address string, target Target) (*tls.Conn, ladder.Step, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	l := ladder.New(nil)
	conn, err := Handshake(ladder.With(ctx, l), connect(t, address), target)
	steps := l.Steps()
	if len(steps) != 1 || steps[0].Name != ladder.TLS || !steps[0].Done {
		t.Fatalf("steps: %+v", steps)
	}
	return conn, steps[0], err
}

func mail(trust Trust) Target {
	return Target{Host: "mail.example.com", Port: 465, Security: Implicit, Trust: trust}
}

func TestAGoodCertificate(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, nil, authority)
	middle := issue(t, root, nil, authority, func(c *x509.Certificate) { c.Subject.CommonName = "Example Intermediate" })
	leaf := issue(t, middle, nil)
	address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{leaf.server()}})

	conn, step, err := shake(t, address, mail(Trust{Rule: CustomCA, CA: root.pem()}))
	if err != nil {
		t.Fatal(err)
	}
	want := "TLS 1.3, certificate for mail.example.com by Example Intermediate, valid until " + leaf.cert.NotAfter.UTC().Format(time.DateOnly) + " (42 days)"
	if step.Result != want {
		t.Errorf("result %q, want %q", step.Result, want)
	}
	if len(step.Warnings) != 0 {
		t.Errorf("warnings: %q", step.Warnings)
	}
	transcript := text(step)
	for _, part := range []string{"certificate 0: subject mail.example.com, issuer Example Intermediate, names mail.example.com", "certificate 1: subject Example Intermediate, issuer Example CA", leaf.fingerprint()} {
		if !strings.Contains(transcript, part) {
			t.Errorf("the transcript lacks %q:\n%s", part, transcript)
		}
	}
	if conn.ConnectionState().Version < tls.VersionTLS12 {
		t.Error("an old version")
	}
}

func text(s ladder.Step) string {
	lines := make([]string, len(s.Transcript))
	for i, line := range s.Transcript {
		lines[i] = line.Text
	}
	return strings.Join(lines, "\n")
}

func TestCertificateFaults(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, nil, authority)
	other := issue(t, nil, nil, authority)
	middle := issue(t, root, nil, authority, func(c *x509.Certificate) { c.Subject.CommonName = "Example Intermediate" })
	good := issue(t, root, nil)
	limited := issue(t, root, nil, authority, func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"example.net"} })
	oldKey := newRSA(t, 2048)
	oldRoot := issue(t, nil, oldKey, authority)
	ca := Trust{Rule: CustomCA, CA: root.pem()}
	alone := issue(t, middle, nil).server()
	alone.Certificate = alone.Certificate[:1]
	for _, c := range []struct {
		name   string
		server tls.Certificate
		target Target
		want   string
		says   []string
	}{
		{"expired", issue(t, root, nil, valid(-48*time.Hour, -24*time.Hour)).server(), mail(ca), "tls_expired",
			[]string{time.Now().UTC().Add(-24 * time.Hour).Format(time.DateOnly), "pin its certificate"}},
		{"expired authority", issue(t, issue(t, root, nil, authority, valid(-48*time.Hour, -24*time.Hour)), nil).server(), mail(ca), "tls_expired", nil},
		{"not yet valid", issue(t, root, nil, valid(24*time.Hour, 48*time.Hour)).server(), mail(ca), "tls_not_yet_valid", []string{"clock"}},
		{"wrong name", issue(t, root, nil, names("smtp.example.net", "192.0.2.1")).server(), mail(ca), "tls_wrong_name",
			[]string{"smtp.example.net, 192.0.2.1"}},
		{"no names at all", issue(t, root, nil, names()).server(), mail(ca), "tls_no_names", []string{"DNS:mail.example.com"}},
		{"wrong address", good.server(), Target{Host: "192.0.2.9", Port: 465, Trust: ca}, "tls_wrong_name", []string{"mail.example.com"}},
		{"self-signed", issue(t, nil, nil).server(), mail(Trust{}), "tls_self_signed", []string{"Compare the fingerprint"}},
		{"unknown authority", issue(t, middle, nil).server(), mail(Trust{Rule: Verify}), "tls_unknown_authority", []string{"Example Intermediate"}},
		{"another own CA", issue(t, middle, nil).server(), mail(Trust{Rule: CustomCA, CA: other.pem()}), "tls_unknown_authority", nil},
		{"chain not sent", alone, mail(ca), "tls_incomplete_chain", []string{"full chain"}},
		{"short key", issue(t, root, newRSA(t, 768)).server(), mail(ca), "tls_weak_key", []string{"RSA 768 bits"}},
		{"old signature", issue(t, oldRoot, nil, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }).server(),
			mail(Trust{Rule: CustomCA, CA: oldRoot.pem()}), "tls_weak_signature", []string{"SHA-256"}},
		{"for clients only", issue(t, root, nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }).server(),
			mail(ca), "tls_wrong_purpose", nil},
		{"authority for other names", issue(t, limited, nil).server(), mail(ca), "tls_chain_rules", nil},
		{"another pin", good.server(), mail(Trust{Rule: Pin, Fingerprint: root.fingerprint()}), "tls_pin_mismatch",
			[]string{good.fingerprint(), root.fingerprint()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{c.server}})
			conn, step, err := shake(t, address, c.target)
			if conn != nil || err == nil {
				t.Fatal("accepted")
			}
			var fault *ladder.Error
			if !errors.As(err, &fault) || fault.Step != ladder.TLS {
				t.Fatalf("%v is no *ladder.Error", err)
			}
			if fault.Fault.Code != c.want {
				t.Fatalf("%s, want %s: %v", fault.Fault.Code, c.want, err)
			}
			if step.Fault == nil || step.Fault.Code != c.want {
				t.Errorf("the step says %+v", step.Fault)
			}
			all := fault.Fault.Cause + "\n" + fault.Fault.Remedy
			for _, s := range c.says {
				if !strings.Contains(all, s) {
					t.Errorf("lacks %q:\n%s", s, all)
				}
			}
			if strings.Contains(all, "<") || strings.Contains(all, "{") {
				t.Errorf("something is missing:\n%s", all)
			}
			var certificate *explain.CertificateError
			if !errors.As(err, &certificate) || len(certificate.Chain) == 0 {
				t.Fatal("the chain is lost")
			}
			if !strings.Contains(text(step), "certificate 0: ") {
				t.Error("the transcript lacks the chain")
			}
		})
	}
}

func TestARevokedCertificateIsRefused(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, nil, authority)
	leaf := issue(t, root, nil)
	for status, want := range map[int]string{ocsp.Good: "", ocsp.Revoked: "tls_revoked"} {
		staple, err := ocsp.CreateResponse(root.cert, root.cert, ocsp.Response{
			Status: status, SerialNumber: leaf.cert.SerialNumber, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour), RevokedAt: time.Now(),
		}, root.key)
		if err != nil {
			t.Fatal(err)
		}
		server := leaf.server()
		server.OCSPStaple = staple
		address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{server}})
		_, _, err = shake(t, address, mail(Trust{Rule: CustomCA, CA: root.pem()}))
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		var fault *ladder.Error
		if !errors.As(err, &fault) || fault.Fault.Code != want || !strings.Contains(fault.Fault.Cause, time.Now().UTC().Format(time.DateOnly)) {
			t.Errorf("%v", err)
		}
	}
}

// What the page offers after a failure must work: pin what the fault names.
func TestTheOfferedPinIsAccepted(t *testing.T) {
	t.Parallel()
	leaf := issue(t, nil, nil, valid(-48*time.Hour, -24*time.Hour))
	address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{leaf.server()}})
	_, _, err := shake(t, address, mail(Trust{}))
	var certificate *explain.CertificateError
	if !errors.As(err, &certificate) {
		t.Fatal(err)
	}
	pin := Chain(certificate.Chain)[0].Fingerprint
	_, step, err := shake(t, address, Target{Host: "any.name.example", Port: 465, Trust: Trust{Rule: Pin, Fingerprint: pin}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(step.Result, "the pinned certificate") || len(step.Warnings) != 1 || !strings.Contains(step.Warnings[0], "expired") {
		t.Errorf("%q, %q", step.Result, step.Warnings)
	}
}

func TestIgnoredErrorsAreNamed(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, nil, authority)
	for _, c := range []struct {
		name string
		leaf *issued
		says string
	}{
		{"expired", issue(t, root, nil, valid(-48*time.Hour, -24*time.Hour)), "expired on"},
		{"wrong name", issue(t, root, nil, names("smtp.example.net")), "smtp.example.net"},
		{"self-signed", issue(t, nil, nil), "nobody vouches for it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{c.leaf.server()}})
			_, step, err := shake(t, address, mail(Trust{Rule: Ignore}))
			if err != nil {
				t.Fatal(err)
			}
			if len(step.Warnings) == 0 || !strings.Contains(step.Warnings[0], "was ignored") || !strings.Contains(step.Warnings[0], c.says) {
				t.Errorf("%q", step.Warnings)
			}
			if strings.Contains(step.Warnings[0], "<") {
				t.Errorf("something is missing: %s", step.Warnings[0])
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, nil, authority)
	for _, c := range []struct {
		name string
		leaf *issued
		says string
	}{
		{"expires soon", issue(t, root, nil, valid(-time.Hour, 10*24*time.Hour+time.Hour)), "expires in 10 days"},
		{"expires tomorrow", issue(t, root, nil, valid(-time.Hour, 25*time.Hour)), "expires in 1 day,"},
		{"expires today", issue(t, root, nil, valid(-time.Hour, time.Hour)), "expires in less than a day"},
		{"small key", issue(t, root, newRSA(t, 1024)), "only 1024 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{c.leaf.server()}})
			_, step, err := shake(t, address, mail(Trust{Rule: CustomCA, CA: root.pem()}))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(step.Warnings, func(w string) bool { return strings.Contains(w, c.says) }) {
				t.Errorf("%q", step.Warnings)
			}
		})
	}
}

func TestHandshakesThatBreakOff(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, nil, authority)
	certificate := []tls.Certificate{issue(t, root, nil).server()}
	rsaCertificate := []tls.Certificate{issue(t, root, newRSA(t, 2048)).server()}
	for _, c := range []struct {
		name    string
		address string
		want    string
	}{
		{"old version", serveTLS(t, &tls.Config{Certificates: certificate, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), "tls_version"},
		{"no common cipher", serveTLS(t, &tls.Config{Certificates: rsaCertificate, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}}), "tls_cipher"},
		{"client certificate", serveTLS(t, &tls.Config{Certificates: certificate, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}), "tls_cipher"},
		{"mail greeting", serve(t, func(c net.Conn) { _, _ = io.WriteString(c, "220 mail.example.com ESMTP\r\n"); drain(c) }), "tls_plain_greeting"},
		{"something else", serve(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); drain(c) }), "tls_not_tls"},
		{"closed", serve(t, func(c net.Conn) { _, _ = io.ReadFull(c, make([]byte, 5)) }), "tls_dropped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := shake(t, c.address, mail(Trust{Rule: CustomCA, CA: root.pem()}))
			var fault *ladder.Error
			if !errors.As(err, &fault) || fault.Fault.Code != c.want {
				t.Fatalf("%v, want %s", err, c.want)
			}
		})
	}
}

// drain reads what the client sends, so that closing does not reset the connection before it has read our words.
func drain(c net.Conn) {
	_ = c.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, c)
}

func TestASilentServerTimesOut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	address := serve(t, func(net.Conn) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := Handshake(ctx, connect(t, address), mail(Trust{}))
	var fault *ladder.Error
	if !errors.As(err, &fault) || fault.Fault.Code != "tls_timeout" {
		t.Fatal(err)
	}
}

// In TLS 1.3 the server's demand for a client certificate comes after the client's handshake has ended.
func TestAClientCertificateIsDemandedLate(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, nil, authority)
	address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{issue(t, root, nil).server()}, ClientAuth: tls.RequireAnyClientCert})
	conn, _, err := shake(t, address, mail(Trust{Rule: CustomCA, CA: root.pem()}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Read(make([]byte, 1))
	if f := explain.Network(ladder.Greeting, err, explain.Context{Host: "mail.example.com", Port: 465}); f.Code != "tls_client_certificate" {
		t.Errorf("%v is explained as %+v", err, f)
	}
}

func TestUnusableRules(t *testing.T) {
	t.Parallel()
	for _, target := range []Target{
		mail(Trust{Rule: Pin, Fingerprint: "abc"}),
		mail(Trust{Rule: CustomCA, CA: "no PEM"}),
		mail(Trust{Rule: "strange"}),
		{Host: "", Port: 465},
	} {
		if _, err := TLSConfig(target); err == nil {
			t.Errorf("%+v is accepted", target)
		}
		here, there := net.Pipe()
		_, err := Handshake(t.Context(), here, target)
		_ = there.Close()
		var fault *ladder.Error
		if !errors.As(err, &fault) || fault.Fault.Code != "tls_bad_rule" {
			t.Errorf("%+v: %v", target, err)
		}
	}
}
