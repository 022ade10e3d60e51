package fetch

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"orbit/internal/mail/pop3"
)

// MaxListed bounds what a visit to a POP3 mailbox lists; the next one goes on.
const MaxListed = 20_000

// pop3Box is a mailbox in the transaction state (RFC 1939 5).
type pop3Box struct {
	*pop3Door
	marked bool // something is to be deleted by QUIT
}

// list keeps what the caller has not seen, and then asks for the sizes of those.
func (b *pop3Box) list(ctx context.Context, since Cursor) iter.Seq2[Ref, error] {
	return func(yield func(Ref, error) bool) {
		refs, err := b.unseen(ctx, since.Seen)
		if err == nil {
			err = b.size(ctx, refs)
		}
		if err != nil {
			yield(Ref{}, b.why(err))
			return
		}
		for _, ref := range refs {
			if !yield(ref, nil) {
				return
			}
		}
	}
}

func (b *pop3Box) unseen(ctx context.Context, seen func(string) bool) ([]Ref, error) {
	var refs []Ref
	for message, err := range b.client.UIDs(ctx) {
		if err != nil {
			return nil, err
		}
		if len(refs) < MaxListed && (seen == nil || !seen(message.ID)) {
			refs = append(refs, Ref{ID: message.ID, number: uint32(message.Number)})
		}
	}
	return refs, nil
}

// size asks for one size where there is one message, and for all where there are more.
func (b *pop3Box) size(ctx context.Context, refs []Ref) error {
	if len(refs) == 0 {
		return nil
	}
	at := make(map[int]int, len(refs))
	for i, ref := range refs {
		at[int(ref.number)] = i
	}
	for message, err := range b.client.Sizes(ctx) {
		if err != nil {
			return err
		}
		if i, ok := at[message.Number]; ok {
			refs[i].Size = message.Octets
		}
	}
	return nil
}

// numbered finds the messages that references of an earlier visit name.
func (b *pop3Box) numbered(ctx context.Context, refs []Ref) ([]Ref, error) {
	if !slices.ContainsFunc(refs, func(ref Ref) bool { return ref.number == 0 }) {
		return refs, nil
	}
	wanted := make(map[string]Ref, len(refs))
	for _, ref := range refs {
		wanted[ref.ID] = ref
	}
	var found []Ref
	for message, err := range b.client.UIDs(ctx) {
		if err != nil {
			return nil, err
		}
		if ref, ok := wanted[message.ID]; ok {
			ref.number = uint32(message.Number)
			found = append(found, ref)
		}
	}
	return found, nil
}

func (b *pop3Box) fetch(ctx context.Context, refs []Ref) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		refs, err := b.numbered(ctx, refs)
		if err != nil {
			yield(nil, b.why(err))
			return
		}
		for _, ref := range refs {
			if !b.fetchOne(ctx, ref, yield) {
				return
			}
		}
	}
}

func (b *pop3Box) fetchOne(ctx context.Context, ref Ref, yield func(*Message, error) bool) bool {
	header := ref.Size > b.server.MaxSize
	open := func() (io.ReadCloser, error) { return b.client.Retrieve(ctx, int(ref.number), b.server.MaxSize) }
	if header {
		open = func() (io.ReadCloser, error) { return b.client.Top(ctx, int(ref.number), 0, b.server.MaxSize) }
	}
	text, err := open()
	var refusal *pop3.Error
	if errors.As(err, &refusal) && !refusal.Temporary() { // the others may be readable
		return yield(&Message{Ref: ref}, b.why(err))
	}
	if err != nil {
		yield(nil, b.why(err))
		return false
	}
	defer text.Close()
	goOn := yield(&Message{Ref: ref, Body: limited{text}, HeaderOnly: header}, nil)
	if err := b.why(text.Close()); err != nil && goOn {
		yield(nil, err)
		return false
	}
	return goOn
}

// limited says ErrTooLarge in this package's words.
type limited struct{ io.Reader }

func (l limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if errors.Is(err, pop3.ErrTooLarge) {
		err = ErrTooLarge
	}
	return n, err
}

func (b *pop3Box) markSeen(context.Context, []Ref) error { return nil }

func (b *pop3Box) remove(ctx context.Context, refs []Ref) error {
	refs, err := b.numbered(ctx, refs)
	if err != nil {
		return b.why(err)
	}
	for _, ref := range refs {
		if err := b.client.Delete(ctx, int(ref.number)); err != nil {
			return b.why(err)
		}
		b.marked = true
	}
	return nil
}

func (b *pop3Box) wait(context.Context) error { return ErrSnapshot }

func (b *pop3Box) messages(opened State) int { return opened.Messages }

// leave ends the session. Only when something was to be deleted does it matter how.
func (b *pop3Box) leave(ctx context.Context) error {
	if !b.marked {
		b.pop3Door.leave(ctx)
		return nil
	}
	return b.why(b.client.Quit(ctx))
}
