package notify

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/mail/mailtest"
	"orbit/internal/postgres"
	"orbit/internal/postgres/cluster"
)

// messages is how many messages the benchmarks send: ORBIT_BENCH_MESSAGES, 20,000 for the figure in the documents.
func messages() int {
	n, _ := strconv.Atoi(cmp.Or(os.Getenv("ORBIT_BENCH_MESSAGES"), "1000"))
	return n
}

// durablePool is a database that flushes each commit to a disk, unlike those of other tests.
func durablePool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "orbit-bench-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Open(cluster.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server, err := c.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Stop()
		_ = os.RemoveAll(dir)
	})
	pool, err := postgres.NewPool(context.Background(), c.ConnString("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if err := postgres.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	return pool
}

const (
	benchSenders = 10
	benchLines   = 160 // of 64 bytes: 10 KB
)

// benchRig has ten accounts with two connections each, and for each an event type whose text is 10 KB of plain mail.
func benchRig(t testing.TB, port int) *rig {
	r := rigOn(t, durablePool(t))
	to := r.contact("ann")
	for i := range benchSenders {
		kind := fmt.Sprintf("bench.sender%d", i)
		a := r.account(fmt.Sprintf("sender%d", i), port, connections(2))
		r.exec("insert into event_type (name, title, category) values ($1, $1, 'Bench')", kind)
		r.exec("insert into notification_text (type, language, subject, message) values ($1, 'en', 'Message [#NUMBER#]', '[#BODY#]')", kind)
		r.rule(kind, kind, func(s *RuleSettings) { s.AccountID = a.ID }, to)
	}
	return r
}

func BenchmarkDurable(b *testing.B) {
	r := benchRig(b, mailtest.Drain(b))
	run(b, r.Service)
	n := messages()
	body := strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789 abcdefg\n", benchLines/3)
	for b.Loop() {
		began := time.Now()
		r.postAll(n, body)
		posted := time.Since(began)
		r.until("all are sent", func() bool { return r.count("select count(*) from delivery where waiting") == 0 })
		took := time.Since(began)
		b.ReportMetric(float64(n)/took.Seconds(), "msg/s")
		b.ReportMetric(float64(n)/posted.Seconds(), "posted/s")
		b.Logf("%d of %d sent; size %d", r.count("select count(*) from delivery where state='sent'"), n, r.count("select max(length(raw)) from delivery_message"))
	}
}

// postAll posts events for all senders, ten at a time.
func (r *rig) postAll(n int, body string) {
	var all sync.WaitGroup
	for i := range benchSenders {
		all.Go(func() {
			for k := i; k < n; k += benchSenders {
				_, err := r.Post(r.ctx, Event{Type: fmt.Sprintf("bench.sender%d", i), Data: map[string]any{"number": k, "body": body}})
				if err != nil {
					r.t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
