package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"orbit/internal/notify/text"
)

const ruleColumns = `
	notification_rule.id, notification_rule.name, notification_rule.active, by_email, on_screen, by_webhook, only_contacts_with_access,
	digest_minutes, digest_at, quiet_from, quiet_until, coalesce(smtp_account_id, 0) as smtp_account_id,
	notification_rule.created_at, notification_rule.created_by, notification_rule.changed_at, notification_rule.changed_by, notification_rule.version`

const contactColumns = `
	contact.id, contact.name, email, username, department, language, time_zone, coalesce(user_id, 0) as user_id, contact.active,
	bounced_at, bounce_text, contact.created_at, contact.created_by, contact.changed_at, contact.changed_by, contact.version`

// selectTargets reads the rules that name a type, with their contacts and webhooks.
func selectTargets(ctx context.Context, q querier, kind string) ([]target, error) {
	rules, err := collect[Rule](ctx, q, `
		select `+ruleColumns+`
		from notification_rule_event_type named
		join notification_rule on notification_rule.id = named.notification_rule_id
		where named.event_type = @kind
		order by notification_rule.id`, pgx.NamedArgs{"kind": kind})
	if err != nil {
		return nil, fmt.Errorf("read the rules for %s: %w", kind, err)
	}
	var all []target
	for _, rule := range rules {
		targets, err := selectRuleTargets(ctx, q, rule)
		if err != nil {
			return nil, fmt.Errorf("read whom the rule %s tells: %w", rule.Name, err)
		}
		all = append(all, targets...)
	}
	return all, nil
}

func selectRuleTargets(ctx context.Context, q querier, rule Rule) ([]target, error) {
	type member struct {
		Contact
		GroupName string `db:"group_name"`
	}
	type hook struct {
		ID   int64  `db:"id"`
		Name string `db:"name"`
	}
	args := pgx.NamedArgs{"rule": rule.ID}
	members, err := collect[member](ctx, q, `
		select distinct on (contact.id) `+contactColumns+`, named.group_name
		from (
			select contact_id, '' as group_name
			from notification_rule_contact
			where notification_rule_id = @rule
			union all
			select contact_id, contact_group.name
			from notification_rule_group
			join contact_group on contact_group.id = notification_rule_group.contact_group_id
			join contact_group_member on contact_group_member.contact_group_id = contact_group.id
			where notification_rule_id = @rule
		) named
		join contact on contact.id = named.contact_id
		order by contact.id, named.group_name`, args)
	if err != nil {
		return nil, err
	}
	hooks, err := collect[hook](ctx, q, `
		select webhook.id, webhook.name
		from notification_rule_webhook
		join webhook on webhook.id = notification_rule_webhook.webhook_id
		where notification_rule_id = @rule and webhook.active
		order by webhook.id`, args)
	if err != nil {
		return nil, err
	}
	var all []target
	for _, m := range members {
		all = append(all, target{Rule: rule, Contact: m.Contact, Group: m.GroupName})
	}
	for _, h := range hooks {
		all = append(all, target{Rule: rule, WebhookID: h.ID, Webhook: h.Name})
	}
	return all, nil
}

func selectActiveTexts(ctx context.Context, q querier) (map[textOf]text.Text, error) {
	type row struct {
		Type     string `db:"type"`
		Language string `db:"language"`
		Subject  string `db:"subject"`
		Message  string `db:"message"`
	}
	rows, err := collect[row](ctx, q, "select type, language, subject, message from notification_text where active", nil)
	if err != nil {
		return nil, fmt.Errorf("read the texts: %w", err)
	}
	all := map[textOf]text.Text{}
	for _, r := range rows {
		all[textOf{r.Type, text.Language(r.Language)}] = text.Text{Subject: r.Subject, Message: r.Message}
	}
	return all, nil
}

func selectOwnTypes(ctx context.Context, q querier) (map[string]EventType, error) {
	type row struct {
		Name     string `db:"name"`
		Title    string `db:"title"`
		Category string `db:"category"`
		Fields   []byte `db:"fields"`
	}
	rows, err := collect[row](ctx, q, "select name, title, category, fields from event_type", nil)
	if err != nil {
		return nil, fmt.Errorf("read the own event types: %w", err)
	}
	all := map[string]EventType{}
	for _, r := range rows {
		t := EventType{Name: r.Name, Title: r.Title, Category: Category(r.Category), Own: true, Priority: Normal}
		if err := json.Unmarshal(r.Fields, &t.Fields); err != nil {
			return nil, fmt.Errorf("read the event type %s: %w", r.Name, err)
		}
		all[t.Name] = t
	}
	return all, nil
}

// collect reads rows into structs by the names of columns.
func collect[T any](ctx context.Context, q querier, sql string, args pgx.NamedArgs) ([]T, error) {
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
