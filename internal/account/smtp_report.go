package account

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// SMTPFilter chooses and orders the rows of the report. Zero values choose everything.
type SMTPFilter struct {
	ID                                              int64
	Name, Sender, ReplyTo, ReturnPath, Confirmation string // parts of the text, any case
	Active                                          *bool
	Sort                                            string // a key of smtpOrder; "-name" descends
	Page, PerPage                                   int    // from 1; PerPage 0: all rows, for CSV and print
}

// smtpOrder maps the report's columns to the table's.
var smtpOrder = map[string]string{
	"id": "id", "name": "lower(account_name)", "sender": "lower(sender_email)", "reply_to": "lower(reply_to_email)",
	"return_path": "lower(return_path_email)", "confirmation": "lower(confirmation_email)", "active": "active",
	"default": "default_account", "secure": "use_secure_connection", "server": "lower(smtp_host)",
	"force": "force_configuration", "read": "send_read_confirmation", "footer": "enable_footer",
}

func (f SMTPFilter) args() pgx.NamedArgs {
	args := pgx.NamedArgs{
		"id": f.ID, "name": like(f.Name), "sender": like(f.Sender), "reply_to": like(f.ReplyTo),
		"return_path": like(f.ReturnPath), "confirmation": like(f.Confirmation), "active": f.Active,
	}
	addPage(args, f.Page, f.PerPage)
	return args
}

// SMTPRow is an account as the report shows it: with its last test.
type SMTPRow struct {
	SMTP
	TestID    int64      `db:"test_id"` // 0: never tested
	TestState TestState  `db:"test_state"`
	TestReply string     `db:"test_reply"`
	TestAt    *time.Time `db:"test_at"`
	Total     int        `db:"total"` // rows that match on all pages
}

// listSMTP returns one page of rows and how many match in all.
func listSMTP(ctx context.Context, pool *pgxpool.Pool, f SMTPFilter) ([]SMTPRow, int, error) {
	order := orderBy(smtpOrder, f.Sort)
	rows, err := pool.Query(ctx, `
		select a.*,
			coalesce(test.test_id, 0) as test_id, coalesce(test.state, '') as test_state,
			coalesce(test.reply, '') as test_reply, test.ended_at as test_at
		from (
			select `+smtpColumns+`, count(*) over () as total
			from smtp_account
			where (@id = 0 or id = @id)
				and (@name = '' or account_name ilike @name)
				and (@sender = '' or sender_email ilike @sender)
				and (@reply_to = '' or reply_to_email ilike @reply_to)
				and (@return_path = '' or return_path_email ilike @return_path)
				and (@confirmation = '' or confirmation_email ilike @confirmation)
				and (@active::boolean is null or active = @active)
			order by `+order+`
			limit @limit offset @offset
		) a
		left join lateral (
			select t.id as test_id, t.state, t.reply, t.ended_at
			from smtp_test t
			where t.smtp_account_id = a.id and t.state <> 'running'
			order by t.id desc
			limit 1
		) test on true
		order by `+order, f.args())
	if err != nil {
		return nil, 0, fmt.Errorf("list SMTP accounts: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[SMTPRow])
	if err != nil {
		return nil, 0, fmt.Errorf("list SMTP accounts: %w", err)
	}
	if len(found) == 0 && f.Page > 1 { // behind the last page, which knows how many there are
		f.Page = 1
		_, total, err := listSMTP(ctx, pool, f)
		return nil, total, err
	}
	if len(found) == 0 {
		return nil, 0, nil
	}
	return found, found[0].Total, nil
}
