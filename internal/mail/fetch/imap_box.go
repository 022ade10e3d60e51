package fetch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"orbit/internal/mail/ladder"
)

// What one command names: 300 ranges of UIDs of ten digits fit a line of 8 kB (RFC 7162 4), and what is known of 4,000
// messages fits the memory of any machine.
const (
	maxRanges = 300
	maxUIDs   = 4000
)

// Described is how many messages New asks about at a time: who fetches them before New goes on keeps the server busy.
const Described = 1000

// imapBox is a folder that go-imap has selected.
type imapBox struct {
	server   *Server
	hand     *handover
	client   *imapclient.Client
	offer    offer
	validity uint32
	next     uint32        // UIDNEXT when the folder was selected
	selected time.Time     // when that was
	idle     bool          // the server takes IDLE
	news     chan struct{} // holds one when there may be new mail
	stray    bool          // a message came whose UID was not said before its text
	tags     int           // of our own commands
}

func newIMAPBox(server *Server, w *wire, o offer, l *ladder.Ladder) *imapBox {
	b := &imapBox{server: server, offer: o, idle: o.has("IDLE") || o.has("IMAP4REV2"), news: make(chan struct{}, 1)}
	b.hand = hand(w, o, 2*server.MaxSize+1<<20, l)
	b.client = imapclient.New(b.hand, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: b.noticed,
	}})
	return b
}

// noticed is called by go-imap's goroutine when the server speaks of the folder by itself.
func (b *imapBox) noticed(data *imapclient.UnilateralDataMailbox) {
	if data.NumMessages != nil {
		b.wake()
	}
}

func (b *imapBox) wake() {
	select {
	case b.news <- struct{}{}:
	default: // somebody has been told already
	}
}

// enter selects the folder.
func (b *imapBox) enter() (State, error) {
	var data *imap.SelectData
	before := b.client.Mailbox()
	err := b.do(func() (err error) {
		data, err = b.client.Select(b.server.Folder, &imap.SelectOptions{ReadOnly: b.server.ReadOnly}).Wait()
		return err
	})
	b.hand.ladder.Store(nil)
	if err != nil {
		return State{}, err
	}
	for b.client.Mailbox() == before {
		runtime.Gosched() // go-imap says that SELECT is done, and then notes what the folder has
	}
	b.validity, b.next, b.selected = data.UIDValidity, uint32(data.UIDNext), time.Now()
	return State{
		UIDValidity: data.UIDValidity, UIDNext: uint32(data.UIDNext), Messages: int(data.NumMessages), Idle: b.idle,
	}, nil
}

// do runs commands of go-imap and finds out why they failed.
func (b *imapBox) do(commands func() error) error {
	b.hand.expect(b.server.Timeouts.Command)
	return b.why(commands())
}

// why translates go-imap's errors. What is no reply and no matter of the network was no IMAP: then go-imap itself has
// closed the connection.
func (b *imapBox) why(err error) error {
	var reply *imap.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &reply):
		return response{word: string(reply.Type), code: string(reply.Code), text: reply.Text}.refusal()
	}
	if fate := b.hand.fate(); fate != nil && !errors.Is(fate, net.ErrClosed) {
		return fate
	}
	return fmt.Errorf("%w: %w", errMalformed, err)
}

// list asks which UIDs there are, and then for some of them at a time what they are: only numbers are kept.
func (b *imapBox) list(_ context.Context, since Cursor) iter.Seq2[Ref, error] {
	return func(yield func(Ref, error) bool) {
		first := uint32(1)
		if since.UIDValidity == b.validity {
			first = since.UID + 1
		}
		uids, err := b.search(first)
		if err != nil {
			yield(Ref{}, err)
			return
		}
		for some := range chunks(uids, first) {
			refs, err := b.describe(some)
			if err != nil {
				yield(Ref{}, err)
				return
			}
			for _, ref := range refs {
				if !yield(ref, nil) {
					return
				}
			}
		}
	}
}

// search returns the UIDs from first on.
func (b *imapBox) search(first uint32) (imap.UIDSet, error) {
	if folder := b.client.Mailbox(); folder != nil && folder.NumMessages == 0 { // there is no "*", say some servers
		return nil, nil
	}
	if first == 0 { // after the last UID that can be
		return nil, nil
	}
	var options *imap.SearchOptions
	if b.offer.has("ESEARCH") || b.offer.has("IMAP4REV2") {
		options = &imap.SearchOptions{ReturnAll: true} // ranges instead of each number (RFC 4731)
	}
	var from imap.UIDSet
	from.AddRange(imap.UID(first), 0)
	var found *imap.SearchData
	err := b.do(func() (err error) {
		found, err = b.client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{from}}, options).Wait()
		return err
	})
	if err != nil {
		return nil, err
	}
	uids, _ := found.All.(imap.UIDSet)
	return uids, nil
}

// chunks cuts a set into parts for one command each, without what lies before first: "n:*" also finds the last
// message when that is older (RFC 9051 6.4.8).
func chunks(uids imap.UIDSet, first uint32) iter.Seq[imap.UIDSet] {
	return func(yield func(imap.UIDSet) bool) {
		var some imap.UIDSet
		count := uint32(0)
		for _, r := range uids {
			for start := max(uint32(r.Start), first); start != 0 && start <= uint32(r.Stop); {
				stop := start + min(uint32(r.Stop)-start, Described-count-1)
				some.AddRange(imap.UID(start), imap.UID(stop))
				count += stop - start + 1
				if count == Described || len(some) == maxRanges {
					if !yield(some) {
						return
					}
					some, count = nil, 0
				}
				start = stop + 1 // 0 after the last UID that can be
			}
		}
		if count > 0 {
			yield(some)
		}
	}
}

// describe returns the sizes of messages and whether they were read, oldest first. Their dates come with their texts:
// to say them many servers look at each file, and a text cannot be sent without that.
func (b *imapBox) describe(uids imap.UIDSet) ([]Ref, error) {
	s, err := b.ask("UID FETCH " + uids.String() + " (UID FLAGS RFC822.SIZE)")
	if err != nil {
		return nil, err
	}
	var refs []Ref
	for m, more := s.next(); more; m, more = s.next() {
		if m.ref.number != 0 && m.sized {
			refs = append(refs, m.ref)
		}
	}
	slices.SortFunc(refs, func(a, b Ref) int { return int(int64(a.number) - int64(b.number)) })
	return refs, s.close()
}

// uid returns the UID of a reference that this visit, an earlier one or the caller has made.
func uid(ref Ref) (imap.UID, error) {
	if ref.number != 0 {
		return imap.UID(ref.number), nil
	}
	n, err := strconv.ParseUint(ref.ID, 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("message %q has no UID", ref.ID)
	}
	return imap.UID(n), nil
}

// messages is what EXISTS and EXPUNGE have made of it.
func (b *imapBox) messages(opened State) int {
	if folder := b.client.Mailbox(); folder != nil {
		return int(folder.NumMessages)
	}
	return opened.Messages
}

// leave says good-bye and waits until go-imap's goroutine has ended.
func (b *imapBox) leave(context.Context) error {
	if b.hand.fate() == nil {
		b.hand.expect(b.server.Timeouts.Quit)
		_ = b.client.Logout().Wait()
	}
	_ = b.client.Close()
	return nil
}
