package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/ladder"
)

// position is how far a mailbox was read.
type position struct {
	Folder      string `db:"folder"`
	UIDValidity int64  `db:"uid_validity"`
	UID         int64  `db:"uid"`
}

func selectCursor(ctx context.Context, q querier, account int64) (position, error) {
	return oneRow[position](q.Query(ctx, `
		select folder, uid_validity, uid
		from mailbox_state
		where mailbox_account_id = @account`, pgx.NamedArgs{"account": account}))
}

// selectRemovals returns what is still to be deleted. References of another numbering mean nothing any more.
func selectRemovals(ctx context.Context, q querier, p place) ([]string, error) {
	rows, err := q.Query(ctx, `
		select ref
		from inbound_removal
		where mailbox_account_id = @account and folder = @folder and uid_validity = @validity
		order by length(ref), ref`, p.args())
	if err != nil {
		return nil, fmt.Errorf("look for what is to be deleted in mailbox %d: %w", p.account, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func forgetRemovals(ctx context.Context, q querier, p place, refs []string) error {
	return forget(ctx, q, p, "inbound_removal", refs)
}

func forget(ctx context.Context, q querier, p place, table string, refs []string) error {
	args := p.args()
	args["refs"] = refs
	if _, err := q.Exec(ctx, forgetFrom(table), args); err != nil {
		return fmt.Errorf("note what is done in mailbox %d: %w", p.account, err)
	}
	return nil
}

func forgetFrom(table string) string {
	return `
		delete from ` + table + `
		where mailbox_account_id = @account and folder = @folder and uid_validity = @validity and ref = any(@refs)`
}

// selectSeen returns the identifiers that were seen, each with false.
func selectSeen(ctx context.Context, q querier, account int64) (map[string]bool, error) {
	rows, err := q.Query(ctx, "select uidl from inbound_uidl where mailbox_account_id = @account", pgx.NamedArgs{"account": account})
	if err != nil {
		return nil, fmt.Errorf("look for what was seen in mailbox %d: %w", account, err)
	}
	seen := map[string]bool{}
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		seen[id] = false
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for what was seen in mailbox %d: %w", account, err)
	}
	return seen, nil
}

func forgetSeen(ctx context.Context, q querier, account int64, ids []string) error {
	_, err := q.Exec(ctx, `
		delete from inbound_uidl
		where mailbox_account_id = @account and uidl = any(@ids)`, pgx.NamedArgs{"account": account, "ids": ids})
	if err != nil {
		return fmt.Errorf("forget what has gone from mailbox %d: %w", account, err)
	}
	return nil
}

// failure is a message that could not be read or stored.
type failure struct {
	Ref  string `db:"ref"`
	Size int64  `db:"size"`
}

// maxRetried bounds how many failed messages a visit looks at again.
const maxRetried = 100

func selectFailures(ctx context.Context, q querier, p place, older time.Duration) ([]failure, error) {
	args := p.args()
	args["older"], args["limit"] = older, maxRetried
	return allRows[failure](q.Query(ctx, `
		select ref, size
		from inbound_failure
		where mailbox_account_id = @account and folder = @folder and uid_validity = @validity
			and last_at < now() - @older::interval
		order by last_at
		limit @limit`, args))
}

// updateChecking says that a visit is under way.
func updateChecking(ctx context.Context, q querier, l lease) error {
	_, err := q.Exec(ctx, `
		update mailbox_state
		set checking_since = now()
		where mailbox_account_id = @account and owner = @process and token = @token`, l.args())
	if err != nil {
		return fmt.Errorf("note the visit to mailbox %d: %w", l.account, err)
	}
	return nil
}

// ended is how a visit ended.
type ended struct {
	fault    *ladder.Fault // nil: well
	failures int
	next     time.Duration // until the next attempt after a failure
	messages int
	idle     bool
}

func updateEnded(ctx context.Context, q querier, l lease, e ended) error {
	args := l.args()
	args["failures"], args["next"], args["messages"], args["idle"] = e.failures, e.next, e.messages, e.idle
	args["fault"] = nil
	if e.fault != nil {
		text, err := json.Marshal(e.fault)
		if err != nil {
			return fmt.Errorf("encode a fault: %w", err)
		}
		args["fault"] = string(text)
	}
	_, err := q.Exec(ctx, `
		update mailbox_state
		set checking_since = null, last_check_at = now(), fault = @fault::jsonb, failures = @failures,
			last_success_at = case when @fault::jsonb is null then now() else last_success_at end,
			messages = case when @fault::jsonb is null then @messages else messages end,
			idle = case when @fault::jsonb is null then @idle else idle end,
			next_attempt_at = case when @fault::jsonb is null then null else now() + @next::interval end
		where mailbox_account_id = @account and owner = @process and token = @token`, args)
	if err != nil {
		return fmt.Errorf("note the end of the visit to mailbox %d: %w", l.account, err)
	}
	return nil
}

// backlog is what an earlier owner has left: how often it failed in a row, and how long to wait.
type backlog struct {
	Failures int           `db:"failures"`
	Wait     time.Duration `db:"wait"`
}

func selectBacklog(ctx context.Context, q querier, account int64) (b backlog, err error) {
	var next *time.Time
	var now time.Time
	err = q.QueryRow(ctx, `
		select failures, next_attempt_at, now()
		from mailbox_state
		where mailbox_account_id = @account`, pgx.NamedArgs{"account": account}).Scan(&b.Failures, &next, &now)
	if errors.Is(err, pgx.ErrNoRows) {
		return backlog{}, nil
	}
	if err != nil {
		return backlog{}, fmt.Errorf("read the state of mailbox %d: %w", account, err)
	}
	if next != nil {
		b.Wait = max(next.Sub(now), 0)
	}
	return b, nil
}
