package fetch

import (
	"context"
	"strings"

	"github.com/emersion/go-imap/v2"

	"orbit/internal/mail/ladder"
)

// maxFolders bounds what is returned; nobody has more of these.
const maxFolders = 5

// JunkFolders returns the folders for unwanted mail: those that the server marks so (RFC 6154), or else those that
// are called so. POP3 knows no folders.
func (m *Mailbox) JunkFolders(ctx context.Context) (folders []string, err error) {
	b, ok := m.visit.box.(*imapBox)
	if !ok {
		return nil, nil
	}
	if m.fetching {
		return nil, errFetching
	}
	defer m.visit.watch(ctx)()
	var all []*imap.ListData
	err = b.do(func() (err error) {
		all, err = b.client.List("", "*", b.listOptions()).Collect()
		return err
	})
	return junk(all), m.fail(ctx, ladder.Fetch, err)
}

// listOptions asks for the special uses where that can be asked for (RFC 5258, RFC 6154); elsewhere many servers say
// them by themselves.
func (b *imapBox) listOptions() *imap.ListOptions {
	if b.offer.has("SPECIAL-USE") && (b.offer.has("LIST-EXTENDED") || b.offer.has("IMAP4REV2")) {
		return &imap.ListOptions{ReturnSpecialUse: true}
	}
	return nil
}

func junk(all []*imap.ListData) (folders []string) {
	for _, marked := range []bool{true, false} {
		for _, folder := range all {
			if len(folders) < maxFolders && selectable(folder) && isJunk(folder, marked) {
				folders = append(folders, folder.Mailbox)
			}
		}
		if len(folders) > 0 {
			return folders
		}
	}
	return nil
}

func selectable(folder *imap.ListData) bool {
	for _, attribute := range folder.Attrs {
		if attribute == imap.MailboxAttrNoSelect || attribute == imap.MailboxAttrNonExistent {
			return false
		}
	}
	return true
}

func isJunk(folder *imap.ListData, marked bool) bool {
	if marked {
		for _, attribute := range folder.Attrs {
			if strings.EqualFold(string(attribute), string(imap.MailboxAttrJunk)) {
				return true
			}
		}
		return false
	}
	name := folder.Mailbox
	if folder.Delim != 0 {
		name = name[strings.LastIndex(name, string(folder.Delim))+1:]
	}
	return junkNames[strings.ToLower(name)]
}

// junkNames are those that mail programs and providers give, in the languages that Orbit's users speak.
var junkNames = map[string]bool{
	"junk": true, "spam": true, "junk e-mail": true, "junk email": true, "junk mail": true, "bulk mail": true, "bulk": true, "unwanted": true,
	"lixo eletrônico": true, "lixo electrónico": true, "correo no deseado": true, "correo electrónico no deseado": true,
	"junk-e-mail": true, "unerwünscht": true, "spamverdacht": true, "courrier indésirable": true, "indésirables": true, "pourriel": true,
}
