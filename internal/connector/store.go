package connector

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// channel is notified in the transaction of each change, with the id as payload.
const channel = "network_connector"

const columns = `id, name, kind, address, port, coalesce(credential_id, 0) as credential_id, fingerprint, active,
	host_key_type, offered_fingerprint, offered_key_type, offered_at,
	created_at, created_by, changed_at, changed_by, version`

// querier is the pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func selectAll(ctx context.Context, q querier) ([]Connector, error) {
	rows, err := q.Query(ctx, `
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

func selectOne(ctx context.Context, q querier, id int64) (Connector, error) {
	return one(q.Query(ctx, `select `+columns+` from network_connector where id = @id`, pgx.NamedArgs{"id": id}))
}

func selectByName(ctx context.Context, q querier, name string) (Connector, error) {
	return one(q.Query(ctx, `select `+columns+` from network_connector where lower(name) = lower(@name)`, pgx.NamedArgs{"name": name}))
}

// lockOne reads a connector and keeps others from changing it, and from pointing to it anew, until the
// transaction ends.
func lockOne(ctx context.Context, tx pgx.Tx, id int64) (Connector, error) {
	return one(tx.Query(ctx, `select `+columns+` from network_connector where id = @id for update`, pgx.NamedArgs{"id": id}))
}

func one(rows pgx.Rows, err error) (Connector, error) {
	if err != nil {
		return Connector{}, fmt.Errorf("read a network connector: %w", err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Connector])
	if errors.Is(err, pgx.ErrNoRows) {
		return Connector{}, problem.ErrNotFound
	}
	if err != nil {
		return Connector{}, fmt.Errorf("read a network connector: %w", err)
	}
	return c, nil
}

func settingArgs(s Settings, by string) pgx.NamedArgs {
	return pgx.NamedArgs{
		"name": s.Name, "kind": s.Kind, "address": s.Address, "port": s.Port, "credential_id": s.CredentialID,
		"fingerprint": s.Fingerprint, "active": s.Active, "by": by,
	}
}

func insertOne(ctx context.Context, tx pgx.Tx, s Settings, by string) (Connector, error) {
	stored, err := one(tx.Query(ctx, `
		insert into network_connector (name, kind, address, port, credential_id, fingerprint, active, created_by, changed_by)
		values (@name, @kind, @address, @port, nullif(@credential_id, 0), @fingerprint, @active, @by, @by)
		returning `+columns, settingArgs(s, by)))
	return stored, explainConstraint(err, s)
}

// updateOne stores the settings. Another server's host key is no offer of this one; a fingerprint that somebody
// typed is of a type that shows with the first connection.
func updateOne(ctx context.Context, tx pgx.Tx, before Connector, s Settings, by string) (Connector, error) {
	args := settingArgs(s, by)
	args["id"] = before.ID
	args["moved"] = before.Address != s.Address || before.Port != s.Port || before.Kind != s.Kind || before.Fingerprint != s.Fingerprint
	stored, err := one(tx.Query(ctx, `
		update network_connector
		set name = @name, kind = @kind, address = @address, port = @port, credential_id = nullif(@credential_id, 0),
			fingerprint = @fingerprint, active = @active,
			host_key_type = case when @moved then '' else host_key_type end,
			offered_fingerprint = case when @moved then '' else offered_fingerprint end,
			offered_key_type = case when @moved then '' else offered_key_type end,
			offered_at = case when @moved then null else offered_at end,
			changed_at = now(), changed_by = @by, version = version + 1
		where id = @id
		returning `+columns, args))
	return stored, explainConstraint(err, s)
}

func deleteOne(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := tx.Exec(ctx, `delete from network_connector where id = @id`, pgx.NamedArgs{"id": id})
	return err
}

// confirmKey makes the offered host key the confirmed one.
func confirmKey(ctx context.Context, tx pgx.Tx, id int64, by string) (Connector, error) {
	return one(tx.Query(ctx, `
		update network_connector
		set fingerprint = offered_fingerprint, host_key_type = offered_key_type,
			offered_fingerprint = '', offered_key_type = '', offered_at = null,
			changed_at = now(), changed_by = @by, version = version + 1
		where id = @id
		returning `+columns, pgx.NamedArgs{"id": id, "by": by}))
}

// offerKey notes the host key that a server showed. It is no change that a person made, so the version stays.
// The address is compared because the connector may have moved while it was dialled.
func (s *Service) offerKey(ctx context.Context, c Connector, fingerprint, keyType string) error {
	_, err := s.pool.Exec(ctx, `
		update network_connector
		set offered_fingerprint = @fingerprint, offered_key_type = @type, offered_at = now()
		where id = @id and address = @address and port = @port and fingerprint = @confirmed
			and offered_fingerprint <> @fingerprint`,
		pgx.NamedArgs{
			"id": c.ID, "address": c.Address, "port": c.Port, "confirmed": c.Fingerprint,
			"fingerprint": fingerprint, "type": keyType,
		})
	if err != nil {
		return fmt.Errorf("note the host key of network connector %d: %w", c.ID, err)
	}
	return nil
}

// withdrawKey forgets an offered key after the server showed the confirmed one.
func (s *Service) withdrawKey(ctx context.Context, id int64, confirmed string) error {
	_, err := s.pool.Exec(ctx, `
		update network_connector
		set offered_fingerprint = '', offered_key_type = '', offered_at = null
		where id = @id and fingerprint = @confirmed`, pgx.NamedArgs{"id": id, "confirmed": confirmed})
	if err != nil {
		return fmt.Errorf("forget the offered host key of network connector %d: %w", id, err)
	}
	return nil
}

// tell wakes everybody who keeps something of a connector.
func tell(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := tx.Exec(ctx, `select pg_notify(@channel, @id)`, pgx.NamedArgs{"channel": channel, "id": strconv.FormatInt(id, 10)})
	if err != nil {
		return fmt.Errorf("notify %s: %w", channel, err)
	}
	return nil
}

// explainConstraint turns the name of a violated constraint into a sentence beside the field.
func explainConstraint(err error, s Settings) error {
	switch postgres.Constraint(err) {
	case "network_connector_name_unique":
		return problem.Invalid{{Name: "name", Text: fmt.Sprintf("There is already a network connector called %s; choose another name.", s.Name)}}
	case "network_connector_credential":
		return problem.Invalid{{Name: "credential_id", Text: "This credential no longer exists; choose another one."}}
	}
	return err
}
