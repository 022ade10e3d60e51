package page

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"orbit/internal/account"
	"orbit/internal/inbox"
	"orbit/web/ui"
)

// LoopPath is the page of a mailbox's loop tests.
func LoopPath(mailboxID int64) string { return MailboxPath(mailboxID) + "/loop" }

// LoopView is the page of loop tests.
type LoopView struct {
	Mailbox   account.Mailbox
	Form      *ui.FormView
	Values    LoopValues
	Senders   []ui.Option
	Username  string // of the mailbox's credential: where the message goes if no address is given
	Schedules []inbox.LoopSchedule
	Names     map[int64]string // of SMTP accounts
	Loops     []inbox.Loop     // newest first
	Clock     ui.Clock
	CanStart  bool
	CanRepeat bool
}

// dueSoon reports whether the next loop test begins before a reader could come back to it.
func (v LoopView) dueSoon(s inbox.LoopSchedule) bool {
	return s.NextAt.Before(v.Clock.Now.Add(time.Minute))
}

// LoopValues are what the form holds.
type LoopValues struct {
	SMTPAccountID int64
	Address       string
	EveryMinutes  int
}

// Title of the page.
func (v LoopView) Title() string { return "Loop test of " + v.Mailbox.AccountName }

func (v LoopView) sender() ui.Field {
	return ui.Field{
		Name: "smtp_account_id", Label: "SMTP account", Value: idText(v.Values.SMTPAccountID), Options: v.Senders, Required: true,
		Help: "Sends the message.",
	}
}

func (v LoopView) address() ui.Field {
	return ui.Field{
		Name: "address", Label: "Send to", Value: v.Values.Address, Placeholder: v.Username,
		Help: "The address whose mail arrives in this mailbox. Blank: its username.",
	}
}

func (v LoopView) every() ui.Field {
	f := ui.Field{Name: "every_minutes", Label: "Repeat every", Unit: "minutes", Min: 5, Max: 10080, Help: "Only for Repeat. 60 is once an hour, 1440 once a day."}
	if v.Values.EveryMinutes > 0 {
		f.Value = strconv.Itoa(v.Values.EveryMinutes)
	}
	return f
}

func (v LoopView) nameOf(smtpAccountID int64) string {
	return or(v.Names[smtpAccountID], "an SMTP account that is gone")
}

// everyWords write an interval as people say it.
func everyWords(minutes int) string {
	switch {
	case minutes%1440 == 0:
		return "every " + span(minutes/1440, "day", "days")
	case minutes%60 == 0:
		return "every " + span(minutes/60, "hour", "hours")
	}
	return "every " + span(minutes, "minute", "minutes")
}

func span(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return ui.Count(n, one, many)
}

// LoopRunning reports whether a loop test has not ended.
func LoopRunning(l inbox.Loop) bool {
	return l.State == inbox.LoopSending || l.State == inbox.LoopWaiting
}

// latest is the newest loop test; nil when there was none.
func (v LoopView) latest() *inbox.Loop {
	if len(v.Loops) == 0 {
		return nil
	}
	return &v.Loops[0]
}

// LoopStateWord is the word for how far a loop test is.
func LoopStateWord(l inbox.Loop) string {
	switch l.State {
	case inbox.LoopSending:
		return "Sending"
	case inbox.LoopWaiting:
		return "On its way"
	case inbox.LoopArrived:
		if l.Junk {
			return "Arrived as junk"
		}
		return "Arrived"
	case inbox.LoopNotSent:
		return "Not sent"
	case inbox.LoopLost:
	}
	return "Did not arrive"
}

func loopTone(l inbox.Loop) ui.Tone {
	switch l.State {
	case inbox.LoopSending, inbox.LoopWaiting:
		return ui.Notice
	case inbox.LoopArrived:
		if l.Junk {
			return ui.Warning
		}
		return ui.Good
	case inbox.LoopNotSent, inbox.LoopLost:
	}
	return ui.Bad
}

// loopSentence says what a loop test has shown.
func loopSentence(l inbox.Loop) string {
	switch l.State {
	case inbox.LoopSending:
		return "Orbit hands the message to " + l.SMTPAccountName + "."
	case inbox.LoopWaiting:
		return "The mail server took the message. Orbit waits for it in the mailbox."
	case inbox.LoopArrived:
		text := "The message arrived " + ui.Took(l.Delay) + " after the mail server had taken it."
		if l.Junk {
			text += " It landed in " + l.Folder + ": whoever receives mails of this account probably does not see them."
		}
		return text
	case inbox.LoopNotSent:
		return "The message was not sent."
	case inbox.LoopLost:
	}
	return "The message was sent and did not arrive."
}

func loopFacts(l inbox.Loop, clock ui.Clock) []ui.Fact {
	facts := []ui.Fact{{Label: "Sent through", Value: l.SMTPAccountName}, {Label: "To", Value: l.Address}, {Label: "Started", Value: startedWords(l, clock)}}
	if l.Reply != "" {
		facts = append(facts, ui.Fact{Label: "Server's last word", Value: l.Reply, Mono: true})
	}
	if l.Folder != "" {
		facts = append(facts, ui.Fact{Label: "Found in", Value: l.Folder})
	}
	return facts
}

func startedWords(l inbox.Loop, clock ui.Clock) string {
	return clock.At(l.StartedAt).Exact() + " by " + or(l.StartedBy, "the schedule")
}

// changedWords sum up what happened to the header on the way.
func changedWords(changes []inbox.HeaderChange) string {
	var added, removed, changed int
	for _, c := range changes {
		switch {
		case c.Sent == "":
			added++
		case c.Received == "":
			removed++
		default:
			changed++
		}
	}
	return fmt.Sprintf("Header: %d added, %d changed, %d removed on the way", added, changed, removed)
}

var loopColumns = []ui.Column{
	{Label: "Started"}, {Label: "Result"}, {Label: "Delay", Right: true}, {Label: "Through"}, {Label: "Folder"}, {Label: "SPF, DKIM, DMARC"}, {Label: "By"},
}

// fewLoops are shown without being asked for.
const fewLoops = 5

// trend is the graph of the delay, oldest first.
func (v LoopView) trend() ui.TrendView {
	t := ui.TrendView{ID: "delay", Title: "Delay", Zone: v.Clock.Zone}
	arrived, failed := 0, 0
	for _, l := range slices.SortedFunc(slices.Values(v.Loops), func(a, b inbox.Loop) int { return a.StartedAt.Compare(b.StartedAt) }) {
		if LoopRunning(l) {
			continue
		}
		p := ui.TrendPoint{At: l.StartedAt, Took: l.Delay, Failed: l.State != inbox.LoopArrived}
		p.Words = LoopStateWord(l) + ", " + v.Clock.At(l.StartedAt).Short()
		if p.Failed {
			failed++
		} else {
			arrived++
			p.Words = ui.Took(l.Delay) + ", " + v.Clock.At(l.StartedAt).Short()
		}
		t.Points = append(t.Points, p)
	}
	t.About = fmt.Sprintf("%s arrived, %s did not. They are listed under All results.", ui.Count(arrived, "message", "messages"), ui.Number(failed))
	return t
}

// loopVerdicts are the three findings in one line.
func loopVerdicts(l inbox.Loop) string {
	if l.Authentication == nil {
		return ""
	}
	a := *l.Authentication
	return or(a.SPF, "–") + ", " + or(a.DKIM, "–") + ", " + or(a.DMARC, "–")
}
