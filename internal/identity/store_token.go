package identity

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

const tokenColumns = `id, name, role, created_by, created_at, last_used_at, expires_at`

func insertToken(ctx context.Context, tx pgx.Tx, t Token, hash []byte) (Token, error) {
	rows, err := tx.Query(ctx, `
		insert into api_token (name, role, hash, created_by, created_at, expires_at)
		values (@name, @role, @hash, @created_by, @created_at, @expires_at)
		returning `+tokenColumns,
		pgx.NamedArgs{
			"name": t.Name, "role": string(t.Role), "hash": hash, "created_by": t.CreatedBy,
			"created_at": t.CreatedAt, "expires_at": t.ExpiresAt,
		})
	t, err = one[Token](rows, err, "create token")
	if postgres.Constraint(err) == "api_token_name_unique" {
		return t, problem.Invalid{{Name: "name", Text: "Another token has this name. Choose a different one, or revoke the old token first."}}
	}
	return t, err
}

func selectTokenByHash(ctx context.Context, q querier, hash []byte, now time.Time) (Token, error) {
	rows, err := q.Query(ctx, `
		select `+tokenColumns+`
		from api_token
		where hash = @hash and (expires_at is null or expires_at > @now)`,
		pgx.NamedArgs{"hash": hash, "now": now})
	return one[Token](rows, err, "find token")
}

func selectToken(ctx context.Context, q querier, id int64) (Token, error) {
	rows, err := q.Query(ctx, `
		select `+tokenColumns+`
		from api_token
		where id = @id`,
		pgx.NamedArgs{"id": id})
	return one[Token](rows, err, "find token")
}

func selectTokens(ctx context.Context, q querier) ([]Token, error) {
	rows, err := q.Query(ctx, `
		select `+tokenColumns+`
		from api_token
		order by lower(name)`)
	return all[Token](rows, err, "list tokens")
}

// touchToken does nothing when another request of the same minute was quicker.
func touchToken(ctx context.Context, q querier, id int64, now time.Time) error {
	return exec(ctx, q, "note token use", `
		update api_token
		set last_used_at = @now
		where id = @id and (last_used_at is null or last_used_at <= @before)`,
		pgx.NamedArgs{"id": id, "now": now, "before": now.Add(-seenEvery)})
}

func deleteToken(ctx context.Context, tx pgx.Tx, id int64) (Token, error) {
	rows, err := tx.Query(ctx, `
		delete from api_token
		where id = @id
		returning `+tokenColumns,
		pgx.NamedArgs{"id": id})
	return one[Token](rows, err, "revoke token")
}
