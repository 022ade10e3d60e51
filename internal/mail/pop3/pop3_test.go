package pop3

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"orbit/internal/mail/mailtest"
)

func TestASessionFromGreetingToQuit(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := greeted(t,
		"C: CAPA", "S: +OK", "S: TOP", "S: UIDL", "S: SASL PLAIN", "S: SASL xoauth2", "S: IMPLEMENTATION x y", "S: .",
		"C: USER ann", "S: +OK", "C: PASS secret word", "S: +OK 2 messages",
		"C: STAT", "S: +OK 2 320 and more",
		"C: LIST", "S: +OK", "S: 1 120", "S: 2 200 bytes", "S: .",
		"C: UIDL", "S: +OK", "S: 1 whqtswO00WBw418f9t5JxYwZ", "S: 2 QhdPYR:00WBw1Ph7x7", "S: .",
		"C: TOP 2 0", "S: +OK", "S: Subject: x", "S: ", "S: .",
		"C: NOOP", "S: +OK", "C: DELE 1", "S: +OK", "C: RSET", "S: +OK", "C: DELE 2", "S: +OK",
		"C: QUIT", "S: +OK bye")
	offered, err := c.Capabilities(ctx)
	if err != nil || !offered.Has("uidl") || !slices.Equal(offered.Mechanisms(), []string{"PLAIN", "XOAUTH2"}) ||
		!slices.Equal(offered.Names(), []string{"IMPLEMENTATION", "SASL", "TOP", "UIDL"}) {
		t.Errorf("%v, %v", offered, err)
	}
	if text, err := c.Login(ctx, "ann", "secret word"); err != nil || text != "2 messages" {
		t.Errorf("%q, %v", text, err)
	}
	if s, err := c.Stat(ctx); err != nil || s != (Stat{2, 320}) {
		t.Errorf("%v, %v", s, err)
	}
	if sizes, err := collect(c.Sizes(ctx)); err != nil || !slices.Equal(sizes, []Size{{1, 120}, {2, 200}}) {
		t.Errorf("%v, %v", sizes, err)
	}
	if ids, err := collect(c.UIDs(ctx)); err != nil || !slices.Equal(ids, []UID{{1, "whqtswO00WBw418f9t5JxYwZ"}, {2, "QhdPYR:00WBw1Ph7x7"}}) {
		t.Errorf("%v, %v", ids, err)
	}
	header, err := c.Top(ctx, 2, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(header); err != nil || string(text) != "Subject: x\r\n\r\n" {
		t.Errorf("%q, %v", text, err)
	}
	if err := errors.Join(c.Noop(ctx), c.Delete(ctx, 1), c.Reset(ctx), c.Delete(ctx, 2), c.Quit(ctx), c.Close()); err != nil {
		t.Error(err)
	}
	if _, err := c.Stat(ctx); !errors.Is(err, net.ErrClosed) || c.Usable() {
		t.Errorf("after QUIT: %v", err)
	}
}

func TestAnOldServerKnowsNoCapabilities(t *testing.T) {
	t.Parallel()
	c := greeted(t, "C: CAPA", "S: -ERR unknown command", "C: NOOP", "S: +OK")
	if offered, err := c.Capabilities(t.Context()); offered != nil || err != nil {
		t.Errorf("%v, %v", offered, err)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRefusalsKeepTheirCode(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Error{
		"-ERR [IN-USE] Do you have another session?": {Command: "STAT", Code: CodeInUse, Text: "Do you have another session?"},
		"-ERR [sys/temp]":             {Command: "STAT", Code: CodeSysTemp},
		"-err":                        {Command: "STAT"},
		"-ERR [unfinished":            {Command: "STAT", Text: "[unfinished"},
		"-ERR no \x1b[31mcolour\x07s": {Command: "STAT", Text: "no  [31mcolour s"},
	} {
		c := greeted(t, "C: STAT", "S: "+line, "C: NOOP", "S: +OK")
		_, err := c.Stat(t.Context())
		var refusal *Error
		if !errors.As(err, &refusal) || *refusal != want {
			t.Errorf("%q: %#v", line, err)
		}
		if err := c.Noop(t.Context()); err != nil { // a refusal does not end the session
			t.Error(err)
		}
	}
	if e := (&Error{Command: "STAT", Code: CodeInUse, Text: "busy"}); !e.Temporary() || e.Error() != "STAT: the server answered -ERR [IN-USE] busy" {
		t.Errorf("%v", e)
	}
}

func TestWhatIsNoPOP3EndsTheSession(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"another protocol": {"S: HTTP/1.1 400 Bad Request"},
		"a continuation":   {"S: + what"},
		"an endless line":  {"S- +OK " + strings.Repeat("x", 9000)},
		"nothing":          {"drop"},
	} {
		c := New(script(t, lines...), Options{})
		_, err := c.Greeting(t.Context())
		if err == nil || c.Usable() || strings.Contains(err.Error(), "HTTP") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, lines := range map[string][]string{
		"STAT without numbers": {"C: STAT", "S: +OK two"},
		"STAT below zero":      {"C: STAT", "S: +OK -1 -1"},
	} {
		c := greeted(t, lines...)
		if _, err := c.Stat(t.Context()); !errors.Is(err, ErrNotPOP3) || c.Usable() {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, line := range map[string]string{"no number": "x id", "no id": "1 ", "zero": "0 id", "control": "1 a\x00b"} {
		c := greeted(t, "C: UIDL", "S: +OK", "S: "+line)
		if _, err := collect(c.UIDs(t.Context())); !errors.Is(err, ErrNotPOP3) || c.Usable() {
			t.Errorf("UIDL with %s: %v", name, err)
		}
	}
	endless := append([]string{"C: CAPA", "S: +OK"}, slices.Repeat([]string{"S: X"}, maxCapabilities+1)...)
	if _, err := greeted(t, endless...).Capabilities(t.Context()); !errors.Is(err, ErrLineTooLong) {
		t.Errorf("endless capabilities: %v", err)
	}
}

func TestMessagesComeAsTheyWereSent(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 2000)
	for name, c := range map[string]struct{ wire, want string }{
		"plain":                  {"a\r\nb\r\n.\r\n", "a\r\nb\r\n"},
		"empty":                  {".\r\n", ""},
		"dots":                   {"..\r\n...a\r\n..b.\r\n.\r\n", ".\r\n..a\r\n.b.\r\n"},
		"a long line":            {long + "\r\n.." + long + "\r\n.\r\n", long + "\r\n." + long + "\r\n"},
		"bare LF is no line end": {"a\n.\n+OK said by the sender\r\n.\r\n", "a\n.\n+OK said by the sender\r\n"},
		"LF, dot, CRLF":          {"a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n"},
		"CR, dot":                {"a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n"},
		"CRLF over the buffer":   {long[:4095] + "\r\n..x\r\n.\r\n", long[:4095] + "\r\n.x\r\n"},
		"LF alone in the buffer": {long[:4096] + "\n.\r\n\r\n.\r\n", long[:4096] + "\n.\r\n\r\n"},
		"eight bits and NUL":     {"\xff\x00\xfe\r\n.\r\n", "\xff\x00\xfe\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := greeted(t, "C: RETR 1", "S: +OK", "S- "+c.wire, "C: NOOP", "S: +OK")
			if got, err := read(t.Context(), client, 1<<20); err != nil || got != c.want {
				t.Errorf("got %q, want %q, %v", got, c.want, err)
			}
			if err := client.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMessagesObeyTheReadersContract(t *testing.T) {
	t.Parallel()
	c := greeted(t, "C: RETR 1", "S: +OK", "S- a\r\n..b\r\n"+strings.Repeat("c", 9000)+"\r\n.\r\n")
	m, err := c.Retrieve(t.Context(), 1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(m, []byte("a\r\n.b\r\n"+strings.Repeat("c", 9000)+"\r\n")); err != nil {
		t.Error(err)
	}
}

func TestMessagesThatEndBadly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []string
		want  error
	}{
		"too large":  {[]string{"S: " + strings.Repeat("x", 100), "S: " + strings.Repeat("x", 100), "S: ."}, ErrTooLarge},
		"cut":        {[]string{"S: half", "drop"}, io.ErrUnexpectedEOF},
		"cut in dot": {[]string{"S- half\r\n.", "drop"}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := greeted(t, append([]string{"C: RETR 1", "S: +OK"}, c.lines...)...)
			if _, err := read(t.Context(), client, 150); !errors.Is(err, c.want) || client.Usable() {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTheRestOfAMessageIsSkipped(t *testing.T) {
	t.Parallel()
	c := greeted(t, "C: RETR 1", "S: +OK", "S: first", "S: second", "S: .", "C: NOOP", "S: +OK",
		"C: LIST", "S: +OK", "S: 1 1", "S: 2 2", "S: .", "C: NOOP", "S: +OK")
	m, err := c.Retrieve(t.Context(), 1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if err := c.Noop(t.Context()); !errors.Is(err, errStreamOpen) {
		t.Errorf("in the middle of a message: %v", err)
	}
	if err := errors.Join(m.Close(), m.Close(), c.Noop(t.Context())); err != nil {
		t.Error(err)
	}
	for _, err := range c.Sizes(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMuchIsNotSkipped(t *testing.T) {
	t.Parallel()
	much := slices.Repeat([]string{"S: " + strings.Repeat("9", 1000)}, 2000)
	c := greeted(t, append([]string{"C: RETR 1", "S: +OK"}, much...)...)
	m, err := c.Retrieve(t.Context(), 1, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); !errors.Is(err, ErrTooLarge) || c.Usable() {
		t.Errorf("message: %v", err)
	}
	_ = c.Close()
	c = greeted(t, append([]string{"C: LIST", "S: +OK", "S: 1 1"}, much...)...)
	for _, err := range c.Sizes(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if c.Usable() {
		t.Error("the listing was skipped")
	}
	_ = c.Close()
}

func TestContextsAndTimeouts(t *testing.T) {
	t.Parallel()
	t.Run("a reply that does not come", func(t *testing.T) {
		t.Parallel()
		c := greeted(t, "C: NOOP", "wait")
		c.options.Timeout = 50 * time.Millisecond
		if err := c.Noop(t.Context()); !errors.Is(err, os.ErrDeadlineExceeded) || c.Usable() {
			t.Errorf("%v", err)
		}
	})
	t.Run("a context that ends", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("enough")
		client, server := net.Pipe()
		defer server.Close()
		c := New(client, Options{})
		go cancel(reason)
		if _, err := c.Greeting(ctx); !errors.Is(err, reason) || c.Usable() {
			t.Errorf("%v", err)
		}
	})
	t.Run("a context that ends in a message", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		c := greeted(t, "C: RETR 1", "S: +OK", "S: first", "wait")
		m, err := c.Retrieve(ctx, 1, 1000)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 7)
		if _, err := io.ReadFull(m, buf); err != nil || !bytes.Equal(buf, []byte("first\r\n")) {
			t.Errorf("%q, %v", buf, err)
		}
		cancel()
		if _, err := m.Read(buf); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

func TestStartTLS(t *testing.T) {
	t.Parallel()
	cert := mailtest.Certificate(t, mailtest.CertificateOptions{})
	client, server := net.Pipe()
	done := make(chan error, 1)
	go func() {
		defer server.Close()
		if err := play(server, []string{"S: +OK <a@b>", "C: STLS", "S: +OK begin"}); err != nil {
			done <- err
			return
		}
		done <- play(tls.Server(server, &tls.Config{Certificates: []tls.Certificate{cert.TLS}}), []string{"C: NOOP", "S: +OK"})
	}()
	c := New(client, Options{})
	defer c.Close()
	if _, err := c.Greeting(t.Context()); err != nil || !c.OffersAPOP() {
		t.Fatal(err)
	}
	if err := c.StartTLS(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Upgrade(tls.Client(client, &tls.Config{InsecureSkipVerify: true}))
	if err := c.Noop(t.Context()); err != nil || c.OffersAPOP() {
		t.Errorf("%v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestInjectedBytesEndTheSession(t *testing.T) {
	t.Parallel()
	c := greeted(t, "C: STLS", "S- +OK begin\r\n+OK 0 0\r\n")
	if err := c.StartTLS(t.Context()); !errors.Is(err, ErrInjected) || c.Usable() {
		t.Errorf("%v", err)
	}
}
