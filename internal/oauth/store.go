package oauth

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// querier is the pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

const clientColumns = `
	id, pattern, flow, provider, tenant, permission_url, device_url, token_url, issuer, scope, resource, client_id,
	redirect_uri, redirect_listen_address, use_network_connector,
	coalesce(network_connector_id, 0) as network_connector_id, coalesce(proxy_listener_id, 0) as proxy_listener_id,
	active_slot, created_at, created_by, changed_at, changed_by, version`

// oneRow reads exactly one row, or returns problem.ErrNotFound.
func oneRow[T any](rows pgx.Rows, err error) (T, error) {
	var found T
	if err != nil {
		return found, fmt.Errorf("read %T: %w", found, err)
	}
	found, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return found, problem.ErrNotFound
	}
	if err != nil {
		return found, fmt.Errorf("read %T: %w", found, err)
	}
	return found, nil
}

func allRows[T any](rows pgx.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("read %T: %w", *new(T), err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	if err != nil {
		return nil, fmt.Errorf("read %T: %w", *new(T), err)
	}
	return found, nil
}

// withSecrets completes a registration.
func withSecrets(ctx context.Context, q querier, r Registration, err error) (Registration, error) {
	if err != nil {
		return r, err
	}
	r.Secrets, err = listSecrets(ctx, q, r.ID)
	return r, err
}

func findClient(ctx context.Context, q querier, id int64) (Registration, error) {
	r, err := oneRow[Registration](q.Query(ctx, "select "+clientColumns+" from oauth_client where id = @id", pgx.NamedArgs{"id": id}))
	return withSecrets(ctx, q, r, err)
}

// lockClient reads a registration and keeps others from changing it until the transaction ends.
func lockClient(ctx context.Context, tx pgx.Tx, id int64) (Registration, error) {
	r, err := oneRow[Registration](tx.Query(ctx, "select "+clientColumns+" from oauth_client where id = @id for update", pgx.NamedArgs{"id": id}))
	return withSecrets(ctx, tx, r, err)
}

func lockClientByPattern(ctx context.Context, tx pgx.Tx, pattern string) (Registration, error) {
	r, err := oneRow[Registration](tx.Query(ctx, "select "+clientColumns+" from oauth_client where pattern = @pattern for update", pgx.NamedArgs{"pattern": pattern}))
	return withSecrets(ctx, tx, r, err)
}

// lookupClient finds the registration for an address: its own, its domain's, everybody's.
func lookupClient(ctx context.Context, q querier, address string) (Registration, error) {
	r, err := oneRow[Registration](q.Query(ctx, `
		select `+clientColumns+`
		from oauth_client
		where pattern = any(@patterns)
		order by array_position(@patterns, pattern)
		limit 1`, pgx.NamedArgs{"patterns": patterns(address)}))
	return withSecrets(ctx, q, r, err)
}

func listClients(ctx context.Context, q querier) ([]Registration, error) {
	found, err := allRows[Registration](q.Query(ctx, "select "+clientColumns+" from oauth_client order by pattern"))
	if err != nil {
		return nil, err
	}
	secrets, err := listSecrets(ctx, q, 0)
	if err != nil {
		return nil, err
	}
	for i := range found {
		for _, secret := range secrets {
			if secret.RegistrationID == found[i].ID {
				found[i].Secrets = append(found[i].Secrets, secret)
			}
		}
	}
	return found, nil
}

func clientArgs(s Settings, by string) pgx.NamedArgs {
	return pgx.NamedArgs{
		"pattern": s.Pattern, "flow": s.Flow, "provider": s.Provider, "tenant": s.Tenant,
		"permission_url": s.PermissionURL, "device_url": s.DeviceURL, "token_url": s.TokenURL, "issuer": s.Issuer,
		"scope": s.Scope, "resource": s.Resource, "client_id": s.ClientID, "redirect_uri": s.RedirectURI,
		"redirect_listen_address": s.RedirectListenAddress, "use_network_connector": s.UseNetworkConnector,
		"network_connector_id": s.NetworkConnectorID, "proxy_listener_id": s.ProxyListenerID, "by": by,
	}
}

func insertClient(ctx context.Context, tx pgx.Tx, s Settings, by string) (Registration, error) {
	r, err := oneRow[Registration](tx.Query(ctx, `
		insert into oauth_client (
			pattern, flow, provider, tenant, permission_url, device_url, token_url, issuer, scope, resource, client_id,
			redirect_uri, redirect_listen_address, use_network_connector, network_connector_id, proxy_listener_id,
			created_by, changed_by)
		values (
			@pattern, @flow, @provider, @tenant, @permission_url, @device_url, @token_url, @issuer, @scope, @resource, @client_id,
			@redirect_uri, @redirect_listen_address, @use_network_connector, nullif(@network_connector_id, 0), nullif(@proxy_listener_id, 0),
			@by, @by)
		returning `+clientColumns, clientArgs(s, by)))
	return r, clientProblem(err, s)
}

func updateClient(ctx context.Context, tx pgx.Tx, id int64, s Settings, by string) (Registration, error) {
	args := clientArgs(s, by)
	args["id"] = id
	r, err := oneRow[Registration](tx.Query(ctx, `
		update oauth_client
		set pattern = @pattern, flow = @flow, provider = @provider, tenant = @tenant,
			permission_url = @permission_url, device_url = @device_url, token_url = @token_url, issuer = @issuer,
			scope = @scope, resource = @resource, client_id = @client_id, redirect_uri = @redirect_uri,
			redirect_listen_address = @redirect_listen_address, use_network_connector = @use_network_connector,
			network_connector_id = nullif(@network_connector_id, 0), proxy_listener_id = nullif(@proxy_listener_id, 0),
			changed_at = now(), changed_by = @by, version = version + 1
		where id = @id
		returning `+clientColumns, args))
	return withSecrets(ctx, tx, r, clientProblem(err, s))
}

func deleteClient(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := tx.Exec(ctx, "delete from oauth_client where id = @id", pgx.NamedArgs{"id": id})
	return err
}

// activateSlot makes a slot the one in use.
func activateSlot(ctx context.Context, tx pgx.Tx, id int64, slot int, by string) error {
	_, err := tx.Exec(ctx, `
		update oauth_client
		set active_slot = @slot, changed_at = now(), changed_by = @by, version = version + 1
		where id = @id`, pgx.NamedArgs{"id": id, "slot": slot, "by": by})
	return err
}

// clientProblem turns a broken constraint into what a person can mend.
func clientProblem(err error, s Settings) error {
	switch postgres.Constraint(err) {
	case "oauth_client_pattern_unique":
		return problem.Invalid{{Name: "pattern", Text: fmt.Sprintf("%s is registered already. Change that registration, or remove it first.", s.Pattern)}}
	case "oauth_client_network_connector":
		return problem.Invalid{{Name: "network_connector_id", Text: "This network connector does not exist any more."}}
	case "oauth_client_proxy_listener":
		return problem.Invalid{{Name: "proxy_listener_id", Text: "This listener does not exist any more."}}
	}
	return err
}
