package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres/cluster"
)

// role is what a process does with the data directory; the lock's note says it to others.
type role string

const (
	serve   role = "serve"
	command role = "command"
)

// private is this process's part in a private cluster.
type private struct {
	role    role
	cluster *cluster.Cluster
	log     *slog.Logger
	owner   *cluster.Lock // held: the server is ours
	use     *cluster.Lock // shared: the server is another process's, which waits for us

	mu      sync.Mutex // held while supervising, so that close meets no half-started server
	server  *cluster.Server
	closing chan struct{} // closed by close, to end supervise
}

func openCluster(options Options, as role) (*private, error) {
	c, err := cluster.Open(cluster.Options{Dir: options.DataDir, Log: options.Log})
	if err != nil {
		return nil, err
	}
	return &private{role: as, cluster: c, log: options.Log, closing: make(chan struct{})}, nil
}

// ownerFile is locked by the owner of the server.
func (p *private) ownerFile() string { return filepath.Join(p.cluster.Dir(), "lock") }

// useFile is shared by commands that use a server of another command.
func (p *private) useFile() string { return filepath.Join(p.cluster.Dir(), "use") }

// tryOwn takes the data directory, or says ErrLocked.
func (p *private) tryOwn() (err error) {
	p.owner, err = cluster.TryLock(p.ownerFile(), fmt.Sprintf("%s %d", p.role, os.Getpid()))
	return err
}

// holder reads who owns the data directory.
func (p *private) holder() (as role, pid string) {
	first, pid, _ := strings.Cut(cluster.Holder(p.ownerFile()), " ")
	return role(first), pid
}

// start brings up the server and a pool, as the owner.
func (p *private) start(ctx context.Context) (*DB, error) {
	var err error
	if p.server, err = p.cluster.Start(ctx); err != nil {
		p.owner.Release()
		return nil, err
	}
	pool, err := p.pool(ctx)
	if code(err) == noSuchDatabase { // a cluster that is new
		if err = p.createDatabase(ctx); err == nil {
			pool, err = p.pool(ctx)
		}
	}
	if err != nil {
		p.server.Stop()
		p.owner.Release()
		return nil, err
	}
	return &DB{Pool: pool, log: p.log, private: p}, nil
}

// database is Orbit's own in the private cluster; its owner alone creates it.
const database = "orbit"

func (p *private) pool(ctx context.Context) (*pgxpool.Pool, error) {
	pool, err := NewPool(ctx, p.cluster.ConnString(database))
	if err != nil {
		return nil, fmt.Errorf("connect to the private cluster: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the private cluster: %w", innermost(err))
	}
	return pool, nil
}

func (p *private) createDatabase(ctx context.Context) error {
	pool, err := NewPool(ctx, p.cluster.ConnString("postgres"))
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err = pool.Exec(ctx, "create database "+database); err != nil {
		return fmt.Errorf("create Orbit's database in the private cluster: %w", err)
	}
	return nil
}

func startPrivate(ctx context.Context, options Options) (*DB, error) {
	p, err := openCluster(options, serve)
	if err != nil {
		return nil, err
	}
	if err := p.awaitOwnership(ctx); err != nil {
		return nil, err
	}
	return p.start(ctx)
}

const lookAgain = 50 * time.Millisecond

// awaitOwnership waits for a command that uses the data directory, because commands end by themselves, and
// refuses to wait for another serve.
func (p *private) awaitOwnership(ctx context.Context) error {
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	told := ""
	for before := role(""); ; {
		err := p.tryOwn()
		if !errors.Is(err, cluster.ErrLocked) {
			return err
		}
		as, pid := p.holder()
		if as == serve && before == serve { // seen twice: the note is not one of an owner who was killed
			return fmt.Errorf("another `orbit serve`, process %s, uses the data directory %s: stop it, "+
				"or set ORBIT_DATA_DIR to another directory", pid, p.cluster.Dir())
		}
		if as == command && pid != told {
			told = pid
			p.log.Info("waiting for another orbit command that uses the data directory", "pid", pid, "directory", p.cluster.Dir())
		}
		before = as
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the data directory %s, used by process %s: %w", p.cluster.Dir(), pid, context.Cause(ctx))
		}
	}
}

// close ends this process's part.
func (p *private) close() {
	close(p.closing)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.use != nil {
		p.use.Release()
	}
	if p.owner == nil {
		return
	}
	if p.role == command {
		last := p.awaitLast()
		defer last.Release()
	}
	p.server.Stop()
	p.owner.Release()
}
