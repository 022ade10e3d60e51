package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// countAttempt counts one more failure in advance and returns until when the key is blocked: now when the try may go
// on. A key that is blocked is not counted further, or a stubborn attacker would keep its owner out for ever.
func countAttempt(ctx context.Context, q querier, key string, now time.Time) (time.Time, error) {
	tag, err := q.Exec(ctx, `
		insert into sign_in_failure as f (key, failures, last_at, blocked_until)
		values (@key, 1, @now, @now)
		on conflict (key) do update
		set failures = case
				when f.last_at < @forget_before then 1
				else f.failures + 1
			end,
			last_at = @now,
			blocked_until = case
				when f.last_at < @forget_before or f.failures + 1 < @free then @now
				else @now + least(@longest::interval, @first::interval * power(2, least(f.failures + 1 - @free, 20)))
			end
		where f.blocked_until <= @now`,
		pgx.NamedArgs{
			"key": key, "now": now, "forget_before": now.Add(-forgetAfter),
			"free": freeFailures, "first": firstBlock, "longest": longestBlock,
		})
	if err != nil {
		return time.Time{}, fmt.Errorf("count attempt: %w", err)
	}
	if tag.RowsAffected() > 0 {
		return now, nil
	}
	return blockedUntil(ctx, q, key, now)
}

// blockedUntil is a statement of its own because only a new snapshot sees what a simultaneous try has just counted.
func blockedUntil(ctx context.Context, q querier, key string, now time.Time) (time.Time, error) {
	rows, err := q.Query(ctx, `
		select max(blocked_until)
		from sign_in_failure
		where key = @key`,
		pgx.NamedArgs{"key": key})
	until, err := scalar[*time.Time](rows, err, "read block")
	if err != nil {
		return time.Time{}, err
	}
	if until == nil { // cleared by a success in between, which says nothing about this try
		return now.Add(time.Second), nil
	}
	return *until, nil
}

func deleteFailures(ctx context.Context, q querier, keys []string) error {
	return exec(ctx, q, "forget failures", `delete from sign_in_failure where key = any(@keys)`,
		pgx.NamedArgs{"keys": keys})
}

func deleteForgottenFailures(ctx context.Context, q querier, before time.Time) error {
	return exec(ctx, q, "forget failures", `delete from sign_in_failure where last_at < @before`,
		pgx.NamedArgs{"before": before})
}
