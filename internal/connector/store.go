package connector

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
)

const columns = `id, name, kind, address, port, coalesce(credential_id, 0) as credential_id, fingerprint, active,
	created_at, changed_at, version`

// List returns all connectors, "direct" first.
func (s *Service) List(ctx context.Context) ([]Connector, error) {
	rows, err := s.pool.Query(ctx, `
		select `+columns+`
		from network_connector
		order by kind <> 'direct', lower(name), id`)
	if err != nil {
		return nil, fmt.Errorf("list network connectors: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Connector])
	if err != nil {
		return nil, fmt.Errorf("list network connectors: %w", err)
	}
	return all, nil
}

// Find returns one connector, or problem.ErrNotFound.
func (s *Service) Find(ctx context.Context, id int64) (Connector, error) {
	rows, err := s.pool.Query(ctx, `
		select `+columns+`
		from network_connector
		where id = @id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return Connector{}, fmt.Errorf("find network connector %d: %w", id, err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Connector])
	if errors.Is(err, pgx.ErrNoRows) {
		return Connector{}, problem.ErrNotFound
	}
	if err != nil {
		return Connector{}, fmt.Errorf("find network connector %d: %w", id, err)
	}
	return c, nil
}
