package proxy

import (
	"context"
	"strings"
	"sync"
	"time"
)

// patienceForFirst is how long a client waits for the first answer of a server that is just being asked.
const patienceForFirst = 2 * time.Second

// The pauses between attempts to ask a server grow from one to the other.
const (
	studyFirst = 5 * time.Second
	studyLast  = 5 * time.Minute
)

// lesson is what a server's extensions are. Clients want to know them before they have signed in: they
// choose by them how to send.
type lesson struct {
	asked chan struct{} // closed when the server has been asked once, or needn't be
	once  sync.Once

	mu    sync.Mutex
	lines []string // nil: not known
}

// newLesson: an IMAP client learns the capabilities with the OK to its sign-in.
func newLesson(p Protocol) *lesson {
	l := &lesson{asked: make(chan struct{})}
	if p == IMAP {
		l.settle()
	}
	return l
}

// settle lets clients go on with what is known.
func (l *lesson) settle() { l.once.Do(func() { close(l.asked) }) }

func (l *lesson) learn(lines []string) {
	l.mu.Lock()
	l.lines = lines
	l.mu.Unlock()
	l.settle()
}

// now returns what is known, nil for nothing. Callers don't change it.
func (l *lesson) now() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}

// wait returns what is known once the server has been asked, or soon.
func (l *lesson) wait(ctx context.Context) []string {
	select {
	case <-l.asked:
	default:
		ctx, cancel := context.WithTimeout(ctx, patienceForFirst)
		defer cancel()
		select {
		case <-l.asked:
		case <-ctx.Done():
		}
	}
	return l.now()
}

// study asks the server until it has answered, or a sign-in has taught the same.
func (h *host) study(ctx context.Context) {
	for wait := studyFirst; h.offer.now() == nil && h.listener.Protocol != IMAP && ctx.Err() == nil; wait = min(2*wait, studyLast) {
		lines, err := h.ask(ctx)
		if err == nil {
			h.offer.learn(lines)
			h.observe(Event{Kind: Learnt, Listener: h.listener, Text: strings.Join(lines, ", ")})
			return
		}
		h.offer.settle()
		if ctx.Err() == nil {
			h.observe(Event{Kind: NotLearnt, Listener: h.listener, Err: err})
		}
		_ = pause(ctx, wait)
	}
}

// ask visits the server without signing in.
func (h *host) ask(ctx context.Context) (lines []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, upstreamTime)
	defer cancel()
	s, err := reach(ctx, h.server.backend, h.listener, Account{})
	if err != nil {
		return nil, err
	}
	defer s.close()
	err = s.within(ctx, func() error {
		d, err := s.introduce(ctx, anonymousHello)
		if err == nil {
			d.farewell()
		}
		return err
	})
	return s.offer.relayable(h.listener.Protocol), err
}
