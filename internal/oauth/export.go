package oauth

import (
	"context"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
)

// ExportSecret opens the secret in use of a registration, for an export that asks for secrets. It is audited.
func (s *Service) ExportSecret(ctx context.Context, id int64) (NewSecret, error) {
	r, err := s.Find(ctx, id)
	if err != nil {
		return NewSecret{}, err
	}
	active, ok := r.Active()
	if !ok {
		return NewSecret{}, nil
	}
	clear, err := s.openSlot(ctx, r, active)
	if err != nil {
		return NewSecret{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		return s.recordClient(ctx, tx, "secret_exported", r, map[string]any{"slot": active.Slot})
	})
	if err != nil {
		return NewSecret{}, err
	}
	switch active.Kind {
	case ClientCertificate:
		return NewSecret{Certificate: active.Certificate, Key: clear, Algorithm: active.Algorithm}, nil
	case AccountKey:
		return NewSecret{ServiceAccount: clear}, nil
	case SharedSecret:
	}
	return NewSecret{Secret: clear, ExpiresAt: active.ExpiresAt}, nil
}
