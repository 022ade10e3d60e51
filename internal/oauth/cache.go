package oauth

import (
	"maps"
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
	open   map[admission]time.Time // when it was last found that a token may go there
	shut   map[admission]time.Time // when it was last written down that it may not
}

// admission is one address's token on its way to one destination.
type admission struct{ address, destination string }

func newCache() cache {
	return cache{tokens: map[string]cached{}, open: map[admission]time.Time{}, shut: map[admission]time.Time{}}
}

// admitted reports whether a token may go somewhere: as found a moment ago, or ever.
func (c *cache) admitted(a admission, now time.Time) (fresh, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, known := c.open[a]
	return known && now.Sub(at) < recheck, known
}

func (c *cache) admit(a admission, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[a] = now
}

// rewrite is how often the audit trail is told the same.
const rewrite = time.Hour

// withheld notes that a token must not go somewhere, and reports whether that is worth writing down.
func (c *cache) withheld(a admission, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, a)
	last, found := c.shut[a]
	if found && now.Sub(last) < rewrite {
		return false
	}
	maps.DeleteFunc(c.shut, func(_ admission, at time.Time) bool { return now.Sub(at) >= rewrite })
	c.shut[a] = now
	return true
}

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
	maps.DeleteFunc(c.open, func(a admission, _ time.Time) bool { return a.address == address })
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.tokens)
	clear(c.open)
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
