package account

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/mail/fetch"
)

// MailboxFilter chooses and orders the rows of the report. Zero values choose everything.
type MailboxFilter struct {
	ID             int64
	Name           string         // a part of it, any case
	Protocol       fetch.Protocol // empty: both
	Secure         *bool
	AutomaticCheck *bool
	KeepCopy       *bool
	Active         *bool
	Sort           string // a key of mailboxOrder; "-name" descends
	Page, PerPage  int    // from 1; PerPage 0: all rows, for CSV and print
}

// mailboxOrder maps the report's columns to the table's.
var mailboxOrder = map[string]string{
	"id": "id", "name": "lower(account_name)", "secure": "use_secure_connection", "type": "secure_connection_type",
	"protocol": "protocol", "server": "lower(address)", "port": "port", "automatic": "automatic_check",
	"keep": "keep_copy_on_server", "active": "active", "authentication": "authentication_type",
}

func (f MailboxFilter) args() pgx.NamedArgs {
	args := pgx.NamedArgs{
		"id": f.ID, "name": like(f.Name), "protocol": f.Protocol, "secure": f.Secure,
		"automatic": f.AutomaticCheck, "keep": f.KeepCopy, "active": f.Active,
	}
	addPage(args, f.Page, f.PerPage)
	return args
}

// MailboxRow is an account as the report shows it: with its last test.
type MailboxRow struct {
	Mailbox
	TestID    int64      `db:"test_id"` // 0: never tested
	TestState TestState  `db:"test_state"`
	TestReply string     `db:"test_reply"`
	TestAt    *time.Time `db:"test_at"`
	Total     int        `db:"total"` // rows that match on all pages
}

// listMailboxes returns one page of rows and how many match in all.
func listMailboxes(ctx context.Context, pool *pgxpool.Pool, f MailboxFilter) ([]MailboxRow, int, error) {
	order := orderBy(mailboxOrder, f.Sort)
	rows, err := pool.Query(ctx, `
		select a.*,
			coalesce(test.test_id, 0) as test_id, coalesce(test.state, '') as test_state,
			coalesce(test.reply, '') as test_reply, test.ended_at as test_at
		from (
			select `+mailboxColumns+`, count(*) over () as total
			from mailbox_account
			where (@id = 0 or id = @id)
				and (@name = '' or account_name ilike @name)
				and (@protocol = '' or protocol = @protocol)
				and (@secure::boolean is null or use_secure_connection = @secure)
				and (@automatic::boolean is null or automatic_check = @automatic)
				and (@keep::boolean is null or keep_copy_on_server = @keep)
				and (@active::boolean is null or active = @active)
			order by `+order+`
			limit @limit offset @offset
		) a
		left join lateral (
			select t.id as test_id, t.state, t.reply, t.ended_at
			from mailbox_test t
			where t.mailbox_account_id = a.id and t.state <> 'running'
			order by t.id desc
			limit 1
		) test on true
		order by `+order, f.args())
	if err != nil {
		return nil, 0, fmt.Errorf("list IMAP/POP3 accounts: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[MailboxRow])
	if err != nil {
		return nil, 0, fmt.Errorf("list IMAP/POP3 accounts: %w", err)
	}
	if len(found) == 0 && f.Page > 1 { // behind the last page, which knows how many there are
		f.Page = 1
		_, total, err := listMailboxes(ctx, pool, f)
		return nil, total, err
	}
	if len(found) == 0 {
		return nil, 0, nil
	}
	return found, found[0].Total, nil
}
