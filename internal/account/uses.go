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

// smtpUses asks the tables that name an SMTP account. Each forgets it when it goes, so deleting asks first.
func smtpUses(ctx context.Context, q querier, id int64) ([]credential.Use, error) {
	rows, err := q.Query(ctx, `
		select what, name, url
		from (
			select 1 as rank, 'rule' as what, name, '/settings/notifications/rules/' || id as url
			from notification_rule
			where smtp_account_id = @id
			union all
			select 2, 'loop test of', account_name, '/settings/notifications/imap-pop3/' || mailbox_account.id || '/loop'
			from loop_schedule
			join mailbox_account on mailbox_account.id = mailbox_account_id
			where smtp_account_id = @id
		) as used
		order by rank, lower(name)`, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, fmt.Errorf("look for the uses of SMTP account %d: %w", id, err)
	}
	uses, err := pgx.CollectRows(rows, pgx.RowToStructByName[credential.Use])
	if err != nil {
		return nil, fmt.Errorf("look for the uses of SMTP account %d: %w", id, err)
	}
	return uses, nil
}
