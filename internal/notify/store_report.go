package notify

import (
	"context"
	"fmt"
)

// countWaiting counts messages in the queue by priority, and accounts that do not work.
func countWaiting(ctx context.Context, q querier) (waiting [3]int, failing int, err error) {
	err = q.QueryRow(ctx, `
		select count(*) filter (where priority = 0), count(*) filter (where priority = 1), count(*) filter (where priority = 2),
			(select count(*) from sender where broken_until > now())
		from delivery
		where waiting`).Scan(&waiting[0], &waiting[1], &waiting[2], &failing)
	if err != nil {
		return waiting, 0, fmt.Errorf("count messages in the queue: %w", err)
	}
	return waiting, failing, nil
}
