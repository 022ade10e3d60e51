package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/mail/ladder"
	"orbit/internal/postgres"
)

func selectSenderStates(ctx context.Context, q querier) (map[int64]senderState, error) {
	rows, err := collect[senderState](ctx, q, `
		select smtp_account_id, failures, strikes, coalesce(broken_until > now(), false) as broken,
			coalesce(rest_until > now(), false) as resting, broken_until, rest_until, fault, failed_at, succeeded_at
		from sender`, nil)
	if err != nil {
		return nil, fmt.Errorf("read how the accounts do: %w", err)
	}
	states := map[int64]senderState{}
	for _, r := range rows {
		states[r.AccountID] = r
	}
	return states, nil
}

// takeSlot takes one of the connections that an account may have; 0: all are taken. Those of processes that have died
// are free.
func takeSlot(ctx context.Context, pool *pgxpool.Pool, process string, account int64, most int) (slot int, err error) {
	err = pool.QueryRow(ctx, `
		insert into sender_connection as held (smtp_account_id, slot, process_id)
		select @account, free.slot, @process::uuid
		from generate_series(1, @most) as free(slot)
		where exists (select from smtp_account where id = @account) and not exists (
			select from sender_connection taken
			join process on process.id = taken.process_id
			where taken.smtp_account_id = @account and taken.slot = free.slot and process.seen_at > now() - @alive::interval
		)
		order by free.slot
		limit 1
		on conflict (smtp_account_id, slot) do update
		set process_id = excluded.process_id, taken_at = now()
		where not exists (select from process where process.id = held.process_id and process.seen_at > now() - @alive::interval)
		returning slot`,
		pgx.NamedArgs{"account": account, "process": process, "most": most, "alive": aliveFor}).Scan(&slot)
	if errors.Is(err, pgx.ErrNoRows) { // all taken, or another process was faster
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("take a connection of account %d: %w", account, err)
	}
	return slot, nil
}

func freeSlot(ctx context.Context, pool *pgxpool.Pool, process string, account int64, slot int) error {
	_, err := pool.Exec(ctx, `
		delete from sender_connection
		where smtp_account_id = @account and slot = @slot and process_id = @process::uuid`,
		pgx.NamedArgs{"account": account, "slot": slot, "process": process})
	if err != nil {
		return fmt.Errorf("give a connection of account %d back: %w", account, err)
	}
	return nil
}

// freeStraySlots gives connections back that this process holds without its knowing: the database was away when it
// took or gave them back. Nobody else could, while this process lives.
func freeStraySlots(ctx context.Context, pool *pgxpool.Pool, process string, held []slot) error {
	accounts, slots := make([]int64, len(held)), make([]int, len(held))
	for i, h := range held {
		accounts[i], slots[i] = h.account, h.number
	}
	_, err := pool.Exec(ctx, `
		delete from sender_connection
		where process_id = @process::uuid and taken_at < now() - @age::interval and not exists (
			select from unnest(@accounts::bigint[], @slots::integer[]) as held(account, slot)
			where held.account = smtp_account_id and held.slot = sender_connection.slot
		)`,
		pgx.NamedArgs{"process": process, "age": strayAfter, "accounts": accounts, "slots": slots})
	if err != nil {
		return fmt.Errorf("give back connections that nobody uses: %w", err)
	}
	return nil
}

// window is over how long messages are counted: a minute, and what may pass between counting a message and handing it
// to the server.
const window = 65 * time.Second

// claimWithin claims as many messages as the account has left of its minute. The row of the sender makes processes
// wait for each other.
func claimWithin(ctx context.Context, pool *pgxpool.Pool, process string, a ask, l limits) (items []*item, err error) {
	err = postgres.InTx(ctx, pool, func(tx pgx.Tx) error {
		spent, err := lockSpending(ctx, tx, a.account)
		if err != nil {
			return err
		}
		free := l.perMinute - spent
		if free <= 0 {
			return nil
		}
		a.mostUrgent = Urgent
		if free > l.reserve() {
			a.mostUrgent, free = Bulk, free-l.reserve()
		}
		a.most = min(a.most, free)
		if items, err = claim(ctx, tx, process, []ask{a}); err != nil || len(items) == 0 {
			return err
		}
		return spend(ctx, tx, a.account, len(items))
	})
	return items, err
}

func lockSpending(ctx context.Context, tx pgx.Tx, account int64) (spent int, err error) {
	batch := &pgx.Batch{}
	batch.Queue("insert into sender (smtp_account_id) values ($1) on conflict do nothing", account)
	batch.Queue("select from sender where smtp_account_id = $1 for update", account)
	batch.Queue("delete from sender_spending where smtp_account_id = $1 and second < now() - $2::interval", account, window)
	batch.Queue("select coalesce(sum(messages), 0) from sender_spending where smtp_account_id = $1", account).
		QueryRow(func(row pgx.Row) error { return row.Scan(&spent) })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, fmt.Errorf("count what account %d has sent: %w", account, err)
	}
	return spent, nil
}

func spend(ctx context.Context, tx pgx.Tx, account int64, messages int) error {
	_, err := tx.Exec(ctx, `
		insert into sender_spending (smtp_account_id, second, messages)
		values ($1, date_trunc('second', clock_timestamp()), $2)
		on conflict (smtp_account_id, second) do update set messages = sender_spending.messages + excluded.messages`, account, messages)
	if err != nil {
		return fmt.Errorf("count what account %d sends: %w", account, err)
	}
	return nil
}

// breakAccount opens the circuit breaker of an account that does not work, and returns how often it has failed in a
// row. Senders that fail at the same time are one failure.
func breakAccount(ctx context.Context, q querier, account int64, fault *ladder.Fault) (failures int, err error) {
	err = q.QueryRow(ctx, `
		insert into sender as known (smtp_account_id, failures, broken_until, fault, failed_at)
		select id, 1, now() + interval '1 minute', @fault, now() from smtp_account where id = @account
		on conflict (smtp_account_id) do update
		set failures = known.failures + 1, fault = excluded.fault, failed_at = now(),
			broken_until = now() + interval '1 minute' * least(power(2, least(known.failures, 10)), 30)
		where known.broken_until is null or known.broken_until < now() or known.succeeded_at > known.failed_at or known.failures = 0
		returning failures`,
		pgx.NamedArgs{"account": account, "fault": fault}).Scan(&failures)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("record that account %d fails: %w", account, err)
	}
	return failures, nil
}

// restAccount lets an account rest whose server wants less at a time: 30 seconds, then longer each time.
func restAccount(ctx context.Context, pool *pgxpool.Pool, account int64, fault *ladder.Fault) error {
	_, err := pool.Exec(ctx, `
		insert into sender as known (smtp_account_id, strikes, rest_until, fault)
		select id, 1, now() + interval '30 seconds', @fault from smtp_account where id = @account
		on conflict (smtp_account_id) do update
		set strikes = least(known.strikes + 1, 6), fault = excluded.fault,
			rest_until = now() + interval '15 seconds' * power(2, least(known.strikes + 1, 6))
		where known.rest_until is null or known.rest_until < now()`,
		pgx.NamedArgs{"account": account, "fault": fault})
	if err != nil {
		return fmt.Errorf("let account %d rest: %w", account, err)
	}
	return nil
}

// healAccount records that an account works. It returns whether it was broken before.
func healAccount(ctx context.Context, q querier, account int64) (alarmed bool, err error) {
	err = q.QueryRow(ctx, `
		with before as (select smtp_account_id, alarmed_at from sender where smtp_account_id = @account for update)
		update sender
		set failures = 0, broken_until = null, strikes = greatest(strikes - 1, 0), succeeded_at = now(), alarmed_at = null
		from before
		where sender.smtp_account_id = before.smtp_account_id
		returning before.alarmed_at is not null`, pgx.NamedArgs{"account": account}).Scan(&alarmed)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("record that account %d works: %w", account, err)
	}
	return alarmed, nil
}

// markAlarmed reports whether this process is the one that tells of a failing account.
func markAlarmed(ctx context.Context, tx pgx.Tx, account int64) (bool, error) {
	tag, err := tx.Exec(ctx, "update sender set alarmed_at = now() where smtp_account_id = $1 and alarmed_at is null", account)
	if err != nil {
		return false, fmt.Errorf("record the alarm about account %d: %w", account, err)
	}
	return tag.RowsAffected() > 0, nil
}
