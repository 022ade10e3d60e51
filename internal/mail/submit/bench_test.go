package submit

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/mailtest"
)

// leastRatio is what the transport must reach of a bare client's speed.
const leastRatio = 0.7

// block is how many messages one side sends before it is the other's turn, so that both meet the same machine.
const block = 50

// BenchmarkTransport sends messages of 10 KB over one kept connection to a local sink, and in the same run sends the
// same bytes with a bare client that does nothing but the protocol. "SendRaw" has the bytes already, as a queue and
// the bare client have; it must not be slower than leastRatio. "Send" builds each message first.
func BenchmarkTransport(b *testing.B) {
	m := greeting()
	m.Text = strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789 abcdef\n", 160)
	raw, envelope, err := Render(m)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Send", func(b *testing.B) {
		compare(b, raw, 0, func(s *Session) error { _, err := s.Send(b.Context(), m); return err })
	})
	b.Run("SendRaw", func(b *testing.B) {
		compare(b, raw, leastRatio, func(s *Session) error { _, err := s.SendRaw(b.Context(), envelope, raw); return err })
	})
}

func compare(b *testing.B, raw []byte, least float64, send func(*Session) error) {
	port := mailtest.Drain(b)
	session, err := Open(b.Context(), local(port), Server{Target: dial.Target{Host: "127.0.0.1", Port: port}})
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	bare := newBare(b, port)
	var ours, theirs time.Duration
	for sent := 0; sent < b.N; sent += block {
		n := min(block, b.N-sent)
		b.StartTimer()
		ours += measure(b, n, func() error { return send(session) })
		b.StopTimer()
		theirs += measure(b, n, func() error { return bare.send(raw) })
	}
	ratio := theirs.Seconds() / ours.Seconds()
	b.ReportMetric(float64(b.N)/ours.Seconds(), "msg/s")
	b.ReportMetric(float64(b.N)/theirs.Seconds(), "bare-msg/s")
	b.ReportMetric(ratio, "ratio")
	if b.N >= 500 && ratio < least {
		b.Errorf("the transport reaches %.0f %% of a bare client; %.0f %% are demanded", ratio*100, least*100)
	}
}

func measure(b *testing.B, n int, send func() error) time.Duration {
	b.Helper()
	began := time.Now()
	for range n {
		if err := send(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

// bare is the least that an SMTP client can be: commands out, codes in.
type bare struct {
	in  *bufio.Reader
	out *bufio.Writer
}

func newBare(b *testing.B, port int) *bare {
	b.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	c := &bare{in: bufio.NewReader(conn), out: bufio.NewWriterSize(conn, 32<<10)}
	if err := c.expect("220"); err != nil {
		b.Fatal(err)
	}
	if err := c.ask("EHLO localhost\r\n", "250"); err != nil {
		b.Fatal(err)
	}
	return c
}

func (c *bare) send(raw []byte) error {
	for _, step := range [][2]string{
		{"MAIL FROM:<info@example.com>\r\n", "250"}, {"RCPT TO:<ann@example.net>\r\n", "250"}, {"DATA\r\n", "354"},
	} {
		if err := c.ask(step[0], step[1]); err != nil {
			return err
		}
	}
	if _, err := c.out.Write(raw); err != nil {
		return err
	}
	return c.ask(".\r\n", "250")
}

func (c *bare) ask(command, code string) error {
	if _, err := io.WriteString(c.out, command); err != nil {
		return err
	}
	return c.expect(code)
}

func (c *bare) expect(code string) error {
	if err := c.out.Flush(); err != nil {
		return err
	}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return err
		}
		if !strings.HasPrefix(line, code) {
			return fmt.Errorf("%q instead of %s", line, code)
		}
		if line[3] == ' ' {
			return nil
		}
	}
}

func BenchmarkRender(b *testing.B) {
	m := greeting()
	m.Text = strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789 abcdef\n", 160)
	for b.Loop() {
		if _, _, err := Render(m); err != nil {
			b.Fatal(err)
		}
	}
}
