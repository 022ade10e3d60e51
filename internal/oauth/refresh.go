package oauth

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/ladder"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/postgres"
	"orbit/internal/vault"
)

// One process at a time asks the provider for an address. It holds a lease in the row, not a lock: a lock
// would need a transaction or a connection for as long as the provider thinks. See docs/decisions.
const (
	storeTime   = 10 * time.Second
	leaseTime   = endpoint.Timeout + storeTime + 5*time.Second // longer than its owner can need
	leaseLook   = 20 * time.Millisecond                        // how soon others look again
	longestLook = 500 * time.Millisecond
)

// renew asks the provider and stores the answer. The lease is held; storing ends it.
func (s *Service) renew(ctx context.Context, g held, r Registration) (vault.Secret, error) {
	tokens, err := s.request(ctx, g, r)
	ctx, cancel := detached(ctx, storeTime) // what the provider gave may have cost the old refresh token
	defer cancel()
	if err != nil {
		return vault.Secret{}, s.fail(ctx, g, r, err)
	}
	o, err := s.seal(g.Grant, r.Settings, tokens)
	if err != nil {
		return vault.Secret{}, err
	}
	current, err := s.storeRenewed(ctx, g, r, o)
	if err != nil { // the lease runs out by itself; the next one asks with the refresh token from before
		return vault.Secret{}, err
	}
	if !current { // authorised again meanwhile: those tokens are newer
		s.release(ctx, g)
		return s.current(ctx, g.Address, wanted{})
	}
	s.tellRecovery(g.Grant)
	g, err = findGrantByID(ctx, s.pool, g.ID)
	if err != nil {
		return vault.Secret{}, err
	}
	s.remember(g, tokens.Access)
	return tokens.Access, nil
}

func (s *Service) request(ctx context.Context, g held, r Registration) (endpoint.Tokens, error) {
	a, err := s.askerFor(ctx, r, r.ActiveSlot)
	if err != nil {
		return endpoint.Tokens{}, err
	}
	form, err := s.form(a, g)
	if err != nil {
		return endpoint.Tokens{}, err
	}
	return s.obtain(ctx, a, form)
}

// storeRenewed commits new tokens before anybody uses them, and clears what the client was blamed for.
func (s *Service) storeRenewed(ctx context.Context, g held, r Registration, o obtained) (current bool, err error) {
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if current, err = storeRefreshed(ctx, tx, g, o); err != nil || !current {
			return err
		}
		if g.FailedBecause == ClientFail {
			if err := unflagGrantsOf(ctx, tx, r.ID); err != nil {
				return err
			}
		}
		return s.recordGrant(ctx, tx, "refreshed", g.Grant, map[string]any{
			"flow": r.EffectiveFlow(), "registration": r.Pattern, "slot": r.ActiveSlot, "rotated": o.refresh != nil})
	})
	return current, err
}

// fail stores what a failed request means and returns it for people.
func (s *Service) fail(ctx context.Context, g held, r Registration, err error) error {
	v := judge(err, r, g.Address, s.redirectURI(r.Settings))
	s.log.Warn("get an access token", "address", g.Address, "registration", r.Pattern, "code", v.fault.Code, "error", err)
	if v.because != NoReason {
		s.cache.drop(g.Address)
	}
	if err := s.storeVerdict(ctx, g, r, v); err != nil {
		s.log.Error("store why there is no access token", "address", g.Address, "error", err)
	}
	s.tellFailure(g.Grant, v.fault)
	s.release(ctx, g)
	return &ladder.Error{Step: ladder.Token, Fault: v.fault, Err: err}
}

// release ends the lease early where storing did not.
func (s *Service) release(ctx context.Context, g held) {
	if err := releaseLease(ctx, s.pool, g.ID, s.owner); err != nil {
		s.log.Error("release the lease on a refresh", "address", g.Address, "error", err)
	}
}
