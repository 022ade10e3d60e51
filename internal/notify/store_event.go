package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
)

// querier is the pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// insertEvents stores those of the events that are new and gives them their ids.
func insertEvents(ctx context.Context, tx pgx.Tx, postings []*posting) (fresh []*posting, err error) {
	batch := &pgx.Batch{}
	for _, p := range postings {
		e := p.event
		batch.Queue(`
			insert into event (type, data, idempotency_key, reply_to, return_path, confirmation, access, avoid_account_id, expires_at, created_by)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			on conflict (idempotency_key) where idempotency_key <> '' do nothing
			returning id`,
			e.Type, p.data, e.IdempotencyKey, e.ReplyTo, e.ReturnPath, e.Confirmation, e.Access, e.AvoidAccountID, zeroNull(e.Expires), p.by,
		).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&p.accepted.ID)
			if errors.Is(err, pgx.ErrNoRows) {
				p.accepted.Duplicate = true
				return nil
			}
			return err
		})
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("store events: %w", err)
	}
	for _, p := range postings {
		if !p.accepted.Duplicate {
			fresh = append(fresh, p)
		} else if err := sameEvent(ctx, tx, p); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// sameEvent answers an event that was posted before with what was accepted then. The same key for another event is a
// mistake of the application.
func sameEvent(ctx context.Context, tx pgx.Tx, p *posting) error {
	var kind string
	var data []byte
	err := tx.QueryRow(ctx, `
		select id, type, data,
			(select count(*) from notification where event_id = event.id),
			(select count(*) from delivery where event_id = event.id and event_id <> 0)
		from event
		where idempotency_key = $1`, p.event.IdempotencyKey).
		Scan(&p.accepted.ID, &kind, &data, &p.accepted.Notifications, &p.accepted.Deliveries)
	if err != nil {
		return fmt.Errorf("read the event that was posted before: %w", err)
	}
	if kind != p.event.Type || !sameJSON(data, p.data) {
		p.err = problem.Invalid{{Name: "idempotency_key", Text: "This key belongs to another event; give each event a key of its own."}}
	}
	return nil
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func zeroNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// insertPlan stores notifications and deliveries in one go. A row an insert: with the few rows of a transaction
// that is faster than COPY, which asks for the columns first.
func insertPlan(ctx context.Context, tx pgx.Tx, p *plan) error {
	batch := &pgx.Batch{}
	for _, n := range p.notifications {
		batch.Queue(`
			insert into notification (event_id, notification_rule_id, channel, contact_id, user_id, webhook_id, held_until)
			values ($1, $2, $3, $4, $5, $6, $7)`,
			n.eventID, n.ruleID, n.channel, n.contactID, n.userID, n.webhookID, n.heldUntil)
	}
	for _, d := range p.deliveries {
		batch.Queue(insertDelivery, d.args()...)
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("store notifications: %w", err)
	}
	return nil
}

const insertDelivery = `
	insert into delivery (
		event_id, notification_rule_id, contact_id, access_request_id, text_type, language, time_zone, recipient,
		recipient_name, priority, due_at, expires_at, gives_up_at, route_id, message_id,
		confidential, values, headers, reply_to, return_path, confirmation, words)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11, now()), $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
	returning id`

// args are the arguments of insertDelivery.
func (d newDelivery) args() []any {
	return []any{
		d.eventID, d.ruleID, d.contactID, d.requestID, d.textType, language(d.language), zone(d.timeZone).String(), d.recipient,
		d.name, d.priority, zeroNull(d.due), d.expires, d.givesUp, d.route, d.messageID,
		d.confidential, d.values, d.headers, d.replyTo, d.returnPath, d.confirmation, d.words,
	}
}
