package inbox

import (
	"context"
	"sync"
	"time"

	"orbit/internal/account"
)

// Run watches mailboxes until ctx ends, together with all other processes that do so. It returns when all visits have
// ended.
func (s *Service) Run(ctx context.Context) error {
	var work sync.WaitGroup
	for _, part := range []func(context.Context){s.stay, s.listen, s.answerChecks, s.retain, s.runLoops} {
		work.Go(func() { part(ctx) })
	}
	work.Wait()
	return nil
}

// stay owns mailboxes as long as the database says so, and begins anew when it was lost.
func (s *Service) stay(ctx context.Context) {
	for ctx.Err() == nil {
		p, err := s.join(ctx)
		if err != nil {
			if ctx.Err() == nil {
				s.log.WarnContext(ctx, "join the processes that watch mailboxes", "error", err)
			}
			pause(ctx, s.times.look)
			continue
		}
		s.present.set(p)
		s.supervise(ctx, p)
		s.present.set(nil)
		s.leave(ctx, p)
	}
}

// supervise claims and gives back mailboxes until ctx or the presence ends.
func (s *Service) supervise(ctx context.Context, p *presence) {
	ctx, cancel := p.under(ctx)
	defer cancel()
	var stopping sync.WaitGroup
	defer stopping.Wait()
	defer s.stopAll()
	var wanted map[int64]account.Mailbox
	var read time.Time
	for news := true; ctx.Err() == nil; {
		if news || wanted == nil || time.Since(read) > s.times.reload {
			if found, err := s.wanted(ctx); err == nil {
				wanted, read = found, time.Now()
			} else if ctx.Err() == nil {
				s.log.WarnContext(ctx, "read the IMAP/POP3 accounts", "error", err)
			}
		}
		for _, w := range s.unwanted(wanted) {
			stopping.Go(func() { s.giveBack(ctx, w) })
		}
		s.claim(ctx, p, wanted)
		news = s.awaitNews(ctx)
	}
}

// awaitNews waits for the next look, and reports whether accounts have changed.
func (s *Service) awaitNews(ctx context.Context) bool {
	timer := time.NewTimer(s.times.look)
	defer timer.Stop()
	select {
	case <-s.accountsNew:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// wanted returns the accounts that are checked automatically.
func (s *Service) wanted(ctx context.Context) (map[int64]account.Mailbox, error) {
	active, err := s.accounts.WatchedMailboxes(ctx)
	if err != nil {
		return nil, err
	}
	wanted := make(map[int64]account.Mailbox, len(active))
	var ids []int64
	for _, m := range active {
		if m.AutomaticCheck {
			wanted[m.ID] = m
			ids = append(ids, m.ID)
		}
	}
	return wanted, insertStates(ctx, s.pool, ids)
}

// unwanted returns the watchers of accounts that are gone or have changed, once each.
func (s *Service) unwanted(wanted map[int64]account.Mailbox) []*watcher {
	var found []*watcher
	for _, w := range s.watched.list() {
		m, there := wanted[w.account.ID]
		if (!there || m.Version != w.account.Version) && !w.dismissed {
			w.dismissed = true
			found = append(found, w)
		}
	}
	return found
}

// giveBack ends the watch over a mailbox; when the account has changed it is claimed again at once.
func (s *Service) giveBack(ctx context.Context, w *watcher) {
	w.stop()
	<-w.ended
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.times.farewell)
	defer cancel()
	if err := releaseMailbox(ctx, s.pool, w.lease, true); err != nil {
		s.log.WarnContext(ctx, "give a mailbox back", "error", err)
	}
	s.accountsNew.raise()
}

// claim takes what is wanted and nobody has.
func (s *Service) claim(ctx context.Context, p *presence, wanted map[int64]account.Mailbox) {
	var free []int64
	for id := range wanted {
		if s.watched.find(id) == nil {
			free = append(free, id)
		}
	}
	if len(free) == 0 {
		return
	}
	leases, err := claimMailboxes(ctx, s.pool, p.id, free)
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "claim mailboxes", "error", err)
	}
	for _, l := range leases {
		s.watch(ctx, wanted[l.account], l)
	}
}

// stopAll ends all watches. The mailboxes are given back with the presence.
func (s *Service) stopAll() {
	all := s.watched.list()
	for _, w := range all {
		w.stop()
	}
	for _, w := range all {
		<-w.ended
	}
}

// present is this process while it watches mailboxes.
type present struct {
	mu  sync.Mutex
	now *presence
}

func (p *present) set(now *presence) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = now
}

func (p *present) get() *presence {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}
