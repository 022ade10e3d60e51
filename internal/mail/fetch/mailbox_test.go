package fetch

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

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
			IMAP: {"UID FETCH 1:3 (UID INTERNALDATE BODY.PEEK[])", "UID STORE 1:3 +FLAGS.SILENT (\\Seen)", "UID STORE 2 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 2", "LOGOUT"},
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
			POP3: {"ehlo: the server offers SASL, TOP", "auth: done (PLAIN)", "select: the mailbox has 3 messages", "idle: POP3 has none: Orbit looks every minute"},
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
