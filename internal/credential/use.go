package credential

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
)

// How often the uses of a secret are written down. A test or a sign-in of a person says a reason and is
// written each time. Mail in bulk says none: one audit entry an hour for each credential, destination and
// actor (and process) shows that the secret was in use, and a million mails do not bury the trail.
const (
	touchEvery  = time.Minute
	recordEvery = time.Hour
	maxUses     = 10_000 // remembered before the old ones are forgotten
)

type reasonKey struct{}

// WithReason says why secrets are opened with this context: "test of SMTP account Office365". Each such use
// has an audit entry of its own.
func WithReason(ctx context.Context, reason string) context.Context {
	return context.WithValue(ctx, reasonKey{}, reason)
}

// use is what is written at most once in a while.
type use struct {
	id          int64
	destination string
	actor       audit.Actor // zero for last_used_at
}

// uses remembers when each use was written last.
type uses struct {
	mu   sync.Mutex
	last map[use]time.Time
}

// due reports whether a use is to be written, and counts it as written.
func (u *uses) due(what use, now time.Time, every time.Duration) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if last, ok := u.last[what]; ok && now.Sub(last) < every {
		return false
	}
	if u.last == nil || len(u.last) >= maxUses {
		u.forget(now)
	}
	u.last[what] = now
	return true
}

// forget keeps the recent uses only; when all are recent, none: writing one too many does no harm.
func (u *uses) forget(now time.Time) {
	kept := map[use]time.Time{}
	for what, last := range u.last {
		if now.Sub(last) < recordEvery {
			kept[what] = last
		}
	}
	if len(kept) >= maxUses {
		kept = map[use]time.Time{}
	}
	u.last = kept
}

// undo takes back what due counted, because writing failed.
func (u *uses) undo(what use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.last, what)
}

// noteUse writes that a secret was handed out. When that cannot be written, it is not handed out.
func (s *Service) noteUse(ctx context.Context, c Credential, to Destination) error {
	reason, _ := ctx.Value(reasonKey{}).(string)
	now, place := s.now(), to.String()
	touch := use{id: c.ID, destination: place}
	entry := use{id: c.ID, destination: place, actor: audit.ActorFrom(ctx)}
	touchDue := s.uses.due(touch, now, touchEvery)
	entryDue := reason != "" || s.uses.due(entry, now, recordEvery)
	if !touchDue && !entryDue {
		return nil
	}
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := touchCopy(ctx, tx, c.ID, place); err != nil || !entryDue {
			return err
		}
		detail := map[string]any{"destination": to.Label()}
		if reason != "" {
			detail["reason"] = reason
		}
		return record(ctx, tx, "credential.used", c, detail)
	})
	if err != nil {
		s.uses.undo(touch)
		s.uses.undo(entry)
	}
	return err
}
