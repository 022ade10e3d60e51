package connector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

func insertAgentEvents(ctx context.Context, tx pgx.Tx, events ...AgentEvent) error {
	columns := []string{"at", "level", "operation", "network_connector_id", "connector_agent_id", "address", "port", "message"}
	rows := pgx.CopyFromSlice(len(events), func(i int) ([]any, error) {
		e := events[i]
		return []any{e.At, string(e.Level), e.Operation, e.ConnectorID, e.AgentID, e.Address, e.Port, e.Message}, nil
	})
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"connector_event"}, columns, rows); err != nil {
		return fmt.Errorf("write the log of the network connectors: %w", err)
	}
	return nil
}

// selectAgentEvents returns the newest events that fit, the oldest of them first. After an id it returns the
// next ones instead.
func selectAgentEvents(ctx context.Context, q querier, f AgentEventFilter) ([]AgentEvent, error) {
	args := pgx.NamedArgs{
		"connector": f.ConnectorID, "level": string(f.Level), "before": f.Before, "after": f.After, "limit": f.Limit, "since": nil,
	}
	if !f.Since.IsZero() {
		args["since"] = f.Since
	}
	order := "desc"
	if f.After > 0 {
		order = "asc"
	}
	events, err := rowsOf[AgentEvent](q.Query(ctx, `
		select id, at, level, operation, network_connector_id, connector_agent_id, address, port, message
		from connector_event
		where (@connector = 0 or network_connector_id = @connector)
			and (@level = '' or level = @level)
			and (@before = 0 or id < @before) and id > @after
			and (@since::timestamptz is null or at >= @since)
		order by id `+order+`
		limit @limit`, args))
	if err != nil {
		return nil, fmt.Errorf("read the log of the network connectors: %w", err)
	}
	if f.After == 0 {
		slices.Reverse(events)
	}
	return events, nil
}

// pruneAgents removes events and samples that are too old, and events that are too many.
func pruneAgents(ctx context.Context, q executor, events time.Time, rows int64, samples time.Time) error {
	_, err := q.Exec(ctx, `
		delete from connector_event
		where at < @before or id <= (select max(id) from connector_event) - @rows`,
		pgx.NamedArgs{"before": events, "rows": rows})
	if err == nil {
		_, err = q.Exec(ctx, `delete from connector_latency where at < @before`, pgx.NamedArgs{"before": samples})
	}
	if err == nil {
		_, err = q.Exec(ctx, `delete from connector_token where expires_at < now() - interval '30 days' and used_at is null`)
	}
	return err
}
