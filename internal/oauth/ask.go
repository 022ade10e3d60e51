package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"orbit/internal/oauth/endpoint"
	"orbit/internal/vault"
)

// asker asks the token endpoint of one registration, proving itself with one of its slots.
type asker struct {
	registration Registration
	slot         int // 0: a public client
	http         *http.Client
	client       endpoint.Client
	account      *endpoint.ServiceAccount // service_account only
}

// askerFor opens the secret of a slot. Nothing is asked yet.
func (s *Service) askerFor(ctx context.Context, r Registration, slot int) (asker, error) {
	a := asker{registration: r, client: endpoint.Client{ID: r.ClientID}}
	hc, err := s.client(ctx, r)
	if err != nil {
		return a, fmt.Errorf("find the way to %s: %w", r.TokenURL, err)
	}
	a.http = hc
	described, found := r.slot(slot)
	if !found {
		return a, nil
	}
	a.slot = slot
	secret, err := s.openSlot(ctx, r, described)
	if err != nil {
		return a, err
	}
	return a, a.prove(described, secret)
}

func (s *Service) openSlot(ctx context.Context, r Registration, c ClientSecret) (vault.Secret, error) {
	sealed, err := sealedSecret(ctx, s.pool, c.ID)
	if err != nil {
		return vault.Secret{}, err
	}
	secret, err := s.box.Open(sealed, secretPlace(c.ID, r.Settings))
	return secret, wrapf(err, "open the secret of registration %s", r.Pattern)
}

func (a *asker) prove(c ClientSecret, secret vault.Secret) (err error) {
	switch c.Kind {
	case SharedSecret:
		a.client.Secret = secret
	case ClientCertificate:
		a.client.Certificate, err = endpoint.ParseCertificate(c.Certificate, secret, c.Algorithm)
	case AccountKey:
		a.account, err = endpoint.ParseServiceAccount(secret)
		a.client = endpoint.Client{} // the assertion names the account
	}
	return err
}

func (a asker) ask(ctx context.Context, form url.Values) (endpoint.Tokens, error) {
	return endpoint.Ask(ctx, a.http, a.registration.TokenURL, a.client, form)
}

// obtain asks for the tokens of a mailbox. Who gives them has accepted the secret as well: whoever switched to
// another one may come back to it.
func (s *Service) obtain(ctx context.Context, a asker, form url.Values) (endpoint.Tokens, error) {
	tokens, err := a.ask(ctx, form)
	if used, found := a.registration.slot(a.slot); err == nil && found && used.ProvenAt == nil {
		if err := markSecretProven(ctx, s.pool, used.ID); err != nil {
			s.log.WarnContext(ctx, "store that a token endpoint accepted a secret", "registration", a.registration.Pattern, "error", err)
		}
	}
	return tokens, err
}

// errNothingToAskWith says that only a person can bring a new token.
var errNothingToAskWith = errors.New("there is nothing to ask the provider with")

// form builds the request that brings a new access token without a person.
func (s *Service) form(a asker, g held) (url.Values, error) {
	r := a.registration
	switch r.EffectiveFlow() {
	case ClientCredentials:
		return endpoint.ClientCredentials(r.Scope), nil
	case ServiceAccount:
		if a.account == nil {
			return nil, errNothingToAskWith
		}
		return a.account.Grant(r.TokenURL, g.Address, r.Scope, s.now())
	case Password:
		return s.passwordForm(r, g)
	case AuthorizationCode, DeviceCode:
	}
	if g.SealedRefresh == nil {
		return nil, errNothingToAskWith
	}
	token, err := s.box.Open(g.SealedRefresh, refreshPlace(g.Grant, r.Settings))
	if err != nil {
		return nil, wrapf(err, "open the refresh token of %s", g.Address)
	}
	return endpoint.Refresh(token), nil
}

func (s *Service) passwordForm(r Registration, g held) (url.Values, error) {
	if g.SealedPassword == nil {
		return nil, errNothingToAskWith
	}
	password, err := s.box.Open(g.SealedPassword, passwordPlace(g.Grant, r.Settings))
	if err != nil {
		return nil, wrapf(err, "open the password of %s", g.Address)
	}
	return endpoint.Password(g.Address, password, r.Scope, r.Resource), nil
}

// seal closes what a token request gave for the row of g.
func (s *Service) seal(g Grant, r Settings, t endpoint.Tokens) (obtained, error) {
	access, err := s.box.Seal(t.Access, accessPlace(g))
	if err != nil {
		return obtained{}, err
	}
	refresh := t.Refresh
	if !r.EffectiveFlow().NeedsPerson() { // the next token is asked for the same way; one secret less to keep
		refresh = vault.Secret{}
	}
	sealedRefresh, err := s.sealOptional(refresh, refreshPlace(g, r))
	if err != nil {
		return obtained{}, err
	}
	return obtained{access: access, refresh: sealedRefresh, scope: t.Scope, life: newLife(s.now(), t.Lifetime)}, nil
}
