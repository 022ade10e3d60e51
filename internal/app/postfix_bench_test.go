package app_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/mailtest"
	"orbit/internal/notify"
	"orbit/internal/postgres/pgtest"
)

const (
	benchSenders = 10
	benchRounds  = 2 // Postfix and Orbit take turns, so that both meet the same machine
)

// benchMessages is how many messages a round has: ORBIT_BENCH_MESSAGES, 20,000 for the figure in the documents.
func benchMessages() int {
	n, _ := strconv.Atoi(cmp.Or(os.Getenv("ORBIT_BENCH_MESSAGES"), "1000"))
	return n
}

// BenchmarkBesidePostfix posts events to the API and brings their messages of 10 KB to a local sink, each commit flushed
// to disk, and has Postfix relay as many messages of that size from its queue to the same sink in turns. Orbit's time
// begins with the first request and ends when the last final 250 is recorded; Postfix has its messages already.
func BenchmarkBesidePostfix(b *testing.B) {
	n, port := benchMessages(), mailtest.Drain(b)
	relay := newRelay(b, port)
	h := assembleOn(b, pgtest.Durable(b))
	h.live(b)
	h.benchSenders(b, port)
	post := h.poster(b)
	post(10 * benchSenders) // connections, caches
	h.untilSent(b)
	var ours, posting, theirs time.Duration
	for b.Loop() {
		for range benchRounds {
			relay.fill(n)
			theirs += relay.empty()
			began := time.Now()
			post(n)
			posting += time.Since(began)
			h.untilSent(b)
			ours += time.Since(began)
		}
	}
	if sent := h.count(b, "select count(*) from delivery where state = 'sent' and tries = 1"); sent != benchRounds*n+10*benchSenders {
		b.Errorf("%d messages were sent at the first attempt", sent)
	}
	all := float64(benchRounds * n)
	b.ReportMetric(all/ours.Seconds(), "msg/s")
	b.ReportMetric(all/posting.Seconds(), "accepted/s")
	b.ReportMetric(all/theirs.Seconds(), "postfix-msg/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
	b.ReportMetric(float64(h.count(b, "select avg(length(raw))::int from delivery_message")), "bytes/msg")
}

// benchSenders registers ten accounts with two connections each, and for each an event type whose text is its body.
func (h *house) benchSenders(b *testing.B, port int) {
	b.Helper()
	ctx := b.Context()
	ann, err := h.Notify.CreateContact(ctx, notify.Contact{Name: "Ann", Email: "ann@example.net", Active: true})
	for i := 0; i < benchSenders && err == nil; i++ {
		name := fmt.Sprintf("bench.sender%d", i)
		s := account.NewSMTPSettings()
		s.AccountName, s.SenderEmail, s.SMTPHost, s.Port, s.MaxConnections = name, "a@example.com", "127.0.0.1", port, 2
		s.UseSecureConnection, s.SecureConnectionType, s.UseAuthentication = false, dial.Plain, false
		var stored account.SMTP
		if stored, err = h.Accounts.CreateSMTP(ctx, account.SMTPChange{SMTPSettings: s}); err != nil {
			break
		}
		if _, err = h.Pool.Exec(ctx, `
			with type as (insert into event_type (name, title, category) values ($1, $1, 'Bench') returning name)
			insert into notification_text (type, language, subject, message) select name, 'en', 'Message [#NUMBER#]', '[#BODY#]' from type`, name); err != nil {
			break
		}
		change := notify.RuleChange{RuleSettings: notify.NewRuleSettings(), EventTypes: []string{name}, ContactIDs: []int64{ann.ID}}
		change.Name, change.AccountID = name, stored.ID
		_, err = h.Notify.CreateRule(ctx, change)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// poster returns a function that posts so many events to the API, each sender's one after the other.
func (h *house) poster(b *testing.B) func(n int) {
	b.Helper()
	p := h.program(b, identity.Administrator)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchSenders}}
	body := strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789 abcdefg\n", 53) // twice in a mail, and framed: 10 KB
	return func(n int) {
		var all sync.WaitGroup
		for i := range benchSenders {
			all.Go(func() {
				for k := i; k < n; k += benchSenders {
					event := map[string]any{"type": fmt.Sprintf("bench.sender%d", i), "data": map[string]any{"number": k, "body": body}}
					if err := p.post(client, "/events", event); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
	}
}

// post wants an event to be accepted, and reads no more than it must.
func (p program) post(client *http.Client, path string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.base+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("%s: %s %s", path, response.Status, answer)
	}
	return err
}

func (h *house) count(b *testing.B, sql string) (n int) {
	b.Helper()
	if err := h.Pool.QueryRow(b.Context(), sql).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

func (h *house) untilSent(b *testing.B) {
	b.Helper()
	waitUntil(b, "the queue is empty", func() bool { return h.count(b, "select count(*) from delivery where waiting") == 0 })
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
