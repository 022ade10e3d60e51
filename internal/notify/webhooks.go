package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// WebhookSettings is what a person sets on a webhook.
type WebhookSettings struct {
	Name                string `db:"name" json:"name" form:"name" label:"Name"`
	URL                 string `db:"url" json:"url" form:"url" label:"URL"`
	UseNetworkConnector bool   `db:"use_network_connector" json:"use_network_connector" form:"use_network_connector" label:"Use Network Connector"`
	NetworkConnectorID  int64  `db:"network_connector_id" json:"network_connector_id,omitempty" form:"network_connector_id" label:"Network Connector"`
	Active              bool   `db:"active" json:"active" form:"active" label:"Active"`
}

// Webhook is a place where an application is told by HTTP.
type Webhook struct {
	ID int64 `db:"id" json:"id"`
	WebhookSettings
	CreatedAt time.Time `db:"created_at" json:"created_at"`
	CreatedBy string    `db:"created_by" json:"created_by,omitempty"`
	ChangedAt time.Time `db:"changed_at" json:"changed_at"`
	ChangedBy string    `db:"changed_by" json:"changed_by,omitempty"`
	Version   int       `db:"version" json:"version"`
}

// WebhookMessage is a message to a webhook, with its last attempt.
type WebhookMessage struct {
	ID        int64      `db:"id" json:"id"`
	EventID   int64      `db:"event_id" json:"event_id,omitempty"`
	MessageID string     `db:"message_id" json:"message_id"`
	Type      string     `db:"type" json:"type"`
	Body      string     `db:"body" json:"body"`
	State     string     `db:"state" json:"state"`
	Attempts  int        `db:"attempts" json:"attempts"`
	CreatedAt time.Time  `db:"created_at" json:"created_at"`
	EndedAt   *time.Time `db:"ended_at" json:"ended_at,omitempty"`
}

// WebhookAttempt is one try to tell a webhook.
type WebhookAttempt struct {
	Number    int        `db:"number" json:"number"`
	StartedAt time.Time  `db:"started_at" json:"started_at"`
	EndedAt   *time.Time `db:"ended_at" json:"ended_at,omitempty"`
	Status    int        `db:"status" json:"status,omitempty"`
	Answer    string     `db:"answer" json:"answer,omitempty"`
	Error     string     `db:"error" json:"error,omitempty"`
}

// ListWebhooks returns all webhooks by name.
func (s *Service) ListWebhooks(ctx context.Context) ([]Webhook, error) {
	all, err := collect[Webhook](ctx, s.pool, "select "+webhookColumns+" from webhook order by lower(name)", nil)
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return all, nil
}

// FindWebhook returns a webhook, or problem.ErrNotFound.
func (s *Service) FindWebhook(ctx context.Context, id int64) (Webhook, error) {
	return findWebhook(ctx, s.pool, id)
}

// CreateWebhook adds a webhook and returns its secret, which is shown this once.
func (s *Service) CreateWebhook(ctx context.Context, w WebhookSettings) (stored Webhook, secret vault.Secret, err error) {
	w = w.normal()
	if err := w.validate().Err(); err != nil {
		return Webhook{}, vault.Secret{}, err
	}
	secret = NewWebhookSecret()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if stored, err = upsertWebhook(ctx, tx, 0, w, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		if err := s.sealWebhook(ctx, tx, stored, secret); err != nil {
			return err
		}
		return recordWebhook(ctx, tx, "webhook.created", stored, audit.Changes(nil, stored.WebhookSettings))
	})
	return stored, secret, err
}

// SaveWebhook changes a webhook. Its secret stays: receivers verify with it, it never leaves by itself.
func (s *Service) SaveWebhook(ctx context.Context, id int64, version int, w WebhookSettings) (stored Webhook, err error) {
	w = w.normal()
	if err := w.validate().Err(); err != nil {
		return Webhook{}, err
	}
	defer s.directory.forget()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		before, sealed, err := lockWebhook(ctx, tx, id, version)
		if err != nil {
			return err
		}
		secret, err := s.box.Open(sealed, webhookPlace(id, before.URL))
		if err != nil {
			return fmt.Errorf("open the secret of webhook %d: %w", id, err)
		}
		if stored, err = upsertWebhook(ctx, tx, id, w, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		if err := s.sealWebhook(ctx, tx, stored, secret); err != nil {
			return err
		}
		return recordWebhook(ctx, tx, "webhook.changed", stored, audit.Changes(before.WebhookSettings, stored.WebhookSettings))
	})
	return stored, err
}

// RenewWebhookSecret replaces the secret and returns the new one, which is shown this once.
func (s *Service) RenewWebhookSecret(ctx context.Context, id int64) (secret vault.Secret, err error) {
	secret = NewWebhookSecret()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		w, _, err := lockWebhook(ctx, tx, id, 0)
		if err != nil {
			return err
		}
		if err := s.sealWebhook(ctx, tx, w, secret); err != nil {
			return err
		}
		return recordWebhook(ctx, tx, "webhook.secret_renewed", w, nil)
	})
	return secret, err
}

// DeleteWebhook removes a webhook with the log of its messages.
func (s *Service) DeleteWebhook(ctx context.Context, id int64) error {
	defer s.directory.forget()
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		w, _, err := lockWebhook(ctx, tx, id, 0)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "delete from webhook where id = $1", id); err != nil {
			return fmt.Errorf("delete webhook %d: %w", id, err)
		}
		return recordWebhook(ctx, tx, "webhook.deleted", w, nil)
	})
}

// TellTx queues one message for a webhook in the caller's transaction.
func (s *Service) TellTx(ctx context.Context, tx pgx.Tx, webhookID int64, kind string, data any) (int64, error) {
	encoded, err := json.Marshal(data)
	if err != nil {
		return 0, err
	}
	ids, err := insertWebhookMessages(ctx, tx, []newWebhookMessage{webhookMessage(&posting{event: Event{Type: kind}, data: encoded}, webhookID)})
	if err != nil {
		return 0, err
	}
	if _, err := s.jobs.InsertManyTx(ctx, tx, webhookJobs(ids)); err != nil {
		return 0, fmt.Errorf("queue a message for a webhook: %w", err)
	}
	return ids[0], nil
}

// TestWebhook sends a message that says it is a test.
func (s *Service) TestWebhook(ctx context.Context, id int64) (message int64, err error) {
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		message, err = s.TellTx(ctx, tx, id, "orbit.test", map[string]any{"text": "This is a test."})
		return err
	})
	if postgres.Constraint(err) == "webhook_message_webhook" {
		return 0, problem.ErrNotFound
	}
	return message, err
}

// WebhookMessages returns the newest messages of a webhook before one of them; 0: the newest of all.
func (s *Service) WebhookMessages(ctx context.Context, id, before int64, most int) ([]WebhookMessage, error) {
	all, err := collect[WebhookMessage](ctx, s.pool, `
		select id, event_id, message_id, type, body, state, attempts, created_at, ended_at
		from webhook_message
		where webhook_id = @id and (@before = 0 or id < @before)
		order by id desc
		limit @most`, pgx.NamedArgs{"id": id, "before": before, "most": min(firstNumber(most, 30), maxPage)})
	if err != nil {
		return nil, fmt.Errorf("list the messages of webhook %d: %w", id, err)
	}
	return all, nil
}

// FindWebhookMessage returns a message of a webhook, or problem.ErrNotFound.
func (s *Service) FindWebhookMessage(ctx context.Context, id, message int64) (WebhookMessage, error) {
	return one[WebhookMessage](ctx, s.pool, "webhook message", `
		select id, event_id, message_id, type, body, state, attempts, created_at, ended_at
		from webhook_message
		where webhook_id = @id and id = @message`, pgx.NamedArgs{"id": id, "message": message})
}

// WebhookAttempts returns the log of one message.
func (s *Service) WebhookAttempts(ctx context.Context, message int64) ([]WebhookAttempt, error) {
	all, err := collect[WebhookAttempt](ctx, s.pool, `
		select number, started_at, ended_at, status, answer, error
		from webhook_attempt
		where webhook_message_id = @id
		order by number`, pgx.NamedArgs{"id": message})
	if err != nil {
		return nil, fmt.Errorf("read the attempts of message %d: %w", message, err)
	}
	return all, nil
}

// RetryWebhook sends a message once more.
func (s *Service) RetryWebhook(ctx context.Context, message int64) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "update webhook_message set state = 'retrying', ended_at = null where id = $1 and state in ('failed', 'delivered')", message)
		if err != nil {
			return fmt.Errorf("send message %d again: %w", message, err)
		}
		if tag.RowsAffected() == 0 {
			return problem.Refuse("This message is on its way already.")
		}
		_, err = s.jobs.InsertTx(ctx, tx, webhookArgs{message}, nil)
		return err
	})
}

func (w WebhookSettings) normal() WebhookSettings {
	w.Name, w.URL = strings.TrimSpace(w.Name), strings.TrimSpace(w.URL)
	return w
}

func (w WebhookSettings) validate() problem.Invalid {
	var wrong problem.Invalid
	checkName(&wrong, "name", w.Name)
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(w.URL) > 2000:
		wrong.Add("url", "Enter an address that begins with https://.")
	case u.User != nil:
		wrong.Add("url", "The address must not contain a password: receivers check the signature.")
	}
	return wrong
}

func recordWebhook(ctx context.Context, tx pgx.Tx, action string, w Webhook, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{Action: action, Object: "webhook", ObjectID: w.ID, ObjectName: w.Name, Detail: detail})
}

func (s *Service) sealWebhook(ctx context.Context, tx pgx.Tx, w Webhook, secret vault.Secret) error {
	sealed, err := s.box.Seal(secret, webhookPlace(w.ID, w.URL))
	if err != nil {
		return err
	}
	return setWebhookSecret(ctx, tx, w.ID, sealed)
}
