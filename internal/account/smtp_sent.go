package account

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// SentTest returns the test whose message has this Message-ID, without angle brackets; 0 when there is none.
func (s *Service) SentTest(ctx context.Context, messageID string) (id int64, err error) {
	err = s.pool.QueryRow(ctx, `
		select coalesce(max(id), 0)
		from smtp_test
		where message_id = '<' || @message_id || '>'`, pgx.NamedArgs{"message_id": messageID}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("look for the test with Message-ID %s: %w", messageID, err)
	}
	return id, nil
}
