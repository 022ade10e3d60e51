// Package pop3 is a POP3 client (RFC 1939) for mailboxes that nobody should have to trust.
//
// A Client talks over a connection that the caller has opened: plain, TLS from the first byte, or upgraded with
// STLS (RFC 2595 4). It knows CAPA and response codes (RFC 2449, RFC 3206), USER and PASS, APOP, and every SASL
// mechanism that a sasl.Client brings (RFC 5034); STAT, LIST, UIDL, TOP, RETR, DELE, RSET, NOOP and QUIT.
//
//	client := pop3.New(conn, pop3.Options{})
//	defer client.Close()
//	_, err := client.Greeting(ctx)
//	_, err = client.Login(ctx, "user", "password")
//	for message, err := range client.UIDs(ctx) { ... }
//	body, err := client.Retrieve(ctx, 1, 50<<20)
//
// Everything a server says is bounded: a line by MaxLine, a listing by what the caller takes of it, a message by
// the limit that it is asked for with. Nothing is kept in memory but one line. A method returns when its context
// ends; the connection is closed then, because nobody can know where in the conversation it stands.
//
// What a deleted message costs: DELE only marks, QUIT deletes (RFC 1939 6). A session that ends any other way
// deletes nothing.
package pop3

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"time"
)

// Options of a Client; the zero value is good.
type Options struct {
	Timeout time.Duration           // default 60 s: a reply, a further part of a message, a write
	MaxLine int                     // default 4096; RFC 2449 4 allows 512 octets, some servers write more
	Trace   func(from, text string) // sees each line but those of messages, without secrets; from is "client" or "server"
}

// Client is one session. It is for one goroutine.
type Client struct {
	raw     net.Conn // as handed in; closing it wakes whoever waits
	conn    net.Conn // raw, or TLS over it
	in      *bufio.Reader
	options Options
	stamp   string   // what APOP's digest starts with
	hush    []string // what a server must not bring into traces and errors by quoting it
	streams bool     // a message or a listing has not been read to its end
	broken  bool     // nothing more can be asked
}

// New returns a client on an open connection. It does not read or write.
func New(conn net.Conn, o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.MaxLine <= 0 {
		o.MaxLine = 4096
	}
	if o.Trace == nil {
		o.Trace = func(string, string) {}
	}
	c := &Client{raw: conn, conn: conn, options: o}
	c.in = bufio.NewReaderSize(timed{c}, o.MaxLine)
	return c
}

// Greeting reads the server's first line (RFC 1939 4) and returns its text. It comes before everything else.
func (c *Client) Greeting(ctx context.Context) (string, error) {
	defer c.watch(ctx)()
	text, err := c.read("")
	if err != nil {
		return "", c.end(ctx, err)
	}
	c.stamp = timestamp(text)
	return text, nil
}

// timestamp finds "<1896.697170952@dbc.mtview.ca.us>" in a greeting (RFC 1939 7), the sign that APOP is offered.
func timestamp(greeting string) string {
	_, rest, opened := strings.Cut(greeting, "<")
	inside, _, closed := strings.Cut(rest, ">")
	if !opened || !closed || !strings.Contains(inside, "@") {
		return ""
	}
	return "<" + inside + ">"
}

// ErrInjected says that something stood between the reply to STLS and the first byte of TLS: taken as said over
// TLS, it would let anybody on the way speak for the server (CVE-2011-0411).
var ErrInjected = errors.New("bytes in the clear after the reply to STLS")

// StartTLS asks for TLS (STLS, RFC 2595 4). When it returns nil the server waits for the handshake; the caller does
// that on the connection that it gave to New, as it sees fit, and hands the result to Upgrade.
func (c *Client) StartTLS(ctx context.Context) error {
	if _, err := c.ask(ctx, "STLS", "STLS"); err != nil {
		return err
	}
	if c.in.Buffered() > 0 {
		c.broken = true
		return ErrInjected
	}
	return nil
}

// Upgrade goes on over TLS. Capabilities must be asked for again: what was said in the clear counts no more.
func (c *Client) Upgrade(conn net.Conn) {
	c.conn = conn
	c.in.Reset(timed{c})
	c.stamp = ""
}

// Quit ends the session; the server deletes now what was marked (RFC 1939 6). An error means that it may not have.
func (c *Client) Quit(ctx context.Context) error {
	_, err := c.ask(ctx, "QUIT", "QUIT")
	c.broken = true
	return errors.Join(err, ignoreClosed(c.conn.Close()))
}

// Close closes the connection without a word. Nothing is deleted. After Quit it does nothing.
func (c *Client) Close() error {
	c.broken = true
	return ignoreClosed(c.conn.Close())
}

// Usable reports whether the session can go on.
func (c *Client) Usable() bool { return !c.broken }

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
