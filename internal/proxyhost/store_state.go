package proxyhost

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/mail/proxy"
	"orbit/internal/postgres"
)

// alive is the sign of life of a process.
type alive struct {
	process, host, version string
	pid                    int
}

// storeReport writes a sign of life and what the process does with each listener, and clears away processes
// that have given none for a while.
func storeReport(ctx context.Context, pool *pgxpool.Pool, a alive, all []proxy.Status) error {
	return postgres.InTx(ctx, pool, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`
			insert into process (id, host, pid, version)
			values (@id, @host, @pid, @version)
			on conflict (id) do update set seen_at = now()`,
			pgx.NamedArgs{"id": a.process, "host": a.host, "pid": a.pid, "version": a.version})
		batch.Queue(`
			delete from process
			where seen_at < now() - @alive::interval and id <> @id`, pgx.NamedArgs{"alive": aliveFor, "id": a.process})
		var running []int64
		for _, st := range all {
			args, err := stateArgs(a.process, st)
			if err != nil {
				return err
			}
			batch.Queue(upsertState, args)
			running = append(running, listenerID(st.Listener.Name))
		}
		batch.Queue(`
			delete from proxy_listener_state
			where process_id = @id and proxy_listener_id <> all(@running::bigint[])`,
			pgx.NamedArgs{"id": a.process, "running": append([]int64{}, running...)})
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("store what this process does: %w", err)
		}
		return nil
	})
}

// upsertState leaves out a listener that was deleted a moment ago.
const upsertState = `
	insert into proxy_listener_state (
		process_id, proxy_listener_id, state, reason, since, address, sessions, accepted, sign_ins, refused,
		bytes_up, bytes_down, last_used_at, failures)
	select @process::uuid, id, @state::text, @reason::text, @since::timestamptz, @address::text, @sessions::integer,
		@accepted::bigint, @sign_ins::bigint, @refused::bigint, @bytes_up::bigint, @bytes_down::bigint,
		@last_used_at::timestamptz, @failures::jsonb
	from proxy_listener where id = @listener
	on conflict (process_id, proxy_listener_id) do update
	set state = excluded.state, reason = excluded.reason, since = excluded.since, address = excluded.address,
		sessions = excluded.sessions, accepted = excluded.accepted, sign_ins = excluded.sign_ins,
		refused = excluded.refused, bytes_up = excluded.bytes_up, bytes_down = excluded.bytes_down,
		last_used_at = excluded.last_used_at, failures = excluded.failures, updated_at = now()`

func stateArgs(process string, st proxy.Status) (pgx.NamedArgs, error) {
	failures := make([]Failure, len(st.Failures))
	for i, f := range st.Failures {
		failures[i] = Failure{At: f.At, Account: storable(f.Account, maxAccount), Reason: f.Reason, Text: storable(proxy.Censor(f.Text), maxText)}
	}
	text, err := json.Marshal(failures)
	if err != nil {
		return nil, fmt.Errorf("encode the last failures: %w", err)
	}
	var used *time.Time
	if !st.LastUsed.IsZero() {
		used = &st.LastUsed
	}
	return pgx.NamedArgs{
		"process": process, "listener": listenerID(st.Listener.Name), "state": string(st.State), "reason": storable(st.Reason, maxText),
		"since": st.Since, "address": st.Address, "sessions": st.Sessions, "accepted": st.Accepted,
		"sign_ins": st.SignIns, "refused": st.Refused, "bytes_up": st.Up, "bytes_down": st.Down,
		"last_used_at": used, "failures": string(text),
	}, nil
}

func deleteProcess(ctx context.Context, q querier, process string) error {
	if _, err := q.Exec(ctx, "delete from process where id = @id", pgx.NamedArgs{"id": process}); err != nil {
		return fmt.Errorf("delete process %s: %w", process, err)
	}
	return nil
}

// selectStates returns what the living processes do, those of one listener or of all.
func selectStates(ctx context.Context, q querier) ([]ProcessState, error) {
	return allRows[ProcessState](q.Query(ctx, `
		select process_id::text as process, host, pid, proxy_listener_id, state, reason, since, proxy_listener_state.address,
			sessions, accepted, sign_ins, refused, bytes_up, bytes_down, last_used_at, failures, updated_at
		from proxy_listener_state
		join process on process.id = process_id
		where seen_at > now() - @alive::interval
		order by started_at, process_id`, pgx.NamedArgs{"alive": aliveFor}))
}
