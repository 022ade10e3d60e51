package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Defaults of every connection; a value in the database URL wins.
const (
	maxConnections = 16
	connectTimeout = 10 * time.Second
)

var runtimeParameters = map[string]string{
	"application_name":                    "orbit",
	"statement_timeout":                   "60s", // no page and no worker waits longer; migrations lift it
	"idle_in_transaction_session_timeout": "120s",
}

// NewPool connects to a server by URL or key=value string, with Orbit's defaults.
func NewPool(ctx context.Context, conn string) (*pgxpool.Pool, error) {
	config, err := poolConfig(conn)
	if err != nil {
		return nil, err
	}
	return pgxpool.NewWithConfig(ctx, config)
}

func poolConfig(conn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(conn)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(conn, "pool_max_conns") {
		config.MaxConns = maxConnections
	}
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		registerTexts(conn)
		return nil
	}
	config.MaxConnIdleTime = 5 * time.Minute
	config.MaxConnLifetimeJitter = 5 * time.Minute
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	for name, value := range runtimeParameters {
		if _, given := config.ConnConfig.RuntimeParams[name]; !given {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	return config, nil
}
