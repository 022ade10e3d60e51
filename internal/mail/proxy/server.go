package proxy

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/sasl"
	"orbit/internal/vault"
)

// Limits of the conversation with a server, which is trusted with the token but not with our memory.
const (
	maxServerLine  = 16 << 10
	maxServerLines = 200
)

// server is the upstream side until the relay begins.
type server struct {
	end
	listener Listener
	offer    offer    // the last that the server has said
	words    string   // its reply to the sign-in, without code and tag
	alerts   []string // IMAP: what it wants people to read

	ladder *ladder.Ladder // for a person who watches; nil in the sessions of clients
	heard  string         // its last line, where somebody watches
}

// dialect is how a protocol says what every visit needs.
type dialect interface {
	greeting() error                 // reads the first line
	startTLS() error                 // asks for TLS and reads the agreement
	learn() error                    // fills server.offer, where the greeting has not
	authenticate(*sasl.Bearer) error // a *Rejection when the server says no
	farewell()                       // leaves politely
}

func (s *server) dialect(hello string) dialect {
	switch s.listener.Protocol {
	case POP3:
		return pop3Server{s}
	case SMTP:
		return smtpServer{server: s, hello: hello}
	case IMAP:
	}
	return imapServer{s}
}

// Rejection is a server's no to a sign-in.
type Rejection struct {
	Reply     string        // its words
	Refusal   *sasl.Refusal // what it said about the token, if anything
	Temporary bool          // it says itself that trying again may help
}

func (r *Rejection) Error() string {
	text := "the server answered " + r.Reply
	if r.Refusal != nil {
		text += " (" + r.Refusal.Error() + ")"
	}
	return text
}

// errNoOAuth says that a server offers other ways to sign in, but none with a token.
var errNoOAuth = errors.New("the server offers neither XOAUTH2 nor OAUTHBEARER")

// errNoSTARTTLS says that a server has no TLS for us, or that somebody strips it.
var errNoSTARTTLS = errors.New("the server does not offer STARTTLS")

// reach opens the connection, and TLS where it comes first.
func reach(ctx context.Context, b Backend, l Listener, account Account) (*server, error) {
	conn, err := b.Dial(ctx, l, account)
	if err != nil {
		return nil, err
	}
	wire := newWire(conn)
	s := &server{listener: l, end: end{wire: wire, conn: wire}, ladder: ladder.From(ctx)}
	if deadline, ok := ctx.Deadline(); ok {
		_ = wire.SetDeadline(deadline)
	}
	if l.Upstream.Security == dial.Implicit {
		if err := s.handshake(ctx); err != nil {
			s.close()
			return nil, err
		}
	}
	s.in = newReader(s.conn)
	return s, nil
}

func (s *server) handshake(ctx context.Context) error {
	conn, err := dial.Handshake(ctx, s.wire, s.listener.Upstream)
	if err != nil {
		return err
	}
	s.conn = conn
	return nil
}

// within runs a step of the conversation and breaks it off when ctx ends.
func (s *server) within(ctx context.Context, step func() error) error {
	stop := context.AfterFunc(ctx, func() { _ = s.wire.SetDeadline(longAgo) })
	err := step()
	if !stop() {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

// introduce goes from the greeting to the offer that counts: the one made under TLS.
func (s *server) introduce(ctx context.Context, hello string) (dialect, error) {
	d := s.dialect(hello)
	s.ladder.Begin(ladder.Greeting, "Greeting of the server")
	if err := d.greeting(); err != nil {
		return nil, err
	}
	s.ladder.End("%s", s.heard)
	if s.listener.Upstream.Security == dial.STARTTLS {
		if err := s.protect(ctx, d); err != nil {
			return nil, err
		}
	}
	s.ladder.Begin(ladder.Hello, "What the server offers")
	if err := d.learn(); err != nil {
		return nil, err
	}
	s.ladder.End("%s", s.offer.signIns())
	return d, nil
}

// protect begins TLS on a connection that began without. What was said before does not count any more.
func (s *server) protect(ctx context.Context, d dialect) error {
	s.ladder.Begin(ladder.Hello, "STARTTLS")
	if err := d.startTLS(); err != nil {
		return err
	}
	s.ladder.End("the server agrees")
	if s.in.Buffered() > 0 {
		return errInjected
	}
	if err := s.handshake(ctx); err != nil {
		return err
	}
	s.in.Reset(s.conn)
	s.offer = nil
	return nil
}

// signIn gives the token to the server.
func (s *server) signIn(d dialect, account Account, token vault.Secret) error {
	bearer, err := s.bearer(account, token)
	if err != nil {
		return err
	}
	s.ladder.Record("note", "the sign-in is not shown: it has the token")
	s.ladder = nil
	err = d.authenticate(bearer)
	var rejection *Rejection
	if errors.As(err, &rejection) { // clients hear its words
		rejection.Reply = Censor(rejection.Reply)
	}
	return err
}

// bearer chooses the mechanism. A server that lists none is tried with the one that all providers know.
func (s *server) bearer(account Account, token vault.Secret) (*sasl.Bearer, error) {
	offered := s.offer.mechanisms()
	switch {
	case len(offered) == 0 || offered[sasl.XOAuth2]:
		return sasl.NewXOAuth2(account.Mailbox, token), nil
	case offered[sasl.OAuthBearer]:
		return sasl.NewOAuthBearer(account.Mailbox, s.listener.Upstream.Host, s.listener.Upstream.Port, token), nil
	}
	return nil, errNoOAuth
}

func (s *server) send(line string) error {
	s.ladder.Record("orbit", line)
	_, err := io.WriteString(s.conn, line+"\r\n")
	return err
}

func (s *server) line() (string, error) {
	line, _, err := readLine(s.in, maxServerLine)
	if err != nil {
		return "", fmt.Errorf("read from the server: %w", err)
	}
	if s.ladder != nil {
		s.heard = oneLine(string(line))
		s.ladder.Record("server", s.heard)
	}
	return string(line), nil
}

// answer responds to a challenge with the next message of the mechanism.
func (s *server) answer(bearer *sasl.Bearer, challenge string) error {
	blob, err := base64.StdEncoding.DecodeString(strings.TrimSpace(challenge))
	if err != nil {
		blob = nil // the exchange must end properly whatever the server says about the token
	}
	response, err := bearer.Next(blob)
	if err != nil {
		return s.send("*")
	}
	return s.send(base64.StdEncoding.EncodeToString(response))
}

// close ends the connection without ceremony.
func (s *server) close() {
	if s.in != nil {
		releaseReader(s.in)
		s.in = nil
	}
	_ = s.wire.Close()
}
