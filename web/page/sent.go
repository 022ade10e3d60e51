package page

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"orbit/internal/notify"
	"orbit/internal/notify/text"
	"orbit/web/ui"
)

// StateWord is the word for a state of a message.
func StateWord(s notify.State) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

func stateOf(d notify.Delivery) (ui.Tone, string) {
	if d.InHand {
		return ui.Notice, StateWord(notify.Sending)
	}
	switch d.State {
	case notify.Sent:
		return ui.Good, "Sent"
	case notify.Failed:
		return ui.Bad, "Failed"
	case notify.Uncertain, notify.Retrying:
		return ui.Warning, StateWord(d.State)
	case notify.Queued, notify.Sending:
		return ui.Notice, StateWord(d.State)
	case notify.Paused, notify.Cancelled, notify.Expired:
	}
	return ui.Neutral, StateWord(d.State)
}

// MessageAction is something that can be done with a message now.
type MessageAction struct {
	Action      notify.Action
	Label, Icon string
}

// Actions are those that a message's state allows.
func Actions(d notify.Delivery) []MessageAction {
	var (
		pause  = MessageAction{notify.Pause, "Pause", "player-pause"}
		resume = MessageAction{notify.Resume, "Resume", "player-play"}
		retry  = MessageAction{notify.Retry, "Try again now", "refresh"}
		cancel = MessageAction{notify.Cancel, "Cancel", "ban"}
	)
	if d.InHand {
		return nil
	}
	switch d.State {
	case notify.Queued:
		return []MessageAction{pause, cancel}
	case notify.Retrying, notify.Uncertain:
		return []MessageAction{retry, pause, cancel}
	case notify.Paused:
		return []MessageAction{resume, cancel}
	case notify.Failed, notify.Cancelled, notify.Expired:
		return []MessageAction{retry}
	case notify.Sent, notify.Sending:
	}
	return nil
}

// ActionWord is the verb of an action.
func ActionWord(a notify.Action) string {
	switch a {
	case notify.Pause:
		return "Pause"
	case notify.Resume:
		return "Resume"
	case notify.Retry:
		return "Try again"
	case notify.Cancel:
	}
	return "Cancel"
}

// ActionConsequence says what an action does to all messages of a list.
func ActionConsequence(a notify.Action) string {
	switch a {
	case notify.Pause:
		return "Messages that wait stay where they are until somebody resumes them. Those that a server is taking now are sent."
	case notify.Resume:
		return "Paused messages wait for their turn again."
	case notify.Retry:
		return "Messages that failed, were cancelled or wait for another attempt are sent at once. Those that were sent are not sent twice."
	case notify.Cancel:
	}
	return "Messages that wait or are paused are not sent. Their recipients hear nothing."
}

// ActedWords say what an action did.
func ActedWords(a notify.Action, done, asked int) ui.FlashView {
	past := map[notify.Action]string{notify.Pause: "paused", notify.Resume: "resumed", notify.Retry: "tried again", notify.Cancel: "cancelled"}[a]
	said := ui.Count(done, "message is ", "messages are ") + past + "."
	if done == asked {
		return ui.Said(said)
	}
	return ui.Warned(said + " Of the others the state does not allow it, or a server is taking them just now.")
}

// FilterFacts are the filters of a list, to be read before everything that they choose is changed.
func FilterFacts(query url.Values) []ui.Fact {
	labels := map[string]string{
		"recipient": "Recipient", "state": "State", "type": "Type", "account": "SMTP account", "message_id": "Message-ID", "since": "From day", "until": "To day",
		"event": "Event", "request": "Request",
	}
	var facts []ui.Fact
	for name, label := range labels {
		if value := query.Get(name); value != "" {
			facts = append(facts, ui.Fact{Label: label, Value: value})
		}
	}
	slices.SortFunc(facts, func(a, b ui.Fact) int { return strings.Compare(a.Label, b.Label) })
	if len(facts) == 0 {
		return []ui.Fact{{Label: "Filters", Value: "none: every message"}}
	}
	return facts
}

// SentView is a message with its time line.
type SentView struct {
	Message notify.Timeline
	Content text.Rendered
	Clock   ui.Clock
	At      string
	CanAct  bool
}

// Title is the subject.
func (v SentView) Title() string { return or(v.Content.Subject, "(no subject)") }

func (v SentView) about() string {
	return "To " + joinedWith(" ", v.Message.RecipientName, "<"+v.Message.Recipient+">")
}

func (v SentView) facts() []ui.Fact {
	m := v.Message
	facts := []ui.Fact{{Label: "Number", Value: strconv.FormatInt(m.ID, 10)}, {Label: "Text", Value: m.TextName + ", " + LanguageName(m.Language)}}
	if m.Rule != "" {
		facts = append(facts, ui.Fact{Label: "Notification", Value: m.Rule})
	}
	if m.AccountName != "" {
		facts = append(facts, ui.Fact{Label: "SMTP account", Value: m.AccountName})
	}
	facts = append(facts,
		ui.Fact{Label: "Priority", Value: priorityWord(m.Priority)}, ui.Fact{Label: "Attempts", Value: strconv.Itoa(m.Delivery.Attempts)},
		ui.Fact{Label: "Message-ID", Value: m.MessageID, Mono: true})
	if m.EndedAt == nil {
		facts = append(facts, ui.Fact{Label: "Given up", Value: v.Clock.At(m.ExpiresAt).Exact()})
	}
	return facts
}

func priorityWord(p notify.Priority) string {
	switch p {
	case notify.Urgent:
		return "urgent: before everything else"
	case notify.Bulk:
		return "bulk: after everything else"
	case notify.Normal:
	}
	return "normal"
}

// stepLook is the icon and the colour of a line.
func stepLook(s notify.Step, state notify.State) (icon string, tone ui.Tone) {
	switch s.Kind {
	case "event":
		return "bell", ui.Neutral
	case "rule":
		return "list-details", ui.Neutral
	case "queued":
		return "clock", ui.Neutral
	case "attempt":
		if s.Fault != nil {
			return "alert-triangle", ui.Warning
		}
		return "send", ui.Notice
	case "ended":
		return endLook(state)
	case string(notify.BounceNote):
		return "mail-x", ui.Bad
	case string(notify.DelayNote):
		return "clock", ui.Warning
	case string(notify.ReceiptNote):
		return "mail-opened", ui.Good
	case string(notify.ReplyNote):
		return "message-2", ui.Notice
	case string(notify.DecisionNote):
		return "clipboard-check", ui.Good
	}
	return "user", ui.Neutral
}

func endLook(state notify.State) (icon string, tone ui.Tone) {
	switch state {
	case notify.Sent:
		return "mail-check", ui.Good
	case notify.Failed:
		return "mail-x", ui.Bad
	case notify.Uncertain:
		return "mail-question", ui.Warning
	case notify.Queued, notify.Retrying, notify.Paused, notify.Cancelled, notify.Expired, notify.Sending:
	}
	return "ban", ui.Neutral
}

// budgetWords say how an account stands with its limits.
func budgetWords(b notify.Budget) string {
	words := ui.Number(b.Connections) + " of " + ui.Count(b.MaxConnections, "connection", "connections")
	if b.PerMinute > 0 {
		words = ui.Number(b.LastMinute) + " of " + ui.Number(b.PerMinute) + " messages in the last minute, " + words
	}
	return words
}

func budgetState(b notify.Budget) (ui.Tone, string) {
	switch {
	case b.BrokenUntil != nil:
		return ui.Bad, "Does not work"
	case b.RestUntil != nil:
		return ui.Warning, "Rests, as the server asked"
	case b.Waiting > 0:
		return ui.Notice, "Sending"
	}
	return ui.Good, "Ready"
}
