package approval

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// querier is the pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

const requestColumns = `
	id, status, requester_name, requester_email, requester_language, requester_time_zone,
	coalesce(approver_group_id, 0) as approver_group_id, approver_group_name, device_hostname, device_ip, credential,
	credential_username, credential_type, action, actions, reason, justification, governance_id, emergency, start_at, end_at,
	level, levels, approvals_required, rejections_to_cancel, approver_may_shorten, link_alone, relaxed_replies,
	remind_after_minutes, escalate_after_minutes, expires_at, created_at, created_by, ended_at, ended_by, ended_because`

const approverColumns = `
	id, access_request_id, user_id, name, email, language, time_zone, level, deputy_of, notified_at, reminded_at, bounced_at, bounce_text`

// insertRequest stores a request, or finds the one with the same idempotency key.
func insertRequest(ctx context.Context, tx pgx.Tx, r Request, key string) (id int64, stored bool, err error) {
	err = tx.QueryRow(ctx, `
		insert into access_request (
			requester_name, requester_email, requester_language, requester_time_zone, approver_group_id, approver_group_name,
			device_hostname, device_ip, credential, credential_username, credential_type, action, actions, reason, justification,
			governance_id, emergency, start_at, end_at, levels, approvals_required, rejections_to_cancel, approver_may_shorten,
			link_alone, relaxed_replies, remind_after_minutes, escalate_after_minutes, expires_at, idempotency_key, created_at, created_by)
		values (
			@requester_name, @requester_email, @requester_language, @requester_time_zone, nullif(@group_id, 0), @group_name,
			@device_hostname, @device_ip, @credential, @credential_username, @credential_type, @action, coalesce(@actions::text[], '{}'), @reason, @justification,
			@governance_id, @emergency, @start, @end, @levels, @approvals_required, @rejections_to_cancel, @approver_may_shorten,
			@link_alone, @relaxed_replies, @remind_after_minutes, @escalate_after_minutes, @expires_at, @key, @created_at, @created_by)
		on conflict (idempotency_key) where idempotency_key <> '' do nothing
		returning id`, pgx.NamedArgs{
		"requester_name": r.RequesterName, "requester_email": r.RequesterEmail, "requester_language": r.RequesterLanguage,
		"requester_time_zone": r.RequesterTimeZone, "group_id": r.GroupID, "group_name": r.GroupName,
		"device_hostname": r.DeviceHostname, "device_ip": r.DeviceIP, "credential": r.Credential, "credential_username": r.CredentialUsername,
		"credential_type": r.CredentialType, "action": r.Action, "actions": r.Actions, "reason": r.Reason, "justification": r.Justification,
		"governance_id": r.GovernanceID, "emergency": r.Emergency, "start": r.Start, "end": r.End, "levels": r.Levels,
		"approvals_required": r.ApprovalsRequired, "rejections_to_cancel": r.RejectionsToCancel, "approver_may_shorten": r.ApproverMayShorten,
		"link_alone": r.LinkAlone, "relaxed_replies": r.RelaxedReplies, "remind_after_minutes": r.RemindAfterMinutes,
		"escalate_after_minutes": r.EscalateAfterMinutes, "expires_at": r.ExpiresAt, "key": key, "created_at": r.CreatedAt, "created_by": r.CreatedBy,
	}).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tx.QueryRow(ctx, "select id from access_request where idempotency_key = @key", pgx.NamedArgs{"key": key}).Scan(&id)
		return id, false, wrap(err, "find the request of an idempotency key")
	}
	return id, true, wrap(err, "store an access request")
}

func insertApprovers(ctx context.Context, tx pgx.Tx, requestID int64, approvers []Approver) error {
	batch := new(pgx.Batch)
	for _, a := range approvers {
		batch.Queue(`
			insert into approver (access_request_id, user_id, name, email, language, time_zone, level, deputy_of)
			values (@request_id, @user_id, @name, @email, @language, @time_zone, @level, @deputy_of)`, pgx.NamedArgs{
			"request_id": requestID, "user_id": a.UserID, "name": a.Name, "email": a.Email, "language": a.Language, "time_zone": a.TimeZone,
			"level": a.Level, "deputy_of": a.DeputyOf,
		})
	}
	return wrap(tx.SendBatch(ctx, batch).Close(), "store approvers")
}

// findWhole reads a request with all that belongs to it; locked keeps others from deciding it until the
// transaction ends.
func findWhole(ctx context.Context, tx pgx.Tx, id int64, locked bool) (w Whole, err error) {
	query := "select " + requestColumns + " from access_request where id = @id"
	if locked {
		query += " for update"
	}
	args := pgx.NamedArgs{"id": id}
	rows, _ := tx.Query(ctx, query, args)
	w.Request, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Request])
	if errors.Is(err, pgx.ErrNoRows) {
		return Whole{}, problem.ErrNotFound
	}
	if err != nil {
		return Whole{}, wrap(err, "read an access request")
	}
	rows, _ = tx.Query(ctx, "select "+approverColumns+" from approver where access_request_id = @id order by level = 0, level, name, id", args)
	if w.Approvers, err = pgx.CollectRows(rows, pgx.RowToStructByName[Approver]); err != nil {
		return Whole{}, wrap(err, "read approvers")
	}
	rows, _ = tx.Query(ctx, `
		select d.id, d.access_request_id, d.approver_id, a.name as approver_name, d.level, d.answer, d.justification, d.way, d.decided_at, d.address
		from decision d join approver a on a.id = d.approver_id
		where d.access_request_id = @id order by d.decided_at, d.id`, args)
	w.Decisions, err = pgx.CollectRows(rows, pgx.RowToStructByName[Decision])
	return w, wrap(err, "read decisions")
}

func insertDecision(ctx context.Context, tx pgx.Tx, d *Decision) error {
	err := tx.QueryRow(ctx, `
		insert into decision (access_request_id, approver_id, level, answer, justification, way, decided_at, address)
		values (@request_id, @approver_id, @level, @answer, @justification, @way, @decided_at, @address)
		returning id`, pgx.NamedArgs{
		"request_id": d.RequestID, "approver_id": d.ApproverID, "level": d.Level, "answer": d.Answer, "justification": d.Justification,
		"way": d.Way, "decided_at": d.DecidedAt, "address": d.Address,
	}).Scan(&d.ID)
	if postgres.Constraint(err) == "decision_once" {
		return problem.Refuse("You have decided already.")
	}
	return wrap(err, "store a decision")
}

func updateStatus(ctx context.Context, tx pgx.Tx, r Request) error {
	_, err := tx.Exec(ctx, `
		update access_request set status = @status, ended_at = @ended_at, ended_by = @ended_by, ended_because = @ended_because
		where id = @id`, pgx.NamedArgs{
		"id": r.ID, "status": r.Status, "ended_at": r.EndedAt, "ended_by": r.EndedBy, "ended_because": r.EndedBecause,
	})
	return wrap(err, "store the status of an access request")
}

func updateLevel(ctx context.Context, tx pgx.Tx, id int64, level int) error {
	_, err := tx.Exec(ctx, "update access_request set level = @level where id = @id", pgx.NamedArgs{"id": id, "level": level})
	return wrap(err, "store the level of an access request")
}

func updatePeriod(ctx context.Context, tx pgx.Tx, id int64, start, end time.Time) error {
	_, err := tx.Exec(ctx, "update access_request set start_at = @start, end_at = @end where id = @id",
		pgx.NamedArgs{"id": id, "start": start, "end": end})
	return wrap(err, "store the period of an access request")
}

func markNotified(ctx context.Context, tx pgx.Tx, approverID int64, at time.Time) error {
	_, err := tx.Exec(ctx, "update approver set notified_at = coalesce(notified_at, @at) where id = @id", pgx.NamedArgs{"id": approverID, "at": at})
	return wrap(err, "note that an approver was asked")
}

func markReminded(ctx context.Context, tx pgx.Tx, approverID int64, at time.Time) error {
	_, err := tx.Exec(ctx, "update approver set reminded_at = @at where id = @id", pgx.NamedArgs{"id": approverID, "at": at})
	return wrap(err, "note that an approver was reminded")
}

func markBounced(ctx context.Context, tx pgx.Tx, approverID int64, at time.Time, why string) error {
	_, err := tx.Exec(ctx, "update approver set bounced_at = @at, bounce_text = @why where id = @id",
		pgx.NamedArgs{"id": approverID, "at": at, "why": why})
	return wrap(err, "note that an approver can't be reached")
}

// dueRequests finds requests for which time may have brought something: they expire, or have somebody to remind
// or to escalate to. The caller looks again under a lock.
func dueRequests(ctx context.Context, q querier, now time.Time) ([]int64, error) {
	rows, err := q.Query(ctx, `
		select id from access_request r
		where status = 'pending' and (
			expires_at <= @now
			or remind_after_minutes > 0 and exists (
				select from approver a where a.access_request_id = r.id and a.level = r.level and a.reminded_at is null and a.bounced_at is null
					and a.notified_at <= @now - make_interval(mins => r.remind_after_minutes)
					and not exists (select from decision d where d.approver_id = a.id))
			or escalate_after_minutes > 0 and exists (
				select from approver a where a.access_request_id = r.id and a.level = r.level
					and a.notified_at <= @now - make_interval(mins => r.escalate_after_minutes)
					and not exists (select from decision d where d.approver_id = a.id))
				and exists (select from approver e where e.access_request_id = r.id and e.level = 0 and e.notified_at is null))
		order by expires_at limit 500`, pgx.NamedArgs{"now": now})
	if err != nil {
		return nil, wrap(err, "look for access requests that are due")
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	return ids, wrap(err, "look for access requests that are due")
}

// wrap says what was being done when err came.
func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
