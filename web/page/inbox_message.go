package page

import (
	"net/mail"
	"strconv"
	"strings"

	"orbit/internal/account"
	"orbit/internal/inbox"
	"orbit/internal/mail/reply"
	"orbit/web/ui"
)

// MessageView is a received message with all that was found out about it.
type MessageView struct {
	Message inbox.Message
	Mailbox account.Mailbox
	Clock   ui.Clock
	HTML    bool // it has an HTML body that can be shown
	Remote  int  // what that would have loaded from elsewhere
	Active  int  // what in it would have acted
	CanAct  bool // the reader may have it acted upon
}

// Title of the page.
func (v MessageView) Title() string { return SubjectOf(v.Message.Row) }

func (v MessageView) path() string { return MessagePath(v.Message.ID) }

func (v MessageView) inbox() string { return MailboxPath(v.Mailbox.ID) + "/inbox" }

// from is the writer as people write an address.
func (v MessageView) from() string {
	m := v.Message
	switch {
	case m.FromAddress == "":
		return "nobody"
	case m.FromName == "":
		return m.FromAddress
	}
	return m.FromName + " <" + m.FromAddress + ">"
}

// byline stands under the subject.
func (v MessageView) byline() string {
	return "From " + v.from() + ", " + v.Clock.At(v.Message.ReceivedAt).Short()
}

// newText is what a person wrote anew, when that is not the whole text anyway. What programs write has no other part.
func (v MessageView) newText() string {
	text := strings.TrimSpace(v.Message.Read.Text)
	person := v.Message.Class == reply.ClassReply || v.Message.Class == reply.ClassOther
	if !person || text == strings.TrimSpace(v.Message.Read.Body) {
		return ""
	}
	return text
}

// newTextTitle does not call an answer what answers nothing.
func (v MessageView) newTextTitle() string {
	if v.Message.Class == reply.ClassReply {
		return "What the writer answered"
	}
	return "What was written"
}

// answer says what the writer decided.
func (v MessageView) answer() string {
	switch v.Message.Answer {
	case reply.Approve:
		return "The first line approves."
	case reply.Reject:
		return "The first line rejects."
	case reply.None:
	}
	return ""
}

func (v MessageView) facts() []ui.Fact {
	m := v.Message
	facts := []ui.Fact{{Label: "From", Value: v.from()}}
	add := func(label, value string, mono bool) {
		if value != "" {
			facts = append(facts, ui.Fact{Label: label, Value: value, Mono: mono})
		}
	}
	add("To", addresses(m.Read.To), false)
	add("Cc", addresses(m.Read.Cc), false)
	add("Answers go to", addresses(m.Read.ReplyTo), false)
	add("Received", v.Clock.At(m.ReceivedAt).Exact(), false)
	if m.Date != nil {
		add("Written", v.Clock.Moment(m.Date).Exact(), false)
	}
	add("Folder", m.Folder, false)
	add("Size", Bytes(m.Size), false)
	add("Message-ID", m.MessageID, true)
	add("About the message", m.Original, true)
	return facts
}

func addresses(all []mail.Address) string {
	texts := make([]string, len(all))
	for i, a := range all {
		texts[i] = a.Address
		if a.Name != "" {
			texts[i] = a.Name + " <" + a.Address + ">"
		}
	}
	return strings.Join(texts, ", ")
}

// related is the page of what the message is about: the notification or the test that sent the original.
func (v MessageView) related() *ui.Link {
	kind, id, _ := strings.Cut(v.Message.Related, "/")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil
	}
	switch kind {
	case "smtp_test":
		return &ui.Link{Label: "See the test that sent it", Href: SMTPTestPath(n)}
	case "delivery":
		return &ui.Link{Label: "See what was sent, and what became of it", Href: "/settings/notifications/sent/" + strconv.FormatInt(n, 10)}
	case "loop_test":
		return &ui.Link{Label: "See the loop test", Href: MailboxPath(v.Mailbox.ID) + "/loop"}
	}
	return nil
}

// leftAlone reports whether the message can still be acted upon.
func (v MessageView) leftAlone() bool {
	handling := v.Message.Handling
	return v.CanAct && v.Message.Complete && (handling == inbox.TooOld || handling == inbox.NotHandled)
}

// report is what a machine's report says, as facts.
func (v MessageView) report() []ui.Fact {
	read := v.Message.Read
	switch {
	case read.Bounce != nil:
		return bounceFacts(*read.Bounce)
	case read.Receipt != nil:
		return receiptFacts(*read.Receipt)
	case read.Report != nil:
		return complaintFacts(*read.Report)
	}
	return nil
}

func bounceFacts(b reply.Bounce) []ui.Fact {
	var facts []ui.Fact
	for _, r := range b.Recipients {
		facts = append(facts, ui.Fact{Label: actionWord(r.Action), Value: recipientWords(r)})
		if r.Diagnostic != "" {
			facts = append(facts, ui.Fact{Label: "The server's words", Value: r.Diagnostic, Mono: true})
		}
	}
	if b.ReportingMTA != "" {
		facts = append(facts, ui.Fact{Label: "Reported by", Value: b.ReportingMTA})
	}
	return facts
}

// recipientWords are an address with the status that its server gave: "diego@fabrikam.example (5.1.1)".
func recipientWords(r reply.Recipient) string {
	words := or(r.Address, r.Final)
	if r.Status != "" {
		words += " (" + r.Status + ")"
	}
	return words
}

func actionWord(a reply.Action) string {
	switch a {
	case reply.Failed:
		return "Not delivered to"
	case reply.Delayed:
		return "Delayed for"
	case reply.Delivered:
		return "Delivered to"
	case reply.Relayed:
		return "Passed on for"
	case reply.Expanded:
		return "Delivered to the list"
	}
	return "Recipient"
}

func receiptFacts(r reply.Receipt) []ui.Fact {
	by := "a program, by itself"
	if r.ByPerson {
		by = "the recipient"
	}
	facts := []ui.Fact{{Label: "What happened", Value: dispositionWord(r.Disposition)}, {Label: "Sent by", Value: by}}
	if r.Recipient != "" {
		facts = append(facts, ui.Fact{Label: "Recipient", Value: r.Recipient})
	}
	return facts
}

func dispositionWord(disposition string) string {
	switch disposition {
	case "displayed":
		return "The message was shown"
	case "deleted":
		return "The message was deleted"
	case "":
		return "Not said"
	}
	return "The message was " + disposition
}

func complaintFacts(r reply.Report) []ui.Fact {
	facts := []ui.Fact{{Label: "Complaint", Value: or(r.Type, "not said")}}
	if len(r.Recipients) > 0 {
		facts = append(facts, ui.Fact{Label: "Of", Value: strings.Join(r.Recipients, ", ")})
	}
	if r.SourceIP != "" {
		facts = append(facts, ui.Fact{Label: "Sent from", Value: r.SourceIP, Mono: true})
	}
	return facts
}

// attachmentWords say what an attachment is.
func attachmentWords(a reply.Attachment) string {
	words := a.Type + ", " + Bytes(a.Size)
	if a.Inline && a.ContentID != "" {
		words += ", shown in the letter"
	}
	return words
}

// attachmentName is what an attachment is called; those of mail servers have no names.
func attachmentName(a reply.Attachment) string {
	switch {
	case a.Name != "":
		return a.Name
	case a.Type == "message/rfc822":
		return "A whole message"
	case a.Type == "text/rfc822-headers":
		return "The header of a message"
	}
	return "Without a name"
}

// verdictOf is one method's finding with its colour.
type verdictOf struct {
	method, word string
	tone         ui.Tone
}

// verdicts are the findings of the server that the account trusts.
func verdicts(a inbox.Authentication) []verdictOf {
	var all []verdictOf
	for _, v := range []struct{ method, word string }{{"SPF", a.SPF}, {"DKIM", a.DKIM}, {"DMARC", a.DMARC}} {
		all = append(all, verdictOf{v.method, or(v.word, "not reported"), verdictWordTone(v.word)})
	}
	return all
}

func verdictWordTone(word string) ui.Tone {
	switch word {
	case "pass":
		return ui.Good
	case "fail", "permerror", "policy":
		return ui.Bad
	case "softfail", "temperror":
		return ui.Warning
	}
	return ui.Neutral
}

// authenticWords say what the findings mean.
func authenticWords(a inbox.Authentication) string {
	if a.Authentic {
		return "The address in From is genuine, says " + a.Server + "."
	}
	return "Nobody vouches for the address in From: it may be forged."
}

// takenAway says what of the HTML is not shown.
func (v MessageView) takenAway() string {
	var parts []string
	if v.Remote > 0 {
		parts = append(parts, ui.Count(v.Remote, "image or style from another place is", "images and styles from other places are")+" not loaded")
	}
	if v.Active > 0 {
		parts = append(parts, ui.Count(v.Active, "script, form or the like is", "scripts, forms or the like are")+" taken away")
	}
	text := "Links cannot be followed here; point at one to see where it leads."
	if len(parts) == 0 {
		return text
	}
	words := strings.Join(parts, " and ")
	return words + ". " + text
}

// SourceView is a message as the server sent it.
type SourceView struct {
	Message inbox.Message
	Text    string
	Cut     bool // there is more
}
