package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
)

// numbered makes migrations 1 to n; each fails when it runs twice.
func numbered(n int) fs.FS {
	files := fstest.MapFS{}
	for i := 1; i <= n; i++ {
		sql := fmt.Sprintf("-- +goose Up\ncreate table t%d (id bigint);\n", i)
		files[fmt.Sprintf("%04d_step.sql", i)] = &fstest.MapFile{Data: []byte(sql)}
	}
	return files
}

func TestProcessesThatStartTogetherMigrateOnce(t *testing.T) {
	t.Parallel()
	address := pgtest.EmptyURL(t)
	var processes []*orbit
	for range 3 {
		processes = append(processes, startOrbit(t, "migrate", urlVariable+"="+address))
	}
	for _, p := range processes {
		p.end()
	}
	if err := postgres.Migrate(t.Context(), pgtest.Open(t, address)); err != nil {
		t.Errorf("migrate once more: %v", err)
	}
}

func TestMigrateGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	pool := pgtest.Open(t, pgtest.EmptyURL(t))
	for _, n := range []int{2, 2, 4} {
		if err := postgres.MigrateFiles(t.Context(), pool, numbered(n)); err != nil {
			t.Fatalf("to version %d: %v", n, err)
		}
	}
	if _, err := pool.Exec(t.Context(), "select from t1, t2, t3, t4"); err != nil {
		t.Error(err)
	}
}

func TestAMigrationThatLandsLateIsMadeUpFor(t *testing.T) {
	t.Parallel()
	pool := pgtest.Open(t, pgtest.EmptyURL(t))
	early := numbered(4).(fstest.MapFS)
	delete(early, "0003_step.sql")
	for _, files := range []fs.FS{early, numbered(4), numbered(4)} {
		if err := postgres.MigrateFiles(t.Context(), pool, files); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pool.Exec(t.Context(), "select from t1, t2, t3, t4"); err != nil {
		t.Error(err)
	}
	assertSays(t, postgres.MigrateFiles(t.Context(), pool, numbered(3)), "newer Orbit")
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.Open(t, pgtest.EmptyURL(t))
	files := numbered(1).(fstest.MapFS)
	files["0002_broken.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table t2 (id bigint);\nselect nonsense;\n")}
	err := postgres.MigrateFiles(t.Context(), pool, files)
	assertSays(t, err, "from version 0 to 2", "nonsense")
	if err := postgres.MigrateFiles(t.Context(), pool, numbered(2)); err != nil {
		t.Errorf("after the correction: %v", err)
	}
}

func TestADatabaseOfANewerOrbitIsLeftAlone(t *testing.T) {
	t.Parallel()
	pool := pgtest.Open(t, pgtest.EmptyURL(t))
	if err := postgres.MigrateFiles(t.Context(), pool, numbered(3)); err != nil {
		t.Fatal(err)
	}
	err := postgres.MigrateFiles(t.Context(), pool, numbered(2))
	assertSays(t, err, "newer Orbit", "version 3", "knows 2", "restore a backup")
	if !errors.Is(err, postgres.ErrNewerDatabase) {
		t.Error("the error is not ErrNewerDatabase")
	}
}

func TestAUserWithoutRightsIsToldWhatToGrant(t *testing.T) {
	t.Parallel()
	pool := pgtest.Open(t, pgtest.EmptyURL(t))
	if _, err := pool.Exec(t.Context(), "create role visitor_of_tests"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := pool.Exec(context.Background(), "drop role visitor_of_tests"); err != nil {
			t.Error(err)
		}
	})
	config := pool.Config()
	config.ConnConfig.RuntimeParams["role"] = "visitor_of_tests"
	visitor, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer visitor.Close()
	err = postgres.MigrateFiles(t.Context(), visitor, numbered(1))
	assertSays(t, err, "make it the owner of the database", "grant")
}
