package tunnel

import (
	"slices"
	"sync"
	"time"
)

// latency remembers the last round trips, about a minute of them.
type latency struct {
	mu   sync.Mutex
	ring [30]time.Duration
	n    int
}

func (l *latency) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring[l.n%len(l.ring)] = d
	l.n++
}

// median is that of the last round trips, 0 without any.
func (l *latency) median() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := slices.Clone(l.ring[:min(l.n, len(l.ring))])
	if len(known) == 0 {
		return 0
	}
	slices.Sort(known)
	return known[len(known)/2]
}
