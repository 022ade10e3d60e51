package notify

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/account"
	"orbit/internal/audit"
	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/mailtest"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/setting"
	"orbit/internal/vault"
)

// rig is a Service on a database of its own, and a mail server that keeps what it takes.
type rig struct {
	*Service
	t    testing.TB
	ctx  context.Context
	pool *pgxpool.Pool
	sink *mailtest.SinkServer
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return rigOn(t, pgtest.New(t))
}

func rigOn(t testing.TB, pool *pgxpool.Pool) *rig {
	t.Helper()
	ctx := audit.WithActor(t.Context(), audit.Actor{Kind: audit.User, ID: 1, Name: "alice"})
	return &rig{Service: newService(t, pool), t: t, ctx: ctx, pool: pool, sink: mailtest.Sink(t)}
}

// newService is one more Orbit on a database.
func newService(t testing.TB, pool *pgxpool.Pool) *Service {
	t.Helper()
	settings := setting.New(pool)
	credentials := credential.New(pool, vault.NewTestBox())
	accounts := account.New(account.Options{Pool: pool, Credentials: credentials, Settings: settings, Dialers: plainDialers{}})
	log := slog.New(slog.DiscardHandler)
	if flag.Parsed() && testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	s, err := New(Options{Pool: pool, Accounts: accounts, Settings: settings, Box: vault.NewTestBox(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a service until stop is called or the test ends.
func run(t testing.TB, s *Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// account registers an account at a port on loopback.
func (r *rig) account(name string, port int, change ...func(*account.SMTPSettings)) account.SMTP {
	r.t.Helper()
	s := account.NewSMTPSettings()
	s.AccountName, s.SenderEmail, s.SMTPHost, s.Port = name, name+"@example.com", "127.0.0.1", port
	s.UseSecureConnection, s.SecureConnectionType, s.UseAuthentication = false, dial.Plain, false
	for _, c := range change {
		c(&s)
	}
	stored, err := r.accounts.CreateSMTP(r.ctx, account.SMTPChange{SMTPSettings: s})
	r.must(err)
	return stored
}

func asDefault(s *account.SMTPSettings) { s.DefaultAccount = true }

func connections(n int) func(*account.SMTPSettings) {
	return func(s *account.SMTPSettings) { s.MaxConnections = n }
}

// exec changes the database behind the service's back.
func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	_, err := r.pool.Exec(r.ctx, sql, args...)
	r.must(err)
}

func scan[T any](r *rig, sql string, args ...any) T {
	r.t.Helper()
	var value T
	r.must(r.pool.QueryRow(r.ctx, sql, args...).Scan(&value))
	return value
}

// contact makes a contact and returns its id.
func (r *rig) contact(name string) int64 {
	r.t.Helper()
	return scan[int64](r, "insert into contact (name, email, username) values ($1, $2, $1) returning id", name, name+"@example.net")
}

// rule tells contacts of a type.
func (r *rig) rule(name, kind string, change func(*RuleSettings), contacts ...int64) int64 {
	r.t.Helper()
	settings := RuleSettings{Name: name, Active: true, ByEmail: true}
	if change != nil {
		change(&settings)
	}
	stored, err := r.CreateRule(r.ctx, RuleChange{RuleSettings: settings, EventTypes: []string{kind}, ContactIDs: contacts})
	r.must(err)
	return stored.ID
}

// viewed is a valid event.
func viewed(credential string) Event {
	return Event{Type: "password.viewed", Data: map[string]any{"credential": credential, "credential_username": credential, "responsible": "Ann Example"}}
}

func (r *rig) post(e Event) Accepted {
	r.t.Helper()
	accepted, err := r.Post(r.ctx, e)
	r.must(err)
	return accepted
}

// patience is how long a test waits for what must happen.
const patience = 60 * time.Second

// until waits for something to become true.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("it did not happen: %s", what)
		}
	}
}

// count counts rows.
func (r *rig) count(sql string, args ...any) int { return scan[int](r, sql, args...) }

func (r *rig) untilSent(n int) {
	r.t.Helper()
	r.until(fmt.Sprintf("%d messages are sent", n), func() bool { return r.count("select count(*) from delivery where state = 'sent'") >= n })
}

// plainDialers connects directly and without rules: the rules are the connector's and tested there.
type plainDialers struct{}

func (plainDialers) Dialer(context.Context, bool, int64) (dial.Dialer, error) {
	return plainDialer{}, nil
}

type plainDialer struct{}

func (plainDialer) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}
