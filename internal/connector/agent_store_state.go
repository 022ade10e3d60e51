package connector

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/tunnel"
)

// AgentProcess is a process that may have agents.
type AgentProcess struct {
	Process   string    `db:"process" json:"process"`
	Host      string    `db:"host" json:"host"`
	PID       int       `db:"pid" json:"pid"`
	Version   string    `db:"version" json:"version"`
	Listening bool      `db:"listening" json:"listening"`
	Reason    string    `db:"reason" json:"reason,omitempty"` // why it does not listen
	Addresses []string  `db:"addresses" json:"addresses"`
	StartedAt time.Time `db:"started_at" json:"started_at"`
}

// upsertAgentProcess is a sign of life, and clears away processes that have given none for a while.
func upsertAgentProcess(ctx context.Context, tx pgx.Tx, p AgentProcess) error {
	batch := &pgx.Batch{}
	batch.Queue(`
		insert into connector_process (id, host, pid, version, listening, reason, addresses)
		values (@id, @host, @pid, @version, @listening, @reason, @addresses)
		on conflict (id) do update
		set listening = excluded.listening, reason = excluded.reason, addresses = excluded.addresses, seen_at = now()`,
		pgx.NamedArgs{
			"id": p.Process, "host": p.Host, "pid": p.PID, "version": p.Version, "listening": p.Listening,
			"reason": p.Reason, "addresses": append([]string{}, p.Addresses...),
		})
	batch.Queue(`delete from connector_process where seen_at < now() - @alive::interval and id <> @id`,
		pgx.NamedArgs{"alive": aliveFor, "id": p.Process})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("tell that this process lives: %w", err)
	}
	return nil
}

func deleteAgentProcess(ctx context.Context, q executor, process string) error {
	_, err := q.Exec(ctx, `delete from connector_process where id = @id`, pgx.NamedArgs{"id": process})
	return err
}

// selectAgentProcesses returns the processes that live, the oldest first.
func selectAgentProcesses(ctx context.Context, q querier) ([]AgentProcess, error) {
	all, err := rowsOf[AgentProcess](q.Query(ctx, `
		select id::text as process, host, pid, version, listening, reason, addresses, started_at
		from connector_process
		where seen_at > now() - @alive::interval
		order by started_at, id`, pgx.NamedArgs{"alive": aliveFor}))
	if err != nil {
		return nil, fmt.Errorf("list the processes that serve agents: %w", err)
	}
	return all, nil
}

// selectPeers returns the other processes that have an agent of a connector: one with a primary agent first.
func selectPeers(ctx context.Context, q querier, connector int64, self string) ([]tunnel.Peer, error) {
	rows, err := q.Query(ctx, `
		select replace(process_id::text, '-', '') as process, addresses
		from connector_link
		join connector_process on connector_process.id = process_id
		join connector_agent on connector_agent.id = connector_agent_id
		where network_connector_id = @connector and revoked_at is null and process_id <> @self::uuid
			and listening and connector_process.seen_at > now() - @alive::interval
		group by process_id, addresses
		order by bool_and(secondary), process_id`,
		pgx.NamedArgs{"connector": connector, "self": self, "alive": aliveFor})
	if err != nil {
		return nil, fmt.Errorf("look for the process that has an agent: %w", err)
	}
	peers, err := pgx.CollectRows(rows, pgx.RowToStructByName[tunnel.Peer])
	if err != nil {
		return nil, fmt.Errorf("look for the process that has an agent: %w", err)
	}
	return peers, nil
}

// storeLinks writes which agents this process has. An agent that was deleted a moment ago is left out.
func storeLinks(ctx context.Context, tx pgx.Tx, process string, rows []linkRow, sample bool) error {
	batch, ids := &pgx.Batch{}, []int64{}
	for _, r := range rows {
		ids = append(ids, r.Agent.ID)
		args := pgx.NamedArgs{
			"process": process, "agent": r.Agent.ID, "address": storableText(r.Remote, 200), "version": storableText(r.Version, maxAgentVersion),
			"since": r.Since, "tunnels": r.Tunnels, "up": r.up, "down": r.down, "latency": r.Latency.Microseconds(),
		}
		batch.Queue(`
			insert into connector_link (process_id, connector_agent_id, address, version, since, tunnels, up_per_second, down_per_second, latency_microseconds)
			select @process::uuid, id, @address::text, @version::text, @since::timestamptz, @tunnels::integer, @up::bigint, @down::bigint, @latency::bigint
			from connector_agent where id = @agent
			on conflict (process_id, connector_agent_id) do update
			set address = excluded.address, version = excluded.version, since = excluded.since, tunnels = excluded.tunnels,
				up_per_second = excluded.up_per_second, down_per_second = excluded.down_per_second,
				latency_microseconds = excluded.latency_microseconds, updated_at = now()`, args)
		if sample && r.Latency > 0 {
			batch.Queue(`insert into connector_latency (connector_agent_id, microseconds) select id, @latency::bigint from connector_agent where id = @agent`, args)
		}
	}
	batch.Queue(`delete from connector_link where process_id = @process::uuid and connector_agent_id <> all(@ids::bigint[])`,
		pgx.NamedArgs{"process": process, "ids": ids})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("tell which agents are connected: %w", err)
	}
	return nil
}

// storeFigures adds what agents have carried since the last report.
func storeFigures(ctx context.Context, tx pgx.Tx, more map[int64]tunnel.Figures) error {
	batch := &pgx.Batch{}
	for id, f := range more {
		batch.Queue(`
			update connector_agent
			set bytes_up = bytes_up + @up, bytes_down = bytes_down + @down, tunnels = tunnels + @tunnels, seen_at = now()
			where id = @id`, pgx.NamedArgs{"id": id, "up": f.Up, "down": f.Down, "tunnels": f.Tunnels})
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("count what agents carried: %w", err)
	}
	return nil
}

// presentAgent is a query: which agents are connected to a process that lives.
const presentAgent = `
	exists (
		select from connector_link
		join connector_process on connector_process.id = process_id
		where connector_agent_id = connector_agent.id and connector_process.seen_at > now() - @alive::interval
	)`

// recordTransitions finds agents and connectors that came, or have been away for longer than a short break, and
// records that. Processes do it one after the other.
func recordTransitions(ctx context.Context, tx pgx.Tx) ([]Transition, error) {
	args := pgx.NamedArgs{"alive": aliveFor, "grace": graceTime, "kind": KindAgent}
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('connector_state'))`); err != nil {
		return nil, fmt.Errorf("lock the state of agents: %w", err)
	}
	for _, note := range []string{`
		update connector_agent
		set missed_since = case when ` + presentAgent + ` then null else coalesce(missed_since, now()) end
		where revoked_at is null and online and (missed_since is null) <> ` + presentAgent, `
		insert into connector_state (network_connector_id, up)
		select id, false from network_connector where kind = @kind
		on conflict (network_connector_id) do nothing`, `
		update connector_state
		set missed_since = case when present then null else coalesce(missed_since, now()) end
		from (
			select network_connector_id as id, bool_or(revoked_at is null and ` + presentAgent + `) as present
			from connector_agent group by network_connector_id
		) as seen
		where seen.id = network_connector_id and up and (missed_since is null) <> present`,
	} {
		if _, err := tx.Exec(ctx, note, args); err != nil {
			return nil, fmt.Errorf("note which agents are missed: %w", err)
		}
	}
	agents, err := transitionRows(tx.Query(ctx, `
		with changed as (
			select id, online as was_online, missed_since
			from connector_agent
			where revoked_at is null
				and (online and missed_since < now() - @grace::interval or not online and `+presentAgent+`)
			for update
		)
		update connector_agent
		set online = not was_online, online_since = coalesce(changed.missed_since, now()), missed_since = null
		from changed
		where changed.id = connector_agent.id
		returning connector_agent.network_connector_id as connector_id,
			(select name from network_connector where id = network_connector_id) as connector_name,
			connector_agent.id as agent_id, connector_agent.name as agent_name, secondary, online as up, online_since as since`, args))
	if err != nil {
		return nil, fmt.Errorf("record which agents came and went: %w", err)
	}
	connectors, err := transitionRows(tx.Query(ctx, `
		with changed as (
			select network_connector_id as id, up as was_up, missed_since
			from connector_state
			where up and missed_since < now() - @grace::interval or not up and exists (
				select from connector_agent
				where connector_agent.network_connector_id = connector_state.network_connector_id and revoked_at is null and `+presentAgent+`)
			for update
		)
		update connector_state
		set up = not was_up, since = coalesce(changed.missed_since, now()), missed_since = null
		from changed
		where changed.id = network_connector_id
		returning network_connector_id as connector_id, (select name from network_connector where id = network_connector_id) as connector_name,
			0::bigint as agent_id, '' as agent_name, false as secondary, up, since`, args))
	if err != nil {
		return nil, fmt.Errorf("record which connectors came and went: %w", err)
	}
	return append(agents, connectors...), nil
}

func transitionRows(rows pgx.Rows, err error) ([]Transition, error) {
	return rowsOf[Transition](rows, err)
}

// stateRow is whether a connector is up, as recorded.
type stateRow struct {
	ConnectorID int64     `db:"network_connector_id"`
	Up          bool      `db:"up"`
	Since       time.Time `db:"since"`
}

func selectStates(ctx context.Context, q querier) ([]stateRow, error) {
	all, err := rowsOf[stateRow](q.Query(ctx, `select network_connector_id, up, since from connector_state`))
	if err != nil {
		return nil, fmt.Errorf("read the state of network connectors: %w", err)
	}
	return all, nil
}

func selectLatencies(ctx context.Context, q querier, agent int64, since time.Time) ([]LatencySample, error) {
	all, err := rowsOf[LatencySample](q.Query(ctx, `
		select at, microseconds
		from connector_latency
		where connector_agent_id = @agent and at >= @since
		order by at`, pgx.NamedArgs{"agent": agent, "since": since}))
	if err != nil {
		return nil, fmt.Errorf("read the latency of agent %d: %w", agent, err)
	}
	return all, nil
}
