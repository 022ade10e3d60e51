package page

import (
	"strconv"

	"orbit/internal/account"
	"orbit/web/ui"
)

// MailboxPath is the page of an IMAP/POP3 account.
func MailboxPath(id int64) string {
	return "/settings/notifications/imap-pop3/" + strconv.FormatInt(id, 10)
}

// MailboxTestPath is where a test is shown.
func MailboxTestPath(id int64) string {
	return "/settings/notifications/imap-pop3/tests/" + strconv.FormatInt(id, 10)
}

// MailboxTestTitle names a test; the document has none for IMAP/POP3.
func MailboxTestTitle(account string) string { return "Test configuration - Account " + account }

// MailboxTestFormView is the window "Test configuration - Account <name>".
type MailboxTestFormView struct {
	Action  string
	Back    string
	Server  string
	Unsaved bool // the values of the form behind the window are tested
}

// MailboxTestRun is a test of an IMAP/POP3 account for showing.
func MailboxTestRun(t account.MailboxTest, clock ui.Clock) TestRun {
	run := TestRun{
		ID: t.ID, Title: MailboxTestTitle(t.AccountName), About: "Nothing in the mailbox is changed.", State: t.State, Steps: t.Steps,
		StartedAt: t.StartedAt, Path: MailboxTestPath(t.ID), AccountID: t.MailboxAccountID, IgnoreField: "ignore_certificate",
		Facts: []ui.Fact{
			{Label: "Account", Value: t.AccountName},
			{Label: "Mailbox", Value: t.Mailbox},
			{Label: "Server", Value: t.Server},
			{Label: "Started", Value: clock.At(t.StartedAt).Exact() + " by " + t.StartedBy},
		},
	}
	if t.MailboxAccountID != 0 {
		run.Account = MailboxPath(t.MailboxAccountID)
	}
	switch t.State {
	case account.TestFailed:
		run.Result = "The mailbox could not be opened. " + orCause(t.Fault(), t.Reply)
	case account.TestRunning:
	default:
		run.Result = "Orbit can read the mailbox: " + t.Reply + "."
	}
	return run
}

// MailboxTestReply is what a test found, or why it found nothing.
func MailboxTestReply(t account.MailboxTest) string { return orCause(t.Fault(), t.Reply) }
