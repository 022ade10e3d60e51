// Package postgres gives Orbit its database: a pool of connections to a server of the administrator's, or to
// a private cluster that lives and dies with Orbit; the schema; and what features need for transactions.
//
// A private cluster has one owner at a time, the process that holds the lock in the data directory: `serve`
// as long as it runs, else the first of the other commands. Commands that come meanwhile use the owner's
// server through its socket.
package postgres

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Options say which database to use.
type Options struct {
	URL     string       // a PostgreSQL server; empty: a private cluster in DataDir
	DataDir string       // where the private cluster lives
	Log     *slog.Logger // default: slog.Default
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// DB is a database in use.
type DB struct {
	Pool *pgxpool.Pool

	log     *slog.Logger
	private *private // nil: the server is not ours
	close   sync.Once
}

// Start opens the database for `serve`: with a private cluster, this process becomes the owner of the data
// directory, or learns which one is. The caller runs DB.Run, and calls Close after it.
func Start(ctx context.Context, options Options) (*DB, error) {
	return open(ctx, options, startPrivate)
}

// Attach opens the database for any other command: with a private cluster, it uses the server of the running
// owner, or owns one until Close.
func Attach(ctx context.Context, options Options) (*DB, error) {
	return open(ctx, options, attachPrivate)
}

func open(ctx context.Context, options Options, openPrivate func(context.Context, Options) (*DB, error)) (*DB, error) {
	options = options.withDefaults()
	switch {
	case options.URL == "" && options.DataDir == "":
		return nil, errors.New("no database: set ORBIT_DATABASE_URL or ORBIT_DATA_DIR")
	case options.URL == "":
		return openPrivate(ctx, options)
	}
	pool, err := connect(ctx, options.URL)
	if err != nil {
		return nil, err
	}
	return &DB{Pool: pool, log: options.Log}, nil
}

// Run starts the private server again whenever it dies, until ctx ends. The server itself lives on until
// Close, because what ends together with Run still has things to write.
func (db *DB) Run(ctx context.Context) error {
	if db.private == nil {
		<-ctx.Done()
		return nil
	}
	return db.private.supervise(ctx, db.Pool.Reset)
}

// closePatience is for connections that somebody forgot to give back.
const closePatience = 10 * time.Second

// Close gives up all connections and stops the private server, if it is ours. It may be called twice.
func (db *DB) Close() {
	db.close.Do(func() {
		db.closePool()
		if db.private != nil {
			db.private.close()
		}
	})
}

func (db *DB) closePool() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		db.Pool.Close()
	}()
	timer := time.NewTimer(closePatience)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
		db.log.Warn("database connections are still in use, closing anyway", "in_use", db.Pool.Stat().AcquiredConns())
	}
}
