package pgtest_test

import (
	"testing"
	"time"

	"orbit/internal/postgres/pgtest"
)

func TestEachTestHasItsOwnMigratedDatabase(t *testing.T) {
	t.Parallel()
	first, second := pgtest.New(t), pgtest.New(t)
	if _, err := first.Exec(t.Context(), "insert into system_parameter (name, value) values ('a', '1')"); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := second.QueryRow(t.Context(), "select count(*) from system_parameter").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != 0 {
		t.Errorf("the other database has %d rows, want none", n)
	}
}

func TestAnEmptyDatabaseHasNoSchema(t *testing.T) {
	t.Parallel()
	pool := pgtest.Open(t, pgtest.EmptyURL(t))
	var n int
	err := pool.QueryRow(t.Context(), "select count(*) from information_schema.tables where table_schema = 'public'").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	if n != 0 {
		t.Errorf("%d tables, want none", n)
	}
}

func TestANewDatabaseIsCheap(t *testing.T) {
	pgtest.New(t) // the first may start the cluster
	best := time.Hour
	for range 5 { // the best of five: other tests share the machine
		start := time.Now()
		pgtest.New(t)
		best = min(best, time.Since(start))
	}
	t.Logf("a database costs %v", best)
	if best > 250*time.Millisecond {
		t.Errorf("a database costs %v", best)
	}
}
