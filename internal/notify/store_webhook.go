package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/problem"
)

func insertWebhookMessages(ctx context.Context, tx pgx.Tx, all []newWebhookMessage) ([]int64, error) {
	ids := make([]int64, len(all))
	batch := &pgx.Batch{}
	for i, m := range all {
		batch.Queue(`
			insert into webhook_message (webhook_id, event_id, message_id, type, body)
			values ($1, $2, $3, $4, $5)
			returning id`, m.webhookID, m.eventID, m.id, m.kind, string(m.body)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&ids[i]) })
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("store messages for webhooks: %w", err)
	}
	return ids, nil
}

// beginWebhookAttempt stores an attempt before anything is sent.
func beginWebhookAttempt(ctx context.Context, pool *pgxpool.Pool, id int64) (outgoing, error) {
	rows, err := pool.Query(ctx, `
		with message as (
			update webhook_message
			set attempts = attempts + 1
			where id = @id and state in ('queued', 'retrying')
			returning id, attempts, webhook_id, message_id, body
		), begun as (
			insert into webhook_attempt (webhook_message_id, number)
			select id, attempts from message
		)
		select message.id, attempts as number, webhook_id, message_id, body, url, secret, active, use_network_connector,
			coalesce(network_connector_id, 0) as network_connector_id
		from message
		join webhook on webhook.id = message.webhook_id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return outgoing{}, fmt.Errorf("begin to tell a webhook: %w", err)
	}
	m, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[outgoing])
	if errors.Is(err, pgx.ErrNoRows) {
		return m, problem.ErrNotFound
	}
	if err != nil {
		return m, fmt.Errorf("begin to tell a webhook: %w", err)
	}
	return m, nil
}

// endWebhookAttempt writes the log of an attempt and the state of its message.
func endWebhookAttempt(ctx context.Context, pool *pgxpool.Pool, m outgoing, status int, answer string, trouble error, last bool) error {
	state, text := "delivered", ""
	if trouble != nil {
		state, text = "retrying", trouble.Error()
		if last {
			state = "failed"
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(`
		update webhook_attempt
		set ended_at = now(), status = $3, answer = $4, error = $5
		where webhook_message_id = $1 and number = $2`, m.ID, m.Number, status, answer, text)
	batch.Queue(`
		update webhook_message
		set state = $2, ended_at = case when $2 = 'retrying' then null else now() end
		where id = $1`, m.ID, state)
	if err := pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("record what a webhook answered: %w", err)
	}
	return nil
}
