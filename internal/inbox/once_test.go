package inbox

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/jackc/pgx/v5"

	"orbit/internal/account"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/mailtest"
)

// admin is another program in the same mailbox.
func (r *rig) admin() *imapclient.Client {
	r.t.Helper()
	c, err := imapclient.DialInsecure(fmt.Sprintf("127.0.0.1:%d", r.server.IMAP), nil)
	r.must(err)
	r.t.Cleanup(func() { _ = c.Close() })
	r.must(c.Login(mailtest.User, mailtest.Password).Wait())
	return c
}

// add puts messages into a folder.
func (r *rig) add(c *imapclient.Client, folder string, texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		text = strings.ReplaceAll(text, "\n", "\r\n")
		command := c.Append(folder, int64(len(text)), nil)
		_, err := io.WriteString(command, text)
		r.must(err)
		r.must(command.Close())
		_, err = command.Wait()
		r.must(err)
	}
}

func TestAnOpenMailboxIsCountedAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.admin()
	m := r.mailbox(fetch.IMAP, nil)
	r.add(c, "INBOX", string(letterOf("one")), string(letterOf("two")), string(letterOf("three")))
	r.run(r.process)
	r.awaitState(m.ID, Watching)
	r.want("messages", r.check(r.process, m.ID).Messages, 3)
	_, err := c.Select("INBOX", nil).Wait()
	r.must(err)
	r.must(c.Store(imap.SeqSetNum(1, 2), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
	r.must(c.Expunge().Close())
	r.until("what was deleted is not counted", func() bool { return r.check(r.process, m.ID).Messages == 1 })
}

func TestANewNumberingIsNoticedWhileWatching(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.times.renew = brief
	c := r.admin()
	r.must(c.Create("Work", nil).Wait())
	m := r.mailbox(fetch.IMAP, func(c *account.MailboxChange) { c.Folder = "Work" })
	r.add(c, "Work", string(letterOf("one")))
	r.run(r.process)
	r.awaitState(m.ID, Watching)
	r.must(c.Delete("Work").Wait())
	r.must(c.Create("Work", nil).Wait())
	r.add(c, "Work", string(letterOf("one")), string(letterOf("two")))
	r.until("two has arrived", func() bool { return r.stored() == "one two" })
}

func TestANewNumberingStoresNothingAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.admin()
	m := r.mailbox(fetch.IMAP, func(c *account.MailboxChange) { c.AutomaticCheck, c.Folder = false, "Work" })
	one, two, three := string(letterOf("one")), string(letterOf("two")), string(letterOf("three"))
	r.must(c.Create("Work", nil).Wait())
	r.add(c, "Work", one, two)
	r.want("first", r.check(r.process, m.ID).Stored, 2)
	r.must(c.Delete("Work").Wait())
	r.must(c.Create("Work", nil).Wait())
	r.add(c, "Work", three, two, one)
	v := r.check(r.process, m.ID)
	r.want("found, stored, known", [3]int{v.Found, v.Stored, v.Known}, [3]int{3, 1, 2})
	r.want("stored", r.stored(), "one two three")
	v = r.check(r.process, m.ID)
	r.want("found", v.Found, 0)
}

func TestNewIdentifiersStoreNothingAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.admin()
	m := r.mailbox(fetch.POP3, manual)
	r.add(c, "INBOX", string(letterOf("one")), string(letterOf("two")))
	r.want("first", r.check(r.process, m.ID).Stored, 2)
	before := r.number("select count(*) from inbound_uidl")
	_, err := c.Select("INBOX", nil).Wait()
	r.must(err)
	all := imap.SeqSet{{Start: 1, Stop: 2}}
	r.add(c, "INBOX", string(letterOf("two")), string(letterOf("one"))) // the same, under other names
	r.must(c.Store(all, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
	r.must(c.Expunge().Close())
	v := r.check(r.process, m.ID)
	r.want("found, stored, known", [3]int{v.Found, v.Stored, v.Known}, [3]int{2, 0, 2})
	r.want("identifiers", r.number("select count(*) from inbound_uidl"), before)
}

// The hash outlives the message: what was cleared away does not come back from the server.
func TestWhatWasClearedAwayDoesNotComeBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := r.mailbox(fetch.IMAP, manual)
	r.deliver("one")
	r.check(r.process, m.ID)
	r.exec("update inbound_message set stored_at = now() - interval '181 days'")
	r.must(r.retainNow(r.ctx))
	r.want("stored", r.stored(), "")
	r.want("bytes", r.number("select count(*) from inbound_raw"), 0)
	r.exec("update mailbox_state set uid_validity = 1, uid = 0")
	v := r.check(r.process, m.ID)
	r.want("found, stored, known", [3]int{v.Found, v.Stored, v.Known}, [3]int{1, 0, 1})
}

// Servers and programs write into the header of a message that lies in a mailbox.
func TestAMessageThatWasLookedAtIsTheSame(t *testing.T) {
	t.Parallel()
	sum := func(text string) string {
		f := newFingerprint()
		for _, c := range []byte(text) { // in pieces
			_, _ = f.Write([]byte{c})
		}
		return string(f.hash())
	}
	plain := sum("Subject: a\r\nX-Other: b\r\n c\r\n\r\nText: status\r\nStatus: R\r\n")
	for _, same := range []string{
		"Status: RO\r\nSubject: a\r\nX-Other: b\r\n c\r\nX-UID: 12\r\n\r\nText: status\r\nStatus: R\r\n",
		"Subject: a\r\nX-IMAPbase: 1\r\n 2\r\nX-Other: b\r\n c\r\n\r\nText: status\r\nStatus: R\r\n",
	} {
		if sum(same) != plain {
			t.Errorf("%q is another message", same)
		}
	}
	for _, other := range []string{"Subject: a\r\nX-Other: b\r\n c\r\n\r\nText: status\r\n", "Subject: a\r\nX-Other: b\r\n\r\nText: status\r\nStatus: R\r\n"} {
		if sum(other) == plain {
			t.Errorf("%q is the same message", other)
		}
	}
}

// A message that the database refuses stands in nobody's way; it stays on the server and is tried again.
func TestAMessageThatCannotBeStoredIsIsolated(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.exec(`create function refuse() returns trigger language plpgsql as $$
				begin
					if new.subject = 'bad' then raise exception using errcode = '22021'; end if;
					return new;
				end $$`)
			r.exec("create trigger refuse before insert on inbound_message for each row execute function refuse()")
			m := r.mailbox(p, noCopies)
			for _, subject := range []string{"one", "two", "bad", "three"} {
				r.deliver(subject)
			}
			v := r.check(r.process, m.ID)
			r.want("stored, failed, deleted", [3]int{v.Stored, v.Failed, v.Deleted}, [3]int{3, 1, 3})
			r.want("stored", r.stored(), "one two three")
			health, err := r.Health(r.ctx, nil)
			r.must(err)
			r.want("reported", health[m.ID].Unreadable, 1)
			v = r.check(r.process, m.ID)
			r.want("tried again", [2]int{v.Stored, v.Failed}, [2]int{0, 1})
			r.exec("drop trigger refuse on inbound_message")
			v = r.check(r.process, m.ID)
			r.want("stored at last", [3]int{v.Stored, v.Failed, v.Deleted}, [3]int{1, 0, 1})
			r.want("left", r.left(), 0)
			r.want("failures", r.number("select count(*) from inbound_failure"), 0)
		})
	}
}

// A large message passes through in pieces, and its pieces go with it.
func TestALargeMessageIsStoredInPieces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := r.mailbox(fetch.IMAP, noCopies)
	large := string(letterOf("large")) + strings.Repeat("A line of a large message that goes on and on.\n", 20_000)
	r.add(r.admin(), "INBOX", large, string(letterOf("small")))
	r.want("stored", r.check(r.process, m.ID).Stored, 2)
	rows, _, err := r.List(r.ctx, Filter{Subject: "large"})
	r.must(err)
	var raw strings.Builder
	r.must(r.Raw(r.ctx, rows[0].ID, &raw))
	r.want("text", raw.String() == strings.ReplaceAll(large, "\n", "\r\n"), true)
	r.want("pieces", r.number("select count(*) from inbound_raw"), len(large)/pieceSize+2)
	r.add(r.admin(), "INBOX", large)
	r.want("known", r.check(r.process, m.ID).Known, 1)
	r.want("pieces of what was known", r.number("select count(*) from inbound_raw"), len(large)/pieceSize+2)
	r.want("uploads", r.number("select count(*) from inbound_upload"), 0)
	r.must(r.accounts.DeleteMailbox(r.ctx, m.ID))
	r.want("pieces of a deleted account", r.number("select count(*) from inbound_raw"), 0)
}

// counting handlers act once for each message, however often it is seen.
func counting() Options {
	return Options{Handlers: []Handler{taker{func(ctx context.Context, tx pgx.Tx, m Received) (string, bool, error) {
		_, err := tx.Exec(ctx, "insert into acted (subject) values ($1)", m.Subject)
		return "It was counted.", true, err
	}}}}
}

func (r *rig) prepareCounting() { r.exec("create table acted (subject text)") }

// expire lets the lease of a process run out that gives no sign of life any more.
func (r *rig) expire() {
	r.t.Helper()
	r.exec("update inbox_process set lease_until = now() - interval '1 second'")
}

const brief = 200 * time.Millisecond

// A server that cannot give a message sends nothing for it. Stored empty, the next such message would count as known,
// and both would be taken from the server where no copy is kept.
func TestAMessageThatComesEmptyIsNotStored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	v := &visiting{s: r.process.Service}
	l, err := v.take(r.ctx, &fetch.Message{Ref: fetch.Ref{ID: "1", Size: 400}, Body: strings.NewReader("")}, nil)
	r.must(err)
	if l.reason == nil || len(l.hash) > 0 || !strings.Contains(failureReason(l.reason), "sent none") {
		t.Errorf("reason %v, hash %x", l.reason, l.hash)
	}
}
