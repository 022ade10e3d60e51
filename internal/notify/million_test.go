package notify

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// rowsInList is how many messages the list has when its speed is measured.
func rowsInList() int {
	if n, err := strconv.Atoi(os.Getenv("ORBIT_BENCH_ROWS")); err == nil {
		return n
	}
	return 20_000
}

// fillList adds messages of a year: a hundredth failed, a thousandth waits.
func (r *rig) fillList(n int) {
	r.exec(`
		insert into delivery (text_type, recipient, state, waiting, expires_at, gives_up_at, smtp_account_id, message_id, created_at, ended_at, reply)
		select (array['password.viewed', 'password.changed', 'session.started', 'certificate.expiring'])[1 + n % 4], 'person' || n % 5000 || '@example.net',
			case when n % 1000 = 7 then 'queued' when n % 100 = 3 then 'failed' else 'sent' end, n % 1000 = 7, now() + interval '1 day', now() + interval '1 day',
			1 + n % 7, '<' || n || '@example.com>', now() - interval '365 days' * (1 - n::float8 / $1), now(), '250 2.0.0 queued as 4F2'
		from generate_series(1, $1::bigint) n`, n)
	r.exec("analyze delivery")
}

// TestEveryFilterOfTheListUsesAnIndex reads the plans: a list of a million must not be read from its beginning.
func TestEveryFilterOfTheListUsesAnIndex(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fillList(rowsInList())
	middle := scan[time.Time](r, "select created_at from delivery order by id limit 1 offset $1", rowsInList()/2)
	_, cursor, err := r.List(r.ctx, Filter{Until: middle})
	r.must(err)
	filters := map[string]Filter{
		"all": {}, "next page": {After: cursor}, "time": {From: middle.Add(-time.Hour * 24 * 30), Until: middle}, "type": {Type: "session.started"},
		"recipient": {Recipient: "person7@example.net"}, "beginning": {Recipient: "person49"}, "failed": {State: Failed}, "sending": {State: Sending}, "queued": {State: Queued},
		"account": {AccountID: 3}, "message": {MessageID: "77@example.com"}, "type and account": {Type: "password.viewed", AccountID: 2, After: cursor},
		"failed of a recipient": {State: Failed, Recipient: "person3@example.net"}, "sent": {State: Sent},
	}
	for name, f := range filters {
		q, err := f.query()
		r.must(err)
		plan := r.explain(q)
		if strings.Contains(plan, "Seq Scan on delivery") {
			t.Errorf("%s:\n%s", name, plan)
		}
	}
	r.measure(filters)
}

func (r *rig) explain(q listQuery) string {
	r.t.Helper()
	q.args["most"] = q.most
	rows, err := r.pool.Query(r.ctx, `explain select id from delivery where `+strings.Join(append(q.where, "true"), " and ")+`
		order by delivery.created_at desc, delivery.id desc limit @most`, q.args)
	r.must(err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	r.must(err)
	return strings.Join(lines, "\n")
}

// measure logs how long pages take; a page above 100 ms at the 95th percentile is a fault where the list is long.
func (r *rig) measure(filters map[string]Filter) {
	r.t.Helper()
	var all []time.Duration
	slowest := map[string]time.Duration{}
	for range 20 {
		for name, f := range filters {
			began := time.Now()
			_, _, err := r.List(r.ctx, f)
			r.must(err)
			took := time.Since(began)
			all = append(all, took)
			slowest[name] = max(slowest[name], took)
		}
	}
	slices.Sort(all)
	p95 := all[len(all)*95/100]
	r.t.Logf("%d rows: median %s, p95 %s; slowest %s", rowsInList(), all[len(all)/2], p95, fmt.Sprint(slowest))
	if p95 > 100*time.Millisecond && os.Getenv("ORBIT_BENCH_ROWS") != "" {
		r.t.Errorf("p95 is %s", p95)
	}
}
