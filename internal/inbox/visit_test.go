package inbox

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/fetch"
	"orbit/internal/mail/mailtest"
	"orbit/internal/mail/reply"
)

var protocols = []fetch.Protocol{fetch.IMAP, fetch.POP3}

func TestACheckStoresEachMessageOnce(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			m := r.mailbox(p, manual)
			r.deliver("one")
			r.deliver("two")
			v := r.check(r.process, m.ID)
			r.want("first", [3]int{v.Found, v.Stored, v.Messages}, [3]int{2, 2, 2})
			r.deliver("three")
			v = r.check(r.process, m.ID)
			r.want("second", [3]int{v.Found, v.Stored, v.Messages}, [3]int{1, 1, 3})
			v = r.check(r.process, m.ID)
			r.want("third", [2]int{v.Found, v.Stored}, [2]int{0, 0})
			r.want("stored", r.stored(), "one two three")
			r.want("left", r.left(), 3)
		})
	}
}

func TestAMessageIsShownAsItCame(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := r.mailbox(fetch.IMAP, manual)
	r.server.Deliver(t, mailtest.User, []byte(strings.Join([]string{
		"From: =?utf-8?q?Z=C3=A9?= <ze@example.net>", "Subject: =?utf-8?q?ol=C3=A1?=", "Message-ID: <1@example.net>", "MIME-Version: 1.0",
		`Content-Type: multipart/mixed; boundary="x"`, "", "--x", "Content-Type: text/html", "", "<p>Hello <b>you</b></p>",
		"--x", `Content-Type: text/plain; name="a.txt"`, "Content-Disposition: attachment", "", "attached", "--x--", "",
	}, "\n")))
	r.check(r.process, m.ID)
	rows, next, err := r.List(r.ctx, Filter{AccountID: m.ID, Search: "OLÁ hello", From: "zé", Class: reply.ClassOther})
	r.must(err)
	if len(rows) != 1 || next != "" {
		t.Fatalf("%+v %s", rows, next)
	}
	found, err := r.Find(r.ctx, rows[0].ID)
	r.must(err)
	r.want("html", strings.TrimSpace(found.Read.HTML), "<p>Hello <b>you</b></p>")
	r.want("header", found.Header[len(found.Header)-5], HeaderField{"From", "Zé <ze@example.net>"})
	r.want("attachments", len(found.Read.Attachments), 1)
	var part, raw strings.Builder
	r.must(r.Part(r.ctx, found.ID, found.Read.Attachments[0].Part, &part))
	r.want("part", strings.TrimSpace(part.String()), "attached")
	r.must(r.Raw(r.ctx, found.ID, &raw))
	if !strings.Contains(raw.String(), "Subject: =?utf-8?q?ol=C3=A1?=\r\n") || int64(raw.Len()) != found.Size {
		t.Errorf("%d of %d: %q", raw.Len(), found.Size, raw.String())
	}
}

func TestPagesOfAListFollowEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := r.mailbox(fetch.POP3, manual)
	for _, subject := range []string{"1", "2", "3", "4", "5"} {
		r.deliver(subject)
	}
	r.check(r.process, m.ID)
	var got []string
	for cursor := "start"; cursor != ""; {
		var rows []Row
		var err error
		rows, cursor, err = r.List(r.ctx, Filter{AccountID: m.ID, Limit: 2, Cursor: cursor})
		r.must(err)
		for _, row := range rows {
			got = append(got, row.Subject)
		}
	}
	r.want("pages", len(got), 5)
}

// A message is deleted only when it is stored: a database that fails at commit leaves it.
func TestNoCopyIsKeptOfWhatIsStored(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			m := r.mailbox(p, noCopies)
			r.deliver("one")
			r.deliver("two")
			r.exec(`create function refuse() returns trigger language plpgsql as $$ begin raise exception using errcode = '53100'; end $$`)
			r.exec(`create constraint trigger refuse after insert on inbound_message deferrable initially deferred for each row execute function refuse()`)
			v, err := r.CheckNow(r.ctx, m.ID)
			r.must(err)
			if v.Fault == nil || v.Fault.Code != "inbox_not_stored" || v.Stored != 0 || v.Deleted != 0 {
				t.Errorf("%+v %+v", v, v.Fault)
			}
			r.want("left", r.left(), 2)
			r.exec("drop trigger refuse on inbound_message")
			v = r.check(r.process, m.ID)
			r.want("stored and deleted", [2]int{v.Stored, v.Deleted}, [2]int{2, 2})
			r.want("left", r.left(), 0)
			r.want("stored", r.stored(), "one two")
			r.want("to be deleted", r.number("select count(*) from inbound_removal"), 0)
		})
	}
}

// taker takes messages whose subject it is told.
type taker struct {
	handle func(ctx context.Context, tx pgx.Tx, r Received) (string, bool, error)
}

func (h taker) Handle(ctx context.Context, tx pgx.Tx, r Received) (string, bool, error) {
	return h.handle(ctx, tx, r)
}

func TestHandlersActInTheStoringTransaction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.exec("create table acted (message bigint)")
	p := r.another(Options{Handlers: []Handler{taker{func(ctx context.Context, tx pgx.Tx, m Received) (string, bool, error) {
		if _, err := tx.Exec(ctx, "insert into acted values ($1)", m.ID); err != nil {
			return "", false, err
		}
		switch m.Subject {
		case "fails":
			return "", false, errors.New("no")
		case "panics":
			panic("no")
		}
		return "It was taken.", m.Subject == "taken", nil
	}}}})
	m := r.mailbox(fetch.IMAP, manual)
	for _, subject := range []string{"fails", "panics", "taken", "other"} {
		r.deliver(subject)
	}
	r.check(p, m.ID)
	rows, _, err := r.List(r.ctx, Filter{})
	r.must(err)
	got := map[string]Handling{}
	for _, row := range rows {
		got[row.Subject] = row.Handling
	}
	r.want("handling", got["fails"] == NotHandled && got["panics"] == NotHandled && got["taken"] == Taken && got["other"] == Nobody, true)
	r.want("acted", r.number("select count(*) from acted"), 2)
}

func TestMailOlderThanTheAccountIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			asked := 0
			process := r.another(Options{Handlers: []Handler{taker{func(context.Context, pgx.Tx, Received) (string, bool, error) {
				asked++
				return "It was taken.", true, nil
			}}}})
			r.server.Deliver(t, mailtest.User, []byte("Received: from a by b; Mon, 1 Jan 2024 10:00:00 +0000\nDate: Mon, 1 Jan 2024 10:00:00 +0000\nSubject: old\n\nText\n"))
			m := r.mailbox(p, manual)
			r.exec("update mailbox_account set created_at = now() + interval '1 hour'")
			v := r.check(process, m.ID)
			r.want("too old", [3]int{v.Stored, v.TooOld, asked}, [3]int{1, 1, 0})
			rows, _, err := r.List(r.ctx, Filter{Handling: TooOld})
			r.must(err)
			acted, err := process.Act(r.ctx, rows[0].ID)
			r.must(err)
			r.want("acted", acted.Handling == Taken && asked == 1, true)
			if _, err := process.Act(r.ctx, rows[0].ID); err == nil {
				t.Error("it was acted upon twice")
			}
		})
	}
}
