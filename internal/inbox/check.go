package inbox

import (
	"context"
	"fmt"
	"sync"
	"time"

	"orbit/internal/account"
	"orbit/internal/problem"
)

// askAgain is how often somebody who waits for another process looks whether it is still there.
const askAgain = 500 * time.Millisecond

// CheckNow pays a visit now, whichever process owns the mailbox. What went wrong with the visit is in its fault; the
// error is about the request.
func (s *Service) CheckNow(ctx context.Context, accountID int64) (Visit, error) {
	m, err := s.accounts.FindMailbox(ctx, accountID)
	if err != nil {
		return Visit{}, err
	}
	if !m.Active {
		return Visit{}, problem.Refuse("%s is disabled. Enable it, then check again.", m.AccountName)
	}
	if err := insertStates(ctx, s.pool, []int64{m.ID}); err != nil {
		return Visit{}, err
	}
	c := check{s: s, account: m}
	defer c.forget(ctx)
	for ctx.Err() == nil {
		v, done, err := c.try(ctx)
		if done || err != nil {
			return v, err
		}
		wait(ctx, s.answered, askAgain)
	}
	return Visit{}, fmt.Errorf("check mailbox %d: %w", accountID, context.Cause(ctx))
}

// check is somebody who waits for a visit.
type check struct {
	s       *Service
	account account.Mailbox
	asked   int64 // the row in which another process answers; 0: none yet
}

// try has the visit paid by whoever owns the mailbox: this process's watcher, this process for the moment, or another.
func (c *check) try(ctx context.Context) (v Visit, done bool, err error) {
	if w := c.s.watched.find(c.account.ID); w != nil {
		select {
		case v, done = <-w.ask():
			return v, done, nil
		case <-ctx.Done():
			return Visit{}, false, nil
		}
	}
	if v, done, err = c.own(ctx); done || err != nil {
		return v, done, err
	}
	if c.asked == 0 {
		c.asked, err = insertCheck(ctx, c.s.pool, c.account.ID)
		return Visit{}, false, err
	}
	return selectAnswer(ctx, c.s.pool, c.asked)
}

// own pays the visit itself when nobody has the mailbox.
func (c *check) own(ctx context.Context) (Visit, bool, error) {
	p := c.s.present.get()
	if p == nil || p.lost.Err() != nil {
		joined, err := c.s.join(ctx)
		if err != nil {
			return Visit{}, false, err
		}
		defer c.s.leave(ctx, joined)
		p = joined
	}
	leases, err := claimMailboxes(ctx, c.s.pool, p.id, []int64{c.account.ID})
	if err != nil || len(leases) == 0 {
		return Visit{}, false, err
	}
	defer c.release(ctx, leases[0])
	within, cancel := p.under(ctx)
	defer cancel()
	w := &watcher{visiting: visiting{s: c.s, lease: leases[0], account: c.account, eager: true}}
	if b, err := selectBacklog(ctx, c.s.pool, c.account.ID); err == nil {
		w.failures = b.Failures
	}
	w.pay(within)
	if w.box != nil {
		_ = w.leave(context.WithoutCancel(ctx)) // all is stored
	}
	return w.visit, true, nil
}

func (c *check) release(ctx context.Context, l lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.s.times.farewell)
	defer cancel()
	if err := releaseMailbox(ctx, c.s.pool, l, false); err != nil {
		c.s.log.WarnContext(ctx, "give a mailbox back", "error", err)
	}
	c.s.accountsNew.raise()
}

// forget takes the question back.
func (c *check) forget(ctx context.Context) {
	if c.asked == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.s.times.farewell)
	defer cancel()
	if err := deleteCheck(ctx, c.s.pool, c.asked); err != nil {
		c.s.log.WarnContext(ctx, "take back a question", "error", err)
	}
}

// answerChecks pays the visits that other processes ask for.
func (s *Service) answerChecks(ctx context.Context) {
	var answers sync.WaitGroup
	defer answers.Wait()
	for ctx.Err() == nil {
		if err := s.answerAll(ctx, &answers); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "look for mailboxes to check", "error", err)
		}
		wait(ctx, s.checksAsked, s.times.look)
	}
}

// answerAll answers each question once: a watcher keeps those who ask until its next visit.
func (s *Service) answerAll(ctx context.Context, answers *sync.WaitGroup) error {
	owned := s.watched.list()
	if len(owned) == 0 {
		return nil
	}
	ids := make([]int64, len(owned))
	for i, w := range owned {
		ids[i] = w.account.ID
	}
	open, err := selectOpenChecks(ctx, s.pool, ids)
	if err != nil {
		return err
	}
	for _, q := range open {
		if w := s.watched.find(q.Account); w != nil && s.answering.begin(q.ID) {
			answers.Go(func() { s.answer(ctx, w, q.ID) })
		}
	}
	return nil
}

func (s *Service) answer(ctx context.Context, w *watcher, id int64) {
	defer s.answering.end(id)
	select {
	case v, ok := <-w.ask():
		if !ok {
			return // the next owner answers
		}
		if err := updateAnswer(context.WithoutCancel(ctx), s.pool, id, v); err != nil {
			s.log.WarnContext(ctx, "answer a question", "error", err)
		}
	case <-ctx.Done():
	}
}

// running are questions that are being answered.
type running struct {
	mu  sync.Mutex
	ids map[int64]bool
}

func (r *running) begin(id int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids[id] {
		return false
	}
	r.ids[id] = true
	return true
}

func (r *running) end(id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ids, id)
}
