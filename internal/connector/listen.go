package connector

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// listenAgain is the pause before a lost connection to the database is tried again.
const listenAgain = 5 * time.Second

// listen drops each connector that a notification names, until ctx ends or the database is lost.
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
		if id, err := strconv.ParseInt(n.Payload, 10, 64); err == nil {
			s.drop(id)
		}
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
