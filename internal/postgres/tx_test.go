package postgres_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
)

const addParameter = "insert into system_parameter (name, value) values ('a', '1')"

func TestInTxKeepsAllOrNothing(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	refused := errors.New("refused")
	err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), addParameter); err != nil {
			return err
		}
		return refused
	})
	if err != refused { //nolint:errorlint // it comes back as it is
		t.Errorf("error %v, want the one of the function", err)
	}
	assertParameters(t, pool, 0)

	if err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), addParameter)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	assertParameters(t, pool, 1)
}

func TestInTxRollsBackWhenTheFunctionPanics(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), addParameter); err != nil {
				t.Error(err)
			}
			panic("in the middle")
		})
	}()
	assertParameters(t, pool, 0)
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections were not given back", n)
	}
}

func assertParameters(t *testing.T, pool *pgxpool.Pool, want int) {
	t.Helper()
	var n int
	if err := pool.QueryRow(t.Context(), "select count(*) from system_parameter").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != want {
		t.Errorf("%d rows, want %d", n, want)
	}
}

func TestConstraintNamesWhatWasViolated(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	for statement, want := range map[string]string{
		"insert into credential (name, username) values ('', 'x')":                              "credential_name_not_blank",
		"insert into credential (name, username) values ('a', 'x'), ('A', 'y')":                 "credential_name_unique",
		"insert into network_connector (name, kind, credential_id) values ('a', 'agent', 4711)": "network_connector_credential",
		"insert into credential (name) values ('without a user name')":                          "",
		"select nonsense": "",
		"select 1":        "",
	} {
		_, err := pool.Exec(t.Context(), statement)
		if got := postgres.Constraint(err); got != want {
			t.Errorf("%s: %q, want %q (%v)", statement, got, want, err)
		}
	}
}
