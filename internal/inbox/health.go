package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/ladder"
)

// Health tells how mailboxes do; all of them when no ids are given.
func (s *Service) Health(ctx context.Context, ids []int64) (map[int64]Health, error) {
	rows, err := selectHealth(ctx, s.pool, ids)
	if err != nil {
		return nil, err
	}
	all := make(map[int64]Health, len(rows))
	for _, r := range rows {
		h, err := r.health()
		if err != nil {
			return nil, err
		}
		all[r.Account] = h
	}
	return all, nil
}

// healthRow is what the tables know of a mailbox.
type healthRow struct {
	Account     int64      `db:"id"`
	Active      bool       `db:"active"`
	Automatic   bool       `db:"automatic_check"`
	Owner       string     `db:"owner"` // of a living process
	Checking    bool       `db:"checking"`
	LastCheck   *time.Time `db:"last_check_at"`
	LastSuccess *time.Time `db:"last_success_at"`
	NextAttempt *time.Time `db:"next_attempt_at"`
	Failures    int        `db:"failures"`
	Fault       []byte     `db:"fault"`
	Messages    int        `db:"messages"`
	Idle        bool       `db:"idle"`
	Stored      int        `db:"stored"`
	Unreadable  int        `db:"unreadable"`
}

func (r healthRow) health() (Health, error) {
	h := Health{
		State: r.state(), Failures: r.Failures, Messages: r.Messages, Idle: r.Idle, Stored: min(r.Stored, maxCounted), StoredMore: r.Stored > maxCounted,
		Unreadable: r.Unreadable, Owner: r.Owner,
	}
	for at, from := range map[*time.Time]*time.Time{&h.LastCheck: r.LastCheck, &h.LastSuccess: r.LastSuccess, &h.NextAttempt: r.NextAttempt} {
		if from != nil {
			*at = *from
		}
	}
	if r.Fault != nil {
		h.Fault = new(ladder.Fault)
		if err := json.Unmarshal(r.Fault, h.Fault); err != nil {
			return Health{}, fmt.Errorf("read the fault of mailbox %d: %w", r.Account, err)
		}
	}
	return h, nil
}

func (r healthRow) state() State {
	switch {
	case !r.Active:
		return Disabled
	case r.Checking && r.Owner != "":
		return Checking
	case r.Fault != nil:
		return Failing
	case !r.Automatic:
		return Manual
	case r.Owner == "":
		return Unowned
	}
	return Watching
}

// maxCounted is where counting the stored messages of a mailbox ends.
const maxCounted = 10_000

func selectHealth(ctx context.Context, q querier, ids []int64) ([]healthRow, error) {
	return allRows[healthRow](q.Query(ctx, `
		select a.id, a.active, a.automatic_check,
			coalesce(p.host || ' (' || p.pid || ')', '') as owner, coalesce(s.checking_since is not null, false) as checking,
			s.last_check_at, s.last_success_at, s.next_attempt_at, coalesce(s.failures, 0) as failures, s.fault,
			coalesce(s.messages, 0) as messages, coalesce(s.idle, false) as idle,
			(select count(*) from (
				select from inbound_message m
				where m.mailbox_account_id = a.id
				limit @counted) counted) as stored,
			(select count(*) from inbound_failure f where f.mailbox_account_id = a.id) as unreadable
		from mailbox_account a
		left join mailbox_state s on s.mailbox_account_id = a.id
		left join inbox_process p on p.id = s.owner and p.lease_until > clock_timestamp()
		where cardinality(@ids::bigint[]) = 0 or a.id = any(@ids)`,
		pgx.NamedArgs{"ids": append([]int64{}, ids...), "counted": maxCounted + 1}))
}
