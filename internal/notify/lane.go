package notify

import (
	"context"
	"sync"
	"time"

	"orbit/internal/account"
)

// dispatchEvery is how often a process looks for what is due by itself: retries, and what others could not send.
const dispatchEvery = time.Second

// lanes are the accounts through which this process sends.
type lanes struct {
	mu      sync.Mutex
	by      map[int64]*lane
	senders sync.WaitGroup
}

// lane is one account with its senders, each with a connection of its own.
type lane struct {
	id      int64
	more    signal // there is something to take
	mu      sync.Mutex
	senders int
}

// dispatch starts senders for what is due, until ctx ends and they have ended.
func (s *Service) dispatch(ctx context.Context) {
	sending, drain := context.WithCancel(context.WithoutCancel(ctx))
	defer drain()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(drainTime, drain) })()
	failing := false
	for ctx.Err() == nil {
		err := s.dispatchDue(ctx, sending)
		if err != nil && !failing && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "look for messages that are due", "error", err)
		}
		failing = err != nil
		pause(ctx, s.wake, dispatchEvery)
	}
	s.lanes.senders.Wait()
}

// drainTime is what messages get that a server is taking when Orbit stops.
const drainTime = 20 * time.Second

// dispatchDue starts or wakes senders wherever something is due.
func (s *Service) dispatchDue(ctx, sending context.Context) error {
	r, err := s.currentRoutes(ctx)
	if err != nil {
		return err
	}
	due, err := dueRoutes(ctx, s.pool, r.ids())
	if err != nil {
		return err
	}
	for route := range due {
		if a, ok := r.acting(route); ok && !r.states[a.ID].Resting {
			s.lanes.get(a.ID).start(ctx, sending, s)
		}
	}
	return nil
}

func (l *lanes) get(id int64) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.by[id]
	if !ok {
		found = &lane{id: id, more: newSignal()}
		l.by[id] = found
	}
	return found
}

// start wakes a sender that waits, or makes the first one.
func (l *lane) start(ctx, sending context.Context, s *Service) {
	l.more.raise()
	l.mu.Lock()
	idle := l.senders == 0
	l.mu.Unlock()
	if idle {
		l.grow(ctx, sending, s)
	}
}

// grow adds a sender, as far as the account may have connections; a sender that finds more than it can take asks for
// it.
func (l *lane) grow(ctx, sending context.Context, s *Service) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	a, most, ok := s.allowed(ctx, l.id)
	if !ok || l.senders >= most.connections {
		return
	}
	l.senders++
	s.lanes.senders.Add(1)
	go func() {
		defer s.lanes.senders.Done()
		s.runSender(ctx, sending, l, a, most)
		if l.leave() {
			l.start(ctx, sending, s)
		}
	}()
}

// leave takes a sender away, and reports whether there came something while the last one was leaving.
func (l *lane) leave() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.senders--
	if l.senders > 0 {
		return false
	}
	select {
	case <-l.more:
		return true
	default:
		return false
	}
}

// allowed returns an account that may send now, and how much.
func (s *Service) allowed(ctx context.Context, id int64) (account.SMTP, limits, bool) {
	r, err := s.currentRoutes(ctx)
	if err != nil {
		return account.SMTP{}, limits{}, false
	}
	parameters, err := s.settings.Application(ctx)
	if err != nil {
		return account.SMTP{}, limits{}, false
	}
	for _, a := range r.accounts {
		if a.ID == id {
			return a, limitsOf(a, parameters).slowed(r.states[id]), r.usable(a) && !r.states[id].Resting
		}
	}
	return account.SMTP{}, limits{}, false
}
