// Package fetch pays one visit to a mailbox, over IMAP or POP3.
//
// Open dials, climbs the ladder (greeting, capabilities, TLS, token, sign-in, mailbox, IDLE) and returns a Mailbox,
// which is the same for both protocols: New lists what the caller has not seen, Fetch streams messages, Delete and
// MarkSeen change them, Wait returns when there may be more. "Test configuration" is Open and Close with somebody
// watching.
//
// A Mailbox remembers nothing between visits. What was seen is the caller's: a Cursor for IMAP, a set of identifiers
// for POP3. A message may be shown twice, after a crash or a UIDVALIDITY change, and is never left out.
//
// Over IMAP the way up is spoken here, and everything after the sign-in by go-imap: see
// docs/decisions/0008-imap-sign-in-by-hand.md. Over POP3 it is package pop3.
package fetch

import (
	"context"
	"strings"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

// Protocol is how a mailbox is read. The words are those of tables, JSON and forms.
type Protocol string

// The protocols.
const (
	IMAP Protocol = "imap"
	POP3 Protocol = "pop3"
)

// Name is how people write the protocol.
func (p Protocol) Name() string { return strings.ToUpper(string(p)) }

// Server is a mailbox and how to get into it.
type Server struct {
	Target   dial.Target
	Protocol Protocol
	Auth     Auth
	Folder   string          // IMAP; empty: INBOX
	ReadOnly bool            // IMAP: nothing changes in the folder, not even \Recent; Delete and MarkSeen are refused
	MaxSize  int64           // default 64 MB: of a larger message only the header is fetched
	Known    explain.Context // what else is known (provider, client id, tenant), for better explanations
	Timeouts Timeouts        // zero: the defaults
}

// Auth says how to sign in.
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
	Command time.Duration // 60 s: a reply, each further part of one, each write
	Quit    time.Duration // 2 s: the good-bye, and the end of IDLE when nobody waits for it any more
	Renew   time.Duration // 10 min: the folder and IDLE anew (RFC 2177: within 29 min; sooner finds out about a dead connection)
	Poll    time.Duration // 60 s: between two looks where IDLE is not offered
}

func (t Timeouts) withDefaults() Timeouts {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&t.TLS, 10 * time.Second}, {&t.Command, time.Minute}, {&t.Quit, 2 * time.Second},
		{&t.Renew, 10 * time.Minute}, {&t.Poll, time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	return t
}

// maxSize is what most providers let through, and some.
const maxSize = 64 << 20

func (s Server) withDefaults() Server {
	s.Timeouts = s.Timeouts.withDefaults()
	if s.MaxSize <= 0 {
		s.MaxSize = maxSize
	}
	if s.Folder == "" {
		s.Folder = "INBOX"
	}
	return s
}

// Open dials, secures the connection, signs in and opens the mailbox. It reports to the ladder in ctx, if there is
// one. When ctx ends the connection is closed at once; afterwards each call has a ctx of its own. The error is a
// *ladder.Error.
func Open(ctx context.Context, d dial.Dialer, server Server) (*Mailbox, error) {
	v := &visit{server: server.withDefaults()}
	ctx = explain.Speaking(ctx, server.Protocol.Name())
	conn, err := d.Dial(ctx, server.Target.Host, server.Target.Port)
	if err != nil {
		return nil, v.unreachable(ctx, err)
	}
	v.raw = &gulping{Conn: conn}
	v.door = newDoor(ctx, v.raw, &v.server)
	defer v.watch(ctx)()
	if err := v.climb(ctx); err != nil {
		v.door.leave(ctx) // with a good-bye where somebody may still listen
		return nil, err
	}
	return &Mailbox{visit: v}, nil
}

// Test climbs the ladder and leaves; nothing in the mailbox changes. The observer sees each step.
func Test(ctx context.Context, d dial.Dialer, server Server, observe ladder.Observer) error {
	server.ReadOnly = true
	if observe != nil {
		ctx = ladder.With(ctx, ladder.New(observe))
	}
	m, err := Open(ctx, d, server)
	if err != nil {
		return err
	}
	return m.Close(ctx)
}
