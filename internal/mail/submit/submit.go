// Package submit hands one message to one SMTP server, step by step.
//
// Deliver is all that a test of an account and real mail need: it dials, climbs the ladder (greeting, EHLO,
// TLS, token, AUTH, MAIL FROM, RCPT TO, DATA, final reply) and says "sent" only after the server's final 250.
// Open keeps the connection for many messages. Render builds a message with go-mail, so that a queue can
// keep the bytes and send the same message again.
//
// The protocol is spoken here and not by go-mail: see docs/decisions/0002-smtp-by-hand.md.
package submit

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

// Server is where messages go and how to sign in there.
type Server struct {
	Target    dial.Target
	Auth      Auth
	LocalName string          // said in EHLO; empty: the address literal of this end of the connection
	Known     explain.Context // what else is known (provider, client id, tenant), for better explanations
	Timeouts  Timeouts        // zero: the defaults
}

// Auth says how to sign in; the zero value does not.
type Auth struct {
	Username string
	Password vault.Secret
	Token    TokenSource // when set, XOAUTH2 or OAUTHBEARER instead of the password
}

// TokenSource gives the access token that is valid now. An error that is a *ladder.Error keeps its fault.
type TokenSource interface {
	Token(ctx context.Context) (username string, token vault.Secret, err error)
}

// Invalidator is a TokenSource that can forget a token which the server refused, and fetch another.
type Invalidator interface {
	Invalidate(ctx context.Context)
}

// Timeouts bound the waiting. Connecting is the dialer's business.
type Timeouts struct {
	TLS     time.Duration // 10 s: the handshake
	Command time.Duration // 60 s: one reply, and each write (RFC 5321 4.5.3.2 allows 5 minutes; nobody waits for that)
	DataEnd time.Duration // 10 min: the final reply, while the server may scan and store (RFC 5321 4.5.3.2.6)
	Quit    time.Duration // 2 s: the good-bye, which changes nothing any more
}

func (t Timeouts) withDefaults() Timeouts {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&t.TLS, 10 * time.Second}, {&t.Command, time.Minute}, {&t.DataEnd, 10 * time.Minute}, {&t.Quit, 2 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	return t
}

// Result is a message that the server has taken.
type Result struct {
	MessageID string // with angle brackets, as in the header
	Reply     string // the server's final reply: "250 2.0.0 queued as 4F2"
	Server    string // who took it
}

// Deliver sends one message over a connection of its own. The observer may be nil. The error is a *BadValue
// before anything was dialled, and a *ladder.Error from then on.
func Deliver(ctx context.Context, d dial.Dialer, server Server, m Message, observe ladder.Observer) (Result, error) {
	raw, envelope, err := Render(m)
	if err != nil {
		return Result{}, err
	}
	if observe != nil {
		ctx = ladder.With(ctx, ladder.New(observe))
	}
	session, err := Open(ctx, d, server)
	if err != nil {
		return Result{}, err
	}
	defer session.Close()
	return session.SendRaw(ctx, envelope, raw)
}

// loopback reports whether host is this machine by its spelling; a name that only resolves to it is not.
func loopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
