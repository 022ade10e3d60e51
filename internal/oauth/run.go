package oauth

import (
	"context"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	longestRest  = 15 * time.Second // between looks at what another process may have written
	housekeeping = time.Hour
	atOnce       = 32 // refreshes; a provider that hangs must not hold up the others
)

// Run refreshes tokens before anybody waits for them, polls device flows, warns of what expires and clears
// away what is over. Every process runs it; what there is to do is done by one of them. It returns when ctx
// has ended and so has every request that was begun, because one that is cut off may cost a refresh token.
func (s *Service) Run(ctx context.Context) error {
	defer s.work.stop()
	var group errgroup.Group
	group.Go(func() error { return s.every(ctx, nil, s.refreshDue) })
	group.Go(func() error { return s.every(ctx, s.wake, s.pollDue) })
	group.Go(func() error { return s.every(ctx, nil, s.keepHouse) })
	return group.Wait()
}

// every does something, rests as long as it says, and does it again, until ctx ends.
func (s *Service) every(ctx context.Context, wake <-chan struct{}, do func(context.Context) time.Duration) error {
	for {
		timer := time.NewTimer(jitter(do(ctx)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// jitter spreads processes that were started together.
func jitter(rest time.Duration) time.Duration {
	return rest + time.Duration(rand.Int64N(int64(rest)/4+1))
}

func (s *Service) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// refreshDue renews the tokens that are in the last part of their life. Failures are stored with the grant.
func (s *Service) refreshDue(ctx context.Context) time.Duration {
	due, err := dueGrants(ctx, s.pool, s.now(), 4*atOnce)
	if err != nil {
		s.logUnlessEnded(ctx, "find tokens to refresh", err)
		return longestRest
	}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, address := range due {
		group.Go(func() error {
			_, err := s.fly(ctx, address, wanted{early: true})
			s.logUnlessEnded(ctx, "refresh a token in the background", err)
			return nil
		})
	}
	_ = group.Wait() // its functions return no errors
	if len(due) == 4*atOnce {
		return time.Second
	}
	return longestRest
}

// pollDue polls device flows and rests until the next one's turn.
func (s *Service) pollDue(ctx context.Context) time.Duration {
	next, err := s.pollDevices(ctx)
	if err != nil {
		s.logUnlessEnded(ctx, "poll device flows", err)
		return longestRest
	}
	if next.IsZero() {
		return longestRest
	}
	return min(max(next.Sub(s.now()), 100*time.Millisecond), longestRest)
}

func (s *Service) keepHouse(ctx context.Context) time.Duration {
	s.logUnlessEnded(ctx, "warn of what expires", s.warnExpiring(ctx))
	s.logUnlessEnded(ctx, "clear away old authorisations", sweep(ctx, s.pool, s.now().Add(-linkTime)))
	return housekeeping
}

func (s *Service) logUnlessEnded(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.Warn("background work on OAuth tokens", "what", what, "error", err)
	}
}
