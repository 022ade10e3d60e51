package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
)

func record(t *testing.T, ctx context.Context, pool *pgxpool.Pool, e Entry) {
	t.Helper()
	err := postgres.InTx(ctx, pool, func(tx pgx.Tx) error { return Record(ctx, tx, e) })
	if err != nil {
		t.Fatal(err)
	}
}

// recordMany writes entries 1 to n, alternately by ana and by the system.
func recordMany(t *testing.T, pool *pgxpool.Pool, n int) {
	t.Helper()
	ana := WithActor(t.Context(), Actor{Kind: User, ID: 3, Name: "ana", Address: "192.0.2.7"})
	for i := 1; i <= n; i++ {
		ctx, action := ana, "credential.changed"
		if i%2 == 0 {
			ctx, action = t.Context(), "smtp_account.tested"
		}
		object, _, _ := strings.Cut(action, ".")
		record(t, ctx, pool, Entry{Action: action, Object: object, ObjectID: int64(i), ObjectName: fmt.Sprintf("Office%d", i),
			Detail: map[string]any{"count": i, "note": "100%_sure"}})
	}
}

func verify(t *testing.T, pool *pgxpool.Pool) Verdict {
	t.Helper()
	v, err := Verify(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEntrySaysWhoDidWhat(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	before := time.Now()
	ctx := WithActor(t.Context(), Actor{Kind: Token, ID: 9, Name: "deploy", Address: "2001:db8::1"})
	record(t, ctx, pool, Entry{Action: "credential.created", Object: "credential", ObjectID: 5, ObjectName: "Office365", Detail: awkward()})
	rows, next, err := List(t.Context(), pool, Filter{})
	if err != nil || len(rows) != 1 || next != 0 {
		t.Fatalf("got %v, %d, %v; want one entry", rows, next, err)
	}
	got := rows[0]
	if got.Actor != ActorFrom(ctx) || got.Action != "credential.created" || got.Object != "credential" || got.ObjectID != 5 || got.ObjectName != "Office365" {
		t.Errorf("got %+v", got)
	}
	if got.Detail["quotes"] != awkward()["quotes"] || got.Detail["err"] != "refused" {
		t.Errorf("the detail came back as %v", got.Detail)
	}
	if got.At.Location() != time.UTC || got.At.Before(before.Add(-time.Minute)) || got.At.After(time.Now().Add(time.Minute)) {
		t.Errorf("the time is %v", got.At)
	}
	if v := verify(t, pool); !v.Intact() || v.Entries != 1 {
		t.Errorf("got %+v, want an intact chain", v)
	}
}

func TestNoEntryWithoutItsChange(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	recordMany(t, pool, 1)
	undone := errors.New("undone")
	err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		if err := Record(t.Context(), tx, Entry{Action: "user.created"}); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	recordMany(t, pool, 1)
	if v := verify(t, pool); !v.Intact() || v.Entries != 2 {
		t.Errorf("got %+v, want an intact chain of 2 over the gap", v)
	}
}

func TestParallelTransactionsKeepOneChain(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for j := range 5 {
				err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
					if _, err := tx.Exec(t.Context(), `select count(*) from audit_entry`); err != nil { // an early snapshot
						return err
					}
					first := Record(t.Context(), tx, Entry{Action: "user.changed", ObjectID: int64(i)})
					return errors.Join(first, Record(t.Context(), tx, Entry{Action: "user.changed", ObjectID: int64(j)}))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if v := verify(t, pool); !v.Intact() || v.Entries != 200 {
		t.Errorf("got %+v, want an intact chain of 200", v)
	}
	var forks int
	if err := pool.QueryRow(t.Context(), `select count(*) - count(distinct previous_hash) from audit_entry`).Scan(&forks); err != nil || forks != 0 {
		t.Errorf("%d forks, %v", forks, err)
	}
}

func TestOldSnapshotIsRefused(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		err := pgx.BeginTxFunc(t.Context(), pool, pgx.TxOptions{IsoLevel: level}, func(tx pgx.Tx) error {
			return Record(t.Context(), tx, Entry{Action: "user.changed"})
		})
		if !errors.Is(err, errIsolation) {
			t.Errorf("%s: got %v, want a refusal", level, err)
		}
	}
}

func TestTableRefusesChanges(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	recordMany(t, pool, 1)
	for _, sql := range []string{`update audit_entry set actor_name = 'nobody'`, `delete from audit_entry`, `truncate audit_entry`} {
		if _, err := pool.Exec(t.Context(), sql); postgres.Constraint(err) != "audit_entry_append_only" {
			t.Errorf("%s: got %v, want a refusal", sql, err)
		}
	}
}

func TestVerifySaysWhereTheChainBreaks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, sql string
		brokenAt  int64
		says      string
	}{
		{"actor changed", `update audit_entry set actor_name = 'nobody' where id = 4`, 4, "was changed"},
		{"detail changed", `update audit_entry set detail = '{"count": 99}' where id = 5`, 5, "was changed"},
		{"time changed", `update audit_entry set at = at + interval '1 microsecond' where id = 2`, 2, "was changed"},
		{"hash changed too", `update audit_entry set actor_name = 'x', hash = sha256('x') where id = 4`, 4, "was changed"},
		{"one removed", `delete from audit_entry where id = 3`, 4, "does not follow entry 2"},
		{"the first removed", `delete from audit_entry where id = 1`, 2, "not the first"},
		{"two swapped", `update audit_entry set object_id = 7 - object_id where id in (3, 4)`, 3, "was changed"},
		{"one inserted", `insert into audit_entry (at, actor_kind, actor_name, action, previous_hash, hash)
			select now(), 'system', 'x', 'x', hash, sha256('x') from audit_entry where id = 6`, 7, "was changed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			recordMany(t, pool, 6)
			tamper(t, pool, tt.sql)
			v := verify(t, pool)
			if v.BrokenAt != tt.brokenAt || !strings.Contains(v.Reason, tt.says) || v.Intact() {
				t.Errorf("got %+v, want a break at %d that %q", v, tt.brokenAt, tt.says)
			}
		})
	}
}

// tamper gets around the table's trigger, as an administrator of the database can.
func tamper(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `set local session_replication_role = replica`); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), sql)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRemovedEndShowsInTheVerdict(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	recordMany(t, pool, 3)
	noted := verify(t, pool)
	tamper(t, pool, `delete from audit_entry where id = 3`)
	if v := verify(t, pool); string(v.LastHash) == string(noted.LastHash) || v.Entries == noted.Entries {
		t.Errorf("got %+v, want another end than %+v", v, noted)
	}
}

func TestVerifyWalksInBatches(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		for range verifyBatch + 5 {
			if err := Record(t.Context(), tx, Entry{Action: "user.changed"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if v := verify(t, pool); !v.Intact() || v.Entries != verifyBatch+5 {
		t.Errorf("got %+v, want all %d entries", v, verifyBatch+5)
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	recordMany(t, pool, 6)
	all, _, err := List(t.Context(), pool, Filter{})
	if err != nil || len(all) != 6 {
		t.Fatalf("got %d entries, %v; want 6", len(all), err)
	}
	third := all[3].At // newest first: 6 5 4 3 2 1
	for name, tt := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":              {Filter{}, "[6 5 4 3 2 1]"},
		"from":             {Filter{From: third}, "[6 5 4 3]"},
		"to":               {Filter{To: third}, "[2 1]"},
		"actor":            {Filter{Actor: "AN"}, "[5 3 1]"},
		"nobody":           {Filter{Actor: "%a%"}, "[]"},
		"action":           {Filter{Action: "credential.changed"}, "[5 3 1]"},
		"action begins":    {Filter{Action: "smtp"}, "[6 4 2]"},
		"action no middle": {Filter{Action: "changed"}, "[]"},
		"object":           {Filter{Object: "credential"}, "[5 3 1]"},
		"object id":        {Filter{Object: "credential", ObjectID: 3}, "[3]"},
		"text in name":     {Filter{Text: "office4"}, "[4]"},
		"text in detail":   {Filter{Text: "100%_SURE"}, "[6 5 4 3 2 1]"},
		"text is literal":  {Filter{Text: "100__sure"}, "[]"},
		"text in address":  {Filter{Text: "192.0.2.7"}, "[5 3 1]"},
		"text with nul":    {Filter{Text: "office4\x00\xff"}, "[4]"},
		"together":         {Filter{Actor: "ana", Text: "office", From: third}, "[5 3]"},
	} {
		rows, _, err := List(t.Context(), pool, tt.filter)
		ids := make([]int64, len(rows))
		for i, r := range rows {
			ids[i] = r.ID
		}
		if got := fmt.Sprint(ids); err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, tt.want)
		}
	}
}

func TestPagesGoOnWhereTheLastEndedWhileOthersWrite(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	recordMany(t, pool, 7)
	var seen []int64
	f := Filter{Limit: 3}
	for pages := 1; ; pages++ {
		rows, next, err := List(t.Context(), pool, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			seen = append(seen, r.ID)
		}
		recordMany(t, pool, 1)
		if f.Before = next; next == 0 {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
	}
	if got := fmt.Sprint(seen); got != "[7 6 5 4 3 2 1]" {
		t.Errorf("got %s, want each once", got)
	}
}

func TestRecordNeedsAnAction(t *testing.T) {
	t.Parallel()
	if err := Record(t.Context(), nil, Entry{}); err == nil {
		t.Error("an entry without an action was recorded")
	}
}
