package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// claimed is what a sender asks the queue for.
type claimed struct {
	process    string
	account    int64
	routes     []int64
	most       int
	mostUrgent int // only up to this priority
}

// claim takes messages that are due, the urgent ones first, and begins their attempts in the same statement: each
// attempt is stored before anything is dialled. Each route and priority is asked for its own, so that the index
// gives its oldest rows whatever else waits.
func claim(ctx context.Context, q querier, c claimed) ([]*item, error) {
	rows, err := q.Query(ctx, claimSQL, pgx.NamedArgs{
		"process": c.process, "account": c.account, "routes": c.routes, "most": c.most, "priority": c.mostUrgent,
	})
	if err != nil {
		return nil, fmt.Errorf("take messages from the queue: %w", err)
	}
	items, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[item])
	if err != nil {
		return nil, fmt.Errorf("take messages from the queue: %w", err)
	}
	return items, nil
}

const claimSQL = `
	with due as materialized (
		select found.id
		from unnest(@routes::bigint[]) as route(id)
		cross join generate_series(0, @priority::integer) as level(priority)
		cross join lateral (
			select delivery.id, delivery.due_at
			from delivery
			where waiting and claimed_by is null and route_id = route.id and delivery.priority = level.priority
				and due_at <= now() and expires_at > now()
			order by due_at
			limit @most
			for update skip locked
		) found
		order by level.priority, found.due_at
		limit @most
	), taken as (
		update delivery
		set claimed_by = @process::uuid, tries = tries + 1, first_attempt_at = coalesce(first_attempt_at, now())
		from due
		where delivery.id = due.id
		returning delivery.*
	), begun as (
		insert into delivery_attempt (delivery_id, number, smtp_account_id, process_id)
		select id, tries, @account, @process::uuid
		from taken
	)
	select taken.id, tries, attempts, doubts, text_type, language, time_zone, recipient, recipient_name, priority, message_id,
		confidential, values, sealed_values, headers, taken.reply_to, taken.return_path, taken.confirmation, taken.expires_at,
		gives_up_at, taken.created_at, first_attempt_at, coalesce(event.type, '') as event_type, event.data as event_data,
		coalesce(event.created_at, taken.created_at) as event_at, coalesce(delivery_message.smtp_account_id, 0) as rendered_for,
		coalesce(envelope, '{}') as envelope, raw
	from taken
	left join event on event.id = taken.event_id and taken.values is null and taken.sealed_values is null
	left join delivery_message on delivery_message.delivery_id = taken.id
	order by priority, due_at`

// storeRendered keeps messages that were rendered just now.
func storeRendered(ctx context.Context, pool *pgxpool.Pool, items []*item, stored func(*item) ([]byte, error)) error {
	batch := &pgx.Batch{}
	for _, it := range items {
		raw, err := stored(it)
		if err != nil {
			return err
		}
		envelope, err := json.Marshal(it.Envelope)
		if err != nil {
			return err
		}
		batch.Queue(`
			insert into delivery_message (delivery_id, smtp_account_id, envelope, raw)
			values ($1, $2, $3, $4)
			on conflict (delivery_id) do update
			set smtp_account_id = excluded.smtp_account_id, envelope = excluded.envelope, raw = excluded.raw`,
			it.ID, it.RenderedFor, envelope, raw)
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := pool.SendBatch(ctx, batch).Close(); err != nil { // one implicit transaction
		return fmt.Errorf("keep rendered messages: %w", err)
	}
	return nil
}

// record is what became of one attempt.
type record struct {
	item    *item
	account int64
	verdict outcome
	at      time.Time
	done    chan struct{} // closed when it is stored
}

// storeRecords writes what became of attempts. A message that the server took is sent, whoever has it in hand by now;
// any other verdict counts only while this process still has it.
func storeRecords(ctx context.Context, pool *pgxpool.Pool, process string, all []record) error {
	batch := &pgx.Batch{}
	for _, r := range all {
		if r.verdict.Outcome == released {
			queueRelease(batch, process, r)
		} else {
			queueRecord(batch, process, r)
		}
	}
	if err := pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("record attempts: %w", err)
	}
	return nil
}

func queueRecord(batch *pgx.Batch, process string, r record) {
	v := r.verdict
	batch.Queue(`
		update delivery_attempt
		set ended_at = now(), started_at = $3, outcome = $4, step = $5, reply = $6, fault = $7
		where delivery_id = $1 and number = $2`,
		r.item.ID, r.item.Tries, r.at, v.Outcome, v.Step, v.Reply, v.Fault)
	batch.Queue(`
		update delivery
		set state = $3, waiting = $4, due_at = coalesce(now() + $5::interval, due_at), attempts = attempts + $6, doubts = doubts + $7,
			smtp_account_id = $8, reply = $9, fault = $10, subject = case when $11 = '' then subject else $11 end, claimed_by = null,
			ended_at = case when $4 then null else now() end
		where id = $1 and (claimed_by = $2::uuid or $3 = 'sent')`,
		r.item.ID, process, v.State, v.Waiting, v.After, v.Counts, v.Doubts, r.account, v.Reply, v.Fault, r.item.subject)
}

// queueRelease gives a message back that was taken and not tried.
func queueRelease(batch *pgx.Batch, process string, r record) {
	batch.Queue("delete from delivery_attempt where delivery_id = $1 and number = $2 and process_id = $3::uuid and ended_at is null", r.item.ID, r.item.Tries, process)
	batch.Queue(`
		update delivery
		set claimed_by = null, tries = tries - 1, first_attempt_at = $3
		where id = $1 and claimed_by = $2::uuid`, r.item.ID, process, firstAttempt(r.item))
}

// firstAttempt is when the first attempt was, not counting the one that is given back.
func firstAttempt(it *item) *time.Time {
	if it.Tries == 1 {
		return nil
	}
	return it.FirstAttemptAt
}

// dueRoutes returns on which of the routes something is due that nobody has in hand, and of which priority.
func dueRoutes(ctx context.Context, q querier, routes []int64) (map[int64]Priority, error) {
	type row struct {
		Route    int64    `db:"route"`
		Priority Priority `db:"priority"`
	}
	rows, err := collect[row](ctx, q, `
		select route.id as route, level.priority
		from unnest(@routes::bigint[]) as route(id)
		cross join generate_series(0, 2) as level(priority)
		where exists (
			select from delivery
			where waiting and claimed_by is null and route_id = route.id and delivery.priority = level.priority
				and due_at <= now() and expires_at > now()
		)`, pgx.NamedArgs{"routes": routes})
	if err != nil {
		return nil, fmt.Errorf("look for messages that are due: %w", err)
	}
	due := map[int64]Priority{}
	for _, r := range rows {
		if p, known := due[r.Route]; !known || r.Priority < p {
			due[r.Route] = r.Priority
		}
	}
	return due, nil
}

// reap gives back what processes that have died had in hand. Whether a server took a message at that moment nobody
// knows: it is sent again, with the same Message-ID.
func reap(ctx context.Context, pool *pgxpool.Pool, process string) (int64, error) {
	tag, err := pool.Exec(ctx, `
		with lost as (
			update delivery_attempt
			set ended_at = now(), outcome = 'uncertain', fault = @fault
			where ended_at is null and process_id <> @process::uuid and not exists (
				select from process where process.id = process_id and seen_at > now() - @alive::interval
			)
			returning delivery_id, process_id
		)
		update delivery
		set claimed_by = null, state = 'uncertain', due_at = now()
		from lost
		where delivery.id = lost.delivery_id and delivery.claimed_by = lost.process_id and waiting`,
		pgx.NamedArgs{"process": process, "alive": aliveFor, "fault": processDied})
	if err != nil {
		return 0, fmt.Errorf("give back what a process that died had in hand: %w", err)
	}
	return tag.RowsAffected(), nil
}

// expire ends messages that are of no use any more.
func expire(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
	tag, err := pool.Exec(ctx, `
		update delivery
		set waiting = false, ended_at = now(), state = case when expires_at < gives_up_at then 'expired' else 'failed' end
		where id in (
			select id from delivery
			where (waiting or state = 'paused') and state in ('queued', 'retrying', 'uncertain', 'paused') and claimed_by is null and expires_at <= now()
			limit 1000
			for update skip locked
		)`)
	if err != nil {
		return 0, fmt.Errorf("end messages that have expired: %w", err)
	}
	return tag.RowsAffected(), nil
}
