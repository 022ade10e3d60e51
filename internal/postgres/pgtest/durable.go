package pgtest

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres"
	"orbit/internal/postgres/cluster"
)

// Durable returns a pool on a cluster of the benchmark's own that flushes each commit to a disk, unlike that of New.
// Both end with the test.
func Durable(t testing.TB) *pgxpool.Pool {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "orbit-bench-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Open(cluster.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Stop()
		_ = os.RemoveAll(dir)
	})
	pool, err := postgres.NewPool(context.Background(), c.ConnString("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if err := postgres.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	return pool
}
