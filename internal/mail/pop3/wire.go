package pop3

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"
)

var (
	errControlByte = errors.New("a command with a control character was not sent")
	errStreamOpen  = errors.New("a message or a listing has not been read to its end")
)

// watch closes the connection when ctx ends, until the returned function is called.
func (c *Client) watch(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.raw.Close() })
}

// end gives up the session if err is no orderly refusal, and puts the reason in front when it was ctx.
func (c *Client) end(ctx context.Context, err error) error {
	var refusal *Error
	if err == nil || errors.As(err, &refusal) || errors.Is(err, ErrSASL) {
		return err
	}
	c.broken = true
	if ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

// ask sends a command and reads its reply. Shown is the command as a trace may see it.
func (c *Client) ask(ctx context.Context, command, shown string) (string, error) {
	if err := c.ready(); err != nil {
		return "", err
	}
	defer c.watch(ctx)()
	if err := c.put(command, shown); err != nil {
		return "", c.end(ctx, err)
	}
	text, err := c.read(command)
	return text, c.end(ctx, err)
}

// ready refuses to talk into a stream or a session that is over.
func (c *Client) ready() error {
	switch {
	case c.broken:
		return net.ErrClosed
	case c.streams:
		return errStreamOpen
	}
	return nil
}

// put sends one line. Nothing with a line break leaves as a command, whatever it was made of.
func (c *Client) put(line, shown string) error {
	if strings.ContainsAny(line, "\r\n\x00") {
		return errControlByte
	}
	c.options.Trace("client", shown)
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.options.Timeout)); err != nil {
		return err
	}
	_, err := io.WriteString(c.conn, line+"\r\n")
	return err
}

// read reads the reply to a command; -ERR is an *Error.
func (c *Client) read(command string) (string, error) {
	kind, text, err := c.readStatus()
	switch {
	case err != nil:
		return "", err
	case kind == positive:
		return text, nil
	case kind == negative:
		return "", newError(command, text)
	}
	return "", ErrNotPOP3
}

func (c *Client) readStatus() (status, string, error) {
	line, err := c.readLine()
	if err != nil {
		return notPOP3, "", err
	}
	switch kind, text := parseStatus(line); kind {
	case notPOP3: // it is somebody else's, so nobody gets to see it
		return notPOP3, "", ErrNotPOP3
	case goOn:
		c.options.Trace("server", "+ [challenge]")
		return goOn, text, nil
	case positive, negative:
	}
	line = c.redact(line)
	c.options.Trace("server", printable(line))
	kind, text := parseStatus(line)
	return kind, text, nil
}

// timed reads from the connection, waiting no longer than the timeout for each part.
type timed struct{ *Client }

func (t timed) Read(p []byte) (int, error) {
	if err := t.conn.SetReadDeadline(time.Now().Add(t.options.Timeout)); err != nil {
		return 0, err
	}
	return t.conn.Read(p)
}

// readLine reads a line outside of messages; its end may be a bare LF there.
func (c *Client) readLine() (string, error) {
	slice, err := c.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", ErrLineTooLong
	case err != nil:
		return "", err
	}
	return strings.TrimRight(string(slice), "\r\n"), nil
}

// redact removes what a server quotes of a sign-in ("-ERR unknown command AUTH PLAIN AGFu..."). Servers cut what
// they quote, so the beginning is enough to recognise it.
func (c *Client) redact(text string) string {
	for _, secret := range c.hush {
		text = strings.ReplaceAll(text, secret, "[secret]")
		if before, rest, found := strings.Cut(text, secret[:min(len(secret), 8)]); found {
			_, after, _ := strings.Cut(rest, " ")
			text = strings.TrimSpace(before + "[secret] " + after)
		}
	}
	return text
}
