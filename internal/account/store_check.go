package account

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Questions that a constraint answers too, but one at a time.
const (
	smtpNameTaken    = `select exists (select from smtp_account where lower(account_name) = lower(@name) and id <> @id)`
	mailboxNameTaken = `select exists (select from mailbox_account where lower(account_name) = lower(@name) and id <> @id)`
	connectorThere   = `select exists (select from network_connector where id = @id)`
)

func isThere(ctx context.Context, pool *pgxpool.Pool, question string, args pgx.NamedArgs) (yes bool, err error) {
	if err = pool.QueryRow(ctx, question, args).Scan(&yes); err != nil {
		return false, fmt.Errorf("look what stands in the way of an account: %w", err)
	}
	return yes, nil
}
