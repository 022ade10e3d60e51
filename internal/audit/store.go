package audit

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// chainLock is the advisory lock that whoever appends an entry holds until commit ("orbitaud").
const chainLock int64 = 0x6f72_6269_7461_7564

// chainEnd is what the next entry builds on. The clock is the database's, one for all processes.
type chainEnd struct {
	now  time.Time
	hash []byte
}

// lockChain waits for its turn and reads the newest entry. These are two statements, because a statement
// sees only what was committed before it began, and the lock may be granted long after.
func lockChain(ctx context.Context, tx pgx.Tx) (chainEnd, error) {
	var (
		batch     pgx.Batch
		end       = chainEnd{hash: noHash}
		isolation string
	)
	batch.Queue(`select pg_advisory_xact_lock($1)`, chainLock)
	batch.Queue(`select clock_timestamp(), current_setting('transaction_isolation')`).QueryRow(func(row pgx.Row) error {
		return row.Scan(&end.now, &isolation)
	})
	batch.Queue(`select hash from audit_entry order by id desc limit 1`).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(&end.hash); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return nil
	})
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return end, err
	}
	if isolation != "read committed" {
		return end, errIsolation
	}
	return end, nil
}

func insert(ctx context.Context, tx pgx.Tx, l link) error {
	_, err := tx.Exec(ctx, `
		insert into audit_entry
		       (at, actor_kind, actor_id, actor_name, actor_address, action, object, object_id, object_name,
		        detail, previous_hash, hash)
		values (@at, @kind, @actor_id, @actor_name, @address, @action, @object, @object_id, @object_name,
		        @detail, @previous_hash, @hash)`,
		pgx.NamedArgs{
			"at": l.At, "kind": l.ActorKind, "actor_id": l.ActorID, "actor_name": l.ActorName, "address": l.ActorAddress,
			"action": l.Action, "object": l.Object, "object_id": l.ObjectID, "object_name": l.ObjectName,
			"detail": string(l.Detail), "previous_hash": l.PreviousHash, "hash": l.Hash,
		})
	return err
}

// columns are those of link; detail is scanned as it is spelled, to be hashed again.
const columns = `id, at, actor_kind, actor_id, actor_name, actor_address, action, object, object_id, object_name,
		       detail, previous_hash, hash`

func selectPage(ctx context.Context, q Querier, f Filter, limit int) ([]link, error) {
	return collect(q.Query(ctx, `
		select `+columns+`
		  from audit_entry
		 where (@before::bigint = 0 or id < @before)
		   and (@from::timestamptz is null or at >= @from)
		   and (@to::timestamptz is null or at < @to)
		   and actor_name ilike @actor
		   and action like @action
		   and (@object::text = '' or object = @object)
		   and (@object_id::bigint = 0 or object_id = @object_id)
		   and (@text::text = '%%' or concat_ws(' ', actor_name, actor_address, action, object_name, detail) ilike @text)
		 order by id desc
		 limit @limit`,
		pgx.NamedArgs{
			"before": f.Before, "from": orNull(f.From), "to": orNull(f.To),
			"actor": "%" + literal(f.Actor) + "%", "action": literal(f.Action) + "%",
			"object": f.Object, "object_id": f.ObjectID, "text": "%" + literal(f.Text) + "%", "limit": limit,
		}))
}

func selectAfter(ctx context.Context, q Querier, id int64, limit int) ([]link, error) {
	return collect(q.Query(ctx, `
		select `+columns+`
		  from audit_entry
		 where id > @id
		 order by id
		 limit @limit`,
		pgx.NamedArgs{"id": id, "limit": limit}))
}

func collect(rows pgx.Rows, err error) ([]link, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[link])
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// literal keeps % and _ from being wildcards, and drops what PostgreSQL has no text for.
func literal(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
