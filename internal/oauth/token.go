package oauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// flightLimit is how long a token may take: waiting for another process's lease, one request, storing.
const flightLimit = leaseTime + endpoint.Timeout

// Token returns an access token of address that is valid now, to be sent to one destination. The error is a
// *ladder.Error at the step token when a person can read something from it; its fault says whether somebody must
// authorise. However many callers and processes ask at once, the provider is asked once.
func (s *Service) Token(ctx context.Context, address string, to credential.Destination) (vault.Secret, error) {
	address = Normal(address)
	if err := s.admit(ctx, address, to); err != nil {
		return vault.Secret{}, err
	}
	return s.access(ctx, address)
}

// access is the token for whoever knows that its destination is good.
func (s *Service) access(ctx context.Context, address string) (vault.Secret, error) {
	if c := s.cache.get(address); c.fresh(s.now()) {
		return c.token, nil
	}
	return s.fly(ctx, address, wanted{})
}

// Refresh asks the provider now, whatever is stored and however long to wait it said: somebody pressed a button.
func (s *Service) Refresh(ctx context.Context, address string) error {
	_, err := s.fly(ctx, Normal(address), wanted{now: true})
	return err
}

// wanted says what a flight is for. The zero value wants a token that is usable.
type wanted struct {
	early bool // in the background: renew in the last part of its life, do not wait for others
	now   bool // renew in any case
}

// fly lets one caller in this process do the work for all. The work goes on when that caller leaves.
func (s *Service) fly(ctx context.Context, address string, w wanted) (vault.Secret, error) {
	done := s.flights.DoChan(fmt.Sprintf("%s %t %t", address, w.early, w.now), func() (any, error) {
		if err := s.work.begin(); err != nil {
			return vault.Secret{}, err
		}
		defer s.work.end()
		ctx, cancel := detached(ctx, flightLimit)
		defer cancel()
		return s.current(ctx, address, w)
	})
	select {
	case <-ctx.Done():
		return vault.Secret{}, ctx.Err()
	case result := <-done:
		token, _ := result.Val.(vault.Secret)
		return token, result.Err
	}
}

// current returns the stored token, or gets a new one as soon as no other process is at it.
func (s *Service) current(ctx context.Context, address string, w wanted) (vault.Secret, error) {
	first := int64(-1)
	for wait := leaseLook; ; wait = min(2*wait, longestLook) {
		g, r, err := s.load(ctx, address)
		if err != nil {
			return s.instead(address, err)
		}
		if first < 0 {
			first = g.Generation
		}
		w.now = w.now && g.Generation == first // somebody else has just renewed it
		if token, ok := s.stored(g, w); ok {
			return token, nil
		}
		if err := s.mayAsk(g, r, w); err != nil {
			return vault.Secret{}, err
		}
		mine, err := claimLease(ctx, s.pool, g, s.owner, leaseTime)
		if err != nil {
			return vault.Secret{}, err
		}
		if mine {
			return s.renew(ctx, g, r)
		}
		if w.early {
			return vault.Secret{}, nil
		}
		if err := pause(ctx, wait); err != nil {
			return vault.Secret{}, err
		}
	}
}

// instead hands out the token in memory when the database does not answer: a restart of PostgreSQL is no
// reason to turn anybody away.
func (s *Service) instead(address string, err error) (vault.Secret, error) {
	known := errors.Is(err, problem.ErrNotFound)
	if c := s.cache.get(address); !known && c.usable(s.now()) {
		s.log.Warn("hand out a token without looking at its row", "address", address, "error", err)
		return c.token, nil
	}
	if known {
		s.cache.drop(address)
		return vault.Secret{}, unregistered(address)
	}
	return vault.Secret{}, err
}

// load reads the grant of an address with the registration that renews it.
func (s *Service) load(ctx context.Context, address string) (held, Registration, error) {
	r, err := lookupClient(ctx, s.pool, address)
	if err != nil {
		return held{}, r, err
	}
	g, err := findGrant(ctx, s.pool, address)
	if errors.Is(err, problem.ErrNotFound) {
		g, err = ensureGrant(ctx, s.pool, address, r.ID)
	}
	if err != nil || g.RegistrationID == r.ID {
		return g, r, err
	}
	return s.settleRegistration(ctx, g, r)
}

// settleRegistration decides between the registration that obtained the tokens and one that now fits the
// address better. Where somebody has consented, the old one goes on until they consent again.
func (s *Service) settleRegistration(ctx context.Context, g held, better Registration) (held, Registration, error) {
	if g.SealedRefresh != nil && better.EffectiveFlow().NeedsPerson() {
		old, err := findClient(ctx, s.pool, g.RegistrationID)
		return g, old, err
	}
	if err := moveGrant(ctx, s.pool, g, better.ID); err != nil {
		return g, better, err
	}
	g, err := findGrantByID(ctx, s.pool, g.ID)
	return g, better, err
}

// stored returns the token of the row when it is good enough for what is wanted.
func (s *Service) stored(g held, w wanted) (vault.Secret, bool) {
	now := s.now()
	if w.now || !g.usable(now) || (w.early && g.refreshDue(now)) {
		return vault.Secret{}, false
	}
	c := s.cache.get(g.Address)
	if c.token.IsZero() || c.generation != g.Generation {
		token, err := s.box.Open(g.SealedAccess, accessPlace(g.Grant))
		if err != nil {
			s.log.Error("open a stored access token", "address", g.Address, "error", err)
			return vault.Secret{}, false
		}
		c.token = token
	}
	s.remember(g, c.token)
	return c.token, true
}

func (s *Service) remember(g held, token vault.Secret) {
	s.cache.put(g.Address, cached{
		token: token, generation: g.Generation, checked: s.now(), proven: g.State == Active,
		usableUntil: usableUntil(*g.IssuedAt, *g.ExpiresAt),
	})
}

// mayAsk returns why the provider is not asked now: nobody has consented, it said no, or it said later.
func (s *Service) mayAsk(g held, r Registration, w wanted) error {
	flow := r.EffectiveFlow()
	switch {
	case flow.NeedsPerson() && g.FailedBecause == GrantFailed:
		return kept(g.Grant)
	case flow.NeedsPerson() && g.SealedRefresh == nil, flow == Password && g.SealedPassword == nil:
		return unauthorised(g.Address, flow)
	case !w.now && g.RetryAt != nil && s.now().Before(*g.RetryAt):
		return kept(g.Grant)
	}
	return nil
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Invalidate tells that a mail server refused a token. It reports whether asking for another may help: not
// when the refused token was issued a moment ago. However many sessions report it, it is dropped once.
func (s *Service) Invalidate(ctx context.Context, address string, token vault.Secret) (bool, error) {
	address = Normal(address)
	g, err := findGrant(ctx, s.pool, address)
	if err != nil {
		return false, err
	}
	s.cache.drop(address)
	if g.SealedAccess == nil {
		return true, nil
	}
	current, err := s.box.Open(g.SealedAccess, accessPlace(g.Grant))
	if err == nil && !current.Equal(token) {
		return true, nil // somebody else reported it first; there is a newer one
	}
	if g.IssuedAt != nil && s.now().Sub(*g.IssuedAt) < refusedFresh {
		return false, nil
	}
	return true, postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := dropAccess(ctx, tx, g); err != nil {
			return err
		}
		return s.recordGrant(ctx, tx, "token_refused", g.Grant, nil)
	})
}

// refusedFresh is the age below which a refused token is not worth renewing: the next one would be the same.
const refusedFresh = 30 * time.Second

// Source is the token of one address for one destination, in the shape in which mail clients take it.
type Source struct {
	service *Service
	address string
	to      credential.Destination

	mu   sync.Mutex
	last vault.Secret
}

// Source returns the token source of an address for a destination.
func (s *Service) Source(address string, to credential.Destination) *Source {
	return &Source{service: s, address: Normal(address), to: to}
}

// Token returns the user name to sign in with and the token that is valid now.
func (t *Source) Token(ctx context.Context) (string, vault.Secret, error) {
	token, err := t.service.Token(ctx, t.address, t.to)
	if err != nil {
		return "", vault.Secret{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = token
	return t.address, token, nil
}

// Invalidate forgets the token that Token returned last, because the server refused it.
func (t *Source) Invalidate(ctx context.Context) {
	t.mu.Lock()
	last := t.last
	t.mu.Unlock()
	if _, err := t.service.Invalidate(ctx, t.address, last); err != nil {
		t.service.log.Warn("forget a refused token", "address", t.address, "error", err)
	}
}
