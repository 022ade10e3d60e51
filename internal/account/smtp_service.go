package account

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// SMTPChange is what a person submits: the settings, and what only travels inwards.
type SMTPChange struct {
	SMTPSettings
	Version         int           // the version that was read; 0: whatever is stored
	Secret          vault.Secret  // needed once for each new destination of a credential
	NewCredential   NewCredential // used when CredentialID is NewCredentialID
	AcceptNoDefault bool          // yes, nothing will be sent while there is no default account
}

func (c SMTPChange) access() access {
	a := access{
		protocol: "SMTP", target: c.Target(), credentialID: c.CredentialID, fallback: c.SenderEmail,
		newCredential: c.NewCredential, secret: c.Secret,
		useConnector: c.UseNetworkConnector, connectorID: c.NetworkConnectorID,
	}
	if c.UseAuthentication {
		a.authentication = c.AuthenticationType
	}
	return a
}

// ListSMTP returns a page of the report and how many rows match on all pages.
func (s *Service) ListSMTP(ctx context.Context, f SMTPFilter) ([]SMTPRow, int, error) {
	return listSMTP(ctx, s.pool, f)
}

// FindSMTP returns an account, or problem.ErrNotFound.
func (s *Service) FindSMTP(ctx context.Context, id int64) (SMTP, error) {
	return findSMTP(ctx, s.pool, id)
}

// FindSMTPByName returns the account of that name in any case, or problem.ErrNotFound.
func (s *Service) FindSMTPByName(ctx context.Context, name string) (SMTP, error) {
	return findSMTPByName(ctx, s.pool, name)
}

// HasDefault reports whether there is an enabled default account: without one nothing is sent.
func (s *Service) HasDefault(ctx context.Context) (bool, error) { return hasDefault(ctx, s.pool) }

// CreateSMTP registers an account.
func (s *Service) CreateSMTP(ctx context.Context, c SMTPChange) (stored SMTP, err error) {
	if err := s.CheckSMTP(ctx, 0, c); err != nil {
		return SMTP{}, err
	}
	c.SMTPSettings = c.Normalise()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := moveDefault(ctx, tx, 0, c.DefaultAccount); err != nil {
			return err
		}
		if c.CredentialID, err = s.prepareCredential(ctx, tx, c.access()); err != nil {
			return err
		}
		if stored, err = insertSMTP(ctx, tx, c.SMTPSettings, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		return recordSMTP(ctx, tx, "smtp_account.created", stored, audit.Changes(nil, stored.SMTPSettings))
	})
	return stored, err
}

// SaveSMTP changes an account. A *problem.Conflict says that somebody else did so first; a
// *problem.Confirm that nothing would be sent any more.
func (s *Service) SaveSMTP(ctx context.Context, id int64, c SMTPChange) (stored SMTP, err error) {
	if err := s.CheckSMTP(ctx, id, c); err != nil {
		return SMTP{}, err
	}
	c.SMTPSettings = c.Normalise()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		before, err := lockForSave(ctx, tx, id, c)
		if err != nil {
			return err
		}
		a := c.access().after((SMTPChange{SMTPSettings: before.SMTPSettings}).access(), c.Active)
		if c.CredentialID, err = s.prepareCredential(ctx, tx, a); err != nil {
			return err
		}
		if stored, err = updateSMTP(ctx, tx, id, c.SMTPSettings, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		return recordSMTP(ctx, tx, "smtp_account.changed", stored, audit.Changes(before.SMTPSettings, stored.SMTPSettings))
	})
	return stored, err
}

// lockForSave takes every lock that saving needs, always in the same order: the default, the account, the
// audit chain. Then two administrators wait for each other and never deadlock.
func lockForSave(ctx context.Context, tx pgx.Tx, id int64, c SMTPChange) (SMTP, error) {
	if c.DefaultAccount {
		if err := lockDefault(ctx, tx); err != nil {
			return SMTP{}, err
		}
	}
	before, err := lockSMTP(ctx, tx, id)
	if err != nil {
		return SMTP{}, err
	}
	if c.Version != 0 && before.Version != c.Version {
		return SMTP{}, conflict("SMTP account "+before.AccountName, before.ChangedBy, before.SMTPSettings, c.SMTPSettings)
	}
	if err := confirmDefault(before.SMTPSettings, c.SMTPSettings, c.AcceptNoDefault); err != nil {
		return SMTP{}, err
	}
	return before, moveDefault(ctx, tx, id, c.DefaultAccount)
}

// SetSMTPActive enables or disables an account.
func (s *Service) SetSMTPActive(ctx context.Context, id int64, active, acceptNoDefault bool) (SMTP, error) {
	return s.change(ctx, id, func(c *SMTPChange) { c.Active, c.AcceptNoDefault = active, acceptNoDefault })
}

// MakeSMTPDefault moves the default to this account.
func (s *Service) MakeSMTPDefault(ctx context.Context, id int64) (SMTP, error) {
	return s.change(ctx, id, func(c *SMTPChange) { c.DefaultAccount = true })
}

func (s *Service) change(ctx context.Context, id int64, edit func(*SMTPChange)) (SMTP, error) {
	found, err := s.FindSMTP(ctx, id)
	if err != nil {
		return SMTP{}, err
	}
	c := SMTPChange{SMTPSettings: found.SMTPSettings, Version: found.Version}
	edit(&c)
	return s.SaveSMTP(ctx, id, c)
}

// CloneSMTP returns the settings of a new account like this one: not the default, with a name of its own.
// Nothing is stored; the form shows them.
func (s *Service) CloneSMTP(ctx context.Context, id int64) (SMTPSettings, error) {
	found, err := s.FindSMTP(ctx, id)
	if err != nil {
		return SMTPSettings{}, err
	}
	clone := found.SMTPSettings
	clone.AccountName, clone.DefaultAccount = "Copy of "+clone.AccountName, false
	return clone, nil
}

// DeleteSMTP removes an account and the history of its tests. It is refused while the account is the default and
// enabled, because nothing would be sent any more, and while rules or loop tests name it: they would quietly send
// through another one, or not at all.
func (s *Service) DeleteSMTP(ctx context.Context, id int64) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		found, err := lockSMTP(ctx, tx, id)
		if err != nil {
			return err
		}
		uses, err := smtpUses(ctx, tx, id)
		if err != nil {
			return err
		}
		if why, refused := found.Undeletable(uses); refused {
			return problem.Refuse("%s", why)
		}
		if err := deleteSMTP(ctx, tx, id); err != nil {
			return err
		}
		return recordSMTP(ctx, tx, "smtp_account.deleted", found, nil)
	})
}

// Undeletable says why an account cannot be deleted, while that is so.
func (a SMTP) Undeletable(uses []credential.Use) (why string, refused bool) {
	switch {
	case a.DefaultAccount && a.Active:
		return a.AccountName + " is the default account: notifications are sent through it. Make another account the default first, or disable this one.", true
	case len(uses) > 0:
		return a.AccountName + " is used by " + credential.Named(uses) + ". Choose another account there first, or end the loop test.", true
	}
	return "", false
}

// SMTPUses tells what names an account, and would lose it.
func (s *Service) SMTPUses(ctx context.Context, id int64) ([]credential.Use, error) {
	return smtpUses(ctx, s.pool, id)
}

func recordSMTP(ctx context.Context, tx pgx.Tx, action string, a SMTP, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: action, Object: "smtp_account", ObjectID: a.ID, ObjectName: a.AccountName, Detail: detail,
	})
}

// confirmDefault asks before the account through which everything is sent stops being it.
func confirmDefault(before, after SMTPSettings, accepted bool) error {
	was, is := before.DefaultAccount && before.Active, after.DefaultAccount && after.Active
	if !was || is || accepted {
		return nil
	}
	return &problem.Confirm{
		Name: "accept_no_default",
		Text: fmt.Sprintf("%s is the default account. Without an enabled default account no notification will be sent.", before.AccountName),
	}
}

// moveDefault takes the default from the account that has it, when another one is to have it.
func moveDefault(ctx context.Context, tx pgx.Tx, to int64, wanted bool) error {
	if !wanted {
		return nil
	}
	if err := lockDefault(ctx, tx); err != nil {
		return err
	}
	from, err := clearDefault(ctx, tx, to)
	if err != nil || from.ID == 0 {
		return err
	}
	return recordSMTP(ctx, tx, "smtp_account.changed", from, map[string]any{
		"default_account": map[string]any{"was": true, "now": false},
	})
}
