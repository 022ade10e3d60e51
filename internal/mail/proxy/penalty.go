package proxy

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// penalties count wrong passwords for each client address and each user name, so that guessing is slow
// from one place and for one account. Only the answer to a failure is delayed: nobody can slow down
// somebody who knows the password.
type penalties struct {
	mu     sync.Mutex
	counts map[string]penalty
}

type penalty struct {
	failures int
	last     time.Time
}

const (
	penaltyLife  = 15 * time.Minute // after the last failure
	maxPenalties = 10_000
)

// failed counts a failure and returns how many there have been, for the address or for the user name.
func (p *penalties) failed(address netip.Addr, username string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	return max(p.count("address "+address.String(), now), p.count(userKey(username), now))
}

// userKey is short, however long the name, and the same for spellings that mail systems take for one.
func userKey(username string) string {
	return "user " + strings.ToLower(username[:min(len(username), 254)]) // RFC 5321 4.5.3.1.3
}

func (p *penalties) count(key string, now time.Time) int {
	entry, found := p.counts[key]
	if !found && len(p.counts) >= maxPenalties {
		p.makeRoom(now)
	}
	if now.Sub(entry.last) > penaltyLife {
		entry.failures = 0
	}
	entry.failures++
	entry.last = now
	p.counts[key] = entry
	return entry.failures
}

// makeRoom drops what has expired; where that is too little, whatever comes first. It frees a tenth at
// once, so that somebody who invents names does not make every failure cost a walk through all.
func (p *penalties) makeRoom(now time.Time) {
	for key, entry := range p.counts {
		if now.Sub(entry.last) > penaltyLife {
			delete(p.counts, key)
		}
	}
	for key := range p.counts {
		if len(p.counts) < maxPenalties*9/10 {
			return
		}
		delete(p.counts, key)
	}
}

// forgive forgets the failures of a user name whose password was right. Those of an address stay: one known
// password must not buy guesses at others.
func (p *penalties) forgive(username string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.counts, userKey(username))
}

// defaultDelay doubles from a quarter of a second to two seconds. Programs on one machine share an address,
// so it stays below what they take for a server that hangs.
func defaultDelay(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	return 250 * time.Millisecond << min(failures-1, 3)
}
