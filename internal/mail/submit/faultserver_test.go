package submit

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// What a faulty server can do instead of answering.
const (
	drop    = "(drop)"    // closes the connection in order, after all that it has said
	reset   = "(reset)"   // cuts it
	silence = "(silence)" // never says anything again
)

// faulty is an SMTP server that does one thing wrong and everything else right.
type faulty struct {
	greeting string            // instead of a good one
	offers   []string          // in EHLO; default PIPELINING, SIZE, 8BITMIME, AUTH PLAIN
	answers  map[string]string // by verb, "STEP 2" for the line after AUTH, "BODY" and "." for the message; "verb#2" for the second time
	tls      *tls.Config       // for STARTTLS, which is then offered, or from the start
	implicit bool
	auth     func(conn net.Conn, payload string) string // answers AUTH and what follows, instead of answers
}

// record is what a running server has received.
type record struct {
	address  string
	mu       sync.Mutex
	commands []string
	bodies   []string // dots doubled
}

// start listens until the test ends.
func (f faulty) start(t testing.TB) *record {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &record{address: ln.Addr().String()}
	var running sync.WaitGroup
	var conns sync.Map
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Store(conn, nil)
			_ = conn.(*net.TCPConn).SetReadBuffer(8 << 10) // a client notices soon that nobody reads
			running.Go(func() {
				defer conn.Close()
				f.serve(conn, r)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		conns.Range(func(conn, _ any) bool { _ = conn.(net.Conn).Close(); return true })
		running.Wait()
	})
	return r
}

// talk is one connection to a faulty server.
type talk struct {
	faulty
	*record
	raw  net.Conn
	conn net.Conn
	in   *bufio.Reader
	seen map[string]int
}

func (f faulty) serve(conn net.Conn, r *record) {
	c := &talk{faulty: f, record: r, raw: conn, conn: conn, in: bufio.NewReader(conn), seen: map[string]int{}}
	if f.implicit {
		c.secure()
	}
	greeting := f.greeting
	if greeting == "" {
		greeting = "220 mail.example.test ESMTP ready"
	}
	if !c.say(greeting) {
		return
	}
	for c.next() {
	}
}

func (c *talk) secure() {
	c.conn = tls.Server(c.raw, c.tls)
	c.in.Reset(c.conn)
}

// next handles one command and reports whether to go on.
func (c *talk) next() bool {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return false
	}
	line = strings.TrimRight(line, "\r\n")
	c.mu.Lock()
	c.commands = append(c.commands, line)
	c.mu.Unlock()
	verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
	if verb == "AUTH" && c.auth != nil {
		return c.dialogue(line[strings.LastIndexByte(line, ' ')+1:])
	}
	answer := c.answer(verb)
	if !c.say(answer) {
		return false
	}
	switch {
	case verb == "STARTTLS" && strings.HasPrefix(answer, "220") && c.tls == nil:
		return c.garbage()
	case verb == "STARTTLS" && strings.HasPrefix(answer, "220"):
		c.secure()
	case verb == "AUTH" && strings.HasPrefix(answer, "334"):
		return c.nextOfAuth(2)
	case verb == "DATA" && strings.HasPrefix(answer, "354"):
		return c.body()
	}
	return verb != "QUIT"
}

// dialogue lets auth speak until it has come to an end.
func (c *talk) dialogue(payload string) bool {
	for {
		answer := c.auth(c.conn, payload)
		if !c.say(answer) || !strings.HasPrefix(answer, "334") {
			return strings.HasPrefix(answer, "2")
		}
		line, err := c.in.ReadString('\n')
		if err != nil {
			return false
		}
		payload = strings.TrimRight(line, "\r\n")
	}
}

// garbage answers the client's first bytes of TLS with something else.
func (c *talk) garbage() bool {
	if _, err := c.in.ReadByte(); err != nil {
		return false
	}
	return c.say("!#garbage that is no TLS record")
}

func (c *talk) nextOfAuth(step int) bool {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return false
	}
	c.mu.Lock()
	c.commands = append(c.commands, strings.TrimRight(line, "\r\n"))
	c.mu.Unlock()
	answer := c.answer(fmt.Sprintf("STEP %d", step))
	if !c.say(answer) {
		return false
	}
	if strings.HasPrefix(answer, "334") {
		return c.nextOfAuth(step + 1)
	}
	return true
}

func (c *talk) body() bool {
	var body strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return false
		}
		if _, set := c.answers["BODY"]; set {
			return c.say(c.answer("BODY"))
		}
		if line == ".\r\n" {
			break
		}
		body.WriteString(line)
	}
	c.mu.Lock()
	c.bodies = append(c.bodies, body.String())
	c.mu.Unlock()
	return c.say(c.answer("."))
}

// answer is the scripted answer, or the right one.
func (c *talk) answer(verb string) string {
	c.seen[verb]++
	if a, ok := c.answers[fmt.Sprintf("%s#%d", verb, c.seen[verb])]; ok {
		return a
	}
	if a, ok := c.answers[verb]; ok {
		return a
	}
	right := map[string]string{
		"HELO": "250 mail.example.test", "STARTTLS": "220 2.0.0 Ready to start TLS", "AUTH": "235 2.7.0 Authentication successful",
		"MAIL": "250 2.1.0 Sender ok", "RCPT": "250 2.1.5 Recipient ok", "DATA": "354 Go ahead", ".": "250 2.0.0 queued as 4F2",
		"RSET": "250 2.0.0 Ok", "NOOP": "250 2.0.0 Ok", "QUIT": "221 2.0.0 Bye",
	}
	if verb == "EHLO" {
		return c.hello()
	}
	if a, ok := right[verb]; ok {
		return a
	}
	return "500 5.5.1 Unknown command"
}

func (c *talk) hello() string {
	offers := c.offers
	if offers == nil {
		offers = []string{"PIPELINING", "SIZE 1000000", "8BITMIME", "AUTH PLAIN LOGIN"}
	}
	if c.tls != nil && c.conn == c.raw {
		offers = append([]string{"STARTTLS"}, offers...)
	}
	lines := append([]string{"mail.example.test"}, offers...)
	for i := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		lines[i] = "250" + sep + lines[i]
	}
	return strings.Join(lines, "\r\n")
}

// say sends an answer; false ends the connection.
func (c *talk) say(answer string) bool {
	switch answer {
	case drop:
		c.close()
		return false
	case reset:
		_ = c.raw.(*net.TCPConn).SetLinger(0)
		return false
	case silence:
		_, _ = io.Copy(io.Discard, c.in)
		return false
	}
	_, err := io.WriteString(c.conn, answer+"\r\n")
	return err == nil
}

// close says good-bye and reads what is under way: closing with unread bytes would destroy what was said before.
func (c *talk) close() {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.raw.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, c.raw)
}

func (r *record) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.commands...)
}

func (r *record) messages() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.bodies...)
}

// withoutPipelining is the same server, asked one thing at a time.
func (f faulty) withoutPipelining() faulty {
	g := faulty{greeting: f.greeting, answers: maps.Clone(f.answers), tls: f.tls, implicit: f.implicit}
	for _, o := range f.offers {
		if o != "PIPELINING" {
			g.offers = append(g.offers, o)
		}
	}
	if f.offers == nil {
		g.offers = []string{"SIZE 1000000", "8BITMIME", "AUTH PLAIN LOGIN"}
	}
	return g
}

// to is a Dialer that brings every host to one address, or fails as told.
type to struct {
	address string
	err     error
	step    ladder.Name
}

func (d to) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	l := ladder.From(ctx)
	l.Begin(ladder.Connect, "Connection")
	step, err := d.step, d.err
	if err == nil {
		var conn net.Conn
		if conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", d.address); err == nil {
			_ = conn.(*net.TCPConn).SetWriteBuffer(8 << 10)
			l.End("connected")
			return conn, nil
		}
		step = ladder.Connect
	}
	return nil, l.Fail(step, explain.Network(step, err, explain.Context{Host: host, Port: port}), err)
}
