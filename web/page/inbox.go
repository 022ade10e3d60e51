package page

import (
	"strconv"
	"strings"

	"orbit/internal/account"
	"orbit/internal/inbox"
	"orbit/internal/mail/reply"
	"orbit/web/ui"
)

// MessagePath is the page of a received message.
func MessagePath(id int64) string {
	return "/settings/notifications/imap-pop3/messages/" + strconv.FormatInt(id, 10)
}

// InboxNoteView stands above the received messages: how the mailbox does, and what has come meanwhile.
type InboxNoteView struct {
	Mailbox account.Mailbox
	Health  inbox.Health
	Clock   ui.Clock
	News    string // address of the event stream; "" when news would not show
}

// classes in the order in which people look for them.
var classes = []reply.Class{reply.ClassReply, reply.ClassBounce, reply.ClassReceipt, reply.ClassAutoReply, reply.ClassReport, reply.ClassOther}

// ClassOptions are the choices of the filter.
func ClassOptions() []ui.Option {
	options := []ui.Option{{Label: "All"}}
	for _, c := range classes {
		options = append(options, ui.Option{Value: string(c), Label: ClassWord(c)})
	}
	return options
}

// ClassWord is the word for what a message is.
func ClassWord(c reply.Class) string {
	switch c {
	case reply.ClassReply:
		return "Reply"
	case reply.ClassBounce:
		return "Delivery report"
	case reply.ClassReceipt:
		return "Read receipt"
	case reply.ClassAutoReply:
		return "Automatic reply"
	case reply.ClassReport:
		return "Complaint"
	case reply.ClassOther:
	}
	return "Other"
}

// classAbout says in a sentence what the word means.
func classAbout(c reply.Class) string {
	switch c {
	case reply.ClassReply:
		return "A person answers a message that Orbit sent."
	case reply.ClassBounce:
		return "A mail server reports what became of a message."
	case reply.ClassReceipt:
		return "A mail program reports that a message was read or deleted."
	case reply.ClassAutoReply:
		return "A program answers for a person."
	case reply.ClassReport:
		return "A provider forwards the complaint of a recipient."
	case reply.ClassOther:
	}
	return "No answer to anything that Orbit sent."
}

func classTone(c reply.Class) ui.Tone {
	switch c {
	case reply.ClassReply:
		return ui.Notice
	case reply.ClassBounce, reply.ClassReport:
		return ui.Warning
	case reply.ClassReceipt:
		return ui.Good
	case reply.ClassAutoReply, reply.ClassOther:
	}
	return ui.Neutral
}

// SubjectOf is the subject as a name.
func SubjectOf(m inbox.Row) string { return or(strings.TrimSpace(m.Subject), "(no subject)") }

// OutcomeWords say what a message led to, or why to nothing.
func OutcomeWords(m inbox.Row) string {
	if m.Outcome != "" {
		return m.Outcome
	}
	switch m.Handling {
	case inbox.Taken:
		return "Acted upon."
	case inbox.TooOld:
		return "It was there before the account: nobody acts upon it."
	case inbox.NotHandled:
		return "Acting upon it failed; it is tried again."
	case inbox.LoopTest:
		return "Orbit sent it to itself."
	case inbox.Nobody:
	}
	return ""
}

func outcomeTone(h inbox.Handling) ui.Tone {
	switch h {
	case inbox.Taken, inbox.LoopTest:
		return ui.Good
	case inbox.NotHandled:
		return ui.Bad
	case inbox.TooOld, inbox.Nobody:
	}
	return ui.Notice
}

// firstLine is the beginning of a text for a list.
func firstLine(text string) string {
	const most = 110
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// Bytes writes an amount of data as people compare it.
func Bytes(n int64) string { return bytes(n) }
