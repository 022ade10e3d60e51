package fetch

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
)

// maxLine bounds a line of IMAP: no server says more at once before the sign-in, and few after it.
const maxLine = 8 << 10

var errControlByte = errors.New("a command with a control character was not sent")

// wire is an IMAP connection: lines before the sign-in, and from then on what go-imap runs on.
type wire struct {
	raw      *gulping // as dialled; closing it wakes whoever waits
	conn     net.Conn // raw, or TLS over it
	in       *bufio.Reader
	timeouts Timeouts
	hush     []string // payloads of AUTHENTICATE: a server that quotes them must not bring them into the transcript

	mu      sync.Mutex // go-imap reads in a goroutine of its own
	waiting bool       // somebody waits for an answer: reads have a deadline
	limit   time.Duration
	armed   time.Time // when the deadline was set
	lost    error     // why the connection is of no use any more
	bye     *Refusal  // what the server said before it hung up
}

func newWire(conn *gulping, timeouts Timeouts) *wire {
	w := &wire{raw: conn, conn: conn, timeouts: timeouts}
	w.in = bufio.NewReaderSize(timed{w}, maxLine)
	return w
}

// upgrade goes on over TLS. The caller has made sure that nothing is buffered.
func (w *wire) upgrade(conn net.Conn) {
	w.conn = conn
	w.armed = time.Time{}
	w.in.Reset(timed{w})
}

// expect gives the server the time of a command for its answer, and again for each further part of it. It also
// reaches a read that is under way already.
func (w *wire) expect(limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting, w.limit = true, limit
	w.setDeadline(time.Now())
}

// rest lets reads wait for ever: the answer is complete, or IDLE has begun.
func (w *wire) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = false
	w.setDeadline(time.Now())
}

// renew moves the deadline on while an answer goes on. A small part of the limit is not worth the trouble.
func (w *wire) renew() {
	if !w.waiting {
		return
	}
	if now := time.Now(); now.Sub(w.armed) > w.limit/20 {
		w.setDeadline(now)
	}
}

func (w *wire) setDeadline(now time.Time) {
	deadline := time.Time{}
	if w.waiting {
		deadline = now.Add(w.limit)
	}
	w.armed = now
	_ = w.conn.SetReadDeadline(deadline) // a closed connection says so in the read
}

// timed reads from the connection with the deadline that holds at the moment. Its errors are for ever: go-imap reads
// on after one.
type timed struct{ *wire }

func (t timed) Read(p []byte) (int, error) {
	t.mu.Lock()
	lost := t.lost
	t.renew()
	t.mu.Unlock()
	if lost != nil {
		return 0, lost
	}
	n, err := t.conn.Read(p)
	if errors.Is(err, io.EOF) { // never in order: this end hangs up first
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		t.lose(err)
	}
	return n, err
}

// lose remembers the first reason.
func (w *wire) lose(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost == nil {
		w.lost = err
	}
}

// fate returns why the connection is of no use: the server's last words if it said any, else the network's error. It
// is nil while all is well.
func (w *wire) fate() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bye != nil && (w.lost == nil || !errors.Is(w.lost, net.ErrClosed)) {
		return w.bye
	}
	return w.lost
}

// farewell remembers a BYE (RFC 9051 7.1.5).
func (w *wire) farewell(r *Refusal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bye = r
}

// put sends one line. Nothing with a line break leaves as a command, whatever it was made of.
func (w *wire) put(l *ladder.Ladder, line, shown string) error {
	if strings.ContainsAny(line, "\r\n\x00") {
		return errControlByte
	}
	l.Record("orbit", shown)
	return w.send(line + "\r\n")
}

func (w *wire) send(text string) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.timeouts.Command)); err != nil {
		return err
	}
	_, err := io.WriteString(w.conn, text)
	return err
}

// readLine reads a line before the sign-in.
func (w *wire) readLine() (string, error) {
	slice, err := w.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errMalformed
	case err != nil:
		return "", err
	}
	return strings.TrimRight(string(slice), "\r\n"), nil
}

// redact removes what a server quotes of a sign-in ("BAD unknown command AUTHENTICATE PLAIN AGFu..."). Servers cut
// what they quote, so the beginning is enough to recognise it.
func (w *wire) redact(line string) string {
	for _, secret := range w.hush {
		line = strings.ReplaceAll(line, secret, "[secret]")
		if before, rest, found := strings.Cut(line, secret[:min(len(secret), 8)]); found {
			_, after, _ := strings.Cut(rest, " ")
			line = strings.TrimSpace(before + "[secret] " + after)
		}
	}
	return line
}

// minQuiet is the shortest secret to look for: a shorter one would blot out half of what a server says.
const minQuiet = 4

// keepQuiet hides a secret from the transcript.
func (w *wire) keepQuiet(secret string) {
	if len(secret) >= minQuiet {
		w.hush = append(w.hush, secret)
	}
}

func transcribe(ctx context.Context, line string) {
	ladder.From(ctx).Record("server", explain.Clean(line))
}
