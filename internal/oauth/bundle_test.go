package oauth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/mail/ladder"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/vault"
)

const address = "alerts@example.com"

// session is the hash of a browser session.
var session = []byte("session of the administrator")

// bundle is one installation with one provider. Services on it are Orbit processes.
type bundle struct {
	t        testing.TB
	pool     *pgxpool.Pool
	box      *vault.Box
	provider *idp
	clock    *clock
	log      *lockedBuffer
	options  Options
	*Service
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	b := &bundle{
		t: t, pool: pgtest.New(t), box: vault.NewTestBox(), provider: newProvider(t),
		clock: &clock{now: time.Now().Truncate(time.Second)}, log: &lockedBuffer{},
	}
	b.options = Options{
		Pool: b.pool, Box: b.box, BaseURL: "https://orbit.example.com", Now: b.clock.Now,
		Client: func(context.Context, Registration) (*http.Client, error) { return b.provider.Client(), nil },
		Log:    slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	b.Service = b.process()
	t.Cleanup(b.noSecretsInLog)
	return b
}

// process starts another Orbit process on the same database.
func (b *bundle) process() *Service {
	b.t.Helper()
	s, err := New(b.options)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bundle) noSecretsInLog() {
	for _, line := range strings.Split(b.log.String(), "\n") {
		if strings.Contains(line, "-secret") {
			b.t.Errorf("a secret is in the log: %s", line)
		}
	}
}

func (b *bundle) settings(flow Flow) Settings {
	s := Settings{
		Pattern: address, Flow: flow, Provider: "other", TokenURL: b.provider.URL + "/token",
		ClientID: "client-1", Scope: "https://outlook.office365.com/SMTP.Send offline_access",
	}
	switch flow {
	case AuthorizationCode:
		s.PermissionURL = b.provider.URL + "/authorize"
	case DeviceCode:
		s.DeviceURL = b.provider.URL + "/device"
	case ClientCredentials, Password, ServiceAccount:
	}
	return s
}

func sharedSecret() NewSecret { return NewSecret{Secret: vault.NewSecret("client-secret")} }

func (b *bundle) register(s Settings, secret NewSecret) Registration {
	b.t.Helper()
	r, _, err := b.Create(asAdmin(), Change{Settings: s, Secret: secret})
	if err != nil {
		b.t.Fatalf("register %s: %v", s.Pattern, err)
	}
	return r
}

func asAdmin() context.Context {
	return audit.WithActor(context.Background(), audit.Actor{Kind: audit.User, ID: 1, Name: "admin"})
}

// authorise walks through the consent for an address.
func (b *bundle) authorise(mailbox string) Outcome {
	b.t.Helper()
	visit, err := b.Visit(asAdmin(), mailbox, session)
	if err != nil {
		b.t.Fatalf("visit: %v", err)
	}
	c := b.provider.consent(visit)
	c.Session = session
	o, err := b.Complete(asAdmin(), c)
	if err != nil {
		b.t.Fatalf("complete: %v", err)
	}
	return o
}

// authorised is an installation in which address has consented and a mail server has accepted its token.
func authorised(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.register(b.settings(AuthorizationCode), sharedSecret())
	if o := b.authorise(address); !o.Authorised {
		t.Fatalf("authorise: %+v", o)
	}
	if err := b.Proved(context.Background(), address, "SMTP at smtp.example.com:587"); err != nil {
		t.Fatal(err)
	}
	b.Service = b.process() // with nothing in memory
	return b
}

func (b *bundle) token(mailbox string) string {
	b.t.Helper()
	token, err := b.access(context.Background(), mailbox)
	if err != nil {
		b.t.Fatalf("token of %s: %v", mailbox, err)
	}
	return token.Reveal()
}

func (b *bundle) wantState(mailbox string, want State) Grant {
	b.t.Helper()
	g, err := b.Grant(context.Background(), mailbox)
	if err != nil {
		b.t.Fatal(err)
	}
	if g.State != want {
		b.t.Fatalf("the grant of %s is %s, want %s; fault %+v", mailbox, g.State, want, g.Fault)
	}
	return g
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.pool.Exec(context.Background(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) count(sql string, args ...any) int {
	b.t.Helper()
	var n int
	if err := b.pool.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func wantFault(t testing.TB, err error) ladder.Fault {
	t.Helper()
	var explained *ladder.Error
	if !errors.As(err, &explained) {
		t.Fatalf("error %v (%T) has no fault", err, err)
	}
	if explained.Step != ladder.Token {
		t.Errorf("fault at step %s, want token", explained.Step)
	}
	return explained.Fault
}

// clock is time that moves when the test says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
