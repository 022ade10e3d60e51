package approval

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

const groupColumns = `
	id, name, active, approval_required, approval_in_levels, approvals_required, rejections_to_cancel, emergency_access,
	governance_id_required, always_add_manager, validity_minutes, approver_may_shorten, link_alone, relaxed_replies,
	remind_after_minutes, escalate_after_minutes, created_at, created_by, changed_at, changed_by, version`

func listGroups(ctx context.Context, q querier) ([]Group, error) {
	return groups(ctx, q, "order by lower(name)", nil)
}

func findGroup(ctx context.Context, q querier, id int64) (Group, error) {
	return oneGroup(groups(ctx, q, "where id = @id", pgx.NamedArgs{"id": id}))
}

func lockGroup(ctx context.Context, tx pgx.Tx, id int64) (Group, error) {
	return oneGroup(groups(ctx, tx, "where id = @id for update", pgx.NamedArgs{"id": id}))
}

func findGroupByName(ctx context.Context, q querier, name string) (Group, error) {
	group, err := oneGroup(groups(ctx, q, "where lower(name) = lower(@name)", pgx.NamedArgs{"name": name}))
	if errors.Is(err, problem.ErrNotFound) {
		return Group{}, invalid("approver_group", "There is no approver group “%s”.", name)
	}
	return group, err
}

func oneGroup(found []Group, err error) (Group, error) {
	if err != nil {
		return Group{}, err
	}
	if len(found) == 0 {
		return Group{}, problem.ErrNotFound
	}
	return found[0], nil
}

// groups reads groups and, with one query more, the members of them all.
func groups(ctx context.Context, q querier, where string, args pgx.NamedArgs) ([]Group, error) {
	rows, err := q.Query(ctx, "select "+groupColumns+" from approver_group "+where, args)
	if err != nil {
		return nil, wrap(err, "read approver groups")
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[Group])
	if err != nil {
		return nil, wrap(err, "read approver groups")
	}
	ids := make([]int64, len(found))
	at := map[int64]*Group{}
	for i := range found {
		ids[i], at[found[i].ID] = found[i].ID, &found[i]
	}
	rows, err = q.Query(ctx, `
		select m.approver_group_id, m.user_id, coalesce(nullif(u.full_name, ''), u.username) as name, u.email, m.level
		from approver_group_member m join "user" u on u.id = m.user_id
		where m.approver_group_id = any(@ids) order by m.level = 0, m.level, name, m.user_id`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, wrap(err, "read members of approver groups")
	}
	members, err := pgx.CollectRows(rows, pgx.RowToStructByName[Member])
	for _, m := range members {
		at[m.GroupID].Members = append(at[m.GroupID].Members, m)
	}
	return found, wrap(err, "read members of approver groups")
}

func groupArgs(c GroupChange, by string) pgx.NamedArgs {
	return pgx.NamedArgs{
		"name": c.Name, "active": c.Active, "approval_required": c.ApprovalRequired, "approval_in_levels": c.ApprovalInLevels,
		"approvals_required": c.ApprovalsRequired, "rejections_to_cancel": c.RejectionsToCancel, "emergency_access": c.EmergencyAccess,
		"governance_id_required": c.GovernanceIDRequired, "always_add_manager": c.AlwaysAddManager, "validity_minutes": c.ValidityMinutes,
		"approver_may_shorten": c.ApproverMayShorten, "link_alone": c.LinkAlone, "relaxed_replies": c.RelaxedReplies,
		"remind_after_minutes": c.RemindAfterMinutes, "escalate_after_minutes": c.EscalateAfterMinutes, "by": by,
	}
}

func insertGroup(ctx context.Context, tx pgx.Tx, c GroupChange, by string) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		insert into approver_group (
			name, active, approval_required, approval_in_levels, approvals_required, rejections_to_cancel, emergency_access,
			governance_id_required, always_add_manager, validity_minutes, approver_may_shorten, link_alone, relaxed_replies,
			remind_after_minutes, escalate_after_minutes, created_by, changed_by)
		values (
			@name, @active, @approval_required, @approval_in_levels, @approvals_required, @rejections_to_cancel, @emergency_access,
			@governance_id_required, @always_add_manager, @validity_minutes, @approver_may_shorten, @link_alone, @relaxed_replies,
			@remind_after_minutes, @escalate_after_minutes, @by, @by)
		returning id`, groupArgs(c, by)).Scan(&id)
	return id, groupProblem(err, c)
}

func updateGroup(ctx context.Context, tx pgx.Tx, id int64, c GroupChange, by string) error {
	args := groupArgs(c, by)
	args["id"] = id
	_, err := tx.Exec(ctx, `
		update approver_group
		set name = @name, active = @active, approval_required = @approval_required, approval_in_levels = @approval_in_levels,
			approvals_required = @approvals_required, rejections_to_cancel = @rejections_to_cancel, emergency_access = @emergency_access,
			governance_id_required = @governance_id_required, always_add_manager = @always_add_manager, validity_minutes = @validity_minutes,
			approver_may_shorten = @approver_may_shorten, link_alone = @link_alone, relaxed_replies = @relaxed_replies,
			remind_after_minutes = @remind_after_minutes, escalate_after_minutes = @escalate_after_minutes,
			changed_at = now(), changed_by = @by, version = version + 1
		where id = @id`, args)
	return groupProblem(err, c)
}

func groupProblem(err error, c GroupChange) error {
	if postgres.Constraint(err) == "approver_group_name_unique" {
		return invalid("name", "There is an approver group %s already.", c.Name)
	}
	return wrap(err, "store an approver group")
}

func replaceMembers(ctx context.Context, tx pgx.Tx, id int64, members []Member) error {
	users, levels := make([]int64, len(members)), make([]int, len(members))
	for i, m := range members {
		users[i], levels[i] = m.UserID, m.Level
	}
	args := pgx.NamedArgs{"id": id, "users": users, "levels": levels}
	if _, err := tx.Exec(ctx, "delete from approver_group_member where approver_group_id = @id", args); err != nil {
		return wrap(err, "store members of an approver group")
	}
	_, err := tx.Exec(ctx, `
		insert into approver_group_member (approver_group_id, user_id, level)
		select @id, user_id, level from unnest(@users::bigint[], @levels::smallint[]) as m (user_id, level)`, args)
	if postgres.Constraint(err) == "approver_group_member_user" {
		return invalid("members", "One of the members does not exist any more: load the page again.")
	}
	return wrap(err, "store members of an approver group")
}

func deleteGroup(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := tx.Exec(ctx, "delete from approver_group where id = @id", pgx.NamedArgs{"id": id})
	return wrap(err, "delete an approver group")
}

// activeDeputies maps users who are away to who decides for them: of several the one that was named last.
func activeDeputies(ctx context.Context, q querier, userIDs []int64, now time.Time) (map[int64]int64, error) {
	rows, err := q.Query(ctx, `
		select distinct on (user_id) user_id, deputy_id from approver_deputy
		where user_id = any(@ids) and from_at <= @now and until_at > @now order by user_id, id desc`,
		pgx.NamedArgs{"ids": userIDs, "now": now})
	if err != nil {
		return nil, wrap(err, "read deputies")
	}
	deputies := map[int64]int64{}
	var user, deputy int64
	_, err = pgx.ForEachRow(rows, []any{&user, &deputy}, func() error {
		deputies[user] = deputy
		return nil
	})
	return deputies, wrap(err, "read deputies")
}

// withNames adds the names of both to deputies d.
const withNames = `
	select d.id, d.user_id, coalesce(nullif(u.full_name, ''), u.username) as user_name, d.deputy_id,
		coalesce(nullif(v.full_name, ''), v.username) as deputy_name, d.from_at, d.until_at
	from d join "user" u on u.id = d.user_id join "user" v on v.id = d.deputy_id`

func listDeputies(ctx context.Context, q querier, now time.Time) ([]Deputy, error) {
	rows, err := q.Query(ctx, "with d as (select * from approver_deputy where until_at > @now) "+withNames+" order by user_name, d.from_at",
		pgx.NamedArgs{"now": now})
	if err != nil {
		return nil, wrap(err, "read deputies")
	}
	deputies, err := pgx.CollectRows(rows, pgx.RowToStructByName[Deputy])
	return deputies, wrap(err, "read deputies")
}

func insertDeputy(ctx context.Context, tx pgx.Tx, d Deputy, by string) (Deputy, error) {
	rows, _ := tx.Query(ctx, `
		with d as (
			insert into approver_deputy (user_id, deputy_id, from_at, until_at, created_by)
			values (@user_id, @deputy_id, @from, @until, @by) returning *) `+withNames, pgx.NamedArgs{
		"user_id": d.UserID, "deputy_id": d.DeputyID, "from": d.From, "until": d.Until, "by": by,
	})
	stored, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Deputy])
	switch postgres.Constraint(err) {
	case "approver_deputy_user":
		return Deputy{}, invalid("user_id", "This user does not exist any more.")
	case "approver_deputy_deputy":
		return Deputy{}, invalid("deputy_id", "This user does not exist any more.")
	}
	return stored, wrap(err, "store a deputy")
}

func deleteDeputy(ctx context.Context, tx pgx.Tx, id int64) (Deputy, error) {
	rows, _ := tx.Query(ctx, "with d as (delete from approver_deputy where id = @id returning *) "+withNames, pgx.NamedArgs{"id": id})
	removed, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Deputy])
	if errors.Is(err, pgx.ErrNoRows) {
		return Deputy{}, problem.ErrNotFound
	}
	return removed, wrap(err, "remove a deputy")
}
