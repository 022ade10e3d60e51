package connector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"orbit/internal/problem"
	"orbit/internal/tunnel"
)

// executor is the pool or a transaction.
type executor interface {
	querier
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// agentsWanted reports whether there is a connector that agents may call in for.
func agentsWanted(ctx context.Context, q querier) (bool, error) {
	return scalar[bool](q.Query(ctx, `select exists (select from network_connector where kind = @kind)`, pgx.NamedArgs{"kind": KindAgent}))
}

func scalar[T any](rows pgx.Rows, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
}

func rowsOf[T any](rows pgx.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

const serverColumns = `certificate, fingerprint, key_sealed, peer_key_sealed`

func selectServer(ctx context.Context, q querier) (serverRow, bool, error) {
	return oneServer(q.Query(ctx, `select `+serverColumns+` from connector_server where id = 1`))
}

func lockServer(ctx context.Context, tx pgx.Tx) (serverRow, bool, error) {
	return oneServer(tx.Query(ctx, `select `+serverColumns+` from connector_server where id = 1 for update`))
}

func oneServer(rows pgx.Rows, err error) (serverRow, bool, error) {
	all, err := rowsOf[serverRow](rows, err)
	if err != nil {
		return serverRow{}, false, fmt.Errorf("read the certificate for agents: %w", err)
	}
	if len(all) == 0 {
		return serverRow{}, false, nil
	}
	return all[0], true, nil
}

// insertServer reports whether the row is new: the first process wins.
func insertServer(ctx context.Context, tx pgx.Tx, row serverRow, by string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		insert into connector_server (id, certificate, fingerprint, key_sealed, peer_key_sealed, created_by)
		values (1, @certificate, @fingerprint, @key, @peer_key, @by)
		on conflict (id) do nothing`,
		pgx.NamedArgs{
			"certificate": row.Certificate, "fingerprint": row.Fingerprint,
			"key": row.KeySealed, "peer_key": row.PeerKeySealed, "by": by,
		})
	if err != nil {
		return false, fmt.Errorf("store the certificate for agents: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

func updateServer(ctx context.Context, tx pgx.Tx, row serverRow) error {
	_, err := tx.Exec(ctx, `update connector_server set key_sealed = @key, peer_key_sealed = @peer_key where id = 1`,
		pgx.NamedArgs{"key": row.KeySealed, "peer_key": row.PeerKeySealed})
	if err != nil {
		return fmt.Errorf("store the certificate for agents: %w", err)
	}
	return nil
}

// selectAgentRow reads agents with what the living processes tell of them.
const selectAgentRow = `
	select connector_agent.id, connector_agent.network_connector_id, network_connector.name as network_connector_name,
		connector_agent.name, connector_agent.secondary, connector_agent.version, connector_agent.address, enrolled_at,
		connector_agent.seen_at, revoked_at, revoked_by, bytes_up, bytes_down, connector_agent.tunnels, online, online_since,
		link.processes > 0 as connected, link.processes, link.since, link.tunnels_open, link.up_per_second,
		link.down_per_second, link.latency_microseconds
	from connector_agent
	join network_connector on network_connector.id = network_connector_id
	cross join lateral (
		select count(*) as processes, min(since) as since, coalesce(sum(tunnels), 0)::bigint as tunnels_open,
			coalesce(sum(up_per_second), 0)::bigint as up_per_second, coalesce(sum(down_per_second), 0)::bigint as down_per_second,
			coalesce(min(latency_microseconds), 0) as latency_microseconds
		from connector_link
		join connector_process on connector_process.id = process_id
		where connector_agent_id = connector_agent.id and connector_process.seen_at > now() - @alive::interval
	) as link`

// selectAgents returns the agents of a connector, 0 for all: by connector, those in use first, primary ones first.
func selectAgents(ctx context.Context, q querier, connector int64) ([]AgentRow, error) {
	all, err := rowsOf[AgentRow](q.Query(ctx, selectAgentRow+`
		where @connector = 0 or network_connector_id = @connector
		order by lower(network_connector.name), revoked_at is not null, connector_agent.secondary, lower(connector_agent.name), connector_agent.id`,
		pgx.NamedArgs{"connector": connector, "alive": aliveFor}))
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return all, nil
}

func selectAgent(ctx context.Context, q querier, id int64) (AgentRow, error) {
	return oneAgent(q.Query(ctx, selectAgentRow+` where connector_agent.id = @id`, pgx.NamedArgs{"id": id, "alive": aliveFor}))
}

func lockAgent(ctx context.Context, tx pgx.Tx, id int64) (AgentRow, error) {
	return oneAgent(tx.Query(ctx, selectAgentRow+` where connector_agent.id = @id for update of connector_agent`,
		pgx.NamedArgs{"id": id, "alive": aliveFor}))
}

func lockAgentByKey(ctx context.Context, tx pgx.Tx, key []byte) (AgentRow, error) {
	return oneAgent(tx.Query(ctx, selectAgentRow+` where public_key = @key for update of connector_agent`,
		pgx.NamedArgs{"key": key, "alive": aliveFor}))
}

func oneAgent(rows pgx.Rows, err error) (AgentRow, error) {
	all, err := rowsOf[AgentRow](rows, err)
	if err != nil {
		return AgentRow{}, fmt.Errorf("read an agent: %w", err)
	}
	if len(all) == 0 {
		return AgentRow{}, problem.ErrNotFound
	}
	return all[0], nil
}

const (
	maxAgentName    = 100
	maxAgentVersion = 60
)

func claimArgs(c tunnel.Claim, address string) pgx.NamedArgs {
	name := storableText(c.Name, maxAgentName)
	if name == "" {
		name = "agent"
	}
	return pgx.NamedArgs{
		"name": name, "version": storableText(c.Version, maxAgentVersion), "secondary": c.Secondary, "address": address,
	}
}

// insertAgent registers the key of a new agent.
func insertAgent(ctx context.Context, tx pgx.Tx, connector int64, c tunnel.Claim, address string) (AgentRow, error) {
	args := claimArgs(c, address)
	args["connector"], args["key"] = connector, []byte(c.Key)
	id, err := scalar[int64](tx.Query(ctx, `
		insert into connector_agent (network_connector_id, name, public_key, secondary, version, address, seen_at)
		values (@connector, @name, @key, @secondary, @version, @address, now())
		returning id`, args))
	if err != nil {
		return AgentRow{}, fmt.Errorf("enrol an agent: %w", err)
	}
	return selectAgent(ctx, tx, id)
}

// updateAgent keeps what an agent says of itself at each sign-in. Its name stays: people know it by that.
func updateAgent(ctx context.Context, tx pgx.Tx, id int64, c tunnel.Claim, address string) error {
	args := claimArgs(c, address)
	args["id"] = id
	_, err := tx.Exec(ctx, `
		update connector_agent
		set secondary = @secondary, version = @version, address = @address, seen_at = now()
		where id = @id`, args)
	if err != nil {
		return fmt.Errorf("note the sign-in of agent %d: %w", id, err)
	}
	return nil
}

func revokeAgent(ctx context.Context, tx pgx.Tx, id int64, by string) error {
	_, err := tx.Exec(ctx, `
		update connector_agent
		set revoked_at = now(), revoked_by = @by, online = false, online_since = now(), missed_since = null
		where id = @id`, pgx.NamedArgs{"id": id, "by": by})
	if err != nil {
		return fmt.Errorf("revoke agent %d: %w", id, err)
	}
	return nil
}

func deleteAgent(ctx context.Context, tx pgx.Tx, id int64) error {
	if _, err := tx.Exec(ctx, `delete from connector_agent where id = @id`, pgx.NamedArgs{"id": id}); err != nil {
		return fmt.Errorf("delete agent %d: %w", id, err)
	}
	return nil
}

// selectAdmitted returns the agents that may be connected.
func selectAdmitted(ctx context.Context, q querier) (map[int64]bool, error) {
	rows, err := q.Query(ctx, `select id from connector_agent where revoked_at is null`)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	may := map[int64]bool{}
	for _, id := range ids {
		may[id] = true
	}
	return may, err
}

func insertToken(ctx context.Context, tx pgx.Tx, connector int64, hash []byte, by string, expires time.Time) error {
	_, err := tx.Exec(ctx, `
		insert into connector_token (network_connector_id, hash, created_by, expires_at)
		values (@connector, @hash, @by, @expires)`,
		pgx.NamedArgs{"connector": connector, "hash": hash, "by": by, "expires": expires})
	if err != nil {
		return fmt.Errorf("store a token for an agent: %w", err)
	}
	return nil
}

func lockToken(ctx context.Context, tx pgx.Tx, hash []byte) (tokenRow, error) {
	rows, err := tx.Query(ctx, `
		select id, network_connector_id, expires_at, used_at
		from connector_token
		where hash = @hash
		for update`, pgx.NamedArgs{"hash": hash})
	if err != nil {
		return tokenRow{}, fmt.Errorf("read a token of an agent: %w", err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[tokenRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return tokenRow{}, problem.ErrNotFound
	}
	if err != nil {
		return tokenRow{}, fmt.Errorf("read a token of an agent: %w", err)
	}
	return t, nil
}

func useToken(ctx context.Context, tx pgx.Tx, id, agent int64) error {
	_, err := tx.Exec(ctx, `update connector_token set used_at = now(), connector_agent_id = @agent where id = @id`,
		pgx.NamedArgs{"id": id, "agent": agent})
	if err != nil {
		return fmt.Errorf("use up a token of an agent: %w", err)
	}
	return nil
}
