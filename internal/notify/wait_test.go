package notify

import (
	"testing"
	"time"

	"orbit/internal/mail/mailtest"
	"orbit/internal/postgres/pgtest"
)

// BenchmarkWait posts 100 events a second for ten seconds and measures how long each waits for its first attempt; then
// it measures the same for approvals behind 100,000 digests.
func BenchmarkWait(b *testing.B) {
	r := rigOn(b, pgtest.Durable(b))
	r.account("info", mailtest.Drain(b), asDefault)
	to := r.contact("bob")
	r.rule("A", "password.viewed", nil, to)
	r.rule("B", "access_request.approved", nil, to)
	run(b, r.Service)
	for b.Loop() {
		r.postSteadily(1000, 10*time.Millisecond, viewed("x"))
		r.untilEmpty()
		b.ReportMetric(r.waited("password.viewed", 0.95), "p95-s")
		b.ReportMetric(r.waited("password.viewed", 0.99), "p99-s")
		r.exec(`
			insert into delivery (event_id, text_type, recipient, priority, expires_at, gives_up_at, message_id)
			select 1, 'digest', 'ann@example.net', 2, now() + interval '1 day', now() + interval '1 day', '<digest' || n || '@example.com>'
			from generate_series(1, 100000) n`)
		r.postSteadily(50, 100*time.Millisecond, Event{Type: "access_request.approved", Data: map[string]any{"request_code": "S1", "requester": "Ann"}})
		r.until("the approvals have left", func() bool { return r.count("select count(*) from delivery where priority = 0 and waiting") == 0 })
		b.ReportMetric(r.waited("access_request.decided", 1), "approval-max-s")
		b.ReportMetric(float64(r.count("select count(*) from delivery where priority = 2 and waiting")), "digests-behind")
		r.exec("update delivery set waiting = false where priority = 2")
	}
}

func (r *rig) untilEmpty() {
	r.t.Helper()
	r.until("the queue is empty", func() bool { return r.count("select count(*) from delivery where waiting") == 0 })
}

func (r *rig) postSteadily(n int, every time.Duration, e Event) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	ended := make(chan struct{}, n)
	for range n {
		<-tick.C
		go func() {
			if _, err := r.Post(r.ctx, e); err != nil {
				r.t.Error(err)
			}
			ended <- struct{}{}
		}()
	}
	for range n {
		<-ended
	}
}

// waited is how long messages waited, at a percentile.
func (r *rig) waited(kind string, at float64) float64 {
	return scan[float64](r, `
		select percentile_cont($2) within group (order by extract(epoch from a.started_at - d.created_at))
		from delivery d
		join delivery_attempt a on a.delivery_id = d.id and a.number = 1
		where text_type = $1`, kind, at)
}
