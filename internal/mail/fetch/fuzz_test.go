package fetch

import (
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"orbit/internal/mail/ladder"
)

// canned is a server that says what it says, whatever it is asked, and then hangs up. It waits for a moment to be
// asked, before it goes on behind a tagged line: go-imap takes no answers in advance.
type canned struct {
	said   []byte
	asked  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newCanned(said []byte) *canned {
	return &canned{said: said, asked: make(chan struct{}, 1), closed: make(chan struct{})}
}

var tagged = regexp.MustCompile(`(?m)^(?:[ofT][0-9]+ |\+ ?).*\n`)

func (c *canned) Read(p []byte) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	case <-c.asked:
	case <-time.After(2 * time.Millisecond):
	}
	if len(c.said) == 0 {
		return 0, io.EOF
	}
	n := len(c.said)
	if at := tagged.FindIndex(c.said); at != nil {
		n = at[1]
	}
	n = copy(p, c.said[:n])
	c.said = c.said[n:]
	return n, nil
}

func (c *canned) Write(p []byte) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (c *canned) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *canned) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *canned) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

// handing is a Dialer for one connection.
type handing struct{ net.Conn }

func (h handing) Dial(context.Context, string, int) (net.Conn, error) { return h.Conn, nil }

// Whatever a server says on the way up and in the mailbox: no panic, every error explained, nothing in the transcript
// that could write to a terminal, no message beyond its limit, and an end.
func FuzzVisit(f *testing.F) {
	imap := "* OK ready\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\no1 OK x\r\no2 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] x\r\n" +
		"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\nT1 OK x\r\n* SEARCH 1 2\r\nT2 OK x\r\n* 1 FETCH (UID 1 RFC822.SIZE 4)\r\n* 2 FETCH (UID 2 RFC822.SIZE 4)\r\nf1 OK x\r\n" +
		"* 1 FETCH (UID 1 BODY[] {4}\r\nText)\r\n* 2 FETCH (UID 2 BODY[] \"Text\")\r\nf2 OK x\r\n* BYE\r\nT3 OK x\r\n"
	pop3 := "+OK <1@b>\r\n+OK\r\nSASL PLAIN\r\n.\r\n+OK\r\n+OK 1 4\r\n+OK\r\n1 id\r\n.\r\n+OK\r\n1 4\r\n.\r\n+OK\r\nText\r\n.\r\n+OK\r\n"
	for _, seed := range []string{
		imap, strings.ReplaceAll(imap, "{4}", "{400000}"), strings.ReplaceAll(imap, "{4}", "{-4}"), strings.ReplaceAll(imap, "UID 1 BODY", "BODY"),
		"* BYE [ALERT] \x1b[31m\r\n", "* OK [CAPABILITY AUTH=PLAIN]\r\n+ x\r\no1 NO [INUSE\r\n", "* PREAUTH\r\n",
	} {
		f.Add([]byte(seed), false)
	}
	f.Add([]byte(pop3), true)
	f.Add([]byte(strings.ReplaceAll(pop3, "1 id", "2 id")), true)
	f.Fuzz(func(t *testing.T, said []byte, isPOP3 bool) {
		a := account(IMAP)
		if isPOP3 {
			a.Protocol = POP3
		}
		a.MaxSize = 100
		l := ladder.New(nil)
		ctx, cancel := context.WithTimeout(ladder.With(t.Context(), l), 10*time.Second)
		defer cancel()
		err := visitOnce(ctx, t, handing{newCanned(said)}, a)
		if ctx.Err() != nil {
			t.Fatal("no end")
		}
		for _, s := range l.Steps() {
			checkPrintable(t, s.Result)
			for _, line := range s.Transcript {
				checkPrintable(t, line.Text)
			}
			if s.Fault != nil {
				checkPrintable(t, s.Fault.Reply)
			}
		}
		checkExplained(t, err)
	})
}

// visitOnce does everything that can be done in a mailbox.
func visitOnce(ctx context.Context, t *testing.T, d handing, a Server) error {
	m, err := Open(ctx, d, a)
	if err != nil {
		return err
	}
	defer m.Close(ctx)
	var refs []Ref
	for ref, err := range m.New(ctx, Cursor{}) {
		if err != nil {
			return err
		}
		if refs = append(refs, ref); len(refs) == 100 {
			break
		}
	}
	for message, err := range m.Fetch(ctx, refs...) {
		if err != nil {
			return err
		}
		text, err := io.ReadAll(message.Body)
		if int64(len(text)) > a.MaxSize {
			t.Errorf("%d octets", len(text))
		}
		if err != nil {
			return nil //nolint:nilerr // ErrTooLarge needs no explanation, others have one
		}
	}
	return m.Delete(ctx, refs...)
}

func checkExplained(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	e, ok := err.(*ladder.Error) //nolint:errorlint // it must be this very one
	if !ok || e.Fault.Code == "" || e.Fault.Cause == "" || e.Fault.Remedy == "" {
		t.Fatalf("%v is not explained", err)
	}
}

func checkPrintable(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			t.Fatalf("control character %q in %q", r, text)
		}
	}
}

// Wherever the stream is cut into reads, the scanner sees the same.
func FuzzScanner(f *testing.F) {
	f.Add([]byte("* 1 FETCH (BODY[] {4}\r\n\r\n* )\r\nT1 OK {3}\r\n+ x\r\n"), uint8(3))
	f.Add([]byte("* 1 FETCH (BODY[] {0}\r\n {18446744073709551615}\r\n\n* BYE"), uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		whole, err := heads(stream, len(stream)+1)
		parts, errParts := heads(stream, int(step)+1)
		if whole != parts || (err == nil) != (errParts == nil) {
			t.Fatalf("at once %q, %v; in parts %q, %v", whole, err, parts, errParts)
		}
	})
}

func heads(stream []byte, step int) (string, error) {
	var seen strings.Builder
	s := scanner{maxLiteral: 1000, ended: func(head []byte) { seen.Write(head); seen.WriteByte('|') }}
	for len(stream) > 0 {
		n := min(step, len(stream))
		if err := s.scan(stream[:n]); err != nil {
			return seen.String(), err
		}
		stream = stream[n:]
	}
	return seen.String(), nil
}
