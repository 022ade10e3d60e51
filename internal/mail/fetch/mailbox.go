package fetch

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"orbit/internal/mail/ladder"
)

// State is the mailbox as it was when it was opened.
type State struct {
	UIDValidity uint32 // IMAP: another number, and all UIDs mean something else (RFC 9051 2.3.1.1)
	UIDNext     uint32 // IMAP: what the next message gets; 0 when the server does not say
	Messages    int
	Idle        bool // new mail is noticed at once; otherwise Wait looks from time to time
}

// Cursor returns the cursor of a caller that wants only what comes from now on.
func (s State) Cursor() Cursor {
	if s.UIDNext == 0 {
		return Cursor{UIDValidity: s.UIDValidity}
	}
	return Cursor{UIDValidity: s.UIDValidity, UID: s.UIDNext - 1}
}

// Continues reports whether a cursor from an earlier visit still means something. When it does not, New starts from
// the beginning, and the caller recognises by content what it has.
func (s State) Continues(c Cursor) bool { return c.UIDValidity == s.UIDValidity }

// Cursor says what the caller has seen. The zero value is: nothing.
type Cursor struct {
	UIDValidity uint32               // IMAP
	UID         uint32               // IMAP: everything up to this one
	Seen        func(id string) bool // POP3, which has no order; nil: nothing. Called while the server waits.
}

// Ref names a message. A caller that kept the ID alone can make one: Ref{ID: id}.
type Ref struct {
	ID       string    // the UID in decimal, or the UIDL
	Size     int64     // as the server says; 0: not known
	Received time.Time // IMAP: when the server got it; known when it is fetched

	number uint32 // the UID, or POP3's number in this session; 0: not known
	seen   bool   // IMAP: it was marked as read when it was listed
}

// Message is a message on its way in.
type Message struct {
	Ref
	Body       io.Reader // until the loop goes on; CRLF line ends
	HeaderOnly bool      // it is larger than MaxSize, and Body ends with the header
}

// Mailbox is an open mailbox. It is for one goroutine, and one call at a time.
type Mailbox struct {
	visit    *visit
	fetching bool
}

var (
	// ErrSnapshot says that this session will never see new mail (RFC 1939 4): close it, which lets others in, and
	// open another after a while.
	ErrSnapshot = errors.New("a POP3 session sees no new mail; open another")
	// ErrRenumbered says that the folder was made anew while it was open: State and what came of it are void. Open another.
	ErrRenumbered = errors.New("the folder was made anew; open it again")
	// ErrTooLarge says that a message is larger than it was announced to be, and than MaxSize.
	ErrTooLarge = errors.New("the message is larger than the limit")

	errFetching = errors.New("the mailbox is in the middle of Fetch")
	errReadOnly = errors.New("the mailbox was opened to be looked at")
)

// State returns the mailbox as it was when it was opened.
func (m *Mailbox) State() State { return m.visit.state }

// Messages returns how many there are, as far as the server has said by now; over POP3, how many there were.
func (m *Mailbox) Messages() int { return m.visit.box.messages(m.visit.state) }

// New lists the messages that since does not cover, oldest first. Inside the loop the mailbox can be used.
//
// Over POP3 a visit lists at most 20,000 messages; the next one goes on, when Seen covers those or they are deleted.
func (m *Mailbox) New(ctx context.Context, since Cursor) iter.Seq2[Ref, error] {
	return stream(ctx, m, func() iter.Seq2[Ref, error] { return m.visit.box.list(ctx, since) })
}

// Fetch streams messages, many with one command. They come in the server's order; one that has gone meanwhile is left
// out. An error that comes with a message says that the server does not give out this one; the loop goes on. Their
// state does not change (BODY.PEEK). Inside the loop nothing else can be asked of the mailbox; leaving the loop early
// costs the rest of what is under way.
func (m *Mailbox) Fetch(ctx context.Context, refs ...Ref) iter.Seq2[*Message, error] {
	return stream(ctx, m, func() iter.Seq2[*Message, error] {
		return func(yield func(*Message, error) bool) {
			m.fetching = true
			defer func() { m.fetching = false }()
			for message, err := range m.visit.box.fetch(ctx, refs) {
				if message != nil && message.Body != nil {
					message.Body = &body{from: message.Body, explain: func(err error) error { return m.fail(ctx, ladder.Fetch, err) }}
				}
				if !yield(message, err) {
					return
				}
			}
		}
	})
}

// stream runs a listing under ctx and explains its error.
func stream[T any](ctx context.Context, m *Mailbox, begin func() iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		if m.fetching {
			yield(none, errFetching)
			return
		}
		defer m.visit.watch(ctx)()
		for item, err := range begin() {
			if !yield(item, m.fail(ctx, ladder.Fetch, err)) {
				return
			}
		}
	}
}

// body explains what goes wrong while a message is read.
type body struct {
	from    io.Reader
	explain func(error) error
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, ErrTooLarge) {
		err = b.explain(err)
	}
	return n, err
}

// MarkSeen marks messages as read, if they were not when they were listed. POP3 knows no such mark.
func (m *Mailbox) MarkSeen(ctx context.Context, refs ...Ref) error {
	return m.change(ctx, refs, func() error { return m.visit.box.markSeen(ctx, refs) })
}

// Delete deletes messages, and no others: not those that somebody else has marked. Over POP3 they are gone after
// Close. Deleting what is not there is no error.
func (m *Mailbox) Delete(ctx context.Context, refs ...Ref) error {
	return m.change(ctx, refs, func() error { return m.visit.box.remove(ctx, refs) })
}

func (m *Mailbox) change(ctx context.Context, refs []Ref, do func() error) error {
	switch {
	case m.fetching:
		return errFetching
	case m.visit.server.ReadOnly:
		return errReadOnly
	case len(refs) == 0:
		return nil
	}
	defer m.visit.watch(ctx)()
	return m.fail(ctx, ladder.Fetch, do())
}

// Wait returns nil when New may list more than before: over IMAP with IDLE at once, without it after the next look.
// Over POP3 it returns ErrSnapshot. A folder that was made anew is noticed when it is selected again, after
// Timeouts.Renew: ErrRenumbered. When ctx ends it returns its error, and the mailbox can still be used.
func (m *Mailbox) Wait(ctx context.Context) error {
	if m.fetching {
		return errFetching
	}
	err := m.visit.box.wait(ctx)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrSnapshot), errors.Is(err, ErrRenumbered):
		return err
	}
	return m.fail(ctx, ladder.Idle, err)
}

// Close says good-bye and closes the connection. Over POP3 that is when messages are deleted: an error means that they
// may still be there.
func (m *Mailbox) Close(ctx context.Context) error {
	defer m.visit.watch(ctx)()
	return m.fail(ctx, ladder.Fetch, m.visit.box.leave(ctx))
}

// fail explains an error; nil stays nil.
func (m *Mailbox) fail(ctx context.Context, step ladder.Name, err error) error {
	if err == nil {
		return nil
	}
	err = because(ctx, err)
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return err
	}
	return &ladder.Error{Step: step, Fault: m.visit.explain(step, err), Err: err}
}
