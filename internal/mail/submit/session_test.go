package submit

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
	"orbit/internal/vault"
)

// account is a Server that signs in with a password.
func account(security dial.Security, trust dial.Trust) Server {
	return Server{
		Target: dial.Target{Host: "mail.example.test", Port: 587, Security: security, Trust: trust},
		Auth:   Auth{Username: "info@example.com", Password: vault.NewSecret(testPassword)},
	}
}

func names(steps []ladder.Step) []string {
	var all []string
	for _, s := range steps {
		all = append(all, string(s.Name))
	}
	return all
}

func TestDeliverClimbsEveryStepInOrder(t *testing.T) {
	t.Parallel()
	cert := mailtest.Certificate(t, mailtest.CertificateOptions{Names: []string{"mail.example.test"}})
	config := &tls.Config{Certificates: []tls.Certificate{cert.TLS}}
	trust := dial.Trust{Rule: dial.CustomCA, CA: cert.CA}
	const rest = "auth mail_from rcpt_to data reply"
	for _, c := range []struct {
		security dial.Security
		server   faulty
		want     string
	}{
		{dial.Plain, faulty{}, "connect greeting ehlo " + rest},
		{dial.STARTTLS, faulty{tls: config}, "connect greeting ehlo tls ehlo " + rest},
		{dial.Implicit, faulty{tls: config, implicit: true}, "connect tls greeting ehlo " + rest},
	} {
		t.Run(string("security "+c.security), func(t *testing.T) {
			t.Parallel()
			var seen []ladder.Step
			observe := func(s ladder.Step) {
				if s.Done {
					seen = append(seen, s)
				}
			}
			server := c.server.start(t)
			result, err := Deliver(t.Context(), to{address: server.address}, account(c.security, trust), greeting(), observe)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(names(seen), " "); got != c.want {
				t.Errorf("steps %s\nwant  %s", got, c.want)
			}
			if result.Reply != "250 2.0.0 queued as 4F2" || result.Server != "mail.example.test" || !strings.HasSuffix(result.MessageID, "@example.com>") {
				t.Errorf("result %+v", result)
			}
			if last := seen[len(seen)-1]; last.Result != result.Reply {
				t.Errorf("last step says %q", last.Result)
			}
		})
	}
}

func TestStepsShowPlainResultsAndARedactedTranscript(t *testing.T) {
	t.Parallel()
	server := faulty{}.start(t)
	l := ladder.New(nil)
	_, err := Deliver(ladder.With(t.Context(), l), to{address: server.address}, account(dial.Plain, dial.Trust{}), greeting(), nil)
	if err != nil {
		t.Fatal(err)
	}
	results := map[ladder.Name]string{
		ladder.Greeting: "220 mail.example.test ESMTP ready",
		ladder.Hello:    "mail.example.test offers 8BITMIME, AUTH, PIPELINING, SIZE",
		ladder.Auth:     "235 2.7.0 Authentication successful (PLAIN)",
		ladder.MailFrom: "250 2.1.0 Sender ok",
		ladder.RcptTo:   "250 2.1.5 Recipient ok",
		ladder.Reply:    "250 2.0.0 queued as 4F2",
	}
	var transcript []string
	for _, s := range l.Steps() {
		if want, ok := results[s.Name]; ok && s.Result != want {
			t.Errorf("%s: %q, want %q", s.Name, s.Result, want)
		}
		for _, line := range s.Transcript {
			transcript = append(transcript, line.From+": "+line.Text)
		}
	}
	all := strings.Join(transcript, "\n")
	for _, want := range []string{
		"orbit: AUTH PLAIN [secret]\nserver: 235 2.7.0", "orbit: MAIL FROM:<info@example.com> SIZE=", "orbit: RCPT TO:<ann@example.net>",
		"server: 354 Go ahead\norbit: (the message, ", "server: 250 2.0.0 queued as 4F2",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the transcript lacks %q:\n%s", want, all)
		}
	}
	if strings.Contains(all, "A first line") {
		t.Error("the transcript has the message")
	}
	if warnings := l.Steps()[3].Warnings; len(warnings) != 1 || !strings.Contains(warnings[0], "unencrypted to mail.example.test") {
		t.Errorf("a password in the clear: warnings %q", warnings)
	}
}

func TestAKeptSessionSendsManyMessagesAndSurvivesARefusal(t *testing.T) {
	t.Parallel()
	server := faulty{answers: map[string]string{"RCPT#2": "550 5.1.1 User unknown", "DATA#2": "503 5.5.1 No recipient"}}.start(t)
	session, err := Open(t.Context(), to{address: server.address}, account(dial.Plain, dial.Trust{}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, true, true} {
		_, err := session.Send(t.Context(), greeting())
		var refusal *Refusal
		if ok := err == nil; ok != want || !ok && (!errors.As(err, &refusal) || refusal.Code != 550) {
			t.Errorf("message %d: %v", i+1, err)
		}
		if !session.Usable() || !session.Alive(t.Context()) {
			t.Fatalf("the session ended after message %d", i+1)
		}
	}
	session.Close()
	if session.Usable() || session.Alive(t.Context()) {
		t.Error("a closed session is usable")
	}
	commands := server.received()
	count := func(verb string) (n int) {
		for _, c := range commands {
			if strings.HasPrefix(c, verb) {
				n++
			}
		}
		return n
	}
	if count("MAIL") != 4 || count("RSET") != 1 || count("AUTH") != 1 || len(server.messages()) != 3 || commands[len(commands)-1] != "QUIT" {
		t.Errorf("%d bodies, commands %q", len(server.messages()), commands)
	}
}

func TestASessionEndsWith421(t *testing.T) {
	t.Parallel()
	server := faulty{answers: map[string]string{"MAIL": "421 4.4.2 Idle for too long"}}.start(t)
	session, err := Open(t.Context(), to{address: server.address}, account(dial.Plain, dial.Trust{}))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if _, err := session.Send(t.Context(), greeting()); err == nil || session.Usable() {
		t.Errorf("%v, usable %t", err, session.Usable())
	}
}

func TestAllRecipientsOrNone(t *testing.T) {
	t.Parallel()
	for _, pipelining := range []bool{true, false} {
		script := faulty{answers: map[string]string{"RCPT#2": "550 5.1.1 <bob@example.net>: User unknown"}}
		if !pipelining {
			script = script.withoutPipelining()
		}
		server := script.start(t)
		m := greeting()
		for _, name := range []string{"bob", "cyd"} {
			to := m.To[0]
			to.Address = name + "@example.net"
			m.To = append(m.To, to)
		}
		_, err := Deliver(t.Context(), to{address: server.address}, account(dial.Plain, dial.Trust{}), m, nil)
		var e *ladder.Error
		if !errors.As(err, &e) || e.Step != ladder.RcptTo || !strings.Contains(e.Fault.Cause+e.Fault.Remedy, "bob@example.net") {
			t.Errorf("pipelining %t: %v", pipelining, err)
		}
		if slices.Contains(server.received(), "DATA") || len(server.messages()) != 0 {
			t.Errorf("pipelining %t: the message was sent to the others: %q", pipelining, server.received())
		}
	}
}

func TestCancellingClosesTheConnectionAtOnce(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"EHLO", "AUTH", "MAIL", "."} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server := faulty{answers: map[string]string{verb: silence}}.start(t)
			observe := func(s ladder.Step) {
				if !s.Done && s.Name == map[string]ladder.Name{"EHLO": ladder.Hello, "AUTH": ladder.Auth, "MAIL": ladder.MailFrom, ".": ladder.Reply}[verb] {
					go cancel()
				}
			}
			began := time.Now()
			_, err := Deliver(ctx, to{address: server.address}, account(dial.Plain, dial.Trust{}), greeting(), observe)
			var uncertain *Uncertain
			if !errors.Is(err, context.Canceled) || errors.As(err, &uncertain) != (verb == ".") {
				t.Errorf("error %v", err)
			}
			if waited := time.Since(began); waited > 20*time.Second {
				t.Errorf("returned after %s", waited)
			}
		})
	}
}

func TestHELOWhereEHLOIsUnknown(t *testing.T) {
	t.Parallel()
	server := faulty{answers: map[string]string{"EHLO": "502 Command not implemented"}}.start(t)
	account := account(dial.Plain, dial.Trust{})
	account.Auth = Auth{}
	if _, err := Deliver(t.Context(), to{address: server.address}, account, greeting(), nil); err != nil {
		t.Fatal(err)
	}
	commands := server.received()
	if commands[1] != "HELO [127.0.0.1]" || commands[2] != "MAIL FROM:<info@example.com>" {
		t.Errorf("commands %q", commands)
	}
}

func TestLocalName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"orbit.example.com": "EHLO orbit.example.com", "münchen.example": "EHLO xn--mnchen-3ya.example",
		"": "EHLO [127.0.0.1]", "a b": "EHLO [127.0.0.1]", "a\r\nMAIL FROM:<x@y>": "EHLO [127.0.0.1]",
	} {
		server := faulty{}.start(t)
		account := account(dial.Plain, dial.Trust{})
		account.LocalName = name
		session, err := Open(t.Context(), to{address: server.address}, account)
		if err != nil {
			t.Fatal(err)
		}
		session.Close()
		if got := server.received()[0]; got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestEnvelopeParametersOnlyWhereOfferedAndNeeded(t *testing.T) {
	t.Parallel()
	international := greeting()
	international.To[0].Address = "jürgen@bücher.example"
	ascii := greeting()
	ascii.To[0].Address = "ann@bücher.example"
	cases := []struct {
		name   string
		offers []string
		m      Message
		mail   string
		rcpt   string
		code   string
	}{
		{"nothing offered", []string{"AUTH PLAIN"}, greeting(), "MAIL FROM:<info@example.com>", "RCPT TO:<ann@example.net>", ""},
		{"IDN needs no extension", []string{"AUTH PLAIN", "SMTPUTF8", "8BITMIME"}, ascii, "MAIL FROM:<info@example.com>", "RCPT TO:<ann@xn--bcher-kva.example>", ""},
		{"international", []string{"AUTH PLAIN", "SMTPUTF8", "8BITMIME"}, international,
			"MAIL FROM:<info@example.com> BODY=8BITMIME SMTPUTF8", "RCPT TO:<jürgen@xn--bcher-kva.example>", ""},
		{"international not offered", []string{"AUTH PLAIN", "8BITMIME"}, international, "", "", "smtputf8_not_offered"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := faulty{offers: c.offers}.start(t)
			_, err := Deliver(t.Context(), to{address: server.address}, account(dial.Plain, dial.Trust{}), c.m, nil)
			var e *ladder.Error
			if c.code != "" {
				if !errors.As(err, &e) || e.Fault.Code != c.code {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := server.received(); got[2] != c.mail || got[3] != c.rcpt {
				t.Errorf("%q, want %q, %q", got[2:4], c.mail, c.rcpt)
			}
		})
	}
}

func TestRawMessageIn8BitsNeeds8BITMIME(t *testing.T) {
	t.Parallel()
	server := faulty{offers: []string{"AUTH PLAIN"}}.start(t)
	session, err := Open(t.Context(), to{address: server.address}, account(dial.Plain, dial.Trust{}))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	_, err = session.SendRaw(t.Context(), Envelope{From: "a@example.com", To: []string{"b@example.com"}}, []byte("Subject: x\r\n\r\nGrüße\r\n"))
	var e *ladder.Error
	if !errors.As(err, &e) || e.Fault.Code != "8bitmime_not_offered" || !session.Usable() {
		t.Errorf("%v", err)
	}
}
