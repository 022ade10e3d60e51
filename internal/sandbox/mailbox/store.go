// Package mailbox keeps mail in memory for the sandbox: mailboxes that SMTP fills, IMAP and POP3 read, and a
// page shows.
//
// Folders, flags, UIDs and their watchers are those of go-imap's memory server. It gives no bytes back to
// anybody but an IMAP connection, so a Store holds them too, and drops what has been expunged. What a Store
// holds is bounded: the oldest mail makes room for the newest.
package mailbox

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Inbox is the folder that mail arrives in.
const Inbox = "INBOX"

// folders are what every mailbox begins with.
var folders = []string{Inbox, "Sent", "Trash"}

// The reasons for which mail is not kept.
var (
	ErrTooLarge  = errors.New("the message is larger than a mailbox takes")
	ErrMailboxes = errors.New("there are as many mailboxes as the sandbox keeps")
)

// Limits bound what a Store holds. The zero value means the defaults.
type Limits struct {
	Messages     int   // 2,000
	Bytes        int64 // 64 MB
	MessageBytes int64 // 25 MB, as large providers take
	Mailboxes    int   // 500
}

func (l Limits) withDefaults() Limits {
	if l.Messages == 0 {
		l.Messages = 2000
	}
	if l.Bytes == 0 {
		l.Bytes = 64 << 20
	}
	if l.MessageBytes == 0 {
		l.MessageBytes = 25 << 20
	}
	if l.Mailboxes == 0 {
		l.Mailboxes = 500
	}
	l.MessageBytes = min(l.MessageBytes, l.Bytes)
	return l
}

// Message is a mail as it arrived.
type Message struct {
	ID       int64
	Mailbox  string // address
	Folder   string
	UID      imap.UID
	Sender   string   // of the envelope
	To       []string // of the envelope
	SignedIn string   // as whom it was submitted; "" when nobody signed in
	Received time.Time
	Raw      []byte // never changed
}

// Store is all mailboxes.
type Store struct {
	limits Limits

	mu     sync.Mutex
	boxes  map[string]*Box
	kept   []*Message // oldest first
	bytes  int64
	lastID int64
}

// New returns an empty store.
func New(limits Limits) *Store {
	return &Store{limits: limits.withDefaults(), boxes: make(map[string]*Box)}
}

// MaxMessage is the size of the largest message that is taken.
func (s *Store) MaxMessage() int64 { return s.limits.MessageBytes }

// Deliver puts mail into the inbox of address, which is made when there is none.
func (s *Store) Deliver(address string, m Message) error {
	box, err := s.Open(address)
	if err != nil {
		return err
	}
	m.Folder = Inbox
	_, err = box.keep(m, &imap.AppendOptions{Time: m.Received})
	return err
}

// Open returns the mailbox of address, which is made when there is none.
func (s *Store) Open(address string) (*Box, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := canonical(address)
	if box := s.boxes[name]; box != nil {
		return box, nil
	}
	if len(s.boxes) >= s.limits.Mailboxes {
		return nil, ErrMailboxes
	}
	box := &Box{address: name, store: s, user: imapmemserver.NewUser(name, "")}
	for _, folder := range folders {
		if err := box.user.Create(folder, nil); err != nil {
			return nil, err
		}
	}
	s.boxes[name] = box
	return box, nil
}

// canonical is how an address names its mailbox: providers do not tell upper from lower case.
func canonical(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// Messages returns the mail of address, or of everybody when it is empty, newest first.
func (s *Store) Messages(address string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Message
	for _, m := range slices.Backward(s.kept) {
		if address == "" || m.Mailbox == canonical(address) {
			found = append(found, *m)
		}
	}
	return found
}

// Find returns one message.
func (s *Store) Find(id int64) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.kept, func(m *Message) bool { return m.ID == id })
	if i < 0 {
		return Message{}, false
	}
	return *s.kept[i], true
}

// Addresses are those that have a mailbox, in alphabetical order.
func (s *Store) Addresses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	addresses := make([]string, 0, len(s.boxes))
	for address := range s.boxes {
		addresses = append(addresses, address)
	}
	slices.Sort(addresses)
	return addresses
}

// keep stores m in a folder of box. The caller holds the lock.
func (s *Store) keep(box *Box, m Message, options *imap.AppendOptions) (*imap.AppendData, error) {
	size := int64(len(m.Raw))
	if size > s.limits.MessageBytes {
		return nil, ErrTooLarge
	}
	s.makeRoom(size)
	data, err := box.user.Append(m.Folder, literal{bytes.NewReader(m.Raw)}, options)
	if err != nil {
		return nil, err
	}
	s.lastID++
	m.ID, m.Mailbox, m.UID = s.lastID, box.address, data.UID
	s.kept = append(s.kept, &m)
	s.bytes += size
	return data, nil
}

// makeRoom drops the oldest mail until one of that size fits.
func (s *Store) makeRoom(size int64) {
	for len(s.kept) > 0 && (len(s.kept) >= s.limits.Messages || s.bytes+size > s.limits.Bytes) {
		oldest := s.kept[0]
		s.boxes[oldest.Mailbox].expunge(oldest.Folder, imap.UIDSetNum(oldest.UID))
		s.forget(func(m *Message) bool { return m == oldest })
	}
}

// forget drops messages that no folder holds any longer.
func (s *Store) forget(gone func(*Message) bool) {
	s.kept = slices.DeleteFunc(s.kept, func(m *Message) bool {
		if !gone(m) {
			return false
		}
		s.bytes -= int64(len(m.Raw))
		return true
	})
}

// literal is what the memory server wants to append from.
type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }
