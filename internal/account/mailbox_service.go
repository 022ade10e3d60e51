package account

import (
	"context"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// MailboxChannel is what PostgreSQL notifies when an IMAP/POP3 account is new, changed or gone; the payload is its id.
const MailboxChannel = "mailbox_account"

// MailboxChange is what a person submits: the settings, and what only travels inwards.
type MailboxChange struct {
	MailboxSettings
	Version       int           // the version that was read; 0: whatever is stored
	Secret        vault.Secret  // needed once for each new destination of a credential
	NewCredential NewCredential // used when CredentialID is NewCredentialID
}

func (c MailboxChange) access() access {
	return access{
		protocol: c.Protocol.Name(), target: c.Target(), authentication: c.AuthenticationType,
		credentialID: c.CredentialID, newCredential: c.NewCredential, secret: c.Secret,
		useConnector: c.UseNetworkConnector, connectorID: c.NetworkConnectorID,
	}
}

// ListMailboxes returns a page of the report and how many rows match on all pages.
func (s *Service) ListMailboxes(ctx context.Context, f MailboxFilter) ([]MailboxRow, int, error) {
	return listMailboxes(ctx, s.pool, f)
}

// WatchedMailboxes returns the active accounts; whether one is checked automatically is its own setting.
func (s *Service) WatchedMailboxes(ctx context.Context) ([]Mailbox, error) {
	return activeMailboxes(ctx, s.pool)
}

// FindMailbox returns an account, or problem.ErrNotFound.
func (s *Service) FindMailbox(ctx context.Context, id int64) (Mailbox, error) {
	return findMailbox(ctx, s.pool, id)
}

// FindMailboxByName returns the account of that name in any case, or problem.ErrNotFound.
func (s *Service) FindMailboxByName(ctx context.Context, name string) (Mailbox, error) {
	return findMailboxByName(ctx, s.pool, name)
}

// CreateMailbox registers an account.
func (s *Service) CreateMailbox(ctx context.Context, c MailboxChange) (stored Mailbox, err error) {
	if err := s.CheckMailbox(ctx, 0, c); err != nil {
		return Mailbox{}, err
	}
	c.MailboxSettings = c.Normalise()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if c.CredentialID, err = s.prepareCredential(ctx, tx, c.access()); err != nil {
			return err
		}
		if stored, err = insertMailbox(ctx, tx, c.MailboxSettings, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		return recordMailbox(ctx, tx, "created", stored, audit.Changes(nil, stored.MailboxSettings))
	})
	return stored, err
}

// SaveMailbox changes an account. A *problem.Conflict says that somebody else did so first.
func (s *Service) SaveMailbox(ctx context.Context, id int64, c MailboxChange) (stored Mailbox, err error) {
	if err := s.CheckMailbox(ctx, id, c); err != nil {
		return Mailbox{}, err
	}
	c.MailboxSettings = c.Normalise()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		before, err := lockMailbox(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.Version != 0 && before.Version != c.Version {
			return conflict("IMAP/POP3 account "+before.AccountName, before.ChangedBy, before.MailboxSettings, c.MailboxSettings)
		}
		a := c.access().after((MailboxChange{MailboxSettings: before.MailboxSettings}).access(), c.Active)
		if c.CredentialID, err = s.prepareCredential(ctx, tx, a); err != nil {
			return err
		}
		if stored, err = updateMailbox(ctx, tx, id, c.MailboxSettings, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		return recordMailbox(ctx, tx, "changed", stored, audit.Changes(before.MailboxSettings, stored.MailboxSettings))
	})
	return stored, err
}

// SetMailboxActive enables or disables an account.
func (s *Service) SetMailboxActive(ctx context.Context, id int64, active bool) (Mailbox, error) {
	found, err := s.FindMailbox(ctx, id)
	if err != nil {
		return Mailbox{}, err
	}
	c := MailboxChange{MailboxSettings: found.MailboxSettings, Version: found.Version}
	c.Active = active
	return s.SaveMailbox(ctx, id, c)
}

// CloneMailbox returns the settings of a new account like this one, with a name of its own. Nothing is stored; the
// form shows them.
func (s *Service) CloneMailbox(ctx context.Context, id int64) (MailboxSettings, error) {
	found, err := s.FindMailbox(ctx, id)
	if err != nil {
		return MailboxSettings{}, err
	}
	clone := found.MailboxSettings
	clone.AccountName = "Copy of " + clone.AccountName
	return clone, nil
}

// DeleteMailbox removes an account with the history of its tests and what was read from it. The mailbox itself is
// left as it is.
func (s *Service) DeleteMailbox(ctx context.Context, id int64) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		found, err := lockMailbox(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := deleteMailbox(ctx, tx, id); err != nil {
			return err
		}
		return recordMailbox(ctx, tx, "deleted", found, nil)
	})
}

// recordMailbox writes a change into the audit trail and tells the processes that read mailboxes.
func recordMailbox(ctx context.Context, tx pgx.Tx, action string, m Mailbox, detail map[string]any) error {
	if err := notifyMailbox(ctx, tx, m.ID); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{
		Action: "mailbox_account." + action, Object: "mailbox_account", ObjectID: m.ID, ObjectName: m.AccountName, Detail: detail,
	})
}

// conflict shows where the stored account differs from what was typed.
func conflict(what, who string, stored, typed any) error {
	if who == "" {
		who = "somebody else"
	}
	return &problem.Conflict{What: what, Who: who, Changed: differences(stored, typed)}
}
