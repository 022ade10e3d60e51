package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres"
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

const webhookColumns = `
	id, name, url, use_network_connector, coalesce(network_connector_id, 0) as network_connector_id, active,
	created_at, created_by, changed_at, changed_by, version`

func findWebhook(ctx context.Context, q querier, id int64) (Webhook, error) {
	return one[Webhook](ctx, q, "webhook", "select "+webhookColumns+" from webhook where id = @id", pgx.NamedArgs{"id": id})
}

// lockWebhook reads a webhook with its sealed secret and keeps others from changing it.
func lockWebhook(ctx context.Context, tx pgx.Tx, id int64, version int) (Webhook, []byte, error) {
	type row struct {
		Webhook
		Secret []byte `db:"secret"`
	}
	found, err := one[row](ctx, tx, "webhook", "select "+webhookColumns+", secret from webhook where id = @id for update", pgx.NamedArgs{"id": id})
	if err == nil && version != 0 && found.Version != version {
		return Webhook{}, nil, &problem.Conflict{What: "the webhook " + found.Name, Who: found.ChangedBy}
	}
	return found.Webhook, found.Secret, err
}

func upsertWebhook(ctx context.Context, tx pgx.Tx, id int64, w WebhookSettings, by string) (Webhook, error) {
	sql := `
		insert into webhook (name, url, use_network_connector, network_connector_id, active, created_by, changed_by)
		values (@name, @url, @use, nullif(@connector::bigint, 0), @active, @by, @by)
		returning ` + webhookColumns
	if id != 0 {
		sql = `
		update webhook
		set name = @name, url = @url, use_network_connector = @use, network_connector_id = nullif(@connector::bigint, 0),
			active = @active, changed_at = now(), changed_by = @by, version = version + 1
		where id = @id
		returning ` + webhookColumns
	}
	stored, err := one[Webhook](ctx, tx, "webhook", sql, pgx.NamedArgs{
		"id": id, "name": w.Name, "url": w.URL, "use": w.UseNetworkConnector, "connector": w.NetworkConnectorID, "active": w.Active, "by": by,
	})
	switch postgres.Constraint(err) {
	case "webhook_name_unique":
		return Webhook{}, problem.Invalid{{Name: "name", Text: "There is already a webhook called " + w.Name + "; choose another name."}}
	case "webhook_network_connector":
		return Webhook{}, problem.Invalid{{Name: "network_connector_id", Text: "This network connector no longer exists; choose another one."}}
	}
	return stored, err
}
