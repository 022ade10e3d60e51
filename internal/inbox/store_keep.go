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

// selectContents returns the contents that were seen in the mailbox.
func selectContents(ctx context.Context, tx pgx.Tx, account int64, hashes [][]byte) (map[string]bool, error) {
	return contents(ctx, tx, account, hashes, `
		select hash
		from inbound_content
		where mailbox_account_id = @account and hash = any(@hashes::bytea[])`)
}

// insertContents notes contents and returns those that were never seen in the mailbox.
func insertContents(ctx context.Context, tx pgx.Tx, account int64, hashes [][]byte) (map[string]bool, error) {
	return contents(ctx, tx, account, hashes, `
		insert into inbound_content (mailbox_account_id, hash)
		select @account, unnest(@hashes::bytea[])
		on conflict on constraint inbound_content_once do nothing
		returning hash`)
}

func contents(ctx context.Context, tx pgx.Tx, account int64, hashes [][]byte, sql string) (map[string]bool, error) {
	found := map[string]bool{}
	if len(hashes) == 0 {
		return found, nil
	}
	rows, err := tx.Query(ctx, sql, pgx.NamedArgs{"account": account, "hashes": hashes})
	if err != nil {
		return nil, fmt.Errorf("look for what was seen in mailbox %d: %w", account, err)
	}
	var hash pgtype.DriverBytes
	_, err = pgx.ForEachRow(rows, []any{&hash}, func() error {
		found[string(hash)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for what was seen in mailbox %d: %w", account, err)
	}
	return found, nil
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

func deleteRaw(ctx context.Context, tx pgx.Tx, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, "delete from inbound_raw where inbound_message_id = any(@ids)", pgx.NamedArgs{"ids": ids}); err != nil {
		return fmt.Errorf("delete the bytes of messages that were known: %w", err)
	}
	return nil
}

// drawIDs numbers the letters that have no number yet.
func drawIDs(ctx context.Context, tx pgx.Tx, letters []*letter) error {
	var without []*letter
	for _, l := range letters {
		if l.id == 0 {
			without = append(without, l)
		}
	}
	if len(without) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		select nextval('inbound_message_id_seq')
		from generate_series(1, @n::integer)`, pgx.NamedArgs{"n": len(without)})
	if err != nil {
		return fmt.Errorf("draw ids of messages: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("draw ids of messages: %w", err)
	}
	for i, l := range without {
		l.id = ids[i]
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
	attachments := []byte("[]")
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

// insertMessages stores messages, whose bytes are there. A number that means another message by now loses its old one.
func insertMessages(ctx context.Context, tx pgx.Tx, folder string, state fetch.State, rows []Row, letters []*letter) error {
	if len(rows) == 0 {
		return nil
	}
	var c columns
	for i, r := range rows {
		if err := c.add(r, letters[i], state.UIDValidity > 0); err != nil {
			return err
		}
	}
	args := pgx.NamedArgs{"account": rows[0].AccountID, "folder": folder, "validity": int64(state.UIDValidity)}
	c.into(args)
	all := &pgx.Batch{}
	all.Queue(`
		update inbound_message
		set uid = 0
		where mailbox_account_id = @account and folder = @folder and uid_validity = @validity and uid > 0 and uid = any(@uid)`, args)
	all.Queue(insertMessageRows, args)
	if err := tx.SendBatch(ctx, all).Close(); err != nil {
		return fmt.Errorf("store messages of mailbox %d: %w", rows[0].AccountID, err)
	}
	return nil
}

func (c *columns) into(args pgx.NamedArgs) {
	for name, values := range map[string]any{
		"id": c.id, "uid": c.uid, "uidl": c.uidl, "size": c.size, "message_id": c.messageID, "address": c.address,
		"name": c.name, "subject": c.subject, "class": c.class, "automatic": c.automatic, "answer": c.answer, "text": c.text,
		"related": c.related, "original": c.original, "handling": c.handling, "outcome": c.outcome, "note": c.note,
		"attachments": c.attachments, "authentication": c.authentication, "date": c.date, "received": c.received,
		"complete": c.complete,
	} {
		args[name] = values
	}
}

const insertMessageRows = `
	insert into inbound_message (
		mailbox_account_id, folder, uid_validity, id, uid, uidl, message_id, from_address, from_name, subject,
		message_date, received_at, class, automatic, answer, text, size, complete, attachments, authentication,
		original, related, handling, outcome, note)
	select @account, @folder, @validity, id, uid, uidl, message_id, address, name, subject,
		date, received, class, automatic, answer, text, size, complete, attachments::jsonb, authentication::jsonb,
		original, related, handling, outcome, note
	from unnest(
		@id::bigint[], @uid::bigint[], @uidl::text[], @message_id::text[], @address::text[], @name::text[], @subject::text[],
		@date::timestamptz[], @received::timestamptz[], @class::text[], @automatic::text[], @answer::text[], @text::text[],
		@size::bigint[], @complete::boolean[], @attachments::text[], @authentication::text[], @original::text[],
		@related::text[], @handling::text[], @outcome::text[], @note::text[])
	as m (id, uid, uidl, message_id, address, name, subject, date, received, class, automatic, answer, text, size,
		complete, attachments, authentication, original, related, handling, outcome, note)`

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
