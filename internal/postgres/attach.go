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
		var later notYet
		if !errors.As(err, &later) {
			return db, err
		}
		select {
		case <-look.C:
		case <-limit.C:
			return nil, p.noAnswer(later.reason)
		case <-ctx.Done():
			return nil, p.noAnswer(fmt.Errorf("%w, %w", context.Cause(ctx), later.reason))
		}
	}
}

// notYet says that there is an owner whose server cannot be used at this moment.
type notYet struct{ reason error }

func (n notYet) Error() string { return n.reason.Error() }

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
		return nil, notYet{errors.New("it is closing")}
	}
	if err != nil {
		return nil, err
	}
	pool, err := p.pool(ctx)
	if err != nil {
		use.Release()
		return nil, notYet{err}
	}
	p.use = use
	return &DB{Pool: pool, log: p.log, private: p}, nil
}

func (p *private) noAnswer(err error) error {
	_, pid := p.holder()
	return fmt.Errorf("the PostgreSQL server in %s does not answer: look into the log of the orbit process %s that runs it (%w)",
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
