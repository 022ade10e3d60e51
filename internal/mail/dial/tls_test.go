package dial

import (
	"crypto/tls"
	"strings"
	"testing"
)

func TestSessionsAreResumedAndCheckedAgain(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, nil, authority)
	leaf := issue(t, root, nil)
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{leaf.server()}, MaxVersion: version})
			target := mail(Trust{Rule: CustomCA, CA: root.pem()})
			target.Port = int(version) // a cache entry of its own
			for visit := range 2 {
				conn, step, err := shake(t, address, target)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Read(make([]byte, 64)); err != nil { // TLS 1.3 sends its ticket with the first data
					t.Fatal(err)
				}
				_ = conn.Close()
				if resumed := conn.ConnectionState().DidResume; resumed != (visit == 1) {
					t.Errorf("visit %d: resumed %v", visit, resumed)
				}
				if !strings.Contains(step.Result, "certificate for mail.example.com by Example CA") {
					t.Errorf("visit %d: %q", visit, step.Result)
				}
			}
			target.Trust = Trust{Rule: Pin, Fingerprint: root.fingerprint()}
			if conn, _, err := shake(t, address, target); err == nil || conn != nil {
				t.Error("a session of another rule let the wrong certificate pass")
			}
		})
	}
}

func TestConfigDemandsTLS12(t *testing.T) {
	t.Parallel()
	config, err := TLSConfig(Target{Host: "Büro.Example.COM", Port: 465})
	if err != nil {
		t.Fatal(err)
	}
	if config.MinVersion != tls.VersionTLS12 || config.ServerName != "xn--bro-hoa.example.com" || config.VerifyConnection == nil {
		t.Errorf("%+v", config)
	}
	if err := config.VerifyConnection(tls.ConnectionState{}); err == nil {
		t.Error("no certificate is accepted")
	}
}

func TestFingerprintsAsProgramsPrintThem(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("0a", 32)
	for _, text := range []string{
		want, strings.ToUpper(want), strings.Repeat("0A:", 31) + "0A", "sha256 Fingerprint=" + strings.Repeat("0A:", 31) + "0A",
		"SHA256:" + want, "  " + strings.Repeat("0a ", 32), "sha-256 " + want,
	} {
		if got, err := NormalizeFingerprint(text); err != nil || got != want {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0a", want + "0a", strings.Repeat("zz", 32)} {
		if _, err := NormalizeFingerprint(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Mail.Example.COM":      "mail.example.com",
		" mail.example.com. ":   "mail.example.com",
		"bücher.example":        "xn--bcher-kva.example",
		"xn--bcher-kva.example": "xn--bcher-kva.example",
		"mail_server":           "mail_server",
		"localhost":             "localhost",
		"192.0.2.1":             "192.0.2.1",
		"[2001:DB8::1]":         "2001:db8::1",
		"::ffff:192.0.2.1":      "::ffff:192.0.2.1",
	} {
		if got, err := ASCIIHost(in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{"", " ", ".", "a b", "mail.example.com:25", "https://mail", "a..b", "a.b..", "192.0.2.256", "192.0.2", "1", "mail\r\nRCPT", "a\x00b", "user@host", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 127) + "aa", "[mail"} {
		if got, err := ASCIIHost(in); err == nil {
			t.Errorf("%q is accepted as %q", in, got)
		}
	}
}
