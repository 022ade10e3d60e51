package inbox

import (
	"context"
	"fmt"
	"iter"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/fetch"
)

// maxChunk bounds the messages that are read before those on the server are deleted or marked. Then the server waits
// until all of them are stored, so that it is not done often.
const (
	maxChunk     = 20_000
	maxChunkSize = 256 << 20
	maxPiece     = fetch.Described // of them, what is listed at once
)

// visiting is one mailbox on this process's hands: a lease, perhaps an open connection, and how far it was read. It is
// for one goroutine.
type visiting struct {
	s        *Service
	lease    lease
	account  account.Mailbox
	box      *fetch.Mailbox // nil: not open
	state    fetch.State    // of the mailbox when it was opened
	messages int            // in the mailbox, as far as was looked
	opened   time.Time
	folder   string // "" over POP3
	cursor   fetch.Cursor
	own      *senders
	eager    bool            // somebody waits for the visit: also what failed a moment ago is tried again
	retried  map[string]bool // messages that failed before
	marked   []string        // over POP3: gone when the session has ended in order
	visit    Visit
}

// open connects and learns how far the mailbox was read. What an earlier visit could not finish comes first.
func (v *visiting) open(ctx context.Context) error {
	route, err := v.s.accounts.MailboxRoute(ctx, account.MailboxChange{MailboxSettings: v.account.MailboxSettings})
	if err != nil {
		return err
	}
	route.Server.Timeouts.Poll, route.Server.Timeouts.Renew = v.s.times.poll, v.s.times.renew
	if err := v.s.opening.Acquire(ctx, 1); err != nil {
		return err
	}
	v.box, err = fetch.Open(ctx, route.Dialer, route.Server)
	v.s.opening.Release(1)
	if err != nil {
		v.box = nil
		return err
	}
	v.state, v.opened = v.box.State(), time.Now()
	v.messages = v.state.Messages
	if v.account.Protocol == fetch.IMAP {
		v.folder = route.Server.Folder
	}
	if err := v.resume(ctx); err != nil {
		return err
	}
	return v.removeRest(ctx)
}

// resume finds out where the last visit ended.
func (v *visiting) resume(ctx context.Context) error {
	stored, err := selectCursor(ctx, v.s.pool, v.account.ID)
	if err != nil {
		return err
	}
	v.cursor = fetch.Cursor{}
	if stored.Folder == v.folder && v.state.Continues(fetch.Cursor{UIDValidity: uint32(stored.UIDValidity)}) {
		v.cursor = fetch.Cursor{UIDValidity: uint32(stored.UIDValidity), UID: uint32(stored.UID)}
	}
	return nil
}

// removeRest deletes on the server what was stored and, when the last owner stopped, not yet deleted there.
func (v *visiting) removeRest(ctx context.Context) error {
	left, err := selectRemovals(ctx, v.s.pool, v.place())
	if err != nil || len(left) == 0 {
		return err
	}
	if v.account.KeepCopyOnServer { // by now; then they stay
		return forgetRemovals(ctx, v.s.pool, v.place(), left)
	}
	refs := make([]fetch.Ref, len(left))
	for i, id := range left {
		refs[i] = fetch.Ref{ID: id}
	}
	return v.remove(ctx, refs)
}

// takeAll takes in all that is new. The mailbox is open.
func (v *visiting) takeAll(ctx context.Context) (err error) {
	if v.own, err = v.s.ownAddresses(ctx); err != nil {
		return err
	}
	if err := v.retry(ctx); err != nil {
		return err
	}
	if v.account.Protocol == fetch.POP3 {
		return v.readPOP3(ctx)
	}
	return v.readChunks(ctx, v.cursor)
}

// readPOP3 also forgets identifiers that are not on the server any more: one that comes again means another message.
func (v *visiting) readPOP3(ctx context.Context) error {
	seen, err := selectSeen(ctx, v.s.pool, v.account.ID)
	if err != nil {
		return err
	}
	there := 0
	since := fetch.Cursor{Seen: func(id string) bool {
		_, known := seen[id]
		if known {
			seen[id] = true
			there++
		}
		return known
	}}
	found := v.visit.Found
	if err := v.readChunks(ctx, since); err != nil {
		return err
	}
	if whole := v.visit.Found-found < fetch.MaxListed; there == len(seen) || !whole {
		return nil
	}
	var gone []string
	for id, still := range seen {
		if !still {
			gone = append(gone, id)
		}
	}
	return forgetSeen(ctx, v.s.pool, v.account.ID, gone)
}

// readChunks takes in what is new. It is listed a piece at a time: while one is listed, the one before is stored.
func (v *visiting) readChunks(ctx context.Context, since fetch.Cursor) error {
	next, stop := iter.Pull2(v.pieces(ctx, since))
	defer stop()
	for more := true; more; {
		var err error
		if more, err = v.takeIn(ctx, next, true); err != nil {
			return err
		}
	}
	return nil
}

// pieces lists what is new.
func (v *visiting) pieces(ctx context.Context, since fetch.Cursor) iter.Seq2[[]fetch.Ref, error] {
	return func(yield func([]fetch.Ref, error) bool) {
		var piece []fetch.Ref
		for ref, err := range v.box.New(ctx, since) {
			if err != nil {
				yield(nil, err)
				return
			}
			v.visit.Found++
			if piece = append(piece, ref); len(piece) < maxPiece {
				continue
			}
			if !yield(piece, nil) {
				return
			}
			piece = nil
		}
		if len(piece) > 0 {
			yield(piece, nil)
		}
	}
}

// listing gives the next piece of what is to be taken in; false: there are no more.
type listing func() ([]fetch.Ref, error, bool)

// takeIn reads and stores a chunk of messages, and then deletes them on the server or marks them as read. With advance
// the cursor follows. It reports whether there may be more.
func (v *visiting) takeIn(ctx context.Context, next listing, advance bool) (more bool, err error) {
	k, last, more, err := v.store(ctx, next, advance)
	v.visit.Stored += k.stored
	v.visit.Known += k.known
	v.visit.TooOld += k.tooOld
	v.visit.Failed += k.failed
	if err != nil {
		return false, err
	}
	if advance && last.ID != "" && v.account.Protocol == fetch.IMAP {
		v.cursor = fetch.Cursor{UIDValidity: v.state.UIDValidity, UID: uidOf(last)}
	}
	if v.account.KeepCopyOnServer {
		return more, v.box.MarkSeen(ctx, k.done...)
	}
	return more, v.remove(ctx, k.done)
}

// remove deletes messages that are stored. Over POP3 they are gone when the session has ended in order: until then
// they are remembered.
func (v *visiting) remove(ctx context.Context, refs []fetch.Ref) error {
	if len(refs) == 0 {
		return nil
	}
	if err := v.box.Delete(ctx, refs...); err != nil {
		return err
	}
	v.visit.Deleted += len(refs)
	v.messages -= len(refs)
	if v.account.Protocol == fetch.POP3 {
		v.marked = append(v.marked, idsOf(refs)...)
		return nil
	}
	return forgetRemovals(ctx, v.s.pool, v.place(), idsOf(refs))
}

// retry takes another look at messages that failed before.
func (v *visiting) retry(ctx context.Context) error {
	v.retried = nil
	older := v.s.times.retry
	if v.eager {
		older = 0
	}
	failed, err := selectFailures(ctx, v.s.pool, v.place(), older)
	if err != nil || len(failed) == 0 {
		return err
	}
	v.retried = make(map[string]bool, len(failed))
	refs := make([]fetch.Ref, len(failed))
	for i, f := range failed {
		refs[i] = fetch.Ref{ID: f.Ref, Size: f.Size}
		v.retried[f.Ref] = true
	}
	_, err = v.takeIn(ctx, func() ([]fetch.Ref, error, bool) {
		piece := refs
		refs = nil
		return piece, nil, len(piece) > 0
	}, false)
	return err
}

// leave ends the session. Over POP3 that is when messages are deleted.
func (v *visiting) leave(ctx context.Context) error {
	if v.box == nil {
		return nil
	}
	box, marked := v.box, v.marked
	v.box, v.marked = nil, nil
	if err := box.Close(ctx); err != nil || len(marked) == 0 {
		return err
	}
	return forgetRemovals(ctx, v.s.pool, v.place(), marked)
}

// store reads messages on one side and stores them on the other: while the database commits, the server sends. Last is
// the last one of the chunk.
func (v *visiting) store(ctx context.Context, next listing, advance bool) (k kept, last fetch.Ref, more bool, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	line := v.startLine(ctx, stop, newProgress(advance && v.account.Protocol == fetch.IMAP))
	last, more, err = v.fetchPieces(ctx, next, line)
	k, storing := line.finish(err == nil)
	if storing != nil { // then reading was stopped for that
		err = storing
	}
	if err != nil {
		err = fmt.Errorf("visit mailbox %d: %w", v.account.ID, err)
	}
	return k, last, more, err
}

// fetchPieces goes on until a chunk is full.
func (v *visiting) fetchPieces(ctx context.Context, next listing, line *line) (last fetch.Ref, more bool, err error) {
	count, size := 0, int64(0)
	for count < maxChunk && size < maxChunkSize {
		piece, err, more := next()
		if err != nil || !more {
			return last, false, err
		}
		line.expect(piece)
		if err := v.fetch(ctx, piece, line); err != nil {
			return last, false, err
		}
		for _, ref := range piece {
			size += ref.Size
		}
		count += len(piece)
		last = piece[len(piece)-1]
	}
	return last, true, nil
}

// fetch hands over what the server sends, judged.
func (v *visiting) fetch(ctx context.Context, piece []fetch.Ref, line *line) error {
	for message, err := range v.box.Fetch(ctx, piece...) {
		if message == nil {
			return err
		}
		l, err := v.take(ctx, message, err)
		if err != nil {
			return err
		}
		if !line.add(ctx, l) {
			return context.Cause(ctx)
		}
	}
	return nil
}
