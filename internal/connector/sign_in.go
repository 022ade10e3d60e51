package connector

import (
	"context"
	"errors"
	"fmt"

	"orbit/internal/credential"
	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

// signIn is what a connector's credential signs in with; the zero value is none.
type signIn struct {
	username string
	secret   vault.Secret
}

// signIn opens the secret for this connector. It opens only for the address that it was entered for.
func (h hop) signIn(ctx context.Context) (signIn, error) {
	if h.c.CredentialID == 0 {
		return signIn{}, nil
	}
	if h.s.Credentials == nil {
		return signIn{}, errors.New("no credentials in this process")
	}
	stored, err := h.s.Credentials.Find(ctx, h.c.CredentialID)
	if err != nil {
		return signIn{}, fmt.Errorf("find the credential of network connector %d: %w", h.c.ID, err)
	}
	username, secret, err := h.s.Credentials.Open(ctx, stored.ID, h.c.Destination(stored.Username))
	if errors.Is(err, credential.ErrNotApproved) {
		h.Username = stored.Username
		ladder.From(ctx).Begin(ladder.Gate, "Sign-in at "+h.c.Name)
		return signIn{}, h.fault(ladder.Gate, h.Named("connector_secret_not_approved"), err)
	}
	return signIn{username: username, secret: secret}, err
}
