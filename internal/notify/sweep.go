package notify

import (
	"context"
	"time"
)

const (
	reapEvery   = 5 * time.Second
	expireEvery = 30 * time.Second
)

// sweepOften gives back what processes that died had in hand, and ends what has expired. Every process does so:
// each row is changed once.
func (s *Service) sweepOften(ctx context.Context) {
	expired := time.Time{}
	for ctx.Err() == nil {
		if s.pulse.steady() { // else this process may be the one that is taken for dead
			lost, err := reap(ctx, s.pool, s.process)
			s.warn(ctx, "take over from a process that died", err)
			if lost > 0 {
				s.log.WarnContext(ctx, "messages of a process that died are sent again", "messages", lost)
				s.wake.raise()
			}
		}
		s.warn(ctx, "give back what nobody has in hand", releaseStrays(ctx, s.pool, s.process, s.inHand))
		s.warn(ctx, "give back connections", freeStraySlots(ctx, s.pool, s.process, s.slots.all()))
		if time.Since(expired) > expireEvery {
			expired = time.Now()
			_, err := expire(ctx, s.pool)
			s.warn(ctx, "end messages that have expired", err)
		}
		pause(ctx, nil, reapEvery)
	}
}
