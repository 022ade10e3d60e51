package submit

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"slices"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/sasl"
)

const (
	maxAuthLine = 512 // RFC 4954 4: a longer initial response waits for the server's empty challenge
	maxRounds   = 8   // no mechanism has more than three
)

// errRounds says that the server asks without end.
var errRounds = errors.New("the server does not come to an end of the sign-in")

// signIn signs in as the account says.
func (s *Session) signIn(ctx context.Context) error {
	switch {
	case s.server.Auth.Token != nil:
		return s.signInWithToken(ctx)
	case s.server.Auth.Username != "" || !s.server.Auth.Password.IsZero():
		return s.signInWithPassword(ctx)
	}
	return nil
}

// signInWithPassword tries the best mechanism, and the next only when the server says that it does not know
// the one it offered (504): after any other refusal a second try would only count as another wrong password.
func (s *Session) signInWithPassword(ctx context.Context) error {
	l := ladder.From(ctx)
	l.Begin(ladder.Auth, "Sign-in")
	s.wire.secrets = append(s.wire.secrets, s.server.Auth.Password)
	candidates := s.candidates()
	if len(candidates) == 0 {
		return s.noWayIn(ctx)
	}
	var r reply
	var err error
	for _, mechanism := range candidates {
		s.warnReadable(l, mechanism)
		client := s.client(mechanism)
		r, err = s.exchange(ctx, client)
		if err == nil && r.code == 504 {
			continue
		}
		return s.judge(ctx, mechanism, client, r, err)
	}
	return s.refuse(ctx, ladder.Auth, r)
}

// judge ends the step after an exchange.
func (s *Session) judge(ctx context.Context, mechanism string, client sasl.Client, r reply, err error) error {
	if err != nil {
		return s.authLost(ctx, err)
	}
	if !r.ok(2) {
		c := s.known()
		c.Offered, c.Wanted = s.offer.mechanisms(), mechanism
		return s.refuseAs(ctx, ladder.Auth, r, c)
	}
	if scram, ok := client.(*sasl.Scram); ok && !scram.Proven() {
		return s.authLost(ctx, sasl.ErrServerProof)
	}
	ladder.From(ctx).End("%s (%s)", r, mechanism)
	return nil
}

// authLost fails the step without a final reply.
func (s *Session) authLost(ctx context.Context, err error) error {
	if errors.Is(err, sasl.ErrServerProof) {
		return ladder.From(ctx).Fail(ladder.Auth, explain.NoProof(s.known()), err)
	}
	if errors.Is(err, errExchange) {
		return ladder.From(ctx).Fail(ladder.Auth, explain.BrokenReply(ladder.Auth, s.known()), err)
	}
	return s.lose(ctx, ladder.Auth, err)
}

func (s *Session) noWayIn(ctx context.Context) error {
	c := s.known()
	c.Offered = s.offer.mechanisms()
	if len(c.Offered) > 0 {
		return ladder.From(ctx).Fail(ladder.Auth, explain.NoMechanism(c), nil)
	}
	c.Offered = s.offer.names()
	return ladder.From(ctx).Fail(ladder.Auth, explain.NoAuth(c), nil)
}

// candidates are the offered mechanisms for a password, best first. Over TLS the plain ones come before
// CRAM-MD5: it protects little that TLS does not, and servers that store hashes offer it and fail.
func (s *Session) candidates() []string {
	order := []string{sasl.ScramSHA256, sasl.CRAMMD5, sasl.Plain, sasl.Login}
	if s.secure {
		order = []string{sasl.ScramSHA256Plus, sasl.ScramSHA256, sasl.Plain, sasl.Login, sasl.CRAMMD5}
	}
	offered := s.offer.mechanisms()
	return slices.DeleteFunc(order, func(mechanism string) bool {
		_, unbound := s.binding()
		return !slices.Contains(offered, mechanism) || mechanism == sasl.ScramSHA256Plus && unbound != nil
	})
}

// client returns a mechanism of candidates.
func (s *Session) client(mechanism string) sasl.Client {
	auth := s.server.Auth
	binding, unbound := s.binding()
	switch mechanism {
	case sasl.ScramSHA256Plus:
		return sasl.NewScramSHA256Plus(auth.Username, auth.Password, binding)
	case sasl.ScramSHA256:
		couldBind := unbound == nil && !slices.Contains(s.offer.mechanisms(), sasl.ScramSHA256Plus)
		return sasl.NewScramSHA256(auth.Username, auth.Password, couldBind)
	case sasl.CRAMMD5:
		return sasl.NewCRAMMD5(auth.Username, auth.Password)
	case sasl.Login:
		return sasl.NewLogin(auth.Username, auth.Password)
	default:
		return sasl.NewPlain(auth.Username, auth.Password)
	}
}

var errNoTLS = errors.New("no TLS to bind to")

func (s *Session) binding() (sasl.Binding, error) {
	conn, ok := s.wire.conn.(*tls.Conn)
	if !ok {
		return sasl.Binding{}, errNoTLS
	}
	return sasl.NewBinding(conn.ConnectionState())
}

// warnReadable says that the password crosses a network readable. Loopback is none: that is how the own proxy
// is reached.
func (s *Session) warnReadable(l *ladder.Ladder, mechanism string) {
	if !s.secure && (mechanism == sasl.Plain || mechanism == sasl.Login) && !loopback(s.server.Target.Host) {
		l.Warn("The password travels unencrypted to %s: everybody on the way can read it. Use STARTTLS or implicit TLS.",
			s.server.Target.Host)
	}
}

// errExchange marks a mechanism that could not go on.
var errExchange = errors.New("the sign-in could not be completed")

// exchange drives a mechanism to the server's final reply (RFC 4954 4).
func (s *Session) exchange(ctx context.Context, client sasl.Client) (reply, error) {
	l := ladder.From(ctx)
	defer func() { s.wire.hush = nil }()
	mechanism, initial, err := client.Start()
	if err != nil {
		return reply{}, errors.Join(errExchange, err)
	}
	r, pending, err := s.beginAuth(l, mechanism, initial)
	for range maxRounds {
		if err != nil || r.code != 334 {
			return r, err
		}
		answer := pending
		if pending == nil {
			if answer, err = client.Next(challenge(r)); err != nil {
				return reply{}, errors.Join(errExchange, err)
			}
		}
		pending = nil
		r, err = s.wire.ask(l, s.payload(answer), "[secret]")
	}
	return reply{}, errors.Join(errExchange, errRounds)
}

// beginAuth sends AUTH, with the initial response where it fits; otherwise that is still pending.
func (s *Session) beginAuth(l *ladder.Ladder, mechanism string, initial []byte) (r reply, pending []byte, err error) {
	command := "AUTH " + mechanism
	if initial != nil {
		payload := s.payload(initial)
		if len(command)+len(payload)+len(" \r\n") <= maxAuthLine {
			r, err = s.wire.ask(l, command+" "+cmp.Or(payload, "="), command+" [secret]")
			return r, nil, err
		}
	}
	r, err = s.wire.ask(l, command, command)
	return r, initial, err
}

// payload encodes what a mechanism says, and keeps it out of the transcript should the server quote it.
func (s *Session) payload(answer []byte) string {
	text := base64.StdEncoding.EncodeToString(answer)
	if text != "" {
		s.wire.hush = append(s.wire.hush, text)
	}
	return text
}

// challenge decodes what the server asks. Some send LOGIN's questions in clear text.
func challenge(r reply) []byte {
	text := r.text()
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return []byte(text)
	}
	return decoded
}
