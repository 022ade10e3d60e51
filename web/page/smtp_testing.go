package page

import (
	"strconv"

	"orbit/internal/account"
	"orbit/web/ui"
)

// SMTPPath is the page of an SMTP account.
func SMTPPath(id int64) string { return "/settings/notifications/smtp/" + strconv.FormatInt(id, 10) }

// SMTPTestPath is where a test is shown.
func SMTPTestPath(id int64) string {
	return "/settings/notifications/smtp/tests/" + strconv.FormatInt(id, 10)
}

// SMTPTestFormView is the window "Test e-mail - Account <name>".
type SMTPTestFormView struct {
	Form    *ui.FormView
	Action  string
	Back    string
	To      string
	Unsaved bool // the values of the form behind the window are tested
}

// SMTPTestRun is a test of an SMTP account for showing.
func SMTPTestRun(t account.SMTPTest, clock ui.Clock) TestRun {
	run := TestRun{
		ID: t.ID, Title: "Test e-mail - Account " + t.AccountName, About: "To " + t.Recipient, State: t.State, Steps: t.Steps,
		StartedAt: t.StartedAt, Path: SMTPTestPath(t.ID), AccountID: t.SMTPAccountID, IgnoreField: "ignore_certificate_error",
		Facts: []ui.Fact{
			{Label: "Account", Value: t.AccountName},
			{Label: "Sent to", Value: t.Recipient},
			{Label: "Subject", Value: t.Subject},
			{Label: "Started", Value: clock.At(t.StartedAt).Exact() + " by " + t.StartedBy},
		},
	}
	if t.SMTPAccountID != 0 {
		run.Account = SMTPPath(t.SMTPAccountID)
	}
	if t.MessageID != "" {
		run.Facts = append(run.Facts, ui.Fact{Label: "Message-ID", Value: t.MessageID, Mono: true})
	}
	switch t.State {
	case account.TestFailed:
		run.Result = "The test message was not sent. " + orCause(t.Fault(), t.Reply)
	case account.TestRunning:
	default:
		run.Result = "Test message sent. " + t.AcceptedBy()
	}
	return run
}

// SMTPTestReply is the server's last word on a test.
func SMTPTestReply(t account.SMTPTest) string { return orCause(t.Fault(), t.Reply) }
