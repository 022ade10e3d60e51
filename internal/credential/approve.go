package credential

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// Approve lets the secret be sent to one more destination. Whoever asks for it must know the secret: it is
// compared with the stored one. For a destination that is approved already, and for Self, no secret is needed.
func (s *Service) Approve(ctx context.Context, tx pgx.Tx, id int64, to Destination, secret vault.Secret) error {
	c, err := selectOne(ctx, tx, id, forShare)
	if err != nil {
		return err
	}
	to, err = to.as(c.Username)
	if err != nil {
		return problem.Invalid{{Name: "credential_id", Text: "The username of credential " + c.Name + " was changed in the meantime; choose the credential again."}}
	}
	approved, err := s.approved(ctx, tx, id, to)
	if err != nil || approved && secret.IsZero() {
		return err
	}
	if err := s.compare(ctx, tx, c, to, secret); err != nil || approved {
		return err
	}
	if err := s.putCopy(ctx, tx, id, to.String(), secret); err != nil {
		return err
	}
	return record(ctx, tx, "credential.approved", c, map[string]any{"destination": to.Label(), "exactly": to.String()})
}

// compare checks that a typed secret is the stored one.
func (s *Service) compare(ctx context.Context, tx pgx.Tx, c Credential, to Destination, typed vault.Secret) error {
	if typed.IsZero() {
		return secretNeeded(c, to)
	}
	stored, err := s.open(ctx, tx, c.ID, Self)
	if err != nil {
		return err
	}
	var wrong problem.Invalid
	if stored.Digest(s.key) != typed.Digest(s.key) { // keyed digests: the time tells nothing about the secret
		wrong.Add("secret", "This is not the secret stored in credential %s. Enter that one, or replace it in Settings > Credentials.", c.Name)
	}
	return wrong.Err()
}

// Approved reports whether the secret may be sent to a destination.
func (s *Service) Approved(ctx context.Context, id int64, to Destination) (bool, error) {
	c, err := selectOne(ctx, s.pool, id, unlocked)
	if err != nil {
		return false, err
	}
	to, err = to.as(c.Username)
	if err != nil {
		return false, nil //nolint:nilerr // another username is another destination
	}
	return s.approved(ctx, s.pool, id, to)
}

func (s *Service) approved(ctx context.Context, q querier, id int64, to Destination) (bool, error) {
	sealed, err := selectSealed(ctx, q, id, to.String())
	return sealed != nil, err
}

// Open hands out the secret for one destination, or ErrNotApproved. The use is noted in the audit trail (see
// WithReason), so never call it in a transaction: the trail would wait for that transaction, and it for the trail.
func (s *Service) Open(ctx context.Context, id int64, to Destination) (username string, secret vault.Secret, err error) {
	c, err := selectOne(ctx, s.pool, id, unlocked)
	if err != nil {
		return "", vault.Secret{}, fmt.Errorf("open credential %d: %w", id, err)
	}
	if to, err = to.as(c.Username); err != nil {
		return "", vault.Secret{}, fmt.Errorf("open credential %d: %w", id, err)
	}
	if secret, err = s.open(ctx, s.pool, id, to); err != nil {
		return "", vault.Secret{}, fmt.Errorf("open credential %d: %w", id, err)
	}
	if err := s.noteUse(ctx, c, to); err != nil {
		return "", vault.Secret{}, fmt.Errorf("open credential %d: %w", id, err)
	}
	return c.Username, secret, nil
}

func (s *Service) open(ctx context.Context, q querier, id int64, to Destination) (vault.Secret, error) {
	sealed, err := selectSealed(ctx, q, id, to.String())
	if err != nil {
		return vault.Secret{}, err
	}
	if sealed == nil {
		return vault.Secret{}, ErrNotApproved
	}
	return s.box.Open(sealed, binding(id, to.String()))
}

// as fills in the username. A destination for another username is one that was never approved.
func (d Destination) as(username string) (Destination, error) {
	if d.own {
		return d, nil
	}
	if d.Username != "" && d.Username != username {
		return d, ErrNotApproved
	}
	d.Username = username
	return d, nil
}

// Place is a destination that a credential's secret may be sent to.
type Place struct {
	Label      string // "smtp.example.com:587, STARTTLS"
	LastUsedAt *time.Time
}

// Places lists where a credential's secret may be sent.
func (s *Service) Places(ctx context.Context, id int64) ([]Place, error) {
	places, err := s.PlacesOf(ctx, []int64{id})
	return places[id], err
}

// PlacesOf lists where the secrets of several credentials may be sent.
func (s *Service) PlacesOf(ctx context.Context, ids []int64) (map[int64][]Place, error) {
	copies, err := selectUses(ctx, s.pool, ids)
	if err != nil {
		return nil, err
	}
	places := map[int64][]Place{}
	for _, c := range copies {
		if d, ok := ParseDestination(c.Destination); ok && !d.own {
			places[c.CredentialID] = append(places[c.CredentialID], Place{Label: d.Label(), LastUsedAt: c.LastUsedAt})
		}
	}
	return places, nil
}

func record(ctx context.Context, tx pgx.Tx, action string, c Credential, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: action, Object: "credential", ObjectID: c.ID, ObjectName: c.Name, Detail: detail,
	})
}
