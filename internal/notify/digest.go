package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/notify/text"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// sendHeld sends what was held back for a contact until now: one notification as it is, several in one message.
func (s *Service) sendHeld(ctx context.Context, a digestArgs) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		held, err := takeHeld(ctx, tx, a.Rule, a.Contact)
		if err != nil || len(held) == 0 {
			return err
		}
		contact, err := findContact(ctx, tx, a.Contact)
		if err != nil || !contact.Active || refuseEmail(contact) != "" {
			return ignoreNotFound(err)
		}
		rule, err := findRule(ctx, tx, a.Rule)
		if err != nil {
			return ignoreNotFound(err)
		}
		d, err := s.heldDelivery(ctx, held, target{Rule: rule, Contact: contact})
		if err != nil {
			return err
		}
		return s.storeHeld(ctx, tx, d, held)
	})
}

// heldEvent is an event whose notification was held back.
type heldEvent struct {
	ID           int64      `db:"id"`
	Type         string     `db:"type"`
	Data         []byte     `db:"data"`
	ReplyTo      string     `db:"reply_to"`
	ReturnPath   string     `db:"return_path"`
	Confirmation string     `db:"confirmation"`
	AvoidAccount int64      `db:"avoid_account_id"`
	ExpiresAt    *time.Time `db:"expires_at"`
	CreatedAt    time.Time  `db:"created_at"`
}

// posting is the event as it was when it came.
func (h heldEvent) posting(kind EventType) *posting {
	p := &posting{kind: kind, accepted: Accepted{ID: h.ID}, event: Event{
		Type: h.Type, ReplyTo: h.ReplyTo, ReturnPath: h.ReturnPath, Confirmation: h.Confirmation, AvoidAccountID: h.AvoidAccount,
	}}
	if h.ExpiresAt != nil {
		p.event.Expires = *h.ExpiresAt
	}
	return p
}

func (s *Service) heldDelivery(ctx context.Context, held []heldEvent, t target) (newDelivery, error) {
	last := held[len(held)-1]
	kind, err := s.eventTypeOrBare(ctx, last.Type)
	if err != nil {
		return newDelivery{}, err
	}
	d := eventDelivery(last.posting(kind), t, s.messageDomain(ctx), time.Now())
	if len(held) == 1 {
		return d, nil
	}
	values, err := s.digestValues(ctx, held, t.Contact)
	if err != nil {
		return newDelivery{}, err
	}
	d.eventID, d.textType, d.priority = 0, "digest", Bulk
	d.expires, d.givesUp = deadlines(time.Time{}, time.Now())
	d.values, err = encodeValues(values)
	return d, err
}

// digestValues tells each event in a line: its time in the contact's zone and the subject that it would have had.
func (s *Service) digestValues(ctx context.Context, held []heldEvent, c Contact) (text.Values, error) {
	location := zone(c.TimeZone)
	lines := make([]string, 0, len(held))
	for _, h := range held {
		kind, err := s.eventTypeOrBare(ctx, h.Type)
		if err != nil {
			return nil, err
		}
		happened := happened{kind: kind, at: h.CreatedAt}
		if err := json.Unmarshal(h.Data, &happened.data); err != nil {
			return nil, fmt.Errorf("read event %d: %w", h.ID, err)
		}
		words, err := s.words(ctx, textKey(h.Type), language(c.Language))
		if err != nil {
			return nil, err
		}
		rendered := text.Render(text.Text{Subject: words.Subject}, s.values(happened, c.Name, location), text.Reader{Language: text.Language(c.Language), Zone: location})
		lines = append(lines, h.CreatedAt.In(location).Format("15:04")+" "+rendered.Subject)
	}
	return text.Values{
		"RECIPIENT": {Text: c.Name}, "TIME_ZONE": {Text: location.String()}, "EVENT_TIME": {Time: time.Now()}, "URL_ORBIT": {URL: s.baseURL.String()},
		"DIGEST_COUNT": {Text: strconv.Itoa(len(held))}, "DIGEST_LIST": {List: lines},
	}, nil
}

func (s *Service) storeHeld(ctx context.Context, tx pgx.Tx, d newDelivery, held []heldEvent) error {
	var id int64
	if err := tx.QueryRow(ctx, insertDelivery, d.args()...).Scan(&id); err != nil {
		return fmt.Errorf("store a digest: %w", err)
	}
	if len(held) > 1 {
		batch := &pgx.Batch{}
		for _, h := range held {
			batch.Queue("insert into delivery_digest (delivery_id, event_id) values ($1, $2) on conflict do nothing", id, h.ID)
		}
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("store what a digest tells of: %w", err)
		}
	}
	_, err := s.jobs.InsertTx(ctx, tx, sendArgs{Deliveries: 1}, nil)
	return err
}

// takeHeld returns the events that are held back for a contact and due, oldest first, and lets them go.
func takeHeld(ctx context.Context, tx pgx.Tx, rule, contact int64) ([]heldEvent, error) {
	held, err := collect[heldEvent](ctx, tx, `
		with due as (
			update notification
			set held_until = null
			where held_until <= now() + interval '1 second' and notification_rule_id = @rule and contact_id = @contact
			returning event_id
		)
		select id, type, data, reply_to, return_path, confirmation, avoid_account_id, expires_at, created_at
		from event
		join due on due.event_id = event.id
		where expires_at is null or expires_at > now()
		order by event.id`, pgx.NamedArgs{"rule": rule, "contact": contact})
	if err != nil {
		return nil, fmt.Errorf("read what was held back: %w", err)
	}
	return held, nil
}

func ignoreNotFound(err error) error {
	if errors.Is(err, problem.ErrNotFound) {
		return nil
	}
	return err
}
