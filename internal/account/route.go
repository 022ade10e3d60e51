package account

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/submit"
	"orbit/internal/problem"
)

// NewCredentialID chooses, in place of a credential's id, the one that is registered together with the account.
const NewCredentialID = -1

// Route is everything that a message needs to leave: the way out of this machine, the server, and how to sign in.
type Route struct {
	Dialer dial.Dialer
	Server submit.Server
}

// Route turns settings into something that can be dialled. A secret that was only typed is used as it is;
// a stored one opens only for the destination that it was entered for.
func (s *Service) Route(ctx context.Context, c SMTPChange) (Route, error) {
	dialer, err := s.dialers.Dialer(ctx, c.UseNetworkConnector, c.NetworkConnectorID)
	if err != nil {
		return Route{}, err
	}
	route := Route{Dialer: dialer, Server: submit.Server{Target: c.Target()}}
	route.Server.Known = explain.Context{
		Host: c.SMTPHost, Port: c.Port, Sender: c.SenderEmail, Provider: c.Provider, Protocol: "SMTP",
	}
	if !c.UseAuthentication {
		return route, nil
	}
	route.Server.Auth, err = s.signIn(ctx, c)
	return route, err
}

// signIn fetches what the account signs in with.
func (s *Service) signIn(ctx context.Context, c SMTPChange) (submit.Auth, error) {
	if c.CredentialID == NewCredentialID {
		return submit.Auth{Username: c.NewCredential.Username, Password: c.Secret}, nil
	}
	if c.AuthenticationType == OAuth2 && c.CredentialID == 0 {
		return s.token(c.SenderEmail)
	}
	stored, err := s.credentials.Find(ctx, c.CredentialID)
	if err != nil {
		return submit.Auth{}, err
	}
	if c.AuthenticationType == OAuth2 {
		return s.token(stored.Username)
	}
	if !c.Secret.IsZero() {
		return submit.Auth{Username: stored.Username, Password: c.Secret}, nil
	}
	username, secret, err := s.credentials.Open(ctx, stored.ID, s.destination(c.SMTPSettings, stored.Username))
	if errors.Is(err, credential.ErrNotApproved) {
		fault := explain.NotApproved(explain.Context{Host: c.SMTPHost, Port: c.Port, Username: stored.Username})
		return submit.Auth{}, &ladder.Error{Step: ladder.Auth, Fault: fault, Err: err}
	}
	return submit.Auth{Username: username, Password: secret}, err
}

// destination is where the secret goes. Orbit's own listeners are one destination, approved by itself.
func (s *Service) destination(settings SMTPSettings, username string) credential.Destination {
	if s.own(settings.SMTPHost, settings.Port) {
		return credential.Self
	}
	return settings.Destination(username)
}

func (s *Service) token(address string) (submit.Auth, error) {
	if s.tokens == nil {
		return submit.Auth{}, problem.Refuse("OAuth 2.0 is not set up in this Orbit.")
	}
	return submit.Auth{Username: address, Token: s.tokens.Source(address)}, nil
}

// prepareCredential registers a credential on the way, and approves the destination for the secret.
func (s *Service) prepareCredential(ctx context.Context, tx pgx.Tx, c *SMTPChange) error {
	if c.CredentialID == NewCredentialID {
		created, err := s.credentials.CreateIn(ctx, tx, c.NewCredential.Name, c.NewCredential.Username, c.Secret)
		if err != nil {
			return renamed(err)
		}
		c.CredentialID = created.ID
	}
	if !c.SignsInWithPassword() {
		return nil
	}
	stored, err := s.credentials.FindIn(ctx, tx, c.CredentialID)
	if errors.Is(err, problem.ErrNotFound) {
		return problem.Invalid{{Name: "credential_id", Text: "This credential no longer exists; choose another one."}}
	}
	if err != nil {
		return err
	}
	return s.credentials.Approve(ctx, tx, stored.ID, s.destination(c.SMTPSettings, stored.Username), c.Secret)
}

// renamed gives the problems of a new credential the names that the account's form uses.
func renamed(err error) error {
	var invalid problem.Invalid
	if !errors.As(err, &invalid) {
		return err
	}
	out := make(problem.Invalid, len(invalid))
	for i, field := range invalid {
		if field.Name == "name" || field.Name == "username" {
			field.Name = "new_credential_" + field.Name
		}
		out[i] = field
	}
	return out
}
