package fetch

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
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

// faulty is a mail server that does one thing wrong and everything else right.
type faulty struct {
	protocol Protocol
	greeting string            // instead of a good one
	offers   []string          // CAPABILITY or CAPA
	answers  map[string]string // by verb, "verb#2" for the second time, "STEP" in a sign-in; %T is the tag. "a" + drop says a first
	tls      *tls.Config       // for STARTTLS, which is then offered, or from the start
	implicit bool
	messages []string // default: three small ones
}

// record is what a running server has received.
type record struct {
	address  string
	mu       sync.Mutex
	commands []string
	conns    []net.Conn
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
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns = append(r.conns, conn)
			r.mu.Unlock()
			running.Go(func() {
				defer conn.Close()
				f.serve(conn, r)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		r.cut()
		running.Wait()
	})
	return r
}

// cut closes all connections.
func (r *record) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		_ = conn.Close()
	}
}

// push says something by itself on every connection.
func (r *record) push(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		_, _ = io.WriteString(conn, text)
	}
}

func (r *record) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.commands...)
}

// talk is one connection to a faulty server.
type talk struct {
	faulty
	*record
	raw  net.Conn
	conn net.Conn
	in   *bufio.Reader
	seen map[string]int
	tag  string
}

func (f faulty) serve(conn net.Conn, r *record) {
	if f.messages == nil {
		for _, n := range []string{"one", "two", "three"} {
			f.messages = append(f.messages, "Subject: "+n+"\r\n\r\nBody "+n+"\r\n.a dot\r\n")
		}
	}
	c := &talk{faulty: f, record: r, raw: conn, conn: conn, in: bufio.NewReader(conn), seen: map[string]int{}}
	if f.implicit {
		c.secure()
	}
	greeting := f.greeting
	if greeting == "" {
		greeting = map[Protocol]string{IMAP: "* OK mail.example.test ready", POP3: "+OK mail.example.test ready"}[f.protocol]
	}
	for ok := c.say(greeting); ok; {
		ok = c.next()
	}
}

func (c *talk) secure() {
	c.conn = tls.Server(c.raw, c.tls)
	c.in.Reset(c.conn)
}

func (c *talk) readLine() (string, bool) {
	line, err := c.in.ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	c.mu.Lock()
	c.commands = append(c.commands, line)
	c.mu.Unlock()
	return line, err == nil
}

// next handles one command and reports whether to go on.
func (c *talk) next() bool {
	line, ok := c.readLine()
	if !ok {
		return false
	}
	if c.protocol == IMAP {
		c.tag, line, _ = strings.Cut(line, " ")
	}
	words := strings.Fields(strings.ToUpper(line) + " .")
	verb := words[0]
	if verb == "UID" {
		verb += " " + words[1]
	}
	answer := c.answer(verb, line)
	if !c.say(answer) {
		return false
	}
	switch {
	case strings.HasPrefix(answer, "+ "):
		return c.goOn(verb)
	case verb == "STARTTLS" || verb == "STLS":
		return c.startTLS(answer)
	}
	return verb != "QUIT" && verb != "LOGOUT"
}

// goOn takes what follows a continuation.
func (c *talk) goOn(verb string) bool {
	if _, ok := c.readLine(); !ok {
		return false
	}
	step := "STEP"
	if verb == "IDLE" {
		step = "DONE"
	}
	answer := c.answer(step, "")
	if !c.say(answer) {
		return false
	}
	return !strings.HasPrefix(answer, "+ ") || c.goOn(verb)
}

func (c *talk) startTLS(answer string) bool {
	switch {
	case !strings.Contains(answer, "OK"):
	case c.tls == nil: // answers the client's first bytes of TLS with something else
		_, _ = c.in.ReadByte()
		return c.say("!#garbage that is no TLS record")
	default:
		c.secure()
	}
	return true
}

// answer is the scripted answer, or the right one.
func (c *talk) answer(verb, line string) string {
	c.seen[verb]++
	a, ok := c.answers[fmt.Sprintf("%s#%d", verb, c.seen[verb])]
	if !ok {
		a, ok = c.answers[verb]
	}
	if !ok && c.protocol == IMAP {
		a = c.imap(verb, line)
	} else if !ok {
		a = c.pop3(verb, line)
	}
	return strings.ReplaceAll(a, "%T", c.tag)
}

func (c *talk) capabilities() []string {
	offers := c.offers
	if c.tls != nil && c.conn == c.raw {
		offers = append([]string{map[Protocol]string{IMAP: "STARTTLS", POP3: "STLS"}[c.protocol]}, offers...)
	}
	return offers
}

func (c *talk) imap(verb, line string) string {
	const done = "%T OK done"
	switch verb {
	case "CAPABILITY":
		if c.offers == nil {
			c.offers = []string{"SASL-IR", "AUTH=PLAIN", "IDLE", "UIDPLUS"}
		}
		return "* CAPABILITY IMAP4rev1 " + strings.Join(c.capabilities(), " ") + "\r\n" + done
	case "SELECT", "EXAMINE":
		return fmt.Sprintf("* FLAGS (\\Seen \\Deleted)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT %d] x\r\n%%T OK [READ-WRITE] done",
			len(c.messages), len(c.messages)+1)
	case "UID SEARCH":
		found := "* SEARCH"
		for i := range c.messages {
			found += fmt.Sprintf(" %d", i+1)
		}
		if strings.Contains(line, "DELETED") {
			found = "* SEARCH"
		}
		return found + "\r\n" + done
	case "UID FETCH":
		return c.imapFetch(line) + done
	case "IDLE":
		return "+ idling"
	case "LOGOUT":
		return "* BYE\r\n" + done
	case "STARTTLS", "AUTHENTICATE", "LOGIN", "NOOP", "UID STORE", "UID EXPUNGE", "EXPUNGE", "DONE", "STEP":
		return done
	}
	return "%T BAD unknown command"
}

// imapFetch answers for those UIDs of "UID FETCH 1:2,4 (...)" that there are.
func (c *talk) imapFetch(line string) string {
	var out strings.Builder
	for _, part := range strings.Split(strings.Fields(line)[2], ",") {
		var from, to int
		if n, _ := fmt.Sscanf(part, "%d:%d", &from, &to); n == 1 {
			to = from
		}
		for i := max(from, 1); i <= min(to, len(c.messages)); i++ {
			text := c.messages[i-1]
			if !strings.Contains(line, "BODY") {
				fmt.Fprintf(&out, "* %d FETCH (UID %d RFC822.SIZE %d)\r\n", i, i, len(text))
				continue
			}
			section := ""
			if strings.Contains(line, "HEADER") {
				section = "HEADER"
				text = text[:strings.Index(text, "\r\n\r\n")+4]
			}
			fmt.Fprintf(&out, "* %d FETCH (UID %d INTERNALDATE \"01-Nov-2026 10:00:00 +0100\" BODY[%s] {%d}\r\n%s)\r\n", i, i, section, len(text), text)
		}
	}
	return out.String()
}

func (c *talk) pop3(verb, line string) string {
	switch verb {
	case "CAPA":
		if c.offers == nil {
			c.offers = []string{"USER", "UIDL", "TOP", "SASL PLAIN"}
		}
		return "+OK\r\n" + strings.Join(append(c.capabilities(), "."), "\r\n")
	case "STAT":
		return fmt.Sprintf("+OK %d %d", len(c.messages), len(strings.Join(c.messages, "")))
	case "UIDL", "LIST":
		out := "+OK\r\n"
		for i, text := range c.messages {
			out += fmt.Sprintf("%d %s\r\n", i+1, map[string]string{"UIDL": fmt.Sprintf("id-%d", i+1), "LIST": fmt.Sprint(len(text))}[verb])
		}
		return out + "."
	case "RETR", "TOP":
		var n int
		_, _ = fmt.Sscanf(strings.Fields(line)[1], "%d", &n)
		text := c.messages[n-1]
		if verb == "TOP" {
			text = text[:strings.Index(text, "\r\n\r\n")+4]
		}
		return "+OK\r\n" + strings.ReplaceAll(text, "\r\n.", "\r\n..") + "."
	case "STLS", "USER", "PASS", "APOP", "AUTH", "STEP", "DELE", "RSET", "NOOP", "QUIT":
		return "+OK done"
	}
	return "-ERR unknown command"
}

// say sends an answer; false ends the connection.
func (c *talk) say(answer string) bool {
	for _, end := range []string{drop, reset, silence} {
		text, found := strings.CutSuffix(answer, end)
		if !found {
			continue
		}
		_, _ = io.WriteString(c.conn, text)
		switch end {
		case drop:
			c.close()
		case reset:
			_ = c.raw.(*net.TCPConn).SetLinger(0)
		case silence:
			_, _ = io.Copy(io.Discard, c.in)
		}
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

// to is a Dialer that brings every host to one address.
type to struct{ address string }

func (d to) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	l := ladder.From(ctx)
	l.Begin(ladder.Connect, "Connection")
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, l.Fail(ladder.Connect, explain.Network(ladder.Connect, err, explain.Context{Host: host, Port: port}), err)
	}
	l.End("connected")
	return conn, nil
}
