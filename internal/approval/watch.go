package approval

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
)

// every is how often Run looks for what time has brought. A request may live a little longer than it says, but
// mayDecide looks at the clock, so it can't be decided then.
const every = 10 * time.Second

// Run ends requests that nobody decided, reminds and escalates, until ctx ends. Every process does it; the row
// locks keep them from doing it twice.
func (s *Service) Run(ctx context.Context) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := s.DoDue(ctx); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "look for access requests that are due", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-s.wake:
		}
	}
}

// DoDue does what is due now, each request in a transaction of its own.
func (s *Service) DoDue(ctx context.Context) error {
	ids, err := dueRequests(ctx, s.Pool, s.now())
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
			whole, err := findWhole(ctx, tx, id, true)
			if err != nil || whole.Status != Pending {
				return err
			}
			return s.due(ctx, tx, &whole)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// due does what is due for a request. It looks itself: another process may have done it meanwhile.
func (s *Service) due(ctx context.Context, tx pgx.Tx, w *Whole) error {
	now := s.now()
	if !now.Before(w.ExpiresAt) {
		return s.expire(ctx, tx, w)
	}
	escalated := 0
	for i := range w.Approvers {
		a := &w.Approvers[i]
		switch {
		case a.Level == Escalation && a.NotifiedAt == nil && w.escalates(now):
			if err := s.ask(ctx, tx, w, a, "access_request.escalated.approver"); err != nil {
				return err
			}
			escalated++
		case w.reminds(*a, now):
			if err := s.ask(ctx, tx, w, a, "access_request.reminder.approver"); err != nil {
				return err
			}
			if err := markReminded(ctx, tx, a.ID, now); err != nil {
				return err
			}
		}
	}
	if escalated == 0 {
		return nil
	}
	return s.record(ctx, tx, *w, "access_request.escalated", map[string]any{"level": w.Level, "approvers": escalated})
}

func (s *Service) expire(ctx context.Context, tx pgx.Tx, w *Whole) error {
	if err := s.end(ctx, tx, w, Expired, "Orbit", "Nobody decided in time."); err != nil {
		return err
	}
	if err := s.tellRequester(ctx, tx, *w, "access_request.expired.requester", Decision{}); err != nil {
		return err
	}
	if err := s.post(ctx, tx, *w, "access_request.expired"); err != nil {
		return err
	}
	return s.record(ctx, tx, *w, "access_request.expired", nil)
}

// escalates reports whether others are to be asked: somebody of the level was silent for too long, or too few
// of them can be reached.
func (w Whole) escalates(now time.Time) bool {
	patience, approvals := time.Duration(w.EscalateAfterMinutes)*time.Minute, 0
	reachable, silent := 0, false
	for _, a := range w.Approvers {
		if a.Level != w.Level || a.NotifiedAt == nil {
			continue
		}
		if d, decided := w.decisionOf(a.ID); decided {
			if d.Answer == Approve {
				approvals++
			}
			continue
		}
		if a.BouncedAt == nil {
			reachable++
		}
		silent = silent || patience > 0 && now.Sub(*a.NotifiedAt) >= patience
	}
	return silent || approvals+reachable < w.ApprovalsRequired
}

// reminds reports whether an approver is to be reminded, which happens once.
func (w Whole) reminds(a Approver, now time.Time) bool {
	_, decided := w.decisionOf(a.ID)
	return w.RemindAfterMinutes > 0 && !decided && a.Level == w.Level && a.BouncedAt == nil &&
		a.NotifiedAt != nil && a.RemindedAt == nil && now.Sub(*a.NotifiedAt) >= time.Duration(w.RemindAfterMinutes)*time.Minute
}

// Bounced notes that mail about a request does not reach an address. Whoever is to be asked instead is asked at once.
func (s *Service) Bounced(ctx context.Context, tx pgx.Tx, requestID int64, address, why string) error {
	whole, err := findWhole(ctx, tx, requestID, true)
	if err != nil {
		return err
	}
	for i := range whole.Approvers {
		a := &whole.Approvers[i]
		if !sameAddress(a.Email, address) || a.BouncedAt != nil {
			continue
		}
		now := s.now()
		a.BouncedAt, a.BounceText = &now, why
		if err := markBounced(ctx, tx, a.ID, now, why); err != nil {
			return err
		}
	}
	if whole.Status != Pending {
		return nil
	}
	return s.due(ctx, tx, &whole)
}
