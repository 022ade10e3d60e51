package oauth

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/vault"
)

// Reseal seals client secrets and tokens with the newest key, after the keys were rotated. It goes row by
// row, so it may run beside everything else, be interrupted, and run again. It returns how many values it
// changed. States and device codes are left: they are over within minutes.
func (s *Service) Reseal(ctx context.Context) (int, error) {
	registrations, err := s.List(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, r := range registrations {
		for _, reseal := range []func(context.Context, pgx.Tx, Registration) (int, error){s.resealSecrets, s.resealGrants} {
			err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
				n, err := reseal(ctx, tx, r)
				total += n
				return err
			})
			if err != nil {
				return total, wrapf(err, "reseal registration %s", r.Pattern)
			}
		}
	}
	return total, nil
}

// resealed returns the value under the newest key, or false when it is there already or opens no more.
func (s *Service) resealed(sealed []byte, place vault.Binding) ([]byte, bool, error) {
	if sealed == nil || !s.box.NeedsReseal(sealed) {
		return nil, false, nil
	}
	clear, err := s.box.Open(sealed, place)
	if errors.Is(err, vault.ErrDoesNotOpen) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	again, err := s.box.Seal(clear, place)
	return again, err == nil, err
}

func (s *Service) resealSecrets(ctx context.Context, tx pgx.Tx, r Registration) (changed int, err error) {
	for _, secret := range r.Secrets {
		sealed, err := lockSealedSecret(ctx, tx, secret.ID)
		if err != nil {
			return changed, err
		}
		again, ok, err := s.resealed(sealed, secretPlace(secret.ID, r.Settings))
		if err != nil {
			return changed, err
		}
		if !ok {
			continue
		}
		if err := setSealedSecret(ctx, tx, secret.ID, again); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, nil
}

func (s *Service) resealGrants(ctx context.Context, tx pgx.Tx, r Registration) (changed int, err error) {
	grants, err := lockGrantsOf(ctx, tx, r.ID)
	if err != nil {
		return 0, err
	}
	for _, g := range grants {
		for _, v := range []struct {
			column string
			sealed []byte
			place  vault.Binding
		}{
			{"sealed_access", g.SealedAccess, accessPlace(g.Grant)},
			{"sealed_refresh", g.SealedRefresh, refreshPlace(g.Grant, r.Settings)},
			{"sealed_password", g.SealedPassword, passwordPlace(g.Grant, r.Settings)},
		} {
			again, ok, err := s.resealed(v.sealed, v.place)
			if err != nil {
				return changed, err
			}
			if !ok {
				continue
			}
			if err := setSealedToken(ctx, tx, g.ID, v.column, again); err != nil {
				return changed, err
			}
			changed++
		}
	}
	return changed, nil
}
