package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"orbit/internal/audit"
	"orbit/internal/vault"
)

// Prover signs in at the mail servers of an address with a token. It returns what accepted the token,
// "IMAP at outlook.office365.com:993", or a *ladder.Error, or ErrNothingToProve.
type Prover interface {
	Prove(ctx context.Context, address string, token vault.Secret) (string, error)
}

// ProverFunc is a function that proves.
type ProverFunc func(ctx context.Context, address string, token vault.Secret) (string, error)

// Prove implements Prover.
func (f ProverFunc) Prove(ctx context.Context, address string, token vault.Secret) (string, error) {
	return f(ctx, address, token)
}

// ErrNothingToProve says that no listener and no account uses the address yet. The grant waits for the
// first sign-in that is accepted.
var ErrNothingToProve = errors.New("no listener and no account uses this address yet")

// Options are the parts that a Service works with. Pool, Box, BaseURL and Client are required.
type Options struct {
	Pool    *pgxpool.Pool
	Box     *vault.Box
	BaseURL string // of Orbit, for the redirect URI and the start addresses
	// Client returns how requests for a registration leave this machine: its network connector, the
	// network rules. Redirects and time limits are this package's business.
	Client func(context.Context, Registration) (*http.Client, error)
	Prover Prover // nil: grants wait for the first sign-in that is accepted
	InUse  InUse  // nil: no server is approved, tokens go to the providers' own and to this machine
	// Expiring is called once for each threshold that a secret or certificate passes, in the transaction
	// that remembers it.
	Expiring func(context.Context, pgx.Tx, Expiring) error
	Observe  func(Event)      // called when something happened and was stored; it must not wait. nil: nobody listens
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger
}

// Service is what one can do with registrations, grants and tokens. Several processes may each have one.
type Service struct {
	pool     *pgxpool.Pool
	box      *vault.Box
	baseURL  string
	client   func(context.Context, Registration) (*http.Client, error)
	prover   Prover
	inUse    InUse
	expiring func(context.Context, pgx.Tx, Expiring) error
	observe  func(Event)
	now      func() time.Time
	log      *slog.Logger

	owner   string // names this process in leases
	cache   cache
	flights singleflight.Group
	work    work
	wake    chan struct{} // a device flow began

	linksMu sync.Mutex
	links   map[string]Link // start addresses by mailbox, since only their hashes are stored
}

// Paths of the redirect endpoint and of start addresses below it.
const (
	RedirectPath = "/email-oauth2-proxy-authorize/"
	StartPath    = RedirectPath + "start/"
)

// New returns a Service.
func New(o Options) (*Service, error) {
	if o.Pool == nil || o.Box == nil || o.Client == nil || o.BaseURL == "" {
		return nil, errors.New("oauth needs a pool, a box, a base URL and a way to providers")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		pool: o.Pool, box: o.Box, baseURL: strings.TrimRight(o.BaseURL, "/"), client: o.Client, prover: o.Prover, inUse: o.InUse,
		expiring: o.Expiring, observe: o.Observe, now: o.Now, log: o.Log, owner: rand.Text(), cache: newCache(),
		wake: make(chan struct{}, 1), links: map[string]Link{},
	}, nil
}

// RedirectURI is where the provider sends people back, for a registration without one of its own.
func (s *Service) RedirectURI() string { return s.baseURL + RedirectPath }

func (s *Service) redirectURI(r Settings) string {
	if r.RedirectURI != "" {
		return r.RedirectURI
	}
	return s.RedirectURI()
}

// hashOf is what the database keeps of a state, a start id or a session.
func hashOf(value string) []byte {
	sum := sha256.Sum256([]byte(value))
	return sum[:]
}

func (s *Service) recordClient(ctx context.Context, tx pgx.Tx, action string, r Registration, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: "oauth_client." + action, Object: "oauth_client", ObjectID: r.ID, ObjectName: r.Pattern, Detail: detail,
	})
}

func (s *Service) recordGrant(ctx context.Context, tx pgx.Tx, action string, g Grant, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: "oauth_grant." + action, Object: "oauth_grant", ObjectID: g.ID, ObjectName: g.Address, Detail: detail,
	})
}

// What is sealed belongs to one row and one destination: a client secret and a refresh token only ever go to
// the token endpoint they are for, so an endpoint that is changed later gets neither.

func secretPlace(id int64, s Settings) vault.Binding {
	return vault.Binding{Table: "oauth_client_secret", Row: id, Destination: s.TokenURL}
}

func refreshPlace(g Grant, s Settings) vault.Binding {
	return vault.Binding{Table: "oauth_grant", Row: g.ID, Destination: "refresh token for " + s.TokenURL}
}

func passwordPlace(g Grant, s Settings) vault.Binding {
	return vault.Binding{Table: "oauth_grant", Row: g.ID, Destination: "password for " + s.TokenURL}
}

func accessPlace(g Grant) vault.Binding {
	return vault.Binding{Table: "oauth_grant", Row: g.ID, Destination: "access token of " + g.Address}
}

func verifierPlace(id int64, s Settings) vault.Binding {
	return vault.Binding{Table: "oauth_authorization", Row: id, Destination: s.TokenURL}
}

func devicePlace(id int64, s Settings) vault.Binding {
	return vault.Binding{Table: "oauth_device", Row: id, Destination: s.TokenURL}
}

// sealOptional seals a secret that may be missing.
func (s *Service) sealOptional(secret vault.Secret, place vault.Binding) ([]byte, error) {
	if secret.IsZero() {
		return nil, nil
	}
	return s.box.Seal(secret, place)
}

// work counts what was begun for others and has to end before the process does: a token request that is
// cut off may cost a rotated refresh token.
type work struct {
	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

var errStopping = errors.New("orbit is stopping")

// begin reports whether something new may begin; end must follow.
func (w *work) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return errStopping
	}
	w.running.Add(1)
	return nil
}

func (w *work) end() { w.running.Done() }

func (w *work) stop() {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.running.Wait()
}

// detached keeps work going when whoever asked for it leaves, with a limit of its own.
func detached(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

func wrapf(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
