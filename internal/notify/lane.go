package notify

import (
	"context"
	"sync"
	"time"

	"orbit/internal/account"
)

const (
	maxInHand = 512                    // of one account
	maxShare  = 32                     // of one sender
	shareFor  = 300 * time.Millisecond // a sender gets as many messages as it sends in this time, so that urgent ones do not wait behind them
)

// lanes are the accounts through which this process sends.
type lanes struct {
	mu      sync.Mutex
	by      map[int64]*lane
	senders sync.WaitGroup
}

// lane is one account with its senders, each with a connection of its own, and the messages that they have in hand.
type lane struct {
	id            int64
	urgent, items chan *item
	mu            sync.Mutex
	starting      int           // senders that have no connection slot yet
	senders       int           // those that take messages
	pace          time.Duration // of one message, as it was lately
}

func (l *lanes) get(id int64) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.by[id]
	if !ok {
		found = &lane{id: id, urgent: make(chan *item, maxInHand), items: make(chan *item, maxInHand), pace: 50 * time.Millisecond}
		l.by[id] = found
	}
	return found
}

// room is how many messages the lane can take now.
func (l *lane) room(most limits) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	share := min(max(1, int(shareFor/max(l.pace, time.Millisecond))), maxShare)
	if most.perMinute > 0 {
		share = min(share, max(1, most.perMinute/600)) // what is counted is sent at once
	}
	return min(l.senders*share, maxInHand) - len(l.items) - len(l.urgent)
}

func (l *lane) took(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pace = (7*l.pace + d) / 8
}

// give hands messages to the senders; false: there are none any more.
func (l *lane) give(items []*item) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.senders == 0 {
		return false
	}
	for _, it := range items {
		if it.Priority == Urgent {
			l.urgent <- it // room has seen to it that this does not wait
		} else {
			l.items <- it
		}
	}
	return true
}

// join makes a sender that has its connection slot one of the lane; leave takes it away and returns what nobody is
// left to send.
func (l *lane) join() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starting--
	l.senders++
}

func (l *lane) leave() (left []*item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.senders--
	for l.senders == 0 {
		select {
		case it := <-l.urgent:
			left = append(left, it)
		case it := <-l.items:
			left = append(left, it)
		default:
			return left
		}
	}
	return nil
}

// next waits for a message, the urgent ones first; nil: there was none for a while, or ctx has ended.
func (l *lane) next(ctx context.Context, patience time.Duration) *item {
	select {
	case it := <-l.urgent:
		return it
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case it := <-l.urgent:
		return it
	case it := <-l.items:
		return it
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// start makes one more sender, as far as the account may have connections.
func (l *lane) start(ctx, sending context.Context, s *Service, a account.SMTP, most limits) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil || l.starting > 0 || l.senders >= most.connections {
		return
	}
	l.starting++
	s.lanes.senders.Add(1)
	go func() {
		defer s.lanes.senders.Done()
		s.runSender(ctx, sending, l, a, most)
	}()
}

// failed is for a sender that got no connection slot.
func (l *lane) failed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starting--
}
