package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"orbit/internal/mail/fetch"
)

// askContents numbers the letters that have no number yet, and returns the contents that were seen in the mailbox. Each
// hash is looked for in the index: a plan that was made while the table was small would compare all with all.
func askContents(ctx context.Context, tx pgx.Tx, account int64, letters []*letter) (seen map[string]bool, err error) {
	ask := &pgx.Batch{}
	ask.Queue(`
		select known.hash
		from unnest(@hashes::bytea[]) as asked (hash), lateral (
			select hash
			from inbound_content
			where mailbox_account_id = @account and hash = asked.hash
			limit 1) as known`, pgx.NamedArgs{"account": account, "hashes": hashesOf(letters)}).Query(func(rows pgx.Rows) (err error) {
		seen, err = contents(rows)
		return err
	})
	queueNumbers(ask, letters)
	if err := tx.SendBatch(ctx, ask).Close(); err != nil {
		return nil, fmt.Errorf("look for what was seen in mailbox %d: %w", account, err)
	}
	return seen, nil
}

func contents(rows pgx.Rows) (map[string]bool, error) {
	found := map[string]bool{}
	var hash pgtype.DriverBytes
	_, err := pgx.ForEachRow(rows, []any{&hash}, func() error {
		found[string(hash)] = true
		return nil
	})
	return found, err
}

func queueNumbers(b *pgx.Batch, letters []*letter) {
	without := slices.DeleteFunc(slices.Clone(letters), func(l *letter) bool { return l.id != 0 })
	if len(without) == 0 {
		return
	}
	b.Queue(`
		select nextval('inbound_message_id_seq')
		from generate_series(1, @n::integer)`, pgx.NamedArgs{"n": len(without)}).Query(func(rows pgx.Rows) error {
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		for i, id := range ids {
			without[i].id = id
		}
		return err
	})
}

func queueContents(b *pgx.Batch, account int64, hashes [][]byte) {
	if len(hashes) == 0 {
		return
	}
	b.Queue(`
		insert into inbound_content (mailbox_account_id, hash)
		select @account, unnest(@hashes::bytea[])`, pgx.NamedArgs{"account": account, "hashes": hashes})
}

// copyRaw writes the bytes of letters, a piece each. Those of large ones are there already.
func copyRaw(ctx context.Context, tx pgx.Tx, letters []*letter) error {
	whole := slices.DeleteFunc(slices.Clone(letters), func(l *letter) bool { return l.pieces > 0 })
	if len(whole) == 0 {
		return nil
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"inbound_raw"}, []string{"inbound_message_id", "n", "data"},
		pgx.CopyFromSlice(len(whole), func(i int) ([]any, error) { return []any{whole[i].id, int32(0), whole[i].text}, nil }))
	if err != nil {
		return fmt.Errorf("store the bytes of messages: %w", err)
	}
	return nil
}

// columns are the messages of a batch by column: one statement takes them all, and unlike COPY it does not wait for
// this process in the middle, while the mailbox is locked.
type columns struct {
	id, uid, size                                                                    []int64
	uidl, messageID, address, name, subject, class, automatic, answer, text, related []string
	original, handling, outcome, note, attachments                                   []string
	authentication                                                                   []*string
	date                                                                             []*time.Time
	received                                                                         []time.Time
	complete                                                                         []bool
}

func (c *columns) add(r Row, l *letter, imap bool) error {
	uid, uidl := int64(0), l.ref.ID
	if imap {
		uid, uidl = int64(uidOf(l.ref)), ""
	}
	attachments := []byte(noAttachments)
	if len(r.Attachments) > 0 {
		var err error
		if attachments, err = json.Marshal(r.Attachments); err != nil {
			return fmt.Errorf("encode attachments: %w", err)
		}
	}
	var authentication *string
	if r.Authentication != nil {
		text, err := json.Marshal(r.Authentication)
		if err != nil {
			return fmt.Errorf("encode authentication: %w", err)
		}
		authentication = new(string(text))
	}
	c.id, c.uid, c.size, c.uidl = append(c.id, r.ID), append(c.uid, uid), append(c.size, r.Size), append(c.uidl, uidl)
	c.messageID, c.address, c.name = append(c.messageID, r.MessageID), append(c.address, r.FromAddress), append(c.name, r.FromName)
	c.subject, c.class, c.automatic = append(c.subject, r.Subject), append(c.class, string(r.Class)), append(c.automatic, r.Automatic)
	c.answer, c.text, c.related = append(c.answer, string(r.Answer)), append(c.text, r.Text), append(c.related, r.Related)
	c.original, c.handling = append(c.original, r.Original), append(c.handling, string(r.Handling))
	c.outcome, c.note = append(c.outcome, r.Outcome), append(c.note, r.Note)
	c.attachments, c.authentication = append(c.attachments, string(attachments)), append(c.authentication, authentication)
	c.date, c.received, c.complete = append(c.date, r.Date), append(c.received, r.ReceivedAt), append(c.complete, r.Complete)
	return nil
}

func uidOf(ref fetch.Ref) uint32 {
	n, _ := strconv.ParseUint(ref.ID, 10, 32) // the IMAP code made it of a number
	return uint32(n)
}

// queueMessages stores messages, whose bytes are there. A number that means another message by now loses its old one;
// there is none in a mailbox whose numbers grow, so that is asked first.
func queueMessages(b *pgx.Batch, p place, rows []Row, letters []*letter) error {
	if len(rows) == 0 {
		return nil
	}
	var c columns
	for i, r := range rows {
		if err := c.add(r, letters[i], p.validity > 0); err != nil {
			return err
		}
	}
	args := p.args()
	args["lowest"] = slices.Min(c.uid)
	c.into(args)
	b.Queue(`
		update inbound_message
		set uid = 0
		where mailbox_account_id = @account and folder = @folder and uid_validity = @validity and uid > 0 and uid = any(@uid)
			and @lowest <= (
				select max(uid)
				from inbound_message
				where mailbox_account_id = @account and folder = @folder and uid_validity = @validity and uid > 0)`, args)
	b.Queue(insertMessageRows, args)
	return nil
}

func (c *columns) into(args pgx.NamedArgs) {
	for name, values := range map[string]any{
		"id": c.id, "uid": c.uid, "uidl": unusual(c.uidl, ""), "size": c.size, "message_id": c.messageID, "address": c.address,
		"name": c.name, "subject": c.subject, "class": c.class, "automatic": unusual(c.automatic, ""),
		"answer": unusual(c.answer, ""), "text": c.text, "related": unusual(c.related, ""), "original": unusual(c.original, ""),
		"handling": c.handling, "outcome": unusual(c.outcome, ""), "note": unusual(c.note, ""),
		"attachments": unusual(c.attachments, noAttachments), "authentication": c.authentication, "date": c.date,
		"received": c.received, "complete": c.complete,
	} {
		args[name] = values
	}
}

// unusual leaves out a column that says the same of all messages: most mail answers none and has nothing attached.
func unusual(values []string, usual string) []string {
	if slices.ContainsFunc(values, func(v string) bool { return v != usual }) {
		return values
	}
	return nil
}

const noAttachments = "[]"

// An array that is shorter than the others gives null where it has ended.
const insertMessageRows = `
	insert into inbound_message (
		mailbox_account_id, folder, uid_validity, id, uid, uidl, message_id, from_address, from_name, subject,
		message_date, received_at, class, automatic, answer, text, size, complete, attachments, authentication,
		original, related, handling, outcome, note)
	select @account, @folder, @validity, id, uid, coalesce(uidl, ''), message_id, address, name, subject,
		date, received, class, coalesce(automatic, ''), coalesce(answer, ''), text, size, complete,
		coalesce(attachments, '[]')::jsonb, authentication::jsonb,
		coalesce(original, ''), coalesce(related, ''), handling, coalesce(outcome, ''), coalesce(note, '')
	from (
		select unnest(@id::bigint[]) as id, unnest(@uid::bigint[]) as uid, unnest(@uidl::text[]) as uidl,
			unnest(@message_id::text[]) as message_id, unnest(@address::text[]) as address, unnest(@name::text[]) as name,
			unnest(@subject::text[]) as subject, unnest(@date::timestamptz[]) as date, unnest(@received::timestamptz[]) as received,
			unnest(@class::text[]) as class, unnest(@automatic::text[]) as automatic, unnest(@answer::text[]) as answer,
			unnest(@text::text[]) as text, unnest(@size::bigint[]) as size, unnest(@complete::boolean[]) as complete,
			unnest(@attachments::text[]) as attachments, unnest(@authentication::text[]) as authentication,
			unnest(@original::text[]) as original, unnest(@related::text[]) as related, unnest(@handling::text[]) as handling,
			unnest(@outcome::text[]) as outcome, unnest(@note::text[]) as note) as m`

func queueCursor(b *pgx.Batch, p place, uid uint32) {
	args := p.args()
	args["uid"] = int64(uid)
	b.Queue(`
		update mailbox_state
		set folder = @folder, uid_validity = @validity, uid = @uid
		where mailbox_account_id = @account`, args)
}

func queueSeen(b *pgx.Batch, account int64, ids []string) {
	b.Queue(`
		insert into inbound_uidl (mailbox_account_id, uidl)
		select @account, unnest(@ids::text[])
		on conflict on constraint inbound_uidl_once do nothing`, pgx.NamedArgs{"account": account, "ids": ids})
}

func queueRemovals(b *pgx.Batch, p place, done []fetch.Ref) {
	args := p.args()
	args["refs"] = idsOf(done)
	b.Queue(`
		insert into inbound_removal (mailbox_account_id, folder, uid_validity, ref)
		select @account, @folder, @validity, unnest(@refs::text[])
		on conflict on constraint inbound_removal_once do nothing`, args)
}

func idsOf(refs []fetch.Ref) []string {
	ids := make([]string, len(refs))
	for i, ref := range refs {
		ids[i] = ref.ID
	}
	return ids
}

// queueFailures notes the messages that failed, and forgets those that were stored at last.
func queueFailures(b *pgx.Batch, p place, failed []*letter, done []string) {
	for _, l := range failed {
		args := p.args()
		args["ref"], args["size"], args["reason"] = l.ref.ID, l.ref.Size, failureReason(l.reason)
		b.Queue(`
			insert into inbound_failure (mailbox_account_id, folder, uid_validity, ref, size, reason)
			values (@account, @folder, @validity, @ref, @size, @reason)
			on conflict on constraint inbound_failure_once do update
			set reason = excluded.reason, attempts = inbound_failure.attempts + 1, last_at = now()`, args)
	}
	if len(done) > 0 {
		args := p.args()
		args["refs"] = done
		b.Queue(forgetFrom("inbound_failure"), args)
	}
}

// queueUploads ends the uploads of large messages: their pieces belong to a row now. Those of a message that was
// there already are of no use.
func queueUploads(b *pgx.Batch, letters []*letter) {
	var ids []int64
	for _, l := range letters {
		if l.pieces > 0 {
			ids = append(ids, l.id)
		}
	}
	if len(ids) == 0 {
		return
	}
	args := pgx.NamedArgs{"ids": ids}
	b.Queue("delete from inbound_upload where inbound_message_id = any(@ids)", args)
	b.Queue(`
		delete from inbound_raw
		where inbound_message_id = any(@ids)
			and not exists (select from inbound_message where id = inbound_message_id)`, args)
}

// insertUpload draws the id of a large message before its text arrives.
func insertUpload(ctx context.Context, q querier) (id int64, err error) {
	err = q.QueryRow(ctx, `
		insert into inbound_upload (inbound_message_id)
		values (nextval(pg_get_serial_sequence('inbound_message', 'id')))
		returning inbound_message_id`).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("begin to store a large message: %w", err)
	}
	return id, nil
}

func insertPiece(ctx context.Context, q querier, id int64, n int, data []byte) error {
	_, err := q.Exec(ctx, `
		insert into inbound_raw (inbound_message_id, n, data)
		values (@id, @n, @data)`, pgx.NamedArgs{"id": id, "n": n, "data": data})
	return err
}
