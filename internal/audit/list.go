package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Querier reads: a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Filter narrows a list; the zero value lists everything.
type Filter struct {
	From     time.Time // this moment and later
	To       time.Time // before this moment
	Actor    string    // part of the name
	Action   string    // how the action begins: "credential", "credential.used"
	Object   string
	ObjectID int64
	Text     string // part of names, address, action or detail
	Before   int64  // continue here: what List returned as next
	Limit    int    // entries a page; 0 means 30
}

// DefaultLimit is how many entries a page has when the filter does not say.
const DefaultLimit = 30

// maxLimit bounds a page whatever a request asks for.
const maxLimit = 1000

// List returns entries, newest first, and where the next page begins (0: there is none).
func List(ctx context.Context, q Querier, f Filter) (rows []Row, next int64, err error) {
	if f.Limit <= 0 {
		f.Limit = DefaultLimit
	}
	f.Limit = min(f.Limit, maxLimit)
	links, err := selectPage(ctx, q, f, f.Limit+1) // one more tells whether there is a next page
	if err != nil {
		return nil, 0, fmt.Errorf("list audit entries: %w", err)
	}
	if len(links) > f.Limit {
		links = links[:f.Limit]
		next = links[f.Limit-1].ID
	}
	rows = make([]Row, 0, len(links))
	for _, l := range links {
		r, err := l.row()
		if err != nil {
			return nil, 0, err
		}
		rows = append(rows, r)
	}
	return rows, next, nil
}
