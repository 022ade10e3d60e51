package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"orbit/internal/account"

	"orbit/web"
	"orbit/web/page"
	"orbit/web/ui"
)

// attention is what the bell says to those who may see settings.
func (o *Orbit) attention(ctx context.Context) ([]ui.NoticeView, error) {
	usable, err := o.Accounts.HasDefault(ctx)
	if err != nil {
		return nil, err
	}
	var notices []ui.NoticeView
	if !usable {
		notices = append(notices, ui.NoticeView{
			Tone: ui.Warning, Href: "/settings/notifications/smtp",
			Text: "There is no enabled default SMTP account: no notification is sent.",
		})
	}
	expiring, err := o.OAuth.Expiring(ctx, time.Now())
	for _, e := range expiring {
		notices = append(notices, ui.NoticeView{Tone: ui.Warning, Href: "/settings/notifications/oauth2-proxy", Text: e.Text()})
	}
	if err != nil {
		return notices, err
	}
	for _, more := range []func(context.Context) ([]ui.NoticeView, error){o.proxyAttention, o.connectorsAttention, o.agentsAttention, o.inboxAttention} {
		found, err := more(ctx)
		if notices = append(notices, found...); err != nil {
			return notices, err
		}
	}
	return notices, nil
}

// finders is what the search looks through besides the menu.
func (o *Orbit) finders() []web.Finder {
	return []web.Finder{o.findAccounts, o.findMailboxes, o.findCredentials, o.findConnectors, o.findRegistrations}
}

// foundAtMost bounds how many accounts a search shows.
const foundAtMost = 8

func (o *Orbit) findAccounts(ctx context.Context, words string) ([]page.Found, error) {
	rows, _, err := o.Accounts.ListSMTP(ctx, account.SMTPFilter{Name: words, PerPage: foundAtMost})
	if err != nil {
		return nil, err
	}
	found := make([]page.Found, len(rows))
	for i, row := range rows {
		found[i] = page.Found{Title: row.AccountName, Where: "SMTP account", Href: page.SMTPPath(row.ID), Icon: "mail-cog"}
	}
	return found, nil
}

func (o *Orbit) findMailboxes(ctx context.Context, words string) ([]page.Found, error) {
	rows, _, err := o.Accounts.ListMailboxes(ctx, account.MailboxFilter{Name: words, PerPage: foundAtMost})
	if err != nil {
		return nil, err
	}
	found := make([]page.Found, len(rows))
	for i, row := range rows {
		found[i] = page.Found{Title: row.AccountName, Where: "IMAP/POP3 account", Href: fmt.Sprintf("/settings/notifications/imap-pop3/%d", row.ID), Icon: "inbox"}
	}
	return found, nil
}

func (o *Orbit) findCredentials(ctx context.Context, words string) ([]page.Found, error) {
	stored, err := o.Credentials.List(ctx)
	if err != nil {
		return nil, err
	}
	var found []page.Found
	for _, c := range stored {
		if len(found) < foundAtMost && strings.Contains(strings.ToLower(c.Name+"\n"+c.Username), strings.ToLower(words)) {
			found = append(found, page.Found{Title: c.Name, Where: "Credential", Href: fmt.Sprintf("/settings/credentials/%d", c.ID), Icon: "key"})
		}
	}
	return found, nil
}
