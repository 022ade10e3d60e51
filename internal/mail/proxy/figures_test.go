package proxy

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orbit/internal/mail/dial"
)

// way is one of the two ways to a server: with a token and TLS, or with a password through the proxy.
type way struct {
	address map[string]string
	roots   map[string]*x509.CertPool // nil: no TLS
}

// TestFigures prints what the proxy costs, as a ratio to the same work without it (make bench-proxy).
func TestFigures(t *testing.T) {
	if os.Getenv("ORBIT_BENCH") == "" {
		t.Skip("takes a minute of a quiet machine; run it with: make bench-proxy")
	}
	b := newBench(t)
	b.fillMailbox(2000, 100_000)
	const rounds = 3
	for range rounds {
		b.compare("IMAP sign-ins per second, 4 at a time", ">= 80 %", func(w way) float64 { return b.logins(w, 4, 600) })
		b.compare("IMAP burst of 200 connects, failed", "none", func(w way) float64 { return b.burst(w, 200) })
		b.compare("SMTP mails of 10 KB per second, 20 connections", ">= 55 %", func(w way) float64 { return b.mails(w, 20, 6000) })
		b.compare("IMAP FETCH of 200 MB, MB per second", ">= 90 %", func(w way) float64 { return b.fetch(w) })
		b.compare("NOOP p50, us", "+60", func(w way) float64 { return b.noop(w, 0.5) })
		b.compare("NOOP p99, us", "+200", func(w way) float64 { return b.noop(w, 0.99) })
	}
	b.idle(4000)
	b.stalled()
	b.print()
}

// bench holds the servers, the proxy and what was measured.
type bench struct {
	t       *testing.T
	direct  way
	proxied way
	child   child
	rows    []*row
}

// row is one line of the table.
type row struct {
	name, aim       string
	direct, proxied []float64
	cost            []float64 // processor time of the proxy in ms
}

func newBench(t *testing.T) *bench {
	p := newProvider(t)
	port, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{makePair().tls}})
	must(err)
	t.Cleanup(func() { _ = port.Close() })
	go func() {
		for conn, err := port.Accept(); err == nil; conn, err = port.Accept() {
			go serveSink(conn)
		}
	}()
	idle := newUpstream(t, IMAP, dial.Implicit, nil)
	targets := map[string]dial.Target{
		"imap": p.listener(IMAP, dial.Implicit, dial.Plain).Upstream,
		"smtp": idle.target(), "idle": idle.target(),
	}
	sink := targets["smtp"]
	sink.Port = port.Addr().(*net.TCPAddr).Port
	targets["smtp"] = sink
	b := &bench{t: t, direct: way{address: map[string]string{}, roots: map[string]*x509.CertPool{}}, child: startChild(t, targets)}
	for name, target := range targets {
		b.direct.address[name] = hostPort(target)
		b.direct.roots[name] = x509.NewCertPool()
		b.direct.roots[name].AppendCertsFromPEM([]byte(target.Trust.CA))
	}
	b.proxied = way{address: b.child.addresses}
	b.logins(b.proxied, 4, 100) // warm
	return b
}

// compare measures both ways, one right after the other, because the machine is never the same for long.
func (b *bench) compare(name, aim string, measure func(way) float64) {
	i := slices.IndexFunc(b.rows, func(r *row) bool { return r.name == name })
	if i < 0 {
		i = len(b.rows)
		b.rows = append(b.rows, &row{name: name, aim: aim})
	}
	r := b.rows[i]
	r.direct = append(r.direct, measure(b.direct))
	before := b.child.processor()
	r.proxied = append(r.proxied, measure(b.proxied))
	r.cost = append(r.cost, b.child.processor()-before)
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}

func (b *bench) print() {
	per := map[string]float64{"IMAP sign-ins": 600, "SMTP mails": 6000, "IMAP FETCH": 200}
	var out strings.Builder
	fmt.Fprintf(&out, "\n%-50s %10s %10s %8s  %-8s %s\n", "", "direct", "Orbit", "", "aim", "ms of processor for one")
	for _, r := range b.rows {
		cost := ""
		for name, count := range per {
			if strings.HasPrefix(r.name, name) {
				cost = fmt.Sprintf("%.3f", median(r.cost)/count)
			}
		}
		ratio, direct := "", ""
		if r.direct != nil {
			direct = fmt.Sprintf("%.1f", median(r.direct))
			if median(r.direct) > 0 {
				ratio = fmt.Sprintf("%.0f %%", 100*median(r.proxied)/median(r.direct))
			}
		}
		fmt.Fprintf(&out, "%-50s %10s %10.1f %8s  %-8s %s\n", r.name, direct, median(r.proxied), ratio, r.aim, cost)
	}
	b.t.Log(out.String())
}

// open connects, signs in and fails loudly: a failed connection is a wrong figure.
func (b *bench) open(w way, name string) *peer {
	conn, err := net.Dial("tcp", w.address[name])
	must(err)
	if w.roots != nil {
		conn = tls.Client(conn, &tls.Config{RootCAs: w.roots[name], ServerName: "localhost"})
	}
	p := &peer{Conn: conn, t: b.t, in: bufio.NewReaderSize(conn, 64<<10)}
	if name == "smtp" {
		p.introduce(SMTP)
		p.put(pick(w, "AUTH XOAUTH2 "+xoauth2(testToken)+"\r\n", signIns[SMTP].text))
		p.until("235")
		return p
	}
	p.introduce(IMAP)
	p.put(pick(w, "a AUTHENTICATE XOAUTH2 "+xoauth2(testToken)+"\r\n", signIns[IMAP].text))
	p.until("a OK")
	return p
}

func pick(w way, direct, proxied string) string {
	if w.roots != nil {
		return direct
	}
	return proxied
}

// until reads to the line that starts with a mark and returns the octets before it.
func (p *peer) until(mark string) int {
	total := 0
	for {
		line, err := p.in.ReadSlice('\n')
		must(err)
		if bytes.HasPrefix(line, []byte(mark)) {
			return total
		}
		total += len(line)
	}
}

func (b *bench) fillMailbox(count, size int) {
	line := strings.Repeat("x", 70) + "\r\n"
	mail := testMail + strings.Repeat(line, (size-len(testMail))/len(line))
	p := b.open(b.direct, "imap")
	for range count {
		p.put(fmt.Sprintf("b APPEND INBOX {%d+}\r\n%s\r\n", len(mail), mail))
		p.until("b OK")
	}
	_ = p.Close()
}

// spread runs a job count times on some goroutines and returns how many were done per second.
func spread(workers, count int, job func()) float64 {
	var left atomic.Int64
	left.Store(int64(count))
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				job()
			}
		})
	}
	wg.Wait()
	return float64(count) / time.Since(start).Seconds()
}

func (b *bench) logins(w way, workers, count int) float64 {
	return spread(workers, count, func() {
		p := b.open(w, "imap")
		p.put("z LOGOUT\r\n")
		p.until("z OK")
		_ = p.Close()
	})
}

// burst connects at once and returns how many got no greeting.
func (b *bench) burst(w way, count int) float64 {
	var failed atomic.Int64
	spread(count, count, func() {
		conn, err := net.Dial("tcp", w.address["idle"])
		if err != nil {
			failed.Add(1)
			return
		}
		defer func() { _ = conn.Close() }()
		if w.roots != nil {
			conn = tls.Client(conn, &tls.Config{RootCAs: w.roots["idle"], ServerName: "localhost"})
		}
		_ = conn.SetDeadline(time.Now().Add(patient))
		if n, err := conn.Read(make([]byte, 100)); n == 0 || err != nil {
			failed.Add(1)
		}
	})
	return float64(failed.Load())
}

func (b *bench) mails(w way, workers, count int) float64 {
	body := strings.Repeat(strings.Repeat("x", 70)+"\r\n", 142) + ".\r\n"
	sessions := make(chan *peer, workers)
	for range workers {
		sessions <- b.open(w, "smtp")
	}
	rate := spread(workers, count, func() {
		p := <-sessions
		p.put("MAIL FROM:<user@example.com>\r\n")
		p.until("250")
		p.put("RCPT TO:<b@example.com>\r\n")
		p.until("250")
		p.put("DATA\r\n")
		p.until("354")
		p.put(body)
		p.until("250")
		sessions <- p
	})
	for range workers {
		_ = (<-sessions).Close()
	}
	return rate
}

// fetch returns MB per second.
func (b *bench) fetch(w way) float64 {
	p := b.open(w, "imap")
	defer func() { _ = p.Close() }()
	p.put("b SELECT INBOX\r\n")
	p.until("b OK")
	start := time.Now()
	p.put("c FETCH 1:* BODY.PEEK[]\r\n")
	return float64(p.until("c OK")) / 1e6 / time.Since(start).Seconds()
}

func (b *bench) noop(w way, quantile float64) float64 {
	p := b.open(w, "imap")
	defer func() { _ = p.Close() }()
	times := make([]float64, 3000)
	for i := range times {
		start := time.Now()
		p.put("b NOOP\r\n")
		p.until("b OK")
		times[i] = float64(time.Since(start).Nanoseconds()) / 1000
	}
	slices.Sort(times)
	return times[int(quantile*float64(len(times)))]
}

// idle holds sessions open, against a server that is small itself, and sees what each costs.
func (b *bench) idle(count int) {
	before := b.child.memory()
	sessions := make(chan *peer, count)
	spread(4, count, func() { sessions <- b.open(b.proxied, "idle") })
	grown := b.child.memory() - before
	alive := 0
	for range count {
		p := <-sessions
		p.talk("b NOOP\r\n", "b OK .*")
		alive++
		_ = p.Close()
	}
	b.rows = append(b.rows, &row{name: fmt.Sprintf("idle sessions held of %d", count), aim: "all", proxied: []float64{float64(alive)}},
		&row{name: "memory of an idle session, kB", aim: "<= 40", proxied: []float64{grown / float64(count)}})
}

// stalled asks for the whole mailbox and reads nothing of it.
func (b *bench) stalled() {
	p := b.open(b.proxied, "imap")
	p.put("b SELECT INBOX\r\n")
	p.until("b OK")
	memory := b.child.memory()
	p.put("c FETCH 1:* BODY.PEEK[]\r\n")
	_, _ = io.ReadFull(p.in, make([]byte, 1000)) // it has begun
	timer := time.NewTimer(time.Second)
	<-timer.C // until the pipe is full
	used := b.child.processor()
	timer.Reset(3 * time.Second)
	<-timer.C
	b.rows = append(b.rows, &row{name: "stalled reader, ms of processor in 3 s", aim: "none", proxied: []float64{b.child.processor() - used}},
		&row{name: "stalled reader, memory grown, kB", aim: "< 1000", proxied: []float64{b.child.memory() - memory}})
	_ = p.Close()
}
