package page

import (
	"net/url"
	"strconv"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/ladder"
	"orbit/web/ui"
)

// TestRun is a run of "Test configuration" for either kind of account, as far as pages tell them apart.
type TestRun struct {
	ID        int64
	Title     string // "Test e-mail - Account Office365"
	About     string // under the title in the window: "To bob@example.com"
	State     account.TestState
	Steps     []ladder.Step
	Result    string // the last line in words; "" while it runs
	Facts     []ui.Fact
	StartedAt time.Time

	Path        string // where it is shown
	AccountID   int64  // 0: values that were not saved
	Account     string // the page of the account; "" for values that were not saved
	IgnoreField string // the switch that pinning a certificate turns off
}

// Fault returns why the test failed, or nil.
func (t TestRun) Fault() *ladder.Fault {
	for _, step := range t.Steps {
		if step.Fault != nil {
			return step.Fault
		}
	}
	return nil
}

// Running reports whether more is to come.
func (t TestRun) Running() bool { return t.State == account.TestRunning }

// TestView is a test, running or ended, for somebody.
type TestView struct {
	TestRun
	Clock ui.Clock
	Again string // where another test starts; empty: nowhere
	// Authorise is where a person lets Orbit use the mailbox, when that is what the test misses.
	Authorise string
	Pin       string // fingerprint of a certificate that may be pinned; empty: none
	Alone     bool   // a page of its own: there is no form behind it
}

func (v TestView) ladder() ui.LadderView {
	view := ui.LadderView{Steps: v.Steps, Running: v.Running(), Stream: v.Path + "/events"}
	if v.Running() {
		return view
	}
	tone := ui.Good
	if v.State == account.TestFailed {
		tone = ui.Bad
	}
	view.Final, view.Actions = &ui.FlashView{Tone: tone, Text: v.Result}, testActions(v)
	return view
}

// pinPage is the form of the account with the certificate filled in; pinValues fill in the form behind the window
// when its values were tested.
func (v TestView) pinPage() string { return v.Account + "?" + url.Values{"pin": {v.Pin}}.Encode() }

func (v TestView) pinValues() string {
	return `{` + strconv.Quote(v.IgnoreField) + `: "no", "certificate_rule": "pin", "certificate_fingerprint": ` + strconv.Quote(v.Pin) + `}`
}

// orCause is why a test failed: the cause of its fault, or what is known without one.
func orCause(fault *ladder.Fault, otherwise string) string {
	if fault != nil {
		return fault.Cause
	}
	return otherwise
}
