package pgtest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres/cluster"
)

// ownShared is a shared directory that no other test uses, with a guard that goes at once.
func ownShared(t *testing.T) shared {
	t.Helper()
	if len(programs()) == 0 {
		t.Skip("this machine has no PostgreSQL server: install it with `" + cluster.InstallCommand() + "`")
	}
	return shared{dir: TempDir(t), linger: 0}
}

func mustJoin(t *testing.T, s shared) (use *cluster.Lock) {
	t.Helper()
	socket, use, err := s.join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), (&run{socket: socket}).url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return use
}

// awaitGone waits until the guard has ended and taken the cluster with it.
func awaitGone(t *testing.T, s shared) {
	t.Helper()
	life, err := cluster.AwaitLock(t.Context(), s.guard(), "test")
	if err != nil {
		t.Fatal(err)
	}
	life.Release()
	if _, err := os.Stat(s.cluster()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cluster is still there (%v)", err)
	}
}

func TestTheClusterGoesWithItsLastUser(t *testing.T) {
	t.Parallel()
	s := ownShared(t)
	first, second := mustJoin(t, s), mustJoin(t, s)
	server := serverPID(t, s)
	first.Release()
	if _, err := os.Stat(s.ready()); err != nil {
		t.Errorf("the cluster went before its last user: %v", err)
	}
	second.Release()
	awaitGone(t, s)
	if err := syscall.Kill(server, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the server %d still runs (%v)", server, err)
	}
	mustJoin(t, s).Release() // a new one comes when it is needed
	awaitGone(t, s)
}

func TestAGuardThatWasKilledIsReplaced(t *testing.T) {
	t.Parallel()
	s := ownShared(t)
	use := mustJoin(t, s)
	guard, err := strconv.Atoi(cluster.Holder(s.guard()))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(guard, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	use.Release()
	life, err := cluster.AwaitLock(t.Context(), s.guard(), "test")
	if err != nil {
		t.Fatal(err)
	}
	life.Release()
	mustJoin(t, s).Release()
	awaitGone(t, s)
}

func TestAClusterThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	if _, err := socketOf("error: the disk is full"); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("error %v, want what the guard says", err)
	}
}

func serverPID(t *testing.T, s shared) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.cluster(), "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
