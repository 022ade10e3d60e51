package approval

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Groups returns all approver groups with their members, by name.
func (s *Service) Groups(ctx context.Context) ([]Group, error) { return listGroups(ctx, s.Pool) }

// Group returns a group with its members, or problem.ErrNotFound.
func (s *Service) Group(ctx context.Context, id int64) (Group, error) {
	return findGroup(ctx, s.Pool, id)
}

// CreateGroup stores a new group.
func (s *Service) CreateGroup(ctx context.Context, c GroupChange) (stored Group, err error) {
	if err := c.Validate().Err(); err != nil {
		return Group{}, err
	}
	err = postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		id, err := insertGroup(ctx, tx, c, audit.ActorFrom(ctx).Name)
		if err != nil {
			return err
		}
		stored, err = s.storeMembers(ctx, tx, id, c.Members)
		if err != nil {
			return err
		}
		return recordGroup(ctx, tx, "approver_group.created", stored, audit.Changes(nil, stored.GroupSettings), "")
	})
	return stored, err
}

// SaveGroup changes a group. A *problem.Conflict says that somebody else did so first. Requests that are under way
// keep the rules under which they were made.
func (s *Service) SaveGroup(ctx context.Context, id int64, c GroupChange) (stored Group, err error) {
	if err := c.Validate().Err(); err != nil {
		return Group{}, err
	}
	err = postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		before, err := lockGroup(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.Version != 0 && c.Version != before.Version {
			return &problem.Conflict{What: "The approver group " + before.Name, Who: before.ChangedBy}
		}
		if err := updateGroup(ctx, tx, id, c, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		if stored, err = s.storeMembers(ctx, tx, id, c.Members); err != nil {
			return err
		}
		return recordGroup(ctx, tx, "approver_group.changed", stored, audit.Changes(before.GroupSettings, stored.GroupSettings), membersText(before.Members))
	})
	return stored, err
}

// storeMembers replaces the members and returns the group as it is now.
func (s *Service) storeMembers(ctx context.Context, tx pgx.Tx, id int64, members []Member) (Group, error) {
	if err := replaceMembers(ctx, tx, id, members); err != nil {
		return Group{}, err
	}
	return findGroup(ctx, tx, id)
}

// DeleteGroup removes a group. Requests that were made to it keep its name and its rules.
func (s *Service) DeleteGroup(ctx context.Context, id int64) error {
	return postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		before, err := lockGroup(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := deleteGroup(ctx, tx, id); err != nil {
			return err
		}
		return recordGroup(ctx, tx, "approver_group.deleted", before, nil, membersText(before.Members))
	})
}

// Deputies returns who decides for whom, those that have ended left out.
func (s *Service) Deputies(ctx context.Context) ([]Deputy, error) {
	return listDeputies(ctx, s.Pool, s.now())
}

// AddDeputy lets somebody decide for somebody else between two times.
func (s *Service) AddDeputy(ctx context.Context, d Deputy) (stored Deputy, err error) {
	var wrong problem.Invalid
	if d.UserID == d.DeputyID {
		wrong.Add("deputy_id", "Choose somebody else: nobody is their own deputy.")
	}
	if !d.Until.After(d.From) || !d.Until.After(s.now()) {
		wrong.Add("until", "The end must come after the start, and in the future.")
	}
	if d.Until.Sub(d.From) > 366*24*time.Hour {
		wrong.Add("until", "A deputy decides for a year at most.")
	}
	if err := wrong.Err(); err != nil {
		return Deputy{}, err
	}
	err = postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		if stored, err = insertDeputy(ctx, tx, d, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		return recordDeputy(ctx, tx, "approver_deputy.added", stored)
	})
	return stored, err
}

// RemoveDeputy ends a deputy's time.
func (s *Service) RemoveDeputy(ctx context.Context, id int64) error {
	return postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		removed, err := deleteDeputy(ctx, tx, id)
		if err != nil {
			return err
		}
		return recordDeputy(ctx, tx, "approver_deputy.removed", removed)
	})
}

func recordDeputy(ctx context.Context, tx pgx.Tx, action string, d Deputy) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: action, Object: "approver_deputy", ObjectID: d.ID, ObjectName: d.DeputyName + " for " + d.UserName,
		Detail: map[string]any{"from": d.From.UTC().Format(time.RFC3339), "until": d.Until.UTC().Format(time.RFC3339)},
	})
}

func recordGroup(ctx context.Context, tx pgx.Tx, action string, g Group, detail map[string]any, membersBefore string) error {
	if now := membersText(g.Members); now != membersBefore && action != "approver_group.deleted" {
		if detail == nil {
			detail = map[string]any{}
		}
		detail["members"] = map[string]any{"was": membersBefore, "now": now}
	}
	return audit.Record(ctx, tx, audit.Entry{Action: action, Object: "approver_group", ObjectID: g.ID, ObjectName: g.Name, Detail: detail})
}

func membersText(members []Member) string {
	all := ""
	for i, m := range members {
		if i > 0 {
			all += ", "
		}
		all += fmt.Sprintf("%s (%d)", m.Name, m.Level)
	}
	return all
}
