package fetch

import (
	"context"
	"errors"
	"slices"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/sasl"
	"orbit/internal/vault"
)

// signInWithToken signs in with an access token. A token that the server refuses is forgotten and fetched again once:
// it may have been revoked a moment ago, or the two clocks differ.
func (v *visit) signInWithToken(ctx context.Context) error {
	if !v.secure && !loopback(v.server.Target.Host) { // it opens the mailbox to whoever reads it (RFC 6750 5.3)
		ladder.From(ctx).Begin(ladder.Auth, "Sign-in")
		return ladder.From(ctx).Fail(ladder.Auth, explain.PlainPassword(v.known()), nil)
	}
	refused, err := v.tryToken(ctx, nil)
	if refused != nil {
		v.server.Auth.Token.(Invalidator).Invalidate(ctx)
		_, err = v.tryToken(ctx, refused)
	}
	return err
}

// tryToken signs in once. It returns a refusal when another token is worth a try. Before is the refusal of an earlier
// token, if there was one: it is still the reason when the server hangs up instead of listening to another.
func (v *visit) tryToken(ctx context.Context, before *Refusal) (again *Refusal, err error) {
	l := ladder.From(ctx)
	token, err := v.fetchToken(ctx)
	if err != nil {
		return nil, err
	}
	l.Begin(ladder.Auth, "Sign-in")
	client := v.bearer(token)
	if client == nil {
		return nil, v.noWayIn(ctx)
	}
	text, err := v.door.authenticate(ctx, client)
	if refusal := client.Refusal(); refusal != nil {
		l.Record("note", refusal.Error())
	}
	var refusal *Refusal
	switch refused := errors.As(err, &refusal); {
	case err == nil:
		l.End("%s", explain.Clean(text+" ("+v.bearerName()+")"))
		return nil, nil
	case !refused && before != nil && ctx.Err() == nil:
		return nil, v.fail(ctx, ladder.Auth, before)
	case refused && before == nil && v.renewable(refusal):
		l.End("%s; asking for another token", refusal)
		return refusal, nil
	}
	return nil, v.fail(ctx, ladder.Auth, err)
}

// renewable reports whether another token may help: not where the server is busy, and not where none is to be had.
func (v *visit) renewable(r *Refusal) bool {
	_, ok := v.server.Auth.Token.(Invalidator)
	fault := v.refused(ladder.Auth, r)
	return ok && r.Status != "BYE" && !fault.Temporary && !fault.Throttled
}

// fetchToken asks the token source. A source that knows why it has none says so in a fault of its own.
func (v *visit) fetchToken(ctx context.Context) (vault.Secret, error) {
	l := ladder.From(ctx)
	l.Begin(ladder.Token, "Access token")
	username, token, err := v.server.Auth.Token.Token(ctx)
	if err != nil {
		return vault.Secret{}, v.fail(ctx, ladder.Token, err)
	}
	if username != "" {
		v.server.Auth.Username = username
	}
	l.End("valid for %s", explain.Clean(v.server.Auth.Username))
	return token, nil
}

// bearerName prefers XOAUTH2: Microsoft knows nothing else, and Google has taken it for longest.
func (v *visit) bearerName() string {
	for _, name := range []string{sasl.XOAuth2, sasl.OAuthBearer} {
		if slices.Contains(v.offer.mechanisms, name) {
			return name
		}
	}
	return ""
}

func (v *visit) bearer(token vault.Secret) *sasl.Bearer {
	username, target := v.server.Auth.Username, v.server.Target
	switch v.bearerName() {
	case sasl.XOAuth2:
		return sasl.NewXOAuth2(username, token)
	case sasl.OAuthBearer:
		return sasl.NewOAuthBearer(username, target.Host, target.Port, token)
	}
	return nil
}
