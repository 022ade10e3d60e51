package inbox

import (
	"testing"

	"orbit/internal/mail/fetch"
)

func TestASearchGoesOnWhereItsPageEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	m := r.mailbox(fetch.IMAP, manual)
	r.exec(`
		insert into inbound_message (mailbox_account_id, folder, uid_validity, uid, uidl, message_id, from_address, from_name, subject,
			received_at, class, automatic, answer, text, size, complete, attachments, original, related, handling, outcome, note)
		select $1, 'INBOX', 1, n, '', '', 'ann@example.net', 'Ann', 'Message ' || n, now() - n * interval '1 second', 'other', '', '',
			case when n > $2 then 'ÇA VA, Müller?' else 'Very well.' end, 1, true, '[]', '', '', 'nobody', '', ''
		from generate_series(1, $2 + 1) as n`, m.ID, reach)
	for _, search := range []Filter{{Search: "müller ça"}, {Search: "MÜLLER"}, {Subject: "message 10001"}, {From: "ann", Search: "va"}} {
		search.AccountID = m.ID
		rows, next, err := r.List(r.ctx, search)
		r.must(err)
		if len(rows) != 0 || next == "" {
			t.Errorf("%+v: %d rows, next %q", search, len(rows), next)
		}
		search.Cursor = next
		rows, next, err = r.List(r.ctx, search)
		r.must(err)
		if len(rows) != 1 || next != "" || rows[0].Subject != "Message 10001" {
			t.Errorf("%+v: %d rows, next %q", search, len(rows), next)
		}
	}
	none, _, err := r.List(r.ctx, Filter{AccountID: m.ID, Search: "möller", Cursor: ""})
	r.must(err)
	r.want("messages of Möller", len(none), 0)
	r.exec("delete from inbound_message where uid = 1")
	_, next, err := r.List(r.ctx, Filter{AccountID: m.ID, Search: "nobody wrote this"})
	r.must(err)
	_, last, err := r.List(r.ctx, Filter{AccountID: m.ID, Search: "nobody wrote this", Cursor: next})
	r.must(err)
	r.want("the end", last, "")
}
