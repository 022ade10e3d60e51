// Package notify tells people what happened.
//
// An application posts an Event. In one transaction the rules that name its type become notifications, one for
// each contact and channel, and those by e-mail become deliveries. From then on the delivery's row is the
// queue: senders, as many as the account may have connections, take what is due, render each message once,
// record the attempt, hand the bytes to internal/mail/submit and record what the server said. A River job in
// the same transaction wakes the senders; docs/decisions/0017 says why River does not carry each message.
//
// What several processes must agree on is in tables: who has a delivery in hand, who holds which connection of
// an account, how many messages left through it in the last minute, and whether it is broken.
package notify

import (
	"time"

	"orbit/internal/mail/ladder"
	"orbit/internal/notify/text"
)

// Event is something that happened, as an application tells it.
type Event struct {
	Type           string         `json:"type"`
	Data           map[string]any `json:"data,omitempty"`
	IdempotencyKey string         `json:"idempotency_key,omitempty"` // the same key again is the same event

	// Used where the account's Force use of configuration is No.
	ReplyTo      string `json:"reply_to,omitempty"`
	ReturnPath   string `json:"return_path,omitempty"`
	Confirmation string `json:"confirmation,omitempty"`

	// Access lists e-mail addresses or usernames of those who have access to the credential or device. Rules
	// "only contacts who have access" tell nobody else; nil, not told, means nobody.
	Access  []string  `json:"access,omitempty"`
	Expires time.Time `json:"expires_at,omitzero"` // after this it is of no use to anybody

	// AvoidAccountID is an account that this is about; an alarm does not travel through it.
	AvoidAccountID int64 `json:"-"`
}

// Accepted is an event that is stored; what is to be sent about it will be.
type Accepted struct {
	ID            int64 `json:"id"`
	Duplicate     bool  `json:"duplicate"`     // it was there already, by its idempotency key
	Notifications int   `json:"notifications"` // of how many contacts and webhooks
	Deliveries    int   `json:"deliveries"`    // e-mails on their way now; digests come later
}

// Channel is a way to reach somebody.
type Channel string

// The channels.
const (
	Email      Channel = "email"
	Screen     Channel = "screen" // the bell in the header
	ByWebhook  Channel = "webhook"
	maxData            = 256 << 10 // an event is a notice, not a file
	keepTrying         = 5 * 24 * time.Hour
)

// Priority says what leaves first.
type Priority int16

// The priorities.
const (
	Urgent Priority = iota // approvals: somebody waits
	Normal
	Bulk // digests and reports
)

// State is how far a delivery is.
type State string

// The states of a delivery. Sent, Failed, Cancelled and Expired are final; so is Uncertain once the message
// was sent again in vain.
const (
	Queued    State = "queued"
	Retrying  State = "retrying" // a server said "later"
	Paused    State = "paused"   // somebody did
	Sent      State = "sent"     // the server's final 250
	Uncertain State = "uncertain"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// Outcome is how an attempt ended.
type Outcome string

// The outcomes of an attempt; the empty one is an attempt that runs, or whose process died.
const (
	AttemptSent      Outcome = "sent"
	AttemptRetry     Outcome = "retry"
	AttemptThrottled Outcome = "throttled" // does not count
	AttemptUncertain Outcome = "uncertain"
	AttemptFailed    Outcome = "failed"
	AttemptAccount   Outcome = "account" // the account does not work; says nothing about the message, does not count
)

// Message is what a feature sends to one person by itself, in its own transaction.
type Message struct {
	To              string
	Name            string
	Language        string // of the text; empty: English
	TimeZone        string // of the times in it; empty: UTC
	ContactID       int64  // when it is one
	TextType        string
	Words           *text.Text // in place of the text that is stored or built in, for samples
	Values          text.Values
	Priority        Priority
	EventID         int64     // what it tells of, for the time line; 0: none
	AccessRequestID int64     // likewise
	Expires         time.Time // zero: after the usual five days
	AccountID       int64     // 0: the default account
	AvoidAccountID  int64
	Headers         []Header // see submit.Message

	// Confidential messages carry a link that decides: values and bytes are sealed in the table, and pages do not
	// show what Hidden lists: the addresses behind tags such as URL_APPROVE, by the tag's name, or texts as they are.
	Confidential bool
	Hidden       []string

	ReplyTo, ReturnPath, Confirmation string
}

// Header is one more line of a message's header; submit says which are allowed.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Delivery is a message to one recipient, as the report shows it.
type Delivery struct {
	ID              int64         `db:"id" json:"id"`
	EventID         int64         `db:"event_id" json:"event_id,omitempty"`
	RuleID          int64         `db:"notification_rule_id" json:"rule_id,omitempty"`
	ContactID       int64         `db:"contact_id" json:"contact_id,omitempty"`
	AccessRequestID int64         `db:"access_request_id" json:"access_request_id,omitempty"`
	TextType        string        `db:"text_type" json:"type"`
	Language        string        `db:"language" json:"language"`
	Recipient       string        `db:"recipient" json:"recipient"`
	RecipientName   string        `db:"recipient_name" json:"recipient_name,omitempty"`
	Subject         string        `db:"subject" json:"subject,omitempty"`
	Priority        Priority      `db:"priority" json:"priority"`
	State           State         `db:"state" json:"state"`
	InHand          bool          `db:"in_hand" json:"in_hand"` // being sent right now
	DueAt           time.Time     `db:"due_at" json:"due_at"`
	ExpiresAt       time.Time     `db:"expires_at" json:"expires_at"`
	AccountID       int64         `db:"smtp_account_id" json:"smtp_account_id,omitempty"`
	AccountName     string        `db:"account_name" json:"account_name,omitempty"`
	MessageID       string        `db:"message_id" json:"message_id"`
	Confidential    bool          `db:"confidential" json:"confidential"`
	Attempts        int           `db:"attempts" json:"attempts"`
	Reply           string        `db:"reply" json:"reply,omitempty"`
	Fault           *ladder.Fault `db:"fault" json:"fault,omitempty"`
	CreatedAt       time.Time     `db:"created_at" json:"created_at"`
	FirstAttemptAt  *time.Time    `db:"first_attempt_at" json:"first_attempt_at,omitempty"`
	EndedAt         *time.Time    `db:"ended_at" json:"ended_at,omitempty"`
}

// Attempt is one try to hand a message to a server.
type Attempt struct {
	Number      int           `db:"number" json:"number"`
	AccountID   int64         `db:"smtp_account_id" json:"smtp_account_id"`
	AccountName string        `db:"account_name" json:"account_name,omitempty"`
	StartedAt   time.Time     `db:"started_at" json:"started_at"`
	EndedAt     *time.Time    `db:"ended_at" json:"ended_at,omitempty"`
	Outcome     Outcome       `db:"outcome" json:"outcome,omitempty"`
	Step        string        `db:"step" json:"step,omitempty"`
	Reply       string        `db:"reply" json:"reply,omitempty"`
	Fault       *ladder.Fault `db:"fault" json:"fault,omitempty"`
}
