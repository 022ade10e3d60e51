package pop3

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
)

// Retrieve opens a message (RETR, RFC 1939 5). It comes as it is on the wire, lines ending in CRLF, without the
// dots that protect them. More than limit octets are ErrTooLarge. The caller reads it to the end or closes it before
// asking anything else; ctx holds for the reading too.
func (c *Client) Retrieve(ctx context.Context, number int, limit int64) (io.ReadCloser, error) {
	return c.open(ctx, "RETR "+strconv.Itoa(number), limit)
}

// Top opens a message's header and the first lines of its body (TOP, RFC 1939 7), like Retrieve.
func (c *Client) Top(ctx context.Context, number, lines int, limit int64) (io.ReadCloser, error) {
	return c.open(ctx, "TOP "+strconv.Itoa(number)+" "+strconv.Itoa(lines), limit)
}

func (c *Client) open(ctx context.Context, command string, limit int64) (io.ReadCloser, error) {
	if _, err := c.ask(ctx, command, command); err != nil {
		return nil, err
	}
	c.streams = true
	stop := c.watch(ctx)
	return &message{
		client: c, left: limit, atStart: true,
		finish: func(err error) error { stop(); return c.end(ctx, err) },
	}, nil
}

// message reads a multi-line answer up to the line with the dot.
//
// A line ends with CR LF and nothing else: a bare LF belongs to the line. A reader that is kinder lets the sender of a
// mail end it early with LF dot LF, and speak for the server with what follows.
type message struct {
	client  *Client
	rest    []byte // read from the connection, not yet by the caller; valid until the next read of the connection
	left    int64  // octets within the limit
	atStart bool   // the next byte starts a line
	cr      bool   // the last byte was CR
	err     error  // set once: io.EOF at the end
	finish  func(error) error
}

var crlf = []byte("\r\n")

// Read fills p with as much as is there.
func (m *message) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(m.rest) == 0 && (n > 0 && m.client.in.Buffered() == 0 || m.fill() != nil) {
			break
		}
		copied := copy(p[n:], m.rest)
		m.rest = m.rest[copied:]
		n += copied
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, m.err
}

// fill gets the next part of a line.
func (m *message) fill() error {
	if m.err != nil {
		return m.err
	}
	part, err := m.client.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) { // a long line comes in parts
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return m.fail(err)
	}
	if m.atStart && part[0] == '.' {
		part = part[1:]
		if bytes.Equal(part, crlf) {
			m.client.streams = false
			_ = m.finish(nil)
			m.err = io.EOF
			return io.EOF
		}
	}
	return m.take(part)
}

// take hands a part to the caller, within the limit.
func (m *message) take(part []byte) error {
	m.atStart = bytes.HasSuffix(part, crlf) || m.cr && len(part) == 1 && part[0] == '\n'
	m.cr = len(part) > 0 && part[len(part)-1] == '\r'
	m.left -= int64(len(part))
	if m.left < 0 {
		return m.fail(ErrTooLarge)
	}
	m.rest = part
	return nil
}

// fail ends the stream, and the session with it: what follows on the connection is the rest of a message.
func (m *message) fail(err error) error {
	m.err = m.finish(err)
	return m.err
}

// Close skips what has not been read. When that is much, it gives the connection up instead.
func (m *message) Close() error {
	if m.ended() {
		return nil
	}
	m.left = maxSkip
	for m.fill() == nil {
		m.rest = nil
	}
	m.rest = nil
	return ignoreEOF(m.err)
}

func (m *message) ended() bool { return m.err != nil }

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
