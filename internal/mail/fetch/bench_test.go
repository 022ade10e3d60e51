package fetch

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/mailtest"
)

// leastRatio is what a visit must reach of the rate of a client that only fetches.
const leastRatio = 0.7

// fill makes n copies of a message in INBOX: one is handed over, and doubled as often as needed.
func fill(b testing.TB, d *mailtest.DovecotServer, n int, message string) {
	b.Helper()
	client := bare(b, d)
	appendMail(b, client, message)
	for have := 1; have < n; have *= 2 {
		some := imap.SeqSet{{Start: 1, Stop: uint32(min(have, n-have))}}
		if _, err := client.Copy(some, "INBOX").Wait(); err != nil {
			b.Fatal(err)
		}
		if err := client.Noop().Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

func appendMail(b testing.TB, client *imapclient.Client, message string) {
	b.Helper()
	command := client.Append("INBOX", int64(len(message)), nil)
	if _, err := io.WriteString(command, message); err != nil {
		b.Fatal(err)
	}
	if err := command.Close(); err != nil {
		b.Fatal(err)
	}
	if _, err := command.Wait(); err != nil {
		b.Fatal(err)
	}
	if err := client.Noop().Wait(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkVisit fetches 10,000 messages of 5 KB from a local Dovecot in a whole visit (dial, sign in, list, fetch),
// and in the same run with a bare go-imap client that only fetches.
func BenchmarkVisit(b *testing.B) {
	const n = 10_000
	d := mailtest.Dovecot(b, mailtest.DovecotOptions{})
	fill(b, d, n, "Subject: x\r\n\r\n"+strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789 abcdef\r\n", 78))
	for name, security := range map[string]dial.Security{"plain": dial.Plain, "TLS": dial.Implicit} {
		b.Run(name, func(b *testing.B) {
			var ours, theirs time.Duration
			only(b, d, security, n) // warm: the server's caches
			for b.Loop() {
				ours += measure(func() { visitAll(b, at(d, IMAP, security), n) })
				theirs += measure(func() { only(b, d, security, n) })
			}
			ratio := theirs.Seconds() / ours.Seconds()
			b.ReportMetric(float64(n*b.N)/ours.Seconds(), "msg/s")
			b.ReportMetric(float64(n*b.N)/theirs.Seconds(), "bare-msg/s")
			b.ReportMetric(ratio, "ratio")
			if ratio < leastRatio {
				b.Errorf("a visit reaches %.0f %% of a bare client; %.0f %% are demanded", ratio*100, leastRatio*100)
			}
		})
	}
}

func measure(run func()) time.Duration {
	began := time.Now()
	run()
	return time.Since(began)
}

func visitAll(b testing.TB, server Server, n int) {
	b.Helper()
	m, err := Open(b.Context(), direct{}, server)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close(b.Context())
	var refs []Ref
	for ref, err := range m.New(b.Context(), Cursor{}) {
		if err != nil {
			b.Fatal(err)
		}
		refs = append(refs, ref)
	}
	read := 0
	for message, err := range m.Fetch(b.Context(), refs...) {
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, message.Body); err != nil {
			b.Fatal(err)
		}
		read++
	}
	if read != n {
		b.Fatalf("%d messages read", read)
	}
}

// only is the bare client.
func only(b testing.TB, d *mailtest.DovecotServer, security dial.Security, n int) {
	b.Helper()
	client := bareOver(b, d, security)
	defer client.Close()
	command := client.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	read := 0
	for message := command.Next(); message != nil; message = command.Next() {
		for item := message.Next(); item != nil; item = message.Next() {
			if section, ok := item.(imapclient.FetchItemDataBodySection); ok {
				_, _ = io.Copy(io.Discard, section.Literal)
				read++
			}
		}
	}
	if err := command.Close(); err != nil || read != n {
		b.Fatalf("%d messages read, %v", read, err)
	}
}

// A message of 50 MB passes through without staying.
func TestALargeMessageIsStreamed(t *testing.T) {
	d := mailtest.Dovecot(t, mailtest.DovecotOptions{})
	appendMail(t, bare(t, d), "Subject: large\r\n\r\n"+strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789 abcdef\r\n", 50<<20/65))
	for _, p := range []Protocol{IMAP, POP3} {
		m := open(t, at(d, p, dial.Implicit))
		refs := list(t, m, Cursor{})
		before := allocated()
		for message, err := range m.Fetch(t.Context(), refs...) {
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, message.Body)
			if err != nil || n < 50_000_000 || n != message.Size {
				t.Errorf("%s: %d octets of %d, %v", p, n, message.Size, err)
			}
		}
		if used := allocated() - before; used > 8<<20 {
			t.Errorf("%s: %d bytes were allocated on the way", p, used)
		}
	}
}

// allocated is all that was ever allocated: a stronger bound than what lives.
func allocated() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.TotalAlloc
}

// BenchmarkIdle reports what a waiting mailbox costs.
func BenchmarkIdle(b *testing.B) {
	const n = 100
	for name, security := range map[string]dial.Security{"plain": dial.Plain, "TLS": dial.Implicit} {
		b.Run(name, func(b *testing.B) {
			d := mailtest.Dovecot(b, mailtest.DovecotOptions{})
			for b.Loop() {
				before := inUse()
				var waits sync.WaitGroup
				boxes := make([]*Mailbox, n)
				for i := range boxes {
					boxes[i] = open(b, at(d, IMAP, security))
					waits.Go(func() { _ = boxes[i].Wait(b.Context()) })
				}
				for _, m := range boxes {
					for m.visit.box.(*imapBox).hand.awaited() {
						runtime.Gosched()
					}
				}
				b.ReportMetric(float64(inUse()-before)/n/1000, "kB/mailbox")
				for _, m := range boxes {
					_ = m.visit.raw.Close()
				}
				waits.Wait()
			}
		})
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapInuse + s.StackInuse
}

// awaited reports whether somebody waits for an answer.
func (w *wire) awaited() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waiting
}

func bareOver(b testing.TB, d *mailtest.DovecotServer, security dial.Security) *imapclient.Client {
	b.Helper()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(at(d, IMAP, security).Target.Port))
	var client *imapclient.Client
	var err error
	if security == dial.Implicit {
		client, err = imapclient.DialTLS(address, &imapclient.Options{TLSConfig: trusting(b, d)})
	} else {
		client, err = imapclient.DialInsecure(address, nil)
	}
	if err == nil {
		err = client.Login(mailtest.User, mailtest.Password).Wait()
	}
	if err == nil {
		_, err = client.Select("INBOX", nil).Wait()
	}
	if err != nil {
		b.Fatal(fmt.Errorf("bare client: %w", err))
	}
	return client
}
