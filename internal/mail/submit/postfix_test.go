package submit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
	"orbit/internal/vault"
)

// at is a Server on one of Postfix's ports, with the certificate verified.
func at(p *mailtest.PostfixServer, port int, security dial.Security) Server {
	return Server{
		Target: dial.Target{Host: "localhost", Port: port, Security: security, Trust: dial.Trust{Rule: dial.CustomCA, CA: p.Cert.CA}},
		Auth:   Auth{Username: mailtest.User, Password: vault.NewSecret(mailtest.Password)},
	}
}

func local(port int) to { return to{address: fmt.Sprintf("127.0.0.1:%d", port)} }

func TestRealPostfixTakesMailOnEveryPort(t *testing.T) {
	t.Parallel()
	p := mailtest.Postfix(t, mailtest.PostfixOptions{})
	for _, c := range []struct {
		name     string
		port     int
		security dial.Security
		auth     string // the mechanism that is chosen
	}{
		{"submission with STARTTLS", p.Submission, dial.STARTTLS, "SCRAM-SHA-256"},
		{"submissions with implicit TLS", p.Submissions, dial.Implicit, "SCRAM-SHA-256"},
		{"in the clear on loopback", p.Clear, dial.Plain, "SCRAM-SHA-256"},
		{"a relay without sign-in", p.Relay, dial.Plain, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := at(p, c.port, c.security)
			if c.auth == "" {
				server.Auth = Auth{}
			}
			l := ladder.New(nil)
			result, err := Deliver(ladder.With(t.Context(), l), local(c.port), server, full(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(result.Reply, "250 2.0.0 Ok: queued as ") {
				t.Errorf("reply %q", result.Reply)
			}
			for _, s := range l.Steps() {
				if s.Name == ladder.Auth && !strings.Contains(s.Result, c.auth) {
					t.Errorf("signed in: %s", s.Result)
				}
			}
			checkArrived(t, p.Sink)
		})
	}
}

// checkArrived compares what Postfix passed on with what full describes.
func checkArrived(t *testing.T, sink *mailtest.SinkServer) {
	t.Helper()
	got := sink.Next(t)
	slices.Sort(got.To)
	if got.From != "bounces@example.com" || strings.Join(got.To, " ") != "ann@xn--bcher-kva.example bob@example.net" {
		t.Errorf("envelope %s -> %s", got.From, got.To)
	}
	m, err := mail.ReadMessage(bytes.NewReader(got.Data))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"Message-Id": "<4F2@example.com>", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
		"Disposition-Notification-To": "<receipts@example.com>", "Reply-To": `"Answers" <answers@example.com>`,
	} {
		if m.Header.Get(field) != want {
			t.Errorf("%s: %q, want %q", field, m.Header.Get(field), want)
		}
	}
	if body, _ := io.ReadAll(m.Body); !bytes.Contains(body, []byte("\r\n.ein Punkt am Anfang\r\n")) {
		t.Errorf("the line with a dot was changed: %q", body)
	}
}

func TestRealServersKnowEveryMechanism(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			dovecot := mailtest.Dovecot(t, mailtest.DovecotOptions{Mechanisms: []string{mechanism}})
			p := mailtest.Postfix(t, mailtest.PostfixOptions{SASL: dovecot})
			server := at(p, p.Submissions, dial.Implicit)
			if _, err := Deliver(t.Context(), local(p.Submissions), server, full(), nil); err != nil {
				t.Error(err)
			}
			server.Auth.Password = vault.NewSecret("wrong")
			_, err := Deliver(t.Context(), local(p.Submissions), server, full(), nil)
			var e *ladder.Error
			var refusal *Refusal
			if !errors.As(err, &e) || e.Step != ladder.Auth || !errors.As(err, &refusal) || refusal.Code != 535 {
				t.Errorf("a wrong password: %v", err)
			}
		})
	}
}

func TestRealServersTakeAccessTokens(t *testing.T) {
	t.Parallel()
	introspection := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"active":%t,"username":%q}`, r.FormValue("token") == testToken, mailtest.User)
	}))
	t.Cleanup(introspection.Close)
	dovecot := mailtest.Dovecot(t, mailtest.DovecotOptions{Introspection: introspection.URL})
	for _, mechanism := range []string{"XOAUTH2", "OAUTHBEARER"} {
		t.Run(mechanism, func(t *testing.T) {
			only := mailtest.Postfix(t, mailtest.PostfixOptions{SASL: dovecot, Main: map[string]string{
				"smtpd_sasl_mechanism_filter": strings.ToLower(mechanism)}})
			server := at(only, only.Submissions, dial.Implicit)
			server.Auth = Auth{Token: renewing{tokens("expired", testToken)}}
			l := ladder.New(nil)
			if _, err := Deliver(ladder.With(t.Context(), l), local(only.Submissions), server, full(), nil); err != nil {
				t.Error(err)
			}
			if got := strings.Join(names(l.Steps()), " "); !strings.Contains(got, "token auth token auth mail_from") {
				t.Errorf("steps %s", got)
			}
		})
	}
}

func TestRealPostfixIsNotFooledIntoASecondMessage(t *testing.T) {
	t.Parallel()
	p := mailtest.Postfix(t, mailtest.PostfixOptions{})
	server := at(p, p.Relay, dial.Plain)
	server.Auth = Auth{}
	session, err := Open(t.Context(), local(p.Relay), server)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	e := Envelope{From: "a@example.com", To: []string{"b@example.net"}}
	for _, end := range []string{"\n.\n", "\r.\r", "\r\n.\n", "\n.\r\n", "\r\n.\r", "\r\n.\r\n"} {
		smuggled := "Subject: one\r\n\r\nfirst" + end + "MAIL FROM:<x@example.org>\r\nRCPT TO:<y@example.org>\r\nDATA\r\nSubject: two\r\n\r\nsecond\r\n"
		if _, err := session.SendRaw(t.Context(), e, []byte(smuggled)); err != nil {
			t.Fatalf("%q: %v", end, err)
		}
		if got := p.Sink.Next(t); got.From != "a@example.com" || !bytes.Contains(got.Data, []byte("second")) {
			t.Errorf("%q: %s: %q", end, got.From, got.Data)
		}
	}
}

func TestRealPostfixTakesManyMessagesOverOneSession(t *testing.T) {
	t.Parallel()
	p := mailtest.Postfix(t, mailtest.PostfixOptions{})
	session, err := Open(t.Context(), local(p.Submission), at(p, p.Submission, dial.STARTTLS))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for i := range 30 {
		m := full()
		m.MessageID = fmt.Sprintf("%d@example.com", i)
		m.To = append(m.To, mail.Address{Address: "jürgen@example.net"})
		if _, err := session.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for range 30 {
		got := p.Sink.Next(t)
		m, err := mail.ReadMessage(bytes.NewReader(got.Data))
		if err != nil || !got.UTF8 || len(got.To) != 3 {
			t.Fatalf("%v, %+v", err, got)
		}
		seen[m.Header.Get("Message-Id")] = true
	}
	if len(seen) != 30 {
		t.Errorf("%d different messages arrived", len(seen))
	}
}

func TestRealPostfixSaysWhyNot(t *testing.T) {
	t.Parallel()
	p := mailtest.Postfix(t, mailtest.PostfixOptions{Main: map[string]string{
		"smtpd_recipient_restrictions": "check_recipient_access inline:{{gone@example.net=550 5.1.1 User unknown}}",
		"message_size_limit":           "5000",
	}})
	gone, large := full(), full()
	gone.To = []mail.Address{{Address: "gone@example.net"}}
	large.Text = strings.Repeat("All work and no play makes Jack a dull boy.\n", 1000)
	noTLS := at(p, p.Submission, dial.Plain)
	wrongCA := at(p, p.Submission, dial.STARTTLS)
	wrongCA.Target.Trust = dial.Trust{}
	noAuth := at(p, p.Submissions, dial.Implicit)
	noAuth.Auth = Auth{}
	for _, c := range []struct {
		name   string
		server Server
		m      Message
		step   ladder.Name
		code   string
	}{
		{"recipient unknown", at(p, p.Submission, dial.STARTTLS), gone, ladder.RcptTo, "smtp_550_5.1.1"},
		{"too large", at(p, p.Submission, dial.STARTTLS), large, ladder.MailFrom, "message_too_large"},
		{"STARTTLS demanded", noTLS, full(), ladder.Auth, "auth_not_offered_plain"},
		{"authority unknown", wrongCA, full(), ladder.TLS, "tls_unknown_authority"},
		{"sign-in demanded", noAuth, full(), ladder.RcptTo, "smtp_relay_denied"},
		{"TLS on a plain port", at(p, p.Relay, dial.Implicit), full(), ladder.TLS, "tls_plain_greeting"},
		{"no STARTTLS", at(p, p.Clear, dial.STARTTLS), full(), ladder.TLS, "starttls_not_offered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Deliver(t.Context(), local(c.server.Target.Port), c.server, c.m, nil)
			var e *ladder.Error
			if !errors.As(err, &e) || e.Step != c.step || e.Fault.Code != c.code {
				t.Errorf("want %s %s, got %+v", c.step, c.code, err)
			}
		})
	}
}
