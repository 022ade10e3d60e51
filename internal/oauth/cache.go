package oauth

import (
	"sync"
	"time"

	"orbit/internal/vault"
)

// recheck is how long a token in memory is handed out without a look at its row. Within this time another
// process's change (removed, authorised again, secret replaced) is followed.
const recheck = time.Second

// cached is an opened access token.
type cached struct {
	token       vault.Secret
	generation  int64
	usableUntil time.Time
	checked     time.Time
	proven      bool
}

func (c cached) usable(now time.Time) bool { return !c.token.IsZero() && now.Before(c.usableUntil) }

func (c cached) fresh(now time.Time) bool { return c.usable(now) && now.Sub(c.checked) < recheck }

// cache keeps opened access tokens by address, so that a burst of sign-ins costs neither queries nor decryption.
type cache struct {
	mu     sync.Mutex
	tokens map[string]cached
}

func newCache() cache { return cache{tokens: map[string]cached{}} }

func (c *cache) get(address string) cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tokens[address]
}

func (c *cache) put(address string, t cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens[address] = t
}

func (c *cache) drop(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tokens, address)
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.tokens)
}

// prove remembers whether a mail server has accepted the token.
func (c *cache) prove(address string, proven bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.tokens[address]; ok {
		t.proven = proven
		c.tokens[address] = t
	}
}
