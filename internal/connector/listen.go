package connector

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"orbit/internal/problem"
)

// listenAgain is the pause before a lost connection to the database is tried again.
const listenAgain = 5 * time.Second

// listen follows each change that a notification tells of, until ctx ends or the database is lost.
func (s *Service) listen(ctx context.Context) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("listen for changed connectors: %w", err)
	}
	own := conn.Hijack() // a connection that listens is nobody else's any more
	defer func() { _ = own.Close(context.WithoutCancel(ctx)) }()
	if _, err := own.Exec(ctx, "listen "+channel); err != nil {
		return fmt.Errorf("listen for changed connectors: %w", err)
	}
	for {
		n, err := own.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("wait for changed connectors: %w", err)
		}
		id, err := strconv.ParseInt(n.Payload, 10, 64)
		if err != nil {
			continue // nobody of ours
		}
		c, err := s.Find(ctx, id)
		if err != nil && !errors.Is(err, problem.ErrNotFound) {
			return err
		}
		c.ID = id // one that is gone is not active
		s.follow(c)
	}
}

// pause waits, or returns when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
