package credential

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"orbit/internal/vault"
)

// loginsFresh is how long the logins in memory are used before the database is asked, by a query of one
// line, whether a credential changed. A changed secret counts everywhere within a second.
const loginsFresh = 500 * time.Millisecond

// digest stands for a secret in memory: worthless without the key of this process.
type digest [sha256.Size]byte

// logins are the credentials as sign-ins at own listeners are compared with them. Never changed once built.
type logins struct {
	checked     time.Time
	fingerprint string
	byUsername  map[string][]digest // usernames in lower case
	broken      map[string]error    // copies that did not open; tried again each time
}

// Verify reports whether a sign-in at an own listener names a registered credential with its secret. The
// username counts in any case, and several credentials may share it. An unknown username takes as long as a
// wrong secret.
func (s *Service) Verify(ctx context.Context, username string, secret vault.Secret) (bool, error) {
	known, err := s.currentLogins(ctx)
	if err != nil {
		return false, fmt.Errorf("verify a sign-in: %w", err)
	}
	return known.match(strings.ToLower(username), secret.Digest(s.key))
}

func (l *logins) match(username string, given digest) (bool, error) {
	candidates := l.byUsername[username]
	found := 0
	for _, d := range candidates {
		found |= subtle.ConstantTimeCompare(d[:], given[:])
	}
	if len(candidates) == 0 {
		var nobody digest
		subtle.ConstantTimeCompare(nobody[:], given[:])
	}
	if found == 1 {
		return true, nil
	}
	return false, l.broken[username]
}

// currentLogins returns logins that were right a moment ago.
func (s *Service) currentLogins(ctx context.Context) (*logins, error) {
	if known := s.logins.Load(); known.fresh(s.now()) {
		return known, nil
	}
	select {
	case s.loginsRun <- struct{}{}: // one asks, the others wait for the answer
		defer func() { <-s.loginsRun }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	known := s.logins.Load()
	if known.fresh(s.now()) {
		return known, nil
	}
	known, err := s.refresh(ctx, known)
	if err != nil {
		return nil, err
	}
	s.logins.Store(known)
	return known, nil
}

func (l *logins) fresh(now time.Time) bool {
	return l != nil && now.Sub(l.checked) < loginsFresh
}

// refresh asks first and loads only when a credential changed. The fingerprint is read before the logins:
// a change in between is found the next time.
func (s *Service) refresh(ctx context.Context, old *logins) (*logins, error) {
	checked := s.now()
	fingerprint, err := selectFingerprint(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	if old != nil && old.fingerprint == fingerprint && len(old.broken) == 0 {
		same := *old
		same.checked = checked
		return &same, nil
	}
	rows, err := selectLogins(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	fresh := &logins{checked: checked, fingerprint: fingerprint, byUsername: map[string][]digest{}, broken: map[string]error{}}
	for _, row := range rows {
		fresh.add(row, s)
	}
	return fresh, nil
}

// add keeps one credential that does not open from locking out the others.
func (l *logins) add(row loginRow, s *Service) {
	username := strings.ToLower(row.Username)
	secret, err := s.box.Open(row.Sealed, binding(row.ID, selfText))
	if err != nil {
		l.broken[username] = fmt.Errorf("open credential %d: %w", row.ID, err)
		return
	}
	l.byUsername[username] = append(l.byUsername[username], secret.Digest(s.key))
}
