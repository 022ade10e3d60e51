// Package reply says what a received message is and what its writer answered: a function of bytes.
//
// Read streams the message once (package parts), keeps the texts and the machine-readable reports, and judges:
// is it a bounce, a read receipt, an automatic reply, a complaint, an answer to something that Orbit sent, or
// something else. Of an answer it gives the new text (packages quote and htmltext) and, if the first line is one
// of the documented words and nothing else, the decision. Every doubt goes the same way: nobody has approved.
package reply

import (
	"net/mail"
	"time"
)

// Class is what a message is. The words are shown and stored.
type Class string

// The classes.
const (
	ClassReply     Class = "reply"      // a person answers a message that Orbit sent
	ClassBounce    Class = "bounce"     // a server reports on a delivery: failed, delayed, or done
	ClassReceipt   Class = "receipt"    // a mail program reports that a message was read, or deleted
	ClassAutoReply Class = "auto_reply" // a program answers for a person
	ClassReport    Class = "report"     // a provider forwards a complaint
	ClassOther     Class = "other"
)

// Message is what was read.
type Message struct {
	MessageID  string // ids are without angle brackets
	InReplyTo  []string
	References []string
	From       mail.Address
	Sender     mail.Address
	ReplyTo    []mail.Address
	To, Cc     []mail.Address
	Subject    string
	Date       time.Time // zero when the message has none that can be read
	ReturnPath string    // envelope sender, as the receiving server noted it; "" for a null or unknown one

	Class     Class
	Automatic string   // why no decision is taken from it and no answer sent to it; "" for a person's message
	Original  string   // Message-ID of the sent message that it is about; "" when none is known
	Token     string   // what Options.Token found
	Bounce    *Bounce  // of a bounce
	Receipt   *Receipt // of a receipt
	Report    *Report  // of a report

	Text        string // what the writer wrote anew
	Answer      Answer // the decision in its first line; only in replies of people
	Body        string // all text, quotations included; empty with Options.Excerpt
	HTML        string // the HTML body as it came, in UTF-8: show it in a sandbox only
	Attachments []Attachment
	Calendar    string // method of a calendar part: "REPLY", "REQUEST"

	Auth     Auth
	Problems []string // what was wrong with the message's form

	nullPath bool // Return-Path: <>
	onlyFrom bool // exactly one From field with exactly one address, by the letter of RFC 5322
}

// Attachment describes a part that is no text of the message.
type Attachment struct {
	Part      int    // what CopyPart takes
	Name      string // may be ""
	Type      string
	Size      int64
	Inline    bool   // shown within the HTML
	ContentID string // how the HTML names it
}

// Bounce is a delivery status (RFC 3464), or what a server's prose says of one.
type Bounce struct {
	ReportingMTA string
	EnvelopeID   string // ENVID that the sender gave
	MessageID    string // of the message that was not delivered, when the bounce shows it
	Recipients   []Recipient
	Standard     bool // it had a delivery status to be read by programs
}

// Action is what happened to the message for a recipient (RFC 3464 2.3.3).
type Action string

// The actions.
const (
	Failed    Action = "failed"
	Delayed   Action = "delayed"
	Delivered Action = "delivered"
	Relayed   Action = "relayed"
	Expanded  Action = "expanded"
)

// Recipient is what a bounce says of one address.
type Recipient struct {
	Address    string // as the message was sent to it, if known, else as it was last tried
	Final      string // the address that failed, after aliases and forwarding
	Action     Action
	Status     string // enhanced status code, "5.1.1"
	Diagnostic string // the server's words
	RemoteMTA  string
}

// Failed returns the recipients that will not get the message.
func (b *Bounce) Failed() (failed []Recipient) {
	for _, r := range b.Recipients {
		if r.Action == Failed {
			failed = append(failed, r)
		}
	}
	return failed
}

// Receipt is a disposition notification (RFC 8098).
type Receipt struct {
	Recipient   string
	MessageID   string // of the message that was read
	Disposition string // "displayed", "deleted", "dispatched", "processed", "denied", "failed"
	ByPerson    bool   // not sent by a program on its own
	UserAgent   string
	Standard    bool
}

// Report is a feedback report (RFC 5965).
type Report struct {
	Type       string // "abuse", "fraud", "not-spam", "opt-out", "virus", "other"
	UserAgent  string
	MailFrom   string
	Recipients []string // as far as the provider names them
	SourceIP   string
	MessageID  string // of the message complained of
	Standard   bool
}
