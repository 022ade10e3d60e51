package inbox

import (
	"maps"
	"sync"
	"sync/atomic"

	"orbit/internal/mail/reply"
)

// counts are what this process has done.
type counts struct {
	visits, failures     atomic.Int64
	bytes, known, failed atomic.Int64
	mu                   *sync.Mutex
	classes              map[reply.Class]int
}

func newCounts() counts { return counts{mu: new(sync.Mutex), classes: map[reply.Class]int{}} }

func (c *counts) visited(well bool) {
	c.visits.Add(1)
	if !well {
		c.failures.Add(1)
	}
}

func (c *counts) kept(k kept) {
	c.bytes.Add(k.bytes)
	c.known.Add(int64(k.known))
	c.failed.Add(int64(k.failed))
	c.mu.Lock()
	defer c.mu.Unlock()
	for class, n := range k.classes {
		c.classes[class] += n
	}
}

func (c *counts) messages() map[reply.Class]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.classes)
}
