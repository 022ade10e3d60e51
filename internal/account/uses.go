package account

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/credential"
)

// credentialUses tells which accounts would lose their sign-in with each credential.
func credentialUses(ctx context.Context, pool *pgxpool.Pool, ids []int64) (map[int64][]credential.Use, error) {
	rows, err := pool.Query(ctx, `
		select credential_id, 'SMTP account' as what, account_name, '/settings/notifications/smtp/' || id
		from smtp_account
		where credential_id = any(@ids)
		union all
		select credential_id, 'IMAP/POP3 account', account_name, '/settings/notifications/imap-pop3/' || id
		from mailbox_account
		where credential_id = any(@ids)
		order by 2 desc, 3`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("look for the accounts of credentials: %w", err)
	}
	uses := map[int64][]credential.Use{}
	var credentialID int64
	var use credential.Use
	_, err = pgx.ForEachRow(rows, []any{&credentialID, &use.What, &use.Name, &use.URL}, func() error {
		uses[credentialID] = append(uses[credentialID], use)
		return nil
	})
	return uses, err
}
