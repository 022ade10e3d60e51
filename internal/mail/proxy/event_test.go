package proxy

import (
	"errors"
	"net"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
)

// The sentences are those that administrators know.
func TestSentences(t *testing.T) {
	t.Parallel()
	l := Listener{Protocol: IMAP, LocalAddress: "127.0.0.1:2993", Upstream: dial.Target{Host: "outlook.office365.com", Port: 993, Security: dial.Implicit}}
	e := Event{Listener: l, Account: Account{Name: "a@b.c"}}
	refused := func(reason Reason) Event {
		e := e
		e.Kind, e.Err = Refused, &Refusal{Reason: reason, Err: errors.New("detail")}
		return e
	}
	of := func(kind Kind) Event { e := e; e.Kind, e.Err = kind, errors.New("detail"); return e }
	for want, e := range map[string]Event{
		"Starting IMAP server at 127.0.0.1:2993 (unsecured) proxying outlook.office365.com:993 (SSL/TLS)": of(Listening),
		"IMAP (127.0.0.1:2993; a@b.c) [ Successfully authenticated IMAP connection - releasing session ]": of(SignedIn),
		"Accepting new connection from ": of(Accepted),
		"Retrying login due to exception while refreshing access token for account a@b.c (attempt 1): detail": of(Retried),
		"Invalid password to decrypt credentials for account a@b.c - aborting login":                          refused(WrongCredentials),
		"No config file entry found for account a@b.c":                                                        refused(UnknownAccount),
		"Authorisation result error for account a@b.c - aborting login.":                                      refused(Unauthorised),
		"Caught network error (server) - is there a network connection?":                                      refused(Unreachable),
		"Caught exception while requesting OAuth 2.0 credentials for account a@b.c":                           refused(Unavailable),
	} {
		if got := e.Sentence(); !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	for _, kind := range []Kind{Listening, PortInUse, ListenFailed, Stopped, Learnt, NotLearnt, Accepted, TurnedAway, Retried, SignedIn, Refused, Ended, Panicked} {
		if got := of(kind).Sentence(); got == string(kind) {
			t.Errorf("%s has no sentence", kind)
		}
	}
	pop := l
	pop.Protocol, pop.LocalSecurity = POP3, dial.STARTTLS
	if got := (Event{Kind: Listening, Listener: pop}).Sentence(); !strings.HasPrefix(got, "Starting POP server at 127.0.0.1:2993 (STARTTLS)") {
		t.Error(got)
	}
}

func TestSentenceDoubtsTheSTARTTLSSettings(t *testing.T) {
	t.Parallel()
	const question = " - Are the server's local_starttls and server_starttls settings correct?"
	for _, protocol := range protocols {
		t.Run(string(protocol)+" server without TLS", func(t *testing.T) {
			t.Parallel()
			l := newUpstream(t, protocol, dial.Plain, nil).listener()
			l.Upstream.Security = dial.Implicit
			r := newRig(t, newBackend(), l)
			r.greeted().put(signIns[protocol].text)
			if got := r.await(Refused).Sentence(); !strings.HasSuffix(got, question) {
				t.Error(got)
			}
		})
		t.Run(string(protocol)+" client without TLS", func(t *testing.T) {
			t.Parallel()
			l := newUpstream(t, protocol, dial.Implicit, nil).listener()
			l.LocalSecurity = dial.Implicit
			r := newRig(t, newBackend(), l)
			c, err := net.Dial("tcp", r.address())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			newPeer(t, c).put("EHLO me.test\r\n")
			if got := r.await(Ended).Sentence(); !strings.HasSuffix(got, question) {
				t.Error(got)
			}
		})
	}
	t.Run("server without STARTTLS", func(t *testing.T) {
		t.Parallel()
		l := newUpstream(t, SMTP, dial.Plain, nil).listener()
		l.Upstream.Security = dial.STARTTLS
		r := newRig(t, newBackend(), l)
		r.greeted().put(signIns[SMTP].text)
		if got := r.await(Refused).Sentence(); !strings.HasSuffix(got, question) {
			t.Error(got)
		}
	})
}
