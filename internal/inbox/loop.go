package inbox

import (
	"time"

	"orbit/internal/mail/ladder"
)

// LoopState says how far a loop test is.
type LoopState string

// The states.
const (
	LoopSending LoopState = "sending"
	LoopWaiting LoopState = "waiting" // the mail server took the message; it is to arrive
	LoopArrived LoopState = "arrived"
	LoopNotSent LoopState = "not_sent"
	LoopLost    LoopState = "lost" // it did not arrive within the limit
)

// LoopRequest asks for a loop test: a message from an SMTP account to a mailbox.
type LoopRequest struct {
	MailboxID     int64  `json:"mailbox_account_id"`
	SMTPAccountID int64  `json:"smtp_account_id"`
	Address       string `json:"address,omitempty"` // of the mailbox; empty: the username of its credential
}

// Loop is a loop test, running or ended.
type Loop struct {
	ID              int64           `db:"id" json:"id"`
	MailboxID       int64           `db:"mailbox_account_id" json:"mailbox_account_id"`
	SMTPAccountID   int64           `db:"smtp_account_id" json:"smtp_account_id,omitempty"` // 0: the account is gone
	SMTPAccountName string          `db:"smtp_account_name" json:"smtp_account_name"`
	Address         string          `db:"address" json:"address"`
	State           LoopState       `db:"state" json:"state"`
	StartedAt       time.Time       `db:"started_at" json:"started_at"`
	StartedBy       string          `db:"started_by" json:"started_by,omitempty"` // "" : the schedule
	SentAt          *time.Time      `db:"sent_at" json:"sent_at,omitempty"`
	EndedAt         *time.Time      `db:"ended_at" json:"ended_at,omitempty"`
	Delay           time.Duration   `db:"delay" json:"delay"`                             // between the mail server's last word and the arrival here
	Reply           string          `db:"reply" json:"reply,omitempty"`                   // the mail server's last word
	Folder          string          `db:"folder" json:"folder,omitempty"`                 // in which it was found
	Junk            bool            `db:"junk" json:"junk"`                               // that is a folder for unwanted mail
	MessageID       int64           `db:"inbound_message_id" json:"message_id,omitempty"` // as received here; 0: it was found in another folder
	Fault           *ladder.Fault   `db:"fault" json:"fault,omitempty"`                   // why it was not sent, or did not arrive
	Changes         []HeaderChange  `db:"changes" json:"changes" nullable:"false"`
	Authentication  *Authentication `db:"authentication" json:"authentication,omitempty"` // nil: no authserv-id is set on the mailbox
	Seen            string          `db:"authserv_seen" json:"authserv_seen,omitempty"`   // the server that wrote the topmost Authentication-Results: a candidate for authserv-id
}

// HeaderChange is a line of the header that is not as it was sent.
type HeaderChange struct {
	Name     string `json:"name"`
	Sent     string `json:"sent,omitempty"`     // "": it was added on the way
	Received string `json:"received,omitempty"` // "": it was removed on the way
}

// LoopSchedule repeats a loop test.
type LoopSchedule struct {
	MailboxID     int64     `db:"mailbox_account_id" json:"mailbox_account_id"`
	SMTPAccountID int64     `db:"smtp_account_id" json:"smtp_account_id"`
	Address       string    `db:"address" json:"address,omitempty"`
	EveryMinutes  int       `db:"every_minutes" json:"every_minutes" minimum:"5" maximum:"10080"`
	NextAt        time.Time `db:"next_at" json:"next_at"`
}
