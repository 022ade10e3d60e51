package proxyhost

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Level says how much attention an event wants.
type Level string

// The levels; the same list is a check of the table.
const (
	Info    Level = "info"
	Warning Level = "warning"
	Error   Level = "error"
)

// Event is a line of the log. Its text has the sentences that administrators of email-oauth2-proxy look for.
type Event struct {
	ID         int64     `db:"id" json:"id"`
	At         time.Time `db:"at" json:"at"`
	Process    string    `db:"process" json:"process"`
	ListenerID int64     `db:"proxy_listener_id" json:"proxy_listener_id,omitempty"`
	Session    int64     `db:"session" json:"session,omitempty"` // unique in its process
	Level      Level     `db:"level" json:"level"`
	Kind       string    `db:"kind" json:"kind"` // a proxy.Kind, or one of ours
	Account    string    `db:"account" json:"account,omitempty"`
	Client     string    `db:"client" json:"client,omitempty"`
	Text       string    `db:"text" json:"text"`
}

// What happens beside the events of the proxy itself.
const (
	kindBegun     = "begun"      // the process starts its listeners
	kindAuthorise = "authorise"  // somebody must authorise an account; the text has the address to visit
	kindRequest   = "request"    // the same, as email-oauth2-proxy announces it
	kindProved    = "proved"     // a mail server accepts a token, nobody is connected
	kindNotProved = "not_proved" // it does not
	kindExposed   = "exposed"    // a port that other machines reach takes passwords in clear
	kindExpires   = "expires"    // a secret of a registration ends soon
	kindLost      = "lost"       // events that were not written
)

// EventFilter chooses events. The zero value is the newest ones.
type EventFilter struct {
	Account    string    // in any case
	ListenerID int64     // 0: all
	Since      time.Time // zero: from the beginning
	After      int64     // only ids above; the first ones then, where there are more than Limit
	Before     int64     // only ids below; 0: up to now
	Limit      int       // 0: 200
}

const (
	defaultEvents = 200
	maxEvents     = 10_000
)

func (f EventFilter) normal() EventFilter {
	f.Account = strings.ToLower(strings.TrimSpace(f.Account))
	if f.Limit <= 0 {
		f.Limit = defaultEvents
	}
	f.Limit = min(f.Limit, maxEvents)
	return f
}

// Events returns a part of the log, the oldest event first. Of those that match it is the newest part, or
// with After the first part behind it.
func (s *Service) Events(ctx context.Context, f EventFilter) ([]Event, error) {
	f = f.normal()
	if f.After > 0 {
		return selectEventsAfter(ctx, s.pool, f)
	}
	return selectNewestEvents(ctx, s.pool, f)
}

// followLook is how soon a reader looks again where nobody tells it.
const followLook = time.Second

// Follow returns what Events returns, all of it since Since, and then everything that happens, until ctx ends
// or the reader stops. An error is the database's; the reader may go on after it.
func (s *Service) Follow(ctx context.Context, f EventFilter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		news := s.journal.subscribe()
		defer s.journal.unsubscribe(news)
		r := follower{Service: s, filter: f.normal()}
		for ctx.Err() == nil {
			events, err := r.next(ctx)
			if err != nil && ctx.Err() == nil && !yield(Event{}, err) {
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			if len(events) < r.filter.Limit {
				wait(ctx, news, followLook)
			}
		}
	}
}

// follower reads the log forwards once it has begun.
type follower struct {
	*Service
	filter EventFilter
	begun  bool
}

func (r *follower) next(ctx context.Context) ([]Event, error) {
	if !r.begun {
		return r.begin(ctx)
	}
	events, err := selectEventsAfter(ctx, r.pool, r.filter)
	if len(events) > 0 {
		r.filter.After = events[len(events)-1].ID
	}
	return events, err
}

// begin decides after which id to go on: what happens meanwhile is then neither lost nor told twice.
func (r *follower) begin(ctx context.Context) ([]Event, error) {
	switch {
	case r.filter.After > 0:
	case !r.filter.Since.IsZero():
		first, err := firstEventSince(ctx, r.pool, r.filter.Since)
		if err != nil {
			return nil, err
		}
		r.filter.After = first - 1
	default:
		return r.beginWithNewest(ctx)
	}
	r.begun = true
	return r.next(ctx)
}

func (r *follower) beginWithNewest(ctx context.Context) ([]Event, error) {
	last, err := lastEvent(ctx, r.pool)
	if err != nil {
		return nil, err
	}
	before := r.filter
	before.Before = last + 1
	events, err := selectNewestEvents(ctx, r.pool, before)
	if err == nil {
		r.filter.After, r.begun = last, true
	}
	return events, err
}

// wait returns when a signal is raised, after a time, or when ctx ends.
func wait(ctx context.Context, news signal, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-news:
	case <-timer.C:
	case <-ctx.Done():
	}
}
