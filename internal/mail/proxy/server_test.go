package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
)

// signIn is how a client of each protocol signs in after its greeting, and the replies it may get.
var signIns = map[Protocol]struct{ text, ok, noAuth, unavailable string }{
	IMAP: {"a LOGIN \"user@example.com\" \"pass word\"\r\n", `a OK \[CAPABILITY .*`, `a NO \[AUTHENTICATIONFAILED\] .*`, `a NO \[UNAVAILABLE\] .*`},
	POP3: {"AUTH PLAIN " + plain64(testUser, testPassword) + "\r\n", `\+OK .*`, `-ERR \[AUTH\] .*`, `-ERR \[SYS/TEMP\] .*`},
	SMTP: {"AUTH PLAIN " + plain64(testUser, testPassword) + "\r\n", `235 .*`, `535 5\.7\.8 .*`, `454 4\.7\.0 .*`},
}

var protocols = []Protocol{IMAP, POP3, SMTP}

// greeted connects and comes to the point where a client signs in.
func (r *rig) greeted() *peer {
	r.t.Helper()
	c := r.connect()
	c.introduce(r.listener.Protocol)
	return c
}

func (p *peer) introduce(protocol Protocol) {
	p.t.Helper()
	p.line()
	if protocol == SMTP {
		p.put("EHLO me.test\r\n")
		for strings.HasPrefix(p.line(), "250-") {
		}
	}
}

func TestUpstreamIsReachedByWhatItOffers(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		for _, security := range []dial.Security{dial.Implicit, dial.STARTTLS} {
			for _, mechanism := range []string{"XOAUTH2", "OAUTHBEARER", "PLAIN OAUTHBEARER XOAUTH2"} {
				for _, saslIR := range []bool{true, false} {
					name := fmt.Sprintf("%s %s %s %t", protocol, security, mechanism, saslIR)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						u := newUpstream(t, protocol, security, func(u *upstream) { u.mech, u.saslIR = mechanism, saslIR })
						c := newRig(t, newBackend(), u.listener()).greeted()
						c.talk(signIns[protocol].text, signIns[protocol].ok)
						want := "XOAUTH2"
						if !strings.Contains(mechanism, want) {
							want = "OAUTHBEARER"
						}
						if heard := strings.Join(u.lines(), " "); !strings.Contains(heard, want) {
							t.Errorf("the server heard %q, want %s", heard, want)
						}
					})
				}
			}
		}
	}
}

// A8.5: the challenge of a refused token stays here, the token is refreshed once and tried on a connection
// of its own, and only then does the client hear of it.
func TestRefusedTokenIsRefreshedOnce(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		for _, mechanism := range []string{"XOAUTH2", "OAUTHBEARER"} {
			t.Run(fmt.Sprintf("%s %s", protocol, mechanism), func(t *testing.T) {
				t.Parallel()
				u := newUpstream(t, protocol, dial.Implicit, func(u *upstream) {
					u.mech, u.accepts, u.offer = mechanism, []string{"token-2"}, []string{"X"}
				})
				b := newBackend()
				b.tokens = []string{testToken, "token-2"}
				r := newRig(t, b, u.listener())
				if protocol != IMAP {
					r.await(Learnt) // by a connection of its own
				}
				c := r.greeted()
				before := u.connections()
				c.talk(signIns[protocol].text, signIns[protocol].ok)
				if b.refreshed() != 1 || u.connections() != before+2 {
					t.Errorf("%d refreshes, %d connections", b.refreshed(), u.connections()-before)
				}
				e := r.await(Retried)
				var rejection *Rejection
				if !errors.As(e.Err, &rejection) || rejection.Refusal == nil || rejection.Refusal.Scope != "mail" {
					t.Errorf("the provider's words are lost: %v", e.Err)
				}
			})
		}
	}
}

func TestTokenRefusedTwiceIsAnAuthenticationFailure(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		for _, blob := range []string{testBlob, "", "not json"} {
			t.Run(fmt.Sprintf("%s %q", protocol, blob), func(t *testing.T) {
				t.Parallel()
				u := newUpstream(t, protocol, dial.Implicit, func(u *upstream) { u.blob, u.accepts = blob, []string{"other"} })
				b := newBackend()
				b.tokens = []string{testToken, "token-2"}
				r := newRig(t, b, u.listener())
				c := r.greeted()
				c.talk(signIns[protocol].text, signIns[protocol].noAuth)
				if e := r.await(Refused); e.Reason() != TokenRefused || b.refreshed() != 1 || e.Account.ID != 7 {
					t.Errorf("%+v, %d refreshes", e, b.refreshed())
				}
				u.mu.Lock()
				u.accepts = b.tokens // the account is repaired: the same session can try again
				u.mu.Unlock()
				c.talk(signIns[protocol].text, signIns[protocol].ok)
			})
		}
	}
}

// A provider that is only busy says nothing about the token.
func TestTemporaryRejectionLeavesTheTokenAlone(t *testing.T) {
	t.Parallel()
	replies := map[Protocol]string{
		IMAP: "NO [UNAVAILABLE] Server busy",
		POP3: "-ERR [SYS/TEMP] Server busy",
		SMTP: "432 4.3.2 Concurrent connections limit exceeded",
	}
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, protocol, dial.Implicit, func(u *upstream) {
				u.accepts, u.blob, u.refuse = nil, "", replies[protocol]
			})
			r := newRig(t, newBackend(), u.listener())
			c := r.greeted()
			c.talk(signIns[protocol].text, signIns[protocol].unavailable)
			if r.backend.refreshed() != 0 {
				t.Error("the token was refreshed")
			}
		})
	}
}

// A8.14: a server that can't be reached, or not safely, is said to be so; programs then come back later.
func TestUnreachableServerEndsTheSession(t *testing.T) {
	t.Parallel()
	replies := map[Protocol][]string{
		IMAP: {`\* BYE \[UNAVAILABLE\] .*`, `a NO \[UNAVAILABLE\] .*`},
		POP3: {`-ERR \[SYS/TEMP\] .*`},
		SMTP: {`421 4\.4\.1 .*`},
	}
	faults := map[string]func(*upstream, *fakeBackend, *Listener){
		"refused": func(_ *upstream, b *fakeBackend, _ *Listener) {
			b.dial = func(context.Context) (net.Conn, error) { return nil, errors.New("connection refused") }
		},
		"unknown certificate": func(_ *upstream, _ *fakeBackend, l *Listener) { l.Upstream.Trust = dial.Trust{} },
		"no TLS there":        func(u *upstream, _ *fakeBackend, _ *Listener) { u.security = dial.Plain },
		"injected": func(u *upstream, _ *fakeBackend, l *Listener) {
			u.inject, l.Upstream.Security = "\r\n* OK", dial.STARTTLS
		},
	}
	for _, protocol := range protocols {
		for name, fault := range faults {
			t.Run(fmt.Sprintf("%s %s", protocol, name), func(t *testing.T) {
				t.Parallel()
				b, l := newBackend(), Listener{}
				u := newUpstream(t, protocol, dial.Implicit, func(u *upstream) {
					if name == "injected" {
						u.security = dial.STARTTLS
					}
					fault(u, b, &l)
				})
				listener := u.listener()
				if name == "no TLS there" {
					listener.Upstream.Security = dial.Implicit
				}
				if name == "unknown certificate" {
					listener.Upstream.Trust = l.Upstream.Trust
				}
				r := newRig(t, b, listener)
				c := r.greeted()
				c.put(signIns[protocol].text)
				c.want(replies[protocol]...)
				c.ended()
				if e := r.await(Refused); e.Reason() != Unreachable {
					t.Errorf("%v", e.Err)
				}
			})
		}
	}
}

func TestServerWithoutOAuthIsNamed(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, protocol, dial.Implicit, func(u *upstream) { u.mech = "PLAIN LOGIN" })
			r := newRig(t, newBackend(), u.listener())
			r.greeted().talk(signIns[protocol].text, signIns[protocol].unavailable)
			if e := r.await(Refused); !errors.Is(e.Err, errNoOAuth) {
				t.Error(e.Err)
			}
			for _, line := range u.lines() {
				if strings.Contains(line, "AUTH") {
					t.Errorf("the server heard %q", line)
				}
			}
		})
	}
}

func TestIMAPServerThatSaysGoodbyeAtOnce(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, IMAP, dial.Implicit, func(u *upstream) { u.greeting = "* BYE Too many connections" })
	r := newRig(t, newBackend(), u.listener())
	r.greeted().talk(signIns[IMAP].text, `a NO \[UNAVAILABLE\] .*BYE Too many connections`)
}

// Each of the backend's reasons has one reply in each protocol.
func TestBackendsReasonsBecomeReplies(t *testing.T) {
	t.Parallel()
	cases := []struct {
		reason Reason
		want   map[Protocol][]string
	}{
		{Unauthorised, map[Protocol][]string{
			IMAP: {`\* NO \[ALERT\] Visit https://orbit.test`, `a NO \[UNAVAILABLE\] Visit https://orbit.test`},
			POP3: {`-ERR \[SYS/TEMP\] Visit .*`}, SMTP: {`454 4\.7\.0 Visit .*`}}},
		{ProviderRefused, map[Protocol][]string{
			IMAP: {`\* NO \[ALERT\] .*`, `a NO \[UNAVAILABLE\] .*`}, POP3: {`-ERR \[SYS/PERM\] .*`}, SMTP: {`454 4\.7\.0 .*`}}},
		{Unavailable, map[Protocol][]string{
			IMAP: {`a NO \[UNAVAILABLE\] .*`}, POP3: {`-ERR \[SYS/TEMP\] .*`}, SMTP: {`454 4\.7\.0 .*`}}},
		{Limited, map[Protocol][]string{IMAP: {`a NO \[LIMIT\] .*`}, POP3: {`-ERR \[SYS/TEMP\] .*`}, SMTP: {`454 4\.7\.0 .*`}}},
	}
	for _, c := range cases {
		for _, protocol := range protocols {
			t.Run(fmt.Sprintf("%s %s", c.reason, protocol), func(t *testing.T) {
				t.Parallel()
				u := newUpstream(t, protocol, dial.Implicit, nil)
				b := newBackend()
				b.token = func(context.Context, bool) error {
					return &Refusal{Reason: c.reason, Text: "Visit https://orbit.test", Err: errors.New("secret detail")}
				}
				r := newRig(t, b, u.listener())
				p := r.greeted()
				p.put(signIns[protocol].text)
				p.want(c.want[protocol]...)
				if e := r.await(Refused); e.Reason() != c.reason || !strings.Contains(e.Sentence(), "secret detail") {
					t.Error(e.Sentence())
				}
			})
		}
	}
}

// An error that is no Refusal may hold anything: the client hears none of it.
func TestStrangeErrorsStayInTheLog(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, IMAP, dial.Implicit, nil)
	b := newBackend()
	b.login = func(context.Context, string) error { return errors.New("database at 10.0.0.1 is down") }
	r := newRig(t, b, u.listener())
	r.greeted().talk(signIns[IMAP].text, `a NO \[UNAVAILABLE\] [^0-9]*`)
}

// A8.6: while the backend works the client may leave, and then nobody works for it any more.
func TestClientThatLeavesEndsItsSignIn(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, IMAP, dial.Implicit, nil)
	b := newBackend()
	entered := make(chan struct{})
	b.login = func(ctx context.Context, _ string) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}
	r := newRig(t, b, u.listener())
	c := r.greeted()
	c.put(signIns[IMAP].text)
	<-entered
	_ = c.Close()
	if e := r.await(Ended); !errors.Is(e.Err, errGone) {
		t.Error(e.Err)
	}
}
