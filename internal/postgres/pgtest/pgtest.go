// Package pgtest gives each test a PostgreSQL database of its own, with Orbit's schema.
//
// The test binaries of one `go test ./...` share a private cluster, found under a well-known name in
// memory or in the directory for temporary files. A small process of its own, the guard, keeps it, because
// no test binary lives as long as the run: it starts the cluster for the first binary, and removes it when
// none has used it for a while. The schema is migrated once into a template, and each test gets a copy.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres"
	"orbit/internal/postgres/cluster"
)

// maxConnections of one test's pool; the cluster accepts 300 in all.
const maxConnections = 8

// patience with anything that happens on a loaded machine.
const patience = 2 * time.Minute

// New returns a pool of connections to a migrated database that nobody else uses. Both end with the test.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return Open(t, URL(t))
}

// URL returns the address of a migrated database that nobody else uses. It ends with the test.
func URL(t testing.TB) string {
	t.Helper()
	r := join(t)
	template, err := r.template()
	if err != nil {
		t.Fatalf("pgtest: build the template: %v", err)
	}
	return r.copy(t, template)
}

// EmptyURL returns the address of a database without a schema. It ends with the test.
func EmptyURL(t testing.TB) string {
	t.Helper()
	return join(t).copy(t, "template0")
}

// Open returns a small pool for an address that URL or EmptyURL gave. It ends with the test.
func Open(t testing.TB, address string) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.NewPool(context.Background(), fmt.Sprintf("%s&pool_max_conns=%d", address, maxConnections))
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// TempDir returns a directory, in memory where there is room, for a private cluster of the test's own: unlike
// t.TempDir, the server's user may enter it when tests run as root. It ends with the test.
func TempDir(t testing.TB) string {
	t.Helper()
	dir, remove, err := MakeDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remove(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// MakeDir is TempDir for what several tests share.
func MakeDir() (dir string, remove func() error, err error) {
	dir, err = os.MkdirTemp(baseDir(), "orbit-test-")
	if err != nil {
		return "", nil, err
	}
	return dir, func() error { return os.RemoveAll(dir) }, os.Chmod(dir, passable)
}

// run is this test binary's view of the shared cluster.
type run struct {
	shared   shared
	use      *cluster.Lock // held until this process ends
	socket   string
	strategy string // how a template is copied
	template func() (string, error)
	number   atomic.Int64

	mu    sync.Mutex
	admin *pgx.Conn // a pool would keep a goroutine, which leak tests of others would find
}

var (
	programs = sync.OnceValue(cluster.Find) // it starts programs to ask their version
	theRun   = sync.OnceValues(startRun)
)

func join(t testing.TB) *run {
	t.Helper()
	if len(programs()) == 0 {
		t.Skip("pgtest: this machine has no PostgreSQL server: install it with `" + cluster.InstallCommand() + "`")
	}
	r, err := theRun()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return r
}

func startRun() (*run, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	newest := programs()[0]
	s, err := openShared(newest)
	if err != nil {
		return nil, err
	}
	r := &run{shared: s}
	if newest.Major >= 15 {
		r.strategy = " strategy file_copy" // older ones know no other; without fsync it is the faster one
	}
	r.template = sync.OnceValues(r.buildTemplate)
	r.socket, r.use, err = s.join(ctx)
	if err != nil {
		return nil, err
	}
	r.admin, err = pgx.Connect(ctx, r.url("postgres"))
	return r, err
}

func (r *run) url(database string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&user=%s", database, url.QueryEscape(r.socket), cluster.User)
}

// copy makes a database from a template; its name tells which process made it.
func (r *run) copy(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), r.number.Add(1))
	if err := r.execNow("create database %s template %s"+r.strategy, name, template); err != nil {
		t.Fatalf("pgtest: create a database: %v", err)
	}
	t.Cleanup(func() {
		if err := r.execNow("drop database %s with (force)", name); err != nil {
			t.Errorf("pgtest: drop database %s: %v", name, err)
		}
	})
	return r.url(name)
}

// execNow is exec for what must happen even when the test's context has ended.
func (r *run) execNow(statement string, identifiers ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return r.exec(ctx, statement, identifiers...)
}

// exec runs a statement with identifiers, which cannot be parameters.
func (r *run) exec(ctx context.Context, statement string, identifiers ...string) error {
	quoted := make([]any, len(identifiers))
	for i, identifier := range identifiers {
		quoted[i] = pgx.Identifier{identifier}.Sanitize()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.admin.Exec(ctx, fmt.Sprintf(statement, quoted...))
	return err
}
