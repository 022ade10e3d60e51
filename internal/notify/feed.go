package notify

import (
	"context"
	"errors"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/submit"
)

const (
	dispatchEvery = time.Second           // how often a process looks for what is due by itself: retries, and what others could not send
	feedRest      = 15 * time.Millisecond // between two rounds, in which messages gather
	drainTime     = 20 * time.Second      // what messages get that a server is taking when Orbit stops
)

// dispatch feeds the senders with what is due, until ctx ends and they have ended. One goroutine takes messages for
// all accounts of the process, in one statement: at a thousand messages a second it matters.
func (s *Service) dispatch(ctx context.Context) {
	sending, drain := context.WithCancel(context.WithoutCancel(ctx))
	defer drain()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(drainTime, drain) })()
	failing := false
	for ctx.Err() == nil {
		err := s.feed(ctx, sending)
		if err != nil && !failing && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "take messages from the queue", "error", err)
		}
		failing = err != nil
		pause(ctx, nil, feedRest)
		pause(ctx, s.wake, dispatchEvery)
	}
	s.lanes.senders.Wait()
}

// hungry is a lane that can take messages.
type hungry struct {
	lane    *lane
	account account.SMTP
	limits  limits
	ask     ask
}

// feed is one round: it looks where something is due, starts senders there, and gives them what they can take.
func (s *Service) feed(ctx, sending context.Context) error {
	if !s.pulse.steady() {
		return nil
	}
	wanted, err := s.wanted(ctx)
	if err != nil {
		return err
	}
	var asks []ask
	by := map[int64]hungry{}
	var items []*item
	for _, h := range wanted {
		h.lane.start(ctx, sending, s, h.account, h.limits)
		h.ask.most = h.lane.room(h.limits)
		if h.ask.most <= 0 {
			continue
		}
		by[h.account.ID] = h
		if h.limits.perMinute == 0 {
			asks = append(asks, h.ask)
			continue
		}
		taken, err := claimWithin(ctx, s.pool, s.process, h.ask, h.limits)
		if err != nil {
			return err
		}
		items = append(items, taken...)
	}
	if len(asks) > 0 {
		taken, err := claim(ctx, s.pool, s.process, asks)
		if err != nil {
			return err
		}
		items = append(items, taken...)
	}
	s.hand(sending, items, by)
	return nil
}

// wanted returns the lanes for which something is due.
func (s *Service) wanted(ctx context.Context) ([]hungry, error) {
	r, err := s.currentRoutes(ctx)
	if err != nil {
		return nil, err
	}
	parameters, err := s.settings.Application(ctx)
	if err != nil {
		return nil, err
	}
	due, err := dueRoutes(ctx, s.pool, r.ids())
	if err != nil {
		return nil, err
	}
	routesOf := map[int64][]int64{}
	for route := range due {
		if a, ok := r.acting(route); ok && !r.states[a.ID].Resting {
			routesOf[a.ID] = append(routesOf[a.ID], route)
		}
	}
	var all []hungry
	for _, a := range r.accounts {
		if routes := routesOf[a.ID]; routes != nil {
			all = append(all, hungry{
				lane: s.lanes.get(a.ID), account: a, limits: limitsOf(a, parameters).slowed(r.states[a.ID]),
				ask: ask{account: a.ID, routes: routes, mostUrgent: Bulk},
			})
		}
	}
	return all, nil
}

// hand prepares what was taken and gives it to the senders.
func (s *Service) hand(ctx context.Context, items []*item, by map[int64]hungry) {
	var fresh []*item
	ready := map[int64][]*item{}
	for _, it := range items {
		s.hands.Store(it.ID, true)
	}
	for _, it := range items {
		h := by[it.TakenFor]
		began := time.Now()
		if err := s.prepare(ctx, it, h.account); err != nil {
			s.reportUnprepared(ctx, it, err)
			s.recorder.add(record{item: it, account: it.TakenFor, verdict: judge(it, submit.Result{}, err, time.Now()), at: began, done: make(chan struct{})})
			continue
		}
		ready[it.TakenFor] = append(ready[it.TakenFor], it)
		if it.rendered {
			fresh = append(fresh, it)
		}
	}
	err := storeRendered(ctx, s.pool, fresh, s.stored)
	s.warn(ctx, "keep rendered messages", err)
	for id, messages := range ready {
		if h := by[id]; err != nil || !h.lane.give(messages) {
			s.release(id, messages)
		}
	}
}

func (s *Service) reportUnprepared(ctx context.Context, it *item, err error) {
	var bad *submit.BadValue
	if !errors.As(err, &bad) {
		s.log.ErrorContext(ctx, "prepare a message", "delivery", it.ID, "error", err)
	}
}

// release gives back what was not tried.
func (s *Service) release(account int64, items []*item) {
	for _, it := range items {
		s.recorder.add(record{item: it, account: account, released: true, done: make(chan struct{})})
	}
}

func (s *Service) warn(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "notifications: cannot "+what, "error", err) //nolint:sloglint // what is one of a few words
	}
}

// inHand reports whether this process knows that it has a message.
func (s *Service) inHand(id int64) bool {
	_, known := s.hands.Load(id)
	return known
}
