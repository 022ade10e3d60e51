package proxyhost

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// The log is bounded both ways.
const (
	eventLife = 30 * 24 * time.Hour
	eventRows = 100_000
)

const eventColumns = `
	id, at, process_id::text as process, proxy_listener_id, session, level, kind, account, client, text`

// eventMatches is the part of the filter that all queries share. Null parameters choose everything.
const eventMatches = `
	(@account = '' or account = @account)
	and (@listener = 0 or proxy_listener_id = @listener)
	and (@since::timestamptz is null or at >= @since)`

func eventArgs(f EventFilter) pgx.NamedArgs {
	args := pgx.NamedArgs{
		"account": f.Account, "listener": f.ListenerID, "since": nil,
		"after": f.After, "before": f.Before, "limit": f.Limit,
	}
	if !f.Since.IsZero() {
		args["since"] = f.Since
	}
	return args
}

func selectEventsAfter(ctx context.Context, q querier, f EventFilter) ([]Event, error) {
	return allRows[Event](q.Query(ctx, `
		select `+eventColumns+`
		from proxy_event
		where id > @after and (@before = 0 or id < @before) and `+eventMatches+`
		order by id
		limit @limit`, eventArgs(f)))
}

func selectNewestEvents(ctx context.Context, q querier, f EventFilter) ([]Event, error) {
	events, err := allRows[Event](q.Query(ctx, `
		select `+eventColumns+`
		from proxy_event
		where (@before = 0 or id < @before) and `+eventMatches+`
		order by id desc
		limit @limit`, eventArgs(f)))
	slices.Reverse(events)
	return events, err
}

// lastEvent returns the newest id, 0 without any.
func lastEvent(ctx context.Context, q querier) (int64, error) {
	return oneNumber(q.Query(ctx, "select coalesce(max(id), 0) from proxy_event"))
}

// firstEventSince returns the first id since a time, the next one to come without any.
func firstEventSince(ctx context.Context, q querier, since time.Time) (int64, error) {
	return oneNumber(q.Query(ctx, `
		select coalesce(
			(select min(id) from proxy_event where at >= @since),
			(select max(id) + 1 from proxy_event),
			1)`, pgx.NamedArgs{"since": since}))
}

func oneNumber(rows pgx.Rows, err error) (int64, error) {
	if err != nil {
		return 0, fmt.Errorf("read the log: %w", err)
	}
	n, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, fmt.Errorf("read the log: %w", err)
	}
	return n, nil
}

// insertEvents appends to the log. Until the transaction ends nobody else does, so that ids become visible in
// their order.
func insertEvents(ctx context.Context, tx pgx.Tx, process string, entries []entry) error {
	if err := lockEvents(ctx, tx); err != nil {
		return err
	}
	columns := []string{"at", "process_id", "proxy_listener_id", "session", "level", "kind", "account", "client", "text"}
	rows := pgx.CopyFromSlice(len(entries), func(i int) ([]any, error) {
		e := entries[i]
		return []any{e.at, process, e.listener, int64(e.session), string(e.level), e.kind, e.account, e.client, e.text}, nil
	})
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"proxy_event"}, columns, rows); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	return tell(ctx, tx, eventChannel)
}

func lockEvents(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('proxy_event'))"); err != nil {
		return fmt.Errorf("lock the log: %w", err)
	}
	return nil
}

// prompted reports whether somebody was asked to authorise an account since a time.
func prompted(ctx context.Context, q querier, account string, since time.Time) (bool, error) {
	rows, err := q.Query(ctx, `
		select exists (
			select from proxy_event
			where kind = @kind and account = @account and at > @since)`,
		pgx.NamedArgs{"kind": kindAuthorise, "account": account, "since": since})
	if err != nil {
		return false, fmt.Errorf("look for an earlier prompt: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err != nil {
		return false, fmt.Errorf("look for an earlier prompt: %w", err)
	}
	return found, nil
}

// pruneEvents removes what is too old and what is too much.
func pruneEvents(ctx context.Context, q querier, before time.Time, rows int64) error {
	_, err := q.Exec(ctx, `
		delete from proxy_event
		where at < @before or id <= (select max(id) from proxy_event) - @rows`,
		pgx.NamedArgs{"before": before, "rows": rows})
	if err != nil {
		return fmt.Errorf("prune the log: %w", err)
	}
	return nil
}
