package notify

import (
	"context"
	"errors"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/submit"
)

const (
	keepSession = 3 * time.Second  // an idle connection stays open for the next message
	maxOnOne    = 500              // messages on one connection; some servers count
	restored    = 10 * time.Second // what a process does not hear of the database before it stops sending
)

// sender sends over one connection of one account.
type sender struct {
	*Service
	lane    *lane
	account account.SMTP
	session *submit.Session
	sent    int           // over this session
	last    chan struct{} // closed when the message before is recorded
	healthy bool          // this sender has delivered since it started
}

// runSender sends until there is nothing more, the account fails, or ctx ends. A message that is being sent goes on
// until sending ends.
func (s *Service) runSender(ctx, sending context.Context, l *lane, a account.SMTP, most limits) {
	mine, err := s.slots.take(ctx, s, a.ID, most.connections)
	if err != nil || mine.number == 0 {
		s.warn(ctx, "take a connection", err)
		l.failed()
		return
	}
	l.join()
	s.wake.raise()
	w := &sender{Service: s, lane: l, account: a}
	for ctx.Err() == nil {
		it := l.next(ctx, keepSession)
		if it == nil || !w.handle(ctx, sending, it) {
			break
		}
		if len(l.items)+len(l.urgent) <= 1 {
			s.wake.raise() // the others will want more in a moment
		}
	}
	s.release(a.ID, l.leave())
	w.close()
	s.warn(sending, "give a connection back", s.slots.free(context.WithoutCancel(ctx), s, mine))
}

// handle sends one message and records what came of it. It returns false when the sender is to end: the account does
// not work, or Orbit stops.
func (w *sender) handle(ctx, sending context.Context, it *item) bool {
	if ctx.Err() != nil || !w.pulse.steady() {
		w.release(w.account.ID, []*item{it})
		return false
	}
	began := time.Now()
	result, err := w.send(sending, it)
	if err != nil && sending.Err() != nil && !isDoubt(err) {
		w.release(w.account.ID, []*item{it})
		return false
	}
	o := judge(it, result, err, time.Now())
	if o.Outcome == AttemptSent {
		w.lane.took(time.Since(began))
	}
	going := w.note(sending, it, o, err) // first: once it is recorded the message may be taken again, and not for an account that has just failed
	w.finish(it, o, began)
	return going
}

func isDoubt(err error) bool {
	var uncertain *submit.Uncertain
	return errors.As(err, &uncertain)
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

// note draws the conclusions about the account and the address. It returns false when the sender is to end.
func (w *sender) note(ctx context.Context, it *item, o outcome, err error) bool {
	switch o.Outcome {
	case AttemptSent:
		w.heal(ctx)
	case AttemptThrottled:
		w.warn(ctx, "let the account rest", restAccount(ctx, w.pool, w.account.ID, o.Fault))
		w.forgetRoutes()
		return false
	case AttemptAccount:
		w.accountFails(ctx, o, err)
		return false
	case AttemptFailed:
		w.warn(ctx, "tell that an address is refused", w.refused(ctx, it, o, err))
	case AttemptRetry, AttemptUncertain:
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
