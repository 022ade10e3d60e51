package account

import (
	"time"

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

// SMTPTest is a run of "Test configuration", running or ended.
type SMTPTest struct {
	ID            int64         `db:"id" json:"id"`
	SMTPAccountID int64         `db:"smtp_account_id" json:"smtp_account_id,omitempty"` // 0: values that were not saved
	AccountName   string        `db:"account_name" json:"account_name"`
	Recipient     string        `db:"recipient" json:"to"`
	Subject       string        `db:"subject" json:"subject"`
	State         TestState     `db:"state" json:"state"`
	MessageID     string        `db:"message_id" json:"message_id,omitempty"`
	Reply         string        `db:"reply" json:"reply,omitempty"`   // the server's final reply
	Server        string        `db:"server" json:"server,omitempty"` // who gave it
	Steps         []ladder.Step `db:"steps" json:"steps"`
	StartedAt     time.Time     `db:"started_at" json:"started_at"`
	EndedAt       *time.Time    `db:"ended_at" json:"ended_at,omitempty"`
	StartedBy     string        `db:"started_by" json:"started_by,omitempty"`
}

// Fault returns why the test failed, or nil.
func (t SMTPTest) Fault() *ladder.Fault {
	for _, step := range t.Steps {
		if step.Fault != nil {
			return step.Fault
		}
	}
	return nil
}

// AcceptedBy is the result in words: "Accepted by mail.example.com: 250 2.0.0 queued as 4F2".
func (t SMTPTest) AcceptedBy() string {
	return "Accepted by " + or(t.Server, "the server") + ": " + t.Reply
}
