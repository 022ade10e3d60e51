package postgres_test

import (
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
)

func TestAKilledOrbitLeavesNothingInTheWay(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	for _, role := range []string{"serve", "command", "serve"} {
		other := startOrbit(t, role, dirVariable+"="+dir)
		other.awaitReady()
		other.kill()
	}
	db := start(t, dir) // at once: its server may still be stopping
	execute(t, db, "select 1")
}

func TestAnOrbitKilledWhileItCreatesTheClusterLeavesNothingInTheWay(t *testing.T) {
	t.Parallel()
	dir := pgtest.TempDir(t)
	other := startOrbit(t, "serve", dirVariable+"="+dir)
	eventually(t, "initdb at work", func() bool { return len(unfinished(t, dir)) > 0 })
	other.kill()
	execute(t, start(t, dir), "select 1")
	if left := unfinished(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// In a container, the number of the server that was killed soon belongs to another process.
func TestAProcessNumberThatIsUsedAgainIsNotInTheWay(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	start(t, dir).Close()
	for _, content := range []string{strconv.Itoa(os.Getpid()) + "\n", ""} {
		if err := os.WriteFile(filepath.Join(dir, "postgres", "postmaster.pid"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		db := start(t, dir)
		execute(t, db, "select 1")
		db.Close()
	}
}

// A server whose Orbit was killed where the kernel does not watch parents runs on.
func TestAServerLeftRunningIsStopped(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	db := start(t, dir)
	execute(t, db, "create table kept as select 42 as answer")
	releaseOwnership(t, dir)
	next := start(t, dir)
	execute(t, next, "select * from kept")
}

// releaseOwnership takes the lock file away under the running owner, as if that owner were gone.
func releaseOwnership(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
}

func TestANormalUserRunsACluster(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("the other tests already run as a normal user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("this machine has no user nobody: " + err.Error())
	}
	uid, gid := number(t, nobody.Uid), number(t, nobody.Gid)
	place := pgtest.TempDir(t)
	dir := filepath.Join(place, "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(copyOfSelf(t, place))
	cmd.Env = append(os.Environ(), roleVariable+"=serve", dirVariable+"="+dir, "HOME=/")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	other := launch(t, cmd)
	other.awaitReady()
	other.stop()

	_, err = postgres.Start(t.Context(), options(t, dir))
	assertSays(t, err, "postgres", "chmod")
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Start(t.Context(), options(t, dir))
	assertSays(t, err, "belongs to user nobody", "as user postgres", "ORBIT_DATA_DIR")
}

// copyOfSelf puts the test binary where others may start it.
func copyOfSelf(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(dir, "orbit.test")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
