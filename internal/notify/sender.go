package notify

import (
	"context"
	"errors"
	"slices"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/submit"
)

const (
	maxClaim    = 32                     // messages in one sender's hands
	claimFor    = 300 * time.Millisecond // it takes as many as it will send in this time, so that urgent ones do not wait behind them
	keepSession = 3 * time.Second        // an idle connection stays open for the next message
	maxOnOne    = 500                    // messages on one connection; some servers count
	restored    = 10 * time.Second       // what a process does not hear of the database before it stops sending
)

// sender sends over one connection of one account.
type sender struct {
	*Service
	lane    *lane
	account account.SMTP
	limits  limits
	session *submit.Session
	sent    int           // over this session
	pace    time.Duration // of one message, as it was lately
	last    chan struct{} // closed when the message before is recorded
	healthy bool          // this sender has delivered since it started
}

// runSender takes and sends until there is nothing more, the account fails, or ctx ends. Messages that are being sent
// go on until sending ends.
func (s *Service) runSender(ctx, sending context.Context, l *lane, a account.SMTP, most limits) {
	slot, err := takeSlot(ctx, s.pool, s.process, a.ID, most.connections)
	if err != nil || slot == 0 {
		s.warn(ctx, "take a connection", err)
		return
	}
	w := &sender{Service: s, lane: l, account: a, limits: most, pace: 50 * time.Millisecond}
	defer func() {
		w.close()
		s.warn(sending, "give a connection back", freeSlot(context.WithoutCancel(ctx), s.pool, s.process, a.ID, slot))
	}()
	idleSince := time.Now()
	for ctx.Err() == nil && time.Since(idleSince) < keepSession {
		items, err := w.take(ctx)
		if err != nil {
			s.warn(ctx, "take messages from the queue", err)
			return
		}
		if len(items) == 0 {
			pause(ctx, l.more, keepSession/3)
			continue
		}
		if len(items) == w.appetite() {
			l.more.raise() // there may be more than this sender can take
			l.grow(ctx, sending, s)
		}
		if !w.sendAll(ctx, sending, items) {
			return
		}
		idleSince = time.Now()
	}
}

func (s *Service) warn(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "a sender could not "+what, "error", err) //nolint:sloglint // what is one of a few words
	}
}

// appetite is how many messages it takes at once.
func (w *sender) appetite() int {
	most := maxClaim
	if w.limits.perMinute > 0 {
		most = max(1, w.limits.perMinute/600) // so that what is counted is sent at once
	}
	return min(max(1, int(claimFor/max(w.pace, time.Millisecond))), most)
}

// take claims messages of all routes that the account serves now.
func (w *sender) take(ctx context.Context) ([]*item, error) {
	r, err := w.currentRoutes(ctx)
	if err != nil {
		return nil, err
	}
	served := r.servedBy(w.account.ID)
	if len(served) == 0 || r.states[w.account.ID].Resting || !w.pulse.steady() {
		return nil, nil
	}
	c := claimed{process: w.process, account: w.account.ID, routes: served, most: w.appetite(), mostUrgent: int(Bulk)}
	if w.limits.perMinute > 0 {
		return claimWithin(ctx, w.pool, c, w.limits)
	}
	return claim(ctx, w.pool, c)
}

// sendAll sends what was taken. It returns false when the sender is to end: the account does not work, or Orbit stops.
// What was not tried goes back.
func (w *sender) sendAll(ctx, sending context.Context, items []*item) bool {
	ready := w.prepareAll(sending, items)
	for i, it := range ready {
		if ctx.Err() != nil || !w.pulse.steady() {
			w.release(ready[i:])
			return false
		}
		began := time.Now()
		result, err := w.send(sending, it)
		if err != nil && sending.Err() != nil && !isDoubt(err) {
			w.release(ready[i:])
			return false
		}
		o := judge(it, result, err, time.Now())
		w.finish(it, o, began)
		if !w.note(sending, o, err, time.Since(began)) {
			w.release(ready[i+1:])
			return false
		}
	}
	return true
}

func isDoubt(err error) bool {
	var uncertain *submit.Uncertain
	return errors.As(err, &uncertain)
}

// prepareAll renders messages and keeps them, and ends those that cannot be rendered.
func (w *sender) prepareAll(ctx context.Context, items []*item) []*item {
	var ready, fresh []*item
	for _, it := range items {
		began := time.Now()
		if err := w.prepare(ctx, it, w.account); err != nil {
			w.reportUnprepared(ctx, it, err)
			w.finish(it, judge(it, submit.Result{}, err, time.Now()), began)
			continue
		}
		ready = append(ready, it)
		if it.rendered {
			fresh = append(fresh, it)
		}
	}
	if err := storeRendered(ctx, w.pool, fresh, w.stored); err != nil {
		w.warn(ctx, "keep rendered messages", err)
		w.release(ready)
		return nil
	}
	return ready
}

func (w *sender) reportUnprepared(ctx context.Context, it *item, err error) {
	var bad *submit.BadValue
	if !errors.As(err, &bad) {
		w.log.ErrorContext(ctx, "prepare a message", "delivery", it.ID, "error", err)
	}
}

// send hands one message to the server. A kept connection that turns out to be gone is replaced once.
func (w *sender) send(ctx context.Context, it *item) (submit.Result, error) {
	if w.session != nil && (!w.session.Usable() || w.sent >= maxOnOne) {
		w.close()
	}
	kept := w.session != nil
	result, err := w.sendOnce(ctx, it)
	if err != nil && kept && lostBefore(err) && ctx.Err() == nil {
		w.close()
		result, err = w.sendOnce(ctx, it)
	}
	return result, err
}

func (w *sender) sendOnce(ctx context.Context, it *item) (submit.Result, error) {
	if w.session == nil {
		route, err := w.accounts.Route(ctx, account.SMTPChange{SMTPSettings: w.account.SMTPSettings})
		if err != nil {
			return submit.Result{}, err
		}
		if w.session, err = submit.Open(ctx, route.Dialer, route.Server); err != nil {
			w.session = nil
			return submit.Result{}, err
		}
	}
	w.sent++
	return w.session.SendRaw(ctx, it.Envelope, it.Raw)
}

func (w *sender) close() {
	if w.session != nil {
		w.session.Close()
	}
	w.session, w.sent = nil, 0
}

// finish hands the outcome to the recorder. Only one message of a sender may wait there while the next is sent, so
// that a process that is killed leaves no more than these two in doubt.
func (w *sender) finish(it *item, o outcome, began time.Time) {
	r := record{item: it, account: w.account.ID, verdict: o, at: began, done: make(chan struct{})}
	if w.last != nil {
		w.recorder.await(w.last)
	}
	w.last = r.done
	w.counts.attempt(it, o, began)
	w.recorder.add(r)
}

// release gives back what was not tried.
func (w *sender) release(items []*item) {
	for _, it := range slices.Backward(items) {
		r := record{item: it, account: w.account.ID, verdict: outcome{Outcome: released}, done: make(chan struct{})}
		w.recorder.add(r)
		w.last = r.done
	}
}

// note draws the conclusions about the account. It returns false when the sender is to end.
func (w *sender) note(ctx context.Context, o outcome, err error, took time.Duration) bool {
	switch o.Outcome {
	case AttemptSent:
		w.pace = (3*w.pace + took) / 4
		w.heal(ctx)
	case AttemptThrottled:
		w.warn(ctx, "let the account rest", restAccount(ctx, w.pool, w.account.ID, o.Fault))
		w.forgetRoutes()
		return false
	case AttemptAccount:
		w.accountFails(ctx, o, err)
		return false
	case AttemptRetry, AttemptUncertain, AttemptFailed:
	}
	return true
}

// heal records once for each sender that the account works.
func (w *sender) heal(ctx context.Context) {
	if w.healthy {
		return
	}
	w.healthy = true
	alarmed, err := healAccount(ctx, w.pool, w.account.ID)
	w.warn(ctx, "record that the account works", err)
	if alarmed {
		w.warn(ctx, "tell that the account works", w.tellRecovered(ctx, w.account))
	}
}

// accountFails opens the circuit breaker: the messages wait, or leave through the next account.
func (w *sender) accountFails(ctx context.Context, o outcome, err error) {
	w.log.WarnContext(ctx, "an account that sends does not work", "account", w.account.AccountName, "step", o.Step, "error", err)
	failures, storeErr := breakAccount(ctx, w.pool, w.account.ID, o.Fault)
	w.warn(ctx, "record that the account fails", storeErr)
	w.forgetRoutes()
	if failures > 0 && (failures >= alarmAfter || !o.Fault.Temporary) {
		w.warn(ctx, "tell that the account fails", w.tellFailing(ctx, w.account, *o.Fault))
	}
	w.wake.raise() // the next account may take over at once
}
