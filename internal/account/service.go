package account

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/credential"
	"orbit/internal/setting"
)

// Service is what one can do with accounts.
type Service struct {
	pool        *pgxpool.Pool
	credentials *credential.Service
	settings    *setting.Service
	dialers     Dialers
	tokens      Tokens
	own         func(host string, port int) bool
	log         *slog.Logger
	tests       testRuns
}

// Options are the parts that a Service works with. All are required but Tokens and Log.
type Options struct {
	Pool        *pgxpool.Pool
	Credentials *credential.Service
	Settings    *setting.Service
	Dialers     Dialers
	Tokens      Tokens // nil: no account can use OAuth 2.0
	// Own reports whether a server is a listener of Orbit's own proxy: a secret that goes there stays inside.
	Own func(host string, port int) bool
	Log *slog.Logger
}

// New returns a Service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Own == nil {
		o.Own = func(string, int) bool { return false }
	}
	return &Service{
		pool: o.Pool, credentials: o.Credentials, settings: o.Settings,
		dialers: o.Dialers, tokens: o.Tokens, own: o.Own, log: o.Log, tests: newTestRuns(),
	}
}

// CredentialUses tells which accounts use each of the credentials.
func (s *Service) CredentialUses(ctx context.Context, ids []int64) (map[int64][]credential.Use, error) {
	return credentialUses(ctx, s.pool, ids)
}
