package approval

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// token is what a link or a reply reference leads to.
type token struct {
	Hash      []byte `db:"hash"`
	RequestID int64  `db:"access_request_id"`
	UserID    int64  `db:"user_id"`
}

// insertTokens stores the hashes of a mail's two tokens.
func insertTokens(ctx context.Context, tx pgx.Tx, a Approver, level int, expires time.Time, link, reply []byte) error {
	_, err := tx.Exec(ctx, `
		insert into decision_token (hash, kind, approver_id, level, expires_at)
		values (@link, 'link', @approver_id, @level, @expires), (@reply, 'reply', @approver_id, @level, @expires)`, pgx.NamedArgs{
		"link": link, "reply": reply, "approver_id": a.ID, "level": level, "expires": expires,
	})
	return wrap(err, "store decision tokens")
}

// findToken returns what a token leads to, or problem.ErrNotFound. Whether it may still be used, the request's state
// says: a used or late link shows what became of the request, and decides nothing.
func findToken(ctx context.Context, q querier, t vault.Secret, kind tokenKind) (token, error) {
	if !wellFormed(t) {
		return token{}, problem.ErrNotFound
	}
	rows, err := q.Query(ctx, `
		select t.hash, a.access_request_id, a.user_id
		from decision_token t join approver a on a.id = t.approver_id
		where t.hash = @hash and t.kind = @kind`, pgx.NamedArgs{"hash": hash(t), "kind": kind})
	if err != nil {
		return token{}, wrap(err, "find a decision token")
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[token])
	if errors.Is(err, pgx.ErrNoRows) {
		return token{}, problem.ErrNotFound
	}
	return found, wrap(err, "find a decision token")
}

// spendTokens marks every token of an approver as used: they have decided.
func spendTokens(ctx context.Context, tx pgx.Tx, approverID int64, at time.Time) error {
	_, err := tx.Exec(ctx, "update decision_token set used_at = @at where approver_id = @id and used_at is null",
		pgx.NamedArgs{"id": approverID, "at": at})
	return wrap(err, "spend decision tokens")
}

// markTold reports whether this is the first time that the sender of an answer is told.
func markTold(ctx context.Context, tx pgx.Tx, hash []byte, at time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, "update decision_token set told_at = @at where hash = @hash and told_at is null",
		pgx.NamedArgs{"hash": hash, "at": at})
	return tag.RowsAffected() == 1, wrap(err, "note that an answer was not accepted")
}
