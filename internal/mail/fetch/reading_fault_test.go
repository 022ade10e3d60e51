package fetch

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/ladder"
)

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
