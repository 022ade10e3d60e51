package fetch

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

// account is a mailbox on a faulty server.
func account(p Protocol) Server {
	return Server{Protocol: p, Target: dial.Target{Host: "127.0.0.1", Port: 143},
		Auth: Auth{Username: testUser, Password: vault.NewSecret(testPassword)}}
}

// openAt opens a mailbox that the test closes at its end at the latest.
func openAt(t testing.TB, address string, server Server) *Mailbox {
	t.Helper()
	m, err := Open(t.Context(), to{address}, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close(context.WithoutCancel(t.Context())) })
	return m
}

// list collects references.
func list(t testing.TB, m *Mailbox, since Cursor) []Ref {
	t.Helper()
	var refs []Ref
	for ref, err := range m.New(t.Context(), since) {
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref)
	}
	return refs
}

func ids(refs []Ref) string {
	var all []string
	for _, ref := range refs {
		all = append(all, ref.ID)
	}
	return strings.Join(all, " ")
}

// texts reads messages.
func texts(t testing.TB, m *Mailbox, refs ...Ref) []string {
	t.Helper()
	var all []string
	for message, err := range m.Fetch(t.Context(), refs...) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(message.Body)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}

func both(t *testing.T, test func(t *testing.T, p Protocol)) {
	t.Parallel()
	for _, p := range []Protocol{IMAP, POP3} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

func TestAVisit(t *testing.T) {
	both(t, func(t *testing.T, p Protocol) {
		server := faulty{protocol: p}.start(t)
		m := openAt(t, server.address, account(p))
		refs := list(t, m, Cursor{})
		if want := map[Protocol]string{IMAP: "1 2 3", POP3: "id-1 id-2 id-3"}[p]; ids(refs) != want || refs[2].Size != 38 {
			t.Errorf("%+v", refs)
		}
		if got := texts(t, m, refs...); len(got) != 3 || got[1] != "Subject: two\r\n\r\nBody two\r\n.a dot\r\n" {
			t.Errorf("%q", got)
		}
		known := Ref{ID: refs[1].ID} // as a caller remembers it
		if got := texts(t, m, known); len(got) != 1 || !strings.Contains(got[0], "Body two") {
			t.Errorf("%q", got)
		}
		if err := errors.Join(m.MarkSeen(t.Context(), refs...), m.Delete(t.Context(), known), m.Delete(t.Context()), m.Close(t.Context())); err != nil {
			t.Error(err)
		}
		commands := strings.Join(server.received(), "\n")
		for _, want := range map[Protocol][]string{
			IMAP: {"UID FETCH 1:3 (UID BODY.PEEK[])", "UID STORE 1:3 +FLAGS.SILENT (\\Seen)", "UID STORE 2 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 2", "LOGOUT"},
			POP3: {"DELE 2\nQUIT"},
		}[p] {
			if !strings.Contains(commands, want) {
				t.Errorf("%q is missing in\n%s", want, commands)
			}
		}
	})
}

func TestNewGoesOnWhereTheCallerWas(t *testing.T) {
	t.Parallel()
	m := openAt(t, faulty{protocol: IMAP}.start(t).address, account(IMAP))
	state := m.State()
	if state != (State{UIDValidity: 7, UIDNext: 4, Messages: 3, Idle: true}) {
		t.Errorf("%+v", state)
	}
	for _, c := range []struct {
		since Cursor
		want  string
	}{
		{Cursor{UIDValidity: 7, UID: 1}, "2 3"},
		{Cursor{UIDValidity: 7, UID: 3}, ""}, // "4:*" finds message 3
		{state.Cursor(), ""},
		{Cursor{UIDValidity: 6, UID: 3}, "1 2 3"}, // numbered anew
		{Cursor{UIDValidity: 7, UID: 1<<32 - 1}, ""},
	} {
		if got := ids(list(t, m, c.since)); got != c.want {
			t.Errorf("%+v: %q", c.since, got)
		}
	}
	if state.Continues(Cursor{UIDValidity: 6}) || !state.Continues(Cursor{UIDValidity: 7}) {
		t.Error("the cursor is not judged by UIDVALIDITY")
	}
	m = openAt(t, faulty{protocol: POP3}.start(t).address, account(POP3))
	if got := ids(list(t, m, Cursor{Seen: func(id string) bool { return id == "id-2" }})); got != "id-1 id-3" {
		t.Errorf("%q", got)
	}
	if err := m.Wait(t.Context()); !errors.Is(err, ErrSnapshot) {
		t.Errorf("%v", err)
	}
}

func TestInsideTheListTheMailboxCanBeUsed(t *testing.T) {
	both(t, func(t *testing.T, p Protocol) {
		m := openAt(t, faulty{protocol: p}.start(t).address, account(p))
		n := 0
		for ref, err := range m.New(t.Context(), Cursor{}) {
			if err != nil {
				t.Fatal(err)
			}
			n += len(texts(t, m, ref))
			if err := m.Delete(t.Context(), ref); err != nil {
				t.Error(err)
			}
		}
		if n != 3 {
			t.Errorf("%d messages", n)
		}
	})
}

func TestInsideFetchNothingElseIsAsked(t *testing.T) {
	both(t, func(t *testing.T, p Protocol) {
		m := openAt(t, faulty{protocol: p}.start(t).address, account(p))
		refs := list(t, m, Cursor{})
		for message, err := range m.Fetch(t.Context(), refs...) {
			if err != nil || message.ID != refs[0].ID {
				t.Fatal(message, err)
			}
			for _, err := range []error{m.Delete(t.Context(), refs...), m.Wait(t.Context())} {
				if !errors.Is(err, errFetching) {
					t.Errorf("%v", err)
				}
			}
			for _, err := range m.New(t.Context(), Cursor{}) {
				if !errors.Is(err, errFetching) {
					t.Errorf("%v", err)
				}
			}
			break // without having read it
		}
		if got := texts(t, m, refs...); len(got) != 3 { // all the same it can be used afterwards
			t.Errorf("%q", got)
		}
	})
}

func TestATestChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, p Protocol) {
		server := faulty{protocol: p}.start(t)
		var steps []string
		observe := func(s ladder.Step) {
			if s.Done {
				steps = append(steps, string(s.Name)+": "+s.Result)
			}
		}
		if err := Test(t.Context(), to{server.address}, account(p), observe); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(steps, "\n")
		for _, want := range map[Protocol][]string{
			IMAP: {"ehlo: the server offers IMAP4REV1, SASL-IR", "auth: done (PLAIN)", "select: INBOX has 3 messages", "idle: IDLE is offered"},
			POP3: {"ehlo: the server offers SASL, TOP", "auth: done (PLAIN)", "select: the mailbox has 3 messages", "idle: POP3 has none: Orbit looks every 1m0s"},
		}[p] {
			if !strings.Contains(got, want) {
				t.Errorf("%q is missing in\n%s", want, got)
			}
		}
		if commands := strings.Join(server.received(), " "); p == IMAP && (!strings.Contains(commands, "EXAMINE") || strings.Contains(commands, "SELECT")) {
			t.Error(commands)
		}
		readOnly := account(p)
		readOnly.ReadOnly = true
		if err := openAt(t, server.address, readOnly).Delete(t.Context(), Ref{ID: "1"}); !errors.Is(err, errReadOnly) {
			t.Errorf("%v", err)
		}
	})
}

func TestLargeMessagesGiveTheirHeader(t *testing.T) {
	both(t, func(t *testing.T, p Protocol) {
		large := "Subject: large\r\n\r\n" + strings.Repeat("0123456789\r\n", 1000)
		server := faulty{protocol: p, messages: []string{"Subject: a\r\n\r\nA\r\n", large, "Subject: b\r\n\r\nB\r\n"}}.start(t)
		a := account(p)
		a.MaxSize = 1000
		m := openAt(t, server.address, a)
		refs := list(t, m, Cursor{})
		var got []string
		for message, err := range m.Fetch(t.Context(), refs...) {
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(message.Body)
			if err != nil || message.HeaderOnly != (message.Size > 1000) {
				t.Errorf("%+v, %v", message, err)
			}
			got = append(got, string(text))
		}
		if want := []string{"Subject: a\r\n\r\nA\r\n", "Subject: large\r\n\r\n", "Subject: b\r\n\r\nB\r\n"}; !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		// One that lies about its size is read to the limit.
		for message, err := range m.Fetch(t.Context(), Ref{ID: refs[1].ID}) {
			if err != nil {
				break
			}
			text, err := io.ReadAll(message.Body)
			if !errors.Is(err, ErrTooLarge) || len(text) > 1000 || len(text) < 900 {
				t.Errorf("%d octets, %v", len(text), err)
			}
		}
	})
}

// fetchFault opens the mailbox of a faulty server and reads all messages until something goes wrong.
func fetchFault(t *testing.T, server faulty, a Server) (read int, err error) {
	t.Helper()
	m := openAt(t, server.start(t).address, a)
	var refs []Ref
	for ref, err := range m.New(t.Context(), Cursor{}) {
		if err != nil {
			return 0, err
		}
		refs = append(refs, ref)
	}
	for message, err := range m.Fetch(t.Context(), refs...) {
		if err != nil {
			return read, err
		}
		if _, err := io.Copy(io.Discard, message.Body); err != nil {
			return read, err
		}
		read++
	}
	return read, nil
}

func TestFaultsWhileReadingAreExplained(t *testing.T) {
	t.Parallel()
	late := "* 1 FETCH (BODY[] {4}\r\nText UID 1)\r\n%T OK"
	one := "* 1 FETCH (UID 1 BODY[] {4}\r\nText)\r\n"
	for _, c := range []struct {
		name   string
		server faulty
		read   int
		code   string
	}{
		{"SEARCH refused", on(IMAP, "UID SEARCH", "%T NO [SERVERBUG] sorry"), 0, "imap_SERVERBUG"},
		{"SEARCH garbage", on(IMAP, "UID SEARCH", "* SEARCH 1 x 2"), 0, "reply_malformed"},
		{"SEARCH endless", on(IMAP, "UID SEARCH", "* SEARCH"+strings.Repeat(" 123456789", 1<<20)), 0, "reply_malformed"},
		{"listing dropped", on(IMAP, "UID FETCH#1", "* 1 FETCH (UID 1 RFC8"+drop), 0, "net_dropped_mailbox"},
		{"listing said BYE", on(IMAP, "UID FETCH#1", "* BYE Server shutting down\r\n"+drop), 0, "imap_bye"},
		{"cut in a message", on(IMAP, "UID FETCH#2", one+"* 2 FETCH (UID 2 BODY[] {4}\r\nTe"+drop), 1, "net_dropped_mailbox"},
		{"silent in a message", on(IMAP, "UID FETCH#2", one+"* 2 FETCH (UID 2 BODY[] {4}\r\nTe"+silence), 1, "net_answer_timeout"},
		{"huge literal", on(IMAP, "UID FETCH#2", one+"* 2 FETCH (UID 2 BODY[] {99999999999}\r\n"), 1, "reply_malformed"},
		{"literal below zero", on(IMAP, "UID FETCH#2", one+"* 2 FETCH (UID 2 BODY[] {-1}\r\n"), 1, "reply_malformed"},
		{"UID after the text", faulty{protocol: IMAP, answers: map[string]string{"UID FETCH#2": late, "UID FETCH#3": late}}, 0, "reply_malformed"},
		{"endless header of a response", on(IMAP, "UID FETCH#2", "* 1 FETCH (UID 1 FLAGS ("+strings.Repeat("\\Seen ", 50_000)), 0, "reply_malformed"},
		{"throttled", on(IMAP, "UID FETCH#2", "%T NO [THROTTLED] Account exceeded command or bandwidth limits."), 0, "imap_throttled"},

		{"UIDL refused", on(POP3, "UIDL", "-ERR [SYS/TEMP] later"), 0, "pop3_SYS/TEMP"},
		{"UIDL garbage", on(POP3, "UIDL", "+OK\r\nwhat"), 0, "reply_malformed"},
		{"LIST dropped", on(POP3, "LIST", "+OK\r\n1 2\r\n"+drop), 0, "net_dropped_mailbox"},
		{"RETR dropped", on(POP3, "RETR#2", "+OK\r\nhalf"+drop), 1, "net_dropped_mailbox"},
		{"RETR silent", on(POP3, "RETR#2", "+OK\r\nhalf"+silence), 1, "net_answer_timeout"},
		{"RETR later", on(POP3, "RETR#2", "-ERR [SYS/TEMP] later"), 1, "pop3_SYS/TEMP"},
	} {
		t.Run(string(c.server.protocol)+" "+c.name, func(t *testing.T) {
			t.Parallel()
			a := account(c.server.protocol)
			a.Timeouts.Command = 2 * time.Second
			read, err := fetchFault(t, c.server, a)
			var e *ladder.Error
			if !errors.As(err, &e) || e.Fault.Code != c.code || read != c.read || e.Fault.Cause == "" || e.Fault.Remedy == "" {
				t.Errorf("%d read, %v", read, err)
			}
		})
	}
}

func on(p Protocol, verb, answer string) faulty {
	return faulty{protocol: p, answers: map[string]string{verb: answer}}
}

func TestAMessageThatIsNotGivenOutHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for _, server := range []faulty{
		{protocol: IMAP, answers: map[string]string{ // the listing, all, and each by itself
			"UID FETCH#2": "* 1 FETCH (UID 1 BODY[] {4}\r\nText)\r\n%T NO Message 2 is damaged", "UID FETCH#3": "%T NO Message 2 is damaged"}},
		{protocol: POP3, answers: map[string]string{"RETR#2": "-ERR damaged"}},
	} {
		m := openAt(t, server.start(t).address, account(server.protocol))
		var good, bad []Ref
		for message, err := range m.Fetch(t.Context(), list(t, m, Cursor{})...) {
			switch {
			case message == nil:
				t.Fatal(err)
			case err != nil:
				bad = append(bad, message.Ref)
			default:
				good = append(good, message.Ref)
			}
		}
		if len(good) != 2 || len(bad) != 1 || !strings.HasSuffix(bad[0].ID, "2") {
			t.Errorf("%s: good %q, bad %q", server.protocol, ids(good), ids(bad))
		}
	}
}

// go-imap takes another client's flags for the answer and gives the text away.
func TestFlagsOfAnotherClientCostNoMessage(t *testing.T) {
	t.Parallel()
	server := on(IMAP, "UID FETCH#2", "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 1 FETCH (UID 1 BODY[] {4}\r\nText)\r\n* 2 FETCH (UID 2 BODY[] {4}\r\nText)\r\n%T OK")
	m := openAt(t, server.start(t).address, account(IMAP))
	if got := texts(t, m, list(t, m, Cursor{})...); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

func TestADeletedMessageIsLeftOut(t *testing.T) {
	t.Parallel()
	m := openAt(t, faulty{protocol: IMAP}.start(t).address, account(IMAP))
	if got := texts(t, m, Ref{ID: "2"}, Ref{ID: "9"}); len(got) != 1 || !strings.Contains(got[0], "Body two") {
		t.Errorf("%q", got)
	}
	for _, err := range m.Fetch(t.Context(), Ref{ID: "no UID"}) {
		if err == nil {
			t.Error("a reference without a UID")
		}
	}
}

func TestWithoutUIDPLUSOnlyOursAreDeleted(t *testing.T) {
	t.Parallel()
	server := faulty{protocol: IMAP, offers: []string{"AUTH=PLAIN"}, answers: map[string]string{"UID SEARCH": "* SEARCH 7 9\r\n%T OK"}}.start(t)
	m := openAt(t, server.address, account(IMAP))
	if err := m.Delete(t.Context(), Ref{ID: "2"}, Ref{ID: "3"}); err != nil {
		t.Fatal(err)
	}
	want := []string{"UID SEARCH DELETED NOT (UID 2:3)", "UID STORE 7,9 -FLAGS.SILENT (\\Deleted)", "UID STORE 2:3 +FLAGS.SILENT (\\Deleted)", "EXPUNGE", "UID STORE 7,9 +FLAGS.SILENT (\\Deleted)"}
	var got []string
	for _, command := range server.received()[4:] {
		_, command, _ = strings.Cut(command, " ")
		got = append(got, command)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestDeletingThatFailsIsSaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		server faulty
		code   string
	}{
		{on(IMAP, "UID STORE", "%T NO [NOPERM] no"), "imap_NOPERM"},
		{on(IMAP, "UID EXPUNGE", "%T NO [INUSE] no"), "imap_INUSE"},
		{on(POP3, "DELE", "-ERR [SYS/PERM] no"), "pop3_SYS/PERM"},
		{on(POP3, "QUIT", "-ERR [SYS/TEMP] some messages were not removed"), "pop3_SYS/TEMP"},
		{on(POP3, "QUIT", drop), "net_dropped_mailbox"},
	} {
		m := openAt(t, c.server.start(t).address, account(c.server.protocol))
		err := m.Delete(t.Context(), list(t, m, Cursor{})...)
		if err == nil {
			err = m.Close(t.Context())
		}
		var e *ladder.Error
		if !errors.As(err, &e) || e.Fault.Code != c.code {
			t.Errorf("%v: %v", c.server.answers, err)
		}
	}
}
