package credential

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// Service is what one can do with credentials.
type Service struct {
	// UsedBy tells which records point to each credential; nil: nobody is asked. Set it before the first use.
	UsedBy func(ctx context.Context, ids []int64) (map[int64][]Use, error)

	pool *pgxpool.Pool
	box  *vault.Box
	now  func() time.Time
	uses uses

	key       []byte // of digests that are compared in memory; new in each process
	logins    atomic.Pointer[logins]
	loginsRun chan struct{} // holds a token while logins are refreshed
}

// New returns a Service that seals with box.
func New(pool *pgxpool.Pool, box *vault.Box) *Service {
	return &Service{
		pool: pool, box: box, now: time.Now,
		key: []byte(rand.Text()), loginsRun: make(chan struct{}, 1),
	}
}

// List returns all credentials by name, with where each is used.
func (s *Service) List(ctx context.Context) ([]Credential, error) {
	list, err := selectAll(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	return list, s.addUses(ctx, list)
}

// Find returns a credential with where it is used, or problem.ErrNotFound.
func (s *Service) Find(ctx context.Context, id int64) (Credential, error) {
	c, err := selectOne(ctx, s.pool, id, unlocked)
	if err != nil {
		return Credential{}, err
	}
	list := []Credential{c}
	err = s.addUses(ctx, list)
	return list[0], err
}

// FindIn returns a credential as a transaction sees it, or problem.ErrNotFound.
func (s *Service) FindIn(ctx context.Context, tx pgx.Tx, id int64) (Credential, error) {
	return selectOne(ctx, tx, id, unlocked)
}

func (s *Service) addUses(ctx context.Context, list []Credential) error {
	if s.UsedBy == nil || len(list) == 0 {
		return nil
	}
	ids := make([]int64, len(list))
	for i, c := range list {
		ids[i] = c.ID
	}
	uses, err := s.UsedBy(ctx, ids)
	if err != nil {
		return fmt.Errorf("look for the uses of credentials: %w", err)
	}
	for i := range list {
		list[i].UsedBy = uses[list[i].ID]
	}
	return nil
}

// Create registers a credential.
func (s *Service) Create(ctx context.Context, name, username string, secret vault.Secret) (c Credential, err error) {
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		c, err = s.CreateIn(ctx, tx, name, username, secret)
		return err
	})
	return c, err
}

// CreateIn registers a credential in the transaction of a record that will point to it.
func (s *Service) CreateIn(ctx context.Context, tx pgx.Tx, name, username string, secret vault.Secret) (Credential, error) {
	name, username = normal(name, username)
	if err := (Credential{Name: name, Username: username}).Validate(secret).Err(); err != nil {
		return Credential{}, err
	}
	id, err := insertCredential(ctx, tx, name, username, audit.ActorFrom(ctx).Name)
	if err != nil {
		return Credential{}, err
	}
	if err := s.putCopy(ctx, tx, id, selfText, secret); err != nil {
		return Credential{}, err
	}
	c, err := selectOne(ctx, tx, id, unlocked)
	if err != nil {
		return Credential{}, err
	}
	return c, record(ctx, tx, "credential.created", c, audit.Changes(nil, namesOf(c)))
}

// Update renames a credential, gives it another username, or another secret; the zero secret keeps the one it
// has. Another username is another sign-in everywhere: it needs the secret, and each destination is asked
// for again. Version is the one that was read; a *problem.Conflict says that it is not the newest.
func (s *Service) Update(ctx context.Context, edited Credential, secret vault.Secret) (after Credential, err error) {
	edited.Name, edited.Username = normal(edited.Name, edited.Username)
	if err := edited.Validate(secret).Err(); err != nil {
		return Credential{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		after, err = s.update(ctx, tx, edited, secret)
		return err
	})
	return after, err
}

func (s *Service) update(ctx context.Context, tx pgx.Tx, edited Credential, secret vault.Secret) (Credential, error) {
	before, err := s.lock(ctx, tx, edited.ID, edited.Version, &edited)
	if err != nil {
		return Credential{}, err
	}
	action, detail := changeOf(before, edited, secret)
	if len(detail) == 0 {
		return before, nil
	}
	if err := s.updateSecret(ctx, tx, before, edited, secret); err != nil {
		return Credential{}, err
	}
	if err := updateCredential(ctx, tx, edited, audit.ActorFrom(ctx).Name); err != nil {
		return Credential{}, err
	}
	after, err := selectOne(ctx, tx, edited.ID, unlocked)
	if err != nil {
		return Credential{}, err
	}
	return after, record(ctx, tx, action, after, detail)
}

// changeOf says for the audit trail what an update does; the detail is empty when it does nothing.
func changeOf(before, edited Credential, secret vault.Secret) (action string, detail map[string]any) {
	detail = audit.Changes(namesOf(before), namesOf(edited))
	if secret.IsZero() {
		return "credential.changed", detail
	}
	action = "credential.changed"
	if len(detail) == 0 {
		action = "credential.secret_replaced"
	}
	detail["secret"] = "replaced"
	return action, detail
}

// updateSecret does with the copies what the new names and the new secret, if any, ask for.
func (s *Service) updateSecret(ctx context.Context, tx pgx.Tx, before, edited Credential, secret vault.Secret) error {
	moved := before.Username != edited.Username
	switch {
	case moved && secret.IsZero():
		var wrong problem.Invalid
		wrong.Add("secret", "Enter the secret of %s: the stored one belongs to %s.", edited.Username, before.Username)
		return wrong
	case moved:
		if err := deleteCopies(ctx, tx, edited.ID); err != nil {
			return err
		}
		return s.putCopy(ctx, tx, edited.ID, selfText, secret)
	case !secret.IsZero():
		return s.replaceCopies(ctx, tx, edited.ID, secret)
	}
	return nil
}

// ReplaceSecret stores another secret for all destinations that the old one was entered for. Version is the
// one that was read; 0 replaces whatever there is.
func (s *Service) ReplaceSecret(ctx context.Context, id int64, version int, secret vault.Secret) (after Credential, err error) {
	var wrong problem.Invalid
	if checkSecret(&wrong, secret); wrong.Err() != nil {
		return Credential{}, wrong
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		c, err := s.lock(ctx, tx, id, version, nil)
		if err != nil {
			return err
		}
		after, err = s.update(ctx, tx, c, secret)
		return err
	})
	return after, err
}

// Delete removes a credential and all copies of its secret. It is refused while something points to it.
func (s *Service) Delete(ctx context.Context, id int64, version int) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		c, err := s.lock(ctx, tx, id, version, nil)
		if err != nil {
			return err
		}
		found := []Credential{c}
		if err := s.addUses(ctx, found); err != nil { // from here on the lock lets nobody point to it
			return err
		}
		if len(found[0].UsedBy) > 0 {
			return inUse(found[0])
		}
		err = deleteCredential(ctx, tx, id)
		if postgres.Constraint(err) != "" {
			return inUse(c)
		}
		if err != nil {
			return fmt.Errorf("delete credential %d: %w", id, err)
		}
		return record(ctx, tx, "credential.deleted", c, audit.Changes(namesOf(c), nil))
	})
}

// lock reads a credential for changing it. edited is what a person wants it to be, for the conflict.
func (s *Service) lock(ctx context.Context, tx pgx.Tx, id int64, version int, edited *Credential) (Credential, error) {
	c, err := selectOne(ctx, tx, id, forUpdate)
	if err == nil && version != 0 && version != c.Version {
		return Credential{}, conflict(c, edited)
	}
	return c, err
}

// putCopy seals the secret for a destination.
func (s *Service) putCopy(ctx context.Context, tx pgx.Tx, id int64, destination string, secret vault.Secret) error {
	sealed, err := s.box.Seal(secret, binding(id, destination))
	if err != nil {
		return err
	}
	if err := putSealed(ctx, tx, id, destination, sealed); err != nil {
		return fmt.Errorf("store the secret of credential %d: %w", id, err)
	}
	return nil
}

func (s *Service) replaceCopies(ctx context.Context, tx pgx.Tx, id int64, secret vault.Secret) error {
	copies, err := selectCopies(ctx, tx, id, forUpdate)
	if err != nil {
		return err
	}
	for _, c := range copies {
		if err := s.putCopy(ctx, tx, id, c.Destination, secret); err != nil {
			return err
		}
	}
	return nil
}

// binding ties a copy to its credential and destination.
func binding(id int64, destination string) vault.Binding {
	return vault.Binding{Table: "credential_secret", Row: id, Destination: destination}
}
