package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
)

func findContact(ctx context.Context, q querier, id int64) (Contact, error) {
	return one[Contact](ctx, q, "contact", "select "+contactColumns+" from contact where id = @id", pgx.NamedArgs{"id": id})
}

func findRule(ctx context.Context, q querier, id int64) (Rule, error) {
	return one[Rule](ctx, q, "rule", "select "+ruleColumns+" from notification_rule where id = @id", pgx.NamedArgs{"id": id})
}

// one reads the only row, or says that there is none.
func one[T any](ctx context.Context, q querier, what, sql string, args pgx.NamedArgs) (T, error) {
	var none T
	rows, err := q.Query(ctx, sql, args)
	if err != nil {
		return none, fmt.Errorf("read the %s: %w", what, err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return none, problem.ErrNotFound
	}
	if err != nil {
		return none, fmt.Errorf("read the %s: %w", what, err)
	}
	return found, nil
}
