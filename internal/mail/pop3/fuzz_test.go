package pop3

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unicode"

	"orbit/internal/mail/sasl"
	"orbit/internal/vault"
)

// canned is a server that says what it says, whatever it is asked.
type canned struct {
	net.Conn
	said *bytes.Reader
}

func (c canned) Read(p []byte) (int, error)       { return c.said.Read(p) }
func (c canned) Write(p []byte) (int, error)      { return len(p), nil }
func (c canned) Close() error                     { return nil }
func (c canned) SetReadDeadline(time.Time) error  { return nil }
func (c canned) SetWriteDeadline(time.Time) error { return nil }

func cannedClient(said []byte, o Options) *Client {
	return New(canned{said: bytes.NewReader(said)}, o)
}

// Whatever a server answers: no panic, no error text that could write to a terminal, nothing after the session is
// given up, and a message never longer than its limit.
func FuzzResponses(f *testing.F) {
	for _, seed := range []string{
		"+OK <1@b>\r\n+OK\r\nTOP\r\nSASL PLAIN\r\n.\r\n+OK\r\n+OK\r\n+OK 1 2\r\n+OK\r\n1 2\r\n.\r\n+OK\r\n1 id\r\n.\r\n+OK\r\n..a\r\n.\r\n+OK\r\na\r\n.\r\n+OK\r\n+OK\r\n",
		"-ERR [SYS/TEMP] later\r\n", "+OK\r\n-ERR\r\n+ eA==\r\n-ERR\r\n", "+OK\r\n+OK\r\n.\r\n+ \r\n+OK\r\n+OK 1 1\r\n+OK\r\n.\r\n+OK\r\n.\r\n+OK\r\na\n.\n+OK\r\n.\r\n",
		"HTTP/1.1 200 OK\r\n\r\n", "+OK\n.\n", "+OK " + strings.Repeat("x", 5000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		ctx := t.Context()
		c := cannedClient(said, Options{Trace: func(_, text string) { checkPrintable(t, text) }})
		steps := []func() error{
			func() error { _, err := c.Greeting(ctx); return err },
			func() error { _, err := c.Capabilities(ctx); return err },
			func() error {
				_, err := c.Authenticate(ctx, sasl.NewXOAuth2("ann", vault.NewSecret(testToken)))
				return err
			},
			func() error { _, err := c.Stat(ctx); return err },
			func() error { _, err := collect(c.Sizes(ctx)); return err },
			func() error { _, err := collect(c.UIDs(ctx)); return err },
			func() error {
				text, err := read(ctx, c, 100)
				if len(text) > 100 {
					t.Errorf("%d octets of a message of 100", len(text))
				}
				return err
			},
			func() error { return c.Quit(ctx) },
		}
		for _, step := range steps {
			usable := c.Usable()
			err := step()
			if err != nil {
				checkPrintable(t, err.Error())
			}
			if !usable && !errors.Is(err, net.ErrClosed) && c.said() > 0 {
				t.Fatalf("a session that was given up went on: %v", err)
			}
		}
	})
}

// said counts what the client has received and not looked at.
func (c *Client) said() int { return c.in.Buffered() }

func checkPrintable(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' { // errors.Join
			t.Fatalf("control character %q in %q", r, text)
		}
	}
}

// What a server protects with dots and sends comes out as it was.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{"", "a\r\n", ".\r\n", "..\r\n.a\r\n", "a\n.\n", "\r\r\n.\r\n", strings.Repeat("x", 5000) + "\r\n.\r\n"} {
		f.Add(seed, uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, lines uint8) {
		text = strings.Repeat("x", int(lines)*31) + text
		if !strings.HasSuffix(text, "\r\n") {
			text += "\r\n"
		}
		stuffed := strings.ReplaceAll("\r\n"+text, "\r\n.", "\r\n..")[2:]
		c := cannedClient([]byte("+OK\r\n"+stuffed+".\r\n+OK\r\n"), Options{MaxLine: 64})
		got, err := read(t.Context(), c, int64(len(text)))
		if err != nil || got != text {
			t.Fatalf("got %q, want %q, %v", got, text, err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkRetrieve(b *testing.B) {
	body := bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog. 0123456789 abcdef\r\n"), 16<<10)
	said := bytes.Join([][]byte{[]byte("+OK\r\n"), body, []byte(".\r\n")}, nil)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		m, err := cannedClient(said, Options{}).Retrieve(b.Context(), 1, 1<<30)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, m); err != nil || n != int64(len(body)) {
			b.Fatal(n, err)
		}
	}
}
