package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ask is what the senders of an account can take now.
type ask struct {
	account    int64
	routes     []int64
	most       int
	mostUrgent Priority // nothing behind this priority
}

// claim takes messages that are due, the urgent ones first, and begins their attempts in the same statement: each
// attempt is stored before anything is dialled. Each route and priority is asked for its own, so that the index
// gives its oldest rows whatever else waits.
func claim(ctx context.Context, q batcher, process string, asks []ask) ([]*item, error) {
	var accounts, routes []int64
	var most []int
	var priorities []int16
	for _, a := range asks {
		for _, route := range a.routes {
			accounts, routes, most, priorities = append(accounts, a.account), append(routes, route), append(most, a.most), append(priorities, int16(a.mostUrgent))
		}
	}
	var items []*item
	batch := byIndex()
	batch.Queue(claimSQL, pgx.NamedArgs{
		"process": process, "accounts": accounts, "routes": routes, "most": most, "priorities": priorities,
	}).Query(func(rows pgx.Rows) (err error) {
		items, err = pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[item])
		return err
	})
	if err := q.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("take messages from the queue: %w", err)
	}
	return items, nil
}

// batcher is the pool or a transaction.
type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// byIndex begins a batch, which is one transaction, whose statements find rows by index. A connection keeps its
// plans; one that was made while the queue was empty would read all of a table that has grown since.
func byIndex() *pgx.Batch {
	batch := &pgx.Batch{}
	batch.Queue("select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
	return batch
}

const claimSQL = `
	with due as materialized (
		select ranked.id, ranked.account
		from (
			select found.id, ask.account, ask.most, row_number() over (partition by ask.account order by level.priority, found.due_at) as place
			from unnest(@accounts::bigint[], @routes::bigint[], @most::integer[], @priorities::smallint[]) as ask(account, route, most, priority)
			cross join generate_series(0, 2) as level(priority)
			cross join lateral (
				select delivery.id, delivery.due_at
				from delivery
				where waiting and claimed_by is null and route_id = ask.route and delivery.priority = level.priority
					and due_at <= now() and expires_at > now()
				order by due_at
				limit ask.most
				for update skip locked
			) found
			where level.priority <= ask.priority
		) ranked
		where place <= most
	), taken as (
		update delivery
		set claimed_by = @process::uuid, tries = tries + 1, first_attempt_at = coalesce(first_attempt_at, now())
		from due
		where delivery.id = due.id
		returning delivery.*, due.account as taken_for
	), begun as (
		insert into delivery_attempt (delivery_id, number, smtp_account_id, process_id)
		select id, tries, taken_for, @process::uuid
		from taken
	)
	select taken.id, taken_for, tries, attempts, doubts, text_type, language, time_zone, recipient, recipient_name, priority, message_id,
		confidential, values, sealed_values, words, headers, taken.reply_to, taken.return_path, taken.confirmation, taken.expires_at,
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
	item     *item
	account  int64
	verdict  outcome
	at       time.Time
	released bool          // the message was not tried and goes back
	done     chan struct{} // closed when it is stored
}

// storeRecords writes what became of attempts. A message that the server took is sent, whoever has it in hand by now;
// any other verdict counts only while this process still has it.
func storeRecords(ctx context.Context, pool *pgxpool.Pool, process string, all []record) error {
	var ended recordColumns
	batch := byIndex()
	for _, r := range all {
		if r.released {
			queueRelease(batch, process, r)
		} else {
			ended.add(r)
		}
	}
	ended.queue(batch, process)
	if err := pool.SendBatch(ctx, batch).Close(); err != nil { // one implicit transaction
		return fmt.Errorf("record attempts: %w", err)
	}
	return nil
}

// recordColumns are records turned by a quarter: one statement writes all of them.
type recordColumns struct {
	ids, accounts                                      []int64
	numbers, counts, doubts                            []int
	began                                              []time.Time
	outcomes, states, steps, replies, faults, subjects []string
	waiting                                            []bool
	after                                              []*time.Duration
}

func (c *recordColumns) add(r record) {
	v := r.verdict
	c.ids, c.accounts, c.numbers = append(c.ids, r.item.ID), append(c.accounts, r.account), append(c.numbers, r.item.Tries)
	c.counts, c.doubts, c.began = append(c.counts, v.Counts), append(c.doubts, v.Doubts), append(c.began, r.at)
	c.outcomes, c.states = append(c.outcomes, string(v.Outcome)), append(c.states, string(v.State))
	c.steps, c.replies, c.subjects = append(c.steps, v.Step), append(c.replies, v.Reply), append(c.subjects, r.item.subject)
	c.waiting, c.after = append(c.waiting, v.Waiting), append(c.after, v.After)
	fault := ""
	if v.Fault != nil {
		encoded, _ := json.Marshal(v.Fault) // of texts and switches
		fault = string(encoded)
	}
	c.faults = append(c.faults, fault)
}

func (c *recordColumns) queue(batch *pgx.Batch, process string) {
	if len(c.ids) == 0 {
		return
	}
	batch.Queue(`
		update delivery_attempt
		set ended_at = now(), started_at = became.began, outcome = became.outcome, step = became.step, reply = became.reply,
			fault = nullif(became.fault, '')::jsonb
		from unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[])
			as became(id, number, began, outcome, step, reply, fault)
		where delivery_id = became.id and delivery_attempt.number = became.number`,
		c.ids, c.numbers, c.began, c.outcomes, c.steps, c.replies, c.faults)
	batch.Queue(`
		update delivery
		set state = became.state, waiting = became.waiting, due_at = coalesce(now() + became.after, due_at),
			attempts = attempts + became.counts, doubts = delivery.doubts + became.doubts, smtp_account_id = became.account,
			reply = became.reply, fault = nullif(became.fault, '')::jsonb,
			subject = case when became.subject = '' then delivery.subject else became.subject end,
			claimed_by = null, ended_at = case when became.waiting then null else now() end
		from unnest($2::bigint[], $3::text[], $4::boolean[], $5::interval[], $6::integer[], $7::integer[], $8::bigint[], $9::text[], $10::text[], $11::text[])
			as became(id, state, waiting, after, counts, doubts, account, reply, fault, subject)
		where delivery.id = became.id and (claimed_by = $1::uuid or became.state = 'sent' and delivery.state <> 'sent')`,
		process, c.ids, c.states, c.waiting, c.after, c.counts, c.doubts, c.accounts, c.replies, c.faults, c.subjects)
}

// queueRelease gives a message back that was taken and not tried.
func queueRelease(batch *pgx.Batch, process string, r record) {
	batch.Queue("delete from delivery_attempt where delivery_id = $1 and number = $2 and process_id = $3::uuid and ended_at is null", r.item.ID, r.item.Tries, process)
	batch.Queue(`
		update delivery
		set claimed_by = null, tries = tries - 1, first_attempt_at = case when tries > 1 then first_attempt_at end
		where id = $1 and claimed_by = $2::uuid`, r.item.ID, process)
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

// strayAfter is how old an attempt is that this process began and has not in hand: the answer to its claim was lost
// with the connection.
const strayAfter = 30 * time.Second

// releaseStrays gives back what was claimed for this process without its knowing.
func releaseStrays(ctx context.Context, pool *pgxpool.Pool, process string, inHand func(id int64) bool) error {
	type stray struct {
		ID     int64 `db:"delivery_id"`
		Number int   `db:"number"`
	}
	begun, err := collect[stray](ctx, pool, `
		select delivery_id, number
		from delivery_attempt
		where process_id = @process::uuid and ended_at is null and started_at < now() - @age::interval`,
		pgx.NamedArgs{"process": process, "age": strayAfter})
	if err != nil {
		return fmt.Errorf("look for messages that nobody has in hand: %w", err)
	}
	batch := byIndex()
	for _, b := range begun {
		if !inHand(b.ID) {
			queueRelease(batch, process, record{item: &item{ID: b.ID, Tries: b.Number}})
		}
	}
	if batch.Len() == 1 {
		return nil
	}
	if err := pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("give back messages that nobody has in hand: %w", err)
	}
	return nil
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
