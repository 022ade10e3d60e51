package proxy_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/mailtest"
	"orbit/internal/mail/proxy"
)

// sizes are how much is measured.
type sizes struct {
	rounds, logins, burst, messages, mails, noops, idle int
	hold                                                time.Duration
}

// promised is what the promises are about. A glance takes seconds; it shows that all is in order and nothing
// is turned away, but its figures mean nothing.
var (
	promised = sizes{rounds: 3, logins: 1000, burst: 200, messages: 10_000, mails: 2000, noops: 3000, idle: 4000, hold: 10 * time.Second}
	glance   = sizes{rounds: 1, logins: 8, burst: 20, messages: 100, mails: 10, noops: 50, idle: 40, hold: 100 * time.Millisecond}
)

// mailSize is that of a mail in the mailbox, messageSize of one that is sent.
const (
	mailSize    = 100_000
	messageSize = 10 << 10
)

// TestProxyBesideDirect measures what the proxy costs, beside connections without it, in one run against the
// same servers: a real Dovecot that asks about each token, and small servers where a real one would be what
// is measured.
func TestProxyBesideDirect(t *testing.T) {
	b := bench{sizes: promised, full: true}
	switch os.Getenv("ORBIT_BENCH_PROXY") {
	case "":
		t.Skip("takes a minute or two of a quiet machine; run it with: make bench-proxy")
	case "glance":
		b.sizes, b.full = glance, false
	}
	b.start(t)
	b.fill(t)
	for range b.rounds {
		var direct, proxied figures
		for _, measure := range []func(*testing.T, door, *figures){b.signIns, b.rush, b.send, b.fetch, b.answer} {
			measure(t, b.direct, &direct)
			measure(t, b.proxied, &proxied)
		}
		b.directly, b.proxiedly = append(b.directly, direct), append(b.proxiedly, proxied)
	}
	b.stall(t)
	b.rest(t)
	rows := b.rows()
	t.Log("\n" + table(rows))
	for _, r := range rows {
		if r.judged && !r.kept {
			t.Errorf("not kept: %s, %s", strings.TrimSpace(r.test), r.promise)
		}
	}
}

// bench is the whole arrangement and what it has found out.
type bench struct {
	sizes
	full                bool
	direct, proxied     door
	quiet               door // the proxy before a server that holds thousands; a process of its own, so its memory is fresh
	directly, proxiedly []figures
	still               stillness
}

// figures are those of one door in one round.
type figures struct {
	logins, messages, megabytes float64 // per second
	failed                      float64 // connects of the burst
	typical, slow               float64 // NOOP, p50 and p99, in µs
	loginCPU, megabyteCPU       float64 // the proxy's, in ms for each
}

// stillness is what sessions cost that do nothing.
type stillness struct {
	held      int
	perIdle   float64 // kB
	stallCPU  time.Duration
	stallSize int // kB
}

// start starts the servers and proxies.
func (b *bench) start(t *testing.T) {
	cert := mailtest.Certificate(t, mailtest.CertificateOptions{})
	_, small := startPart[upstreamPlace](t, "upstream", upstreamPlan{CertFile: cert.CertFile, KeyFile: cert.KeyFile})
	dovecot := mailtest.Dovecot(t, mailtest.DovecotOptions{Introspection: small.Introspection, Cert: &cert, Busy: true})
	listener := func(name string, protocol proxy.Protocol, port int) proxy.Listener {
		return proxy.Listener{Name: name, Protocol: protocol, LocalAddress: "127.0.0.1:0", Upstream: dial.Target{
			Host: "localhost", Port: port, Security: dial.Implicit, Trust: dial.Trust{Rule: dial.CustomCA, CA: cert.CA}}}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(cert.CA))
	b.direct = straight(&tls.Config{RootCAs: roots, ServerName: "localhost"}, dovecot.IMAPS, small.SMTP)
	b.proxied = through(startPart[map[string]string](t, "proxy",
		[]proxy.Listener{listener("imap", proxy.IMAP, dovecot.IMAPS), listener("smtp", proxy.SMTP, small.SMTP)}))
	b.quiet = through(startPart[map[string]string](t, "proxy", []proxy.Listener{listener("imap", proxy.IMAP, small.IMAP)}))
}

// fill puts mail into the inbox and reads it once, so that every later reader finds it in the page cache.
func (b *bench) fill(t *testing.T) {
	c, err := b.direct.inbox()
	check(t, err)
	defer func() { _ = c.Close() }()
	mail := "From: a@example.com\r\nTo: user@example.com\r\nSubject: measured\r\n\r\n" + text(mailSize)
	for range b.mails {
		_, err := c.imap(fmt.Sprintf("APPEND INBOX {%d+}\r\n%s", len(mail), mail))
		check(t, err)
	}
	b.fetch(t, b.direct, new(figures))
	check(t, b.proxied.visit()) // what is made once is made now
}

func text(size int) string {
	line := strings.Repeat("0123456789", 7) + "\r\n"
	return strings.Repeat(line, size/len(line)+1)
}

// signIns comes and goes, four at a time.
func (b *bench) signIns(t *testing.T, d door, f *figures) {
	stop := d.stopwatch()
	_, err := repeat(b.logins, 4, d.visit)
	check(t, err)
	elapsed, cpu := stop()
	f.logins, f.loginCPU = float64(b.logins)/elapsed.Seconds(), cpu.Seconds()*1e3/float64(b.logins)
}

// rush is everybody at once, as after an outage.
func (b *bench) rush(t *testing.T, d door, f *figures) {
	failed, err := repeat(b.burst, b.burst, d.visit)
	if f.failed = float64(failed); failed > 0 {
		t.Logf("%d of %d failed: %v", failed, b.burst, err)
	}
}

// send sends over 20 connections that stay.
func (b *bench) send(t *testing.T, d door, f *figures) {
	const senders = 20
	open := make(chan *conn, senders)
	for range senders {
		c, err := d.enter(proxy.SMTP)
		check(t, err)
		defer func() { _ = c.Close() }() // with the others, after all have sent
		open <- c
	}
	message := "From: user@example.com\r\nTo: sink@example.com\r\nSubject: measured\r\n\r\n" + text(messageSize) + ".\r\n"
	stop := d.stopwatch()
	_, err := repeat(senders, senders, func() error {
		c := <-open
		for range b.messages / senders {
			if err := c.send(message); err != nil {
				return err
			}
		}
		return nil
	})
	check(t, err)
	elapsed, _ := stop()
	f.messages = float64(b.messages) / elapsed.Seconds()
}

// fetch reads the whole mailbox with one command.
func (b *bench) fetch(t *testing.T, d door, f *figures) {
	c, err := d.inbox()
	check(t, err)
	defer func() { _ = c.Close() }()
	stop := d.stopwatch()
	size, err := c.imap("FETCH 1:* BODY.PEEK[]")
	check(t, err)
	elapsed, cpu := stop()
	if size < b.mails*mailSize {
		t.Fatalf("%d octets of %d mails", size, b.mails)
	}
	megabytes := float64(size) / 1e6
	f.megabytes, f.megabyteCPU = megabytes/elapsed.Seconds(), cpu.Seconds()*1e3/megabytes
}

// answer asks for nothing, and measures how long the answer takes.
func (b *bench) answer(t *testing.T, d door, f *figures) {
	c, err := d.enter(proxy.IMAP)
	check(t, err)
	defer func() { _ = c.Close() }()
	var took []time.Duration
	for range b.noops + b.noops/10 {
		asked := time.Now()
		_, err := c.imap("NOOP")
		check(t, err)
		took = append(took, time.Since(asked))
	}
	took = took[b.noops/10:] // the first find cold caches
	slices.Sort(took)
	f.typical, f.slow = percentile(took, 0.5), percentile(took, 0.99)
}

// stall asks for the whole mailbox and does not read it.
func (b *bench) stall(t *testing.T) {
	c, err := b.proxied.inbox()
	check(t, err)
	defer func() { _ = c.Close() }()
	before, stop := b.proxied.process.memory(), b.proxied.stopwatch()
	check(t, c.put("t FETCH 1:* BODY.PEEK[]\r\n"))
	b.still.stallSize = b.proxied.process.peak(b.hold) - before
	_, b.still.stallCPU = stop()
}

// rest opens sessions that do nothing, and asks each at the end whether it is still there.
func (b *bench) rest(t *testing.T) {
	_, err := repeat(100, 4, b.quiet.visit) // what the first sessions cost is no growth
	check(t, err)
	before := b.quiet.process.memory()
	var mu sync.Mutex
	var open []*conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	failed, err := repeat(b.idle, 4, func() error {
		c, err := b.quiet.enter(proxy.IMAP)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			open = append(open, c)
		}
		return err
	})
	if failed > 0 {
		t.Logf("%d of %d idle sessions did not begin: %v", failed, b.idle, err)
	}
	b.still.perIdle = float64(b.quiet.process.peak(b.hold)-before) / float64(max(len(open), 1))
	for _, c := range open {
		if _, err := c.imap("NOOP"); err == nil {
			b.still.held++
		}
	}
}
