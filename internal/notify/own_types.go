package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

var (
	typeName  = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

// SaveEventType adds an event type of the installation's own, or changes it.
func (s *Service) SaveEventType(ctx context.Context, t EventType) error {
	t.Title, t.Category = strings.TrimSpace(t.Title), Category(strings.TrimSpace(string(t.Category)))
	if err := t.validate().Err(); err != nil {
		return err
	}
	fields, err := json.Marshal(append([]Field{}, t.Fields...))
	if err != nil {
		return err
	}
	defer s.directory.forget()
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			insert into event_type (name, title, category, fields, created_by, changed_by)
			values (@name, @title, @category, @fields, @by, @by)
			on conflict (name) do update
			set title = excluded.title, category = excluded.category, fields = excluded.fields, changed_at = now(), changed_by = @by,
				version = event_type.version + 1`,
			pgx.NamedArgs{"name": t.Name, "title": t.Title, "category": string(t.Category), "fields": fields, "by": audit.ActorFrom(ctx).Name})
		if err != nil {
			return fmt.Errorf("store the event type %s: %w", t.Name, err)
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "event_type.saved", Object: "event_type", ObjectName: t.Name, Detail: map[string]any{"title": t.Title, "category": string(t.Category)},
		})
	})
}

// DeleteEventType removes an own type from the list and from all rules. Events of it stay.
func (s *Service) DeleteEventType(ctx context.Context, name string) error {
	defer s.directory.forget()
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "delete from event_type where name = $1", name)
		if err != nil {
			return fmt.Errorf("delete the event type %s: %w", name, err)
		}
		if tag.RowsAffected() == 0 {
			return problem.ErrNotFound
		}
		if _, err := tx.Exec(ctx, "delete from notification_rule_event_type where event_type = $1", name); err != nil {
			return fmt.Errorf("take the event type %s out of rules: %w", name, err)
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "event_type.deleted", Object: "event_type", ObjectName: name})
	})
}

func (t EventType) validate() problem.Invalid {
	var wrong problem.Invalid
	switch _, known := KnownType(t.Name); {
	case known:
		wrong.Add("name", "Orbit has an event type of this name itself; choose another name.")
	case !typeName.MatchString(t.Name) || len(t.Name) > 100:
		wrong.Add("name", "Write the name in small letters, digits, dots and underscores, such as backup.failed.")
	}
	checkName(&wrong, "title", t.Title)
	checkName(&wrong, "category", string(t.Category))
	for i, f := range t.Fields {
		switch {
		case !fieldName.MatchString(f.Name):
			wrong.Add("fields", "“%s” is no name of a field; use small letters, digits and underscores.", f.Name)
		case slices.ContainsFunc(t.Fields[:i], func(other Field) bool { return other.Name == f.Name }):
			wrong.Add("fields", "The field %s is there twice.", f.Name)
		case !slices.Contains([]Kind{TextField, TimeField, NumberField, ListField}, f.Kind):
			wrong.Add("fields", "The kind of %s must be text, time, number or list.", f.Name)
		}
	}
	return wrong
}
