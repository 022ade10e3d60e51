package credential

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

const clearText = "correct horse battery staple"

var theSecret = vault.NewSecret(clearText)

// bench is a Service on a database of its own.
type bench struct {
	*Service
	t    *testing.T
	pool *pgxpool.Pool
}

func newBench(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	pool := pgtest.New(t)
	return &bench{Service: New(pool, vault.NewTestBox()), t: t, pool: pool}
}

// ctx is how ana comes in.
func (b *bench) ctx() context.Context {
	return audit.WithActor(b.t.Context(), audit.Actor{Kind: audit.User, ID: 1, Name: "ana", Address: "192.0.2.1"})
}

// must ends the test on an error.
func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) create(name, username string) Credential {
	b.t.Helper()
	c, err := b.Create(b.ctx(), name, username, theSecret)
	b.must(err)
	return c
}

// approve is Approve in a transaction of its own.
func (b *bench) approve(id int64, to Destination, secret vault.Secret) error {
	return postgres.InTx(b.ctx(), b.pool, func(tx pgx.Tx) error { return b.Approve(b.ctx(), tx, id, to, secret) })
}

func (b *bench) opens(id int64, to Destination) (string, error) {
	_, secret, err := b.Open(b.ctx(), id, to)
	return secret.Reveal(), err
}

func (b *bench) verified(s *Service, username, secret string) bool {
	b.t.Helper()
	ok, err := s.Verify(b.ctx(), username, vault.NewSecret(secret))
	b.must(err)
	return ok
}

func (b *bench) exec(sql string, args ...any) {
	b.t.Helper()
	_, err := b.pool.Exec(b.ctx(), sql, args...)
	b.must(err)
}

func (b *bench) count(sql string, args ...any) (n int) {
	b.t.Helper()
	b.must(b.pool.QueryRow(b.ctx(), sql, args...).Scan(&n))
	return n
}

// dump is every row of every table as text, bytes in hexadecimal.
func (b *bench) dump() string {
	b.t.Helper()
	rows, err := b.pool.Query(b.ctx(), `select tablename from pg_tables where schemaname = 'public'`)
	b.must(err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	b.must(err)
	var all strings.Builder
	for _, table := range tables {
		rows, err := b.pool.Query(b.ctx(), `select t::text from `+pgx.Identifier{table}.Sanitize()+` t`)
		b.must(err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		b.must(err)
		fmt.Fprintln(&all, table, lines)
	}
	return all.String()
}

// trail lists the actions recorded, oldest first.
func (b *bench) trail() (actions []string, rows []audit.Row) {
	b.t.Helper()
	rows, _, err := audit.List(b.ctx(), b.pool, audit.Filter{Limit: 1000})
	b.must(err)
	for i := len(rows) - 1; i >= 0; i-- {
		actions = append(actions, rows[i].Action)
	}
	return actions, rows
}

// wrongField returns the sentence that belongs to a field.
func wrongField(t *testing.T, err error, field string) string {
	t.Helper()
	var wrong problem.Invalid
	if !errors.As(err, &wrong) || wrong.For(field) == "" {
		t.Fatalf("got %v, want a problem with the field %s", err, field)
	}
	return wrong.For(field)
}
