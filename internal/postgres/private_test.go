package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
)

func TestAPrivateClusterKeepsItsDataFromStartToStart(t *testing.T) {
	t.Parallel()
	dir := pgtest.TempDir(t)
	cold := time.Now()
	db := start(t, dir)
	t.Logf("cold start: %v", time.Since(cold))
	if err := postgres.Migrate(t.Context(), db.Pool); err != nil {
		t.Fatal(err)
	}
	t.Logf("cold start with migrations: %v", time.Since(cold))
	execute(t, db, "create table kept as select 42 as answer")
	db.Close()

	warm := time.Now()
	db = start(t, dir)
	if err := postgres.Migrate(t.Context(), db.Pool); err != nil {
		t.Fatal(err)
	}
	t.Logf("warm start: %v", time.Since(warm))
	var answer int
	if err := db.Pool.QueryRow(t.Context(), "select answer from kept").Scan(&answer); err != nil || answer != 42 {
		t.Errorf("answer %d, error %v", answer, err)
	}
	assertSettings(t, db)
}

// assertSettings asks the server itself: nothing is lost in a power failure, and nobody comes in by network.
func assertSettings(t *testing.T, db *postgres.DB) {
	t.Helper()
	for name, want := range map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on",
		"listen_addresses": "", "server_encoding": "UTF8", "unix_socket_permissions": "0700",
		"application_name": "orbit", "statement_timeout": "1min",
	} {
		var got string
		if err := db.Pool.QueryRow(t.Context(), "select current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (error %v), want %q", name, got, err, want)
		}
	}
	var lower string
	if err := db.Pool.QueryRow(t.Context(), "select lower('ÁÇÃ')").Scan(&lower); err != nil || lower != "áçã" {
		t.Errorf("lower('ÁÇÃ') is %q (error %v): unique names would depend on case", lower, err)
	}
}

func TestOnlyOneServeUsesADataDirectory(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := start(t, dir)
	_, err := postgres.Start(t.Context(), options(t, dir))
	assertSays(t, err, "another `orbit serve`", strconv.Itoa(os.Getpid()), dir, "ORBIT_DATA_DIR")
	execute(t, first, "select 1")
}

func TestAServerThatDiesIsStartedAgain(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	db := start(t, dir)
	execute(t, db, "create table kept as select 42 as answer")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- db.Run(ctx) }()

	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT, syscall.SIGINT} {
		dead := serverPID(t, dir)
		if err := syscall.Kill(dead, signal); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a new server", func() bool {
			_, err := db.Pool.Exec(t.Context(), "select * from kept")
			return err == nil && serverPID(t, dir) != dead
		})
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	db.Close()
	if _, err := os.Stat(filepath.Join(dir, "postgres", "postmaster.pid")); !os.IsNotExist(err) {
		t.Errorf("the server still runs after Close (%v)", err)
	}
}

func TestCloseEndsRun(t *testing.T) {
	t.Parallel()
	db := start(t, dataDir(t))
	ended := make(chan error, 1)
	go func() { ended <- db.Run(context.Background()) }()
	execute(t, db, "select 1")
	db.Close()
	db.Close() // a second time changes nothing
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestAnInterruptedStartLeavesTheDirectoryFree(t *testing.T) {
	t.Parallel()
	dir := pgtest.TempDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		db, err := postgres.Start(ctx, options(t, dir))
		if err == nil {
			db.Close()
		}
		failed <- err
	}()
	eventually(t, "initdb at work", func() bool { return len(unfinished(t, dir)) > 0 })
	cancel()
	if err := <-failed; err == nil {
		t.Error("the start was not interrupted")
	}
	if left := unfinished(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	execute(t, start(t, dir), "select 1")
}

func unfinished(t *testing.T, dir string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "postgres.new-*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// serverPID reads the first line of the server's own file; 0 while there is none.
func serverPID(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return pid
}

// assertSays checks that an error tells an administrator each of these things.
func assertSays(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	t.Log(err)
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q has several lines", err)
	}
}
