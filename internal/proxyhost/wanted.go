package proxyhost

import (
	"context"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
)

// Start wants listeners to run: those with the ids, or all without any. It returns when that is stored; every
// process follows within a second.
func (s *Service) Start(ctx context.Context, ids ...int64) error {
	return s.want(ctx, "started", ids, func(l Listener) (Wanted, int) { return Running, 0 })
}

// Stop wants listeners to stop: their ports are closed at once, their sessions drained.
func (s *Service) Stop(ctx context.Context, ids ...int64) error {
	return s.want(ctx, "stopped", ids, func(l Listener) (Wanted, int) { return Stopped, 0 })
}

// Restart closes ports and opens them anew; one that was stopped is started. Their sessions are drained.
func (s *Service) Restart(ctx context.Context, ids ...int64) error {
	return s.want(ctx, "restarted", ids, func(l Listener) (Wanted, int) {
		if l.Wanted == Stopped {
			return Running, 0
		}
		return Running, 1
	})
}

func (s *Service) want(ctx context.Context, action string, ids []int64, decide func(Listener) (Wanted, int)) error {
	return s.changing(ctx, func(tx pgx.Tx, all []Listener) error {
		chosen, err := choose(all, ids)
		if err != nil {
			return err
		}
		for _, l := range chosen {
			wanted, restarts := decide(l)
			if wanted == l.Wanted && restarts == 0 {
				continue
			}
			if err := updateWanted(ctx, tx, l.ID, wanted, restarts); err != nil {
				return err
			}
			if err := record(ctx, tx, action, l, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// choose returns the listeners with the ids, or all.
func choose(all []Listener, ids []int64) ([]Listener, error) {
	if len(ids) == 0 {
		if len(all) == 0 {
			return nil, problem.Refuse("There is no listener yet. Register one first.")
		}
		return all, nil
	}
	var chosen []Listener
	for _, id := range ids {
		l, err := pick(all, id)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, l)
	}
	return chosen, nil
}
