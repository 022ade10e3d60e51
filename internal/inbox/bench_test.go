package inbox

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/jackc/pgx/v5"

	"orbit/internal/account"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/mailtest"
	"orbit/internal/mail/reply"
)

// What is demanded of a visit.
const (
	leastRatio = 0.7       // of the rate of a client that only fetches
	mostMemory = 100 << 20 // while it reads
	mostIdle   = 60_000    // bytes for an account that waits
	rounds     = 5         // the two take turns, and the median of each counts
)

// fill puts n different messages of 5 KB into the inbox.
func (r *rig) fill(n int) {
	r.t.Helper()
	text := strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789 abcdef\r\n", 75)
	r.server.Drop(r.t, mailtest.User, n, func(i int) []byte {
		return fmt.Appendf(nil, "From: Ann <ann@example.net>\r\nTo: info@example.com\r\nSubject: number %d\r\nMessage-ID: <%d@example.net>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n%s", i, i, text)
	})
}

// only fetches all messages, as a client that does nothing else.
func (r *rig) only(n int) {
	r.t.Helper()
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM([]byte(r.server.Cert.CA))
	c, err := imapclient.DialTLS(fmt.Sprintf("127.0.0.1:%d", r.server.IMAPS), &imapclient.Options{TLSConfig: &tls.Config{RootCAs: trusted, ServerName: "localhost"}})
	r.must(err)
	defer func() { _ = c.Close() }()
	r.must(c.Login(mailtest.User, mailtest.Password).Wait())
	_, err = c.Select("INBOX", nil).Wait()
	r.must(err)
	command := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	read := 0
	for message := command.Next(); message != nil; message = command.Next() {
		for item := message.Next(); item != nil; item = message.Next() {
			if section, ok := item.(imapclient.FetchItemDataBodySection); ok {
				_, _ = io.Copy(io.Discard, section.Literal)
				read++
			}
		}
	}
	r.must(command.Close())
	r.want("read", read, n)
}

// unsee makes everything new again.
func (r *rig) unsee() {
	r.t.Helper()
	r.exec("truncate inbound_message, inbound_raw, inbound_content")
	r.exec("update mailbox_state set uid = 0")
}

// spent is what something took: time, and processor time of this process and of PostgreSQL.
type spent struct{ wall, own, database time.Duration }

// median returns the one in the middle, by time.
func median(all []spent) spent {
	slices.SortFunc(all, func(a, b spent) int { return cmp.Compare(a.wall, b.wall) })
	return all[len(all)/2]
}

func (r *rig) measure(do func()) spent {
	r.t.Helper()
	runtime.GC() // what was before is no matter of either
	began, own, database := time.Now(), ownTime(r.t), r.databaseTime()
	do()
	return spent{time.Since(began), ownTime(r.t) - own, r.databaseTime() - database}
}

func ownTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// databaseTime is what the database's processes that serve this rig have used, where Linux tells.
func (r *rig) databaseTime() (sum time.Duration) {
	r.t.Helper()
	rows, _ := r.pool.Query(r.ctx, "select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'")
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	r.must(err)
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		used, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseInt(used, 10, 64)
		sum += time.Duration(ns)
	}
	return sum
}

// highest watches the memory of this process until stop, which returns the most that was in use.
func highest() (stop func() uint64) {
	end, most := make(chan struct{}), make(chan uint64)
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		top := uint64(0)
		for {
			select {
			case <-tick.C:
				metrics.Read(samples) // unlike ReadMemStats it stops nobody
				top = max(top, samples[0].Value.Uint64()+samples[1].Value.Uint64()+samples[2].Value.Uint64())
			case <-end:
				most <- top
				return
			}
		}
	}()
	return func() uint64 {
		close(end)
		return <-most
	}
}

var accounts = flag.Int("accounts", 500, "that wait in BenchmarkIdle")

var messages = flag.Int("messages", 10_000, "that BenchmarkVisit fetches; fewer for a quick look")

// BenchmarkVisit fetches, classifies and stores 10,000 messages (50 MB) from a local Dovecot, and in the same run
// fetches them with a client that does nothing else. Both use TLS, as mailboxes are read. On a machine that others
// use too, the processor time of a message says more than the rate. Before the first round each has run once; what a
// visit stored is cleared away between the rounds.
func BenchmarkVisit(b *testing.B) {
	n := *messages
	r := newRig(b)
	r.process = r.another(Options{Token: noToken, Handlers: []Handler{uninterested{}}})
	r.fill(n)
	m := r.mailbox(fetch.IMAP, manual)
	r.only(n)                // warm: the server's caches
	r.check(r.process, m.ID) // warm: the database; it marks all as read, which a client that only fetches does not do
	r.unsee()
	var visits, fetches []spent
	top := uint64(0)
	for b.Loop() {
		for range rounds {
			fetches = append(fetches, r.measure(func() { r.only(n) }))
			stop := highest()
			visits = append(visits, r.measure(func() { r.want("stored", r.check(r.process, m.ID).Stored, n) }))
			top = max(top, stop())
			r.unsee()
		}
	}
	ours, theirs := median(visits), median(fetches)
	ratio := theirs.wall.Seconds() / ours.wall.Seconds()
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(n) }
	b.Logf("%.0f %% of the rate of a bare client; processor time of a message: %.0f µs here and %.0f µs in PostgreSQL, %.0f µs in the bare client; %d MB at most; the bare client took %s, the visit %s",
		ratio*100, each(ours.own), each(ours.database), each(theirs.own), top>>20, theirs.wall, ours.wall)
	b.ReportMetric(float64(n)/ours.wall.Seconds(), "msg/s")
	b.ReportMetric(float64(n)/theirs.wall.Seconds(), "bare-msg/s")
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(each(ours.own), "own-µs/msg")
	b.ReportMetric(each(ours.database), "database-µs/msg")
	b.ReportMetric(each(theirs.own), "bare-µs/msg")
	b.ReportMetric(float64(top)/1e6, "MB")
	if ratio < leastRatio {
		b.Errorf("a visit reaches %.0f %% of a bare client; %.0f %% are demanded", ratio*100, leastRatio*100)
	}
	if top > mostMemory {
		b.Errorf("%d MB were in use", top>>20)
	}
}

// noToken looks for one as Orbit does.
func noToken(text string) string {
	if strings.Contains(text, "@reply.orbit.invalid") {
		return text
	}
	return ""
}

// uninterested is a handler as Orbit has them: mail that has nothing to do with it does not concern it.
type uninterested struct{}

func (uninterested) Concerns(m reply.Message) bool { return m.Token != "" }

func (uninterested) Handle(context.Context, pgx.Tx, Received) (string, bool, error) {
	return "", false, nil
}

// A message of 50 MB among others.
func TestMemoryStaysSmall(t *testing.T) {
	r := newRig(t)
	m := r.mailbox(fetch.IMAP, manual)
	c := r.admin()
	r.fill(500)
	r.add(c, "INBOX", string(letterOf("large"))+strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789 abcdef\n", 50<<20/65))
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	stop := highest()
	r.want("stored", r.check(r.process, m.ID).Stored, 501)
	top := stop() - min(before.HeapInuse+before.StackInuse, 0)
	t.Logf("%d MB were in use at most", top>>20)
	if top > mostMemory+before.HeapInuse {
		t.Errorf("%d MB were in use, %d MB before", top>>20, before.HeapInuse>>20)
	}
}

// BenchmarkIdle reports what an account costs that waits for mail.
func BenchmarkIdle(b *testing.B) {
	n := *accounts
	r := newRig(b)
	r.server = mailtest.Dovecot(b, mailtest.DovecotOptions{Busy: true})
	for b.Loop() {
		c := r.settings(fetch.IMAP)
		for i := range n {
			c.AccountName = fmt.Sprint("account ", i)
			stored, err := r.accounts.CreateMailbox(r.ctx, c)
			r.must(err)
			c.CredentialID, c.NewCredential = stored.CredentialID, account.NewCredential{}
		}
		before := inUse()
		r.run(r.process)
		r.until("all wait", func() bool {
			return r.number("select count(*) from mailbox_state where idle and checking_since is null") == n
		})
		each := float64(inUse()-before) / float64(n)
		b.ReportMetric(each/1000, "kB/account")
		if each > mostIdle {
			b.Errorf("%.0f bytes for each account", each)
		}
		r.stop()
		r.exec("delete from mailbox_account")
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
