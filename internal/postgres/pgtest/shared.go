package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"orbit/internal/postgres/cluster"
)

// shared is the directory in which test binaries and guard meet. They agree by locks, not by process ids:
// the kernel gives a lock back whatever happens to its holder.
type shared struct {
	dir    string
	linger time.Duration
}

// door is held for a moment by whoever joins or closes the cluster, so that nobody joins a closing one.
func (s shared) door() string { return filepath.Join(s.dir, "door") }

// use is shared by every test binary until it ends.
func (s shared) use() string { return filepath.Join(s.dir, "use") }

// guard is held by the guard while it lives; when it is free, the cluster beside it is dead.
func (s shared) guard() string { return filepath.Join(s.dir, "guard") }

// draft is held while a binary builds the template.
func (s shared) draft() string { return filepath.Join(s.dir, "draft") }

// ready is written by the guard: "ok" and the socket, or what went wrong.
func (s shared) ready() string { return filepath.Join(s.dir, "ready") }

func (s shared) cluster() string { return filepath.Join(s.dir, "cluster") }

// memory is a file system in memory, where Linux has one. A database is 300 files, and copying them takes
// 10 ms there, but 50 to 300 ms on the disk of a small machine.
const memory = "/dev/shm"

// enoughMemory leaves room for many databases at once; containers often allow only 64 MB.
const enoughMemory = 1 << 30

func baseDir() string {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(memory, &disk); err != nil || disk.Bavail*uint64(disk.Bsize) < enoughMemory {
		return os.TempDir()
	}
	if info, err := os.Stat(memory); err != nil || info.Mode().Perm() != 0o777 {
		return os.TempDir()
	}
	return memory
}

// passable lets the server's user, who is not root, pass through without looking around.
const passable = 0o711

// openShared finds or creates the directory of this user and PostgreSQL version.
func openShared(programs cluster.Programs) (shared, error) {
	name := fmt.Sprintf("orbit-pgtest-%d-%d", os.Geteuid(), programs.Major)
	dir := filepath.Join(baseDir(), name)
	if err := os.Mkdir(dir, passable); err != nil && !errors.Is(err, fs.ErrExist) {
		return shared{}, err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return shared{}, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || ok && int(stat.Uid) != os.Geteuid() {
		return shared{}, fmt.Errorf("%s belongs to somebody else: set TMPDIR to another directory", dir)
	}
	return shared{dir: dir, linger: usualLinger}, nil
}

// join registers this process as a user of the cluster until it ends, and returns the cluster's socket. The
// caller keeps the lock: a file that nobody refers to is closed by the garbage collector.
func (s shared) join(ctx context.Context) (socket string, use *cluster.Lock, err error) {
	door, err := cluster.AwaitLock(ctx, s.door(), "test")
	if err != nil {
		return "", nil, err
	}
	defer door.Release()
	use, err = cluster.TryShare(s.use())
	if err != nil {
		return "", nil, err
	}
	if err := s.ensureGuard(); err != nil {
		return "", nil, err
	}
	socket, err = s.awaitReady(ctx)
	return socket, use, err
}

// ensureGuard starts a guard unless one lives.
func (s shared) ensureGuard() error {
	life, err := cluster.TryLock(s.guard(), "test")
	if errors.Is(err, cluster.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	life.Release()
	if err := os.RemoveAll(s.ready()); err != nil { // what a guard that was killed has said
		return err
	}
	return s.startGuard()
}

// startGuard detaches the guard: it outlives this process and its terminal, and holds none of its files,
// for which `go test` would wait.
func (s shared) startGuard() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), guardVariable+"="+s.dir, lingerVariable+"="+s.linger.String())
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the guard of the test cluster: %w", err)
	}
	return cmd.Process.Release() // a goroutine that waits would look like a leak to the tests of others
}

func (s shared) awaitReady(ctx context.Context) (socket string, err error) {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		text, err := os.ReadFile(s.ready())
		if err == nil {
			return socketOf(string(text))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return "", fmt.Errorf("wait for the test cluster in %s: %w", s.dir, context.Cause(ctx))
		}
	}
}

func socketOf(ready string) (string, error) {
	socket, ok := strings.CutPrefix(ready, "ok ")
	if !ok {
		return "", fmt.Errorf("the test cluster did not start: %s", ready)
	}
	return socket, nil
}

// replaceFile writes a file that others see complete or not at all.
func replaceFile(path, content string) error {
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
