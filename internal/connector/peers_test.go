package connector

import (
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
)

// The name localhost is looked up by the peer: on this side the resolver fails the test.

func TestThroughMicrosocks(t *testing.T) {
	t.Parallel()
	h, far := newHouse(t), greeter(t)
	open := h.register(KindSOCKS5, mailtest.Microsocks(t, "", ""), "", "")
	conn, steps, err := h.dial(open, "localhost", far)
	if err != nil {
		t.Fatal(err)
	}
	converses(t, conn)
	if names(steps) != "connector gate connect" || steps[1].Result != "no sign-in needed" {
		t.Errorf("%+v", steps)
	}
	conn, _, err = h.dial(open, "127.0.0.1", far)
	if err != nil {
		t.Fatal(err)
	}
	converses(t, conn)
	if _, _, err = h.dial(open, "127.0.0.1", closedPort); faultOf(t, err).Fault.Code != "socks5_5" {
		t.Errorf("%v", err)
	}
}

func TestThroughMicrosocksWithPassword(t *testing.T) {
	t.Parallel()
	h, far := newHouse(t), greeter(t)
	port := mailtest.Microsocks(t, "orbit", "s3cret")
	good := h.register(KindSOCKS5, port, "orbit", "s3cret")
	conn, steps, err := h.dial(good, "localhost", far)
	if err != nil {
		t.Fatal(err)
	}
	converses(t, conn)
	if steps[1].Result != "signed in as orbit" {
		t.Errorf("%+v", steps)
	}
	if _, err := h.Credentials.ReplaceSecret(h.ctx, good.CredentialID, 0, secretOf("wrong")); err != nil {
		t.Fatal(err)
	}
	if _, steps, err = h.dial(good, "localhost", far); faultOf(t, err).Fault.Code != "socks5_password" || steps[1].Fault == nil {
		t.Errorf("%v", err)
	}
	without, err := h.Save(h.ctx, good.ID, Change{Settings: Settings{Name: "without", Kind: KindSOCKS5, Address: "127.0.0.1", Port: port, Active: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = h.dial(without, "localhost", far); faultOf(t, err).Fault.Code != "socks5_method" {
		t.Errorf("%v", err)
	}
}

func TestThroughDante(t *testing.T) {
	t.Parallel()
	h, far, blocked := newHouse(t), greeter(t), greeter(t)
	dante := h.register(KindSOCKS5, mailtest.Dante(t, blocked), "", "")
	conn, _, err := h.dial(dante, "localhost", far)
	if err != nil {
		t.Fatal(err)
	}
	converses(t, conn)
	for port, code := range map[int]string{blocked: "socks5_2", closedPort: "socks5_5"} {
		if _, _, err = h.dial(dante, "127.0.0.1", port); faultOf(t, err).Fault.Code != code {
			t.Errorf("want %s: %v", code, err)
		}
	}
}

func TestThroughTinyproxy(t *testing.T) {
	t.Parallel()
	h, far, other := newHouse(t), greeter(t), greeter(t)
	port := mailtest.Tinyproxy(t, "orbit", "s3cret", far)
	c := h.register(KindHTTPConnect, port, "orbit", "s3cret")
	conn, steps, err := h.dial(c, "localhost", far)
	if err != nil {
		t.Fatal(err)
	}
	converses(t, conn)
	if names(steps) != "connector connect" {
		t.Errorf("%+v", steps)
	}
	if _, _, err = h.dial(c, "127.0.0.1", other); faultOf(t, err).Fault.Code != "http_connect_403" {
		t.Errorf("%v", err)
	}
	if _, err := h.Credentials.ReplaceSecret(h.ctx, c.CredentialID, 0, secretOf("wrong")); err != nil {
		t.Fatal(err)
	}
	if _, _, err = h.dial(c, "127.0.0.1", far); faultOf(t, err).Fault.Code != "http_connect_407_wrong" {
		t.Errorf("%v", err)
	}
	without, err := h.Save(h.ctx, c.ID, Change{Settings: Settings{Name: "without", Kind: KindHTTPConnect, Address: "127.0.0.1", Port: port, Active: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = h.dial(without, "127.0.0.1", far); faultOf(t, err).Fault.Code != "http_connect_407_missing" {
		t.Errorf("%v", err)
	}
}

// The name is known to Squid alone, and the certificate is verified for it all the same.
func TestThroughSquidTLSIsVerifiedForTheRealName(t *testing.T) {
	t.Parallel()
	const name = "mail.beyond.test"
	cert := mailtest.Certificate(t, mailtest.CertificateOptions{Names: []string{name}})
	h, far, other := newHouse(t), tlsGreeter(t, cert), greeter(t)
	closed := closedPort
	c := h.register(KindHTTPConnect, mailtest.Squid(t, map[string]string{name: "127.0.0.1", "other.beyond.test": "127.0.0.1"}, far, closed), "", "")
	for host, code := range map[string]string{name: "", "other.beyond.test": "tls_wrong_name"} {
		conn, _, err := h.dial(c, host, far)
		if err != nil {
			t.Fatal(err)
		}
		secure, err := dial.Handshake(h.ctx, conn, dial.Target{
			Host: host, Port: far, Security: dial.Implicit, Trust: dial.Trust{Rule: dial.CustomCA, CA: cert.CA},
		})
		switch {
		case code == "" && err != nil:
			t.Error(err)
		case code == "":
			converses(t, secure)
		case faultOf(t, err).Fault.Code != code:
			t.Errorf("want %s: %v", code, err)
		}
	}
	if _, _, err := h.dial(c, name, other); faultOf(t, err).Fault.Code != "http_connect_403" {
		t.Errorf("%v", err)
	}
	if _, _, err := h.dial(c, name, closed); faultOf(t, err).Fault.Code != "http_connect_503" {
		t.Errorf("%v", err)
	}
}

func TestThroughOpenSSH(t *testing.T) {
	t.Parallel()
	server := mailtest.SSHD(t)
	h, far := newHouse(t), greeter(t)
	c := h.register(KindSSH, server.Port, server.Username, server.PrivateKey)

	_, steps, err := h.dial(c, "localhost", far)
	refused := faultOf(t, err)
	if refused.Fault.Code != "ssh_host_key_unconfirmed" || refused.Step != ladder.Gate || names(steps) != "connector gate" {
		t.Fatalf("%v, %+v", err, steps)
	}
	if c, err = h.Find(h.ctx, c.ID); err != nil || c.OfferedFingerprint != server.Fingerprint || !c.KeyUnconfirmed() {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := h.ConfirmHostKey(h.ctx, c.ID, "SHA256:another"); err == nil {
		t.Error("a key that was not offered was confirmed")
	}
	if c, err = h.ConfirmHostKey(h.ctx, c.ID, server.Fingerprint); err != nil || c.Fingerprint != server.Fingerprint || c.HostKeyType != "ssh-ed25519" {
		t.Fatalf("%+v, %v", c, err)
	}
	for range 2 { // the second finds the first's connection
		conn, _, err := h.dial(c, "localhost", far)
		if err != nil {
			t.Fatal(err)
		}
		converses(t, conn)
	}
	if _, steps, err = h.dial(c, "localhost", closedPort); faultOf(t, err).Fault.Code != "ssh_connect_failed" || names(steps) != "connector connect" {
		t.Errorf("%v, %+v", err, steps)
	}
}

func TestOpenSSHThatForwardsNothing(t *testing.T) {
	t.Parallel()
	server := mailtest.SSHD(t, "AllowTcpForwarding no")
	h := newHouse(t)
	c := h.confirmed(h.register(KindSSH, server.Port, server.Username, server.PrivateKey))
	if _, _, err := h.dial(c, "localhost", 25); faultOf(t, err).Fault.Code != "ssh_prohibited" {
		t.Errorf("%v", err)
	}
}
