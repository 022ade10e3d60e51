package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"orbit/internal/mail/dial"
)

// Limits of a session that has not signed in.
const (
	signInTime    = 5 * time.Minute  // RFC 5321 4.5.3.2.7; from connecting to signing in
	replyTime     = 30 * time.Second // to take one of our replies
	handshakeTime = 10 * time.Second
	maxErrors     = 10       // commands that we refuse
	maxFailures   = 5        // sign-ins that fail
	maxSASL       = 12288    // RFC 4954 4: a base64 line, also for IMAP and POP3
	maxFlood      = 64 << 10 // what is read and thrown away of a line that is too long
)

// readers hold the lines of clients and servers until the relay begins.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}

func newReader(from io.Reader) *bufio.Reader {
	r := readers.Get().(*bufio.Reader)
	r.Reset(from)
	return r
}

func releaseReader(r *bufio.Reader) {
	r.Reset(nil)
	readers.Put(r)
}

// client is the local side until the relay begins. One command is read, answered, and only then the next.
type client struct {
	end
	listener Listener
	name     string                         // of this machine, for SMTP's greeting
	tls      *tls.Config                    // nil without a certificate
	secure   bool                           // TLS is in use
	offer    func(context.Context) []string // extensions learnt from the server
	bareLF   bool                           // the last line ended without CR
	hello    string                         // SMTP: what the client calls itself; the server hears the same
	errors   int                            // commands refused so far
	failures int                            // sign-ins failed so far
}

// readLine returns the next line without its end, valid until the next read.
func (c *client) readLine(limit int) ([]byte, error) {
	line, whole, err := readLine(c.in, limit)
	if err != nil {
		return nil, err
	}
	c.bareLF = !bytes.HasSuffix(whole, []byte("\r\n"))
	return line, nil
}

// readLine reads a line of at most limit octets with its end. A longer one is skipped up to its end.
func readLine(in *bufio.Reader, limit int) (line, whole []byte, err error) {
	whole, err = in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		whole, err = readLong(in, limit, whole)
	}
	if err != nil {
		return nil, nil, err
	}
	if len(whole) > limit {
		return nil, nil, errLineTooLong
	}
	return bytes.TrimSuffix(whole[:len(whole)-1], []byte("\r")), whole, nil
}

// readLong goes on with a line that is longer than the reader's buffer.
func readLong(in *bufio.Reader, limit int, start []byte) ([]byte, error) {
	whole, read := bytes.Clone(start), len(start)
	for {
		part, err := in.ReadSlice('\n')
		read += len(part)
		if read <= limit {
			whole = append(whole, part...)
		}
		switch {
		case err == nil && read > limit:
			return nil, errLineTooLong
		case err == nil || !errors.Is(err, bufio.ErrBufferFull):
			return whole, err
		case read > maxFlood:
			return nil, errFlood
		}
	}
}

// say sends one or more lines.
func (c *client) say(format string, args ...any) error {
	return c.send(fmt.Sprintf(format, args...) + "\r\n")
}

func (c *client) send(lines string) error {
	_ = c.conn.SetWriteDeadline(time.Now().Add(replyTime))
	_, err := io.WriteString(c.conn, lines)
	return err
}

// complain answers a wrong command; a client that sends nothing else is sent away.
func (c *client) complain(format string, args ...any) error {
	c.errors++
	if err := c.say(format, args...); err != nil {
		return err
	}
	if c.errors >= maxErrors {
		return errTooMany
	}
	return nil
}

// offersTLS reports whether STARTTLS or STLS can be used now.
func (c *client) offersTLS() bool { return c.listener.LocalSecurity == dial.STARTTLS && !c.secure }

// startTLS upgrades the connection after the reply that allows it. What the client pipelined behind its
// command was sent in clear, perhaps by somebody else: RFC 3207 4.2 and its like in RFC 2595.
func (c *client) startTLS(ctx context.Context, reply string) error {
	if c.in.Buffered() > 0 {
		return errInjected
	}
	if err := c.say("%s", reply); err != nil {
		return err
	}
	return c.handshake(ctx)
}

// handshake puts TLS above the wire.
func (c *client) handshake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	conn := tls.Server(c.wire, c.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	c.conn, c.secure = conn, true
	c.in.Reset(conn)
	return nil
}

// decode64 decodes a SASL line; "=" is a response that is empty but there (RFC 4954 4, RFC 9051 6.2.2).
func decode64(text string) ([]byte, error) {
	if text == "=" {
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(text)
}

// oneLine makes text from elsewhere fit into a line of ours.
func oneLine(text string) string {
	const most = 400 // RFC 5321 4.5.3.1.5: a reply line has 512 octets
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if len(text) > most {
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "?")
}
