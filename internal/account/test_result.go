package account

import (
	"time"

	"orbit/internal/mail/fetch"
	"orbit/internal/mail/ladder"
)

// TestState is where a test stands.
type TestState string

// The states of a test.
const (
	TestRunning   TestState = "running"
	TestDelivered TestState = "delivered" // of an SMTP account: the server took the message
	TestOpened    TestState = "opened"    // of an IMAP/POP3 account: the mailbox is open to read
	TestFailed    TestState = "failed"
)

// Test is a run of "Test configuration", running or ended: what both kinds of account have in common.
type Test struct {
	ID          int64         `db:"id" json:"id"`
	AccountName string        `db:"account_name" json:"account_name"`
	State       TestState     `db:"state" json:"state"`
	Reply       string        `db:"reply" json:"reply,omitempty"`   // the last word: the server's final reply, or what the mailbox holds
	Server      string        `db:"server" json:"server,omitempty"` // who gave it
	Steps       []ladder.Step `db:"steps" json:"steps"`
	StartedAt   time.Time     `db:"started_at" json:"started_at"`
	EndedAt     *time.Time    `db:"ended_at" json:"ended_at,omitempty"`
	StartedBy   string        `db:"started_by" json:"started_by,omitempty"`
}

// Fault returns why the test failed, or nil.
func (t Test) Fault() *ladder.Fault {
	for _, step := range t.Steps {
		if step.Fault != nil {
			return step.Fault
		}
	}
	return nil
}

// SMTPTest is a test of an SMTP account: one message is sent.
type SMTPTest struct {
	Test
	SMTPAccountID int64  `db:"smtp_account_id" json:"smtp_account_id,omitempty"` // 0: values that were not saved
	Recipient     string `db:"recipient" json:"to"`
	Subject       string `db:"subject" json:"subject"`
	MessageID     string `db:"message_id" json:"message_id,omitempty"`
}

// AcceptedBy is the result in words: "Accepted by mail.example.com: 250 2.0.0 queued as 4F2".
func (t SMTPTest) AcceptedBy() string {
	return "Accepted by " + or(t.Server, "the server") + ": " + t.Reply
}

// MailboxTest is a test of an IMAP/POP3 account: the mailbox is opened and left as it was.
type MailboxTest struct {
	Test
	MailboxAccountID int64          `db:"mailbox_account_id" json:"mailbox_account_id,omitempty"` // 0: values that were not saved
	Protocol         fetch.Protocol `db:"protocol" json:"protocol"`
	Mailbox          string         `db:"mailbox" json:"mailbox"` // whose it is: who signed in
}

// OpenedAt is the result in words: "Signed in at imap.example.com: INBOX has 3 messages".
func (t MailboxTest) OpenedAt() string {
	return "Signed in at " + or(t.Server, "the server") + ": " + t.Reply
}
