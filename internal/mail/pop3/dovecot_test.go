package pop3

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"orbit/internal/mail/mailtest"
	"orbit/internal/mail/sasl"
	"orbit/internal/vault"
)

const testMail = "Subject: Hello\r\n\r\nA first line.\r\n.A line with a dot.\r\n"

// A real server is read, over TLS in both ways, and what was deleted is gone in the next session only after QUIT.
func TestDovecot(t *testing.T) {
	t.Parallel()
	server := mailtest.Dovecot(t, mailtest.DovecotOptions{})
	server.Deliver(t, mailtest.User, []byte(strings.ReplaceAll(testMail, "\r\n", "\n")))
	ctx := t.Context()

	c := dialTLS(t, server)
	offered, err := c.Capabilities(ctx)
	if err != nil || !offered.Has("UIDL") || !offered.Has("TOP") {
		t.Errorf("%v, %v", offered.Names(), err)
	}
	if _, err := c.Authenticate(ctx, sasl.NewPlain(mailtest.User, vault.NewSecret("wrong"))); !isRefusal(err, CodeAuth) {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := c.Authenticate(ctx, sasl.NewPlain(mailtest.User, vault.NewSecret(mailtest.Password))); err != nil {
		t.Fatal(err)
	}
	if text, err := read(ctx, c, 10_000); err != nil || !strings.HasSuffix(text, testMail) {
		t.Errorf("%q, %v", text, err)
	}
	if err := errors.Join(c.Delete(ctx, 1), c.Close()); err != nil { // without QUIT
		t.Error(err)
	}

	c = dialSTLS(t, server)
	if _, err := c.Login(ctx, mailtest.User, mailtest.Password); err != nil {
		t.Fatal(err)
	}
	if ids, err := collect(c.UIDs(ctx)); err != nil || len(ids) != 1 || ids[0].ID == "" {
		t.Errorf("%v, %v", ids, err)
	}
	if err := errors.Join(c.Delete(ctx, 1), c.Quit(ctx)); err != nil {
		t.Error(err)
	}

	c = dialTLS(t, server)
	if _, err := c.Login(ctx, mailtest.User, mailtest.Password); err != nil {
		t.Fatal(err)
	}
	if s, err := c.Stat(ctx); err != nil || s.Count != 0 {
		t.Errorf("%v, %v", s, err)
	}
}

func isRefusal(err error, code string) bool {
	var refusal *Error
	return errors.As(err, &refusal) && refusal.Code == code
}

func config(server *mailtest.DovecotServer) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(server.Cert.CA))
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

func dialTLS(t *testing.T, server *mailtest.DovecotServer) *Client {
	t.Helper()
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", server.POP3S), config(server))
	return start(t, conn, err)
}

func dialSTLS(t *testing.T, server *mailtest.DovecotServer) *Client {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", server.POP3))
	c := start(t, conn, err)
	if err := c.StartTLS(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Upgrade(tls.Client(conn, config(server)))
	return c
}

func start(t *testing.T, conn net.Conn, err error) *Client {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	c := New(conn, Options{})
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Greeting(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}
