package inbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/fetch"
)

// watched are the mailboxes that this process owns.
type watched struct {
	mu  sync.Mutex
	all map[int64]*watcher
}

func newWatched() watched { return watched{all: map[int64]*watcher{}} }

func (w *watched) find(account int64) *watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all[account]
}

func (w *watched) put(one *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[one.account.ID] = one
}

func (w *watched) remove(one *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all[one.account.ID] == one {
		delete(w.all, one.account.ID)
	}
}

func (w *watched) list() []*watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*watcher, 0, len(w.all))
	for _, one := range w.all {
		all = append(all, one)
	}
	return all
}

// watcher looks after one mailbox: it waits for mail, or for somebody who cannot wait, and then pays a visit. It is
// one goroutine with a small stack: visits have one of their own.
type watcher struct {
	visiting
	failures  int
	drops     int // connections that ended soon, one after the other
	stop      context.CancelFunc
	ended     chan struct{}
	dismissed bool // it was told to stop; the supervisor's alone

	mu     sync.Mutex
	wake   context.CancelFunc // ends the waiting
	asking []chan Visit       // who wants the next visit
	gone   bool               // nobody is answered any more
}

// watch begins to look after a mailbox. It waits first for as long as the last owner would have.
func (s *Service) watch(ctx context.Context, m account.Mailbox, l lease) *watcher {
	w := &watcher{visiting: visiting{s: s, lease: l, account: m}, ended: make(chan struct{})}
	ctx, w.stop = context.WithCancel(ctx)
	s.watched.put(w)
	go func() {
		defer close(w.ended)
		w.run(ctx)
		s.watched.remove(w)
		w.dismiss()
	}()
	return w
}

// run visits and waits until ctx ends.
func (w *watcher) run(ctx context.Context) {
	pause := w.inherit(ctx)
	for w.rest(ctx, pause) {
		pause = w.visitOnce(ctx)
		for w.box != nil && ctx.Err() == nil {
			if err := w.waitInside(ctx); err != nil && ctx.Err() == nil {
				pause = w.lose(ctx)
				break
			}
			if ctx.Err() == nil {
				pause = w.visitOnce(ctx)
			}
		}
	}
	w.apart(func() { _ = w.leave(context.WithoutCancel(ctx)) })
}

// inherit takes over what the last owner knew of failures.
func (w *watcher) inherit(ctx context.Context) time.Duration {
	b, err := selectBacklog(ctx, w.s.pool, w.account.ID)
	if err != nil {
		return jitter(w.s.times.again)
	}
	w.failures = b.Failures
	return b.Wait
}

// apart runs something on a stack that is given back.
func (w *watcher) apart(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	<-done
}

// visitOnce pays a visit, tells those who asked for it, and returns how long to wait for the next one.
func (w *watcher) visitOnce(ctx context.Context) (pause time.Duration) {
	asking := w.askers()
	w.eager = len(asking) > 0
	w.apart(func() { pause = w.pay(ctx) })
	for _, answer := range asking {
		answer <- w.visit
	}
	return pause
}

// rest waits between visits; somebody who asks for one ends it.
func (w *watcher) rest(ctx context.Context, d time.Duration) bool {
	if d > 0 {
		waiting := w.interruptible(ctx)
		wait(waiting, nil, d)
	}
	return ctx.Err() == nil
}

// waitInside waits in the open mailbox until there is mail, or somebody asks.
func (w *watcher) waitInside(ctx context.Context) error {
	waiting := w.interruptible(ctx)
	if err := w.box.Wait(waiting); waiting.Err() == nil {
		return err
	}
	return nil
}

// interruptible returns a context that ends when somebody asks for a visit, or has asked.
func (w *watcher) interruptible(ctx context.Context) context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wake != nil {
		w.wake() // of the last time
	}
	ctx, w.wake = context.WithCancel(ctx)
	if len(w.asking) > 0 {
		w.wake()
	}
	return ctx
}

// ask asks for a visit; what is sent is its result. A watcher that ends closes the channel.
func (w *watcher) ask() <-chan Visit {
	answer := make(chan Visit, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		close(answer)
		return answer
	}
	w.asking = append(w.asking, answer)
	if w.wake != nil {
		w.wake()
	}
	return answer
}

func (w *watcher) askers() []chan Visit {
	w.mu.Lock()
	defer w.mu.Unlock()
	asking := w.asking
	w.asking = nil
	return asking
}

// dismiss lets go of those who still wait.
func (w *watcher) dismiss() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	if w.wake != nil {
		w.wake()
	}
	for _, answer := range w.asking {
		close(answer)
	}
	w.asking = nil
}

// shortLife is what a connection must reach for its end to be nothing unusual.
const shortLife = time.Minute

// lose drops a connection that has ended, and returns how long to wait before the next one. Servers and networks end
// connections; a server that does so again and again is not to be overrun with sign-ins.
func (w *watcher) lose(ctx context.Context) time.Duration {
	w.s.log.DebugContext(ctx, "the connection to a mailbox has ended", "account", w.account.ID)
	w.apart(func() { _ = w.leave(ctx) })
	if time.Since(w.opened) > shortLife {
		w.drops = 0
	}
	if w.drops++; w.drops <= 2 {
		return jitter(w.s.times.again)
	}
	return jitter(min(firstPause<<min(w.drops-3, 12), longestPause))
}

// pay is a whole visit: open if need be, read, and store how it went. Over IMAP the mailbox stays open when all went
// well, for somebody to wait in it. It returns when to come again.
func (w *watcher) pay(ctx context.Context) time.Duration {
	w.begin(ctx)
	err := w.look(ctx)
	if err != nil || w.account.Protocol == fetch.POP3 {
		err = errors.Join(err, w.leave(context.WithoutCancel(ctx)))
	}
	return w.end(ctx, err)
}

func (v *visiting) look(ctx context.Context) error {
	if v.box == nil {
		if err := v.open(ctx); err != nil {
			return err
		}
		return v.takeAll(ctx)
	}
	err := v.takeAll(ctx)
	v.messages = v.box.Messages() // others add and delete too
	return err
}

func (w *watcher) begin(ctx context.Context) {
	w.visit = Visit{AccountID: w.account.ID, StartedAt: w.s.now()}
	if err := updateChecking(ctx, w.s.pool, w.lease); err != nil && ctx.Err() == nil {
		w.s.log.WarnContext(ctx, "note a visit", "account", w.account.ID, "error", err)
	}
}

// end notes how a visit went. One that was interrupted says nothing about the mailbox.
func (w *watcher) end(ctx context.Context, err error) time.Duration {
	w.visit.EndedAt, w.visit.Messages, w.visit.Fault = w.s.now(), w.messages, fault(err, w.account)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return 0
	}
	e := ended{fault: w.visit.Fault, messages: w.messages, idle: w.state.Idle}
	pause := jitter(w.s.times.poll)
	if err == nil {
		w.failures = 0
	} else {
		w.failures++
		pause = backOff(err, w.failures)
		w.s.log.WarnContext(ctx, "visit a mailbox", "account", w.account.ID, "name", w.account.AccountName, "failures", w.failures, "error", err)
	}
	e.failures, e.next = w.failures, pause
	w.s.counts.visited(err == nil)
	if err := updateEnded(context.WithoutCancel(ctx), w.s.pool, w.lease, e); err != nil {
		w.s.log.WarnContext(ctx, "note a visit", "account", w.account.ID, "error", err)
	}
	return pause
}
