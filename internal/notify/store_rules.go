package notify

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Named is something else's id and name, as lists show it.
type Named struct {
	ID   int64  `db:"id" json:"id,omitempty"`
	Key  string `db:"key" json:"key,omitempty"` // of an event type
	Name string `db:"name" json:"name"`
}

// lockRule reads a rule and keeps others from changing it. Version is the one that was read before; 0: any.
func lockRule(ctx context.Context, tx pgx.Tx, id int64, version int) (Rule, error) {
	found, err := one[Rule](ctx, tx, "rule", "select "+ruleColumns+" from notification_rule where id = @id for update", pgx.NamedArgs{"id": id})
	if err == nil && version != 0 && found.Version != version {
		return Rule{}, &problem.Conflict{What: "the rule " + found.Name, Who: found.ChangedBy}
	}
	return found, err
}

func upsertRule(ctx context.Context, tx pgx.Tx, id int64, c RuleChange, by string) (Rule, error) {
	sql := `
		insert into notification_rule (
			name, active, by_email, on_screen, by_webhook, only_contacts_with_access, digest_minutes, digest_at,
			quiet_from, quiet_until, smtp_account_id, created_by, changed_by)
		values (
			@name, @active, @by_email, @on_screen, @by_webhook, @only_contacts_with_access, @digest_minutes, @digest_at,
			@quiet_from, @quiet_until, nullif(@account::bigint, 0), @by, @by)
		returning ` + ruleColumns
	if id != 0 {
		sql = `
		update notification_rule
		set name = @name, active = @active, by_email = @by_email, on_screen = @on_screen, by_webhook = @by_webhook,
			only_contacts_with_access = @only_contacts_with_access, digest_minutes = @digest_minutes, digest_at = @digest_at,
			quiet_from = @quiet_from, quiet_until = @quiet_until, smtp_account_id = nullif(@account::bigint, 0),
			changed_at = now(), changed_by = @by, version = version + 1
		where id = @id
		returning ` + ruleColumns
	}
	stored, err := one[Rule](ctx, tx, "rule", sql, pgx.NamedArgs{
		"id": id, "name": c.Name, "active": c.Active, "by_email": c.ByEmail, "on_screen": c.OnScreen, "by_webhook": c.ByWebhook,
		"only_contacts_with_access": c.OnlyContactsWithAccess, "digest_minutes": c.DigestMinutes, "digest_at": c.DigestAt,
		"quiet_from": c.QuietFrom, "quiet_until": c.QuietUntil, "account": c.AccountID, "by": by,
	})
	if err != nil {
		return Rule{}, ruleProblem(err, c)
	}
	return stored, ruleProblem(replaceRuleParts(ctx, tx, stored.ID, c, by), c)
}

// replaceRuleParts sets what belongs to a rule. What was there before keeps who added it and when.
func replaceRuleParts(ctx context.Context, tx pgx.Tx, id int64, c RuleChange, by string) error {
	batch := &pgx.Batch{}
	for _, part := range []struct{ table, column, kind string }{
		{"notification_rule_contact", "contact_id", "bigint"}, {"notification_rule_group", "contact_group_id", "bigint"},
		{"notification_rule_event_type", "event_type", "text"},
	} {
		chosen := any(append([]int64{}, c.ContactIDs...))
		switch part.column {
		case "contact_group_id":
			chosen = append([]int64{}, c.GroupIDs...)
		case "event_type":
			chosen = append([]string{}, c.EventTypes...)
		}
		batch.Queue("delete from "+part.table+" where notification_rule_id = $1 and "+part.column+" <> all($2::"+part.kind+"[])", id, chosen)
		batch.Queue("insert into "+part.table+" (notification_rule_id, "+part.column+", added_by) select $1, unnest($2::"+part.kind+"[]), $3 on conflict do nothing", id, chosen, by)
	}
	hooks := append([]int64{}, c.WebhookIDs...)
	batch.Queue("delete from notification_rule_webhook where notification_rule_id = $1 and webhook_id <> all($2::bigint[])", id, hooks)
	batch.Queue("insert into notification_rule_webhook (notification_rule_id, webhook_id) select $1, unnest($2::bigint[]) on conflict do nothing", id, hooks)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("store whom a rule tells: %w", err)
	}
	return nil
}

func updateRuleActive(ctx context.Context, tx pgx.Tx, id int64, active bool, by string) error {
	_, err := tx.Exec(ctx, `
		update notification_rule
		set active = $2, changed_at = now(), changed_by = $3, version = version + 1
		where id = $1`, id, active, by)
	if err != nil {
		return fmt.Errorf("change rule %d: %w", id, err)
	}
	return nil
}

// ruleProblem turns the name of a violated constraint into a sentence beside the field.
func ruleProblem(err error, c RuleChange) error {
	switch postgres.Constraint(err) {
	case "notification_rule_name_unique":
		return problem.Invalid{{Name: "name", Text: "There is already a rule called " + c.Name + "; choose another name."}}
	case "notification_rule_smtp_account":
		return problem.Invalid{{Name: "smtp_account_id", Text: "This SMTP account no longer exists; choose another one."}}
	case "notification_rule_contact_contact":
		return problem.Invalid{{Name: "contacts", Text: "One of the contacts no longer exists; choose again."}}
	case "notification_rule_group_group":
		return problem.Invalid{{Name: "groups", Text: "One of the groups no longer exists; choose again."}}
	case "notification_rule_webhook_webhook":
		return problem.Invalid{{Name: "webhooks", Text: "One of the webhooks no longer exists; choose again."}}
	default:
		return err
	}
}

func findRuleDetail(ctx context.Context, q querier, id int64) (RuleDetail, error) {
	rule, err := findRule(ctx, q, id)
	if err != nil {
		return RuleDetail{}, err
	}
	d := RuleDetail{Rule: rule}
	args := pgx.NamedArgs{"id": id}
	for _, part := range []struct {
		into *[]Named
		sql  string
	}{
		{&d.EventTypes, "select 0 as id, event_type as key, event_type as name from notification_rule_event_type where notification_rule_id = @id order by event_type"},
		{&d.Contacts, "select id, '' as key, name from notification_rule_contact join contact on contact.id = contact_id where notification_rule_id = @id order by lower(name), id"},
		{&d.Groups, "select id, '' as key, name from notification_rule_group join contact_group on contact_group.id = contact_group_id where notification_rule_id = @id order by lower(name), id"},
		{&d.Webhooks, "select id, '' as key, name from notification_rule_webhook join webhook on webhook.id = webhook_id where notification_rule_id = @id order by lower(name), id"},
	} {
		if *part.into, err = collect[Named](ctx, q, part.sql, args); err != nil {
			return RuleDetail{}, fmt.Errorf("read what belongs to rule %d: %w", id, err)
		}
	}
	return d, nil
}

// ruleOrder maps the report's columns to the table's.
var ruleOrder = map[string]string{
	"id": "notification_rule.id", "name": "lower(notification_rule.name)", "changed_at": "notification_rule.changed_at",
	"changed_by": "lower(notification_rule.changed_by)", "created_at": "notification_rule.created_at",
	"created_by": "lower(notification_rule.created_by)", "active": "notification_rule.active",
}

func listRules(ctx context.Context, q querier, f RuleFilter) ([]Rule, int, error) {
	type row struct {
		Rule
		Total int `db:"total"`
	}
	args := pgx.NamedArgs{
		"id": f.ID, "name": like(f.Name), "by": like(f.AddedBy), "from": zeroNull(f.AddedFrom), "till": zeroNull(f.AddedTill),
		"active": f.Active, "type": f.EventType, "limit": nil, "offset": 0,
	}
	if f.PerPage > 0 {
		args["limit"], args["offset"] = f.PerPage, f.PerPage*max(f.Page-1, 0)
	}
	rows, err := collect[row](ctx, q, `
		select `+ruleColumns+`, count(*) over () as total
		from notification_rule
		where (@id = 0 or id = @id)
			and (@name = '' or name ilike @name) and (@by = '' or created_by ilike @by)
			and (@from::timestamptz is null or created_at >= @from) and (@till::timestamptz is null or created_at < @till)
			and (@active::boolean is null or active = @active)
			and (@type = '' or id in (select notification_rule_id from notification_rule_event_type where event_type = @type))
		order by `+orderBy(ruleOrder, f.Sort, "lower(notification_rule.name)", "notification_rule.id")+`
		limit @limit offset @offset`, args)
	if err != nil {
		return nil, 0, fmt.Errorf("list rules: %w", err)
	}
	if len(rows) == 0 && f.Page > 1 { // behind the last page, which knows how many there are
		f.Page = 1
		_, total, err := listRules(ctx, q, f)
		return nil, total, err
	}
	if len(rows) == 0 {
		return nil, 0, nil
	}
	all := make([]Rule, len(rows))
	for i, r := range rows {
		all[i] = r.Rule
	}
	return all, rows[0].Total, nil
}
