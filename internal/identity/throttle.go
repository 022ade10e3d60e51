package identity

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// After freeFailures wrong passwords for an account, or from an address, the next try has to wait: at first seconds,
// then twice as long each time, never longer than longestBlock. Nobody is locked out for good.
const (
	freeFailures = 5
	firstBlock   = 10 * time.Second
	longestBlock = 15 * time.Minute
	forgetAfter  = time.Hour // must exceed longestBlock, or waiting would wipe the slate
)

// Throttled says that a password was not even looked at.
type Throttled struct {
	Wait time.Duration // until the next try
}

// Error is the sentence that the person reads.
func (t *Throttled) Error() string {
	return fmt.Sprintf("Too many failed attempts. Try again in %s.", inWords(t.Wait))
}

// Unwrap makes it a refusal for those who do not care about the seconds.
func (t *Throttled) Unwrap() error { return &problem.Refused{Text: t.Error()} }

// inWords rounds up, so that who waits as long as told gets in.
func inWords(d time.Duration) string {
	seconds := int64((d + time.Second - 1) / time.Second)
	switch {
	case seconds <= 1:
		return "1 second"
	case seconds < 120:
		return fmt.Sprintf("%d seconds", seconds)
	}
	return fmt.Sprintf("%d minutes", (seconds+59)/60)
}

// attempt counts a try against every key before the password is looked at, so that a hundred tries at the same moment
// are not a hundred tries for free. Success clears the keys, see deleteFailures. The first key that is blocked ends it.
func (s *Service) attempt(ctx context.Context, keys []string) error {
	now := s.now()
	for _, key := range keys {
		until, err := countAttempt(ctx, s.pool, key, now)
		if err != nil {
			return err
		}
		if wait := until.Sub(now); wait > 0 {
			s.options.Log.InfoContext(ctx, "sign-in throttled", "key", key, "wait", wait)
			return &Throttled{Wait: wait}
		}
	}
	return nil
}

// throttleKeys are what a try counts against. The address comes first: a flood from one place must not block an
// account whose turn never comes.
func throttleKeys(address, username string) []string {
	keys := make([]string, 0, 2)
	if address != "" {
		keys = append(keys, "address:"+network(address))
	}
	// A name that cannot exist needs no count of its own, and would let a stranger fill the table with long rows.
	if username != "" && len(username) <= maxUsername && usernamePattern.MatchString(username) {
		keys = append(keys, "user:"+strings.ToLower(username))
	}
	return keys
}

// network is the address itself, or its /64 with IPv6, of which one customer has all.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) // cannot fail: 64 bits of an IPv6 address
	return prefix.String()
}

// setupKey is counted beside the address, so that many addresses together do not guess faster.
const setupKey = "setup:code"

// verify compares a password with a stored hash at a cost that does not depend on the user.
func (s *Service) verify(ctx context.Context, hash string, password vault.Secret) (ok, outdated bool, err error) {
	if len(password.Reveal()) > 4*maxPassword { // UTF-8 takes up to four bytes a character
		password = vault.Secret{}
	}
	return s.hashes.matches(ctx, hash, password)
}
