package notify

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// GroupDetail is a group with its members.
type GroupDetail struct {
	Group
	ContactIDs []int64 `json:"contact_ids"`
}

// ListGroups returns all groups by name.
func (s *Service) ListGroups(ctx context.Context) ([]Group, error) { return listGroups(ctx, s.pool) }

// FindGroup returns a group with its members, or problem.ErrNotFound.
func (s *Service) FindGroup(ctx context.Context, id int64) (GroupDetail, error) {
	g, err := findGroup(ctx, s.pool, id)
	if err != nil {
		return GroupDetail{}, err
	}
	members, err := groupMembers(ctx, s.pool, id)
	return GroupDetail{g, members}, err
}

// CreateGroup adds a group.
func (s *Service) CreateGroup(ctx context.Context, g GroupDetail) (Group, error) {
	g.ID, g.Version = 0, 0
	return s.saveGroup(ctx, g)
}

// SaveGroup changes a group and its members.
func (s *Service) SaveGroup(ctx context.Context, id int64, g GroupDetail) (Group, error) {
	g.ID = id
	return s.saveGroup(ctx, g)
}

func (s *Service) saveGroup(ctx context.Context, g GroupDetail) (stored Group, err error) {
	g.Name, g.Description = strings.TrimSpace(g.Name), strings.TrimSpace(g.Description)
	var wrong problem.Invalid
	checkName(&wrong, "name", g.Name)
	if err := wrong.Err(); err != nil {
		return Group{}, err
	}
	defer s.directory.forget()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		verb := "created"
		if g.ID != 0 {
			verb = "changed"
			if err := lockGroup(ctx, tx, g.ID, g.Version); err != nil {
				return err
			}
		}
		if stored, err = upsertGroup(ctx, tx, g, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "contact_group." + verb, Object: "contact_group", ObjectID: stored.ID, ObjectName: stored.Name,
			Detail: map[string]any{"description": stored.Description, "contacts": g.ContactIDs},
		})
	})
	return stored, err
}

// DeleteGroup removes a group. Its contacts stay.
func (s *Service) DeleteGroup(ctx context.Context, id int64) error {
	defer s.directory.forget()
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		was, err := findGroup(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "delete from contact_group where id = $1", id); err != nil {
			return fmt.Errorf("delete group %d: %w", id, err)
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "contact_group.deleted", Object: "contact_group", ObjectID: id, ObjectName: was.Name})
	})
}
