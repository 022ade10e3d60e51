package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// InTx runs do in a transaction: committed when do returns nil, rolled back when it returns an error or
// panics. The error of do comes back as it is.
func InTx(ctx context.Context, pool *pgxpool.Pool, do func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, pool, do)
}

// Constraint names the constraint that err violates, so that a feature can turn it into a problem with a
// field. It is "" when err is something else.
func Constraint(err error) string {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.ConstraintName
	}
	return ""
}
