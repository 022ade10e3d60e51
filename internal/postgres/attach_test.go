package postgres_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"orbit/internal/postgres"
	"orbit/internal/postgres/cluster"
	"orbit/internal/postgres/pgtest"
)

func attach(t *testing.T, dir string) *postgres.DB {
	t.Helper()
	db, err := postgres.Attach(t.Context(), options(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func TestACommandUsesTheServerOfServe(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	serving := start(t, dir)
	server := serverPID(t, dir)
	command := attach(t, dir)
	execute(t, command, "create table kept as select 42 as answer")
	command.Close()
	execute(t, serving, "select * from kept")
	if now := serverPID(t, dir); now != server {
		t.Errorf("the server was %d and is %d", server, now)
	}
}

func TestACommandAloneRunsAServerWhileItLasts(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	command := attach(t, dir)
	execute(t, command, "create table kept as select 42 as answer")
	command.Close()
	if pid := serverPID(t, dir); pid != 0 {
		t.Errorf("server %d still runs", pid)
	}
}

func TestACommandWaitsForAnotherThatUsesItsServer(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := attach(t, dir)
	second := attach(t, dir)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		first.Close()
	}()
	execute(t, second, "create table kept as select 42 as answer")
	select {
	case <-closed:
		t.Error("the first command stopped the server under the second")
	default:
	}
	second.Close()
	<-closed
	execute(t, attach(t, dir), "select * from kept")
}

func TestServeWaitsForACommand(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	command := attach(t, dir)
	type result struct {
		db  *postgres.DB
		err error
	}
	started := make(chan result, 1)
	go func() {
		db, err := postgres.Start(context.WithoutCancel(t.Context()), options(t, dir))
		started <- result{db, err}
	}()
	execute(t, command, "select 1")
	command.Close()
	r := <-started
	if r.err != nil {
		t.Fatal(r.err)
	}
	defer r.db.Close()
	execute(t, r.db, "select 1")
}

func TestACommandNamesTheOwnerWhoseServerDoesNotAnswer(t *testing.T) {
	t.Parallel()
	dir := pgtest.TempDir(t)
	owner, err := cluster.TryLock(filepath.Join(dir, "lock"), "serve 4711")
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = postgres.Attach(ctx, options(t, dir))
	assertSays(t, err, "does not answer", "orbit process 4711", dir)
}

func TestManyCommandsAtOnceOnANewDirectory(t *testing.T) {
	t.Parallel()
	dir := pgtest.TempDir(t)
	const commands = 4
	failed := make(chan error, commands)
	for range commands {
		go func() {
			db, err := postgres.Attach(context.WithoutCancel(t.Context()), options(t, dir))
			if err == nil {
				_, err = db.Pool.Exec(context.Background(), "select 1")
				db.Close()
			}
			failed <- err
		}()
	}
	for range commands {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}
