package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"orbit/internal/mail/fetch"
	"orbit/internal/mail/reply"
	"orbit/internal/postgres"
)

// batch is what one transaction stores of a mailbox.
type batch struct {
	letters []*letter
	upTo    uint32 // IMAP: everything up to this UID is done with when the batch is stored; 0: says nothing
}

// kept says what became of a batch.
type kept struct {
	stored, known, tooOld int
	failed                int
	done                  []fetch.Ref // stored for good: they may be deleted on the server, or marked as read
	classes               map[reply.Class]int
	bytes                 int64
}

func (k *kept) add(other kept) {
	k.stored += other.stored
	k.known += other.known
	k.tooOld += other.tooOld
	k.failed += other.failed
	k.done = append(k.done, other.done...)
}

// keep stores a batch. A message that the database refuses is found by storing the others without it.
func (v *visiting) keep(ctx context.Context, b batch) (kept, error) {
	k, err := v.keepAll(ctx, b)
	if err == nil || !messageIsWrong(err) {
		return k, err
	}
	if len(b.letters) == 1 {
		b.letters[0].reason = err
		v.s.log.ErrorContext(ctx, "store a message", "account", v.account.ID, "message", b.letters[0].ref.ID, "error", err)
		return v.keepAll(ctx, b)
	}
	half := len(b.letters) / 2
	first, err := v.keep(ctx, batch{letters: b.letters[:half]})
	if err != nil {
		return first, err
	}
	second, err := v.keep(ctx, batch{letters: b.letters[half:], upTo: b.upTo})
	second.add(first)
	return second, err
}

// messageIsWrong reports whether the database refused the data and not the moment.
func messageIsWrong(err error) bool {
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.Code[:2] {
	case "22", "23", "54", "P0": // data, constraints, limits, raised by a trigger
		return true
	}
	return false
}

// keepAll is one transaction: who stores still owns the mailbox, each message is stored once, and what it leads to
// is stored with it.
func (v *visiting) keepAll(ctx context.Context, b batch) (k kept, err error) {
	err = postgres.InTx(ctx, v.s.pool, func(tx pgx.Tx) error {
		fresh, err := v.bring(ctx, tx, b.letters)
		if err != nil {
			return err
		}
		if err := hold(ctx, tx, v.lease, v.s.times.storing); err != nil {
			return err
		}
		rows, err := v.rows(ctx, tx, fresh)
		if err != nil {
			return err
		}
		k = v.tally(b, fresh)
		last := &pgx.Batch{}
		queueContents(last, v.account.ID, hashesOf(fresh))
		if err := queueMessages(last, v.place(), rows, fresh); err != nil {
			return err
		}
		v.finish(last, b, k)
		return send(ctx, tx, last, v.account.ID)
	})
	if err != nil {
		return kept{}, err
	}
	return k, nil
}

// send runs what was queued.
func send(ctx context.Context, tx pgx.Tx, last *pgx.Batch, account int64) error {
	if last.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, last).Close(); err != nil {
		return fmt.Errorf("store messages of mailbox %d: %w", account, err)
	}
	return nil
}

// hold begins a transaction that only the owner of the mailbox can commit.
func hold(ctx context.Context, tx pgx.Tx, l lease, frozen time.Duration) error {
	both := &pgx.Batch{}
	both.Queue(fmt.Sprintf("set local idle_in_transaction_session_timeout = %d", frozen.Milliseconds()))
	both.Queue(holdLease, l.args())
	results := tx.SendBatch(ctx, both)
	_, err := results.Exec()
	if err == nil {
		var id int64
		err = results.QueryRow().Scan(&id)
	}
	if err := errors.Join(err, results.Close()); errors.Is(err, pgx.ErrNoRows) {
		return errLost
	} else if err != nil {
		return fmt.Errorf("store what is in %s: %w", l, err)
	}
	return nil
}

// bring writes the bytes of the letters whose content was never seen in this mailbox, and returns those. It comes
// before the fence: the rows belong to nothing yet, so a process that freezes in the middle of so much keeps nobody out
// of the mailbox. What it found out about contents still holds behind the fence: who passes that has owned the mailbox
// since before, and only owners note contents.
func (v *visiting) bring(ctx context.Context, tx pgx.Tx, letters []*letter) ([]*letter, error) {
	candidates := distinct(letters)
	if len(candidates) == 0 {
		return nil, nil
	}
	seen, err := askContents(ctx, tx, v.account.ID, candidates)
	if err != nil {
		return nil, err
	}
	fresh := slices.DeleteFunc(candidates, func(l *letter) bool { return seen[string(l.hash)] })
	return fresh, copyRaw(ctx, tx, fresh)
}

// distinct returns the letters that could be read, and of equal ones the first.
func distinct(letters []*letter) []*letter {
	var some []*letter
	met := map[string]bool{}
	for _, l := range letters {
		if l.reason == nil && !met[string(l.hash)] {
			met[string(l.hash)] = true
			some = append(some, l)
		}
	}
	return some
}

func hashesOf(letters []*letter) [][]byte {
	hashes := make([][]byte, len(letters))
	for i, l := range letters {
		hashes[i] = l.hash
	}
	return hashes
}

// rows makes rows of letters and lets the handlers have them.
func (v *visiting) rows(ctx context.Context, tx pgx.Tx, fresh []*letter) ([]Row, error) {
	rows := make([]Row, len(fresh))
	for i, l := range fresh {
		rows[i] = v.row(l)
		if err := v.handle(ctx, tx, l, &rows[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// tally counts what becomes of a batch when it is committed.
func (v *visiting) tally(b batch, fresh []*letter) (k kept) {
	k.classes = map[reply.Class]int{}
	k.stored = len(fresh)
	for _, l := range fresh {
		k.classes[l.read.Class]++
		k.bytes += l.size
		if v.tooOld(l) {
			k.tooOld++
		}
	}
	for _, l := range b.letters {
		switch {
		case l.reason != nil:
			k.failed++
			continue
		case l.complete:
			k.done = append(k.done, l.ref)
		}
	}
	k.known = len(b.letters) - k.failed - k.stored
	return k
}

// finish queues how far the mailbox was read, and what is left to do there.
func (v *visiting) finish(last *pgx.Batch, b batch, k kept) {
	v.queueProgress(last, b)
	if !v.account.KeepCopyOnServer && len(k.done) > 0 {
		queueRemovals(last, v.place(), k.done)
	}
	var failed []*letter
	var done []string
	for _, l := range b.letters {
		if l.reason != nil {
			failed = append(failed, l)
		} else if v.retried[l.ref.ID] {
			done = append(done, l.ref.ID)
		}
	}
	queueFailures(last, v.place(), failed, done)
	queueUploads(last, b.letters)
}

func (v *visiting) queueProgress(last *pgx.Batch, b batch) {
	if v.account.Protocol == fetch.POP3 {
		ids := make([]string, len(b.letters))
		for i, l := range b.letters {
			ids[i] = l.ref.ID
		}
		queueSeen(last, v.account.ID, ids)
		return
	}
	if b.upTo > 0 {
		queueCursor(last, v.place(), b.upTo)
	}
}

// Longest texts kept in columns; the whole is in the stored bytes.
const (
	maxText      = 1000
	maxLine      = 1000
	maxAddress   = 320
	maxSummaries = 50
)

// row is a letter as it is stored.
func (v *visiting) row(l *letter) Row {
	m := &l.read
	r := Row{
		ID: l.id, AccountID: v.account.ID, Folder: v.folder,
		MessageID: storable(m.MessageID, maxLine), FromAddress: storable(m.From.Address, maxAddress), FromName: storable(m.From.Name, maxAddress),
		Subject: storable(m.Subject, maxLine), Date: sensible(m.Date), ReceivedAt: v.receivedAt(l),
		Class: m.Class, Automatic: storable(m.Automatic, maxLine), Answer: m.Answer, Text: storableText(m.Text, maxText),
		Size: max(l.size, l.ref.Size), Complete: l.complete, Original: storable(m.Original, maxLine), Related: l.related,
		Note: storable(l.note, maxLine), Attachments: []Attachment{},
	}
	if r.Class == "" {
		r.Class = reply.ClassOther
	}
	for _, a := range m.Attachments[:min(len(m.Attachments), maxSummaries)] {
		r.Attachments = append(r.Attachments, Attachment{Name: storable(a.Name, maxAddress), Type: storable(a.Type, maxAddress), Size: a.Size})
	}
	r.Authentication = authentication(m)
	return r
}

// authentication is nil when no server is trusted, or the trusted one has said nothing.
func authentication(m *reply.Message) *Authentication {
	if m.Auth.Server == "" {
		return nil
	}
	return &Authentication{
		Server: m.Auth.Server, SPF: m.Auth.Verdict("spf"), DKIM: m.Auth.Verdict("dkim"), DMARC: m.Auth.Verdict("dmarc"),
		Authentic: m.Authentic(),
	}
}

// sensible leaves out dates that no clock shows: PostgreSQL takes fewer years than Go.
func sensible(t time.Time) *time.Time {
	if t.Year() < 1970 || t.Year() > 9999 {
		return nil
	}
	return &t
}

// receivedAt is when the server got the message; where it does not say, now.
func (v *visiting) receivedAt(l *letter) time.Time {
	if at := sensible(l.received); at != nil && at.Before(v.s.now().Add(24*time.Hour)) {
		return *at
	}
	return v.s.now()
}

// tooOld reports whether a message was there before the account was.
func (v *visiting) tooOld(l *letter) bool {
	at := l.received
	if at.IsZero() {
		at = l.read.Date
	}
	return !at.IsZero() && at.Before(v.account.CreatedAt.Truncate(time.Second))
}

// handle decides what becomes of a message and lets the handlers have it, each in a savepoint: one that fails leaves
// the message stored and nothing else.
func (v *visiting) handle(ctx context.Context, tx pgx.Tx, l *letter, r *Row) error {
	if l.loop != "" {
		found, err := v.arrive(ctx, tx, l)
		if err != nil || found {
			r.Handling, r.Outcome = LoopTest, "It is a loop test of this mailbox."
			return err
		}
	}
	r.Handling = Nobody
	switch {
	case v.tooOld(l):
		r.Handling, r.Outcome = TooOld, "It was in the mailbox before this account was registered."
		return nil
	case !l.complete:
		r.Outcome = "It is too large to be acted upon."
		return nil
	}
	return v.s.offer(ctx, tx, Received{Row: *r, Read: l.read}, r)
}

// offer asks the handlers. The error is that of the transaction.
func (s *Service) offer(ctx context.Context, tx pgx.Tx, received Received, r *Row) error {
	for _, h := range s.handlers {
		if c, ok := h.(Chooser); ok && !c.Concerns(received.Read) {
			continue
		}
		var outcome string
		var taken bool
		err := pgx.BeginFunc(ctx, tx, func(inner pgx.Tx) (err error) {
			outcome, taken, err = handle(ctx, inner, h, received)
			return err
		})
		switch {
		case err != nil && (ctx.Err() != nil || tx.Conn().IsClosed()):
			return err
		case err != nil:
			s.log.ErrorContext(ctx, "act upon a message", "account", r.AccountID, "message", r.ID, "error", err)
			r.Handling, r.Outcome = NotHandled, "Orbit could not act upon it; the reason is in the log."
			return nil
		case taken:
			r.Handling, r.Outcome = Taken, storable(outcome, maxLine)
			return nil
		}
	}
	return nil
}

func handle(ctx context.Context, tx pgx.Tx, h Handler, r Received) (outcome string, taken bool, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the handler panicked: %v", reason)
		}
	}()
	return h.Handle(ctx, tx, r)
}

// place is a mailbox with the numbering that references are of.
type place struct {
	account  int64
	folder   string
	validity uint32
}

func (v *visiting) place() place { return place{v.account.ID, v.folder, v.state.UIDValidity} }

func (p place) args() pgx.NamedArgs {
	return pgx.NamedArgs{"account": p.account, "folder": p.folder, "validity": int64(p.validity)}
}

// failureReason is what a person reads of a message that could not be read or stored.
func failureReason(err error) string {
	return storable(strings.TrimPrefix(err.Error(), "fetch: "), maxLine)
}
