package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres/cluster"
)

// A server that starts together with Orbit gets time.
const (
	startingUpPatience = 30 * time.Second
	startingUpLook     = 500 * time.Millisecond
)

// connect opens a pool to the administrator's server and checks that it can serve.
func connect(ctx context.Context, address string) (*pgxpool.Pool, error) {
	config, err := poolConfig(address)
	if err != nil {
		return nil, describeAddress(address, err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, describeConnect(config.ConnConfig, err)
	}
	if err := greet(ctx, pool); err != nil {
		pool.Close()
		return nil, describeConnect(config.ConnConfig, err)
	}
	return pool, nil
}

// greet makes the first connection, with patience for a server that starts together with Orbit.
func greet(ctx context.Context, pool *pgxpool.Pool) error {
	look := time.NewTicker(startingUpLook)
	defer look.Stop()
	limit := time.NewTimer(startingUpPatience)
	defer limit.Stop()
	for {
		err := pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return suitable(conn.Conn().PgConn()) })
		if code(err) != serverIsStartingUp {
			return err
		}
		select {
		case <-look.C:
		case <-limit.C:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// unsuitable is a server that answers but cannot be Orbit's.
type unsuitable string

func (u unsuitable) Error() string { return string(u) }

func suitable(conn *pgconn.PgConn) error {
	version := conn.ParameterStatus("server_version")
	major, err := cluster.ParseMajor(version)
	switch encoding := conn.ParameterStatus("server_encoding"); {
	case err != nil || major < cluster.MinMajor:
		return unsuitable(fmt.Sprintf("it is version %s, Orbit needs %d or newer", version, cluster.MinMajor))
	case encoding != "UTF8":
		return unsuitable(fmt.Sprintf("the database has encoding %s: create it with encoding UTF8", encoding))
	case conn.ParameterStatus("in_hot_standby") == "on":
		return unsuitable("it is a standby that accepts no changes: name the primary server in " + environmentVariable)
	}
	return nil
}
