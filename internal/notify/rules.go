package notify

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// NewRuleSettings returns what an empty form shows.
func NewRuleSettings() RuleSettings { return RuleSettings{Active: true, ByEmail: true} }

// RuleDetail is a rule with everything that belongs to it.
type RuleDetail struct {
	Rule
	EventTypes []Named `json:"event_types"`
	Contacts   []Named `json:"contacts"`
	Groups     []Named `json:"groups"`
	Webhooks   []Named `json:"webhooks"`
}

// RuleFilter chooses and orders rows of the report. Zero values choose everything.
type RuleFilter struct {
	ID                   int64
	Name, AddedBy        string // parts of the text, any case
	AddedFrom, AddedTill time.Time
	Active               *bool
	EventType            string
	Sort                 string // "name", "changed_at", ...; "-name" descends
	Page, PerPage        int    // from 1; PerPage 0: all rows
}

// ListRules returns a page of the report and how many rules match in all.
func (s *Service) ListRules(ctx context.Context, f RuleFilter) ([]Rule, int, error) {
	return listRules(ctx, s.pool, f)
}

// FindRule returns a rule with what belongs to it, or problem.ErrNotFound.
func (s *Service) FindRule(ctx context.Context, id int64) (RuleDetail, error) {
	return findRuleDetail(ctx, s.pool, id)
}

// CreateRule adds a rule.
func (s *Service) CreateRule(ctx context.Context, c RuleChange) (Rule, error) {
	return s.saveRule(ctx, 0, c, "created")
}

// SaveRule changes a rule. A *problem.Conflict says that somebody else did so first.
func (s *Service) SaveRule(ctx context.Context, id int64, c RuleChange) (Rule, error) {
	return s.saveRule(ctx, id, c, "changed")
}

func (s *Service) saveRule(ctx context.Context, id int64, c RuleChange, verb string) (stored Rule, err error) {
	c.RuleSettings = c.normal()
	if err := s.validateRule(ctx, c); err != nil {
		return Rule{}, err
	}
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		var before any
		if id != 0 {
			was, err := lockRule(ctx, tx, id, c.Version)
			if err != nil {
				return err
			}
			before = was.RuleSettings
		}
		if stored, err = upsertRule(ctx, tx, id, c, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		detail := audit.Changes(before, stored.RuleSettings)
		detail["event_types"], detail["contacts"], detail["groups"], detail["webhooks"] = c.EventTypes, c.ContactIDs, c.GroupIDs, c.WebhookIDs
		return audit.Record(ctx, tx, audit.Entry{
			Action: "notification_rule." + verb, Object: "notification_rule", ObjectID: stored.ID, ObjectName: stored.Name, Detail: detail,
		})
	})
	s.directory.forget()
	return stored, err
}

// SetRuleActive enables or disables a rule.
func (s *Service) SetRuleActive(ctx context.Context, id int64, active bool) error {
	defer s.directory.forget()
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		was, err := lockRule(ctx, tx, id, 0)
		if err != nil || was.Active == active {
			return err
		}
		if err := updateRuleActive(ctx, tx, id, active, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "notification_rule.changed", Object: "notification_rule", ObjectID: id, ObjectName: was.Name,
			Detail: map[string]any{"active": map[string]any{"was": was.Active, "now": active}},
		})
	})
}

// DeleteRule removes a rule. Messages that it has caused stay.
func (s *Service) DeleteRule(ctx context.Context, id int64) error {
	defer s.directory.forget()
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		was, err := lockRule(ctx, tx, id, 0)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "delete from notification_rule where id = $1", id); err != nil {
			return fmt.Errorf("delete rule %d: %w", id, err)
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "notification_rule.deleted", Object: "notification_rule", ObjectID: id, ObjectName: was.Name,
			Detail: audit.Changes(was.RuleSettings, nil),
		})
	})
}

func (r RuleSettings) normal() RuleSettings {
	r.Name = strings.TrimSpace(r.Name)
	if r.DigestMinutes == Daily && r.DigestAt == "" {
		r.DigestAt = "08:00"
	}
	if r.DigestMinutes != Daily {
		r.DigestAt = ""
	}
	return r
}

// maxName bounds the names of rules, contacts and the like.
const maxName = 200

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// validateRule lists everything that is wrong with a rule.
func (s *Service) validateRule(ctx context.Context, c RuleChange) error {
	var wrong problem.Invalid
	checkName(&wrong, "name", c.Name)
	if !c.ByEmail && !c.OnScreen && !c.ByWebhook {
		wrong.Add("by_email", "Choose at least one channel.")
	}
	if c.DigestMinutes < 0 || c.DigestMinutes > Daily {
		wrong.Add("digest_minutes", "Enter a number of minutes up to %d, which is once a day.", Daily)
	}
	for _, at := range []struct{ field, text string }{{"digest_at", c.DigestAt}, {"quiet_from", c.QuietFrom}, {"quiet_until", c.QuietUntil}} {
		if at.text != "" && !clock.MatchString(at.text) {
			wrong.Add(at.field, "Enter a time such as 22:00.")
		}
	}
	if (c.QuietFrom == "") != (c.QuietUntil == "") {
		wrong.Add("quiet_until", "Quiet hours need a beginning and an end.")
	}
	if len(c.EventTypes) == 0 {
		wrong.Add("event_types", "Choose at least one event.")
	}
	if (c.ByEmail || c.OnScreen) && len(c.ContactIDs)+len(c.GroupIDs) == 0 {
		wrong.Add("contacts", "Choose at least one contact or group.")
	}
	if c.ByWebhook && len(c.WebhookIDs) == 0 {
		wrong.Add("webhooks", "Choose at least one webhook.")
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(c.EventTypes))) {
		if _, err := s.eventType(ctx, name); err != nil {
			wrong.Add("event_types", "There is no event type “%s”.", name)
		}
	}
	return wrong.Err()
}

func checkName(wrong *problem.Invalid, field, name string) {
	switch {
	case name == "":
		wrong.Add(field, "Enter a name.")
	case utf8.RuneCountInString(name) > maxName:
		wrong.Add(field, "The name may have at most %d characters.", maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable):
		wrong.Add(field, "The name contains a control character; remove it.")
	}
}
