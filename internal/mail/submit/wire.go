package submit

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

// Bounds on what a server may say. RFC 5321 4.5.3.1.5 allows 512 octets a line; some send more.
const (
	maxReplyLine  = 4096
	maxReplyLines = 100
)

var (
	errNotSMTP     = errors.New("the answer is not an SMTP reply")
	errLongReply   = errors.New("the reply is longer than an SMTP reply may be")
	errControlByte = errors.New("a command with a control character was not sent")
)

// wire is the connection: commands out, replies in, each bounded in time and in size, each in the transcript.
type wire struct {
	raw      net.Conn // as dialled; closing it wakes whoever waits
	conn     net.Conn // raw, or TLS over it
	in       *bufio.Reader
	out      *bufio.Writer
	timeouts Timeouts

	// A server that quotes what it was given must not bring it into the transcript.
	hush    []string       // payloads of the running AUTH
	secrets []vault.Secret // passwords and tokens that were used, for the whole connection
}

func newWire(conn net.Conn, timeouts Timeouts) *wire {
	w := &wire{raw: conn, conn: conn, timeouts: timeouts}
	w.in = bufio.NewReaderSize(conn, maxReplyLine)
	w.out = bufio.NewWriterSize(w, 32<<10)
	return w
}

// Write sends what the buffer holds; every write has the time of a command, so a long message over a slow
// line is no timeout as long as it moves.
func (w *wire) Write(p []byte) (int, error) {
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.timeouts.Command)); err != nil {
		return 0, err
	}
	return w.conn.Write(p)
}

// upgrade goes on over TLS. The caller has made sure that nothing is buffered.
func (w *wire) upgrade(conn *tls.Conn) {
	w.conn = conn
	w.in.Reset(conn)
	w.out.Reset(w)
}

// watch closes the connection when ctx ends, until stop is called.
func (w *wire) watch(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = w.raw.Close() })
}

// put buffers a command. It is the last line of defence against injected lines: nothing with a line break
// in it leaves as a command, whatever the checks above have let through.
func (w *wire) put(command string) error {
	if strings.ContainsAny(command, "\r\n\x00") {
		return errControlByte
	}
	_, err := w.out.WriteString(command)
	if err == nil {
		_, err = w.out.WriteString("\r\n")
	}
	return err
}

// ask sends a command and reads its reply.
func (w *wire) ask(l *ladder.Ladder, command, shown string) (reply, error) {
	l.Record("orbit", shown)
	if err := w.put(command); err != nil {
		return reply{}, err
	}
	return w.read(l, w.timeouts.Command)
}

// read sends what is buffered and reads one reply. When the server has closed the connection its last words
// may still be there ("421 too many connections"): they say more than the failed write.
func (w *wire) read(l *ladder.Ladder, timeout time.Duration) (reply, error) {
	unsent := w.out.Flush()
	if unsent != nil {
		timeout = min(timeout, w.timeouts.Quit)
	}
	if err := w.conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return reply{}, errors.Join(unsent, err)
	}
	r, err := w.readReply(l)
	if err != nil && unsent != nil {
		return reply{}, unsent
	}
	return r, err
}

func (w *wire) readReply(l *ladder.Ladder) (reply, error) {
	var r reply
	for range maxReplyLines {
		line, err := w.readLine()
		if err != nil {
			return reply{}, err
		}
		code, text, last, ok := parseLine(line)
		if !ok || r.lines != nil && code != r.code {
			return reply{}, errNotSMTP
		}
		r.add(code, text)
		transcribe(l, code, line)
		if last {
			return r, nil
		}
	}
	return reply{}, errLongReply
}

// transcribe writes a line into the transcript; a challenge of AUTH is no text for people.
func transcribe(l *ladder.Ladder, code int, line string) {
	switch {
	case l == nil:
	case code == 334:
		l.Record("server", "334 [challenge]")
	default:
		l.Record("server", printable(line))
	}
}

func (w *wire) readLine() (string, error) {
	slice, err := w.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errLongReply
	}
	if err != nil {
		return "", err
	}
	return w.redact(strings.TrimRight(string(slice), "\r\n")), nil
}

// redact removes what a server quotes of a sign-in ("500 unknown command AUTH PLAIN AGFu..."). Servers cut
// what they quote, so the beginning is enough to recognise it. Some quote the password itself.
func (w *wire) redact(line string) string {
	for _, secret := range w.secrets {
		line = secret.Redact(line)
	}
	for _, secret := range w.hush {
		if before, rest, found := strings.Cut(line, secret[:min(len(secret), 8)]); found {
			_, after, _ := strings.Cut(rest, " ")
			line = strings.TrimSpace(before + "[secret] " + after)
		}
	}
	return line
}
