package notify

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// selectDeliveries reads a page of the Sent list. The names of accounts are added afterwards: there are few accounts,
// and a join would tempt the planner away from the index that has the order.
func selectDeliveries(ctx context.Context, q querier, l listQuery) ([]Delivery, error) {
	where := ""
	if len(l.where) > 0 {
		where = "where " + strings.Join(l.where, " and ")
	}
	l.args["most"] = l.most
	all, err := collect[Delivery](ctx, q, `
		select delivery.id, event_id, notification_rule_id, contact_id, access_request_id, text_type, language, recipient, recipient_name,
			subject, priority, state, waiting and claimed_by is not null as in_hand, due_at, expires_at, smtp_account_id,
			coalesce((select account_name from smtp_account where id = smtp_account_id), '') as account_name, message_id, confidential,
			attempts, reply, fault, delivery.created_at, first_attempt_at, ended_at
		from delivery
		`+where+`
		order by delivery.created_at desc, delivery.id desc
		limit @most`, l.args)
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	for i := range all {
		if all[i].InHand {
			all[i].State = Sending
		}
	}
	return all, nil
}

// countWaiting counts messages in the queue by priority, and accounts that do not work.
func countWaiting(ctx context.Context, q querier) (waiting [3]int, failing int, err error) {
	err = q.QueryRow(ctx, `
		select count(*) filter (where priority = 0), count(*) filter (where priority = 1), count(*) filter (where priority = 2),
			(select count(*) from sender where broken_until > now())
		from delivery
		where waiting`).Scan(&waiting[0], &waiting[1], &waiting[2], &failing)
	if err != nil {
		return waiting, 0, fmt.Errorf("count messages in the queue: %w", err)
	}
	return waiting, failing, nil
}

// use is what is used of an account, or waits on a route.
type use struct {
	ID          int64 `db:"id"`
	Waiting     int   `db:"waiting"`
	Connections int   `db:"connections"`
	Spent       int   `db:"spent"`
}

func selectUse(ctx context.Context, q querier) (map[int64]use, error) {
	rows, err := collect[use](ctx, q, `
		select id, sum(waiting)::integer as waiting, sum(connections)::integer as connections, sum(spent)::integer as spent
		from (
			select route_id as id, count(*) as waiting, 0 as connections, 0 as spent
			from delivery
			where waiting and due_at <= now()
			group by route_id
			union all
			select smtp_account_id, 0, count(*), 0
			from sender_connection
			join process on process.id = process_id and seen_at > now() - @alive::interval
			group by smtp_account_id
			union all
			select smtp_account_id, 0, 0, sum(messages)
			from sender_spending
			where second > now() - @window::interval
			group by smtp_account_id
		) counted
		group by id`, pgx.NamedArgs{"alive": aliveFor, "window": window})
	if err != nil {
		return nil, fmt.Errorf("count what the accounts use: %w", err)
	}
	all := map[int64]use{}
	for _, u := range rows {
		all[u.ID] = u
	}
	return all, nil
}
