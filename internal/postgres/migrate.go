package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"orbit/migrations"
)

// migrationLock is the advisory lock under which only one process at a time changes the schema.
const migrationLock = 0x6f72626974 // "orbit"

// ErrNewerDatabase says that a newer Orbit has already changed the schema.
var ErrNewerDatabase = errors.New("the database belongs to a newer Orbit")

// Migrate brings the schema up to date. Processes that start together wait for each other.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	return migrate(ctx, pool, migrations.FS)
}

func migrate(ctx context.Context, pool *pgxpool.Pool, files fs.FS) error {
	// Connections of their own: a migration may take longer than any statement of the pool, and a lost
	// connection gives the lock back.
	config := pool.Config().ConnConfig.Copy()
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	config.RuntimeParams["application_name"] = "orbit migrate"
	db := stdlib.OpenDB(*config)
	defer db.Close()

	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	defer lock.Close()
	if _, err := lock.ExecContext(ctx, "select pg_advisory_lock($1)", migrationLock); err != nil {
		return fmt.Errorf("wait for another process that migrates: %w", err)
	}
	if err = up(ctx, db, files); err == nil {
		err = upRiver(ctx, pool)
	}
	if code(err) == insufficientRights {
		return fmt.Errorf("the database user may not change the schema: make it the owner of the database, "+
			"or grant it create on schema public (%w)", err)
	}
	return err
}

func up(ctx context.Context, db *sql.DB, files fs.FS) error {
	// Numbers are given where the work begins and land where it ends, so a lower one may come after a higher one.
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithAllowOutofOrder(true),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if current > known {
		return fmt.Errorf("%w: its schema has version %d, this program knows %d; install the newer Orbit again, "+
			"or restore a backup that was made before the update", ErrNewerDatabase, current, known)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the schema from version %d to %d: %w", current, known, err)
	}
	return nil
}

// upRiver brings the tables of the job queue up to date, under the same lock.
func upRiver(ctx context.Context, pool *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return fmt.Errorf("read the migrations of the job queue: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	return nil
}
