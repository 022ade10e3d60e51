package submit

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

const testToken = "ya29.very-secret-access-token"

// source is a TokenSource that gives one token after the other, and the last one for ever.
type source struct {
	tokens      []string
	err         error
	given       int
	invalidated int
}

func tokens(all ...string) *source { return &source{tokens: all} }

func (s *source) Token(context.Context) (string, vault.Secret, error) {
	if s.err != nil {
		return "", vault.Secret{}, s.err
	}
	s.given++
	return "info@example.com", vault.NewSecret(s.tokens[min(s.given, len(s.tokens))-1]), nil
}

// renewing is a source that can fetch another token.
type renewing struct{ *source }

func (r renewing) Invalidate(context.Context) { r.invalidated++ }

func withToken(s TokenSource) Server {
	return Server{Target: dial.Target{Host: "127.0.0.1", Port: 587}, Auth: Auth{Token: s}}
}

func xoauth2(token string) string {
	return base64.StdEncoding.EncodeToString([]byte("user=info@example.com\x01auth=Bearer " + token + "\x01\x01"))
}

func TestTokenIsAStepOfItsOwn(t *testing.T) {
	t.Parallel()
	server := faulty{offers: []string{"AUTH LOGIN XOAUTH2"}}.start(t)
	l := ladder.New(nil)
	_, err := Deliver(ladder.With(t.Context(), l), to{address: server.address}, withToken(tokens(testToken)), greeting(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(l.Steps()), " "); !strings.Contains(got, "ehlo token auth mail_from") {
		t.Errorf("steps %s", got)
	}
	if got := server.received()[1]; got != "AUTH XOAUTH2 "+xoauth2(testToken) {
		t.Errorf("sent %q", got)
	}
}

func TestALongTokenWaitsForTheServersQuestion(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("eyJ0eXAi", 200)
	server := faulty{offers: []string{"AUTH OAUTHBEARER"}, answers: map[string]string{"AUTH": "334 ", "STEP 2": "235 ok"}}.start(t)
	session, err := Open(t.Context(), to{address: server.address}, withToken(tokens(long)))
	if err != nil {
		t.Fatal(err)
	}
	session.Close()
	commands := server.received()
	payload, _ := base64.StdEncoding.DecodeString(commands[2])
	want := "n,a=info@example.com,\x01host=127.0.0.1\x01port=587\x01auth=Bearer " + long + "\x01\x01"
	if commands[1] != "AUTH OAUTHBEARER" || string(payload) != want {
		t.Errorf("sent %q, %q", commands[1], payload)
	}
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	blob := "334 " + base64.StdEncoding.EncodeToString([]byte(`{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}`))
	refusing := map[string]string{"AUTH#1": blob, "STEP 2": "535 5.7.8 Token expired"}
	for name, c := range map[string]struct {
		source *source
		renews bool
		second string // the server's answer to the second token
		given  int
		ok     bool
	}{
		"renewed":          {tokens("old", "new"), true, "235 2.7.0 ok", 2, true},
		"refused again":    {tokens("old", "new"), true, "535 5.7.8 Token refused", 2, false},
		"dropped":          {tokens("old", "new"), true, drop, 2, false},
		"no other to have": {tokens("old"), false, "", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := faulty{offers: []string{"AUTH XOAUTH2"}, answers: map[string]string{"AUTH#2": c.second}}
			for k, v := range refusing {
				script.answers[k] = v
			}
			server := script.start(t)
			var s TokenSource = c.source
			if c.renews {
				s = renewing{c.source}
			}
			l := ladder.New(nil)
			_, err := Deliver(ladder.With(t.Context(), l), to{address: server.address}, withToken(s), greeting(), nil)
			var refusal *Refusal
			if !c.ok && (!errors.As(err, &refusal) || refusal.Code != 535) {
				t.Errorf("error %v is not the refusal", err)
			}
			if (err == nil) != c.ok || c.source.given != c.given || c.source.invalidated != c.given-1 {
				t.Errorf("error %v, %d given, %d invalidated", err, c.source.given, c.source.invalidated)
			}
			checkRefusalIsShown(t, l.Steps())
		})
	}
}

// checkRefusalIsShown looks for the provider's reason in the transcript of the first sign-in.
func checkRefusalIsShown(t *testing.T, steps []ladder.Step) {
	t.Helper()
	for _, s := range steps {
		if s.Name != ladder.Auth {
			continue
		}
		for _, line := range s.Transcript {
			if line.From == "note" && strings.Contains(line.Text, "scope https://mail.google.com/") {
				return
			}
		}
		t.Errorf("the provider's reason is missing: %+v", s.Transcript)
		return
	}
	t.Error("no step auth")
}

func TestAFailedTokenKeepsItsExplanation(t *testing.T) {
	t.Parallel()
	fault := ladder.Fault{Code: "AADSTS7000222", Cause: "The client secret has expired.", Who: ladder.You, Remedy: "Make a new one."}
	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"explained": {&ladder.Error{Step: ladder.Token, Fault: fault}, "AADSTS7000222"},
		"network":   {context.DeadlineExceeded, "net_answer_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := faulty{offers: []string{"AUTH XOAUTH2"}}.start(t)
			_, err := Deliver(t.Context(), to{address: server.address}, withToken(&source{err: c.err}), greeting(), nil)
			var e *ladder.Error
			if !errors.As(err, &e) || e.Step != ladder.Token || e.Fault.Code != c.code || !errors.Is(err, c.err) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestATokenNeverTravelsInTheClear(t *testing.T) {
	t.Parallel()
	server := faulty{offers: []string{"AUTH XOAUTH2"}}.start(t)
	account := withToken(tokens(testToken))
	account.Target.Host = "mail.example.test"
	_, err := Deliver(t.Context(), to{address: server.address}, account, greeting(), nil)
	var e *ladder.Error
	if !errors.As(err, &e) || e.Step != ladder.Auth || e.Fault.Code != "auth_without_tls" {
		t.Errorf("error %v", err)
	}
	if got := strings.Join(server.received(), " "); strings.Contains(got, "AUTH") {
		t.Errorf("the server received %q", got)
	}
}
