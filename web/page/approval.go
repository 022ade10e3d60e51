package page

import (
	"strconv"
	"strings"
	"time"

	"orbit/internal/approval"
	"orbit/internal/notify"
	"orbit/web/ui"
)

// ApprovalView is a request with everything that happened to it, and the form to decide it.
type ApprovalView struct {
	Whole     approval.Whole
	Clock     ui.Clock
	Form      *ui.FormView
	Answer    string // what the link in the mail proposed
	MayDecide bool
	Why       string // why the reader can't decide now; empty for those who were not asked
	MayRevoke bool
	Alone     bool              // the page of a link: without menus
	Mails     []notify.Delivery // what was sent about it, for those who may see settings
}

// LocalTimeLayout is how a day and time stands in a form.
const LocalTimeLayout = "2006-01-02T15:04"

// LocalTime is a moment as a form shows it.
func LocalTime(at time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return at.In(zone).Format(LocalTimeLayout)
}

// AnswerWord is a decision in a word.
func AnswerWord(a approval.Answer) string {
	if a == approval.Approve {
		return "Approved"
	}
	return "Rejected"
}

// Decided says what a decision did, in the words of the document.
func Decided(w approval.Whole, a approval.Answer) string {
	switch {
	case w.Status == approval.Approved:
		return "Success. Request approved."
	case w.Status == approval.Rejected:
		return "Success. Request rejected."
	case a == approval.Approve:
		return "Your approval is noted."
	}
	return "Your rejection is noted."
}

// WhatNext says what happens after a decision.
func WhatNext(w approval.Whole) string {
	switch {
	case w.Status != approval.Pending:
		return w.RequesterName + " is told by mail. You can close this page."
	case w.Level > 1:
		return "The next level is asked now. You can close this page."
	}
	return "Others must decide too; " + w.RequesterName + " is told when they have. You can close this page."
}

func statusTone(s approval.Status) ui.Tone {
	switch s {
	case approval.Pending:
		return ui.Notice
	case approval.Approved:
		return ui.Good
	case approval.Rejected, approval.Revoked:
		return ui.Bad
	case approval.Cancelled, approval.Expired:
	}
	return ui.Neutral
}

// facts are what the requester says, without what was left out.
func (v ApprovalView) facts() []ui.Fact {
	w := v.Whole
	var facts []ui.Fact
	add := func(label, value string) {
		if value != "" {
			facts = append(facts, ui.Fact{Label: label, Value: value})
		}
	}
	add("Requester", w.RequesterName+" <"+w.RequesterEmail+">")
	add("Operation", w.Action)
	for i, action := range w.Actions {
		add("Action "+strconv.Itoa(i+1), action)
	}
	add("Device", joinedWith(" ", w.DeviceHostname, parenthesised(w.DeviceIP)))
	add("Credential", joinedWith(" ", w.CredentialUsername, parenthesised(w.CredentialType)))
	add("Known as", w.Credential)
	add("Reason", w.Reason)
	add("Governance ID", w.GovernanceID)
	add("Justification", w.Justification)
	add("Access start", v.Clock.At(w.Start).Exact())
	add("End", v.Clock.At(w.End).Exact())
	return facts
}

// process are the facts about the decision.
func (v ApprovalView) process() []ui.Fact {
	w := v.Whole
	facts := []ui.Fact{{Label: "Requested", Value: v.Clock.At(w.CreatedAt).Exact()}}
	if w.Status == approval.Pending {
		facts = append(facts, ui.Fact{Label: "Can be decided until", Value: v.Clock.At(w.ExpiresAt).Exact()})
	}
	if w.GroupName != "" {
		facts = append(facts, ui.Fact{Label: "Approver group", Value: w.GroupName})
	}
	needed := ui.Count(w.ApprovalsRequired, "approval", "approvals")
	if w.Levels > 1 {
		needed += " at each of " + strconv.Itoa(w.Levels) + " levels; now at level " + strconv.Itoa(w.Level)
	}
	facts = append(facts, ui.Fact{Label: "Needed", Value: needed}, ui.Fact{Label: "Rejected after", Value: ui.Count(w.RejectionsToCancel, "rejection", "rejections")})
	if w.EndedAt != nil {
		facts = append(facts, ui.Fact{Label: w.Status.Label(), Value: v.Clock.Moment(w.EndedAt).Exact() + " by " + w.EndedBy})
		if w.EndedBecause != "" {
			facts = append(facts, ui.Fact{Label: "Because", Value: w.EndedBecause})
		}
	}
	return facts
}

// state is what an approver has done or is waited for.
func (v ApprovalView) state(a approval.Approver) (ui.Tone, string) {
	for _, d := range v.Whole.Decisions {
		if d.ApproverID != a.ID {
			continue
		}
		if d.Answer == approval.Approve {
			return ui.Good, "Approved"
		}
		return ui.Bad, "Rejected"
	}
	switch {
	case a.BouncedAt != nil:
		return ui.Bad, "Mail came back"
	case a.NotifiedAt == nil:
		return ui.Neutral, "Not asked yet"
	case v.Whole.Status != approval.Pending:
		return ui.Neutral, "Did not decide"
	case a.RemindedAt != nil:
		return ui.Notice, "Reminded"
	}
	return ui.Notice, "Asked"
}

func (v ApprovalView) decisionOf(a approval.Approver) (approval.Decision, bool) {
	for _, d := range v.Whole.Decisions {
		if d.ApproverID == a.ID {
			return d, true
		}
	}
	return approval.Decision{}, false
}

// wayWords says how a decision came in.
func wayWords(w approval.Way) string {
	switch w {
	case approval.Link:
		return "by the link in the mail, without signing in"
	case approval.Reply:
		return "by an answer to the mail"
	case approval.Page:
	}
	return "signed in"
}

func levelWords(a approval.Approver) string {
	if a.Level == approval.Escalation {
		return "Escalation"
	}
	return strconv.Itoa(a.Level)
}

func parenthesised(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

func joinedWith(between string, parts ...string) string {
	all := ""
	for _, part := range parts {
		if part == "" {
			continue
		}
		if all != "" {
			all += between
		}
		all += part
	}
	return all
}

func requestID(w approval.Whole) string { return strconv.FormatInt(w.ID, 10) }

// mailTitle is the subject, or the type of text of a mail that was not rendered yet.
func mailTitle(d notify.Delivery) string {
	if d.Subject != "" {
		return d.Subject
	}
	return d.TextType
}

func mailTone(s notify.State) ui.Tone {
	switch s {
	case notify.Sent:
		return ui.Good
	case notify.Failed, notify.Uncertain:
		return ui.Bad
	case notify.Retrying:
		return ui.Warning
	case notify.Queued, notify.Sending, notify.Paused, notify.Cancelled, notify.Expired:
	}
	return ui.Neutral
}

func mailWord(d notify.Delivery) string {
	return strings.ToUpper(string(d.State[:1])) + string(d.State[1:])
}
