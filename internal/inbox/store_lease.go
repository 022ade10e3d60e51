package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The clock of leases is the database's alone.

func insertProcess(ctx context.Context, q querier, id, host string, pid int, lease time.Duration) error {
	_, err := q.Exec(ctx, `
		insert into inbox_process (id, host, pid, lease_until)
		values (@id, @host, @pid, clock_timestamp() + @lease::interval)`,
		pgx.NamedArgs{"id": id, "host": host, "pid": pid, "lease": lease})
	if err != nil {
		return fmt.Errorf("join the processes that watch mailboxes: %w", err)
	}
	return nil
}

// renewProcess reports whether there was still something to renew.
func renewProcess(ctx context.Context, q querier, id string, lease time.Duration) (bool, error) {
	done, err := q.Exec(ctx, `
		update inbox_process
		set lease_until = clock_timestamp() + @lease::interval
		where id = @id and lease_until > clock_timestamp()`,
		pgx.NamedArgs{"id": id, "lease": lease})
	if err != nil {
		return false, fmt.Errorf("renew the lease: %w", err)
	}
	return done.RowsAffected() == 1, nil
}

func deleteProcess(ctx context.Context, q querier, id string) error {
	if _, err := q.Exec(ctx, "delete from inbox_process where id = @id", pgx.NamedArgs{"id": id}); err != nil {
		return fmt.Errorf("delete process %s: %w", id, err)
	}
	return nil
}

// unowned is true of a mailbox that nobody has, or whose owner has let its lease run out.
const unowned = `
	(owner is null or not exists (
		select from inbox_process
		where inbox_process.id = owner and lease_until > clock_timestamp()))`

// claimMailboxes takes those of the mailboxes that are free. One whose last owner froze in the middle of storing is
// locked; it is left for the next time instead of waited for.
func claimMailboxes(ctx context.Context, q querier, process string, accounts []int64) ([]lease, error) {
	rows, err := q.Query(ctx, `
		with free as (
			select mailbox_account_id
			from mailbox_state
			where mailbox_account_id = any(@accounts) and `+unowned+`
			for update skip locked)
		update mailbox_state
		set owner = @process, token = token + 1, checking_since = null
		from free
		where mailbox_state.mailbox_account_id = free.mailbox_account_id
		returning mailbox_state.mailbox_account_id, token`,
		pgx.NamedArgs{"accounts": accounts, "process": process})
	if err != nil {
		return nil, fmt.Errorf("claim mailboxes: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (lease, error) {
		l := lease{process: process}
		err := row.Scan(&l.account, &l.token)
		return l, err
	})
}

// insertStates makes sure that each account has a row to own.
func insertStates(ctx context.Context, q querier, accounts []int64) error {
	_, err := q.Exec(ctx, `
		insert into mailbox_state (mailbox_account_id)
		select id
		from mailbox_account
		where id = any(@accounts)
		on conflict (mailbox_account_id) do nothing`, pgx.NamedArgs{"accounts": accounts})
	if err != nil {
		return fmt.Errorf("prepare the state of mailboxes: %w", err)
	}
	return nil
}

// releaseMailbox lets others have it; afresh, without what earlier visits failed with.
func releaseMailbox(ctx context.Context, q querier, l lease, afresh bool) error {
	args := l.args()
	args["afresh"] = afresh
	_, err := q.Exec(ctx, `
		update mailbox_state
		set owner = null, checking_since = null,
			failures = case when @afresh then 0 else failures end,
			next_attempt_at = case when @afresh then null else next_attempt_at end
		where mailbox_account_id = @account and owner = @process and token = @token`, args)
	if err != nil {
		return fmt.Errorf("give mailbox %d back: %w", l.account, err)
	}
	return nil
}

func (l lease) args() pgx.NamedArgs {
	return pgx.NamedArgs{"account": l.account, "process": l.process, "token": l.token}
}

// holdLease is the fence: it locks the state of the mailbox until the transaction ends, and finds nothing when the
// lease has run out or belongs to another process. So an owner that was frozen stores nothing when it wakes.
const holdLease = `
	select mailbox_state.mailbox_account_id
	from mailbox_state
	join inbox_process on inbox_process.id = owner
	where mailbox_account_id = @account and owner = @process and token = @token and lease_until > clock_timestamp()
	for update of mailbox_state`
