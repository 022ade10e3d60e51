package account

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/setting"
	"orbit/internal/vault"
)

// Service is what one can do with accounts.
type Service struct {
	pool        *pgxpool.Pool
	credentials *credential.Service
	settings    *setting.Service
	dialers     Dialers
	tokens      Tokens
	own         func(host string, port int) bool
	log         *slog.Logger
	tests       testRuns
}

// Options are the parts that a Service works with. All are required but Tokens and Log.
type Options struct {
	Pool        *pgxpool.Pool
	Credentials *credential.Service
	Settings    *setting.Service
	Dialers     Dialers
	Tokens      Tokens // nil: no account can use OAuth 2.0
	// Own reports whether a server is a listener of Orbit's own proxy: a secret that goes there stays inside.
	Own func(host string, port int) bool
	Log *slog.Logger
}

// New returns a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Own == nil {
		o.Own = func(string, int) bool { return false }
	}
	return &Service{
		pool: o.Pool, credentials: o.Credentials, settings: o.Settings,
		dialers: o.Dialers, tokens: o.Tokens, own: o.Own, log: o.Log, tests: newTestRuns(),
	}
}

// SMTPChange is what a person submits: the settings, and what only travels inwards.
type SMTPChange struct {
	SMTPSettings
	Version         int           // the version that was read; 0: whatever is stored
	Secret          vault.Secret  // needed once for each new destination of a credential
	NewCredential   NewCredential // used when CredentialID is NewCredentialID
	AcceptNoDefault bool          // yes, nothing will be sent while there is no default account
}

// NewCredential is a credential that is registered together with an account.
type NewCredential struct {
	Name, Username string
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
	c.SMTPSettings = c.Normalise()
	if err := c.Validate().Err(); err != nil {
		return SMTP{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := moveDefault(ctx, tx, 0, c.DefaultAccount); err != nil {
			return err
		}
		if err := s.prepareCredential(ctx, tx, &c); err != nil {
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
	c.SMTPSettings = c.Normalise()
	if err := c.Validate().Err(); err != nil {
		return SMTP{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		before, err := lockForSave(ctx, tx, id, c)
		if err != nil {
			return err
		}
		if err := s.prepareCredential(ctx, tx, &c); err != nil {
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
		return SMTP{}, smtpConflict(before, c.SMTPSettings)
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

// DeleteSMTP removes an account and the history of its tests. It is refused while the account is the
// default and in use, because nothing would be sent any more.
func (s *Service) DeleteSMTP(ctx context.Context, id int64) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		found, err := lockSMTP(ctx, tx, id)
		if err != nil {
			return err
		}
		if why, refused := found.Undeletable(); refused {
			return problem.Refuse("%s", why)
		}
		if err := deleteSMTP(ctx, tx, id); err != nil {
			return err
		}
		return recordSMTP(ctx, tx, "smtp_account.deleted", found, nil)
	})
}

// Undeletable says why an account cannot be deleted, while that is so.
func (a SMTP) Undeletable() (why string, refused bool) {
	if !a.DefaultAccount || !a.Active {
		return "", false
	}
	return a.AccountName + " is the default account: notifications are sent through it. Make another account the default first, or disable this one.", true
}

// CredentialUses tells which SMTP accounts use each of the credentials.
func (s *Service) CredentialUses(ctx context.Context, ids []int64) (map[int64][]credential.Use, error) {
	return smtpCredentialUses(ctx, s.pool, ids)
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

// smtpConflict shows where the stored account differs from what was typed.
func smtpConflict(stored SMTP, typed SMTPSettings) error {
	who := stored.ChangedBy
	if who == "" {
		who = "somebody else"
	}
	return &problem.Conflict{
		What: "SMTP account " + stored.AccountName, Who: who,
		Changed: differences(stored.SMTPSettings, typed),
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
