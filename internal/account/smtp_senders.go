package account

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Senders returns the accounts that may send, in the order in which they are tried: the default account, the
// alternatives by their fallback order, then those that are only chosen by name.
func (s *Service) Senders(ctx context.Context) ([]SMTP, error) {
	rows, err := s.pool.Query(ctx, `
		select `+smtpColumns+`
		from smtp_account
		where active
		order by default_account desc, fallback_order = 0, fallback_order, id`)
	if err != nil {
		return nil, fmt.Errorf("list the accounts that send: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[SMTP])
	if err != nil {
		return nil, fmt.Errorf("list the accounts that send: %w", err)
	}
	return all, nil
}
