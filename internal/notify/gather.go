package notify

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
)

const (
	maxPosting = 256 // events that wait for a transaction; who comes then waits at the door
	maxGather  = 64  // events in one transaction
	gatherTime = 30 * time.Second
	gatherRest = time.Millisecond // in which others come
	gatherers  = 3                // transactions at a time: while one waits for the disk, another one fills
)

// gatherer lets events that come at the same time share a transaction: while some commit, the next ones gather.
// Whoever finds room for another transaction makes it, for all that wait.
type gatherer struct {
	queue chan *posting
	busy  chan struct{} // holds a token for each transaction that runs
}

// add stores an event together with those that wait, and returns when its transaction has ended.
func (g *gatherer) add(ctx context.Context, s *Service, p *posting) (Accepted, error) {
	select {
	case g.queue <- p:
	case <-ctx.Done():
		return Accepted{}, ctx.Err()
	}
	g.drive(ctx, s)
	select {
	case <-p.done:
		return p.accepted, p.err
	case <-ctx.Done():
		return Accepted{}, ctx.Err()
	}
}

// drive makes transactions until nobody waits, as far as there are not enough of them already. Each of those looks
// again after it has given its place back, so nothing is left behind. The work is for others too: it goes on when
// the request that drives has ended.
func (g *gatherer) drive(ctx context.Context, s *Service) {
	for len(g.queue) > 0 {
		select {
		case g.busy <- struct{}{}:
			go g.work(context.WithoutCancel(ctx), s)
		default:
			return
		}
		if len(g.queue) < maxGather {
			return
		}
	}
}

// work makes one transaction after the other while somebody waits.
func (g *gatherer) work(ctx context.Context, s *Service) {
	for batch := g.take(); len(batch) > 0; batch = g.take() {
		within, cancel := context.WithTimeout(ctx, gatherTime)
		s.storeBatch(within, batch)
		cancel()
		pause(ctx, nil, gatherRest)
	}
	<-g.busy
	g.drive(ctx, s)
}

func (g *gatherer) take() []*posting {
	var batch []*posting
	for len(batch) < maxGather {
		select {
		case p := <-g.queue:
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

// storeBatch commits a batch. When that fails each event has a transaction of its own, so that one that cannot
// be stored does not take others with it.
func (s *Service) storeBatch(ctx context.Context, batch []*posting) {
	err := s.commit(ctx, batch)
	if err != nil && len(batch) > 1 {
		for _, p := range batch {
			s.storeBatch(ctx, []*posting{p})
		}
		return
	}
	for _, p := range batch {
		if err != nil {
			p.err = err
		}
		if p.err == nil && !p.accepted.Duplicate {
			s.counts.events.Add(1)
		}
		close(p.done)
	}
}

func (s *Service) commit(ctx context.Context, batch []*posting) error {
	for _, p := range batch {
		p.accepted, p.err = Accepted{}, nil
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error { return s.store(ctx, tx, batch) })
}
