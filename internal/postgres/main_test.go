package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
)

// A test binary that finds roleVariable plays an Orbit process of its own: one that can be killed.
const (
	roleVariable = "ORBIT_TEST_ROLE"
	dirVariable  = "ORBIT_TEST_DIR"
	urlVariable  = "ORBIT_TEST_URL"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(role); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	dir, remove, err := pgtest.MakeDir()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	seedDir = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := remove(); err != nil {
			fmt.Println(err)
		}
		os.Exit(code)
	}))
}

func play(role string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	options := postgres.Options{DataDir: os.Getenv(dirVariable), Log: slog.New(slog.DiscardHandler)}
	switch role {
	case "serve":
		return playOwner(ctx, options, postgres.Start)
	case "command":
		return playOwner(ctx, options, postgres.Attach)
	case "migrate":
		pool, err := postgres.NewPool(ctx, os.Getenv(urlVariable))
		if err != nil {
			return err
		}
		defer pool.Close()
		return postgres.Migrate(ctx, pool)
	default:
		return fmt.Errorf("unknown role %q", role)
	}
}

func playOwner(ctx context.Context, options postgres.Options, open func(context.Context, postgres.Options) (*postgres.DB, error)) error {
	db, err := open(ctx, options)
	if err != nil {
		return err
	}
	defer db.Close()
	fmt.Println("ready")
	return db.Run(ctx)
}

// orbit is a process of its own.
type orbit struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Reader
}

func startOrbit(t *testing.T, role string, environment ...string) *orbit {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(append(os.Environ(), roleVariable+"="+role), environment...)
	return launch(t, cmd)
}

func launch(t *testing.T, cmd *exec.Cmd) *orbit {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := &orbit{t: t, cmd: cmd, out: bufio.NewReader(out)}
	t.Cleanup(o.kill)
	return o
}

func (o *orbit) awaitReady() {
	o.t.Helper()
	line, err := o.out.ReadString('\n')
	if line != "ready\n" {
		o.t.Fatalf("the other process says %q (%v), want ready", line, err)
	}
}

// kill ends the process without giving it a chance to do anything. It may have ended already.
func (o *orbit) kill() {
	_ = o.cmd.Process.Kill()
	_ = o.cmd.Wait()
}

// stop asks the process to end and returns what it said.
func (o *orbit) stop() string {
	o.t.Helper()
	if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		o.t.Fatal(err)
	}
	return o.end()
}

func (o *orbit) end() string {
	o.t.Helper()
	rest, _ := io.ReadAll(o.out)
	if err := o.cmd.Wait(); err != nil {
		o.t.Errorf("the other process: %v: %s", err, rest)
	}
	return string(rest)
}

// dataDir returns a data directory in which a cluster was once created; copying is faster than initdb.
func dataDir(t *testing.T) string {
	t.Helper()
	from, err := seed()
	if err != nil {
		t.Fatal(err)
	}
	dir := pgtest.TempDir(t)
	if out, err := exec.Command("cp", "-a", from+"/.", dir).CombinedOutput(); err != nil {
		t.Fatalf("copy the seed: %v: %s", err, out)
	}
	return dir
}

// seedDir is set by TestMain, and filled by the first test that needs it.
var seedDir string

var seed = sync.OnceValues(func() (string, error) {
	db, err := postgres.Start(context.Background(), postgres.Options{DataDir: seedDir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", err
	}
	db.Close()
	return seedDir, nil
})

func options(t *testing.T, dir string) postgres.Options {
	return postgres.Options{DataDir: dir, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

// start opens the database of dir as serve does, until the test ends.
func start(t *testing.T, dir string) *postgres.DB {
	t.Helper()
	db, err := postgres.Start(t.Context(), options(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func execute(t *testing.T, db *postgres.DB, statement string) {
	t.Helper()
	if _, err := db.Pool.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// eventually looks until it is so, or fails the test.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	limit := time.After(time.Minute)
	for !so() {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
