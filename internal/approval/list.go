package approval

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Filter chooses requests for a report. Zero values choose all.
type Filter struct {
	UserID    int64  // those that this user was asked about
	Undecided bool   // with UserID: those that the user has not decided
	Status    Status // one of the statuses
	Search    string // in code, requester, device, credential and governance ID
	From      time.Time
	Until     time.Time
	Before    int64 // the last ID of the page before; 0: the first page
	Rows      int   // at most; 0: 30
}

// Row is a request in a report.
type Row struct {
	Request
	Mine *Answer `db:"mine"` // what the user of the filter decided
}

// List returns a page of the report, the newest first, and where the next one begins (0: there is none).
func (s *Service) List(ctx context.Context, f Filter) (rows []Row, next int64, err error) {
	if f.Rows <= 0 {
		f.Rows = 30
	}
	found, err := s.Pool.Query(ctx, `
		select `+qualified("r", requestColumns)+`, d.answer as mine
		from access_request r
		left join approver a on a.access_request_id = r.id and a.user_id = @user_id
		left join decision d on d.approver_id = a.id
		where (@user_id = 0 or a.notified_at is not null or a.id is not null and r.status <> 'pending')
			and (not @undecided or d.id is null)
			and (@status = '' or r.status = @status)
			and (@search = '' or 'S' || lpad(r.id::text, greatest(6, length(r.id::text)), '0') ilike @search or r.requester_name ilike @search
				or r.requester_email ilike @search or r.device_hostname ilike @search or r.device_ip ilike @search
				or r.credential_username ilike @search or r.credential ilike @search or r.governance_id ilike @search)
			and (@from::timestamptz is null or r.created_at >= @from) and (@until::timestamptz is null or r.created_at < @until)
			and (@before = 0 or r.id < @before)
		order by r.id desc limit @limit`, pgx.NamedArgs{
		"user_id": f.UserID, "undecided": f.Undecided, "status": f.Status, "search": pattern(f.Search), "from": orNull(f.From),
		"until": orNull(f.Until), "before": f.Before, "limit": f.Rows + 1,
	})
	if err != nil {
		return nil, 0, wrap(err, "list access requests")
	}
	if rows, err = pgx.CollectRows(found, pgx.RowToStructByName[Row]); err != nil {
		return nil, 0, wrap(err, "list access requests")
	}
	if len(rows) > f.Rows {
		rows = rows[:f.Rows]
		next = rows[f.Rows-1].ID
	}
	return rows, next, nil
}

// Waiting counts what waits for a user's decision; the bell shows it.
func (s *Service) Waiting(ctx context.Context, userID int64) (count int, err error) {
	err = s.Pool.QueryRow(ctx, `
		select count(*) from approver a join access_request r on r.id = a.access_request_id
		where a.user_id = @user_id and a.notified_at is not null and r.status = 'pending' and r.expires_at > @now
			and a.level in (0, r.level) and not exists (select from decision d where d.approver_id = a.id)`,
		pgx.NamedArgs{"user_id": userID, "now": s.now()}).Scan(&count)
	return count, wrap(err, "count what waits for a decision")
}

// qualified puts an alias before each column of a list, and into the coalesce of the one that has it.
func qualified(alias, columns string) string {
	parts := strings.Split(columns, ",")
	for i, column := range parts {
		column = strings.TrimSpace(column)
		switch {
		case strings.HasPrefix(column, "coalesce("):
			parts[i] = "coalesce(" + alias + "." + strings.TrimPrefix(column, "coalesce(")
		case strings.HasPrefix(column, "0)"):
			parts[i] = column
		default:
			parts[i] = alias + "." + column
		}
	}
	return strings.Join(parts, ", ")
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// pattern looks for the words anywhere; what people type has no wildcards.
func pattern(search string) string {
	if search = strings.TrimSpace(search); search == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(search) + "%"
}
