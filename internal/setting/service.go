package setting

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// fresh is how long parameters in memory are used: what one process saves, all others follow within it.
const fresh = time.Second

// Service reads and saves system parameters.
type Service struct {
	pool *pgxpool.Pool
	now  func() time.Time

	mu     sync.Mutex
	cached Application
	readAt time.Time
}

// New returns a Service.
func New(pool *pgxpool.Pool) *Service { return &Service{pool: pool, now: time.Now} }

// Application returns the parameters that hold now.
func (s *Service) Application(ctx context.Context) (Application, error) {
	if a, ok := s.remembered(); ok {
		return a, nil
	}
	asked := s.now()
	a, err := selectApplication(ctx, s.pool)
	if err != nil {
		return Application{}, err
	}
	return s.remember(a, asked), nil
}

// Save stores the parameters; Version is the one that was read. A *problem.Conflict says that somebody else
// saved in the meantime.
func (s *Service) Save(ctx context.Context, edited Application) (saved Application, err error) {
	edited = edited.normal()
	if err := edited.Validate().Err(); err != nil {
		return Application{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		saved, err = save(ctx, tx, edited)
		return err
	})
	if err != nil {
		return Application{}, err
	}
	return s.remember(saved, s.now()), nil
}

func save(ctx context.Context, tx pgx.Tx, edited Application) (Application, error) {
	stored, err := lockApplication(ctx, tx)
	if err != nil {
		return Application{}, err
	}
	if stored.Version != edited.Version {
		return Application{}, conflict(stored, edited)
	}
	if err := checkConnector(ctx, tx, edited.DefaultConnectorID); err != nil {
		return Application{}, err
	}
	changes := audit.Changes(stored, edited)
	if len(changes) == 0 {
		return stored, nil
	}
	if err := updateApplication(ctx, tx, edited, audit.ActorFrom(ctx).Name); err != nil {
		return Application{}, err
	}
	saved, err := selectApplication(ctx, tx)
	if err != nil {
		return Application{}, err
	}
	return saved, audit.Record(ctx, tx, audit.Entry{
		Action: "system_parameter.changed", Object: "system_parameter", ObjectName: "application", Detail: changes,
	})
}

func checkConnector(ctx context.Context, tx pgx.Tx, id int64) error {
	if id == 0 {
		return nil
	}
	usable, err := connectorUsable(ctx, tx, id)
	if err != nil {
		return err
	}
	if !usable {
		return problem.Invalid{{Name: "default_network_connector_id", Text: unknownConnector}}
	}
	return nil
}

func (s *Service) remembered() (Application, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cached, !s.readAt.IsZero() && s.now().Sub(s.readAt) < fresh
}

// remember keeps the newest answer: one that was long on its way must not hide what was saved meanwhile.
func (s *Service) remember(a Application, readAt time.Time) Application {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !readAt.Before(s.readAt) {
		s.cached, s.readAt = a, readAt
	}
	return s.cached
}
