package fetch

import (
	"context"
	"errors"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

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
	return testUser, vault.NewSecret(s.tokens[min(s.given, len(s.tokens))-1]), nil
}

// renewing is a source that can fetch another token.
type renewing struct{ *source }

func (r renewing) Invalidate(context.Context) { r.invalidated++ }

func withToken(p Protocol, s TokenSource) Server {
	return Server{Protocol: p, Target: dial.Target{Host: "127.0.0.1", Port: 143}, Auth: Auth{Token: s}}
}

func xoauth2(token string) string {
	return encode("user=" + testUser + "\x01auth=Bearer " + token + "\x01\x01")
}

func TestTokenIsAStepOfItsOwn(t *testing.T) {
	t.Parallel()
	for p, want := range map[Protocol]string{IMAP: "o2 AUTHENTICATE XOAUTH2 " + xoauth2("t"), POP3: "AUTH XOAUTH2 " + xoauth2("t")} {
		offers := map[Protocol][]string{IMAP: {"SASL-IR", "AUTH=XOAUTH2", "AUTH=PLAIN"}, POP3: {"SASL PLAIN XOAUTH2"}}[p]
		server := faulty{protocol: p, offers: offers}.start(t)
		l := ladder.New(nil)
		m, err := Open(ladder.With(t.Context(), l), to{server.address}, withToken(p, tokens("t")))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := names(l.Steps()); got != "connect greeting ehlo token auth select idle" {
			t.Errorf("%s: steps %s", p, got)
		}
		if got := server.received()[1]; got != want {
			t.Errorf("%s: sent %q, want %q", p, got, want)
		}
		checkNoSecret(t, l.Steps(), "")
	}
}

func names(steps []ladder.Step) string {
	var all []string
	for _, s := range steps {
		all = append(all, string(s.Name))
	}
	return strings.Join(all, " ")
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	blob := "+ " + encode(`{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}`)
	for name, c := range map[string]struct {
		source *source
		renews bool
		second string // the server's answer to the second token
		given  int
		ok     bool
	}{
		"renewed":          {tokens("old", "new"), true, "%T OK", 2, true},
		"refused again":    {tokens("old", "new"), true, "%T NO still not", 2, false},
		"dropped":          {tokens("old", "new"), true, drop, 2, false},
		"no other to have": {tokens("old"), false, "", 1, false},
	} {
		for _, p := range []Protocol{IMAP, POP3} {
			t.Run(string(p)+" "+name, func(t *testing.T) {
				t.Parallel()
				script := faulty{protocol: p, offers: []string{"SASL-IR", "AUTH=XOAUTH2"}, answers: map[string]string{
					"AUTHENTICATE#1": blob, "STEP": "%T NO expired", "AUTHENTICATE#2": c.second}}
				if p == POP3 {
					second := strings.NewReplacer("%T OK", "+OK", "%T NO", "-ERR").Replace(c.second)
					script = faulty{protocol: p, offers: []string{"SASL XOAUTH2"}, answers: map[string]string{
						"AUTH#1": blob, "STEP": "-ERR expired", "AUTH#2": second}}
				}
				own := *c.source
				var s TokenSource = &own
				if c.renews {
					s = renewing{&own}
				}
				l := ladder.New(nil)
				m, err := Open(ladder.With(t.Context(), l), to{script.start(t).address}, withToken(p, s))
				if err == nil {
					_ = m.Close(t.Context())
				}
				var refusal *Refusal
				if (err == nil) != c.ok || !c.ok && !errors.As(err, &refusal) {
					t.Errorf("%v", err)
				}
				if own.given != c.given || own.invalidated != c.given-1 {
					t.Errorf("%d given, %d invalidated", own.given, own.invalidated)
				}
				checkRefusalIsShown(t, l.Steps())
			})
		}
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

func TestABusyServerCostsNoToken(t *testing.T) {
	t.Parallel()
	server := faulty{protocol: IMAP, offers: []string{"SASL-IR", "AUTH=XOAUTH2"}, answers: map[string]string{"AUTHENTICATE": "%T NO [UNAVAILABLE] later"}}
	s := renewing{tokens("a", "b")}
	if _, err := Open(t.Context(), to{server.start(t).address}, withToken(IMAP, s)); err == nil || s.invalidated != 0 {
		t.Errorf("%v, %d invalidated", err, s.invalidated)
	}
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
		server := faulty{protocol: IMAP, offers: []string{"AUTH=XOAUTH2"}}.start(t)
		_, err := Open(t.Context(), to{server.address}, withToken(IMAP, &source{err: c.err}))
		var e *ladder.Error
		if !errors.As(err, &e) || e.Step != ladder.Token || e.Fault.Code != c.code || !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
