package inbox

import (
	"context"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/account"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/reply"
	"orbit/internal/mail/reply/parts"
)

// arrive notes that a loop test has come back; false when nobody waits for this one.
func (v *visiting) arrive(ctx context.Context, tx pgx.Tx, l *letter) (found bool, err error) {
	tests, err := lockLoop(ctx, tx, v.account.ID, l.loop)
	if err != nil || len(tests) == 0 {
		return false, err
	}
	a := compare(tests[0].Header, string(l.head), &l.read)
	a.folder, a.message = v.folder, l.id
	return true, updateLoopArrived(ctx, tx, tests[0].ID, a)
}

// compare says what happened to a header on its way.
func compare(sent, received string, m *reply.Message) arrival {
	was, _ := parts.ParseHeader(sent)
	is, _ := parts.ParseHeader(received)
	server, _, _ := strings.Cut(is.Get("Authentication-Results"), ";")
	seen, _, _ := strings.Cut(strings.TrimSpace(server), " ")
	return arrival{changes: changes(was, is), authentication: authentication(m), seen: storable(seen, maxAddress)}
}

// maxChanges and maxValue bound what is stored of a header.
const (
	maxChanges = 100
	maxValue   = 1000
)

// changes lists what was changed and removed in the order in which it was sent, and then what was added.
func changes(was, is parts.Header) []HeaderChange {
	found := []HeaderChange{}
	known := map[string]bool{}
	for _, field := range was {
		name := strings.ToLower(field.Name)
		if known[name] {
			continue
		}
		known[name] = true
		if before, after := field.Value, is.Get(field.Name); unfolded(before) != unfolded(after) {
			found = append(found, HeaderChange{Name: field.Name, Sent: storable(before, maxValue), Received: storable(after, maxValue)})
		}
	}
	for _, field := range is {
		if !known[strings.ToLower(field.Name)] && len(found) < maxChanges {
			found = append(found, HeaderChange{Name: storable(field.Name, maxAddress), Received: storable(field.Value, maxValue)})
		}
	}
	return found
}

// unfolded makes values comparable: servers fold lines anew.
func unfolded(value string) string { return strings.Join(strings.Fields(value), " ") }

// The newest messages of a folder for unwanted mail are looked at, as much of them as a header needs.
const (
	junkNewest = 50
	junkHeader = 64 << 10
)

// searchJunk looks for a loop test where mail is put that nobody is to see.
func (s *Service) searchJunk(ctx context.Context, test outgoing) error {
	m, err := s.accounts.FindMailbox(ctx, test.Mailbox)
	if err != nil || m.Protocol == fetch.POP3 {
		return err
	}
	route, err := s.accounts.MailboxRoute(ctx, account.MailboxChange{MailboxSettings: m.MailboxSettings})
	if err != nil {
		return err
	}
	route.Server.ReadOnly, route.Server.MaxSize = true, junkHeader
	folders, err := junkFolders(ctx, route)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		route.Server.Folder = folder
		head, err := findLoop(ctx, route, test.Nonce)
		if err != nil {
			return err
		}
		if head != "" {
			return s.arriveInJunk(ctx, test, m, folder, head)
		}
	}
	return nil
}

func (s *Service) arriveInJunk(ctx context.Context, test outgoing, m account.Mailbox, folder, head string) error {
	tests, err := lockLoop(ctx, s.pool, test.Mailbox, test.Nonce)
	if err != nil || len(tests) == 0 {
		return err
	}
	read, err := reply.Read(strings.NewReader(head), reply.Options{AuthservID: m.AuthservID})
	if err != nil {
		return err
	}
	a := compare(tests[0].Header, head, &read)
	a.folder, a.junk = folder, true
	return updateLoopArrived(ctx, s.pool, test.ID, a)
}

func junkFolders(ctx context.Context, route account.MailboxRoute) ([]string, error) {
	box, err := fetch.Open(ctx, route.Dialer, route.Server)
	if err != nil {
		return nil, err
	}
	defer func() { _ = box.Close(ctx) }()
	return box.JunkFolders(ctx)
}

// findLoop returns the header of a loop test, "" when the folder does not have it.
func findLoop(ctx context.Context, route account.MailboxRoute, nonce string) (string, error) {
	box, err := fetch.Open(ctx, route.Dialer, route.Server)
	if err != nil {
		return "", err
	}
	defer func() { _ = box.Close(ctx) }()
	since := box.State().Cursor()
	since.UID -= min(since.UID, junkNewest)
	var refs []fetch.Ref
	for ref, err := range box.New(ctx, since) {
		if err != nil {
			return "", err
		}
		refs = append(refs, ref)
	}
	for message, err := range box.Fetch(ctx, refs...) {
		if err != nil || message.Body == nil {
			return "", err
		}
		text, err := io.ReadAll(io.LimitReader(message.Body, junkHeader))
		if err != nil {
			return "", err
		}
		head, _, _ := strings.Cut(string(text), "\r\n\r\n")
		if h, _ := parts.ParseHeader(head); h.Get(loopHeader) == nonce {
			return head, nil
		}
	}
	return "", nil
}
