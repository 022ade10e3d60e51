package approval

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/notify"
)

// People knows the users of Orbit; internal/app ties it to internal/identity.
type People interface {
	// Persons returns users, in any order. Those that do not exist are missing.
	Persons(ctx context.Context, tx pgx.Tx, userIDs []int64) ([]Person, error)
	// Member returns the user with that address. When there is none, one with the role member is made and invited,
	// in a transaction of its own.
	Member(ctx context.Context, name, email string) (Person, error)
}

// Notices sends mail and tells rules of events; internal/notify implements it.
type Notices interface {
	SendTx(ctx context.Context, tx pgx.Tx, m notify.Message) (int64, error)
	PostTx(ctx context.Context, tx pgx.Tx, e notify.Event) (notify.Accepted, error)
	// CancelRequestTx takes back what waits to be sent about a request.
	CancelRequestTx(ctx context.Context, tx pgx.Tx, requestID int64) (int, error)
}

// Options are the parts that a Service works with.
type Options struct {
	Pool    *pgxpool.Pool
	People  People
	Notices Notices
	BaseURL *url.URL // as browsers reach Orbit: decision links begin with it
	// RepliesRead reports whether a mailbox reads the answers to mails, so that mails may say so. Nil: none does.
	RepliesRead func(ctx context.Context) bool
	Log         *slog.Logger
	Clock       func() time.Time // default time.Now
}

// Service is what one can do with access requests.
type Service struct {
	Options
	wake chan struct{} // Run looks again
}

// NewService returns a Service.
func NewService(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.RepliesRead == nil {
		o.RepliesRead = func(context.Context) bool { return false }
	}
	return &Service{Options: o, wake: make(chan struct{}, 1)}
}

// Find returns a request with its approvers and decisions, or problem.ErrNotFound.
func (s *Service) Find(ctx context.Context, id int64) (Whole, error) {
	var whole Whole
	err := pgx.BeginTxFunc(ctx, s.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		whole, err = findWhole(ctx, tx, id, false)
		return err
	})
	return whole, err
}

// now is the time to the microsecond, as the database keeps it.
func (s *Service) now() time.Time { return s.Clock().Truncate(time.Microsecond) }
