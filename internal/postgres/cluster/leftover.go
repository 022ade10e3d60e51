package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clearLeftover ends the server that an earlier process left behind. The caller holds the directory's lock,
// so nobody uses that server: its Orbit was killed, and it is either ending (Linux) or abandoned (elsewhere).
func (c *Cluster) clearLeftover(ctx context.Context) error {
	pidFile := filepath.Join(c.data(), "postmaster.pid")
	pid, err := leftoverPID(pidFile)
	if err != nil || pid == 0 {
		return err
	}
	for _, attempt := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{syscall.SIGINT, stopPatience}, {syscall.SIGQUIT, killPatience}, {syscall.SIGKILL, killPatience}} {
		if !runsIn(pid, c.data()) {
			break
		}
		c.log.Info("stopping the PostgreSQL server that an earlier Orbit left behind", "pid", pid)
		_ = syscall.Kill(pid, attempt.signal) // it may have ended in this moment
		if err := c.awaitEnd(ctx, pid, attempt.patience); err != nil {
			return err
		}
	}
	// The server itself removes a file whose process is gone, but not one whose number another process has now.
	if err := os.Remove(pidFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return describeFile("remove", pidFile, err)
	}
	return nil
}

// leftoverPID reads the first line of postmaster.pid; 0 means that there is nothing to clear.
func leftoverPID(path string) (int, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, describeFile("read", path, err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 0 { // a crash can leave the file empty
		return 0, describeFile("remove", path, os.Remove(path))
	}
	return pid, nil
}

// awaitEnd waits until the process is gone; it is not our child, so there is only looking.
func (c *Cluster) awaitEnd(ctx context.Context, pid int, patience time.Duration) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for runsIn(pid, c.data()) {
		select {
		case <-look.C:
		case <-limit.C:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("wait for the PostgreSQL server %d to end: %w", pid, context.Cause(ctx))
		}
	}
	return nil
}
