// Package identity knows who may come in: people with a password, their sessions, and programs with an API token.
//
// A sign-in is throttled before the password is looked at, checked at the same cost whether the name exists or not,
// and answered with a new session whose random key is stored only as a hash. Whatever makes a session stronger or a
// person weaker (sign-in, password asked again, new role, new password) replaces or ends sessions in the same
// transaction. Everything done here leaves an audit entry there too.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Options say how long things last. The zero value is what the documentation promises.
type Options struct {
	Idle     time.Duration    // a session unused for so long ends; default 60 minutes
	Absolute time.Duration    // a session ends after so long in any case; default 12 hours
	Secure   bool             // the base URL is https: the cookie gets the __Host- prefix and Secure
	Clock    func() time.Time // default time.Now
	Log      *slog.Logger     // default slog.Default()

	PasswordCost   Cost           // default presentCost; tests that sign in hundreds of times take less
	SendInvitation SendInvitation // nil: nobody can be invited by mail
}

func (o Options) withDefaults() Options {
	if o.Idle == 0 {
		o.Idle = time.Hour
	}
	if o.Absolute == 0 {
		o.Absolute = 12 * time.Hour
	}
	if o.PasswordCost == (Cost{}) {
		o.PasswordCost = presentCost
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Service is what one can do with users, sessions and tokens. Several processes may each have one on the same database.
type Service struct {
	pool    *pgxpool.Pool
	options Options
	hashes  *hasher
	set     atomic.Bool // an administrator exists; it stays so, because the last one cannot be removed
}

// New returns the service on a migrated database.
func New(pool *pgxpool.Pool, options Options) *Service {
	options = options.withDefaults()
	return &Service{pool: pool, options: options, hashes: newHasher(options.PasswordCost)}
}

func (s *Service) now() time.Time { return s.options.Clock() }

// cleaning is how often rows that no longer mean anything are removed.
const cleaning = 10 * time.Minute

// Run removes expired sessions and forgotten failures until ctx ends. Several processes may do so at once.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(cleaning)
	defer tick.Stop()
	for {
		if err := s.clean(ctx); err != nil && ctx.Err() == nil {
			s.options.Log.WarnContext(ctx, "remove expired sessions", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) clean(ctx context.Context) error {
	now := s.now()
	sessions := deleteExpiredSessions(ctx, s.pool, now, now.Add(-s.options.Idle))
	failures := deleteForgottenFailures(ctx, s.pool, now.Add(-forgetAfter))
	if err := errors.Join(sessions, failures); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return nil
}
