package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// maxBatch is how much text one FETCH asks for; a loop that is left early costs at most that.
const maxBatch = 8 << 20

// batch is what one FETCH asks for.
type batch struct {
	wanted map[imap.UID]Ref
	uids   imap.UIDSet
	header bool // only that: the messages are too large
	alone  bool // it is one message, because the server refused to give out several
	size   int64
}

// takes reports whether ref still fits.
func (t *batch) takes(ref Ref, header bool) bool {
	return len(t.uids) < maxRanges && len(t.wanted) < maxUIDs && t.size+ref.Size <= maxBatch && t.header == header
}

// batches spreads messages over commands.
func (b *imapBox) batches(refs []Ref) ([]*batch, error) {
	var all []*batch
	for _, ref := range refs {
		number, err := uid(ref)
		if err != nil {
			return nil, err
		}
		header := ref.Size > b.server.MaxSize
		if len(all) == 0 || !all[len(all)-1].takes(ref, header) {
			all = append(all, &batch{wanted: map[imap.UID]Ref{}, header: header})
		}
		last := all[len(all)-1]
		last.wanted[number] = ref
		last.uids.AddNum(number)
		last.size += ref.Size
	}
	return all, nil
}

func (b *imapBox) fetch(_ context.Context, refs []Ref) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		all, err := b.batches(refs)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, t := range all {
			if !b.fetchAll(t, yield) {
				return
			}
		}
	}
}

// fetchAll asks for a batch, and a second time for what did not come: some servers send another client's flags instead.
// What is missing then has been deleted.
func (b *imapBox) fetchAll(t *batch, yield func(*Message, error) bool) bool {
	for range 2 {
		b.stray = false
		goOn, err := b.fetchOnce(t, yield)
		var refusal *Refusal
		switch {
		case !goOn:
			return false
		case errors.As(err, &refusal) && !refusal.temporary():
			return b.fetchRefused(t, err, yield)
		case err != nil:
			yield(nil, err)
			return false
		case len(t.wanted) == 0:
			return true
		}
		t.uids = nil
		for number := range t.wanted {
			t.uids.AddNum(number)
		}
	}
	if b.stray {
		yield(nil, fmt.Errorf("%w: FETCH with the UID after the text", errMalformed))
		return false
	}
	return true
}

// fetchRefused finds the message that the server does not give out: the rest of the batch is asked for one by one.
func (b *imapBox) fetchRefused(t *batch, err error, yield func(*Message, error) bool) bool {
	for _, number := range slices.Sorted(maps.Keys(t.wanted)) {
		ref := t.wanted[number]
		if t.alone {
			return yield(&Message{Ref: ref}, err)
		}
		one := &batch{wanted: map[imap.UID]Ref{number: ref}, uids: imap.UIDSetNum(number), header: t.header, alone: true}
		if !b.fetchAll(one, yield) {
			return false
		}
	}
	return true
}

// fetchOnce streams what comes of a batch, and takes it from what is wanted.
func (b *imapBox) fetchOnce(t *batch, yield func(*Message, error) bool) (goOn bool, err error) {
	section := "BODY.PEEK[]"
	if t.header {
		section = "BODY.PEEK[HEADER]"
	}
	s, err := b.ask("UID FETCH " + t.uids.String() + " (UID INTERNALDATE " + section + ")")
	if err != nil {
		return true, err
	}
	defer func() { err = s.close() }() // also when the caller's loop panics: go-imap waits for the connection
	for m, more := s.next(); more; m, more = s.next() {
		b.stray = b.stray || m.stray
		ref, wanted := t.wanted[imap.UID(m.ref.number)]
		if !wanted || m.text == nil {
			continue
		}
		delete(t.wanted, imap.UID(m.ref.number))
		ref.Received = m.ref.Received
		if !yield(&Message{Ref: ref, HeaderOnly: t.header, Body: m.text}, nil) {
			return false, nil
		}
	}
	return true, nil
}

// literal reads the text of a message, within the limit and to its true end.
type literal struct {
	from   io.Reader
	left   int64 // of what was announced
	limit  int64
	failed error // the connection is lost
	why    func(error) error
}

func (t *literal) Read(p []byte) (int, error) {
	switch {
	case t.failed != nil:
		return 0, t.failed
	case t.limit <= 0 && t.left > 0:
		return 0, ErrTooLarge
	}
	n, err := t.from.Read(p[:min(int64(len(p)), max(t.limit, 1))])
	t.left -= int64(n)
	t.limit -= int64(n)
	if errors.Is(err, io.EOF) && t.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		t.failed = t.why(err)
		err = t.failed
	}
	return n, err
}
