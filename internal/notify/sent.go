package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// SentMessage returns the delivery with that Message-ID, without its angle brackets; 0 when Orbit sent none.
func (s *Service) SentMessage(ctx context.Context, messageID string) (id int64, err error) {
	err = s.pool.QueryRow(ctx, "select coalesce(max(id), 0) from delivery where message_id = '<' || @id || '>'", pgx.NamedArgs{"id": messageID}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("look for the message with Message-ID %s: %w", messageID, err)
	}
	return id, nil
}

// RequestTx returns the access request that one of the messages to recipient is about; 0 for none.
func (s *Service) RequestTx(ctx context.Context, tx pgx.Tx, messageIDs []string, recipient string) (requestID int64, err error) {
	err = tx.QueryRow(ctx, `
		select access_request_id
		from delivery
		where message_id = any(@ids) and lower(recipient) = lower(@recipient) and access_request_id <> 0
		limit 1`, pgx.NamedArgs{"ids": messageIDs, "recipient": recipient}).Scan(&requestID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("look for the request of a message that came back: %w", err)
	}
	return requestID, nil
}
