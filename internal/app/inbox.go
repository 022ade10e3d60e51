package app

import (
	"context"
	"fmt"

	"orbit/internal/account"
	"orbit/internal/approval"
	"orbit/internal/inbox"
	"orbit/web/ui"
)

// assembleInbox builds the watch over mailboxes.
func (o *Orbit) assembleInbox() (err error) {
	o.Inbox, err = inbox.New(inbox.Options{
		Pool: o.Pool, Accounts: o.Accounts, Settings: o.Settings, Log: o.Log, Sent: o.whatWasSent, Token: approval.ReplyToken,
		Handlers: []inbox.Handler{decisions{o}, signs{o.Notify}},
	})
	return err
}

// whatWasSent says what the message with an id was, for answers to it and reports about it.
func (o *Orbit) whatWasSent(ctx context.Context, messageID string) (string, error) {
	test, err := o.Accounts.SentTest(ctx, messageID)
	if err != nil || test != 0 {
		return fmt.Sprintf("smtp_test/%d", test), err
	}
	delivery, err := o.Notify.SentMessage(ctx, messageID)
	if err != nil || delivery == 0 {
		return "", err
	}
	return fmt.Sprintf("delivery/%d", delivery), nil
}

const mailboxesPath = "/settings/notifications/imap-pop3"

// inboxAttention is what the bell says of mailboxes: those that cannot be read, and messages that nobody could read.
func (o *Orbit) inboxAttention(ctx context.Context) ([]ui.NoticeView, error) {
	health, err := o.Inbox.Health(ctx, nil)
	if err != nil {
		return nil, err
	}
	rows, _, err := o.Accounts.ListMailboxes(ctx, account.MailboxFilter{})
	if err != nil {
		return nil, err
	}
	var notices []ui.NoticeView
	for _, m := range rows {
		h := health[m.ID]
		if h.State == inbox.Failing && h.Fault != nil && (h.Failures > 1 || !h.Fault.Temporary) {
			notices = append(notices, ui.NoticeView{Tone: ui.Bad, Href: mailboxesPath, Text: m.AccountName + " cannot be read: " + h.Fault.Cause})
		}
		if h.Unreadable > 0 {
			notices = append(notices, ui.NoticeView{
				Tone: ui.Warning, Href: fmt.Sprintf("%s/%d/inbox", mailboxesPath, m.ID),
				Text: fmt.Sprintf("%d messages in %s could not be stored. They are still on the server and are tried again every hour.", h.Unreadable, m.AccountName),
			})
		}
	}
	return notices, nil
}
