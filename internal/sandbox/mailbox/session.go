package mailbox

import (
	"errors"
	"io"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

const numKindUID = imapserver.NumKindUID

// Session is what an IMAP connection sees of a mailbox once somebody has signed in. Most of it is the memory
// server's; what adds, moves or removes mail tells the store.
type Session struct {
	*imapmemserver.UserSession
	box      *Box
	selected string
}

// NewSession opens the mailbox for an IMAP connection.
func (b *Box) NewSession() *Session {
	return &Session{UserSession: imapmemserver.NewUserSession(b.user), box: b}
}

// Select opens a folder.
func (s *Session) Select(folder string, options *imap.SelectOptions) (*imap.SelectData, error) {
	data, err := s.UserSession.Select(folder, options)
	if err == nil {
		s.selected = folder
	}
	return data, err
}

// Append keeps what the client brings.
func (s *Session) Append(folder string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	data, err := s.box.keep(Message{
		Folder: folder, SignedIn: s.box.address, To: []string{s.box.address}, Received: options.Time, Raw: raw,
	}, options)
	if errors.Is(err, ErrTooLarge) {
		return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeTooBig, Text: "Message too large"}
	}
	return data, err
}

// AppendLimit is announced as a capability (RFC 7889).
func (s *Session) AppendLimit() uint32 { return uint32(s.box.store.limits.MessageBytes) }

// idleLook is how often an idle session is told what is new.
const idleLook = 50 * time.Millisecond

// Idle tells what is new until stop is closed. The memory server's own Idle misses what comes between the word that the
// session idles and the moment when it listens.
func (s *Session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	look := time.NewTicker(idleLook)
	defer look.Stop()
	for {
		if err := s.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		case <-look.C:
		}
	}
}

// Expunge removes what is marked as deleted.
func (s *Session) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	err := s.UserSession.Expunge(w, uids)
	s.box.settle(s.selected)
	return err
}

// Copy copies messages, within the limits of the store.
func (s *Session) Copy(messages imap.NumSet, folder string) (*imap.CopyData, error) {
	if folder == s.selected {
		return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Text: "Source and destination mailboxes are identical"}
	}
	copied := imap.CopyData{UIDValidity: s.box.UIDValidity(folder)}
	if copied.UIDValidity == 0 {
		return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeTryCreate, Text: "No such mailbox"}
	}
	wanted, err := s.numbers(messages)
	if err != nil {
		return nil, err
	}
	for _, m := range s.box.List(s.selected) {
		if !wanted.Contains(m.UID) {
			continue
		}
		source := m.UID
		m.Folder = folder
		data, err := s.box.keep(m, &imap.AppendOptions{Time: m.Received})
		if err != nil {
			return nil, err
		}
		copied.SourceUIDs.AddNum(source)
		copied.DestUIDs.AddNum(data.UID)
	}
	return &copied, nil
}

// Move copies messages and removes them here (RFC 6851); the client learns of the removals with the next poll.
func (s *Session) Move(w *imapserver.MoveWriter, messages imap.NumSet, folder string) error {
	copied, err := s.Copy(messages, folder)
	if err != nil {
		return err
	}
	if len(copied.SourceUIDs) == 0 {
		return nil
	}
	if err := w.WriteCopyData(copied); err != nil {
		return err
	}
	uids, _ := copied.SourceUIDs.Nums()
	s.box.Remove(s.selected, uids)
	return nil
}

// numbers turns sequence numbers, which only this session's view knows, into UIDs.
func (s *Session) numbers(messages imap.NumSet) (imap.UIDSet, error) {
	criteria := &imap.SearchCriteria{}
	switch set := messages.(type) {
	case imap.SeqSet:
		criteria.SeqNum = []imap.SeqSet{set}
	case imap.UIDSet:
		criteria.UID = []imap.UIDSet{set}
	}
	found, err := s.Search(numKindUID, criteria, &imap.SearchOptions{})
	if err != nil {
		return nil, err
	}
	uids, _ := found.All.(imap.UIDSet)
	return uids, nil
}

// Delete removes a folder and its mail.
func (s *Session) Delete(folder string) error {
	if folder == Inbox {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "INBOX cannot be deleted"}
	}
	err := s.UserSession.Delete(folder)
	s.box.settle(folder)
	return err
}

// Rename renames a folder; its mail goes with it.
func (s *Session) Rename(folder, name string, options *imap.RenameOptions) error {
	if folder == Inbox {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeCannot, Text: "INBOX cannot be renamed"}
	}
	if err := s.UserSession.Rename(folder, name, options); err != nil {
		return err
	}
	s.box.store.mu.Lock()
	defer s.box.store.mu.Unlock()
	for _, m := range s.box.store.kept {
		if m.Mailbox == s.box.address && m.Folder == folder {
			m.Folder = name
		}
	}
	return nil
}
