package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
)

// Old messages go in small steps, so that nobody waits for them to go.
const (
	retainFirst = 3 * time.Minute // after the start, so that processes that live short clear away too
	retainEvery = time.Hour
	retainBatch = 500
	retainRest  = 100 * time.Millisecond
)

// retain removes what is older than System Parameters say. What was seen stays known: mail that is still on the
// server does not come back.
func (s *Service) retain(ctx context.Context) {
	for rest := retainFirst; pause(ctx, jitter(rest)); rest = retainEvery {
		if err := s.retainNow(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "clear away old messages", "error", err)
		}
	}
}

func (s *Service) retainNow(ctx context.Context) error {
	parameters, err := s.settings.Application(ctx)
	if err != nil {
		return err
	}
	before := s.now().AddDate(0, 0, -parameters.ReceivedRetentionDays)
	for more := true; more; {
		if more, err = deleteOld(ctx, s, before); err != nil {
			return err
		}
		if !pause(ctx, retainRest) {
			return nil
		}
	}
	return clearLeftovers(ctx, s.pool, before)
}

// deleteOld removes some messages and reports whether there may be more. Where several processes do it, one does.
func deleteOld(ctx context.Context, s *Service, before time.Time) (more bool, err error) {
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		mine := false
		if err := tx.QueryRow(ctx, "select pg_try_advisory_xact_lock(hashtext('inbox.retention'))").Scan(&mine); err != nil || !mine {
			return err
		}
		done, err := tx.Exec(ctx, `
			delete from inbound_message
			where id in (
				select id
				from inbound_message
				where stored_at < @before
				order by id
				limit @limit)`, pgx.NamedArgs{"before": before, "limit": retainBatch})
		more = done.RowsAffected() == retainBatch
		return err
	})
	if err != nil {
		return false, fmt.Errorf("delete old messages: %w", err)
	}
	return more, nil
}

// clearLeftovers removes what processes that were killed have left, and the history of loop tests.
func clearLeftovers(ctx context.Context, q querier, before time.Time) error {
	for _, sql := range []string{
		"delete from inbox_process where lease_until < clock_timestamp() - interval '10 minutes'",
		"delete from mailbox_check where asked_at < now() - interval '1 day'",
		`with dead as (
			delete from inbound_upload
			where started_at < now() - interval '1 day'
			returning inbound_message_id)
		delete from inbound_raw
		using dead
		where inbound_raw.inbound_message_id = dead.inbound_message_id`,
		"delete from loop_test where started_at < @before",
	} {
		if _, err := q.Exec(ctx, sql, pgx.NamedArgs{"before": before}); err != nil {
			return fmt.Errorf("clear away what was left: %w", err)
		}
	}
	return nil
}
