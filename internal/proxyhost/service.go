package proxyhost

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/connector"
	"orbit/internal/credential"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Options are the parts that a Service works with. All are required but Log, Version and Drain.
type Options struct {
	Pool        *pgxpool.Pool
	OAuth       *oauth.Service
	Credentials *credential.Service
	Connectors  *connector.Service
	Log         *slog.Logger
	Version     string        // of the program, for the table of processes
	Drain       time.Duration // for sessions that are busy when a listener stops; the proxy's default
}

// Service is what one can do with listeners. Several processes may each have one.
type Service struct {
	pool        *pgxpool.Pool
	oauth       *oauth.Service
	credentials *credential.Service
	connectors  *connector.Service
	log         *slog.Logger
	version     string

	process       string // names this process in the database
	server        *proxy.Server
	own           own
	registrations memo[string, oauth.Registration]
	listeners     memo[int64, Settings]
	journal       *journal
	counts        counts
	prompts       prompts
	errands       chan errand
	changed       signal // listeners changed
	happened      signal // the state of a listener of this process changed
	restarted     map[int64]int64
}

// New returns a Service. Nothing listens before Run.
func New(o Options) (*Service, error) {
	if o.Pool == nil || o.OAuth == nil || o.Credentials == nil || o.Connectors == nil {
		return nil, errors.New("the proxy host needs a pool, OAuth, credentials and connectors")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		pool: o.Pool, oauth: o.OAuth, credentials: o.Credentials, connectors: o.Connectors,
		log: o.Log, version: o.Version, process: newProcess(),
		errands: make(chan errand, maxErrands), restarted: map[int64]int64{},
		changed: newSignal(), happened: newSignal(),
	}
	s.journal = newJournal(o.Pool, s.process, o.Log)
	var err error
	s.server, err = proxy.New(proxy.Options{Backend: backend{s}, Observer: proxy.ObserverFunc(s.observe), Drain: o.Drain})
	return s, err
}

// newProcess returns 128 random bits, which PostgreSQL takes for a uuid.
func newProcess() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// Change is what a person submits for a listener.
type Change struct {
	Settings
	Wanted  Wanted // "" leaves it as it is; a new listener is then running
	Version int    // that was read; 0: whatever is stored
}

// List returns all listeners by name.
func (s *Service) List(ctx context.Context) ([]Listener, error) { return selectListeners(ctx, s.pool) }

// Find returns a listener, or problem.ErrNotFound.
func (s *Service) Find(ctx context.Context, id int64) (Listener, error) {
	return selectListener(ctx, s.pool, id)
}

// FindByName returns the listener of that name in any case, or problem.ErrNotFound.
func (s *Service) FindByName(ctx context.Context, name string) (Listener, error) {
	return selectListenerByName(ctx, s.pool, name)
}

// Create registers a listener. Every process opens its port within a second.
func (s *Service) Create(ctx context.Context, c Change) (stored Listener, err error) {
	err = s.changing(ctx, func(tx pgx.Tx, all []Listener) error {
		stored, err = s.createIn(ctx, tx, all, c)
		return err
	})
	return stored, err
}

func (s *Service) createIn(ctx context.Context, tx pgx.Tx, all []Listener, c Change) (Listener, error) {
	c.Settings = c.Normalise()
	if err := c.check(all, 0); err != nil {
		return Listener{}, err
	}
	if c.Wanted == "" {
		c.Wanted = Running
	}
	stored, err := insertListener(ctx, tx, c.Settings, c.Wanted, audit.ActorFrom(ctx).Name)
	if err != nil {
		return Listener{}, err
	}
	return stored, record(ctx, tx, "created", stored, audit.Changes(nil, stored.Settings))
}

// Save changes a listener. A *problem.Conflict says that somebody else did so first. Sessions of a listener
// whose settings changed are drained.
func (s *Service) Save(ctx context.Context, id int64, c Change) (stored Listener, err error) {
	err = s.changing(ctx, func(tx pgx.Tx, all []Listener) error {
		before, err := pick(all, id)
		if err != nil {
			return err
		}
		stored, err = s.saveIn(ctx, tx, all, before, c)
		return err
	})
	return stored, err
}

func (s *Service) saveIn(ctx context.Context, tx pgx.Tx, all []Listener, before Listener, c Change) (Listener, error) {
	c.Settings = c.Normalise()
	if c.Version != 0 && c.Version != before.Version {
		return Listener{}, conflict(before, c.Settings)
	}
	if err := c.check(all, before.ID); err != nil {
		return Listener{}, err
	}
	stored, err := updateListener(ctx, tx, before.ID, c.Settings, audit.ActorFrom(ctx).Name)
	if err != nil {
		return Listener{}, err
	}
	if c.Wanted != "" {
		if err := updateWanted(ctx, tx, before.ID, c.Wanted, 0); err != nil {
			return Listener{}, err
		}
		stored.Wanted = c.Wanted
	}
	detail := audit.Changes(before.Settings, stored.Settings)
	if before.Wanted != stored.Wanted {
		detail["wanted"] = map[string]any{"was": before.Wanted, "now": stored.Wanted}
	}
	return stored, record(ctx, tx, "changed", stored, detail)
}

// Delete removes a listener; its sessions are drained. Version is the one that was read, 0 for any.
func (s *Service) Delete(ctx context.Context, id int64, version int) error {
	return s.changing(ctx, func(tx pgx.Tx, all []Listener) error {
		found, err := pick(all, id)
		if err != nil {
			return err
		}
		if version != 0 && version != found.Version {
			return conflict(found, found.Settings)
		}
		if err := deleteListener(ctx, tx, found); err != nil {
			return err
		}
		return record(ctx, tx, "deleted", found, nil)
	})
}

// changing runs a change of listeners and tells all processes. Nobody else changes one at the same time.
func (s *Service) changing(ctx context.Context, do func(tx pgx.Tx, all []Listener) error) error {
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		all, err := lockListeners(ctx, tx)
		if err != nil {
			return err
		}
		if err := do(tx, all); err != nil {
			return err
		}
		return tell(ctx, tx, changedChannel)
	})
	if err == nil {
		s.own.forget()
		s.changed.raise() // this process needn't wait for the notification
	}
	return err
}

// check says everything that is wrong with normalised settings beside all other listeners.
func (s Settings) check(all []Listener, id int64) error {
	wrong := s.Validate()
	others := []Settings{s}
	for _, l := range all {
		if l.ID == id {
			continue
		}
		others = append(others, l.Settings)
		if l.collides(s) {
			wrong.Add("local_port", "%s has %s already; choose another port.", l.Name, l.Local())
		}
	}
	for _, l := range others {
		if leadsTo(s, l) {
			wrong.Add("server_address", "%s is a listener of this Orbit. Enter the mail server of the provider.", s.Server())
		}
	}
	return wrong.Err()
}

// leadsTo reports whether a listener's mail server is a listener of our own: its sessions would call each other.
func leadsTo(s, to Settings) bool {
	if s.ServerPort < 1 || s.ServerPort > 65535 {
		return false
	}
	for _, address := range ownCandidates(s.ServerAddress) {
		if to.listensOn(netip.AddrPortFrom(address, uint16(s.ServerPort))) {
			return true
		}
	}
	return false
}

func pick(all []Listener, id int64) (Listener, error) {
	for _, l := range all {
		if l.ID == id {
			return l, nil
		}
	}
	return Listener{}, problem.ErrNotFound
}

func record(ctx context.Context, tx pgx.Tx, action string, l Listener, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: "proxy_listener." + action, Object: "proxy_listener", ObjectID: l.ID, ObjectName: l.Name, Detail: detail,
	})
}
