package proxyhost

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

// listenerColumns lists the columns of a listener; a blank reference is 0 in Go and null in the table.
const listenerColumns = `
	id, name, protocol, local_address, local_port, local_security, certificate_file, key_file,
	allow_unsafe_address, proxy_protocol, server_address, server_port, server_security,
	certificate_rule, certificate_fingerprint, certificate_ca, use_network_connector,
	coalesce(network_connector_id, 0) as network_connector_id,
	wanted, restarts, created_at, created_by, changed_at, changed_by, version`

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

func oneListener(rows pgx.Rows, err error) (Listener, error) {
	if err != nil {
		return Listener{}, fmt.Errorf("read a listener: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Listener])
	if errors.Is(err, pgx.ErrNoRows) {
		return Listener{}, problem.ErrNotFound
	}
	if err != nil {
		return Listener{}, fmt.Errorf("read a listener: %w", err)
	}
	return found, nil
}

func selectListeners(ctx context.Context, q querier) ([]Listener, error) {
	return allRows[Listener](q.Query(ctx, "select "+listenerColumns+" from proxy_listener order by lower(name)"))
}

func selectListener(ctx context.Context, q querier, id int64) (Listener, error) {
	return oneListener(q.Query(ctx, "select "+listenerColumns+" from proxy_listener where id = @id", pgx.NamedArgs{"id": id}))
}

func selectListenerByName(ctx context.Context, q querier, name string) (Listener, error) {
	return oneListener(q.Query(ctx, "select "+listenerColumns+" from proxy_listener where lower(name) = lower(@name)", pgx.NamedArgs{"name": name}))
}

// lockListeners returns all listeners and keeps others from changing any until the transaction ends: which
// ports are free depends on all of them.
func lockListeners(ctx context.Context, tx pgx.Tx) ([]Listener, error) {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('proxy_listener'))"); err != nil {
		return nil, fmt.Errorf("lock the listeners: %w", err)
	}
	return selectListeners(ctx, tx)
}

func listenerArgs(s Settings, by string) pgx.NamedArgs {
	return pgx.NamedArgs{
		"name": s.Name, "protocol": s.Protocol, "local_address": s.LocalAddress, "local_port": s.LocalPort,
		"local_security": s.LocalSecurity, "certificate_file": s.CertificateFile, "key_file": s.KeyFile,
		"allow_unsafe_address": s.AllowUnsafeAddress, "proxy_protocol": s.ProxyProtocol,
		"server_address": s.ServerAddress, "server_port": s.ServerPort, "server_security": s.ServerSecurity,
		"certificate_rule": s.CertificateRule, "certificate_fingerprint": s.CertificateFingerprint,
		"certificate_ca": s.CertificateCA, "use_network_connector": s.UseNetworkConnector,
		"network_connector_id": s.NetworkConnectorID, "by": by,
	}
}

func insertListener(ctx context.Context, tx pgx.Tx, s Settings, wanted Wanted, by string) (Listener, error) {
	args := listenerArgs(s, by)
	args["wanted"] = wanted
	stored, err := oneListener(tx.Query(ctx, `
		insert into proxy_listener (
			name, protocol, local_address, local_port, local_security, certificate_file, key_file,
			allow_unsafe_address, proxy_protocol, server_address, server_port, server_security,
			certificate_rule, certificate_fingerprint, certificate_ca, use_network_connector, network_connector_id,
			wanted, created_by, changed_by)
		values (
			@name, @protocol, @local_address, @local_port, @local_security, @certificate_file, @key_file,
			@allow_unsafe_address, @proxy_protocol, @server_address, @server_port, @server_security,
			@certificate_rule, @certificate_fingerprint, @certificate_ca, @use_network_connector, nullif(@network_connector_id, 0),
			@wanted, @by, @by)
		returning `+listenerColumns, args))
	return stored, listenerProblem(err, s)
}

func updateListener(ctx context.Context, tx pgx.Tx, id int64, s Settings, by string) (Listener, error) {
	args := listenerArgs(s, by)
	args["id"] = id
	stored, err := oneListener(tx.Query(ctx, `
		update proxy_listener
		set name = @name, protocol = @protocol, local_address = @local_address, local_port = @local_port,
			local_security = @local_security, certificate_file = @certificate_file, key_file = @key_file,
			allow_unsafe_address = @allow_unsafe_address, proxy_protocol = @proxy_protocol,
			server_address = @server_address, server_port = @server_port, server_security = @server_security,
			certificate_rule = @certificate_rule, certificate_fingerprint = @certificate_fingerprint,
			certificate_ca = @certificate_ca, use_network_connector = @use_network_connector,
			network_connector_id = nullif(@network_connector_id, 0),
			changed_at = now(), changed_by = @by, version = version + 1
		where id = @id
		returning `+listenerColumns, args))
	return stored, listenerProblem(err, s)
}

// updateWanted changes what people want of a listener. That is no change of its settings: an open form stays valid.
func updateWanted(ctx context.Context, tx pgx.Tx, id int64, wanted Wanted, restarts int) error {
	_, err := tx.Exec(ctx, `
		update proxy_listener
		set wanted = @wanted, restarts = restarts + @restarts
		where id = @id`, pgx.NamedArgs{"id": id, "wanted": wanted, "restarts": restarts})
	if err != nil {
		return fmt.Errorf("store what is wanted of listener %d: %w", id, err)
	}
	return nil
}

func deleteListener(ctx context.Context, tx pgx.Tx, l Listener) error {
	_, err := tx.Exec(ctx, "delete from proxy_listener where id = @id", pgx.NamedArgs{"id": l.ID})
	if postgres.Constraint(err) == "oauth_client_proxy_listener" {
		return problem.Refuse("An OAuth registration is for %s alone. Remove or change that registration first.", l.Name)
	}
	if err != nil {
		return fmt.Errorf("delete listener %d: %w", l.ID, err)
	}
	return nil
}

// The channels of LISTEN and NOTIFY.
const (
	changedChannel = "orbit_proxy_listener"
	eventChannel   = "orbit_proxy_event"
)

// tell wakes every process when the transaction commits.
func tell(ctx context.Context, tx pgx.Tx, channel string) error {
	if _, err := tx.Exec(ctx, "select pg_notify(@channel, '')", pgx.NamedArgs{"channel": channel}); err != nil {
		return fmt.Errorf("notify %s: %w", channel, err)
	}
	return nil
}

// listenerProblem turns the name of a violated constraint into a sentence beside the field.
func listenerProblem(err error, s Settings) error {
	switch postgres.Constraint(err) {
	case "proxy_listener_name_unique":
		return problem.Invalid{{Name: "name", Text: fmt.Sprintf("There is already a listener called %s; choose another name.", s.Name)}}
	case "proxy_listener_local_unique":
		return problem.Invalid{{Name: "local_port", Text: fmt.Sprintf("Another listener has %s; choose another port.", s.Local())}}
	case "proxy_listener_network_connector":
		return problem.Invalid{{Name: "network_connector_id", Text: "This network connector no longer exists; choose another one."}}
	}
	return err
}
