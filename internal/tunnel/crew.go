package tunnel

import "sync"

// crew counts goroutines as a sync.WaitGroup does, and may be dismissed while more of them come: those are too late.
type crew struct {
	mu        sync.Mutex
	dismissed bool
	members   sync.WaitGroup
}

// join reports whether the caller may begin; then it must leave.
func (c *crew) join() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dismissed {
		return false
	}
	c.members.Add(1)
	return true
}

func (c *crew) leave() { c.members.Done() }

// dismiss lets nobody join any more and returns when all have left. It may be called again.
func (c *crew) dismiss() {
	c.mu.Lock()
	c.dismissed = true
	c.mu.Unlock()
	c.members.Wait()
}
