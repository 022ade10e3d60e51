package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// forgetAtOnce is how many messages one statement removes: it must not hold locks for long.
const forgetAtOnce = 5000

// forgetOld removes what is older than System Parameters say. Messages that wait stay.
func (s *Service) forgetOld(ctx context.Context) error {
	parameters, err := s.settings.Application(ctx)
	if err != nil {
		return err
	}
	sent := time.Duration(parameters.SentRetentionDays) * 24 * time.Hour
	screen := time.Duration(parameters.ScreenRetentionDays) * 24 * time.Hour
	for _, old := range []struct {
		sql string
		age time.Duration
	}{
		{forgetDeliveries, sent},
		{"with gone as (select id from webhook_message where created_at < now() - $1::interval order by created_at limit $2) delete from webhook_message using gone where webhook_message.id = gone.id", sent},
		{"with gone as (select id from notification where channel = 'screen' and created_at < now() - $1::interval limit $2) delete from notification using gone where notification.id = gone.id", screen},
		{forgetEvents, max(sent, screen)},
	} {
		if err := forget(ctx, s.pool, old.sql, old.age); err != nil {
			return err
		}
	}
	return nil
}

func forget(ctx context.Context, pool *pgxpool.Pool, sql string, age time.Duration) error {
	for {
		tag, err := pool.Exec(ctx, sql, age, forgetAtOnce)
		if err != nil {
			return fmt.Errorf("remove old notifications: %w", err)
		}
		if tag.RowsAffected() < forgetAtOnce {
			return nil
		}
	}
}

const forgetDeliveries = `
	with gone as (
		select id from delivery
		where created_at < now() - $1::interval and ended_at is not null
		order by created_at
		limit $2
	), bytes as (
		delete from delivery_message using gone where delivery_id = gone.id
	), attempts as (
		delete from delivery_attempt using gone where delivery_id = gone.id
	), notes as (
		delete from delivery_note using gone where delivery_id = gone.id
	), digests as (
		delete from delivery_digest using gone where delivery_id = gone.id
	)
	delete from delivery using gone where delivery.id = gone.id`

const forgetEvents = `
	with gone as (
		select id from event
		where created_at < now() - $1::interval and not exists (select from delivery where event_id = event.id and event_id <> 0)
		order by created_at
		limit $2
	), told as (
		delete from notification using gone where event_id = gone.id
	)
	delete from event using gone where event.id = gone.id`
