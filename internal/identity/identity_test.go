package identity_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/identity"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

const goodPassword = "seven lamps over the river"

// house is a service on a database of its own, with a clock that the test moves.
type house struct {
	*identity.Service
	t     *testing.T
	pool  *pgxpool.Pool
	clock *clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// quick is for passwords that nobody guesses: with the race detector a real hash takes half a second.
var quick = identity.Cost{Memory: 64, Passes: 1, Threads: 1}

func newHouse(t *testing.T) *house {
	t.Helper()
	t.Parallel()
	c := &clock{now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	pool := pgtest.New(t)
	return &house{
		Service: identity.New(pool, identity.Options{Clock: c.Now, PasswordCost: quick}),
		t:       t, pool: pool, clock: c,
	}
}

// somebody creates a user with goodPassword.
func (h *house) somebody(name string, role identity.Role) identity.User {
	h.t.Helper()
	u, err := h.CreateUser(context.Background(), identity.User{Username: name, Role: role}, secret(goodPassword))
	if err != nil {
		h.t.Fatalf("create %s: %v", name, err)
	}
	return u
}

// signIn signs in with goodPassword.
func (h *house) signIn(name string) identity.Session {
	h.t.Helper()
	s, err := h.attempt(name, goodPassword)
	if err != nil {
		h.t.Fatalf("sign in %s: %v", name, err)
	}
	return s
}

func (h *house) attempt(name, password string) (identity.Session, error) {
	return h.SignIn(context.Background(), identity.Attempt{
		Username: name, Password: secret(password),
		Visitor: identity.Visitor{Address: "192.0.2.7", UserAgent: "test"},
	})
}

// lives reports whether a session still opens something.
func (h *house) lives(s identity.Session) bool {
	h.t.Helper()
	_, _, err := h.FindSession(context.Background(), s.Key)
	if err != nil && !errors.Is(err, problem.ErrNotFound) {
		h.t.Fatalf("find session: %v", err)
	}
	return err == nil
}

// trail lists the actions of the audit trail, oldest first.
func (h *house) trail() []audit.Row {
	h.t.Helper()
	rows, _, err := audit.List(context.Background(), h.pool, audit.Filter{Limit: 1000})
	if err != nil {
		h.t.Fatalf("list audit entries: %v", err)
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows
}

func (h *house) lastEntry() audit.Row {
	h.t.Helper()
	rows := h.trail()
	if len(rows) == 0 {
		h.t.Fatal("the audit trail is empty")
	}
	return rows[len(rows)-1]
}

func (h *house) count(sql string, args ...any) (n int) {
	h.t.Helper()
	if err := h.pool.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func secret(clear string) vault.Secret { return vault.NewSecret(clear) }

// invalid returns the problem with a field, or fails.
func invalid(t *testing.T, err error, field string) string {
	t.Helper()
	var wrong problem.Invalid
	if !errors.As(err, &wrong) || wrong.For(field) == "" {
		t.Fatalf("got %v, want a problem with %q", err, field)
	}
	return wrong.For(field)
}

func refused(t *testing.T, err error) string {
	t.Helper()
	var no *problem.Refused
	if !errors.As(err, &no) {
		t.Fatalf("got %v, want it refused", err)
	}
	return no.Text
}
