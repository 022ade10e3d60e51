package proxy

import (
	"context"
	"time"
)

// sweepEvery is how often silent sessions are looked for. One look at all is cheaper than a timer for each
// read, and the limits are minutes.
const sweepEvery = 5 * time.Second

// Farewells are short: a side whose other side has said goodbye has this long to do the same, and a session
// that a stopping listener finds silent between two commands is closed after the shorter time.
const (
	lingerTime = 30 * time.Second
	quietTime  = 500 * time.Millisecond
)

// sweep closes relayed sessions that have been silent for too long.
func (h *host) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			h.cutSilent(now)
		}
	}
}

func (h *host) cutSilent(now time.Time) {
	limits := idleLimits[h.listener.Protocol]
	for _, s := range h.all() {
		r := s.relay.Load()
		if r == nil {
			continue // its reads have a deadline
		}
		silence, serverOwes := r.silent(now)
		limit := limits.client
		if serverOwes {
			limit = limits.server
		}
		if r.half() {
			limit = lingerTime
		}
		if silence > limit {
			r.cut(errIdle)
		}
	}
}

// drain lets sessions end after the port is closed: those that have not signed in are told at once, those
// that are between two commands are closed, the others get until the deadline for what they are doing.
func (h *host) drain() {
	ended := make(chan struct{})
	go func() {
		h.sessions.Wait()
		close(ended)
	}()
	for _, s := range h.all() {
		s.stop(errDraining)
	}
	tick := time.NewTicker(quietTime / 5)
	defer tick.Stop()
	deadline := time.Now().Add(h.server.options.Drain)
	for {
		select {
		case <-ended:
			return
		case now := <-tick.C:
			h.cutQuiet(now, now.After(deadline))
		}
	}
}

// cutQuiet closes the sessions in which nothing is under way, or all.
func (h *host) cutQuiet(now time.Time, all bool) {
	for _, s := range h.all() {
		r := s.relay.Load()
		if r == nil {
			s.stop(errDraining)
			if all {
				_ = s.wire.Close()
			}
			continue
		}
		silence, serverOwes := r.silent(now)
		if all || silence > quietTime && !serverOwes {
			r.cut(errDraining)
		}
	}
}

// all returns the sessions that live, so that they can be looked at without the lock.
func (h *host) all() []*session {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*session, 0, len(h.live))
	for s := range h.live {
		all = append(all, s)
	}
	return all
}
