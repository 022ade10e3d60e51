package pgtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"orbit/internal/postgres/cluster"
)

// usualLinger is how long the cluster outlives its last user: the tests of the next package are often just
// being linked, and a person who repeats a test gets a warm cluster.
const usualLinger = 15 * time.Second

// These variables turn a test binary into the guard of a directory.
const (
	guardVariable  = "PGTEST_GUARD"
	lingerVariable = "PGTEST_LINGER"
)

// The guard is a test binary, started once more. It never comes back from init, so no test runs in it, and
// no package that uses pgtest needs a TestMain.
func init() {
	s := shared{dir: os.Getenv(guardVariable)}
	if s.dir == "" {
		return
	}
	var err error
	if s.linger, err = time.ParseDuration(os.Getenv(lingerVariable)); err == nil {
		err = guard(s)
	}
	if err != nil {
		_ = replaceFile(s.ready(), "error: "+err.Error()) // whom else could it tell?
		os.Exit(1)
	}
	os.Exit(0)
}

// guard runs the cluster until nobody uses it any more.
func guard(s shared) error {
	life, err := cluster.TryLock(s.guard(), fmt.Sprint(os.Getpid()))
	if err != nil {
		return fmt.Errorf("become the guard: %w", err)
	}
	defer life.Release()
	ctx := context.Background()
	if err := s.removeDead(ctx); err != nil {
		return err
	}
	c, err := s.open()
	if err != nil {
		return err
	}
	server, err := c.Start(ctx)
	if err != nil {
		return err
	}
	defer server.Stop()
	if err := replaceFile(s.ready(), "ok "+c.Socket()); err != nil {
		return err
	}
	return s.closeWhenUnused(server)
}

func (s shared) open() (*cluster.Cluster, error) {
	return cluster.Open(cluster.Options{Dir: s.cluster(), Log: slog.New(slog.DiscardHandler), Volatile: true})
}

// removeDead removes what a guard that was killed has left: it was never flushed. Its server may still be
// stopping, and would take away the socket of the next one.
func (s shared) removeDead(ctx context.Context) error {
	dead, err := s.open()
	if err != nil {
		return err
	}
	return dead.Destroy(ctx)
}

// closeWhenUnused looks twice a second whether any test binary holds the use lock, and removes the cluster
// when none has for a while.
func (s shared) closeWhenUnused(server *cluster.Server) error {
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	lastUse := time.Now()
	for {
		select {
		case <-server.Done():
			return errors.New("the PostgreSQL server of the tests ended by itself")
		case <-look.C:
		}
		closed, err := s.tryClose(time.Since(lastUse) > s.linger, server)
		switch {
		case errors.Is(err, cluster.ErrLocked):
			lastUse = time.Now()
		case err != nil, closed:
			return err
		}
	}
}

// tryClose returns ErrLocked while the cluster is used. It holds the door meanwhile: who joins then waits,
// and finds either a cluster that stays or none.
func (s shared) tryClose(enough bool, server *cluster.Server) (closed bool, err error) {
	door, err := cluster.TryLock(s.door(), "guard")
	if err != nil {
		return false, err
	}
	defer door.Release()
	use, err := cluster.TryLock(s.use(), "guard")
	if err != nil {
		return false, err
	}
	defer use.Release()
	if !enough {
		return false, nil
	}
	server.Stop()
	return true, errors.Join(os.RemoveAll(s.cluster()), os.Remove(s.ready()))
}
