package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/vault"
)

// sessionRow is a session and its user as one query returns them.
type sessionRow struct {
	SessionID   int64
	Data        []byte
	Address     string
	UserAgent   string
	BegunAt     time.Time
	LastSeenAt  time.Time
	ConfirmedAt *time.Time
	ExpiresAt   time.Time
	User
}

func (r sessionRow) session() Session {
	return Session{
		ID: r.SessionID, User: r.User, Address: r.Address, UserAgent: r.UserAgent,
		CreatedAt: r.BegunAt, LastSeenAt: r.LastSeenAt, ConfirmedAt: r.ConfirmedAt, ExpiresAt: r.ExpiresAt,
	}
}

// Sessions that count are not expired, not idle, and of an active user. A deactivated user's sessions are deleted, but
// a sign-in that was under way may have made one meanwhile.
const selectLivingSessions = `
	select s.id as session_id, s.data, s.address, s.user_agent, s.created_at as begun_at, s.last_seen_at,
		s.confirmed_at, s.expires_at, ` + userColumns + `
	from session s
	join "user" u on u.id = s.user_id
	where u.active and s.expires_at > @now and s.last_seen_at > @idle_since`

func selectSession(ctx context.Context, q querier, key vault.Secret, now, idleSince time.Time) (sessionRow, error) {
	rows, err := q.Query(ctx, selectLivingSessions+`
		and s.key_hash = @hash`,
		pgx.NamedArgs{"hash": digest(key), "now": now, "idle_since": idleSince})
	return one[sessionRow](rows, err, "find session")
}

func selectSessions(ctx context.Context, q querier, userID int64, now, idleSince time.Time) ([]sessionRow, error) {
	rows, err := q.Query(ctx, selectLivingSessions+`
		and s.user_id = @user_id
		order by s.last_seen_at desc, s.id desc`,
		pgx.NamedArgs{"user_id": userID, "now": now, "idle_since": idleSince})
	return all[sessionRow](rows, err, "list sessions")
}

func insertSession(ctx context.Context, tx pgx.Tx, s Session) (int64, error) {
	rows, err := tx.Query(ctx, `
		insert into session (key_hash, user_id, address, user_agent, created_at, last_seen_at, confirmed_at, expires_at)
		values (@hash, @user_id, @address, @user_agent, @created_at, @created_at, @confirmed_at, @expires_at)
		returning id`,
		pgx.NamedArgs{
			"hash": digest(s.Key), "user_id": s.User.ID, "address": s.Address, "user_agent": s.UserAgent,
			"created_at": s.CreatedAt, "confirmed_at": s.ConfirmedAt, "expires_at": s.ExpiresAt,
		})
	return scalar[int64](rows, err, "begin session")
}

// rekeySession gives a session a new key: whoever learnt the old one is out.
func rekeySession(ctx context.Context, tx pgx.Tx, id int64, key vault.Secret, confirmedAt *time.Time) error {
	return exec(ctx, tx, "renew session key", `
		update session
		set key_hash = @hash, confirmed_at = @confirmed_at
		where id = @id`,
		pgx.NamedArgs{"id": id, "hash": digest(key), "confirmed_at": confirmedAt})
}

// touchSession does nothing when another request of the same minute was quicker.
func touchSession(ctx context.Context, q querier, id int64, now time.Time) error {
	return exec(ctx, q, "note session use", `
		update session
		set last_seen_at = @now
		where id = @id and last_seen_at <= @before`,
		pgx.NamedArgs{"id": id, "now": now, "before": now.Add(-seenEvery)})
}

func updateSessionData(ctx context.Context, q querier, id int64, data []byte) error {
	return exec(ctx, q, "save session", `update session set data = @data where id = @id`,
		pgx.NamedArgs{"id": id, "data": data})
}

// deleteSession ends a session only if it is the user's own.
func deleteSession(ctx context.Context, q querier, userID, id int64) (bool, error) {
	tag, err := q.Exec(ctx, `delete from session where id = @id and user_id = @user_id`,
		pgx.NamedArgs{"id": id, "user_id": userID})
	if err != nil {
		return false, fmt.Errorf("end session: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// deleteSessions ends all sessions of a user but the one to keep; 0 keeps none.
func deleteSessions(ctx context.Context, q querier, userID, keep int64) (int64, error) {
	tag, err := q.Exec(ctx, `delete from session where user_id = @user_id and id <> @keep`,
		pgx.NamedArgs{"user_id": userID, "keep": keep})
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return tag.RowsAffected(), nil
}

func deleteExpiredSessions(ctx context.Context, q querier, now, idleSince time.Time) error {
	return exec(ctx, q, "remove expired sessions", `
		delete from session
		where expires_at <= @now or last_seen_at <= @idle_since`,
		pgx.NamedArgs{"now": now, "idle_since": idleSince})
}
