package submit

import (
	"context"
	"errors"
	"slices"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/sasl"
	"orbit/internal/vault"
)

// signInWithToken signs in with an access token. A token that the server refuses is forgotten and fetched
// again once: it may have been revoked a moment ago, or the two clocks differ.
func (s *Session) signInWithToken(ctx context.Context) error {
	if !s.secure && !loopback(s.server.Target.Host) {
		return s.tokenInTheClear(ctx)
	}
	refused, err := s.tryToken(ctx, reply{})
	if errors.Is(err, errTokenRefused) {
		s.server.Auth.Token.(Invalidator).Invalidate(ctx)
		_, err = s.tryToken(ctx, refused)
	}
	return err
}

// tokenInTheClear refuses: a token opens the mailbox to whoever reads it (RFC 6750 5.3).
func (s *Session) tokenInTheClear(ctx context.Context) error {
	l := ladder.From(ctx)
	l.Begin(ladder.Auth, "Sign-in")
	return l.Fail(ladder.Auth, explain.PlainPassword(s.known()), nil)
}

// errTokenRefused says that another token is worth a try.
var errTokenRefused = errors.New("the access token was refused")

// tryToken signs in once. Before is the refusal of an earlier token, if there was one: it is still the reason
// when the server hangs up instead of listening to another.
func (s *Session) tryToken(ctx context.Context, before reply) (reply, error) {
	l := ladder.From(ctx)
	token, err := s.fetchToken(ctx)
	if err != nil {
		return reply{}, err
	}
	l.Begin(ladder.Auth, "Sign-in")
	mechanism, client := s.bearer(token)
	if client == nil {
		return reply{}, s.noWayIn(ctx)
	}
	r, err := s.exchange(ctx, client)
	if refusal := client.Refusal(); refusal != nil {
		l.Record("note", refusal.Error())
	}
	if err != nil && before.code != 0 {
		s.broken = true
		r, err = before, nil
	}
	if _, renewable := s.server.Auth.Token.(Invalidator); renewable && before.code == 0 && err == nil && r.code == 535 {
		l.End("%s; asking for another token", r)
		return r, errTokenRefused
	}
	return r, s.judge(ctx, mechanism, client, r, err)
}

func (s *Session) fetchToken(ctx context.Context) (vault.Secret, error) {
	l := ladder.From(ctx)
	l.Begin(ladder.Token, "Access token")
	username, token, err := s.server.Auth.Token.Token(ctx)
	if err == nil {
		err = clean("username", username)
	}
	if err != nil {
		return vault.Secret{}, s.noToken(ctx, err)
	}
	if username != "" {
		s.server.Auth.Username = username
	}
	s.wire.secrets = append(s.wire.secrets, token)
	l.End("valid for %s", s.server.Auth.Username)
	return token, nil
}

// noToken fails the step token. A token source that knows why says so in a fault of its own.
func (s *Session) noToken(ctx context.Context, err error) error {
	fault := explain.Network(ladder.Token, err, s.known())
	var explained *ladder.Error
	if errors.As(err, &explained) {
		fault = explained.Fault
	}
	return ladder.From(ctx).Fail(ladder.Token, fault, err)
}

// bearer prefers XOAUTH2: Microsoft knows nothing else, and Google has taken it for longest.
func (s *Session) bearer(token vault.Secret) (string, *sasl.Bearer) {
	offered := s.offer.mechanisms()
	username, target := s.server.Auth.Username, s.server.Target
	switch {
	case slices.Contains(offered, sasl.XOAuth2):
		return sasl.XOAuth2, sasl.NewXOAuth2(username, token)
	case slices.Contains(offered, sasl.OAuthBearer):
		return sasl.OAuthBearer, sasl.NewOAuthBearer(username, target.Host, target.Port, token)
	}
	return "", nil
}
