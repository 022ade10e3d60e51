package notify

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
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

// rounds let Postfix and Orbit take turns, so that both meet the same machine.
const rounds = 2

// BenchmarkBesidePostfix accepts events and brings their messages of 10 KB to a local sink, each commit flushed to
// disk, and has Postfix relay as many messages of that size from its queue to the same sink in turns. Orbit's time
// begins with the first event and ends when the last final 250 is recorded; Postfix has its messages already.
func BenchmarkBesidePostfix(b *testing.B) {
	n, port := messages(), mailtest.Drain(b)
	relay := newRelay(b, port)
	r := benchRig(b, port)
	run(b, r.Service)
	body := strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789 abcdefg\n", benchLines/3)
	r.postAll(10*benchSenders, body) // connections, caches
	r.untilEmpty()
	var ours, posting, theirs time.Duration
	for b.Loop() {
		for range rounds {
			relay.fill(n)
			theirs += relay.empty()
			began := time.Now()
			r.postAll(n, body)
			posting += time.Since(began)
			r.untilEmpty()
			ours += time.Since(began)
		}
	}
	if sent := r.count("select count(*) from delivery where state = 'sent' and tries = 1"); sent != rounds*n+10*benchSenders {
		b.Errorf("%d messages were sent at the first attempt", sent)
	}
	all := float64(rounds * n)
	b.ReportMetric(all/ours.Seconds(), "msg/s")
	b.ReportMetric(all/posting.Seconds(), "accepted/s")
	b.ReportMetric(all/theirs.Seconds(), "postfix-msg/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
	b.ReportMetric(float64(r.count("select avg(length(raw))::int from delivery_message")), "bytes/msg")
}

func (r *rig) untilEmpty() {
	r.t.Helper()
	r.until("the queue is empty", func() bool { return r.count("select count(*) from delivery where waiting") == 0 })
}

// relay is a Postfix with a full queue.
type relay struct {
	b *testing.B
	*mailtest.PostfixServer
}

func newRelay(b *testing.B, port int) relay {
	settings := maps.Clone(mailtest.Hold)
	maps.Copy(settings, map[string]string{
		"transport_maps":                     fmt.Sprintf("inline:{*=smtp:[127.0.0.1]:%d}", port),
		"smtp_destination_concurrency_limit": "20",
		"initial_destination_concurrency":    "20",
	})
	return relay{b, mailtest.Postfix(b, mailtest.PostfixOptions{Main: settings})}
}

func (r relay) fill(n int) {
	source := exec.Command("/usr/sbin/smtp-source", "-s", "20", "-l", "9600", "-m", strconv.Itoa(n), "-f", "a@example.com", "-t", "b@example.net",
		fmt.Sprintf("127.0.0.1:%d", r.Relay))
	if out, err := source.CombinedOutput(); err != nil {
		r.b.Fatalf("smtp-source: %v\n%s", err, out)
	}
	if queued := r.Queued(r.b); queued != n {
		r.b.Fatalf("Postfix holds %d messages of %d", queued, n)
	}
}

// empty measures how long Postfix takes to relay everything.
func (r relay) empty() time.Duration {
	began := time.Now()
	r.Release(r.b)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for r.Queued(r.b) > 0 {
		<-tick.C
	}
	return time.Since(began)
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
