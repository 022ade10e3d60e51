package mailtest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strconv"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func trusting(t *testing.T, c Cert) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(c.CA)) {
		t.Fatal("no authority")
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

func TestPostfixPassesMailToTheSink(t *testing.T) {
	t.Parallel()
	p := Postfix(t, PostfixOptions{})
	err := smtp.SendMail(address(p.Relay), nil, "a@example.com", []string{"b@example.net"}, []byte("Subject: x\r\n\r\nHello\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m := p.Sink.Next(t); m.From != "a@example.com" || len(m.To) != 1 || !strings.Contains(string(m.Data), "Hello") {
		t.Errorf("%+v", m)
	}
}

func TestDovecotServesTheMailbox(t *testing.T) {
	t.Parallel()
	d := Dovecot(t, DovecotOptions{})
	d.Deliver(t, User, []byte("From: a@example.com\nSubject: x\n\nHello\n"))
	client, err := imapclient.DialTLS(address(d.IMAPS), &imapclient.Options{TLSConfig: trusting(t, d.Cert)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Login(User, Password).Wait(); err != nil {
		t.Fatal(err)
	}
	inbox, err := client.Select("INBOX", nil).Wait()
	if err != nil || inbox.NumMessages != 1 {
		t.Errorf("%+v, %v", inbox, err)
	}
	for _, port := range []int{d.POP3, d.POP3S, d.IMAP} {
		conn, err := net.Dial("tcp", address(port))
		if err != nil {
			t.Error(err)
			continue
		}
		_ = conn.Close()
	}
}

func TestDovecotAsksTheProviderAboutTokens(t *testing.T) {
	t.Parallel()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"active":%t,"username":%q}`, r.FormValue("token") == "good", User)
	}))
	t.Cleanup(provider.Close)
	d := Dovecot(t, DovecotOptions{Introspection: provider.URL})
	for token, want := range map[string]bool{"good": true, "bad": false} {
		client, err := imapclient.DialTLS(address(d.IMAPS), &imapclient.Options{TLSConfig: trusting(t, d.Cert)})
		if err != nil {
			t.Fatal(err)
		}
		err = client.Authenticate(sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: User, Token: token}))
		if (err == nil) != want {
			t.Errorf("token %s: %v", token, err)
		}
		_ = client.Close()
	}
}

func TestCertificateIsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	c := Certificate(t, CertificateOptions{Names: []string{"mail.example.test", "192.0.2.1"}})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(c.CA))
	leaf, err := x509.ParseCertificate(c.TLS.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mail.example.test", "192.0.2.1"} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
