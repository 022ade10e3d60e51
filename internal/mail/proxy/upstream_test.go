package proxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"orbit/internal/mail/dial"
)

// upstream is a mail server of a few lines that writes down all that it hears.
type upstream struct {
	t        testing.TB
	port     net.Listener
	protocol Protocol
	security dial.Security
	accepts  []string // tokens
	mech     string   // the mechanisms offered, "XOAUTH2" by default
	saslIR   bool     // IMAP
	offer    []string // extensions beside those
	blob     string   // what a refused token gets to read
	refuse   string   // the final reply to a refused token
	answer   string   // overrides the reply to an accepted token
	inject   string   // sent in clear behind the agreement to STARTTLS
	greeting string

	mu    sync.Mutex
	heard []string // all lines, "<" marks a new connection
	live  sync.WaitGroup
}

const testBlob = `{"status":"401","schemes":"bearer","scope":"mail"}`

// newUpstream starts a server that accepts testToken.
func newUpstream(t testing.TB, p Protocol, security dial.Security, change func(*upstream)) *upstream {
	t.Helper()
	u := &upstream{t: t, protocol: p, security: security, accepts: []string{testToken}, mech: "XOAUTH2", saslIR: true, blob: testBlob}
	if change != nil {
		change(u)
	}
	var err error
	if u.port, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	u.live.Go(u.accept)
	t.Cleanup(func() {
		_ = u.port.Close()
		u.live.Wait()
	})
	return u
}

func (u *upstream) target() dial.Target {
	port := u.port.Addr().(*net.TCPAddr).Port
	return dial.Target{Host: "127.0.0.1", Port: port, Security: u.security,
		Trust: dial.Trust{Rule: dial.CustomCA, CA: string(makePair().cert)}}
}

func (u *upstream) listener() Listener { return Listener{Protocol: u.protocol, Upstream: u.target()} }

func (u *upstream) accept() {
	for {
		conn, err := u.port.Accept()
		if err != nil {
			return
		}
		u.live.Go(func() {
			defer func() { _ = conn.Close() }()
			u.note("<")
			u.serve(conn)
		})
	}
}

func (u *upstream) note(line string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.heard = append(u.heard, line)
}

// lines returns what was heard so far, without the marks.
func (u *upstream) lines() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(u.heard), func(line string) bool { return line == "<" })
}

func (u *upstream) connections() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.heard) - len(slices.DeleteFunc(slices.Clone(u.heard), func(line string) bool { return line == "<" }))
}

// talker is one connection of the upstream.
type talker struct {
	*upstream
	*peer
	secure bool
}

func (u *upstream) serve(conn net.Conn) {
	c := &talker{upstream: u, peer: newPeer(u.t, conn)}
	if u.security == dial.Implicit {
		c.protect()
	}
	switch u.protocol {
	case IMAP:
		c.imap()
	case POP3:
		c.pop3()
	case SMTP:
		c.smtp()
	}
}

func (c *talker) protect() {
	c.peer = newPeer(c.upstream.t, tls.Server(c.Conn, &tls.Config{Certificates: []tls.Certificate{makePair().tls}}))
	c.secure = true
}

func (c *talker) say(format string, args ...any) { _, _ = fmt.Fprintf(c.Conn, format+"\r\n", args...) }

// next returns the next line, false at the end.
func (c *talker) next() (string, bool) {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return "", false
	}
	line = strings.TrimSuffix(line, "\r\n")
	c.note(line)
	return line, true
}

// sasl runs the server's side of XOAUTH2 or OAUTHBEARER and reports whether the token is accepted.
func (c *talker) sasl(mechanism, initial, prompt string) bool {
	if initial == "" {
		c.say("%s", prompt)
		initial, _ = c.next()
	}
	message, _ := decode64(initial)
	var token string
	for field := range strings.SplitSeq(string(message), "\x01") {
		if value, found := strings.CutPrefix(field, "auth=Bearer "); found {
			token = value
		}
	}
	named := strings.HasPrefix(string(message), "user="+testUser+"\x01")
	if mechanism == "OAUTHBEARER" {
		named = strings.HasPrefix(string(message), "n,a="+testUser+",\x01host=127.0.0.1\x01port=")
	}
	if named && slices.Contains(strings.Fields(c.mech), mechanism) && slices.Contains(c.accepts, token) {
		return true
	}
	if c.blob != "" {
		c.say("%s%s", prompt, b64(c.blob))
		want := ""
		if mechanism == "OAUTHBEARER" {
			want = "AQ=="
		}
		if line, _ := c.next(); line != want {
			c.say("BAD %q does not end the exchange", line)
			return false
		}
	}
	return false
}

func (c *talker) capabilities() string {
	words := append([]string{"IMAP4rev1"}, c.offer...)
	if c.saslIR {
		words = append(words, "SASL-IR")
	}
	if c.security == dial.STARTTLS && !c.secure {
		words = append(words, "STARTTLS", "LOGINDISABLED")
	} else {
		for mechanism := range strings.FieldsSeq(c.mech) {
			words = append(words, "AUTH="+mechanism)
		}
	}
	return strings.Join(words, " ")
}

func (c *talker) imap() {
	if c.greeting == "" {
		c.say("* OK ready")
	} else {
		c.say("%s", c.greeting)
	}
	for {
		line, more := c.next()
		words := strings.SplitN(line+"  ", " ", 4)
		if !more {
			return
		}
		switch strings.ToUpper(words[1]) {
		case "CAPABILITY":
			c.say("* CAPABILITY %s\r\n%s OK done", c.capabilities(), words[0])
		case "STARTTLS":
			c.say("%s OK go%s", words[0], c.inject)
			c.protect()
		case "AUTHENTICATE":
			switch {
			case c.sasl(words[2], strings.TrimSpace(words[3]), "+ "):
				if c.answer != "" {
					c.say("%s", strings.ReplaceAll(c.answer, "TAG", words[0]))
				} else {
					c.say("%s OK [CAPABILITY IMAP4rev1 IDLE COMPRESS=DEFLATE AUTH=XOAUTH2] Logged in", words[0])
				}
			case c.refuse != "":
				c.say("%s %s", words[0], c.refuse)
			default:
				c.say("%s NO AUTHENTICATE failed.", words[0])
			}
		case "LOGOUT":
			c.say("* BYE\r\n%s OK bye", words[0])
			return
		case "ECHO": // everything that follows comes back
			c.say("%s OK", words[0])
			_, _ = io.Copy(c.Conn, c.in)
			return
		default:
			c.say("%s OK %s done", words[0], words[1])
		}
	}
}

func (c *talker) pop3() {
	c.say("+OK ready")
	for {
		line, more := c.next()
		words := strings.SplitN(line+" ", " ", 3)
		if !more {
			return
		}
		switch words[0] {
		case "CAPA":
			c.say("+OK\r\nSASL %s\r\nUSER\r\nTOP\r\nUIDL\r\nSTLS\r\n%s\r\n.", c.mech, strings.Join(append(c.offer, "IMPLEMENTATION test"), "\r\n"))
		case "STLS":
			c.say("+OK go%s", c.inject)
			c.protect()
		case "AUTH":
			switch {
			case c.sasl(words[1], strings.TrimSpace(words[2]), "+ "):
				c.say("+OK Logged in")
			case c.refuse != "":
				c.say("%s", c.refuse)
			default:
				c.say("-ERR [AUTH] no")
			}
		case "QUIT":
			c.say("+OK bye")
			return
		default:
			c.say("+OK %s", line)
		}
	}
}

func (c *talker) smtp() {
	c.say("220 upstream ESMTP")
	for {
		line, more := c.next()
		words := strings.SplitN(line+" ", " ", 3)
		if !more {
			return
		}
		switch strings.ToUpper(words[0]) {
		case "EHLO":
			lines := append([]string{"upstream", "PIPELINING", "SIZE 1000"}, c.offer...)
			if c.security == dial.STARTTLS && !c.secure {
				lines = append(lines, "STARTTLS")
			} else {
				lines = append(lines, "AUTH "+c.mech, "XCLIENT NAME ADDR")
			}
			_, _ = io.WriteString(c.Conn, multiline(250, lines))
		case "STARTTLS":
			c.say("220 go%s", c.inject)
			c.protect()
		case "AUTH":
			switch {
			case c.sasl(words[1], strings.TrimSpace(words[2]), "334 "):
				c.say("235 2.7.0 Accepted by upstream")
			case c.refuse != "":
				c.say("%s", c.refuse)
			default:
				c.say("535 5.7.3 Authentication unsuccessful")
			}
		case "QUIT":
			c.say("221 bye")
			return
		default:
			c.say("250 upstream heard %s", strconv.Quote(line))
		}
	}
}
