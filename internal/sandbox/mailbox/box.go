package mailbox

import (
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Box is one mailbox.
type Box struct {
	address string
	store   *Store
	user    *imapmemserver.User
}

// Address is whose mailbox it is.
func (b *Box) Address() string { return b.address }

// List returns the mail of a folder, oldest first.
func (b *Box) List(folder string) []Message {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	var list []Message
	for _, m := range b.store.kept {
		if m.Mailbox == b.address && m.Folder == folder {
			list = append(list, *m)
		}
	}
	return list
}

// UIDValidity changes when a folder is made anew.
func (b *Box) UIDValidity(folder string) uint32 {
	status, err := b.user.Status(folder, &imap.StatusOptions{UIDValidity: true})
	if err != nil {
		return 0
	}
	return status.UIDValidity
}

// Remove expunges messages of a folder; IMAP clients that watch it are told.
func (b *Box) Remove(folder string, uids []imap.UID) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	b.expunge(folder, imap.UIDSetNum(uids...))
	b.store.forget(func(m *Message) bool {
		return m.Mailbox == b.address && m.Folder == folder && slices.Contains(uids, m.UID)
	})
}

func (b *Box) keep(m Message, options *imap.AppendOptions) (*imap.AppendData, error) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	return b.store.keep(b, m, options)
}

// expunge removes messages from the memory server's folder. The caller holds the lock.
func (b *Box) expunge(folder string, uids imap.UIDSet) {
	view := imapmemserver.NewUserSession(b.user)
	if _, err := view.Select(folder, &imap.SelectOptions{}); err != nil {
		return // the folder is gone, and its mail with it
	}
	defer func() { _ = view.Close() }()
	deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	_ = view.Store(nil, uids, deleted, &imap.StoreOptions{}) // silent: nothing is written
	_ = view.Expunge(nil, &uids)
}

// settle drops the mail that IMAP clients have expunged from a folder, or with it.
func (b *Box) settle(folder string) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	left := b.uids(folder)
	b.store.forget(func(m *Message) bool {
		return m.Mailbox == b.address && m.Folder == folder && !left.Contains(m.UID)
	})
}

// uids are those that a folder holds now.
func (b *Box) uids(folder string) imap.UIDSet {
	view := imapmemserver.NewUserSession(b.user)
	if _, err := view.Select(folder, &imap.SelectOptions{}); err != nil {
		return nil
	}
	defer func() { _ = view.Close() }()
	found, err := view.Search(numKindUID, &imap.SearchCriteria{}, &imap.SearchOptions{})
	if err != nil {
		return nil
	}
	uids, _ := found.All.(imap.UIDSet)
	return uids
}
