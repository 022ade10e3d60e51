package fetch

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orbit/internal/mail/ladder"
)

// awaitCommand returns when the server has received a command n times.
func awaitCommand(t testing.TB, server *record, command string, n int) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for strings.Count(strings.Join(server.received(), "\n")+"\n", command+"\n") < n {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s in %q", command, server.received())
		}
	}
}

// waiting runs Wait in the background.
func waiting(ctx context.Context, m *Mailbox) <-chan error {
	done := make(chan error, 1)
	go func() { done <- m.Wait(ctx) }()
	return done
}

func TestIdleWakes(t *testing.T) {
	t.Parallel()
	server := faulty{protocol: IMAP}.start(t)
	m := openAt(t, server.address, account(IMAP))
	for range 2 { // and again after work in between
		done := waiting(t.Context(), m)
		awaitCommand(t, server, "IDLE", 1)
		server.push("* 4 EXISTS\r\n")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := list(t, m, Cursor{}); len(got) != 3 {
			t.Errorf("%v", got)
		}
	}
}

func TestOthersAddAndDelete(t *testing.T) {
	t.Parallel()
	server := on(IMAP, "UID SEARCH", "* 9 EXISTS\r\n* 2 EXPUNGE\r\n* SEARCH 1\r\n%T OK").start(t)
	m := openAt(t, server.address, account(IMAP))
	list(t, m, Cursor{})
	if got := m.Messages(); got != 8 {
		t.Errorf("%d messages, want 8", got)
	}
}

func TestWhatWasSaidBeforeWaitingWakes(t *testing.T) {
	t.Parallel()
	server := on(IMAP, "UID SEARCH", "* 4 EXISTS\r\n* SEARCH 1\r\n%T OK").start(t)
	m := openAt(t, server.address, account(IMAP))
	list(t, m, Cursor{})
	if err := m.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if strings.Contains(strings.Join(server.received(), " "), "IDLE") {
		t.Error("it slept over news")
	}
}

func TestIdleIsRenewed(t *testing.T) {
	t.Parallel()
	server := faulty{protocol: IMAP}.start(t)
	a := account(IMAP)
	a.Timeouts.Renew = 5 * time.Millisecond
	m := openAt(t, server.address, a)
	ctx, cancel := context.WithCancel(t.Context())
	done := waiting(ctx, m)
	awaitCommand(t, server, "DONE", 3)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Some servers take IDLE and never say a word, and some networks lose it.
func TestMailOfWhichNothingWasSaidIsFound(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]faulty{
		"IDLE":    {protocol: IMAP},
		"polling": {protocol: IMAP, offers: []string{"AUTH=PLAIN"}},
	} {
		script.answers = map[string]string{"SELECT#2": "* 4 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 5] x\r\n%T OK"}
		server := script.start(t)
		a := account(IMAP)
		a.Timeouts.Renew, a.Timeouts.Poll = 5*time.Millisecond, time.Millisecond
		m := openAt(t, server.address, a)
		if err := m.Wait(t.Context()); err != nil || m.Messages() != 4 {
			t.Errorf("%s: %d messages, %v", name, m.Messages(), err)
		}
	}
}

func TestWaitingEndsWithItsContextAndTheMailboxGoesOn(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]faulty{
		"IDLE":    {protocol: IMAP},
		"polling": {protocol: IMAP, offers: []string{"AUTH=PLAIN"}},
	} {
		s := server.start(t)
		m := openAt(t, s.address, account(IMAP))
		ctx, cancel := context.WithCancel(t.Context())
		done := waiting(ctx, m)
		if name == "IDLE" {
			awaitCommand(t, s, "IDLE", 1)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if got := list(t, m, Cursor{}); len(got) != 3 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWithoutIdleItLooks(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]faulty{
		"not offered":          {protocol: IMAP, offers: []string{"AUTH=PLAIN"}, answers: map[string]string{"NOOP#2": "* 4 EXISTS\r\n%T OK"}},
		"offered and not done": {protocol: IMAP, answers: map[string]string{"IDLE": "%T BAD what?", "NOOP#2": "* 4 EXISTS\r\n%T OK"}},
	} {
		server := script.start(t)
		a := account(IMAP)
		a.Timeouts.Poll = 5 * time.Millisecond
		m := openAt(t, server.address, a)
		if err := m.Wait(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		awaitCommand(t, server, "NOOP", 2)
	}
}

func TestALostConnectionEndsTheWaiting(t *testing.T) {
	t.Parallel()
	polling := func(noop string) faulty {
		return faulty{protocol: IMAP, offers: []string{"AUTH=PLAIN"}, answers: map[string]string{"NOOP": noop}}
	}
	for name, c := range map[string]struct {
		script faulty
		push   string // once in IDLE
		cut    bool   // after that
		code   string
	}{
		"closed":             {script: faulty{protocol: IMAP}, cut: true, code: "net_dropped_mailbox"},
		"BYE":                {script: faulty{protocol: IMAP}, push: "* BYE Server shutting down\r\n", cut: true, code: "imap_bye"},
		"garbage":            {script: faulty{protocol: IMAP}, push: "* 1 !!\r\n", code: "reply_malformed"},
		"DONE not listened":  {script: on(IMAP, "DONE", silence), push: "* 4 EXISTS\r\n", code: "net_answer_timeout"},
		"IDLE not answered":  {script: on(IMAP, "IDLE", silence), code: "net_answer_timeout"},
		"IDLE said goodbye":  {script: on(IMAP, "IDLE", "* BYE Server shutting down\r\n"+drop), code: "imap_bye"},
		"NOOP not answered":  {script: polling(silence), code: "net_answer_timeout"},
		"polling and closed": {script: polling(drop), code: "net_dropped_mailbox"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := c.script.start(t)
			a := account(IMAP)
			a.Timeouts.Poll, a.Timeouts.Command = 5*time.Millisecond, 2*time.Second
			m := openAt(t, server.address, a)
			done := waiting(t.Context(), m)
			if c.push != "" || c.cut {
				awaitCommand(t, server, "IDLE", 1)
				server.push(c.push)
			}
			if c.cut {
				server.cut()
			}
			err := <-done
			var e *ladder.Error
			if !errors.As(err, &e) || e.Fault.Code != c.code || e.Step != ladder.Idle {
				t.Errorf("%v", err)
			}
		})
	}
}

// A context that ends closes the connection at once, wherever the visit is.
func TestContextsEndPromptly(t *testing.T) {
	t.Parallel()
	silentAt := func(p Protocol, verb string) faulty { return on(p, verb, silence) }
	for _, c := range []struct {
		server faulty
		verb   string
	}{
		{faulty{protocol: IMAP, greeting: silence}, ""}, {silentAt(IMAP, "CAPABILITY"), "CAPABILITY"}, {silentAt(IMAP, "SELECT"), "SELECT INBOX"},
		{silentAt(IMAP, "UID SEARCH"), "UID SEARCH UID 1:*"}, {silentAt(IMAP, "UID FETCH#2"), "UID FETCH 1:3 (UID INTERNALDATE BODY.PEEK[])"},
		{on(IMAP, "UID FETCH#2", "* 1 FETCH (UID 1 BODY[] {100}\r\nText"+silence), "UID FETCH 1:3 (UID INTERNALDATE BODY.PEEK[])"},
		{faulty{protocol: POP3, greeting: silence}, ""}, {silentAt(POP3, "STAT"), "STAT"}, {silentAt(POP3, "UIDL"), "UIDL"}, {silentAt(POP3, "RETR"), "RETR 1"},
		{on(POP3, "RETR", "+OK\r\nText\r\n"+silence), "RETR 1"},
	} {
		t.Run(string(c.server.protocol)+" "+c.verb, func(t *testing.T) {
			t.Parallel()
			server := c.server.start(t)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- readAll(ctx, server.address, c.server.protocol) }()
			if c.verb != "" {
				awaitCommand(t, server, c.verb, 1)
			}
			began := time.Now()
			cancel()
			err := <-done
			var e *ladder.Error
			if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Fault.Code != "net_cancelled" {
				t.Errorf("%v", err)
			}
			if d := time.Since(began); d > time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
}

// readAll is a whole visit.
func readAll(ctx context.Context, address string, p Protocol) error {
	m, err := Open(ctx, to{address}, account(p))
	if err != nil {
		return err
	}
	defer m.Close(context.WithoutCancel(ctx))
	var refs []Ref
	for ref, err := range m.New(ctx, Cursor{}) {
		if err != nil {
			return err
		}
		refs = append(refs, ref)
	}
	for message, err := range m.Fetch(ctx, refs...) {
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, message.Body); err != nil {
			return err
		}
	}
	return nil
}

// Not parallel: other tests' goroutines would be seen.
func TestNothingIsLeftRunning(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, f := range []faulty{
		{protocol: IMAP}, {protocol: POP3}, on(IMAP, "SELECT", drop), on(IMAP, "CAPABILITY", "!"), on(IMAP, "UID SEARCH", drop),
		on(IMAP, "UID FETCH#2", "* 1 FETCH (UID 1 BODY[] {4}\r\nTe"+drop), on(IMAP, "UID FETCH#2", "* 1 FETCH (UID 1 BODY[] {99999999999}\r\n"),
		on(IMAP, "UID FETCH#2", "* 1 FETCH (BODY[] {4}\r\nText)\r\n%T OK"), on(POP3, "RETR", "+OK\r\nhalf"+drop),
	} {
		t.Run("", func(t *testing.T) {
			server := f.start(t)
			_ = readAll(t.Context(), server.address, f.protocol)
			m, err := Open(t.Context(), to{server.address}, account(f.protocol))
			if err != nil {
				return
			}
			for range m.Fetch(t.Context(), Ref{ID: "1"}, Ref{ID: "2"}) { //nolint:errcheck // left early, unread
				break
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = m.Wait(ctx)
			_ = m.Close(t.Context())
		})
	}
}

// A loop that panics, as a handler may, leaves nothing behind either.
func TestAPanicInTheLoopLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("", func(t *testing.T) {
		m := openAt(t, faulty{protocol: IMAP}.start(t).address, account(IMAP))
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		for _, err := range m.Fetch(t.Context(), list(t, m, Cursor{})...) {
			panic(err)
		}
	})
}
