package proxy_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"orbit/internal/mail/proxy"
)

const (
	benchUser     = "user@example.com"
	benchPassword = "local-password"
)

// benchToken is as long as short tokens of large providers are.
var benchToken = strings.Repeat("0123456789abcdef", 12)

// xoauth2 is what the mechanism says with that token.
func xoauth2() string {
	return base64.StdEncoding.EncodeToString([]byte("user=" + benchUser + "\x01auth=Bearer " + benchToken + "\x01\x01"))
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// endless is longer than anything here takes where nothing hangs.
const endless = 5 * time.Minute

// conn is one end of a conversation in lines.
type conn struct {
	net.Conn
	in *bufio.Reader
}

func newConn(c net.Conn, size int) *conn { return &conn{Conn: c, in: bufio.NewReaderSize(c, size)} }

func (c *conn) put(text string) error {
	_, err := io.WriteString(c.Conn, text)
	return err
}

func (c *conn) line() (string, error) {
	line, err := c.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// imap sends a command and waits for its OK. Literals on the way are counted and dropped.
func (c *conn) imap(command string) (literals int, err error) {
	if err := c.put("t " + command + "\r\n"); err != nil {
		return 0, err
	}
	for {
		line, err := c.in.ReadSlice('\n')
		switch {
		case err != nil:
			return literals, err
		case bytes.HasPrefix(line, []byte("t OK ")):
			return literals, nil
		case bytes.HasPrefix(line, []byte("t ")):
			return literals, errors.New(string(line))
		}
		n, err := c.in.Discard(literalOf(line))
		if literals += n; err != nil {
			return literals, err
		}
	}
}

// literalOf returns the length of the literal that follows a line: its last word is {length}.
func literalOf(line []byte) int {
	line = bytes.TrimRight(line, "\r\n")
	if !bytes.HasSuffix(line, []byte("}")) {
		return 0
	}
	n, _ := strconv.Atoi(string(line[bytes.LastIndexByte(line, '{')+1 : len(line)-1]))
	return n
}

// smtp sends lines and wants a reply with that code.
func (c *conn) smtp(lines, code string) error {
	if err := c.put(lines); err != nil {
		return err
	}
	return c.reply(code)
}

// send hands a message over, one step after the other.
func (c *conn) send(message string) error {
	for _, step := range [][2]string{
		{"MAIL FROM:<user@example.com>\r\n", "250"}, {"RCPT TO:<sink@example.com>\r\n", "250"}, {"DATA\r\n", "354"}, {message, "250"},
	} {
		if err := c.smtp(step[0], step[1]); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) reply(code string) error {
	for {
		line, err := c.in.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case !bytes.HasPrefix(line, []byte(code)):
			return errors.New(string(line))
		case line[len(code)] != '-':
			return nil
		}
	}
}

// door is a way to the servers: straight with TLS and a token, or through the proxy with a password.
type door struct {
	tls       *tls.Config // nil at the proxy's
	addresses map[proxy.Protocol]string
	signIn    map[proxy.Protocol]string
	process   part // the proxy's
}

func straight(config *tls.Config, imap, smtp int) door {
	return door{
		tls:       config,
		addresses: map[proxy.Protocol]string{proxy.IMAP: local(imap), proxy.SMTP: local(smtp)},
		signIn:    map[proxy.Protocol]string{proxy.IMAP: "AUTHENTICATE XOAUTH2 " + xoauth2(), proxy.SMTP: "AUTH XOAUTH2 " + xoauth2()},
	}
}

func through(process part, addresses map[string]string) door {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + benchUser + "\x00" + benchPassword))
	return door{
		process:   process,
		addresses: map[proxy.Protocol]string{proxy.IMAP: addresses["imap"], proxy.SMTP: addresses["smtp"]},
		signIn:    map[proxy.Protocol]string{proxy.IMAP: fmt.Sprintf("LOGIN %q %q", benchUser, benchPassword), proxy.SMTP: "AUTH PLAIN " + plain},
	}
}

// enter connects and signs in.
func (d door) enter(protocol proxy.Protocol) (*conn, error) {
	dialled, err := net.Dial("tcp", d.addresses[protocol])
	if err != nil {
		return nil, err
	}
	_ = dialled.SetDeadline(time.Now().Add(endless))
	if d.tls != nil {
		dialled = tls.Client(dialled, d.tls)
	}
	c := newConn(dialled, 64<<10)
	if protocol == proxy.SMTP {
		err = errors.Join(c.reply("220"), c.smtp("EHLO bench.example.test\r\n", "250"), c.smtp(d.signIn[protocol]+"\r\n", "235"))
	} else if _, err = c.line(); err == nil {
		_, err = c.imap(d.signIn[protocol])
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("sign in at %s: %w", protocol, err)
	}
	return c, nil
}

// inbox enters and selects it.
func (d door) inbox() (*conn, error) {
	c, err := d.enter(proxy.IMAP)
	if err == nil {
		_, err = c.imap("SELECT INBOX")
	}
	return c, err
}

// visit signs in and out again.
func (d door) visit() error {
	c, err := d.enter(proxy.IMAP)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_, err = c.imap("LOGOUT")
	return err
}

// stopwatch returns the time that passes, and how much processor time the proxy takes meanwhile.
func (d door) stopwatch() func() (elapsed, cpu time.Duration) {
	began, used := time.Now(), d.process.cpu()
	return func() (time.Duration, time.Duration) { return time.Since(began), d.process.cpu() - used }
}

// repeat runs n jobs, some at once, and returns how many have failed and the first reason.
func repeat(n, atOnce int, job func() error) (failed int, reason error) {
	var next, failures atomic.Int64
	var once sync.Once
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for next.Add(1) <= int64(n) {
				if err := job(); err != nil {
					failures.Add(1)
					once.Do(func() { reason = err })
				}
			}
		})
	}
	workers.Wait()
	return int(failures.Load()), reason
}

func percentile(sorted []time.Duration, p float64) float64 {
	return float64(sorted[int(p*float64(len(sorted)-1))].Nanoseconds()) / 1e3
}

func median(values []float64) float64 {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
