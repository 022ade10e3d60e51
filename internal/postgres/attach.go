package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orbit/internal/postgres/cluster"
)

// attachPatience is how long a command waits for the owner's server: the owner may be creating it, or
// starting it again.
const attachPatience = 30 * time.Second

func attachPrivate(ctx context.Context, options Options) (*DB, error) {
	p, err := openCluster(options, command)
	if err != nil {
		return nil, err
	}
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	limit := time.NewTimer(attachPatience)
	defer limit.Stop()
	for {
		db, err := p.attachOrStart(ctx)
		if err == nil || !errors.Is(err, errNotYet) {
			return db, err
		}
		select {
		case <-look.C:
		case <-limit.C:
			return nil, p.noAnswer(err)
		case <-ctx.Done():
			return nil, p.noAnswer(context.Cause(ctx))
		}
	}
}

// errNotYet says that there is an owner whose server cannot be used at this moment.
var errNotYet = errors.New("not yet")

func (p *private) attachOrStart(ctx context.Context) (*DB, error) {
	err := p.tryOwn()
	if err == nil {
		return p.start(ctx)
	}
	if !errors.Is(err, cluster.ErrLocked) {
		return nil, err
	}
	use, err := cluster.TryShare(p.useFile())
	if errors.Is(err, cluster.ErrLocked) {
		return nil, fmt.Errorf("%w: its owner is closing it", errNotYet)
	}
	if err != nil {
		return nil, err
	}
	pool, err := p.pool(ctx)
	if err != nil {
		use.Release()
		return nil, fmt.Errorf("%w: %w", errNotYet, err)
	}
	p.use = use
	return &DB{Pool: pool, log: p.log, private: p}, nil
}

func (p *private) noAnswer(err error) error {
	_, pid := p.holder()
	return fmt.Errorf("the PostgreSQL server in %s does not answer, its orbit process is %s: look into that process's log (%w)",
		p.cluster.Dir(), pid, err)
}

// awaitLast waits until no other command uses the server of this one. Whoever wants to join meanwhile waits
// until the server has been stopped, and then owns one.
func (p *private) awaitLast() *cluster.Lock {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	slow := time.AfterFunc(time.Second, func() {
		p.log.Info("waiting for another orbit command that uses the database of this one", "directory", p.cluster.Dir())
	})
	defer slow.Stop()
	last, err := cluster.AwaitLock(ctx, p.useFile(), string(command))
	if err != nil { // the file cannot be locked at all: nobody else could either
		p.log.Warn("closing the private cluster without asking other commands", "error", err)
		return nil
	}
	return last
}
