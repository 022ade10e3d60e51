package identity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
)

func selectUserByEmail(ctx context.Context, q querier, email string) (User, error) {
	rows, err := q.Query(ctx, `
		select `+userColumns+`
		from "user" u
		where lower(u.email) = lower(@email) and u.email <> '' and u.active
		order by u.id
		limit 1`,
		pgx.NamedArgs{"email": email})
	return one[User](rows, err, "find user by e-mail address")
}

// FindUsers returns those of the users that exist.
func (s *Service) FindUsers(ctx context.Context, tx pgx.Tx, ids []int64) ([]User, error) {
	rows, err := tx.Query(ctx, `select `+userColumns+` from "user" u where u.id = any(@ids)`, pgx.NamedArgs{"ids": ids})
	return all[User](rows, err, "find users")
}

func storeInvitation(ctx context.Context, tx pgx.Tx, i Invitation, by string, now time.Time) error {
	return exec(ctx, tx, "store invitation", `
		insert into invitation (user_id, hash, created_at, created_by, expires_at)
		values (@id, @hash, @now, @by, @expires)
		on conflict (user_id) do update
		set hash = excluded.hash, created_at = excluded.created_at, created_by = excluded.created_by, expires_at = excluded.expires_at`,
		pgx.NamedArgs{"id": i.User.ID, "hash": digest(i.Token), "now": now, "by": by, "expires": i.Expires})
}

func selectInvited(ctx context.Context, q querier, hash []byte, now time.Time) (User, error) {
	rows, err := q.Query(ctx, `
		select `+userColumns+`
		from "user" u join invitation i on i.user_id = u.id
		where i.hash = @hash and i.expires_at > @now and u.active`,
		pgx.NamedArgs{"hash": hash, "now": now})
	return one[User](rows, err, "find invitation")
}

// spendInvitation ends a link; of two who use it at once one is refused.
func spendInvitation(ctx context.Context, tx pgx.Tx, userID int64, hash []byte, now time.Time) error {
	tag, err := tx.Exec(ctx, `delete from invitation where user_id = @id and hash = @hash and expires_at > @now`,
		pgx.NamedArgs{"id": userID, "hash": hash, "now": now})
	if err != nil {
		return fmt.Errorf("use invitation: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return problem.ErrNotFound
	}
	return nil
}

// UsersNamed returns the users with these usernames or e-mail addresses, in any case.
func (s *Service) UsersNamed(ctx context.Context, names []string) ([]User, error) {
	rows, err := s.pool.Query(ctx, `
		select `+userColumns+`
		from "user" u
		where lower(u.username) = any(@names) or u.email <> '' and lower(u.email) = any(@names)
		order by u.id`,
		pgx.NamedArgs{"names": lowered(names)})
	return all[User](rows, err, "find users by name")
}

func lowered(names []string) []string {
	low := make([]string, len(names))
	for i, name := range names {
		low[i] = strings.ToLower(strings.TrimSpace(name))
	}
	return low
}
