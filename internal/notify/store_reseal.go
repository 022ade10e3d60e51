package notify

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// sealedMessage is what is sealed of a message.
type sealedMessage struct {
	ID     int64  `db:"id"`
	Values []byte `db:"sealed_values"`
	Raw    []byte `db:"raw"`
}

// lockConfidential reads the next confidential messages and keeps senders from taking or rendering them meanwhile. One
// that a sender is rendering is waited for.
func lockConfidential(ctx context.Context, tx pgx.Tx, after int64, most int) ([]sealedMessage, error) {
	all, err := collect[sealedMessage](ctx, tx, `
		select id, sealed_values, raw
		from delivery
		left join delivery_message on delivery_id = id
		where confidential and id > @after
		order by id
		limit @most
		for update of delivery`, pgx.NamedArgs{"after": after, "most": most})
	if err != nil {
		return nil, fmt.Errorf("read confidential messages: %w", err)
	}
	return all, nil
}

func setSealedValues(ctx context.Context, tx pgx.Tx, id int64, sealed []byte) error {
	if _, err := tx.Exec(ctx, "update delivery set sealed_values = $2 where id = $1", id, sealed); err != nil {
		return fmt.Errorf("seal the values of message %d: %w", id, err)
	}
	return nil
}

func setSealedRaw(ctx context.Context, tx pgx.Tx, id int64, sealed []byte) error {
	if _, err := tx.Exec(ctx, "update delivery_message set raw = $2 where delivery_id = $1", id, sealed); err != nil {
		return fmt.Errorf("seal message %d: %w", id, err)
	}
	return nil
}

func setWebhookSecret(ctx context.Context, tx pgx.Tx, id int64, sealed []byte) error {
	if _, err := tx.Exec(ctx, "update webhook set secret = $2 where id = $1", id, sealed); err != nil {
		return fmt.Errorf("store the secret of webhook %d: %w", id, err)
	}
	return nil
}
