package credential

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
)

// Reseal seals all secrets with the newest key, after RotateKeys. It goes credential by credential, so it
// may run beside everything else, be interrupted, and run again. It returns how many copies it changed.
func (s *Service) Reseal(ctx context.Context) (int, error) {
	ids, err := selectIDs(ctx, s.pool)
	if err != nil {
		return 0, fmt.Errorf("reseal: %w", err)
	}
	total := 0
	for _, id := range ids {
		n, err := s.resealOne(ctx, id)
		if err != nil {
			return total, fmt.Errorf("reseal credential %d: %w", id, err)
		}
		total += n
	}
	return total, nil
}

func (s *Service) resealOne(ctx context.Context, id int64) (changed int, err error) {
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		copies, err := selectCopies(ctx, tx, id, forUpdate)
		if err != nil {
			return err
		}
		for _, c := range copies {
			if !s.box.NeedsReseal(c.Sealed) {
				continue
			}
			secret, err := s.box.Open(c.Sealed, binding(id, c.Destination))
			if err != nil {
				return err
			}
			if err := s.putCopy(ctx, tx, id, c.Destination, secret); err != nil {
				return err
			}
			changed++
		}
		return nil
	})
	return changed, err
}
