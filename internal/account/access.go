package account

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/submit"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// NewCredentialID chooses, in place of a credential's id, the one that is registered together with the account.
const NewCredentialID = -1

// NewCredential is a credential that is registered together with an account.
type NewCredential struct {
	Name, Username string
}

// access is what signing in takes; it is the same for both kinds of account.
type access struct {
	protocol       string // "SMTP", "IMAP" or "POP3"
	target         dial.Target
	authentication AuthenticationType // empty: nobody signs in
	credentialID   int64              // 0: the token of fallback
	fallback       string
	newCredential  NewCredential
	secret         vault.Secret
	useConnector   bool
	connectorID    int64
}

// after is what storing has to see to where before is stored already. An account that is only switched off signs in
// nowhere: nobody should have to know a secret to stop it.
func (a access) after(before access, active bool) access {
	if !active && a == before {
		a.authentication = ""
	}
	return a
}

// signIn fetches what the account signs in with. A secret that was only typed is used as it is; a stored one opens
// only for the destination that it was entered for.
func (s *Service) signIn(ctx context.Context, a access) (submit.Auth, error) {
	username, err := s.username(ctx, a)
	if err != nil {
		return submit.Auth{}, err
	}
	switch {
	case a.authentication == OAuth2:
		return s.token(username, a)
	case a.credentialID == NewCredentialID, !a.secret.IsZero():
		return submit.Auth{Username: username, Password: a.secret}, nil
	}
	_, secret, err := s.credentials.Open(ctx, a.credentialID, s.destination(a, username))
	if errors.Is(err, credential.ErrNotApproved) {
		fault := explain.NotApproved(explain.Context{Host: a.target.Host, Port: a.target.Port, Username: username})
		return submit.Auth{}, &ladder.Error{Step: ladder.Auth, Fault: fault, Err: err}
	}
	return submit.Auth{Username: username, Password: secret}, err
}

// username is who signs in.
func (s *Service) username(ctx context.Context, a access) (string, error) {
	switch a.credentialID {
	case NewCredentialID:
		return a.newCredential.Username, nil
	case 0:
		return a.fallback, nil
	}
	stored, err := s.credentials.Find(ctx, a.credentialID)
	return stored.Username, err
}

// destination is where the secret goes. Orbit's own listeners are one destination, approved by itself.
func (s *Service) destination(a access, username string) credential.Destination {
	if s.own(a.target.Host, a.target.Port) {
		return credential.Self
	}
	return destination(a.target, username, a.useConnector, a.connectorID)
}

func (s *Service) token(address string, a access) (submit.Auth, error) {
	if s.tokens == nil {
		return submit.Auth{}, problem.Refuse("OAuth 2.0 is not set up in this Orbit.")
	}
	return submit.Auth{Username: address, Token: s.tokens.Source(address, s.destination(a, ""))}, nil
}

// prepareCredential registers a credential on the way, and approves the destination for the secret. It returns the
// credential of the account.
func (s *Service) prepareCredential(ctx context.Context, tx pgx.Tx, a access) (int64, error) {
	if a.credentialID == NewCredentialID {
		created, err := s.credentials.CreateIn(ctx, tx, a.newCredential.Name, a.newCredential.Username, a.newSecret())
		if err != nil {
			return 0, renamed(err)
		}
		a.credentialID = created.ID
	}
	if a.authentication != Password {
		return a.credentialID, nil
	}
	stored, err := s.credentials.FindIn(ctx, tx, a.credentialID)
	if errors.Is(err, problem.ErrNotFound) {
		return 0, credentialGone
	}
	if err != nil {
		return 0, err
	}
	return stored.ID, s.credentials.Approve(ctx, tx, stored.ID, s.destination(a, stored.Username), a.secret)
}

// newSecret is the secret of a credential that is registered with the account. A token needs none: then it is one that
// nobody knows, so that nobody signs in at Orbit's own listeners with a blank one.
func (a access) newSecret() vault.Secret {
	if a.authentication == OAuth2 && a.secret.IsZero() {
		return vault.NewSecret(rand.Text())
	}
	return a.secret
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
