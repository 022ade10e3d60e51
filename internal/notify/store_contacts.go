package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// contactOrder maps the report's columns to the table's.
var contactOrder = map[string]string{
	"id": "contact.id", "name": "lower(contact.name)", "email": "lower(email)", "username": "lower(username)",
	"department": "lower(department)", "active": "contact.active", "created_at": "contact.created_at",
}

func listContacts(ctx context.Context, q querier, f ContactFilter) ([]Contact, int, error) {
	type row struct {
		Contact
		Total int `db:"total"`
	}
	args := pgx.NamedArgs{
		"id": f.ID, "name": like(f.Name), "email": like(f.Email), "username": like(f.Username), "department": like(f.Department),
		"search": like(f.Search), "group": f.GroupID, "active": f.Active, "bounced": f.Bounced, "limit": nil, "offset": 0,
	}
	if f.PerPage > 0 {
		args["limit"], args["offset"] = f.PerPage, f.PerPage*max(f.Page-1, 0)
	}
	rows, err := collect[row](ctx, q, `
		select `+contactColumns+`, count(*) over () as total
		from contact
		where (@id = 0 or contact.id = @id)
			and (@name = '' or name ilike @name) and (@email = '' or email ilike @email)
			and (@username = '' or username ilike @username) and (@department = '' or department ilike @department)
			and (@search = '' or name ilike @search or email ilike @search or username ilike @search or department ilike @search)
			and (@group = 0 or contact.id in (select contact_id from contact_group_member where contact_group_id = @group))
			and (@active::boolean is null or active = @active)
			and (not @bounced or bounced_at is not null)
		order by `+orderBy(contactOrder, f.Sort, "lower(contact.name)", "contact.id")+`
		limit @limit offset @offset`, args)
	if err != nil {
		return nil, 0, fmt.Errorf("list contacts: %w", err)
	}
	if len(rows) == 0 && f.Page > 1 { // behind the last page, which knows how many there are
		f.Page = 1
		_, total, err := listContacts(ctx, q, f)
		return nil, total, err
	}
	if len(rows) == 0 {
		return nil, 0, nil
	}
	all := make([]Contact, len(rows))
	for i, r := range rows {
		all[i] = r.Contact
	}
	return all, rows[0].Total, nil
}

// orderBy is the order that a report asks for; what it does not know is by usual.
func orderBy(columns map[string]string, sort, usual, id string) string {
	key, descending := strings.CutPrefix(sort, "-")
	column, known := columns[key]
	if !known {
		column = usual
	}
	if descending {
		return column + " desc, " + id + " desc"
	}
	return column + ", " + id
}

// like turns what was typed into a pattern that finds it anywhere; empty stays empty.
func like(text string) string {
	if text = storable(strings.TrimSpace(text)); text == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

func lockContact(ctx context.Context, tx pgx.Tx, id int64, version int) (Contact, error) {
	found, err := one[Contact](ctx, tx, "contact", "select "+contactColumns+" from contact where id = @id for update", pgx.NamedArgs{"id": id})
	if err == nil && version != 0 && found.Version != version {
		return Contact{}, &problem.Conflict{What: "the contact " + found.Name, Who: found.ChangedBy}
	}
	return found, err
}

func upsertContact(ctx context.Context, tx pgx.Tx, c Contact, by string) (Contact, error) {
	sql := `
		insert into contact (name, email, username, department, language, time_zone, user_id, active, created_by, changed_by)
		values (@name, @email, @username, @department, @language, @time_zone, nullif(@user::bigint, 0), @active, @by, @by)
		returning ` + contactColumns
	if c.ID != 0 {
		sql = `
		update contact
		set name = @name, email = @email, username = @username, department = @department, language = @language,
			time_zone = @time_zone, user_id = nullif(@user::bigint, 0), active = @active, bounced_at = null, bounce_text = '',
			changed_at = now(), changed_by = @by, version = version + 1
		where id = @id
		returning ` + contactColumns
	}
	stored, err := one[Contact](ctx, tx, "contact", sql, pgx.NamedArgs{
		"id": c.ID, "name": c.Name, "email": c.Email, "username": c.Username, "department": c.Department, "language": c.Language,
		"time_zone": c.TimeZone, "user": c.UserID, "active": c.Active, "by": by,
	})
	switch postgres.Constraint(err) {
	case "contact_email_unique":
		return Contact{}, problem.Invalid{{Name: "email", Text: "There is already a contact with the address " + c.Email + "."}}
	case "contact_user":
		return Contact{}, problem.Invalid{{Name: "user_id", Text: "This user no longer exists; choose another one."}}
	}
	return stored, err
}

// contactByEmail returns the id of the contact with an address; 0: there is none.
func contactByEmail(ctx context.Context, tx pgx.Tx, email string) (id int64, err error) {
	err = tx.QueryRow(ctx, "select id from contact where email <> '' and lower(email) = lower($1)", email).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find the contact %s: %w", email, err)
	}
	return id, nil
}

// joinGroup puts a contact into a group, which is made when there is none of that name.
func joinGroup(ctx context.Context, tx pgx.Tx, contact int64, group string) error {
	if group == "" {
		return nil
	}
	batch := &pgx.Batch{}
	batch.Queue("insert into contact_group (name) values ($1) on conflict (lower(name)) do nothing", group)
	batch.Queue(`
		insert into contact_group_member (contact_group_id, contact_id)
		select id, $2 from contact_group where lower(name) = lower($1)
		on conflict do nothing`, group, contact)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("put a contact into the group %s: %w", group, err)
	}
	return nil
}

const groupColumns = `
	id, name, description, (select count(*) from contact_group_member where contact_group_id = contact_group.id) as members,
	created_at, created_by, changed_at, changed_by, version`

func listGroups(ctx context.Context, q querier) ([]Group, error) {
	all, err := collect[Group](ctx, q, "select "+groupColumns+" from contact_group order by lower(name)", nil)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return all, nil
}

func findGroup(ctx context.Context, q querier, id int64) (Group, error) {
	return one[Group](ctx, q, "group", "select "+groupColumns+" from contact_group where id = @id", pgx.NamedArgs{"id": id})
}

func lockGroup(ctx context.Context, tx pgx.Tx, id int64, version int) error {
	found, err := one[Group](ctx, tx, "group", "select "+groupColumns+" from contact_group where id = @id for update", pgx.NamedArgs{"id": id})
	if err == nil && version != 0 && found.Version != version {
		return &problem.Conflict{What: "the group " + found.Name, Who: found.ChangedBy}
	}
	return err
}

func groupMembers(ctx context.Context, q querier, id int64) ([]int64, error) {
	rows, err := q.Query(ctx, "select contact_id from contact_group_member where contact_group_id = @id order by contact_id", pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, fmt.Errorf("read the members of group %d: %w", id, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

func upsertGroup(ctx context.Context, tx pgx.Tx, g GroupDetail, by string) (Group, error) {
	args := pgx.NamedArgs{"id": g.ID, "name": g.Name, "description": g.Description, "by": by}
	sql := "insert into contact_group (name, description, created_by, changed_by) values (@name, @description, @by, @by) returning id"
	if g.ID != 0 {
		sql = "update contact_group set name = @name, description = @description, changed_at = now(), changed_by = @by, version = version + 1 where id = @id returning id"
	}
	var id int64
	err := tx.QueryRow(ctx, sql, args).Scan(&id)
	if postgres.Constraint(err) == "contact_group_name_unique" {
		return Group{}, problem.Invalid{{Name: "name", Text: "There is already a group called " + g.Name + "; choose another name."}}
	}
	if err != nil {
		return Group{}, fmt.Errorf("store the group %s: %w", g.Name, err)
	}
	batch := &pgx.Batch{}
	chosen := append([]int64{}, g.ContactIDs...)
	batch.Queue("delete from contact_group_member where contact_group_id = $1 and contact_id <> all($2::bigint[])", id, chosen)
	batch.Queue("insert into contact_group_member (contact_group_id, contact_id) select $1, unnest($2::bigint[]) on conflict do nothing", id, chosen)
	err = tx.SendBatch(ctx, batch).Close()
	if postgres.Constraint(err) == "contact_group_member_contact" {
		return Group{}, problem.Invalid{{Name: "contacts", Text: "One of the contacts no longer exists; choose again."}}
	}
	if err != nil {
		return Group{}, fmt.Errorf("store the members of the group %s: %w", g.Name, err)
	}
	return findGroup(ctx, tx, id)
}
