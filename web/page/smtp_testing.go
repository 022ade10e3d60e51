package page

import (
	"net/url"
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

// SMTPTestView is a test, running or ended.
type SMTPTestView struct {
	Test  account.SMTPTest
	Clock ui.Clock
	Again string // where another test starts; empty: nowhere
	// Authorise is where a person lets Orbit use the mailbox, when that is what the test misses.
	Authorise string
	Pin       string // fingerprint of a certificate that may be pinned; empty: none
	Alone     bool   // a page of its own: there is no form behind it
}

func (v SMTPTestView) ladder() ui.LadderView {
	view := ui.LadderView{Steps: v.Test.Steps, Running: v.Test.State == account.TestRunning, Stream: SMTPTestPath(v.Test.ID) + "/events"}
	switch v.Test.State {
	case account.TestDelivered:
		view.Final = &ui.FlashView{Tone: ui.Good, Text: "Test message sent. " + v.Test.AcceptedBy()}
	case account.TestFailed:
		view.Final = &ui.FlashView{Tone: ui.Bad, Text: v.failure()}
	case account.TestRunning:
	}
	if v.Test.State != account.TestRunning {
		view.Actions = smtpTestActions(v)
	}
	return view
}

// pinPage is the form of the account with the certificate filled in; pinValues fill in the form behind the window
// when its values were tested.
func (v SMTPTestView) pinPage() string {
	return SMTPPath(v.Test.SMTPAccountID) + "?" + url.Values{"pin": {v.Pin}}.Encode()
}

func (v SMTPTestView) pinValues() string {
	return `{"ignore_certificate_error": "no", "certificate_rule": "pin", "certificate_fingerprint": ` + strconv.Quote(v.Pin) + `}`
}

func (v SMTPTestView) failure() string {
	if fault := v.Test.Fault(); fault != nil {
		return "The test message was not sent. " + fault.Cause
	}
	return "The test message was not sent. " + v.Test.Reply
}

func (v SMTPTestView) facts() []ui.Fact {
	facts := []ui.Fact{
		{Label: "Account", Value: v.Test.AccountName},
		{Label: "Sent to", Value: v.Test.Recipient},
		{Label: "Subject", Value: v.Test.Subject},
		{Label: "Started", Value: v.Clock.At(v.Test.StartedAt).Exact() + " by " + v.Test.StartedBy},
	}
	if v.Test.MessageID != "" {
		facts = append(facts, ui.Fact{Label: "Message-ID", Value: v.Test.MessageID, Mono: true})
	}
	return facts
}
